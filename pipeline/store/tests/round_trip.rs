//! What goes in comes out, table by table; twice is once; superseding loses nothing.

mod common;

use common::{at, digest, filled, now, pass, publication, reach, run_start};
use proptest::prelude::*;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::pass::{Pass, PassState};
use shorewatch_domain::reach::{Reach, ScopeSource};
use shorewatch_store::{
    AddedPass, HeldPair, PatchFilter, Published, ReachImport, Refusal, RunEnd, RunStart, RunState, Store, StoreError,
};
use tempfile::TempDir;

fn fresh() -> (TempDir, Store) {
    let folder = TempDir::new().expect("a folder");
    let store = Store::create_or_open(folder.path().join("shorewatch.gpkg"), now()).expect("a store");
    (folder, store)
}

#[test]
fn passes_come_back_in_order_of_acquisition_and_are_found_by_id_name_and_prefix() {
    let (_folder, mut store) = fresh();
    let late = pass("late", "late", "2024-03-15T03:21:07.123456789Z");
    let early = pass("early", "early", "2023-03-15T03:21:07Z");
    let broken = Pass {
        acquired: None,
        footprint: vec![],
        state: PassState::Quarantined("0 bytes".to_owned()),
        ..pass("broken", "broken", "2020-01-01T00:00:00Z")
    };
    for pass in [&broken, &late, &early] {
        assert_eq!(store.add_pass(pass, now()).expect("added"), AddedPass::New);
        assert_eq!(store.add_pass(pass, now()).expect("known"), AddedPass::AlreadyThere);
    }
    let stored = |pass: &Pass| Pass { revision: 1, ..pass.clone() };
    assert_eq!(store.passes().expect("passes"), [stored(&early), stored(&late), stored(&broken)]);
    for selector in [late.id.to_string(), late.id.short(), "late".to_owned()] {
        assert_eq!(store.pass(&selector).expect("found").id, late.id);
    }
    let StoreError::Refused { source, .. } = store.pass("nowhere").expect_err("refused") else {
        panic!("another error")
    };
    assert!(matches!(*source, Refusal::Unknown { .. }), "{source}");
}

#[test]
fn other_content_under_a_name_is_a_revision_and_a_bad_one_displaces_nothing() {
    let (_folder, mut store) = fresh();
    let first = pass("scene", "one", "2024-03-15T03:21:07Z");
    let second =
        Pass { state: PassState::Quarantined("cut".to_owned()), ..pass("scene", "two", "2024-03-15T03:21:07Z") };
    let third = pass("scene", "three", "2024-03-15T03:21:07Z");
    store.add_pass(&first, now()).expect("added");
    assert_eq!(store.add_pass(&second, now()).expect("added"), AddedPass::Revision { number: 2, supersedes: vec![] });
    assert_eq!(store.pass("scene").expect("found").id, first.id);
    let added = store.add_pass(&third, now()).expect("added");
    assert_eq!(added, AddedPass::Revision { number: 3, supersedes: vec![first.id, second.id] });
    let states: Vec<_> =
        store.passes().expect("passes").iter().map(|pass| (pass.revision, pass.state.name())).collect();
    assert!(
        [(1, "superseded"), (2, "superseded"), (3, "ready")].iter().all(|state| states.contains(state)),
        "{states:?}"
    );
    assert_eq!(store.add_pass(&first, now()).expect("known"), AddedPass::AlreadyThere, "superseded passes stay so");
}

#[test]
fn a_held_pass_becomes_ready_by_a_better_state_or_by_a_person() {
    let (_folder, mut store) = fresh();
    let old = pass("scene", "one", "2024-03-15T03:21:07Z");
    let held =
        Pass { state: PassState::Held("in the future".to_owned()), ..pass("scene", "two", "2030-03-15T03:21:07Z") };
    store.add_pass(&old, now()).expect("added");
    store.add_pass(&held, now()).expect("added");
    let ready = Pass { state: PassState::Ready, ..held.clone() };
    assert_eq!(store.add_pass(&ready, now()).expect("better"), AddedPass::Improved { supersedes: vec![old.id] });
    assert_eq!(store.add_pass(&held, now()).expect("worse"), AddedPass::AlreadyThere);
    assert_eq!(store.pass(&held.id.to_string()).expect("found"), Pass { revision: 2, ..ready });
    let quarantined = PassState::Quarantined("unreadable since".to_owned());
    assert_eq!(store.set_pass_state(&held.id, &quarantined, now()).expect("set"), vec![]);
    assert_eq!(store.pass(&held.id.to_string()).expect("found").state, quarantined);
}

