//! The example configurations on the real sets, through the real binary and the real model.
#![cfg(feature = "torch")]

mod common;

use std::fs;

use common::{Place, real_data, root, text};
use serde_json::Value;

/// Runs an example with everything that it writes in a place of its own, and gives its summary and its report.
fn run_example(place: &Place, name: &str, set: &std::path::Path) -> (Value, String) {
    let example = fs::read_to_string(root().join(format!("configs/examples/{name}.toml"))).expect("the example");
    let data = set.parent().expect("the folder of the sets").canonicalize().expect("a path");
    let at = |path: &str| root().join(path).display().to_string();
    let configuration = example
        .replace(&format!("../../out/{name}"), "out")
        .replace("../../models", &at("models"))
        .replace("../sensors", &at("configs/sensors"))
        .replace("../classes.toml", &at("configs/classes.toml"))
        .replace("../reaches", &at("configs/reaches"))
        .replace("${SHOREWATCH_DATA:-../../../shared/data}", &data.display().to_string());
    fs::write(place.path("run.toml"), configuration).expect("written");
    let summary = place.json(0, &["run", "--config", "run.toml"]);
    let report = place.run(&["report", "--config", "run.toml"]);
    assert!(report.status.success(), "{}", text(&report));
    (summary, fs::read_to_string(place.path("out/report.html")).expect("the report"))
}

#[test]
fn eight_landsat_passes_of_the_ucayali() {
    let Some(set) = real_data("landsat-ucayali") else { return };
    let place = Place::empty();
    let (summary, report) = run_example(&place, "landsat-ucayali", &set);
    assert_eq!(summary["publications"], 8);
    let patches = summary["patches_current"].as_u64().expect("a count");
    assert!((20..1000).contains(&patches), "the river moved, and not everywhere: {patches}");
    assert!(report.contains("Ucayali") && report.contains("2020"));
    // the time is a year, and nothing pretends to know more
    assert!(!report.contains("2020-07-01"));
    // the reach goes beyond the imagery: that part was not looked at, and is said so
    assert!(report.contains("outside the pass"));
    let again = place.json(0, &["run", "--config", "run.toml"]);
    assert_eq!((again["units_worked"].as_u64(), again["patches_new"].as_u64()), (Some(0), Some(0)));
}

#[test]
fn ten_aerial_passes_of_the_prairie() {
    let Some(set) = real_data("naip-prairie") else { return };
    let place = Place::empty();
    let (summary, report) = run_example(&place, "naip-prairie", &set);
    assert_eq!(summary["publications"], 10, "one date has a row more than the next, origins differ by metres");
    assert!(summary["faults"].as_array().is_some_and(Vec::is_empty), "{summary}");
    assert!(report.contains("2009-08-18") && report.contains("2020-08-31"), "times come from the file names");
}

#[test]
fn a_drone_orthomosaic_is_a_single_pass() {
    let Some(set) = real_data("drone-ortho") else { return };
    let place = Place::empty();
    let (summary, report) = run_example(&place, "drone-ortho", &set);
    assert_eq!((summary["publications"].as_u64(), summary["patches_current"].as_u64()), (Some(1), Some(0)));
    assert!(report.contains("Nothing was compared"), "one pass tells of no change, and the report says so");
    let seen = place.rows("out/shorewatch.gpkg", "observations");
    assert!(
        seen.iter()
            .any(|row| row.contains("unobserved_transparent_px=") && !row.contains("unobserved_transparent_px=0 ")),
        "{seen:?}"
    );
}
