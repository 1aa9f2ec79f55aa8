//! Whole small files as they are stored: labels and chips, not imagery on a grid (for that see [`crate::read`]).

use std::path::Path;

use gdal::raster::GdalType;
use ndarray::Array3;

use crate::error::{FileFault, ImageryError};
use crate::open::{Limits, open_raster};
use crate::runtime;

/// Every stored number of a file: (band, row, col), without scale, place or mask.
///
/// # Errors
/// The file is missing, no raster, beyond the limits, or a block of it can't be decoded.
pub fn read_stored<T: GdalType + Copy + Default>(path: &Path, limits: &Limits) -> Result<Array3<T>, ImageryError> {
    let file = open_raster(path, limits)?;
    let (rows, cols) = file.size;
    let mut pixels = Array3::default((file.bands.len(), rows, cols));
    for (index, mut plane) in pixels.outer_iter_mut().enumerate() {
        let (read, messages) = runtime::collect(|| {
            file.dataset.rasterband(index + 1)?.read_as::<T>((0, 0), (cols, rows), (cols, rows), None)
        });
        let buffer = read.map_err(|error| {
            let words: Vec<_> = messages.into_iter().map(|message| message.text).collect();
            let detail = runtime::words(&words, &error);
            ImageryError::file(path, FileFault::Unreadable { format: "band of a raster", detail })
        })?;
        plane.iter_mut().zip(buffer.data()).for_each(|(pixel, value)| *pixel = *value);
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plain;
    use crate::write::write_geotiff;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("chip.tif");
        let pixels = Array3::from_shape_fn((3, 5, 7), |(band, row, col)| (band * 100 + row * 10 + col) as i16 - 50);
        write_geotiff(&path, pixels.view(), None, &plain()).expect("a folder to write to");
        assert_eq!(read_stored::<i16>(&path, &Limits::default()).expect("a raster"), pixels);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_stored::<i16>(Path::new("/nowhere/chip.tif"), &Limits::default()).expect_err("no file");
        assert!(error.to_string().contains("chip.tif"), "{error}");
    }
}
