//! Chips and masks of one reviewed patch: the later pass on the grid of the patch, read as a run reads it.

use std::collections::BTreeMap;
use std::path::Path;

use geo_types::MultiPolygon;
use ndarray::{Array2, ArrayView2, Axis, s};

use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::pass::PassFile;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::review::{self, Lesson, Review, UNSAID, labelled_pixels};
use shorewatch_imagery::admit::digest_file;
use shorewatch_imagery::write::{Colour, GeoTiffOptions, write_geotiff};
use shorewatch_models::ClassGroup;

use super::cut::{Piece, pieces};
use super::listing::Entry;
use crate::failure::Failure;
use crate::register::is_as_registered;
use crate::run::chips::in_pixels;
use crate::run::context::RunContext;
use crate::run::ground::bounding_window;

/// What all patches share: the passes, and whether their files are still those that were registered.
pub struct Sources<'a> {
    context: &'a RunContext,
    /// Ids of the model's classes of group `none`.
    nothing: Vec<usize>,
    /// What is wrong with the files of a pass, by pass; nothing where they are unchanged.
    looked_at: BTreeMap<Digest, Option<String>>,
}

/// What was written of one patch.
pub struct Written {
    /// One a chip.
    pub entries: Vec<Entry>,
    /// Blocks that could not be decoded; their pixels are NaN.
    pub faults: Vec<String>,
}

impl<'a> Sources<'a> {
    /// Over the passes and the model of a session.
    #[must_use]
    pub fn new(context: &'a RunContext) -> Self {
        let classes = context.model.description().classes.iter().enumerate();
        let nothing = classes.filter(|(_, class)| class.group == ClassGroup::None).map(|(id, _)| id).collect();
        Self { context, nothing, looked_at: BTreeMap::new() }
    }

    /// Refuses a pass whose files hold other bytes than when the patch was found: a label would lie on other ground.
    fn check_files(&mut self, pass_id: &Digest) -> Result<(), Failure> {
        if !self.looked_at.contains_key(pass_id) {
            let pass = self.context.pass(pass_id)?;
            let changed = pass.files.iter().filter(|file| !is_as_registered(file)).find_map(changed_bytes);
            let fault = changed.map(|what| format!("pass {pass}: {what}"));
            self.looked_at.insert(*pass_id, fault);
        }
        match self.looked_at.get(pass_id) {
            Some(Some(fault)) => Err(Failure::input(fault.clone())),
            _ => Ok(()),
        }
    }
}

/// What is wrong with the bytes of a file, in words.
fn changed_bytes(file: &PassFile) -> Option<String> {
    match digest_file(Path::new(&file.path)) {
        Ok(now) if now.digest == file.digest => None,
        Ok(now) => Some(format!(
            "{}: expected the bytes {} that were registered, got {}; put the former file back to learn from its patches",
            file.path,
            file.digest.short(),
            now.digest.short()
        )),
        Err(fault) => Some(fault.to_string()),
    }
}

