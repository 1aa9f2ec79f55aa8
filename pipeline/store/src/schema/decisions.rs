//! Decisions of reviewers, accounts and leases.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::geopackage;

/// A row of the queue from the tables that it follows from. A patch waits while it is shown and undecided, and again while imagery
/// asks for another look at it.
const QUEUE_ROW: &str = "
    INSERT OR REPLACE INTO review_queue
        (fid, patch_id, waiting, state, shown, priority, issue_class, severity, reach_id, river_code, adcd, city, county,
         sensor, post_date, post_pass_id, verdict)
    SELECT p.fid, p.patch_id,
        (coalesce(a.shown, 1) AND coalesce(s.state, 'open') <> 'decided')
            OR EXISTS (SELECT 1 FROM review_requests r WHERE r.patch_id = p.patch_id AND r.done_at IS NULL),
        coalesce(s.state, 'open'),
        coalesce(a.shown, 1), coalesce(a.priority, p.review_score, p.confidence),
        coalesce(s.issue_class, a.issue_class, p.suspected_issue_class), coalesce(s.severity, a.severity), p.reach_id,
        a.river_code, a.adcd, substr(a.adcd, 1, 4), substr(a.adcd, 1, 6), p.post_sensor, p.post_date, p.post_pass_id, s.verdict
    FROM patches p LEFT JOIN assessments a ON a.patch_id = p.patch_id
        LEFT JOIN decision_state s ON s.patch_id = p.patch_id";

/// Schema version 6.
pub(super) fn add(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_6.sql"))?;
    for (table, description) in [
        ("decisions", "What reviewers decided on patches, one row a decision, only ever appended"),
        ("decision_state", "What the decisions on each patch add up to"),
        ("review_leases", "Who looks at which patch now"),
        ("accounts", "Accounts of the review server, by code"),
        ("review_sessions", "Sessions of the review server: digests only"),
        ("access_log", "What was done with accounts, only ever appended"),
        ("field_photos", "Photographs of field checks"),
        ("review_queue", "Current patches in the order of review; kept by triggers"),
    ] {
        geopackage::register_attributes(transaction, table, description, now)?;
    }
    Ok(())
}

/// Fills the queue and lets it follow the tables that it is made of, once all of them are there.
pub(super) fn follow(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(QUEUE_ROW)?;
    let triggers = [
        ("patch_added", "AFTER INSERT ON patches", "NEW"),
        ("assessment_added", "AFTER INSERT ON assessments", "NEW"),
        ("assessment_changed", "AFTER UPDATE ON assessments", "NEW"),
        ("assessment_removed", "AFTER DELETE ON assessments", "OLD"),
        ("decision_state_added", "AFTER INSERT ON decision_state", "NEW"),
        ("decision_state_changed", "AFTER UPDATE ON decision_state", "NEW"),
        ("request_added", "AFTER INSERT ON review_requests", "NEW"),
        ("request_done", "AFTER UPDATE OF done_at ON review_requests", "NEW"),
    ];
    for (name, when, row) in triggers {
        transaction.execute_batch(&format!(
            "CREATE TRIGGER review_queue_{name} {when} BEGIN {QUEUE_ROW} WHERE p.patch_id = {row}.patch_id; END"
        ))?;
    }
    transaction.execute_batch(
        "CREATE TRIGGER review_queue_patch_removed AFTER DELETE ON patches
         BEGIN DELETE FROM review_queue WHERE fid = OLD.fid; END",
    )
}
