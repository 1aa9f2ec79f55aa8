//! What the words of offices mean, where the configuration says nothing else.

use shorewatch_domain::law::layer::{AdministrativeLevel, ProjectStage, WaterSourceLevel};
use shorewatch_domain::law::office::DepartmentRole;
use shorewatch_domain::law::water::WaterKind;

/// Values by the words that stand for them, the canonical one first.
pub(super) type Words<T> = &'static [(T, &'static [&'static str])];

pub(super) const ADMINISTRATIVE_LEVELS: Words<AdministrativeLevel> = &[
    (AdministrativeLevel::City, &["city", "市", "市级", "地级市"]),
    (AdministrativeLevel::County, &["county", "县", "区", "县级", "区县"]),
    (AdministrativeLevel::Town, &["town", "乡镇", "乡", "镇", "街道", "乡级", "镇级"]),
    (AdministrativeLevel::Village, &["village", "村", "社区", "村级"]),
];

pub(super) const WATER_SOURCE_LEVELS: Words<WaterSourceLevel> = &[
    (WaterSourceLevel::First, &["first", "1", "一级", "一级保护区"]),
    (WaterSourceLevel::Second, &["second", "2", "二级", "二级保护区"]),
    (WaterSourceLevel::Quasi, &["quasi", "准", "准保护区"]),
];

pub(super) const PROJECT_STAGES: Words<ProjectStage> = &[
    (ProjectStage::Applied, &["applied", "申请", "申报", "在审"]),
    (ProjectStage::Approved, &["approved", "已批", "已批复", "批复", "未开工"]),
    (ProjectStage::UnderConstruction, &["under_construction", "在建", "施工"]),
    (ProjectStage::Complete, &["complete", "已建", "完工", "竣工"]),
    (ProjectStage::Withdrawn, &["withdrawn", "撤回", "撤销", "不予许可"]),
];

pub(super) const WATER_KINDS: Words<WaterKind> = &[
    (WaterKind::River, &["river", "河流", "河"]),
    (WaterKind::Lake, &["lake", "湖泊", "湖"]),
    (WaterKind::Reservoir, &["reservoir", "水库"]),
];

pub(super) const DEPARTMENT_ROLES: Words<DepartmentRole> = &[
    (DepartmentRole::Lead, &["lead", "牵头", "责任"]),
    (DepartmentRole::Supporting, &["supporting", "配合", "协同"]),
    (DepartmentRole::BasinAuthority, &["basin_authority", "流域管理机构", "流域机构"]),
];

/// Where a boundary comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    Official,
    Buffer,
}

pub(super) const SOURCES: Words<Source> =
    &[(Source::Official, &["official", "划界", "公告", "官方"]), (Source::Buffer, &["buffer", "缓冲", "缓冲区"])];

/// What a word stands for.
pub(super) fn meaning<T: Copy>(words: Words<T>, word: &str) -> Option<T> {
    words.iter().find(|(_, names)| names.contains(&word)).map(|(value, _)| *value)
}

/// The canonical words.
pub(super) fn canonical<T>(words: Words<T>) -> String {
    words.iter().map(|(_, names)| names[0]).collect::<Vec<_>>().join(", ")
}
