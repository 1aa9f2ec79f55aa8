//! Decoded blocks that wait for the next window which wants them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use shorewatch_domain::grid::Window;

use super::set_aside::SetAside;
use super::{Block, BlockShape, BlockSource, SHARED_EDGE_PX};
use crate::error::ImageryError;

/// Source, then row and column of blocks.
pub(super) type Key = (u64, usize, usize);
type Slot = Arc<OnceLock<Result<Arc<Block>, String>>>;

/// Decoded blocks up to a number of bytes, for all threads and files. What a reader is done with goes at once, then the
/// least recently used.
pub struct BlockCache {
    capacity_bytes: usize,
    /// Passes that are read side by side without being set aside, each of which gets that capacity.
    passes: AtomicUsize,
    /// See [`BlockCache::with_shared_edge`].
    pub(crate) shared_edge_px: usize,
    decoded: AtomicU64,
    /// Where decoded blocks go that will be wanted again, once there is such a place.
    set_aside: OnceLock<Option<SetAside>>,
    inner: Mutex<Inner>,
}

/// A slot in the cache.
#[derive(Default)]
struct Entry {
    slot: Slot,
    /// Time of the last use.
    used: u64,
    /// What it adds to the bytes that are held; 0 until it is decoded.
    bytes: usize,
}

#[derive(Default)]
struct Inner {
    slots: HashMap<Key, Entry>,
    /// Windows that are being read, by the order in which they began: source and place.
    readings: BTreeMap<u64, (u64, Window)>,
    /// How many windows began.
    begun: u64,
    clock: u64,
    held_bytes: usize,
}

impl BlockCache {
    /// A cache that keeps at most `capacity_bytes` (blocks in use are beyond it).
    #[must_use]
    pub fn new(capacity_bytes: usize) -> Self {
        Self {
            capacity_bytes,
            passes: AtomicUsize::new(1),
            shared_edge_px: SHARED_EDGE_PX,
            decoded: AtomicU64::new(0),
            set_aside: OnceLock::new(),
            inner: Mutex::default(),
        }
    }

    /// From now on so many passes are read side by side, and more often than once: what is decoded is also set aside on disk, in a
    /// file without a name in `folder`, and read back from there. Where that can't be, each pass gets the capacity that there
    /// was for one, and blocks are decoded as often as they are read.
    pub fn expect_passes(&self, count: usize, folder: &Path) {
        self.set_aside.get_or_init(|| {
            let made = SetAside::new(folder);
            made.inspect_err(|fault| {
                let folder = folder.display();
                tracing::warn!("decoded blocks can't be set aside in {folder} ({fault}); comparing takes longer");
                self.passes.fetch_max(count, Ordering::Relaxed);
            })
            .ok()
        });
    }

    /// Tells that other passes follow: what was set aside makes room where there is little left.
    pub fn make_room(&self) {
        self.set_aside().inspect(|blocks| blocks.make_room());
    }

    fn set_aside(&self) -> Option<&SetAside> {
        self.set_aside.get()?.as_ref()
    }

    /// The same for windows of which neighbours share `pixels` of a file that lies on the grid.
    #[must_use]
    pub const fn with_shared_edge(mut self, pixels: usize) -> Self {
        self.shared_edge_px = pixels;
        self
    }

    /// How many blocks were decoded so far: more than there are means that the capacity is too small for the order of work.
    #[must_use]
    pub fn decoded_blocks(&self) -> u64 {
        self.decoded.load(Ordering::Relaxed)
    }

