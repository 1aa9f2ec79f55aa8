//! The kinds of layers that patches are joined with, and what a feature of each says.

use std::collections::BTreeMap;
use std::fmt;

use geo_types::MultiPolygon;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::period::{Period, Season};

/// A kind of layer of areas.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// 管理范围: the management scope of a river or lake.
    ManagementScope,
    /// 保护范围: the protection scope around it.
    ProtectionScope,
    /// 岸线功能区: function zones of the shoreline.
    ShorelineZone,
    /// 饮用水水源保护区: protection zones of water sources.
    WaterSourceZone,
    /// 湿地: wetlands.
    Wetland,
    /// 蓝线: the ecological blue line.
    BlueLine,
    /// 采砂许可: sand-mining permits.
    MiningPermit,
    /// 涉河建设项目: approved projects on rivers.
    Project,
    /// 行政区: administrative units at four levels.
    AdministrativeUnit,
    /// 问题台账: the ledger of known problems.
    KnownProblem,
}

impl LayerKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ManagementScope,
        Self::ProtectionScope,
        Self::ShorelineZone,
        Self::WaterSourceZone,
        Self::Wetland,
        Self::BlueLine,
        Self::MiningPermit,
        Self::Project,
        Self::AdministrativeUnit,
        Self::KnownProblem,
    ];

    /// The name in configurations, stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ManagementScope => "management_scope",
            Self::ProtectionScope => "protection_scope",
            Self::ShorelineZone => "shoreline_zone",
            Self::WaterSourceZone => "water_source_zone",
            Self::Wetland => "wetland",
            Self::BlueLine => "blue_line",
            Self::MiningPermit => "mining_permit",
            Self::Project => "project",
            Self::AdministrativeUnit => "administrative_unit",
            Self::KnownProblem => "known_problem",
        }
    }

    /// The term of the field.
    #[must_use]
    pub const fn official_term(self) -> &'static str {
        match self {
            Self::ManagementScope => "管理范围",
            Self::ProtectionScope => "保护范围",
            Self::ShorelineZone => "岸线功能区",
            Self::WaterSourceZone => "饮用水水源保护区",
            Self::Wetland => "湿地",
            Self::BlueLine => "蓝线",
            Self::MiningPermit => "采砂许可",
            Self::Project => "涉河建设项目",
            Self::AdministrativeUnit => "行政区",
            Self::KnownProblem => "问题台账",
        }
    }
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One feature of a layer in force.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Feature {
    /// Code, unique within its layer.
    pub code: String,
    /// Name for people.
    pub name: String,
    /// Area in CGCS2000 (longitude, latitude; EPSG:4490).
    pub geometry: MultiPolygon<f64>,
    /// What it says.
    pub facts: Facts,
    /// Further fields of the source that are carried along unread.
    pub other: BTreeMap<String, String>,
    /// What was repaired on import, in words; empty for a clean feature.
    pub repairs: Vec<String>,
}

impl Feature {
    /// The layer that it belongs to.
    #[must_use]
    pub const fn layer(&self) -> LayerKind {
        match self.facts {
            Facts::ManagementScope { .. } => LayerKind::ManagementScope,
            Facts::ProtectionScope { .. } => LayerKind::ProtectionScope,
            Facts::ShorelineZone { .. } => LayerKind::ShorelineZone,
            Facts::WaterSourceZone { .. } => LayerKind::WaterSourceZone,
            Facts::Wetland { .. } => LayerKind::Wetland,
            Facts::BlueLine => LayerKind::BlueLine,
            Facts::MiningPermit(_) => LayerKind::MiningPermit,
            Facts::Project(_) => LayerKind::Project,
            Facts::AdministrativeUnit { .. } => LayerKind::AdministrativeUnit,
            Facts::KnownProblem(_) => LayerKind::KnownProblem,
        }
    }
}

/// What a feature says, by its layer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "layer")]
pub enum Facts {
    /// Management scope.
    ManagementScope {
        /// Where the line comes from.
        source: BoundarySource,
        /// Code of the water that it belongs to, where the source tells.
        water_code: Option<String>,
    },
    /// Protection scope.
    ProtectionScope {
        /// Where the line comes from.
        source: BoundarySource,
        /// Code of the water that it belongs to, where the source tells.
        water_code: Option<String>,
    },
    /// Function zone.
    ShorelineZone {
        /// Kind of zone, a word of the configured vocabulary (保护区, 保留区, 限制开发区 or 控制利用区, 开发利用区).
        zone: String,
    },
    /// Protection zone of a water source.
    WaterSourceZone {
        /// Its level.
        level: WaterSourceLevel,
    },
    /// Wetland.
    Wetland {
        /// Grade, in the words of the source.
        grade: Option<String>,
    },
    /// Blue line.
    BlueLine,
    /// Sand-mining permit.
    MiningPermit(MiningPermit),
    /// Approved project.
    Project(Project),
    /// Administrative unit.
    AdministrativeUnit {
        /// Its level.
        level: AdministrativeLevel,
        /// Code of the unit above it.
        parent: Option<String>,
    },
    /// Known problem.
    KnownProblem(KnownProblem),
}

impl Facts {
    /// When the feature holds, where it says so.
    #[must_use]
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::MiningPermit(permit) => Some(permit.valid),
            Self::Project(project) => Some(project.valid),
            _ => None,
        }
    }
}

/// Where a boundary comes from.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum BoundarySource {
    /// Published by the office in charge.
    Official,
    /// A stand-in: the centreline or the water widened.
    Buffer {
        /// By so many metres on each side.
        buffer_m: f64,
    },
}

/// Level of a protection zone of a water source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaterSourceLevel {
    /// 一级保护区.
    First,
    /// 二级保护区.
    Second,
    /// 准保护区.
    Quasi,
}

impl WaterSourceLevel {
    /// All of them, the strictest first.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Quasi];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Quasi => "quasi",
        }
    }
}

/// Level of an administrative unit, from above.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdministrativeLevel {
    /// 市 (prefecture-level city).
    City,
    /// 县.
    County,
    /// 乡镇.
    Town,
    /// 村.
    Village,
}

impl AdministrativeLevel {
    /// All of them, from above.
    pub const ALL: [Self; 4] = [Self::City, Self::County, Self::Town, Self::Village];

    /// The name in configurations, stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::County => "county",
            Self::Town => "town",
            Self::Village => "village",
        }
    }
}

/// A sand-mining permit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MiningPermit {
    /// When it holds.
    pub valid: Period,
    /// Volume that may be taken, in m³.
    pub volume_m3: Option<f64>,
    /// When nothing may be taken, whatever the year.
    pub forbidden_seasons: Vec<Season>,
}

/// An approved project.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Project {
    /// When the approval holds.
    pub valid: Period,
    /// How far it has come.
    pub stage: ProjectStage,
    /// What may stand there, by `object_class`; empty where the source does not tell.
    pub object_classes: Vec<String>,
    /// Day by which something has to be seen there: nothing until then is *approved but idle* (占而不用).
    pub change_expected_by: Option<Date>,
}

/// How far a project has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectStage {
    /// Applied for: nothing may be done yet.
    Applied,
    /// Approved.
    Approved,
    /// Under construction.
    UnderConstruction,
    /// Complete.
    Complete,
    /// Withdrawn or refused.
    Withdrawn,
}

/// A problem that the ledger knows already.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KnownProblem {
    /// Status in the words of the ledger (未处理, 已处理, 挂账监管, …).
    pub status: String,
    /// Area on the ledger in m²; that of the geometry where it does not tell.
    pub area_m2: f64,
    /// When it was found.
    pub found_on: Option<Date>,
}
