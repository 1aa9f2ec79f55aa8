//! How often reviewers confirm, and how often they agree, with intervals that hold for small counts too.

use serde::{Deserialize, Serialize};

/// A share with its 95 % interval by Wilson's score, which never leaves 0..1 and says much for few.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Share {
    /// How many of them.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// The share (0..1).
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// 97.5 % of a normal distribution lie below.
const Z: f64 = 1.959_963_984_540_054;

impl Share {
    /// `None` of nothing.
    #[must_use]
    pub fn of(hits: u64, of: u64) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let z2 = Z * Z;
        let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        Some(Self { hits, of, share: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) })
    }
}

/// Cohen's κ of two persons (or of one person against the verdicts that counted): agreement beyond chance. `pairs` holds what
/// each of them said; `None` where nobody could disagree (no pair, or one verdict only).
#[must_use]
pub fn kappa<T: Eq + Copy>(pairs: &[(T, T)], all: &[T]) -> Option<f64> {
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let observed = pairs.iter().filter(|(a, b)| a == b).count() as f64 / n;
    let by_chance: f64 = all
        .iter()
        .map(|verdict| {
            let first = pairs.iter().filter(|(a, _)| a == verdict).count() as f64;
            let second = pairs.iter().filter(|(_, b)| b == verdict).count() as f64;
            first * second / (n * n)
        })
        .sum();
    (by_chance < 1.0).then(|| (observed - by_chance) / (1.0 - by_chance))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_interval_is_that_of_the_books() {
        let share = Share::of(8, 10).expect("some");
        assert!((share.low - 0.4902).abs() < 1e-4 && (share.high - 0.9433).abs() < 1e-4, "{share:?}");
        assert_eq!(Share::of(0, 0), None);
        let none = Share::of(0, 20).expect("some");
        assert!(none.low == 0.0 && (none.high - 0.1611).abs() < 1e-4, "{none:?}");
    }

    #[test]
    fn agreement_beyond_chance() {
        let mut pairs = vec![(1, 1); 20];
        pairs.extend([(1, 0); 5]);
        pairs.extend([(0, 1); 10]);
        pairs.extend([(0, 0); 15]);
        assert!((kappa(&pairs, &[0, 1]).expect("told") - 0.4).abs() < 1e-12);
        assert_eq!(kappa(&[(1, 1)], &[0, 1]), None);
        assert_eq!(kappa::<u8>(&[], &[0, 1]), None);
    }

    proptest! {
        #[test]
        fn the_share_lies_in_its_interval(of in 1_u64..100_000, part in 0.0_f64..=1.0) {
            let hits = (of as f64 * part) as u64;
            let share = Share::of(hits, of).expect("some");
            prop_assert!(0.0 <= share.low && share.low <= share.share + 1e-12);
            prop_assert!(share.share <= share.high + 1e-12 && share.high <= 1.0);
        }
    }
}
