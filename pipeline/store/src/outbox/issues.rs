//! The way back: what the issue system reports, and what imagery says of the closures that it asks for.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::CaseRules;
use shorewatch_domain::finding::{
    self, Closure, FindingEvent, IssueState, Judgement, Look, Unanswered, look_back_dates,
};

use super::{IssueName, NewEvent, append, recur};
use crate::error::StoreError;
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Utc};

/// What the issue system reports of a finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct IssueReport {
    /// Id of the report at its target: a second one of the same id changes nothing.
    pub report_id: String,
    /// The target that it comes from.
    pub target: String,
    /// The finding, by our id; or …
    pub finding_id: Option<String>,
    /// … by the target's.
    pub external_id: Option<String>,
    /// Where the issue system has it.
    pub state: IssueState,
    /// Outcome as the issue system codes it (national codes are kept as they are).
    pub outcome: Option<String>,
    /// What else it says.
    pub note: Option<String>,
    /// When it came about over there.
    pub reported_at: Timestamp,
}

/// What a report did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// The finding is now where the report says.
    Applied,
    /// It was there already: the same report came before.
    Repeated,
    /// Something later was reported before it: kept for the record, changed nothing.
    Stale,
    /// Nobody knows the finding: nothing was kept.
    UnknownFinding,
}

/// A place on the list of those that are to be imaged again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reimaging {
    /// The finding.
    pub finding_id: String,
    /// `closure` or `look_back`.
    pub reason: String,
    /// Passes acquired after this answer.
    pub since: Timestamp,
}

impl Store {
    /// Takes a report, once: the finding's state, a place on the re-imaging list where a closure is asked for, look-backs
    /// after a closure.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn take_report(
        &mut self,
        report: &IssueReport,
        look_back_days: &[u16],
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        self.write("take a report of the issue system", |transaction| {
            let Some((finding_id, last)) = finding_of(transaction, report)? else { return Ok(Taken::UnknownFinding) };
            let stale = last.is_some_and(|last| report.reported_at < last);
            let added = transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO issue_reports
                         (report_id, target, finding_id, state, outcome, note, reported_at, received_at, applied)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                )?
                .execute(params![
                    report.report_id,
                    report.target,
                    finding_id,
                    report.state.name(),
                    report.outcome,
                    report.note,
                    Utc(report.reported_at),
                    Utc(now),
                    !stale,
                ])?;
            if added == 0 {
                return Ok(Taken::Repeated);
            }
            geopackage::touch(transaction, "issue_reports", now)?;
            if stale {
                return Ok(Taken::Stale);
            }
            apply(transaction, &finding_id, report, look_back_days, now)?;
            Ok(Taken::Applied)
        })
    }

    /// Places that wait for a pass, the longest first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn reimaging_list(&self) -> Result<Vec<Reimaging>, StoreError> {
        self.rows(
            "read the re-imaging list",
            "SELECT * FROM reimaging WHERE answer IS NULL ORDER BY since, fid",
            [],
            reimaging_of,
        )
    }

    /// Asks all passes so far about the places on the re-imaging list: an event for each answer, for each pass that did not
    /// observe the place, and a request to the reviewers where a person is needed. Asked again it says nothing twice.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn judge_closures(&mut self, rules: &CaseRules, now: Timestamp) -> Result<u64, StoreError> {
        let open = self.reimaging_list()?;
        if open.is_empty() {
            return Ok(0);
        }
        self.write("judge closures by imagery", |transaction| {
            let mut events = 0;
            for place in &open {
                events += judge_one(transaction, place, rules, now)?;
            }
            Ok(events)
        })
    }

    /// Escalates standing findings whose deadline has passed, each once. Returns how many there were.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn escalate_overdue(&mut self, today: Date, now: Timestamp) -> Result<u64, StoreError> {
        self.write("escalate deadlines that have passed", |transaction| {
            let rows: Vec<(String, String, String, Option<IssueName>)> = transaction
                .prepare_cached(
                    "SELECT finding_id, findings.patch_id, deadline, issue_state FROM findings
                     JOIN assessments ON assessments.patch_id = findings.patch_id
                     WHERE standing = 'stands' AND escalated_at IS NULL AND substr(deadline, 1, 10) < ?1",
                )?
                .query_map([today.to_string()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                .collect::<rusqlite::Result<_>>()?;
            let mut escalated = 0;
            for (finding_id, patch_id, deadline, state) in rows {
                let Ok(day) = deadline.get(..10).unwrap_or_default().parse::<Date>() else { continue };
                if !finding::is_overdue(day, state.map(|IssueName(state)| state), today) {
                    continue;
                }
                transaction
                    .prepare_cached("UPDATE findings SET escalated_at = ?2 WHERE finding_id = ?1")?
                    .execute(params![finding_id, Utc(now)])?;
                let event = NewEvent {
                    finding_id: &finding_id,
                    patch_id: &patch_id,
                    kind: FindingEvent::Updated,
                    cause: &format!("overdue|{deadline}"),
                    details: serde_json::json!({ "reason": "overdue", "deadline": deadline }),
                };
                escalated += u64::from(append(transaction, &event, now, now)?);
            }
            Ok(escalated)
        })
    }

    /// Links of findings to issues of a target that are open there, or were closed after `closed_since`, after a given id, at
    /// most `limit`: what is polled. (finding, id at the target, the answer that was last taken)
    ///
    /// # Errors
    /// A fault of the file.
    pub fn links_to_poll(
        &self,
        target: &str,
        closed_since: Timestamp,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(String, String, Option<String>)>, StoreError> {
        self.rows(
            "list the issues to ask for",
            "SELECT l.finding_id, l.external_id, l.polled_state FROM finding_links l JOIN findings f USING (finding_id)
             WHERE l.target = ?1 AND l.finding_id > ?2 AND f.standing = 'stands'
               AND (f.closed_at IS NULL OR f.closed_at > ?4)
             ORDER BY l.finding_id LIMIT ?3",
            params![target, after, limit, Utc(closed_since)],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }

    /// Notes what a target answered when it was asked for an issue.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn note_polled(&mut self, target: &str, finding_id: &str, answer: &str) -> Result<(), StoreError> {
        self.write("note what the issue system answered", |transaction| {
            transaction
                .prepare_cached("UPDATE finding_links SET polled_state = ?3 WHERE target = ?1 AND finding_id = ?2")?
                .execute([target, finding_id, answer])?;
            Ok(())
        })
    }
}

/// The finding of a report, and when its state was last reported.
fn finding_of(
    transaction: &Transaction<'_>,
    report: &IssueReport,
) -> rusqlite::Result<Option<(String, Option<Timestamp>)>> {
    transaction
        .prepare_cached(
            "SELECT finding_id, issue_state_at FROM findings WHERE finding_id = coalesce(?1,
                 (SELECT finding_id FROM finding_links WHERE target = ?2 AND external_id = ?3))",
        )?
        .query_row(params![report.finding_id, report.target, report.external_id], |row| {
            Ok((row.get(0)?, row.get::<_, Option<Utc>>(1)?.map(|Utc(time)| time)))
        })
        .optional()
}

