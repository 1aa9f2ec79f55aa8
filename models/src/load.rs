//! From a verified bundle to what runs it, by what the configuration asks for.

use std::ops::Range;
use std::path::PathBuf;

use ndarray::{Array2, Array3};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::Picture;
use crate::manifest::{Format, Kind, Manifest};
use crate::network::{Network, TiledNetwork};
use crate::network_segmenter::NetworkSegmenter;
use crate::segmenter::Segmenter;

/// What runs a bundle, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Which form of the weights.
    pub format: Format,
    /// Where it runs. ONNX runs on the processor only. In a process that uses both devices the first TorchScript network has to
    /// be one on CUDA: libtorch looks for its part for CUDA once.
    pub device: Device,
    /// Half precision on a CUDA device; without effect on the processor.
    pub half_precision: bool,
    /// Whether the processor may stand in for a missing CUDA device.
    pub allow_cpu: bool,
    /// How many threads *one* call of the model uses. With as many workers as cores, 1 is right: two workers with one
    /// thread each are quicker than one after the other with two.
    pub threads: usize,
    /// Bytes of the device's memory that one call may fill with tiles; several workers together fill as many times as much.
    pub memory_bytes: u64,
    /// The library of ONNX Runtime, where it is not beside the program or where scripts/setup puts it.
    pub onnxruntime_library: Option<PathBuf>,
    /// Another tile than the manifest's, in pixels, rounded up to the alignment: for measuring, and for machines with
    /// little memory.
    pub tile_px: Option<usize>,
}

impl Options {
    /// One form on the processor, one thread a call.
    #[must_use]
    pub const fn cpu(format: Format) -> Self {
        Self {
            format,
            device: Device::Cpu,
            half_precision: false,
            allow_cpu: false,
            threads: 1,
            memory_bytes: 2 << 30,
            onnxruntime_library: None,
            tile_px: None,
        }
    }
}

/// Where a network runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first CUDA device.
    Cuda,
}

impl Device {
    /// Name as in configurations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

/// The forms of weights that this build can run.
#[must_use]
pub const fn formats_of_this_build() -> &'static [Format] {
    match (cfg!(feature = "torch"), cfg!(feature = "onnx")) {
        (true, true) => &[Format::TorchScript, Format::Onnx, Format::OnnxInt8],
        (true, false) => &[Format::TorchScript],
        (false, true) => &[Format::Onnx, Format::OnnxInt8],
        (false, false) => &[],
    }
}

/// Memory that a small U-Net fills for each pixel of a tile in single precision: two times 64 channels at full resolution,
/// and as much again at the coarser ones.
const ACTIVATION_BYTES_PER_PX: u64 = 1024;

/// Most tiles that are run together: beyond it a device gains nothing.
const MOST_TILES: u64 = 32;

/// Loads one form of a bundle as a segmenter; one of two dates is a [`ChangeNetwork`](crate::ChangeNetwork) instead.
///
/// A dry run holds the network against its manifest: number of channels and classes, size of the output, and that
/// nothing beyond the halo changes a pixel.
///
/// # Errors
/// The bundle is no segmenter or has no such form, this build cannot run it, its device or library is missing, the weights
/// are not those of the manifest or cannot be read, the output has another shape than the manifest says, or the network
/// looks further than its halo.
pub fn load(bundle: &Bundle, options: &Options) -> Result<Box<dyn Segmenter>, ModelError> {
    bundle.expect_kind(Kind::Segmentation)?;
    Ok(Box::new(NetworkSegmenter(tiled(bundle, options)?)))
}

/// Loads one form of a bundle of any kind.
pub(crate) fn tiled(bundle: &Bundle, options: &Options) -> Result<TiledNetwork, ModelError> {
    let model = &bundle.manifest().name;
    // told before anything else: that a bundle lacks a form can be read in its manifest
    bundle.weights(options.format)?;
    let (network, device) = network(bundle, options)?;
    let half_precision = options.half_precision && device == Device::Cuda;
    let batch = batch(bundle, device, options.memory_bytes);
    let mut tiled = TiledNetwork::new(network, bundle, options.format, half_precision, batch)?;
    if let Some(tile_px) = options.tile_px {
        tiled.set_tile_px(tile_px);
    }
    let description = tiled.description();
    tracing::info!(
        model,
        version = description.version,
        digest = %description.digest.short(),
        format = options.format.name(),
        device = device.name(),
        half_precision,
        threads = options.threads,
        batch,
        "model loaded"
    );
    Ok(tiled)
}

fn network(bundle: &Bundle, options: &Options) -> Result<(Box<dyn Network>, Device), ModelError> {
    match options.format {
        #[cfg(feature = "torch")]
        Format::TorchScript => {
            use crate::torchscript::{TorchScript, device};
            let device = device(&bundle.manifest().name, options)?;
            Ok((Box::new(TorchScript::load(bundle, device, options)?), device))
        }
        #[cfg(feature = "onnx")]
        Format::Onnx | Format::OnnxInt8 => {
            if options.device == Device::Cuda && !options.allow_cpu {
                let reason =
                    "ONNX weights run on the processor only here (backend = \"torchscript\" uses CUDA)".to_owned();
                return Err(ModelError::NoCuda { model: bundle.manifest().name.clone(), reason });
            }
            Ok((Box::new(crate::onnx::Onnx::load(bundle, options.format, options)?), Device::Cpu))
        }
        #[cfg(not(all(feature = "torch", feature = "onnx")))]
        format => Err(ModelError::BackendNotBuilt {
            model: bundle.manifest().name.clone(),
            format,
            feature: if format == Format::TorchScript { "torch" } else { "onnx" },
        }),
    }
}