#[test]
fn files_of_a_pass_may_move_but_not_change() {
    let (_folder, mut store) = fresh();
    let known = pass("scene", "one", "2024-03-15T03:21:07Z");
    store.add_pass(&known, now()).expect("added");
    let mut files = known.files.clone();
    files[0].path = "elsewhere/scene.tif".to_owned();
    store.set_pass_files(&known.id, &files, now()).expect("moved");
    assert_eq!(store.pass("scene").expect("found").files, files);
    files[0].digest = digest("other bytes");
    assert!(matches!(store.set_pass_files(&known.id, &files, now()), Err(StoreError::Refused { .. })));
}

#[test]
fn reaches_are_imported_all_or_none() {
    let (_folder, mut store) = fresh();
    let (one, two) =
        (reach("450702-001", 108.5), Reach { scope_source: ScopeSource::Polygon, ..reach("450702-002", 108.9) });
    let import = store.import_reaches(&[two.clone(), one.clone()], now()).expect("imported");
    assert_eq!(import, ReachImport { added: 2, ..ReachImport::default() });
    assert_eq!(store.reaches().expect("reaches"), [one.clone(), two.clone()]);
    let renamed = Reach { name: "another".to_owned(), ..one.clone() };
    let import = store.import_reaches(&[renamed.clone(), two.clone()], now()).expect("imported");
    assert_eq!(import, ReachImport { changed: 1, unchanged: 1, added: 0 });
    let empty = Reach { scope: geo_types::MultiPolygon(vec![]), ..reach("450702-004", 108.5) };
    let third = reach("450702-003", 108.7);
    let refused = store.import_reaches(&[third.clone(), third, empty], now()).expect_err("refused");
    let StoreError::Refused { source, .. } = refused else { panic!("{refused:?}") };
    let Refusal::Invalid { got, .. } = *source else { panic!("{source:?}") };
    assert!(got.contains("450702-003") && got.contains("450702-004"), "all faults at once: {got}");
    assert_eq!(store.reaches().expect("reaches"), [renamed, two]);
}

#[test]
fn runs_come_back_latest_first_and_the_same_plan_is_the_same_run() {
    let (_folder, mut store) = fresh();
    let (one, two) = (run_start("one"), RunStart { started_at: at("2024-06-02T08:00:00Z"), ..run_start("two") });
    store.begin_run(&one).expect("begun");
    store.begin_run(&two).expect("begun");
    let end = RunEnd {
        finished_at: at("2024-06-02T08:01:00Z"),
        state: RunState::Partial,
        exit_code: 3,
        units_done: 5,
        seconds: 59.5,
    };
    store.finish_run(&two.run_id, &end).expect("finished");
    let runs = store.runs().expect("runs");
    assert_eq!(runs.iter().map(|run| &run.start).collect::<Vec<_>>(), [&two, &one]);
    assert_eq!(
        (runs[0].end, runs[0].state, runs[1].end, runs[1].state),
        (Some(end), RunState::Partial, None, RunState::Started)
    );
    let again = RunStart { started_at: at("2024-06-03T08:00:00Z"), ..one.clone() };
    store.begin_run(&again).expect("begun");
    let run = store.runs().expect("runs").swap_remove(0);
    assert_eq!((run.start, run.attempts, run.first_started_at), (again, 2, one.started_at));
    assert!(store.finish_run(&digest("nobody"), &end).is_err());
}