/// Writes the chips of a reviewed patch into a folder.
///
/// # Errors
/// The review teaches nothing, the patch's pass can't be read any more or did not observe it, or the disk is full.
pub fn write_patch(
    sources: &mut Sources<'_>,
    patch: Option<&Patch>,
    review: &Review,
    folder: &Path,
) -> Result<Written, Failure> {
    let missing = || Failure::input("the store holds no such patch any more; restore a backup of it, or review others");
    let patch = patch.ok_or_else(missing)?;
    let context = sources.context;
    let lesson = review::lesson(review, &patch.change_type, &context.classes, &sources.nothing)
        .map_err(|fault| Failure::input(fault.to_string()))?;
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if !patch.patch_id.chars().all(plain) {
        let expected =
            "its id names files, expected letters, digits, - and _; was the table edited by another program?";
        return Err(Failure::input(expected));
    }
    sources.check_files(&patch.post_pass_id)?;
    let grid = Grid::new(patch.grid_epsg, patch.ground_sampling_distance_m);
    let outline = in_pixels(&MultiPolygon::from(patch.geometry.clone()), &grid)?;
    let bounds = bounding_window(&outline).ok_or_else(|| Failure::input("its outline has no area"))?;
    let said = labelled_pixels(&outline, bounds);
    let reader = context.reader(&patch.post_pass_id)?;
    let pieces = pieces(bounds);
    let mut written = Written { entries: Vec::new(), faults: Vec::new() };
    let mut write_piece = |number: usize, piece: &Piece| -> Result<(), Failure> {
        let (rows, cols) = bounds.ranges_of(&piece.part);
        let said = said.slice(s![rows, cols]);
        if !said.iter().any(|said| *said) {
            return Ok(());
        }
        let read = reader.read(grid, piece.chip)?;
        written.faults.extend(read.faults);
        let Some(mask) = mask(piece, said, &read.raster, &lesson) else { return Ok(()) };
        let name = match pieces.len() {
            1 => patch.patch_id.clone(),
            _ => format!("{}_{}", patch.patch_id, number + 1),
        };
        let described = context.model.description();
        let entry = Entry::new(&name, patch, review, &lesson, &read.raster.roles, described);
        let done = write_pair(folder, &entry, read.raster, &mask);
        written.entries.push(entry);
        done
    };
    let done = pieces.iter().enumerate().try_for_each(|(number, piece)| write_piece(number, piece));
    if let Err(fault) = done {
        // half a patch is none: what is left out leaves no file
        for name in written.entries.iter().flat_map(|entry| [&entry.chip, &entry.mask]) {
            let _ = std::fs::remove_file(folder.join(name));
        }
        return Err(fault);
    }
    if written.entries.is_empty() {
        return Err(Failure::input("its later pass observed no pixel inside its outline; review another patch"));
    }
    Ok(written)
}

/// The mask (row, col) of a chip; `None` where it would say nothing. `said` covers the piece's part, `raster` its chip.
fn mask(piece: &Piece, said: ArrayView2<'_, bool>, raster: &Raster, lesson: &Lesson) -> Option<Array2<u8>> {
    let mut mask = Array2::from_elem(piece.chip.shape(), UNSAID);
    let (rows, cols) = piece.chip.ranges_of(&piece.part);
    let mut says_something = false;
    let causes = raster.causes.slice(s![rows.clone(), cols.clone()]);
    ndarray::Zip::from(mask.slice_mut(s![rows, cols])).and(said).and(causes).for_each(|label, said, cause| {
        if *said && cause.is_observed() {
            *label = lesson.class_in_head;
            says_something = true;
        }
    });
    says_something.then_some(mask)
}

/// Writes chip and mask; unobserved pixels become NaN in every band.
fn write_pair(folder: &Path, entry: &Entry, raster: Raster, mask: &Array2<u8>) -> Result<(), Failure> {
    let mut pixels = raster.pixels;
    for (place, cause) in raster.causes.indexed_iter() {
        if !cause.is_observed() {
            pixels.slice_mut(s![.., place.0, place.1]).fill(f32::NAN);
        }
    }
    let place = Some((geotransform(&raster.grid, raster.window), raster.grid.epsg));
    // band after band, in strips, since that is what the reader in Python gives back as (band, row, col)
    let plain = GeoTiffOptions { tile_px: None, pixel_interleaved: false, ..GeoTiffOptions::default() };
    let bands = entry.bands.iter().map(|band| ((*band).to_owned(), Colour::Undefined)).collect();
    let chip = GeoTiffOptions { bands, nodata: Some(f64::NAN), predictor: false, ..plain.clone() };
    write_geotiff(&folder.join(&entry.chip), pixels.view(), place, &chip)?;
    let labels = GeoTiffOptions {
        bands: vec![(entry.head.clone(), Colour::Undefined)],
        nodata: Some(f64::from(UNSAID)),
        ..plain
    };
    write_geotiff(&folder.join(&entry.mask), mask.view().insert_axis(Axis(0)), place, &labels)?;
    Ok(())
}

/// Place of a window of the grid, as GDAL writes it.
fn geotransform(grid: &Grid, window: Window) -> [f64; 6] {
    let (left, top) = grid.to_projected(window.col as f64, window.row as f64);
    [left, grid.pixel_size_m, 0.0, top, 0.0, -grid.pixel_size_m]
}
