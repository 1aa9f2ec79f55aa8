//! GeoTIFF and COG out, whole or not at all: a temporary folder beside the target, `fsync`, one rename.

use std::fs::File;
use std::path::Path;

pub use gdal::raster::GdalType;
use gdal::raster::{Buffer, ColorEntry, ColorInterpretation, ColorTable, PaletteInterpretation, RasterCreationOptions};
use gdal::{Dataset, DriverManager, Metadata};
use ndarray::{ArrayView2, ArrayView3};
use shorewatch_domain::crs::Epsg;

use crate::crs::spatial_ref;
use crate::error::{ImageryError, is_disk_full};
use crate::open::check_name;
use crate::runtime::{self, Message};

/// Domain of GDAL's metadata for what describes the acquisition.
const IMAGERY_DOMAIN: &str = "IMAGERY";

/// Lossless compression.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// None.
    None,
    /// DEFLATE: every reader knows it.
    #[default]
    Deflate,
    /// Zstandard: quicker, and not known to every old reader.
    Zstd,
}

impl Compression {
    const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Deflate => "DEFLATE",
            Self::Zstd => "ZSTD",
        }
    }
}

/// What a band shows, as recorded in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Colour {
    #[default]
    Undefined,
    Grey,
    Red,
    Green,
    Blue,
    Alpha,
}

impl Colour {
    const fn interpretation(self) -> ColorInterpretation {
        match self {
            Self::Undefined => ColorInterpretation::Undefined,
            Self::Grey => ColorInterpretation::GrayIndex,
            Self::Red => ColorInterpretation::RedBand,
            Self::Green => ColorInterpretation::GreenBand,
            Self::Blue => ColorInterpretation::BlueBand,
            Self::Alpha => ColorInterpretation::AlphaBand,
        }
    }
}

/// How a GeoTIFF is written.
#[derive(Clone, PartialEq, Debug)]
pub struct GeoTiffOptions {
    /// Compression.
    pub compression: Compression,
    /// Store differences between neighbours (horizontal for integers, floating-point for floats): smaller, with a
    /// compression only.
    pub predictor: bool,
    /// Edge of a tile in pixels, a multiple of 16; `None` for strips.
    pub tile_px: Option<usize>,
    /// Fill value.
    pub nodata: Option<f64>,
    /// Name and colour of each band; missing ones are unnamed and undefined.
    pub bands: Vec<(String, Colour)>,
    /// Metadata (domain, key, value); the domain is empty for the default one.
    pub metadata: Vec<(String, String, String)>,
    /// Bands interleaved by pixel, not band after band.
    pub pixel_interleaved: bool,
}

impl Default for GeoTiffOptions {
    fn default() -> Self {
        Self {
            compression: Compression::Deflate,
            predictor: true,
            tile_px: Some(512),
            nodata: None,
            bands: Vec::new(),
            metadata: Vec::new(),
            pixel_interleaved: true,
        }
    }
}

impl GeoTiffOptions {
    /// Records the time of acquisition where sensor profiles look for it.
    #[must_use]
    pub fn acquired_at(mut self, at: jiff::Timestamp) -> Self {
        self.metadata.push((IMAGERY_DOMAIN.to_owned(), "ACQUISITIONDATETIME".to_owned(), at.to_string()));
        self.metadata.push((String::new(), "ACQUISITION_TIME".to_owned(), at.to_string()));
        self
    }
}

/// Writes pixels (band, row, col) as a GeoTIFF. Without a place the file has no georeference.
///
/// # Errors
/// The folder can't be written to or the disk is full: nothing is published under `path` then.
pub fn write_geotiff<T: GdalType + Copy>(
    path: &Path,
    pixels: ArrayView3<'_, T>,
    place: Option<([f64; 6], Epsg)>,
    options: &GeoTiffOptions,
) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let (bands, rows, cols) = pixels.dim();
        let creation = creation_options::<T>(options);
        let driver = DriverManager::get_driver_by_name("GTiff")?;
        let mut file = driver.create_with_band_type_with_options::<T, _>(temporary, cols, rows, bands, &creation)?;
        if let Some((geotransform, epsg)) = place {
            file.set_geo_transform(&geotransform)?;
            file.set_spatial_ref(&spatial_ref(epsg.into())?)?;
        }
        for (domain, key, value) in &options.metadata {
            file.set_metadata_item(key, value, domain)?;
        }
        for number in 1..=bands {
            let mut band = file.rasterband(number)?;
            let (name, colour) =
                options.bands.get(number - 1).map_or(("", Colour::Undefined), |(name, colour)| (name, *colour));
            if !name.is_empty() {
                band.set_description(name)?;
            }
            if colour != Colour::Undefined {
                band.set_color_interpretation(colour.interpretation())?;
            }
            if let Some(nodata) = options.nodata {
                band.set_no_data_value(Some(nodata))?;
            }
        }
        // rows of tiles at a time, so that the copy stays small and every tile is compressed once
        let step = options.tile_px.unwrap_or(256);
        for first in (0..rows).step_by(step) {
            let count = step.min(rows - first);
            for number in 1..=bands {
                let part = pixels.slice(ndarray::s![number - 1, first..first + count, ..]);
                let mut buffer = Buffer::new((cols, count), part.iter().copied().collect());
                file.rasterband(number)?.write((0, first as isize), (cols, count), &mut buffer)?;
            }
        }
        finish(file)
    })
}

