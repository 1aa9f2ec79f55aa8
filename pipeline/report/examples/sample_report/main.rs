//! Writes a sample page and its pictures from painted data, to look at.
//!
//! `cargo run -p shorewatch-report --example sample_report -- FOLDER [empty|unobserved]`

mod cases;
mod scene;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use shorewatch_report::{
    Cause, CoverageRow, GridSummary, HarmlessEvent, IssueClass, MapPicture, Overview, OverviewPatch, OverviewReach,
    PairReference, PassReference, PassRow, PassStatus, PatchCard, ReachRow, RenderError, Report, RunSummary,
    TruthEvent, TruthOutcome, TruthTable, rank_patches, render_overview, render_pair, render_report,
};

use cases::{sample_cases, sample_kept_back};
use scene::{Event, GSD_M, chips, coverage_map, events, observed, outline, reach, scene};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let variant = arguments.next().unwrap_or_default();
    std::fs::create_dir_all(&folder)?;

    let mut report = sample()?;
    match variant.as_str() {
        "empty" => {
            report.patches.clear();
            report.cases.clear();
            report.kept_back.clear();
            report.maps.clear();
            report.truth = None;
        }
        "unobserved" => {
            report.patches.clear();
            report.cases.clear();
            report.kept_back.clear();
            report.maps.clear();
            report.truth = None;
            for row in &mut report.coverage {
                row.observed_both_m2 = 0.0;
                row.unobserved_m2 = vec![(Cause::Cloud, row.scope_m2)];
            }
        }
        _ => write_pictures(&folder, &report)?,
    }
    std::fs::write(folder.join("report.html"), render_report(&report)?)?;
    Ok(())
}

fn write_pictures(folder: &Path, report: &Report) -> std::io::Result<()> {
    for patch in &report.patches {
        if let Some(chips) = &patch.chips {
            std::fs::write(folder.join(format!("{}_before.png", patch.rank)), &chips.pre_png)?;
            std::fs::write(folder.join(format!("{}_after.png", patch.rank)), &chips.post_png)?;
        }
    }
    for (index, map) in report.maps.iter().enumerate() {
        std::fs::write(folder.join(format!("map_{index}.png")), &map.picture.png)?;
    }
    Ok(())
}

fn sample() -> Result<Report, RenderError> {
    let reference = |date: &str, digest: &str| PassReference {
        date: date.to_owned(),
        sensor: "Sentinel-2 L2A".to_owned(),
        digest: digest.repeat(8),
    };
    let pair = PairReference { pre: reference("2024-03-15", "3fa91c04"), post: reference("2024-09-01", "b77e20d9") };
    let mut patches = patches(&pair)?;
    rank_patches(&mut patches);
    let maps = vec![sample_map(&patches)?];
    let truth = sample_truth(&patches);
    Ok(Report {
        title: "Sample: painted river, spring to autumn 2024".to_owned(),
        synthetic: true,
        notices: vec!["Sample data written by the example program, for looking at the page only.".to_owned()],
        run: RunSummary {
            run_id: "20240905T091244Z-7c1e".to_owned(),
            program_version: "0.1.0".to_owned(),
            model_name: "sample-model".to_owned(),
            model_version: "0".to_owned(),
            model_digest: "c0ffee42".repeat(8),
            configuration_digest: "5eed1234".repeat(8),
            grids: vec![GridSummary { crs: "EPSG:4544".to_owned(), gsd_m: GSD_M }],
            started_utc: "2024-09-05 09:12:44 UTC".to_owned(),
            duration_s: 102.4,
            minimum_area_m2: 400.0,
        },
        maps,
        passes: sample_passes(&pair),
        reaches: sample_reaches(),
        coverage: sample_coverage(&pair),
        overdue: None,
        cases: sample_cases(),
        kept_back: sample_kept_back(),
        patches,
        truth: Some(truth),
        max_patches_with_chips: 4,
        max_patches_listed: 100,
        max_cases_listed: 3,
    })
}

fn patches(pair: &PairReference) -> Result<Vec<PatchCard>, RenderError> {
    let rows = [
        ("stockpile", "grass", "bare_soil", Some(IssueClass::Dumping), 0.83, Some(0.97)),
        ("building", "crops", "built_up", Some(IssueClass::Construction), 0.94, Some(0.91)),
        ("pit", "water", "bare_soil", Some(IssueClass::Mining), 0.91, Some(0.64)),
        ("unclassified", "trees", "bare_soil", None, 0.52, None),
        ("cage", "trees", "built_up", Some(IssueClass::Occupation), 0.71, Some(0.12)),
    ];
    let card = |(index, (event, row)): (usize, (&Event, _))| {
        let (object, from, to, issue, confidence, review_score): (&str, &str, &str, _, f64, Option<f64>) = row;
        let evidence: [(&str, f64); 6] = [
            ("prior", -4.8),
            ("contrast", 2.6),
            ("alteration", 1.7 * confidence),
            ("object_change", 1.2),
            ("water_change", -0.4 * index as f64),
            ("size", 0.7),
        ];
        let patch_id = format!("450702-20240901-{:04}", index + 1);
        let pixels = (4 * event.half.0 * event.half.1 - 9) as f64;
        Ok(PatchCard {
            chips: Some(render_pair(&chips(event, &patch_id, pair)?)?),
            patch_id,
            rank: 0,
            object_class: object.to_owned(),
            from_class: from.to_owned(),
            to_class: to.to_owned(),
            issue_class: issue,
            area_m2: pixels * GSD_M * GSD_M,
            review_score,
            confidence,
            change_score: review_score.map(|score| 0.9 * score),
            evidence: if review_score.is_some() {
                evidence.map(|(name, value)| (name.to_owned(), value)).into()
            } else {
                BTreeMap::new()
            },
            coreg_rmse_px: review_score.map(|_| 0.12),
            valid_fraction: if index == 0 { 0.913 } else { 1.0 },
            pair: pair.clone(),
            longitude_deg: 108.62 + event.column as f64 * 1e-4,
            latitude_deg: 21.95 - event.row as f64 * 9e-5,
            reach_id: if event.row < 210 { "450702-000123" } else { "450702-000124" }.to_owned(),
            said: Vec::new(),
            notes: if index == 0 {
                vec!["Lies beside unobserved ground: its true outline may be larger.".to_owned()]
            } else {
                Vec::new()
            },
        })
    };
    events().iter().zip(rows).enumerate().map(card).collect()
}

