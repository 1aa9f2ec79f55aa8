//! Tiles read past GDAL hold what GDAL reads.

use std::path::Path;

use ndarray::Array3;

use super::*;
use crate::testing::PLACE;
use crate::write::{Compression, GdalType, GeoTiffOptions, write_geotiff};

/// Two blocks by two, the lower and right ones cut by the edge of the file.
const SHAPE: (usize, usize) = (70, 90);

fn source<T: GdalType + Copy>(
    path: &Path,
    bands: usize,
    value: impl Fn(usize) -> T,
    options: &GeoTiffOptions,
) -> BlockSource {
    let pixels = Array3::from_shape_fn((bands, SHAPE.0, SHAPE.1), |(band, row, col)| {
        // anything that wraps around when differences are taken
        value((band * 40_503 + row * 2_654_435_761 + col * 977) % 65_521)
    });
    write_geotiff(path, pixels.view(), Some(PLACE), options).expect("a folder to write to");
    let file = open_raster(path, &Limits::default()).expect("a raster");
    // in another order, and not all
    let wanted = (1..=bands).rev().filter(|band| bands < 3 || *band != 2).collect();
    BlockSource::new(file, Limits::default(), wanted)
}

fn assert_same(source: &BlockSource) {
    assert!(source.direct.is_some(), "laid out for the short cut");
    let (rows, cols) = (SHAPE.0.div_ceil(source.shape.rows), SHAPE.1.div_ceil(source.shape.cols));
    for (block_row, block_col) in (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col))) {
        let direct = source.decode((block_row, block_col)).expect("readable");
        let file = source.pool.lock().expect("whole").pop().expect("a handle");
        let (row, col) = (block_row * source.shape.rows, block_col * source.shape.cols);
        let place = Place { row, col, rows: direct.rows, cols: direct.cols };
        assert!(source.decode_direct(&file, place).is_some(), "read past GDAL");
        let by_gdal = match direct.samples {
            Samples::U8(_) => source.read(&file, place, Samples::U8),
            Samples::U16(_) => source.read(&file, place, Samples::U16),
            Samples::I16(_) => source.read(&file, place, Samples::I16),
            Samples::F32(_) => source.read(&file, place, Samples::F32),
        };
        assert_eq!(format!("{:?}", direct.samples), format!("{:?}", by_gdal.samples));
        source.pool.lock().expect("whole").push(file);
    }
}

#[test]
fn tiles_past_gdal_are_the_tiles_of_gdal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pass.tif");
    for predictor in [false, true] {
        let options = GeoTiffOptions { tile_px: Some(48), predictor, ..GeoTiffOptions::default() };
        for bands in [1, 2, 4] {
            assert_same(&source(&path, bands, |value| value as u8, &options));
            assert_same(&source(&path, bands, |value| value as u16, &options));
            assert_same(&source(&path, bands, |value| value as i16, &options));
        }
    }
}

#[test]
fn other_layouts_are_left_to_gdal() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pass.tif");
    let tiled = GeoTiffOptions { tile_px: Some(48), ..GeoTiffOptions::default() };
    for options in [
        GeoTiffOptions { compression: Compression::Zstd, ..tiled.clone() },
        GeoTiffOptions { pixel_interleaved: false, ..tiled.clone() },
        GeoTiffOptions { tile_px: None, ..tiled.clone() },
    ] {
        assert!(source(&path, 3, |value| value as u16, &options).direct.is_none(), "{options:?}");
    }
    assert!(source(&path, 3, |value| value as f32, &tiled).direct.is_none(), "floats");
}

#[test]
fn the_first_rows_of_a_block_are_read_without_what_is_damaged_below() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pass.tif");
    let options = GeoTiffOptions { tile_px: Some(48), predictor: true, ..GeoTiffOptions::default() };
    let source = source(&path, 4, |value| value as u16, &options);
    let rows = 48 / HEAD_SHARE;
    let whole = source.decode((0, 0)).expect("readable");
    let head = source.decode_head((0, 0), rows).expect("readable").expect("few rows");
    let (Samples::U16(of_whole), Samples::U16(of_head)) = (&whole.samples, &head.samples) else {
        panic!("{:?}", whole.samples)
    };
    let planes = of_whole.chunks(whole.rows * whole.cols).map(|plane| &plane[..rows * whole.cols]);
    assert!(planes.eq(of_head.chunks(rows * head.cols)));
    assert!(source.is_head(rows) && !source.is_head(rows + 1), "half of the work for the whole");

    // the last bytes of the first tile
    let tile = source.pool.lock().expect("whole").pop().expect("a handle");
    let number = |what: &str| -> usize {
        let band = tile.dataset.rasterband(1).expect("a band");
        let text = gdal::Metadata::metadata_item(&band, &format!("BLOCK_{what}_0_0"), "TIFF").expect("a place");
        text.parse().expect("a number")
    };
    let mut bytes = std::fs::read(&path).expect("the file");
    let end = number("OFFSET") + number("SIZE");
    bytes[end - 300..end].fill(0xAA);
    std::fs::write(&path, bytes).expect("written");
    let file = open_raster(&path, &Limits::default()).expect("a raster");
    let damaged = BlockSource::new(file, Limits::default(), source.bands.clone());
    assert!(damaged.decode((0, 0)).expect("opened").unreadable.is_some(), "the whole tile is given up");
    let again = damaged.decode_head((0, 0), rows).expect("opened").expect("few rows");
    assert_eq!(format!("{:?}", again.samples), format!("{:?}", head.samples));
    // whatever was read before
    let cache = BlockCache::new(1 << 20);
    for wanted in [0..rows, 0..whole.rows, 0..rows] {
        let block = cache.get(&damaged, (0, 0), wanted.clone()).expect("opened");
        assert_eq!(block.unreadable.is_some(), wanted.end > rows, "rows {wanted:?}");
    }
}
