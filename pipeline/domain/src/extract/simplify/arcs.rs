//! Cuts rings into arcs at the corners where borders meet.

use std::collections::HashMap;
use std::ops::Range;

use crate::extract::region::{Corner, Region, Ring};

/// All borders of a set of regions, each stretch once.
#[derive(Debug)]
pub(super) struct Topology {
    /// All corners, ordered by row, then column; a corner's id is its index here.
    pub(super) corners: Vec<Corner>,
    /// Where each row begins in `corners`.
    pub(super) rows: Lines,
    /// Stretches of border between junctions, as corner ids in canonical direction. An arc whose first and
    /// last corner are the same is closed.
    pub(super) arcs: Vec<Vec<u32>>,
    /// For each corner the arc and the index in it; of no meaning for the ends of arcs.
    pub(super) places: Vec<Place>,
    /// For each ring, exteriors first and then the holes of each region, the arcs that it is made of.
    pub(super) rings: Vec<Vec<Step>>,
}

/// Where a corner lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) arc: u32,
    pub(super) index: u32,
}

/// An arc as part of a ring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) arc: u32,
    pub(super) backwards: bool,
}

impl Topology {
    pub(super) fn of(regions: &[Region]) -> Self {
        let rings = || regions.iter().flat_map(|region| std::iter::once(&region.exterior).chain(&region.holes));
        let mut corners: Vec<Corner> = rings().flat_map(Ring::corners).copied().collect();
        corners.sort_unstable();
        corners.dedup();
        let index = CornerIndex::of(&corners);
        let rings: Vec<Vec<u32>> = rings().map(|ring| index.ids_along(ring)).collect();
        let junctions = index.junctions(&rings);

        let mut arcs = ArcTable::default();
        let rings = rings.iter().map(|ring| arcs.cut(ring, &junctions)).collect();
        let mut places = vec![Place { arc: 0, index: 0 }; corners.len()];
        for (number, arc) in arcs.arcs.iter().enumerate() {
            for (index, &id) in arc.iter().enumerate() {
                places[id as usize] = Place { arc: number as u32, index: index as u32 };
            }
        }
        let rows = index.rows;
        Self { corners, rows, arcs: arcs.arcs, places, rings }
    }
}

/// Where each line of a sorted list begins: a line is a row of corners, or a column.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Coordinates of the lines that are not empty.
    keys: Vec<i64>,
    starts: Vec<u32>,
    end: usize,
}

impl Lines {
    fn of(sorted: impl Iterator<Item = i64>) -> Self {
        let mut lines = Self::default();
        for key in sorted {
            if lines.keys.last() != Some(&key) {
                lines.keys.push(key);
                lines.starts.push(lines.end as u32);
            }
            lines.end += 1;
        }
        lines
    }

    /// Indices of the line with this coordinate.
    pub(super) fn range(&self, key: i64) -> Range<usize> {
        let line = self.keys.partition_point(|other| *other < key);
        let start = |line: usize| self.starts.get(line).map_or(self.end, |&start| start as usize);
        if self.keys.get(line) == Some(&key) { start(line)..start(line + 1) } else { 0..0 }
    }
}

/// Corners by row and by column.
struct CornerIndex<'a> {
    corners: &'a [Corner],
    rows: Lines,
    columns: Lines,
    /// Row and id of each corner, ordered by column, then row.
    by_column: Vec<(i64, u32)>,
}

impl<'a> CornerIndex<'a> {
    fn of(corners: &'a [Corner]) -> Self {
        let mut ids: Vec<u32> = (0..corners.len() as u32).collect();
        ids.sort_by_key(|&id| corners[id as usize].x);
        Self {
            corners,
            rows: Lines::of(corners.iter().map(|corner| corner.y)),
            columns: Lines::of(ids.iter().map(|&id| corners[id as usize].x)),
            by_column: ids.into_iter().map(|id| (corners[id as usize].y, id)).collect(),
        }
    }

    /// Ids of all corners along a ring, of its own and of others that lie on its edges; the first not repeated.
    fn ids_along(&self, ring: &Ring) -> Vec<u32> {
        let mut ids = Vec::with_capacity(ring.corners().len());
        for edge in ring.corners().windows(2) {
            let (from, to) = (edge[0], edge[1]);
            let (low, high) = (from.min(to), from.max(to));
            let start = ids.len();
            if from.y == to.y {
                let row = self.rows.range(from.y);
                let first = row.start + self.corners[row].partition_point(|corner| *corner < low);
                let along = &self.corners[first..];
                let count = along.iter().take_while(|corner| **corner <= high).count();
                ids.extend((first..first + count).map(|id| id as u32));
            } else {
                let column = &self.by_column[self.columns.range(from.x)];
                let first = column.partition_point(|&(y, _)| y < low.y);
                let along = column[first..].iter();
                ids.extend(along.take_while(|&&(y, _)| y <= high.y).map(|&(_, id)| id));
            }
            if from > to {
                ids[start..].reverse();
            }
            // the far end begins the next edge
            ids.pop();
        }
        ids
    }

    /// Whether three or more edges meet, for each corner.
    fn junctions(&self, rings: &[Vec<u32>]) -> Vec<bool> {
        let mut directions = vec![0_u8; self.corners.len()];
        for ring in rings {
            for (at, &from) in ring.iter().enumerate() {
                let to = ring[(at + 1) % ring.len()];
                let along_row = self.corners[from as usize].y == self.corners[to as usize].y;
                // right and left, down and up
                let (forwards, backwards) = if along_row { (1, 2) } else { (4, 8) };
                let (smaller, larger) = (from.min(to), from.max(to));
                directions[smaller as usize] |= forwards;
                directions[larger as usize] |= backwards;
            }
        }
        directions.into_iter().map(|directions| directions.count_ones() >= 3).collect()
    }
}

/// Arcs found so far, by their first two corners in canonical direction.
#[derive(Debug, Default)]
struct ArcTable {
    arcs: Vec<Vec<u32>>,
    known: HashMap<(u32, u32), u32>,
}

impl ArcTable {
    /// Cuts a ring at its junctions.
    fn cut(&mut self, ring: &[u32], junctions: &[bool]) -> Vec<Step> {
        let is_junction = |id: &u32| junctions[*id as usize];
        // an island without junctions is cut at its first corner, whatever ring it is met in
        let Some(lead) = ring.iter().position(is_junction).or_else(|| (0..ring.len()).min_by_key(|&index| ring[index]))
        else {
            return Vec::new();
        };
        let closed: Vec<u32> = ring[lead..].iter().chain(&ring[..=lead]).copied().collect();
        let (mut steps, mut start) = (Vec::new(), 0);
        for end in 1..closed.len() {
            if end == closed.len() - 1 || is_junction(&closed[end]) {
                steps.push(self.step(closed[start..=end].to_vec()));
                start = end;
            }
        }
        steps
    }

    fn step(&mut self, mut arc: Vec<u32>) -> Step {
        let forwards = (arc[0], arc[1]);
        let backwards = (arc[arc.len() - 1], arc[arc.len() - 2]);
        let turned = backwards < forwards;
        let arc = *self.known.entry(forwards.min(backwards)).or_insert_with(|| {
            if turned {
                arc.reverse();
            }
            self.arcs.push(arc);
            self.arcs.len() as u32 - 1
        });
        Step { arc, backwards: turned }
    }
}
