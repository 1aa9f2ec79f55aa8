//! What Shorewatch's words mean, and the pure functions over them.
//!
//! | module | holds |
//! |---|---|
//! | [`crs`], [`grid`] | EPSG codes and zones; the fixed lattice, windows and cells |
//! | [`sensor`], [`pass`] | what a product's bands mean; one acquisition and its identity |
//! | [`observed`] | why a pixel was not looked at, and coverage counts |
//! | [`raster`] | pixels and scores that carry grid, mask and band roles |
//! | [`reach`], [`rasterise`] | the managed shoreline, and its pixels |
//! | [`radiometry`] | what differs between two dates whatever the classes are, and what does not |
//! | [`classes`], [`change`] | the table of suspicious transitions; what changed between two dates |
//! | [`registration`] | how far two dates lie apart, below a pixel, and laying one back onto the other |
//! | [`evidence`] | what two dates say about change, term by term, and the score that it adds up to |
//! | [`belief`] | what is believed of a pixel after all passes so far |
//! | [`suspicion`] | from the evidence of its pixels to one probability a patch |
//! | [`extract`] | label rasters to polygons, exact and simplified |
//! | [`patch`] | what comes out, and what is kept back with a reason |
//! | [`case`] | what several passes say about one place: from the first suspicion until it is gone |
//! | [`finding`] | what was confirmed, what the issue system is told of it, and what comes back |
//! | [`law`] | what register, layers and rules say of a place |
//! | [`access`] | who may do what in review, and where |
//! | [`decision`] | what reviewers decide: verdicts, reasons, corrections, the two-person rule, figures |
//! | [`review`] | what a person decided on a patch, and what a network may learn from it |
//! | [`tasking`] | places that people reported |
//! | [`mod@unit`] | a square of the grid × a pass: what is worked on, and its identity |
//! | [`digest`] | what is done is keyed by these |
//! | [`lanes`] | inner loops that become vector code |
//! | [`causes`] | an error in one line |
//!
//! No files, no clock, no threads, no GDAL, no torch: everything here is a function of its arguments.

pub mod access;
pub mod belief;
pub mod case;
pub mod causes;
pub mod change;
pub mod classes;
pub mod crs;
pub mod decision;
pub mod digest;
pub mod evidence;
pub mod extract;
pub mod finding;
pub mod grid;
pub mod lanes;
pub mod law;
mod logarithm;
pub mod observed;
pub mod pass;
pub mod patch;
pub mod radiometry;
pub mod raster;
pub mod rasterise;
pub mod reach;
pub mod registration;
pub mod review;
pub mod sensor;
pub mod suspicion;
pub mod tasking;
pub mod unit;
