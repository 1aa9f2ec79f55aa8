//! From what is seen to what it may be in law: layers, rules and offices. Pure: no files, no clock, no threads.
//!
//! | module | holds |
//! |---|---|
//! | [`defects`] | what is wrong with layers in force: scopes, neighbours, reaches, chiefs |
//! | [`diff`] | what a version of a layer changed |
//! | [`ellipsoid`] | areas and lengths of what is drawn in degrees |
//! | [`index`] | everything the layers in force say of a place: [`index::LayerIndex`] |
//! | [`position`] | water, reach, bank and chainage of a place |
//! | [`validate`] | rows of a source become records of a layer, or every fault is told |

mod clip;
pub mod defects;
pub mod diff;
pub mod ellipsoid;
pub mod index;
mod pieces;
pub mod position;
pub mod validate;
