//! Whole passes on the grid, from tiny files: what is read, and why something is not.

use std::path::Path;
use std::time::Duration;

use gdal::{Dataset, DriverManager};
use ndarray::{Array2, ArrayView3};
use proptest::prelude::*;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::pass::{AcquisitionTime, TimePrecision, TimeSource};
use shorewatch_domain::sensor::{QualityCause, QualityProfile};

use super::*;
use crate::admit::{AdmitOptions, admit};
use crate::testing::{PLACE, paint, plain, profile};
use crate::write::{Compression, GdalType, GeoTiffOptions, write_geotiff};

const ROLES: [BandRole; 3] = [BandRole::Red, BandRole::Green, BandRole::Blue];
const SIDE: usize = 150;

/// Band, row, col to a smooth reflectance × 10,000, different in each band, with values all over the range.
fn smooth(band: usize, row: usize, col: usize) -> u16 {
    let (row, col, band) = (row as f64, col as f64, band as f64);
    (2500.0 + 900.0 * (row / 23.0 + band).sin() + 700.0 * (col / 17.0 - band).cos() + 2.0 * row) as u16
}

fn scene<T>(of: impl Fn(usize, usize, usize) -> T, bands: usize) -> Array3<T> {
    Array3::from_shape_fn((bands, SIDE, SIDE), |(band, row, col)| of(band, row, col))
}

/// Writes a pass in small tiles, and opens it.
fn reader<T: GdalType + Copy>(
    folder: &Path,
    pixels: ArrayView3<'_, T>,
    place: ([f64; 6], Epsg),
    profile: &SensorProfile,
) -> PassReader {
    let path = folder.join("pass_20240315.tif");
    let options = GeoTiffOptions { tile_px: Some(32), ..GeoTiffOptions::default() };
    write_geotiff(&path, pixels, Some(place), &options).expect("a folder to write to");
    open(&path, profile)
}

fn open(path: &Path, profile: &SensorProfile) -> PassReader {
    open_with(path, profile, 1 << 20)
}

fn open_with(path: &Path, profile: &SensorProfile, cache_bytes: usize) -> PassReader {
    let at = "2024-03-15T02:30:00Z".parse().expect("a time");
    let options = AdmitOptions {
        name: None,
        time: Some(AcquisitionTime { at, precision: TimePrecision::Second, source: TimeSource::Operator }),
        assigned_epsg: None,
        settle: Duration::ZERO,
        limits: Limits::default(),
        now: at,
    };
    let pass = admit(&[path.to_owned()], profile, &options).expect("a readable file");
    let cache = Arc::new(BlockCache::new(cache_bytes));
    PassReader::open(&pass, profile, &ROLES, &Limits::default(), cache).expect("an admitted pass")
}

/// The grid of the test's zone; row and col of the scene's corner on it.
fn grid() -> (Grid, i64, i64) {
    (Grid::new(PLACE.1, 10.0), -520_500, 50_000)
}

fn window(row: i64, col: i64, rows: usize, cols: usize) -> Window {
    let (_, top, left) = grid();
    Window { row: top + row, col: left + col, rows, cols }
}

fn causes(reader: &PassReader, window: Window) -> Vec<String> {
    let raster = reader.read(grid().0, window).expect("readable").raster;
    let letter = |cause: &Causes| match *cause {
        Causes::OBSERVED => '.',
        Causes::NODATA => 'n',
        Causes::OUTSIDE => 'o',
        Causes::TRANSPARENT => 't',
        Causes::NOT_FINITE => 'f',
        Causes::CLOUD => 'c',
        Causes::SATURATED => 's',
        Causes::UNREADABLE => 'u',
        _ => '?',
    };
    // unobserved pixels are 0 in every band
    for ((row, col), cause) in raster.causes.indexed_iter() {
        assert!(cause.is_observed() || raster.pixels.slice(s![.., row, col]).iter().all(|&value| value == 0.0));
    }
    raster.causes.rows().into_iter().map(|row| row.iter().map(letter).collect()).collect()
}

