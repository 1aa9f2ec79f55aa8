//! The segmenter behind one trait, the network of two dates, and the bundle that a model travels in.
//!
//! | module | holds |
//! |---|---|
//! | [`segmenter`] | [`Segmenter`]: reflectance in, class probabilities out; what a segmenter says of itself |
//! | [`change`] | [`ChangeNetwork`]: reflectance of two dates in, probability of change out |
//! | [`manifest`] | `manifest.toml`: forms of weights, bands, normalisation, tiling, heads, classes, licences, scores |
//! | [`bundle`] | a manifest and its weights, verified before anything executes them |
//! | [`mod@load`] | a bundle → what runs it, by form of weights and device; how the forms of a bundle agree |
//! | [`mod@bench`] | how many megapixels a second a model does |
//! | `network` | what all backends and kinds share: tiles, normalisation, calibration (by the network itself on a device) |
//! | `torchscript`, `onnx` | the backends: libtorch (feature `torch`) and ONNX Runtime (feature `onnx`) |
//! | [`fake`] | a spectral rule in place of a model, for tests and for measuring the pipeline itself |
//! | [`error`] | what can go wrong, with expected and got |
//!
//! Arrays are (band, row, col) for reflectance, (class, row, col) for probabilities. This is the only crate that
//! names torch and ONNX Runtime.

pub mod bench;
pub mod bundle;
pub mod change;
mod describe;
pub mod error;
pub mod fake;
mod input;
pub mod load;
pub mod manifest;
mod manifest_faults;
mod network;
mod network_segmenter;
#[cfg(feature = "onnx")]
mod onnx;
pub mod segmenter;
mod softmax;
mod tiles;
#[cfg(feature = "torch")]
mod torchscript;

pub use bundle::Bundle;
pub use change::ChangeNetwork;
pub use error::ModelError;
pub use fake::FakeSegmenter;
pub use load::{Device, Options, load, verify};
pub use manifest::{BandSet, ClassDefinition, ClassGroup, Colour, Format, Kind, Manifest};
pub use segmenter::{Segmenter, SegmenterDescription};
