//! Tiny rasters and profiles that tests share.

use std::path::{Path, PathBuf};

use ndarray::Array3;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::sensor::{
    BandProfile, BandRole, DataType, Layout, NodataRule, Radiometry, SensorProfile, TimeProfile,
};

use crate::write::{Colour, Compression, GeoTiffOptions, write_geotiff};

/// The folder with real imagery, or a word that the test was skipped.
pub(crate) fn data() -> Option<PathBuf> {
    let folder =
        std::env::var_os("SHOREWATCH_DATA").map_or_else(|| PathBuf::from("../../../shared/data"), PathBuf::from);
    if !folder.is_dir() {
        skipped(&format!("{} is not there; set SHOREWATCH_DATA", folder.display()));
        return None;
    }
    Some(folder)
}

/// Says that a test did not run, and why.
#[expect(clippy::print_stderr, reason = "a skipped test must not look like a passed one")]
pub(crate) fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// 10 m pixels at a place in the UTM zone 14 (North Dakota).
pub(crate) const PLACE: ([f64; 6], Epsg) = ([500_000.0, 10.0, 0.0, 5_205_000.0, 0.0, -10.0], Epsg(32614));

/// Paints (band, row, col): a letter of the picture times 1000 plus 100 times the band; `.` is 0.
pub(crate) fn paint(picture: &[&str], bands: usize) -> Array3<u16> {
    let value = |letter: u8| if letter == b'.' { 0 } else { u16::from(letter - b'a' + 1) * 1000 };
    Array3::from_shape_fn((bands, picture.len(), picture[0].len()), |(band, row, col)| {
        let base = value(picture[row].as_bytes()[col]);
        if base == 0 { 0 } else { base + 100 * band as u16 }
    })
}

/// Strips without compression: what is written can be cut and damaged at a known place.
pub(crate) fn plain() -> GeoTiffOptions {
    GeoTiffOptions {
        compression: Compression::None,
        tile_px: None,
        pixel_interleaved: false,
        ..GeoTiffOptions::default()
    }
}

pub(crate) fn rgb() -> Vec<(String, Colour)> {
    [("", Colour::Red), ("", Colour::Green), ("", Colour::Blue)]
        .map(|(name, colour)| (name.to_owned(), colour))
        .to_vec()
}

/// Writes a small painted pass of three bands.
pub(crate) fn painted(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let pixels = paint(&["aabb", "aabb", "ccdd", "ccdd"], 3);
    let options = GeoTiffOptions { bands: rgb(), nodata: Some(0.0), ..plain() };
    write_geotiff(&path, pixels.view(), Some(PLACE), &options).expect("the folder can be written to");
    path
}

/// One file, three bands red, green, blue in uint16, reflectance × 10 000, time from the name.
pub(crate) fn profile() -> SensorProfile {
    let band = |index: usize, role: BandRole| BandProfile {
        role,
        name: format!("B{index}"),
        index,
        file_pattern: None,
        wavelength_um: 0.5,
        radiometry: Radiometry::Linear { scale: 1e-4, offset: 0.0 },
    };
    SensorProfile {
        schema_version: 1,
        name: "painted".to_owned(),
        title: "Painted".to_owned(),
        source: "a test".to_owned(),
        ground_sampling_distance_m: 10.0,
        layout: Layout::OneFile,
        data_type: DataType::Uint16,
        bands: vec![band(1, BandRole::Red), band(2, BandRole::Green), band(3, BandRole::Blue)],
        nodata: Some(0.0),
        nodata_rule: NodataRule::AllBands,
        saturated_from: None,
        alpha_index: None,
        quality: None,
        time: TimeProfile {
            metadata_keys: vec!["ACQUISITION_TIME".to_owned()],
            file_name_pattern: Some(r"(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})".to_owned()),
        },
    }
}

/// A little-endian classic TIFF header that declares whatever is asked for, without the pixels.
pub(crate) fn declaring(width: u32, height: u32, samples: u16, tile: u32) -> Vec<u8> {
    let short = |tag: u16, value: u16| (tag, 3_u16, u32::from(value));
    let long = |tag: u16, value: u32| (tag, 4_u16, value);
    let entries = [
        long(256, width),
        long(257, height),
        short(258, 8),
        short(259, 1),
        short(262, 1),
        short(277, samples),
        short(284, 1),
        long(322, tile),
        long(323, tile),
        long(324, 8),
        long(325, 8),
    ];
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    bytes.resize(512, 0);
    bytes
}
