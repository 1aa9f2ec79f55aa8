//! The register of waters, and where a place lies along them.

use geo_types::{LineString, MultiPolygon, Point};
use serde::{Deserialize, Serialize};

/// Kind of water.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaterKind {
    /// 河流; code of 12 characters, or a local one.
    River,
    /// 湖泊; code of 8 characters.
    Lake,
    /// 水库; code of 12 characters.
    Reservoir,
}

impl WaterKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::River, Self::Lake, Self::Reservoir];

    /// The name in configurations, stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::River => "river",
            Self::Lake => "lake",
            Self::Reservoir => "reservoir",
        }
    }
}

/// A water of the register.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Water {
    /// Code, unique in the register.
    pub code: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: WaterKind,
    /// Class, in the words of the register.
    pub class: Option<String>,
    /// Code of the basin, for the authority that may override departments.
    pub basin: Option<String>,
    /// Stretches of it, down the river.
    pub reaches: Vec<WaterReach>,
    /// Its surface, where the register has one (CGCS2000: longitude, latitude).
    pub surface: Option<MultiPolygon<f64>>,
}

/// A stretch of a water (河段), with its own code: administrative unit and sequence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WaterReach {
    /// Code, unique in the register.
    pub code: String,
    /// Name.
    pub name: String,
    /// Centreline down the river (CGCS2000: longitude, latitude). Lakes and reservoirs: the shoreline, water on the right.
    pub centreline: LineString<f64>,
    /// Chainage (桩号) of the first point in metres.
    pub starts_at_m: f64,
    /// Chainage of the last point where the register tells: kilometre points do not follow a drawn line to the metre, and
    /// what lies between is stretched.
    pub ends_at_m: Option<f64>,
    /// Kilometre points along it, in any order: between two of them chainage is stretched.
    #[serde(default)]
    pub kilometre_points: Vec<KilometrePoint>,
}

/// A point of known chainage on a reach (里程桩).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct KilometrePoint {
    /// Where it stands (CGCS2000: longitude, latitude).
    pub location: Point<f64>,
    /// Its chainage in metres.
    pub chainage_m: f64,
}

/// Side of a river, looking down it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bank {
    /// 左岸.
    Left,
    /// 右岸.
    Right,
}

impl Bank {
    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// Where a place lies along a water.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Position {
    /// Code of the water.
    pub water_code: String,
    /// Its name.
    pub water_name: String,
    /// Its kind.
    pub water_kind: WaterKind,
    /// Its basin.
    pub basin: Option<String>,
    /// Code of the reach.
    pub reach_code: String,
    /// Name of the reach.
    pub reach_name: String,
    /// Bank of the larger part; `None` for lakes and reservoirs.
    pub bank: Option<Bank>,
    /// Chainage of the foot of its centre in metres.
    pub chainage_m: f64,
    /// Distance of its centre from the centreline in metres.
    pub distance_m: f64,
}
