//! Which accounts an identity provider (OpenID Connect) lets in, and as whom it knows them.

use jiff::Timestamp;
use rusqlite::{Row, params};

use crate::accounts::{Account, account_of, add, is_known, log, unknown};
use crate::error::StoreError;
use crate::store::Store;
use crate::values::Utc;

/// An account that a provider lets in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountLink {
    /// Code of the account.
    pub account: String,
    /// The provider.
    pub issuer: String,
    /// What the provider calls the person for good; `None` until they came for the first time.
    pub subject: Option<String>,
}

impl Store {
    /// Every link, in order of account.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn account_links(&self) -> Result<Vec<AccountLink>, StoreError> {
        self.rows("read the links of accounts", "SELECT * FROM account_links ORDER BY account", [], link_of)
    }

    /// The link of an account.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn account_link(&self, code: &str) -> Result<Option<AccountLink>, StoreError> {
        let sql = "SELECT * FROM account_links WHERE account = ?1";
        Ok(self.rows::<_, Vec<_>>("read the link of the account", sql, [code], link_of)?.into_iter().next())
    }

    /// The account of whom a provider calls so.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn account_of_subject(&self, issuer: &str, subject: &str) -> Result<Option<Account>, StoreError> {
        let sql = "SELECT a.* FROM account_links l JOIN accounts a ON a.account = l.account
                   WHERE l.issuer = ?1 AND l.subject = ?2";
        let found: Vec<_> = self.rows("read the linked account", sql, params![issuer, subject], account_of)?;
        Ok(found.into_iter().next())
    }

    /// Lets a provider let somebody in as this account: whoever comes first under its code. A link that there was is replaced,
    /// and sessions that came of it end.
    ///
    /// # Errors
    /// No such account; a fault of the file.
    pub fn link_account(&mut self, code: &str, issuer: &str, by: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("link the account", |transaction| {
            if !is_known(transaction, code)? {
                return Err(unknown(code).into());
            }
            transaction.execute(
                "INSERT INTO account_links (account, issuer, subject, linked_at) VALUES (?1, ?2, NULL, ?3)
                 ON CONFLICT (account) DO UPDATE SET issuer = ?2, subject = NULL, linked_at = ?3",
                params![code, issuer, Utc(now)],
            )?;
            transaction.execute("DELETE FROM review_sessions WHERE account = ?1 AND kind = 'provider'", [code])?;
            Ok(log(transaction, by, &format!("account linked: {code}"), issuer, now)?)
        })
    }

    /// Notes who came for the first time. False where somebody did already, or the account is not linked to that provider.
    ///
    /// # Errors
    /// The person has another account; a fault of the file.
    pub fn bind_subject(
        &mut self,
        code: &str,
        issuer: &str,
        subject: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("note who the account is of", |transaction| {
            let bound = transaction.execute(
                "UPDATE account_links SET subject = ?3, linked_at = ?4
                 WHERE account = ?1 AND issuer = ?2 AND subject IS NULL",
                params![code, issuer, subject, Utc(now)],
            )?;
            if bound == 1 {
                log(transaction, code, "first log-in by the provider", issuer, now)?;
            }
            Ok(bound == 1)
        })
    }

    /// Adds an account for somebody whom a provider let in.
    ///
    /// # Errors
    /// There is one of that code, or one of that person; a fault of the file.
    pub fn add_linked_account(
        &mut self,
        account: &Account,
        issuer: &str,
        subject: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("add the account", |transaction| {
            add(transaction, account, by, now)?;
            transaction.execute(
                "INSERT INTO account_links (account, issuer, subject, linked_at) VALUES (?1, ?2, ?3, ?4)",
                params![account.account, issuer, subject, Utc(now)],
            )?;
            Ok(log(transaction, by, &format!("account linked: {}", account.account), issuer, now)?)
        })
    }

    /// Ends the link of an account, and with it all its sessions. False where there was none.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn unlink_account(&mut self, code: &str, by: &str, now: Timestamp) -> Result<bool, StoreError> {
        self.write("unlink the account", |transaction| {
            if transaction.execute("DELETE FROM account_links WHERE account = ?1", [code])? == 0 {
                return Ok(false);
            }
            transaction.execute("DELETE FROM review_sessions WHERE account = ?1", [code])?;
            log(transaction, by, &format!("account unlinked: {code}"), "", now)?;
            Ok(true)
        })
    }
}

fn link_of(row: &Row<'_>) -> rusqlite::Result<AccountLink> {
    Ok(AccountLink { account: row.get("account")?, issuer: row.get("issuer")?, subject: row.get("subject")? })
}
