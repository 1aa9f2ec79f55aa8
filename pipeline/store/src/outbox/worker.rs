//! One worker at a time delivers, and one that was replaced can write nothing any more.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::error::{Refusal, StoreError, Trouble};
use crate::lease::{self, Lease};
use crate::store::Store;
use crate::values::Utc;

/// The right to deliver. The lock of the operating system goes with the process, however it ends; the token keeps out one
/// that lives on all the same (a lock that a network share lost, a process that was stopped and goes on).
#[derive(Debug)]
pub struct DeliveryWorker {
    token: u64,
    _lock: Option<Lease>,
}

impl DeliveryWorker {
    /// The number of this worker: higher than that of every earlier one.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.token
    }
}

impl Store {
    /// Becomes the worker that delivers, or says that another one does. What an earlier worker had claimed is free again.
    ///
    /// # Errors
    /// [`StoreError::LeaseHeld`] where another worker runs on this machine; a fault of the file.
    pub fn become_delivery_worker(&mut self, holder: &str, now: Timestamp) -> Result<DeliveryWorker, StoreError> {
        let lock = Lease::take(lease::beside(&self.path, ".deliver.lock"), holder, now)?;
        let token = self.next_token(holder, now)?;
        Ok(DeliveryWorker { token, _lock: Some(lock) })
    }

    /// Replaces whichever worker there is, without asking the operating system.
    fn next_token(&mut self, holder: &str, now: Timestamp) -> Result<u64, StoreError> {
        self.write("become the worker that delivers", |transaction| {
            transaction.execute(
                "UPDATE outbox_worker SET token = token + 1, holder = ?1, taken_at = ?2",
                params![format!("{holder}, process {}", std::process::id()), Utc(now)],
            )?;
            Ok(transaction.query_row("SELECT token FROM outbox_worker", [], |row| row.get(0))?)
        })
    }

    /// A worker that took over while the one before lives on: what a network share without locks allows.
    #[cfg(test)]
    pub(crate) fn take_over_delivery(&mut self, now: Timestamp) -> DeliveryWorker {
        DeliveryWorker { token: self.next_token("test", now).expect("a token"), _lock: None }
    }
}

/// Refuses a worker that was replaced.
pub(crate) fn check(connection: &Connection, worker: &DeliveryWorker) -> Result<(), Trouble> {
    let current: u64 = connection.prepare_cached("SELECT token FROM outbox_worker")?.query_row([], |row| row.get(0))?;
    if current == worker.token {
        return Ok(());
    }
    Err(Refusal::Invalid {
        what: "worker that delivers".to_owned(),
        expected: format!("token {current}, the latest"),
        got: format!("token {}: another worker took over", worker.token),
        next: "end this one; what it had not finished is done by the other",
    }
    .into())
}
