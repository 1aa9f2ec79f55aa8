//! Groups of changed pixels, and what is known of each.

use std::collections::VecDeque;

use ndarray::{Array2, ArrayView2, ArrayView3, s};

use super::PatchEvidence;
use crate::evidence::TERMS;

/// Log-odds of change from which on pixels are grouped: a score of 0.016, which nine of ten planted things of 25 pixels reach with
/// more than half of their pixels.
pub const GROUPED_FROM: f32 = -4.15;

/// Pixels of the smallest group that is judged as one: a square of three.
pub const LEAST_PX: usize = 9;

/// Pixels between a patch and its ring, and the outer edge of that.
pub const RING_PX: (usize, usize) = (1, 4);

/// Log-odds of change from which on a pixel beside a group belongs to it, and how many pixels a group takes on that way on every
/// side. Of a dozen values tried on both halves of the pairs of `benches/accuracy` those from here down hardly differ.
const JOINS_FROM: f32 = -5.0;
const JOINS_PX: usize = 2;

/// How much of the log-odds of its group a pixel takes on, and the least of them: chosen on the earlier half of the pairs of
/// `benches/accuracy`, where it raised the average precision from 0.77 to 0.80.
const SHARE_OF_GROUP: f32 = 0.4;
const LEAST_OF_GROUP: f32 = -4.0;

/// Connected groups (eight neighbours) of pixels (row, col) that reach `from`; NaN reaches nothing.
#[must_use]
pub fn groups(log_odds: ArrayView2<'_, f32>, from: f32) -> Vec<Vec<(usize, usize)>> {
    let (rows, cols) = log_odds.dim();
    let mut seen = Array2::from_elem((rows, cols), false);
    let mut groups = Vec::new();
    for (start, value) in log_odds.indexed_iter() {
        if seen[start] || value.is_nan() || *value < from {
            continue;
        }
        seen[start] = true;
        let (mut open, mut group) = (vec![start], Vec::new());
        while let Some((row, col)) = open.pop() {
            group.push((row, col));
            for near in around((row, col), (rows, cols)) {
                if !seen[near] && log_odds[near] >= from {
                    seen[near] = true;
                    open.push(near);
                }
            }
        }
        groups.push(group);
    }
    groups
}

/// What each group encloses beside its own pixels (row, col): pixels at its border that changed somewhat (`JOINS_FROM`), and
/// holes no larger than the group with these. Of a thing whose inside has the colour of the ground only the edges stand out.
/// No pixel joins two groups, and none that is NaN joins any.
///
/// Hysteresis as Canny (1986) has it, and filling of holes (Soille 2003, 6.3.7).
#[must_use]
pub fn enclosed(log_odds: ArrayView2<'_, f32>, groups: &[Vec<(usize, usize)>]) -> Vec<Vec<(usize, usize)>> {
    let mut owners = Array2::<usize>::zeros(log_odds.dim());
    for (owner, group) in (1..).zip(groups) {
        group.iter().for_each(|place| owners[*place] = owner);
    }
    let mut enclosed = vec![Vec::new(); groups.len()];
    let mut border: Vec<(usize, usize)> = groups.iter().flatten().copied().collect();
    for _ in 0..JOINS_PX {
        let mut joined = Vec::new();
        for (row, col) in border {
            let owner = owners[(row, col)];
            for place in around((row, col), log_odds.dim()) {
                if owners[place] == 0 && log_odds[place] >= JOINS_FROM {
                    owners[place] = owner;
                    enclosed[owner - 1].push(place);
                    joined.push(place);
                }
            }
        }
        border = joined;
    }
    for (index, (group, enclosed)) in groups.iter().zip(&mut enclosed).enumerate() {
        let whole: Vec<(usize, usize)> = group.iter().chain(enclosed.iter()).copied().collect();
        for place in holes(&whole, whole.len()) {
            if owners[place] == 0 && !log_odds[place].is_nan() {
                owners[place] = index + 1;
                enclosed.push(place);
            }
        }
    }
    enclosed
}

/// The places (row, col) beside one, itself among them, that lie in an array of a shape.
fn around((row, col): (usize, usize), (rows, cols): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    (row.saturating_sub(1)..(row + 2).min(rows))
        .flat_map(move |r| (col.saturating_sub(1)..(col + 2).min(cols)).map(move |c| (r, c)))
}

