//! Painted pairs of dates for the tests of this module.

use std::ops::Range;

use ndarray::{Array2, Array3, ArrayView2, s};

use super::PairSample;

/// Random numbers of the tests (SplitMix64).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, deviation 1, by the sum of twelve.
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// Land of three materials in speckled mixture, seen twice: what did not change differs by noise alone.
pub(super) struct Scene {
    pub(super) before: Array3<f32>,
    pub(super) after: Array3<f32>,
    pub(super) observed: Array2<bool>,
    pub(super) random: Random,
}

impl Scene {
    /// Noise of each date, in reflectance.
    pub(super) const NOISE: f64 = 0.004;

    pub(super) fn new(bands: usize, rows: usize, cols: usize) -> Self {
        Self::seeded(bands, rows, cols, 1)
    }

    pub(super) fn seeded(bands: usize, rows: usize, cols: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let mut ground = Array3::<f32>::zeros((bands, rows, cols));
        for row in 0..rows {
            for col in 0..cols {
                let shares = [random.uniform(), random.uniform(), random.uniform()];
                for band in 0..bands {
                    // as many independent spectra as bands, however many there are
                    let own = 0.03 * random.normal();
                    let mixed: f64 = (0..3).map(|i| shares[i] * (0.1 + 0.06 * ((band * (i + 1)) % 5) as f64)).sum();
                    ground[(band, row, col)] = (mixed + own) as f32;
                }
            }
        }
        let mut seen = |ground: &Array3<f32>| ground.mapv(|value| value + (Self::NOISE * random.normal()) as f32);
        let (before, after) = (seen(&ground), seen(&ground));
        Self { before, after, observed: Array2::from_elem((rows, cols), true), random }
    }

    /// The ground becomes something else after: bright, unlike before, and not the same everywhere.
    pub(super) fn dig(&mut self, rows: Range<usize>, cols: Range<usize>) {
        let mut random = Random(self.random.0);
        for (band, mut plane) in self.after.slice_mut(s![.., rows, cols]).outer_iter_mut().enumerate() {
            let base = 0.35 + 0.05 * (band % 3) as f64;
            plane.mapv_inplace(|_| (base + 0.05 * random.normal()) as f32);
        }
    }

    /// Every pixel.
    pub(super) fn sample(&self) -> PairSample {
        PairSample::of(self.before.view(), self.after.view(), self.observed.view(), usize::MAX)
    }
}

/// Values that are equal to the last bit, NaN included.
pub(super) fn bits(values: ArrayView2<'_, f32>) -> Array2<u32> {
    values.mapv(f32::to_bits)
}
