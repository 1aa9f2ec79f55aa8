//! Rows 1, 2, 4, 7, 8, 9 and 13 of the faults that are survived, and what a pass says about itself.

mod files;

use std::fs::{self, File, FileTimes};
use std::time::SystemTime;

use ndarray::{Array3, s};
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::pass::{TimePrecision, TimeSource};
use shorewatch_domain::sensor::{
    BandRole, DataType, Layout, NodataRule, QualityCause, QualityFlag, QualityProfile, Radiometry,
};
use tempfile::TempDir;

use super::*;
use crate::testing::{PLACE, data, paint, painted, plain, profile, rgb};
use crate::write::{Colour, Compression, GeoTiffOptions, write_geotiff};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Nobody writes in a test: files are settled at once.
fn options() -> AdmitOptions {
    let now = "2026-01-01T00:00:00Z".parse().expect("a time");
    AdmitOptions { settle: Duration::ZERO, now, ..AdmitOptions::default() }
}

#[track_caller]
fn admitted(path: &Path, profile: &SensorProfile) -> Pass {
    admit(&[path.to_owned()], profile, &options()).expect("recorded")
}

#[track_caller]
fn quarantined(path: &Path, profile: &SensorProfile) -> String {
    let pass = admitted(path, profile);
    assert_eq!(pass.state.name(), "quarantined", "{:?}", pass.state);
    assert!(pass.footprint.is_empty() && pass.fitted.is_empty());
    assert_eq!(pass.files.len(), 1, "the bytes are on record");
    pass.state.reason().expect("a reason").to_owned()
}

fn age(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).expect("opened");
    let then = SystemTime::now() - Duration::from_secs(seconds);
    file.set_times(FileTimes::new().set_modified(then)).expect("set");
}

#[test]
fn a_good_pass_says_what_it_is() {
    let folder = folder();
    let path = painted(folder.path(), "painted_20240315.tif");
    let pass = admitted(&path, &profile());
    assert_eq!((pass.name.as_str(), pass.revision, pass.state.clone()), ("painted_20240315", 1, PassState::Ready));
    let time = pass.acquired.expect("in the name");
    assert_eq!((time.at.to_string().as_str(), time.precision), ("2024-03-15T00:00:00Z", TimePrecision::Day));
    assert_eq!(time.source, TimeSource::FileName);
    assert_eq!(pass.files[0].size_bytes, fs::metadata(&path).expect("there").len());
    assert_eq!(pass.footprint.first(), pass.footprint.last());
    assert!(pass.footprint.iter().all(|(x, y)| (-99.1..-98.9).contains(x) && (46.9..47.1).contains(y)));
    assert!(pass.warnings.is_empty() && pass.fitted.is_empty(), "{:?}", pass.warnings);
}

#[test]
fn identity_is_content_not_place() {
    let folder = folder();
    let path = painted(folder.path(), "painted_20240315.tif");
    let copy = folder.path().join("copy_20240315.tif");
    fs::copy(&path, &copy).expect("copied");
    age(&copy, 1000);
    let (one, other) = (admitted(&path, &profile()), admitted(&copy, &profile()));
    assert_eq!(one.id, other.id);
    let changed = folder.path().join("changed_20240315.tif");
    let options = GeoTiffOptions { bands: rgb(), nodata: Some(0.0), ..plain() };
    write_geotiff(&changed, paint(&["aabb", "aabb", "ccdd", "ccda"], 3).view(), Some(PLACE), &options)
        .expect("written");
    assert_ne!(one.id, admitted(&changed, &profile()).id);
}

#[test]
fn time_is_the_operators_else_metadata_else_the_name_else_asked_for() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    let at: Timestamp = "2023-12-24T02:41:09Z".parse().expect("a time");
    let tiff = GeoTiffOptions { bands: rgb(), ..plain() }.acquired_at(at);
    write_geotiff(&path, paint(&["ab", "cd"], 3).view(), Some(PLACE), &tiff).expect("written");
    let time = admitted(&path, &profile()).acquired.expect("known");
    assert_eq!((time.at, time.precision, time.source), (at, TimePrecision::Second, TimeSource::Metadata));
    let operator = AcquisitionTime {
        at: "2020-01-02T03:04:05Z".parse().expect("a time"),
        precision: TimePrecision::Second,
        source: TimeSource::Operator,
    };
    let with = AdmitOptions { time: Some(operator), ..options() };
    assert_eq!(admit(&[path], &profile(), &with).expect("recorded").acquired, Some(operator));
    let unknown = painted(folder.path(), "undated.tif");
    let error = admit(&[unknown], &profile(), &options()).expect_err("never guessed");
    let text = error.to_string();
    assert!(matches!(error, ImageryError::TimeUnknown { .. }) && text.contains("--time"), "{text}");
}

