//! The layers that decide: versions, features, waters, chiefs, departments.

use jiff::Timestamp;
use rusqlite::Transaction;

/// Schema version 4.
pub(super) fn add(transaction: &Transaction<'_>, _now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_4.sql"))
}
