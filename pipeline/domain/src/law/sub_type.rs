//! Sub-types of the four disorders (四乱).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::assessment::Language;
use crate::classes::IssueClass;

/// Sub-type of the four disorders (办河湖〔2018〕245号), by its official code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum SubType {
    /// Lake reclamation.
    #[serde(rename = "1a")]
    LakeReclamation,
    /// River reclamation without approval.
    #[serde(rename = "1b")]
    RiverReclamation,
    /// Occupying water or floodplain.
    #[serde(rename = "1c")]
    OccupyingWater,
    /// Planting that blocks floods.
    #[serde(rename = "1d")]
    BlockingPlants,
    /// Sand mining without permit.
    #[serde(rename = "2a")]
    UnpermittedMining,
    /// Sand mining not as permitted.
    #[serde(rename = "2b")]
    MiningBeyondPermit,
    /// Sand mining in forbidden areas or seasons.
    #[serde(rename = "2c")]
    ForbiddenMining,
    /// Soil taking without approval.
    #[serde(rename = "2d")]
    SoilTaking,
    /// Rubbish.
    #[serde(rename = "3a")]
    Rubbish,
    /// Solid waste dumped, buried or stored.
    #[serde(rename = "3b")]
    SolidWaste,
    /// Objects that block floods.
    #[serde(rename = "3c")]
    BlockingObjects,
    /// Shoreline occupied but idle, or more than approved.
    #[serde(rename = "4a")]
    IdleOrBeyondApproval,
    /// River project without approval, or not as approved.
    #[serde(rename = "4b")]
    UnapprovedProject,
    /// Structures that block floods.
    #[serde(rename = "4c")]
    BlockingStructures,
}

impl SubType {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 14] = [
        Self::LakeReclamation,
        Self::RiverReclamation,
        Self::OccupyingWater,
        Self::BlockingPlants,
        Self::UnpermittedMining,
        Self::MiningBeyondPermit,
        Self::ForbiddenMining,
        Self::SoilTaking,
        Self::Rubbish,
        Self::SolidWaste,
        Self::BlockingObjects,
        Self::IdleOrBeyondApproval,
        Self::UnapprovedProject,
        Self::BlockingStructures,
    ];

    /// The official code: the name in stores and exports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LakeReclamation => "1a",
            Self::RiverReclamation => "1b",
            Self::OccupyingWater => "1c",
            Self::BlockingPlants => "1d",
            Self::UnpermittedMining => "2a",
            Self::MiningBeyondPermit => "2b",
            Self::ForbiddenMining => "2c",
            Self::SoilTaking => "2d",
            Self::Rubbish => "3a",
            Self::SolidWaste => "3b",
            Self::BlockingObjects => "3c",
            Self::IdleOrBeyondApproval => "4a",
            Self::UnapprovedProject => "4b",
            Self::BlockingStructures => "4c",
        }
    }

    /// The sub-type of a code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sub_type| sub_type.code() == code)
    }

    /// The class that it belongs to.
    #[must_use]
    pub const fn issue_class(self) -> IssueClass {
        match self {
            Self::LakeReclamation | Self::RiverReclamation | Self::OccupyingWater | Self::BlockingPlants => {
                IssueClass::Occupation
            }
            Self::UnpermittedMining | Self::MiningBeyondPermit | Self::ForbiddenMining | Self::SoilTaking => {
                IssueClass::Mining
            }
            Self::Rubbish | Self::SolidWaste | Self::BlockingObjects => IssueClass::Dumping,
            Self::IdleOrBeyondApproval | Self::UnapprovedProject | Self::BlockingStructures => IssueClass::Construction,
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::LakeReclamation => language.of("lake reclamation", "围垦湖泊"),
            Self::RiverReclamation => {
                language.of("river reclamation without approval", "未依法经省级以上人民政府批准围垦河道")
            }
            Self::OccupyingWater => language.of("occupying water or floodplain", "非法侵占水域、滩地"),
            Self::BlockingPlants => language.of("planting that blocks floods", "种植阻碍行洪的林木及高秆作物"),
            Self::UnpermittedMining => language.of("sand mining without permit", "未经许可在河道管理范围内采砂"),
            Self::MiningBeyondPermit => language.of("sand mining not as permitted", "不按许可要求采砂"),
            Self::ForbiddenMining => language.of("sand mining in a forbidden area or season", "在禁采区、禁采期采砂"),
            Self::SoilTaking => language.of("soil taking without approval", "未经批准在河道管理范围内取土"),
            Self::Rubbish => language.of("rubbish", "河湖管理范围内乱扔乱堆垃圾"),
            Self::SolidWaste => language.of("solid waste dumped, buried or stored", "倾倒、填埋、贮存、堆放固体废物"),
            Self::BlockingObjects => language.of("objects that block floods", "弃置、堆放阻碍行洪的物体"),
            Self::IdleOrBeyondApproval => {
                language.of("occupied but idle, or more than approved", "水域岸线长期占而不用、多占少用、滥占滥用")
            }
            Self::UnapprovedProject => {
                language.of("river project without approval or not as approved", "未经许可和不按许可要求建设涉河项目")
            }
            Self::BlockingStructures => {
                language.of("structures that block floods", "河道管理范围内修建阻碍行洪的建筑物、构筑物")
            }
        }
    }
}

impl fmt::Display for SubType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code(), self.text(Language::English))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_say_their_class_by_their_first_digit() {
        let class = |code: &str| match &code[..1] {
            "1" => IssueClass::Occupation,
            "2" => IssueClass::Mining,
            "3" => IssueClass::Dumping,
            _ => IssueClass::Construction,
        };
        for sub_type in SubType::ALL {
            assert_eq!(sub_type.issue_class(), class(sub_type.code()));
            assert_eq!(SubType::of_code(sub_type.code()), Some(sub_type));
        }
        assert_eq!(SubType::of_code("4d"), None);
    }
}
