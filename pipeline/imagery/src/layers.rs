//! What units of work leave behind: stacks of 8-bit layers on the grid, as GeoTIFF that QGIS opens.
//!
//! They can be made again, so they are not forced to the disk: waiting for it would cost more than the work itself.
//! Instead each file ends with the digest of its content, which TIFF readers pass over, and one that a power failure cut
//! short is known for what it is.

#![expect(unsafe_code, reason = "a band is written from borrowed memory, which the safe wrapper can't")]

use std::io::Write;
use std::path::Path;

use gdal::raster::{RasterBand, RasterCreationOptions};
use gdal::{Dataset, DriverManager, Metadata};
use ndarray::{Array3, ArrayView2};

use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};

use crate::crs::SourceCrs;
use crate::error::ImageryError;

/// Marks the digest at the end of a file.
const SEAL: &[u8; 16] = b"shorewatch-seal\0";

/// Bytes of the mark and the digest in hexadecimal.
const SEAL_BYTES: usize = SEAL.len() + 64;

/// Domain of the metadata that carries the window and the caller's text.
const DOMAIN: &str = "SHOREWATCH";

/// Metadata of a band that holds one value only: that value. Nothing else is stored of it.
const CONSTANT: &str = "CONSTANT";

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

/// Writes layers of a window, with a text beside them, to a temporary name, seals them and renames them into place.
///
/// Lossless (ZSTD, level 1; blocks of zeros take no room): speed matters more than the last tenth of size, since these
/// are intermediate results.
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
    crate::write::atomically_without_sync(path, |temporary| {
        let options = RasterCreationOptions::from_iter([
            "COMPRESS=ZSTD",
            "ZSTD_LEVEL=1",
            "INTERLEAVE=BAND",
            "BLOCKYSIZE=256",
            "SPARSE_OK=TRUE",
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
            // most layers of most units hold one value, and that need not be stored pixel by pixel
            match constant(values) {
                Some(value) => band.set_metadata_item(CONSTANT, &value.to_string(), DOMAIN)?,
                None => write_band(&band, *values)?,
            }
        }
        crate::write::finish(file)?;
        seal(temporary).map_err(|fault| ImageryError::io(path, "seal", fault))
    })
}

/// The value of all pixels, where they have one.
fn constant(values: &ArrayView2<'_, u8>) -> Option<u8> {
    let first = *values.first()?;
    values
        .rows()
        .into_iter()
        .all(|row| row.iter().fold(0, |other, value| other | (value ^ first)) == 0)
        .then_some(first)
}

/// Writes a whole band straight from the array: the safe wrapper wants to own a copy.
fn write_band(band: &RasterBand<'_>, values: ArrayView2<'_, u8>) -> Result<(), ImageryError> {
    let values = values.as_standard_layout();
    let (rows, cols) = values.dim();
    let (rows, cols) = (rows as i32, cols as i32);
    // SAFETY: the handle belongs to the borrowed band; the buffer holds rows × cols bytes in row-major order, for which a
    // spacing of 0 stands, and GDAL only reads from it when asked to write.
    let written = unsafe {
        gdal_sys::GDALRasterIO(
            band.c_rasterband(),
            gdal_sys::GDALRWFlag::GF_Write,
            0,
            0,
            cols,
            rows,
            values.as_ptr().cast_mut().cast(),
            cols,
            rows,
            gdal_sys::GDALDataType::GDT_Byte,
            0,
            0,
        )
    };
    if written == gdal_sys::CPLErr::CE_None {
        Ok(())
    } else {
        Err(ImageryError::from(gdal::errors::GdalError::CplError {
            class: written,
            number: 0,
            msg: "a layer could not be written".to_owned(),
        }))
    }
}

fn seal(path: &Path) -> std::io::Result<()> {
    let digest = Digest::of_bytes(&std::fs::read(path)?);
    let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
    file.write_all(SEAL)?;
    file.write_all(digest.to_string().as_bytes())
}

/// Whether a file is whole: what it holds is what was written.
#[must_use]
pub fn is_whole(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| {
        bytes.len().checked_sub(SEAL_BYTES).is_some_and(|end| {
            let (content, seal) = bytes.split_at(end);
            seal.strip_prefix(SEAL).is_some_and(|digest| digest == Digest::of_bytes(content).to_string().as_bytes())
        })
    })
}