/// Writes a class map (row, col) as a cloud-optimised GeoTIFF with its colours. Overviews take one of the ids that are
/// there (the most frequent one), never a mixture.
///
/// # Errors
/// The folder can't be written to or the disk is full: nothing is published under `path` then.
pub fn write_cog(
    path: &Path,
    classes: ArrayView2<'_, u8>,
    place: ([f64; 6], Epsg),
    colours: &[(u8, [u8; 3])],
    nodata: Option<u8>,
) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let (rows, cols) = classes.dim();
        let mut map = DriverManager::get_driver_by_name("MEM")?.create_with_band_type::<u8, _>("", cols, rows, 1)?;
        map.set_geo_transform(&place.0)?;
        map.set_spatial_ref(&spatial_ref(place.1.into())?)?;
        {
            let mut band = map.rasterband(1)?;
            if !colours.is_empty() {
                let mut table = ColorTable::new(PaletteInterpretation::Rgba);
                for &(id, [red, green, blue]) in colours {
                    table.set_color_entry(u16::from(id), &ColorEntry::rgba(red.into(), green.into(), blue.into(), 255));
                }
                band.set_color_table(&table);
            }
            if let Some(nodata) = nodata {
                band.set_no_data_value(Some(f64::from(nodata)))?;
            }
            let mut buffer = Buffer::new((cols, rows), classes.iter().copied().collect());
            band.write((0, 0), (cols, rows), &mut buffer)?;
        }
        let options = RasterCreationOptions::from_iter([
            "COMPRESS=DEFLATE",
            "BLOCKSIZE=512",
            "OVERVIEW_RESAMPLING=MODE",
            "WARP_RESAMPLING=NEAREST",
            "BIGTIFF=IF_SAFER",
        ]);
        let cog = map.create_copy(&DriverManager::get_driver_by_name("COG")?, temporary, &options)?;
        finish(cog)
    })
}

fn creation_options<T: GdalType>(options: &GeoTiffOptions) -> RasterCreationOptions {
    let mut list = vec![
        format!("COMPRESS={}", options.compression.name()),
        format!("INTERLEAVE={}", if options.pixel_interleaved { "PIXEL" } else { "BAND" }),
        "BIGTIFF=IF_SAFER".to_owned(),
        // bands carry their own colours; GDAL would guess red, green, blue from their number
        "PHOTOMETRIC=MINISBLACK".to_owned(),
    ];
    if options.predictor && options.compression != Compression::None {
        list.push(format!("PREDICTOR={}", if T::datatype().is_floating() { 3 } else { 2 }));
    }
    if let Some(edge) = options.tile_px {
        list.extend(["TILED=YES".to_owned(), format!("BLOCKXSIZE={edge}"), format!("BLOCKYSIZE={edge}")]);
    }
    list.iter().map(String::as_str).collect()
}

/// Flushes and closes; GDAL 3.6 reports what fails here by messages only, which [`atomically`] collects.
pub(crate) fn finish(mut file: Dataset) -> Result<(), ImageryError> {
    file.flush_cache()?;
    file.close()?;
    Ok(())
}

/// Runs `work` with a temporary name in a temporary folder beside `path`, brings the bytes to the disk and renames the
/// file into place. Where `work` fails, or GDAL raises an error meanwhile, nothing appears under `path` and whatever was
/// there before stays.
///
/// # Errors
/// The folder can't be written to, the disk is full, or `work` failed.
pub fn atomically<T>(path: &Path, work: impl FnOnce(&Path) -> Result<T, ImageryError>) -> Result<T, ImageryError> {
    runtime::init();
    check_name(path)?;
    let io = |action| move |source| ImageryError::io(path, action, source);
    let no_name = ImageryError::Name { path: path.to_owned(), reason: "it names no file" };
    let name = path.file_name().ok_or(no_name)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let prefix = format!(".{}-", name.to_string_lossy());
    let room =
        tempfile::Builder::new().prefix(&prefix).suffix(".tmp").tempdir_in(folder).map_err(io("write beside"))?;
    // absolute: GDAL takes a relative name with a colon for a prefix
    let room_path = std::fs::canonicalize(room.path()).map_err(io("resolve"))?;
    let temporary = room_path.join(name);
    let (result, messages) = runtime::collect(|| work(&temporary));
    let failed = |error: Option<ImageryError>| failure(path, folder, error, &messages);
    let value = result.map_err(|error| failed(Some(error)))?;
    if messages.iter().any(|message| message.is_error) {
        return Err(failed(None));
    }
    for message in &messages {
        tracing::debug!(path = %path.display(), message = message.text, "GDAL warned while writing");
    }
    let sync = |file: &Path| File::open(file).and_then(|file| file.sync_all());
    sync(&temporary).map_err(io("bring to the disk"))?;
    std::fs::rename(&temporary, path).map_err(io("rename into place"))?;
    sync(folder).map_err(io("bring the folder to the disk"))?;
    Ok(value)
}

/// A failed write in words, with a look at whether the disk is full: GDAL does not pass that on.
fn failure(path: &Path, folder: &Path, error: Option<ImageryError>, messages: &[Message]) -> ImageryError {
    let words: Vec<String> = messages.iter().map(|message| message.text.clone()).collect();
    let fallback = match error {
        Some(error @ (ImageryError::Library(_) | ImageryError::Gdal { .. })) => error.to_string(),
        Some(other) => return other,
        None => String::new(),
    };
    let detail = runtime::words(&words, &fallback);
    let says_full =
        ["No space left", "disk space", "disk is full", "disk full", "quota"].iter().any(|sign| detail.contains(sign));
    let disk_full = says_full || no_room_in(folder);
    ImageryError::Write { path: path.to_owned(), action: "write", detail, disk_full }
}

/// True where not even a small file fits.
fn no_room_in(folder: &Path) -> bool {
    use std::io::Write;
    const PROBE_BYTES: usize = 256 << 10;
    let probe = || {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&vec![0x55; PROBE_BYTES])?;
        file.sync_all()
    };
    probe().is_err_and(|error: std::io::Error| is_disk_full(&error))
}

#[cfg(test)]
mod tests;
