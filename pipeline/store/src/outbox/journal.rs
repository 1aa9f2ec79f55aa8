//! The journal of deliveries: a file beside the store, `<store>.delivered`, one line an event that a target took.
//!
//! It is written before the store notes the same. After a crash between the two, and after the store was restored from a
//! backup, it says what was delivered already, so that nothing is sent again that is known to have arrived.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::params;
use shorewatch_domain::digest::Digest;

use super::worker::{self, DeliveryWorker};
use crate::error::StoreError;
use crate::lease;
use crate::store::Store;
use crate::values::Utc;

const TITLE: &str = "# what was delivered: event, target, time; journal ";
/// Lines that are looked at in one transaction.
const PAGE: usize = 2_000;

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    id: String,
    bytes: u64,
}

impl Journal {
    /// Opens the journal of a store, and begins it where there is none. A line that a crash cut off is dropped.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn open(store: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let path = path_of(store);
        let failed = |source: io::Error| StoreError::Io { path: path.clone(), during: "open the journal", source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        let whole = whole_lines(&mut file).map_err(failed)?;
        file.set_len(whole).map_err(failed)?;
        if whole == 0 {
            let id = Digest::of_bytes(format!("{}{now}{}", path.display(), std::process::id()).as_bytes()).to_string();
            file.rewind().and_then(|()| writeln!(file, "{TITLE}{}", &id[..16])).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        file.rewind().map_err(failed)?;
        let mut title = String::new();
        BufReader::new(&file).read_line(&mut title).map_err(failed)?;
        let id = title.trim_end().strip_prefix(TITLE).unwrap_or("unknown").to_owned();
        let bytes = file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self { path, file, id, bytes })
    }

    /// Adds lines and waits until they are on the disk.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append<'a>(
        &mut self,
        delivered: impl IntoIterator<Item = (&'a str, &'a str)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lines: String =
            delivered.into_iter().map(|(event_id, target)| format!("{event_id}\t{target}\t{now}\n")).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let written = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|source| StoreError::Io { path: self.path.clone(), during: "write the journal", source })?;
        self.bytes += lines.len() as u64;
        Ok(())
    }

    /// Its id and length: what the store notes to have seen.
    pub(crate) fn seen(&self) -> (&str, u64) {
        (&self.id, self.bytes)
    }
}

/// Where the journal of a store lies.
#[must_use]
pub fn path_of(store: &Path) -> PathBuf {
    lease::beside(store, ".delivered")
}

/// Length up to the end of the last whole line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.seek(SeekFrom::End(0))?;
    let mut block = [0_u8; 4096];
    while end > 0 {
        let from = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - from) as usize];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

impl Store {
    /// Takes over what the journal says and this store does not know. Returns how many events it had delivered without this
    /// store knowing: after a crash some of the last round, after a restored backup all since then.
    ///
    /// # Errors
    /// The journal cannot be read; another worker took over; a fault of the file.
    pub fn catch_up(&mut self, worker: &DeliveryWorker, journal: &Journal) -> Result<u64, StoreError> {
        let failed =
            |source: io::Error| StoreError::Io { path: journal.path.clone(), during: "read the journal", source };
        let (id, seen): (Option<String>, u64) = self
            .connection
            .query_row("SELECT journal_id, journal_bytes FROM outbox_worker", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|fault| self.fault("read how much of the journal is known", fault))?;
        let from = if id.as_deref() == Some(&journal.id) && seen <= journal.bytes { seen } else { 0 };
        let mut file = File::open(&journal.path).map_err(failed)?;
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut lines = BufReader::new(file).lines();
        let mut found = 0;
        loop {
            let page: Vec<String> = lines.by_ref().take(PAGE).collect::<io::Result<_>>().map_err(failed)?;
            let last = page.len() < PAGE;
            found += self.take_over(worker, &page, last.then(|| journal.seen()))?;
            if last {
                return Ok(found);
            }
        }
    }

    fn take_over(
        &mut self,
        worker: &DeliveryWorker,
        lines: &[String],
        seen: Option<(&str, u64)>,
    ) -> Result<u64, StoreError> {
        self.write("take over what the journal says", |transaction| {
            worker::check(transaction, worker)?;
            let mut found = 0;
            for line in lines.iter().filter(|line| !line.starts_with('#')) {
                let mut parts = line.split('\t');
                let (Some(event_id), Some(target), Some(at)) = (parts.next(), parts.next(), parts.next()) else {
                    continue;
                };
                let ended_at = at.parse().map_or(Timestamp::UNIX_EPOCH, |time: Timestamp| time);
                let changed = transaction
                    .prepare_cached(
                        "UPDATE outbox_deliveries SET state = 'delivered', ended_at = ?3, claimed = NULL
                         WHERE target = ?2 AND event = (SELECT fid FROM outbox_events WHERE event_id = ?1)
                           AND state <> 'delivered'",
                    )?
                    .execute(params![event_id, target, Utc(ended_at)])?;
                let known: bool = changed > 0
                    || transaction
                        .prepare_cached(
                            "SELECT EXISTS (SELECT 1 FROM outbox_deliveries JOIN outbox_events e ON e.fid = event
                             WHERE target = ?2 AND e.event_id = ?1)",
                        )?
                        .query_row([event_id, target], |row| row.get(0))?;
                found += changed as u64;
                if !known {
                    found += transaction
                        .prepare_cached(
                            "INSERT OR IGNORE INTO outbox_delivered_before (target, event_id, delivered_at)
                             VALUES (?1, ?2, ?3)",
                        )?
                        .execute([target, event_id, at])? as u64;
                }
            }
            if let Some((id, bytes)) = seen {
                note(transaction, id, bytes)?;
            }
            Ok(found)
        })
    }
}

/// Notes how much of the journal this store knows.
pub(crate) fn note(transaction: &rusqlite::Transaction<'_>, id: &str, bytes: u64) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE outbox_worker SET journal_id = ?1, journal_bytes = ?2")?
        .execute(params![id, bytes])?;
    Ok(())
}

impl Store {
    /// What the journal beside the store says was delivered, of which this store holds no event: (event, target, when), at
    /// most `limit`. Nothing is changed.
    ///
    /// # Errors
    /// The journal cannot be read; a fault of the file.
    pub fn unknown_deliveries(&self, limit: usize) -> Result<Vec<(String, String, String)>, StoreError> {
        let path = path_of(&self.path);
        let failed = |source: io::Error| StoreError::Io { path: path.clone(), during: "read the journal", source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(failed(fault)),
        };
        let mut unknown = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line.map_err(failed)?;
            let mut parts = line.split('\t').map(str::to_owned);
            let (Some(event_id), Some(target), Some(at)) = (parts.next(), parts.next(), parts.next()) else { continue };
            let known: bool = self
                .connection
                .prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox_events WHERE event_id = ?1)")
                .and_then(|mut statement| statement.query_row([&event_id], |row| row.get(0)))
                .map_err(|fault| self.fault("look for a delivered event", fault))?;
            if !known {
                unknown.push((event_id, target, at));
            }
            if unknown.len() == limit {
                break;
            }
        }
        Ok(unknown)
    }
}
