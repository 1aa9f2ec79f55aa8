//! The real segmenter: a TorchScript network on libtorch's CPU kernels.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::{Array3, ArrayView2, ArrayView3, s};
use tch::{CModule, TchError, Tensor};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::{Scaling, in_order, normalise, not_finite};
use crate::segmenter::{Segmenter, SegmenterDescription, answer};
use crate::softmax::{RUN_PX, Softmax, quantise};
use crate::tiles::{Span, Tiling};

/// What pixels beyond the halo may change in a probability: the bound for tiled against untiled.
pub const HALO_TOLERANCE: f32 = 1e-4;

/// A network from a [`Bundle`], run on the CPU.
pub struct TorchScriptSegmenter {
    module: CModule,
    description: SegmenterDescription,
    scalings: Vec<Scaling>,
    temperature: f64,
    tiling: Tiling,
    threads: usize,
    workspaces: Mutex<Vec<Workspace>>,
}

/// Memory that a call needs besides libtorch's own. Kept for the next call: pages that are new to the process cost more
/// than what is then done with them.
struct Workspace {
    /// Normalised pixels (band, row, col).
    pixels: Vec<f32>,
    /// Logits (class, row, col).
    logits: Vec<f32>,
    softmax: Softmax,
}

/// One piece of a window, and its logits.
struct Piece<'a> {
    rows: &'a Span,
    cols: &'a Span,
    /// (class, row, col) of what was read.
    logits: &'a [f32],
}

impl Piece<'_> {
    /// A class's logits of `cols` (in pixels of the window) of one row.
    fn row(&self, class: usize, row: usize, cols: Range<usize>) -> &[f32] {
        let (read_rows, read_cols) = (self.rows.read.len(), self.cols.read.len());
        let start = (class * read_rows + row - self.rows.read.start) * read_cols;
        let first = self.cols.read.start;
        &self.logits[start + cols.start - first..start + cols.end - first]
    }
}

impl TorchScriptSegmenter {
    /// Loads the verified weights of a bundle. `threads` is how many threads *one* call of the segmenter uses; it holds
    /// for the whole process. With as many workers as cores, 1 is right: two workers with one thread each are quicker
    /// than one after the other with two.
    ///
    /// A dry run holds the network against its manifest: number of bands and classes, size of the output, and that
    /// nothing beyond the halo changes a pixel.
    ///
    /// # Errors
    /// Libtorch cannot read the weights or refuses the input, the output has another shape than the manifest says, or
    /// the network looks further than its halo.
    pub fn load(bundle: &Bundle, threads: usize) -> Result<Self, ModelError> {
        let description = SegmenterDescription::of_bundle(bundle);
        let manifest = bundle.manifest();
        let module = load_module(bundle.weights())
            .map_err(torch_error(&description.name, || "loading the weights".to_owned()))?;
        let segmenter = Self {
            module,
            scalings: manifest.input.bands.iter().map(Scaling::from).collect(),
            temperature: manifest.output.temperature,
            tiling: Tiling {
                tile_px: manifest.input.tile_px,
                halo_px: manifest.input.halo_px,
                alignment_px: manifest.input.alignment_px,
            },
            threads: threads.max(1),
            workspaces: Mutex::default(),
            description,
        };
        segmenter.check_halo()?;
        tracing::info!(
            model = segmenter.description.name,
            version = segmenter.description.version,
            digest = %segmenter.description.digest.short(),
            threads,
            "model loaded"
        );
        Ok(segmenter)
    }

    /// The same with another tile than the manifest's, rounded up to the alignment: for measuring, and for machines
    /// with little memory. Probabilities do not change by more than [`HALO_TOLERANCE`].
    #[must_use]
    pub fn with_tile_px(mut self, tile_px: usize) -> Self {
        self.tiling.tile_px = tile_px.max(1).next_multiple_of(self.tiling.alignment_px);
        self.description.tile_px = self.tiling.tile_px;
        self
    }

