//! What changed between two dates, told from the class probabilities of both.
//!
//! For a row of the table with classes `F` → `T`, let `P(F)` before and `P(T)` after be the summed probabilities,
//! each averaged over 3×3 observed pixels (a plain difference of class maps is worse than this on public change sets).
//! The confidence of the row at a pixel is `min(P_before(F), P_after(T))`: both dates must speak. Slivers from
//! misregistration are removed by opening with a 3×3 square: only ground that holds a whole square of one change stays.
//!
//! Everything is local: the result at a pixel depends on the [`MARGIN_PX`] pixels around it and on nothing else, so it
//! does not depend on how the ground was tiled.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Zip, s};

use crate::classes::ClassTable;
use crate::grid::Window;
use crate::observed::Causes;
use crate::raster::Scores;

/// Pixels around a window that [`suspected_changes`] needs: one for the mean, two for the opening.
pub const MARGIN_PX: usize = 3;

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
}

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
    threshold: f32,
}

/// The suspected changes between the reference and the later scores, inside `core`.
///
/// Both inputs must cover `core` grown by [`MARGIN_PX`]. `class_names` are the model's, in the order of the scores.
///
/// # Panics
/// The windows do not cover what they must; the table was not checked with [`ClassTable::faults`].
#[must_use]
pub fn suspected_changes(
    reference: &Reference,
    later: &Scores,
    core: Window,
    table: &ClassTable,
    class_names: &[String],
) -> ChangeMap {
    assert_eq!(reference.scores.window, later.window, "both dates cover one window");
    let work = core.grown(MARGIN_PX);
    let (rows, cols) = later.window.ranges_of(&work);
    let both = Zip::from(reference.scores.causes.slice(s![rows.clone(), cols.clone()]))
        .and(later.causes.slice(s![rows.clone(), cols.clone()]))
        .map_collect(|before, after| before.is_observed() && after.is_observed());
    let before = reference.scores.probabilities.slice(s![.., rows.clone(), cols.clone()]);
    let after = later.probabilities.slice(s![.., rows, cols]);

    let mut labels = Array2::from_elem(work.shape(), NO_CHANGE);
    let mut confidence = Array2::<f32>::zeros(work.shape());
    for rule in rules(table, class_names) {
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
    let opened = open_3x3(labels.view());

    let (rows, cols) = work.ranges_of(&core);
    let labels = opened.slice(s![rows.clone(), cols.clone()]).to_owned();
    let confidence = Zip::from(&labels)
        .and(confidence.slice(s![rows, cols]))
        .map_collect(|&label, &score| if label == NO_CHANGE { 0 } else { score.round().clamp(1.0, 255.0) as u8 });
    let (rows, cols) = later.window.ranges_of(&core);
    ChangeMap {
        window: core,
        labels,
        confidence,
        earlier: reference.earlier.slice(s![rows.clone(), cols.clone()]).to_owned(),
        causes: later.causes.slice(s![rows, cols]).to_owned(),
    }
}

fn rules(table: &ClassTable, class_names: &[String]) -> Vec<Rule> {
    let ids = |names: &[String]| -> Vec<usize> {
        names.iter().filter_map(|name| class_names.iter().position(|class| class == name)).collect()
    };
    table
        .transitions
        .iter()
        .map(|row| Rule {
            id: row.id,
            from: ids(&row.from),
            to: ids(&row.to),
            threshold: (row.minimum_confidence * 255.0) as f32,
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

/// Morphological opening of every label by a 3×3 square: pixels that lie in no whole square of their label become
/// [`NO_CHANGE`].
fn open_3x3(labels: ArrayView2<'_, u8>) -> Array2<u8> {
    let (rows, cols) = labels.dim();
    let mut opened = Array2::from_elem((rows, cols), NO_CHANGE);
    for row in 1..rows.saturating_sub(1) {
        for col in 1..cols.saturating_sub(1) {
            let label = labels[(row, col)];
            if label == NO_CHANGE {
                continue;
            }
            let square = s![row - 1..=row + 1, col - 1..=col + 1];
            if labels.slice(square).iter().all(|&near| near == label) {
                opened.slice_mut(square).fill(label);
            }
        }
    }
    opened
}
