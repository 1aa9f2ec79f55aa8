//! How good a segmentation model is, as pure functions over arrays: no files, no threads, no model.
//!
//! | module | holds |
//! |---|---|
//! | [`labels`] | several witnesses of land cover become one label a pixel, or none |
//! | [`confusion`] | counts of true against predicted class; intersection over union, precision, recall, F1 |
//! | [`scores`] | curves over quantised probabilities: precision against recall, reliability, calibration error |
//! | [`objects`] | things found against things there, by size and kind |
//! | [`ranking`] | how well a score puts changed pixels before others: average precision |
//! | [`forest`] | the baseline: a random forest on the same bands |
//!
//! Class ids are `u8`; [`IGNORE`] stands where nothing is known, which is neither background nor unobserved ground: such
//! pixels count nowhere.

pub mod confusion;
pub mod forest;
pub mod labels;
pub mod objects;
pub mod ranking;
pub mod scores;

/// Label of a pixel that says nothing.
pub const IGNORE: u8 = 255;
