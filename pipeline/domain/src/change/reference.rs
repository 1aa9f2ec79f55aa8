//! What is known of the ground before the later pass.

use ndarray::{Array2, Array3, ArrayView2, Zip, s};

use super::local::{mean_3x3, summed};
use super::{HELD, NO_EARLIER};
use crate::belief::{Belief, Tracked, times_observed, wet_share};
use crate::grid::Window;
use crate::observed::Causes;
use crate::raster::Scores;

/// A place counts as shore that is wet now and dry then, if of at least so many dates the share of wet ones is between these.
const SHORE_DATES: u8 = 3;
const SHORE_WET: [f32; 2] = [0.1, 0.9];

/// Earlier scores fused into one reference: for each pixel the latest date that observed it.
#[derive(Clone, Debug)]
pub struct Reference {
    pub(super) scores: Scores,
    pub(super) earlier: Array2<u8>,
    witnesses: Vec<Scores>,
    belief: Option<(Belief, Tracked)>,
}

impl Reference {
    /// A reference that knows nothing yet.
    #[must_use]
    pub fn new(like: &Scores) -> Self {
        let shape = like.window.shape();
        Self {
            scores: Scores {
                grid: like.grid,
                window: like.window,
                probabilities: Array3::zeros(like.probabilities.raw_dim()),
                causes: Array2::from_elem(shape, Causes::OUTSIDE),
            },
            earlier: Array2::from_elem(shape, NO_EARLIER),
            witnesses: Vec::new(),
            belief: None,
        }
    }

    /// Adds what is believed after all passes so far.
    ///
    /// # Panics
    /// The windows differ.
    pub fn believe(&mut self, belief: Belief, tracked: Tracked) {
        assert_eq!(self.scores.window, belief.window, "belief and scores of one unit cover one window");
        self.belief = Some((belief, tracked));
    }

    /// The earlier passes, in the order in which they were fed.
    #[must_use]
    pub fn witnesses(&self) -> &[Scores] {
        &self.witnesses
    }

    /// Fills what is still unknown from the next earlier pass, number `index` in the unit's order of preference.
    ///
    /// # Panics
    /// The windows differ.
    pub fn feed(&mut self, index: u8, older: Scores) {
        assert_eq!(self.scores.window, older.window, "scores of one unit cover one window");
        let taken = Zip::from(&self.scores.causes)
            .and(&older.causes)
            .map_collect(|known, older| !known.is_observed() && older.is_observed());
        if taken.iter().any(|taken| *taken) {
            Zip::from(&mut self.scores.causes).and(&mut self.earlier).and(&taken).for_each(|cause, earlier, &taken| {
                *cause = if taken { Causes::OBSERVED } else { *cause };
                *earlier = if taken { index } else { *earlier };
            });
            for (mut known, older) in self.scores.probabilities.outer_iter_mut().zip(older.probabilities.outer_iter()) {
                Zip::from(&mut known).and(older).and(&taken).for_each(|known, &older, &taken| {
                    *known = if taken { older } else { *known };
                });
            }
        }
        self.witnesses.push(older);
    }

    /// Holds back the pixels of `held` (row, col), which an earlier pass observed and lies too far off to be compared with. Another
    /// pass, before or after, may know them.
    ///
    /// # Panics
    /// The shapes differ.
    pub fn hold_back(&mut self, held: ArrayView2<'_, bool>) {
        Zip::from(&mut self.earlier).and(held).for_each(|earlier, &held| {
            *earlier = if held && *earlier == NO_EARLIER { HELD } else { *earlier };
        });
    }

    /// The least probability × 255 of some classes that any witness grants, each averaged over 3×3 pixels of `both` (row, col).
    pub(super) fn least(&self, classes: &[usize], work: Window, both: ArrayView2<'_, bool>) -> Array2<f32> {
        let mut least = Array2::from_elem(work.shape(), f32::INFINITY);
        let (rows, cols) = self.scores.window.ranges_of(&work);
        for witness in &self.witnesses {
            let observed = witness.causes.slice(s![rows.clone(), cols.clone()]).mapv(Causes::is_observed);
            let of_witness = Zip::from(&observed).and(both).map_collect(|observed, both| *observed && *both);
            let sum = summed(witness.probabilities.slice(s![.., rows.clone(), cols.clone()]), classes);
            let mean = mean_3x3(&sum, of_witness.view());
            Zip::from(&mut least).and(&mean).and(&of_witness).for_each(|least, &mean, &observed| {
                *least = if observed { least.min(mean) } else { *least };
            });
        }
        let believed = self.belief.as_ref().and_then(|(belief, tracked)| belief.summed(classes, tracked, work));
        if let Some(sum) = believed {
            least.zip_mut_with(&mean_3x3(&sum, both), |least, mean| *least = least.min(*mean));
        }
        least.mapv_inplace(|least| if least.is_finite() { least } else { 0.0 });
        least
    }

    /// Whether a pixel is shore: wet on some dates and dry on others (row, col).
    pub(super) fn shore(&self, work: Window) -> Array2<bool> {
        let Some((belief, _)) = &self.belief else { return Array2::from_elem(work.shape(), false) };
        let (rows, cols) = belief.window.ranges_of(&work);
        belief.counts().slice(s![rows, cols]).mapv(|counts| {
            times_observed(counts) >= SHORE_DATES && (SHORE_WET[0]..=SHORE_WET[1]).contains(&wet_share(counts))
        })
    }
}
