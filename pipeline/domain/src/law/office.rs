//! Chiefs and departments. Names and telephone numbers of officials are personal data: they never enter a public extract.

use serde::{Deserialize, Serialize};

use super::layer::AdministrativeLevel;
use super::period::Period;

/// A chief (河长, 湖长) of a stretch or a unit, for a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Chief {
    /// Level.
    pub level: AdministrativeLevel,
    /// What the chief is in charge of: the code of a reach, of a water, or of an administrative unit.
    pub in_charge_of: String,
    /// Name. Personal.
    pub name: String,
    /// Office ("副县长").
    pub title: Option<String>,
    /// Telephone number. Personal.
    pub telephone: Option<String>,
    /// When.
    pub valid: Period,
}

/// A department that handles problems (责任部门): of a unit or a basin, by class and zone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Department {
    /// Code, unique in its layer.
    pub code: String,
    /// Name ("水利局").
    pub name: String,
    /// Code of the administrative unit or of the basin that it serves.
    pub serves: String,
    /// What it does there.
    pub role: DepartmentRole,
    /// Issue classes that it handles; every one where empty.
    pub issue_classes: Vec<String>,
    /// Shoreline zones that it handles, in the configured words; every one where empty.
    pub zones: Vec<String>,
    /// When.
    pub valid: Period,
}

/// What a department does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepartmentRole {
    /// 牵头: it leads.
    Lead,
    /// 配合: it supports.
    Supporting,
    /// 流域管理机构: the authority of a basin, which leads in place of the department of the unit.
    BasinAuthority,
}

impl DepartmentRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Lead, Self::Supporting, Self::BasinAuthority];

    /// The name in configurations, stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Supporting => "supporting",
            Self::BasinAuthority => "basin_authority",
        }
    }
}
