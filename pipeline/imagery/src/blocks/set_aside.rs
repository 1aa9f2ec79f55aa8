//! Decoded blocks on disk, for passes that are read more often than once and do not fit into memory.
//!
//! Two passes that are compared are read two or three times: for clouds and radiometry of the whole pair first, then unit by unit.
//! To decode costs far more than to read decoded samples back: of a deflated tile of 2 MiB some fifteen times as much, of
//! JPEG 2000 more.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytemuck::Pod;

use super::cache::Key;
use super::{Block, Samples};

/// Bytes that are set aside at most: both dates of two tiles of Sentinel-2 in four bands of 10 m.
const MOST_BYTES: u64 = 4 << 30;

/// Share of the space left on the disk that may be taken: results have to be written beside it.
const SHARE_OF_SPACE: u64 = 4;

/// Decoded blocks in a file without a name, which is gone with the process however it ends.
pub(super) struct SetAside {
    file: File,
    most_bytes: u64,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    kept: HashMap<Key, Kept>,
    /// Where the next block goes.
    end: u64,
}

/// Where a block lies, and what it is.
#[derive(Clone, Copy)]
struct Kept {
    at: u64,
    bands: usize,
    rows: usize,
    cols: usize,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    U8,
    U16,
    I16,
    F32,
}

impl SetAside {
    /// An empty one in a folder.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(folder)?;
        let space = rustix::fs::fstatvfs(&file)?;
        let most_bytes = MOST_BYTES.min(space.f_bavail * space.f_frsize / SHARE_OF_SPACE);
        Ok(Self { file, most_bytes, index: Mutex::default() })
    }

    /// Keeps a whole block while there is room. One with damage is not kept: what the decoder says of it is asked for again.
    pub(super) fn put(&self, key: Key, block: &Block) {
        if block.first_row > 0 || block.unreadable.is_some() || !block.faults.is_empty() {
            return;
        }
        let bytes = block.samples.bytes();
        let at = {
            let mut index = self.lock();
            let at = index.end;
            if at + bytes.len() as u64 > self.most_bytes || index.kept.contains_key(&key) {
                return;
            }
            index.end += bytes.len() as u64;
            at
        };
        if let Err(fault) = self.file.write_all_at(bytes, at) {
            // it is only decoded again
            tracing::debug!(%fault, "a decoded block was not set aside");
            return;
        }
        let (rows, cols) = (block.rows, block.cols);
        let kind = block.samples.kind();
        let bands = bytes.len() / (rows * cols * kind.bytes()).max(1);
        self.lock().kept.insert(key, Kept { at, bands, rows, cols, kind });
    }

    /// A block that is kept, all of it or its first rows up to `rows`.
    pub(super) fn get(&self, key: &Key, rows: Option<usize>) -> Option<Block> {
        let kept = *self.lock().kept.get(key)?;
        let rows = 0..rows.unwrap_or(kept.rows).min(kept.rows);
        let samples = match kept.kind {
            Kind::U8 => self.read(kept, rows.clone()).map(Samples::U8),
            Kind::U16 => self.read(kept, rows.clone()).map(Samples::U16),
            Kind::I16 => self.read(kept, rows.clone()).map(Samples::I16),
            Kind::F32 => self.read(kept, rows.clone()).map(Samples::F32),
        };
        match samples {
            Ok(samples) => Some(Block {
                rows: rows.end,
                first_row: 0,
                cols: kept.cols,
                samples,
                unreadable: None,
                faults: Vec::new(),
            }),
            Err(fault) => {
                tracing::debug!(%fault, "a block that was set aside is decoded again");
                None
            }
        }
    }

    /// Forgets all blocks where less than half of the room is left for those to come.
    pub(super) fn make_room(&self) {
        let mut index = self.lock();
        if 2 * index.end > self.most_bytes {
            *index = Index::default();
            // what can't be given back now is written over
            let _ = self.file.set_len(0);
        }
    }

    /// Rows of all bands (band, row, col).
    fn read<T: Pod>(&self, kept: Kept, rows: Range<usize>) -> io::Result<Vec<T>> {
        let count = rows.len() * kept.cols;
        let mut samples = vec![T::zeroed(); count * kept.bands];
        let plane_bytes = (kept.rows * kept.cols * size_of::<T>()) as u64;
        for (band, plane) in (0..).zip(samples.chunks_mut(count.max(1))) {
            self.file.read_exact_at(bytemuck::cast_slice_mut(plane), kept.at + band * plane_bytes)?;
        }
        Ok(samples)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::F32 => 4,
        }
    }
}

impl Samples {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::U8(samples) => samples,
            Self::U16(samples) => bytemuck::cast_slice(samples),
            Self::I16(samples) => bytemuck::cast_slice(samples),
            Self::F32(samples) => bytemuck::cast_slice(samples),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::U8(_) => Kind::U8,
            Self::U16(_) => Kind::U16,
            Self::I16(_) => Kind::I16,
            Self::F32(_) => Kind::F32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(first: u16) -> Block {
        let samples = Samples::U16((first..first + 2 * 3 * 4).collect());
        Block { rows: 3, first_row: 0, cols: 4, samples, unreadable: None, faults: Vec::new() }
    }

    fn set_aside(most_bytes: u64) -> SetAside {
        let folder = tempfile::tempdir().expect("a temporary folder");
        SetAside { most_bytes, ..SetAside::new(folder.path()).expect("room on the disk") }
    }

    #[test]
    fn what_is_set_aside_comes_back_whole_or_by_its_first_rows() {
        let blocks = set_aside(1 << 20);
        for (number, first) in (0..).zip([100, 200]) {
            blocks.put((7, 0, number), &block(first));
        }
        let whole = blocks.get(&(7, 0, 1), None).expect("kept");
        assert_eq!(format!("{whole:?}"), format!("{:?}", block(200)));
        let head = blocks.get(&(7, 0, 0), Some(1)).expect("kept");
        assert_eq!((head.rows, head.cols), (1, 4));
        // the first row of each band
        let first_rows = Samples::U16((100..104).chain(112..116).collect());
        assert_eq!(format!("{:?}", head.samples), format!("{first_rows:?}"));
        assert!(blocks.get(&(8, 0, 0), None).is_none(), "another file");
    }

    #[test]
    fn a_damaged_block_is_decoded_again_and_so_is_what_finds_no_room() {
        let blocks = set_aside(60);
        let damaged = Block { faults: vec!["checksum".to_owned()], ..block(1) };
        blocks.put((7, 0, 0), &damaged);
        let holds = |number| blocks.get(&(7, 0, number), None).is_some();
        assert!(!holds(0));
        blocks.put((7, 0, 1), &block(1));
        blocks.put((7, 0, 2), &block(2));
        assert!(holds(1) && !holds(2));
        blocks.make_room();
        assert!(!holds(1));
        blocks.put((7, 0, 2), &block(2));
        assert!(holds(2));
    }
}
