//! From what the store knows of a finding to a message.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};
use shorewatch_domain::finding::Standing;
use shorewatch_domain::law::assessment::SubType;
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::redrawn::redrawn;
use shorewatch_store::outbox::deliveries::Due;
use shorewatch_store::outbox::records::FindingRecord;

use super::geometry::{Cgcs2000, GeoJsonPolygon};
use super::picture::Picture;
use super::{CloudEvent, DATA_SCHEMA, DecisionData, FindingData, Responsible, SCHEMA_VERSION, Seen};

/// Columns of assessments that name officials.
const PERSONAL: &str = "chief_";

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
    let patch = record.patch.as_ref().map(|stored| as_drawn(&stored.patch, corrected.get("geometry")));
    let patch = patch.as_deref();
    let outline = patch.map(|patch| &patch.geometry);
    let ledger = ledger(&record.assessment, &corrected, patch.map(|patch| patch.suspected_issue_class.name()));
    FindingData {
        schema_version: SCHEMA_VERSION,
        finding_id: record.finding_id.clone(),
        revision: record.revision,
        occurrence: record.occurrence,
        recurrence_of: (record.occurrence > 1)
            .then(|| format!("{}#{}", record.finding_id, record.occurrence.saturating_sub(1))),
        standing: record.standing.name().to_owned(),
        title: title(record, patch, &ledger, wording.synthetic),
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
        geometry: outline.map(GeoJsonPolygon::of),
        cgcs2000: outline.map(|outline| Cgcs2000::of(outline, patch.map(|patch| patch.centre))),
        pictures,
        provenance: record.patch.as_ref().map(provenance).unwrap_or_default(),
        closure: due.details.get("answer").and_then(|_| serde_json::from_value(due.details.clone()).ok()),
        reason: due.details.get("reason").and_then(Value::as_str).map(str::to_owned),
        ledger,
    }
}

/// The patch with the outline that the reviewer drew, where one was drawn.
fn as_drawn<'a>(patch: &'a Patch, outline: Option<&Value>) -> Cow<'a, Patch> {
    let Some(outline) = outline.and_then(|given| serde_json::from_value(given.clone()).ok()) else {
        return Cow::Borrowed(patch);
    };
    match redrawn(patch, outline) {
        Ok(drawn) => Cow::Owned(drawn),
        Err(fault) => {
            tracing::warn!(patch = patch.patch_id, %fault, "the corrected outline can't be measured; told as it was found");
            Cow::Borrowed(patch)
        }
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
    let sub_type = |of: &Map<String, Value>| of.get("sub_type").and_then(Value::as_str).and_then(SubType::of_code);
    let class = corrected.get("issue_class").and_then(Value::as_str);
    let class = class.or(sub_type(corrected).map(|sub_type| sub_type.issue_class().name()));
    // the sub-type of another class goes with the class
    if class.is_some_and(|class| sub_type(&ledger).is_some_and(|sub_type| sub_type.issue_class().name() != class)) {
        ledger.remove("sub_type");
    }
    ledger.extend(class.map(|class| ("issue_class".to_owned(), class.into())));
    for field in ["sub_type", "severity"] {
        ledger.extend(corrected.get(field).map(|value| (field.to_owned(), value.clone())));
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

fn title(record: &FindingRecord, patch: Option<&Patch>, ledger: &Map<String, Value>, synthetic: bool) -> String {
    let text = |name: &str| ledger.get(name).and_then(Value::as_str);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(text("number").map(str::to_owned));
    parts.extend(text("issue_class").map(str::to_owned));
    if let Some(patch) = patch {
        parts.push(format!("{}, {:.0} m²", patch.object_class, patch.area_m2));
        parts.push(text("river_name").map_or_else(|| patch.reach_name.clone(), str::to_owned));
        parts.push(patch.post_date.strftime("%Y-%m-%d").to_string());
    }
    parts.push(record.finding_id.clone());
    format!("{}{}", if synthetic { "[painted, not real] " } else { "" }, parts.join(" · "))
}

fn seen(patch: &Patch) -> Seen {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_reviewer_corrected_goes_before_the_rules() {
        let map = |value: Value| value.as_object().cloned().unwrap_or_default();
        let assessed =
            map(json!({ "issue_class": "mining", "sub_type": "2a", "severity": "major", "chief_city": "x" }));
        let told = |corrected: Value| Value::Object(ledger(&assessed, &map(corrected), Some("mining")));
        assert_eq!(told(json!({})), json!({ "issue_class": "mining", "sub_type": "2a", "severity": "major" }));
        assert_eq!(told(json!({ "issue_class": "dumping" })), json!({ "issue_class": "dumping", "severity": "major" }));
        assert_eq!(
            told(json!({ "sub_type": "3b", "severity": "general" })),
            json!({ "issue_class": "dumping", "sub_type": "3b", "severity": "general" })
        );
        assert_eq!(
            told(json!({ "issue_class": "mining" })),
            json!({ "issue_class": "mining", "sub_type": "2a", "severity": "major" })
        );
    }
}
