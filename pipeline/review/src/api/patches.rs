//! One patch, with everything that a reviewer asks about it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde_json::{Value, json};
use shorewatch_domain::access::Right;
use shorewatch_domain::decision::{Decision, DecisionVerdict, RejectionReason};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::assessment::{Severity, SubType};
use shorewatch_domain::pass::{Pass, PassState};
use shorewatch_store::{ReviewRequest, Store, StoreError, StoredPatch};

use super::decisions::review_json;
use super::{polygon_json, visible};
use crate::access::identity::Identity;
use crate::imagery::first::first_extent;
use crate::imagery::{LEVELS, NATIVE_LEVEL, TILE_PX, projected_bounds};
use crate::problem::Problem;
use crate::server::App;

/// Columns of an assessment that name officials.
const OFFICIALS: [&str; 4] = ["chief_city", "chief_county", "chief_town", "chief_village"];

/// Columns of an assessment that explain it, and name officials line by line.
const EXPLANATIONS: [&str; 2] = ["explanation_text", "explanation_text_zh"];

/// Takes the names of officials out of an assessment, and every line of its explanation that holds one.
fn forget_officials(assessment: &mut serde_json::Map<String, Value>) {
    let names: Vec<Value> = OFFICIALS.iter().filter_map(|column| assessment.remove(*column)).collect();
    let names: Vec<&str> = names.iter().filter_map(Value::as_str).filter(|name| !name.is_empty()).collect();
    for column in EXPLANATIONS {
        if let Some(Value::String(text)) = assessment.get_mut(column) {
            let kept = text.lines().filter(|line| !names.iter().any(|name| line.contains(name)));
            *text = kept.collect::<Vec<_>>().join("\n");
        }
    }
}

/// A patch with its two dates.
pub struct Shown {
    /// The patch.
    pub stored: StoredPatch,
    /// Passes that show its place, earliest first.
    pub passes: Vec<Pass>,
    /// Positions of the earlier and the later date among them.
    pub dates: Option<[usize; 2]>,
    /// Why it is shown again, latest first; empty where it waits for the first time.
    pub requests: Vec<ReviewRequest>,
}

impl Shown {
    /// The two passes that were compared.
    #[must_use]
    pub fn pair(&self) -> Option<[&Pass; 2]> {
        self.dates.map(|[pre, post]| [&self.passes[pre], &self.passes[post]])
    }
}

/// Reads a patch and the passes that show its place.
///
/// # Errors
/// There is no such patch.
pub async fn shown(app: &Arc<App>, patch_id: &str) -> Result<Shown, Problem> {
    let id = patch_id.to_owned();
    let read = app.stores.read(move |store| Ok((store.current_patch(&id)?, store.review_requests(&id)?)));
    let (stored, requests) = read.await?;
    let stored = stored.ok_or_else(|| Problem::not_found("patch"))?;
    let ids = [stored.patch.pre_pass_id, stored.patch.post_pass_id];
    // a pass that is why the patch is shown again may have come a moment ago
    let wanted: Vec<Digest> = ids.into_iter().chain(requests.iter().map(|request| request.pass_id)).collect();
    let passes = app.passes(&wanted).await?;
    let shows = |pass: &Pass| {
        ids.contains(&pass.id)
            || (pass.state == PassState::Ready
                && pass.acquired.is_some()
                && holds(&pass.footprint, stored.patch.centre))
    };
    let passes: Vec<Pass> = passes.iter().filter(|pass| shows(pass)).cloned().collect();
    let at = |id| passes.iter().position(|pass| pass.id == id);
    let dates = at(ids[0]).zip(at(ids[1])).map(|(pre, post)| [pre, post]);
    Ok(Shown { stored, passes, dates, requests })
}

/// Whether a ring holds a point (even-odd).
fn holds(ring: &[(f64, f64)], (x, y): (f64, f64)) -> bool {
    let edges = ring.iter().zip(ring.iter().skip(1));
    let crossed =
        edges.filter(|((x1, y1), (x2, y2))| (*y1 > y) != (*y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1);
    crossed.count() % 2 == 1
}

/// Everything about a patch: outline, dates, why it was raised, where it stands, its case, and how its imagery is asked for.
#[utoipa::path(get, path = "/api/patches/{patch_id}", tag = "patches", params(("patch_id" = String, Path)), responses(
    (status = 200, description = "The patch", body = Object), (status = 404, description = "Not in the scope", body = Problem)))]
