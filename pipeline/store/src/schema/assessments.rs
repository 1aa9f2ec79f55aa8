//! What layers and rules say of each patch.

use jiff::Timestamp;
use rusqlite::Transaction;

/// Schema version 5.
pub(super) fn add(transaction: &Transaction<'_>, _now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_5.sql"))
}
