//! Accounts of the review server and their sessions. Passwords arrive as argon2id hashes, tokens as digests: nothing in the
//! store lets anybody in.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::access::{Role, Scope};

use crate::error::{Refusal, StoreError, Trouble};
use crate::store::Store;
use crate::values::{Utc, named};

/// An account.
#[derive(Clone, PartialEq, Debug)]
pub struct Account {
    /// Its code: never a name or a telephone number.
    pub account: String,
    /// What it is for.
    pub role: Role,
    /// Where it may look.
    pub scope: Scope,
    /// argon2id, in the PHC string form.
    pub password_hash: String,
    /// True where the password was printed once and has to be changed.
    pub one_time: bool,
    /// True where it may not log in.
    pub disabled: bool,
    /// Failed log-ins in a row.
    pub failures: u32,
    /// Until when it is locked out.
    pub locked_until: Option<Timestamp>,
}

/// What holds a session open.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A cookie of a browser, of who gave the account's password.
    Browser,
    /// A cookie of a browser, of whom an identity provider let in.
    Provider,
    /// A bearer token of a machine.
    Token,
    /// A link to one patch for a field check.
    FieldCheck,
}

impl SessionKind {
    const ALL: [Self; 4] = [Self::Browser, Self::Provider, Self::Token, Self::FieldCheck];

    const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Provider => "provider",
            Self::Token => "token",
            Self::FieldCheck => "field_check",
        }
    }
}

/// A session or a token.
#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    /// Digest of what the browser or machine shows.
    pub token_digest: String,
    /// The account.
    pub account: String,
    /// What holds it open.
    pub kind: SessionKind,
    /// For people: what the token is for, or the patch of a field check.
    pub label: String,
    /// What a page has to send along with everything that changes something.
    pub csrf: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// One line of the log of access.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub account: String,
    /// What.
    pub what: String,
    /// More of it.
    pub detail: String,
}

impl Store {
    /// Adds an account.
    ///
    /// # Errors
    /// There is one of that code; a fault of the file.
    pub fn add_account(&mut self, account: &Account, by: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("add the account", |transaction| add(transaction, account, by, now))
    }

    /// Every account, in order of code.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        self.rows("read the accounts", "SELECT * FROM accounts ORDER BY account", [], account_of)
    }

    /// One account.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn account(&self, code: &str) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT * FROM accounts WHERE account = ?1";
        Ok(self.rows::<_, Vec<_>>("read the account", sql, [code], account_of)?.into_iter().next())
    }

    /// Changes an account: everything but its code. Unless only failures are counted, all its sessions end.
    ///
    /// # Errors
    /// No such account; a fault of the file.
    pub fn change_account(
        &mut self,
        account: &Account,
        by: &str,
        what: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("change the account", |transaction| {
            update(transaction, account)?;
            transaction.execute("DELETE FROM review_sessions WHERE account = ?1", [&account.account])?;
            let detail = format!("{} {}", account.role, account.scope);
            Ok(log(transaction, by, &format!("{what}: {}", account.account), &detail, now)?)
        })
    }

    /// Notes how often logging in failed, and until when the account is locked out.
    ///
    /// # Errors
    /// No such account; a fault of the file.
    pub fn note_log_in_failures(
        &mut self,
        code: &str,
        failures: u32,
        locked_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("note the failed log-in", |transaction| {
            transaction.execute(
                "UPDATE accounts SET failures = ?2, locked_until = ?3 WHERE account = ?1",
                params![code, failures, locked_until.map(Utc)],
            )?;
            if locked_until.is_some() {
                log(transaction, code, "locked out", &format!("{failures} failures"), now)?;
            }
            Ok(())
        })
    }

    /// Begins a session.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn begin_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.write("begin the session", |transaction| {
            transaction.execute("DELETE FROM review_sessions WHERE expires_at < ?1", [Utc(session.created_at)])?;
            transaction.execute(
                "INSERT INTO review_sessions (token_digest, account, kind, label, csrf, created_at, last_seen, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
                params![
                    session.token_digest,
                    session.account,
                    session.kind.name(),
                    session.label,
                    session.csrf,
                    Utc(session.created_at),
                    Utc(session.expires_at)
                ],
            )?;
            let what = format!("session begun: {}", session.kind.name());
            Ok(log(transaction, &session.account, &what, &session.label, session.created_at)?)
        })
    }

    /// A session that holds now, with its account.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn session(&self, token_digest: &str, now: Timestamp) -> Result<Option<(Session, Account)>, StoreError> {
        let sql = "SELECT s.*, a.role, a.scope, a.password_hash, a.one_time, a.disabled, a.failures, a.locked_until
                   FROM review_sessions s JOIN accounts a ON a.account = s.account
                   WHERE s.token_digest = ?1 AND s.expires_at > ?2 AND NOT a.disabled";
        let found: Vec<_> = self.rows("read the session", sql, params![token_digest, Utc(now)], |row| {
            Ok((session_of(row)?, account_of(row)?))
        })?;
        Ok(found.into_iter().next())
    }

    /// Sessions and tokens of an account, oldest first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn sessions_of(&self, code: &str) -> Result<Vec<Session>, StoreError> {
        let sql = "SELECT * FROM review_sessions WHERE account = ?1 ORDER BY fid";
        self.rows("read the sessions", sql, [code], session_of)
    }

    /// Ends one session, or all of an account.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn end_sessions(&mut self, code: &str, only: Option<&str>, now: Timestamp) -> Result<u64, StoreError> {
        self.write("end the session", |transaction| {
            let ended = transaction.execute(
                "DELETE FROM review_sessions WHERE account = ?1 AND (?2 IS NULL OR token_digest = ?2)",
                params![code, only],
            )?;
            log(transaction, code, if only.is_some() { "session ended" } else { "all sessions ended" }, "", now)?;
            Ok(ended as u64)
        })
    }

    /// The latest lines of the log of access, latest first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn access_log(&self, limit: u32) -> Result<Vec<AccessEvent>, StoreError> {
        let sql = "SELECT * FROM access_log ORDER BY fid DESC LIMIT ?1";
        self.rows("read the log of access", sql, [limit], |row| {
            Ok(AccessEvent {
                at: row.get::<_, Utc>("at")?.0,
                account: row.get("account")?,
                what: row.get("what")?,
                detail: row.get("detail")?,
            })
        })
    }
}

