//! Means over blocks of pixels of both dates.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::super::{common_shape, in_lines};

/// Both dates of a pair over their whole overlap, in blocks of some pixels. Windows are added one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct PairBlocks {
    block_px: usize,
    /// Sums over the observed pixels of each block (band, row, col), before and after.
    sums: [Array3<f32>; 2],
    /// Observed pixels of each block (row, col).
    counts: Array2<u16>,
}

impl PairBlocks {
    /// Blocks of an overlap of `rows` × `cols` pixels, nothing of which is observed yet.
    ///
    /// Clouds are found best in blocks of 4 pixels; in blocks of 8 more are missed and the masks are coarser. With four
    /// bands a block takes 34 bytes, and more while the map is made (`comparison_peak_memory_mib` of `scripts/bench`).
    ///
    /// # Panics
    /// `block_px` is 0 or above 255.
    #[must_use]
    pub fn new(bands: usize, rows: usize, cols: usize, block_px: usize) -> Self {
        assert!((1..=255).contains(&block_px), "a block has an edge of 1 to 255 pixels");
        let (rows, cols) = (rows.div_ceil(block_px), cols.div_ceil(block_px));
        Self {
            block_px,
            sums: [Array3::zeros((bands, rows, cols)), Array3::zeros((bands, rows, cols))],
            counts: Array2::zeros((rows, cols)),
        }
    }

    /// Adds a window whose first pixel lies at (`row`, `col`) of the overlap; `before` and `after` (band, row, col).
    /// Windows must not overlap. Where they begin at multiples of the block's edge, the blocks are the same to the last
    /// bit whatever the windows.
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
        let (before, after) = (in_lines(before), in_lines(after));
        let observed = observed.as_standard_layout();
        let observed = observed.as_slice().unwrap_or_default();
        let seen_in = |near: usize| &observed[near * cols..(near + 1) * cols];
        let first = col / edge;
        let (mut seen_down, mut down) = (vec![0_u16; cols], vec![0.0_f32; cols]);
        // the rows of one line of blocks: down the columns first, all of them side by side, then along the row
        let mut next = 0;
        while next < rows {
            let to = (row + next) / edge;
            let near = next..((to + 1) * edge - row).min(rows);
            next = near.end;
            seen_down.fill(0);
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    for near in near.clone() {
                        for (count, &seen) in seen_down.iter_mut().zip(seen_in(near)) {
                            *count += u16::from(seen);
                        }
                    }
                },
            );
            let mut counts = self.counts.row_mut(to);
            for (count, seen) in counts.iter_mut().skip(first).zip(by_blocks(&seen_down, col, edge)) {
                *count += seen.iter().sum::<u16>();
            }
            for (sums, pixels) in self.sums.iter_mut().zip([&before, &after]) {
                for (mut sums, plane) in sums.outer_iter_mut().zip(pixels.outer_iter()) {
                    down.fill(0.0);
                    pulp::Arch::new().dispatch(
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
                    let mut sums = sums.row_mut(to);
                    for (sum, values) in sums.iter_mut().skip(first).zip(by_blocks(&down, col, edge)) {
                        *sum += values.iter().sum::<f32>();
                    }
                }
            }
        }
    }

    /// Edge of a block in pixels.
    #[must_use]
    pub fn block_px(&self) -> usize {
        self.block_px
    }

    /// Means before and after (band, row, col), and the blocks of which at least half were observed (row, col); 0
    /// elsewhere.
    pub(super) fn means(self) -> (Array3<f32>, Array3<f32>, Array2<bool>) {
        let least = (self.block_px * self.block_px).div_ceil(2);
        let observed = self.counts.mapv(|count| usize::from(count) >= least);
        let [before, after] = self.sums.map(|mut means| {
            for mut plane in means.outer_iter_mut() {
                ndarray::Zip::from(&mut plane).and(&self.counts).and(&observed).for_each(|sum, &count, &observed| {
                    *sum = if observed { *sum / f32::from(count) } else { 0.0 };
                });
            }
            means
        });
        (before, after, observed)
    }
}

/// A line of pixels from column `col` on, cut where blocks of `edge` pixels begin.
fn by_blocks<T>(line: &[T], col: usize, edge: usize) -> impl Iterator<Item = &[T]> {
    let (head, rest) = line.split_at((col.next_multiple_of(edge) - col).min(line.len()));
    (!head.is_empty()).then_some(head).into_iter().chain(rest.chunks(edge))
}
