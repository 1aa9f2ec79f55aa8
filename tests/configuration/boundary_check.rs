//! Scopes against the water that passes saw: the thresholds, and their faults.

use crate::scratch::{MINIMAL, Scratch, check_faults};

#[test]
fn thresholds_have_defaults_and_are_read() {
    let check = Scratch::new().settings(MINIMAL).boundary_check;
    assert_eq!((check.ring_m, check.passes_min, check.passes_max), (200.0, 2, 24));
    let text = format!("{MINIMAL}[boundary_check]\nring_m = 900\nwater_share_min = 0.7\nshift_min_m = 45.5\n");
    let check = Scratch::new().settings(&text).boundary_check;
    assert_eq!((check.ring_m, check.water_share_min, check.shift_min_m), (900.0, 0.7, 45.5));
}

#[test]
fn faults_of_the_thresholds_come_with_their_lines() {
    let text = format!("{MINIMAL}[boundary_check]\npasses_min = 5\npasses_max = 4\n");
    check_faults(&Scratch::new().faults(&text), &["run.toml:9: passes_min 5 is more than passes_max 4"]);
    let text = format!("{MINIMAL}[boundary_check]\nring = 5\nring_m = 0\nwater_share_min = 1\n");
    check_faults(
        &Scratch::new().faults(&text),
        &[
            "run.toml:9: unknown key `ring` in `boundary_check`",
            "run.toml:10: `boundary_check.ring_m`: expected at least 1, got 0",
            "run.toml:11: `boundary_check.water_share_min`: expected at most 0.99, got 1",
        ],
    );
}