#[test]
fn a_date_in_the_future_is_held() {
    let folder = folder();
    let pass = admitted(&painted(folder.path(), "painted_20260102.tif"), &profile());
    assert_eq!(pass.state, PassState::Ready, "a day of clock skew");
    let pass = admitted(&painted(folder.path(), "painted_20260103.tif"), &profile());
    assert_eq!(pass.state.name(), "held");
    assert!(pass.state.reason().is_some_and(|reason| reason.contains("2026-01-03")), "{:?}", pass.state);
}

#[test]
fn row_1_unusable_bytes_are_quarantined_with_their_digest() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    fs::write(&path, b"").expect("written");
    assert!(quarantined(&path, &profile()).contains("0 bytes"));
    let whole = fs::read(painted(folder.path(), "painted_20240316.tif")).expect("read");
    fs::write(&path, &whole[..60]).expect("written");
    assert!(quarantined(&path, &profile()).contains("header cannot be read"));
    fs::write(&path, b"<html>504 Gateway Time-out</html>").expect("written");
    assert!(quarantined(&path, &profile()).contains("HTML"));
    let pass = admitted(&path, &profile());
    assert_eq!(pass.files[0].digest, shorewatch_domain::digest::Digest::of_bytes(b"<html>504 Gateway Time-out</html>"));
    assert!(pass.acquired.is_some(), "its name still tells the date");
}

#[test]
fn row_2_and_13_blocks_beyond_the_end_are_a_running_copy_or_stay_unobserved() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    let tiff = GeoTiffOptions { bands: rgb(), tile_px: Some(16), ..plain() };
    let pixels = Array3::from_shape_fn((3, 64, 64), |(band, row, col)| (1000 + band * 100 + row + col) as u16);
    write_geotiff(&path, pixels.view(), Some(PLACE), &tiff).expect("written");
    let whole = fs::read(&path).expect("read");
    fs::write(&path, &whole[..whole.len() * 2 / 3]).expect("cut");
    let running = AdmitOptions { settle: Duration::from_millis(300), ..options() };
    let error = admit(std::slice::from_ref(&path), &profile(), &running).expect_err("just modified");
    assert!(error.is_retryable() && error.to_string().contains("of 48 blocks lie beyond the end"), "{error}");
    age(&path, 3600);
    let pass = admit(&[path], &profile(), &running).expect("settled, and recorded");
    assert_eq!(pass.state, PassState::Ready);
    assert!(
        pass.warnings.iter().any(|text| text.contains("of 48 blocks lie beyond the end of the file")),
        "{:?}",
        pass.warnings
    );
    assert!(pass.warnings.iter().any(|text| text.contains("cannot be decoded")), "{:?}", pass.warnings);
}

#[test]
fn row_13_a_file_that_grows_is_not_complete() {
    let folder = folder();
    let path = painted(folder.path(), "painted_20240315.tif");
    let growing = path.clone();
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        let bytes = fs::read(&growing).expect("read");
        fs::write(&growing, [bytes, vec![0; 100]].concat()).expect("grown");
    });
    let watching = AdmitOptions { settle: Duration::from_millis(900), ..options() };
    let error = admit(std::slice::from_ref(&path), &profile(), &watching).expect_err("it grew");
    writer.join().expect("no panic");
    assert!(error.is_retryable() && error.to_string().contains("changed while it was watched"), "{error}");
    age(&path, 3600);
    let started = std::time::Instant::now();
    let patient = AdmitOptions { settle: Duration::from_secs(30), ..options() };
    admit(std::slice::from_ref(&path), &profile(), &patient).expect("an old file is settled");
    assert!(started.elapsed() < Duration::from_secs(20), "and nobody waits for it");
    let unfinished = folder.path().join("painted_20240315.tif.part");
    fs::copy(&path, &unfinished).expect("copied");
    assert!(admit(&[unfinished], &profile(), &options()).expect_err("by its name").is_retryable());
}

