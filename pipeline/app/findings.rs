//! What delivery needs of imagery and files: cut-outs for evidence, pictures that belong to no patch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use geo_types::MultiPolygon;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_findings::evidence::Extra;
use shorewatch_imagery::write::{Colour, GeoTiffOptions, write_geotiff};
use shorewatch_store::outbox::records::FindingRecord;
use shorewatch_store::{PatchFilter, Store};

use crate::configuration::RunSettings;
use crate::failure::Failure;
use crate::run::chips::in_pixels;
use crate::run::ground::bounding_window;
use crate::run::session::{Purpose, Session};

/// Ground around a patch in a cut-out, in pixels.
const MARGIN_PX: usize = 32;

/// Cut-outs of both passes of every patch of a finding, on the grid of the patch, as GeoTIFF: reflectance, NaN where nothing
/// was observed.
///
/// # Errors
/// A pass can't be read any more.
pub fn cut_outs(settings: &RunSettings, record: &FindingRecord) -> Result<Extra, Failure> {
    let session = Session::open(settings.clone(), Purpose::Read)?;
    let scratch = tempfile::TempDir::new()?;
    let mut extra = Extra::new();
    for decision in &record.decisions {
        let Some(stored) = session.store.patch_anywhere(&decision.patch_id)? else { continue };
        let patch = &stored.patch;
        let grid = Grid::new(patch.grid_epsg, patch.ground_sampling_distance_m);
        let outline = in_pixels(&MultiPolygon::from(patch.geometry.clone()), &grid)?;
        let Some(bounds) = bounding_window(&outline) else { continue };
        let window = bounds.grown(MARGIN_PX);
        for (role, pass_id) in [("before", patch.pre_pass_id), ("after", patch.post_pass_id)] {
            let read = session.context.reader(&pass_id)?.read(grid, window)?;
            let mut raster = read.raster;
            for (place, cause) in raster.causes.indexed_iter() {
                if !cause.is_observed() {
                    raster.pixels.slice_mut(ndarray::s![.., place.0, place.1]).fill(f32::NAN);
                }
            }
            let file = scratch.path().join(format!("{role}.tif"));
            let bands = raster.roles.iter().map(|role| (role.name().to_owned(), Colour::Undefined)).collect();
            let options =
                GeoTiffOptions { bands, nodata: Some(f64::NAN), predictor: false, ..GeoTiffOptions::default() };
            write_geotiff(&file, raster.pixels.view(), Some((geotransform(&grid, window), grid.epsg)), &options)?;
            extra.insert(format!("imagery/{}-{role}.tif", patch.patch_id), std::fs::read(&file)?);
        }
    }
    Ok(extra)
}

fn geotransform(grid: &Grid, window: Window) -> [f64; 6] {
    let (left, top) = grid.to_projected(window.col as f64, window.row as f64);
    [left, grid.pixel_size_m, 0.0, top, 0.0, -grid.pixel_size_m]
}

/// Pictures in the output folder of patches that the store does not know.
///
/// # Errors
/// The folder or the store can't be read.
pub fn stray_pictures(store: &Store, output_folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = output_folder.join("chips");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let patches = store.patches(&PatchFilter::default())?.into_iter().chain(store.superseded_patches()?);
    let known: BTreeSet<String> = patches.map(|stored| stored.patch.patch_id).collect();
    let mut stray = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let patch_id = stem.strip_suffix("_before").or_else(|| stem.strip_suffix("_after"));
        if patch_id.is_some_and(|patch_id| !known.contains(patch_id)) {
            stray.push(path);
        }
    }
    stray.sort();
    Ok(stray)
}
