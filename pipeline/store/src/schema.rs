//! Our own tables, their version, and how an older store is brought up to date.

mod assessments;
mod decisions;
mod layers;
mod outbox;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::geopackage;
use crate::values::Utc;

/// The schema version that this program writes and reads.
pub const SCHEMA_VERSION: u32 = 12;

/// Brings a store from the version before to `version`.
struct Migration {
    version: u32,
    apply: fn(&Transaction<'_>, Timestamp) -> rusqlite::Result<()>,
}

/// In order of version; the last one is [`SCHEMA_VERSION`].
const MIGRATIONS: [Migration; 12] = [
    Migration { version: 1, apply: create_version_1 },
    Migration { version: 2, apply: add_reviews },
    Migration { version: 3, apply: add_evidence_and_cases },
    Migration { version: 4, apply: layers::add },
    Migration { version: 5, apply: assessments::add },
    Migration { version: 6, apply: decisions::add },
    Migration { version: 7, apply: outbox::add },
    Migration { version: 8, apply: layers::add_withdrawals },
    Migration { version: 9, apply: add_changed_pixels },
    Migration { version: 10, apply: widen_queue_indexes },
    Migration { version: 11, apply: add_account_links },
    Migration { version: 12, apply: add_scores_of_follow_ups },
];

/// What a file is, seen from our schema.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An empty database.
    Blank,
    /// SQLite with another application id.
    OtherDatabase { application_id: u32 },
    /// A GeoPackage without our tables.
    OtherGeoPackage { tables: i64 },
    /// Ours, in a version.
    Store { version: u32 },
}

/// Looks at what the file is, without changing it.
pub(crate) fn find(connection: &Connection) -> rusqlite::Result<Found> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master WHERE type = 'table'", [], |row| row.get(0))?;
    let application_id: u32 = connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i32>(0))? as u32;
    if tables == 0 && matches!(application_id, 0 | geopackage::APPLICATION_ID) {
        return Ok(Found::Blank);
    }
    if application_id != geopackage::APPLICATION_ID {
        return Ok(Found::OtherDatabase { application_id });
    }
    let ours: bool = connection.query_row(
        "SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = 'shorewatch_schema'",
        [],
        |row| row.get(0),
    )?;
    let version: Option<u32> = if ours {
        connection.query_row("SELECT max(version) FROM shorewatch_schema", [], |row| row.get(0)).optional()?.flatten()
    } else {
        None
    };
    Ok(version.map_or(Found::OtherGeoPackage { tables }, |version| Found::Store { version }))
}

/// Applies what is missing, in the caller's transaction: either all of it is there afterwards or nothing.
pub(crate) fn migrate(transaction: &Transaction<'_>, from: u32, now: Timestamp) -> rusqlite::Result<()> {
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
        (migration.apply)(transaction, now)?;
        transaction.execute(
            "INSERT INTO shorewatch_schema (version, applied_at) VALUES (?1, ?2)",
            params![migration.version, Utc(now)],
        )?;
    }
    Ok(())
}

fn create_version_1(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    geopackage::create_core(transaction)?;
    transaction.execute_batch(include_str!("sql/shorewatch_1.sql"))?;
    for (table, geometry_type, description) in [
        (
            "patches",
            "POLYGON",
            "Suspected-problem patches (疑似问题图斑) of current publications; suspected is not a verdict",
        ),
        ("reaches", "MULTIPOLYGON", "Management scopes (管理范围) of the managed shoreline"),
        ("tiles", "POLYGON", "Squares that were looked at, pass by pass, and how much of each was observed"),
        ("passes", "POLYGON", "Footprints of the acquisitions"),
    ] {
        geopackage::register_layer(transaction, table, geometry_type, description, now)?;
    }
    for (table, description) in [
        ("observations", "What was observed and compared of each reach in each pass"),
        ("publications", "Published results, one a pass and grid; superseded ones are kept"),
        ("runs", "Runs of the program"),
        ("units", "Published units of work"),
        ("patches_superseded", "Patches of superseded publications, kept for the record"),
        ("shorewatch_schema", "Version of these tables"),
    ] {
        geopackage::register_attributes(transaction, table, description, now)?;
    }
    Ok(())
}

fn add_reviews(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("sql/shorewatch_2.sql"))?;
    geopackage::register_attributes(
        transaction,
        "reviews",
        "What reviewers decided on patches (内业复核), one row a decision; the latest on a patch counts",
        now,
    )
}

fn add_evidence_and_cases(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("sql/shorewatch_3.sql"))?;
    for (layer, description) in [
        ("cases", "What several passes say about one place, with the outline of its latest patch; no verdict either"),
        ("patches_suppressed", "Places that looked like patches and were kept back, each with a reason"),
    ] {
        geopackage::register_layer(transaction, layer, "POLYGON", description, now)?;
    }
    for (table, description) in [
        ("case_events", "What each pass meant for each case that it concerns"),
        ("follow_ups", "What each pass shows of the ground of patches of earlier passes"),
    ] {
        geopackage::register_attributes(transaction, table, description, now)?;
    }
    Ok(())
}

/// Whether the pixels of the ground of an earlier patch changed; empty for follow-ups of older versions.
fn add_changed_pixels(transaction: &Transaction<'_>, _: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("sql/shorewatch_9.sql"))
}

fn add_scores_of_follow_ups(transaction: &Transaction<'_>, _: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("sql/shorewatch_12.sql"))
}

/// The queue of a county or city with another filter is answered from the index.
fn widen_queue_indexes(transaction: &Transaction<'_>, _: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("sql/shorewatch_10.sql"))
}

/// Accounts that an identity provider lets in; none of older versions.
fn add_account_links(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("sql/shorewatch_11.sql"))?;
    geopackage::register_attributes(transaction, "account_links", "Accounts that an identity provider lets in", now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_migration_is_the_schema_version() {
        assert!(MIGRATIONS.is_sorted_by_key(|migration| migration.version));
        assert_eq!(MIGRATIONS.last().map(|migration| migration.version), Some(SCHEMA_VERSION));
    }

    #[test]
    fn a_dropped_migration_leaves_an_empty_file() {
        let mut connection = Connection::open_in_memory().expect("a database");
        crate::geometry::register_functions(&connection).expect("functions");
        let transaction = connection.transaction().expect("a transaction");
        migrate(&transaction, 0, Timestamp::UNIX_EPOCH).expect("tables");
        assert_eq!(find(&transaction).expect("a look"), Found::Store { version: SCHEMA_VERSION });
        drop(transaction);
        assert_eq!(find(&connection).expect("a look"), Found::Blank);
    }
}
