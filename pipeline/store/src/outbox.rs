//! What has to reach the issue system, written in the transaction of what causes it.

use jiff::Timestamp;
use rusqlite::Transaction;
use shorewatch_domain::decision::Decision;

use crate::decisions::PatchReview;

/// Called for every decision, in its transaction, with the state before it and until when its delivery waits for an undo.
pub(crate) fn on_decision(
    _transaction: &Transaction<'_>,
    _decision: &Decision,
    _before: &PatchReview,
    _after: &PatchReview,
    _hold_until: Timestamp,
    _now: Timestamp,
) -> rusqlite::Result<()> {
    Ok(())
}
