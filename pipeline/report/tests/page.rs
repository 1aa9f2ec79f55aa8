//! What a reader may rely on in the page: it stands alone, it is well-formed, no text from data is
//! markup, and "found nothing", "saw nothing" and "compared nothing" are three different answers.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ndarray::{Array2, Array3};
use proptest::prelude::*;
use roxmltree::Document;
use shorewatch_report::{
    Cause, ChipDate, ChipPair, Coverage, CoverageRow, GridSummary, HarmlessEvent, IssueClass, MapPicture, Overdue,
    OverdueRow, Overview, OverviewPatch, OverviewReach, PairReference, PassReference, PassRow, PassStatus, PatchCard,
    ReachRow, RenderedPair, Report, ReportError, ReportFault, RunSummary, TruthEvent, TruthOutcome, TruthTable,
    rank_patches, render_overview, render_pair, render_report,
};

fn pair_reference() -> PairReference {
    let pass = |date: &str, digest: &str| PassReference {
        date: date.to_owned(),
        sensor: "GF-2 PMS".to_owned(),
        digest: digest.repeat(8),
    };
    PairReference { pre: pass("2024-03-15", "3fa91c04"), post: pass("2024-09-01", "b77e20d9") }
}

fn chips() -> RenderedPair {
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

fn patch(patch_id: &str, confidence: f64) -> PatchCard {
    PatchCard {
        patch_id: patch_id.to_owned(),
        rank: 0,
        object_class: "bare_soil".to_owned(),
        from_class: "water".to_owned(),
        to_class: "bare_soil".to_owned(),
        issue_class: Some(IssueClass::Occupation),
        area_m2: 1234.567,
        confidence,
        valid_fraction: 0.987,
        pair: pair_reference(),
        longitude_deg: 108.6478,
        latitude_deg: 21.9437,
        reach_id: "R-07".to_owned(),
        notes: Vec::new(),
        chips: None,
    }
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

fn coverage(observed_both_m2: f64, unobserved_m2: Vec<(Cause, f64)>) -> CoverageRow {
    CoverageRow {
        pair: pair_reference(),
        reach_id: "R-07".to_owned(),
        scope_m2: 1_000_000.0,
        observed_both_m2,
        unobserved_m2,
    }
}

/// A report with everything in it once.
fn full() -> Report {
    let mut patches = vec![patch("450702-20240901-0001", 0.7), patch("450702-20240901-0002", 0.9)];
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
    }
}

/// The page as a tree; fails when it is not well-formed.
fn parse(html: &str) -> Document<'_> {
    let body = html.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    Document::parse(body).expect("well-formed")
}

/// All text outside of the style sheet, with single spaces.
fn text(html: &str) -> String {
    let document = parse(html);
    let words: Vec<&str> = document
        .descendants()
        .filter(|node| node.is_text() && !node.parent().is_some_and(|parent| parent.has_tag_name("style")))
        .filter_map(|node| node.text())
        .flat_map(str::split_whitespace)
        .collect();
    words.join(" ").replace(" ,", ",").replace(" .", ".")
}