fn apply(
    transaction: &Transaction<'_>,
    finding_id: &str,
    report: &IssueReport,
    look_back_days: &[u16],
    now: Timestamp,
) -> rusqlite::Result<()> {
    let closed_at = (report.state == IssueState::Closed).then_some(Utc(report.reported_at));
    transaction
        .prepare_cached(
            "UPDATE findings SET issue_state = ?2, issue_state_at = ?3, outcome = coalesce(?4, outcome), closed_at = ?5
             WHERE finding_id = ?1",
        )?
        .execute(params![finding_id, report.state.name(), Utc(report.reported_at), report.outcome, closed_at])?;
    let list = |reason: &str, since: Timestamp| -> rusqlite::Result<()> {
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO reimaging (finding_id, reason, since, created_at) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![finding_id, reason, Utc(since), Utc(now)])?;
        Ok(())
    };
    let cancel = |reason: &str| -> rusqlite::Result<()> {
        transaction
            .prepare_cached(
                "UPDATE reimaging SET answer = 'cancelled' WHERE finding_id = ?1 AND reason = ?2 AND answer IS NULL",
            )?
            .execute([finding_id, reason])?;
        Ok(())
    };
    match report.state {
        IssueState::ClosureRequested => list("closure", report.reported_at)?,
        IssueState::Closed => {
            let day = Zoned::new(report.reported_at, TimeZone::UTC).date();
            for date in look_back_dates(day, look_back_days) {
                if let Ok(since) = date.to_zoned(TimeZone::UTC) {
                    list("look_back", since.timestamp())?;
                }
            }
        }
        // work goes on: what a pass shows now says nothing about a closure
        IssueState::Accepted | IssueState::Dispatched | IssueState::Rectifying | IssueState::Returned => {
            cancel("closure")?;
            cancel("look_back")?;
        }
    }
    geopackage::touch(transaction, "findings", now)
}

