//! The one trait behind which every segmenter stands.

use ndarray::{Array3, ArrayView2, ArrayView3};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::sensor::BandRole;

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::manifest::ClassDefinition;

/// Turns reflectance into class probabilities.
///
/// Several worker threads call one segmenter at the same time, each with a window of its own. Results depend on the
/// window only, not on threads or order.
pub trait Segmenter: Send + Sync {
    /// What it needs and what it gives.
    fn description(&self) -> &SegmenterDescription;

    /// Class probabilities of the inner part of one window, quantised: what the pipeline calls.
    ///
    /// `reflectance` is (band, row, col) in the order of [`SegmenterDescription::bands`]; `observed` is (row, col).
    /// Values of unobserved pixels are not looked at (NaN is fine there): the model sees its mean instead. The window
    /// begins at a multiple of [`alignment_px`](SegmenterDescription::alignment_px) of the grid; it may end anywhere.
    ///
    /// `crop` pixels are left off on each side of the answer. For results that do not depend on how the ground was cut
    /// into windows it must be at least [`halo_px`](SegmenterDescription::halo_px); with less, pixels near the edge
    /// are judged as if nothing lay beyond it.
    ///
    /// The answer is (class, row, col), each `probability × 255` rounded; 0 in every class where unobserved.
    ///
    /// # Errors
    /// The arrays do not fit the model or each other, an observed pixel is not finite, or the backend failed.
    fn segment_window(
        &self,
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<u8>, ModelError>;

    /// The same in full precision: (class, row, col), sums to 1 over the classes where observed, 0 where not. For
    /// calibration and comparison; four times the memory.
    ///
    /// # Errors
    /// As [`Segmenter::segment_window`].
    fn probabilities(
        &self,
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<f32>, ModelError>;
}

/// What a segmenter needs and what it gives.
#[derive(Clone, PartialEq, Debug)]
pub struct SegmenterDescription {
    /// Name.
    pub name: String,
    /// Version, `major.minor.patch`.
    pub version: String,
    /// What it *is*: results with another digest are other results.
    pub digest: Digest,
    /// The bands it takes, in order.
    pub bands: Vec<BandRole>,
    /// Finest pixel it was made for, in metres.
    pub ground_sampling_distance_min_m: f64,
    /// Coarsest pixel it was made for, in metres.
    pub ground_sampling_distance_max_m: f64,
    /// Side of the square that it runs at once, without the halo, in pixels.
    pub tile_px: usize,
    /// How far it looks beyond a pixel, in pixels.
    pub halo_px: usize,
    /// Windows begin at multiples of this many pixels of the grid.
    pub alignment_px: usize,
    /// The classes, by id from 0.
    pub classes: Vec<ClassDefinition>,
}

impl SegmenterDescription {
    /// The description of a bundle.
    #[must_use]
    pub fn of_bundle(bundle: &Bundle) -> Self {
        let manifest = bundle.manifest();
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: bundle.digest(),
            bands: manifest.input.bands.iter().map(|band| band.role).collect(),
            ground_sampling_distance_min_m: manifest.input.ground_sampling_distance_min_m,
            ground_sampling_distance_max_m: manifest.input.ground_sampling_distance_max_m,
            tile_px: manifest.input.tile_px,
            halo_px: manifest.input.halo_px,
            alignment_px: manifest.input.alignment_px,
            classes: manifest.classes.clone(),
        }
    }

    /// The names of the classes, by id.
    #[must_use]
    pub fn class_names(&self) -> Vec<String> {
        self.classes.iter().map(|class| class.name.clone()).collect()
    }

    /// Refuses a pass that lacks bands of the model, or pixels that are too fine or too coarse for it.
    ///
    /// # Errors
    /// The first of the two that fails, with what was needed and what is there.
    pub fn check_fits(&self, available: &[BandRole], ground_sampling_distance_m: f64) -> Result<(), ModelError> {
        let missing: Vec<_> = self.bands.iter().copied().filter(|role| !available.contains(role)).collect();
        if !missing.is_empty() {
            return Err(ModelError::MissingBands {
                model: self.name.clone(),
                needed: self.bands.clone(),
                available: available.to_vec(),
                missing,
            });
        }
        let (minimum_m, maximum_m) = (self.ground_sampling_distance_min_m, self.ground_sampling_distance_max_m);
        if !(minimum_m..=maximum_m).contains(&ground_sampling_distance_m) {
            return Err(ModelError::GroundSamplingDistance {
                model: self.name.clone(),
                minimum_m,
                maximum_m,
                got_m: ground_sampling_distance_m,
            });
        }
        Ok(())
    }

    /// The size of the answer (class, row, col) to a window; refuses arrays that do not fit the model or each other.
    pub(crate) fn answer_size(
        &self,
        reflectance: &ArrayView3<'_, f32>,
        observed: &ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<(usize, usize, usize), ModelError> {
        let (bands, rows, cols) = reflectance.dim();
        let fault = |what, expected, got| ModelError::Window { model: self.name.clone(), what, expected, got };
        if bands != self.bands.len() {
            return Err(fault("bands of the reflectance", self.bands.len().to_string(), bands.to_string()));
        }
        if observed.dim() != (rows, cols) {
            return Err(fault(
                "shape of the observed mask (row, col)",
                format!("{:?}", (rows, cols)),
                format!("{:?}", observed.dim()),
            ));
        }
        if crop.saturating_mul(2) >= rows.min(cols) {
            return Err(fault(
                "crop on each side, in pixels",
                format!("less than half of {rows} rows and {cols} cols"),
                crop.to_string(),
            ));
        }
        Ok((self.classes.len(), rows - 2 * crop, cols - 2 * crop))
    }
}

/// An array of `size` (class, row, col) from its values in that order.
pub(crate) fn answer<T>(size: (usize, usize, usize), values: Vec<T>) -> Array3<T> {
    Array3::from_shape_vec(size, values).unwrap_or_else(|_| unreachable!("as many values as the size says"))
}
