//! What changed between two dates, told from the class probabilities of both.
//!
//! For a row of the table with classes `F` → `T`, let `P(F)` before and `P(T)` after be the summed probabilities,
//! each averaged over 3×3 observed pixels (a plain difference of class maps is worse than this on public change sets).
//! The confidence of the row at a pixel is `min(P_before(F), P_after(T))`: both dates must speak. Slivers from
//! misregistration and moved shorelines are removed by morphological opening (Serra 1982): only ground that holds a whole
//! square of one change, of the row's minimum width, stays.
//!
//! A model may have several heads, each with probabilities that add up to 1. The classes of each side of a row are of one
//! head, and the most probable class is asked within one head: the first one (land cover), or that of the row which fits.
//!
//! Everything is local: the result at a pixel depends on the [`margin_px`] pixels around it and on nothing else, so it
//! does not depend on how the ground was tiled.

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis, Slice, Zip, s};

use crate::classes::{ClassTable, ModelClasses};
use crate::grid::Window;
use crate::observed::Causes;
use crate::raster::Scores;

/// Pixels around a window that [`suspected_changes`] needs: one for the mean, the rest for the opening.
#[must_use]
pub fn margin_px(table: &ClassTable) -> usize {
    table.widest_px()
}

/// Label of a pixel without a suspected change.
pub const NO_CHANGE: u8 = 0;

/// Index in [`ChangeMap::earlier`] of a pixel that no earlier pass observed.
pub const NO_EARLIER: u8 = u8::MAX;

/// Suspected changes of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeMap {
    /// The pixels that are covered.
    pub window: Window,
    /// Transition id, or [`NO_CHANGE`] (row, col).
    pub labels: Array2<u8>,
    /// Confidence × 255, rounded; 0 without a label (row, col).
    pub confidence: Array2<u8>,
    /// Which earlier pass the pixel was compared with (0 = the latest), or [`NO_EARLIER`] (row, col).
    pub earlier: Array2<u8>,
    /// Why the later pass did not observe the pixel (row, col).
    pub causes: Array2<Causes>,
    /// Most probable class before, or [`NO_CLASS`] where no earlier pass observed the pixel (row, col). Of the first head;
    /// under a label, of the head of the row's classes before.
    pub class_before: Array2<u8>,
    /// Most probable class after, or [`NO_CLASS`] where the later pass did not observe the pixel (row, col). Of the first
    /// head; under a label, of the head of the row's classes after.
    pub class_after: Array2<u8>,
}

/// Class of an unobserved pixel.
pub const NO_CLASS: u8 = u8::MAX;

/// Earlier scores fused into one reference: for each pixel the latest date that observed it.
#[derive(Clone, Debug)]
pub struct Reference {
    scores: Scores,
    earlier: Array2<u8>,
}

impl Reference {
    /// A reference that knows nothing yet.
    #[must_use]
    pub fn new(like: &Scores) -> Self {
        let shape = like.window.shape();
        Self {
            scores: Scores {
                grid: like.grid,
                window: like.window,
                probabilities: Array3::zeros(like.probabilities.raw_dim()),
                causes: Array2::from_elem(shape, Causes::OUTSIDE),
            },
            earlier: Array2::from_elem(shape, NO_EARLIER),
        }
    }

    /// Fills what is still unknown from the next older pass, number `index` counted back from the latest.
    ///
    /// # Panics
    /// The windows differ.
    pub fn feed(&mut self, index: u8, older: &Scores) {
        assert_eq!(self.scores.window, older.window, "scores of one unit cover one window");
        for ((place, cause), taken) in self.scores.causes.indexed_iter_mut().zip(&older.causes) {
            if !cause.is_observed() && taken.is_observed() {
                *cause = Causes::OBSERVED;
                self.earlier[place] = index;
                self.scores.probabilities.slice_mut(s![.., place.0, place.1]).assign(&older.probabilities.slice(s![
                    ..,
                    place.0,
                    place.1
                ]));
            }
        }
    }

    /// True when no older pass could add anything.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.earlier.iter().all(|&index| index != NO_EARLIER)
    }
}

/// A row of the table by class ids.
struct Rule {
    id: u8,
    from: Vec<usize>,
    to: Vec<usize>,
    /// Heads of the classes before and after.
    heads: [usize; 2],
    threshold: f32,
    width: usize,
}

