//! Deciding, and taking back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict, RejectionReason};
use shorewatch_domain::law::assessment::{Severity, SubType};
use shorewatch_domain::patch::Patch;
use shorewatch_store::{PatchReview, RecordedDecision, Store, StoreError};

use super::queue::named_verdict;
use super::{polygon_of, visible};
use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;
use crate::split;

/// What was corrected.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CorrectionRequest {
    /// Issue class.
    issue_class: Option<String>,
    /// Official sub-type by its code: 1a to 4c, of the class.
    sub_type: Option<String>,
    /// Severity.
    severity: Option<String>,
    /// Outline: a GeoJSON Polygon in CGCS2000 (longitude, latitude).
    #[schema(value_type = Option<Object>)]
    geometry: Option<Value>,
}

impl CorrectionRequest {
    fn read(self) -> Result<Correction, Problem> {
        Ok(Correction {
            issue_class: by_name("issue_class", self.issue_class, &IssueClass::ALL, IssueClass::name)?,
            sub_type: by_name("sub_type", self.sub_type, &SubType::ALL, SubType::code)?,
            severity: by_name("severity", self.severity, &Severity::ALL, Severity::name)?,
            geometry: self.geometry.as_ref().map(polygon_of).transpose()?,
        })
    }
}

/// A decision on a patch.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// Made by the client: the same one again is the same decision.
    decision_id: String,
    /// problem, not_a_problem, under_watch, historical_harmless, unsure, bad_imagery, duplicate.
    verdict: String,
    /// Of a rejection: cloud_or_shadow, water_level, season_or_crop, permitted, misregistration, model_error, outside_scope, other.
    #[serde(default)]
    reason: Option<String>,
    /// What else there is to say.
    #[serde(default)]
    note: String,
    /// What was corrected.
    #[serde(default)]
    corrected: CorrectionRequest,
    /// What was cut off the outline (a GeoJSON Polygon in CGCS2000): it becomes a patch of its own in the queue. At the desk only;
    /// `corrected.geometry` is what is left.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    split_off: Option<Value>,
    /// The patch that it repeats.
    #[serde(default)]
    duplicate_of: Option<String>,
    /// Version of the patch's state that was looked at.
    on_version: u64,
    /// How long it was looked at.
    #[serde(default)]
    seconds: Option<f64>,
}

impl DecisionRequest {
    /// As the store records it.
    ///
    /// # Errors
    /// A word that means nothing.
    pub fn read(self, patch_id: String, reviewer: &str, source: DecisionSource) -> Result<Decision, Problem> {
        if self.split_off.is_some() && source != DecisionSource::Desk {
            return Err(Problem::bad("split_off: a patch is split at the desk only"));
        }
        if self.split_off.is_some() && self.corrected.geometry.is_none() {
            return Err(Problem::bad("split_off: expected corrected.geometry with what is left of the patch"));
        }
        Ok(Decision {
            decision_id: self.decision_id,
            patch_id,
            case_id: None,
            verdict: Some(named_verdict(&self.verdict)?),
            reason: by_name("reason", self.reason, &RejectionReason::ALL, RejectionReason::name)?,
            note: self.note,
            corrected: self.corrected.read()?,
            duplicate_of: self.duplicate_of,
            reviewer: reviewer.to_owned(),
            decided_at: Timestamp::now(),
            on_version: self.on_version,
            seconds: self.seconds,
            source,
        })
    }
}

/// Takes a decision back.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoRequest {
    /// Made by the client: the same one again is the same undo.
    decision_id: String,
}

