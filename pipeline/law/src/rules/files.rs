//! The files of rules as they are typed. Words are checked by [`super::check`]; form and unknown keys by the program that reads
//! them, against the schema of these types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// All files of rules as typed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Files {
    /// `vocabulary.toml`.
    pub vocabulary: VocabularyFile,
    /// `issues.toml`.
    pub issues: IssuesFile,
    /// `severity.toml`.
    pub severity: SeverityFile,
    /// `offices.toml`.
    pub offices: OfficesFile,
    /// `assessment.toml`.
    pub assessment: AssessmentFile,
    /// `ledger.toml`.
    pub ledger: LedgerFile,
    /// `national.toml`.
    pub national: NationalFile,
}

/// Words that rules may use.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VocabularyFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Classes of the model, the two sides of a change type.
    pub classes: Vec<String>,
    /// What may be seen.
    pub object_classes: Vec<String>,
    /// Kinds of function zones.
    #[serde(default)]
    pub shoreline_zones: Vec<ShorelineZoneWords>,
    /// The tenant's own words for sub-types.
    #[serde(default)]
    pub local_words: Vec<LocalWord>,
}

/// One kind of function zone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShorelineZoneWords {
    /// What rules call it, after "shoreline:".
    #[schemars(length(min = 1))]
    pub name: String,
    /// What layers call it.
    pub terms: Vec<String>,
}

/// The tenant's own word for a sub-type.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalWord {
    /// Official code ("2a").
    #[schemars(length(min = 2))]
    pub sub_type: String,
    /// What the tenant calls it.
    #[schemars(length(min = 1))]
    pub word: String,
}

/// From what is seen to what it may be in law.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuesFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Rows; the first that fits decides.
    pub issues: Vec<IssueRow>,
}

/// One row of `issues.toml`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueRow {
    /// Name, unique in its table.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What it is called in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub chinese_name: Option<String>,
    /// Classes before.
    #[serde(default)]
    pub from: Vec<String>,
    /// Classes after.
    #[serde(default)]
    pub to: Vec<String>,
    /// What is seen.
    #[serde(default)]
    pub object_classes: Vec<String>,
    /// Kinds of water.
    #[serde(default)]
    pub waters: Vec<String>,
    /// Zones, any of them.
    #[serde(default)]
    pub zones: Vec<String>,
    /// What permits and projects say.
    #[serde(default)]
    pub permit: Vec<String>,
    /// Issue class.
    #[schemars(length(min = 1))]
    pub issue_class: String,
    /// Official code of the sub-type; none where it is undetermined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    /// Later rows that it overlaps and goes before; "*" for all.
    #[serde(default)]
    pub goes_before: Vec<String>,
    /// Why, for people: reason = { english = "…", chinese = "…" }, or one text for both.
    pub reason: Reason,
}

/// How bad a patch is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Rows; the first that fits decides.
    pub severity: Vec<SeverityRow>,
}

/// One row of `severity.toml`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityRow {
    /// Name, unique in its table.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What it is called in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub chinese_name: Option<String>,
    /// Issue classes.
    #[serde(default)]
    pub issue_classes: Vec<String>,
    /// Codes of sub-types.
    #[serde(default)]
    pub sub_types: Vec<String>,
    /// Zones, any of them.
    #[serde(default)]
    pub zones: Vec<String>,
    /// Area in m² from which on it is serious.
    #[schemars(range(min = 0.0))]
    pub serious_from_m2: f64,
    /// Area in m² above which it is major; 0 with `serious_from_m2` 0 is always major.
    #[schemars(range(min = 0.0))]
    pub major_above_m2: f64,
    /// Later rows that it overlaps and goes before; "*" for all.
    #[serde(default)]
    pub goes_before: Vec<String>,
    /// Why, for people: reason = { english = "…", chinese = "…" }, or one text for both.
    pub reason: Reason,
}

/// Whose a patch is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficesFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Days until a first answer, by severity.
    pub deadline_days: DeadlineDays,
    /// Departments by class and zone; the first row that fits decides.
    pub routing: Vec<RoutingRow>,
    /// Basin authorities that take the lead.
    #[serde(default)]
    pub basin_authorities: Vec<BasinRow>,
}

/// Days until a first answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlineDays {
    /// For general ones.
    #[schemars(range(min = 1, max = 3650))]
    pub general: u32,
    /// For serious ones.
    #[schemars(range(min = 1, max = 3650))]
    pub serious: u32,
    /// For major ones.
    #[schemars(range(min = 1, max = 3650))]
    pub major: u32,
}

