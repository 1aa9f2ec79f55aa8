//! The tables of rules: what was typed ([`Files`]) becomes what is needed ([`Rules`]), or a list of all faults.
//!
//! The first row whose conditions hold decides. Rows that can never fire, and rows that overlap and contradict one another without
//! saying which goes first, are faults: what a table says must not hang on an order that nobody thought of.

mod check;
mod conditions;
mod files;
pub mod ledger;
mod reason;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::Offset;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::law::assessment::{Language, Severity, SubType};
use shorewatch_domain::law::wording::Wording;

#[cfg(test)]
pub(crate) use check::ZONES;
pub use check::{RuleFault, RuleFile, Step};
pub use conditions::{Conditions, Dimension, Facts, Outcome, Row, Table};
pub use files::*;
pub use reason::{BothReasons, Reason};

/// What an issue row decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Issue {
    /// Class.
    pub issue_class: IssueClass,
    /// Sub-type; none where it is undetermined.
    pub sub_type: Option<SubType>,
}

impl Outcome for Issue {
    fn told(&self) -> Wording {
        let (english, chinese) = (self.issue_class.name(), self.issue_class.official_term());
        match self.sub_type {
            None => Wording::new(english, chinese),
            Some(sub_type) => {
                let term = sub_type.text(Language::Chinese);
                Wording::new(
                    format!("{english} {}", sub_type.code()),
                    format!("{chinese} {}（{term}）", sub_type.code()),
                )
            }
        }
    }
}

/// Areas between severities in m².
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Breaks {
    /// From this on it is serious.
    pub serious_from_m2: f64,
    /// Above this it is major.
    pub major_above_m2: f64,
}

impl Breaks {
    /// The severity of an area.
    #[must_use]
    pub fn severity(&self, area_m2: f64) -> Severity {
        if area_m2 > self.major_above_m2 {
            Severity::Major
        } else if area_m2 >= self.serious_from_m2 {
            Severity::Serious
        } else {
            Severity::General
        }
    }
}

impl Outcome for Breaks {
    fn told(&self) -> Wording {
        let (serious, major) = (self.serious_from_m2, self.major_above_m2);
        Wording::new(
            format!("serious from {serious} m², major above {major} m²"),
            format!("{serious} m² 起为较严重，超过 {major} m² 为重大"),
        )
    }
}

/// Whose it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// Department that leads.
    pub lead: String,
    /// Departments that support.
    pub supporting: Vec<String>,
}

impl Outcome for Route {
    fn told(&self) -> Wording {
        if self.supporting.is_empty() {
            return Wording::same(self.lead.clone());
        }
        Wording::new(
            format!("{}; {}", self.lead, self.supporting.join(", ")),
            format!("{}牵头，{}配合", self.lead, self.supporting.join("、")),
        )
    }
}

/// A basin authority that takes the lead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasinAuthority {
    /// Name of the row.
    pub name: String,
    /// Its name in Chinese, where it has one.
    pub chinese_name: Option<String>,
    /// Basins.
    pub basins: BTreeSet<String>,
    /// Least severity.
    pub from_severity: Severity,
    /// The authority.
    pub authority: String,
    /// Why.
    pub reason: Wording,
}

/// Words of the tenant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vocabulary {
    /// Classes of the model.
    pub classes: BTreeSet<String>,
    /// What may be seen.
    pub object_classes: BTreeSet<String>,
    /// Kind of function zone by the word of a layer.
    pub shoreline_zones: BTreeMap<String, String>,
    /// The tenant's own words for sub-types.
    pub local_words: BTreeMap<SubType, String>,
}

impl Vocabulary {
    /// Classes before and after of a change type; `None` where it names others. Names may hold `_to_` themselves.
    #[must_use]
    pub fn sides<'a>(&self, change_type: &'a str) -> Option<(&'a str, &'a str)> {
        change_type
            .match_indices("_to_")
            .map(|(at, gap)| (&change_type[..at], &change_type[at + gap.len()..]))
            .find(|(from, to)| self.classes.contains(*from) && self.classes.contains(*to))
    }
}

/// Numbers of the assessment.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Local time against UTC.
    pub local_time: Offset,
    /// Baseline of stock and increment.
    pub baseline: Option<Date>,
    /// Days before the baseline that still count as having seen the state on it.
    pub baseline_tolerance_days: u32,
    /// Least share observed on both dates for stock and increment.
    pub observed_share_min: f64,
    /// Least share in a zone or unit.
    pub zone_share_min: f64,
    /// Share from which on a patch is inside a permit.
    pub permit_inside_share_min: f64,
    /// Share below which a permit is only touched.
    pub permit_touched_share_min: f64,
    /// What a sand-mining permit covers.
    pub mining_permit_object_classes: BTreeSet<String>,
    /// Share of the smaller one of both from which on a patch belongs to an earlier site.
    pub same_site_share_min: f64,
    /// Growth as a share of the site from which on it is shown again.
    pub growth_share_min: f64,
    /// Words of the ledger for closed problems.
    pub closed_statuses: BTreeSet<String>,
    /// Code that stands in a number where no unit is known.
    pub fallback_unit_code: String,
    /// Least observed share of a project's ground for "approved but idle".
    pub idle_observed_share_min: f64,
    /// Weights of the priority.
    pub priority: PriorityTable,
    /// Days until a first answer.
    pub deadline_days: DeadlineDays,
}

/// All rules, resolved and checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Rules {
    /// Words.
    pub vocabulary: Vocabulary,
    /// What it may be in law.
    pub issues: Table<Issue>,
    /// How bad it is.
    pub severity: Table<Breaks>,
    /// Whose it is.
    pub routing: Table<Route>,
    /// Basin authorities that take the lead; the first that fits does.
    pub basin_authorities: Vec<BasinAuthority>,
    /// Numbers.
    pub settings: Settings,
    /// Columns of the ledger. They decide nothing.
    pub ledger: Vec<LedgerColumn>,
    /// National patches. They decide nothing.
    pub national: NationalFile,
    /// Of everything that decides.
    pub digest: Digest,
}

impl Rules {
    /// The rules of the files, if they hold together.
    ///
    /// # Errors
    /// Every fault, each with its file and where in it.
    pub fn check(files: &Files) -> Result<Self, Vec<RuleFault>> {
        check::rules(files)
    }

    /// The day in local time.
    #[must_use]
    pub fn local_day(&self, time: jiff::Timestamp) -> Date {
        self.settings.local_time.to_datetime(time).date()
    }
}

/// Digest of what decides: all files but the ledger's columns and the mapping of national patches.
fn digest(files: &Files) -> Digest {
    DigestBuilder::new("rules")
        .field("vocabulary", text(&files.vocabulary))
        .field("issues", text(&files.issues))
        .field("severity", text(&files.severity))
        .field("offices", text(&files.offices))
        .field("assessment", text(&files.assessment))
        .finish()
}

fn text(table: &impl serde::Serialize) -> String {
    // plain structs of numbers and texts always have a JSON form
    serde_json::to_string(table).unwrap_or_default()
}
