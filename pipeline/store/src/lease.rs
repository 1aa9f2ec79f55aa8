//! The lease: one run at a time works on a store.
//!
//! It is a lock of the operating system on a file beside the store. The system releases it when the holder ends, however
//! it ends: a run that was killed blocks nobody, and no expiry has to be guessed. What the file holds is for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::StoreError;
use crate::store::Store;

/// The right to be the only run; released when dropped.
#[derive(Debug)]
pub struct Lease {
    file: File,
}

impl Store {
    /// Takes the lease, or says who has it. `holder` is for the message of the other one ("shorewatch run").
    ///
    /// The lock file `<store>.lock` stays behind, empty: to remove it would let two runs lock two files.
    ///
    /// # Errors
    /// [`StoreError::LeaseHeld`] where another run has it; the lock file cannot be written, or the file system knows no locks.
    pub fn try_lease(&self, holder: &str, now: Timestamp) -> Result<Lease, StoreError> {
        Lease::take(beside(&self.path, ".lock"), holder, now)
    }
}

impl Lease {
    /// Takes the lease of a lock file, or says who has it.
    pub(crate) fn take(path: PathBuf, holder: &str, now: Timestamp) -> Result<Self, StoreError> {
        let failed = |source: io::Error| StoreError::Io { path: path.clone(), during: "take the lease", source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path, &mut file)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let note = format!("{}\n{now}\n{}\n", std::process::id(), holder.replace('\n', " "));
        file.set_len(0).and_then(|()| file.write_all(note.as_bytes())).map_err(failed)?;
        Ok(Self { file })
    }

    /// Gives the lease back now.
    pub fn release(self) {}
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The lock goes with the handle; what remains in the file is a note for people, so a failure here harms nobody.
        let _ = self.file.set_len(0);
    }
}

/// A file beside the store: its name, and `suffix`.
pub(crate) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn held(path: PathBuf, file: &mut File) -> StoreError {
    let mut note = String::new();
    // Where the note cannot be read (a holder that has not written it yet), its parts are unknown.
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut note));
    let mut lines = note.lines();
    let mut part = || lines.next().filter(|line| !line.is_empty()).unwrap_or("unknown").to_owned();
    let (pid, since, holder) = (part(), part(), part());
    StoreError::LeaseHeld { path, holder, pid, since }
}
