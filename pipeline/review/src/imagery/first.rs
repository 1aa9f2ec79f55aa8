//! The first pictures of a patch: both dates with the ground around them, so that a reviewer sees them at once while the tiles come.
//! They are read and stretched as the tiles are. A run leaves those of the patches that are looked at next in a folder beside the
//! store; what it did not leave, or left of something else, is cut when it is asked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use shorewatch_domain::digest::DigestBuilder;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::raster::Raster;
use shorewatch_imagery::ImageryError;
use shorewatch_imagery::write::atomically;

use super::{Bands, Imagery, Stretch, png, surroundings};
use crate::problem::Problem;

/// Where the first pictures lie, in the folder of the store.
const FOLDER: &str = "first-pictures";

/// Raised when pictures are drawn another way.
const VERSION: &str = "first pictures 1";

impl Imagery {
    /// Files of the first pictures of a patch: both dates, then the stretch. Named after the patch and the digest of everything that
    /// they follow from.
    ///
    /// # Errors
    /// The patch can't be projected.
    pub fn first_files(&self, patch: &Patch, pair: [&Pass; 2], bands: Bands) -> Result<[PathBuf; 3], Problem> {
        let builder = DigestBuilder::new(VERSION)
            .field("ground", format!("{:?}", surroundings(patch)?))
            .field("bands", bands.name());
        let digest = pair
            .iter()
            .fold(builder, |builder, pass| {
                let read = format!("{:?} {:?}", self.profile(&pass.sensor), pass.fitted);
                builder.digest("pass", &pass.id).field("read", read)
            })
            .finish();
        let named = |end: &str| self.folder.join(FOLDER).join(format!("{}-{}-{end}", patch.patch_id, digest.short()));
        Ok([named("before.png"), named("after.png"), named("stretch.json")])
    }

    /// Leaves the first pictures of a patch, each file whole or not at all; those that lie there already stay as they are. Gives
    /// their names, none where the two dates share no three bands, and whether they were cut now.
    ///
    /// # Errors
    /// A pass can't be read; the folder can't be written to.
    pub fn leave_first(&self, patch: &Patch, pair: [&Pass; 2]) -> Result<(Vec<PathBuf>, bool), Problem> {
        let Some(bands) = self.bands_of(&pair).first().copied() else { return Ok((Vec::new(), false)) };
        let files = self.first_files(patch, pair, bands)?;
        if files.iter().all(|file| file.exists()) {
            return Ok((files.into(), false));
        }
        let rasters = self.around(patch, pair, bands)?;
        let stretch = Stretch::joint(&rasters, bands);
        let told = serde_json::to_vec(&stretch).map_err(|fault| Problem::internal(&fault))?;
        std::fs::create_dir_all(self.folder.join(FOLDER)).map_err(|fault| Problem::internal(&fault))?;
        for (file, bytes) in files.iter().zip([png(&rasters[0], &stretch)?, png(&rasters[1], &stretch)?, told]) {
            write(file, &bytes)?;
        }
        Ok((files.into(), true))
    }

    /// Removes every first picture but these.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn keep_only_first(&self, kept: &BTreeSet<PathBuf>) -> std::io::Result<()> {
        let folder = self.folder.join(FOLDER);
        if !folder.exists() {
            return Ok(());
        }
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if kept.contains(&entry.path()) {
                continue;
            }
            // a folder is what a killed run was writing in
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The first picture of a date (0: the earlier one): as a run left it, else cut now.
    ///
    /// # Errors
    /// A pass can't be read.
    pub fn first(&self, patch: &Patch, pair: [&Pass; 2], bands: Bands, date: usize) -> Result<Vec<u8>, Problem> {
        if let Ok(bytes) = std::fs::read(&self.first_files(patch, pair, bands)?[date]) {
            return Ok(bytes);
        }
        let stretch = self.stretch(patch, pair, bands)?;
        let (grid, window) = surroundings(patch)?;
        png(&self.reader(pair[date], bands)?.read(grid, window)?.raster, &stretch)
    }

    /// Both dates with the ground around the patch.
    pub(super) fn around(&self, patch: &Patch, pair: [&Pass; 2], bands: Bands) -> Result<[Raster; 2], Problem> {
        let (grid, window) = surroundings(patch)?;
        let read = |pass| -> Result<Raster, Problem> { Ok(self.reader(pass, bands)?.read(grid, window)?.raster) };
        Ok([read(pair[0])?, read(pair[1])?])
    }

    /// The stretch that a run left with the first pictures.
    pub(super) fn left_stretch(
        &self,
        patch: &Patch,
        pair: [&Pass; 2],
        bands: Bands,
    ) -> Result<Option<Stretch>, Problem> {
        let bytes = std::fs::read(&self.first_files(patch, pair, bands)?[2]).ok();
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), ImageryError> {
    atomically(file, |temporary| {
        std::fs::write(temporary, bytes).map_err(|fault| ImageryError::io(temporary, "write", fault))
    })
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
