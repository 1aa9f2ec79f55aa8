//! Keeping accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use shorewatch_domain::access::{Role, Scope};
use shorewatch_store::account_links::AccountLink;
use shorewatch_store::accounts::{Account, Session, SessionKind};

use crate::access::first::{code_fault, new_account};
use crate::access::identity::Identity;
use crate::access::password::{hash_password, one_time_password, token, token_digest};
use crate::problem::Problem;
use crate::server::App;

/// A new account.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// A code: never a name or a telephone number.
    account: String,
    /// viewer, field, reviewer, supervisor or administrator.
    role: String,
    /// `all`, or a list of unit:CODE, water:CODE and reach:ID between commas.
    scope: String,
}

/// What is to change of an account.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountChange {
    /// Role.
    role: Option<String>,
    /// Scope.
    scope: Option<String>,
    /// Whether it may not log in.
    disabled: Option<bool>,
    /// Whether the identity provider lets somebody in as this account: whoever comes first under its code. It may be given again,
    /// for another person.
    linked: Option<bool>,
}

/// A new token for a machine.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    label: String,
    /// For how many days.
    #[schema(minimum = 1, maximum = 730)]
    days: u32,
}

fn refused(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", detail)
}

fn role_of(text: &str) -> Result<Role, Problem> {
    text.parse().map_err(|fault| refused(format!("role: {fault}")))
}

fn scope_of(text: &str) -> Result<Scope, Problem> {
    text.parse().map_err(|fault| refused(format!("scope: {fault}")))
}

fn account_json(account: &Account, sessions: &[Session], link: Option<&AccountLink>) -> Value {
    json!({
        // whether the provider lets somebody in as this account, and whether somebody came yet
        "linked": link.is_some(),
        "bound": link.is_some_and(|link| link.subject.is_some()),
        "account": account.account,
        "role": account.role.name(),
        "scope": account.scope.to_string(),
        "disabled": account.disabled,
        "password_due": account.one_time,
        "locked_until": account.locked_until.map(|time| time.to_string()),
        "sessions": sessions.iter().map(|session| json!({
            "kind": session.kind, "label": session.label, "since": session.created_at.to_string(), "expires_at": session.expires_at.to_string(),
        })).collect::<Vec<_>>(),
    })
}

/// Every account. An administrator of a part sees those whose scope lies in it.
#[utoipa::path(get, path = "/api/accounts", tag = "accounts", responses((status = 200, description = "Accounts", body = Object)))]
pub async fn list(State(app): State<Arc<App>>, identity: Identity) -> Result<Json<Value>, Problem> {
    let scope = identity.scope().clone();
    let read = app.stores.read(move |store| {
        let (mut accounts, links) = (Vec::new(), store.account_links()?);
        for account in store.accounts()?.into_iter().filter(|account| scope.contains(&account.scope)) {
            let link = links.iter().find(|link| link.account == account.account);
            accounts.push(account_json(&account, &store.sessions_of(&account.account)?, link));
        }
        Ok(accounts)
    });
    let provider = app.provider.as_ref().map(|provider| provider.settings.name.as_str());
    Ok(Json(json!({ "accounts": read.await?, "provider": provider })))
}

/// Adds an account; its password is told once.
#[utoipa::path(post, path = "/api/accounts", tag = "accounts", request_body = NewAccount, responses(
    (status = 200, description = "The password, told once", body = Object), (status = 422, description = "No such role or scope, or the code is taken", body = Problem)))]
pub async fn add(
    State(app): State<Arc<App>>,
    identity: Identity,
    body: Result<Json<NewAccount>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    if let Some(fault) = code_fault(&asked.account) {
        return Err(refused(fault));
    }
    let (role, scope) = (role_of(&asked.role)?, scope_of(&asked.scope)?);
    within(&identity, &scope)?;
    let password = one_time_password();
    let (code, told) = (asked.account, password.clone());
    let account = app.hash(move || new_account(&code, role, scope, &password)).await?;
    let (by, now) = (identity.code().to_owned(), Timestamp::now());
    let code = account.account.clone();
    app.stores.write(move |store| store.add_account(&account, &by, now)).await?;
    Ok(Json(json!({ "account": code, "password": told })))
}

/// Nobody gives more than they have.
fn within(identity: &Identity, scope: &Scope) -> Result<(), Problem> {
    if identity.scope().contains(scope) {
        return Ok(());
    }
    Err(Problem::forbidden("scope", "this scope is wider than your own"))
}

