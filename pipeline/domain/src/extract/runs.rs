//! Runs: maximal horizontal stretches of one label, found without looking at single pixels.

/// Label of what is no region: background, and everything outside the raster.
pub(super) const VOID: u16 = 256;

/// "No component yet", "no chain": the id that is none.
pub(super) const NONE: u32 = u32::MAX;

/// A run of one row and the vertical edge at its left end.
///
/// The edge separates the run before it (left) from this run (right). Along it two chains pass: the border of
/// the left region goes down, the border of the right region goes up (regions lie on the right hand, seen on
/// a screen). `down` is the chain that ends at the upper end of the edge, to be continued downwards; `up` is
/// the chain that starts there, waiting for what comes up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// First column.
    pub(super) start: i32,
    /// Label, or [`VOID`].
    pub(super) label: u16,
    /// Component, or [`NONE`].
    pub(super) component: u32,
    /// Chain of the left region, going down.
    pub(super) down: u32,
    /// Chain of the right region, going up.
    pub(super) up: u32,
}

impl Run {
    pub(super) const fn new(start: i32, label: u16) -> Self {
        Self { start, label, component: NONE, down: NONE, up: NONE }
    }
}

/// Replaces `runs` by the runs of `row`. The first run is always void and begins at column −1, the last is
/// always void and begins at or before the column after the last.
pub(super) fn scan_row(row: &[u8], background: Option<u8>, runs: &mut Vec<Run>) {
    let label_of = |pixel: u8| {
        if Some(pixel) == background { VOID } else { u16::from(pixel) }
    };
    runs.clear();
    runs.push(Run::new(-1, VOID));
    let Some(&first) = row.first() else { return };
    let mut label = label_of(first);
    if label != VOID {
        runs.push(Run::new(0, label));
    }
    for_each_change(row, |column| {
        label = label_of(row[column]);
        runs.push(Run::new(column as i32, label));
    });
    if label != VOID {
        runs.push(Run::new(row.len() as i32, VOID));
    }
}

/// Calls `found` with each column whose pixel differs from the one before it, from left to right.
fn for_each_change(row: &[u8], mut found: impl FnMut(usize)) {
    const WORD: usize = 8;
    const BLOCK: usize = 8 * WORD;
    let (left, right) = (&row[..row.len() - 1], &row[1..]);
    let mut column = 1;
    let blocks = left.chunks_exact(BLOCK).zip(right.chunks_exact(BLOCK));
    for (left, right) in blocks {
        // vectorised by the compiler; most blocks end here
        let difference = left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b));
        if difference != 0 {
            let words = left.chunks_exact(WORD).zip(right.chunks_exact(WORD));
            for (index, (left, right)) in words.enumerate() {
                let mut changed = nonzero_bytes(word(left) ^ word(right));
                while changed != 0 {
                    found(column + index * WORD + changed.trailing_zeros() as usize / 8);
                    changed &= changed - 1;
                }
            }
        }
        column += BLOCK;
    }
    for column in column..row.len() {
        if row[column] != row[column - 1] {
            found(column);
        }
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Sets the highest bit of each byte that is not zero, and no other bit.
const fn nonzero_bytes(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    (((word & LOW) + LOW) | word) & !LOW
}
