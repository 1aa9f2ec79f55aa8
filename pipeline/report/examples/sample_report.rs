//! Writes a sample page and its pictures from painted data, to look at.
//!
//! `cargo run -p shorewatch-report --example sample_report -- FOLDER [empty|unobserved]`

use std::error::Error;
use std::path::{Path, PathBuf};

use geo_types::{MultiPolygon, Polygon, coord, polygon};
use ndarray::{Array2, Array3, s};
use shorewatch_report::{
    Cause, ChipDate, ChipPair, Coverage, CoverageRow, GridSummary, HarmlessEvent, IssueClass, MapPicture, Overview,
    OverviewPatch, OverviewReach, PairReference, PassReference, PassRow, PassStatus, PatchCard, ReachRow, RenderError,
    Report, RunSummary, TruthEvent, TruthOutcome, TruthTable, rank_patches, render_overview, render_pair,
    render_report,
};

/// Side of the painted scene in pixels.
const SCENE: usize = 420;
/// Side of a chip in pixels.
const CHIP: usize = 64;
/// Metres per pixel.
const GSD_M: f64 = 10.0;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let variant = arguments.next().unwrap_or_default();
    std::fs::create_dir_all(&folder)?;

    let mut report = sample()?;
    match variant.as_str() {
        "empty" => {
            report.patches.clear();
            report.maps.clear();
            report.truth = None;
        }
        "unobserved" => {
            report.patches.clear();
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

/// Repeatable noise in 0..1 from a place and a seed.
fn noise(row: usize, column: usize, seed: u64) -> f32 {
    let mut value = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (column as u64 + 1).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ seed.wrapping_mul(0x1656_67B1_9E37_79F9);
    value ^= value >> 29;
    value = value.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value ^= value >> 32;
    (value % 10_000) as f32 / 10_000.0
}

/// Column of the river's centre line in a row.
fn river(row: usize) -> f32 {
    210.0 + 70.0 * (row as f32 / 62.0).sin() + 25.0 * (row as f32 / 23.0).cos()
}

/// Red, green and blue reflectance of the painted ground.
fn ground(row: usize, column: usize, seed: u64) -> [f32; 3] {
    let away = (column as f32 - river(row)).abs();
    let field = (row / 18 + column / 23 * 7) % 5;
    let base = match (away, field) {
        (away, _) if away < 17.0 => [0.075, 0.085, 0.08],
        (away, _) if away < 21.0 => [0.22, 0.20, 0.17],
        (away, _) if away < 46.0 => [0.055, 0.075, 0.055],
        (_, 0) => [0.19, 0.17, 0.14],
        (_, 1) => [0.085, 0.115, 0.075],
        (_, 2) => [0.12, 0.13, 0.09],
        (_, 3) => [0.07, 0.095, 0.065],
        _ => [0.15, 0.14, 0.11],
    };
    let texture = 0.92 + 0.16 * noise(row, column, seed);
    let patchwork = 0.92 + 0.16 * noise(row / 6, column / 6, 3);
    base.map(|value| value * texture * patchwork)
}

/// A change painted on the later date: centre, half sizes in pixels and reflectance.
struct Event {
    row: usize,
    column: usize,
    half: (usize, usize),
    colour: [f32; 3],
}

fn events() -> Vec<Event> {
    let beside = |row: usize, offset: f32| (river(row) + offset) as usize;
    let event = |row, offset, half, colour| Event { row, column: beside(row, offset), half, colour };
    vec![
        event(70, 30.0, (6, 9), [0.23, 0.20, 0.16]),
        event(150, -34.0, (5, 5), [0.25, 0.25, 0.25]),
        event(236, 18.0, (9, 5), [0.20, 0.18, 0.14]),
        event(238, 36.0, (4, 4), [0.18, 0.16, 0.13]),
        event(330, -28.0, (7, 6), [0.10, 0.15, 0.20]),
    ]
}

fn scene(seed: u64, later: bool) -> Array3<f32> {
    let mut pixels = Array3::zeros((3, SCENE, SCENE));
    for row in 0..SCENE {
        for column in 0..SCENE {
            let colour = ground(row, column, seed);
            for (band, value) in colour.into_iter().enumerate() {
                pixels[[band, row, column]] = value * if later { 1.06 } else { 1.0 };
            }
        }
    }
    if later {
        for event in events() {
            for row in event.row - event.half.0..event.row + event.half.0 {
                for column in event.column - event.half.1..event.column + event.half.1 {
                    let texture = 0.85 + 0.3 * noise(row, column, 99);
                    for (band, value) in event.colour.into_iter().enumerate() {
                        pixels[[band, row, column]] = value * texture;
                    }
                }
            }
        }
    }
    pixels
}

/// Clouds and a corner outside the pass.
fn observed(later: bool) -> Array2<bool> {
    Array2::from_shape_fn((SCENE, SCENE), |(row, column)| {
        let (y, x) = (row as f32, column as f32);
        let cloud = later && (y - 395.0).hypot((x - 265.0) * 0.7) < 34.0;
        let near = later && (y - 50.0).hypot(x - 258.0) < 11.0;
        let outside = !later && x + y * 0.35 > 490.0;
        !(cloud || near || outside)
    })
}

fn outline(event: &Event) -> Polygon<f64> {
    let (top, left) = ((event.row - event.half.0) as f64, (event.column - event.half.1) as f64);
    let (bottom, right) = ((event.row + event.half.0) as f64, (event.column + event.half.1) as f64);
    polygon![
        (x: left, y: top), (x: right, y: top), (x: right, y: bottom - 3.0),
        (x: right - 3.0, y: bottom - 3.0), (x: right - 3.0, y: bottom), (x: left, y: bottom),
    ]
}

fn chips(event: &Event, patch_id: &str, pair: &PairReference) -> Result<ChipPair, RenderError> {
    let top = event.row.saturating_sub(CHIP / 2).min(SCENE - CHIP);
    let left = event.column.saturating_sub(CHIP / 2).min(SCENE - CHIP);
    let cut = |later: bool, reference: &PassReference| ChipDate {
        pixels: scene(if later { 2 } else { 1 }, later).slice(s![.., top..top + CHIP, left..left + CHIP]).to_owned(),
        observed: observed(later).slice(s![top..top + CHIP, left..left + CHIP]).to_owned(),
        date: reference.date.clone(),
        sensor: reference.sensor.clone(),
    };
    let mut shape = outline(event);
    shape.exterior_mut(|ring| {
        for at in ring.coords_mut() {
            *at = *at - coord! { x: left as f64, y: top as f64 };
        }
    });
    Ok(ChipPair {
        pre: cut(false, &pair.pre),
        post: cut(true, &pair.post),
        bands: "red, green, blue".to_owned(),
        natural_colour: true,
        gsd_m: GSD_M,
        outline: MultiPolygon::from(shape),
        patch_id: patch_id.to_owned(),
    })
}

/// The painted river with its banks, as the scope of a reach between two rows.
fn reach(from: usize, to: usize) -> MultiPolygon<f64> {
    let bank = |offset: f32| {
        (from..to + 1).step_by(6).map(move |row| {
            coord! {
                x: f64::from(river(row) + offset),
                y: row as f64,
            }
        })
    };
    let ring: Vec<_> = bank(-60.0).chain(bank(60.0).rev()).collect();
    MultiPolygon::from(Polygon::new(ring.into(), Vec::new()))
}

fn coverage_map() -> Array2<Coverage> {
    let (before, after) = (observed(false), observed(true));
    Array2::from_shape_fn((SCENE, SCENE), |(row, column)| {
        let inside = (column as f32 - river(row)).abs() < 60.0 && (10..412).contains(&row);
        match (inside, before[[row, column]] && after[[row, column]]) {
            (false, _) => Coverage::OutOfScope,
            (true, true) => Coverage::Observed,
            (true, false) => Coverage::Unobserved,
        }
    })
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
        patches,
        truth: Some(truth),
        max_patches_with_chips: 4,
        max_patches_listed: 100,
    })
}

fn patches(pair: &PairReference) -> Result<Vec<PatchCard>, RenderError> {
    let rows = [
        ("stockpile", "grass", "bare_soil", Some(IssueClass::Dumping), 0.94),
        ("building", "crops", "built_up", Some(IssueClass::Construction), 0.91),
        ("pit", "water", "bare_soil", Some(IssueClass::Mining), 0.83),
        ("bare_soil", "trees", "bare_soil", None, 0.52),
        ("cage", "trees", "built_up", Some(IssueClass::Occupation), 0.71),
    ];
    let card = |(index, (event, row)): (usize, (&Event, _))| {
        let (object, from, to, issue, confidence): (&str, &str, &str, _, f64) = row;
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
            confidence,
            valid_fraction: if index == 0 { 0.913 } else { 1.0 },
            pair: pair.clone(),
            longitude_deg: 108.62 + event.column as f64 * 1e-4,
            latitude_deg: 21.95 - event.row as f64 * 9e-5,
            reach_id: if event.row < 210 { "450702-000123" } else { "450702-000124" }.to_owned(),
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
