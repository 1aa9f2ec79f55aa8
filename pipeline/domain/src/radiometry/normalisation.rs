//! The radiometry of one date brought to that of the other (Canty & Nielsen 2008): orthogonal regression, band by band,
//! over the pixels that did not change according to [`super::mad`].
//!
//! Where too few pixels qualify, least trimmed squares (Rousseeuw & Van Driessen 1999): from the medians and the
//! interquartile ranges of both dates, the regression over the half of the pixels that fits best, again and again. The
//! half is taken within strata of brightness: the best half of a whole scene is one large even forest, whose noise has
//! any slope.

use ndarray::{Array3, ArrayView2, ArrayView3, Zip};

use super::sample::Spread;
use super::{Mad, PairSample};

/// Probability of no change above which a pixel is used (Canty & Nielsen 2008).
pub const LEAST_NO_CHANGE: f64 = 0.95;

/// Fewest pixels for the regression over what did not change.
pub const LEAST_PIXELS: usize = 100;

/// Fewest pixels for the fallback.
const LEAST_PIXELS_TRIMMED: usize = 20;

/// Most rounds of the fallback; it settles in about ten.
const TRIMMING_ROUNDS: usize = 30;

/// Strata of brightness of the fallback, and the quantiles of brightness between which they are of equal width.
const STRATA: usize = 8;
const STRATA_QUANTILES: [f64; 2] = [0.01, 0.99];

/// Correlation between the dates below which the axis of a band's ellipse has an arbitrary slope.
const LEAST_CORRELATION: f64 = 0.5;

/// Reflectance before, as it would be with the radiometry of the later date: `gain × before + offset`.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// Gain of each band.
    pub gain: Vec<f32>,
    /// Offset of each band, reflectance.
    pub offset: Vec<f32>,
    /// Correlation of each band between the dates, over the pixels used: below 0.5 do not trust the gain.
    pub correlation: Vec<f32>,
    /// Pixels of the sample that it was estimated from.
    pub pixels_used: usize,
    /// True where too few pixels were surely unchanged, and the best-fitting half of all was used instead.
    pub trimmed: bool,
}

impl Normalisation {
    /// The normalisation from a sample, over what `mad` says did not change. `mad` may come from the same sample.
    ///
    /// `None` with fewer than 20 pixels. A band that is hardly related between the dates (correlation below 0.5) is
    /// given the mean and the deviation of the later date instead of a regression; one that is constant is only shifted
    /// (gain 1).
    #[must_use]
    pub fn of(sample: &PairSample, mad: Option<&Mad>) -> Option<Self> {
        let unchanged = |mad: &Mad| -> Vec<usize> {
            let probabilities = mad.no_change_of(sample);
            (0..sample.len()).filter(|&pixel| probabilities[pixel] > LEAST_NO_CHANGE).collect()
        };
        let unchanged = mad.map(unchanged).unwrap_or_default();
        if unchanged.len() >= LEAST_PIXELS {
            return Some(Self::from_lines(&lines(sample, &unchanged), unchanged.len(), false));
        }
        if sample.len() < LEAST_PIXELS_TRIMMED {
            return None;
        }
        let (lines, pixels_used) = trimmed_lines(sample);
        Some(Self::from_lines(&lines, pixels_used, true))
    }

    fn from_lines(lines: &[Line], pixels_used: usize, trimmed: bool) -> Self {
        Self {
            gain: lines.iter().map(|line| line.gain as f32).collect(),
            offset: lines.iter().map(|line| line.offset as f32).collect(),
            correlation: lines.iter().map(|line| line.correlation as f32).collect(),
            pixels_used,
            trimmed,
        }
    }

    /// Reflectance before (band, row, col) with the radiometry of the later date; 0 where not observed.
    ///
    /// # Panics
    /// The shapes or the number of bands differ.
    #[must_use]
    pub fn apply(&self, before: ArrayView3<'_, f32>, observed: ArrayView2<'_, bool>) -> Array3<f32> {
        assert_eq!(before.dim().0, self.gain.len(), "the normalisation is of as many bands as the pixels");
        let mut normalised = before.to_owned();
        for ((mut plane, gain), offset) in normalised.outer_iter_mut().zip(&self.gain).zip(&self.offset) {
            Zip::from(&mut plane).and(observed).for_each(|value, &observed| {
                *value = if observed { gain * *value + offset } else { 0.0 };
            });
        }
        normalised
    }
}

