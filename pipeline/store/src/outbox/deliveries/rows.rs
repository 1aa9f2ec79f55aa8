//! Deliveries as rows: what is due, how an event enters, how an attempt ends.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use shorewatch_domain::finding::{FindingEvent, Joined, join};

use super::super::EventName;
use super::{Attempt, Due, Ended};
use crate::values::{Json, Utc};

/// Deliveries with their events.
macro_rules! select_due {
    ($rest:literal) => {
        concat!(
            "SELECT d.event, e.event_id, d.finding_id, d.kind, e.patch_id, e.details, e.created_at, d.attempts,
                 (SELECT external_id FROM finding_links l WHERE l.finding_id = d.finding_id AND l.target = d.target)
                     AS external_id
             FROM outbox_deliveries d JOIN outbox_events e ON e.fid = d.event ",
            $rest
        )
    };
}

/// Of each finding only the earliest that did not end: a dead letter holds up what came after it in its own finding, and
/// nothing else.
pub(super) const DUE: &str = select_due!(
    "WHERE d.target = ?1 AND d.state = 'waiting' AND d.next_at <= ?2 AND d.claimed IS NOT ?3 AND NOT EXISTS (
         SELECT 1 FROM outbox_deliveries b WHERE b.target = d.target AND b.finding_id = d.finding_id
           AND b.event < d.event AND b.state IN ('waiting', 'dead'))
     ORDER BY d.next_at, d.event LIMIT ?4"
);

pub(super) const DUE_FOR_BATCH: &str = select_due!(
    "WHERE d.target = ?1 AND d.state = 'waiting' AND d.next_at <= ?2 AND NOT EXISTS (
         SELECT 1 FROM outbox_deliveries b WHERE b.target = d.target AND b.finding_id = d.finding_id
           AND b.event < d.event AND (b.state = 'dead' OR b.state = 'waiting' AND b.next_at > ?2))
     ORDER BY d.event LIMIT ?3"
);

/// The earliest batch that broke off and is due again.
pub(super) const BROKEN_BATCH: &str = "SELECT batch FROM outbox_deliveries
     WHERE target = ?1 AND state = 'waiting' AND batch IS NOT NULL AND next_at <= ?2 ORDER BY event LIMIT 1";

pub(super) const OF_BATCH: &str =
    select_due!("WHERE d.target = ?1 AND d.state = 'waiting' AND d.batch = ?2 ORDER BY d.event LIMIT ?3");

/// An event that becomes a delivery.
pub(super) struct NewDelivery {
    pub(super) event: i64,
    finding_id: String,
    kind: FindingEvent,
    hold_until: Timestamp,
    delivered_before: Option<String>,
}

pub(super) fn new_delivery_of(row: &Row<'_>) -> rusqlite::Result<NewDelivery> {
    Ok(NewDelivery {
        event: row.get("fid")?,
        finding_id: row.get("finding_id")?,
        kind: row.get::<_, EventName>("kind")?.0,
        hold_until: row.get::<_, Utc>("hold_until")?.0,
        delivered_before: row.get("delivered_at")?,
    })
}

pub(super) fn due_of(row: &Row<'_>) -> rusqlite::Result<Due> {
    Ok(Due {
        event: row.get("event")?,
        event_id: row.get("event_id")?,
        finding_id: row.get("finding_id")?,
        kind: row.get::<_, EventName>("kind")?.0,
        patch_id: row.get("patch_id")?,
        details: row.get::<_, Json<_>>("details")?.0,
        created_at: row.get::<_, Utc>("created_at")?.0,
        attempt: row.get::<_, u32>("attempts")? + 1,
        external_id: row.get("external_id")?,
    })
}

/// Enters one event for a target, joined with what waits there.
pub(super) fn enter(transaction: &Transaction<'_>, target: &str, new: &NewDelivery) -> rusqlite::Result<()> {
    if new.delivered_before.is_some() {
        return insert(transaction, target, new, "delivered");
    }
    let waiting: Option<(i64, FindingEvent)> = transaction
        .prepare_cached(
            "SELECT event, kind, uncertain FROM outbox_deliveries
             WHERE target = ?1 AND finding_id = ?2 AND state IN ('waiting', 'dead') ORDER BY event DESC LIMIT 1",
        )?
        .query_row(params![target, new.finding_id], |row| {
            Ok((row.get(0)?, row.get::<_, EventName>(1)?.0, row.get::<_, u32>(2)?))
        })
        .optional()?
        .and_then(|(event, kind, uncertain)| (uncertain == 0).then_some((event, kind)));
    let joined = waiting.map_or(Joined::Both, |(_, kind)| join(kind, new.kind));
    let event = waiting.map(|(event, _)| event);
    match joined {
        Joined::Both => insert(transaction, target, new, "waiting"),
        Joined::OnlyWaiting => {
            transaction
                .prepare_cached(
                    "UPDATE outbox_deliveries SET next_at = max(next_at, ?3) WHERE target = ?1 AND event = ?2",
                )?
                .execute(params![target, event, Utc(new.hold_until)])?;
            insert(transaction, target, new, "joined")
        }
        Joined::OnlyNewer | Joined::Neither => {
            transaction
                .prepare_cached("UPDATE outbox_deliveries SET state = 'joined' WHERE target = ?1 AND event = ?2")?
                .execute(params![target, event])?;
            insert(transaction, target, new, if joined == Joined::Neither { "joined" } else { "waiting" })
        }
    }
}

fn insert(transaction: &Transaction<'_>, target: &str, new: &NewDelivery, state: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO outbox_deliveries
                 (target, event, finding_id, kind, state, attempts, uncertain, next_at, ended_at)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7)",
        )?
        .execute(params![
            target,
            new.event,
            new.finding_id,
            new.kind.name(),
            state,
            Utc(new.hold_until),
            new.delivered_before
        ])?;
    Ok(())
}

pub(super) fn end(
    transaction: &Transaction<'_>,
    target: &str,
    attempt: &Attempt,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let (state, next_at, certain) = match attempt.ended {
        Ended::Delivered => ("delivered", now, true),
        Ended::Again { at, certain } => ("waiting", at, certain),
        Ended::Dead { certain } => ("dead", now, certain),
    };
    transaction
        .prepare_cached(
            "UPDATE outbox_deliveries SET state = ?3, next_at = ?4, uncertain = uncertain - ?5, claimed = NULL, status_code = ?6,
                 last_error = ?7, ended_at = iif(?3 = 'waiting', NULL, ?8) WHERE target = ?1 AND event = ?2",
        )?
        .execute(params![
            target,
            attempt.event,
            state,
            Utc(next_at),
            certain,
            attempt.status_code,
            attempt.error,
            Utc(now),
        ])?;
    if let Some(external_id) = &attempt.external_id {
        transaction
            .prepare_cached(
                "INSERT INTO finding_links (finding_id, target, external_id) VALUES (?1, ?2, ?3)
                 ON CONFLICT (finding_id, target) DO UPDATE SET external_id = ?3",
            )?
            .execute(params![attempt.finding_id, target, external_id])?;
    }
    Ok(())
}
