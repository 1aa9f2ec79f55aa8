//! A raster file, checked before and after GDAL sees it.

mod magic;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gdal::raster::{ColorInterpretation, GdalDataType};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use serde::{Deserialize, Serialize};
use shorewatch_domain::crs::Epsg;

use crate::crs::SourceCrs;
use crate::error::{FileFault, ImageryError};
pub use crate::runtime::init;
use crate::runtime::{self, Message};

/// What a file may declare. Checked on the header, before any pixel is decoded or memory taken for it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Most pixels of one band.
    pub maximum_pixels: f64,
    /// Most bands.
    pub maximum_bands: usize,
    /// Most bytes of all bands, decoded.
    pub maximum_decoded_bytes: f64,
    /// Most bytes of one block of one band, decoded: the least that a reader must hold.
    pub maximum_block_bytes: f64,
    /// Most decoded bytes per byte of the file.
    pub maximum_ratio: f64,
    /// Decoded size in bytes below which the ratio does not count: small files of one colour compress at will.
    pub ratio_counts_from_bytes: f64,
}

impl Default for Limits {
    /// Generous for real imagery (a Sentinel-2 tile declares 1.2e8 pixels and 3e9 bytes at a ratio of about 3).
    fn default() -> Self {
        Self {
            maximum_pixels: 4e9,
            maximum_bands: 64,
            maximum_decoded_bytes: 128e9,
            maximum_block_bytes: 512e6,
            maximum_ratio: 1500.0,
            ratio_counts_from_bytes: 64e6,
        }
    }
}

/// One band as the file describes it.
#[derive(PartialEq, Debug)]
pub struct BandInfo {
    /// Stored type.
    pub data_type: GdalDataType,
    /// What the file says it shows.
    pub colour: ColorInterpretation,
    /// Fill value that the file declares.
    pub nodata: Option<f64>,
    /// Size of a stored block: (rows, cols).
    pub block_size: (usize, usize),
    /// Name in the file; empty where it has none.
    pub description: String,
}

/// What an operator claims about a file that does not say it itself.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Assigned {
    /// Code of the reference system.
    pub epsg: Option<u32>,
    /// Geotransform, GDAL's six numbers.
    pub geotransform: Option<[f64; 6]>,
}

/// Where the pixels of a file lie.
#[derive(Clone, PartialEq, Debug)]
pub struct Georeference {
    /// `x = g[0] + col·g[1] + row·g[2]`, `y = g[3] + col·g[4] + row·g[5]` for pixel corners; may be rotated or
    /// south-up; has an inverse.
    pub geotransform: [f64; 6],
    /// The system of x and y.
    pub crs: SourceCrs,
}

/// An opened raster file with everything that its header says. One thread uses it at a time.
#[derive(Debug)]
pub struct OpenedFile {
    /// The GDAL handle: `Send`, not `Sync`.
    pub dataset: Dataset,
    /// As it was given.
    pub path: PathBuf,
    /// (rows, cols).
    pub size: (usize, usize),
    /// The bands in order.
    pub bands: Vec<BandInfo>,
    /// Geotransform of the file; `None` where it has none or only the identity.
    pub geotransform: Option<[f64; 6]>,
    /// Reference system of the file; `None` where it has none or only a local one.
    pub crs: Option<SourceCrs>,
    /// Number of ground control points, which do not count as a geotransform.
    pub ground_control_points: usize,
    /// Metadata of the default domain and of `IMAGERY`, by key.
    pub metadata: BTreeMap<String, String>,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Errors that the driver went on from when it opened the file; its mere warnings are in the log.
    pub messages: Vec<String>,
}

/// Opens a raster file for reading: a regular local file, recognised by its first bytes, opened by the one driver for
/// that format, within the limits.
///
/// # Errors
/// [`ImageryError::Name`] or [`ImageryError::Io`] where it is no readable local file, [`ImageryError::File`] where the
/// file itself is at fault.
pub fn open_raster(path: &Path, limits: &Limits) -> Result<OpenedFile, ImageryError> {
    runtime::init();
    let (local, file_bytes) = local_file(path)?;
    let format = magic::sniff(path)?;
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_RASTER
            | GdalOpenFlags::GDAL_OF_READONLY
            | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
        allowed_drivers: Some(&[format.driver]),
        ..DatasetOptions::default()
    };
    let (opened, messages) = runtime::collect(|| {
        let dataset = Dataset::open_ex(&local, options)?;
        describe(dataset, path, file_bytes)
    });
    let texts = |messages: Vec<Message>| messages.into_iter().map(|message| message.text).collect::<Vec<_>>();
    let mut opened = opened.map_err(|error| {
        let detail = runtime::words(&texts(messages.clone()), &error);
        ImageryError::file(path, FileFault::Unreadable { format: format.name, detail })
    })?;
    opened.messages = texts(messages.into_iter().filter(|message| message.is_error).collect());
    check_limits(&opened, limits).map_err(|fault| ImageryError::file(path, fault))?;
    Ok(opened)
}

