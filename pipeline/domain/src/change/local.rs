//! Means and openings around a pixel.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, ArrayView3, s};

use super::NO_CHANGE;
use crate::lanes::{LANES, chosen, counted, vectorised};

/// Probabilities × 255 of one date (class, row, col), of which means over 3×3 are taken row by row: what a row needs lies in the
/// nearest cache, and no plane of means is ever anywhere.
pub(super) struct Means<'a> {
    probabilities: ArrayView3<'a, u8>,
    /// Pixels that count (row, col).
    valid: Array2<bool>,
    row: usize,
    /// Valid pixels of the squares of the row.
    counts: Vec<f32>,
    /// Sums over three rows, with one column more of nothing on each side.
    sums: Vec<u16>,
    sets: Vec<ClassSet>,
}

/// Classes whose probabilities are summed, and the sums of the valid pixels of the last rows that were asked for.
struct ClassSet {
    classes: Vec<usize>,
    /// Row `r` is `lines[r % 3]`.
    lines: [Vec<u16>; 3],
    /// The first row that was not summed yet.
    next: usize,
}

impl<'a> Means<'a> {
    /// Means of each of `sets` of classes.
    ///
    /// # Panics
    /// The shapes differ.
    pub(super) fn new(
        probabilities: ArrayView3<'a, u8>,
        valid: Array2<bool>,
        sets: impl IntoIterator<Item = Vec<usize>>,
    ) -> Self {
        let (_, rows, cols) = probabilities.dim();
        assert_eq!(valid.dim(), (rows, cols), "the mask covers the window of the probabilities");
        let set = |classes| ClassSet { classes, lines: [(); 3].map(|()| vec![0; cols]), next: 0 };
        let sets = sets.into_iter().map(set).collect();
        Self { probabilities, valid, row: 0, counts: vec![0.0; cols], sums: vec![0; cols + 2], sets }
    }

    /// Goes to a row, which lies below those before.
    pub(super) fn go_to(&mut self, row: usize) {
        self.row = row;
        let Self { valid, counts, sums, .. } = self;
        let cols = counts.len();
        let near = near(row, valid.nrows());
        vectorised(
            #[inline(always)]
            || {
                let down = &mut sums[1..=cols];
                down.fill(0);
                for line in near.clone().map(|near| line_of(valid, near)) {
                    for (sum, &valid) in down.iter_mut().zip(line) {
                        *sum += u16::from(valid);
                    }
                }
                for (count, sum) in counts.iter_mut().zip(of_three(sums, cols)) {
                    *count = f32::from(sum.max(1));
                }
            },
        );
    }

    /// Whether the pixels of the row count.
    pub(super) fn valid(&self) -> &[bool] {
        line_of(&self.valid, self.row)
    }

    /// The mean over the valid pixels of 3×3 of the summed probabilities × 255 of a set of classes, along the row; 0 where the
    /// centre is not valid. Returns the largest.
    ///
    /// A sum over a head is at most 255, so nine of them fit into 16 bits.
    ///
    /// # Panics
    /// There is no such set.
    pub(super) fn of(&mut self, set: usize, mean: &mut [f32]) -> f32 {
        let Self { probabilities, valid, row, counts, sums, sets } = self;
        let near = near(*row, valid.nrows());
        let ClassSet { classes, lines, next } = &mut sets[set];
        for row in (*next).max(near.start)..near.end {
            let valid = line_of(valid, row);
            let planes = classes.iter().filter_map(|&class| probabilities.slice_move(s![class, row, ..]).to_slice());
            sum_of_valid(planes, valid, &mut lines[row % 3]);
        }
        *next = near.end;
        let cols = counts.len();
        let here = line_of(valid, *row);
        vectorised(
            #[inline(always)]
            || {
                let down = &mut sums[1..=cols];
                down.fill(0);
                for line in near.clone().map(|near| &lines[near % 3]) {
                    for (sum, value) in down.iter_mut().zip(line) {
                        *sum += value;
                    }
                }
                let of_three = of_three(sums, cols).zip(&*counts).zip(here);
                for (mean, ((sum, count), &valid)) in mean.iter_mut().zip(of_three) {
                    *mean = counted(f32::from(sum) / count, valid);
                }
                let (lanes, beyond) = mean.as_chunks::<LANES>();
                let mut most = [0.0_f32; LANES];
                for lane in lanes {
                    for i in 0..LANES {
                        most[i] = if lane[i] > most[i] { lane[i] } else { most[i] };
                    }
                }
                most.iter().chain(beyond).copied().fold(0.0, f32::max)
            },
        )
    }
}