    /// Does `work` with a workspace that no other call uses meanwhile.
    fn with_workspace<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let lock = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().pop();
        let mut workspace = kept.unwrap_or_else(|| Workspace {
            pixels: Vec::new(),
            logits: Vec::new(),
            softmax: Softmax::new(self.description.classes.len(), self.temperature),
        });
        let result = work(&mut workspace);
        lock().push(workspace);
        result
    }

    /// Runs the network on normalised pixels: (band, row, col) in, logits (class, row, col) out.
    fn forward(&self, pixels: &[f32], rows: usize, cols: usize, out: &mut Vec<f32>) -> Result<(), ModelError> {
        let size = |channels: usize| [1, channels as i64, rows as i64, cols as i64];
        let input = size(self.scalings.len());
        let expected = size(self.description.classes.len());
        let torch_error = torch_error(&self.description.name, || {
            format!("running an input of shape {input:?} (batch, band, row, col)")
        });
        if tch::get_num_threads() != self.threads as i32 {
            tch::set_num_threads(self.threads as i32);
        }
        let logits = tch::no_grad(|| {
            let input = Tensor::f_from_slice(pixels)?.f_view(input)?;
            self.module.forward_ts(&[input])
        })
        .map_err(&torch_error)?;
        let got = logits.size();
        if got != expected {
            return Err(ModelError::OutputShape {
                model: self.description.name.clone(),
                input: input.to_vec(),
                expected: expected.to_vec(),
                got,
            });
        }
        out.resize(logits.numel(), 0.0);
        logits.f_copy_data(out, logits.numel()).map_err(&torch_error)
    }

    /// Runs a window, which fits, piece by piece and calls `take(class, row, cols, probabilities)` for every run of
    /// pixels that is kept. Pieces without an observed pixel are left out: their answer is 0.
    fn for_each_run(
        &self,
        reflectance: &ArrayView3<'_, f32>,
        observed: &ArrayView2<'_, bool>,
        crop: usize,
        mut take: impl FnMut(usize, usize, Range<usize>, &[f32]),
    ) -> Result<(), ModelError> {
        let (window_rows, window_cols) = observed.dim();
        let col_spans = self.tiling.spans(window_cols, crop);
        self.with_workspace(|workspace| {
            for rows in &self.tiling.spans(window_rows, crop) {
                for cols in &col_spans {
                    let kept = observed.slice(s![rows.keep.clone(), cols.keep.clone()]);
                    if !kept.iter().any(|observed| *observed) {
                        continue;
                    }
                    let Workspace { pixels, logits, softmax } = &mut *workspace;
                    if !normalise(reflectance, observed, &self.scalings, &rows.read, &cols.read, pixels) {
                        return Err(not_finite(&self.description, reflectance, observed)
                            .unwrap_or_else(|| self.logit_error(rows.read.start, cols.read.start)));
                    }
                    self.forward(pixels, rows.read.len(), cols.read.len(), logits)?;
                    self.for_each_run_of(&Piece { rows, cols, logits }, softmax, &mut take)?;
                }
            }
            Ok(())
        })
    }

    fn logit_error(&self, row: usize, col: usize) -> ModelError {
        ModelError::LogitNotFinite { model: self.description.name.clone(), row, col }
    }

    /// Calls `take(class, row, cols, probabilities)` for every run of pixels that is kept of a piece.
    fn for_each_run_of(
        &self,
        piece: &Piece<'_>,
        softmax: &mut Softmax,
        mut take: impl FnMut(usize, usize, Range<usize>, &[f32]),
    ) -> Result<(), ModelError> {
        for row in piece.rows.keep.clone() {
            for start in piece.cols.keep.clone().step_by(RUN_PX) {
                let cols = start..(start + RUN_PX).min(piece.cols.keep.end);
                let probabilities = softmax
                    .run(|class| piece.row(class, row, cols.clone()))
                    .map_err(|_| self.logit_error(row, start))?;
                for (class, values) in probabilities.iter().enumerate() {
                    take(class, row, cols.clone(), &values[..cols.len()]);
                }
            }
        }
        Ok(())
    }

    /// Shows the network two pictures that differ only beyond the halo of the block in the middle.
    fn check_halo(&self) -> Result<(), ModelError> {
        let Tiling { halo_px, alignment_px, .. } = self.tiling;
        // at least a few pixels, so that no pooling comes to nothing
        let ring = alignment_px * 4_usize.div_ceil(alignment_px);
        let (side, crop) = (2 * (ring + halo_px) + 2 * ring, ring + halo_px);
        let inner = ring..side - ring;
        let pictures = [1.0, -1.0].map(|sign| {
            let mut pixels = Vec::with_capacity(self.scalings.len() * side * side);
            for band in 0..self.scalings.len() {
                for row in 0..side {
                    for col in 0..side {
                        let value = texture(band, row, col);
                        pixels.push(if inner.contains(&row) && inner.contains(&col) { value } else { sign * value });
                    }
                }
            }
            pixels
        });
        let span = Span { read: 0..side, keep: crop..side - crop };
        let mut softmax = Softmax::new(self.description.classes.len(), self.temperature);
        let mut answers = [Vec::new(), Vec::new()];
        for (pixels, answer) in pictures.iter().zip(&mut answers) {
            let mut logits = Vec::new();
            self.forward(pixels, side, side, &mut logits)?;
            let piece = Piece { rows: &span, cols: &span, logits: &logits };
            self.for_each_run_of(&piece, &mut softmax, |_, _, _, values| answer.extend_from_slice(values))?;
        }
        let difference = answers[0].iter().zip(&answers[1]).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        if difference > HALO_TOLERANCE {
            return Err(ModelError::Halo {
                model: self.description.name.clone(),
                halo_px,
                difference,
                tolerance: HALO_TOLERANCE,
            });
        }
        Ok(())
    }
}

