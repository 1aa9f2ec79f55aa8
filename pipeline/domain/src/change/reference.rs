//! What is known of the ground before the later pass.

use ndarray::{Array2, Array3, ArrayView2, Zip, s};

use super::local::Means;
use super::{HELD, NO_EARLIER};
use crate::belief::{Belief, Tracked, times_observed, wet_share};
use crate::grid::Window;
use crate::lanes::vectorised;
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

    /// What is granted to each of `sets` of classes on the pixels of `both` (row, col) of a window.
    pub(super) fn granted(&self, work: Window, both: &Array2<bool>, sets: &[Vec<usize>]) -> Granted<'_> {
        let (rows, cols) = self.scores.window.ranges_of(&work);
        let witnesses = self.witnesses.iter().map(|Scores { causes, probabilities, .. }| {
            let causes = causes.slice(s![rows.clone(), cols.clone()]);
            let valid = Zip::from(causes).and(both).map_collect(|cause, both| cause.is_observed() && *both);
            Means::new(probabilities.slice(s![.., rows.clone(), cols.clone()]), valid, sets.iter().cloned())
        });
        let witnesses = witnesses.collect();
        let believed = self.belief.as_ref().map(|(belief, tracked)| {
            let (rows, cols) = belief.window.ranges_of(&work);
            let planes: Vec<_> = sets.iter().map(|classes| tracked.planes_of(classes)).collect();
            let tracked = planes.iter().map(Option::is_some).collect();
            let planes = planes.into_iter().map(Option::unwrap_or_default);
            (Means::new(belief.planes.slice(s![.., rows, cols]), both.clone(), planes), tracked)
        });
        Granted { witnesses, believed, mean: vec![0.0; both.ncols()] }
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

/// What the passes before and the belief grant to classes, row by row.
pub(super) struct Granted<'a> {
    witnesses: Vec<Means<'a>>,
    /// The belief, and whether each set of classes is tracked in it.
    believed: Option<(Means<'a>, Vec<bool>)>,
    mean: Vec<f32>,
}

impl Granted<'_> {
    /// Goes to a row.
    pub(super) fn go_to(&mut self, row: usize) {
        self.witnesses.iter_mut().for_each(|means| means.go_to(row));
        self.believed.iter_mut().for_each(|(means, _)| means.go_to(row));
    }

    /// The least probability × 255 of a set of classes that any witness or the belief grants, each averaged over 3×3 pixels, along
    /// the row; infinite where none observed it, which is nowhere on `both`: what is known of before is known from them.
    pub(super) fn least(&mut self, set: usize, least: &mut [f32]) {
        least.fill(f32::INFINITY);
        let mean = self.mean.as_mut_slice();
        let believed = self.believed.as_mut().filter(|(_, tracked)| tracked[set]).map(|(means, _)| means);
        for means in self.witnesses.iter_mut().chain(believed) {
            means.of(set, mean);
            keep_least(least, mean, means.valid());
        }
    }
}

/// Keeps the lesser of two along a line, where the second one is `valid`.
fn keep_least(least: &mut [f32], mean: &[f32], valid: &[bool]) {
    vectorised(
        #[inline(always)]
        || {
            for ((least, &mean), &valid) in least.iter_mut().zip(mean).zip(valid) {
                *least = least.min(if valid { mean } else { f32::INFINITY });
            }
        },
    );
}
