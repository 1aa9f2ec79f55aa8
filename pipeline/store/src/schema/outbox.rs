//! Findings, what has to reach the issue system, and what came back.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::geopackage;

/// Schema version 7.
pub(super) fn add(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_7.sql"))?;
    super::decisions::follow(transaction)?;
    geopackage::register_layer(
        transaction,
        "tasking_areas",
        "POLYGON",
        "Places that were reported: the next run looks at them first",
        now,
    )?;
    for (table, description) in [
        ("findings", "What a person confirmed, and where the issue system (问题台账) has it"),
        ("finding_patches", "The latest decision on each patch of a finding"),
        ("outbox_events", "What has to reach the issue system; only ever appended"),
        ("outbox_targets", "Issue systems that are delivered to"),
        ("outbox_deliveries", "What became of each event at each target"),
        ("outbox_worker", "Which worker delivers: its number is checked in every write"),
        ("outbox_delivered_before", "Delivered before this store was restored from a backup"),
        ("finding_links", "What findings are called in the issue system"),
        ("issue_reports", "What the issue system reported, each report once"),
        ("reimaging", "Places to be imaged again: closures asked for (销号), look-backs (回头看)"),
        ("review_requests", "What imagery contradicts or cannot judge, for a person to look at"),
        ("tasking_reports", "Reports by the public and others"),
    ] {
        geopackage::register_attributes(transaction, table, description, now)?;
    }
    Ok(())
}
