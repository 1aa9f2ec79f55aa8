//! Deliveries: one row an event and target, from waiting to delivered, joined or dead.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::finding::FindingEvent;

use super::journal::{self, Journal};
use super::worker::{self, DeliveryWorker};
use crate::error::{Refusal, StoreError};
use crate::store::Store;
use crate::values::Utc;
use rows::{BROKEN_BATCH, DUE, DUE_FOR_BATCH, NewDelivery, OF_BATCH, due_of, end, enter, new_delivery_of};

mod rows;
mod standing;

pub use standing::{DeadLetter, TargetStanding};

/// Events that become deliveries in one transaction.
const PAGE: u32 = 2_000;

/// A delivery that is to be sent now.
#[derive(Clone, PartialEq, Debug)]
pub struct Due {
    /// Number of its event.
    pub event: i64,
    /// Id of the event: the same however often it is sent.
    pub event_id: String,
    /// The finding.
    pub finding_id: String,
    /// What is told.
    pub kind: FindingEvent,
    /// The patch that it is told of.
    pub patch_id: String,
    /// What else belongs to it.
    pub details: serde_json::Value,
    /// When it came about.
    pub created_at: Timestamp,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// Id of the finding at the target, where it is known.
    pub external_id: Option<String>,
}

/// What became of an attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Ended {
    /// The receiver took it.
    Delivered,
    /// Not now: again at this time. `certain` where the receiver surely did not take it.
    Again {
        /// When.
        at: Timestamp,
        /// Whether it is sure that nothing was taken.
        certain: bool,
    },
    /// Never as it is: a dead letter. `certain` as above.
    Dead {
        /// Whether it is sure that nothing was taken.
        certain: bool,
    },
}

/// The end of an attempt, for the store.
#[derive(Clone, PartialEq, Debug)]
pub struct Attempt {
    /// Number of the event.
    pub event: i64,
    /// Id of the event.
    pub event_id: String,
    /// The finding.
    pub finding_id: String,
    /// What became of it.
    pub ended: Ended,
    /// Status of the answer, where there was one.
    pub status_code: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// Id of the finding at the target, where the answer told it.
    pub external_id: Option<String>,
}

/// How a target as a whole stands after a round.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TargetTrouble {
    /// Failures in a row.
    pub failures: u32,
    /// Nothing is sent before this time.
    pub paused_until: Option<Timestamp>,
    /// Nothing is sent any more, and why.
    pub disabled_reason: Option<String>,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

impl Store {
    /// Makes deliveries of the events that this target has none of yet, at most one page of them; what nobody was sent is
    /// joined with what came after. Returns how many events were looked at: 0 when there are no more.
    ///
    /// # Errors
    /// Another worker took over; a fault of the file.
    pub fn fan_out(&mut self, worker: &DeliveryWorker, target: &str) -> Result<u64, StoreError> {
        let seen: Vec<bool> = self.rows(
            "look for new events",
            "SELECT coalesce((SELECT max(fid) FROM outbox_events), 0) = last_event FROM outbox_targets WHERE name = ?1",
            [target],
            |row| row.get(0),
        )?;
        if seen == [true] {
            self.must_be_latest(worker)?;
            return Ok(0);
        }
        self.write("make deliveries of events", |transaction| {
            worker::check(transaction, worker)?;
            let last: Option<i64> = transaction
                .prepare_cached("SELECT last_event FROM outbox_targets WHERE name = ?1")?
                .query_row([target], |row| row.get(0))
                .optional()?;
            let from = last.unwrap_or_default();
            if last.is_none() {
                transaction
                    .prepare_cached("INSERT INTO outbox_targets (name, last_event, failures) VALUES (?1, 0, 0)")?
                    .execute([target])?;
            }
            let page: Vec<NewDelivery> = transaction
                .prepare_cached(
                    "SELECT outbox_events.*, delivered_at FROM outbox_events LEFT JOIN outbox_delivered_before AS past
                         ON past.event_id = outbox_events.event_id AND past.target = ?1
                     WHERE outbox_events.fid > ?2 ORDER BY outbox_events.fid LIMIT ?3",
                )?
                .query_map(params![target, from, PAGE], new_delivery_of)?
                .collect::<rusqlite::Result<_>>()?;
            for event in &page {
                enter(transaction, target, event)?;
            }
            if let Some(event) = page.last() {
                transaction
                    .prepare_cached("UPDATE outbox_targets SET last_event = ?2 WHERE name = ?1")?
                    .execute(params![target, event.event])?;
            }
            Ok(page.len() as u64)
        })
    }