impl OpenedFile {
    /// Where the pixels lie, by the file's own words or else by the operator's.
    ///
    /// # Errors
    /// Nobody says it, the geotransform has no inverse, or the operator contradicts the file.
    pub fn georeference(&self, assigned: &Assigned) -> Result<Georeference, ImageryError> {
        let fault = |fault| ImageryError::file(&self.path, fault);
        let contradiction =
            |assigned: String, own: String| ImageryError::Contradiction { path: self.path.clone(), assigned, own };
        let geotransform = match (self.geotransform, assigned.geotransform) {
            (Some(own), Some(claim)) if own != claim => {
                return Err(contradiction(format!("the geotransform {claim:?}"), format!("{own:?}")));
            }
            (Some(own), _) => own,
            (None, Some(claim)) => claim,
            (None, None) => return Err(fault(FileFault::NoGeotransform { found: self.found_instead() })),
        };
        let [x0, xc, xr, y0, yc, yr] = geotransform;
        let determinant = xc * yr - xr * yc;
        if ![x0, y0, determinant].iter().all(|value| value.is_finite()) || determinant == 0.0 {
            return Err(fault(FileFault::SingularGeotransform { got: geotransform }));
        }
        let crs = match (&self.crs, assigned.epsg) {
            (Some(own), Some(claim)) if own.epsg != Some(claim) => {
                return Err(contradiction(Epsg(claim).to_string(), own.to_string()));
            }
            (Some(own), _) => own.clone(),
            (None, Some(claim)) => SourceCrs::from_epsg(Epsg(claim))?,
            (None, None) => return Err(fault(FileFault::NoCrs)),
        };
        Ok(Georeference { geotransform, crs })
    }

    /// A metadata value by its key, whatever the case of the letters.
    #[must_use]
    pub fn metadata_value(&self, key: &str) -> Option<&str> {
        let (_, value) = self.metadata.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
        Some(value.trim())
    }

    fn found_instead(&self) -> String {
        match self.ground_control_points {
            0 if self.metadata_value("EXIF_GPSLatitude").is_some() => {
                ", only the position of the camera (EXIF GPS)".to_owned()
            }
            0 => String::new(),
            count => format!(", only {count} ground control points"),
        }
    }
}

/// The file behind a name, with its size in bytes; anything but a regular local file is refused.
pub(crate) fn local_file(path: &Path) -> Result<(PathBuf, u64), ImageryError> {
    check_name(path)?;
    let data = std::fs::metadata(path).map_err(|error| ImageryError::io(path, "find", error))?;
    if !data.is_file() {
        return Err(ImageryError::Name {
            path: path.to_owned(),
            reason: "it is a folder or a device, not a regular file",
        });
    }
    // an absolute path can be no driver prefix
    let local = std::fs::canonicalize(path).map_err(|error| ImageryError::io(path, "resolve", error))?;
    check_name(&local)?;
    Ok((local, data.len()))
}

/// Refuses the names that GDAL reads as something else than a file.
pub(crate) fn check_name(path: &Path) -> Result<(), ImageryError> {
    let refused = |reason| Err(ImageryError::Name { path: path.to_owned(), reason });
    let Some(name) = path.to_str() else { return refused("the name is no valid UTF-8") };
    let start = name.trim_start();
    if start.starts_with("/vsi") || start.starts_with("\\vsi") {
        return refused("names in /vsi… are virtual file systems");
    }
    let before_colon = start.split_once(':').map(|(prefix, _)| prefix);
    if before_colon.is_some_and(|prefix| !prefix.contains('/')) {
        return refused("a name with a prefix before a colon selects a driver or a protocol");
    }
    if start.starts_with('<') || start.starts_with('{') {
        return refused("the name is itself a document");
    }
    Ok(())
}

fn describe(dataset: Dataset, path: &Path, file_bytes: u64) -> Result<OpenedFile, ImageryError> {
    let gdal = |error| ImageryError::gdal(path, "read the header", error);
    let (cols, rows) = dataset.raster_size();
    let bands = dataset.rasterbands().map(|band| {
        let band = band.map_err(gdal)?;
        let (block_cols, block_rows) = band.block_size();
        Ok(BandInfo {
            data_type: band.band_type(),
            colour: band.color_interpretation(),
            nodata: band.no_data_value(),
            block_size: (block_rows, block_cols),
            description: band.description().unwrap_or_default(),
        })
    });
    let bands = bands.collect::<Result<_, ImageryError>>()?;
    const IDENTITY: [f64; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    let geotransform = dataset.geo_transform().ok().filter(|geotransform| *geotransform != IDENTITY);
    let crs = dataset.spatial_ref().ok().as_ref().and_then(SourceCrs::from_spatial_ref);
    let mut metadata = BTreeMap::new();
    for domain in ["IMAGERY", ""] {
        for entry in dataset.metadata_domain(domain).unwrap_or_default() {
            if let Some((key, value)) = entry.split_once('=') {
                metadata.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    Ok(OpenedFile {
        path: path.to_owned(),
        size: (rows, cols),
        bands,
        geotransform,
        crs,
        ground_control_points: dataset.gcps().len(),
        metadata,
        file_bytes,
        messages: Vec::new(),
        dataset,
    })
}

fn check_limits(file: &OpenedFile, limits: &Limits) -> Result<(), FileFault> {
    let pixels = file.size.0 as f64 * file.size.1 as f64;
    let bytes_of = |band: &BandInfo| f64::from(band.data_type.bytes());
    let decoded = file.bands.iter().map(|band| pixels * bytes_of(band)).sum::<f64>();
    let block = |band: &BandInfo| band.block_size.0 as f64 * band.block_size.1 as f64 * bytes_of(band);
    let ratio = if decoded < limits.ratio_counts_from_bytes { 0.0 } else { decoded / file.file_bytes.max(1) as f64 };
    let checks = [
        ("pixels a band", pixels, limits.maximum_pixels),
        ("bands", file.bands.len() as f64, limits.maximum_bands as f64),
        ("bytes of pixels", decoded, limits.maximum_decoded_bytes),
        ("bytes in one block", file.bands.iter().map(block).fold(0.0, f64::max), limits.maximum_block_bytes),
        ("bytes of pixels per byte of the file", ratio, limits.maximum_ratio),
    ];
    match checks.into_iter().find(|(_, got, limit)| got > limit) {
        Some((what, got, limit)) => Err(FileFault::OverLimit { what, got, limit }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