/// One row of `[[routing]]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingRow {
    /// Name, unique in its table.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What it is called in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub chinese_name: Option<String>,
    /// Issue classes.
    #[serde(default)]
    pub issue_classes: Vec<String>,
    /// Codes of sub-types.
    #[serde(default)]
    pub sub_types: Vec<String>,
    /// Zones, any of them.
    #[serde(default)]
    pub zones: Vec<String>,
    /// Department that leads.
    #[schemars(length(min = 1))]
    pub lead: String,
    /// Departments that support.
    #[serde(default)]
    pub supporting: Vec<String>,
    /// Later rows that it overlaps and goes before; "*" for all.
    #[serde(default)]
    pub goes_before: Vec<String>,
    /// Why, for people: reason = { english = "…", chinese = "…" }, or one text for both.
    pub reason: Reason,
}

/// One row of `[[basin_authorities]]`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasinRow {
    /// Name, unique in its table.
    #[schemars(length(min = 1))]
    pub name: String,
    /// What it is called in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub chinese_name: Option<String>,
    /// Basins, as the register calls them.
    #[schemars(length(min = 1))]
    pub basins: Vec<String>,
    /// Least severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_severity: Option<String>,
    /// Who takes the lead.
    #[schemars(length(min = 1))]
    pub authority: String,
    /// Why, for people: reason = { english = "…", chinese = "…" }, or one text for both.
    pub reason: Reason,
}

/// Numbers of the assessment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Hours that local time is ahead of UTC.
    #[schemars(range(min = -12, max = 14))]
    pub local_time_ahead_hours: i8,
    /// Baseline of stock and increment (YYYY-MM-DD).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 10))]
    pub baseline_date: Option<String>,
    /// Days before the baseline date that still count as having seen the state on it.
    #[schemars(range(max = 3650))]
    pub baseline_tolerance_days: u32,
    /// Least share of the place observed on both dates for stock and increment.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub observed_share_min: f64,
    /// Least share of a patch in a zone or unit.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub zone_share_min: f64,
    /// Share from which on a patch counts as inside a permit.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub permit_inside_share_min: f64,
    /// Share below which a permit is only touched.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub permit_touched_share_min: f64,
    /// What a sand-mining permit covers.
    pub mining_permit_object_classes: Vec<String>,
    /// Share of the smaller one of both from which on a patch belongs to an earlier site.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub same_site_share_min: f64,
    /// Growth, as a share of the site, from which on it is shown again.
    #[schemars(range(min = 0.0, max = 100.0))]
    pub growth_share_min: f64,
    /// Words of the ledger for closed problems.
    pub closed_statuses: Vec<String>,
    /// Code that stands in a number where no unit is known.
    #[schemars(length(min = 1))]
    pub fallback_unit_code: String,
    /// Least observed share of a project's ground for "approved but idle".
    #[schemars(range(min = 0.01, max = 1.0))]
    pub idle_observed_share_min: f64,
    /// Weights of the priority.
    pub priority: PriorityTable,
}

/// Weights of the priority.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorityTable {
    /// Outside of every zone that is listed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub elsewhere: f64,
    /// By zone.
    #[serde(default)]
    pub zone: Vec<ZoneWeight>,
    /// By severity.
    pub severity: SeverityWeights,
    /// By age, young ones first; the last row has no end.
    pub age: Vec<AgeWeight>,
}

/// Weight of a zone.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneWeight {
    /// The zone.
    #[schemars(length(min = 1))]
    pub zone: String,
    /// Its weight.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
}

/// Weights of severities.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityWeights {
    /// Of general ones.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub general: f64,
    /// Of serious ones.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub serious: f64,
    /// Of major ones.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub major: f64,
}

/// Weight of an age.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeWeight {
    /// Last day of the age; none in the last row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub up_to_days: Option<u32>,
    /// Its weight.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub weight: f64,
}

/// Columns of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// In their order.
    pub columns: Vec<LedgerColumn>,
}

/// One column of the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerColumn {
    /// Name of the field.
    #[schemars(length(min = 1))]
    pub field: String,
    /// English header.
    #[schemars(length(min = 1))]
    pub english: String,
    /// Chinese header.
    #[schemars(length(min = 1))]
    pub chinese: String,
}

/// How national patches are read, matched and answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NationalFile {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// Field with the id of a patch.
    #[schemars(length(min = 1))]
    pub id_field: String,
    /// Field with the day of the later image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub date_field: Option<String>,
    /// Field with the verdict that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub verdict_field: Option<String>,
    /// Share of the smaller one of both from which on two patches are the same.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub share_min: f64,
    /// Most days between the images of both.
    #[schemars(range(max = 36_500))]
    pub days_max: u32,
    /// Codes that go back.
    pub outcome_codes: Vec<OutcomeCode>,
}

/// A code that goes back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeCode {
    /// What is known.
    #[schemars(length(min = 1))]
    pub outcome: String,
    /// Its code.
    #[schemars(length(min = 1))]
    pub code: String,
    /// What it is called.
    #[schemars(length(min = 1))]
    pub text: String,
}
