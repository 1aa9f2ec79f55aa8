//! Iteratively re-weighted multivariate alteration detection (MAD: Nielsen, Conradsen & Simpson 1998; IR-MAD: Nielsen
//! 2007): what did *not* change between two dates, whatever linear radiometry each of them has.
//!
//! Canonical correlation finds the projections `a·before` and `b·after`, of unit variance each, that agree best; the
//! next pair agrees best among what is uncorrelated with the first, and so on. The differences are the MAD variates, of
//! variance `2 (1 − ρ)`. The sum of their squares over their variances is chi-square over what did not change, with as
//! many degrees of freedom as variates; the probability of a larger value is the weight of the pixel in the next round.
//! Any invertible affine map of the bands of either date leaves the statistic as it is.
//!
//! Two things differ from Nielsen 2007:
//! - Weighting shrinks the variance, over unchanged ground too. Uncorrected, the rounds run away from the chi-square
//!   distribution, and to a variance of 0 with one or two bands. The variance is therefore divided by the
//!   [ratio](super::chi_square::weighted_mean_ratio) that it shrinks by where nothing changed, so that the probability
//!   of no change is uniform there.
//! - Directions in which a date does not vary (a constant band, a copy of another) are left out, and with them their
//!   degrees of freedom.

use nalgebra::{DMatrix, DVector, SVD, SymmetricEigen};
use ndarray::{Array2, ArrayView2, ArrayView3};

use super::chi_square::{survival, weighted_mean_ratio};
use super::sample::{SAMPLE_PX, Spread};
use super::{PairSample, RUN_PX, line_by_line};
use crate::lanes::vectorised;

/// Share of the variance of the standardised bands below which a direction is rounding, not ground: 16-bit reflectance
/// is quantised to some 1e-6 of it.
const LEAST_VARIANCE: f64 = 1e-7;

/// Least variance of a variate: where both dates agree better than this, the rest is rounding (identical dates).
const LEAST_VARIATE_VARIANCE: f64 = 1e-6;

/// Pixels, weights summed, that each band needs for its covariances.
const PIXELS_PER_BAND: usize = 20;

/// Iterations after which the decomposition of a small matrix is given up.
const DECOMPOSITION_ITERATIONS: usize = 1000;

/// How [`Mad::fit`] goes about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MadSettings {
    /// Most rounds. 1 is plain MAD, without weights.
    pub iterations: usize,
    /// The rounds end when no canonical correlation moves by more than this.
    pub tolerance: f64,
    /// About how many observed pixels are sampled.
    pub sample_px: usize,
}

impl Default for MadSettings {
    fn default() -> Self {
        Self { iterations: 30, tolerance: 1e-3, sample_px: SAMPLE_PX }
    }
}

/// The projections of both dates under which what did not change agrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Mad {
    /// Canonical correlations, falling, in [0, 1]: one a variate, and as many as degrees of freedom.
    pub correlations: Vec<f64>,
    /// Rounds that were made.
    pub iterations: usize,
    /// False if the rounds ended before the correlations settled.
    pub converged: bool,
    /// Mean (band) before, then after.
    means: Vec<f32>,
    /// Weights of the bands (variate, band), before and then after with the sign turned: standardised variates.
    projections: Vec<Vec<f32>>,
}

/// Evidence of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct MadMap {
    /// Sum of squared standardised variates (row, col): the larger, the surer a change. NaN where not observed.
    pub chi_square: Array2<f32>,
    /// Probability of a larger sum where nothing changed (row, col): 1 unchanged, 0 changed. NaN where not observed.
    pub no_change: Array2<f32>,
}

/// Standardised projections of one round, in the units of the sample.
struct Round {
    correlations: Vec<f64>,
    means: DVector<f64>,
    /// (band before, then after; variate).
    projections: DMatrix<f64>,
}

impl Mad {
    /// The projections from a sample of a window.
    ///
    /// `None` where nothing can be told: too few observed pixels (20 a band), or a date that is constant.
    ///
    /// # Panics
    /// The shapes differ.
    #[must_use]
    pub fn fit(
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        settings: &MadSettings,
    ) -> Option<Self> {
        Self::of(&PairSample::of(before, after, observed, settings.sample_px), settings)
    }