async fn find(app: &Arc<App>, identity: &Identity, code: String) -> Result<Account, Problem> {
    let account = app.stores.read(move |store| store.account(&code)).await?;
    account.filter(|account| identity.scope().contains(&account.scope)).ok_or_else(|| Problem::not_found("account"))
}

/// Changes role or scope, disables or enables an account; all its sessions end.
#[utoipa::path(patch, path = "/api/accounts/{account}", tag = "accounts", params(("account" = String, Path)), request_body = AccountChange,
    responses((status = 200, description = "The account", body = Object), (status = 409, description = "Nobody changes their own account so", body = Problem)))]
pub async fn change(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(code): Path<String>,
    body: Result<Json<AccountChange>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    let mut account = find(&app, &identity, code).await?;
    if account.account == identity.code() {
        return Err(Problem::conflict(
            "own",
            "nobody changes or disables their own account: another administrator does",
        ));
    }
    if let Some(role) = &asked.role {
        account.role = role_of(role)?;
    }
    if let Some(scope) = &asked.scope {
        account.scope = scope_of(scope)?;
    }
    within(&identity, &account.scope)?;
    let issuer = app.provider.as_ref().map(|provider| provider.settings.issuer.clone());
    if asked.linked == Some(true) && issuer.is_none() {
        return Err(refused("linked: no identity provider is configured".to_owned()));
    }
    account.disabled = asked.disabled.unwrap_or(account.disabled);
    let (by, now, stored) = (identity.code().to_owned(), Timestamp::now(), account.clone());
    let changed = app.stores.write(move |store| {
        store.change_account(&stored, &by, "account changed", now)?;
        match (asked.linked, issuer) {
            (Some(true), Some(issuer)) => store.link_account(&stored.account, &issuer, &by, now)?,
            (Some(false), _) => drop(store.unlink_account(&stored.account, &by, now)?),
            _ => {}
        }
        store.account_link(&stored.account)
    });
    Ok(Json(account_json(&account, &[], changed.await?.as_ref())))
}

/// Gives an account a new password, told once; all its sessions end.
#[utoipa::path(post, path = "/api/accounts/{account}/reset", tag = "accounts", params(("account" = String, Path)), responses(
    (status = 200, description = "The password, told once", body = Object)))]
pub async fn reset(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(code): Path<String>,
) -> Result<Json<Value>, Problem> {
    let account = find(&app, &identity, code).await?;
    let password = one_time_password();
    let told = password.clone();
    let hash = app.hash(move || hash_password(&password)).await?;
    let account = Account { password_hash: hash, one_time: true, failures: 0, locked_until: None, ..account };
    let (by, now, code) = (identity.code().to_owned(), Timestamp::now(), account.account.clone());
    app.stores.write(move |store| store.change_account(&account, &by, "password reset", now)).await?;
    Ok(Json(json!({ "account": code, "password": told })))
}

/// Makes a bearer token for a machine, told once. It may do what the account may do.
#[utoipa::path(post, path = "/api/accounts/{account}/tokens", tag = "accounts", params(("account" = String, Path)), request_body = NewToken,
    responses((status = 200, description = "The token, told once", body = Object)))]
pub async fn add_token(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(code): Path<String>,
    body: Result<Json<NewToken>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let Json(asked) = body?;
    if !(1..=730).contains(&asked.days) || asked.label.trim().is_empty() || asked.label.chars().count() > 80 {
        return Err(refused("label: expected 1 to 80 characters; days: expected 1 to 730".to_owned()));
    }
    let account = find(&app, &identity, code).await?;
    if account.one_time {
        return Err(refused("the account's one-time password has to be changed first".to_owned()));
    }
    let (secret, now) = (token(), Timestamp::now());
    let session = Session {
        token_digest: token_digest(&secret),
        account: account.account,
        kind: SessionKind::Token,
        label: asked.label,
        csrf: String::new(),
        created_at: now,
        expires_at: now.checked_add(SignedDuration::from_hours(24 * i64::from(asked.days))).unwrap_or(now),
    };
    let expires_at = session.expires_at;
    app.stores.write(move |store| store.begin_session(&session)).await?;
    Ok(Json(json!({ "token": secret, "expires_at": expires_at.to_string() })))
}

/// The latest lines of the log of access.
#[utoipa::path(get, path = "/api/access-log", tag = "accounts", responses((status = 200, description = "Lines, latest first", body = Object)))]
pub async fn log(State(app): State<Arc<App>>, identity: Identity) -> Result<Json<Value>, Problem> {
    if !identity.scope().is_all() {
        return Err(Problem::forbidden("scope", "the log of access is for administrators of everything"));
    }
    Ok(Json(json!({ "events": app.stores.read(|store| store.access_log(500)).await? })))
}
