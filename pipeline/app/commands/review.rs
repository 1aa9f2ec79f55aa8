//! The review server, and its accounts.

use std::fmt::Write as _;
use std::net::TcpListener;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use shorewatch_domain::access::{Role, Scope};
use shorewatch_domain::decision::state::TwoPersonRule;
use shorewatch_domain::law::assessment;
use shorewatch_findings::secret::SecretSource;
use shorewatch_review::access::first::{code_fault, new_account};
use shorewatch_review::access::provider::settings::{ClientSecret, ProviderSettings};
use shorewatch_review::server::{ServeError, asked_to_end};
use shorewatch_review::{App, Settings, ensure_administrator, hash_password, one_time_password, serve};
use shorewatch_store::accounts::Account;
use shorewatch_store::{DecisionRules, Store};

use super::{Out, settings};
use crate::cli::ConfigFile;
use crate::cli::review::{AccountCommand, ReviewCommand, ServeArguments, Severity};
use crate::configuration::{OpenIdConnectSettings, RunSettings};
use crate::failure::{ExitCode, Failure};
use crate::register;

/// Who does what is asked for on the command line, in the log of access.
const BY: &str = "command line";

pub(super) fn review(out: &Out, command: &ReviewCommand) -> Result<ExitCode, Failure> {
    match command {
        ReviewCommand::Serve(arguments) => serve_page(out, arguments),
        ReviewCommand::Account(AccountCommand::Add { config, account, role, scope }) => {
            add(out, config, account, *role, scope)
        }
        ReviewCommand::Account(AccountCommand::List(config)) => list(out, config),
        ReviewCommand::Account(AccountCommand::Link(name)) => link(out, &name.config, &name.account),
        ReviewCommand::Account(AccountCommand::Unlink(name)) => unlink(out, &name.config, &name.account),
        ReviewCommand::Account(AccountCommand::Disable(name)) => change(out, &name.config, &name.account, false),
        ReviewCommand::Account(AccountCommand::Reset(name)) => change(out, &name.config, &name.account, true),
    }
}

fn serve_page(out: &Out, arguments: &ServeArguments) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments.config)?;
    if let Some(origin) = &arguments.origin {
        check_origin(origin)?;
    }
    let now = Timestamp::now();
    let mut store = Store::open_existing(&settings.store_file, now)?;
    let first = ensure_administrator(&mut store, now).map_err(failure)?;
    drop(store);
    let listener = TcpListener::bind(arguments.listen).map_err(|fault| {
        Failure::retryable(format!(
            "cannot listen at {}: {fault}; is a server running there already?",
            arguments.listen
        ))
    })?;
    let address = listener.local_addr()?;
    let app = App::open(server_settings(&settings, arguments)?, now).map_err(failure)?;
    let page = arguments.origin.clone().unwrap_or_else(|| format!("http://{address}"));
    let mut text = format!("the page is at {page}; end with Ctrl-C");
    if let Some(first) = &first {
        let _ = write!(text, "\nfirst account: {}, password (told once): {}", first.account, first.password);
    }
    let told = first.as_ref().map(|first| json!({ "account": first.account, "password": first.password }));
    let mut announced = Ok(ExitCode::Done);
    let ready = || announced = out.either(&json!({ "page": page, "first_account": told }), &text);
    serve(&app, listener, asked_to_end(), ready).map_err(failure)?;
    announced
}

fn failure(fault: ServeError) -> Failure {
    match fault {
        ServeError::Password(_) => Failure::internal(fault.to_string()),
        ServeError::Provider(_) => Failure::usage(format!("{fault}; look at [review.open_id_connect]")),
        ServeError::Network(fault) => Failure::from(fault),
        ServeError::Store(fault) => Failure::from(fault),
    }
}

fn check_origin(origin: &str) -> Result<(), Failure> {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let fine = host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    });
    if fine {
        return Ok(());
    }
    Err(Failure::usage(format!("--origin: expected https://HOST without a path or a slash at the end, got {origin:?}")))
}

fn server_settings(settings: &RunSettings, arguments: &ServeArguments) -> Result<Settings, Failure> {
    let two_persons = arguments.two_persons_from.map_or(TwoPersonRule::Never, |severity| {
        TwoPersonRule::From(match severity {
            Severity::General => assessment::Severity::General,
            Severity::Serious => assessment::Severity::Serious,
            Severity::Major => assessment::Severity::Major,
        })
    });
    let provider = settings.open_id_connect.as_ref().map(provider).transpose()?;
    Ok(Settings {
        provider,
        sensors: settings.sensors.values().map(|sensor| sensor.profile.clone()).collect(),
        limits: register::limits(settings),
        origin: arguments.origin.clone(),
        rules: DecisionRules { hold: SignedDuration::from_mins(i64::from(arguments.hold_minutes)), two_persons },
        lease: SignedDuration::from_mins(i64::from(arguments.lease_minutes)),
        ..Settings::of_store(settings.store_file.clone())
    })
}

