//! From what is seen to what it may be in law: layers, rules and offices. Pure: no files, no clock, no threads.
//!
//! | module | holds |
//! |---|---|
//! | [`defects`] | what is wrong with layers in force: scopes, neighbours, reaches, chiefs |
//! | [`diff`] | what a version of a layer changed |
//! | [`ellipsoid`] | areas and lengths of what is drawn in degrees |
//! | [`index`] | everything the layers in force say of a place: [`index::LayerIndex`] |
//! | [`position`] | water, reach, bank and chainage of a place |
//! | [`rules`] | tables: from what is seen to what it may be, how bad it is and whose it is |
//! | [`permits`], [`idle`] | what permits and projects say; approved but idle |
//! | [`known`] | the ledger and earlier reviews |
//! | [`responsibility`] | units, chiefs and departments |
//! | [`number`] | numbers for offices |
//! | [`national`] | national patches and the answers to them |
//! | [`assess`] | all of it for one patch |
//! | [`explain`] | why, in words |
//! | [`validate`] | rows of a source become records of a layer, or every fault is told |

pub mod assess;
mod clip;
pub mod defects;
pub mod diff;
pub mod ellipsoid;
pub mod explain;
pub mod idle;
pub mod index;
pub mod known;
pub mod national;
pub mod number;
pub mod permits;
mod pieces;
pub mod position;
pub mod responsibility;
pub mod rules;
pub mod validate;
