//! The outbox: what has to reach the issue system, written in the transaction of what caused it.
//!
//! | step | where |
//! |---|---|
//! | a decision changes a finding: an event is appended | `on_decision`, in the transaction of the decision |
//! | an event becomes one delivery a target; what nobody was sent yet is joined with what came after | [`deliveries`] |
//! | one worker at a time sends: its token is checked in every write | [`worker`] |
//! | what was delivered is also kept beside the store, where no restored backup can forget it | [`journal`] |
//! | what the issue system reports, closures and look-backs | [`issues`] |
//! | places that the public reported | [`tasking`] |
//! | everything that is known of a finding | [`records`] |
//!
//! Events are read by key, a page at a time: a long queue needs no more memory than a short one.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::decision::{Decision, DecisionVerdict};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::finding::{self, FindingEvent, IssueState, Known, Standing};

use crate::error::StoreError;
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Utc, named};

pub mod deliveries;
pub mod issues;
pub mod journal;
pub mod ledger;
pub mod records;
pub mod tasking;
pub mod worker;

/// A decision as the outbox sees it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Decided {
    /// Its id: the same where the decision is recorded twice.
    pub decision_id: String,
    /// The patch.
    pub patch_id: String,
    /// Its case, where it has one.
    pub case_id: Option<String>,
    /// The verdict that counts; `None` where none does (taken back, or a second person has to decide).
    pub verdict: Option<DecisionVerdict>,
    /// What the reviewer corrected, as JSON (class, sub-type, severity, geometry).
    pub corrected: serde_json::Value,
    /// When.
    pub decided_at: Timestamp,
}

impl Store {
    /// Records what decisions mean for findings, all in one transaction: for decisions that are not recorded here otherwise.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn decide_findings(
        &mut self,
        decided: &[Decided],
        hold_until: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write("record what decisions mean for findings", |transaction| {
            let mut events = 0;
            for one in decided {
                events += u64::from(on_decided(transaction, one, hold_until, now)?.is_some());
            }
            Ok(events)
        })
    }

    /// Notes where layers and rules now say something else of a standing finding: an event each. Returns how many there were.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn refresh_findings(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("look at what is known of findings", |transaction| {
            let rows: Vec<(String, String, String, bool)> = transaction
                .prepare_cached(
                    "SELECT finding_id, findings.patch_id, assessments.digest, assessment_digest IS NULL
                     FROM findings JOIN assessments ON assessments.patch_id = findings.patch_id
                     WHERE standing = 'stands' AND assessments.digest IS NOT NULL
                       AND assessments.digest IS NOT assessment_digest",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let mut told = 0;
            for (finding_id, patch_id, digest, first) in rows {
                transaction
                    .prepare_cached("UPDATE findings SET assessment_digest = ?2 WHERE finding_id = ?1")?
                    .execute([&finding_id, &digest])?;
                // the first time it is only noted: what was sent with the confirmation is what is known
                if !first {
                    let event = NewEvent {
                        finding_id: &finding_id,
                        patch_id: &patch_id,
                        kind: FindingEvent::Updated,
                        cause: &format!("assessment|{digest}"),
                        details: serde_json::json!({ "reason": "layers or rules changed" }),
                    };
                    told += u64::from(append(transaction, &event, now, now)?);
                }
            }
            Ok(told)
        })
    }
}

/// An event on its way into the outbox.
pub(crate) struct NewEvent<'a> {
    pub(crate) finding_id: &'a str,
    pub(crate) patch_id: &'a str,
    pub(crate) kind: FindingEvent,
    /// What brought it about: the same cause gives the same event.
    pub(crate) cause: &'a str,
    pub(crate) details: serde_json::Value,
}

