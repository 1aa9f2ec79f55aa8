//! Decisions of reviewers, accounts and leases.

use jiff::Timestamp;
use rusqlite::Transaction;

/// Schema version 6.
pub(super) fn add(transaction: &Transaction<'_>, _now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_6.sql"))
}
