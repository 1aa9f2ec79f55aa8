//! Rows 1, 3, 4, 6 and 10 of the faults that are survived.

use std::fs;

use ndarray::Array3;
use tempfile::TempDir;

use super::*;
use crate::testing::{PLACE, data, declaring, paint, painted, plain};
use crate::write::{Compression, GeoTiffOptions, write_geotiff};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Opens bytes under the name `pass.tif` and returns the fault.
#[track_caller]
fn fault_of(bytes: &[u8]) -> FileFault {
    let folder = folder();
    let path = folder.path().join("pass.tif");
    fs::write(&path, bytes).expect("written");
    let error = open_raster(&path, &Limits::default()).expect_err("refused");
    error.file_fault().unwrap_or_else(|| panic!("the file's own fault, not {error}")).clone()
}

#[test]
fn an_opened_file_says_what_its_header_says() {
    let folder = folder();
    let path = painted(folder.path(), "pass.tif");
    let file = open_raster(&path, &Limits::default()).expect("a good file");
    assert_eq!((file.size, file.bands.len()), ((4, 4), 3));
    assert_eq!(file.bands[0].data_type, GdalDataType::UInt16);
    assert_eq!(file.bands[2].colour, ColorInterpretation::BlueBand);
    assert_eq!(file.bands[1].nodata, Some(0.0));
    let place = file.georeference(&Assigned::default()).expect("georeferenced");
    assert_eq!((place.geotransform, place.crs.epsg), (PLACE.0, Some(32614)));
    assert!(file.messages.is_empty(), "{:?}", file.messages);
}

#[test]
fn row_1_empty_files_and_cut_headers() {
    assert_eq!(fault_of(b""), FileFault::Empty);
    assert!(fault_of(b"II").to_string().contains("cut off"));
    let folder = folder();
    let whole = fs::read(painted(folder.path(), "whole.tif")).expect("readable");
    for length in [4, 8, 10, 40, 120] {
        let fault = fault_of(&whole[..length]);
        assert!(matches!(fault, FileFault::Unreadable { format: "TIFF", .. }), "{length} bytes: {fault}");
    }
}

#[test]
fn row_3_declared_giants_are_refused_by_their_header() {
    let over = |bytes: &[u8]| match fault_of(bytes) {
        FileFault::OverLimit { what, .. } => what,
        other => panic!("expected a limit, got {other}"),
    };
    assert_eq!(over(&declaring(1_000_000, 1_000_000, 1, 256)), "pixels a band");
    assert_eq!(over(&declaring(64, 64, 10_000, 64)), "bands");
    assert_eq!(over(&declaring(60_000, 60_000, 1, 256)), "bytes of pixels per byte of the file");
    assert_eq!(over(&declaring(60_000, 60_000, 1, 32_768)), "bytes in one block");
}

#[test]
fn row_3_a_decompression_bomb_is_refused_and_small_flat_images_are_not() {
    let folder = folder();
    let (flat, bomb) = (folder.path().join("flat.tif"), folder.path().join("bomb.tif"));
    let options = GeoTiffOptions { compression: Compression::Zstd, ..GeoTiffOptions::default() };
    write_geotiff(&flat, Array3::<u8>::zeros((1, 2048, 2048)).view(), Some(PLACE), &options).expect("written");
    open_raster(&flat, &Limits::default()).expect("4 MiB of one colour are no bomb");
    write_geotiff(&bomb, Array3::<u8>::zeros((1, 9000, 9000)).view(), Some(PLACE), &options).expect("written");
    let error = open_raster(&bomb, &Limits::default()).expect_err("81 MB in a few kB");
    assert!(error.to_string().contains("bytes of pixels per byte of the file"), "{error}");
    let trusting = Limits { maximum_ratio: f64::INFINITY, ..Limits::default() };
    open_raster(&bomb, &trusting).expect("the operator may raise the limit");
}

#[test]
fn row_4_no_place_or_system_is_refused_unless_assigned() {
    let folder = folder();
    let path = folder.path().join("frame.tif");
    write_geotiff(&path, paint(&["ab", "cd"], 1).view(), None, &plain()).expect("written");
    let file = open_raster(&path, &Limits::default()).expect("readable");
    let error = file.georeference(&Assigned::default()).expect_err("no place");
    assert!(error.to_string().contains("no geotransform"), "{error}");
    let claim = Assigned { epsg: None, geotransform: Some(PLACE.0) };
    assert_eq!(file.georeference(&claim).expect_err("no system").file_fault(), Some(&FileFault::NoCrs));
    let claim = Assigned { epsg: Some(32614), geotransform: Some(PLACE.0) };
    assert_eq!(file.georeference(&claim).expect("assigned").crs.epsg, Some(32614));
    let flat = Assigned { epsg: Some(32614), geotransform: Some([0.0, 1.0, 1.0, 0.0, 1.0, 1.0]) };
    let error = file.georeference(&flat).expect_err("no inverse");
    assert!(matches!(error.file_fault(), Some(FileFault::SingularGeotransform { .. })), "{error}");
}

