//! Joins traced strips from the first row to the last.

use super::components::{Component, DisjointSets};
use super::error::ExtractError;
use super::link::{ChainStore, link_rows};
use super::region::{Corner, Region, Ring};
use super::rings::{RingSet, Turn, drop_collinear};
use super::runs::{NONE, Run, VOID};
use super::strip::{Piece, TracedStrip, region};

/// Joins [`TracedStrip`]s, pushed from the first row to the last, into whole regions.
///
/// Holds only the regions that touch the last row pushed. All regions, one push after the other, come ordered
/// by the row where they end, then by their first corner (row, column): the same order and the same regions
/// wherever the strips are cut.
///
/// ```
/// use ndarray::array;
/// use shorewatch_domain::extract::{RegionMerger, trace_strip};
///
/// let upper = array![[1, 1, 0], [0, 1, 0]];
/// let lower = array![[1, 1, 2]];
/// let mut merger = RegionMerger::new();
/// let mut regions = merger.push(trace_strip(upper.view(), None, 0, 0, Some(0))?)?;
/// regions.extend(merger.push(trace_strip(lower.view(), None, 2, 0, Some(0))?)?);
/// regions.extend(merger.finish());
///
/// assert_eq!(regions.len(), 2);
/// assert_eq!((regions[0].label, regions[0].pixel_count), (1, 5));
/// # Ok::<(), shorewatch_domain::extract::ExtractError>(())
/// ```
#[derive(Debug, Default)]
pub struct RegionMerger {
    /// Row and columns that the next strip has to have; none before the first.
    expected: Option<(i64, [i64; 2])>,
    /// The last row pushed.
    bottom: Vec<Run>,
    /// Components that touch it.
    open: Vec<Growing>,
    seam: Seam,
}

/// A component that is still open.
#[derive(Debug)]
struct Growing {
    summary: Component,
    holes: Vec<Ring>,
    /// Its pieces in the seam's slab, in no order.
    pieces: Vec<u32>,
}

/// Pieces of border in a slab, and what the line between two strips connects.
#[derive(Debug, Default)]
struct Seam {
    line: LineStart,
    slots: Vec<Slot>,
    free: Vec<u32>,
    sets: DisjointSets,
    /// Pieces made while linking.
    made: Vec<u32>,
}

/// Where the current lattice line begins.
#[derive(Debug, Default)]
struct LineStart {
    x: i64,
    y: i64,
}

#[derive(Debug)]
struct Slot {
    piece: Piece,
    next: u32,
}

impl Seam {
    fn insert(&mut self, piece: Piece) -> u32 {
        let slot = Slot { piece, next: NONE };
        if let Some(id) = self.free.pop() {
            self.slots[id as usize] = slot;
            id
        } else {
            self.slots.push(slot);
            self.slots.len() as u32 - 1
        }
    }
}

impl ChainStore for Seam {
    fn corner(&mut self, x: i32, component: u32, pinched: bool) -> u32 {
        let corner = Corner { x: self.line.x + i64::from(x), y: self.line.y };
        let turns = vec![Turn { corner, pinched }];
        let id = self.insert(Piece { component, turns });
        self.made.push(id);
        id
    }

    fn link(&mut self, tail: u32, head: u32) {
        self.slots[tail as usize].next = head;
    }

    fn union(&mut self, a: u32, b: u32) {
        self.sets.union(a, b);
    }
}

impl RegionMerger {
    /// A merger that has seen no strip yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Joins the next strip and returns the regions that are complete now.
    ///
    /// # Errors
    /// [`ExtractError::StripOutOfOrder`] where the strip does not begin in the row after the last, or covers
    /// other columns. The merger is unchanged then.
    pub fn push(&mut self, strip: TracedStrip) -> Result<Vec<Region>, ExtractError> {
        let (expected_row, expected_cols) = self.expected.unwrap_or((strip.first_row, strip.cols));
        if (expected_row, expected_cols) != (strip.first_row, strip.cols) {
            return Err(ExtractError::StripOutOfOrder {
                expected_row,
                got_row: strip.first_row,
                expected_cols,
                got_cols: strip.cols,
            });
        }
        self.expected = Some((strip.end_row, strip.cols));
        if strip.first_row == strip.end_row {
            return Ok(Vec::new());
        }
        Ok(self.join(strip))
    }

    /// Ends the raster after the last strip and returns the regions that were still open.
    #[must_use]
    pub fn finish(mut self) -> Vec<Region> {
        let Some((end_row, cols)) = self.expected else {
            return Vec::new();
        };
        self.join(TracedStrip {
            first_row: end_row,
            end_row,
            cols,
            complete: Vec::new(),
            open: Vec::new(),
            pieces: Vec::new(),
            top: vec![Run::new(-1, VOID)],
            bottom: vec![Run::new(-1, VOID)],
        })
    }