/// Tiles that are run together. On the processor one: its activations stay in the caches.
fn batch(bundle: &Bundle, device: Device, memory_bytes: u64) -> usize {
    if device == Device::Cpu {
        return 1;
    }
    let Manifest { kind, input, .. } = bundle.manifest();
    let side = (input.tile_px + 2 * input.halo_px) as u64;
    // each date may have a branch of its own
    let bytes = side * side * ACTIVATION_BYTES_PER_PX * kind.dates() as u64;
    (memory_bytes / bytes).clamp(1, MOST_TILES) as usize
}

/// How one form of a bundle fared in [`verify`].
#[derive(Clone, PartialEq, Debug)]
pub struct VerifiedForm {
    /// The form.
    pub format: Format,
    /// `None` where this build cannot run it: then only its digest was checked.
    pub largest_difference: Option<f32>,
    /// Share of pixels with the same most probable class in every head as the first form that was run.
    pub agreement: Option<f64>,
}

/// Most by which the probabilities of two single-precision forms of one bundle may differ.
pub const FORM_TOLERANCE: f32 = 1e-3;

/// Loads every form that this build can run, holds each against the manifest as a run would before any work, and the
/// single-precision forms against each other on a textured picture.
///
/// # Errors
/// As [`load`] but for the kind, or two single-precision forms differ by more than [`FORM_TOLERANCE`]. No form can be
/// run.
pub fn verify(bundle: &Bundle, onnxruntime_library: Option<PathBuf>) -> Result<Vec<VerifiedForm>, ModelError> {
    let mut first: Option<Array3<f32>> = None;
    let mut verified = Vec::new();
    for weights in &bundle.manifest().weights {
        let format = weights.format;
        let mut form = VerifiedForm { format, largest_difference: None, agreement: None };
        if formats_of_this_build().contains(&format) {
            let onnxruntime_library = onnxruntime_library.clone();
            let network = tiled(bundle, &Options { onnxruntime_library, ..Options::cpu(format) })?;
            let answer = probe(&network, bundle.manifest().kind)?;
            let reference = first.get_or_insert_with(|| answer.clone());
            let difference = reference.iter().zip(&answer).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
            form.largest_difference = Some(difference);
            form.agreement = Some(agreement(&network.description().heads, reference, &answer));
            if format != Format::OnnxInt8 && difference > FORM_TOLERANCE {
                return Err(ModelError::FormsDiffer {
                    model: bundle.manifest().name.clone(),
                    format,
                    difference,
                    tolerance: FORM_TOLERANCE,
                });
            }
        }
        verified.push(form);
    }
    if first.is_none() {
        let format = bundle.manifest().weights[0].format;
        let feature = if format == Format::TorchScript { "torch" } else { "onnx" };
        return Err(ModelError::BackendNotBuilt { model: bundle.manifest().name.clone(), format, feature });
    }
    Ok(verified)
}

/// Probabilities of a picture of waves about the mean of each band, with all bands; on a second date other waves.
fn probe(network: &TiledNetwork, kind: Kind) -> Result<Array3<f32>, ModelError> {
    let description = network.description();
    let bands = description.band_set(&description.bands)?.roles.clone();
    let side = (2 * description.halo_px + 64).next_multiple_of(description.alignment_px);
    let waves = |date: usize| {
        Array3::from_shape_fn((bands.len(), side, side), |(band, row, col)| {
            let (phase, row, col) = (band as f32 + 2.0 * date as f32, row as f32, col as f32);
            0.15 + 0.05 * ((row * 0.11 + phase).sin() + (col * 0.07 - row * 0.03).cos() + (row * col * 0.7).sin())
        })
    };
    let dates: Vec<_> = (0..kind.dates()).map(waves).collect();
    let dates: Vec<_> = dates.iter().map(|date| date.view()).collect();
    let observed = Array2::from_elem((side, side), true);
    network.probabilities(&Picture { bands: &bands, dates: &dates, observed: observed.view() }, 0)
}

/// Share of pixels of two answers (class, row, col) of one size whose most probable class is the same in every head; a head is
/// its range of classes.
#[must_use]
pub fn agreement(heads: &[Range<usize>], one: &Array3<f32>, other: &Array3<f32>) -> f64 {
    let (_, rows, cols) = one.dim();
    let best = |answer: &Array3<f32>, classes: Range<usize>, row: usize, col: usize| {
        classes.max_by(|&a, &b| answer[(a, row, col)].total_cmp(&answer[(b, row, col)]))
    };
    let same = |(row, col): &(usize, usize)| {
        heads.iter().all(|head| best(one, head.clone(), *row, *col) == best(other, head.clone(), *row, *col))
    };
    let pixels = (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col)));
    pixels.filter(same).count() as f64 / (rows * cols).max(1) as f64
}
