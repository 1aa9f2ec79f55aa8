//! A network behind any backend, fed tile by tile: what models of one date and of two have in common.

use std::ops::Range;
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

/// What pixels beyond the halo may change in a probability: the bound for tiled against untiled.
pub(crate) const HALO_TOLERANCE: f32 = 1e-4;

/// The same in 8 bits or half precision, where the last digit of one layer may round another way in the next.
pub(crate) const HALO_TOLERANCE_REDUCED: f32 = 0.05;

/// A loaded network: one call is one forward pass on a batch of tiles. Several threads call it at once.
pub(crate) trait Network: Send + Sync {
    /// Name of the library, for messages.
    fn library(&self) -> &'static str;

    /// How the channels of each tile lie in memory.
    fn layout(&self) -> Layout;

    /// Runs normalised pixels of size (batch, channel, row, col), which lie as the layout says, and shows `take` the logits
    /// with their size (batch, class, row, col), where the library left them: of many classes, a copy costs as much as what is
    /// done with them. The network may write over the pixels.
    fn forward(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        take: &mut dyn FnMut(&[f32], &[i64]),
    ) -> Result<(), NetworkFault>;
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
    /// Normalised pixels of one tile after another, each in the network's layout.
    pixels: Vec<f32>,
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
        let approximate = format == Format::OnnxInt8 || half_precision;
        tiled.check_halo(if approximate { HALO_TOLERANCE_REDUCED } else { HALO_TOLERANCE })?;
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

    /// Does `work` with a workspace that no other call uses meanwhile.
    fn with_workspace<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let lock = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().pop();
        let mut workspace =
            kept.unwrap_or_else(|| Workspace { pixels: Vec::new(), softmax: Softmax::new(&self.calibrations) });
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
        let (model, library) = (self.description.name.clone(), self.network.library());
        let doing = format!("running an input of shape {input:?} (batch, channel, row, col)");
        let (mut got, mut taken) = (Vec::new(), Ok(()));
        let ran = self.network.forward(pixels, input, &mut |logits, size| {
            got = size.to_vec();
            if got == expected {
                taken = take(logits);
            }
        });
        match ran {
            Ok(()) if got == expected => taken.map(Some),
            Ok(()) => Err(ModelError::OutputShape {
                model,
                input: input.map(|edge| edge as i64).to_vec(),
                expected: expected.to_vec(),
                got,
            }),
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
                if self.run_tiles(picture, &planes, &left[..batch], workspace, &mut take)?.is_none() {
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

    /// Runs tiles of one size together; `None` where the memory did not suffice for so many.
    fn run_tiles(
        &self,
        picture: &Picture<'_>,
        planes: &[Option<usize>],
        tiles: &[Tile],
        Workspace { pixels, softmax }: &mut Workspace,
        mut take: impl FnMut(usize, usize, Range<usize>, &[f32]),
    ) -> Result<Option<()>, ModelError> {
        let (rows, cols) = tiles[0].read();
        let input_px = self.channels() * rows * cols;
        let layout = self.network.layout();
        // what is there already is overwritten
        pixels.resize(tiles.len() * input_px, 0.0);
        for (tile, pixels) in tiles.iter().zip(pixels.chunks_exact_mut(input_px)) {
            if !normalise(picture, planes, &self.scalings, [&tile.rows.read, &tile.cols.read], layout, pixels) {
                let fault = not_finite(&self.description.name, picture);
                return Err(fault.unwrap_or_else(|| self.logit_error(tile.rows.read.start, tile.cols.read.start)));
            }
        }
        self.forward(pixels, (tiles.len(), rows, cols), |logits| {
            let of_tiles = logits.chunks_exact(self.description.classes.len() * rows * cols);
            tiles
                .iter()
                .zip(of_tiles)
                .try_for_each(|(tile, logits)| self.for_each_run_of(tile, logits, softmax, &mut take))
        })
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

    /// Shows the network two pictures that differ only beyond the halo of the block in the middle.
    fn check_halo(&self, tolerance: f32) -> Result<(), ModelError> {
        let Tiling { halo_px, alignment_px, .. } = self.tiling;
        // at least a few pixels, so that no pooling comes to nothing
        let ring = alignment_px * 4_usize.div_ceil(alignment_px);
        let (side, crop) = (2 * (ring + halo_px) + 2 * ring, ring + halo_px);
        let inner = ring..side - ring;
        let channels = self.channels();
        let mut pictures = [1.0, -1.0].map(|sign| {
            let value = |channel, row, col| {
                let value = texture(channel, row, col);
                if inner.contains(&row) && inner.contains(&col) { value } else { sign * value }
            };
            let pixels = match self.network.layout() {
                Layout::ChannelsFirst => {
                    Array3::from_shape_fn((channels, side, side), |(c, row, col)| value(c, row, col))
                }
                Layout::ChannelsLast => {
                    Array3::from_shape_fn((side, side, channels), |(row, col, c)| value(c, row, col))
                }
            };
            pixels.into_raw_vec_and_offset().0
        });
        let span = Span { read: 0..side, keep: crop..side - crop };
        let tile = Tile { rows: span.clone(), cols: span };
        let mut softmax = Softmax::new(&self.calibrations);
        let mut answers = [Vec::new(), Vec::new()];
        for (pixels, answer) in pictures.iter_mut().zip(&mut answers) {
            self.forward(pixels, (1, side, side), |logits| {
                self.for_each_run_of(&tile, logits, &mut softmax, |_, _, _, values| answer.extend_from_slice(values))
            })?;
        }
        let difference = answers[0].iter().zip(&answers[1]).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        if difference > tolerance {
            return Err(ModelError::Halo { model: self.description.name.clone(), halo_px, difference, tolerance });
        }
        Ok(())
    }
}

/// A value in about −2..2 without structure, the same on every machine.
fn texture(channel: usize, row: usize, col: usize) -> f32 {
    let mut bits = (channel as u32 + 1).wrapping_mul(0x9e37_79b9) ^ (row as u32).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ (bits >> 15) ^ (col as u32).wrapping_mul(0xc2b2_ae35)).wrapping_mul(0x2c1b_3c6d);
    bits ^= bits >> 13;
    (bits.wrapping_mul(0x297a_2d39) >> 8) as f32 / (1 << 22) as f32 - 2.0
}

#[cfg(test)]
mod tests;
