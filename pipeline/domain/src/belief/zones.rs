//! Transition priors inside function zones of the shoreline: what may be built upon becomes a town sooner than a nature reserve.
//!
//! In a zone the prior probability that ground of class `d` becomes class `c` is that of the classes, `(1 − a(d)) / (n − 1)`, times
//! the zone's factor for `c` ([`ZonePrior`]); what remains is the probability to stay. A prior is about what stood there *before* a
//! pass and never about what the pass shows: in a reserve one odd date does not make a town of a wood, so that a later town is
//! seen for what it is.

use ndarray::Array2;

use super::{BYTES_PER_PIXEL, SUREST, Tracked};
use crate::classes::{ModelClasses, ZonePrior};
use crate::grid::Window;

/// The priors of a window with zones.
#[derive(Clone, Debug, PartialEq)]
pub struct ZonedPriors {
    /// The pixels that are covered.
    pub(super) window: Window,
    /// Number of the row of the table that counts at a pixel, from 1; 0 outside of every zone (row, col).
    rows: Array2<u8>,
    /// By row of the table, the probability of each class to become each other one, from class to class.
    transitions: Vec<Vec<f32>>,
}

impl ZonedPriors {
    /// The priors of a `table` where `rows` (row, col of `window`) says, from 1, which of its rows counts; 0 means none.
    ///
    /// # Panics
    /// `rows` is not of the window's shape.
    #[must_use]
    pub fn new(
        window: Window,
        rows: Array2<u8>,
        table: &[ZonePrior],
        tracked: &Tracked,
        classes: &ModelClasses,
    ) -> Self {
        assert_eq!(rows.dim(), window.shape(), "the zone of each pixel of the window");
        Self { window, rows, transitions: table.iter().map(|row| transitions(row, tracked, classes)).collect() }
    }

    /// The transitions that count at a pixel; `None` for those of the classes.
    pub(super) fn at(&self, place: (usize, usize)) -> Option<&[f32]> {
        let row = usize::from(self.rows[place]).checked_sub(1)?;
        self.transitions.get(row).map(Vec::as_slice)
    }
}

fn transitions(row: &ZonePrior, tracked: &Tracked, classes: &ModelClasses) -> Vec<f32> {
    let factor = |id: &usize| row.becomes.get(&classes.names[*id]).map_or(1.0, |factor| *factor as f32);
    let factors: Vec<f32> = tracked.land_cover.iter().map(factor).collect();
    let count = factors.len();
    let others = (count.max(2) - 1) as f32;
    let mut transitions = Vec::with_capacity(count * count);
    for (from, stays) in tracked.stays.iter().enumerate() {
        let leaves = |to: usize| if to == from { 0.0 } else { (1.0 - stays) / others * factors[to] };
        let leaving: f32 = (0..count).map(leaves).sum();
        transitions.extend((0..count).map(|to| if to == from { 1.0 - leaving } else { leaves(to) }));
    }
    transitions
}

/// One step of the filter over the classes of one head with priors from class to class.
pub(super) fn filtered(belief: &mut [f32], told: &[u8], transitions: &[f32], tempered: &[f32]) {
    let count = belief.len();
    let mut next = [0.0_f32; BYTES_PER_PIXEL];
    let mut total = 0.0;
    for (to, (next, told)) in next.iter_mut().zip(told).enumerate() {
        let predicted: f32 =
            belief.iter().enumerate().map(|(from, belief)| belief * transitions[from * count + to]).sum();
        *next = predicted.max(SUREST * SUREST) * tempered[usize::from(*told)];
        total += *next;
    }
    belief.iter_mut().zip(next).for_each(|(belief, next)| *belief = next / total);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ndarray::Array3;

    use super::super::{Belief, OTHER_STAYS, PERSISTENCE};
    use super::*;
    use crate::classes::MOST_ZONE_FACTOR;
    use crate::crs::Epsg;
    use crate::grid::Grid;
    use crate::observed::Causes;
    use crate::raster::Scores;

    const WINDOW: Window = Window { row: 0, col: 0, rows: 1, cols: 3 };

    fn classes() -> ModelClasses {
        ModelClasses::one_head(["water", "trees", "built_up", "bare"].map(str::to_owned).to_vec())
    }

    fn zone(built_up: f64) -> ZonePrior {
        ZonePrior { zone: "any".to_owned(), becomes: BTreeMap::from([("built_up".to_owned(), built_up)]) }
    }

    /// Trees on all dates but the last, which says half built up, in a pixel of no zone and one of each of two zones.
    fn believed(table: &[ZonePrior], rows: [u8; 3]) -> Array3<u8> {
        let (grid, classes) = (Grid::new(Epsg(32650), 10.0), classes());
        let tracked = Tracked::of(&classes);
        let rows = Array2::from_shape_vec((1, 3), rows.to_vec()).expect("three pixels");
        let zones = ZonedPriors::new(WINDOW, rows, table, &tracked, &classes);
        let mut belief = Belief::unknown(grid, WINDOW, &tracked);
        for told in [[5, 240, 5, 5], [5, 240, 5, 5], [5, 40, 205, 5], [5, 60, 185, 5]] {
            let probabilities = Array3::from_shape_fn((4, 1, 3), |(class, ..)| told[class]);
            let causes = Array2::from_elem((1, 3), Causes::OBSERVED);
            belief.update(&Scores { grid, window: WINDOW, probabilities, causes }, &tracked, Some(&zones));
        }
        belief.planes
    }

    #[test]
    fn what_is_rare_in_a_zone_is_believed_later_and_what_is_common_sooner() {
        let planes = believed(&[zone(0.1), zone(4.0)], [0, 1, 2]);
        let built_up = |col: usize| planes[(2, 0, col)];
        assert!(built_up(1) < built_up(0) && built_up(0) < built_up(2), "{planes:?}");
        assert!(planes[(1, 0, 1)] > planes[(2, 0, 1)], "a reserve is still a wood: {planes:?}");
    }

    #[test]
    fn a_factor_of_one_is_the_prior_of_the_classes() {
        let planes = believed(&[zone(1.0)], [0, 1, 0]);
        for plane in planes.outer_iter() {
            assert!(plane[(0, 0)].abs_diff(plane[(0, 1)]) <= 1, "{planes:?}");
        }
    }

    #[test]
    fn transitions_are_probabilities_whatever_the_factors() {
        let classes = classes();
        let tracked = Tracked::of(&classes);
        let all = |factor: f64| ZonePrior {
            zone: "any".to_owned(),
            becomes: classes.names.iter().map(|name| (name.clone(), factor)).collect(),
        };
        for row in [all(0.0), all(1.0), all(MOST_ZONE_FACTOR), zone(MOST_ZONE_FACTOR)] {
            for from in transitions(&row, &tracked, &classes).chunks(4) {
                assert!(from.iter().all(|part| (0.0..=1.0).contains(part)), "{row:?}: {from:?}");
                assert!((from.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{row:?}: {from:?}");
            }
        }
        let least = PERSISTENCE.iter().map(|row| row.stays).fold(OTHER_STAYS, f32::min);
        assert!((1.0 - f64::from(least)) * MOST_ZONE_FACTOR < 1.0, "no class may be bound to leave");
    }
}
