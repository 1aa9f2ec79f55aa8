//! How deliveries stand: what waits, what is dead, and what is not known here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::TargetTrouble;
use crate::error::StoreError;
use crate::store::Store;
use crate::values::Utc;

/// How a target stands.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct TargetStanding {
    /// Its name.
    pub name: String,
    /// Events that wait, due or not.
    pub waiting: u64,
    /// Events that it took.
    pub delivered: u64,
    /// Events that were said by others before anybody was sent them.
    pub joined: u64,
    /// Dead letters.
    pub dead: u64,
    /// Events that wait behind a dead letter of their own finding.
    pub behind_dead: u64,
    /// Attempts so far.
    pub attempts: u64,
    /// When the oldest event that waits came about; `None` where none does.
    pub oldest_waiting: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Nothing is sent before this time.
    pub paused_until: Option<Timestamp>,
    /// Nothing is sent any more, and why.
    pub disabled_reason: Option<String>,
    /// When it last took something.
    pub last_success_at: Option<Timestamp>,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

/// A message that cannot be delivered as it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Target.
    pub target: String,
    /// Id of the event.
    pub event_id: String,
    /// Finding.
    pub finding_id: String,
    /// What it would tell.
    pub kind: String,
    /// Attempts.
    pub attempts: u32,
    /// Status of the last answer, where there was one.
    pub status_code: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// When it was given up.
    pub ended_at: Option<Timestamp>,
}

const STANDINGS: &str = "SELECT t.*,
     (SELECT count(*) FROM outbox_deliveries d WHERE d.target = t.name AND d.state = 'waiting')
         + (SELECT count(*) FROM outbox_events e WHERE e.fid > t.last_event) AS waiting,
     (SELECT count(*) FROM outbox_deliveries d WHERE d.target = t.name AND d.state = 'delivered') AS delivered,
     (SELECT count(*) FROM outbox_deliveries d WHERE d.target = t.name AND d.state = 'joined') AS joined,
     (SELECT count(*) FROM outbox_deliveries d WHERE d.target = t.name AND d.state = 'dead') AS dead,
     (SELECT count(DISTINCT d.fid) FROM outbox_deliveries b JOIN outbox_deliveries d
          ON d.target = b.target AND d.finding_id = b.finding_id AND d.event > b.event AND d.state = 'waiting'
      WHERE b.target = t.name AND b.state = 'dead') AS behind_dead,
     (SELECT coalesce(sum(attempts), 0) FROM outbox_deliveries d WHERE d.target = t.name) AS tried,
     (SELECT created_at FROM outbox_events WHERE fid = coalesce(
          (SELECT min(event) FROM outbox_deliveries d WHERE d.target = t.name AND d.state = 'waiting'),
          (SELECT min(fid) FROM outbox_events e WHERE e.fid > t.last_event))) AS oldest
 FROM outbox_targets t ORDER BY name";

impl Store {
    /// How every target stands that was ever delivered to, by name.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn target_standings(&self) -> Result<Vec<TargetStanding>, StoreError> {
        self.rows("read how targets stand", STANDINGS, [], |row| {
            let time = |column: &str| row.get::<_, Option<Utc>>(column).map(|time| time.map(|Utc(time)| time));
            Ok(TargetStanding {
                name: row.get("name")?,
                waiting: row.get("waiting")?,
                delivered: row.get("delivered")?,
                joined: row.get("joined")?,
                dead: row.get("dead")?,
                behind_dead: row.get("behind_dead")?,
                attempts: row.get("tried")?,
                oldest_waiting: time("oldest")?,
                failures: row.get("failures")?,
                paused_until: time("paused_until")?,
                disabled_reason: row.get("disabled_reason")?,
                last_success_at: time("last_success_at")?,
                last_error: row.get("last_error")?,
            })
        })
    }

    /// How one target as a whole stood at the end of its last round; nothing wrong with one that is new.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn target_trouble(&self, target: &str) -> Result<TargetTrouble, StoreError> {
        let rows: Vec<TargetTrouble> =
            self.rows("read how a target stands", "SELECT * FROM outbox_targets WHERE name = ?1", [target], |row| {
                Ok(TargetTrouble {
                    failures: row.get("failures")?,
                    paused_until: row.get::<_, Option<Utc>>("paused_until")?.map(|Utc(time)| time),
                    disabled_reason: row.get("disabled_reason")?,
                    last_error: row.get("last_error")?,
                })
            })?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// Dead letters, by target and event, at most `limit`.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn dead_letters(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        self.rows(
            "read the dead letters",
            "SELECT d.*, e.event_id FROM outbox_deliveries d JOIN outbox_events e ON e.fid = d.event
             WHERE d.state = 'dead' ORDER BY d.target, d.event LIMIT ?1",
            [limit],
            |row| {
                Ok(DeadLetter {
                    target: row.get("target")?,
                    event_id: row.get("event_id")?,
                    finding_id: row.get("finding_id")?,
                    kind: row.get("kind")?,
                    attempts: row.get("attempts")?,
                    status_code: row.get("status_code")?,
                    error: row.get("last_error")?,
                    ended_at: row.get::<_, Option<Utc>>("ended_at")?.map(|Utc(time)| time),
                })
            },
        )
    }

    /// Number of events that no target was registered for when they came about, or that a new target has not seen: of a
    /// store without any target, all of them. With the time of the oldest.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn events_without_target(&self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let rows: Vec<(u64, Option<Timestamp>)> = self.rows(
            "count events",
            "SELECT count(*), min(created_at) FROM outbox_events WHERE NOT EXISTS (SELECT 1 FROM outbox_targets)",
            [],
            |row| Ok((row.get(0)?, row.get::<_, Option<Utc>>(1)?.map(|Utc(time)| time))),
        )?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}
