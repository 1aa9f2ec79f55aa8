//! Change vector analysis (Malila 1980; Bruzzone & Prieto 2000): the length of the difference of two standardised
//! dates.
//!
//! Each band of each date is standardised on its own, to mean 0 and deviation 1 over the observed pixels, as the common
//! change benchmarks do. It takes out a gain and an offset of a whole date, but not a change of a third of the scene:
//! where that is likely, bring the dates together first ([`super::normalisation`]).

use ndarray::{Array2, ArrayView2, ArrayView3};

use super::sample::Spread;
use super::{PairSample, line_by_line};
use crate::lanes::vectorised;

/// How both dates are standardised: per band, both as `scale × reflectance`, and what is left of the means.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeVector {
    bands: Vec<Standard>,
}

/// One band: `after.scale × (after − after.mean) − before.scale × (before − before.mean)`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Standard {
    means: [f32; 2],
    scales: [f32; 2],
}

impl ChangeVector {
    /// Means and deviations of a sample. A band that is constant on either date tells nothing and counts as unchanged.
    #[must_use]
    pub fn of(sample: &PairSample) -> Self {
        let standard = |(before, after): (&Vec<f32>, &Vec<f32>)| {
            let spreads = [Spread::of(before), Spread::of(after)];
            let scales = spreads.map(|spread| spread.scale() as f32);
            let is_constant = scales.contains(&0.0);
            Standard {
                means: spreads.map(|spread| spread.mean as f32),
                scales: if is_constant { [0.0; 2] } else { scales },
            }
        };
        Self { bands: sample.before.iter().zip(&sample.after).map(standard).collect() }
    }

    /// Length of the change vector of each pixel (row, col), in standard deviations; NaN where not observed.
    ///
    /// # Panics
    /// The shapes or the number of bands differ.
    #[must_use]
    pub fn magnitude(
        &self,
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
    ) -> Array2<f32> {
        assert_eq!(before.dim().0, self.bands.len(), "the statistics are of as many bands as the pixels");
        line_by_line(before, after, observed, |before, after, line| self.line(before, after, line))
    }

    /// The same of one row, whether observed or not: `before` and `after` hold a slice for each band.
    pub fn line(&self, before: &[&[f32]], after: &[&[f32]], line: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                line.fill(0.0);
                for ((Standard { means, scales }, before), after) in self.bands.iter().zip(before).zip(after) {
                    for ((sum, before), after) in line.iter_mut().zip(*before).zip(*after) {
                        let difference = scales[1] * (after - means[1]) - scales[0] * (before - means[0]);
                        *sum += difference * difference;
                    }
                }
                for sum in &mut *line {
                    *sum = sum.sqrt();
                }
            },
        );
    }
}