/// The pixels of the holes of a group (four neighbours) that have at most `most_px`.
fn holes(group: &[(usize, usize)], most_px: usize) -> Vec<(usize, usize)> {
    let ((top, bottom), (left, right)) = bounds(group);
    // one pixel of outside on every side
    let mut reached = Array2::from_elem((bottom - top + 3, right - left + 3), false);
    group.iter().for_each(|(row, col)| reached[(row - top + 1, col - left + 1)] = true);
    let (rows, cols) = reached.dim();
    let mut found = Vec::new();
    for start in ndarray::indices((rows, cols)) {
        if reached[start] {
            continue;
        }
        reached[start] = true;
        // breadth first: what is open at once is no longer than the front, however large the part; its pixels are not kept beyond
        // what a hole may have
        let (mut open, mut part) = (VecDeque::from([start]), Vec::new());
        while let Some((row, col)) = open.pop_front() {
            if part.len() <= most_px {
                part.push((row + top, col + left));
            }
            let beside = [(row.wrapping_sub(1), col), (row + 1, col), (row, col.wrapping_sub(1)), (row, col + 1)];
            for near in beside.into_iter().filter(|(row, col)| *row < rows && *col < cols) {
                if !reached[near] {
                    reached[near] = true;
                    open.push_back(near);
                }
            }
        }
        // the outside begins in the corner
        if start != (0, 0) && part.len() <= most_px {
            found.extend(part.into_iter().map(|(row, col)| (row - 1, col - 1)));
        }
    }
    found
}

/// First and last row, first and last column.
fn bounds(group: &[(usize, usize)]) -> ((usize, usize), (usize, usize)) {
    let of = |of: fn(&(usize, usize)) -> usize| {
        let values = group.iter().map(of);
        (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
    };
    (of(|place| place.0), of(|place| place.1))
}

/// What is known of a group of pixels. `log_odds` (row, col) and their `terms` ([`TERMS`], row, col) cover one window. Size and
/// shape are those of the whole group; the rest comes from those of its pixels that are not NaN.
#[must_use]
pub fn group_evidence(
    log_odds: ArrayView2<'_, f32>,
    terms: Option<ArrayView3<'_, f32>>,
    group: &[(usize, usize)],
) -> PatchEvidence {
    let ((top, bottom), (left, right)) = bounds(group);
    // room for the ring on every side
    let margin = RING_PX.1;
    let mut mask = Array2::from_elem((bottom - top + 1 + 2 * margin, right - left + 1 + 2 * margin), false);
    group.iter().for_each(|(row, col)| mask[(row - top + margin, col - left + margin)] = true);
    let around = ring(mask.view())
        .indexed_iter()
        .filter(|(_, inside)| **inside)
        .filter_map(|((row, col), _)| {
            log_odds.get(((row + top).checked_sub(margin)?, (col + left).checked_sub(margin)?))
        })
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    let seen: Vec<(usize, usize)> = group.iter().copied().filter(|place| !log_odds[*place].is_nan()).collect();
    let inside: Vec<f32> = seen.iter().map(|place| log_odds[*place]).collect();
    let mean = |values: &mut dyn Iterator<Item = f32>| values.map(f64::from).sum::<f64>() / seen.len().max(1) as f64;
    let terms = match terms {
        Some(terms) => std::array::from_fn::<f64, { TERMS.len() }, _>(|term| {
            mean(&mut seen.iter().map(|(row, col)| terms[(term, *row, *col)]))
        }),
        // the sum is all that is asked for then
        None => {
            let mut terms = [0.0; TERMS.len()];
            terms[0] = mean(&mut inside.iter().copied()) - f64::from(crate::evidence::WEIGHTS.bias);
            terms
        }
    };
    PatchEvidence {
        terms,
        core: core(inside),
        perimeter_px: perimeter(mask.view()),
        pixel_count: group.len() as u64,
        ring: median(around),
    }
}

/// A group of pixels that is judged as one.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The log-odds that a reviewer would confirm it, by its own pixels.
    pub review_log_odds: f64,
    /// Its own pixels (row, col).
    pub group: Vec<(usize, usize)>,
    /// What it encloses beside these ([`enclosed`]).
    pub enclosed: Vec<(usize, usize)>,
}

impl Judged {
    /// All of its pixels (row, col), with those that it encloses.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.group.iter().chain(&self.enclosed).copied()
    }
}

/// The groups that are judged as one in a map of log-odds of change (row, col): those from [`GROUPED_FROM`] on with [`LEAST_PX`].
#[must_use]
pub fn judged(log_odds: ArrayView2<'_, f32>) -> Vec<Judged> {
    let mut groups = groups(log_odds, GROUPED_FROM);
    groups.retain(|group| group.len() >= LEAST_PX);
    let enclosed = enclosed(log_odds, &groups);
    let of = |(group, enclosed): (Vec<_>, Vec<_>)| Judged {
        review_log_odds: group_evidence(log_odds, None, &group).review_log_odds(),
        group,
        enclosed,
    };
    groups.into_iter().zip(enclosed).map(of).collect()
}

