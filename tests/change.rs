//! `shorewatch change` through the real binary, with the real models, on painted passes.
#![cfg(feature = "torch")]

mod common;

use std::fs;
use std::path::Path;

use common::{Place, real_data, root, text};
use ndarray::{Array2, s};
use serde_json::Value;
use shorewatch_domain::crs::Epsg;
use shorewatch_imagery::crs::Transform;
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::stored::read_stored;
use shorewatch_imagery::write::{GeoTiffOptions, write_geotiff};

const EARLIER: &str = "imagery/synthetic-20240418.tif";
const LATER: &str = "imagery/synthetic-20241030.tif";

/// Corner and pixel size of the painted scene.
const CORNER: (f64, f64) = (166_000.0, 20_000.0);
const PIXEL_M: f64 = 10.0;
const UTM_31N: Epsg = Epsg(32631);

fn change(place: &Place, before: &str, after: &str, out: &str, expected_code: i32) -> Value {
    let models = root().join("models").display().to_string();
    place.json(
        expected_code,
        &["change", "--before", before, "--after", after, "--sensor", "synthetic", "--models", &models, "--out", out],
    )
}

fn score(place: &Place, name: &str) -> Array2<f32> {
    let bands = read_stored::<f32>(&place.path(name), &Limits::default()).expect("a score");
    assert_eq!(bands.dim().0, 1, "one band");
    bands.index_axis(ndarray::Axis(0), 0).to_owned()
}

/// Median score of the 5×5 pixels around the middle of an event's outline.
fn at_event(place: &Place, score: &Array2<f32>, id: &str) -> f32 {
    let truth = fs::read_to_string(place.path("imagery/truth.geojson")).expect("the truth");
    let truth: Value = serde_json::from_str(&truth).expect("JSON");
    let features = truth["features"].as_array().expect("features");
    let event = features.iter().find(|event| event["properties"]["event_id"] == id).expect("the event");
    let ring = event["geometry"]["coordinates"][0].as_array().expect("a ring");
    let mean =
        |axis: usize| ring.iter().map(|point| point[axis].as_f64().expect("a number")).sum::<f64>() / ring.len() as f64;
    let to_grid = Transform::new(Epsg::WGS84, UTM_31N).expect("a transformation");
    let (x, y) = to_grid.point(mean(0), mean(1)).expect("a place");
    let (col, row) = (((x - CORNER.0) / PIXEL_M) as usize, ((CORNER.1 - y) / PIXEL_M) as usize);
    let mut near: Vec<f32> = score.slice(s![row - 2..=row + 2, col - 2..=col + 2]).iter().copied().collect();
    near.sort_by(f32::total_cmp);
    near[near.len() / 2]
}

#[test]
fn what_looks_as_on_a_still_earlier_pass_is_nothing_new() {
    let place = Place::painted();
    change(&place, EARLIER, LATER, "new.tif", 0);
    let models = root().join("models").display().to_string();
    // the later pass itself stands for a year in which everything was already there
    let arguments = ["change", "--before", EARLIER, "--earlier", LATER, "--after", LATER, "--sensor", "synthetic"];
    place.json(0, &[&arguments[..], &["--models", &models, "--out", "known.tif"]].concat());
    let (new, known) = (score(&place, "new.tif"), score(&place, "known.tif"));
    assert!(at_event(&place, &new, "building-1") > 0.5);
    assert!(at_event(&place, &known, "building-1") < 0.05);
}