/// `after = gain × before + offset` of one band.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line {
    gain: f64,
    offset: f64,
    correlation: f64,
}

impl Line {
    /// Through the means, along the longer axis of the covariance ellipse: both dates err alike.
    fn orthogonal(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let (mut count, mut sum_before, mut sum_after) = (0.0, 0.0, 0.0);
        for (before, after) in pairs.clone() {
            count += 1.0;
            sum_before += before;
            sum_after += after;
        }
        let (mean_before, mean_after) = (sum_before / count, sum_after / count);
        let (mut of_before, mut of_after, mut of_both) = (0.0, 0.0, 0.0);
        for (before, after) in pairs {
            of_before += (before - mean_before).powi(2);
            of_after += (after - mean_after).powi(2);
            of_both += (before - mean_before) * (after - mean_after);
        }
        let is_constant = |squares: f64, mean: f64| squares <= 1e-12 * count * mean * mean;
        let (gain, correlation) = if is_constant(of_before, mean_before) || is_constant(of_after, mean_after) {
            (1.0, 0.0)
        } else {
            let correlation = of_both / (of_before * of_after).sqrt();
            let excess = of_after - of_before;
            if correlation >= LEAST_CORRELATION {
                ((excess + excess.hypot(2.0 * of_both)) / (2.0 * of_both), correlation)
            } else {
                ((of_after / of_before).sqrt(), correlation)
            }
        };
        Self { gain, offset: mean_after - gain * mean_before, correlation }
    }

    /// Distance of a pair from the line.
    fn distance(self, before: f64, after: f64) -> f64 {
        (after - self.gain * before - self.offset).abs() / self.gain.hypot(1.0)
    }
}

/// One line a band, over some pixels of the sample.
fn lines(sample: &PairSample, pixels: &[usize]) -> Vec<Line> {
    let line = |(before, after): (&Vec<f32>, &Vec<f32>)| {
        Line::orthogonal(pixels.iter().map(|&pixel| (f64::from(before[pixel]), f64::from(after[pixel]))))
    };
    sample.before.iter().zip(&sample.after).map(line).collect()
}

/// One line a band over the half of each stratum that lies nearest to all of them, and the number of those pixels.
fn trimmed_lines(sample: &PairSample) -> (Vec<Line>, usize) {
    let mut strata = strata(sample);
    // no stratum counts for more than two even ones
    let most_px = (sample.len() / STRATA).max(1);
    let scales: Vec<f64> = sample.after.iter().map(|after| Spread::of(after).scale()).collect();
    let mut found: Vec<Line> = sample.before.iter().zip(&sample.after).map(|(a, b)| line_of_quartiles(a, b)).collect();
    let mut kept: Vec<usize> = Vec::new();
    for _ in 0..TRIMMING_ROUNDS {
        let mut distances = vec![0.0; sample.len()];
        for (((before, after), line), scale) in sample.before.iter().zip(&sample.after).zip(&found).zip(&scales) {
            for ((sum, &before), &after) in distances.iter_mut().zip(before).zip(after) {
                *sum += (scale * line.distance(f64::from(before), f64::from(after))).powi(2);
            }
        }
        let mut nearest = Vec::new();
        for stratum in strata.iter_mut().filter(|stratum| !stratum.is_empty()) {
            let kept_px = stratum.len().div_ceil(2).min(most_px);
            stratum.select_nth_unstable_by(kept_px - 1, |&a, &b| distances[a].total_cmp(&distances[b]).then(a.cmp(&b)));
            nearest.extend_from_slice(&stratum[..kept_px]);
        }
        nearest.sort_unstable();
        if nearest == kept {
            break;
        }
        found = lines(sample, &nearest);
        kept = nearest;
    }
    (found, kept.len())
}