#[test]
fn row_13_checksums_beside_the_file_are_compared() {
    use sha2::Digest as _;
    let folder = folder();
    let path = painted(folder.path(), "painted_20240315.tif");
    let bytes = fs::read(&path).expect("read");
    let sha256: String = sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let beside = folder.path().join("painted_20240315.tif.sha256");
    fs::write(&beside, format!("{sha256}  painted_20240315.tif\n")).expect("written");
    assert_eq!(admitted(&path, &profile()).state, PassState::Ready);
    let listed = [path.clone(), beside.clone()];
    assert_eq!(admit(&listed, &profile(), &options()).expect("recorded").files.len(), 1, "the checksum is no band");
    fs::write(
        &beside,
        format!("{}  painted_20240315.tif\n", sha256.replace(|digit: char| digit.is_ascii_digit(), "0")),
    )
    .expect("written");
    assert!(quarantined(&path, &profile()).contains("SHA-256"));
    fs::remove_file(&beside).expect("removed");
    fs::write(folder.path().join("painted_20240315.tif.blake3"), blake3::hash(&bytes).to_hex().as_str())
        .expect("written");
    assert_eq!(admitted(&path, &profile()).state, PassState::Ready);
}

#[test]
fn row_4_a_pass_without_a_system_needs_the_operators_word() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    let tiff = GeoTiffOptions { bands: rgb(), ..plain() };
    write_geotiff(&path, paint(&["ab", "cd"], 3).view(), None, &tiff).expect("written");
    assert!(quarantined(&path, &profile()).contains("no geotransform"));
    // a geotransform without a system: written with one, which is then taken away
    write_geotiff(&path, paint(&["ab", "cd"], 3).view(), Some(PLACE), &tiff).expect("written");
    let done = std::process::Command::new("gdal_edit.py").args(["-a_srs", "None"]).arg(&path).status();
    if !done.is_ok_and(|status| status.success()) {
        let bare = folder.path().join("bare_20240315.tif");
        let done =
            std::process::Command::new("gdal_translate").args(["-q", "-a_srs", "none"]).args([&path, &bare]).status();
        assert!(done.is_ok_and(|status| status.success()), "gdal_translate is installed");
        fs::rename(bare, &path).expect("renamed");
    }
    assert!(quarantined(&path, &profile()).contains("no coordinate reference system"));
    let with = AdmitOptions { assigned_epsg: Some(32614), ..options() };
    let pass = admit(std::slice::from_ref(&path), &profile(), &with).expect("recorded");
    assert_eq!((pass.state.clone(), pass.assigned_epsg), (PassState::Ready, Some(32614)));
    let other = AdmitOptions { assigned_epsg: Some(32615), ..options() };
    assert_ne!(pass.id, admit(&[path], &profile(), &other).expect("recorded").id, "the claim is part of the identity");
}

#[test]
fn row_6_every_orientation_has_its_footprint() {
    let folder = folder();
    let check = |name: &str, geotransform: [f64; 6], epsg: u32, inside: (f64, f64)| {
        let path = folder.path().join(name);
        let tiff = GeoTiffOptions { bands: rgb(), ..plain() };
        write_geotiff(&path, paint(&["abab", "cdcd"], 3).view(), Some((geotransform, Epsg(epsg))), &tiff)
            .expect("written");
        let pass = admitted(&path, &profile());
        assert_eq!(pass.state, PassState::Ready, "{name}");
        let ring: geo_types::LineString<f64> = pass.footprint.clone().into();
        let polygon = geo_types::Polygon::new(ring, vec![]);
        assert!(geo::Contains::contains(&polygon, &geo_types::Point::new(inside.0, inside.1)), "{name}: {polygon:?}");
    };
    check("north_20240315.tif", PLACE.0, 32614, (-98.99975, 46.998_430));
    check("south_20240315.tif", [500_000.0, 10.0, 0.0, 5_204_980.0, 0.0, 10.0], 32614, (-98.99975, 46.998_430));
    check("rotated_20240315.tif", [500_000.0, 8.0, 6.0, 5_205_000.0, 6.0, -8.0], 32614, (-98.999_71, 46.998_55));
    check("feet_20240315.tif", [984_250.0, 33.0, 0.0, 200_000.0, 0.0, -33.0], 2263, (-73.999_76, 40.715_5));
}