    /// The projections from a sample, of however many windows.
    ///
    /// `None` where nothing can be told: too few pixels (20 a band), or a date that is constant.
    #[must_use]
    pub fn of(sample: &PairSample, settings: &MadSettings) -> Option<Self> {
        let bands = sample.bands();
        let spreads: Vec<Spread> = sample.before.iter().chain(&sample.after).map(|band| Spread::of(band)).collect();
        let columns: Vec<Vec<f64>> = (sample.before.iter().chain(&sample.after).zip(&spreads))
            .map(|(band, spread)| {
                let scale = spread.scale();
                band.iter().map(|&value| (f64::from(value) - spread.mean) * scale).collect()
            })
            .collect();
        let mut weights = vec![1.0; sample.len()];
        let mut shrinkage = 1.0;
        let (mut last, mut iterations, mut converged) = (None::<Round>, 0, false);
        while iterations < settings.iterations.max(1) && !converged {
            if weights.iter().sum::<f64>() < (PIXELS_PER_BAND * bands.max(1)) as f64 {
                break;
            }
            let (means, covariance) = weighted_moments(&columns, &weights);
            let Some(round) = round(means, &covariance, bands, shrinkage) else { break };
            weigh(&columns, &round, &mut weights);
            shrinkage = weighted_mean_ratio(round.correlations.len());
            converged = last.as_ref().is_some_and(|last| {
                last.correlations.len() == round.correlations.len()
                    && (last.correlations.iter().zip(&round.correlations))
                        .all(|(last, now)| (last - now).abs() <= settings.tolerance)
            });
            last = Some(round);
            iterations += 1;
        }
        let round = last?;
        Some(Self {
            iterations,
            converged,
            means: (spreads.iter().zip(round.means.iter()))
                .map(|(spread, mean)| (spread.mean + mean * spread.deviation) as f32)
                .collect(),
            projections: (round.projections.column_iter())
                .map(|column| column.iter().zip(&spreads).map(|(a, spread)| (a * spread.scale()) as f32).collect())
                .collect(),
            correlations: round.correlations,
        })
    }

    /// Degrees of freedom of the statistic: the number of bands, less what does not vary.
    #[must_use]
    pub fn degrees(&self) -> usize {
        self.correlations.len()
    }

    /// The evidence of a window.
    ///
    /// # Panics
    /// The shapes or the number of bands differ.
    #[must_use]
    pub fn apply(
        &self,
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
    ) -> MadMap {
        let chi_square = self.chi_square(before, after, observed);
        let no_change = chi_square.mapv(|statistic| survival(f64::from(statistic), self.degrees()) as f32);
        MadMap { chi_square, no_change }
    }

    /// [`MadMap::chi_square`] alone.
    ///
    /// # Panics
    /// The shapes or the number of bands differ.
    #[must_use]
    pub fn chi_square(
        &self,
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
    ) -> Array2<f32> {
        assert_eq!(2 * before.dim().0, self.means.len(), "the projections are of as many bands as the pixels");
        line_by_line(before, after, observed, |before, after, line| self.line(before, after, line))
    }

    /// The same of one row, whether observed or not: `before` and `after` hold a slice for each band.
    pub fn line(&self, before: &[&[f32]], after: &[&[f32]], line: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                let mut centred = vec![[0_f32; RUN_PX]; self.means.len()];
                for (number, run) in line.chunks_mut(RUN_PX).enumerate() {
                    let first = number * RUN_PX;
                    for ((centred, band), mean) in centred.iter_mut().zip(before.iter().chain(after)).zip(&self.means) {
                        for (to, value) in centred.iter_mut().zip(&band[first..]) {
                            *to = value - mean;
                        }
                    }
                    let mut sum = [0_f32; RUN_PX];
                    for projection in &self.projections {
                        let mut variate = [0_f32; RUN_PX];
                        for (centred, weight) in centred.iter().zip(projection) {
                            for i in 0..RUN_PX {
                                variate[i] += weight * centred[i];
                            }
                        }
                        for i in 0..RUN_PX {
                            sum[i] += variate[i] * variate[i];
                        }
                    }
                    for (to, sum) in run.iter_mut().zip(sum) {
                        *to = sum.min(f32::MAX);
                    }
                }
            },
        );
    }

    /// Probability of no change of each pixel of a sample.
    pub(super) fn no_change_of(&self, sample: &PairSample) -> Vec<f64> {
        let bands: Vec<&Vec<f32>> = sample.before.iter().chain(&sample.after).collect();
        (0..sample.len())
            .map(|pixel| {
                let variate = |projection: &Vec<f32>| {
                    let terms = bands.iter().zip(&self.means).zip(projection);
                    terms.map(|((band, mean), weight)| (band[pixel] - mean) * weight).sum::<f32>()
                };
                let sum: f32 = self.projections.iter().map(|projection| variate(projection).powi(2)).sum();
                survival(f64::from(sum.min(f32::MAX)), self.degrees())
            })
            .collect()
    }
}

