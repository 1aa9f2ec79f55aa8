//! Layers that decide: from files to versions in force.
//!
//! | module | holds |
//! |---|---|
//! | [`import`] | a file becomes a version, whole or not at all |
//! | [`check`] | defects of what is in force, and as a layer of their own |
//! | [`seen_water`] | scopes against the water that passes saw |

pub mod check;
pub mod import;
pub mod seen_water;

pub use import::{Imported, import_configured, import_layer, withdrawn};
