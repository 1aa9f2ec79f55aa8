use ndarray::{Array3, Axis};

use super::local::opened;
use super::weigh::OBJECT_TERM;
use super::*;
use crate::belief::{Belief, Tracked};
use crate::classes::{IssueClass, Outcome, Transition};
use crate::crs::Epsg;
use crate::evidence::{TERMS, WEIGHTS};
use crate::grid::Grid;
use crate::observed::Causes;

fn painted(lines: &[&str]) -> Array2<u8> {
    let digits: Vec<u8> =
        lines.iter().flat_map(|line| line.bytes()).map(|byte| if byte == b'.' { 0 } else { byte - b'0' }).collect();
    Array2::from_shape_vec((lines.len(), lines[0].len()), digits).expect("lines of one length")
}

#[test]
fn opening_keeps_what_holds_a_whole_square() {
    let before = painted(&["111..2", "1111.2", "111..2", "...1.2", "22222."]);
    assert_eq!(opened(before.view(), |_| 3), painted(&["111...", "111...", "111...", "......", "......"]));
    assert_eq!(
        opened(before.view(), |label| if label == 2 { 1 } else { 3 }),
        painted(&["111..2", "111..2", "111..2", ".....2", "22222."])
    );
    assert_eq!(opened(before.view(), |_| 1), before);
}

/// Scores of two classes from a painted map: `a`, `b`, or `?` for unobserved.
fn scores(lines: &[&str]) -> Scores {
    let window = Window { row: 0, col: 0, rows: lines.len(), cols: lines[0].len() };
    let at = |row: usize, col: usize| lines[row].as_bytes()[col];
    Scores {
        grid: Grid::new(Epsg(32631), 10.0),
        window,
        probabilities: Array3::from_shape_fn((2, window.rows, window.cols), |(class, row, col)| {
            if at(row, col) == b"ab"[class] { 230 } else { 25 }
        }),
        causes: Array2::from_shape_fn(window.shape(), |(row, col)| {
            if at(row, col) == b'?' { Causes::CLOUD } else { Causes::OBSERVED }
        }),
    }
}

fn table() -> ClassTable {
    let to = vec![Outcome {
        class: "b".to_owned(),
        object_class: "b".to_owned(),
        suspected_issue_class: IssueClass::Mining,
    }];
    let row = Transition {
        id: 1,
        name: "a_to_b".to_owned(),
        from: vec!["a".to_owned()],
        to,
        minimum_confidence: 0.5,
        minimum_width_px: 3,
        minimum_area_m2: 0.0,
        reason: String::new(),
    };
    ClassTable {
        schema_version: 1,
        minimum_change_score: 0.0,
        unclassified: None,
        natural: Vec::new(),
        zone_priors: Vec::new(),
        transitions: vec![row],
    }
}

fn changes(before: &[&[&str]], after: &[&str]) -> ChangeMap {
    let later = scores(after);
    let mut reference = Reference::new(&later);
    for (index, older) in before.iter().enumerate() {
        reference.feed(index as u8, scores(older));
    }
    let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
    ToldByClasses::new(
        &reference,
        &later,
        core,
        &table(),
        &ModelClasses::one_head(vec!["a".to_owned(), "b".to_owned()]),
    )
    .weighed(None)
}

const FIELD: [&str; 11] = ["aaaaaaaaaaaa"; 11];
const DUG: [&str; 11] = [
    "aaaaaaaaaaaa",
    "aaaaaaaaaaaa",
    "aaaaaaaaaaaa",
    "aaaabbbbbaaa",
    "aaaabbbbbaaa",
    "aaaabbbbbaaa",
    "aaaabbbbbaaa",
    "aaaabbbbbaaa",
    "aaaaaaaaaaaa",
    "aaaaaaaaaaaa",
    "aaaaaaaaaaaa",
];

#[test]
fn ground_that_changed_on_both_dates_word_is_labelled() {
    // the mean over 3×3 rounds the corners off
    let map = changes(&[&FIELD], &DUG);
    assert_eq!(map.labels, painted(&["..111.", ".11111", ".11111", ".11111", "..111."]));
    assert!(map.confidence.iter().zip(&map.labels).all(|(&score, &label)| (score > 0) == (label > 0)));
    assert_eq!(changes(&[&FIELD], &FIELD).labels, painted(&["......"; 5]));
}

#[test]
fn a_cloud_hides_a_change_and_the_pass_before_it_shows_it() {
    let clouded = ["????????????"; 11];
    let hidden = changes(&[&FIELD], &clouded);
    assert!(hidden.labels.iter().all(|&label| label == NO_CHANGE));
    assert!(hidden.causes.iter().all(|cause| !cause.is_observed()));
    // the latest earlier pass was clouded: the one before it speaks
    let map = changes(&[&clouded, &FIELD], &DUG);
    assert_eq!(map.labels.iter().filter(|&&label| label == 1).count(), 21);
    assert!(map.earlier.iter().all(|&index| index == 1));
    // no earlier pass saw the place: nothing can be said
    let unknown = changes(&[&clouded], &DUG);
    assert!(unknown.labels.iter().all(|&label| label == NO_CHANGE));
    assert!(unknown.earlier.iter().all(|&index| index == NO_EARLIER));
}