#[test]
fn on_the_grid_pixels_are_the_files_own() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pixels = scene(smooth, 3);
    let reader = reader(folder.path(), pixels.view(), PLACE, &profile());
    assert!(reader.lies_on(&grid().0));
    let read = reader.read(grid().0, window(-2, 100, 60, 70)).expect("readable").raster;
    for ((band, row, col), &value) in read.pixels.indexed_iter() {
        let (from_row, from_col) = (row as i64 - 2, col + 100);
        let inside = from_row >= 0 && from_col < SIDE;
        let expected = if inside { f32::from(pixels[(band, from_row as usize, from_col)]) * 1e-4 } else { 0.0 };
        assert_eq!(value, expected, "band {band}, row {row}, col {col}");
        assert_eq!(read.causes[(row, col)], if inside { Causes::OBSERVED } else { Causes::OUTSIDE });
    }
}

#[test]
fn neighbouring_windows_decode_each_block_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let reader = reader(folder.path(), scene(smooth, 3).view(), PLACE, &profile());
    for row in 0..5 {
        for col in 0..5 {
            reader.read(grid().0, window(32 * row - 3, 32 * col - 3, 38, 38)).expect("readable");
        }
    }
    let shape = reader.files[0].blocks.shape;
    let blocks = SIDE.div_ceil(shape.rows) * SIDE.div_ceil(shape.cols);
    assert_eq!(reader.cache.decoded_blocks(), blocks as u64);
}

#[test]
fn a_sweep_with_halos_holds_edges_of_one_row_of_blocks() {
    const BLOCKS: usize = 5;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pass_20240315.tif");
    let pixels = Array3::from_elem((3, 512 * BLOCKS, 512 * BLOCKS), 7_u8);
    write_geotiff(&path, pixels.view(), Some(PLACE), &GeoTiffOptions::default()).expect("a folder to write to");
    let mut profile = profile();
    profile.data_type = shorewatch_domain::sensor::DataType::Uint8;
    // between two rows of units a quarter of a row of blocks has to stay: of the row below each took a few rows alone. Some room
    // for what is being read
    let reader = open_with(&path, &profile, (BLOCKS.div_ceil(4) + 6) * 3 * 512 * 512);
    for row in 0..3 {
        for col in 0..3 {
            reader.read(grid().0, window(1024 * row - 8, 1024 * col - 8, 1040, 1040)).expect("readable");
        }
    }
    assert_eq!(reader.cache.decoded_blocks(), (BLOCKS * BLOCKS) as u64);
}

#[test]
fn a_sweep_that_ends_before_the_edge_of_the_file_leaves_no_trail_of_blocks() {
    const DOWN: usize = 12;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pass_20240315.tif");
    let pixels = Array3::from_elem((3, 512 * DOWN, 512 * 3), 7_u8);
    write_geotiff(&path, pixels.view(), Some(PLACE), &GeoTiffOptions::default()).expect("a folder to write to");
    let mut profile = profile();
    profile.data_type = shorewatch_domain::sensor::DataType::Uint8;
    let block = 3 * 512 * 512;
    let reader = open_with(&path, &profile, 100 * block);
    let held: Vec<usize> = (0..DOWN as i64)
        .map(|row| {
            // the block to the right is waited for in vain
            reader.read(grid().0, window(512 * row - 8, -8, 528, 1040)).expect("readable");
            reader.cache.held_bytes() / block
        })
        .collect();
    assert!(held.iter().all(|blocks| *blocks <= 4), "{held:?} blocks after each row");
    assert_eq!(reader.cache.decoded_blocks(), 3 * DOWN as u64);
}

