//! Layers that decide: from files to versions in force.
//!
//! | module | holds |
//! |---|---|
//! | [`import`] | a file becomes a version, whole or not at all |
//! | [`check`] | defects of what is in force, as text and as a layer of their own |

pub mod check;
pub mod import;

pub use import::{Imported, import_configured, import_layer, withdrawn};
