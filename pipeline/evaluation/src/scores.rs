//! Curves over quantised probabilities (`probability × 255`, as units of work keep them), exact for these.

use ndarray::{ArrayView2, ArrayView3, Axis};

use crate::IGNORE;
use crate::confusion::share;

/// Equal-width bins of confidence of the expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural
/// Networks", with 15 bins).
pub const CONFIDENCE_BINS: usize = 15;

const LEVELS: usize = 256;

/// Histograms from which every curve of one head is drawn.
#[derive(Clone, Debug)]
pub struct ScoreHistograms {
    /// For each class: labelled pixels by the score of that class, (score 0..=255) → [other classes, this class].
    by_class: Vec<[[u64; 2]; LEVELS]>,
    /// Pixels by the score of the winning class → [wrong, right].
    winners: [[u64; 2]; LEVELS],
}

/// One point of a curve.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PrecisionRecall {
    /// Scores from here on count as the class, 0..1.
    pub threshold: f64,
    /// Share of the true pixels that are found.
    pub recall: f64,
    /// Share of the called pixels that are right.
    pub precision: f64,
}

/// One bin of confidence.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReliabilityBin {
    /// Confidence at its lower edge.
    pub low: f64,
    /// Confidence at its upper edge.
    pub high: f64,
    /// Pixels in it.
    pub pixels: u64,
    /// Mean confidence of these.
    pub confidence: f64,
    /// Share of these whose winning class is right.
    pub accuracy: f64,
}

impl ScoreHistograms {
    /// Empty ones for so many classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { by_class: vec![[[0; 2]; LEVELS]; classes], winners: [[0; 2]; LEVELS] }
    }

    /// Counts every labelled pixel: scores (class, row, col) of one head against labels (row, col).
    pub fn add(&mut self, scores: ArrayView3<'_, u8>, labels: ArrayView2<'_, u8>) {
        for (pixel, &label) in scores.lanes(Axis(0)).into_iter().zip(labels) {
            if label == IGNORE {
                continue;
            }
            let (mut winner, mut best) = (0, 0);
            for (class, &score) in pixel.iter().enumerate() {
                self.by_class[class][usize::from(score)][usize::from(class == usize::from(label))] += 1;
                if score > best {
                    (winner, best) = (class, score);
                }
            }
            self.winners[usize::from(best)][usize::from(winner == usize::from(label))] += 1;
        }
    }

    /// Precision against recall of one class at every score that occurs, from the strictest threshold on; empty where
    /// the class is not in the labels.
    #[must_use]
    pub fn precision_recall(&self, class: usize) -> Vec<PrecisionRecall> {
        let histogram = &self.by_class[class];
        let there: u64 = histogram.iter().map(|[_, this]| this).sum();
        if there == 0 {
            return Vec::new();
        }
        let (mut called, mut right, mut curve) = (0, 0, Vec::new());
        for (score, [other, this]) in histogram.iter().enumerate().rev() {
            if other + this == 0 {
                continue;
            }
            (called, right) = (called + other + this, right + this);
            curve.push(PrecisionRecall {
                threshold: score as f64 / 255.0,
                recall: right as f64 / there as f64,
                precision: right as f64 / called as f64,
            });
        }
        curve
    }

    /// Average precision: precision weighted by the recall that each step adds; `None` where the class is not there.
    #[must_use]
    pub fn average_precision(&self, class: usize) -> Option<f64> {
        let curve = self.precision_recall(class);
        let mut before = 0.0;
        let steps = curve.iter().map(|point| {
            let gained = point.recall - before;
            before = point.recall;
            gained * point.precision
        });
        (!curve.is_empty()).then(|| steps.sum())
    }

    /// The reliability of the winning class, bin by bin; bins without pixels are left out.
    #[must_use]
    pub fn reliability(&self) -> Vec<ReliabilityBin> {
        let bin_of = |score: usize| (score * CONFIDENCE_BINS / 255).min(CONFIDENCE_BINS - 1);
        let bins = (0..CONFIDENCE_BINS).filter_map(|bin| {
            let (mut pixels, mut right, mut total) = (0, 0, 0);
            for (score, [wrong_here, right_here]) in self.winners.iter().enumerate().filter(|(s, _)| bin_of(*s) == bin)
            {
                pixels += wrong_here + right_here;
                right += right_here;
                total += (wrong_here + right_here) * score as u64;
            }
            Some(ReliabilityBin {
                low: bin as f64 / CONFIDENCE_BINS as f64,
                high: (bin + 1) as f64 / CONFIDENCE_BINS as f64,
                pixels,
                confidence: total as f64 / 255.0 / pixels as f64,
                accuracy: share(right, pixels)?,
            })
        });
        bins.collect()
    }

    /// Expected calibration error of the winning class: the mean over the pixels of the distance between confidence and
    /// accuracy of their bin; `None` where nothing was counted.
    #[must_use]
    pub fn calibration_error(&self) -> Option<f64> {
        let bins = self.reliability();
        let pixels: u64 = bins.iter().map(|bin| bin.pixels).sum();
        let error = |bin: &ReliabilityBin| bin.pixels as f64 / pixels as f64 * (bin.accuracy - bin.confidence).abs();
        (pixels > 0).then(|| bins.iter().map(error).sum())
    }
}