#[test]
fn coordinates_that_their_system_cannot_have_are_quarantined() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    let tiff = GeoTiffOptions { bands: rgb(), ..plain() };
    // metres under a geographic system
    write_geotiff(&path, paint(&["ab", "cd"], 3).view(), Some((PLACE.0, Epsg::WGS84)), &tiff).expect("written");
    assert!(quarantined(&path, &profile()).contains("cannot be brought to longitude and latitude"));
}

#[test]
fn row_7_nan_and_fill_do_not_count_and_infinity_does_no_harm() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    let mut pixels = Array3::<f32>::from_elem((3, 8, 8), 0.25);
    pixels.slice_mut(s![.., ..4, ..]).fill(f32::NAN);
    pixels.slice_mut(s![.., 4, ..]).fill(f32::INFINITY);
    pixels.slice_mut(s![.., 5, ..]).fill(-9999.0);
    write_geotiff(&path, pixels.view(), Some(PLACE), &GeoTiffOptions { bands: rgb(), ..plain() }).expect("written");
    let mut float = profile();
    (float.data_type, float.nodata) = (DataType::Float32, Some(-9999.0));
    for band in &mut float.bands {
        band.radiometry = Radiometry::Linear { scale: 1.0, offset: 0.0 };
    }
    let pass = admitted(&path, &float);
    assert_eq!(pass.state, PassState::Ready);
    assert!(pass.warnings.is_empty(), "{:?}", pass.warnings);
}

#[test]
fn row_8_all_nodata_is_taken_with_a_warning() {
    let folder = folder();
    let path = folder.path().join("painted_20240315.tif");
    let tiff = GeoTiffOptions { bands: rgb(), ..plain() };
    write_geotiff(&path, paint(&["..", ".."], 3).view(), Some(PLACE), &tiff).expect("written");
    let pass = admitted(&path, &profile());
    assert_eq!(pass.state, PassState::Ready);
    assert!(pass.warnings.iter().any(|text| text.contains("no valid pixel among 4")), "{:?}", pass.warnings);
    let mut stretched = profile();
    for band in &mut stretched.bands {
        band.radiometry = Radiometry::DisplayStretch { low_reflectance: 0.0, high_reflectance: 0.3 };
    }
    let pass = admitted(&path, &stretched);
    assert_eq!(pass.fitted.len(), 3);
    assert!(pass.fitted.iter().all(|fit| fit.scale.is_finite() && fit.offset.is_finite()));
}

#[test]
fn row_9_another_order_type_or_scale_is_refused() {
    let folder = folder();
    let write = |name: &str, pixels: &Array3<u16>, colours: &[Colour]| {
        let path = folder.path().join(name);
        let bands = colours.iter().map(|colour| (String::new(), *colour)).collect();
        write_geotiff(&path, pixels.view(), Some(PLACE), &GeoTiffOptions { bands, ..plain() }).expect("written");
        path
    };
    let good = paint(&["ab", "cd"], 3);
    let bgr = write("bgr_20240315.tif", &good, &[Colour::Blue, Colour::Green, Colour::Red]);
    assert!(quarantined(&bgr, &profile()).contains("band 1 is blue, the profile painted says red"));
    let alpha = write("alpha_20240315.tif", &good, &[Colour::Red, Colour::Green, Colour::Alpha]);
    assert!(quarantined(&alpha, &profile()).contains("band 3 is alpha, the profile painted says blue"));
    let loud = write("loud_20240315.tif", &good.mapv(|value| value * 10), &[Colour::Red, Colour::Green, Colour::Blue]);
    assert!(quarantined(&loud, &profile()).contains("the scale is not that of the profile"));
    let few = write("few_20240315.tif", &paint(&["ab", "cd"], 2), &[]);
    assert!(quarantined(&few, &profile()).contains("has 2 band(s), the profile painted reads band 3"));
    let path = folder.path().join("bytes_20240315.tif");
    let bytes = Array3::<u8>::from_elem((3, 2, 2), 9);
    write_geotiff(&path, bytes.view(), Some(PLACE), &GeoTiffOptions { bands: rgb(), ..plain() }).expect("written");
    assert!(quarantined(&path, &profile()).contains("stored as Byte, the profile painted expects UInt16"));
    let named = folder.path().join("named_20240315.tif");
    let bands = ["nir", "green", "blue"].map(|name| (name.to_owned(), Colour::Undefined)).to_vec();
    write_geotiff(&named, good.view(), Some(PLACE), &GeoTiffOptions { bands, ..plain() }).expect("written");
    assert!(quarantined(&named, &profile()).contains("band 1 is nir"));
}

