//! From pixels to one probability a patch: whether a reviewer who looks at both dates would say that something was made here.
//!
//! Objects, not pixels: beside the evidence of its pixels ([`crate::evidence`]) a patch is judged by its size, its shape and by
//! how it stands out from its surroundings. Edges that moved by a pixel are long and thin, whole fields and lakes that changed
//! their colour hardly differ from what lies around them.
//!
//! Fitted by logistic regression on the groups of pixels over [`GROUPED_FROM`] of planted pairs of `benches/accuracy`, their earlier
//! half (1163 groups, 26 % of them planted). On the later half (1412 groups), of those with a score of 0.3 to 0.5 43 % were
//! planted, of 0.7 to 0.9 80 %, of more 99 %; of less than 0.1 3 %.

use std::collections::BTreeMap;

use crate::evidence::{TERMS, WEIGHTS, probability};

mod groups;
mod passes;

pub use groups::{GROUPED_FROM, Judged, LEAST_PX, RING_PX, blended, enclosed, group_evidence, groups, judged, ring};
pub use passes::{pooled, seen_again};

/// Log-odds without any evidence.
const BIAS: f64 = -0.13;
/// For each unit of the mean log-odds of change of its pixels.
const MEAN: f64 = 0.49;
/// For each unit of the mean log-odds of the quarter of its pixels that changed most.
const CORE: f64 = 0.52;
/// For each factor e of its number of pixels.
const SIZE: f64 = 0.04;
/// For each factor e of the compactness: perimeter² over that of a square of its area.
const COMPACTNESS: f64 = -1.11;
/// For each unit of log-odds that it stands out by.
const CONTRAST: f64 = 0.44;

/// What is known of a patch.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchEvidence {
    /// Mean contribution to the log-odds of change over its pixels, in the order of [`TERMS`].
    pub terms: [f64; TERMS.len()],
    /// Mean log-odds of change of the quarter of its pixels that changed most.
    pub core: f64,
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
        let pixels = self.pixel_count.max(1) as f64;
        let squares = (self.perimeter_px as f64).powi(2) / (16.0 * pixels);
        let contrast = self.ring.map_or(0.0, |ring| self.mean_log_odds() - ring);
        let of_pixels = TERMS.iter().zip(self.terms).map(|(name, value)| ((*name).to_owned(), MEAN * value));
        let of_whole = [
            ("prior".to_owned(), BIAS + MEAN * f64::from(WEIGHTS.bias)),
            ("core".to_owned(), CORE * self.core),
            ("size".to_owned(), SIZE * pixels.ln()),
            ("shape".to_owned(), COMPACTNESS * squares.max(f64::MIN_POSITIVE).ln()),
            ("contrast".to_owned(), CONTRAST * contrast),
        ];
        of_pixels.chain(of_whole).collect()
    }

    /// The log-odds that a reviewer would confirm it.
    #[must_use]
    pub fn review_log_odds(&self) -> f64 {
        self.contributions().values().sum()
    }

    /// The probability that a reviewer would confirm it (0..1).
    #[must_use]
    pub fn review_score(&self) -> f64 {
        f64::from(probability(self.review_log_odds() as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(terms: f64, ring: Option<f64>) -> PatchEvidence {
        PatchEvidence { terms: [terms; TERMS.len()], core: 0.0, perimeter_px: 40, pixel_count: 100, ring }
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
}