/// Sums of three neighbours, the first of them one column farther left.
#[inline(always)]
fn of_three(sums: &[u16], cols: usize) -> impl Iterator<Item = u16> {
    let neighbours = sums[..cols].iter().zip(&sums[1..]).zip(&sums[2..]);
    neighbours.map(|((left, here), right)| left + here + right)
}

/// What the planes of some classes say of the valid pixels of a line together.
fn sum_of_valid<'a>(planes: impl Iterator<Item = &'a [u8]>, valid: &[bool], line: &mut [u16]) {
    line.fill(0);
    for plane in planes {
        vectorised(
            #[inline(always)]
            || {
                for ((sum, &value), &valid) in line.iter_mut().zip(plane).zip(valid) {
                    *sum += u16::from(chosen(0, value, valid));
                }
            },
        );
    }
}

fn line_of(mask: &Array2<bool>, row: usize) -> &[bool] {
    mask.row(row).to_slice().unwrap_or_default()
}

/// A row and those beside it, of so many.
fn near(row: usize, rows: usize) -> Range<usize> {
    row.saturating_sub(1)..(row + 2).min(rows)
}

/// Labels that are looked at together.
const CHUNK_PX: usize = 32;

/// Morphological opening of every label by a square whose edge the label decides: pixels that lie in no whole square of
/// their label become [`NO_CHANGE`].
pub(super) fn opened(labels: ArrayView2<'_, u8>, width_of: impl Fn(u8) -> usize) -> Array2<u8> {
    let (rows, cols) = labels.dim();
    let mut widths = [1_usize; 256];
    for (label, width) in widths.iter_mut().enumerate() {
        *width = width_of(label as u8).max(1);
    }
    let mut opened = Array2::from_elem((rows, cols), NO_CHANGE);
    // rows above, this one included, in which a run of the label's width ends at this column
    let mut height = vec![0_usize; cols];
    let labels = labels.as_standard_layout();
    for row in 0..rows {
        let line = labels.row(row);
        let line = line.as_slice().unwrap_or_default();
        let mut run = 0;
        for (first, chunk) in (0..cols).step_by(CHUNK_PX).zip(line.chunks(CHUNK_PX)) {
            // most of most windows has no label
            if chunk.iter().fold(NO_CHANGE, |any, label| any | (label ^ NO_CHANGE)) == 0 {
                height[first..first + chunk.len()].fill(0);
                run = 0;
                continue;
            }
            for (col, &label) in (first..).zip(chunk) {
                run = if col > 0 && line[col - 1] == label { run + 1 } else { 1 };
                if label == NO_CHANGE || run < widths[usize::from(label)] {
                    height[col] = 0;
                    continue;
                }
                let continues = row > 0 && labels[(row - 1, col)] == label;
                height[col] = if continues { height[col] + 1 } else { 1 };
                let width = widths[usize::from(label)];
                if height[col] >= width {
                    opened.slice_mut(s![row + 1 - width..=row, col + 1 - width..=col]).fill(label);
                }
            }
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn means_are_those_of_the_valid_pixels_around(
            values in proptest::collection::vec(0_u8..128, 2 * 7 * 21),
            valid in proptest::collection::vec(proptest::bool::weighted(0.8), 7 * 21),
            asked in proptest::collection::vec(proptest::bool::weighted(0.7), 7),
        ) {
            let probabilities = Array3::from_shape_vec((2, 7, 21), values).expect("two planes");
            let valid = Array2::from_shape_vec((7, 21), valid).expect("one mask");
            let mut means = Means::new(probabilities.view(), valid.clone(), [vec![0], vec![0, 1]]);
            let mut line = vec![f32::NAN; 21];
            for row in (0..7).filter(|row| asked[*row]) {
                means.go_to(row);
                let most = means.of(1, &mut line);
                for (col, &found) in line.iter().enumerate() {
                    let around: Vec<f32> = valid
                        .indexed_iter()
                        .filter(|((r, c), valid)| **valid && r.abs_diff(row) <= 1 && c.abs_diff(col) <= 1)
                        .map(|((r, c), _)| f32::from(probabilities[(0, r, c)]) + f32::from(probabilities[(1, r, c)]))
                        .collect();
                    let mean = around.iter().sum::<f32>() / around.len().max(1) as f32;
                    prop_assert_eq!(found, if valid[(row, col)] { mean } else { 0.0 });
                }
                prop_assert_eq!(most, line.iter().copied().fold(0.0, f32::max));
            }
        }
    }
}
