//! Traces one strip of rows on its own.

use ndarray::ArrayView2;

use super::components::{Component, DisjointSets, run_end};
use super::error::ExtractError;
use super::link::{ChainStore, link_rows};
use super::region::{Corner, Region, Ring};
use super::rings::{RingSet, Turn};
use super::runs::{NONE, Run, VOID, scan_row};

/// A strip whose regions are traced, as far as the strip alone can tell.
///
/// Regions that touch neither its first nor its last row are complete. The others lie here as components with
/// open border chains, to be joined by a [`RegionMerger`](super::RegionMerger).
#[derive(Debug)]
pub struct TracedStrip {
    pub(super) first_row: i64,
    pub(super) end_row: i64,
    pub(super) cols: [i64; 2],
    /// Complete regions, in order of completion.
    pub(super) complete: Vec<Region>,
    /// Components that touch the first or the last row.
    pub(super) open: Vec<OpenComponent>,
    /// Border chains of open components that begin and end on the first or last lattice line.
    pub(super) pieces: Vec<Piece>,
    /// Runs of the first row, with pieces as chains: `down` begins there, `up` ends there. Columns from 0.
    pub(super) top: Vec<Run>,
    /// Runs of the last row: `down` ends there, `up` begins there.
    pub(super) bottom: Vec<Run>,
}

impl TracedStrip {
    /// Number of regions that touch neither the first nor the last row.
    #[must_use]
    pub fn complete_count(&self) -> usize {
        self.complete.len()
    }
}

/// A component that may go on beyond the strip.
#[derive(Debug)]
pub(super) struct OpenComponent {
    pub(super) summary: Component,
    /// Rings of it that are closed already: holes (its exterior passes the seam).
    pub(super) holes: Vec<Ring>,
}

/// A stretch of border from seam to seam.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) component: u32,
    pub(super) turns: Vec<Turn>,
}

/// Traces the 4-connected regions of equal label in a strip of whole rows.
///
/// * `labels`, (row, col): one label a pixel.
/// * `values`, (row, col), of the same shape: summed up and maximised over each region, such as scores.
/// * `first_row`, `first_col`: grid indices of the strip's first pixel.
/// * `background`: the label that is no region.
///
/// # Errors
/// [`ExtractError::ShapeMismatch`] and [`ExtractError::StripTooLarge`] (about 10⁹ pixels).
pub fn trace_strip(
    labels: ArrayView2<'_, u8>,
    values: Option<ArrayView2<'_, u8>>,
    first_row: i64,
    first_col: i64,
    background: Option<u8>,
) -> Result<TracedStrip, ExtractError> {
    let (rows, cols) = labels.dim();
    if let Some(values) = values
        && values.dim() != labels.dim()
    {
        return Err(ExtractError::ShapeMismatch {
            first_row,
            labels: [rows, cols],
            values: [values.nrows(), values.ncols()],
        });
    }
    // up to four borders turn at each lattice corner, and corners are numbered by u32
    let limit = (NONE / 4) as usize - 1;
    if (rows + 1).saturating_mul(cols + 1) > limit {
        return Err(ExtractError::StripTooLarge { first_row, rows, cols, limit });
    }

    let mut tracer = Tracer::new(first_row, first_col);
    let (mut above, mut below) = (Vec::new(), Vec::new());
    let mut top = vec![Run::new(-1, VOID)];
    for (row, pixels) in labels.rows().into_iter().enumerate() {
        match pixels.as_slice() {
            Some(pixels) => scan_row(pixels, background, &mut below),
            None => scan_row(&pixels.to_vec(), background, &mut below),
        }
        tracer.row = row as u32;
        if row > 0 {
            link_rows(&above, &mut below, &mut tracer);
        }
        tracer.add_components(&mut below);
        if row == 0 {
            tracer.open_seam(&mut below);
            top.clone_from(&below);
        }
        if let Some(values) = values {
            tracer.add_values(
                &below,
                values
                    .row(row)
                    .as_slice()
                    .map_or_else(|| values.row(row).to_vec().into(), std::borrow::Cow::Borrowed)
                    .as_ref(),
            );
        }
        std::mem::swap(&mut above, &mut below);
    }
    if above.is_empty() {
        above.clone_from(&top);
    }
    tracer.row = rows as u32;
    tracer.close_seam(&mut above);
    Ok(tracer.finish(top, above, rows, cols))
}

