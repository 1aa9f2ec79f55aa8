//! Cases over several passes: made from what current publications say, written only where they differ, read back as made;
//! follow-ups and places that were kept back; and an older store that gets the tables.

mod common;

use std::fs;
use std::path::Path;

use common::{at, dump, filled, make_older, now, pass, patch, publication};
use rusqlite::Connection;
use shorewatch_domain::case::{CaseEvent, CaseRules, CaseState, FollowUp};
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::pass::Pass;
use shorewatch_store::schema::SCHEMA_VERSION;
use shorewatch_store::{CaseCounts, PatchFilter, Publication, RunStart, Store, StoreError};
use tempfile::TempDir;

/// A publication of a pass that raised the given places as patches and follows up the given ones of another pass.
fn told(run: &RunStart, pass: &Pass, places: &[usize], follow_ups: &[(&Pass, usize, f64, Option<f64>)]) -> Publication {
    let follow_up =
        |&(earlier, place, observed_fraction, present_fraction): &(&Pass, usize, f64, Option<f64>)| FollowUp {
            patch_id: patch(earlier, place).patch.patch_id,
            observed_fraction,
            present_fraction,
            changed_fraction: None,
            review_score: None,
        };
    Publication {
        patches: places.iter().map(|place| patch(pass, *place)).collect(),
        follow_ups: follow_ups.iter().map(follow_up).collect(),
        ..publication(run, pass, "a", 0)
    }
}

/// A store with four passes, a month apart.
fn four_passes(path: &Path) -> (Store, [Pass; 4], RunStart) {
    let (mut store, first, run) = filled(path);
    let month =
        |month: u32| pass(&format!("GF2_20240{month}15"), &month.to_string(), &format!("2024-0{month}-15T03:21:07.5Z"));
    let passes = [first, month(4), month(5), month(6)];
    for later in &passes[1..] {
        store.add_pass(later, now()).expect("added");
    }
    (store, passes, run)
}

fn rebuilt(store: &mut Store) -> CaseCounts {
    store.rebuild_cases(&CaseRules::default(), now()).expect("rebuilt")
}

fn events(store: &Store, case_id: &str) -> Vec<CaseEvent> {
    store.case_events(case_id).expect("events").iter().map(|point| point.event).collect()
}

#[test]
fn cases_follow_what_is_published_and_are_written_only_where_they_differ() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, [march, april, may, june], run) = four_passes(&path);
    assert_eq!(rebuilt(&mut store), CaseCounts::default());
    store.publish(&told(&run, &march, &[0, 1], &[]), now()).expect("published");
    assert_eq!(rebuilt(&mut store), CaseCounts { suspected: 2, added: 2, ..CaseCounts::default() });

    let before = fs::read(&path).expect("bytes");
    assert_eq!(rebuilt(&mut store), CaseCounts { suspected: 2, ..CaseCounts::default() });
    assert_eq!(fs::read(&path).expect("bytes"), before, "a second time nothing is touched");

    let looks = [(&march, 0, 0.8, Some(0.9)), (&march, 1, 0.1, None)];
    store.publish(&told(&run, &april, &[5], &looks), now()).expect("published");
    let counts = rebuilt(&mut store);
    assert_eq!(counts, CaseCounts { suspected: 2, confirmed: 1, added: 1, changed: 2, ..CaseCounts::default() });
    let cases = store.cases().expect("cases");
    let founding = patch(&march, 0).patch;
    let of = |place: usize| {
        let case_id = format!("case-{}", patch(&march, place).patch.patch_id);
        cases.iter().find(|case| case.case_id == case_id).expect("a case keeps its id")
    };
    let first = of(0);
    assert_eq!((first.state, first.last_event, first.patch_count), (CaseState::Confirmed, CaseEvent::Persisting, 1));
    assert_eq!((first.first_seen, first.last_seen), (founding.post_date, april.acquired.expect("a time").at));
    assert_eq!(first.last_observed, Some(first.last_seen));
    assert_eq!((&first.outline, first.area_m2, first.review_score), (&founding.geometry, 2_600.25, Some(0.75)));
    assert_eq!((&*first.object_class, &*first.reach_name), ("building", "钦江"));
    assert_eq!(events(&store, &of(1).case_id), [CaseEvent::New, CaseEvent::Unseen]);
    let point = &store.case_events(&first.case_id).expect("events")[1];
    assert_eq!((point.pass_id, point.area_m2, point.observed_fraction), (april.id, Some(2_600.25 * 0.9), Some(0.8)));

    let gone = |pass: &Pass| told(&run, pass, &[], &[(&march, 0, 1.0, Some(0.0))]);
    store.publish(&gone(&may), now()).expect("published");
    store.publish(&gone(&june), now()).expect("published");
    let counts = rebuilt(&mut store);
    assert_eq!(counts, CaseCounts { suspected: 2, cleared: 1, changed: 1, ..CaseCounts::default() });
    let expected = [CaseEvent::New, CaseEvent::Persisting, CaseEvent::Shrunk, CaseEvent::Cleared];
    assert_eq!(events(&store, &first.case_id), expected);
    let connection = Connection::open(&path).expect("opened");
    let earliest: i64 = connection
        .query_row("SELECT min(fid) FROM case_events WHERE case_id = ?1", [&first.case_id], |row| row.get(0))
        .expect("a row number");
    assert!(earliest <= 2, "events that were there keep their rows");
    let index: String =
        connection.query_row("SELECT rtreecheck('rtree_cases_geom')", [], |row| row.get(0)).expect("an answer");
    assert_eq!(index, "ok");
    assert!(store.case_events("case-nobody").expect("none").is_empty());
}

