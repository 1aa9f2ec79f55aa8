//! One worker at a time delivers, and one that was replaced can write nothing any more.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::error::{Refusal, StoreError, Trouble};
use crate::store::Store;
use crate::values::Utc;

/// The right to deliver. The lock of the operating system goes with the process, however it ends; the token keeps out one
/// that lives on all the same (a lock that a network share lost, a process that was stopped and goes on).
#[derive(Debug)]
pub struct DeliveryWorker {
    token: u64,
    _lock: Option<File>,
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
        let mut name = self.path.as_os_str().to_owned();
        name.push(".deliver.lock");
        let path = PathBuf::from(name);
        let failed = |source: io::Error| StoreError::Io { path: path.clone(), during: "take the lease", source };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.held(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let token = self.next_token(holder, now)?;
        Ok(DeliveryWorker { token, _lock: Some(file) })
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

    fn held(&self, path: PathBuf) -> StoreError {
        let told: rusqlite::Result<(String, Utc)> =
            self.connection
                .query_row("SELECT holder, taken_at FROM outbox_worker", [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (holder, since) = told.map_or_else(
            |_| ("a worker that delivers".to_owned(), "unknown".to_owned()),
            |(holder, Utc(since))| (holder, since.to_string()),
        );
        let (holder, pid) = holder
            .split_once(", process ")
            .map_or((holder.clone(), "unknown".to_owned()), |(a, b)| (a.to_owned(), b.to_owned()));
        StoreError::LeaseHeld { path, holder, pid, since }
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
