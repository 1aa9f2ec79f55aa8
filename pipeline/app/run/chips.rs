//! Before/after pictures of patches.

use std::path::{Path, PathBuf};

use geo::MapCoordsInPlace;
use geo_types::MultiPolygon;
use ndarray::{Array2, Array3};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::sensor::BandRole;
use shorewatch_imagery::crs::Transform;
use shorewatch_report::{ChipDate, ChipPair, RenderedPair, render_pair};

use super::context::RunContext;
use super::ground::bounding_window;
use super::readers::{INFRARED, NATURAL, Readers};
use crate::failure::Failure;

/// Least edge of a chip in pixels: a small patch is shown with what is around it.
const LEAST_EDGE_PX: usize = 64;

/// Edge of a chip over the edge of its patch.
const ROOM: f64 = 2.5;

/// Pixels of a chip's edge beyond which it is read coarser.
const MOST_EDGE_PX: usize = 400;

/// Where the pictures of a patch lie.
#[must_use]
pub fn chip_paths(output_folder: &Path, patch_id: &str) -> [PathBuf; 2] {
    ["before", "after"].map(|date| output_folder.join("chips").join(format!("{patch_id}_{date}.png")))
}

/// Ground of the pictures of a patch: the patch in the middle of a square. A wide patch is read on a coarser lattice with the same
/// origin.
#[derive(Debug, Clone)]
pub struct Cut {
    /// The lattice.
    pub grid: Grid,
    /// The square on it.
    pub window: Window,
    /// Outline of the patch in pixel-corner coordinates of the square (x = column, y = row).
    pub outline: MultiPolygon<f64>,
}

impl Cut {
    /// Around a patch.
    ///
    /// # Errors
    /// The patch has no area.
    pub fn around(patch: &Patch) -> Result<Self, Failure> {
        let base = Grid::new(patch.grid_epsg, patch.ground_sampling_distance_m);
        let mut outline = in_pixels(&MultiPolygon::from(patch.geometry.clone()), &base)?;
        let tight = bounding_window(&outline)
            .ok_or_else(|| Failure::internal(format!("patch {} has no area", patch.patch_id)))?;
        let edge = ((tight.rows.max(tight.cols) as f64 * ROOM).ceil() as usize).max(LEAST_EDGE_PX);
        let factor = edge.div_ceil(MOST_EDGE_PX);
        let grid = Grid { pixel_size_m: base.pixel_size_m * factor as f64, ..base };
        let edge = edge.div_ceil(factor);
        let step = factor as f64;
        outline.map_coords_in_place(|point| (point.x / step, point.y / step).into());
        let middle =
            |from: i64, length: usize| ((from as f64 + length as f64 / 2.0) / step - edge as f64 / 2.0).round() as i64;
        let window =
            Window { row: middle(tight.row, tight.rows), col: middle(tight.col, tight.cols), rows: edge, cols: edge };
        outline.map_coords_in_place(|point| (point.x - window.col as f64, point.y - window.row as f64).into());
        Ok(Self { grid, window, outline })
    }

    /// What a pass shows of it.
    ///
    /// # Errors
    /// The pass can't be read any more.
    pub fn date(&self, readers: &Readers, pass_id: &Digest, roles: &[BandRole; 3]) -> Result<ChipDate, Failure> {
        let pass = readers.pass(pass_id)?;
        let (pixels, observed) = picture(readers, pass_id, roles, self.grid, self.window)?;
        let date = pass.acquired.map_or_else(String::new, |time| time.label());
        Ok(ChipDate { pixels, observed, date, sensor: pass.sensor.clone() })
    }
}

