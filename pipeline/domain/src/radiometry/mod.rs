//! Radiometric evidence of change between two dates of one lattice, without asking what the classes are.
//!
//! | module | holds |
//! |---|---|
//! | [`sample`] | observed pixels of both dates, drawn on a coarser lattice, for the statistics |
//! | [`change_vector`] | change vector analysis: how far a pixel moved in the space of the standardised bands |
//! | [`mad`] | iteratively re-weighted multivariate alteration detection: what did not change, and how surely |
//! | [`normalisation`] | one date's radiometry brought to the other's over what did not change |
//! | [`smoothing`] | means over the observed pixels around each |
//! | [`clouds`] | cloud, thick haze and shadows of clouds on either date, where no quality band says so |
//! | [`chi_square`] | the survival function that the weights are made of |
//!
//! Each method is in two steps: the statistics come from a [`PairSample`], which may be gathered over a whole pass, and
//! are then applied to any window. The second step is local, so its result does not depend on how the ground was tiled.
//!
//! Arrays are reflectance (band, row, col), the bands in the same order on both dates, and `observed` (row, col): true
//! where *both* dates were observed. Reflectance must be finite there. Evidence is NaN where `observed` is false, and
//! only there: no comparison with a threshold holds for it, so the unobserved is neither change nor "no change".

use ndarray::{Array2, ArrayBase, ArrayView2, ArrayView3, Axis, CowArray, Data, Ix3};

pub mod change_vector;
pub mod chi_square;
pub mod clouds;
pub mod mad;
pub mod normalisation;
pub mod sample;
pub mod smoothing;

#[cfg(test)]
mod scenes;

pub use change_vector::{ChangeVector, change_vector_magnitude};
pub use clouds::{CloudMap, CloudSettings, PairBlocks, WhiteScale};
pub use mad::{Mad, MadMap, MadSettings};
pub use normalisation::Normalisation;
pub use sample::PairSample;
pub use smoothing::{smoothed, smoothed_lines};

/// Pixels that are worked on together: arrays of fixed length, which the compiler turns into vector code.
const RUN_PX: usize = 64;

/// An array (band, row, col) whose rows are slices: as it is where they are, else a copy.
pub(crate) fn in_lines<T: Clone>(pixels: ArrayView3<'_, T>) -> CowArray<'_, T, Ix3> {
    if pixels.strides()[2] == 1 { pixels.into() } else { pixels.as_standard_layout().into_owned().into() }
}

/// A slice for each band of one row of an array (band, row, col) whose rows are slices.
#[must_use]
pub fn line_of<'a, T, S: Data<Elem = T>>(pixels: &'a ArrayBase<S, Ix3>, row: usize) -> Vec<&'a [T]> {
    let line = |plane: ArrayView2<'a, T>| plane.index_axis_move(Axis(0), row).to_slice().unwrap_or_default();
    pixels.outer_iter().map(line).collect()
}

/// An array (row, col) of which `fill` writes each row from a slice for each band of both dates; NaN where not observed.
///
/// # Panics
/// The shapes differ.
fn line_by_line(
    before: ArrayView3<'_, f32>,
    after: ArrayView3<'_, f32>,
    observed: ArrayView2<'_, bool>,
    fill: impl Fn(&[&[f32]], &[&[f32]], &mut [f32]),
) -> Array2<f32> {
    let (_, rows, cols) = common_shape(before, after, observed);
    let (before, after) = (in_lines(before), in_lines(after));
    let mut values = Array2::zeros((rows, cols));
    for (row, (mut line, observed)) in values.outer_iter_mut().zip(observed.outer_iter()).enumerate() {
        if let Some(line) = line.as_slice_mut() {
            fill(&line_of(&before, row), &line_of(&after, row), line);
        }
        line.zip_mut_with(&observed, |value, &observed| *value = if observed { *value } else { f32::NAN });
    }
    values
}

/// Checks that both dates and the mask are of one shape, and returns it (bands, rows, cols).
///
/// # Panics
/// They are not.
fn common_shape(
    before: ArrayView3<'_, f32>,
    after: ArrayView3<'_, f32>,
    observed: ArrayView2<'_, bool>,
) -> (usize, usize, usize) {
    let (bands, rows, cols) = before.dim();
    assert_eq!(before.dim(), after.dim(), "both dates have the same bands and cover one window");
    assert_eq!((rows, cols), observed.dim(), "the mask covers the window of the pixels");
    (bands, rows, cols)
}
