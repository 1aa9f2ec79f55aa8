//! The first pictures of a patch: both dates with the ground around them, cut when a run ends, so that a reviewer sees them at
//! once while the tiles come. They are read and stretched as the tiles are.

use std::path::PathBuf;

use shorewatch_domain::digest::DigestBuilder;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;

use super::{Bands, Imagery, Stretch, png, surroundings};
use crate::problem::Problem;

/// Where the first pictures lie, in the folder of the store.
const FOLDER: &str = "first-pictures";

/// What a run cuts for one patch.
#[derive(Clone, PartialEq, Debug)]
pub struct FirstPictures {
    /// PNG of the earlier and of the later date, on the same ground.
    pub dates: [Vec<u8>; 2],
    /// The stretch of both, and of every tile of the patch, as JSON.
    pub stretch: Vec<u8>,
}

impl Imagery {
    /// Files of the first pictures of a patch: both dates, then the stretch. Named after everything that they follow from.
    #[must_use]
    pub fn first_files(&self, patch: &Patch, dates: [&Pass; 2], bands: Bands) -> [PathBuf; 3] {
        let name = DigestBuilder::new("first pictures 1")
            .field("patch", &patch.patch_id)
            .digest("before", &dates[0].id)
            .digest("after", &dates[1].id)
            .field("bands", bands.name())
            .finish();
        ["before.png", "after.png", "stretch.json"].map(|end| self.folder.join(FOLDER).join(format!("{name}-{end}")))
    }

    /// Cuts the first pictures of a patch.
    ///
    /// # Errors
    /// A pass can't be read.
    pub fn cut_first(&self, patch: &Patch, dates: [&Pass; 2], bands: Bands) -> Result<FirstPictures, Problem> {
        let rasters = self.around(patch, dates, bands)?;
        let stretch = Stretch::joint(&rasters, bands);
        Ok(FirstPictures {
            dates: [png(&rasters[0], &stretch)?, png(&rasters[1], &stretch)?],
            stretch: serde_json::to_vec(&stretch).map_err(|fault| Problem::internal(&fault))?,
        })
    }

    /// The first picture of a date (0: the earlier one): as the run left it, else cut now.
    ///
    /// # Errors
    /// There is none, and a pass can't be read.
    pub fn first(&self, patch: &Patch, pair: [&Pass; 2], bands: Bands, date: usize) -> Result<Vec<u8>, Problem> {
        if let Ok(bytes) = std::fs::read(&self.first_files(patch, pair, bands)[date]) {
            return Ok(bytes);
        }
        let stretch = self.stretch(patch, pair, bands)?;
        let (grid, window) = surroundings(patch)?;
        png(&self.reader(pair[date], bands)?.read(grid, window)?.raster, &stretch)
    }

    /// The stretch that a run left with the first pictures.
    pub(super) fn left_stretch(&self, patch: &Patch, dates: [&Pass; 2], bands: Bands) -> Option<Stretch> {
        let bytes = std::fs::read(&self.first_files(patch, dates, bands)[2]).ok()?;
        serde_json::from_slice(&bytes).ok()
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