/// Appends an event; false where it is there already.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    event: &NewEvent<'_>,
    hold_until: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let identity = format!("{}|{}|{}", event.finding_id, event.kind.name(), event.cause);
    let digest = Digest::of_bytes(identity.as_bytes()).to_string();
    let added = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO outbox_events
                 (event_id, finding_id, kind, patch_id, cause, details, created_at, hold_until)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            format!("evt_{}", &digest[..32]),
            event.finding_id,
            event.kind.name(),
            event.patch_id,
            event.cause,
            event.details.to_string(),
            Utc(now),
            Utc(hold_until),
        ])?;
    if added > 0 {
        transaction
            .prepare_cached("UPDATE findings SET revision = revision + 1 WHERE finding_id = ?1")?
            .execute([event.finding_id])?;
    }
    Ok(added > 0)
}

/// Called for every decision, in its transaction, with the decision that counts after it, if the patch is decided, and until when
/// its delivery waits for an undo.
pub(crate) fn on_decision(
    transaction: &Transaction<'_>,
    decision: &Decision,
    counts: Option<&Decision>,
    hold_until: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let corrected = counts.map(|decision| serde_json::to_value(&decision.corrected));
    let decided = Decided {
        decision_id: decision.decision_id.clone(),
        patch_id: decision.patch_id.clone(),
        case_id: decision.case_id.clone(),
        verdict: counts.and_then(|decision| decision.verdict),
        corrected: corrected
            .transpose()
            .map_err(|fault| rusqlite::Error::ToSqlConversionFailure(fault.into()))?
            .unwrap_or_default(),
        decided_at: counts.map_or(decision.decided_at, |decision| decision.decided_at),
    };
    on_decided(transaction, &decided, hold_until, now)?;
    Ok(())
}

/// What a decision means for the finding of its patch: the event that was appended, if any. In the transaction of the decision:
/// either both are there or neither.
pub(crate) fn on_decided(
    transaction: &Transaction<'_>,
    decided: &Decided,
    hold_until: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Option<FindingEvent>> {
    let opens = decided.verdict.is_some_and(DecisionVerdict::confirms);
    let before: Option<String> = transaction
        .prepare_cached("SELECT finding_id FROM finding_patches WHERE patch_id = ?1")?
        .query_row([&decided.patch_id], |row| row.get(0))
        .optional()?;
    let fresh = before.is_none();
    if fresh && !opens {
        return Ok(None);
    }
    let case_id = case_of(transaction, decided)?;
    let finding_id = before.unwrap_or_else(|| finding::finding_id(&decided.patch_id, case_id.as_deref()));
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO findings
                 (finding_id, case_id, patch_id, standing, revision, occurrence, confirmed_at)
             VALUES (?1, ?2, ?3, 'none', 0, 1, ?4)",
        )?
        .execute(params![finding_id, case_id, decided.patch_id, Utc(decided.decided_at)])?;
    transaction
        .prepare_cached(
            "INSERT INTO finding_patches (patch_id, finding_id, opens, verdict, corrected, decision_id, decided_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (patch_id) DO UPDATE SET opens = ?3, verdict = ?4, corrected = ?5, decision_id = ?6, decided_at = ?7",
        )?
        .execute(params![
            decided.patch_id,
            finding_id,
            opens,
            decided.verdict.map(DecisionVerdict::name),
            decided.corrected.to_string(),
            decided.decision_id,
            Utc(decided.decided_at),
        ])?;
    transaction
        .prepare_cached("UPDATE review_requests SET done_at = ?2 WHERE patch_id = ?1 AND done_at IS NULL")?
        .execute(params![decided.patch_id, Utc(now)])?;
    settle(transaction, &finding_id, decided, fresh, hold_until, now)
}

