//! What layers and rules say of each patch.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::geopackage;

/// Schema version 5.
pub(super) fn add(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_5.sql"))?;
    for (table, description) in [
        ("assessments", "What layers, rules and earlier sites say of each current patch; suspected is not a verdict"),
        ("patch_numbers", "Numbers that were given to patches, superseded ones too"),
        ("idle_projects", "Approved projects on whose observed ground nothing changed by their day (占而不用)"),
    ] {
        geopackage::register_attributes(transaction, table, description, now)?;
    }
    geopackage::register_layer(
        transaction,
        "national_patches",
        "MULTIPOLYGON",
        "National patches (图斑) as they came",
        now,
    )
}
