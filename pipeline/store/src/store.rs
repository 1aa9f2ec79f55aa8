//! Opening, creating and checking the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, Params, Row, Transaction, TransactionBehavior};

use crate::error::{StoreError, Trouble};
use crate::geometry;
use crate::schema::{self, Found, SCHEMA_VERSION};

/// How long a call waits for another program's lock on the file.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The GeoPackage store: one connection to one file.
///
/// Every change is one transaction: after a crash it is wholly there or not at all.
#[derive(Debug)]
pub struct Store {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
}

impl Store {
    /// Opens a store for reading and writing, and creates it where there is no file or an empty one. An older store is
    /// brought up to date in one transaction.
    ///
    /// # Errors
    /// The folder is missing, the file is something else or damaged, a newer program wrote it, or it stays locked.
    pub fn create_or_open(path: impl AsRef<Path>, now: Timestamp) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(path.as_ref(), flags)?;
        store.bring_up_to_date(true, now)?;
        Ok(store)
    }

    /// Opens an existing store for reading and writing. An older store is brought up to date in one transaction.
    ///
    /// # Errors
    /// As [`Store::create_or_open`], and where there is no store.
    pub fn open_existing(path: impl AsRef<Path>, now: Timestamp) -> Result<Self, StoreError> {
        Self::must_exist(path.as_ref())?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut store = Self::connect(path.as_ref(), flags)?;
        store.bring_up_to_date(false, now)?;
        Ok(store)
    }

    /// Opens an existing store for reading; nothing is ever written.
    ///
    /// # Errors
    /// As [`Store::open_existing`], and where the store has an older schema.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::must_exist(path.as_ref())?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Self::connect(path.as_ref(), flags)?;
        let got = store.version(false)?.unwrap_or(0);
        if got < SCHEMA_VERSION {
            return Err(StoreError::OlderStore { path: store.path, expected: SCHEMA_VERSION, got });
        }
        Ok(store)
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn must_exist(path: &Path) -> Result<(), StoreError> {
        if path.is_file() { Ok(()) } else { Err(StoreError::Missing { path: path.to_path_buf() }) }
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        // Absolute, since SQLite gives a meaning of its own to "" and ":memory:".
        let path = std::path::absolute(path).map_err(|source| StoreError::Io {
            path: path.to_path_buf(),
            during: "open the store",
            source,
        })?;
        let writes = flags.contains(OpenFlags::SQLITE_OPEN_READ_WRITE);
        let prepared = Connection::open_with_flags(&path, flags).and_then(|connection| {
            prepare(&connection, writes)?;
            Ok(connection)
        });
        let connection = prepared.map_err(|fault| StoreError::from_sqlite(&path, "open the store", fault))?;
        let store = Self { connection, path };
        store.check_length()?;
        Ok(store)
    }

    /// A file that was cut off is noticed here, not in the middle of a run.
    fn check_length(&self) -> Result<(), StoreError> {
        let during = "open the store";
        let ask = |pragma: &str| self.connection.query_row(pragma, [], |row| row.get::<_, u64>(0));
        let expected = ask("PRAGMA page_count")
            .and_then(|pages| Ok(pages * ask("PRAGMA page_size")?))
            .map_err(|fault| self.fault(during, fault))?;
        let mode = journal_mode(&self.connection).map_err(|fault| self.fault(during, fault))?;
        let got = fs::metadata(&self.path)
            .map_err(|source| StoreError::Io { path: self.path.clone(), during, source })?
            .len();
        if got < expected && mode != "wal" {
            let detail = format!("expected at least {expected} bytes, got {got}: the file was cut off");
            return Err(StoreError::Corrupt { path: self.path.clone(), during, detail });
        }
        Ok(())
    }

    /// The schema version; `None` for an empty file where that is allowed.
    fn version(&self, may_be_blank: bool) -> Result<Option<u32>, StoreError> {
        let path = || self.path.clone();
        match schema::find(&self.connection).map_err(|fault| self.fault("read the schema version", fault))? {
            Found::Blank if may_be_blank => Ok(None),
            Found::Blank => Err(StoreError::NotAGeoPackage { path: path(), got: "an empty file".to_owned() }),
            Found::OtherDatabase { application_id } => {
                Err(StoreError::NotAGeoPackage { path: path(), got: format!("application id {application_id:#010x}") })
            }
            Found::OtherGeoPackage { tables } => {
                Err(StoreError::NotAStore { path: path(), got: format!("{tables} other tables") })
            }
            Found::Store { version } if version > SCHEMA_VERSION => {
                Err(StoreError::NewerStore { path: path(), expected: SCHEMA_VERSION, got: version })
            }
            Found::Store { version } => Ok(Some(version)),
        }
    }

    fn bring_up_to_date(&mut self, may_be_blank: bool, now: Timestamp) -> Result<(), StoreError> {
        if self.version(may_be_blank)? == Some(SCHEMA_VERSION) {
            return Ok(());
        }
        self.write("create or update the tables", |transaction| {
            // Looked at again under the write lock: another process may have been quicker.
            let from = match schema::find(transaction)? {
                Found::Store { version } => version,
                _ => 0,
            };
            Ok(schema::migrate(transaction, from, now)?)
        })
    }

    /// Does `work` in one transaction that holds the write lock from its start.
    pub(crate) fn write<T>(
        &mut self,
        during: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let in_transaction = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        in_transaction().map_err(|trouble: Trouble| trouble.at(&self.path, during))
    }

    /// Reads all rows of a query.
    pub(crate) fn rows<T, C: FromIterator<T>>(
        &self,
        during: &'static str,
        sql: &str,
        arguments: impl Params,
        row_of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<C, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|fault| self.fault(during, fault))?;
        let read = statement.query_map(arguments, row_of).and_then(Iterator::collect::<rusqlite::Result<C>>);
        read.map_err(|fault| match fault {
            rusqlite::Error::FromSqlConversionFailure(column, _, cause) => StoreError::UnreadableValue {
                path: self.path.clone(),
                during,
                reason: format!("column {}: {cause}", statement.column_name(column).unwrap_or("without a name")),
            },
            other => self.fault(during, other),
        })
    }

    /// An error of SQLite, with the path and what was being done.
    pub(crate) fn fault(&self, during: &'static str, fault: rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, during, fault)
    }
}

