//! What several passes say of one patch together: evidence that adds up, in place of votes.
//!
//! A thing that was made stays, and each later pass differs from the dates before it at the same place. A harvest, a flood or a
//! haze does not. To ask of each pass for itself whether it shows the patch throws away how surely it does: one pass in weak
//! contrast loses a thing (all must show it), and one odd pass more keeps a mistake (most must). So the patch of the pass that
//! raised it is judged again on the same ground by each later pass ([`seen_again`]), held against the dates before the first of
//! them, and the log-odds are averaged ([`pooled`]).

use ndarray::ArrayView2;

use super::group_evidence;

/// A score nearer to 0 or 1 than this says no more than this, so that no single pass decides.
const SUREST: f64 = 1e-3;

/// The review score (0..1) of the ground of a patch on another pass: its pixels `group` (row, col) in that pass's `log_odds` of
/// change (row, col; NaN where not compared). Size and shape stay those of the patch. `None` where no more than half of it was
/// compared.
#[must_use]
pub fn seen_again(log_odds: ArrayView2<'_, f32>, group: &[(usize, usize)]) -> Option<f64> {
    let compared = group.iter().filter(|place| !log_odds[**place].is_nan()).count();
    (2 * compared > group.len()).then(|| group_evidence(log_odds, None, group).review_score())
}

/// The one review score (0..1) of the scores (0..1) that passes gave a patch, the pass that raised it among them: the mean of their
/// log-odds. `None` for fewer than two passes, since one confirms nothing.
///
/// The logarithmic opinion pool with equal weights (Genest and Zidek 1986). Sums of log-odds, as in sequential tests (Wald 1945),
/// would take the passes for independent; all of them are held against the same earlier dates.
#[must_use]
pub fn pooled(scores: &[f64]) -> Option<f64> {
    let log_odds = |score: &f64| {
        let score = score.clamp(SUREST, 1.0 - SUREST);
        (score / (1.0 - score)).ln()
    };
    let mean = scores.iter().map(log_odds).sum::<f64>() / scores.len() as f64;
    (scores.len() >= 2).then(|| 1.0 / (1.0 + (-mean).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suspicion::judged;
    use ndarray::{Array2, s};

    /// Log-odds of change with a square of ten pixels' edge.
    fn pass(square: f32) -> Array2<f32> {
        let mut odds = Array2::from_elem((30, 30), -7.0);
        odds.slice_mut(s![10..20, 10..20]).fill(square);
        odds
    }

    #[test]
    fn what_stays_is_confirmed_though_one_pass_hardly_shows_it() {
        let group = judged(pass(0.0).view()).swap_remove(0).group;
        let scores =
            |of: [f32; 3]| of.map(|square| seen_again(pass(square).view(), &group).expect("all of it is seen"));
        let stays = scores([0.0, -4.5, 0.0]);
        assert!(stays[1] < 0.5 && pooled(&stays).expect("three passes") > 0.5, "{stays:?}");
        let goes = scores([0.0, -7.0, -7.0]);
        assert!(goes[0] > 0.9 && pooled(&goes).expect("three passes") < 0.2, "{goes:?}");
    }

    #[test]
    fn the_pass_that_raised_it_sees_again_what_it_judged() {
        let odds = pass(-1.0);
        let found = judged(odds.view()).swap_remove(0);
        let again = seen_again(odds.view(), &found.group).expect("all of it is seen");
        assert!((again / (1.0 - again) - found.review_log_odds.exp()).abs() < 1e-3 * found.review_log_odds.exp());
    }

    #[test]
    fn half_a_patch_tells_nothing_and_more_of_it_is_judged_as_the_whole() {
        let whole = pass(-1.0);
        let group = judged(whole.view()).swap_remove(0).group;
        let mut clouded = whole.clone();
        clouded.slice_mut(s![10..15, ..]).fill(f32::NAN);
        assert_eq!(seen_again(clouded.view(), &group), None);
        clouded[(14, 12)] = -1.0;
        assert_eq!(seen_again(clouded.view(), &group), seen_again(whole.view(), &group));
    }

    #[test]
    fn no_pass_says_more_than_it_can_know_and_their_order_does_not_matter() {
        assert_eq!((pooled(&[]), pooled(&[0.9])), (None, None));
        assert!((pooled(&[0.3, 0.3, 0.3]).expect("three") - 0.3).abs() < 1e-12);
        assert!((pooled(&[0.0, 1.0]).expect("two") - 0.5).abs() < 1e-12);
        let [one, other] = [[0.9, 0.2, 0.6], [0.2, 0.6, 0.9]].map(|scores| pooled(&scores).expect("three"));
        assert!((one - other).abs() < 1e-12);
    }
}
