//! The assessment of 100,000 current patches over ten layers of 5,000 areas, in a store on disk: of all of them, after one decision,
//! after a newer pass, and with nothing new. What is assessed is counted each time, and where nothing was to be assessed nothing is
//! written. The first figure is that of a store that held no assessment before.
//!
//! Writes `out/bench/assess.json`. `scripts/bench-assess` runs it on two cores.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use shorewatch::law::assess::assess_all;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::layer::LayerKind;
use shorewatch_law::rules::Rules;
use shorewatch_store::{AssessmentCounts, Store};

#[path = "../tests/common/scattered.rs"]
mod scattered;

use scattered::{Scattered, rules};

const PATCHES: usize = 100_000;
const AREAS_A_LAYER: usize = 5_000;
const OF_A_NEWER_PASS: usize = 100;
/// Edge of the square in degrees, about 100 km: few patches touch another one.
const EDGE: f64 = 1.0;

fn timed(store: &mut Store, rules: &Rules, work_folder: &Path) -> (f64, AssessmentCounts) {
    let began = Instant::now();
    let counts = assess_all(store, rules, work_folder, Timestamp::now()).expect("an assessment").counts;
    (began.elapsed().as_secs_f64(), counts)
}

#[expect(clippy::print_stdout, reason = "a bench tells its figures")]
fn main() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let work_folder = folder.path().join("work");
    let mut scattered = Scattered::new(&folder.path().join("store.gpkg"), EDGE);
    let ids = scattered.add_pass("first", "2024-03-15T03:20:00Z", PATCHES);
    for kind in LayerKind::ALL {
        scattered.import_layer(kind, AREAS_A_LAYER);
    }
    let rules = rules(|_| ());

    let (full_s, full) = timed(&mut scattered.store, &rules, &work_folder);
    assert_eq!((full.assessed, full.written), (PATCHES as u64, PATCHES as u64));
    scattered.decide(&ids[PATCHES / 2], Some(DecisionVerdict::Problem));
    let (after_one_decision_s, one) = timed(&mut scattered.store, &rules, &work_folder);
    assert!((1..20).contains(&one.written), "one decision reaches {} patches", one.written);
    scattered.add_pass("second", "2024-03-20T03:20:00Z", OF_A_NEWER_PASS);
    let (after_a_newer_pass_s, newer) = timed(&mut scattered.store, &rules, &work_folder);
    assert_eq!(newer.written, OF_A_NEWER_PASS as u64);
    let (nothing_new_s, nothing) = timed(&mut scattered.store, &rules, &work_folder);
    assert_eq!((nothing.assessed, nothing.written), ((PATCHES + OF_A_NEWER_PASS) as u64, 0));
    assert!(nothing.idle_projects > 0, "no project is idle: that part was not timed");

    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/out/bench"));
    std::fs::create_dir_all(folder).expect("a folder for the figures");
    let figures = serde_json::json!({
        "patches": PATCHES,
        "layers": LayerKind::ALL.len(),
        "areas_a_layer": AREAS_A_LAYER,
        "idle_projects": nothing.idle_projects,
        "threads": rayon::current_num_threads(),
        "full_s": full_s,
        "after_one_decision_s": after_one_decision_s,
        "assessed_after_one_decision": one.written,
        "after_a_newer_pass_s": after_a_newer_pass_s,
        "assessed_after_a_newer_pass": newer.written,
        "nothing_new_s": nothing_new_s,
    });
    std::fs::write(folder.join("assess.json"), format!("{figures:#}\n")).expect("the figures are written");
    println!(
        "{PATCHES} patches, {} layers of {AREAS_A_LAYER} areas, {} idle projects, {} threads:\n  all of them {full_s:.2} s\n  after one decision \
         {after_one_decision_s:.2} s ({} assessed)\n  after a newer pass {after_a_newer_pass_s:.2} s ({} assessed)\n  nothing new \
         {nothing_new_s:.2} s",
        LayerKind::ALL.len(),
        nothing.idle_projects,
        rayon::current_num_threads(),
        one.written,
        newer.written,
    );
}
