//! Who looks at which patch now: handed out by the server, so that nobody sees a locked one.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::queue::{QueueQuery, row_json};
use super::visible;
use crate::access::identity::Identity;
use crate::problem::Problem;
use crate::server::App;

/// Which patch is next.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NextRequest {
    /// Of which patches.
    filter: QueueQuery,
    /// Not these: the one that is shown already, and those that were skipped.
    without: Vec<String>,
}

/// Hands out the next free patch, with a lease.
#[utoipa::path(post, path = "/api/next", tag = "queue", request_body = NextRequest, responses(
    (status = 200, description = "The patch and the lease; `patch` is null where nothing waits", body = Object)))]
pub async fn next(
    State(app): State<Arc<App>>,
    identity: Identity,
    body: Result<Json<NextRequest>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    let now = Timestamp::now();
    let mut filter = asked.filter.filter(&identity, now)?;
    filter.without = asked.without.into_iter().take(50).collect();
    let (code, duration) = (identity.code().to_owned(), app.settings.lease);
    let found = app.stores.write(move |store| store.next_in_queue(&filter, &code, duration, now)).await?;
    Ok(Json(match found {
        Some((row, lease)) => json!({ "patch": row_json(&row), "expires_at": lease.expires_at.to_string() }),
        None => json!({ "patch": null, "expires_at": null }),
    }))
}

/// Takes or renews the lease of one patch.
#[utoipa::path(post, path = "/api/patches/{patch_id}/lease", tag = "queue", params(("patch_id" = String, Path)), responses(
    (status = 200, description = "Until when", body = Object), (status = 409, description = "Somebody else looks at it", body = Problem)))]
pub async fn take(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let (code, duration, now) = (identity.code().to_owned(), app.settings.lease, Timestamp::now());
    let lease = app.stores.write(move |store| store.take_lease(&patch_id, &code, duration, now)).await?;
    if lease.account != identity.code() {
        return Err(Problem::conflict("leased", "somebody else looks at this patch now; take the next one"));
    }
    Ok(Json(json!({ "expires_at": lease.expires_at.to_string() })))
}

/// Gives a lease back.
#[utoipa::path(delete, path = "/api/patches/{patch_id}/lease", tag = "queue", params(("patch_id" = String, Path)), responses((status = 204, description = "Given back")))]
pub async fn give_back(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(patch_id): Path<String>,
) -> Result<StatusCode, Problem> {
    visible(&app, &identity, &patch_id).await?;
    let code = identity.code().to_owned();
    app.stores.write(move |store| store.give_lease_back(&patch_id, &code)).await?;
    Ok(StatusCode::NO_CONTENT)
}