/// The suspected changes between the reference and the later scores, inside `core`.
///
/// Both inputs must cover `core` grown by [`margin_px`]. `classes` are the model's, in the order of the scores.
///
/// # Panics
/// The windows do not cover what they must; the table was not checked with [`ClassTable::faults`].
#[must_use]
pub fn suspected_changes(
    reference: &Reference,
    later: &Scores,
    core: Window,
    table: &ClassTable,
    classes: &ModelClasses,
) -> ChangeMap {
    assert_eq!(reference.scores.window, later.window, "both dates cover one window");
    let work = core.grown(margin_px(table));
    let (rows, cols) = later.window.ranges_of(&work);
    let both = Zip::from(reference.scores.causes.slice(s![rows.clone(), cols.clone()]))
        .and(later.causes.slice(s![rows.clone(), cols.clone()]))
        .map_collect(|before, after| before.is_observed() && after.is_observed());
    let before = reference.scores.probabilities.slice(s![.., rows.clone(), cols.clone()]);
    let after = later.probabilities.slice(s![.., rows, cols]);

    let mut labels = Array2::from_elem(work.shape(), NO_CHANGE);
    let mut confidence = Array2::<f32>::zeros(work.shape());
    let rules = rules(table, classes);
    for rule in &rules {
        let before = mean_3x3(&summed(before, &rule.from), both.view());
        let after = mean_3x3(&summed(after, &rule.to), both.view());
        Zip::from(&mut labels).and(&mut confidence).and(&before).and(&after).and(&both).for_each(
            |label, best, &before, &after, &both| {
                let score = before.min(after);
                if both && score >= rule.threshold && score > *best {
                    *label = rule.id;
                    *best = score;
                }
            },
        );
    }
    let opened = opened(labels.view(), |label| rules.iter().find(|rule| rule.id == label).map_or(1, |rule| rule.width));

    let (rows, cols) = work.ranges_of(&core);
    let labels = opened.slice(s![rows.clone(), cols.clone()]).to_owned();
    let confidence = Zip::from(&labels)
        .and(confidence.slice(s![rows, cols]))
        .map_collect(|&label, &score| if label == NO_CHANGE { 0 } else { score.round().clamp(1.0, 255.0) as u8 });
    let class_before = codes_by_label(&reference.scores, core, &labels, &rules, 0, classes);
    let class_after = codes_by_label(later, core, &labels, &rules, 1, classes);
    let (rows, cols) = later.window.ranges_of(&core);
    ChangeMap {
        window: core,
        labels,
        confidence,
        earlier: reference.earlier.slice(s![rows.clone(), cols.clone()]).to_owned(),
        causes: later.causes.slice(s![rows, cols]).to_owned(),
        class_before,
        class_after,
    }
}

/// Pixels that are worked on together: arrays of fixed length, which the compiler turns into vector code.
const RUN_PX: usize = 64;

/// The most probable class of the first head; where a row of the table labels a pixel, of the head of that row's classes
/// before (`side` 0) or after (1).
fn codes_by_label(
    scores: &Scores,
    core: Window,
    labels: &Array2<u8>,
    rules: &[Rule],
    side: usize,
    classes: &ModelClasses,
) -> Array2<u8> {
    let mut codes = class_codes(scores, core, classes.heads[0].clone());
    for (number, head) in classes.heads.iter().enumerate().skip(1) {
        let of_head = |label: u8| rules.iter().any(|rule| rule.id == label && rule.heads[side] == number);
        if labels.iter().any(|&label| of_head(label)) {
            let others = class_codes(scores, core, head.clone());
            Zip::from(&mut codes).and(labels).and(&others).for_each(|code, &label, &other| {
                *code = if of_head(label) { other } else { *code };
            });
        }
    }
    codes
}

/// The most probable of `classes` (ids of one head) at each pixel of `window` (row, col), [`NO_CLASS`] where unobserved.
/// The lowest id wins a tie.
///
/// # Panics
/// `window` is not inside the scores' window, or the scores have no such classes.
#[must_use]
pub fn class_codes(scores: &Scores, window: Window, classes: Range<usize>) -> Array2<u8> {
    let (rows, cols) = scores.window.ranges_of(&window);
    let first_id = classes.start as u8;
    let of_head = scores.probabilities.slice_axis(Axis(0), Slice::from(classes));
    let (probabilities, causes) = (of_head.as_standard_layout(), scores.causes.as_standard_layout());
    let (values, causes) = (probabilities.as_slice().unwrap_or_default(), causes.as_slice().unwrap_or_default());
    let width = scores.window.cols;
    let plane = scores.window.len().max(1);
    let mut codes = Array2::<u8>::zeros(window.shape());
    pulp::Arch::new().dispatch(|| {
        for (row, mut codes) in rows.zip(codes.outer_iter_mut()) {
            let mut codes = codes.as_slice_mut().unwrap_or_default();
            let mut first = row * width + cols.start;
            while !codes.is_empty() {
                let (run, beyond) = codes.split_at_mut(RUN_PX.min(codes.len()));
                let (mut best, mut code, mut value) = ([0_u8; RUN_PX], [first_id; RUN_PX], [0_u8; RUN_PX]);
                for (id, plane) in (first_id..).zip(values.chunks_exact(plane)) {
                    value[..run.len()].copy_from_slice(&plane[first..first + run.len()]);
                    for i in 0..RUN_PX {
                        code[i] = if value[i] > best[i] { id } else { code[i] };
                        best[i] = best[i].max(value[i]);
                    }
                }
                for ((to, code), cause) in run.iter_mut().zip(&code).zip(&causes[first..]) {
                    *to = if cause.is_observed() { *code } else { NO_CLASS };
                }
                first += run.len();
                codes = beyond;
            }
        }
    });
    codes
}

