//! What stands before every route: the table of rights, the session, the origin of what changes something, and the rate.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use shorewatch_domain::access::Right;
use shorewatch_store::accounts::SessionKind;

use super::identity::{Identity, Shown};
use super::password::token_digest;
use super::routes::{Access, access};
use crate::problem::Problem;
use crate::server::App;

/// Header with the token of the session that a page sends along with everything that changes something.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Lets a request through to its route, or says why not.
pub async fn guard(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(String::new, |path| path.as_str().to_owned());
    let response = match admit(&app, &method, &route, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    app.metrics.answered(method.as_str(), &route, response.status().as_u16(), begun.elapsed());
    response
}

async fn admit(app: &Arc<App>, method: &Method, route: &str, request: &mut Request) -> Result<(), Problem> {
    let asks = access(method, route).ok_or_else(|| Problem::not_found("route"))?;
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    if changes {
        check_origin(app, request.headers())?;
    }
    if asks == Access::Public {
        return Ok(());
    }
    let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "log_in", "log in first");
    let shown = Shown::by(request.headers()).ok_or_else(unknown)?;
    let (digest, now) = (token_digest(shown.token()), Timestamp::now());
    let found = app.stores.read(move |store| store.session(&digest, now)).await?;
    let (session, account) = found.ok_or_else(unknown)?;
    let identity = Identity { account, session };
    if !app.requests.take(identity.code(), Instant::now()) {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "too many requests; wait a few seconds"));
    }
    if changes && matches!(shown, Shown::Basic(_)) {
        return Err(Problem::forbidden(
            "csrf",
            "a token in the place of a password only reads; send it as a bearer token",
        ));
    }
    // a cookie is what a browser sends; a token in the place of one is none
    if matches!((&shown, identity.session.kind), (Shown::Basic(_) | Shown::Cookie(_), SessionKind::FieldCheck)) {
        return Err(unknown());
    }
    if changes && matches!(shown, Shown::Cookie(_)) {
        let token = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if token != Some(identity.session.csrf.as_str()) {
            return Err(Problem::forbidden("csrf", "the request does not come from the page"));
        }
    }
    if let Access::Needs(right) = asks {
        if identity.password_due() {
            return Err(Problem::forbidden("password_due", "change the one-time password first"));
        }
        if !identity.may(right) {
            return Err(Problem::forbidden("right", "your role may not do this"));
        }
        // a link to a field check opens the routes of its patch only
        if identity.only_patch().is_some() && !route.starts_with("/api/patches/{patch_id}") {
            return Err(Problem::forbidden("right", "this link opens one patch only"));
        }
        if identity.only_patch().is_some() && right == Right::Look && !route.contains("/chips/") {
            return Err(Problem::forbidden("right", "this link is for the field check only"));
        }
    }
    request.extensions_mut().insert(identity);
    Ok(())
}

/// What changes something comes from our own page, or from no page at all.
fn check_origin(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = || Problem::forbidden("origin", "the request comes from another site");
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return Err(foreign());
    }
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let own = match &app.settings.origin {
        Some(own) => origin == own,
        None => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
    };
    if own { Ok(()) } else { Err(foreign()) }
}

/// The address that a request came from: behind a proxy on this machine, the one that the proxy tells.
#[must_use]
pub fn address(app: &App, request: &Parts) -> String {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let told = request.headers.get("x-real-ip").and_then(|value| value.to_str().ok());
    let told = told.and_then(|text| text.parse::<IpAddr>().ok());
    let is_proxy = app.settings.origin.is_some() && peer.is_some_and(|peer| peer.is_loopback());
    let address = if is_proxy { told.or(peer) } else { peer };
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_string())
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "log_in", "log in first");
        parts.extensions.get::<Self>().cloned().ok_or_else(unknown)
    }
}
