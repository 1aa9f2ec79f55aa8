//! One verdict on many patches: a selection, or all that wait of one pass.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict, RejectionReason};
use shorewatch_domain::digest::Digest;

use super::decisions::by_name;
use super::queue::named_verdict;
use super::visible;
use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;

/// Patches of one selection.
const MOST_PATCHES: usize = 500;

/// One patch of a selection.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// The patch.
    patch_id: String,
    /// Version of its state that was looked at.
    on_version: u64,
}

/// A verdict on a selection.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// Made by the client: the same one again is the same bulk decision.
    batch_id: String,
    /// The patches, 500 at most.
    patches: Vec<Selected>,
    /// Any verdict but duplicate.
    verdict: String,
    /// Of a rejection.
    #[serde(default)]
    reason: Option<String>,
    /// What else there is to say.
    #[serde(default)]
    note: String,
}

/// Bad imagery of a whole pass.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BadImageryRequest {
    /// Made by the client.
    batch_id: String,
    /// What is wrong with it.
    #[serde(default)]
    note: String,
}

/// The identity of one decision of a batch.
fn decision_id(batch_id: &str, patch_id: &str) -> String {
    Digest::of_bytes(format!("{batch_id} {patch_id}").as_bytes()).to_string()[..40].to_owned()
}

struct Batch {
    id: String,
    verdict: DecisionVerdict,
    reason: Option<RejectionReason>,
    note: String,
}

fn check_batch_id(batch_id: &str) -> Result<(), Problem> {
    let fine = (8..=64).contains(&batch_id.len())
        && batch_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if fine { Ok(()) } else { Err(Problem::bad("batch_id: expected 8 to 64 letters, digits, - and _")) }
}

/// Decides on a selection. What somebody decided meanwhile, or looks at now, is left out and told by name; all else is decided
/// in one transaction.
#[utoipa::path(post, path = "/api/bulk", tag = "decisions", request_body = BulkRequest, responses(
    (status = 200, description = "Which were decided on, and which were left out and why: `leased` or `stale`", body = Object),
    (status = 422, description = "A rejection without a reason, …", body = Problem)))]
pub async fn decide(
    State(app): State<Arc<App>>,
    identity: Identity,
    body: Result<Json<BulkRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    check_batch_id(&asked.batch_id)?;
    if asked.patches.is_empty() || asked.patches.len() > MOST_PATCHES {
        return Err(Problem::bad(format!("patches: expected 1 to {MOST_PATCHES}")));
    }
    let verdict = named_verdict(&asked.verdict)?;
    if verdict == DecisionVerdict::Duplicate {
        return Err(Problem::bad("verdict: a selection can't repeat one patch; decide one by one"));
    }
    for selected in &asked.patches {
        visible(&app, &identity, &selected.patch_id).await?;
    }
    let reason = by_name("reason", asked.reason, &RejectionReason::ALL, RejectionReason::name)?;
    let batch = Batch { id: asked.batch_id, verdict, reason, note: asked.note };
    record(&app, &identity, batch, Some(asked.patches), None).await
}

/// Says of every patch of a pass that waits, within the scope, that its imagery allows no verdict.
#[utoipa::path(post, path = "/api/passes/{pass_id}/bad-imagery", tag = "decisions", params(("pass_id" = String, Path)),
    request_body = BadImageryRequest, responses((status = 200, description = "How many were decided on", body = Object)))]
pub async fn bad_imagery(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(pass_id): Path<String>,
    body: Result<Json<BadImageryRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    check_batch_id(&asked.batch_id)?;
    let batch = Batch { id: asked.batch_id, verdict: DecisionVerdict::BadImagery, reason: None, note: asked.note };
    record(&app, &identity, batch, None, Some(pass_id)).await
}

async fn record(
    app: &Arc<App>,
    identity: &Identity,
    batch: Batch,
    selected: Option<Vec<Selected>>,
    pass_id: Option<String>,
) -> Result<Json<Value>, Problem> {
    let (reviewer, scope, rules, now) =
        (identity.code().to_owned(), identity.scope().clone(), app.settings.rules, Timestamp::now());
    let done = app.stores.write(move |store| {
        let wanted = match (selected, pass_id) {
            (Some(selected), _) => selected,
            (None, Some(pass_id)) => {
                let mut waiting = Vec::new();
                for patch_id in store.waiting_of_pass(&pass_id, &scope)? {
                    let on_version = store.patch_review(&patch_id)?.version;
                    waiting.push(Selected { patch_id, on_version });
                }
                waiting
            }
            (None, None) => Vec::new(),
        };
        let mut decisions = Vec::with_capacity(wanted.len());
        let mut left_out = Vec::new();
        for Selected { patch_id, on_version } in wanted {
            let decision_id = decision_id(&batch.id, &patch_id);
            // the same selection again, as after a lost answer, is the same decision
            let repeated = store.decision(&decision_id)?.is_some();
            let review = store.patch_review(&patch_id)?;
            let held = store.lease_of(&patch_id, now)?;
            let in_the_way = match held {
                _ if repeated => None,
                _ if review.version != on_version => Some("stale"),
                Some(lease) if lease.account != reviewer => Some("leased"),
                _ => None,
            };
            if let Some(why) = in_the_way {
                left_out.push(json!({
                    "patch_id": patch_id, "why": why, "verdict": review.verdict.map(DecisionVerdict::name),
                }));
                continue;
            }
            decisions.push(Decision {
                decision_id,
                case_id: store.case_of_patch(&patch_id)?,
                patch_id,
                verdict: Some(batch.verdict),
                reason: batch.reason,
                note: batch.note.clone(),
                corrected: Correction::default(),
                duplicate_of: None,
                reviewer: reviewer.clone(),
                decided_at: now,
                on_version,
                seconds: None,
                source: DecisionSource::Bulk,
            });
        }
        let recorded = store.record_decisions(&decisions, &rules, now)?;
        let new = recorded.iter().filter(|recorded| !recorded.repeated).count();
        let ids: Vec<String> = decisions.into_iter().map(|decision| decision.patch_id).collect();
        Ok((new, ids, left_out))
    });
    let (new, patch_ids, left_out) = done.await?;
    app.metrics.decisions.fetch_add(new as u64, Ordering::Relaxed);
    app.metrics.conflicts.fetch_add(left_out.len() as u64, Ordering::Relaxed);
    Ok(Json(json!({ "decided": new, "patch_ids": patch_ids, "left_out": left_out })))
}
