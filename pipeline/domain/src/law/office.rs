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
