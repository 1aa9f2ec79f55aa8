//! Means over blocks of pixels of both dates.

use half::f16;
use half::slice::HalfFloatSliceExt;
use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::super::{common_shape, in_lines};
use crate::lanes::vectorised;

/// Both dates of a pair over their whole overlap, in blocks of some pixels. Windows are added one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct PairBlocks {
    block_px: usize,
    /// Means over the observed pixels of each block (band, row, col), before and after; 0 where not observed. Half
    /// precision is a two-thousandth of the value: far below the noise of a block.
    means: [Array3<f16>; 2],
    /// Blocks of which at least half of the pixels were observed (row, col).
    observed: Array2<bool>,
}

impl PairBlocks {
    /// Blocks of an overlap of `rows` × `cols` pixels, nothing of which is observed yet.
    ///
    /// Clouds are found best in blocks of 4 pixels; in blocks of 8 more are missed and the masks are coarser. With four
    /// bands a block takes 17 bytes.
    ///
    /// # Panics
    /// `block_px` is 0 or above 255.
    #[must_use]
    pub fn new(bands: usize, rows: usize, cols: usize, block_px: usize) -> Self {
        assert!((1..=255).contains(&block_px), "a block has an edge of 1 to 255 pixels");
        let (rows, cols) = (rows.div_ceil(block_px), cols.div_ceil(block_px));
        Self {
            block_px,
            means: [(); 2].map(|()| Array3::from_elem((bands, rows, cols), f16::ZERO)),
            observed: Array2::from_elem((rows, cols), false),
        }
    }

    /// Adds a window whose first pixel lies at (`row`, `col`) of the overlap; `before` and `after` (band, row, col), of
    /// magnitudes below 65504. No block may lie in two windows: they begin at multiples of the block's edge, and end at
    /// one or with the overlap. The blocks are then the same to the last bit whatever the windows.
    ///
    /// # Panics
    /// The shapes or the number of bands differ, or the window reaches beyond the overlap.
    pub fn add(
        &mut self,
        (row, col): (usize, usize),
        before: ArrayView3<'_, f32>,
        after: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
    ) {
        let (_, rows, cols) = common_shape(before, after, observed);
        let edge = self.block_px;
        let least = (edge * edge).div_ceil(2);
        let (before, after) = (in_lines(before), in_lines(after));
        let observed = observed.as_standard_layout();
        let observed = observed.as_slice().unwrap_or_default();
        let seen_in = |near: usize| &observed[near * cols..(near + 1) * cols];
        let blocks = col / edge..(col + cols).div_ceil(edge);
        let (mut seen_down, mut down) = (vec![0_u16; cols], vec![0.0_f32; cols]);
        let (mut counts, mut means) = (vec![0_u16; blocks.len()], vec![0.0_f32; blocks.len()]);
        // the rows of one line of blocks: down the columns first, all of them side by side, then along the row
        let mut next = 0;
        while next < rows {
            let to = (row + next) / edge;
            let near = next..((to + 1) * edge - row).min(rows);
            next = near.end;
            seen_down.fill(0);
            vectorised(
                #[inline(always)]
                || {
                    for near in near.clone() {
                        for (count, &seen) in seen_down.iter_mut().zip(seen_in(near)) {
                            *count += u16::from(seen);
                        }
                    }
                },
            );
            let seen = self.observed.row_mut(to);
            let seen = seen.into_slice().unwrap_or_default()[blocks.clone()].iter_mut();
            for ((seen, count), down) in seen.zip(&mut counts).zip(by_blocks(&seen_down, col, edge)) {
                *count = down.iter().sum();
                *seen = usize::from(*count) >= least;
                *count *= u16::from(*seen);
            }
            for (kept, pixels) in self.means.iter_mut().zip([&before, &after]) {
                for (mut kept, plane) in kept.outer_iter_mut().zip(pixels.outer_iter()) {
                    down.fill(0.0);
                    vectorised(
                        #[inline(always)]
                        || {
                            for near in near.clone() {
                                let line = plane.row(near).to_slice().unwrap_or_default();
                                for ((sum, &value), &seen) in down.iter_mut().zip(line).zip(seen_in(near)) {
                                    *sum += if seen { value } else { 0.0 };
                                }
                            }
                        },
                    );
                    for ((mean, &count), values) in means.iter_mut().zip(&counts).zip(by_blocks(&down, col, edge)) {
                        *mean = if count > 0 { values.iter().sum::<f32>() / f32::from(count) } else { 0.0 };
                    }
                    let kept = kept.row_mut(to).into_slice().unwrap_or_default();
                    kept[blocks.clone()].convert_from_f32_slice(&means);
                }
            }
        }
    }

    /// Edge of a block in pixels.
    #[must_use]
    pub fn block_px(&self) -> usize {
        self.block_px
    }

    /// Bands of each date.
    pub(super) fn bands(&self) -> usize {
        self.means[0].dim().0
    }

    /// The blocks of which at least half was observed (row, col).
    pub(super) fn observed(&self) -> &Array2<bool> {
        &self.observed
    }

    /// Mean of a band of the earlier (0) or the later date (1) over a block.
    pub(super) fn mean(&self, date: usize, band: usize, (row, col): (usize, usize)) -> f32 {
        self.means[date][(band, row, col)].to_f32()
    }

    /// The same of a row of blocks.
    pub(super) fn write_means(&self, date: usize, band: usize, row: usize, line: &mut [f32]) {
        let plane = self.means[date].index_axis(ndarray::Axis(0), band);
        plane.row(row).to_slice().unwrap_or_default().convert_to_f32_slice(line);
    }
}

/// A line of pixels from column `col` on, cut where blocks of `edge` pixels begin.
fn by_blocks<T>(line: &[T], col: usize, edge: usize) -> impl Iterator<Item = &[T]> {
    let (head, rest) = line.split_at((col.next_multiple_of(edge) - col).min(line.len()));
    (!head.is_empty()).then_some(head).into_iter().chain(rest.chunks(edge))
}
