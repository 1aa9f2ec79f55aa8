//! Sensor profiles: how the files and bands of a pass become named bands of reflectance.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::observed::Causes;

/// The wavelength role of a band: what a model asks for, whatever a product calls it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandRole {
    /// Coastal aerosol, about 0.44 µm.
    Coastal,
    /// Blue, about 0.48 µm.
    Blue,
    /// Green, about 0.56 µm.
    Green,
    /// Red, about 0.66 µm.
    Red,
    /// Red edge, about 0.70–0.78 µm.
    RedEdge,
    /// Near infrared, about 0.84 µm.
    Nir,
    /// Shortwave infrared, about 1.6 µm.
    Swir1,
    /// Shortwave infrared, about 2.2 µm.
    Swir2,
    /// Panchromatic.
    Panchromatic,
}

impl BandRole {
    /// The name in configurations, manifests and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coastal => "coastal",
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Red => "red",
            Self::RedEdge => "red_edge",
            Self::Nir => "nir",
            Self::Swir1 => "swir1",
            Self::Swir2 => "swir2",
            Self::Panchromatic => "panchromatic",
        }
    }
}

impl fmt::Display for BandRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How stored numbers become reflectance (0..1, may exceed it a little).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Radiometry {
    /// `reflectance = stored · scale + offset`.
    Linear {
        /// Reflectance per stored unit.
        scale: f64,
        /// Reflectance at stored zero.
        offset: f64,
    },
    /// The product is a picture, not a measurement: the stored value at the 2nd percentile of the pass stands for
    /// `low_reflectance`, the one at the 98th for `high_reflectance`, linear between. An approximation that the
    /// profile must state; fitted once per pass and kept in its record.
    DisplayStretch {
        /// Reflectance that the 2nd percentile stands for.
        low_reflectance: f64,
        /// Reflectance that the 98th percentile stands for.
        high_reflectance: f64,
    },
}

/// Where the bands of a pass lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// All bands in one file; each band names its `index` from 1.
    OneFile,
    /// One file a band, each at its own resolution; each band names a `file_pattern`.
    FilePerBand,
}

/// One band of a sensor.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandProfile {
    /// What the band measures.
    pub role: BandRole,
    /// Name in the product ("B04", "SR_B4").
    pub name: String,
    /// Index in the file, from 1 ([`Layout::OneFile`]; 1 otherwise).
    #[serde(default = "first_band")]
    pub index: usize,
    /// Pattern of the file name, `*` for anything ([`Layout::FilePerBand`]).
    #[serde(default)]
    pub file_pattern: Option<String>,
    /// Centre wavelength in micrometres, for people.
    pub wavelength_um: f64,
    /// Stored number to reflectance.
    pub radiometry: Radiometry,
}

const fn first_band() -> usize {
    1
}

/// The data type that a product is delivered in; another one is another product, and refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum DataType {
    Uint8,
    Uint16,
    Int16,
    Float32,
}

/// Which bands must hold the fill value for a pixel to be nodata.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodataRule {
    /// Every band that is read: for products in which dark water may reach the fill value in one band.
    #[default]
    AllBands,
    /// Any band that is read: for products whose fill value is no valid number.
    AnyBand,
}

/// One meaning in a quality band: where `value & mask == equals`, the pixel is unobserved for `cause`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityFlag {
    /// Bits that are looked at (use all bits for coded classes, as in Sentinel-2's SCL).
    pub mask: u32,
    /// What these bits must be.
    pub equals: u32,
    /// `nodata`, `cloud`, `cloud_shadow` or `saturated`.
    pub cause: QualityCause,
    /// The product's word for it.
    pub meaning: String,
}

/// The causes that a quality band can give.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of Causes")]
pub enum QualityCause {
    Nodata,
    Cloud,
    CloudShadow,
    Saturated,
}

impl From<QualityCause> for Causes {
    fn from(cause: QualityCause) -> Self {
        match cause {
            QualityCause::Nodata => Self::NODATA,
            QualityCause::Cloud => Self::CLOUD,
            QualityCause::CloudShadow => Self::CLOUD_SHADOW,
            QualityCause::Saturated => Self::SATURATED,
        }
    }
}

/// The quality band of a product.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityProfile {
    /// Index in the one file, from 1, or in the quality file.
    #[serde(default = "first_band")]
    pub index: usize,
    /// Pattern of the quality file's name, where it is a file of its own.
    #[serde(default)]
    pub file_pattern: Option<String>,
    /// True where a pass without its quality file is refused.
    #[serde(default)]
    pub required: bool,
    /// What its numbers mean.
    pub flags: Vec<QualityFlag>,
}

/// How the time of acquisition is found. The first that gives one wins; a flag on the command line goes before all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeProfile {
    /// Keys of the file's metadata that hold a time in ISO 8601 or `YYYY:MM:DD HH:MM:SS`.
    #[serde(default)]
    pub metadata_keys: Vec<String>,
    /// Regular expression over the file name with the groups `year`, and `month`, `day`, `hour`, `minute`, `second`
    /// where the name has them. UTC. What is missing lowers the recorded precision.
    #[serde(default)]
    pub file_name_pattern: Option<String>,
}

/// Everything that must be known about a product to read it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensorProfile {
    /// Version of this file format: 1.
    pub schema_version: u32,
    /// The name that passes refer to ("sentinel-2-l2a").
    pub name: String,
    /// For people.
    pub title: String,
    /// Where the definition comes from (handbook, specification), for people.
    pub source: String,
    /// Nominal ground sampling distance in metres.
    pub ground_sampling_distance_m: f64,
    /// Where the bands lie.
    pub layout: Layout,
    /// Stored data type.
    pub data_type: DataType,
    /// The bands.
    pub bands: Vec<BandProfile>,
    /// Stored fill value.
    #[serde(default)]
    pub nodata: Option<f64>,
    /// When the fill value counts.
    #[serde(default)]
    pub nodata_rule: NodataRule,
    /// Stored value from which on a band is saturated.
    #[serde(default)]
    pub saturated_from: Option<f64>,
    /// Index of the alpha band in the one file, from 1; pixels whose alpha is below half are transparent.
    #[serde(default)]
    pub alpha_index: Option<usize>,
    /// The quality band.
    #[serde(default)]
    pub quality: Option<QualityProfile>,
    /// Time of acquisition.
    #[serde(default)]
    pub time: TimeProfile,
}

impl SensorProfile {
    /// The band with a role.
    #[must_use]
    pub fn band(&self, role: BandRole) -> Option<&BandProfile> {
        self.bands.iter().find(|band| band.role == role)
    }
}