impl Segmenter for TorchScriptSegmenter {
    fn description(&self) -> &SegmenterDescription {
        &self.description
    }

    fn segment_window(
        &self,
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<u8>, ModelError> {
        let size @ (classes, rows, cols) = self.description.answer_size(&reflectance, &observed, crop)?;
        let mut out = vec![0; classes * rows * cols];
        let mask = in_order(&observed);
        self.for_each_run(&reflectance, &observed, crop, |class, row, kept, values| {
            let mask = &mask[row * observed.ncols()..][kept.clone()];
            let start = (class * rows + row - crop) * cols + kept.start - crop;
            quantise(values, mask, &mut out[start..start + values.len()]);
        })?;
        Ok(answer(size, out))
    }

    fn probabilities(
        &self,
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<f32>, ModelError> {
        let mut out = Array3::zeros(self.description.answer_size(&reflectance, &observed, crop)?);
        self.for_each_run(&reflectance, &observed, crop, |class, row, cols, values| {
            for (col, value) in cols.zip(values) {
                if observed[(row, col)] {
                    out[(class, row - crop, col - crop)] = *value;
                }
            }
        })?;
        Ok(out)
    }
}

fn load_module(mut weights: &[u8]) -> Result<CModule, TchError> {
    let mut module = CModule::load_data(&mut weights)?;
    module.f_set_eval()?;
    Ok(module)
}

/// Loads the weights of a bundle into torch once and holds them against the manifest, as a run would before any work.
///
/// # Errors
/// As [`TorchScriptSegmenter::load`].
pub fn verify(bundle: &Bundle) -> Result<(), ModelError> {
    TorchScriptSegmenter::load(bundle, 1).map(drop)
}

/// A value in about −2..2 without structure, the same on every machine.
fn texture(band: usize, row: usize, col: usize) -> f32 {
    let mut bits = (band as u32 + 1).wrapping_mul(0x9e37_79b9) ^ (row as u32).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ (bits >> 15) ^ (col as u32).wrapping_mul(0xc2b2_ae35)).wrapping_mul(0x2c1b_3c6d);
    bits ^= bits >> 13;
    (bits.wrapping_mul(0x297a_2d39) >> 8) as f32 / (1 << 22) as f32 - 2.0
}

/// Libtorch's message without its stacks: the line of the error itself where it is told, else the first lines.
fn torch_error(model: &str, doing: impl Fn() -> String) -> impl Fn(TchError) -> ModelError {
    move |error| {
        let text = error.to_string();
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let cause = lines.iter().rev().find_map(|line| line.split_once("RuntimeError: ").map(|(_, cause)| cause));
        let message = cause.map_or_else(
            || {
                let first = lines.iter().take_while(|line| !line.starts_with("Exception raised from"));
                first.take(4).copied().collect::<Vec<_>>().join("; ")
            },
            str::to_owned,
        );
        ModelError::Torch { model: model.to_owned(), doing: doing(), message }
    }
}