#[test]
fn the_page_says_everything_once_needed() {
    let html = render_report(&full()).expect("a page");
    let text = text(&html);
    for expected in [
        "Suspected, not verdicts: a human confirms.",
        "Synthetic imagery: painted, not real.",
        "2 suspected patches",
        "What was not looked at",
        "Overdue as of 2024-11-20",
        "2024-09-01, 80 days ago",
        "every 60 days",
        "East tributary (R-99) never every 7 days – 0.0 %",
        "occupation 乱占",
        "1,234.57 m²",
        "2,469.13 m² in all",
        "108.647800° E, 21.943700° N",
        "water → bare soil",
        "no geotransform",
        "not known",
        "East tributary (R-99)",
        "outside every pass",
        "cloud 20.00 ha, cause not recorded 5.00 ha, smoke 5.00 ha",
        "56.0 %",
        "1 of 2 events found; 1 false alarm.",
        "took 1 min 42 s",
        "EPSG:4544, 1 m per pixel",
        "R1 钦江 lower reach (R-07)",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
    let first = text.find("450702-20240901-0002").expect("listed");
    let second = text.find("450702-20240901-0001").expect("listed");
    assert!(first < second, "highest score first");

    let mut real = full();
    real.synthetic = false;
    let html = render_report(&real).expect("a page");
    assert!(!html.contains("Synthetic imagery"));
}

#[test]
fn the_page_stands_alone() {
    let html = render_report(&full()).expect("a page");
    assert!(html.contains("default-src &#39;none&#39;") || html.contains("default-src 'none'"));
    for outside in ["http://", "https://", "<script", "<link", "<iframe", "@import", "url(", "onclick"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let document = parse(&html);
    for node in document.descendants() {
        if let Some(source) = node.attribute("src") {
            assert!(source.starts_with("data:image/png;base64,"), "{source}");
        }
        if let Some(target) = node.attribute("href") {
            assert!(target.starts_with('#'), "{target}");
        }
    }
}

#[test]
fn links_lead_somewhere_and_pictures_have_words() {
    let html = render_report(&full()).expect("a page");
    let document = parse(&html);
    let mut names = BTreeSet::new();
    for node in document.descendants() {
        if let Some(name) = node.attribute("id") {
            assert!(names.insert(name), "{name} twice");
        }
    }
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        for reference in ["href", "aria-labelledby"] {
            if let Some(target) = node.attribute(reference) {
                assert!(names.contains(target.trim_start_matches('#')), "{target}");
            }
        }
        if node.has_tag_name("img") {
            assert!(node.attribute("alt").is_some_and(|alt| alt.len() > 20));
            assert!(node.attribute("width").is_some() && node.attribute("height").is_some());
        }
        if node.has_tag_name("th") {
            assert!(node.attribute("scope").is_some());
        }
    }
    assert!(names.contains("patch-1") && names.contains("patch-2"));
}

#[test]
fn text_from_data_is_never_markup() {
    let evil = "<script>alert('x')</script>\" onload=\"y\u{202E}gpj.exe\u{2066} & \u{7}";
    let mut report = full();
    report.title = evil.to_owned();
    report.notices = vec![evil.to_owned()];
    report.run.run_id = evil.to_owned();
    report.passes[0].name = evil.to_owned();
    report.passes[0].digest = evil.to_owned();
    report.reaches[0].name = evil.to_owned();
    report.coverage[0].unobserved_m2 = vec![(Cause::Other(evil.to_owned()), 1.0)];
    report.patches[0].object_class = evil.to_owned();
    report.patches[0].pair.pre.sensor = evil.to_owned();
    report.patches[0].notes = vec![evil.to_owned()];
    report.maps[0].title = evil.to_owned();
    let html = render_report(&report).expect("a page");
    assert!(!html.contains("<script"));
    assert!(!html.contains('\u{202E}') && !html.contains('\u{2066}') && !html.contains('\u{7}'));
    assert!(html.contains("⟨U+202E⟩gpj.exe⟨U+2066⟩"));
    let document = parse(&html);
    assert!(!document.descendants().any(|node| node.attribute("onload").is_some()));
}

#[test]
fn three_kinds_of_nothing_are_kept_apart() {
    let mut none = full();
    none.patches.clear();
    none.maps.clear();
    none.truth = None;
    let words = text(&render_report(&none).expect("a page"));
    assert!(words.contains("No suspected patch"), "{words}");
    assert!(words.contains("Nothing is said about the other 55.00 ha"), "{words}");

    let mut unobserved = none.clone();
    unobserved.coverage = vec![coverage(0.0, vec![(Cause::Cloud, 1_000_000.0)])];
    let words = text(&render_report(&unobserved).expect("a page"));
    assert!(words.contains("Nothing was observed") && !words.contains("No suspected patch"));
    assert!(words.contains("not a finding of no change"), "{words}");
    assert!(words.contains("suspected patches – nothing was seen"), "no count of 0: {words}");

    let mut uncompared = none.clone();
    uncompared.coverage.clear();
    uncompared.reaches[0].passes_meeting = 1;
    let words = text(&render_report(&uncompared).expect("a page"));
    assert!(words.contains("Nothing was compared") && !words.contains("No suspected patch"));
    assert!(words.contains("met by one pass only"), "{words}");

    let mut all = none;
    all.reaches.truncate(1);
    all.coverage = vec![coverage(1_000_000.0, Vec::new())];
    if let Some(overdue) = &mut all.overdue {
        overdue.rows.clear();
    }
    let words = text(&render_report(&all).expect("a page"));
    assert!(words.contains("By the schedule no reach is overdue as of 2024-11-20."), "{words}");
    assert!(words.contains("Nothing is missing"), "{words}");
    assert!(words.contains("All of it was looked at."), "{words}");
}

#[test]
fn caps_are_counted_and_said() {
    let mut report = full();
    report.truth = None;
    report.patches = (0..7).map(|index| patch(&format!("p{index}"), 0.9 - 0.1 * f64::from(index))).collect();
    for patch in &mut report.patches {
        patch.chips = Some(chips());
    }
    rank_patches(&mut report.patches);
    report.max_patches_with_chips = 2;
    report.max_patches_listed = 5;
    let html = render_report(&report).expect("a page");
    let text = text(&html);
    assert_eq!(html.matches("<article").count(), 2);
    assert!(text.contains("for the 2 patches of highest score"), "{text}");
    assert!(text.contains("the next 3 patches are listed"), "{text}");
    assert!(text.contains("2 patches of lower score are not on this page"), "{text}");
    assert!(html.contains("id=\"patch-5\"") && !html.contains("id=\"patch-6\""));
    assert!(text.contains("7 suspected patches"), "the summary counts all");
}

#[test]
fn contradictions_are_all_listed() {
    let mut report = full();
    report.patches[0].rank = 5;
    report.patches[1].valid_fraction = f64::NAN;
    report.patches[1].reach_id = "R-00".to_owned();
    report.coverage[0].observed_both_m2 = 900_000.0;
    report.reaches[1].reach_id = "R-07".to_owned();
    let Err(ReportError::Faults(faults)) = render_report(&report) else {
        panic!("accepted");
    };
    // the lost reach is overdue too
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert!(faults.iter().any(|fault| matches!(fault, ReportFault::CoverageExceedsScope { .. })));
    let message = ReportError::Faults(faults).to_string();
    assert!(message.contains("rank_patches"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_well_formed_page(words in any::<String>()) {
        static FULL: LazyLock<Report> = LazyLock::new(full);
        let mut report = FULL.clone();
        report.maps.clear();
        report.title = words.clone();
        report.patches[0].patch_id = format!("x{words}");
        report.patches[0].chips = None;
        report.passes[0].digest = words.clone();
        report.reaches[0].name = words;
        let html = render_report(&report).expect("a page");
        parse(&html);
    }
}