#[test]
fn the_order_of_publishing_does_not_matter() {
    let folder = TempDir::new().expect("a folder");
    let told_in = |order: [usize; 4], each_time: bool| {
        let path = folder.path().join(format!("{order:?}{each_time}.gpkg"));
        let (mut store, passes, run) = four_passes(&path);
        let [march, april, may, june] = &passes;
        let publications = [
            told(&run, march, &[0, 3], &[]),
            told(&run, april, &[0], &[(march, 3, 1.0, Some(0.0))]),
            told(&run, may, &[7], &[(april, 0, 1.0, Some(0.1)), (march, 3, 1.0, Some(0.0))]),
            told(&run, june, &[], &[(april, 0, 1.0, Some(0.1)), (march, 3, 1.0, Some(0.0)), (may, 7, 0.2, None)]),
        ];
        for i in order {
            store.publish(&publications[i], now()).expect("published");
            if each_time {
                rebuilt(&mut store);
            }
        }
        rebuilt(&mut store);
        let cases = store.cases().expect("cases");
        let events: Vec<_> = cases.iter().map(|case| store.case_events(&case.case_id).expect("events")).collect();
        (cases, events)
    };
    let expected = told_in([0, 1, 2, 3], false);
    let states: Vec<_> = expected.0.iter().map(|case| case.state).collect();
    assert_eq!(states.len(), 3);
    for state in [CaseState::Cleared, CaseState::Expired, CaseState::Suspected] {
        assert!(states.contains(&state), "{states:?}");
    }
    assert_eq!(told_in([3, 1, 0, 2], true), expected);
    assert_eq!(told_in([2, 3, 1, 0], true), expected);
}

#[test]
fn what_a_superseded_publication_said_counts_no_more() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, [march, april, ..], run) = four_passes(&path);
    store.publish(&told(&run, &march, &[0, 1], &[]), now()).expect("published");
    let looked = told(&run, &april, &[], &[(&march, 0, 1.0, Some(1.0)), (&march, 1, 1.0, Some(1.0))]);
    store.publish(&looked, now()).expect("published");
    assert_eq!(rebuilt(&mut store).confirmed, 2);
    let ids: Vec<_> = store.follow_ups().expect("follow-ups").iter().map(|told| told.publication_id).collect();
    assert_eq!(ids, [looked.id; 2]);

    // the earlier pass, done anew, raises one of the patches only
    store
        .publish(&Publication { patches: vec![patch(&march, 0)], ..publication(&run, &march, "b", 0) }, now())
        .expect("published");
    assert_eq!(rebuilt(&mut store), CaseCounts { confirmed: 1, removed: 1, ..CaseCounts::default() });
    // and the later one does not look
    store.publish(&publication(&run, &april, "b", 0), now()).expect("published");
    assert_eq!(rebuilt(&mut store), CaseCounts { suspected: 1, changed: 1, ..CaseCounts::default() });
    // which is withdrawn in favour of the first time
    store.publish(&looked, now()).expect("published again");
    assert_eq!(rebuilt(&mut store), CaseCounts { confirmed: 1, changed: 1, ..CaseCounts::default() });
    assert_eq!(store.follow_ups().expect("follow-ups").iter().filter(|told| told.pass_id == april.id).count(), 2);
    store.withdraw_publications_of(&march.id, now()).expect("withdrawn");
    assert_eq!(rebuilt(&mut store), CaseCounts { removed: 1, ..CaseCounts::default() });
    assert!(store.cases().expect("cases").is_empty());
}

#[test]
fn follow_ups_and_suppressed_places_come_back_and_go_with_their_publication() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    let given = publication(&run, &pass, "a", 2);
    store.publish(&given, now()).expect("published");
    let follow_ups: Vec<_> = store.follow_ups().expect("follow-ups").into_iter().map(|told| told.follow_up).collect();
    assert_eq!(follow_ups, given.follow_ups);
    let stored = store.suppressed().expect("places");
    assert_eq!((&stored[0].place, stored.len()), (&given.suppressed[0], 1));
    assert_eq!(
        (stored[0].publication_id, stored[0].pass_id, stored[0].post_date),
        (given.id, pass.id, given.post_date)
    );

    let bare = Publication { follow_ups: vec![], suppressed: vec![], ..publication(&run, &pass, "b", 2) };
    store.publish(&bare, now()).expect("published");
    assert!(store.follow_ups().expect("follow-ups").is_empty() && store.suppressed().expect("places").is_empty());
    store.publish(&given, now()).expect("current again");
    assert_eq!((store.follow_ups().expect("follow-ups").len(), store.suppressed().expect("places").len()), (2, 1));
}