    /// The block at (row, col) of blocks, at least its rows `wanted`, decoded now if nobody has. Two threads that want one
    /// block decode it once; where its first few rows are enough, they alone are read, and not kept.
    ///
    /// # Errors
    /// The file can't be opened any more. A block that can't be decoded is no error: it comes with its unreadable mask.
    pub fn get(
        &self,
        source: &BlockSource,
        (block_row, block_col): (usize, usize),
        wanted: Range<usize>,
    ) -> Result<Arc<Block>, ImageryError> {
        let key = (source.key, block_row, block_col);
        if source.is_head(wanted.end) && !self.holds_whole(&key) {
            let head = self.set_aside().and_then(|blocks| blocks.get(&key, Some(wanted.end)));
            let head = match head {
                Some(head) => Some(head),
                None => source.decode_head((block_row, block_col), wanted.end)?,
            };
            if let Some(head) = head {
                return Ok(Arc::new(head));
            }
        }
        let first_row = wanted.start;
        let slot = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.clock += 1;
            let clock = inner.clock;
            // rows that are not kept any more are asked for again: the order of work was another than expected
            if inner.decoded(&key).is_some_and(|block| block.first_row > first_row) {
                inner.remove(&key);
            }
            let entry = inner.slots.entry(key).or_default();
            entry.used = clock;
            Arc::clone(&entry.slot)
        };
        let mut fresh = false;
        let decoded = slot.get_or_init(|| {
            fresh = true;
            if let Some(block) = self.set_aside().and_then(|blocks| blocks.get(&key, None)) {
                return Ok(Arc::new(block));
            }
            self.decoded.fetch_add(1, Ordering::Relaxed);
            let block = source.decode((block_row, block_col)).map_err(|fault| fault.to_string())?;
            self.set_aside().inspect(|blocks| blocks.put(key, &block));
            Ok(Arc::new(block))
        });
        let block = match decoded {
            Ok(block) => Arc::clone(block),
            Err(_) => {
                // Not kept: the next reader tries again, and gets the typed error here.
                self.inner.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
                return source.decode((block_row, block_col)).map(Arc::new);
            }
        };
        if fresh {
            self.account(key, &slot, block.samples.size_bytes());
        }
        Ok(block)
    }

    /// Whether a block is there with all of its rows, none of them damaged.
    fn holds_whole(&self, key: &Key) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.decoded(key).is_some_and(|block| block.first_row == 0 && block.unreadable.is_none())
    }

    /// Tells that of a block only the rows from `first_row` on are still needed, which may be none: the others make room.
    /// A mistake costs decoding the block again.
    pub fn done_with(&self, source: &BlockSource, (block_row, block_col): (usize, usize), first_row: usize) {
        let key = (source.key, block_row, block_col);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(block) = inner.decoded(&key) else { return };
        // a copy is worth its while where it frees half of the block
        if first_row < block.rows && 2 * first_row.saturating_sub(block.first_row) < block.rows - block.first_row {
            return;
        }
        let used = inner.remove(&key);
        if first_row < block.rows {
            let skip = first_row - block.first_row;
            let rest = Block {
                rows: block.rows,
                first_row,
                cols: block.cols,
                samples: block.samples.without_rows(skip, block.rows - block.first_row, block.cols),
                unreadable: block.unreadable.clone(),
                faults: block.faults.clone(),
            };
            let bytes = rest.samples.size_bytes();
            inner.held_bytes += bytes;
            inner.slots.insert(key, Entry { slot: Arc::new(OnceLock::from(Ok(Arc::new(rest)))), used, bytes });
        }
    }

    /// Tells that a window of the file's own pixels is being read, until what comes back is dropped: windows begin in the order of
    /// a sweep, row by row. Once it is read, blocks above the window that began last make room where no window still reads them:
    /// those that were kept for a neighbour that never came.
    pub(crate) fn reading(&self, source: &BlockSource, window: Window) -> Reading<'_> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.begun += 1;
        let number = inner.begun;
        inner.readings.insert(number, (source.key, window));
        Reading { cache: self, number, shape: source.shape }
    }

    /// Bytes of the blocks that wait.
    #[cfg(test)]
    pub(crate) fn held_bytes(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).held_bytes
    }

    /// Counts a new block and drops the least recently used ones beyond the capacity.
    fn account(&self, key: Key, slot: &Slot, bytes: usize) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        // another thread may be done with it already
        let Some(entry) = inner.slots.get_mut(&key).filter(|entry| Arc::ptr_eq(&entry.slot, slot)) else { return };
        entry.bytes = bytes;
        inner.held_bytes += bytes;
        while inner.held_bytes > self.capacity_bytes * self.passes.load(Ordering::Relaxed) {
            let counted = inner.slots.iter().filter(|(_, entry)| entry.bytes > 0);
            let Some(key) = counted.min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key) else { break };
            inner.remove(&key);
        }
    }
}

/// A window that is being read.
pub(crate) struct Reading<'a> {
    cache: &'a BlockCache,
    number: u64,
    shape: BlockShape,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut inner = self.cache.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((source, own)) = inner.readings.remove(&self.number) else { return };
        let others: Vec<Window> =
            inner.readings.values().filter(|(key, _)| *key == source).map(|(_, window)| *window).collect();
        let line = others.last().filter(|_| inner.begun > self.number).map_or(own.row, |window| window.row);
        let BlockShape { rows, cols, .. } = self.shape;
        let is_left_behind = |(key, entry): &(&Key, &Entry)| {
            let place = Window { row: (key.1 * rows) as i64, col: (key.2 * cols) as i64, rows, cols };
            key.0 == source
                && entry.bytes > 0
                && place.row_end() <= line
                && others.iter().all(|window| window.intersection(&place).is_none())
        };
        let left_behind: Vec<Key> = inner.slots.iter().filter(is_left_behind).map(|(key, _)| *key).collect();
        for key in left_behind {
            inner.remove(&key);
        }
    }
}

impl Inner {
    /// A block that is decoded.
    fn decoded(&self, key: &Key) -> Option<Arc<Block>> {
        self.slots.get(key)?.slot.get().and_then(|block| block.as_ref().ok()).map(Arc::clone)
    }

    /// Forgets a block; returns when it was last used.
    fn remove(&mut self, key: &Key) -> u64 {
        let Entry { used, bytes, .. } = self.slots.remove(key).unwrap_or_default();
        self.held_bytes -= bytes;
        used
    }
}
