//! Yield, agreement, the audit sample, and the decisions themselves for other programs.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use shorewatch_domain::access::Right;
use shorewatch_store::decisions::figures::YieldBy;

use super::patches::decision_json;
use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;

/// Which figures.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct YieldQuery {
    /// issue_class, county, reach, month, model or reviewer.
    by: String,
    /// Decided in the last so many days.
    #[param(maximum = 36500)]
    days: Option<u32>,
}

/// Confirmed of shown, with 95 % intervals. Who may not audit sees only their own among reviewers.
#[utoipa::path(get, path = "/api/figures/yield", tag = "figures", params(YieldQuery), responses((status = 200, description = "Groups, largest first", body = Object),
    (status = 400, description = "A word that means nothing", body = Problem)))]
pub async fn yields(
    State(app): State<Arc<App>>,
    identity: Identity,
    query: Result<Query<YieldQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let by: YieldBy = serde_json::from_value(Value::String(query.by))
        .map_err(|_| Problem::bad("by: expected issue_class, county, reach, month, model or reviewer"))?;
    let scope = identity.scope().clone();
    let own = (by == YieldBy::Reviewer && !identity.may(Right::Audit)).then(|| identity.code().to_owned());
    let since = query.days.map(|days| {
        Timestamp::now()
            .checked_sub(SignedDuration::from_hours(24 * i64::from(days.min(36_500))))
            .map_err(|_| Problem::bad("days: out of range"))
    });
    let since = since.transpose()?;
    let groups = app.stores.read(move |store| store.yields(by, &scope, since, own.as_deref())).await?;
    Ok(Json(json!({ "groups": groups })))
}

/// How reviewers agree on patches that more than one person decided on.
#[utoipa::path(get, path = "/api/figures/agreement", tag = "figures", responses((status = 200, description = "Share of equal verdicts and κ, by reviewer", body = Object)))]
pub async fn agreement(State(app): State<Arc<App>>, identity: Identity) -> Result<Json<Value>, Problem> {
    let scope = identity.scope().clone();
    let reviewers = app.stores.read(move |store| store.agreements(&scope)).await?;
    Ok(Json(json!({ "reviewers": reviewers })))
}

/// Which sample.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SampleQuery {
    /// Share of decided patches in percent.
    #[param(minimum = 0, maximum = 100)]
    percent: f64,
    /// Another word draws another sample.
    seed: Option<String>,
    /// Only "not a problem".
    rejected_only: Option<bool>,
}

/// Decided patches to look at again: drawn, not chosen.
#[utoipa::path(get, path = "/api/audit/sample", tag = "figures", params(SampleQuery), responses((status = 200, description = "Ids of patches", body = Object),
    (status = 400, description = "No such share", body = Problem)))]
pub async fn sample(
    State(app): State<Arc<App>>,
    identity: Identity,
    query: Result<Query<SampleQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    if !(0.0..=100.0).contains(&query.percent) {
        return Err(Problem::bad("percent: expected 0 to 100"));
    }
    let seed =
        query.seed.filter(|seed| !seed.is_empty()).unwrap_or_else(|| Timestamp::now().strftime("%Y-%m").to_string());
    let (scope, code, only) =
        (identity.scope().clone(), identity.code().to_owned(), query.rejected_only.unwrap_or(false));
    let drawn = seed.clone();
    let ids =
        app.stores.read(move |store| store.audit_sample(&scope, &code, query.percent / 100.0, &drawn, only)).await?;
    Ok(Json(json!({ "seed": seed, "patch_ids": ids })))
}

/// Every decision on patches of the scope, undos too, in the order of recording.
#[utoipa::path(get, path = "/api/export/decisions", tag = "figures", responses((status = 200, description = "Decisions", body = Object)))]
pub async fn export(State(app): State<Arc<App>>, identity: Identity) -> Result<Json<Value>, Problem> {
    let scope = identity.scope().clone();
    let read = app.stores.read(move |store| {
        let mut decisions = store.recorded_decisions()?;
        if !scope.is_all() {
            let mut kept = Vec::new();
            for decision in decisions {
                if store.patch_in_scope(&decision.patch_id, &scope)? == Some(true) {
                    kept.push(decision);
                }
            }
            decisions = kept;
        }
        Ok(decisions)
    });
    let decisions = read.await?;
    Ok(Json(json!({ "decisions": decisions.iter().map(decision_json).collect::<Vec<_>>() })))
}