/// The pixels by their brightness before: the mean of the standardised bands.
fn strata(sample: &PairSample) -> Vec<Vec<usize>> {
    let mut brightness = vec![0.0; sample.len()];
    for band in &sample.before {
        let spread = Spread::of(band);
        for (sum, &value) in brightness.iter_mut().zip(band) {
            *sum += spread.scale() * (f64::from(value) - spread.mean);
        }
    }
    let mut sorted = brightness.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let [low, high] = STRATA_QUANTILES.map(|quantile| sorted[((sorted.len() - 1) as f64 * quantile) as usize]);
    let width = (high - low) / STRATA as f64;
    let mut strata = vec![Vec::new(); STRATA];
    for (pixel, brightness) in brightness.iter().enumerate() {
        let stratum = if width > 0.0 { ((brightness - low) / width).max(0.0) as usize } else { 0 };
        strata[stratum.min(STRATA - 1)].push(pixel);
    }
    strata
}

/// The line that takes the median and the interquartile range of one date to those of the other.
fn line_of_quartiles(before: &[f32], after: &[f32]) -> Line {
    let quartiles = |values: &[f32]| {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        [1, 2, 3].map(|quarter| f64::from(sorted[(sorted.len() - 1) * quarter / 4]))
    };
    let ([low_before, before, high_before], [low_after, after, high_after]) = (quartiles(before), quartiles(after));
    let (range_before, range_after) = (high_before - low_before, high_after - low_after);
    let gain = if range_before > 0.0 && range_after > 0.0 { range_after / range_before } else { 1.0 };
    Line { gain, offset: after - gain * before, correlation: 1.0 }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, s};
    use proptest::prelude::*;

    use super::super::MadSettings;
    use super::super::scenes::{Random, Scene};
    use super::*;

    /// A scene of which a third changed, seen after with other gains and offsets.
    fn scene(bands: usize, seed: u64, gain: f32, offset: f32) -> Scene {
        let mut scene = Scene::seeded(bands, 90, 90, seed);
        scene.after.mapv_inplace(|value| gain * value + offset);
        scene.dig(0..30, 0..90);
        scene
    }

    fn is_recovered(found: &Normalisation, gain: f32, offset: f32) -> bool {
        found.gain.iter().all(|found| (found / gain - 1.0).abs() < 0.02)
            && found.offset.iter().all(|found| (found - offset).abs() < 0.005)
    }

    #[test]
    fn gain_and_offset_are_recovered_though_a_third_changed() {
        for bands in [3, 4, 6] {
            let scene = scene(bands, 1, 1.2, -0.03);
            let sample = scene.sample();
            let mad = Mad::of(&sample, &MadSettings::default());
            let found = Normalisation::of(&sample, mad.as_ref()).expect("enough pixels");
            assert!(!found.trimmed && found.pixels_used >= LEAST_PIXELS);
            assert!(is_recovered(&found, 1.2, -0.03), "{found:?}");
            // the plain regression over everything is far off: the test would notice
            let all: Vec<usize> = (0..sample.len()).collect();
            let plain = lines(&sample, &all);
            assert!(plain.iter().any(|line| (line.gain / 1.2 - 1.0).abs() > 0.1), "{plain:?}");
        }
    }

    #[test]
    fn without_what_did_not_change_the_best_half_speaks() {
        let scene = scene(4, 1, 1.2, -0.03);
        let found = Normalisation::of(&scene.sample(), None).expect("enough pixels");
        assert!(found.trimmed && (90 * 90 / 4..=90 * 90 / 2 + STRATA).contains(&found.pixels_used));
        assert!(is_recovered(&found, 1.2, -0.03), "{found:?}");
        assert_eq!(Normalisation::of(&PairSample::new(4), None), None);
    }

    #[test]
    fn what_is_applied_brings_the_dates_together_and_leaves_the_unobserved_at_zero() {
        let mut scene = scene(4, 1, 1.2, -0.03);
        scene.observed.slice_mut(s![80.., ..]).fill(false);
        let found = Normalisation::of(&scene.sample(), None).expect("enough pixels");
        let normalised = found.apply(scene.before.view(), scene.observed.view());
        assert!(normalised.slice(s![.., 80.., ..]).iter().all(|&value| value == 0.0));
        let difference = &normalised - &scene.after;
        let unchanged = difference.slice(s![.., 30..80, ..]);
        let squares = unchanged.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>() / unchanged.len() as f64;
        assert!(squares.sqrt() < 2.0 * Scene::NOISE, "{}", squares.sqrt());
    }

    #[test]
    fn a_constant_band_is_only_shifted() {
        let mut scene = Scene::new(2, 20, 20);
        scene.before.slice_mut(s![1, .., ..]).fill(0.1);
        let found = Normalisation::of(&scene.sample(), None).expect("enough pixels");
        assert_eq!(found.gain[1], 1.0);
        assert!((f64::from(found.gain[0]) - 1.0).abs() < 0.02);
    }

    #[test]
    fn the_line_is_orthogonal_by_hand() {
        // points on y = 2x + 1 exactly; and a cross whose longer axis is the diagonal
        let check = |pairs: &[(f64, f64)], gain: f64, offset: f64, correlation: f64| {
            let line = Line::orthogonal(pairs.iter().copied());
            let expected = [gain, offset, correlation];
            let found = [line.gain, line.offset, line.correlation];
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{line:?}");
        };
        check(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)], 2.0, 1.0, 1.0);
        check(&[(1.0, 1.0), (5.0, 5.0), (2.0, 4.0), (4.0, 2.0)], 1.0, 0.0, 0.6);
        // unrelated: deviations 1 and 2, means 0 and 5
        check(&[(-1.0, 3.0), (-1.0, 7.0), (1.0, 3.0), (1.0, 7.0)], 2.0, 5.0, 0.0);
    }

    /// Most of the ground is one even forest: its noise has any slope, and the little that varies must decide.
    #[test]
    fn an_even_forest_does_not_decide_the_gain() {
        let mut scene = Scene::new(4, 90, 90);
        let mut random = Random(5);
        for date in [&mut scene.before, &mut scene.after] {
            // in the second band it is noisier after
            date.slice_mut(s![.., ..70, ..]).mapv_inplace(|_| (0.2 + Scene::NOISE * random.normal()) as f32);
        }
        scene.after.slice_mut(s![1, ..70, ..]).mapv_inplace(|value| 0.2 + 4.0 * (value - 0.2));
        scene.after.mapv_inplace(|value| 1.2 * value - 0.03);
        let found = Normalisation::of(&scene.sample(), None).expect("enough pixels");
        assert!(found.gain.iter().all(|gain| (gain / 1.2 - 1.0).abs() < 0.1), "{found:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_gain_is_recovered(gain in 0.6_f32..1.6, offset in -0.05_f32..0.05, seed in 0_u64..99, with_mad: bool) {
            let scene = scene(4, seed, gain, offset);
            let sample = scene.sample();
            let mad = with_mad.then(|| Mad::of(&sample, &MadSettings::default())).flatten();
            let found = Normalisation::of(&sample, mad.as_ref()).expect("enough pixels");
            prop_assert!(is_recovered(&found, gain, offset), "{found:?}");
        }

        #[test]
        fn nothing_makes_it_nan(
            values in proptest::collection::vec(prop_oneof![Just(0.0_f32), Just(0.5), -1.0_f32..2.0], 2 * 64),
        ) {
            let date = |first: usize| {
                Array3::from_shape_vec((1, 8, 8), values[first..first + 64].to_vec()).expect("8 × 8 of one band")
            };
            let observed = Array2::from_elem((8, 8), true);
            let sample = PairSample::of(date(0).view(), date(64).view(), observed.view(), usize::MAX);
            let found = Normalisation::of(&sample, None).expect("enough pixels");
            prop_assert!(found.gain.iter().chain(&found.offset).all(|value| value.is_finite()), "{found:?}");
        }
    }
}
