//! The one trait behind which every segmenter stands.

use std::ops::Range;

use ndarray::{Array3, ArrayView2, ArrayView3};
use shorewatch_domain::classes::ModelClasses;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::sensor::BandRole;

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::Picture;
use crate::manifest::{BandSet, ClassDefinition, Format};

/// Turns reflectance into class probabilities.
///
/// Several worker threads call one segmenter at the same time, each with a window of its own. Results depend on the
/// window only, not on threads or order.
pub trait Segmenter: Send + Sync {
    /// What it needs and what it gives.
    fn description(&self) -> &SegmenterDescription;

    /// Class probabilities of the inner part of one window, quantised: what the pipeline calls.
    ///
    /// `reflectance` is (band, row, col) and `bands` says what each of its planes is: the bands of one of
    /// [`SegmenterDescription::band_sets`], in any order. `observed` is (row, col).
    /// Values of unobserved pixels are not looked at (NaN is fine there): the model sees its mean instead. The window
    /// begins at a multiple of [`alignment_px`](SegmenterDescription::alignment_px) of the grid; it may end anywhere.
    ///
    /// `crop` pixels are left off on each side of the answer. For results that do not depend on how the ground was cut
    /// into windows it must be at least [`halo_px`](SegmenterDescription::halo_px); with less, pixels near the edge
    /// are judged as if nothing lay beyond it.
    ///
    /// The answer is (class, row, col), each `probability × 255` rounded; 0 in every class where unobserved. Within each
    /// of [`SegmenterDescription::heads`] the probabilities add up to 1.
    ///
    /// # Errors
    /// The arrays do not fit the model or each other, an observed pixel is not finite, or the backend failed.
    fn segment_window(
        &self,
        bands: &[BandRole],
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<u8>, ModelError>;

    /// The same in full precision: (class, row, col), sums to 1 over the classes of a head where observed, 0 where not.
    /// For calibration and comparison; four times the memory.
    ///
    /// # Errors
    /// As [`Segmenter::segment_window`].
    fn probabilities(
        &self,
        bands: &[BandRole],
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<f32>, ModelError>;
}

/// What a segmenter, or a network of two dates, needs and what it gives.
#[derive(Clone, PartialEq, Debug)]
pub struct SegmenterDescription {
    /// Name.
    pub name: String,
    /// Version, `major.minor.patch`.
    pub version: String,
    /// What it *is*: results with another digest are other results.
    pub digest: Digest,
    /// The bands it takes of one date, in the order of its channels.
    pub bands: Vec<BandRole>,
    /// The sets of bands that suffice.
    pub band_sets: Vec<BandSet>,
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
    /// Ids of the classes of each head.
    pub heads: Vec<Range<usize>>,
}

impl SegmenterDescription {
    /// The description of a bundle that is run in one form. The form is part of the digest: two forms give results that
    /// are close, not equal.
    #[must_use]
    pub fn of_bundle(bundle: &Bundle, format: Format, half_precision: bool) -> Self {
        let manifest = bundle.manifest();
        let precision = if half_precision { "half" } else { "single" };
        let digest = DigestBuilder::new("segmenter").digest("bundle", &bundle.digest()).field("format", format.name());
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: digest.field("precision", precision).finish(),
            bands: manifest.input.bands.iter().map(|band| band.role).collect(),
            band_sets: manifest.input.band_sets.clone(),
            ground_sampling_distance_min_m: manifest.input.ground_sampling_distance_min_m,
            ground_sampling_distance_max_m: manifest.input.ground_sampling_distance_max_m,
            tile_px: manifest.input.tile_px,
            halo_px: manifest.input.halo_px,
            alignment_px: manifest.input.alignment_px,
            classes: manifest.classes.clone(),
            heads: manifest.head_classes(),
        }
    }

    /// The classes and heads, for comparing dates.
    #[must_use]
    pub fn model_classes(&self) -> ModelClasses {
        let names = self.classes.iter().map(|class| class.name.clone()).collect();
        ModelClasses { names, heads: self.heads.clone() }
    }

    /// The set of bands that is used of those that are available: the largest; the first of equals.
    ///
    /// # Errors
    /// No set is wholly there.
    pub fn band_set(&self, available: &[BandRole]) -> Result<&BandSet, ModelError> {
        let fits = |set: &&BandSet| set.roles.iter().all(|role| available.contains(role));
        self.band_sets.iter().rev().filter(fits).max_by_key(|set| set.roles.len()).ok_or_else(|| {
            ModelError::MissingBands {
                model: self.name.clone(),
                sets: self.band_sets.iter().map(|set| set.roles.clone()).collect(),
                available: available.to_vec(),
            }
        })
    }

    /// Refuses a pass with none of the model's sets of bands, or pixels that are too fine or too coarse for it; gives the
    /// bands that are to be read.
    ///
    /// # Errors
    /// The first of the two that fails, with what was needed and what is there.
    pub fn check_fits(&self, available: &[BandRole], ground_sampling_distance_m: f64) -> Result<&BandSet, ModelError> {
        let set = self.band_set(available)?;
        let (minimum_m, maximum_m) = (self.ground_sampling_distance_min_m, self.ground_sampling_distance_max_m);
        if !(minimum_m..=maximum_m).contains(&ground_sampling_distance_m) {
            return Err(ModelError::GroundSamplingDistance {
                model: self.name.clone(),
                minimum_m,
                maximum_m,
                got_m: ground_sampling_distance_m,
            });
        }
        Ok(set)
    }

    /// Which plane of a picture each of the network's bands is; refuses bands that are none of the sets.
    pub(crate) fn planes(&self, bands: &[BandRole]) -> Result<Vec<Option<usize>>, ModelError> {
        let is_set =
            |set: &BandSet| set.roles.len() == bands.len() && set.roles.iter().all(|role| bands.contains(role));
        if !self.band_sets.iter().any(is_set) {
            let sets: Vec<String> = self.band_sets.iter().map(|set| role_names(&set.roles)).collect();
            return Err(self.window_fault("bands", sets.join(" or "), role_names(bands)));
        }
        Ok(self.bands.iter().map(|role| bands.iter().position(|band| band == role)).collect())
    }

    /// The size of the answer (class, row, col) to a window; refuses arrays that do not fit the model or each other.
    pub(crate) fn answer_size(&self, picture: &Picture<'_>, crop: usize) -> Result<(usize, usize, usize), ModelError> {
        let size @ (bands, rows, cols) = picture.dates[0].dim();
        if let Some(later) = picture.dates[1..].iter().find(|later| later.dim() != size) {
            let got = format!("{:?}", later.dim());
            return Err(self.window_fault("shape of the later date (band, row, col)", format!("{size:?}"), got));
        }
        if bands != picture.bands.len() {
            return Err(self.window_fault("planes of the reflectance", picture.bands.len(), bands));
        }
        if picture.observed.dim() != (rows, cols) {
            let got = format!("{:?}", picture.observed.dim());
            return Err(self.window_fault("shape of the observed mask (row, col)", format!("{:?}", (rows, cols)), got));
        }
        if crop.saturating_mul(2) >= rows.min(cols) {
            let expected = format!("less than half of {rows} rows and {cols} cols");
            return Err(self.window_fault("crop on each side, in pixels", expected, crop));
        }
        Ok((self.classes.len(), rows - 2 * crop, cols - 2 * crop))
    }

    fn window_fault(&self, what: &'static str, expected: impl ToString, got: impl ToString) -> ModelError {
        ModelError::Window { model: self.name.clone(), what, expected: expected.to_string(), got: got.to_string() }
    }
}

/// Names of bands in a row, for messages.
pub(crate) fn role_names(roles: &[BandRole]) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

/// An array of `size` (class, row, col) from its values in that order.
pub(crate) fn answer<T>(size: (usize, usize, usize), values: Vec<T>) -> Array3<T> {
    Array3::from_shape_vec(size, values).unwrap_or_else(|_| unreachable!("as many values as the size says"))
}
