//! A report with everything in it once, and the page that it makes as a tree and as text.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::collections::BTreeMap;

use ndarray::{Array2, Array3};
use roxmltree::Document;
use shorewatch_report::{
    CaseEvent, CaseMoment, CaseRow, CaseState, Cause, ChipDate, ChipPair, Coverage, CoverageRow, GridSummary,
    HarmlessEvent, IssueClass, KeptBackRow, MapPicture, Overdue, OverdueRow, Overview, OverviewPatch, OverviewReach,
    PairReference, PassReference, PassRow, PassStatus, PatchCard, ReachRow, RenderedPair, Report, RunSummary,
    TruthEvent, TruthOutcome, TruthTable, rank_patches, render_overview, render_pair,
};

fn pair_reference() -> PairReference {
    let pass = |date: &str, digest: &str| PassReference {
        date: date.to_owned(),
        sensor: "GF-2 PMS".to_owned(),
        digest: digest.repeat(8),
    };
    PairReference { pre: pass("2024-03-15", "3fa91c04"), post: pass("2024-09-01", "b77e20d9") }
}

pub(crate) fn chips() -> RenderedPair {
    let date = || ChipDate {
        pixels: Array3::from_shape_fn((3, 4, 4), |(_, row, column)| (row * column) as f32),
        observed: Array2::from_elem((4, 4), true),
        date: "2024-03-15".to_owned(),
        sensor: "GF-2 PMS".to_owned(),
    };
    render_pair(&ChipPair {
        pre: date(),
        post: date(),
        bands: "red, green, blue".to_owned(),
        natural_colour: true,
        gsd_m: 1.0,
        outline: geo_types::MultiPolygon::new(Vec::new()),
        patch_id: "p".to_owned(),
    })
    .expect("a pair")
}

pub(crate) fn patch(patch_id: &str, confidence: f64) -> PatchCard {
    PatchCard {
        patch_id: patch_id.to_owned(),
        rank: 0,
        object_class: "bare_soil".to_owned(),
        from_class: "water".to_owned(),
        to_class: "bare_soil".to_owned(),
        issue_class: Some(IssueClass::Occupation),
        area_m2: 1234.567,
        review_score: None,
        confidence,
        change_score: None,
        evidence: BTreeMap::new(),
        coreg_rmse_px: None,
        valid_fraction: 0.987,
        pair: pair_reference(),
        longitude_deg: 108.6478,
        latitude_deg: 21.9437,
        reach_id: "R-07".to_owned(),
        said: Vec::new(),
        notes: Vec::new(),
        chips: None,
    }
}

/// A patch of which everything is known.
pub(crate) fn judged_patch(patch_id: &str, review_score: f64, confidence: f64) -> PatchCard {
    let evidence = [("prior", -4.8), ("alteration", 1.21), ("contrast", 0.8), ("water_change", -0.4), ("size", 0.6)];
    PatchCard {
        review_score: Some(review_score),
        change_score: Some(0.61),
        evidence: evidence.map(|(name, value)| (name.to_owned(), value)).into(),
        coreg_rmse_px: Some(0.1234),
        ..patch(patch_id, confidence)
    }
}

pub(crate) fn case(case_id: &str, state: CaseState, patch_id: &str) -> CaseRow {
    let moment = |date: &str, event, patch_id: Option<&str>| CaseMoment {
        date: date.to_owned(),
        event,
        patch_id: patch_id.map(str::to_owned),
    };
    CaseRow {
        case_id: case_id.to_owned(),
        object_class: "bare_soil".to_owned(),
        issue_class: None,
        state,
        urgent: false,
        first_seen: "2022-03-15".to_owned(),
        last_seen: "2024-09-01".to_owned(),
        area_m2: 1234.567,
        review_score: Some(0.77),
        last_event: CaseEvent::Shrunk,
        patch_count: 1,
        reach_id: "R-07".to_owned(),
        series: vec![
            moment("2022-03-15", CaseEvent::New, Some(patch_id)),
            moment("2023-03-15", CaseEvent::Persisting, None),
            moment("2024-09-01", CaseEvent::Shrunk, None),
        ],
        pictures: Vec::new(),
    }
}

pub(crate) fn kept_back(reason: &str, places: usize, area_m2: f64) -> KeptBackRow {
    KeptBackRow { reason: reason.to_owned(), reach_id: "R-07".to_owned(), places, area_m2 }
}

fn map() -> MapPicture {
    let outline = geo_types::Rect::new((1.0, 1.0), (9.0, 9.0)).to_polygon();
    MapPicture {
        title: "Lower reach".to_owned(),
        background: "2024-09-01, GF-2 PMS".to_owned(),
        picture: render_overview(&Overview {
            name: "Lower reach".to_owned(),
            background: Array3::zeros((3, 10, 10)),
            natural_colour: false,
            background_observed: Array2::from_elem((10, 10), true),
            coverage: Array2::from_elem((10, 10), Coverage::Observed),
            gsd_m: 1.0,
            reaches: vec![OverviewReach { reach_id: "R-07".to_owned(), outline: outline.clone().into() }],
            patches: vec![OverviewPatch { rank: 1, outline: outline.into() }],
        })
        .expect("a map"),
    }
}