/// Log-odds of change (row, col) in which each pixel took on a share of what the group that encloses it is judged by: a pixel of a
/// compact thing that stands out is more likely changed than the same pixel of a sliver. NaN stays NaN.
#[must_use]
pub fn blended(log_odds: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut blended = log_odds.mapv(|value| value + SHARE_OF_GROUP * LEAST_OF_GROUP);
    for judged in judged(log_odds) {
        let more = SHARE_OF_GROUP * ((judged.review_log_odds as f32).max(LEAST_OF_GROUP) - LEAST_OF_GROUP);
        judged.places().for_each(|place| blended[place] += more);
    }
    blended
}

/// Mean of the highest quarter.
pub(crate) fn core(mut values: Vec<f32>) -> f64 {
    values.sort_by(|one, other| other.total_cmp(one));
    let count = (values.len() / 4).max(1).min(values.len());
    values[..count].iter().copied().map(f64::from).sum::<f64>() / count.max(1) as f64
}

fn median(mut values: Vec<f32>) -> Option<f64> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).map(|value| f64::from(*value))
}

/// Edges between pixels inside and outside.
fn perimeter(mask: ArrayView2<'_, bool>) -> u64 {
    let along = |one: ArrayView2<'_, bool>, other: ArrayView2<'_, bool>| {
        one.iter().zip(&other).filter(|(one, other)| one != other).count() as u64
    };
    along(mask.slice(s![1.., ..]), mask.slice(s![..-1, ..])) + along(mask.slice(s![.., 1..]), mask.slice(s![.., ..-1]))
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
        let around =
            s![row.saturating_sub(by)..(row + by + 1).min(rows), col.saturating_sub(by)..(col + by + 1).min(cols)];
        grown.slice_mut(around).fill(true);
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_off_the_patch() {
        let mut patch = Array2::from_elem((11, 11), false);
        patch[(5, 5)] = true;
        let ring = ring(patch.view());
        assert!(!ring[(5, 6)] && ring[(5, 7)] && ring[(5, 9)] && !ring[(5, 10)]);
        assert_eq!(ring.iter().filter(|inside| **inside).count(), 81 - 9);
    }

    /// A square of `edge` pixels at (4, 4) of which the outermost `thick` changed.
    fn frame(edge: usize, thick: usize, size: usize) -> Array2<f32> {
        let mut odds = Array2::from_elem((size, size), -9.0);
        odds.slice_mut(s![4..4 + edge, 4..4 + edge]).fill(1.0);
        odds.slice_mut(s![4 + thick..4 + edge - thick, 4 + thick..4 + edge - thick]).fill(-9.0);
        odds
    }

    fn enclosed_by_first(odds: &Array2<f32>) -> Vec<(usize, usize)> {
        let mut found = enclosed(odds.view(), &groups(odds.view(), GROUPED_FROM)).swap_remove(0);
        found.sort_unstable();
        found
    }

    #[test]
    fn a_thing_of_the_colour_of_the_ground_is_told_by_its_edges() {
        let mut odds = frame(10, 2, 20);
        assert_eq!(enclosed_by_first(&odds).len(), 36, "all of the inside");
        odds[(8, 8)] = f32::NAN;
        assert_eq!(enclosed_by_first(&odds).len(), 35, "but what was not observed");
        odds.slice_mut(s![8, 4..6]).fill(-9.0);
        assert_eq!(enclosed_by_first(&odds), [], "an open frame encloses nothing");
        assert_eq!(enclosed_by_first(&frame(30, 2, 40)), [], "nor does a lake belong to its shore");
    }

    #[test]
    fn pixels_beside_a_group_join_it_two_pixels_far() {
        let mut odds = Array2::from_elem((9, 20), -9.0);
        odds.slice_mut(s![3..6, 3..6]).fill(0.0);
        odds.slice_mut(s![4, 6..12]).fill(-4.9);
        odds[(4, 2)] = -5.1;
        assert_eq!(enclosed_by_first(&odds), [(4, 6), (4, 7)]);
    }

    #[test]
    fn a_square_that_stands_out_gains_and_a_thread_does_not() {
        let mut odds = Array2::from_elem((40, 40), -7.0);
        odds.slice_mut(s![4..12, 4..12]).fill(1.0);
        odds.slice_mut(s![30, 2..38]).fill(1.0);
        odds[(39, 39)] = f32::NAN;
        assert_eq!(groups(odds.view(), GROUPED_FROM).len(), 2);
        let blended = blended(odds.view());
        assert!(blended[(8, 8)] > blended[(30, 20)] && blended[(30, 20)] > blended[(20, 20)]);
        assert!(blended[(39, 39)].is_nan());
        let square: Vec<_> = (4..12).flat_map(|row| (4..12).map(move |col| (row, col))).collect();
        let known = group_evidence(odds.view(), None, &square);
        assert_eq!((known.perimeter_px, known.pixel_count, known.ring), (32, 64, Some(-7.0)));
        assert!((known.mean_log_odds() - 1.0).abs() < 1e-5 && (known.core - 1.0).abs() < 1e-6);
    }
}