#[test]
fn what_was_built_scores_high_and_what_the_river_does_scores_low() {
    let place = Place::painted();
    let said = change(&place, EARLIER, LATER, "score.tif", 0);
    let score = score(&place, "score.tif");
    // on the pixels of the later pass, probabilities, nothing where a cloud was
    assert_eq!(score.dim(), (256, 256));
    assert!(score.iter().all(|&value| value == -1.0 || (0.0..=1.0).contains(&value)));
    let unobserved = score.iter().filter(|&&value| value < 0.0).count() as f64 / score.len() as f64;
    let compared = said["summary"]["observed_share"].as_f64().expect("a share");
    assert!((unobserved + compared - 1.0).abs() < 1e-9 && compared > 0.8, "{said}");
    // the painter laid the passes a fraction of a pixel apart
    let shift = said["summary"]["shift_x_px"].as_f64().expect("a shift");
    assert!(shift.abs() > 0.1 && shift.abs() < 0.6, "{said}");
    let harmless = at_event(&place, &score, "bar_growth-1");
    for event in ["dump-1", "building-1", "sand_pit-1"] {
        let found = at_event(&place, &score, event);
        assert!(found > 0.2 && found > 20.0 * harmless, "{event}: {found}, the bar: {harmless}");
    }
    let mut all: Vec<f32> = score.iter().copied().filter(|value| *value >= 0.0).collect();
    all.sort_by(f32::total_cmp);
    assert!(all[all.len() / 2] < 0.01, "most ground did not change: {}", all[all.len() / 2]);
}

#[test]
fn the_same_pair_gives_the_same_bytes_and_one_date_against_itself_nothing() {
    let place = Place::painted();
    change(&place, EARLIER, LATER, "one.tif", 0);
    change(&place, EARLIER, LATER, "two.tif", 0);
    assert!(fs::read(place.path("one.tif")).expect("there") == fs::read(place.path("two.tif")).expect("there"));
    change(&place, LATER, LATER, "none.tif", 0);
    let score = score(&place, "none.tif");
    assert!(score.iter().all(|&value| value < 0.01), "{:?}", score.iter().copied().fold(0.0, f32::max));
}

#[test]
fn what_cannot_be_compared_is_refused_with_what_to_do() {
    let place = Place::painted();
    let models = root().join("models").display().to_string();
    let refused = |before: &str, after: &str, sensor: &str, code: i32, words: &[&str]| {
        let output = place.run(&[
            "change", "--before", before, "--after", after, "--sensor", sensor, "--models", &models, "--out", "no.tif",
        ]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
        assert!(!place.path("no.tif").exists(), "nothing is left behind");
    };
    refused(EARLIER, LATER, "sputnik", 2, &["no sensor profile", "sputnik", "synthetic"]);
    refused("imagery/missing.tif", LATER, "synthetic", 4, &["missing.tif"]);
    // the later pass again, on pixels that are not square
    let pixels = read_stored::<u16>(&place.path(LATER), &Limits::default()).expect("the pass");
    let stretched = [CORNER.0, PIXEL_M, 0.0, CORNER.1, 0.0, -1.25 * PIXEL_M];
    let options = GeoTiffOptions { nodata: Some(0.0), ..GeoTiffOptions::default() };
    write_geotiff(&place.path("stretched.tif"), pixels.view(), Some((stretched, UTM_31N)), &options).expect("written");
    refused(EARLIER, "stretched.tif", "synthetic", 4, &["grid of a result", "square", "gdalwarp"]);
}

#[test]
fn two_years_of_the_prairie() {
    let Some(set) = real_data("naip-prairie") else { return };
    let place = Place::empty();
    let at = |name: &str| set.join(name).display().to_string();
    let models = root().join("models").display().to_string();
    let said = place.json(
        0,
        &[
            "change",
            "--before",
            &at("m_4709963_se_14_1_20180716.tif"),
            "--after",
            &at("m_4709963_se_14_1_20190904.tif"),
            "--sensor",
            "naip-prairie",
            "--models",
            &models,
            "--out",
            "score.tif",
        ],
    );
    assert!(said["summary"]["observed_share"].as_f64().expect("a share") > 0.95, "{said}");
    assert!(said["summary"]["coreg_rmse_px"].as_f64().expect("a residual") < 1.0, "{said}");
    // harvest and another light everywhere: hardly anything of it is a thing that somebody put there
    let score = score(&place, Path::new("score.tif").to_str().expect("a name"));
    let raised = score.iter().filter(|&&value| value > 0.5).count() as f64 / score.len() as f64;
    assert!(raised < 0.01, "{raised}");
}
