//! From pixels to one probability a patch: whether a reviewer who looks at both dates would say that something was made here.
//!
//! Objects, not pixels: beside the evidence of its pixels ([`crate::evidence`]) a patch is judged by its shape and by how it
//! stands out from its surroundings. Edges that moved by a pixel are long and thin, whole fields and lakes that changed their
//! colour hardly differ from what lies around them.
//!
//! Fitted by logistic regression on the groups of pixels over log-odds of −3 on the earlier half of the pairs of
//! `benches/accuracy` (721 groups, 39 % of them planted). On the later half, of the groups with 0.3 to 0.5 46 % were planted, of
//! those with 0.7 to 0.9 75 %, of those with more 99 %.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView2};

use crate::evidence::{TERMS, WEIGHTS, probability};

/// Log-odds without any evidence.
const BIAS: f64 = -0.56;
/// For each unit of the mean log-odds of change of its pixels.
const MEAN: f64 = 1.01;
/// For each factor e of the compactness.
const COMPACTNESS: f64 = -1.13;
/// For each unit of log-odds that it stands out by.
const CONTRAST: f64 = 0.55;

/// Pixels between a patch and its ring, and the outer edge of that.
pub const RING_PX: (usize, usize) = (1, 4);

/// What is known of a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchEvidence {
    /// Mean contribution to the log-odds of change over its pixels, in the order of [`TERMS`].
    pub terms: [f64; TERMS.len()],
    /// Its perimeter in edges of pixels.
    pub perimeter_px: u64,
    /// Its pixels.
    pub pixel_count: u64,
    /// Median log-odds of change in its ring ([`RING_PX`]); `None` where nothing of that was compared.
    pub ring: Option<f64>,
}

impl PatchEvidence {
    /// Mean log-odds of change of its pixels.
    #[must_use]
    pub fn mean_log_odds(&self) -> f64 {
        f64::from(WEIGHTS.bias) + self.terms.iter().sum::<f64>()
    }

    /// By how much each kind of evidence moves the log-odds that a reviewer would confirm it.
    #[must_use]
    pub fn contributions(&self) -> BTreeMap<String, f64> {
        let squares = (self.perimeter_px as f64).powi(2) / (16.0 * self.pixel_count.max(1) as f64);
        let contrast = self.ring.map_or(0.0, |ring| self.mean_log_odds() - ring);
        let of_pixels = TERMS.iter().zip(self.terms).map(|(name, value)| ((*name).to_owned(), MEAN * value));
        let of_shape = [
            ("prior".to_owned(), BIAS + MEAN * f64::from(WEIGHTS.bias)),
            ("shape".to_owned(), COMPACTNESS * squares.max(f64::MIN_POSITIVE).ln()),
            ("contrast".to_owned(), CONTRAST * contrast),
        ];
        of_pixels.chain(of_shape).collect()
    }

    /// The probability that a reviewer would confirm it (0..1).
    #[must_use]
    pub fn review_score(&self) -> f64 {
        let log_odds: f64 = self.contributions().values().sum();
        f64::from(probability(log_odds as f32))
    }
}

/// The pixels between [`RING_PX`] from a patch (row, col); distances are counted along rows, columns and diagonals alike.
#[must_use]
pub fn ring(patch: ArrayView2<'_, bool>) -> Array2<bool> {
    let near = grown(patch, RING_PX.0);
    let mut ring = grown(patch, RING_PX.1);
    ring.zip_mut_with(&near, |ring, near| *ring &= !near);
    ring
}

fn grown(mask: ArrayView2<'_, bool>, by: usize) -> Array2<bool> {
    let (rows, cols) = mask.dim();
    let mut grown = Array2::from_elem((rows, cols), false);
    for ((row, col), _) in mask.indexed_iter().filter(|(_, inside)| **inside) {
        let around = ndarray::s![
            row.saturating_sub(by)..(row + by + 1).min(rows),
            col.saturating_sub(by)..(col + by + 1).min(cols)
        ];
        grown.slice_mut(around).fill(true);
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(terms: f64, ring: Option<f64>) -> PatchEvidence {
        PatchEvidence { terms: [terms; TERMS.len()], perimeter_px: 40, pixel_count: 100, ring }
    }

    #[test]
    fn what_stands_out_and_is_compact_is_more_likely_made() {
        let plain = square(0.8, Some(-2.0));
        assert!(square(1.2, Some(-2.0)).review_score() > plain.review_score());
        assert!(square(0.8, Some(-6.0)).review_score() > plain.review_score());
        let sliver = PatchEvidence { perimeter_px: 202, ..plain.clone() };
        assert!(sliver.review_score() < plain.review_score());
    }

    #[test]
    fn contributions_add_up_to_the_score() {
        let patch = square(0.9, None);
        let sum: f64 = patch.contributions().values().sum();
        assert!((f64::from(probability(sum as f32)) - patch.review_score()).abs() < 1e-9);
        assert!((0.0..=1.0).contains(&square(100.0, Some(-100.0)).review_score()));
    }

    #[test]
    fn a_ring_keeps_off_the_patch() {
        let mut patch = Array2::from_elem((11, 11), false);
        patch[(5, 5)] = true;
        let ring = ring(patch.view());
        assert!(!ring[(5, 6)] && ring[(5, 7)] && ring[(5, 9)] && !ring[(5, 10)]);
        assert_eq!(ring.iter().filter(|inside| **inside).count(), 81 - 9);
    }
}
