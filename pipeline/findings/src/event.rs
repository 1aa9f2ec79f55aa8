//! What is told: CloudEvents 1.0 in JSON, with the fields of the ledger (问题台账).
//!
//! The form is version 1 ([`crate::schema`]): fields are added, never taken away or given another meaning. Fields of which
//! nothing is known are left out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shorewatch_domain::finding::FindingEvent;

pub mod geometry;
pub mod picture;
mod wording;

use geometry::{Cgcs2000, GeoJsonPolygon};
use picture::Picture;

pub use wording::{Wording, cloud_event};

/// Version of the form of [`FindingData`].
pub const SCHEMA_VERSION: u32 = 1;

/// Name of that form.
pub const DATA_SCHEMA: &str = "urn:shorewatch:schema:finding:1";

/// One message (CloudEvents 1.0, structured JSON).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Identity: the same however often it is sent.
    pub id: String,
    /// Who speaks.
    pub source: String,
    /// What happened, one of the seven events of a finding.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The finding.
    pub subject: String,
    /// When it came about.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Form of `data`.
    pub dataschema: String,
    /// What is told.
    pub data: FindingData,
}

/// Names of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub enum EventType {
    /// A person confirmed the finding.
    #[serde(rename = "finding.confirmed")]
    Confirmed,
    /// What is known of it changed; also where its deadline has passed.
    #[serde(rename = "finding.updated")]
    Updated,
    /// It is none after all.
    #[serde(rename = "finding.withdrawn")]
    Withdrawn,
    /// It was closed, and is there again.
    #[serde(rename = "finding.recurred")]
    Recurred,
    /// Imagery supports the closure.
    #[serde(rename = "finding.closure_supported")]
    ClosureSupported,
    /// Imagery contradicts the closure.
    #[serde(rename = "finding.closure_contradicted")]
    ClosureContradicted,
    /// Imagery was taken, and cannot tell.
    #[serde(rename = "finding.unobserved")]
    Unobserved,
}

impl From<FindingEvent> for EventType {
    fn from(event: FindingEvent) -> Self {
        match event {
            FindingEvent::Confirmed => Self::Confirmed,
            FindingEvent::Updated => Self::Updated,
            FindingEvent::Withdrawn => Self::Withdrawn,
            FindingEvent::Recurred => Self::Recurred,
            FindingEvent::ClosureSupported => Self::ClosureSupported,
            FindingEvent::ClosureContradicted => Self::ClosureContradicted,
            FindingEvent::Unobserved => Self::Unobserved,
        }
    }
}

/// A finding, as the ledger takes it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FindingData {
    /// Version of this form.
    pub schema_version: u32,
    /// Identity of the finding over all its messages.
    pub finding_id: String,
    /// Number of this message among those of the finding: a higher one is newer.
    pub revision: u32,
    /// 1, and one more for each time that it came back after it was closed. From 2 on `recurrence_of` names the one before.
    pub occurrence: u32,
    /// The occurrence before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence_of: Option<String>,
    /// `stands` or `withdrawn`.
    pub standing: String,
    /// One line for people.
    pub title: String,
    /// True where the imagery is painted, not real.
    pub synthetic: bool,
    /// The case over several passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_id: Option<String>,
    /// The patch that shows it.
    pub patch_id: String,
    /// What was seen and measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What layers and rules say, by column of the ledger (number, classes, severity, permit, river, reach, bank, chainage, units,
    /// zones). A reviewer's corrections stand in place of what they correct.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ledger: Map<String, Value>,
    /// Who is responsible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Responsible>,
    /// What the reviewer decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionData>,
    /// Outline (RFC 7946: longitude and latitude, outer ring counterclockwise).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geometry: Option<GeoJsonPolygon>,
    /// The same in CGCS2000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgcs2000: Option<Cgcs2000>,
    /// Pictures before and after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Picture>,
    /// Where it comes from: passes, model, configuration, program, each by its digest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub provenance: BTreeMap<String, String>,
    /// What imagery says of a closure or at a look-back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closure: Option<ClosureData>,
    /// Why it is told, where that is not clear from the type (`overdue`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was seen.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Seen {
    /// What is seen ("building"): not what it is in law.
    pub object_class: String,
    /// Classes before and after.
    pub change_type: String,
    /// What it was suspected of.
    pub suspected_issue_class: String,
    /// Reach.
    pub reach_id: String,
    /// Its name.
    pub reach_name: String,
    /// Area in m².
    pub area_m2: f64,
    /// Perimeter in m.
    pub perimeter_m: f64,
    /// Mean confidence of the model (0..1).
    pub confidence: f64,
    /// Probability that a reviewer would confirm it, before one did (0..1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_score: Option<f64>,
    /// Share of it and its surroundings that both passes observed.
    pub valid_fraction: f64,
    /// Earlier acquisition.
    pub pre_date: String,
    /// Later acquisition.
    pub post_date: String,
    /// Earlier sensor.
    pub pre_sensor: String,
    /// Later sensor.
    pub post_sensor: String,
    /// Ground sampling distance in m.
    pub ground_sampling_distance_m: f64,
    /// What is left of the shift between both passes, in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coreg_rmse_px: Option<f64>,
}

/// Who is responsible.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Responsible {
    /// Department in the lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_department: Option<String>,
    /// Those that support it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supporting_departments: Option<Value>,
    /// Deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// True from when the deadline has passed.
    pub overdue: bool,
    /// Chiefs by level: personal data, only for targets that may have them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub chiefs: BTreeMap<String, Value>,
}

/// What a reviewer decided.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DecisionData {
    /// Identity of the decision.
    pub decision_id: String,
    /// Verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    /// What was corrected.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub corrected: Map<String, Value>,
    /// When.
    pub decided_at: String,
}

/// What imagery says of a closure.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClosureData {
    /// `closure` or `look_back`.
    pub reason: String,
    /// `supported`, `contradicted`, `cannot_tell`, or `unobserved` where the pass did not see enough of the ground.
    pub answer: String,
    /// Since when passes count.
    pub since: String,
    /// The pass that answers.
    pub pass_id: String,
    /// When it was acquired.
    pub acquired_at: String,
    /// Share of the ground that it observed.
    pub observed_fraction: f64,
    /// Share of the observed ground that still shows it; left out where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_fraction: Option<f64>,
    /// Share of the ground whose pixels changed since the confirmed state; left out where it cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_fraction: Option<f64>,
}