pub(crate) fn coverage(observed_both_m2: f64, unobserved_m2: Vec<(Cause, f64)>) -> CoverageRow {
    CoverageRow {
        pair: pair_reference(),
        reach_id: "R-07".to_owned(),
        scope_m2: 1_000_000.0,
        observed_both_m2,
        unobserved_m2,
    }
}

/// A report with everything in it once.
pub(crate) fn full() -> Report {
    let mut patches =
        vec![judged_patch("450702-20240901-0001", 0.41, 0.9), judged_patch("450702-20240901-0002", 0.82, 0.7)];
    patches[0].issue_class = None;
    patches[0].object_class = "unclassified".to_owned();
    patches[0].coreg_rmse_px = None;
    patches[1].chips = Some(chips());
    rank_patches(&mut patches);
    Report {
        title: "Qinjiang, autumn 2024".to_owned(),
        synthetic: true,
        notices: vec!["A warning.".to_owned()],
        run: RunSummary {
            run_id: "run-1".to_owned(),
            program_version: "0.1.0".to_owned(),
            model_name: "unet".to_owned(),
            model_version: "3".to_owned(),
            model_digest: "c0ffee42".repeat(8),
            configuration_digest: "5eed1234".repeat(8),
            grids: vec![GridSummary { crs: "EPSG:4544".to_owned(), gsd_m: 1.0 }],
            started_utc: "2024-09-05 09:12:44 UTC".to_owned(),
            duration_s: 102.4,
            minimum_area_m2: 100.0,
        },
        maps: vec![map()],
        passes: vec![PassRow {
            name: "frame.jpg".to_owned(),
            sensor: "drone".to_owned(),
            acquired_utc: None,
            revision: 1,
            digest: "deadbeef".repeat(8),
            status: PassStatus::Quarantined { reason: "no geotransform".to_owned() },
        }],
        reaches: vec![
            ReachRow {
                reach_id: "R-07".to_owned(),
                name: "钦江 lower reach".to_owned(),
                scope_m2: 1_000_000.0,
                passes_meeting: 2,
            },
            ReachRow {
                reach_id: "R-99".to_owned(),
                name: "East tributary".to_owned(),
                scope_m2: 250_000.0,
                passes_meeting: 0,
            },
        ],
        overdue: Some(Overdue {
            as_of: "2024-11-20".to_owned(),
            observed_fraction_min: 0.5,
            rows: vec![
                OverdueRow {
                    reach_id: "R-07".to_owned(),
                    last_observed: Some("2024-09-01".to_owned()),
                    days_unobserved: Some(80),
                    cadence_days: 60,
                    overdue_days: Some(20),
                    observed_share_since: 0.7,
                },
                OverdueRow {
                    reach_id: "R-99".to_owned(),
                    last_observed: None,
                    days_unobserved: None,
                    cadence_days: 7,
                    overdue_days: None,
                    observed_share_since: 0.0,
                },
            ],
        }),
        coverage: vec![coverage(
            700_000.0,
            vec![(Cause::Cloud, 200_000.0), (Cause::Other("smoke".to_owned()), 50_000.0)],
        )],
        cases: vec![
            case("case-s", CaseState::Suspected, "450702-20240901-0001"),
            CaseRow { urgent: true, ..case("case-c", CaseState::Confirmed, "450702-20240901-0002") },
            case("case-gone", CaseState::Cleared, "450702-20240901-0002"),
        ],
        kept_back: vec![kept_back("water_level", 3, 3000.0), kept_back("not_seen_in_the_pixels", 2, 1500.5)],
        patches,
        truth: Some(TruthTable {
            events: vec![
                TruthEvent {
                    event_id: "E1".to_owned(),
                    kind: "dike".to_owned(),
                    area_m2: 1200.0,
                    outcome: TruthOutcome::Found { patch_ids: vec!["450702-20240901-0002".to_owned()] },
                },
                TruthEvent {
                    event_id: "E2".to_owned(),
                    kind: "shed".to_owned(),
                    area_m2: 120.0,
                    outcome: TruthOutcome::Missed,
                },
            ],
            harmless: vec![HarmlessEvent { event_id: "H1".to_owned(), kind: "harvest".to_owned(), raised: Vec::new() }],
            false_alarms: vec!["450702-20240901-0001".to_owned()],
        }),
        max_patches_with_chips: 10,
        max_patches_listed: 10,
        max_cases_listed: 10,
    }
}

/// The page as a tree; fails when it is not well-formed.
pub(crate) fn parse(html: &str) -> Document<'_> {
    let body = html.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    Document::parse(body).expect("well-formed")
}

/// All text outside of the style sheet, with single spaces.
pub(crate) fn text(html: &str) -> String {
    let document = parse(html);
    let words: Vec<&str> = document
        .descendants()
        .filter(|node| node.is_text() && !node.parent().is_some_and(|parent| parent.has_tag_name("style")))
        .filter_map(|node| node.text())
        .flat_map(str::split_whitespace)
        .collect();
    words.join(" ").replace(" ,", ",").replace(" .", ".")
}
