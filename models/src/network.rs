//! A network behind any backend, fed tile by tile: what models of one date and of two have in common.

use std::ops::{DerefMut, Range};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ndarray::{Array3, s};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::{Layout, Picture, Scaling, normalise, not_finite};
use crate::manifest::Format;
use crate::segmenter::SegmenterDescription;
use crate::softmax::{Calibration, RUN_PX, Softmax};
use crate::tiles::{Span, Tiling};

pub(crate) mod answer;
mod halo;

use answer::Calibrated;

/// Memory for pixels that a network is shown.
pub(crate) type Pixels = Box<dyn DerefMut<Target = [f32]> + Send>;

/// A loaded network: one call is one forward pass on a batch of tiles. Several threads call it at once.
pub(crate) trait Network: Send + Sync {
    /// Name of the library, for messages.
    fn library(&self) -> &'static str;

    /// How the channels of each tile lie in memory.
    fn layout(&self) -> Layout;

    /// Memory for so many numbers, from which a network is shown pixels at the least cost; what stands there is of no meaning.
    fn memory(&self, numbers: usize) -> Pixels {
        Box::new(vec![0.0; numbers])
    }

    /// Runs normalised pixels of size (batch, channel, row, col), which lie as the layout says, and shows `take` the logits
    /// with their size (batch, class, row, col), where the library left them: of many classes, a copy costs as much as what is
    /// done with them. The network may write over the pixels.
    fn forward(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        take: &mut dyn FnMut(&[f32], &[i64]),
    ) -> Result<(), NetworkFault>;

    /// The network itself where it makes scores (`probability × 255` rounded) of its logits; none where it leaves that to us.
    fn scores(&self) -> Option<&dyn Calibrated<u8>> {
        None
    }

    /// The same for probabilities.
    fn probabilities(&self) -> Option<&dyn Calibrated<f32>> {
        None
    }
}

/// Why a forward pass failed, with the first lines of the library's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NetworkFault {
    /// Less memory was free than needed.
    OutOfMemory(String),
    /// The device is gone.
    #[cfg_attr(not(feature = "torch"), expect(dead_code, reason = "ONNX Runtime is run on the processor only"))]
    DeviceLost(String),
    /// Anything else.
    Refused(String),
}

/// A network from a [`Bundle`] that takes windows of any size.
pub(crate) struct TiledNetwork {
    network: Box<dyn Network>,
    description: SegmenterDescription,
    /// Dates that it is shown: its channels are the bands of the first, then the same of the second.
    dates: usize,
    /// Of each band of one date.
    scalings: Vec<Scaling>,
    calibrations: Vec<Calibration>,
    tiling: Tiling,
    /// Tiles that are run together; halved for good when the memory did not suffice.
    batch: AtomicUsize,
    workspaces: Mutex<Vec<Workspace>>,
}

/// Memory that a call needs besides the library's own. Kept for the next call: pages that are new to the process cost more
/// than what is then done with them.
struct Workspace {
    /// Normalised pixels of one tile after another, each in the network's layout; grows.
    pixels: Pixels,
    softmax: Softmax,
}

/// One tile of a window.
#[derive(Clone)]
struct Tile {
    rows: Span,
    cols: Span,
}

impl Tile {
    /// What the network is shown: (rows, cols).
    fn read(&self) -> (usize, usize) {
        (self.rows.read.len(), self.cols.read.len())
    }

    /// A class's logits of `cols` (in pixels of the window) of one row, from the logits (class, row, col) of the tile.
    fn row<'a>(&self, logits: &'a [f32], class: usize, row: usize, cols: Range<usize>) -> &'a [f32] {
        let (read_rows, read_cols) = self.read();
        let start = (class * read_rows + row - self.rows.read.start) * read_cols;
        let first = self.cols.read.start;
        &logits[start + cols.start - first..start + cols.end - first]
    }
}

impl TiledNetwork {
    /// Takes a network of a bundle, and holds it against its manifest by a dry run: number of channels and classes, size
    /// of the output, and that nothing beyond the halo changes a pixel.
    pub(crate) fn new(
        network: Box<dyn Network>,
        bundle: &Bundle,
        format: Format,
        half_precision: bool,
        batch: usize,
    ) -> Result<Self, ModelError> {
        let manifest = bundle.manifest();
        let tiled = Self {
            network,
            description: SegmenterDescription::of_bundle(bundle, format, half_precision),
            dates: manifest.kind.dates(),
            scalings: manifest.input.bands.iter().map(Scaling::from).collect(),
            calibrations: manifest.output.heads.iter().map(Calibration::from).collect(),
            tiling: Tiling {
                tile_px: manifest.input.tile_px,
                halo_px: manifest.input.halo_px,
                alignment_px: manifest.input.alignment_px,
            },
            batch: AtomicUsize::new(batch.max(1)),
            workspaces: Mutex::default(),
        };
        tiled.check_halo(format == Format::OnnxInt8 || half_precision)?;
        Ok(tiled)
    }

