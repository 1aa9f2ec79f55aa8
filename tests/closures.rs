//! Closures on painted imagery: one thing was cleared away, one is still there, and one is still there and the network is blind to it.
#![cfg(feature = "torch")]

use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::finding::{Closure, Look, judge};
use shorewatch_store::Store;
use shorewatch_store::outbox::Decided;
use tempfile::TempDir;

fn shorewatch(folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_shorewatch")).args(arguments).output().expect("the program");
    let fine = matches!(output.status.code(), Some(0 | 3));
    assert!(fine, "{arguments:?} in {}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_thing_that_the_network_misses_is_not_gone_while_its_pixels_are_as_they_were() {
    let folder = TempDir::new().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    let configs = concat!(env!("CARGO_MANIFEST_DIR"), "/configs");
    let text = fs::read_to_string(format!("{configs}/demo-findings.toml")).expect("a configuration");
    let text = text
        .replace("../out/demo/findings", &folder.path().display().to_string())
        .replace("\"../models\"", &format!("\"{}/models\"", env!("CARGO_MANIFEST_DIR")))
        .replace("\"sensors\"", &format!("\"{configs}/sensors\""))
        .replace("\"classes-objects.toml\"", &format!("\"{configs}/classes-objects.toml\""))
        .replace("\"targets/roundup.toml\"", &format!("\"{configs}/targets/roundup.toml\""));
    let config = place("run.toml").display().to_string();
    fs::write(&config, text).expect("written");
    let imagery = place("imagery").display().to_string();
    shorewatch(folder.path(), &["synth", "--scene", "closures", "--out", &imagery]);
    let mut passes: Vec<_> = fs::read_dir(&imagery)
        .expect("imagery")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "tif"))
        .collect();
    passes.sort();
    fs::create_dir(place("passes")).expect("a folder");
    let arrive = |passes: &[std::path::PathBuf]| {
        for pass in passes {
            fs::copy(pass, place("passes").join(pass.file_name().expect("a name"))).expect("a copy");
        }
        shorewatch(folder.path(), &["run", "--config", &config]);
    };

    arrive(&passes[..3]);
    let now = Timestamp::now();
    let mut store = Store::open_existing(place("shorewatch.gpkg"), now).expect("a store");
    let patches = store.patches(&shorewatch_store::PatchFilter::default()).expect("patches");
    let decided: Vec<Decided> = patches
        .iter()
        .map(|stored| Decided {
            decision_id: format!("decision-{}", stored.patch.patch_id),
            patch_id: stored.patch.patch_id.clone(),
            verdict: Some(DecisionVerdict::Problem),
            decided_at: now,
            ..Decided::default()
        })
        .collect();
    store.decide_findings(&decided, now, now).expect("decided");
    drop(store);
    arrive(&passes[3..]);

    let store = Store::open_existing(place("shorewatch.gpkg"), now).expect("a store");
    let last =
        store.follow_ups().expect("follow-ups").into_iter().filter(|told| told.follow_up.changed_fraction.is_some());
    let mut answers: Vec<(String, bool, Option<bool>, Option<Closure>)> = last
        .map(|told| {
            let follow_up = told.follow_up;
            let stored = patches.iter().find(|stored| stored.patch.patch_id == follow_up.patch_id).expect("a patch");
            let look = Look {
                pass_id: told.pass_id,
                acquired_at: now,
                observed_fraction: follow_up.observed_fraction,
                present_fraction: follow_up.present_fraction,
                changed_fraction: follow_up.changed_fraction,
            };
            let by_classes_gone = follow_up.present_fraction.is_some_and(|present| present <= 0.2);
            let change = format!("{} of {}", stored.patch.change_type, stored.patch.post_date.strftime("%m-%d"));
            // what was cleared away looks as it did before it came; what is there differs from that as much as ever
            let borne_out = follow_up.review_score.map(|score| score > 0.5);
            (change, by_classes_gone, borne_out, judge(&look, &shorewatch_domain::case::CaseRules::default()))
        })
        .collect();
    answers.sort_by(|one, other| one.0.cmp(&other.0));
    let told = |name: &str, gone, borne_out, closure| (name.to_owned(), gone, Some(borne_out), Some(closure));
    assert_eq!(
        answers,
        [
            told("no_object_to_building of 06-22", true, false, Closure::Supported),
            told("no_object_to_building of 07-20", false, true, Closure::Contradicted),
            // still there, and the network does not see it
            told("no_object_to_pit of 06-22", true, true, Closure::Contradicted),
        ]
    );
}