/// A value by its name.
///
/// # Errors
/// There is none of that name.
pub fn by_name<T: Copy>(
    field: &str,
    given: Option<String>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, Problem> {
    let Some(given) = given else { return Ok(None) };
    let found = all.iter().copied().find(|one| name(*one) == given);
    let expected = || all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
    found.map(Some).ok_or_else(|| Problem::bad(format!("{field}: expected one of {}", expected())))
}

/// Where a patch stands, as the page shows it.
#[must_use]
pub fn review_json(review: &PatchReview) -> Value {
    json!({
        "version": review.version,
        "state": review.state.name(),
        "verdict": review.verdict.map(DecisionVerdict::name),
        "reviewer": review.reviewer,
        "decided_at": review.decided_at.map(|time| time.to_string()),
        "held_until": review.held_until.map(|time| time.to_string()),
    })
}

/// Decides on a patch that the reviewer holds a lease of.
#[utoipa::path(post, path = "/api/patches/{patch_id}/decisions", tag = "decisions", params(("patch_id" = String, Path)),
    request_body = DecisionRequest, responses((status = 200, description = "Where the patch stands now", body = Object),
    (status = 409, description = "`lease_expired`, `leased`, or `stale`: somebody decided meanwhile", body = Problem),
    (status = 422, description = "A rejection without a reason, …", body = Problem)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
    body: Result<Json<DecisionRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    decide_on(&app, &identity, patch_id, asked, DecisionSource::Desk).await
}

/// Decides on a patch of the scope.
///
/// # Errors
/// There is no such patch in the scope; what can't be recorded: a stale version, a lease of somebody else.
pub async fn decide_on(
    app: &Arc<App>,
    identity: &Identity,
    patch_id: String,
    asked: DecisionRequest,
    source: DecisionSource,
) -> Result<Json<Value>, Problem> {
    visible(app, identity, &patch_id).await?;
    let cut = asked.split_off.as_ref().map(polygon_of).transpose()?;
    let decision = asked.read(patch_id, identity.code(), source)?;
    let part = match cut {
        Some(outline) => {
            let id = decision.patch_id.clone();
            let stored = app.stores.read(move |store| store.current_patch(&id)).await?;
            let stored = stored.ok_or_else(|| Problem::not_found("patch"))?;
            Some(split::part(&stored.patch, outline, &decision.decision_id)?)
        }
        None => None,
    };
    record(app, decision, part).await
}

/// A supervisor's second look at a decided patch.
#[utoipa::path(post, path = "/api/patches/{patch_id}/audit", tag = "decisions", params(("patch_id" = String, Path)),
    request_body = DecisionRequest, responses((status = 200, description = "Where the patch stands now", body = Object),
    (status = 409, description = "`own`: it was the supervisor's own decision; `stale`", body = Problem)))]
pub async fn audit(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
    body: Result<Json<DecisionRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    visible(&app, &identity, &patch_id).await?;
    let (id, code) = (patch_id.clone(), identity.code().to_owned());
    let review = app.stores.read(move |store| store.patch_review(&id)).await?;
    if review.reviewers.contains(&code) {
        return Err(Problem::conflict("own", "nobody audits their own decision"));
    }
    if review.reviewers.is_empty() {
        return Err(Problem::conflict("undecided", "nobody has decided on this patch yet"));
    }
    let decision = asked.read(patch_id, identity.code(), DecisionSource::Audit)?;
    record(&app, decision, None).await
}

/// Takes back the reviewer's last decision, whichever patch it was on.
#[utoipa::path(post, path = "/api/undo", tag = "decisions", request_body = UndoRequest, responses(
    (status = 200, description = "The patch, and where it stands now", body = Object), (status = 404, description = "Nothing to take back", body = Problem)))]
pub async fn undo(
    State(app): State<Arc<App>>,
    identity: Identity,
    body: Result<Json<UndoRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    let (code, id) = (identity.code().to_owned(), asked.decision_id.clone());
    // the same undo again, as after a lost answer, is about the same patch
    let last = app.stores.read(move |store| match store.decision(&id)? {
        Some(made) if made.reviewer == code => Ok(Some(made)),
        _ => store.last_decision_of(&code),
    });
    let last = last.await?.ok_or_else(|| Problem::not_found("decision to take back"))?;
    take_back(&app, &identity, last.patch_id, asked).await
}

/// Takes back the own decision on one patch.
#[utoipa::path(post, path = "/api/patches/{patch_id}/undo", tag = "decisions", params(("patch_id" = String, Path)), request_body = UndoRequest,
    responses((status = 200, description = "Where the patch stands now", body = Object), (status = 422, description = "Nothing to take back", body = Problem)))]
pub async fn undo_on(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
    body: Result<Json<UndoRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    take_back(&app, &identity, patch_id, asked).await
}