/// Reads layers back.
///
/// # Errors
/// The file is missing, damaged or not one of ours: the unit that made it has to be worked again.
pub fn read_layers(path: &Path) -> Result<Layers, ImageryError> {
    let file = open_whole(path)?;
    let all: Vec<_> = (0..file.raster_count()).collect();
    read_from(&file, path, &all)
}

/// Reads only some of the layers back, by their index; without any, only the window and the text.
///
/// # Errors
/// As [`read_layers`]; or there is no such layer.
pub fn read_some_layers(path: &Path, wanted: &[usize]) -> Result<Layers, ImageryError> {
    read_from(&open_whole(path)?, path, wanted)
}

fn open_whole(path: &Path) -> Result<Dataset, ImageryError> {
    crate::runtime::init();
    if !is_whole(path) {
        return Err(not_ours(path, "it is missing, cut short, or not sealed by us"));
    }
    Ok(Dataset::open(path)?)
}

fn read_from(file: &Dataset, path: &Path, wanted: &[usize]) -> Result<Layers, ImageryError> {
    let (cols, rows) = file.raster_size();
    let item = |key: &str| file.metadata_item(key, DOMAIN).ok_or_else(|| not_ours(path, &format!("no {DOMAIN}:{key}")));
    let text = item("WINDOW")?;
    let origin: Vec<i64> = text.split(' ').filter_map(|number| number.parse().ok()).collect();
    let &[row, col] = origin.as_slice() else {
        return Err(not_ours(path, &format!("no window in {text:?}")));
    };
    let mut values = Array3::zeros((wanted.len(), rows, cols));
    for (&index, mut layer) in wanted.iter().zip(values.outer_iter_mut()) {
        if let Some(layer) = layer.as_slice_mut() {
            let band = file.rasterband(index + 1)?;
            match band.metadata_item(CONSTANT, DOMAIN) {
                Some(value) => {
                    layer.fill(value.parse().map_err(|_| not_ours(path, &format!("{CONSTANT} is {value:?}")))?);
                }
                None => band.read_into_slice((0, 0), (cols, rows), (cols, rows), layer, None)?,
            }
        }
    }
    Ok(Layers { window: Window { row, col, rows, cols }, values, note: item("NOTE")? })
}

fn not_ours(path: &Path, what: &str) -> ImageryError {
    ImageryError::gdal(path, "use the layers", what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use shorewatch_domain::crs::Epsg;

    const WINDOW: Window = Window { row: -3, col: 40, rows: 300, cols: 20 };

    fn written(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("units").join("ab.tif");
        let zero = Array2::zeros(WINDOW.shape());
        let other = Array2::from_shape_fn(WINDOW.shape(), |(row, col)| (row * 7 + col) as u8);
        let layers = [("zero", zero.view()), ("other", other.view())];
        write_layers(&path, Grid::new(Epsg(32650), 10.0), WINDOW, &layers, "a note").expect("a folder to write to");
        path
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path());
        let all = read_layers(&path).expect("whole");
        assert_eq!((all.window, all.note.as_str(), all.values.dim()), (WINDOW, "a note", (2, 300, 20)));
        assert!(all.values.index_axis(ndarray::Axis(0), 0).iter().all(|&value| value == 0));
        assert!(all.values.indexed_iter().all(|((layer, row, col), &v)| layer == 0 || v == (row * 7 + col) as u8));
        let one = read_some_layers(&path, &[1]).expect("whole");
        assert_eq!(one.values.index_axis(ndarray::Axis(0), 0), all.values.index_axis(ndarray::Axis(0), 1));
        assert_eq!(read_some_layers(&path, &[]).expect("whole").note, "a note");
        assert!(read_some_layers(&path, &[2]).is_err());
        // nothing temporary is left beside it
        assert_eq!(std::fs::read_dir(path.parent().expect("a folder")).expect("readable").count(), 1);
    }

    #[test]
    fn a_file_that_was_cut_short_or_changed_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path());
        let whole = std::fs::read(&path).expect("there");
        assert!(is_whole(&path));
        for damaged in [&whole[..whole.len() / 2], &whole[..whole.len() - SEAL_BYTES], &[]] {
            std::fs::write(&path, damaged).expect("writable");
            assert!(!is_whole(&path) && read_layers(&path).is_err());
        }
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        std::fs::write(&path, flipped).expect("writable");
        assert!(!is_whole(&path) && read_layers(&path).is_err());
        assert!(!is_whole(&folder.path().join("missing.tif")));
    }
}