/// The identity provider with its secret.
fn provider(settings: &OpenIdConnectSettings) -> Result<ProviderSettings, Failure> {
    let secret = settings.client_secret.as_ref().map(SecretSource::read).transpose();
    let secret = secret.map_err(|fault| Failure::usage(format!("client secret of the identity provider: {fault}")))?;
    let client_secret = secret.map(|secret| ClientSecret::new(secret.text().to_owned()));
    Ok(ProviderSettings { client_secret, ..settings.provider.clone() })
}

fn open(config: &ConfigFile, now: Timestamp) -> Result<Store, Failure> {
    Ok(Store::open_existing(&settings(config)?.store_file, now)?)
}

fn add(out: &Out, config: &ConfigFile, code: &str, role: Role, scope: &Scope) -> Result<ExitCode, Failure> {
    if let Some(fault) = code_fault(code) {
        return Err(Failure::usage(fault.replacen("reviewer", "account", 1)));
    }
    let now = Timestamp::now();
    let password = one_time_password();
    let account = new_account(code, role, scope.clone(), &password).map_err(Failure::internal)?;
    open(config, now)?.add_account(&account, BY, now)?;
    let text = format!(
        "account {code} ({role}, {scope}) added; password (told once, to be changed at the first log-in): {password}"
    );
    out.either(&json!({ "account": code, "password": password }), &text)
}

fn list(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let store = open(config, Timestamp::now())?;
    let (accounts, links) = (store.accounts()?, store.account_links()?);
    let is_linked = |account: &Account| links.iter().any(|link| link.account == account.account);
    let mut text = String::new();
    for account in &accounts {
        let state = if account.disabled {
            "disabled"
        } else if account.one_time {
            "one-time password"
        } else {
            "in use"
        };
        let linked = if is_linked(account) { " (identity provider)" } else { "" };
        let (code, role, scope) = (&account.account, account.role.name(), &account.scope);
        let _ = writeln!(text, "{code:<20} {role:<14} {state:<18} {scope}{linked}");
    }
    let told: Vec<_> = accounts
        .iter()
        .map(|account| {
            json!({ "account": account.account, "role": account.role.name(), "scope": account.scope.to_string(), "disabled": account.disabled, "one_time": account.one_time, "linked": is_linked(account) })
        })
        .collect();
    out.either(
        &json!(told),
        if text.is_empty() { "no account yet: `shorewatch review serve` makes the first one" } else { &text },
    )
}

/// Lets the identity provider let somebody in as an account.
fn link(out: &Out, config: &ConfigFile, code: &str) -> Result<ExitCode, Failure> {
    let (settings, now) = (settings(config)?, Timestamp::now());
    let provider = settings.open_id_connect.map(|settings| settings.provider).ok_or_else(|| {
        Failure::usage("no identity provider is configured; add [review.open_id_connect] (README.md says how)")
    })?;
    Store::open_existing(&settings.store_file, now)?.link_account(code, &provider.issuer, BY, now)?;
    let text = format!("account {code}: {} lets in whoever comes first under this code", provider.name);
    out.either(&json!({ "account": code, "issuer": provider.issuer }), &text)
}

/// Ends that.
fn unlink(out: &Out, config: &ConfigFile, code: &str) -> Result<ExitCode, Failure> {
    let now = Timestamp::now();
    if !open(config, now)?.unlink_account(code, BY, now)? {
        return Err(Failure::usage(format!("account {code:?} is not linked to an identity provider")));
    }
    out.either(&json!({ "account": code, "linked": false }), &format!("account {code} is linked no more"))
}

/// Disables an account, or gives it a new password and lets it in again.
fn change(out: &Out, config: &ConfigFile, code: &str, reset: bool) -> Result<ExitCode, Failure> {
    let now = Timestamp::now();
    let mut store = open(config, now)?;
    let known = store.account(code)?;
    let account = known.ok_or_else(|| {
        Failure::usage(format!(
            "there is no account {code:?}; `shorewatch review account list` tells those that there are"
        ))
    })?;
    if !reset {
        store.change_account(&Account { disabled: true, ..account }, BY, "account disabled", now)?;
        return out.either(&json!({ "account": code, "disabled": true }), &format!("account {code} is disabled"));
    }
    let password = one_time_password();
    let password_hash = hash_password(&password).map_err(Failure::internal)?;
    let changed =
        Account { password_hash, one_time: true, disabled: false, failures: 0, locked_until: None, ..account };
    store.change_account(&changed, BY, "password reset", now)?;
    let text = format!("account {code}: new password (told once, to be changed at the next log-in): {password}");
    out.either(&json!({ "account": code, "password": password }), &text)
}