    /// Claims what is due at a target, the longest due first, at most `limit`: of each finding only its earliest.
    ///
    /// # Errors
    /// Another worker took over; a fault of the file.
    pub fn claim(
        &mut self,
        worker: &DeliveryWorker,
        target: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Due>, StoreError> {
        // without the write lock first: most of the time nothing is due
        let nothing: Vec<Due> =
            self.rows("look for what is due", DUE, params![target, Utc(now), worker.token(), 1], due_of)?;
        if nothing.is_empty() {
            self.must_be_latest(worker)?;
            return Ok(nothing);
        }
        self.write("claim what is due", |transaction| {
            worker::check(transaction, worker)?;
            let due: Vec<Due> = transaction
                .prepare_cached(DUE)?
                .query_map(params![target, Utc(now), worker.token(), limit as u64], due_of)?
                .collect::<rusqlite::Result<_>>()?;
            let mut claim = transaction.prepare_cached(
                "UPDATE outbox_deliveries SET claimed = ?3, attempts = attempts + 1, uncertain = uncertain + 1
                 WHERE target = ?1 AND event = ?2",
            )?;
            for one in &due {
                claim.execute(params![target, one.event, worker.token()])?;
            }
            Ok(due)
        })
    }

    fn must_be_latest(&self, worker: &DeliveryWorker) -> Result<(), StoreError> {
        worker::check(&self.connection, worker).map_err(|trouble| trouble.at(&self.path, "deliver"))
    }

    /// Claims a batch for a target that takes files: one that broke off and is due, with exactly its rows, or a new one. Rows of one
    /// finding may be in one batch, in their order.
    ///
    /// # Errors
    /// Another worker took over; a fault of the file.
    pub fn claim_batch(
        &mut self,
        worker: &DeliveryWorker,
        target: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<Option<(String, Vec<Due>)>, StoreError> {
        // without the write lock first: most of the time nothing is due
        let broken: Vec<String> =
            self.rows("look for a batch that broke off", BROKEN_BATCH, params![target, Utc(now)], |row| row.get(0))?;
        let due: Vec<Due> = self.rows("look for what is due", DUE_FOR_BATCH, params![target, Utc(now), 1], due_of)?;
        if broken.is_empty() && due.is_empty() {
            self.must_be_latest(worker)?;
            return Ok(None);
        }
        self.write("claim a batch", |transaction| {
            worker::check(transaction, worker)?;
            let broken: Option<String> = transaction
                .prepare_cached(BROKEN_BATCH)?
                .query_row(params![target, Utc(now)], |row| row.get(0))
                .optional()?;
            let rows = |sql: &str, value: &dyn rusqlite::ToSql| -> rusqlite::Result<Vec<Due>> {
                transaction
                    .prepare_cached(sql)?
                    .query_map(params![target, value, limit as u64], due_of)?
                    .collect::<rusqlite::Result<_>>()
            };
            if let Some(batch) = broken {
                let due = rows(OF_BATCH, &batch)?;
                return Ok(Some((batch, due)));
            }
            let due = rows(DUE_FOR_BATCH, &Utc(now))?;
            let Some(first) = due.first() else { return Ok(None) };
            let batch = format!("findings-{:010}", first.event);
            let mut claim = transaction.prepare_cached(
                "UPDATE outbox_deliveries SET batch = ?3, attempts = attempts + 1, uncertain = uncertain + 1
                 WHERE target = ?1 AND event = ?2",
            )?;
            for one in &due {
                claim.execute(params![target, one.event, batch])?;
            }
            drop(claim);
            Ok(Some((batch, due)))
        })
    }

    /// Writes down what became of attempts, all in one transaction, and how the target stands. What was delivered is first
    /// written to the journal.
    ///
    /// # Errors
    /// Another worker took over; the journal or the store cannot be written.
    pub fn settle_attempts(
        &mut self,
        worker: &DeliveryWorker,
        journal: &mut Journal,
        target: &str,
        attempts: &[Attempt],
        trouble: &TargetTrouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let delivered = attempts.iter().filter(|attempt| attempt.ended == Ended::Delivered);
        journal.append(delivered.map(|attempt| (attempt.event_id.as_str(), target)), now)?;
        self.write("write down what became of deliveries", |transaction| {
            worker::check(transaction, worker)?;
            for attempt in attempts {
                end(transaction, target, attempt, now)?;
            }
            let any = attempts.iter().any(|attempt| attempt.ended == Ended::Delivered);
            transaction
                .prepare_cached(
                    "UPDATE outbox_targets SET failures = ?2, paused_until = ?3, disabled_reason = ?4,
                         last_error = coalesce(?5, last_error), last_success_at = iif(?6, ?7, last_success_at)
                     WHERE name = ?1",
                )?
                .execute(params![
                    target,
                    trouble.failures,
                    trouble.paused_until.map(Utc),
                    trouble.disabled_reason,
                    trouble.last_error,
                    any,
                    Utc(now),
                ])?;
            let (id, bytes) = journal.seen();
            Ok(journal::note(transaction, id, bytes)?)
        })
    }

    /// Puts dead letters of a target (all of them, or one event) back to wait, with a fresh count of attempts, and lets a
    /// disabled target be tried again. Returns how many there were.
    ///
    /// # Errors
    /// No such target; a fault of the file.
    pub fn replay(&mut self, target: &str, event_id: Option<&str>, now: Timestamp) -> Result<u64, StoreError> {
        self.write("replay dead letters", |transaction| {
            let enabled = transaction.execute(
                "UPDATE outbox_targets SET disabled_reason = NULL, failures = 0, paused_until = NULL WHERE name = ?1",
                [target],
            )?;
            if enabled == 0 {
                let next = "`shorewatch deliver status` lists those that were delivered to";
                return Err(Refusal::Unknown { kind: "target", selector: target.to_owned(), next }.into());
            }
            let changed = transaction.execute(
                "UPDATE outbox_deliveries SET state = 'waiting', attempts = 0, next_at = ?3, ended_at = NULL, claimed = NULL
                 WHERE target = ?1 AND state = 'dead'
                   AND (?2 IS NULL OR event = (SELECT fid FROM outbox_events WHERE event_id = ?2))",
                params![target, event_id, Utc(now)],
            )?;
            if changed == 0 && event_id.is_some() {
                let selector = event_id.unwrap_or_default().to_owned();
                let next = "`shorewatch deliver status` lists the dead letters";
                return Err(Refusal::Unknown { kind: "dead letter", selector, next }.into());
            }
            Ok(changed as u64)
        })
    }
}
