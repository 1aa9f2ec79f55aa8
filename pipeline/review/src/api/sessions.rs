//! Logging in and out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shorewatch_domain::access::Right;
use shorewatch_domain::law::assessment::{Language, SubType};
use shorewatch_store::accounts::{Account, Session, SessionKind};

use crate::access::guard::address;
use crate::access::identity::{COOKIE, Identity};
use crate::access::limits::lock_out;
use crate::access::password::{self, hash_password, token, token_digest, verify_password};
use crate::problem::Problem;
use crate::server::App;

/// Who wants in.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    /// Code of the account.
    account: String,
    /// Its password.
    password: String,
}

/// A new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The one that holds now.
    old: String,
    /// The one that is to hold.
    new: String,
}

/// Who is logged in, and what they may do.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionView {
    account: String,
    role: String,
    scope: String,
    /// Sent along, as `x-csrf-token`, with everything that changes something.
    csrf: String,
    /// The password was printed once and has to be changed first.
    password_due: bool,
    rights: Vec<String>,
    expires_at: String,
    /// Seconds that a patch is kept for a reviewer.
    lease_seconds: i64,
    /// Seconds that a verdict waits for an undo before it is delivered.
    hold_seconds: i64,
    /// Official sub-types that a correction can name.
    sub_types: Vec<SubTypeView>,
}

/// An official sub-type.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SubTypeView {
    /// 1a to 4c.
    code: &'static str,
    /// The class that it belongs to.
    issue_class: &'static str,
    english: &'static str,
    chinese: &'static str,
}

impl From<SubType> for SubTypeView {
    fn from(sub_type: SubType) -> Self {
        Self {
            code: sub_type.code(),
            issue_class: sub_type.issue_class().name(),
            english: sub_type.text(Language::English),
            chinese: sub_type.text(Language::Chinese),
        }
    }
}

fn view(app: &App, identity: &Identity) -> SessionView {
    SessionView {
        account: identity.code().to_owned(),
        role: identity.role().name().to_owned(),
        scope: identity.scope().to_string(),
        csrf: identity.session.csrf.clone(),
        password_due: identity.password_due(),
        rights: Right::ALL.into_iter().filter(|right| identity.may(*right)).map(|right| format!("{right:?}")).collect(),
        expires_at: identity.session.expires_at.to_string(),
        lease_seconds: app.settings.lease.as_secs(),
        hold_seconds: app.settings.rules.hold.as_secs(),
        sub_types: SubType::ALL.into_iter().map(SubTypeView::from).collect(),
    }
}

/// Logs in: a cookie, and the token that a page sends along with what changes something.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = LogIn, responses(
    (status = 200, description = "Logged in", body = SessionView), (status = 401, description = "Wrong account or password", body = Problem),
    (status = 403, description = "The account logs in by the identity provider", body = Problem), (status = 429, description = "Too many attempts, or locked out", body = Problem)))]
pub async fn log_in(
    State(app): State<Arc<App>>,
    parts: Parts,
    body: Result<Json<LogIn>, JsonRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Json(asked) = body?;
    if !app.log_ins.take(&address(&app, &parts), Instant::now()) {
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many", "too many attempts; wait a minute"));
    }
    let now = Timestamp::now();
    let code = asked.account.clone();
    let read = app.stores.read(move |store| Ok((store.account(&code)?, store.account_link(&code)?)));
    let (account, link) = read.await?;
    if account.as_ref().and_then(|account| account.locked_until).is_some_and(|until| until > now) {
        return Err(Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "locked_out",
            "too many wrong passwords; wait, or ask an administrator for a new one",
        ));
    }
    let hash = account.as_ref().filter(|account| !account.disabled).map(|account| account.password_hash.clone());
    let fits = verified(&app, asked.password, hash).await?;
    let Some(account) = account.filter(|_| fits) else {
        app.metrics.failed_log_ins.fetch_add(1, Ordering::Relaxed);
        note_failure(&app, asked.account, now).await?;
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong", "wrong account or password"));
    };
    if link.is_some() && app.provider.as_ref().is_some_and(|provider| !provider.settings.local_passwords) {
        let detail = "this account logs in by the identity provider, not with a password";
        return Err(Problem::forbidden("provider_only", detail));
    }
    if account.failures > 0 {
        let code = account.account.clone();
        app.stores.write(move |store| store.note_log_in_failures(&code, 0, None, now)).await?;
    }
    let (identity, token) = begin(&app, account, SessionKind::Browser, now).await?;
    Ok((cookie(&app, &token, app.settings.session), Json(view(&app, &identity))))
}

async fn verified(app: &App, password: String, hash: Option<String>) -> Result<bool, Problem> {
    if password.len() > password::MOST_LENGTH {
        return Ok(false);
    }
    app.hash(move || Ok(verify_password(&password, hash.as_deref()))).await
}