fn judge_one(
    transaction: &Transaction<'_>,
    place: &Reimaging,
    rules: &CaseRules,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let looks = looks(transaction, &place.finding_id, place.since)?;
    let patch_id: String = transaction
        .prepare_cached("SELECT patch_id FROM findings WHERE finding_id = ?1")?
        .query_row([&place.finding_id], |row| row.get(0))?;
    let (answered, unobserved) = match finding::answer(&looks, place.since, rules) {
        Judgement::Answered { by, closure, unobserved } => (Some((by, closure)), unobserved),
        Judgement::Open(Unanswered { unobserved }) => (None, unobserved),
    };
    let say = |kind: FindingEvent, look: &Look, answer: &str| {
        let event = NewEvent {
            finding_id: &place.finding_id,
            patch_id: &patch_id,
            kind,
            cause: &format!("{}|{}|{}", place.reason, place.since, look.pass_id),
            details: serde_json::json!({
                "reason": place.reason,
                "since": place.since.to_string(),
                "answer": answer,
                "pass_id": look.pass_id.to_string(),
                "acquired_at": look.acquired_at.to_string(),
                "observed_fraction": look.observed_fraction,
                "present_fraction": look.present_fraction,
                "changed_fraction": look.changed_fraction,
            }),
        };
        append(transaction, &event, now, now).map(u64::from)
    };
    let mut events = 0;
    for look in &unobserved {
        events += say(FindingEvent::Unobserved, look, "unobserved")?;
    }
    let Some((by, closure)) = answered else { return Ok(events) };
    transaction
        .prepare_cached(
            "UPDATE reimaging SET answer = ?4, answered_by = ?5, answered_at = ?6
             WHERE finding_id = ?1 AND reason = ?2 AND since = ?3",
        )?
        .execute(params![
            place.finding_id,
            place.reason,
            Utc(place.since),
            closure.name(),
            Hex(by.pass_id),
            Utc(now)
        ])?;
    let kind = match (closure, place.reason.as_str()) {
        (Closure::Supported, _) => FindingEvent::ClosureSupported,
        (Closure::Contradicted, "look_back") => FindingEvent::Recurred,
        (Closure::Contradicted, _) => FindingEvent::ClosureContradicted,
        (Closure::CannotTell, _) => FindingEvent::Unobserved,
    };
    if kind == FindingEvent::Recurred {
        recur(transaction, &place.finding_id)?;
    }
    events += say(kind, &by, closure.name())?;
    if closure != Closure::Supported {
        let reason = if closure == Closure::CannotTell { "closure_cannot_be_told" } else { kind.name() };
        // not `INSERT OR IGNORE`: the trigger that puts the patch into the queue would inherit that, and ignore its own row
        transaction
            .prepare_cached(
                "INSERT INTO review_requests (patch_id, finding_id, reason, pass_id, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (finding_id, reason, pass_id) DO NOTHING",
            )?
            .execute(params![patch_id, place.finding_id, reason, Hex(by.pass_id), Utc(now)])?;
    }
    Ok(events)
}

/// What passes after `since` show of the ground of a finding: follow-ups of its patches and of those of its case, and patches
/// that its case has since then.
fn looks(transaction: &Transaction<'_>, finding_id: &str, since: Timestamp) -> rusqlite::Result<Vec<Look>> {
    const PATCHES: &str = "(SELECT patch_id FROM finding_patches WHERE finding_id = ?1 AND opens
         UNION SELECT patch_id FROM case_events
             WHERE case_id = (SELECT case_id FROM findings WHERE finding_id = ?1) AND patch_id IS NOT NULL)";
    let look_of = |row: &Row<'_>| {
        Ok(Look {
            pass_id: row.get::<_, Hex>(0)?.0,
            acquired_at: row.get::<_, Utc>(1)?.0,
            observed_fraction: row.get(2)?,
            present_fraction: row.get(3)?,
            changed_fraction: row.get(4)?,
        })
    };
    let mut looks: Vec<Look> = transaction
        .prepare_cached(&format!(
            "SELECT f.pass_id, p.post_date, f.observed_fraction, f.present_fraction, f.changed_fraction
             FROM publications p JOIN follow_ups f ON f.publication_id = p.publication_id
             WHERE p.is_current AND p.post_date > ?2 AND f.patch_id IN {PATCHES}"
        ))?
        .query_map(params![finding_id, Utc(since)], look_of)?
        .collect::<rusqlite::Result<_>>()?;
    let shown: Vec<Look> = transaction
        .prepare_cached(
            "SELECT pass_id, date, 1.0, 1.0, NULL FROM case_events
             WHERE case_id = (SELECT case_id FROM findings WHERE finding_id = ?1) AND patch_id IS NOT NULL
               AND event <> 'merged' AND date > ?2",
        )?
        .query_map(params![finding_id, Utc(since)], look_of)?
        .collect::<rusqlite::Result<_>>()?;
    looks.extend(shown);
    Ok(looks)
}

fn reimaging_of(row: &Row<'_>) -> rusqlite::Result<Reimaging> {
    Ok(Reimaging {
        finding_id: row.get("finding_id")?,
        reason: row.get("reason")?,
        since: row.get::<_, Utc>("since")?.0,
    })
}