/// Length of the change vector of each pixel (row, col), both dates standardised over all observed pixels of the
/// window; NaN where not observed.
///
/// For pixels of one window only: the result depends on the window. Over a tiled pass, see [`ChangeVector`].
///
/// # Panics
/// The shapes differ.
#[must_use]
pub fn change_vector_magnitude(
    before: ArrayView3<'_, f32>,
    after: ArrayView3<'_, f32>,
    observed: ArrayView2<'_, bool>,
) -> Array2<f32> {
    let sample = PairSample::of(before, after, observed, usize::MAX);
    ChangeVector::of(&sample).magnitude(before, after, observed)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array, s};
    use proptest::prelude::*;

    use super::super::scenes::{Scene, bits};
    use super::super::smoothed;
    use super::*;

    #[test]
    fn magnitude_of_four_pixels_by_hand() {
        // band 0: mean 2, deviation 1 before; mean 5, deviation 3 after. Band 1: mean 4, deviation 2; mean 1, deviation
        // 1
        let before = array![[[1.0, 3.0], [1.0, 3.0]], [[2.0, 2.0], [6.0, 6.0]]];
        let after = array![[[2.0, 8.0], [8.0, 2.0]], [[2.0, 0.0], [2.0, 0.0]]];
        // standardised: band 0 −1 1 −1 1 → −1 1 1 −1; band 1 −1 −1 1 1 → 1 −1 1 −1
        let observed = Array2::from_elem((2, 2), true);
        let magnitude = change_vector_magnitude(before.view(), after.view(), observed.view());
        let expected = array![[2.0, 0.0], [2.0, 8.0_f32.sqrt()]];
        assert!(magnitude.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{magnitude}");
    }

    #[test]
    fn a_dug_pit_stands_out_and_a_cloud_is_nothing() {
        let mut scene = Scene::new(4, 40, 60);
        scene.dig(10..20, 10..25);
        scene.observed.slice_mut(s![30.., 40..]).fill(false);
        let magnitude = change_vector_magnitude(scene.before.view(), scene.after.view(), scene.observed.view());
        assert!(magnitude.iter().zip(&scene.observed).all(|(value, &observed)| value.is_nan() != observed));
        let smooth = smoothed(magnitude.view(), scene.observed.view(), 1);
        let pit = smooth.slice(s![11..19, 11..24]).iter().copied().fold(f32::INFINITY, f32::min);
        let field = smooth.slice(s![..8, ..]).iter().copied().fold(0.0, f32::max);
        assert!(pit > 1.5 * field, "pit {pit}, field {field}");
    }

    #[test]
    fn a_constant_band_counts_as_unchanged() {
        let mut scene = Scene::new(2, 8, 8);
        scene.before.slice_mut(s![1, .., ..]).fill(0.1);
        let with = change_vector_magnitude(scene.before.view(), scene.after.view(), scene.observed.view());
        let first = |pixels: &Array3<f32>| pixels.slice(s![..1, .., ..]).to_owned();
        let (before, after) = (first(&scene.before), first(&scene.after));
        assert_eq!(with, change_vector_magnitude(before.view(), after.view(), scene.observed.view()));
    }

    #[test]
    fn the_mean_asks_observed_neighbours_only() {
        let values = array![[1.0, 2.0, 3.0], [4.0, f32::NAN, 6.0], [7.0, 8.0, 100.0]];
        let observed = array![[true, true, true], [true, false, true], [true, true, false]];
        let mean = smoothed(values.view(), observed.view(), 1);
        assert_eq!((mean[(0, 0)], mean[(0, 1)], mean[(2, 0)]), (7.0 / 3.0, 16.0 / 5.0, 19.0 / 3.0));
        assert!(mean[(1, 1)].is_nan() && mean[(2, 2)].is_nan());
        assert_eq!(smoothed(values.view(), observed.view(), 0)[(1, 2)], 6.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn gain_and_offset_of_a_date_change_nothing(gain in 0.2_f32..5.0, offset in -0.5_f32..0.5, seed in 0_u64..99) {
            let scene = Scene::seeded(3, 20, 20, seed);
            let brighter = scene.after.mapv(|value| gain * value + offset);
            let plain = change_vector_magnitude(scene.before.view(), scene.after.view(), scene.observed.view());
            let other = change_vector_magnitude(scene.before.view(), brighter.view(), scene.observed.view());
            prop_assert!(plain.iter().zip(&other).all(|(a, b)| (a - b).abs() < 2e-3));
        }

        #[test]
        fn tiles_agree_with_the_whole(row in 0_usize..10, col in 0_usize..10, radius in 0_usize..3, seed in 0_u64..99) {
            let mut scene = Scene::seeded(3, 24, 30, seed);
            scene.observed.slice_mut(s![5..9, 7..20]).fill(false);
            let statistics = ChangeVector::of(&scene.sample());
            let whole = statistics.magnitude(scene.before.view(), scene.after.view(), scene.observed.view());
            let whole = smoothed(whole.view(), scene.observed.view(), radius);
            let tile = s![row..row + 12, col..col + 17];
            let observed = scene.observed.slice(tile);
            let part = statistics.magnitude(
                scene.before.slice(s![.., row..row + 12, col..col + 17]),
                scene.after.slice(s![.., row..row + 12, col..col + 17]),
                observed,
            );
            let part = smoothed(part.view(), observed, radius);
            let inner = s![radius..12 - radius, radius..17 - radius];
            prop_assert_eq!(bits(whole.slice(tile).slice(inner)), bits(part.slice(inner)));
        }
    }
}