async fn note_failure(app: &Arc<App>, code: String, now: Timestamp) -> Result<(), Problem> {
    app.stores
        .write(move |store| {
            let Some(account) = store.account(&code)? else { return Ok(()) };
            let failures = account.failures.saturating_add(1);
            let until = lock_out(failures).and_then(|time| now.checked_add(time).ok());
            store.note_log_in_failures(&code, failures, until, now)
        })
        .await
}

/// A session of an account, and what the browser shows of it.
pub(super) async fn begin(
    app: &Arc<App>,
    account: Account,
    kind: SessionKind,
    now: Timestamp,
) -> Result<(Identity, String), Problem> {
    let shown = token();
    let session = Session {
        token_digest: token_digest(&shown),
        account: account.account.clone(),
        kind,
        label: String::new(),
        csrf: token(),
        created_at: now,
        expires_at: now.checked_add(app.settings.session).unwrap_or(now),
    };
    let begun = session.clone();
    app.stores.write(move |store| store.begin_session(&begun)).await?;
    Ok((Identity { account, session }, shown))
}

/// The cookie of a session.
pub(super) fn cookie(app: &App, token: &str, age: SignedDuration) -> HeaderMap {
    HeaderMap::from_iter(set_cookie(app, COOKIE, token, "/; HttpOnly; SameSite=Strict", age))
}

/// A cookie that no script reads. `path` goes on with what it is for.
pub(super) fn set_cookie(
    app: &App,
    name: &str,
    value: &str,
    path: &str,
    age: SignedDuration,
) -> Option<(HeaderName, HeaderValue)> {
    let redirect_base = app.provider.as_ref().and_then(|provider| provider.settings.redirect_base.as_deref());
    let secure = app.settings.origin.as_deref().or(redirect_base).is_some_and(|origin| origin.starts_with("https://"));
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={}{secure}", age.as_secs());
    Some((header::SET_COOKIE, HeaderValue::try_from(text).ok()?))
}

/// Who is logged in.
#[utoipa::path(get, path = "/api/session", tag = "session", responses((status = 200, description = "The session", body = SessionView)))]
pub async fn show(State(app): State<Arc<App>>, identity: Identity) -> Json<SessionView> {
    Json(view(&app, &identity))
}

/// Logs out here.
#[utoipa::path(delete, path = "/api/session", tag = "session", responses((status = 204, description = "Logged out")))]
pub async fn log_out(State(app): State<Arc<App>>, identity: Identity) -> Result<impl IntoResponse, Problem> {
    let (code, digest, now) = (identity.code().to_owned(), identity.session.token_digest.clone(), Timestamp::now());
    app.stores.write(move |store| store.end_sessions(&code, Some(&digest), now)).await?;
    Ok((StatusCode::NO_CONTENT, cookie(&app, "", SignedDuration::ZERO)))
}

/// Logs out everywhere: every browser, every token, every link to a field check.
#[utoipa::path(delete, path = "/api/sessions", tag = "session", responses((status = 204, description = "Logged out everywhere")))]
pub async fn log_out_everywhere(State(app): State<Arc<App>>, identity: Identity) -> Result<impl IntoResponse, Problem> {
    if identity.only_patch().is_some() {
        return Err(Problem::forbidden("right", "this link opens one patch only"));
    }
    let (code, now) = (identity.code().to_owned(), Timestamp::now());
    app.stores.write(move |store| store.end_sessions(&code, None, now)).await?;
    Ok((StatusCode::NO_CONTENT, cookie(&app, "", SignedDuration::ZERO)))
}

/// Changes the password; every session ends but this one, which begins anew.
#[utoipa::path(post, path = "/api/password", tag = "session", request_body = NewPassword, responses(
    (status = 200, description = "Changed", body = SessionView), (status = 422, description = "Too easy to guess, or the old one is wrong", body = Problem)))]
pub async fn change_password(
    State(app): State<Arc<App>>,
    identity: Identity,
    body: Result<Json<NewPassword>, JsonRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Json(asked) = body?;
    let refused = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "password", detail);
    if identity.session.kind != SessionKind::Browser {
        return Err(Problem::forbidden("right", "log in with the password to change it"));
    }
    if let Some(fault) = password::fault(&asked.new, identity.code()) {
        return Err(refused(fault));
    }
    if asked.new == asked.old || !verified(&app, asked.old, Some(identity.account.password_hash.clone())).await? {
        return Err(refused("the old password is wrong, or the new one is the same".to_owned()));
    }
    let hash = app.hash(move || hash_password(&asked.new)).await?;
    let now = Timestamp::now();
    let changed = Account { password_hash: hash, one_time: false, failures: 0, locked_until: None, ..identity.account };
    let stored = changed.clone();
    app.stores.write(move |store| store.change_account(&stored, &stored.account, "password changed", now)).await?;
    let (identity, token) = begin(&app, changed, SessionKind::Browser, now).await?;
    Ok((cookie(&app, &token, app.settings.session), Json(view(&app, &identity))))
}
