//! A network that is shown two dates and tells what changed between them: a bundle of kind `bitemporal`.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayView3, Zip, s};
use shorewatch_domain::sensor::BandRole;

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::Picture;
use crate::load::{Options, tiled};
use crate::manifest::Kind;
use crate::network::TiledNetwork;
use crate::segmenter::SegmenterDescription;

/// Channel of the class "changed".
const CHANGED_ID: usize = 1;

/// Turns the reflectance of two dates into the probability of change.
///
/// Several worker threads call one network at the same time, each with a window of its own. Results depend on the
/// window only, not on threads, order or tiles.
pub struct ChangeNetwork(pub(crate) TiledNetwork);

impl ChangeNetwork {
    /// Loads one form of a bundle, and holds the network against its manifest by the dry run of [`load`](crate::load()).
    ///
    /// # Errors
    /// The bundle is of another kind; else as [`load`](crate::load()).
    pub fn load(bundle: &Bundle, options: &Options) -> Result<Self, ModelError> {
        bundle.expect_kind(Kind::Bitemporal)?;
        tiled(bundle, options).map(Self)
    }

    /// What it needs and what it gives. The bands are those of one date.
    #[must_use]
    pub const fn description(&self) -> &SegmenterDescription {
        self.0.description()
    }

    /// The calibrated probability of change (0..1) of the inner part of one window, (row, col).
    ///
    /// `before` and `after` are the reflectance (band, row, col) of the earlier and the later date on one grid, of one
    /// size; `bands` says what each of their planes is: the bands of one of [`SegmenterDescription::band_sets`], in any
    /// order. `observed` is (row, col): true where both dates are observed. Values of other pixels are not looked at (NaN
    /// is fine there): the network sees its mean instead, and the answer is 0. The window begins at a multiple of
    /// [`alignment_px`](SegmenterDescription::alignment_px) of the grid; it may end anywhere.
    ///
    /// `crop` pixels are left off on each side of the answer. For results that do not depend on how the ground was cut
    /// into windows it must be at least [`halo_px`](SegmenterDescription::halo_px); with less, pixels near the edge
    /// are judged as if nothing lay beyond it.
    ///
    /// # Errors
    /// The arrays do not fit the model or each other, an observed pixel is not finite, or the backend failed.
    pub fn changed_window(
        &self,
        bands: &[BandRole],
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array2<f32>, ModelError> {
        let picture = Picture { bands, dates: &[before, after], observed };
        let (_, rows, cols) = self.description().answer_size(&picture, crop)?;
        let mut changed = Array2::zeros((rows, cols));
        let take = |class: usize, row: usize, kept: Range<usize>, probabilities: &[f32]| {
            if class == CHANGED_ID {
                let to = changed.slice_mut(s![row - crop, kept.start - crop..kept.end - crop]);
                let observed = observed.slice(s![row, kept]);
                Zip::from(to).and(observed).and(probabilities).for_each(|to, observed, probability| {
                    *to = if *observed { *probability } else { 0.0 };
                });
            }
        };
        match self.0.network().probabilities() {
            Some(network) => self.0.for_each_row(network, &picture, crop, CHANGED_ID..CHANGED_ID + 1, take)?,
            None => self.0.for_each_run(&picture, crop, take)?,
        }
        Ok(changed)
    }
}

#[cfg(test)]
mod tests;
