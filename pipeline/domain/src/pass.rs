//! A pass: one acquisition of one sensor, identified by the digest of its content.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestBuilder};
use crate::sensor::BandRole;

/// How exactly the time of acquisition is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimePrecision {
    /// Only the year: the recorded time is its first of July, 00:00 UTC.
    Year,
    /// The day: the recorded time is 00:00 UTC.
    Day,
    /// To the second.
    Second,
}

/// Where the time of acquisition came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeSource {
    /// Given by the operator.
    Operator,
    /// A metadata key of the file.
    Metadata,
    /// The pattern of the file's name.
    FileName,
}

/// The time of acquisition and what is known about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AcquisitionTime {
    /// UTC.
    pub at: Timestamp,
    /// How exactly.
    pub precision: TimePrecision,
    /// From where.
    pub source: TimeSource,
}

impl AcquisitionTime {
    /// The time as people read it, no more exact than it is known.
    #[must_use]
    pub fn label(&self) -> String {
        let format = match self.precision {
            TimePrecision::Year => "%Y",
            TimePrecision::Day => "%Y-%m-%d",
            TimePrecision::Second => "%Y-%m-%d %H:%M UTC",
        };
        self.at.strftime(format).to_string()
    }
}

/// One file of a pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PassFile {
    /// Path as the program opens it.
    pub path: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Size in bytes when it was digested.
    pub size_bytes: u64,
    /// Modification time in nanoseconds since 1970 when it was digested: a file whose size or time changed since is
    /// digested again before it is read.
    pub modified_ns: i128,
}

/// Linear radiometry of one band, as fitted to this pass where its profile is a display stretch.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct FittedBand {
    /// The band.
    pub role: BandRole,
    /// Reflectance per stored unit.
    pub scale: f64,
    /// Reflectance at stored zero.
    pub offset: f64,
}

/// What may be done with a pass.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum PassState {
    /// Runs use it.
    Ready,
    /// Unusable: runs go on without it.
    Quarantined(String),
    /// Usable only after a person looked at it (for example a date in the future).
    Held(String),
    /// A later revision with other bytes took its place; kept, not used.
    Superseded,
}

impl PassState {
    /// The name in the store.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Quarantined(_) => "quarantined",
            Self::Held(_) => "held",
            Self::Superseded => "superseded",
        }
    }

    /// Why it is not ready.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Quarantined(reason) | Self::Held(reason) => Some(reason),
            Self::Ready | Self::Superseded => None,
        }
    }
}

/// One acquisition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Pass {
    /// Digest of sensor, time and content: what the pass *is*.
    pub id: Digest,
    /// Name, unique together with the revision (by default the stem of its first file).
    pub name: String,
    /// 1 for the first content under this name, 2 for the next …
    pub revision: u32,
    /// Name of the sensor profile.
    pub sensor: String,
    /// When it was acquired; unknown only for a quarantined pass.
    pub acquired: Option<AcquisitionTime>,
    /// Its files in the profile's order.
    pub files: Vec<PassFile>,
    /// Reference system that the operator supplied for files without one (recorded, since it is a claim).
    pub assigned_epsg: Option<u32>,
    /// Radiometry fitted to this pass; empty where the profile is linear.
    pub fitted: Vec<FittedBand>,
    /// Outline in WGS 84 (longitude, latitude) as a closed ring; empty for a quarantined pass.
    pub footprint: Vec<(f64, f64)>,
    /// Ready or not, and why.
    pub state: PassState,
    /// What was noticed and did not stop it (for example blocks beyond the end of the file).
    pub warnings: Vec<String>,
}

impl Pass {
    /// The identity of a pass: its sensor profile, operator claims and the bytes of its files. Names and places of
    /// files do not count, nor does the order in which passes arrive.
    #[must_use]
    pub fn identity(
        sensor: &str,
        acquired: Option<&AcquisitionTime>,
        assigned_epsg: Option<u32>,
        files: &[PassFile],
    ) -> Digest {
        let mut builder = DigestBuilder::new("pass").field("sensor", sensor);
        if let Some(time) = acquired {
            builder = builder.field("acquired_at", time.at.to_string());
        }
        if let Some(epsg) = assigned_epsg {
            builder = builder.number("assigned_epsg", f64::from(epsg));
        }
        files.iter().fold(builder, |builder, file| builder.digest("file", &file.digest)).finish()
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} revision {} ({})", self.name, self.revision, self.id.short())
    }
}