fn journal_mode(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))
}

fn prepare(connection: &Connection, writes: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    geometry::register_functions(connection)?;
    if journal_mode(connection)? == "wal" && writes {
        // QGIS leaves the mode behind when it crashes while editing. Where it still has the file open, the mode stays:
        // that is safe as well.
        connection.busy_timeout(Duration::ZERO)?;
        let changed = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0));
        connection.busy_timeout(BUSY_TIMEOUT)?;
        match changed {
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if matches!(failure.code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {}
            other => drop(other?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_and_changes_nothing() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let now = Timestamp::UNIX_EPOCH;
        let mut store = Store::create_or_open(folder.path().join("s.gpkg"), now).expect("a store");
        let pages: u32 = store.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a number");
        store.connection.pragma_update(None, "max_page_count", pages).expect("a limit");
        let fill = |transaction: &Transaction<'_>| {
            transaction
                .execute("INSERT INTO shorewatch_schema (version, applied_at) VALUES (99, zeroblob(100000))", [])?;
            Ok(())
        };
        let full = store.write("fill the disk", fill).expect_err("full");
        assert!(matches!(full, StoreError::DiskFull { .. }) && full.is_retryable(), "{full}");
        store.connection.pragma_update(None, "max_page_count", 1_000_000).expect("no limit");
        assert_eq!(store.version(false).expect("a version"), Some(SCHEMA_VERSION));
        store.write("fill the disk", fill).expect("there is space now");
    }

    #[test]
    fn a_transaction_that_is_dropped_in_the_middle_leaves_nothing() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let mut store = Store::create_or_open(folder.path().join("s.gpkg"), Timestamp::UNIX_EPOCH).expect("a store");
        let before = fs::read(&store.path).expect("bytes");
        let transaction = store.connection.transaction().expect("a transaction");
        transaction.execute("UPDATE shorewatch_schema SET version = version + 90", []).expect("changed");
        drop(transaction);
        assert_eq!(fs::read(&store.path).expect("bytes"), before);
    }
}
