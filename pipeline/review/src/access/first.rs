//! The first administrator of a store.

use jiff::Timestamp;
use shorewatch_domain::access::{Role, Scope};
use shorewatch_store::Store;
use shorewatch_store::accounts::Account;

use super::password::{hash_password, one_time_password};
use crate::server::ServeError;

/// Code of the first account.
const FIRST: &str = "administrator";

/// An account that was made, and the password that is printed once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstAccount {
    /// Its code.
    pub account: String,
    /// Its password, which has to be changed.
    pub password: String,
}

/// Makes an administrator where the store has no account yet.
///
/// # Errors
/// A fault of the store; the password can't be hashed.
pub fn ensure_administrator(store: &mut Store, now: Timestamp) -> Result<Option<FirstAccount>, ServeError> {
    if !store.accounts()?.is_empty() {
        return Ok(None);
    }
    let password = one_time_password();
    let account = new_account(FIRST, Role::Administrator, Scope::all(), &password).map_err(ServeError::Password)?;
    store.add_account(&account, "first start", now)?;
    Ok(Some(FirstAccount { account: FIRST.to_owned(), password }))
}

/// An account with a password that has to be changed.
///
/// # Errors
/// The password can't be hashed: the system has no randomness.
pub fn new_account(code: &str, role: Role, scope: Scope, password: &str) -> Result<Account, String> {
    Ok(Account {
        account: code.to_owned(),
        role,
        scope,
        password_hash: hash_password(password)?,
        one_time: true,
        disabled: false,
        failures: 0,
        locked_until: None,
    })
}

/// What is wrong with the code of an account: the rules are those of reviewers' codes.
#[must_use]
pub fn code_fault(code: &str) -> Option<String> {
    let review = shorewatch_domain::review::Review {
        patch_id: String::new(),
        verdict: shorewatch_domain::review::Verdict::Unsure,
        reason: String::new(),
        corrected_class: None,
        reviewer: code.to_owned(),
        reviewed_at: Timestamp::UNIX_EPOCH,
    };
    review.faults().into_iter().next()
}