fn sample_map(patches: &[PatchCard]) -> Result<MapPicture, RenderError> {
    let rank = |index: usize| {
        let id = format!("450702-20240901-{:04}", index + 1);
        patches.iter().find(|patch| patch.patch_id == id).map_or(0, |patch| patch.rank)
    };
    let picture = render_overview(&Overview {
        name: "painted river".to_owned(),
        background: scene(2, true),
        natural_colour: false,
        background_observed: observed(true),
        coverage: coverage_map(),
        gsd_m: GSD_M,
        reaches: vec![
            OverviewReach { reach_id: "450702-000123".to_owned(), outline: reach(10, 210) },
            OverviewReach { reach_id: "450702-000124".to_owned(), outline: reach(210, 412) },
        ],
        patches: events()
            .iter()
            .enumerate()
            .map(|(index, event)| OverviewPatch { rank: rank(index), outline: outline(event).into() })
            .collect(),
    })?;
    Ok(MapPicture {
        title: "Painted river".to_owned(),
        background: "2024-09-01, Sentinel-2 L2A; red, green, blue".to_owned(),
        picture,
    })
}

fn sample_passes(pair: &PairReference) -> Vec<PassRow> {
    let row = |name: &str, time: Option<&str>, revision, digest: &str, status| PassRow {
        name: name.to_owned(),
        sensor: "Sentinel-2 L2A".to_owned(),
        acquired_utc: time.map(str::to_owned),
        revision,
        digest: digest.to_owned(),
        status,
    };
    vec![
        row("S2A_painted_20240315", Some("2024-03-15 03:05:31"), 1, &pair.pre.digest, PassStatus::Accepted),
        row("S2B_painted_20240901", Some("2024-09-01 03:05:29"), 1, &"0d15ea5e".repeat(8), PassStatus::Superseded),
        row(
            "S2B_painted_20240901",
            Some("2024-09-01 03:05:29"),
            2,
            &pair.post.digest,
            PassStatus::AcceptedWithWarning {
                reason: "3 of 1,764 blocks could not be read; they count as unobserved".to_owned(),
            },
        ),
        row(
            "DJI_0042.JPG",
            None,
            1,
            &"deadbeef".repeat(8),
            PassStatus::Quarantined {
                reason: "no geotransform: a single frame, not an orthomosaic; give an orthomosaic or ground control"
                    .to_owned(),
            },
        ),
    ]
}

fn sample_reaches() -> Vec<ReachRow> {
    let row = |id: &str, name: &str, scope_m2, passes_meeting| ReachRow {
        reach_id: id.to_owned(),
        name: name.to_owned(),
        scope_m2,
        passes_meeting,
    };
    vec![
        row("450702-000123", "钦江 upper reach", 2_400_000.0, 2),
        row("450702-000124", "钦江 lower reach", 2_424_000.0, 2),
        row("450702-000131", "East tributary", 610_500.0, 0),
    ]
}

fn sample_coverage(pair: &PairReference) -> Vec<CoverageRow> {
    let row = |reach: &str, scope_m2, observed_both_m2, unobserved_m2| CoverageRow {
        pair: pair.clone(),
        reach_id: reach.to_owned(),
        scope_m2,
        observed_both_m2,
        unobserved_m2,
    };
    vec![
        row(
            "450702-000123",
            2_400_000.0,
            2_310_400.0,
            vec![(Cause::Cloud, 61_500.0), (Cause::CloudShadow, 21_300.0), (Cause::OutsidePass, 6_800.0)],
        ),
        row(
            "450702-000124",
            2_424_000.0,
            2_101_700.0,
            vec![(Cause::Cloud, 288_200.0), (Cause::CorruptBlock, 29_600.0)],
        ),
    ]
}

fn sample_truth(patches: &[PatchCard]) -> TruthTable {
    let event = |id: &str, kind: &str, area_m2, outcome| TruthEvent {
        event_id: id.to_owned(),
        kind: kind.to_owned(),
        area_m2,
        outcome,
    };
    let found = |index: usize| TruthOutcome::Found { patch_ids: vec![format!("450702-20240901-{index:04}")] };
    TruthTable {
        events: vec![
            event("E1", "stockpile on the bank", 21_600.0, found(1)),
            event("E2", "building in the scope", 10_000.0, found(2)),
            event("E3", "sand pit", 18_000.0, found(3)),
            event("E4", "fish cages", 16_800.0, found(5)),
            event("E5", "dump under the cloud", 3_200.0, TruthOutcome::NotObserved),
            event("E6", "small shed", 400.0, TruthOutcome::Missed),
        ],
        harmless: vec![HarmlessEvent { event_id: "H1".to_owned(), kind: "harvest".to_owned(), raised: Vec::new() }],
        false_alarms: patches
            .iter()
            .filter(|patch| patch.patch_id.ends_with("0004"))
            .map(|patch| patch.patch_id.clone())
            .collect(),
    }
}