/// A corner in the strip's arena.
#[derive(Debug, Clone, Copy)]
struct Vertex {
    x: u32,
    /// Row of the lattice line, with [`PINCHED`].
    y: u32,
    /// The corner that follows; [`NONE`] at the end of an open chain, [`TAKEN`] once walked over.
    next: u32,
    component: u32,
}

const PINCHED: u32 = 1 << 31;
const TAKEN: u32 = NONE - 1;

/// The sweep over one strip.
struct Tracer {
    first_row: i64,
    first_col: i64,
    /// The current row; its upper lattice line is being linked.
    row: u32,
    vertices: Vec<Vertex>,
    sets: DisjointSets,
    components: Vec<Component>,
    /// Corners on the strip's first and last lattice line where an open chain begins.
    chain_starts: Vec<u32>,
}

impl ChainStore for Tracer {
    #[inline]
    fn corner(&mut self, x: i32, component: u32, pinched: bool) -> u32 {
        let id = self.vertices.len() as u32;
        self.vertices.push(Vertex {
            x: x as u32,
            y: self.row | if pinched { PINCHED } else { 0 },
            next: NONE,
            component,
        });
        id
    }

    #[inline]
    fn link(&mut self, tail: u32, head: u32) {
        self.vertices[tail as usize].next = head;
    }

    fn union(&mut self, a: u32, b: u32) {
        self.sets.union(a, b);
    }
}

impl Tracer {
    fn new(first_row: i64, first_col: i64) -> Self {
        Self {
            first_row,
            first_col,
            row: 0,
            vertices: Vec::new(),
            sets: DisjointSets::default(),
            components: Vec::new(),
            chain_starts: Vec::new(),
        }
    }

    /// Gives runs without component a new one, and adds all runs of the current row to theirs.
    fn add_components(&mut self, runs: &mut [Run]) {
        let row = self.first_row + i64::from(self.row);
        for index in 0..runs.len() - 1 {
            let end = i64::from(run_end(runs, index));
            let run = &mut runs[index];
            if run.label == VOID {
                continue;
            }
            if run.component == NONE {
                run.component = self.sets.add();
                self.components.push(Component::empty(run.label as u8, row));
            }
            let start = self.first_col + i64::from(run.start);
            self.components[run.component as usize].add_run(row, start, self.first_col + end);
        }
    }

    fn add_values(&mut self, runs: &[Run], values: &[u8]) {
        for (index, run) in runs.iter().enumerate() {
            if run.label != VOID {
                let window = run.start as usize..run_end(runs, index) as usize;
                self.components[run.component as usize].add_values(&values[window]);
            }
        }
    }

    /// Begins the chains of the first row on the strip's first lattice line.
    fn open_seam(&mut self, runs: &mut [Run]) {
        for index in 1..runs.len() {
            let (left, run) = (runs[index - 1], &mut runs[index]);
            if left.label != VOID {
                run.down = self.corner(run.start, left.component, false);
                self.chain_starts.push(run.down);
            }
            if run.label != VOID {
                run.up = self.corner(run.start, run.component, false);
            }
        }
    }

    /// Ends the chains of the last row on the strip's last lattice line.
    fn close_seam(&mut self, runs: &mut [Run]) {
        for index in 1..runs.len() {
            let (left, run) = (runs[index - 1], &mut runs[index]);
            if left.label != VOID {
                let corner = self.corner(run.start, left.component, false);
                self.link(run.down, corner);
                run.down = corner;
            }
            if run.label != VOID {
                let corner = self.corner(run.start, run.component, false);
                self.link(corner, run.up);
                self.chain_starts.push(corner);
                run.up = corner;
            }
        }
    }

