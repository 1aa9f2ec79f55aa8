//! Why a patch was judged as it was: evidence, layers, rules that fired and those that did not, and where all of it came from.
//! Plain values; the law crate puts them into words.

use std::collections::BTreeMap;

use geo_types::MultiPolygon;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::assessment::{PermitStatus, StockFlag};
use super::layer::{AdministrativeLevel, LayerKind};
use super::place::Versions;
use super::wording::Wording;
use crate::digest::Digest;

/// Why a patch was judged as it was.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Explanation {
    /// What is seen.
    pub object_class: String,
    /// Classes before and after.
    pub change_type: String,
    /// Area in m².
    pub area_m2: f64,
    /// By how much each kind of evidence moved the log-odds of the review score.
    pub evidence: BTreeMap<String, f64>,
    /// Layers in force that it meets, with shares.
    pub layers: Vec<LayerHit>,
    /// Layers in force that it does not meet.
    pub layers_not_met: Vec<LayerKind>,
    /// Layers that are not in force: what they would say is not known.
    pub layers_not_in_force: Vec<LayerKind>,
    /// Words of zones that the rules know, that hold here.
    pub zones: Vec<String>,
    /// Every permit and project that it meets, and what each says.
    pub permits: Vec<PermitFinding>,
    /// The part outside of every permit that holds (CGCS2000), where it meets one.
    pub outside: Option<MultiPolygon<f64>>,
    /// Every rule that was tried, in order.
    pub rules: Vec<RuleTrace>,
    /// Why stock, increment or not known.
    pub stock: StockTrace,
    /// What the priority is the product of.
    pub priority: Vec<Factor>,
    /// Earlier sites that it meets.
    pub sites: Vec<SiteTrace>,
    /// What else should be known.
    pub notes: Vec<Note>,
    /// Where all of this came from.
    pub provenance: Provenance,
}

impl Explanation {
    /// Why a table decided as it did; `None` where none of its rows did.
    #[must_use]
    pub fn reason(&self, table: RuleTable) -> Option<&Wording> {
        self.rules.iter().find(|rule| rule.table == table && rule.fired)?.reason.as_ref()
    }
}

/// A feature of a layer that a patch meets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LayerHit {
    /// The layer.
    pub layer: LayerKind,
    /// Code of the feature.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Share of the patch that lies in it (0..1).
    pub share: f64,
    /// That part in m².
    pub area_m2: f64,
}

/// What one permit or project says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PermitFinding {
    /// Permit or project.
    pub layer: LayerKind,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Share of the patch that lies in it (0..1).
    pub share: f64,
    /// What it says by itself.
    pub status: PermitStatus,
    /// The dates, season, stage or content that decided, as they stand in the layer.
    pub because: Wording,
}

/// One rule that was tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RuleTrace {
    /// The table.
    pub table: RuleTable,
    /// Name of the row.
    pub name: String,
    /// Its name in Chinese, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chinese_name: Option<String>,
    /// Whether it decided.
    pub fired: bool,
    /// What it decided ("mining 2c"), where it fired.
    pub outcome: Option<Wording>,
    /// The first condition that did not hold; `None` where all did.
    pub failed: Option<FailedCondition>,
    /// The reason that stands in the row, where it fired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Wording>,
}

/// Tables of rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleTable {
    /// What it may be in law.
    Issues,
    /// How bad it is.
    Severity,
    /// Whose it is.
    Routing,
    /// Which basin authority takes over.
    BasinAuthorities,
}

/// A condition that did not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FailedCondition {
    /// Its key in the row ("zones").
    pub key: String,
    /// What the row asks for.
    pub expected: Vec<String>,
    /// What is there.
    pub got: Vec<String>,
}

/// Why stock, increment or not known.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StockTrace {
    /// What came out.
    pub flag: StockFlag,
    /// The baseline date, where one is configured.
    pub baseline: Option<Date>,
    /// The day of the earlier pass.
    pub earlier: Date,
    /// The day of the later pass.
    pub later: Date,
    /// Share of the place that was observed on both dates.
    pub observed_share: f64,
}

/// One factor of the priority.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Factor {
    /// Which ("probability", "severity", "zone", "age").
    pub name: String,
    /// Its value.
    pub value: f64,
    /// What it was taken from ("major", "water_source_first", "at most 30 days").
    pub from: String,
}

/// An earlier site that a patch meets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SiteTrace {
    /// `ledger:CODE` or `patch:ID`.
    pub site: String,
    /// Status on the ledger, or the reviewer's verdict.
    pub status: String,
    /// Share of the patch that lies on it (0..1).
    pub share: f64,
    /// Its area in m².
    pub area_m2: f64,
    /// What follows.
    pub relation: SiteRelation,
}

/// What an earlier site means for a patch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteRelation {
    /// The same site, not grown: linked, and not shown again.
    Same,
    /// The same site, grown beyond the threshold: linked, and shown.
    Grown,
    /// A site that was closed: linked, and shown as a possible relapse.
    Relapse,
    /// The earlier verdict decides nothing (unsure, bad imagery): shown.
    Undecided,
    /// Too small a share to be the same site.
    Beside,
}

/// What else should be known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Note {
    /// Nobody is chief at a level on the day.
    NoChief {
        /// The level.
        level: AdministrativeLevel,
        /// Whether there is somebody on another day: a gap between periods.
        gap: bool,
    },
    /// Several are chief of the same on the day: the one that began last was taken.
    SeveralChiefs {
        /// The level.
        level: AdministrativeLevel,
        /// What they are in charge of.
        in_charge_of: String,
        /// How many.
        count: usize,
    },
    /// A word of the function-zone layer that the vocabulary lacks: no zone rule can fire on it.
    UnknownZoneWord {
        /// The word.
        word: String,
    },
    /// The change type names classes that the vocabulary lacks: rules on `from` and `to` cannot fire.
    UnknownChangeType {
        /// As the patch has it.
        change_type: String,
    },
    /// The object class is none of the vocabulary.
    UnknownObjectClass {
        /// As the patch has it.
        object_class: String,
    },
    /// It lies in no administrative unit: the number carries the fallback code.
    NoUnit,
    /// It crosses a boundary: the largest share leads.
    CrossesBoundary {
        /// The level.
        level: AdministrativeLevel,
        /// Units by share, in words.
        shares: Vec<String>,
    },
    /// A basin authority leads instead of the department by class and zone.
    BasinAuthority {
        /// The basin.
        basin: String,
        /// The authority.
        authority: String,
    },
    /// No rule named a class: that of the table of changes was kept.
    ClassOfTheTable,
    /// The volume of a mining permit cannot be judged from an area.
    VolumeNotJudged {
        /// The permit.
        permit: String,
    },
    /// The scope is a stand-in, not an official line.
    BufferScope,
}

/// Where everything came from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Provenance {
    /// Digest of the earlier pass.
    pub pre_pass_id: Digest,
    /// Digest of the later pass.
    pub post_pass_id: Digest,
    /// Its acquisition.
    pub post_date: Timestamp,
    /// Acquisition of the earlier one.
    pub pre_date: Timestamp,
    /// Sensor of the earlier pass.
    pub pre_sensor: String,
    /// Sensor of the later pass.
    pub post_sensor: String,
    /// Model name and version.
    pub model: String,
    /// Digest of the model bundle.
    pub model_digest: Digest,
    /// Digest of the configuration that raised the patch.
    pub configuration_digest: Digest,
    /// Digest of the rules.
    pub rules_digest: Digest,
    /// Versions of the layers that were asked.
    pub layer_versions: Versions,
    /// Version of the program that raised the patch.
    pub program_version: String,
}
