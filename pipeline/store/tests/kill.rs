//! Killed in the middle, then done again: the store is the same, row for row, as after an unbroken run.

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{dump, filled, now, publication};
use shorewatch_store::{PatchFilter, Store, StoreError};
use tempfile::TempDir;

const PATH: &str = "SHOREWATCH_STORE_UNDER_TEST";
const PUBLICATIONS: usize = 12;

/// The work: publications that supersede each other, in a fixed order. What is done already is skipped.
fn work(path: &Path) {
    let mut store = Store::create_or_open(path, now()).expect("a store");
    let pass = common::pass("scene", "bytes", "2024-03-15T03:21:07.5Z");
    let run = common::run_start("run");
    store.add_pass(&pass, now()).expect("added");
    if store.runs().expect("runs").is_empty() {
        store.begin_run(&run).expect("begun");
    }
    for i in store.publications().expect("publications").len()..PUBLICATIONS {
        store.publish(&publication(&run, &pass, &format!("configuration {i}"), 400 + i), now()).expect("published");
    }
}

/// Not a test of its own: what the child process of the test below does.
#[test]
#[ignore = "run by killed_and_repeated_is_unbroken in a process of its own"]
fn child_that_works() {
    let Some(path) = std::env::var_os(PATH) else { return };
    let path = Path::new(&path);
    let store = Store::create_or_open(path, now()).expect("a store");
    let _lease = store.try_lease("child", now()).expect("free, since the one before was killed");
    work(path);
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--ignored", "--exact", "child_that_works"])
        .env(PATH, path)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child process")
}

#[test]
fn killed_and_repeated_is_unbroken() {
    let folder = TempDir::new().expect("a folder");
    let unbroken = folder.path().join("unbroken.gpkg");
    let start = Instant::now();
    work(&unbroken);
    let whole = start.elapsed().max(Duration::from_millis(20));

    let broken = folder.path().join("broken.gpkg");
    let mut kills = 0;
    for tenth in 1..12_u32 {
        let mut child = spawn(&broken);
        std::thread::sleep(whole * tenth / 20);
        child.kill().expect("killed");
        kills += usize::from(!child.wait().expect("ended").success());
        if broken.is_file() {
            match Store::create_or_open(&broken, now()) {
                Ok(store) => {
                    let patches = store.patches(&PatchFilter::default()).expect("patches").len() as u64;
                    let current =
                        store.publications().expect("publications").into_iter().filter(|record| record.is_current);
                    assert_eq!(current.map(|record| record.patch_count).sum::<u64>(), patches, "no half publication");
                }
                Err(StoreError::Missing { .. }) => {}
                Err(fault) => panic!("{fault}"),
            }
        }
    }
    assert!(spawn(&broken).wait().expect("ended").success(), "the last one is left in peace");
    assert!(kills > 0, "no child was killed before it ended");
    assert_eq!(dump(&broken), dump(&unbroken));
}

#[test]
fn a_killed_holder_does_not_keep_the_lease() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    drop(filled(&path));
    let lock_file = folder.path().join("s.gpkg.lock");
    let mut child = spawn(&path);
    let start = Instant::now();
    while !std::fs::metadata(&lock_file).is_ok_and(|file| file.len() > 0) {
        assert!(start.elapsed() < Duration::from_secs(60), "the child never took the lease");
        std::thread::sleep(Duration::from_millis(1));
    }
    let store = Store::open_existing(&path, now()).expect("opened");
    let held = store.try_lease("the next run", now());
    assert!(matches!(held, Err(StoreError::LeaseHeld { ref holder, .. }) if holder == "child"), "{held:?}");
    child.kill().expect("killed");
    child.wait().expect("ended");
    store.try_lease("the next run", now()).expect("free");
}
