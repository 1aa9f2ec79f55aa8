use std::fs;
use std::process::Command;

use ndarray::{Array2, Array3};
use proptest::prelude::*;

use super::*;
use crate::open::{Limits, open_raster};
use crate::testing::{PLACE, paint, painted, skipped};

#[test]
fn what_was_written_is_read_back_with_its_names_colours_and_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pass.tif");
    let pixels = paint(&["abc", "def"], 4);
    let bands = [("red", Colour::Red), ("green", Colour::Green), ("blue", Colour::Blue), ("nir", Colour::Undefined)];
    let at = "2024-03-15T02:41:09Z".parse().expect("a time");
    let options = GeoTiffOptions {
        tile_px: Some(16),
        nodata: Some(0.0),
        bands: bands.map(|(name, colour)| (name.to_owned(), colour)).to_vec(),
        ..GeoTiffOptions::default()
    };
    write_geotiff(&path, pixels.view(), Some(PLACE), &options.acquired_at(at)).expect("written");
    let file = open_raster(&path, &Limits::default()).expect("readable");
    let got: Vec<_> = file.bands.iter().map(|band| (band.description.as_str(), band.colour.name())).collect();
    assert_eq!(
        got,
        [("red", "Red"), ("green", "Green"), ("blue", "Blue"), ("nir", "Undefined")].map(|(n, c)| (n, c.to_owned()))
    );
    assert_eq!(file.bands[0].block_size, (16, 16));
    assert_eq!(file.metadata_value("acquisition_time"), Some("2024-03-15T02:41:09Z"));
    assert_eq!(file.metadata_value("ACQUISITIONDATETIME"), Some("2024-03-15T02:41:09Z"));
    for (number, band) in pixels.outer_iter().enumerate() {
        let read = file.dataset.rasterband(number + 1).expect("band").read_band_as::<u16>().expect("readable");
        assert_eq!(read.data(), band.iter().copied().collect::<Vec<_>>());
    }
}

#[test]
fn alpha_is_recorded_as_alpha() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("drone.tif");
    let bands =
        [Colour::Red, Colour::Green, Colour::Blue, Colour::Alpha].map(|colour| (String::new(), colour)).to_vec();
    let options = GeoTiffOptions { bands, ..GeoTiffOptions::default() };
    write_geotiff(&path, Array3::<u8>::from_elem((4, 3, 3), 9).view(), Some(PLACE), &options).expect("written");
    let file = open_raster(&path, &Limits::default()).expect("readable");
    assert_eq!(file.bands[3].colour, ColorInterpretation::AlphaBand);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_option_gives_the_same_pixels(
        rows in 1_usize..40, cols in 1_usize..40, bands in 1_usize..4, seed in any::<u16>(),
        tiled in any::<bool>(), predictor in any::<bool>(), pixel_interleaved in any::<bool>(), how in 0_usize..3,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pass.tif");
        let at = |i: (usize, usize, usize)| (i.0 * 7919 + i.1 * 104_729 + i.2 * 1_299_709 + usize::from(seed)) % 65_536;
        let whole = Array3::from_shape_fn((bands, rows, cols), |i| at(i) as u16);
        let real = whole.mapv(|value| f32::from(value) / 3.0);
        let options = GeoTiffOptions {
            compression: [Compression::None, Compression::Deflate, Compression::Zstd][how],
            tile_px: tiled.then_some(16),
            predictor,
            pixel_interleaved,
            ..GeoTiffOptions::default()
        };
        write_geotiff(&path, whole.view(), Some(PLACE), &options).expect("written");
        let file = open_raster(&path, &Limits::default()).expect("readable");
        for (number, band) in whole.outer_iter().enumerate() {
            let read = file.dataset.rasterband(number + 1).expect("band").read_band_as::<u16>().expect("readable");
            prop_assert_eq!(read.data(), band.iter().copied().collect::<Vec<_>>());
        }
        drop(file);
        write_geotiff(&path, real.view(), Some(PLACE), &options).expect("replaced");
        let file = open_raster(&path, &Limits::default()).expect("readable");
        for (number, band) in real.outer_iter().enumerate() {
            let read = file.dataset.rasterband(number + 1).expect("band").read_band_as::<f32>().expect("readable");
            prop_assert_eq!(read.data(), band.iter().copied().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_cog_keeps_class_ids_in_its_overviews_and_its_colours() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("classes.tif");
    // stripes of 1 and 4: a mixture would give 2 or 3
    let classes = Array2::from_shape_fn((1200, 1100), |(row, col)| if (row / 3 + col / 5) % 2 == 0 { 1 } else { 4_u8 });
    let colours = [(1, [0, 0, 255]), (4, [255, 128, 0])];
    write_cog(&path, classes.view(), PLACE, &colours, Some(255)).expect("written");
    let file = open_raster(&path, &Limits::default()).expect("readable");
    assert_eq!(file.dataset.metadata_item("LAYOUT", "IMAGE_STRUCTURE").as_deref(), Some("COG"));
    let band = file.dataset.rasterband(1).expect("band");
    assert!(band.overview_count().expect("a count") > 0);
    let overview = band.overview(0).expect("an overview").read_band_as::<u8>().expect("readable");
    assert!(overview.data().iter().all(|id| [1, 4].contains(id)));
    let entry = band.color_table().expect("a table").entry_as_rgb(4).expect("an entry");
    assert_eq!((entry.r, entry.g, entry.b), (255, 128, 0));
    assert_eq!(band.read_band_as::<u8>().expect("readable").data(), classes.as_slice().expect("contiguous"));
}

#[test]
fn a_failed_write_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = painted(folder.path(), "pass.tif");
    let before = fs::read(&path).expect("readable");
    let error = atomically(&path, |temporary| {
        fs::write(temporary, b"half").map_err(|error| ImageryError::io(temporary, "write", error))?;
        DriverManager::get_driver_by_name("no such driver")?;
        Ok(())
    });
    let error = error.expect_err("the work failed");
    assert!(matches!(error, ImageryError::Write { disk_full: false, .. }), "{error}");
    assert_eq!(fs::read(&path).expect("readable"), before);
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing temporary stays");
    let missing = folder.path().join("no such folder/pass.tif");
    let error = atomically(&missing, |_| Ok(())).expect_err("no folder");
    assert!(matches!(error, ImageryError::Io { .. }) && !error.is_retryable(), "{error}");
}

#[test]
fn row_16_a_full_disk_is_told_and_nothing_is_published() {
    // a tiny file system needs the right to mount; without it the test says so
    let folder = tempfile::tempdir().expect("a folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=192k", "tmpfs"]).arg(folder.path()).output();
    if !mounted.is_ok_and(|done| done.status.success()) {
        skipped("a small file system cannot be mounted here");
        return;
    }
    let path = folder.path().join("pass.tif");
    let noise = Array3::from_shape_fn((1, 700, 700), |(_, row, col)| ((row * 7919 + col * 104_729) % 251) as u8);
    let options = GeoTiffOptions { compression: Compression::None, ..GeoTiffOptions::default() };
    let result = write_geotiff(&path, noise.view(), Some(PLACE), &options);
    let left: Vec<_> = fs::read_dir(folder.path()).expect("listed").collect();
    let unmounted = Command::new("umount").arg(folder.path()).status();
    let error = result.expect_err("490 kB do not fit into 192 kB");
    assert!(error.is_disk_full() && error.is_retryable(), "{error:?}");
    assert!(left.is_empty(), "{left:?}");
    assert!(unmounted.is_ok_and(|status| status.success()));
}
