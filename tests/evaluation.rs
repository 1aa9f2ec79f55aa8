//! `shorewatch eval` through the real binary on the real chips, and its labels against those of training.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::{Place, real_data, root};
use serde_json::Value;
use shorewatch::evaluation::chips::Chip;
use shorewatch_evaluation::IGNORE;
use shorewatch_evaluation::labels::CLASSES;

fn bundles() -> String {
    root().join("models").display().to_string()
}

/// Two programs label the chips, the one that trains and the one that scores: pixel for pixel the same, or scores mean
/// nothing.
#[test]
fn labels_are_those_of_training() {
    let Some(set) = real_data("worldcover-chips") else { return };
    let list = fs::read_to_string(root().join("models/shoreland/holdout.json")).expect("the list of the bundle");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in list["chips"].as_object().expect("chips").keys() {
        let chip = Chip::read(&set, name).expect("a chip");
        for class in chip.labelled.label.iter().filter(|class| **class != IGNORE) {
            *counts.entry(CLASSES[usize::from(*class)]).or_default() += 1;
        }
    }
    for class in CLASSES {
        assert_eq!(list["labelled_px"][class].as_u64(), counts.get(class).copied(), "{class}");
    }
}

#[test]
fn a_bundle_is_scored_beside_its_baselines() {
    let Some(set) = real_data("worldcover-chips") else { return };
    let data = set.parent().expect("the folder of the sets").display().to_string();
    let place = Place::empty();
    let said =
        place.json(0, &["eval", "--bundle", "shoreland", "--folder", &bundles(), "--data", &data, "--out", "eval"]);
    let written: Value =
        serde_json::from_slice(&fs::read(place.path("eval/eval.json")).expect("the figures")).expect("JSON");
    assert_eq!(said, written);
    let number =
        |pointer: &str| written.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}"));
    for key in ["water_iou", "mean_iou", "ece", "object_recall", "object_precision"] {
        assert!((0.0..=1.0).contains(&number(&format!("/{key}"))), "{key}");
    }
    // what any change of the model or the pipeline has to keep
    assert!(number("/mean_iou") > number("/baselines/random_forest/mean_iou"), "better than single pixels");
    assert!(number("/water_iou_undisputed") > number("/baselines/mndwi/water_iou_undisputed"), "better than an index");
    assert!(number("/object_recall") > 0.5 && number("/object_precision") > 0.5);
    // the card promises what the pipeline measures
    let manifest = fs::read_to_string(root().join("models/shoreland/manifest.toml")).expect("the manifest");
    let promised = manifest.lines().find_map(|line| line.strip_prefix("mean_iou_unseen_places = "));
    let promised: f64 = promised.expect("a promise").parse().expect("a number");
    let measured = number("/holdouts/unseen_places/mean_iou");
    assert!((measured - promised).abs() < 0.05, "the manifest says {promised}, a run gives {measured}");
    let page = fs::read_to_string(place.path("eval/eval.html")).expect("the page");
    assert!(page.contains("random forest") && page.contains("Places never seen") && page.contains("planted"));
}

#[test]
fn what_cannot_be_scored_is_refused_with_a_word_on_what_to_do() {
    let place = Place::empty();
    let bundles = bundles();
    let refused = place.json(4, &["eval", "--folder", &bundles, "--data", ".", "--out", "eval"]);
    assert!(refused["error"].as_str().is_some_and(|text| text.contains("--data")), "{refused}");
    let fixtures = root().join("models/fixtures").display().to_string();
    let refused = place.json(4, &["eval", "--bundle", "tiny", "--folder", &fixtures, "--data", ".", "--out", "eval"]);
    assert!(refused["error"].as_str().is_some_and(|text| text.contains("--holdout")), "{refused}");
    let two_dates = ["eval", "--bundle", "two-dates", "--folder", &fixtures, "--data", ".", "--out", "eval"];
    let refused = place.json(4, &two_dates);
    assert!(refused["error"].as_str().is_some_and(|text| text.contains("two dates in, change out")), "{refused}");
    assert!(!place.path("eval").exists(), "nothing half-written");
}
