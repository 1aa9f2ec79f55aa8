//! The only crate that names GDAL: opens, checks, warps and writes imagery and vectors.
//!
//! | module | holds |
//! |---|---|
//! | [`runtime`] | GDAL set up once: allowed drivers, no network, no side files, messages collected |
//! | [`open`] | a raster file, checked before and after GDAL sees it |
//! | [`crs`] | reference systems and transformations, always (x, y) |
//! | [`admit`] | delivered files become a pass, or are quarantined with the reason |
//! | [`read`], [`blocks`] | a pass on the grid; blocks are decoded once and shared by all threads |
//! | [`positions`], [`resample`] | where a grid pixel lies in a file, and its value there |
//! | [`stored`] | whole small files as they are stored, for labels |
//! | [`layers`] | what units of work leave behind |
//! | [`table`] | any vector file or CSV table as rows of texts with a shape: what layers are made of |
//! | [`vector`] | vector files become reaches |
//! | [`redrawn`] | a patch with the outline that a reviewer drew, measured |
//! | [`mod@write`] | GeoTIFF and COG out |
//! | [`export`] | patches as GeoJSON, GeoPackage, FlatGeobuf and CSV |
//! | [`error`] | what can go wrong, and whose fault it is |

pub mod admit;
pub mod blocks;
pub mod crs;
pub mod error;
pub mod export;
pub mod layers;
pub mod open;
pub mod positions;
pub mod read;
pub mod redrawn;
pub mod resample;
pub mod runtime;
pub mod stored;
pub mod table;
#[cfg(test)]
mod testing;
pub mod vector;
pub mod write;

pub use error::{FileFault, ImageryError};