/// Paints both pictures of a patch.
///
/// # Errors
/// A pass can't be read any more, or the patch has no area.
pub fn render(context: &RunContext, patch: &Patch) -> Result<RenderedPair, Failure> {
    let (readers, cut) = (&context.readers, Cut::around(patch)?);
    let roles = [&patch.pre_pass_id, &patch.post_pass_id]
        .into_iter()
        .map(|id| readers.display_roles(readers.pass(id)?))
        .collect::<Result<Vec<_>, _>>()?;
    // the same three bands on both, or the pictures can't be compared
    let roles = if roles[0] == roles[1] { roles[0] } else { INFRARED };
    let mut pre = cut.date(readers, &patch.pre_pass_id, &roles)?;
    normalise(context, patch, &Grid::new(patch.grid_epsg, patch.ground_sampling_distance_m), &roles, &mut pre)?;
    render_pair(&ChipPair {
        pre,
        post: cut.date(readers, &patch.post_pass_id, &roles)?,
        bands: roles.map(BandRole::name).join(", "),
        natural_colour: roles == NATURAL,
        gsd_m: cut.grid.pixel_size_m,
        outline: cut.outline,
        patch_id: patch.patch_id.clone(),
    })
    .map_err(|fault| Failure::internal(format!("chip of patch {}: {fault}", patch.patch_id)))
}

/// A gain outside of these says that the dates share too little to be brought together: the picture stays as it is.
const TRUSTED_GAINS: std::ops::RangeInclusive<f32> = 0.4..=2.5;

/// Least correlation of a band between the dates.
const LEAST_CORRELATION: f32 = 0.5;

/// Brings the earlier picture to the light of the later one, so that what differs is the ground.
fn normalise(
    context: &RunContext,
    patch: &Patch,
    grid: &Grid,
    roles: &[BandRole; 3],
    pre: &mut ChipDate,
) -> Result<(), Failure> {
    let Some(pair) = context.pairs.of(context, *grid, &patch.post_pass_id, &patch.pre_pass_id)? else { return Ok(()) };
    let Some(fit) = &pair.fit.normalisation else { return Ok(()) };
    let lines: Option<Vec<(f32, f32)>> = roles
        .iter()
        .map(|role| {
            let band = pair.roles.iter().position(|other| other == role)?;
            let trusted = fit.correlation[band] >= LEAST_CORRELATION && TRUSTED_GAINS.contains(&fit.gain[band]);
            trusted.then(|| (fit.gain[band], fit.offset[band]))
        })
        .collect();
    for (mut plane, (gain, offset)) in pre.pixels.outer_iter_mut().zip(lines.unwrap_or_default()) {
        plane.mapv_inplace(|value| gain * value + offset);
    }
    Ok(())
}

/// Geographic polygons in pixel-corner coordinates of a grid.
///
/// # Errors
/// They can't be projected.
pub fn in_pixels(polygons: &MultiPolygon<f64>, grid: &Grid) -> Result<MultiPolygon<f64>, Failure> {
    let transform = Transform::new(Epsg::CGCS2000, grid.epsg)?;
    let mut polygons = transform.multi_polygon(polygons, None)?;
    polygons.map_coords_in_place(|point| grid.to_pixel(point.x, point.y).into());
    Ok(polygons)
}

/// Reflectance of three bands for a picture (band, row, column), whatever the bands are, and where it was observed.
///
/// # Errors
/// The pass can't be read any more.
pub fn picture(
    readers: &Readers,
    pass_id: &Digest,
    roles: &[BandRole; 3],
    grid: Grid,
    window: Window,
) -> Result<(Array3<f32>, Array2<bool>), Failure> {
    let raster = readers.reader_of(pass_id, roles)?.read(grid, window)?.raster;
    Ok((raster.pixels, raster.causes.mapv(Causes::is_observed)))
}

/// Paints both pictures of a patch and writes them, each whole or not at all.
///
/// # Errors
/// As [`render`]; or the folder can't be written to.
pub fn write(context: &RunContext, patch: &Patch, output_folder: &Path) -> Result<(), Failure> {
    let pair = render(context, patch)?;
    let [before, after] = chip_paths(output_folder, &patch.patch_id);
    crate::scene::write_whole(&before, &pair.pre_png)?;
    crate::scene::write_whole(&after, &pair.post_png)
}