#[test]
fn what_is_held_back_of_one_pass_another_may_know() {
    let later = scores(&DUG);
    let mut off = scores(&FIELD);
    off.causes.fill(Causes::OUTSIDE);
    let held = Array2::from_elem(later.window.shape(), true);
    let earlier_of = |known: [bool; 2]| {
        let mut reference = Reference::new(&later);
        for (index, known) in (0..).zip(known) {
            if !known {
                reference.hold_back(held.view());
            }
            reference.feed(index, if known { scores(&FIELD) } else { off.clone() });
        }
        reference.earlier
    };
    for (known, told) in [([false, false], HELD), ([false, true], 1), ([true, false], 0)] {
        assert!(earlier_of(known).iter().all(|&earlier| earlier == told), "{known:?}");
    }
    assert!(!is_compared(HELD) && !is_compared(NO_EARLIER) && is_compared(0));
}

#[test]
fn ground_that_looks_as_on_any_earlier_date_is_nothing_new() {
    let dug_before = changes(&[&FIELD, &DUG], &DUG);
    assert!(dug_before.labels.iter().all(|&label| label == NO_CHANGE));
    let fields = changes(&[&FIELD, &FIELD], &DUG);
    assert_eq!(fields.labels.iter().filter(|&&label| label == 1).count(), 21);
}

/// Log-odds of a window of 11 × 12 less what the table's margin leaves: all of it. `object`: what an object moved them by.
fn odds(sum: f32, object: f32) -> LogOdds {
    let of = |value: f32| Array2::from_elem((11, 12), value);
    let mut kinds = [const { None }; TERMS.len()];
    kinds[OBJECT_TERM] = Some(of(object / WEIGHTS.object_change));
    LogOdds { sum: of(sum), kinds, weights: WEIGHTS }
}

fn weighed(before: &[&str], after: &[&str], odds: &LogOdds, table: &ClassTable, names: [&str; 2]) -> Array2<u8> {
    let later = scores(after);
    let mut reference = Reference::new(&later);
    reference.feed(0, scores(before));
    let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
    let classes = ModelClasses::one_head(names.map(str::to_owned).to_vec());
    ToldByClasses::new(&reference, &later, core, table, &classes).weighed(Some(odds)).labels
}

#[test]
fn what_only_the_classes_show_is_counted_and_not_raised() {
    let mut table = table();
    table.minimum_change_score = 0.1;
    let labels = weighed(&FIELD, &DUG, &odds(-5.0, 0.0), &table, ["a", "b"]);
    assert!(labels.iter().all(|&label| label == NOT_SEEN || label == NO_CHANGE));
    assert_eq!(suppressed(NOT_SEEN, &table), Some(NOT_SEEN_REASON));
    assert!(weighed(&FIELD, &DUG, &odds(0.0, 0.0), &table, ["a", "b"]).iter().any(|&label| label == 1));
}

#[test]
fn what_only_the_pixels_show_is_unclassified_or_has_a_natural_reason() {
    let mut table = table();
    table.unclassified =
        Some(crate::classes::Unclassified { minimum_score: 0.5, minimum_width_px: 3, minimum_area_m2: 0.0 });
    let shown = odds(2.0, 0.0);
    // the table has no row from b to a
    let all = |labels: &Array2<u8>, wanted: u8| labels.iter().all(|&label| label == wanted);
    assert!(all(&weighed(&FIELD, &FIELD, &shown, &table, ["a", "b"]), UNCLASSIFIED));
    let row =
        crate::classes::Natural { reason: "season".to_owned(), from: vec!["a".to_owned()], to: vec!["a".to_owned()] };
    table.natural.push(row);
    let by_itself = weighed(&FIELD, &FIELD, &shown, &table, ["a", "b"]);
    assert!(all(&by_itself, FIRST_NATURAL));
    assert_eq!(suppressed(FIRST_NATURAL, &table), Some("season"));
    // an object is no season
    assert!(all(&weighed(&FIELD, &FIELD, &odds(2.0, 2.0), &table, ["a", "b"]), UNCLASSIFIED));
    assert!(suppressed(UNCLASSIFIED, &table).is_none() && suppressed(1, &table).is_none());
}