/// GDAL's own warp of the file, bilinear, to a window of the grid: (band, row, col).
fn warped_by_gdal(path: &Path, window: Window) -> Array3<f32> {
    let (grid, ..) = grid();
    let source = Dataset::open(path).expect("a raster");
    let memory = DriverManager::get_driver_by_name("MEM").expect("a driver");
    let mut target = memory.create_with_band_type::<f32, _>("", window.cols, window.rows, 3).expect("memory");
    let (x, y) = grid.to_projected(window.col as f64, window.row as f64);
    target.set_geo_transform(&[x, grid.pixel_size_m, 0.0, y, 0.0, -grid.pixel_size_m]).expect("a place");
    target.set_spatial_ref(&crate::crs::spatial_ref(grid.epsg.into()).expect("a system")).expect("a place");
    gdal::raster::reproject(&source, &target).expect("a warp");
    let mut values = Array3::zeros((3, window.rows, window.cols));
    for (number, mut band) in values.outer_iter_mut().enumerate() {
        let size = (window.cols, window.rows);
        let target = target.rasterband(number + 1).expect("a band");
        target.read_into_slice((0, 0), size, size, band.as_slice_mut().expect("in order"), None).expect("pixels");
    }
    values * 1e-4
}

#[test]
fn off_the_grid_pixels_are_those_of_gdals_bilinear_warp() {
    let profile = profile();
    let shifted = ([500_003.7, 10.0, 0.0, 5_204_996.1, 0.0, -10.0], PLACE.1);
    let rotated = ([500_200.0, 9.8, 1.7, 5_204_800.0, 1.7, -9.8], PLACE.1);
    // the same ground in the zone to the west, where it lies far beyond the edge
    let other_zone = ([956_165.0, 10.0, 0.0, 5_222_554.0, 0.0, -10.0], Epsg(32613));
    for place in [shifted, rotated, other_zone] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let reader = reader(folder.path(), scene(smooth, 3).view(), place, &profile);
        assert!(!reader.lies_on(&grid().0));
        let area = window(-60, -60, 300, 300);
        let ours = reader.read(grid().0, area).expect("readable").raster;
        let theirs = warped_by_gdal(&folder.path().join("pass_20240315.tif"), area);
        let mut compared = 0;
        for row in 2..298 {
            for col in 2..298 {
                // GDAL and we weigh the file's edge differently: two pixels inside
                let near = s![row - 2..=row + 2, col - 2..=col + 2];
                if ours.causes.slice(near).iter().all(|cause| cause.is_observed()) {
                    compared += 1;
                    for band in 0..3 {
                        let off = (ours.pixels[(band, row, col)] - theirs[(band, row, col)]).abs();
                        assert!(off < 1e-3, "{place:?}: band {band}, row {row}, col {col}: off by {off}");
                    }
                }
            }
        }
        assert!(compared > SIDE * SIDE / 2, "{place:?}: only {compared} pixels in common");
    }
}

#[test]
fn a_fill_value_counts_by_the_profiles_rule() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pixels = paint(&["aab.", "aab."], 3);
    pixels[(1, 0, 0)] = 0;
    let mut profile = profile();
    let area = window(0, 0, 2, 5);
    assert_eq!(causes(&reader(folder.path(), pixels.view(), PLACE, &profile), area), ["...no", "...no"]);
    profile.nodata_rule = NodataRule::AnyBand;
    assert_eq!(causes(&reader(folder.path(), pixels.view(), PLACE, &profile), area), ["n..no", "...no"]);
    profile.saturated_from = Some(2000.0);
    assert_eq!(causes(&reader(folder.path(), pixels.view(), PLACE, &profile), area), ["n.sno", "..sno"]);
}

#[test]
fn transparent_and_clouded_pixels_are_unobserved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pixels = paint(&["aaaa", "aaaa"], 4);
    pixels.slice_mut(s![3, .., ..]).fill(255);
    (pixels[(3, 0, 1)], pixels[(3, 1, 2)]) = (0, 9);
    let mut alpha = profile();
    alpha.alpha_index = Some(4);
    let area = window(0, 0, 2, 4);
    assert_eq!(causes(&reader(folder.path(), pixels.view(), PLACE, &alpha), area), [".t..", "..t."]);
    let mut quality = profile();
    let cloud = QualityFlag { mask: 0xff, equals: 9, cause: QualityCause::Cloud, meaning: "cloud".to_owned() };
    quality.quality = Some(QualityProfile { file_pattern: None, index: 4, required: true, flags: vec![cloud] });
    assert_eq!(causes(&reader(folder.path(), pixels.view(), PLACE, &quality), area), ["....", "..c."]);
}

