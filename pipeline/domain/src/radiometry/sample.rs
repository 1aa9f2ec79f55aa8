//! Observed pixels of both dates, from which the statistics are estimated.

use ndarray::{ArrayView2, ArrayView3};

use super::common_shape;

/// Pixels of a sample by default: on real pairs the probability of no change from as many agrees with that from all
/// pixels of the window to a correlation of 0.99.
pub const SAMPLE_PX: usize = 20_000;

/// Pixels that both dates observed, drawn on a coarser lattice. Windows of one pass may be added one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct PairSample {
    /// Reflectance (band, pixel) before.
    pub(super) before: Vec<Vec<f32>>,
    /// Reflectance (band, pixel) after, of the same pixels.
    pub(super) after: Vec<Vec<f32>>,
}

impl PairSample {
    /// A sample without pixels.
    #[must_use]
    pub fn new(bands: usize) -> Self {
        Self { before: vec![Vec::new(); bands], after: vec![Vec::new(); bands] }
    }

    /// About `wanted_px` observed pixels of one window, at least as many where so many are observed.
    ///
    /// # Panics
    /// The shapes differ.
    #[must_use]
    pub fn of(
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        wanted_px: usize,
    ) -> Self {
        let observed_px = observed.iter().filter(|&&observed| observed).count();
        let mut sample = Self::new(before.dim().0);
        sample.add(before, after, observed, stride_for(observed_px, wanted_px));
        sample
    }

    /// Adds the observed pixels of every `stride`-th row and column of a window. Pixels that are not finite are left
    /// out.
    ///
    /// # Panics
    /// The shapes or the number of bands differ.
    pub fn add(
        &mut self,
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        stride: usize,
    ) {
        let (bands, rows, cols) = common_shape(before, after, observed);
        assert_eq!(bands, self.bands(), "the sample has as many bands as the pixels");
        for row in (0..rows).step_by(stride.max(1)) {
            for col in (0..cols).step_by(stride.max(1)) {
                let finite = |band| f32::is_finite(before[(band, row, col)] + after[(band, row, col)]);
                if observed[(row, col)] && (0..bands).all(finite) {
                    for band in 0..bands {
                        self.before[band].push(before[(band, row, col)]);
                        self.after[band].push(after[(band, row, col)]);
                    }
                }
            }
        }
    }

    /// Number of bands of either date.
    #[must_use]
    pub fn bands(&self) -> usize {
        self.before.len()
    }

    /// Number of pixels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.before.first().map_or(0, Vec::len)
    }

    /// True without pixels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Every how many rows and columns a pixel is drawn, so that of `observed_px` at least `wanted_px` are.
#[must_use]
pub fn stride_for(observed_px: usize, wanted_px: usize) -> usize {
    (observed_px / wanted_px.max(1)).isqrt().max(1)
}

/// Mean and standard deviation of a band: how it is standardised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

impl Spread {
    /// Rounding of f32 and of summed squares alone gives a constant band this deviation, relative to its mean.
    const RELATIVE_DEVIATION_OF_CONSTANT: f64 = 1e-6;

    /// Mean and (population) standard deviation; 0 for both without pixels.
    pub(super) fn of(values: &[f32]) -> Self {
        let count = values.len().max(1) as f64;
        let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
        let variance = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / count;
        Self { mean, deviation: variance.sqrt() }
    }

    /// One over the deviation, or 0 for a band that says nothing because it is constant.
    pub(super) fn scale(self) -> f64 {
        let is_constant = self.deviation <= Self::RELATIVE_DEVIATION_OF_CONSTANT * self.mean.abs();
        if is_constant { 0.0 } else { self.deviation.recip() }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};

    use super::*;

    #[test]
    fn only_observed_pixels_of_the_lattice_are_drawn() {
        let pixels = Array3::from_shape_fn((2, 4, 4), |(band, row, col)| (100 * band + 10 * row + col) as f32);
        let mut after = pixels.mapv(|value| value + 0.5);
        after[(1, 2, 2)] = f32::NAN;
        let observed = Array2::from_shape_fn((4, 4), |place| place != (0, 2));
        let mut sample = PairSample::new(2);
        sample.add(pixels.view(), after.view(), observed.view(), 2);
        assert_eq!(sample.before, [[0.0, 20.0], [100.0, 120.0]]);
        assert_eq!(sample.after, [[0.5, 20.5], [100.5, 120.5]]);
        assert_eq!(PairSample::of(pixels.view(), after.view(), observed.view(), 9).len(), 14);
    }

    #[test]
    fn the_stride_never_starves_the_sample() {
        assert_eq!(stride_for(1 << 20, 20_000), 7);
        assert_eq!(stride_for(100, 20_000), 1);
        assert_eq!(stride_for(0, 0), 1);
    }

    #[test]
    fn a_constant_band_has_no_scale() {
        assert_eq!(Spread::of(&[0.1; 1000]).scale(), 0.0);
        assert_eq!(Spread::of(&[0.0; 3]).scale(), 0.0);
        assert_eq!(Spread::of(&[]).scale(), 0.0);
        assert_eq!(Spread::of(&[1.0, 3.0]), Spread { mean: 2.0, deviation: 1.0 });
    }
}