#[test]
fn water_that_comes_and_goes_where_it_always_did_is_suppressed() {
    let names = ["water", "b"];
    let mut table = table();
    table.transitions[0].from = vec!["water".to_owned()];
    let row = |reason: &str| crate::classes::Natural {
        reason: reason.to_owned(),
        from: vec!["water".to_owned()],
        to: vec!["water".to_owned()],
    };
    table.natural.push(row("water_level"));
    let classes = ModelClasses::one_head(names.map(str::to_owned).to_vec());
    let tracked = Tracked::of(&classes);
    let later = scores(&DUG);
    let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
    let label = |history: &[&[&str]]| {
        let mut reference = Reference::new(&later);
        let mut belief = Belief::unknown(later.grid, later.window, &tracked);
        for date in history {
            belief.update(&scores(date), &tracked, None);
        }
        reference.feed(0, scores(&FIELD));
        reference.believe(belief, tracked.clone());
        ToldByClasses::new(&reference, &later, core, &table, &classes).weighed(Some(&odds(2.0, 0.0))).labels[(2, 3)]
    };
    assert_eq!(label(&[&FIELD, &FIELD, &FIELD, &FIELD]), 1, "always water: filled in");
    assert_eq!(label(&[&FIELD, &DUG, &DUG, &FIELD, &FIELD, &FIELD]), FIRST_NATURAL, "wet and dry by turns");
}

#[test]
fn what_stood_on_a_bar_that_is_under_water_is_no_object_that_came() {
    let classes = ModelClasses {
        names: ["water", "bare", "no_object", "heap"].map(str::to_owned).to_vec(),
        heads: vec![0..2, 2..4],
    };
    let with = |land: &[&str], heap: u8| {
        let land = scores(land);
        let of = |value: u8| Array3::from_elem((1, 11, 12), value);
        let parts = [land.probabilities.view(), of(255 - heap).view(), of(heap).view()].map(|part| part.to_owned());
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        Scores { probabilities: ndarray::concatenate(Axis(0), &views).expect("of one size"), ..land }
    };
    let mut table = table();
    table.transitions.clear();
    table.unclassified =
        Some(crate::classes::Unclassified { minimum_score: 0.5, minimum_width_px: 3, minimum_area_m2: 0.0 });
    let of = |class: &str| vec![class.to_owned()];
    let row = crate::classes::Natural { reason: "water_level".to_owned(), from: of("bare"), to: of("water") };
    table.natural.push(row);
    let label = |heap_before: u8, heap_after: u8| {
        let later = with(&["aaaaaaaaaaaa"; 11], heap_after);
        let mut reference = Reference::new(&later);
        reference.feed(0, with(&["bbbbbbbbbbbb"; 11], heap_before));
        let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
        let told = ToldByClasses::new(&reference, &later, core, &table, &classes);
        told.weighed(Some(&odds(2.0, 2.0))).labels[(2, 3)]
    };
    assert_eq!(label(200, 10), FIRST_NATURAL, "it went under with the bar");
    assert_eq!(label(10, 200), UNCLASSIFIED, "it stands in the water");
}

/// `a` and `b` are land cover; of the second head, `c` is nothing and `d` a heap.
#[test]
fn each_head_is_compared_within_itself() {
    let with_heap = |heap: u8| {
        let land = scores(&["aaaaaaaaaaaa"; 11]);
        let heaps = Array3::from_shape_fn((2, 11, 12), |(class, row, col)| {
            let is_heap = (3..8).contains(&row) && (4..9).contains(&col);
            match (class, is_heap) {
                (1, true) => heap,
                (0, true) => 255 - heap,
                (1, false) => 10,
                _ => 245,
            }
        });
        let probabilities = ndarray::concatenate(Axis(0), &[land.probabilities.view(), heaps.view()]);
        Scores { probabilities: probabilities.expect("of one size"), ..land }
    };
    let classes = ModelClasses { names: ["a", "b", "c", "d"].map(str::to_owned).to_vec(), heads: vec![0..2, 2..4] };
    let mut table = table();
    table.transitions[0].from = vec!["c".to_owned()];
    table.transitions[0].to[0].class = "d".to_owned();
    assert_eq!(table.faults(&classes), [""; 0]);
    let (before, after) = (with_heap(10), with_heap(200));
    let mut reference = Reference::new(&after);
    reference.feed(0, before);
    let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
    let map = ToldByClasses::new(&reference, &after, core, &table, &classes).weighed(None);
    assert_eq!(map.labels, painted(&["..111.", ".11111", ".11111", ".11111", "..111."]));
    // under the label the classes of the second head, elsewhere those of the first
    assert_eq!(map.class_after, map.labels.mapv(|label| if label == 1 { 3 } else { 0 }));
    assert_eq!(map.class_before, map.labels.mapv(|label| if label == 1 { 2 } else { 0 }));

    table.transitions[0].from.push("a".to_owned());
    let faults = table.faults(&classes);
    assert!(faults.len() == 1 && faults[0].contains("classes in from are of 2 heads"), "{faults:?}");
}