#[test]
fn a_publication_comes_back_whole() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    let given = publication(&run, &pass, "a", 9);
    assert_eq!(store.publish(&given, now()).expect("published"), Published::New { superseded: vec![] });
    assert!(store.is_current(&given.id).expect("asked"));
    let record = store.publications().expect("publications").swap_remove(0);
    assert_eq!((record.id, record.run_id, record.pass_id, record.grid), (given.id, run.run_id, pass.id, given.grid));
    assert_eq!((record.post_date, record.superseded_by, record.patch_count), (given.post_date, None, 9));

    let mut expected = given.patches.clone();
    expected.sort_by(|a, b| {
        b.patch.confidence.total_cmp(&a.patch.confidence).then_with(|| a.patch.patch_id.cmp(&b.patch.patch_id))
    });
    let stored = store.patches(&PatchFilter::default()).expect("patches");
    assert_eq!(
        stored.iter().map(|stored| &stored.patch).collect::<Vec<_>>(),
        expected.iter().map(|new| &new.patch).collect::<Vec<_>>()
    );
    for (stored, new) in stored.iter().zip(&expected) {
        assert_eq!(
            (&stored.chip_before, &stored.chip_after, stored.rank),
            (&new.chip_before, &new.chip_after, new.rank)
        );
        assert_eq!((stored.publication_id, stored.run_id), (given.id, run.run_id));
    }

    let units = store.units_of(&given.id).expect("units");
    let tiles = store.tiles().expect("tiles");
    for ((unit, tile), published) in units.iter().zip(&tiles).zip(&given.units) {
        assert_eq!(
            (unit.unit_id, unit.cell, unit.edge_px, &unit.summary),
            (published.unit.id, published.unit.cell, 512, &published.summary)
        );
        assert_eq!(
            (tile.unit_id, &tile.outline, tile.post_date),
            (published.unit.id, &published.outline, given.post_date)
        );
        assert_eq!((tile.scope_px, tile.observed_px, tile.compared_px, tile.observed_share), (100, 80, 70, Some(0.8)));
        assert_eq!(tile.unobserved, [("outside".to_owned(), 5), ("cloud".to_owned(), 15)].into());
    }
    assert_eq!((units.len(), tiles.len()), (4, 4));
    assert_eq!(store.published_units().expect("ids"), given.units.iter().map(|published| published.unit.id).collect());
    // four squares of ten pixels each, of 10 m
    let held = store.held_pairs(None).expect("pairs");
    let expected = HeldPair { pass_id: pass.id, earlier_pass_id: digest("earlier"), area_m2: 4000.0, off_px: 23.5 };
    assert_eq!(held, [expected]);
    assert_eq!(store.held_pairs(Some(&given.id)).expect("pairs"), held);
    assert_eq!(store.held_pairs(Some(&digest("another publication"))).expect("pairs"), []);
    assert_eq!(store.held_px().expect("pixels"), [((pass.id, "450702-001".to_owned()), 40)].into());
    let seen = store.observations().expect("observations").swap_remove(0);
    assert_eq!(
        (seen.seen, seen.publication_id, seen.pass_id, seen.post_date),
        (given.observations[0].clone(), given.id, pass.id, given.post_date)
    );
}

#[test]
fn filters_choose_patches() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    store.publish(&publication(&run, &pass, "a", 100), now()).expect("published");
    let check = |filter: PatchFilter, expected: usize| {
        let found = store.patches(&filter).expect("patches");
        assert_eq!(found.len(), expected, "{filter:?}");
    };
    let all = PatchFilter::default;
    check(PatchFilter { issue_class: Some(IssueClass::Mining), ..all() }, 50);
    check(PatchFilter { reach_id: Some("450702-001".to_owned()), ..all() }, 100);
    check(PatchFilter { reach_id: Some("' OR 1 --".to_owned()), ..all() }, 0);
    check(PatchFilter { min_confidence: Some(0.75), ..all() }, 50);
    check(PatchFilter { since: Some(at("2024-03-15T03:21:07.5Z")), ..all() }, 100);
    check(PatchFilter { until: Some(at("2024-03-15T03:21:07.5Z")), ..all() }, 0);
    check(PatchFilter { run_id: Some(run.run_id), ..all() }, 100);
    check(PatchFilter { run_id: Some(digest("another")), ..all() }, 0);
}