/// Whether there is an account of that code.
pub(crate) fn is_known(transaction: &Transaction<'_>, code: &str) -> rusqlite::Result<bool> {
    transaction.query_row("SELECT EXISTS (SELECT 1 FROM accounts WHERE account = ?1)", [code], |row| row.get(0))
}

/// There is none.
pub(crate) fn unknown(code: &str) -> Refusal {
    let next = "`shorewatch review account list` tells those that there are";
    Refusal::Unknown { kind: "account", selector: code.to_owned(), next }
}

pub(crate) fn add(transaction: &Transaction<'_>, account: &Account, by: &str, now: Timestamp) -> Result<(), Trouble> {
    if is_known(transaction, &account.account)? {
        return Err(Refusal::Invalid {
            what: "account".to_owned(),
            expected: "a code that is free".to_owned(),
            got: account.account.clone(),
            next: "choose another code, or reset that account",
        }
        .into());
    }
    transaction.execute(
        "INSERT INTO accounts (account, role, scope, password_hash, one_time, disabled, failures, locked_until, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            account.account,
            account.role.name(),
            account.scope.to_string(),
            account.password_hash,
            account.one_time,
            account.disabled,
            account.failures,
            account.locked_until.map(Utc),
            Utc(now)
        ],
    )?;
    let detail = format!("{} {}", account.role, account.scope);
    Ok(log(transaction, by, &format!("account added: {}", account.account), &detail, now)?)
}

fn update(transaction: &Transaction<'_>, account: &Account) -> Result<(), Trouble> {
    let changed = transaction.execute(
        "UPDATE accounts SET role = ?2, scope = ?3, password_hash = ?4, one_time = ?5, disabled = ?6, failures = ?7,
             locked_until = ?8
         WHERE account = ?1",
        params![
            account.account,
            account.role.name(),
            account.scope.to_string(),
            account.password_hash,
            account.one_time,
            account.disabled,
            account.failures,
            account.locked_until.map(Utc)
        ],
    )?;
    if changed == 0 {
        return Err(unknown(&account.account).into());
    }
    Ok(())
}

pub(crate) fn log(
    transaction: &Transaction<'_>,
    account: &str,
    what: &str,
    detail: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT INTO access_log (at, account, what, detail) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![Utc(now), account, what, detail])?;
    Ok(())
}

/// A word that `FromStr` reads.
struct Parsed<T>(T);

impl<T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>> FromSql for Parsed<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

struct NamedKind(SessionKind);

impl FromSql for NamedKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &SessionKind::ALL, SessionKind::name).map(Self)
    }
}

pub(crate) fn account_of(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        account: row.get("account")?,
        role: row.get::<_, Parsed<Role>>("role")?.0,
        scope: row.get::<_, Parsed<Scope>>("scope")?.0,
        password_hash: row.get("password_hash")?,
        one_time: row.get("one_time")?,
        disabled: row.get("disabled")?,
        failures: row.get("failures")?,
        locked_until: row.get::<_, Option<Utc>>("locked_until")?.map(|Utc(time)| time),
    })
}

fn session_of(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        token_digest: row.get("token_digest")?,
        account: row.get("account")?,
        kind: row.get::<_, NamedKind>("kind")?.0,
        label: row.get("label")?,
        csrf: row.get("csrf")?,
        created_at: row.get::<_, Utc>("created_at")?.0,
        expires_at: row.get::<_, Utc>("expires_at")?.0,
    })
}
