//! What can go wrong with files, reference systems and features, and whose fault it is.
//!
//! A [`FileFault`] is the file's own: the pass is recorded as quarantined with it. Everything else in
//! [`ImageryError`] stops the command, because it says nothing about the file (a permission, a profile, a full disk).

mod fault;

use std::io;
use std::path::{Path, PathBuf};

pub use fault::FileFault;

/// One feature that cannot become a reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureFault {
    /// Which one, as a person finds it ("feature 7 (id \"R07\")").
    pub feature: String,
    /// What is wrong and what to do.
    pub problem: String,
}

/// Whatever stops imagery or vector work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageryError {
    /// The file itself is unusable.
    #[error("{}: {fault}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: FileFault,
    },
    /// A name that GDAL would take for something else than a local file.
    #[error("{}: refused: {reason}; give the path of a local file", .path.display())]
    Name {
        /// The name.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried ("read", "rename into place").
        action: &'static str,
        /// Its words.
        source: io::Error,
    },
    /// The file is probably still being written.
    #[error("{}: not complete yet: {detail}; try again when the copy has finished", .path.display())]
    NotComplete {
        /// The file.
        path: PathBuf,
        /// What shows it.
        detail: String,
    },
    /// A band has no file.
    #[error("no file for band {band} ({role}) of {profile}: no name matches {pattern:?} among {}", .files.join(", "))]
    MissingBand {
        /// Profile name.
        profile: String,
        /// Band name.
        band: String,
        /// Band role.
        role: String,
        /// Expected pattern.
        pattern: String,
        /// Names that were given.
        files: Vec<String>,
    },
    /// Two files for one band.
    #[error("{} files match {pattern:?} for band {band} of {profile}: {}; give the files of one pass", .files.len(), .files.join(", "))]
    AmbiguousBand {
        /// Profile name.
        profile: String,
        /// Band name.
        band: String,
        /// Its pattern.
        pattern: String,
        /// Names that match.
        files: Vec<String>,
    },
    /// Files that the profile has no use for.
    #[error("not known to the profile {profile}: {}; expected {expected}", .files.join(", "))]
    ExtraFiles {
        /// Profile name.
        profile: String,
        /// Names without a band.
        files: Vec<String>,
        /// What the profile reads, in words.
        expected: String,
    },
    /// A sensor profile that contradicts itself.
    #[error("sensor profile {profile}: {problem}")]
    Profile {
        /// Profile name.
        profile: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Nobody says when the pass was acquired.
    #[error("{}: the time of acquisition is unknown ({tried}); give it with --time, in ISO 8601, UTC", .path.display())]
    TimeUnknown {
        /// First file of the pass.
        path: PathBuf,
        /// What was looked at.
        tried: String,
    },
    /// The operator's claim contradicts the file.
    #[error("{}: assigned {assigned}, but the file itself says {own}; leave the assignment out, or correct the file", .path.display())]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// The operator's claim.
        assigned: String,
        /// The file's own words.
        own: String,
    },
    /// A pass whose own pixels are no lattice that results can be given on.
    #[error("its own pixels can't be used as the grid of a result: {problem}")]
    Lattice {
        /// What is wrong and what to do.
        problem: String,
    },
    /// A reference system that nobody knows.
    #[error("unknown coordinate reference system {crs}: {detail}")]
    Crs {
        /// Code or name.
        crs: String,
        /// The library's words.
        detail: String,
    },
    /// Points that the transformation cannot carry.
    #[error("{failed} of {total} points cannot be brought from {from} to {to}, the first at x {x}, y {y}: {detail}")]
    Transform {
        /// Source system.
        from: String,
        /// Target system.
        to: String,
        /// First failing x.
        x: f64,
        /// First failing y.
        y: f64,
        /// How many failed.
        failed: usize,
        /// How many there were.
        total: usize,
        /// The library's words.
        detail: String,
    },
    /// A vector file that cannot be read as asked.
    #[error("{}: {problem}", .path.display())]
    Vector {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Features that cannot become reaches: all of them, and nothing was imported.
    #[error("{}: {} feature(s) refused, nothing imported:{}", .path.display(), .faults.len(), list(.faults))]
    Features {
        /// The file.
        path: PathBuf,
        /// Every fault.
        faults: Vec<FeatureFault>,
    },
    /// An output that could not be written; nothing was published under its name.
    #[error("{}: cannot {action}: {detail}{}", .path.display(), full(.disk_full))]
    Write {
        /// The output.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The library's words.
        detail: String,
        /// The disk (or quota) is full.
        disk_full: bool,
    },
    /// A file that this program did not write, or not this version of it.
    #[error("{}: not written by this program (it lacks {missing}); delete it and run again", .path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        missing: String,
    },
    /// GDAL failed; whoever knows the file says so around it.
    #[error(transparent)]
    Library(#[from] gdal::errors::GdalError),
    /// GDAL failed where no more is known.
    #[error("{}: cannot {action}: {detail}", .path.display())]
    Gdal {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// GDAL's words.
        detail: String,
    },
}

fn full(disk_full: &bool) -> &'static str {
    if *disk_full { "; the disk is full: make room and run again" } else { "" }
}

fn list(faults: &[FeatureFault]) -> String {
    faults.iter().map(|fault| format!("\n  {}: {}", fault.feature, fault.problem)).collect()
}

impl ImageryError {
    /// A fault of the file.
    #[must_use]
    pub fn file(path: &Path, fault: FileFault) -> Self {
        Self::File { path: path.to_owned(), fault }
    }

    /// A refusal of the operating system.
    #[must_use]
    pub fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), action, source }
    }

    /// A failure of GDAL, in its words.
    #[must_use]
    pub fn gdal(path: &Path, action: &'static str, detail: impl ToString) -> Self {
        Self::Gdal { path: path.to_owned(), action, detail: detail.to_string() }
    }

    /// The fault, where it is the file's own.
    #[must_use]
    pub fn file_fault(&self) -> Option<&FileFault> {
        match self {
            Self::File { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// True where the same command may succeed later without anybody changing it: a copy still running, a full disk,
    /// an interrupted call.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotComplete { .. } => true,
            Self::Io { source, .. } => {
                use io::ErrorKind::{Interrupted, ResourceBusy, StaleNetworkFileHandle, TimedOut, WouldBlock};
                matches!(source.kind(), Interrupted | ResourceBusy | StaleNetworkFileHandle | TimedOut | WouldBlock)
                    || self.is_disk_full()
            }
            _ => self.is_disk_full(),
        }
    }

    /// True where the disk or the quota is full.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_disk_full(source),
            Self::Write { disk_full, .. } => *disk_full,
            _ => false,
        }
    }
}

/// True where the operating system says that the disk or the quota is full.
pub(crate) fn is_disk_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_by_itself_is_retryable_and_a_bad_file_is_not() {
        let path = Path::new("pass.tif");
        let full = ImageryError::io(path, "write", io::Error::from(io::ErrorKind::StorageFull));
        assert!(full.is_retryable() && full.is_disk_full());
        let half = ImageryError::NotComplete { path: path.to_owned(), detail: "it grew".to_owned() };
        assert!(half.is_retryable() && !half.is_disk_full());
        let empty = ImageryError::file(path, FileFault::Empty);
        assert!(!empty.is_retryable());
        assert_eq!(empty.to_string(), "pass.tif: the file is empty (0 bytes); deliver it again");
    }
}
