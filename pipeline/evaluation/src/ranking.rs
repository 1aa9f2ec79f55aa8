//! How well a score puts changed pixels before others, whatever its scale.

/// Scores of pixels with their truth.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// (score, changed).
    pixels: Vec<(f32, bool)>,
}

impl Ranking {
    /// Adds a pixel. A score that is not a number counts as the lowest there is.
    pub fn add(&mut self, score: f32, changed: bool) {
        self.pixels.push((if score.is_nan() { f32::NEG_INFINITY } else { score }, changed));
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        self.pixels.extend(other.pixels);
    }

    /// Average precision: the mean of the precision at each changed pixel, in the order of falling scores; pixels of one
    /// score are taken together (Manning, Raghavan & Schütze 2008, section 8.4, as `sklearn.metrics.average_precision_score`).
    /// `None` where nothing changed.
    #[must_use]
    pub fn average_precision(mut self) -> Option<f64> {
        self.pixels.sort_unstable_by(|one, other| other.0.total_cmp(&one.0));
        let changed = self.pixels.iter().filter(|(_, changed)| *changed).count();
        if changed == 0 {
            return None;
        }
        let (mut found, mut looked_at, mut sum) = (0_usize, 0_usize, 0.0);
        for alike in self.pixels.chunk_by(|one, other| one.0 == other.0) {
            let new = alike.iter().filter(|(_, changed)| *changed).count();
            found += new;
            looked_at += alike.len();
            sum += new as f64 * found as f64 / looked_at as f64;
        }
        Some(sum / changed as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pixels: &[(f32, bool)]) -> Option<f64> {
        let mut ranking = Ranking::default();
        for &(score, changed) in pixels {
            ranking.add(score, changed);
        }
        ranking.average_precision()
    }

    #[test]
    fn a_known_example() {
        // scikit-learn's own: y = [0, 0, 1, 1], scores = [0.1, 0.4, 0.35, 0.8] → 0.8333
        let got = of(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]).expect("something changed");
        assert!((got - 0.833_333).abs() < 1e-6, "{got}");
    }

    #[test]
    fn the_best_order_gives_one_and_no_order_the_share() {
        assert_eq!(of(&[(0.9, true), (0.8, true), (0.1, false)]), Some(1.0));
        assert_eq!(of(&[(0.5, true), (0.5, false), (0.5, false), (0.5, false)]), Some(0.25));
        assert_eq!(of(&[(f32::NAN, true), (0.0, false)]), Some(0.5));
        assert_eq!(of(&[(0.5, false)]), None);
    }
}