    /// What it needs and what it gives.
    pub(crate) const fn description(&self) -> &SegmenterDescription {
        &self.description
    }

    /// Channels that the network is shown.
    const fn channels(&self) -> usize {
        self.dates * self.scalings.len()
    }

    /// The same with another tile than the manifest's, rounded up to the alignment.
    pub(crate) fn set_tile_px(&mut self, tile_px: usize) {
        self.tiling.tile_px = tile_px.max(1).next_multiple_of(self.tiling.alignment_px);
        self.description.tile_px = self.tiling.tile_px;
    }

    /// What runs.
    pub(crate) fn network(&self) -> &dyn Network {
        self.network.as_ref()
    }

    /// Does `work` with a workspace that no other call uses meanwhile.
    fn with_workspace<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let lock = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().pop();
        let mut workspace = kept
            .unwrap_or_else(|| Workspace { pixels: Box::new(Vec::new()), softmax: Softmax::new(&self.calibrations) });
        let result = work(&mut workspace);
        lock().push(workspace);
        result
    }

    /// Runs the network on normalised pixels of `tiles` tiles in its layout, and shows `take` the logits (tile, class, row,
    /// col). `None` where the memory did not suffice and fewer tiles may do.
    fn forward(
        &self,
        pixels: &mut [f32],
        (tiles, rows, cols): (usize, usize, usize),
        mut take: impl FnMut(&[f32]) -> Result<(), ModelError>,
    ) -> Result<Option<()>, ModelError> {
        let size = |channels: usize| [tiles, channels, rows, cols];
        let (input, expected) = (size(self.channels()), size(self.description.classes.len()).map(|edge| edge as i64));
        let (mut got, mut taken) = (Vec::new(), Ok(()));
        let ran = self.network.forward(pixels, input, &mut |logits, size| {
            got = size.to_vec();
            if got == expected {
                taken = take(logits);
            }
        });
        if self.judged(ran, input)?.is_none() {
            return Ok(None);
        }
        if got != expected {
            return Err(ModelError::OutputShape {
                model: self.description.name.clone(),
                input: input.map(|edge| edge as i64).to_vec(),
                expected: expected.to_vec(),
                got,
            });
        }
        taken.map(Some)
    }

    /// How the network fared with an input of size (batch, channel, row, col). `None` where the memory did not suffice and fewer
    /// tiles may do.
    fn judged(&self, ran: Result<(), NetworkFault>, input: [usize; 4]) -> Result<Option<()>, ModelError> {
        let (model, library, tiles) = (self.description.name.clone(), self.network.library(), input[0]);
        let doing = format!("running an input of shape {input:?} (batch, channel, row, col)");
        match ran {
            Ok(()) => Ok(Some(())),
            Err(NetworkFault::OutOfMemory(message)) if tiles > 1 => {
                tracing::warn!(model, tiles, message, "out of memory; half as many tiles are run at once from here on");
                Ok(None)
            }
            Err(NetworkFault::OutOfMemory(message)) => Err(ModelError::OutOfMemory { model, library, doing, message }),
            Err(NetworkFault::DeviceLost(message)) => Err(ModelError::DeviceLost { model, doing, message }),
            Err(NetworkFault::Refused(message)) => Err(ModelError::Backend { model, library, doing, message }),
        }
    }

    /// Runs a window, which fits, tile by tile and calls `take(class, row, cols, probabilities)` for every run of
    /// pixels that is kept. Tiles without an observed pixel are left out: their answer is 0.
    pub(crate) fn for_each_run(
        &self,
        picture: &Picture<'_>,
        crop: usize,
        mut take: impl FnMut(usize, usize, Range<usize>, &[f32]),
    ) -> Result<(), ModelError> {
        self.for_each_batch(picture, crop, |tiles, size, pixels, softmax| {
            self.forward(pixels, size, |logits| {
                let of_tiles = logits.chunks_exact(self.description.classes.len() * size.1 * size.2);
                tiles
                    .iter()
                    .zip(of_tiles)
                    .try_for_each(|(tile, logits)| self.for_each_run_of(tile, logits, softmax, &mut take))
            })
        })
    }

    /// Cuts a window, which fits, into tiles and calls `run(tiles, size, pixels, softmax)` with as many at once as the memory
    /// suffices for, which it says by `None` where it does not; they are of one size, (tiles, rows, cols), and their normalised
    /// pixels lie as the network wants them. Tiles without an observed pixel are left out.
    fn for_each_batch(
        &self,
        picture: &Picture<'_>,
        crop: usize,
        mut run: impl FnMut(&[Tile], (usize, usize, usize), &mut [f32], &mut Softmax) -> Result<Option<()>, ModelError>,
    ) -> Result<(), ModelError> {
        assert_eq!(picture.dates.len(), self.dates, "whoever shows pictures knows the kind of the model");
        let planes = self.description.planes(picture.bands)?;
        let (window_rows, window_cols) = picture.observed.dim();
        let col_spans = self.tiling.spans(window_cols, crop);
        let mut tiles = Vec::new();
        for rows in self.tiling.spans(window_rows, crop) {
            for cols in &col_spans {
                let kept = picture.observed.slice(s![rows.keep.clone(), cols.keep.clone()]);
                if kept.iter().any(|observed| *observed) {
                    tiles.push(Tile { rows: rows.clone(), cols: cols.clone() });
                }
            }
        }
        // tiles of one size can be run together
        tiles.sort_by_key(Tile::read);
        self.with_workspace(|workspace| {
            let mut left = tiles.as_slice();
            while let Some(first) = left.first() {
                let alike = left.iter().take_while(|tile| tile.read() == first.read()).count();
                let batch = alike.min(self.batch.load(Ordering::Relaxed));
                if self.run_tiles(picture, &planes, &left[..batch], workspace, &mut run)?.is_none() {
                    self.batch.fetch_min((batch / 2).max(1), Ordering::Relaxed);
                } else {
                    left = &left[batch..];
                }
            }
            Ok(())
        })
    }

    /// Probabilities (class, row, col) of a window less the crop, 0 where unobserved. Refuses arrays that do not fit.
    pub(crate) fn probabilities(&self, picture: &Picture<'_>, crop: usize) -> Result<Array3<f32>, ModelError> {
        let mut out = Array3::zeros(self.description.answer_size(picture, crop)?);
        self.for_each_run(picture, crop, |class, row, cols, values| {
            for (col, value) in cols.zip(values) {
                if picture.observed[(row, col)] {
                    out[(class, row - crop, col - crop)] = *value;
                }
            }
        })?;
        Ok(out)
    }

    /// Shows `run` tiles of one size together; `None` where the memory did not suffice for so many.
    fn run_tiles(
        &self,
        picture: &Picture<'_>,
        planes: &[Option<usize>],
        tiles: &[Tile],
        Workspace { pixels, softmax }: &mut Workspace,
        run: impl FnOnce(&[Tile], (usize, usize, usize), &mut [f32], &mut Softmax) -> Result<Option<()>, ModelError>,
    ) -> Result<Option<()>, ModelError> {
        let (rows, cols) = tiles[0].read();
        let input_px = self.channels() * rows * cols;
        let layout = self.network.layout();
        let numbers = tiles.len() * input_px;
        if pixels.len() < numbers {
            *pixels = self.network.memory(numbers);
        }
        // what is there already is overwritten
        let pixels = &mut pixels[..numbers];
        for (tile, pixels) in tiles.iter().zip(pixels.chunks_exact_mut(input_px)) {
            if !normalise(picture, planes, &self.scalings, [&tile.rows.read, &tile.cols.read], layout, pixels) {
                let fault = not_finite(&self.description.name, picture);
                return Err(fault.unwrap_or_else(|| self.logit_error(tile.rows.read.start, tile.cols.read.start)));
            }
        }
        run(tiles, (tiles.len(), rows, cols), pixels, softmax)
    }

    fn logit_error(&self, row: usize, col: usize) -> ModelError {
        ModelError::LogitNotFinite { model: self.description.name.clone(), row, col }
    }

    /// Calls `take(class, row, cols, probabilities)` for every run of pixels that is kept of a tile.
    fn for_each_run_of(
        &self,
        tile: &Tile,
        logits: &[f32],
        softmax: &mut Softmax,
        mut take: impl FnMut(usize, usize, Range<usize>, &[f32]),
    ) -> Result<(), ModelError> {
        for row in tile.rows.keep.clone() {
            for start in tile.cols.keep.clone().step_by(RUN_PX) {
                let cols = start..(start + RUN_PX).min(tile.cols.keep.end);
                let probabilities = softmax
                    .run(|class| tile.row(logits, class, row, cols.clone()))
                    .map_err(|_| self.logit_error(row, start))?;
                for (class, values) in probabilities.iter().enumerate() {
                    take(class, row, cols.clone(), &values[..cols.len()]);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
