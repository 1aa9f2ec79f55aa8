//! The first pictures of a patch: both dates with the ground around them, so that a reviewer sees them at once while the tiles come.
//! They are read and stretched as the tiles are.

use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;

use super::{Bands, Imagery, png, surroundings};
use crate::problem::Problem;

impl Imagery {
    /// The first picture of a date (0: the earlier one).
    ///
    /// # Errors
    /// A pass can't be read.
    pub fn first(&self, patch: &Patch, pair: [&Pass; 2], bands: Bands, date: usize) -> Result<Vec<u8>, Problem> {
        let stretch = self.stretch(patch, pair, bands)?;
        let (grid, window) = surroundings(patch)?;
        png(&self.reader(pair[date], bands)?.read(grid, window)?.raster, &stretch)
    }
}

/// Ground of the first pictures of a patch in the system of its grid: [min x, min y, max x, max y].
///
/// # Errors
/// The patch can't be projected.
pub fn first_extent(patch: &Patch) -> Result<[f64; 4], Problem> {
    let (grid, window) = surroundings(patch)?;
    let (west, north) = grid.to_projected(window.col as f64, window.row as f64);
    let (east, south) = grid.to_projected(window.col_end() as f64, window.row_end() as f64);
    Ok([west, south, east, north])
}
