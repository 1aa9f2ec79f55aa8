//! Leases: who looks at which patch now. They end by themselves, and a patch is never seen as locked: the server hands out
//! another one.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::queue::{QueueFilter, QueueRow};
use crate::error::StoreError;
use crate::store::Store;
use crate::values::Utc;

/// A patch that somebody looks at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReviewLease {
    /// The patch.
    pub patch_id: String,
    /// Who.
    pub account: String,
    /// Until when, if nothing is heard of them.
    pub expires_at: Timestamp,
}

impl Store {
    /// Takes or renews the lease of a patch. Where another account holds it, that lease comes back instead.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn take_lease(
        &mut self,
        patch_id: &str,
        account: &str,
        duration: SignedDuration,
        now: Timestamp,
    ) -> Result<ReviewLease, StoreError> {
        self.write("take the lease", |transaction| Ok(take(transaction, patch_id, account, duration, now)?))
    }

    /// Hands out the next patches of a queue that nobody else looks at: the first one with a lease.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn next_in_queue(
        &mut self,
        filter: &QueueFilter,
        account: &str,
        duration: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<(QueueRow, ReviewLease)>, StoreError> {
        // looked for first, so that an empty queue does not wait for the write lock
        let Some(first) = self.queue(filter, account, now, 1)?.into_iter().next() else { return Ok(None) };
        let lease = self.take_lease(&first.patch_id, account, duration, now)?;
        if lease.account == account {
            return Ok(Some((first, lease)));
        }
        // somebody was quicker: another look under the lock of the one that writes would find the same, so only once more
        let Some(second) = self.queue(filter, account, now, 1)?.into_iter().next() else { return Ok(None) };
        let lease = self.take_lease(&second.patch_id, account, duration, now)?;
        Ok((lease.account == account).then_some((second, lease)))
    }

    /// The lease of a patch that holds now.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn lease_of(&self, patch_id: &str, now: Timestamp) -> Result<Option<ReviewLease>, StoreError> {
        let sql = "SELECT account, expires_at FROM review_leases WHERE patch_id = ?1 AND expires_at > ?2";
        let leases: Vec<ReviewLease> = self.rows("read the lease", sql, params![patch_id, Utc(now)], |row| {
            Ok(ReviewLease {
                patch_id: patch_id.to_owned(),
                account: row.get("account")?,
                expires_at: row.get::<_, Utc>("expires_at")?.0,
            })
        })?;
        Ok(leases.into_iter().next())
    }

    /// Gives a lease back: skipped, or left.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn give_lease_back(&mut self, patch_id: &str, account: &str) -> Result<(), StoreError> {
        self.write("give the lease back", |transaction| Ok(give_back(transaction, patch_id, account)?))
    }
}

fn take(
    transaction: &Transaction<'_>,
    patch_id: &str,
    account: &str,
    duration: SignedDuration,
    now: Timestamp,
) -> rusqlite::Result<ReviewLease> {
    let held: Option<(String, Utc)> = transaction
        .prepare_cached("SELECT account, expires_at FROM review_leases WHERE patch_id = ?1 AND expires_at > ?2")?
        .query_row(params![patch_id, Utc(now)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if let Some((other, Utc(expires_at))) = held.filter(|(other, _)| other != account) {
        return Ok(ReviewLease { patch_id: patch_id.to_owned(), account: other, expires_at });
    }
    let expires_at = now.checked_add(duration).unwrap_or(now);
    transaction
        .prepare_cached(
            "INSERT INTO review_leases (patch_id, account, taken_at, expires_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (patch_id) DO UPDATE SET account = ?2, taken_at = ?3, expires_at = ?4",
        )?
        .execute(params![patch_id, account, Utc(now), Utc(expires_at)])?;
    Ok(ReviewLease { patch_id: patch_id.to_owned(), account: account.to_owned(), expires_at })
}

pub(super) fn give_back(transaction: &Transaction<'_>, patch_id: &str, account: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM review_leases WHERE patch_id = ?1 AND account = ?2")?
        .execute([patch_id, account])?;
    Ok(())
}
