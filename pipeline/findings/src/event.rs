//! What is told: CloudEvents 1.0 in JSON, with the fields of the ledger (问题台账).
//!
//! The form is version 1 ([`crate::schema`]): fields are added, never taken away or given another meaning. Fields of which
//! nothing is known are left out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shorewatch_domain::finding::{FindingEvent, Standing};
use shorewatch_store::outbox::deliveries::Due;
use shorewatch_store::outbox::records::FindingRecord;

pub mod geometry;
pub mod picture;

use geometry::{Cgcs2000, GeoJsonPolygon};
use picture::Picture;

/// Version of the form of [`FindingData`].
pub const SCHEMA_VERSION: u32 = 1;

/// Name of that form.
pub const DATA_SCHEMA: &str = "urn:shorewatch:schema:finding:1";

/// Columns of assessments that name officials.
const PERSONAL: &str = "chief_";

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
}

/// How an event is put into words.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// Who speaks.
    pub source: &'a str,
    /// The imagery is painted.
    pub synthetic: bool,
    /// Chiefs may be named.
    pub personal_data: bool,
}

/// The message of a delivery, with what is known of its finding now.
#[must_use]
pub fn cloud_event(
    due: &Due,
    record: Option<&FindingRecord>,
    pictures: Vec<Picture>,
    wording: &Wording<'_>,
) -> CloudEvent {
    let data = record.map_or_else(
        || FindingData {
            schema_version: SCHEMA_VERSION,
            finding_id: due.finding_id.clone(),
            patch_id: due.patch_id.clone(),
            standing: Standing::Withdrawn.name().to_owned(),
            ..FindingData::default()
        },
        |record| finding_data(due, record, pictures, wording),
    );
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: due.event_id.clone(),
        source: wording.source.to_owned(),
        kind: due.kind.into(),
        subject: due.finding_id.clone(),
        time: due.created_at,
        datacontenttype: "application/json".to_owned(),
        dataschema: DATA_SCHEMA.to_owned(),
        data,
    }
}

fn finding_data(due: &Due, record: &FindingRecord, pictures: Vec<Picture>, wording: &Wording<'_>) -> FindingData {
    let decision = record.decisions.iter().rev().find(|decision| decision.verdict.is_some());
    let corrected = decision.map(|decision| without_null(&decision.corrected)).unwrap_or_default();
    let patch = record.patch.as_ref().map(|stored| &stored.patch);
    let outline = corrected
        .get("geometry")
        .and_then(|given| serde_json::from_value(given.clone()).ok())
        .or_else(|| patch.map(|patch| patch.geometry.clone()));
    let ledger = ledger(&record.assessment, &corrected, patch.map(|patch| patch.suspected_issue_class.name()));
    FindingData {
        schema_version: SCHEMA_VERSION,
        finding_id: record.finding_id.clone(),
        revision: record.revision,
        occurrence: record.occurrence,
        recurrence_of: (record.occurrence > 1)
            .then(|| format!("{}#{}", record.finding_id, record.occurrence.saturating_sub(1))),
        standing: record.standing.name().to_owned(),
        title: title(record, &ledger, wording.synthetic),
        synthetic: wording.synthetic,
        case_id: record.case_id.clone(),
        patch_id: due.patch_id.clone(),
        seen: patch.map(seen),
        responsible: responsible(record, wording.personal_data),
        decision: decision.map(|decision| DecisionData {
            decision_id: decision.decision_id.clone(),
            verdict: decision.verdict.clone(),
            corrected,
            decided_at: decision.decided_at.to_string(),
        }),
        geometry: outline.as_ref().map(GeoJsonPolygon::of),
        cgcs2000: outline.as_ref().map(|outline| Cgcs2000::of(outline, patch.map(|patch| patch.centre))),
        pictures,
        provenance: record.patch.as_ref().map(provenance).unwrap_or_default(),
        closure: due.details.get("answer").and_then(|_| serde_json::from_value(due.details.clone()).ok()),
        reason: due.details.get("reason").and_then(Value::as_str).map(str::to_owned),
        ledger,
    }
}