/// The winning class of each pixel (row, col), of scores (class, row, col); the first of equals, and [`IGNORE`] where
/// every score is 0 (unobserved).
#[must_use]
pub fn winners(scores: ArrayView3<'_, u8>) -> ndarray::Array2<u8> {
    scores.map_axis(Axis(0), |pixel| {
        let (mut winner, mut best) = (IGNORE, 0);
        for (class, &score) in pixel.iter().enumerate() {
            if score > best {
                (winner, best) = (class as u8, score);
            }
        }
        winner
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3, arr2, arr3};
    use proptest::prelude::*;

    use super::*;

    fn histograms(scores: &Array3<u8>, labels: &Array2<u8>) -> ScoreHistograms {
        let mut made = ScoreHistograms::new(scores.dim().0);
        made.add(scores.view(), labels.view());
        made
    }

    #[test]
    fn a_curve_starts_strict_and_ends_with_everything() {
        // class 0: three pixels with 204, 153, 51; true, false, true
        let scores = arr3(&[[[204, 153, 51]], [[51, 102, 204]]]);
        let made = histograms(&scores, &arr2(&[[0, 1, 0]]));
        let points: Vec<_> = made.precision_recall(0).iter().map(|p| (p.recall, p.precision)).collect();
        assert_eq!(points, [(0.5, 1.0), (0.5, 0.5), (1.0, 2.0 / 3.0)]);
        assert!((made.average_precision(0).expect("there") - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
    }

    #[test]
    fn certain_and_right_is_calibrated_and_certain_and_wrong_is_not() {
        let scores = arr3(&[[[255, 255]], [[0, 0]]]);
        assert_eq!(histograms(&scores, &arr2(&[[0, 0]])).calibration_error(), Some(0.0));
        assert_eq!(histograms(&scores, &arr2(&[[1, 1]])).calibration_error(), Some(1.0));
        assert_eq!(histograms(&scores, &arr2(&[[IGNORE, IGNORE]])).calibration_error(), None);
    }

    #[test]
    fn unobserved_pixels_have_no_winner() {
        assert_eq!(winners(arr3(&[[[0, 9]], [[0, 12]]]).view()), arr2(&[[IGNORE, 1]]));
    }

    proptest! {
        #[test]
        fn curves_stay_in_their_ranges(pixels in prop::collection::vec((0_u8..=255, 0_u8..2), 1..60)) {
            let scores = Array3::from_shape_fn((2, 1, pixels.len()), |(class, _, col)| {
                if class == 0 { pixels[col].0 } else { 255 - pixels[col].0 }
            });
            let labels = Array2::from_shape_fn((1, pixels.len()), |(_, col)| pixels[col].1);
            let made = histograms(&scores, &labels);
            let error = made.calibration_error().expect("labelled pixels");
            prop_assert!((0.0..=1.0).contains(&error));
            for class in 0..2 {
                let curve = made.precision_recall(class);
                prop_assert!(curve.is_sorted_by(|one, next| one.recall <= next.recall));
                prop_assert!(curve.last().is_none_or(|last| (last.recall - 1.0).abs() < 1e-12));
            }
        }
    }
}
