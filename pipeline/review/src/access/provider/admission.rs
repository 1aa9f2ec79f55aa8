//! Whether somebody whom the provider let in gets in here, and as which account.
//!
//! A person is who the provider calls so for good (issuer and subject). The claim with a code counts at the first log-in only,
//! and never opens an account that an administrator did not link: whoever may choose a name at the provider takes over nobody's
//! account here.

use jiff::Timestamp;
use shorewatch_domain::access::{Role, Scope};
use shorewatch_store::accounts::Account;
use shorewatch_store::{Store, StoreError};

use super::claims::{Claims, granted};
use super::refused::Refused;
use super::settings::{ProviderSettings, UnknownUsers};
use crate::access::first::code_fault;
use crate::access::password::NO_PASSWORD;

/// Who changes accounts at a log-in, in the log of access.
const BY: &str = "identity provider";

/// The account of a person, brought up to date with what the map grants.
///
/// # Errors
/// A fault of the store; inside, why the person stays out.
pub fn admit(
    store: &mut Store,
    settings: &ProviderSettings,
    claims: &Claims,
    now: Timestamp,
) -> Result<Result<Account, Refused>, StoreError> {
    let granted = granted(&settings.roles, &claims.words(&settings.role_claim));
    let linked = store.account_of_subject(&settings.issuer, claims.subject())?;
    if granted.is_none() && !settings.roles.is_empty() {
        // who lost every role is not left in by a session that began before
        if let Some(account) = linked {
            store.end_sessions(&account.account, None, now)?;
        }
        return Ok(Err(Refused::NoRole));
    }
    let account = match linked {
        Some(account) => account,
        None => match first_time(store, settings, claims, granted.as_ref(), now)? {
            Ok(account) => account,
            Err(refused) => return Ok(Err(refused)),
        },
    };
    if account.disabled {
        return Ok(Err(Refused::Disabled));
    }
    let Some((role, scope)) = granted.filter(|(role, scope)| (*role, scope) != (account.role, &account.scope)) else {
        return Ok(Ok(account));
    };
    let account = Account { role, scope, ..account };
    store.change_account(&account, BY, "account changed", now)?;
    Ok(Ok(account))
}

fn first_time(
    store: &mut Store,
    settings: &ProviderSettings,
    claims: &Claims,
    granted: Option<&(Role, Scope)>,
    now: Timestamp,
) -> Result<Result<Account, Refused>, StoreError> {
    let Some(code) = claims.text(&settings.user_claim).filter(|code| code_fault(code).is_none()) else {
        tracing::warn!(claim = settings.user_claim, "the identity provider gives no code of an account in this claim");
        return Ok(Err(Refused::NoCode));
    };
    if let Some(account) = store.account(code)? {
        if store.bind_subject(code, &settings.issuer, claims.subject(), now)? {
            return Ok(Ok(account));
        }
        tracing::warn!(
            account = code,
            "somebody came under the code of an account that is not linked, or is another person's"
        );
        return Ok(Err(Refused::Unknown));
    }
    match (settings.unknown_users, granted) {
        (UnknownUsers::Add, Some((role, scope))) => {
            let account = Account {
                account: code.to_owned(),
                role: *role,
                scope: scope.clone(),
                password_hash: NO_PASSWORD.to_owned(),
                one_time: false,
                disabled: false,
                failures: 0,
                locked_until: None,
            };
            store.add_linked_account(&account, &settings.issuer, claims.subject(), BY, now)?;
            Ok(Ok(account))
        }
        _ => {
            tracing::warn!(account = code, "somebody came who has no account");
            Ok(Err(Refused::Unknown))
        }
    }
}
