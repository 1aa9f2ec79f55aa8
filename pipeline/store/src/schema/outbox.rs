//! What has to reach the issue system, and what came back.

use jiff::Timestamp;
use rusqlite::Transaction;

/// Schema version 7.
pub(super) fn add(transaction: &Transaction<'_>, _now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_7.sql"))
}
