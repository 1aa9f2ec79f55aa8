//! Logging in by the identity provider.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shorewatch_store::accounts::SessionKind;

use super::sessions::{self, set_cookie};
use crate::access::guard::address;
use crate::access::identity::cookie_of;
use crate::access::provider::admission::admit;
use crate::access::provider::refused::Refused;
use crate::access::provider::{Answer, CALLBACK, PATIENCE, Provider};
use crate::problem::Problem;
use crate::server::App;

/// Name of the cookie that a browser holds until it is back from the provider. The provider sends it back from another site: a
/// strict cookie would not come along.
const FLOW_COOKIE: &str = "shorewatch_log_in";

/// The identity provider, where there is one.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProviderView {
    /// What the button says.
    name: Option<String>,
}

/// Where to go.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ProviderAddress {
    /// Address of the provider.
    address: String,
}

fn configured(app: &App) -> Result<&Provider, Problem> {
    let missing = || Problem::new(StatusCode::NOT_FOUND, "not_found", "no identity provider is configured");
    app.provider.as_ref().ok_or_else(missing)
}

/// Which identity provider lets people in beside passwords.
#[utoipa::path(get, path = "/api/session/provider", tag = "session", responses((status = 200, description = "Its name, or none", body = ProviderView)))]
pub async fn show(State(app): State<Arc<App>>) -> Json<ProviderView> {
    Json(ProviderView { name: app.provider.as_ref().map(|provider| provider.settings.name.clone()) })
}

/// Begins a log-in at the identity provider: a cookie, and where the browser goes.
#[utoipa::path(post, path = "/api/session/provider", tag = "session", responses(
    (status = 200, description = "Where to go", body = ProviderAddress), (status = 404, description = "No provider is configured", body = Problem),
    (status = 429, description = "Too many attempts", body = Problem), (status = 503, description = "The provider does not answer", body = Problem)))]
pub async fn begin(State(app): State<Arc<App>>, parts: Parts) -> Result<impl IntoResponse, Problem> {
    let provider = configured(&app)?;
    if !app.log_ins.take(&address(&app, &parts), Instant::now()) {
        return Err(Refused::TooMany.into());
    }
    let begun = provider.begin().await?;
    let age = SignedDuration::try_from(PATIENCE).unwrap_or_default();
    let cookie = HeaderMap::from_iter(flow_cookie(&app, &begun.cookie, age));
    Ok((cookie, Json(ProviderAddress { address: begun.address.to_string() })))
}

fn flow_cookie(app: &App, value: &str, age: SignedDuration) -> Option<(HeaderName, HeaderValue)> {
    set_cookie(app, FLOW_COOKIE, value, &format!("{CALLBACK}; HttpOnly; SameSite=Lax"), age)
}

/// Where the identity provider sends the browser back to: it goes on to the page, with a session or with the reason why there is
/// none (`#refused=…`).
#[utoipa::path(get, path = "/api/session/provider/callback", tag = "session", params(Answer), responses(
    (status = 303, description = "To the page"), (status = 404, description = "No provider is configured", body = Problem)))]
pub async fn finish(
    State(app): State<Arc<App>>,
    parts: Parts,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, Problem> {
    let provider = configured(&app)?;
    // nothing of what came is repeated: the page is the only place to go on to
    let to = |place: &str| [(header::LOCATION, HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/")))];
    match enter(&app, provider, &parts, answer).await? {
        Ok(session) => {
            let mut response = (StatusCode::SEE_OTHER, to("/"), session).into_response();
            if let Some((name, over)) = flow_cookie(&app, "", SignedDuration::ZERO) {
                response.headers_mut().append(name, over);
            }
            Ok(response)
        }
        Err(refused) => {
            app.metrics.failed_log_ins.fetch_add(1, Ordering::Relaxed);
            Ok((StatusCode::SEE_OTHER, to(&format!("/#refused={}", refused.code()))).into_response())
        }
    }
}

/// The cookie of a new session, or why there is none.
async fn enter(
    app: &Arc<App>,
    provider: &Provider,
    parts: &Parts,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Result<HeaderMap, Refused>, Problem> {
    if !app.log_ins.take(&address(app, parts), Instant::now()) {
        return Ok(Err(Refused::TooMany));
    }
    let Ok(Query(answer)) = answer else { return Ok(Err(Refused::NotBegun)) };
    let claims = match provider.finish(cookie_of(&parts.headers, FLOW_COOKIE), answer).await {
        Ok(claims) => claims,
        Err(refused) => return Ok(Err(refused)),
    };
    let (settings, now) = (provider.settings.clone(), Timestamp::now());
    let account = match app.stores.write(move |store| admit(store, &settings, &claims, now)).await? {
        Ok(account) => account,
        Err(refused) => return Ok(Err(refused)),
    };
    let (_, token) = sessions::begin(app, account, SessionKind::Provider, now).await?;
    Ok(Ok(sessions::cookie(app, &token, app.settings.session)))
}