    fn join(&mut self, strip: TracedStrip) -> Vec<Region> {
        let TracedStrip { mut complete, mut top, mut bottom, .. } = strip;
        if self.bottom.is_empty() {
            self.bottom.push(Run::new(-1, VOID));
        }

        // take the strip's components and pieces in, under ids of the merger
        let first_new = self.open.len() as u32;
        self.open.extend(strip.open.into_iter().map(|open| Growing {
            summary: open.summary,
            holes: open.holes,
            pieces: Vec::new(),
        }));
        let mut piece_ids = Vec::with_capacity(strip.pieces.len());
        for mut piece in strip.pieces {
            piece.component += first_new;
            let component = piece.component as usize;
            let id = self.seam.insert(piece);
            self.open[component].pieces.push(id);
            piece_ids.push(id);
        }
        for run in top.iter_mut().chain(&mut bottom) {
            if run.label != VOID {
                run.component += first_new;
            }
            for chain in [&mut run.down, &mut run.up] {
                if *chain != NONE {
                    *chain = piece_ids[*chain as usize];
                }
            }
        }

        self.link_seam(&top, strip.first_row, strip.cols[0]);
        let finished = self.split_off_finished(&mut bottom);
        self.bottom = bottom;
        complete.extend(finished.into_iter().filter_map(|growing| self.close(growing)));
        complete.sort_unstable_by_key(Region::completion_key);
        complete
    }

    /// Links the last row pushed with the first row of the strip, whose chains wait on the line between them.
    fn link_seam(&mut self, top: &[Run], row: i64, first_col: i64) {
        self.seam.line = LineStart { x: first_col, y: row };
        self.seam.sets = DisjointSets::default();
        for _ in 0..self.open.len() {
            self.seam.sets.add();
        }
        let mut arrived = top.to_vec();
        link_rows(&self.bottom, &mut arrived, &mut self.seam);
        for (index, (arrived, waiting)) in arrived.iter().zip(top).enumerate().skip(1) {
            if top[index - 1].label != VOID {
                self.seam.link(arrived.down, waiting.down);
            }
            if waiting.label != VOID {
                self.seam.link(waiting.up, arrived.up);
            }
        }
        for id in std::mem::take(&mut self.seam.made) {
            let component = self.seam.slots[id as usize].piece.component;
            self.open[component as usize].pieces.push(id);
        }
    }

    /// Folds joined components together, keeps those that touch `bottom` and returns the others.
    fn split_off_finished(&mut self, bottom: &mut [Run]) -> Vec<Growing> {
        let mut folded: Vec<Option<Growing>> = Vec::with_capacity(self.open.len());
        for (id, mut growing) in std::mem::take(&mut self.open).into_iter().enumerate() {
            // the root has the smallest id, so it lies in `folded` already
            let root = self.seam.sets.root(id as u32) as usize;
            if let Some(Some(into)) = folded.get_mut(root) {
                into.summary.absorb(&growing.summary);
                // the longer list takes the shorter: order is restored when the region closes
                if into.pieces.len() < growing.pieces.len() {
                    std::mem::swap(&mut into.pieces, &mut growing.pieces);
                }
                into.pieces.append(&mut growing.pieces);
                if into.holes.len() < growing.holes.len() {
                    std::mem::swap(&mut into.holes, &mut growing.holes);
                }
                into.holes.append(&mut growing.holes);
                folded.push(None);
            } else {
                folded.push(Some(growing));
            }
        }

        let mut renamed = vec![NONE; folded.len()];
        for run in bottom.iter_mut().filter(|run| run.label != VOID) {
            let root = self.seam.sets.root(run.component) as usize;
            if renamed[root] == NONE {
                renamed[root] = self.open.len() as u32;
                self.open.extend(folded[root].take());
            }
            run.component = renamed[root];
        }
        folded.into_iter().flatten().collect()
    }

    /// Closes the borders of a finished component.
    fn close(&mut self, growing: Growing) -> Option<Region> {
        let mut rings = RingSet { exterior: None, holes: growing.holes };
        let mut turns = Vec::new();
        for &start in &growing.pieces {
            turns.clear();
            let mut id = start;
            // a piece that has been walked over is empty
            while !self.seam.slots[id as usize].piece.turns.is_empty() {
                let slot = &mut self.seam.slots[id as usize];
                turns.append(&mut std::mem::take(&mut slot.piece.turns));
                id = slot.next;
            }
            if !turns.is_empty() {
                drop_collinear(&mut turns);
                rings.add_border(&turns);
            }
        }
        self.seam.free.extend(growing.pieces);
        region(&growing.summary, rings)
    }
}
