//! What is assessed after a change is what the change reaches; what stands in the store then is what a whole assessment would put
//! there.

use std::path::Path;

use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::law::layer::LayerKind;
use shorewatch_law::rules::Rules;
use shorewatch_store::{AssessmentCounts, PatchFilter, Store};
use tempfile::TempDir;

use super::{Assessed, assess_all};

#[path = "../../../../tests/common/scattered.rs"]
mod scattered;

use scattered::{Scattered, at, rules};

fn assessed(store: &mut Store, rules: &Rules, work_folder: &Path) -> AssessmentCounts {
    let Assessed { counts, .. } =
        assess_all(store, rules, work_folder, at("2024-07-01T00:00:00Z")).expect("an assessment");
    counts
}

/// Every row with its texts, and every idle project.
fn told(store: &Store) -> (Vec<String>, Vec<IdleProject>) {
    let rows = store.assessments().expect("read").into_iter().map(|mut row| {
        row.assessed_at = at("2024-07-01T00:00:00Z");
        format!("{row:?}")
    });
    (rows.collect(), store.idle_projects().expect("read"))
}

/// Assesses what changed, and holds it against an assessment of everything in a copy of the store; returns how many were assessed.
fn narrow(scattered: &mut Scattered, rules: &Rules, folder: &Path, change: &str) -> u64 {
    let counts = assessed(&mut scattered.store, rules, &folder.join("work"));
    let copy = folder.join(format!("{change}.gpkg"));
    rusqlite::Connection::open(folder.join("store.gpkg"))
        .and_then(|connection| connection.execute("VACUUM INTO ?1", [copy.to_str()]))
        .expect("a copy");
    rusqlite::Connection::open(&copy)
        .and_then(|connection| {
            connection.execute("DELETE FROM assessments", [])?;
            connection.execute("DELETE FROM idle_projects", [])
        })
        .expect("emptied");
    let mut whole = Store::open_existing(&copy, at("2024-07-01T00:00:00Z")).expect("the copy opens");
    let all = assessed(&mut whole, rules, &folder.join(format!("work of {change}")));
    assert_eq!((all.written, all.numbers_given), (counts.assessed, 0), "{change}: every patch, and no number anew");
    assert_eq!(told(&scattered.store), told(&whole), "{change}");
    let again = assessed(&mut scattered.store, rules, &folder.join("work"));
    assert_eq!((again.written, again.numbers_given), (0, 0), "{change}: nothing is new afterwards");
    counts.written
}

#[test]
fn what_a_change_reaches_is_assessed_and_equals_an_assessment_of_everything() {
    let folder = TempDir::new().expect("a folder");
    let folder = folder.path();
    // close together: some patches touch others
    let mut scattered = Scattered::new(&folder.join("store.gpkg"), 0.02);
    let built_in = rules(|_| ());
    let first = scattered.add_pass("first", "2024-03-15T03:20:00Z", 150);
    assert_eq!(narrow(&mut scattered, &built_in, folder, "no layers"), 150);
    for kind in LayerKind::ALL {
        scattered.import_layer(kind, 40);
    }
    assert_eq!(
        narrow(&mut scattered, &built_in, folder, "layers"),
        150,
        "each is told with the versions of the layers"
    );
    assert!(!scattered.store.idle_projects().expect("read").is_empty(), "some project is idle");

    // a decision reaches the patch and those that it touches
    let touching = |store: &Store, id: &str| {
        let all = store.patches(&PatchFilter::default()).expect("patches");
        let of =
            |wanted: &str| all.iter().find(|one| one.patch.patch_id == wanted).expect("a patch").patch.geometry.clone();
        let decided = of(id);
        all.iter().filter(|one| geo::Intersects::intersects(&one.patch.geometry, &decided)).count() as u64
    };
    let verdicts =
        [DecisionVerdict::Problem, DecisionVerdict::NotAProblem, DecisionVerdict::Unsure, DecisionVerdict::Problem];
    let mut beside = 0;
    for (number, verdict) in verdicts.into_iter().enumerate() {
        let id = &first[number * 7];
        let reached = touching(&scattered.store, id);
        beside += reached - 1;
        scattered.decide(id, Some(verdict));
        assert_eq!(narrow(&mut scattered, &built_in, folder, &format!("decision {number}")), reached);
    }
    assert!(beside > 0, "some decision reaches a neighbour");
    scattered.decide(&first[7], None);
    let reached = touching(&scattered.store, &first[7]);
    assert_eq!(narrow(&mut scattered, &built_in, folder, "decision taken back"), reached);

    // a newer pass: its own, as long as nothing grows into another row of ages
    scattered.add_pass("second", "2024-03-16T03:20:00Z", 20);
    assert_eq!(narrow(&mut scattered, &built_in, folder, "newer pass"), 20);
    scattered.add_pass("a month later", "2024-04-20T03:20:00Z", 5);
    assert_eq!(
        narrow(&mut scattered, &built_in, folder, "another row of ages"),
        175,
        "all others are older than 30 days"
    );

    // a layer's version, and rules
    scattered.import_layer(LayerKind::KnownProblem, 40);
    assert_eq!(narrow(&mut scattered, &built_in, folder, "known problems"), 175);
    let others = rules(|files| files.assessment.baseline_date = Some("2023-12-31".to_owned()));
    assert_eq!(narrow(&mut scattered, &others, folder, "rules"), 175);
}