fn without_null(value: &Value) -> Map<String, Value> {
    let fields = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The columns of the assessment without what stands elsewhere in the message and without officials; corrections go before.
fn ledger(
    assessment: &Map<String, Value>,
    corrected: &Map<String, Value>,
    suspected: Option<&str>,
) -> Map<String, Value> {
    let elsewhere =
        ["patch_id", "deadline", "lead_department", "supporting_departments", "explanation", "digest", "fid"];
    // explanations in words name chiefs
    let keep =
        |name: &str| !(name.starts_with(PERSONAL) || name.starts_with("explanation") || elsewhere.contains(&name));
    let mut ledger: Map<String, Value> = assessment
        .iter()
        .filter(|(name, value)| keep(name) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(suspected) = suspected {
        ledger.entry("issue_class").or_insert_with(|| suspected.into());
    }
    for field in ["issue_class", "sub_type", "severity"] {
        if let Some(value) = corrected.get(field) {
            ledger.insert(field.to_owned(), value.clone());
        }
    }
    ledger
}

fn responsible(record: &FindingRecord, personal_data: bool) -> Option<Responsible> {
    let row = &record.assessment;
    if row.is_empty() {
        return None;
    }
    let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
    let chiefs = row.iter().filter(|(name, _)| personal_data && name.starts_with(PERSONAL));
    Some(Responsible {
        lead_department: text("lead_department"),
        supporting_departments: row.get("supporting_departments").map(parsed),
        deadline: text("deadline"),
        overdue: record.escalated_at.is_some(),
        chiefs: chiefs.map(|(name, value)| (name[PERSONAL.len()..].to_owned(), parsed(value))).collect(),
    })
}

/// Lists and records stand in the store as JSON text.
fn parsed(value: &Value) -> Value {
    let text = value.as_str().filter(|text| text.starts_with(['[', '{']));
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

fn title(record: &FindingRecord, ledger: &Map<String, Value>, synthetic: bool) -> String {
    let text = |name: &str| ledger.get(name).and_then(Value::as_str);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(text("number").map(str::to_owned));
    parts.extend(text("issue_class").map(str::to_owned));
    if let Some(patch) = record.patch.as_ref().map(|stored| &stored.patch) {
        parts.push(format!("{}, {:.0} m²", patch.object_class, patch.area_m2));
        parts.push(text("river_name").map_or_else(|| patch.reach_name.clone(), str::to_owned));
        parts.push(patch.post_date.strftime("%Y-%m-%d").to_string());
    }
    parts.push(record.finding_id.clone());
    format!("{}{}", if synthetic { "[painted, not real] " } else { "" }, parts.join(" · "))
}

fn seen(patch: &shorewatch_domain::patch::Patch) -> Seen {
    Seen {
        object_class: patch.object_class.clone(),
        change_type: patch.change_type.clone(),
        suspected_issue_class: patch.suspected_issue_class.name().to_owned(),
        reach_id: patch.reach_id.clone(),
        reach_name: patch.reach_name.clone(),
        area_m2: (patch.area_m2 * 100.0).round() / 100.0,
        perimeter_m: (patch.perimeter_m * 10.0).round() / 10.0,
        confidence: patch.confidence,
        review_score: patch.review_score,
        valid_fraction: patch.valid_fraction,
        pre_date: patch.pre_date.to_string(),
        post_date: patch.post_date.to_string(),
        pre_sensor: patch.pre_sensor.clone(),
        post_sensor: patch.post_sensor.clone(),
        ground_sampling_distance_m: patch.ground_sampling_distance_m,
        coreg_rmse_px: patch.coreg_rmse_px,
    }
}

fn provenance(stored: &shorewatch_store::StoredPatch) -> BTreeMap<String, String> {
    let patch = &stored.patch;
    [
        ("pre_pass_id", patch.pre_pass_id.to_string()),
        ("post_pass_id", patch.post_pass_id.to_string()),
        ("model_name", patch.model_name.clone()),
        ("model_version", patch.model_version.clone()),
        ("model_digest", patch.model_digest.to_string()),
        ("configuration_digest", patch.configuration_digest.to_string()),
        ("program_version", patch.program_version.clone()),
        ("publication_id", stored.publication_id.to_string()),
        ("run_id", stored.run_id.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
