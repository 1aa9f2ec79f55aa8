//! The segmenter behind one trait, and the bundle that a model travels in.
//!
//! | module | holds |
//! |---|---|
//! | [`segmenter`] | [`Segmenter`]: reflectance in, class probabilities out; what a segmenter says of itself |
//! | [`manifest`] | `manifest.toml`: forms of weights, bands, normalisation, tiling, heads, classes, licences, scores |
//! | [`bundle`] | a manifest and its weights, verified before anything executes them |
//! | [`mod@load`] | a bundle → a segmenter, by form of weights and device; how the forms of a bundle agree |
//! | [`mod@bench`] | how many megapixels a second a segmenter does |
//! | `network` | what all backends share: tiles, normalisation, calibration |
//! | `torchscript`, `onnx` | the backends: libtorch (feature `torch`) and ONNX Runtime (feature `onnx`) |
//! | [`fake`] | a spectral rule in place of a model, for tests and for measuring the pipeline itself |
//! | [`error`] | what can go wrong, with expected and got |
//!
//! Arrays are (band, row, col) for reflectance, (class, row, col) for probabilities. This is the only crate that
//! names torch and ONNX Runtime.

pub mod bench;
pub mod bundle;
mod describe;
pub mod error;
pub mod fake;
mod input;
pub mod load;
pub mod manifest;
mod manifest_faults;
mod network;
#[cfg(feature = "onnx")]
mod onnx;
pub mod segmenter;
mod softmax;
mod tiles;
#[cfg(feature = "torch")]
mod torchscript;

pub use bundle::Bundle;
pub use error::ModelError;
pub use fake::FakeSegmenter;
pub use load::{Device, Options, load, verify};
pub use manifest::{BandSet, ClassDefinition, ClassGroup, Colour, Format, Manifest};
pub use segmenter::{Segmenter, SegmenterDescription};
