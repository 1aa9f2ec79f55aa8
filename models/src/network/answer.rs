//! Networks that make probabilities of their logits where they run: of a device's answer less has to be copied.

use std::ops::Range;

use super::{NetworkFault, Tile, TiledNetwork};
use crate::error::ModelError;
use crate::input::Picture;

/// A network that tells probabilities in numbers of type `T`: as they are (`f32`), or as scores (`u8`: `probability × 255`
/// rounded, half to even).
pub(crate) trait Calibrated<T>: Send + Sync {
    /// As [`Network::forward`](super::Network::forward), but shows `take` a part of the probabilities (tile, class, row, col), and
    /// for each (tile, row) of it the sum of all logits that it was made of: no finite number where a logit was none.
    fn answer(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        part: &Part,
        take: &mut dyn FnMut(&[T], &[f32]),
    ) -> Result<(), NetworkFault>;
}

/// What is wanted of the answer of every tile of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// Ids.
    pub(crate) classes: Range<usize>,
    /// In pixels from the first that the network is shown.
    pub(crate) rows: Range<usize>,
    /// Likewise.
    pub(crate) cols: Range<usize>,
}

impl Part {
    /// What is kept of any of the tiles.
    fn of(tiles: &[Tile], classes: Range<usize>) -> Self {
        let within = |read: &Range<usize>, kept: &Range<usize>| kept.start - read.start..kept.end - read.start;
        let all = |one: Range<usize>, other: Range<usize>| one.start.min(other.start)..one.end.max(other.end);
        let rows = tiles.iter().map(|tile| within(&tile.rows.read, &tile.rows.keep)).reduce(all);
        let cols = tiles.iter().map(|tile| within(&tile.cols.read, &tile.cols.keep)).reduce(all);
        Self { classes, rows: rows.unwrap_or_default(), cols: cols.unwrap_or_default() }
    }
}

impl TiledNetwork {
    /// As [`for_each_run`](Self::for_each_run) for some classes only, with probabilities that `network`, which is this one, made
    /// itself: calls `take(class, row, cols, values)` for every row of every tile that is kept.
    pub(crate) fn for_each_row<T>(
        &self,
        network: &dyn Calibrated<T>,
        picture: &Picture<'_>,
        crop: usize,
        classes: Range<usize>,
        mut take: impl FnMut(usize, usize, Range<usize>, &[T]),
    ) -> Result<(), ModelError> {
        self.for_each_batch(picture, crop, |tiles, (number, rows, cols), pixels, _| {
            let part = Part::of(tiles, classes.clone());
            let (kept_rows, kept_cols) = (part.rows.len(), part.cols.len());
            let size = [number, self.channels(), rows, cols];
            let mut taken = Ok(());
            let ran = network.answer(pixels, size, &part, &mut |values, sums| {
                let tile_numbers = classes.len() * kept_rows * kept_cols;
                assert_eq!(
                    (values.len(), sums.len()),
                    (number * tile_numbers, number * kept_rows),
                    "the part asked for"
                );
                let answers = values.chunks_exact(tile_numbers);
                let mut answers = tiles.iter().zip(answers).zip(sums.chunks_exact(kept_rows));
                taken = answers.try_for_each(|((tile, values), sums)| {
                    let first_row = tile.rows.read.start + part.rows.start;
                    let first_col = tile.cols.read.start + part.cols.start;
                    if let Some(row) = tile.rows.keep.clone().find(|row| !sums[row - first_row].is_finite()) {
                        return Err(self.logit_error(row, tile.cols.keep.start));
                    }
                    for (class, values) in classes.clone().zip(values.chunks_exact(kept_rows * kept_cols)) {
                        for row in tile.rows.keep.clone() {
                            let values = &values[(row - first_row) * kept_cols..][..kept_cols];
                            let cols = tile.cols.keep.clone();
                            take(class, row, cols.clone(), &values[cols.start - first_col..cols.end - first_col]);
                        }
                    }
                    Ok(())
                });
            });
            self.judged(ran, size)?.map_or(Ok(None), |()| taken.map(Some))
        })
    }
}