    fn finish(mut self, mut top: Vec<Run>, mut bottom: Vec<Run>, rows: usize, cols: usize) -> TracedStrip {
        let (roots, summaries) = self.fold_components();

        // number the open components
        let mut open_index = vec![NONE; summaries.len()];
        let mut open = Vec::new();
        for run in top.iter_mut().chain(&mut bottom) {
            if run.label == VOID {
                continue;
            }
            let slot = roots[run.component as usize] as usize;
            if open_index[slot] == NONE {
                open_index[slot] = open.len() as u32;
                open.push(OpenComponent { summary: summaries[slot].clone(), holes: Vec::new() });
            }
            run.component = open_index[slot];
        }

        let pieces =
            self.take_pieces(&mut top, &mut bottom, |component| open_index[roots[component as usize] as usize]);

        let mut ring_sets: Vec<RingSet> = Vec::new();
        ring_sets.resize_with(summaries.len(), RingSet::default);
        let mut turns = Vec::new();
        for id in 0..self.vertices.len() as u32 {
            if let Some(component) = self.take_border(id, &mut turns) {
                ring_sets[roots[component as usize] as usize].add_border(&turns);
            }
        }

        let mut complete = Vec::with_capacity(summaries.len() - open.len());
        for (slot, (summary, rings)) in summaries.iter().zip(ring_sets).enumerate() {
            if open_index[slot] == NONE {
                complete.extend(region(summary, rings));
            } else {
                open[open_index[slot] as usize].holes = rings.holes;
            }
        }
        complete.sort_unstable_by_key(Region::completion_key);
        TracedStrip {
            first_row: self.first_row,
            end_row: self.first_row + rows as i64,
            cols: [self.first_col, self.first_col + cols as i64],
            complete,
            open,
            pieces,
            top,
            bottom,
        }
    }

    /// Folds the summaries of joined components together; returns for each component the index of its summary.
    fn fold_components(&mut self) -> (Vec<u32>, Vec<Component>) {
        let mut slots = Vec::with_capacity(self.sets.len());
        let mut summaries: Vec<Component> = Vec::new();
        for (id, component) in self.components.drain(..).enumerate() {
            // the root has the smallest id, so its slot is known already
            let root = self.sets.root(id as u32) as usize;
            if root == id {
                slots.push(summaries.len() as u32);
                summaries.push(component);
            } else {
                let slot = slots[root];
                slots.push(slot);
                summaries[slot as usize].absorb(&component);
            }
        }
        (slots, summaries)
    }

    /// Cuts the open chains out, and renames the ends in the seam rows.
    fn take_pieces(&mut self, top: &mut [Run], bottom: &mut [Run], open_component: impl Fn(u32) -> u32) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(self.chain_starts.len());
        // `component` of the two end corners holds the piece, once taken
        for start in std::mem::take(&mut self.chain_starts) {
            let component = open_component(self.vertices[start as usize].component);
            let mut turns = Vec::new();
            let mut id = start;
            let last = loop {
                turns.push(self.turn(id));
                let next = std::mem::replace(&mut self.vertices[id as usize].next, TAKEN);
                if next == NONE {
                    break id;
                }
                id = next;
            };
            self.vertices[start as usize].component = pieces.len() as u32;
            self.vertices[last as usize].component = pieces.len() as u32;
            pieces.push(Piece { component, turns });
        }
        for run in top.iter_mut().chain(bottom) {
            for chain in [&mut run.down, &mut run.up] {
                if *chain != NONE {
                    *chain = self.vertices[*chain as usize].component;
                }
            }
        }
        pieces
    }

    /// Walks the closed border that begins with the corner `start` into `turns` and returns a component that
    /// it belongs to; none where the corner has been walked over already.
    fn take_border(&mut self, start: u32, turns: &mut Vec<Turn>) -> Option<u32> {
        if self.vertices[start as usize].next == TAKEN {
            return None;
        }
        turns.clear();
        let mut component = NONE;
        let mut id = start;
        loop {
            turns.push(self.turn(id));
            let vertex = &mut self.vertices[id as usize];
            component = component.min(vertex.component);
            id = std::mem::replace(&mut vertex.next, TAKEN);
            if id == start {
                return Some(component);
            }
        }
    }

    #[inline]
    fn turn(&self, id: u32) -> Turn {
        let vertex = self.vertices[id as usize];
        Turn {
            corner: Corner {
                x: self.first_col + i64::from(vertex.x),
                y: self.first_row + i64::from(vertex.y & !PINCHED),
            },
            pinched: vertex.y & PINCHED != 0,
        }
    }
}

/// Puts a complete component and its rings together. Each component has an exterior.
pub(super) fn region(summary: &Component, rings: RingSet) -> Option<Region> {
    let mut holes = rings.holes;
    holes.sort_unstable_by_key(|hole| hole.corners()[0]);
    Some(Region {
        label: summary.label,
        pixel_count: summary.pixel_count,
        value_sum: summary.value_sum,
        value_max: summary.value_max,
        rows: summary.first_row..summary.end_row,
        cols: summary.first_col..summary.end_col,
        exterior: rings.exterior?,
        holes,
    })
}