fn rules(table: &ClassTable, classes: &ModelClasses) -> Vec<Rule> {
    let id = |name: &String| classes.id(name);
    let head = |name: Option<&String>| name.and_then(|name| classes.head(name)).unwrap_or(0);
    table
        .transitions
        .iter()
        .map(|row| Rule {
            id: row.id,
            from: row.from.iter().filter_map(id).collect(),
            to: row.to.iter().filter_map(|outcome| id(&outcome.class)).collect(),
            heads: [head(row.from.first()), head(row.to.first().map(|outcome| &outcome.class))],
            threshold: (row.minimum_confidence * 255.0) as f32,
            width: row.minimum_width_px,
        })
        .collect()
}

/// Summed probabilities × 255 of some classes (row, col).
fn summed(probabilities: ArrayView3<'_, u8>, classes: &[usize]) -> Array2<u16> {
    let (_, rows, cols) = probabilities.dim();
    let mut sum = Array2::zeros((rows, cols));
    for &class in classes {
        Zip::from(&mut sum)
            .and(probabilities.slice(s![class, .., ..]))
            .for_each(|sum, &value| *sum += u16::from(value));
    }
    sum
}

/// Mean over the valid pixels of 3×3; 0 where the centre is not valid.
fn mean_3x3(values: &Array2<u16>, valid: ArrayView2<'_, bool>) -> Array2<f32> {
    let (rows, cols) = values.dim();
    let mut mean = Array2::zeros((rows, cols));
    for row in 0..rows {
        let around = row.saturating_sub(1)..(row + 2).min(rows);
        for col in 0..cols {
            if !valid[(row, col)] {
                continue;
            }
            let (mut sum, mut count) = (0_u32, 0_u32);
            for near_row in around.clone() {
                for near_col in col.saturating_sub(1)..(col + 2).min(cols) {
                    if valid[(near_row, near_col)] {
                        sum += u32::from(values[(near_row, near_col)]);
                        count += 1;
                    }
                }
            }
            mean[(row, col)] = sum as f32 / count as f32;
        }
    }
    mean
}

/// Morphological opening of every label by a square whose edge the label decides: pixels that lie in no whole square of
/// their label become [`NO_CHANGE`].
fn opened(labels: ArrayView2<'_, u8>, width_of: impl Fn(u8) -> usize) -> Array2<u8> {
    let (rows, cols) = labels.dim();
    let mut widths = [1_usize; 256];
    for (label, width) in widths.iter_mut().enumerate() {
        *width = width_of(label as u8).max(1);
    }
    let mut opened = Array2::from_elem((rows, cols), NO_CHANGE);
    // rows above, this one included, in which a run of the label's width ends at this column
    let mut height = vec![0_usize; cols];
    for row in 0..rows {
        let mut run = 0;
        for col in 0..cols {
            let label = labels[(row, col)];
            run = if col > 0 && labels[(row, col - 1)] == label { run + 1 } else { 1 };
            if label == NO_CHANGE || run < widths[usize::from(label)] {
                height[col] = 0;
                continue;
            }
            let continues = row > 0 && labels[(row - 1, col)] == label;
            height[col] = if continues { height[col] + 1 } else { 1 };
            let width = widths[usize::from(label)];
            if height[col] >= width {
                opened.slice_mut(s![row + 1 - width..=row, col + 1 - width..=col]).fill(label);
            }
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::{IssueClass, Outcome, Transition};
    use crate::crs::Epsg;
    use crate::grid::Grid;

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
        ClassTable { schema_version: 1, transitions: vec![row] }
    }

    fn changes(before: &[&[&str]], after: &[&str]) -> ChangeMap {
        let later = scores(after);
        let mut reference = Reference::new(&later);
        for (index, older) in before.iter().enumerate() {
            reference.feed(index as u8, &scores(older));
        }
        let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
        suspected_changes(
            &reference,
            &later,
            core,
            &table(),
            &ModelClasses::one_head(vec!["a".to_owned(), "b".to_owned()]),
        )
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
        reference.feed(0, &before);
        let core = Window { row: 3, col: 3, rows: 5, cols: 6 };
        let map = suspected_changes(&reference, &after, core, &table, &classes);
        assert_eq!(map.labels, painted(&["..111.", ".11111", ".11111", ".11111", "..111."]));
        // under the label the classes of the second head, elsewhere those of the first
        assert_eq!(map.class_after, map.labels.mapv(|label| if label == 1 { 3 } else { 0 }));
        assert_eq!(map.class_before, map.labels.mapv(|label| if label == 1 { 2 } else { 0 }));

        table.transitions[0].from.push("a".to_owned());
        let faults = table.faults(&classes);
        assert!(faults.len() == 1 && faults[0].contains("classes in from are of 2 heads"), "{faults:?}");
    }
}
