//! The segmenter behind one trait, and the bundle that a model travels in.
//!
//! | module | holds |
//! |---|---|
//! | [`segmenter`] | [`Segmenter`]: reflectance in, class probabilities out; what a segmenter says of itself |
//! | [`manifest`] | `manifest.toml`: bands, normalisation, tiling, classes, licences, scores |
//! | [`bundle`] | a manifest and its weights, verified before anything executes them |
//! | [`torchscript`] | the real segmenter: TorchScript on libtorch's CPU kernels |
//! | [`fake`] | a spectral rule in place of a model, for tests and for measuring the pipeline itself |
//! | [`error`] | what can go wrong, with expected and got |
//!
//! Arrays are (band, row, col) for reflectance, (class, row, col) for probabilities. This is the only crate that
//! names torch.

pub mod bundle;
mod describe;
pub mod error;
pub mod fake;
mod input;
pub mod manifest;
mod manifest_faults;
pub mod segmenter;
mod softmax;
mod tiles;
pub mod torchscript;

pub use bundle::Bundle;
pub use error::ModelError;
pub use fake::FakeSegmenter;
pub use manifest::{ClassDefinition, ClassGroup, Colour, Manifest};
pub use segmenter::{Segmenter, SegmenterDescription};
pub use torchscript::{TorchScriptSegmenter, verify};