#[test]
fn row_4_ground_control_points_are_no_geotransform() {
    let folder = folder();
    let (plain_file, path) = (folder.path().join("plain.tif"), folder.path().join("gcps.tif"));
    write_geotiff(&plain_file, paint(&["ab", "cd"], 1).view(), None, &plain()).expect("written");
    let done = std::process::Command::new("gdal_translate")
        .args([
            "-q",
            "-a_srs",
            "EPSG:32614",
            "-gcp",
            "0",
            "0",
            "500000",
            "5200000",
            "-gcp",
            "2",
            "0",
            "500020",
            "5200000",
        ])
        .args(["-gcp", "2", "2", "500020", "5199980", "-gcp", "0", "2", "500000", "5199980"])
        .args([&plain_file, &path])
        .status();
    assert!(done.is_ok_and(|status| status.success()), "gdal_translate is installed");
    let file = open_raster(&path, &Limits::default()).expect("readable");
    let error = file.georeference(&Assigned::default()).expect_err("points only");
    assert!(error.to_string().contains("only 4 ground control points"), "{error}");
}

#[test]
fn an_assignment_that_contradicts_the_file_is_refused() {
    let folder = folder();
    let file = open_raster(&painted(folder.path(), "pass.tif"), &Limits::default()).expect("a good file");
    let claim = |epsg| Assigned { epsg: Some(epsg), geotransform: None };
    file.georeference(&claim(32614)).expect("what the file says anyway");
    let error = file.georeference(&claim(32649)).expect_err("another zone");
    assert!(error.file_fault().is_none() && error.to_string().contains("EPSG:32614"), "{error}");
}

#[test]
fn row_6_rotated_south_up_and_feet_are_taken_as_they_are() {
    let folder = folder();
    let check = |name: &str, geotransform: [f64; 6], epsg: u32| {
        let path = folder.path().join(name);
        write_geotiff(&path, paint(&["ab", "cd"], 1).view(), Some((geotransform, Epsg(epsg))), &plain())
            .expect("written");
        let file = open_raster(&path, &Limits::default()).expect("readable");
        let place = file.georeference(&Assigned::default()).expect("georeferenced");
        assert_eq!((place.geotransform, place.crs.epsg), (geotransform, Some(epsg)), "{name}");
    };
    check("rotated.tif", [500_000.0, 8.0, 6.0, 5_205_000.0, 6.0, -8.0], 32614);
    check("south-up.tif", [500_000.0, 10.0, 0.0, 5_204_000.0, 0.0, 10.0], 32614);
    check("feet.tif", [984_250.0, 3.0, 0.0, 200_000.0, 0.0, -3.0], 2263);
}

#[test]
fn row_10_other_things_named_tif_never_reach_gdal() {
    let named = |bytes: &[u8]| fault_of(bytes).to_string();
    let vrt =
        b"<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"><VRTRasterBand><SimpleSource><SourceFilename>/etc/hostname\
        </SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>";
    assert!(named(vrt).contains("VRT"));
    assert!(named(b"<!DOCTYPE html><html><body>Please log in</body></html>").contains("HTML"));
    assert!(named(b"PK\x03\x04\x14\0\0\0").contains("ZIP"));
    assert!(named(b"<GDAL_WMS><Service/></GDAL_WMS>").contains("XML"));
    assert!(gdal::DriverManager::get_driver_by_name("VRT").is_err(), "and GDAL could not open it either");
}

#[test]
fn row_10_names_of_virtual_files_and_drivers_are_refused() {
    let refused = |name: &str| {
        let error = open_raster(Path::new(name), &Limits::default()).expect_err("refused");
        assert!(matches!(error, ImageryError::Name { .. }), "{name}: {error}");
    };
    refused("/vsicurl/http://example.org/a.tif");
    refused("/vsizip/a.zip/a.tif");
    refused("GTIFF_DIR:1:a.tif");
    refused("http://example.org/a.tif");
    refused("HDF5:\"a.h5\"://b");
    refused("<VRTDataset/>");
    let folder = folder();
    refused(folder.path().to_str().expect("UTF-8"));
    // a colon in a later part of a path is only a colon
    let odd = folder.path().join("12:30.tif");
    fs::copy(painted(folder.path(), "pass.tif"), &odd).expect("copied");
    open_raster(&odd, &Limits::default()).expect("a good file");
    let error = open_raster(&folder.path().join("missing.tif"), &Limits::default()).expect_err("nothing there");
    assert!(matches!(error, ImageryError::Io { .. }), "{error}");
}

#[test]
fn files_beside_the_image_are_not_believed_and_none_are_made() {
    let folder = folder();
    let path = painted(folder.path(), "pass.tif");
    fs::write(folder.path().join("pass.tif.aux.xml"), "<PAMDataset><SRS>EPSG:4326</SRS></PAMDataset>")
        .expect("written");
    fs::write(folder.path().join("pass.tfw"), "1\n0\n0\n-1\n7\n7\n").expect("written");
    let file = open_raster(&path, &Limits::default()).expect("a good file");
    let place = file.georeference(&Assigned::default()).expect("georeferenced");
    assert_eq!((place.geotransform, place.crs.epsg), (PLACE.0, Some(32614)));
    drop(file);
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).expect("listed").map(|entry| entry.expect("entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["pass.tfw", "pass.tif", "pass.tif.aux.xml"]);
}

#[test]
fn drone_frames_are_refused_with_the_reason() {
    let Some(data) = data() else { return };
    let path = data.join("drone-brighton/DJI_0029.JPG");
    let file = open_raster(&path, &Limits::default()).expect("a JPEG");
    assert_eq!((file.size, file.bands.len()), ((2250, 4000), 3));
    let error = file.georeference(&Assigned::default()).expect_err("a frame");
    let text = error.to_string();
    assert!(text.contains("no geotransform, only the position of the camera (EXIF GPS)"), "{text}");
}