#[test]
fn a_false_colour_picture_is_no_contradiction_and_a_missing_alpha_is() {
    let folder = folder();
    let path = folder.path().join("false_20240315.tif");
    write_geotiff(&path, paint(&["ab", "cd"], 3).view(), Some(PLACE), &GeoTiffOptions { bands: rgb(), ..plain() })
        .expect("written");
    let mut infrared = profile();
    for (band, role) in infrared.bands.iter_mut().zip([BandRole::Nir, BandRole::Red, BandRole::Green]) {
        band.role = role;
    }
    assert_eq!(admitted(&path, &infrared).state, PassState::Ready);
    let mut transparent = profile();
    transparent.bands.pop();
    transparent.alpha_index = Some(3);
    assert!(quarantined(&path, &transparent).contains("band 3 is blue, the profile painted says alpha"));
}

#[test]
fn display_stretches_are_fitted_to_valid_pixels_and_stay_the_same() {
    let folder = folder();
    let path = folder.path().join("picture_20240315.tif");
    // 0 is fill; 1..=200 evenly, so that the 2nd percentile is 5 and the 98th 196
    let pixels = Array3::from_shape_fn((3, 30, 200), |(_, row, col)| if row < 10 { 0 } else { (col + 1) as u8 });
    let tiff = GeoTiffOptions {
        bands: rgb(),
        compression: Compression::Deflate,
        tile_px: Some(16),
        ..GeoTiffOptions::default()
    };
    write_geotiff(&path, pixels.view(), Some(PLACE), &tiff).expect("written");
    let mut picture = profile();
    picture.data_type = DataType::Uint8;
    for band in &mut picture.bands {
        band.radiometry = Radiometry::DisplayStretch { low_reflectance: 0.02, high_reflectance: 0.4 };
    }
    let pass = admitted(&path, &picture);
    assert_eq!(
        pass.fitted.iter().map(|fit| fit.role).collect::<Vec<_>>(),
        [BandRole::Red, BandRole::Green, BandRole::Blue]
    );
    for fit in &pass.fitted {
        assert!(
            (5.0 * fit.scale + fit.offset - 0.02).abs() < 1e-12 && (196.0 * fit.scale + fit.offset - 0.4).abs() < 1e-12
        );
    }
    assert_eq!(admitted(&path, &picture), pass);
}

#[test]
fn real_passes_are_admitted_and_drone_frames_are_quarantined() {
    let Some(data) = data() else { return };
    let mut frames = profile();
    frames.data_type = DataType::Uint8;
    for band in &mut frames.bands {
        band.radiometry = Radiometry::DisplayStretch { low_reflectance: 0.02, high_reflectance: 0.4 };
    }
    frames.time.metadata_keys = vec!["EXIF_DateTimeOriginal".to_owned()];
    let reason = quarantined(&data.join("drone-brighton/DJI_0029.JPG"), &with_time_of_name(&frames));
    assert!(reason.contains("no geotransform, only the position of the camera (EXIF GPS)"), "{reason}");

    let mut prairie = frames.clone();
    prairie.ground_sampling_distance_m = 5.0;
    prairie.bands.push(shorewatch_domain::sensor::BandProfile {
        index: 4,
        role: BandRole::Nir,
        ..prairie.bands[0].clone()
    });
    prairie.time.file_name_pattern = Some(r"_(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})\.tif$".to_owned());
    let pass = admitted(&data.join("naip-prairie/m_4709963_se_14_1_20160816.tif"), &prairie);
    assert_eq!((pass.state.clone(), pass.fitted.len()), (PassState::Ready, 4), "{:?}", pass.state);
    assert_eq!(pass.acquired.map(|time| time.label()), Some("2016-08-16".to_owned()));
    assert!(pass.warnings.is_empty(), "{:?}", pass.warnings);
    assert!(pass.footprint.iter().all(|(x, y)| (-99.2..-99.1).contains(x) && (47.0..47.04).contains(y)));
}

fn with_time_of_name(profile: &SensorProfile) -> SensorProfile {
    let mut profile = profile.clone();
    profile.time.file_name_pattern = None;
    profile
}
