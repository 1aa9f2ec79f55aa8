//! Reviews: what goes in comes out, the latest decision counts, nothing is ever changed, and an older store gets the table.

mod common;

use common::{at, filled, make_older, now, publication};
use rusqlite::Connection;
use shorewatch_domain::review::{Review, Verdict};
use shorewatch_store::schema::SCHEMA_VERSION;
use shorewatch_store::{PatchFilter, Refusal, Store, StoreError};
use tempfile::TempDir;

fn review(patch_id: &str, verdict: Verdict, time: &str) -> Review {
    Review {
        patch_id: patch_id.to_owned(),
        verdict,
        reason: "有许可证".to_owned(),
        corrected_class: Some("built_up".to_owned()),
        reviewer: "r-07".to_owned(),
        reviewed_at: at(time),
    }
}

#[test]
fn the_latest_decision_on_current_and_superseded_patches_is_read_back() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    store.publish(&publication(&run, &pass, "a", 3), now()).expect("published");
    store.publish(&publication(&run, &pass, "b", 2), now()).expect("published");
    let current = store.patches(&PatchFilter::default()).expect("patches");
    let superseded = store.superseded_patches().expect("patches");
    let only_superseded = &superseded[2].patch.patch_id;
    assert!(current.iter().all(|stored| stored.patch.patch_id != *only_superseded));

    let first = review(&current[0].patch.patch_id, Verdict::Confirmed, "2024-06-01T08:00:00Z");
    let second = Review {
        verdict: Verdict::Rejected,
        corrected_class: None,
        reviewed_at: at("2024-06-02T08:00:00.125Z"),
        ..first.clone()
    };
    let old = review(only_superseded, Verdict::Unsure, "2024-05-01T08:00:00Z");
    for given in [&second, &first, &old] {
        store.add_review(given, now()).expect("added");
    }
    assert_eq!(store.recorded_reviews().expect("reviews"), [second.clone(), first, old.clone()]);
    let mut expected = [second, old];
    expected.sort_by(|a, b| a.patch_id.cmp(&b.patch_id));
    assert_eq!(store.reviews().expect("reviews"), expected);

    let connection = Connection::open(&path).expect("opened");
    for sql in ["UPDATE reviews SET verdict = 'confirmed'", "DELETE FROM reviews"] {
        let refused = connection.execute(sql, []).expect_err("append-only").to_string();
        assert!(refused.contains("only appended"), "{sql}: {refused}");
    }
}

#[test]
fn an_unknown_patch_and_an_incomplete_review_are_refused() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, pass, run) = filled(&folder.path().join("s.gpkg"));
    store.publish(&publication(&run, &pass, "a", 1), now()).expect("published");
    let patch_id = store.patches(&PatchFilter::default()).expect("patches")[0].patch.patch_id.clone();
    let mut refused = |review: &Review| match store.add_review(review, now()).expect_err("refused") {
        StoreError::Refused { source, .. } => *source,
        other => panic!("{other}"),
    };
    let unknown = refused(&review("20240315-nowhere", Verdict::Confirmed, "2024-06-01T08:00:00Z"));
    assert!(matches!(unknown, Refusal::Unknown { kind: "patch", .. }), "{unknown}");
    let named =
        Review { reviewer: "王小明".to_owned(), ..review(&patch_id, Verdict::Unsure, "2024-06-01T08:00:00Z") };
    assert!(matches!(refused(&named), Refusal::Invalid { .. }));
    assert_eq!(store.reviews().expect("reviews"), []);
}

#[test]
fn a_store_of_version_1_gets_the_table() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    store.publish(&publication(&run, &pass, "a", 1), now()).expect("published");
    drop(store);
    make_older(&path, 1);
    let older = Store::open_read_only(&path).expect_err("read-only can't bring it up to date");
    assert!(matches!(older, StoreError::OlderStore { expected: SCHEMA_VERSION, got: 1, .. }), "{older}");
    let mut store = Store::open_existing(&path, now()).expect("brought up to date");
    let patch_id = store.patches(&PatchFilter::default()).expect("patches")[0].patch.patch_id.clone();
    let given = review(&patch_id, Verdict::Confirmed, "2024-06-01T08:00:00Z");
    store.add_review(&given, now()).expect("added");
    drop(store);
    assert_eq!(Store::open_read_only(&path).expect("current").reviews().expect("reviews"), [given]);
}
