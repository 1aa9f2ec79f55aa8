//! Patches out of a label raster: connected regions as polygons with holes, exact to the pixel edge.
//!
//! The raster is read in *strips* of whole rows. Each strip is traced on its own ([`trace_strip`], pure, so
//! that strips may be traced in parallel), and a [`RegionMerger`] joins them from the first row to the last.
//! A region is handed out as soon as no later row can touch it, so that memory holds only what is still open.
//! The result does not depend on where the strips are cut.
//!
//! | step | what | where |
//! |---|---|---|
//! | find runs | maximal horizontal stretches of one label, found by comparing words, not pixels | `runs` |
//! | link rows | at each lattice corner between two rows, connect the edges that meet there | `link` |
//! | trace a strip | 4-connected components by union-find; rings of the finished ones | [`trace_strip`] |
//! | merge strips | the same linking, across the seam of two strips | [`RegionMerger`] |
//! | close rings | collinear corners out, pinched rings split, exterior before holes | `rings` |
//! | simplify | staircases become straight lines, shared borders stay shared | [`simplify`] |
//!
//! Coordinates are corners of the pixel lattice: `x` = column, `y` = row, so that the pixel (row, column) is
//! the square from `(column, row)` to `(column + 1, row + 1)`. Rasters cut into tiles in both directions are
//! mosaicked into full-width strips first; then no region is cut by any tile border.
//!
//! Sources: the sweep keeps one active row and two chain ends at each vertical edge, as in Teng, Wang and Liu
//! (2008), "An efficient algorithm for raster-to-vector data conversion" (in GDAL since 3.7, pixel by pixel);
//! here it steps from run to run, and over strips on their own. Components: Rosenfeld and Pfaltz (1966).
//! Simplification: Douglas and Peucker (1973), kept consistent as by Saalfeld (1999).

mod components;
mod error;
mod link;
mod merge;
mod region;
mod rings;
mod runs;
mod simplify;
mod strip;

pub use error::ExtractError;
pub use merge::RegionMerger;
pub use region::{Corner, Region, Ring};
pub use simplify::simplify;
pub use strip::{TracedStrip, trace_strip};

#[cfg(test)]
mod tests;
