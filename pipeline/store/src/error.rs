//! What can go wrong with the store, told apart by what a person or a program should do next.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No file at the path.
    #[error("no store at {}; check the path, or run a command that creates one (`shorewatch init`)", path.display())]
    Missing {
        /// Where the store was expected.
        path: PathBuf,
    },
    /// The file cannot be opened at all: the folder is missing, or access is denied.
    #[error("cannot open {} ({detail}); check that its folder exists and that you may read and write there", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        detail: String,
    },
    /// The file is something else.
    #[error("{} is not a GeoPackage: expected a SQLite file with application id 'GPKG', got {got}; \
             name another store, or move this file away", path.display())]
    NotAGeoPackage {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        got: String,
    },
    /// A GeoPackage that Shorewatch did not write.
    #[error("{} is a GeoPackage without a Shorewatch schema: expected table shorewatch_schema, got {got}; \
             name another store, it is left as it is", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What it holds instead.
        got: String,
    },
    /// Written by a newer program.
    #[error("{} has schema version {got}, and this program knows versions up to {expected}; \
             use the newer program that wrote it", path.display())]
    NewerStore {
        /// The file.
        path: PathBuf,
        /// The latest schema version this program knows.
        expected: u32,
        /// The schema version of the file.
        got: u32,
    },
    /// Written by an older program, and opened for reading only, so that it cannot be brought up to date.
    #[error("{} has schema version {got}, expected {expected}; open it once with a command that writes", path.display())]
    OlderStore {
        /// The file.
        path: PathBuf,
        /// The schema version this program reads.
        expected: u32,
        /// The schema version of the file.
        got: u32,
    },
    /// The file is damaged.
    #[error("cannot {during}: {} is damaged ({detail}); restore a backup, or try `sqlite3 FILE .recover` on a copy", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// What was found.
        detail: String,
    },
    /// Another program holds the file for longer than the busy timeout.
    #[error("cannot {during}: {} was locked by another program for {} s; close it there (QGIS with unsaved edits?) and try again",
        path.display(), crate::store::BUSY_TIMEOUT.as_secs())]
    Busy {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
    },
    /// No space left; nothing of the unfinished change stays.
    #[error("cannot {during}: no space left for {}; free some and try again, nothing was changed", path.display())]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
    },
    /// The file may only be read.
    #[error("cannot {during}: {} may only be read; check its permissions", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
    },
    /// The operating system failed.
    #[error("cannot {during} at {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// Anything else that SQLite reports.
    #[error("cannot {during} in {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// A stored value does not mean what its column says: another program edited it.
    #[error("cannot {during}: a value in {} cannot be read ({reason}); was the table edited by another program?", path.display())]
    UnreadableValue {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// Column and fault.
        reason: String,
    },
    /// What was asked makes no sense for this store; nothing was changed.
    #[error("cannot {during} in {}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// Why not.
        source: Box<Refusal>,
    },
    /// Another run holds the lease.
    #[error("another run works on this store: {holder}, process {pid}, since {since} (lock file {}); \
             wait until it ends, or end it", path.display())]
    LeaseHeld {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, in the holder's words.
        holder: String,
        /// The holder's process.
        pid: String,
        /// Since when.
        since: String,
    },
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing of that name.
    #[error("there is no {kind} {selector:?}; {next}")]
    Unknown {
        /// What was looked for ("pass").
        kind: &'static str,
        /// By what.
        selector: String,
        /// What to do next.
        next: &'static str,
    },
    /// More than one of that name.
    #[error("{selector:?} may be any of {}; give more digits", candidates.join(", "))]
    Ambiguous {
        /// By what it was looked for.
        selector: String,
        /// What was found.
        candidates: Vec<String>,
    },
    /// Something changed since it was looked at.
    #[error("{what} was changed meanwhile: expected version {seen}, got {now}; look at it again")]
    Stale {
        /// What.
        what: String,
        /// The version that was looked at.
        seen: u64,
        /// The version that it has now.
        now: u64,
    },
    /// A record that contradicts itself or the store.
    #[error("{what}: expected {expected}, got {got}; {next}")]
    Invalid {
        /// Which record and field.
        what: String,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
        /// What to do next.
        next: &'static str,
    },
}

impl StoreError {
    /// True where the same call may succeed later without any change to the input: the store was locked, the disk was
    /// full, or another run held the lease.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::DiskFull { .. } | Self::LeaseHeld { .. })
    }

    /// Sorts an error of SQLite.
    pub(crate) fn from_sqlite(path: &Path, during: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        match &source {
            rusqlite::Error::SqliteFailure(failure, text) => {
                let detail = || text.clone().unwrap_or_else(|| failure.to_string());
                match failure.code {
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { path, during },
                    ErrorCode::DiskFull => Self::DiskFull { path, during },
                    ErrorCode::DatabaseCorrupt => Self::Corrupt { path, during, detail: detail() },
                    ErrorCode::NotADatabase => {
                        Self::NotAGeoPackage { path, got: "a file that is not SQLite".to_owned() }
                    }
                    ErrorCode::CannotOpen => Self::CannotOpen { path, detail: detail() },
                    ErrorCode::ReadOnly => Self::ReadOnly { path, during },
                    _ => Self::Sqlite { path, during, source },
                }
            }
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => {
                Self::UnreadableValue { path, during, reason: source.to_string() }
            }
            _ => Self::Sqlite { path, during, source },
        }
    }
}

/// An error inside a transaction, before it is known which file and what for.
#[derive(Debug)]
pub(crate) enum Trouble {
    Sqlite(rusqlite::Error),
    Refused(Refusal),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Trouble {
    /// Says where and during what.
    pub(crate) fn at(self, path: &Path, during: &'static str) -> StoreError {
        match self {
            Self::Sqlite(source) => StoreError::from_sqlite(path, during, source),
            Self::Refused(refusal) => {
                StoreError::Refused { path: path.to_path_buf(), during, source: Box::new(refusal) }
            }
        }
    }
}