/// Weighted means and covariance of columns of one length.
fn weighted_moments(columns: &[Vec<f64>], weights: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
    let count = columns.len();
    let mut sums = DVector::<f64>::zeros(count);
    let mut products = DMatrix::<f64>::zeros(count, count);
    vectorised(
        #[inline(always)]
        || {
            let mut weighted = [0_f64; RUN_PX];
            for (run, weights) in weights.chunks(RUN_PX).enumerate() {
                let pixels = run * RUN_PX..run * RUN_PX + weights.len();
                for i in 0..count {
                    for ((to, weight), value) in weighted.iter_mut().zip(weights).zip(&columns[i][pixels.clone()]) {
                        *to = weight * value;
                    }
                    let weighted = &weighted[..weights.len()];
                    sums[i] += weighted.iter().sum::<f64>();
                    for j in 0..=i {
                        products[(i, j)] += dot(weighted, &columns[j][pixels.clone()]);
                    }
                }
            }
        },
    );
    let total = weights.iter().sum::<f64>();
    let means = sums / total;
    let covariance =
        DMatrix::from_fn(count, count, |i, j| products[(i.max(j), i.min(j))] / total - means[i] * means[j]);
    (means, covariance)
}

/// Sum of products, in eight lanes that the compiler turns into vector code.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0_f64; 8];
    let (a, b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a.zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// Projections `(band, direction)` under which the covariance is the identity, without the directions that do not vary.
fn whitening(covariance: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let eigen = SymmetricEigen::try_new(covariance, f64::EPSILON, DECOMPOSITION_ITERATIONS)?;
    let directions: Vec<DVector<f64>> = (eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()))
        .filter(|(variance, _)| **variance > LEAST_VARIANCE)
        .map(|(variance, direction)| direction / variance.sqrt())
        .collect();
    (!directions.is_empty()).then(|| DMatrix::from_columns(&directions))
}

/// Canonical correlations and standardised projections of one round: the generalised symmetric eigenproblem of both
/// covariances, solved by whitening each date and the singular values of what is left (Björck & Golub 1973), which
/// stays exact near a singular covariance. `None` where a date does not vary.
fn round(means: DVector<f64>, covariance: &DMatrix<f64>, bands: usize, shrinkage: f64) -> Option<Round> {
    let block = |first: usize, second: usize| covariance.view((first, second), (bands, bands)).into_owned();
    let (before, after) = (whitening(block(0, 0))?, whitening(block(bands, bands))?);
    let cross = before.transpose() * block(0, bands) * &after;
    let decomposed = SVD::try_new(cross, true, true, f64::EPSILON, DECOMPOSITION_ITERATIONS)?;
    let (left, right) = (before * decomposed.u?, after * decomposed.v_t?.transpose());
    let correlations: Vec<f64> = decomposed.singular_values.iter().map(|value| value.clamp(0.0, 1.0)).collect();
    let projections = DMatrix::from_fn(2 * bands, correlations.len(), |band, variate| {
        let variance = (2.0 * (1.0 - correlations[variate])).max(LEAST_VARIATE_VARIANCE) / shrinkage;
        let weight = if band < bands { left[(band, variate)] } else { -right[(band - bands, variate)] };
        weight / variance.sqrt()
    });
    projections.iter().all(|weight| weight.is_finite()).then_some(Round { correlations, means, projections })
}

/// The weight of each pixel in the next round: the probability that it did not change.
fn weigh(columns: &[Vec<f64>], round: &Round, weights: &mut [f64]) {
    vectorised(
        #[inline(always)]
        || {
            for (run, weights) in weights.chunks_mut(RUN_PX).enumerate() {
                let mut sum = [0_f64; RUN_PX];
                for projection in round.projections.column_iter() {
                    let mut variate = [0_f64; RUN_PX];
                    for ((column, mean), weight) in columns.iter().zip(round.means.iter()).zip(projection.iter()) {
                        for (to, value) in variate[..weights.len()].iter_mut().zip(&column[run * RUN_PX..]) {
                            *to += weight * (value - mean);
                        }
                    }
                    for i in 0..RUN_PX {
                        sum[i] += variate[i] * variate[i];
                    }
                }
                for (weight, sum) in weights.iter_mut().zip(sum) {
                    *weight = survival(sum, round.correlations.len());
                }
            }
        },
    );
}

#[cfg(test)]
mod tests;
