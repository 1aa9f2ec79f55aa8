//! What units of work leave behind: stacks of 8-bit layers on the grid, as GeoTIFF that QGIS opens, written whole or not
//! at all.

use std::path::Path;

use gdal::raster::{Buffer, RasterCreationOptions};
use gdal::{Dataset, DriverManager, Metadata};
use ndarray::{Array3, ArrayView2};

use shorewatch_domain::grid::{Grid, Window};

use crate::crs::SourceCrs;
use crate::error::ImageryError;

/// Domain of the metadata that carries the window and the caller's text.
const DOMAIN: &str = "SHOREWATCH";

/// Layers that were read back.
#[derive(Debug)]
pub struct Layers {
    /// The pixels that are covered.
    pub window: Window,
    /// The layers (layer, row, col).
    pub values: Array3<u8>,
    /// The caller's text.
    pub note: String,
}

/// Writes layers of a window, with a text beside them, to a temporary name and then renames it into place.
///
/// Lossless (ZSTD, level 1): speed matters more than the last tenth of size, since these are intermediate results.
///
/// # Errors
/// The folder can't be written to, or the disk is full; nothing is left under `path` then.
pub fn write_layers(
    path: &Path,
    grid: Grid,
    window: Window,
    layers: &[(&str, ArrayView2<'_, u8>)],
    note: &str,
) -> Result<(), ImageryError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|fault| ImageryError::io(folder, "make", fault))?;
    }
    crate::write::atomically(path, |temporary| {
        let options = RasterCreationOptions::from_iter([
            "COMPRESS=ZSTD",
            "ZSTD_LEVEL=1",
            "INTERLEAVE=BAND",
            "BLOCKYSIZE=256",
            "BIGTIFF=IF_SAFER",
        ]);
        let driver = DriverManager::get_driver_by_name("GTiff")?;
        let mut file = driver.create_with_band_type_with_options::<u8, _>(
            temporary,
            window.cols,
            window.rows,
            layers.len(),
            &options,
        )?;
        let (x, y) = grid.to_projected(window.col as f64, window.row as f64);
        file.set_geo_transform(&[x, grid.pixel_size_m, 0.0, y, 0.0, -grid.pixel_size_m])?;
        file.set_projection(&SourceCrs::from_epsg(grid.epsg)?.wkt)?;
        file.set_metadata_item("WINDOW", &format!("{} {}", window.row, window.col), DOMAIN)?;
        file.set_metadata_item("NOTE", note, DOMAIN)?;
        for (number, (name, values)) in layers.iter().enumerate() {
            let mut band = file.rasterband(number + 1)?;
            band.set_description(name)?;
            let mut buffer = Buffer::new((window.cols, window.rows), values.iter().copied().collect());
            band.write((0, 0), (window.cols, window.rows), &mut buffer)?;
        }
        file.flush_cache()?;
        file.close()?;
        Ok(())
    })
}

/// Reads layers back.
///
/// # Errors
/// The file is missing, damaged or not one of ours: the unit that made it has to be worked again.
pub fn read_layers(path: &Path) -> Result<Layers, ImageryError> {
    crate::runtime::init();
    let file = Dataset::open(path)?;
    let (cols, rows) = file.raster_size();
    let item = |key: &str| file.metadata_item(key, DOMAIN).ok_or_else(|| not_ours(path, &format!("no {DOMAIN}:{key}")));
    let text = item("WINDOW")?;
    let origin: Vec<i64> = text.split(' ').filter_map(|number| number.parse().ok()).collect();
    let &[row, col] = origin.as_slice() else {
        return Err(not_ours(path, &format!("no window in {text:?}")));
    };
    let mut values = Array3::zeros((file.raster_count(), rows, cols));
    for (number, mut layer) in values.outer_iter_mut().enumerate() {
        if let Some(layer) = layer.as_slice_mut() {
            file.rasterband(number + 1)?.read_into_slice((0, 0), (cols, rows), (cols, rows), layer, None)?;
        }
    }
    Ok(Layers { window: Window { row, col, rows, cols }, values, note: item("NOTE")? })
}

fn not_ours(path: &Path, what: &str) -> ImageryError {
    ImageryError::gdal(path, "use the layers", what)
}
