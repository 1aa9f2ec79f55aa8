//! One date beside what the other one would be with its radiometry.

use std::ops::Range;

use ndarray::{Array2, s};

use super::blocks::PairBlocks;
use super::levels::{Level, quantiles, spread};
use super::{Bands, WhiteScale};

/// Blocks that quantiles are told from: of a share of 0.02 their error is then 0.0006 of a share.
const QUANTILE_SAMPLE: usize = 50_000;

/// One date, black 0 and white 1, beside the other at its level. Nothing of it is held but the blocks.
pub(super) struct Compared<'a> {
    blocks: &'a PairBlocks,
    pub(super) bands: &'a Bands,
    /// This date and the other one: 0 is the earlier one.
    dates: [usize; 2],
    /// What brings the means of each band there, of this date and of the other one.
    levels: [Vec<Level>; 2],
    /// Range of each band.
    pub(super) ranges: Vec<f32>,
    /// Blocks that quantiles are told from.
    sample: Vec<(usize, usize)>,
}

/// A row of blocks of both dates, (band, col).
pub(super) struct Line {
    pub(super) this: Array2<f32>,
    /// At the level of this date.
    pub(super) other: Array2<f32>,
}

impl<'a> Compared<'a> {
    /// Of a date `this` (0 is the earlier one); `levels` bring each band of the other one to its level, both on their
    /// white scales.
    pub(super) fn of(
        blocks: &'a PairBlocks,
        this: usize,
        scales: [&WhiteScale; 2],
        levels: &[Level],
        bands: &'a Bands,
    ) -> Self {
        let other = 1 - this;
        let of_bands = |of: &dyn Fn(usize) -> Level| (0..levels.len()).map(of).collect::<Vec<_>>();
        let own = of_bands(&|band| scales[this].level(band));
        let brought = of_bands(&|band| scales[other].level(band).then(&levels[band]));
        let sample = spread(blocks.observed(), QUANTILE_SAMPLE);
        let mut dates =
            Self { blocks, bands, dates: [this, other], levels: [own, brought], ranges: Vec::new(), sample };
        let range = |which: usize, band: usize| {
            let [low, high] = dates.quantiles(|dates, at| dates.value(which, band, at), [0.02, 0.98]);
            high - low
        };
        dates.ranges = (0..levels.len()).map(|band| range(0, band).min(range(1, band)).max(f32::EPSILON)).collect();
        dates
    }

    /// Edge of a block in pixels.
    pub(super) fn block_px(&self) -> usize {
        self.blocks.block_px()
    }

    /// (row, col) of blocks observed on both dates.
    pub(super) fn observed(&self) -> &'a Array2<bool> {
        self.blocks.observed()
    }

    /// A band of this date (0) or of the other one (1) at a block.
    fn value(&self, which: usize, band: usize, at: (usize, usize)) -> f32 {
        self.levels[which][band].applied(self.blocks.mean(self.dates[which], band, at))
    }

    /// Mean of the visible bands of this date (0) or of the other one (1) at a block.
    pub(super) fn visible(&self, which: usize, at: (usize, usize)) -> f32 {
        self.bands.visible_mean(|band| self.value(which, band, at))
    }

    /// By how much the visible bands rise in the mean at a block.
    pub(super) fn visible_rise(&self, at: (usize, usize)) -> f32 {
        self.visible(0, at) - self.visible(1, at)
    }

    /// The values below which shares of the observed blocks lie, by a sample where there are many; 0 without any.
    pub(super) fn quantiles<const SHARES: usize>(
        &self,
        of: impl Fn(&Self, (usize, usize)) -> f32,
        shares: [f64; SHARES],
    ) -> [f32; SHARES] {
        quantiles(self.sample.iter().map(|&at| of(self, at)).collect(), shares)
    }

    /// Looks at rows of blocks one after the other.
    pub(super) fn each_line(&self, rows: Range<usize>, mut look: impl FnMut(usize, &Line)) {
        let dim = (self.ranges.len(), self.observed().dim().1);
        let mut line = Line { this: Array2::zeros(dim), other: Array2::zeros(dim) };
        for row in rows {
            for (which, values) in [&mut line.this, &mut line.other].into_iter().enumerate() {
                for (band, mut values) in values.outer_iter_mut().enumerate() {
                    let level = self.levels[which][band];
                    if let Some(values) = values.as_slice_mut() {
                        self.blocks.write_means(self.dates[which], band, row, values);
                    }
                    values.mapv_inplace(|mean| level.applied(mean));
                }
            }
            look(row, &line);
        }
    }

    /// Means of the visible bands of this date and of the other one in some rows of blocks (row, col).
    pub(super) fn visible_in(&self, rows: Range<usize>) -> [Array2<f32>; 2] {
        let mut means = [(); 2].map(|()| Array2::zeros((rows.len(), self.observed().dim().1)));
        let first = rows.start;
        self.each_line(rows, |row, line| {
            for (means, values) in means.iter_mut().zip([&line.this, &line.other]) {
                let mut means = means.slice_mut(s![row - first, ..]);
                for (col, mean) in means.indexed_iter_mut() {
                    *mean = self.bands.visible_mean(|band| values[(band, col)]);
                }
            }
        });
        means
    }
}

impl Line {
    /// By how much a band differs.
    pub(super) fn difference(&self, band: usize, col: usize) -> f32 {
        self.this[(band, col)] - self.other[(band, col)]
    }
}