#[test]
fn values_that_are_no_numbers_are_unobserved() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut pixels = paint(&["aaa"], 3).mapv(f32::from);
    (pixels[(0, 0, 0)], pixels[(2, 0, 2)]) = (f32::NAN, f32::INFINITY);
    let mut profile = profile();
    profile.data_type = shorewatch_domain::sensor::DataType::Float32;
    assert_eq!(causes(&reader(folder.path(), pixels.view(), PLACE, &profile), window(0, 0, 1, 3)), ["f.f"]);
}

#[test]
fn a_mask_neither_grows_nor_shrinks_off_the_grid() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pixels = paint(&["aaaaa", "aa.aa", "aaaaa"], 3);
    let shifted = ([500_003.0, 10.0, 0.0, 5_205_000.0, 0.0, -10.0], PLACE.1);
    let reader = reader(folder.path(), pixels.view(), shifted, &profile());
    assert_eq!(causes(&reader, window(0, 0, 3, 5)), [".....", "..n..", "....."]);
    // nor does the fill value, 0, darken its neighbours
    let read = reader.read(grid().0, window(1, 1, 1, 1)).expect("readable").raster;
    assert!((read.pixels[(0, 0, 0)] - 0.1).abs() < 1e-6);
}

#[test]
fn a_block_that_cannot_be_decoded_is_unobserved_and_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("pass_20240315.tif");
    let options = GeoTiffOptions { compression: Compression::None, tile_px: Some(512), ..plain() };
    let pixels = Array3::from_elem((3, 600, 600), 1000_u16);
    write_geotiff(&path, pixels.view(), Some(PLACE), &options).expect("a folder to write to");
    let reader = open(&path, &profile());
    // the last tile of the last band goes missing after the file was admitted
    let length = std::fs::metadata(&path).expect("there").len();
    let file = std::fs::OpenOptions::new().write(true).open(&path).expect("writable");
    file.set_len(length - 300_000).expect("cut");
    let read = reader.read(grid().0, window(500, 500, 50, 50)).expect("readable");
    let unreadable = |(row, col): (usize, usize)| row >= 12 && col >= 12;
    let expected =
        Array2::from_shape_fn((50, 50), |at| if unreadable(at) { Causes::UNREADABLE } else { Causes::OBSERVED });
    assert_eq!(read.raster.causes, expected);
    assert!(read.faults.len() == 1 && read.faults[0].contains("band 3"), "{:?}", read.faults);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is read in one piece is the same in small ones, on the grid and off it.
    #[test]
    fn small_windows_show_what_a_large_one_shows(
        row in -20_i64..140, col in -20_i64..140, rows in 1_usize..40, cols in 1_usize..40, kind in 0_usize..3,
    ) {
        let place = [
            PLACE,
            ([500_003.7, 10.0, 0.0, 5_204_996.1, 0.0, -10.0], PLACE.1),
            ([956_165.0, 10.0, 0.0, 5_222_554.0, 0.0, -10.0], Epsg(32613)),
        ][kind];
        let folder = tempfile::tempdir().expect("a temporary folder");
        let holes = |band, row, col| if row % 31 == 7 && col % 13 < 3 { 0 } else { smooth(band, row, col) };
        let reader = reader(folder.path(), scene(holes, 3).view(), place, &profile());
        let large = window(-30, -30, 210, 210);
        let small = window(row, col, rows, cols);
        let whole = reader.read(grid().0, large).expect("readable").raster;
        let part = reader.read(grid().0, small).expect("readable").raster;
        let (rows, cols) = large.ranges_of(&small);
        prop_assert_eq!(&whole.causes.slice(s![rows.clone(), cols.clone()]), &part.causes);
        let off = (&whole.pixels.slice(s![.., rows, cols]) - &part.pixels).iter().fold(0.0_f32, |most, off| most.max(off.abs()));
        prop_assert!(off < 1e-5, "off by {}", off);
    }
}
