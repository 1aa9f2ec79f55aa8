//! Nothing is lost, nothing is doubled, and the order of each finding is kept, whatever breaks.

mod common;

use std::time::Duration;

use common::storm;

/// Not a test: the process that `storm` starts and kills.
#[test]
#[ignore = "it is the sender of the test below"]
fn sender() {
    storm::be_sender();
}

#[test]
fn rows_17_and_25_a_faulty_receiver_and_a_sender_that_is_killed() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let sender = storm::own_sender(&["--ignored", "--exact", "sender", "--nocapture"]);
    let figures = storm::storm(folder.path(), 3_000, Duration::from_millis(200), &sender);
    assert_eq!((figures.lost, figures.doubled, figures.out_of_order), (0, 0, 0), "{figures:?}");
    assert!(figures.kills >= 3 && figures.faults > 100 && figures.repeated_requests > 0, "{figures:?}");
    assert_eq!(figures.redirects_followed, 0, "{figures:?}");
}