#[test]
fn spoilt_follow_ups_places_and_rules_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    let given = publication(&run, &pass, "a", 2);
    let before = dump(&path);
    let mut check = |spoil: &dyn Fn(&mut Publication), expected: &str| {
        let mut spoilt = given.clone();
        spoil(&mut spoilt);
        match store.publish(&spoilt, now()) {
            Err(StoreError::Refused { source, .. }) => assert!(source.to_string().contains(expected), "{source}"),
            other => panic!("expected a refusal with {expected:?}, got {other:?}"),
        }
    };
    check(&|p| p.follow_ups[0].observed_fraction = 1.5, "observed fraction: expected 0 to 1");
    check(&|p| p.follow_ups[0].present_fraction = Some(f64::NAN), "present fraction");
    check(&|p| p.follow_ups[1].patch_id = p.follow_ups[0].patch_id.clone(), "twice");
    check(&|p| p.follow_ups[1].patch_id = p.patches[0].patch.patch_id.clone(), "an earlier patch");
    check(&|p| p.suppressed[0].reason = " ".to_owned(), "reason");
    check(&|p| p.suppressed[0].area_m2 = f64::INFINITY, "area");
    check(&|p| p.suppressed[0].geometry.exterior_mut(|ring| ring.0[0].x = f64::NAN), "outline");
    let refused = store.rebuild_cases(&CaseRules { least_overlap: 2.0, ..CaseRules::default() }, now());
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert_eq!(dump(&path), before);
    assert!(serde_json::from_str::<CaseRules>(r#"{"clear_after": 1}"#).is_err(), "unknown keys are errors");
    let rules = serde_json::from_str::<CaseRules>(r#"{"clear_after_passes": 4}"#).expect("the rest by default");
    assert_eq!(rules, CaseRules { clear_after_passes: 4, ..CaseRules::default() });
}

#[test]
fn patches_of_earlier_passes_are_those_to_follow_up() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, [march, april, ..], run) = four_passes(&folder.path().join("s.gpkg"));
    store.publish(&told(&run, &april, &[2], &[]), now()).expect("published");
    store.publish(&told(&run, &march, &[0, 1], &[]), now()).expect("published");
    let before = |time: &str, epsg: u32| -> Vec<_> {
        let found = store.patches_before(at(time), Epsg(epsg)).expect("patches");
        found
            .into_iter()
            .map(|stored| (stored.patch.post_pass_id, stored.patch))
            .map(|(id, patch)| (id, patch.patch_id))
            .collect()
    };
    let id = |pass: &Pass, place| (pass.id, patch(pass, place).patch.patch_id);
    assert_eq!(before("2024-04-15T03:21:07.5Z", 4524), [id(&march, 0), id(&march, 1)], "its own are not among them");
    assert_eq!(before("2024-05-01T00:00:00Z", 4524), [id(&march, 0), id(&march, 1), id(&april, 2)]);
    assert_eq!(before("2024-05-01T00:00:00Z", 4525), []);
}

#[test]
fn a_store_of_version_2_gets_the_tables() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    store.publish(&publication(&run, &pass, "a", 3), now()).expect("published");
    drop(store);
    make_older(&path, 2);
    let older = Store::open_read_only(&path).expect_err("read-only can't bring it up to date");
    assert!(matches!(older, StoreError::OlderStore { expected: SCHEMA_VERSION, got: 2, .. }), "{older}");
    let mut store = Store::open_existing(&path, now()).expect("brought up to date");
    let patches = store.patches(&PatchFilter::default()).expect("patches");
    assert!(patches.iter().all(|stored| stored.patch.review_score.is_none() && stored.patch.evidence.is_empty()));
    assert_eq!(rebuilt(&mut store), CaseCounts { suspected: 3, added: 3, ..CaseCounts::default() });
    store.publish(&publication(&run, &pass, "b", 1), now()).expect("published");
    assert_eq!(store.suppressed().expect("places").len(), 1);
    drop(store);
    assert_eq!(Store::open_read_only(&path).expect("current").cases().expect("cases").len(), 3);
}

#[test]
fn five_thousand_cases_over_several_passes_are_quick() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, passes, run) = four_passes(&folder.path().join("s.gpkg"));
    let all: Vec<_> = (0..5_000).collect();
    for pass in &passes {
        store.publish(&told(&run, pass, &all, &[]), now()).expect("published");
    }
    let start = std::time::Instant::now();
    assert_eq!(rebuilt(&mut store).confirmed, 5_000);
    let first = start.elapsed();
    let start = std::time::Instant::now();
    assert_eq!(rebuilt(&mut store).changed, 0);
    // generous: the machine may be busy with something else
    assert!(first.as_secs_f64() < 10.0, "{first:.1?} with writing, {:.1?} without", start.elapsed());
    assert!(store.cases().expect("cases").iter().all(|case| case.patch_count == 4 && !case.urgent));
}