pub async fn detail(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let shown = shown(&app, &patch_id).await?;
    let now = Timestamp::now();
    let id = patch_id.clone();
    let read = app.stores.read(move |store| {
        let case_id = store.case_of_patch(&id)?;
        let case = match case_id {
            Some(case_id) => {
                let events = store.case_events(&case_id)?;
                Some((case_id, events))
            }
            None => None,
        };
        Ok((
            store.patch_review(&id)?,
            told_decisions(store, &id)?,
            store.assessment_of(&id)?,
            case,
            store.lease_of(&id, now)?,
            store.field_photos(&id)?,
        ))
    });
    let (review, decisions, assessment, case, lease, photos) = read.await?;
    let patch = &shown.stored.patch;
    let bounds = projected_bounds(patch).map_err(Problem::from)?;
    let extent = first_extent(patch)?;
    let bands = shown.pair().map(|pair| app.imagery.bands_of(&pair)).unwrap_or_default();
    let corrected = decisions
        .iter()
        .rev()
        .map(|(made, _)| made)
        .find(|made| made.decision_id == review.decision_id.clone().unwrap_or_default());
    let mut assessment = assessment.unwrap_or_default();
    if !identity.may(Right::SeeOfficials) {
        forget_officials(&mut assessment);
    }
    let explanation = explanation(&mut assessment);
    let passes: Vec<Value> = shown
        .passes
        .iter()
        .map(|pass| {
            json!({
                "pass_id": pass.id.to_string(),
                "name": pass.name,
                "sensor": pass.sensor,
                "acquired_at": pass.acquired.map(|time| time.at.to_string()),
                "label": pass.acquired.map(|time| time.label()),
                "bands": app.imagery.bands_of(&[pass]).iter().map(|bands| bands.name()).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(Json(json!({
        "patch_id": patch.patch_id,
        "reach_id": patch.reach_id,
        "reach_name": patch.reach_name,
        "object_class": patch.object_class,
        "change_type": patch.change_type,
        "issue_class": assessment.get("issue_class").and_then(Value::as_str).unwrap_or(patch.suspected_issue_class.name()),
        "area_m2": patch.area_m2,
        "perimeter_m": patch.perimeter_m,
        "centre": [patch.centre.0, patch.centre.1],
        "geometry": polygon_json(&patch.geometry),
        "bounds": bounds,
        "confidence": patch.confidence,
        "valid_fraction": patch.valid_fraction,
        "review_score": patch.review_score,
        "evidence": patch.evidence,
        "coreg_rmse_px": patch.coreg_rmse_px,
        "model": format!("{} {}", patch.model_name, patch.model_version),
        "pre": { "pass_id": patch.pre_pass_id.to_string(), "date": patch.pre_date.to_string(), "sensor": patch.pre_sensor },
        "post": { "pass_id": patch.post_pass_id.to_string(), "date": patch.post_date.to_string(), "sensor": patch.post_sensor },
        "grid": { "epsg": patch.grid_epsg.0, "metres": patch.ground_sampling_distance_m, "native_level": NATIVE_LEVEL,
            "levels": [LEVELS.start(), LEVELS.end()], "tile_px": TILE_PX },
        "bands": bands.iter().map(|bands| bands.name()).collect::<Vec<_>>(),
        "passes": passes,
        "first": bands.first().map(|bands| json!({ "bands": bands.name(), "extent": extent })),
        "shown_again": shown.requests.iter().map(request_json).collect::<Vec<_>>(),
        "assessment": assessment,
        "explanation": explanation,
        "review": review_json(&review),
        "corrected": corrected.map(correction_json),
        "decisions": decisions.iter().map(|(made, part)| {
            let mut told = decision_json(made);
            told["split_off"] = json!(part);
            told
        }).collect::<Vec<_>>(),
        "case": case.map(|(case_id, events)| json!({
            "case_id": case_id,
            "events": events.iter().map(|point| json!({
                "pass_id": point.pass_id.to_string(), "date": point.date.to_string(), "event": point.event.name(), "area_m2": point.area_m2,
                "observed_fraction": point.observed_fraction, "patch_id": point.patch_id,
            })).collect::<Vec<_>>(),
        })),
        "lease": lease.map(|lease| json!({ "mine": lease.account == identity.code(), "expires_at": lease.expires_at.to_string() })),
        "photos": photos.iter().map(|photo| json!({
            "photo_id": photo.photo_id, "taken_at": photo.taken_at, "position": photo.position.map(|(x, y)| [x, y]),
        })).collect::<Vec<_>>(),
    })))
}

/// Decisions on a patch, each with the part that it split off.
fn told_decisions(store: &Store, patch_id: &str) -> Result<Vec<(Decision, Option<String>)>, StoreError> {
    let decisions = store.decisions_on(patch_id)?.into_iter();
    decisions.map(|made| store.split_part(&made).map(|part| (made, part))).collect()
}

/// Why it is shown again, as the page tells it.
fn request_json(request: &ReviewRequest) -> Value {
    json!({
        "reason": request.reason,
        "finding_id": request.finding_id,
        "acquired_at": request.acquired_at.map(|time| time.to_string()),
        "closed_at": request.closed_at.map(|time| time.to_string()),
        "created_at": request.created_at.to_string(),
    })
}

/// The explanation of the law's rules: its text and its parts; taken out of the assessment's columns.
fn explanation(assessment: &mut serde_json::Map<String, Value>) -> Value {
    let parts = assessment.remove("explanation");
    let text = assessment.remove("explanation_text");
    let chinese = assessment.remove("explanation_text_zh");
    let parts = parts.as_ref().and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({ "text": text, "text_zh": chinese, "parts": parts })
}

fn correction_json(decision: &Decision) -> Value {
    json!({
        "issue_class": decision.corrected.issue_class.map(shorewatch_domain::classes::IssueClass::name),
        "sub_type": decision.corrected.sub_type.map(SubType::code),
        "severity": decision.corrected.severity.map(Severity::name),
        "geometry": decision.corrected.geometry.as_ref().map(polygon_json),
    })
}

/// A decision as the page and exports show it.
#[must_use]
pub fn decision_json(decision: &Decision) -> Value {
    json!({
        "decision_id": decision.decision_id,
        "patch_id": decision.patch_id,
        "verdict": decision.verdict.map(DecisionVerdict::name),
        "reason": decision.reason.map(RejectionReason::name),
        "note": decision.note,
        "corrected": correction_json(decision),
        "duplicate_of": decision.duplicate_of,
        "reviewer": decision.reviewer,
        "decided_at": decision.decided_at.to_string(),
        "on_version": decision.on_version,
        "seconds": decision.seconds,
        "source": decision.source.name(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_holds_what_lies_inside() {
        let ring = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0), (0.0, 0.0)];
        assert!(holds(&ring, (1.0, 1.0)) && holds(&ring, (3.5, 2.5)));
        assert!(!holds(&ring, (2.0, 3.0)) && !holds(&ring, (5.0, 1.0)) && !holds(&[], (0.0, 0.0)));
    }
}
