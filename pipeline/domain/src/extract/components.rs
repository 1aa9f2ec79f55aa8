//! Components: union-find over runs, with what is summed up for each.

use super::runs::Run;

/// What is known of a component so far. Rows and columns are counted from the strip's or the merger's origin.
#[derive(Debug, Clone)]
pub(super) struct Component {
    pub(super) label: u8,
    pub(super) pixel_count: u64,
    pub(super) value_sum: u64,
    pub(super) value_max: u8,
    pub(super) first_row: i64,
    pub(super) end_row: i64,
    pub(super) first_col: i64,
    pub(super) end_col: i64,
}

impl Component {
    pub(super) fn empty(label: u8, row: i64) -> Self {
        Self {
            label,
            pixel_count: 0,
            value_sum: 0,
            value_max: 0,
            first_row: row,
            end_row: row,
            first_col: i64::MAX,
            end_col: i64::MIN,
        }
    }

    /// Adds the run from `start` to `end` of `row`.
    #[inline]
    pub(super) fn add_run(&mut self, row: i64, start: i64, end: i64) {
        self.pixel_count += (end - start) as u64;
        self.end_row = row + 1;
        self.first_col = self.first_col.min(start);
        self.end_col = self.end_col.max(end);
    }

    /// Adds the values of one run.
    pub(super) fn add_values(&mut self, values: &[u8]) {
        self.value_sum += values.iter().map(|&value| u64::from(value)).sum::<u64>();
        self.value_max = values.iter().copied().fold(self.value_max, u8::max);
    }

    /// Takes in what another part of the same component has.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.pixel_count += other.pixel_count;
        self.value_sum += other.value_sum;
        self.value_max = self.value_max.max(other.value_max);
        self.first_row = self.first_row.min(other.first_row);
        self.end_row = self.end_row.max(other.end_row);
        self.first_col = self.first_col.min(other.first_col);
        self.end_col = self.end_col.max(other.end_col);
    }
}

/// Disjoint sets of component ids; the root of a set is its smallest id.
#[derive(Debug, Default)]
pub(super) struct DisjointSets {
    parents: Vec<u32>,
}

impl DisjointSets {
    /// Adds a set of one and returns its id.
    pub(super) fn add(&mut self) -> u32 {
        let id = self.parents.len() as u32;
        self.parents.push(id);
        id
    }

    pub(super) fn len(&self) -> usize {
        self.parents.len()
    }

    /// Root of `id`; shortens the path by halves.
    pub(super) fn root(&mut self, mut id: u32) -> u32 {
        loop {
            let parent = self.parents[id as usize];
            if parent == id {
                return id;
            }
            let grandparent = self.parents[parent as usize];
            self.parents[id as usize] = grandparent;
            id = grandparent;
        }
    }

    pub(super) fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}

/// End column of `runs[index]`: the start of the next.
#[inline]
pub(super) fn run_end(runs: &[Run], index: usize) -> i32 {
    runs[index + 1].start
}