/// Brings a finding to what its patches now say.
fn settle(
    transaction: &Transaction<'_>,
    finding_id: &str,
    decided: &Decided,
    fresh: bool,
    hold_until: Timestamp,
    now: Timestamp,
) -> rusqlite::Result<Option<FindingEvent>> {
    let known = transaction
        .prepare_cached("SELECT standing, content, issue_state FROM findings WHERE finding_id = ?1")?
        .query_row([finding_id], |row| {
            Ok(Known {
                standing: row.get::<_, StandingName>(0)?.0,
                content: row.get::<_, Option<Hex>>(1)?.map(|Hex(digest)| digest),
                issue_state: row.get::<_, Option<IssueName>>(2)?.map(|IssueName(state)| state),
            })
        })?;
    let shown: Option<(String, String, String)> = transaction
        .prepare_cached(
            "SELECT patch_id, verdict, corrected FROM finding_patches WHERE finding_id = ?1 AND opens
             ORDER BY decided_at DESC, fid DESC LIMIT 1",
        )?
        .query_row([finding_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let wanted = shown.as_ref().map(|(patch_id, verdict, corrected)| {
        Digest::of_bytes(format!("{patch_id}\n{verdict}\n{corrected}").as_bytes())
    });
    let event = finding::news(&known, wanted, fresh);
    let standing = match (wanted, known.standing) {
        (Some(_), _) => Standing::Stands,
        (None, Standing::None) => Standing::None,
        (None, _) => Standing::Withdrawn,
    };
    let patch_id = shown.map_or_else(|| decided.patch_id.clone(), |(patch_id, ..)| patch_id);
    transaction
        .prepare_cached(
            "UPDATE findings SET standing = ?2, content = ?3, assessment_digest = iif(patch_id = ?4, assessment_digest, NULL),
                 patch_id = ?4 WHERE finding_id = ?1",
        )?
        .execute(params![finding_id, standing.name(), wanted.map(Hex), patch_id])?;
    let Some(kind) = event else { return Ok(None) };
    if kind == FindingEvent::Recurred {
        recur(transaction, finding_id)?;
    }
    let details = serde_json::json!({ "decision_id": decided.decision_id, "verdict": decided.verdict });
    let cause = format!("decision|{}", decided.decision_id);
    let new = NewEvent { finding_id, patch_id: &patch_id, kind, cause: &cause, details };
    let added = append(transaction, &new, hold_until, now)?;
    for table in ["findings", "outbox_events"] {
        geopackage::touch(transaction, table, now)?;
    }
    Ok(added.then_some(kind))
}

/// A closed finding is there again: the issue system begins anew with it.
fn recur(transaction: &Transaction<'_>, finding_id: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "UPDATE findings SET occurrence = occurrence + 1, issue_state = NULL, outcome = NULL, closed_at = NULL,
                 escalated_at = NULL WHERE finding_id = ?1",
        )?
        .execute([finding_id])?;
    transaction
        .prepare_cached("UPDATE reimaging SET answer = 'recurred' WHERE finding_id = ?1 AND answer IS NULL")?
        .execute([finding_id])?;
    Ok(())
}

/// The case of a patch: as the decision has it, or as the store knows it.
fn case_of(transaction: &Transaction<'_>, decided: &Decided) -> rusqlite::Result<Option<String>> {
    if decided.case_id.is_some() {
        return Ok(decided.case_id.clone());
    }
    transaction
        .prepare_cached("SELECT case_id FROM case_events WHERE patch_id = ?1 ORDER BY fid DESC LIMIT 1")?
        .query_row([&decided.patch_id], |row| row.get(0))
        .optional()
}

/// A standing by its name.
pub(crate) struct StandingName(pub(crate) Standing);

impl FromSql for StandingName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &Standing::ALL, Standing::name).map(Self)
    }
}

/// An event by its name.
pub(crate) struct EventName(pub(crate) FindingEvent);

impl FromSql for EventName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &FindingEvent::ALL, FindingEvent::name).map(Self)
    }
}

/// A state of the issue system by its name.
pub(crate) struct IssueName(pub(crate) IssueState);

impl FromSql for IssueName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &IssueState::ALL, IssueState::name).map(Self)
    }
}

#[cfg(test)]
pub(crate) mod tests;