async fn take_back(
    app: &Arc<App>,
    identity: &Identity,
    patch_id: String,
    asked: UndoRequest,
) -> Result<Json<Value>, Problem> {
    visible(app, identity, &patch_id).await?;
    let (reviewer, rules, now) = (identity.code().to_owned(), app.settings.rules, Timestamp::now());
    let (lease, id) = (app.settings.lease, patch_id.clone());
    let done = app.stores.write(move |store| {
        let on_version = store.patch_review(&id)?.version;
        let undo = Decision {
            decision_id: asked.decision_id,
            patch_id: id.clone(),
            case_id: store.case_of_patch(&id)?,
            verdict: None,
            reason: None,
            note: String::new(),
            corrected: Correction::default(),
            duplicate_of: None,
            reviewer: reviewer.clone(),
            decided_at: now,
            on_version,
            seconds: None,
            source: DecisionSource::Desk,
        };
        let recorded = store.record_decision(&undo, &rules, now)?;
        // who takes something back wants to look at it again
        store.take_lease(&id, &reviewer, lease, now)?;
        Ok(recorded)
    });
    let recorded = done.await?;
    Ok(Json(json!({ "patch_id": patch_id, "review": review_json(&recorded.now), "repeated": recorded.repeated })))
}

/// What stands in the way of a decision.
enum Held {
    Recorded(Box<RecordedDecision>),
    Expired(PatchReview),
    Leased(PatchReview),
}

fn record_held(
    store: &mut Store,
    mut decision: Decision,
    part: Option<&Patch>,
    rules: &shorewatch_store::DecisionRules,
) -> Result<Held, StoreError> {
    let now = decision.decided_at;
    decision.case_id = store.case_of_patch(&decision.patch_id)?;
    let lease = store.lease_of(&decision.patch_id, now)?;
    let review = store.patch_review(&decision.patch_id)?;
    // that somebody decided meanwhile says more than that the time ran out
    let stale = review.version != decision.on_version;
    let known = store.decisions_on(&decision.patch_id)?.iter().any(|made| made.decision_id == decision.decision_id);
    match lease {
        Some(lease) if lease.account != decision.reviewer && !known && !stale => return Ok(Held::Leased(review)),
        // at the desk a patch is kept for who decides; who audits it or stands at the river needs no lease
        None if decision.source == DecisionSource::Desk && !known && !stale => return Ok(Held::Expired(review)),
        _ => {}
    }
    let recorded = match part {
        Some(part) => store.record_split(&decision, part, rules, now),
        None => store.record_decision(&decision, rules, now),
    };
    recorded.map(|recorded| Held::Recorded(Box::new(recorded)))
}

/// Records one decision, with the part that it cut off, and says what stood in the way.
///
/// # Errors
/// A lease that has run out or is another's; a stale version; whatever the store refuses.
async fn record(app: &Arc<App>, decision: Decision, part: Option<Patch>) -> Result<Json<Value>, Problem> {
    let (rules, id) = (app.settings.rules, decision.patch_id.clone());
    let part_id = part.as_ref().map(|part| part.patch_id.clone());
    let done = app.stores.write(move |store| record_held(store, decision, part.as_ref(), &rules)).await;
    let conflict = |problem: Problem| {
        app.metrics.conflicts.fetch_add(1, Ordering::Relaxed);
        problem
    };
    match done {
        Ok(Held::Recorded(recorded)) => {
            if !recorded.repeated {
                app.metrics.decisions.fetch_add(1, Ordering::Relaxed);
            }
            let review = review_json(&recorded.now);
            Ok(Json(json!({ "patch_id": id, "review": review, "repeated": recorded.repeated, "split_off": part_id })))
        }
        Ok(Held::Expired(review)) => Err(conflict(
            Problem::conflict(
                "lease_expired",
                "your time with this patch ran out; your draft is kept: take it up again",
            )
            .with_current(review_json(&review)),
        )),
        Ok(Held::Leased(review)) => Err(conflict(
            Problem::conflict("leased", "somebody else looks at this patch now; your draft is kept")
                .with_current(review_json(&review)),
        )),
        Err(problem) if problem.code == "stale" => {
            let review = app.stores.read(move |store| store.patch_review(&id)).await?;
            Err(conflict(problem.with_current(review_json(&review))))
        }
        Err(problem) => Err(problem),
    }
}