#[test]
fn a_later_publication_supersedes_and_an_earlier_one_can_come_back() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    let (one, two) = (publication(&run, &pass, "a", 20), publication(&run, &pass, "b", 5));
    let ids = |patches: Vec<shorewatch_store::StoredPatch>| -> Vec<Digest> {
        patches.iter().map(|patch| patch.publication_id).collect()
    };
    store.publish(&one, now()).expect("published");
    assert_eq!(store.publish(&two, now()).expect("published"), Published::New { superseded: vec![one.id] });
    assert!(!store.is_current(&one.id).expect("asked") && store.is_current(&two.id).expect("asked"));
    assert_eq!(ids(store.patches(&PatchFilter::default()).expect("patches")), vec![two.id; 5]);
    assert_eq!(ids(store.superseded_patches().expect("patches")), vec![one.id; 20]);
    assert_eq!((store.tiles().expect("tiles").len(), store.units_of(&one.id).expect("units").len()), (4, 4));
    assert_eq!(store.observations().expect("observations").len(), 1);
    assert_eq!(store.publications().expect("publications")[0].superseded_by, Some(two.id));
    assert_eq!(store.publish(&one, now()).expect("published"), Published::Reinstated { superseded: vec![two.id] });
    assert_eq!(ids(store.patches(&PatchFilter::default()).expect("patches")), vec![one.id; 20]);
    assert_eq!(ids(store.superseded_patches().expect("patches")), vec![two.id; 5]);
    assert_eq!(store.withdraw_publications_of(&pass.id, now()).expect("withdrawn"), [one.id]);
    assert!(
        store.patches(&PatchFilter::default()).expect("patches").is_empty() && store.tiles().expect("tiles").is_empty()
    );
    assert!(store.published_units().expect("ids").is_empty());
    assert_eq!(store.superseded_patches().expect("patches").len(), 25);
}

#[test]
fn pictures_are_recorded_after_publishing() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    let given = publication(&run, &pass, "a", 1);
    store.publish(&given, now()).expect("published");
    let id = &given.patches[0].patch.patch_id;
    store.set_patch_chips(id, "chips/a.png", "chips/b.png", now()).expect("recorded");
    let stored = store.patches(&PatchFilter::default()).expect("patches").swap_remove(0);
    assert_eq!(
        (stored.chip_before.as_deref(), stored.chip_after.as_deref()),
        (Some("chips/a.png"), Some("chips/b.png"))
    );
    assert!(store.set_patch_chips("nobody", "", "", now()).is_err());
}

#[test]
fn contradictions_are_refused_and_leave_nothing() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    let given = publication(&run, &pass, "a", 3);
    let before = common::dump(&path);
    let mut check = |spoil: &dyn Fn(&mut shorewatch_store::Publication), expected: &str| {
        let mut spoilt = given.clone();
        spoil(&mut spoilt);
        match store.publish(&spoilt, now()) {
            Err(StoreError::Refused { source, .. }) => assert!(source.to_string().contains(expected), "{source}"),
            other => panic!("expected a refusal with {expected:?}, got {other:?}"),
        }
    };
    check(&|p| p.run_id = digest("nobody"), "no run");
    check(&|p| p.patches[2].patch.post_pass_id = digest("nobody"), "later pass");
    check(&|p| p.patches[2].patch.confidence = f64::NAN, "finite");
    check(&|p| p.patches[2].patch.patch_id = p.patches[0].patch.patch_id.clone(), "twice");
    check(&|p| p.units[1].unit.pass_id = digest("nobody"), "pass");
    check(&|p| p.observations[0].coverage.observed_px = 99, "unobserved pixels");
    assert_eq!(common::dump(&path), before);
    store.set_pass_state(&pass.id, &PassState::Held("looked odd".to_owned()), now()).expect("set");
    assert!(store.publish(&given, now()).is_err(), "a pass that is held is not published");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However often publications are repeated right after themselves, the store is the same to the row.
    #[test]
    fn publishing_twice_is_publishing_once(sequence in prop::collection::vec((0_usize..3, 1_usize..3), 1..6)) {
        let folder = TempDir::new().expect("a folder");
        let (once, often) = (folder.path().join("once.gpkg"), folder.path().join("often.gpkg"));
        let (mut store_once, pass, run) = filled(&once);
        let (mut store_often, ..) = filled(&often);
        for (which, times) in sequence {
            let given = publication(&run, &pass, ["a", "b", "c"][which], which * 3);
            store_once.publish(&given, now()).expect("published");
            for _ in 0..times {
                store_often.publish(&given, now()).expect("published");
            }
        }
        prop_assert_eq!(common::dump(&once), common::dump(&often));
    }
}
