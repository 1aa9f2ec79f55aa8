//! The queue, page by page.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::decision::state::ReviewState;
use shorewatch_store::decisions::queue::{QueueFilter, QueueKey, QueueRow};

use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;

/// Rows of a page.
const MOST_ROWS: usize = 200;

/// Which patches. What is left out does not matter.
#[derive(Clone, Debug, Default, Deserialize, Serialize, utoipa::IntoParams, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct QueueQuery {
    /// Issue class: occupation, mining, dumping, construction, undetermined.
    pub class: Option<String>,
    /// Severity: general, serious, major.
    pub severity: Option<String>,
    /// Managed reach.
    pub reach: Option<String>,
    /// County, 6 digits.
    pub county: Option<String>,
    /// Sensor of the later pass.
    pub sensor: Option<String>,
    /// Where they stand: open, second_opinion, third_opinion, disputed, decided.
    pub state: Option<String>,
    /// Verdict, of decided ones.
    pub verdict: Option<String>,
    /// Acquired in the last so many days.
    #[param(maximum = 36500)]
    pub newer_than_days: Option<u32>,
    /// Acquired before the last so many days.
    #[param(maximum = 36500)]
    pub older_than_days: Option<u32>,
    /// Only those that the account itself decided on, or looks at now.
    pub mine: Option<bool>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Rows, 200 at most.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<usize>,
}

impl QueueQuery {
    /// As the store reads it.
    ///
    /// # Errors
    /// A word that means nothing.
    pub fn filter(&self, identity: &Identity, now: Timestamp) -> Result<QueueFilter, Problem> {
        let day = |days: u32| {
            now.checked_sub(SignedDuration::from_hours(24 * i64::from(days.min(36_500))))
                .map_err(|_| Problem::bad("days: out of range"))
        };
        let state = self.state.as_deref().filter(|state| !state.is_empty()).map(named_state).transpose()?;
        Ok(QueueFilter {
            scope: identity.scope().clone(),
            decided: state == Some(ReviewState::Decided),
            state,
            issue_class: given(self.class.as_ref()),
            severity: given(self.severity.as_ref()),
            reach_id: given(self.reach.as_ref()),
            county: given(self.county.as_ref()),
            sensor: given(self.sensor.as_ref()),
            verdict: self.verdict.as_deref().filter(|verdict| !verdict.is_empty()).map(named_verdict).transpose()?,
            since: self.newer_than_days.map(day).transpose()?,
            until: self.older_than_days.map(day).transpose()?,
            mine: self.mine.unwrap_or(false),
            without: Vec::new(),
            after: self.after.as_deref().filter(|after| !after.is_empty()).map(key_of).transpose()?,
        })
    }
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn named_state(text: &str) -> Result<ReviewState, Problem> {
    let found = ReviewState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or_else(|| Problem::bad("state: expected open, second_opinion, third_opinion, disputed or decided"))
}

/// A verdict by its name.
///
/// # Errors
/// There is none of that name.
pub fn named_verdict(text: &str) -> Result<DecisionVerdict, Problem> {
    let names = || DecisionVerdict::ALL.map(DecisionVerdict::name).join(", ");
    let found = DecisionVerdict::ALL.into_iter().find(|verdict| verdict.name() == text);
    found.ok_or_else(|| Problem::bad(format!("verdict: expected one of {}", names())))
}

fn key_of(text: &str) -> Result<QueueKey, Problem> {
    let parsed = text.split_once('_').and_then(|(priority, fid)| {
        Some(QueueKey {
            priority: priority.parse().ok().filter(|priority: &f64| priority.is_finite())?,
            fid: fid.parse().ok()?,
        })
    });
    parsed.ok_or_else(|| Problem::bad("after: expected what the page before gave"))
}

fn text_of(key: QueueKey) -> String {
    format!("{:e}_{}", key.priority, key.fid)
}

/// A row as the page shows it.
#[must_use]
pub fn row_json(row: &QueueRow) -> Value {
    json!({
        "patch_id": row.patch_id,
        "version": row.version,
        "shown_again": row.shown_again,
        "state": row.state.name(),
        "verdict": row.verdict.map(DecisionVerdict::name),
        "issue_class": row.issue_class,
        "severity": row.severity,
        "reach_id": row.reach_id,
        "reach_name": row.reach_name,
        "object_class": row.object_class,
        "area_m2": row.area_m2,
        "county": row.county,
        "sensor": row.sensor,
        "post_date": row.post_date.to_string(),
        "priority": row.key.priority,
        "centre": [row.centre.0, row.centre.1],
    })
}

/// A page of the queue, highest priority first.
#[utoipa::path(get, path = "/api/queue", tag = "queue", params(QueueQuery), responses(
    (status = 200, description = "Rows, and where the next page begins", body = Object), (status = 400, description = "A word that means nothing", body = Problem)))]
pub async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    query: Result<Query<QueueQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query?;
    let now = Timestamp::now();
    let filter = query.filter(&identity, now)?;
    let limit = query.limit.unwrap_or(50).clamp(1, MOST_ROWS);
    let code = identity.code().to_owned();
    let rows = app.stores.read(move |store| store.queue(&filter, &code, now, limit)).await?;
    let after = rows.last().filter(|_| rows.len() == limit).map(|row| text_of(row.key));
    Ok(Json(json!({ "rows": rows.iter().map(row_json).collect::<Vec<_>>(), "after": after })))
}

/// Values that patches which wait have, for the filters.
#[utoipa::path(get, path = "/api/queue/filters", tag = "queue", responses((status = 200, description = "Values and counts, by column", body = Object)))]
pub async fn filters(State(app): State<Arc<App>>, identity: Identity) -> Result<Json<Value>, Problem> {
    let scope = identity.scope().clone();
    let values = app.stores.read(move |store| store.queue_values(&scope)).await?;
    let mut columns = serde_json::Map::new();
    for (column, value, count) in values {
        let list = columns.entry(column).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(json!({ "value": value, "count": count }));
        }
    }
    Ok(Json(Value::Object(columns)))
}

/// How much is left.
#[utoipa::path(get, path = "/api/queue/counts", tag = "queue", responses((status = 200, description = "Waiting, decided, and mine of today", body = Object)))]
pub async fn counts(State(app): State<Arc<App>>, identity: Identity) -> Result<Json<Value>, Problem> {
    let (scope, code, now) = (identity.scope().clone(), identity.code().to_owned(), Timestamp::now());
    let counts = app.stores.read(move |store| store.queue_counts(&scope, &code, now)).await?;
    Ok(Json(json!({ "waiting": counts.waiting, "decided": counts.decided, "mine_today": counts.mine_today })))
}
