//! Chooses the corners of each arc that stay.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::arcs::Topology;
use crate::extract::region::Corner;

/// Part of an arc that one segment replaces: corner indices `first..=last` of the arc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    arc: u32,
    first: u32,
    last: u32,
}

impl Span {
    /// Whether there is a corner to go back to.
    const fn can_split(self) -> bool {
        self.last - self.first > 1
    }
}

/// Who laid claim to a segment first. Where several spans do, all that can be split are, whatever their order,
/// so that no two borders share a segment.
#[derive(Debug)]
struct Claim {
    splittable: Option<Span>,
}

/// The corner ids of each arc that stay, both ends included.
pub(super) fn simplify_arcs(topology: &Topology, tolerance: f64) -> Vec<Vec<u32>> {
    let mut kept = Vec::with_capacity(topology.arcs.len());
    let mut unchecked = Vec::new();
    for (number, arc) in topology.arcs.iter().enumerate() {
        let mut keep = vec![false; arc.len()];
        unchecked.extend(coarse_spans(topology, number as u32, tolerance));
        keep[0] = true;
        keep[arc.len() - 1] = true;
        kept.push(keep);
    }

    let mut claims: HashMap<(u32, u32), Claim> = HashMap::new();
    while let Some(span) = unchecked.pop() {
        let arc = &topology.arcs[span.arc as usize];
        kept[span.arc as usize][span.first as usize] = true;
        if span.can_split() && steps_over_a_corner(topology, span, tolerance) {
            unchecked.extend(split(topology, span));
            continue;
        }
        let (from, to) = (arc[span.first as usize], arc[span.last as usize]);
        let splittable = span.can_split().then_some(span);
        match claims.entry((from.min(to), from.max(to))) {
            Entry::Vacant(entry) => {
                entry.insert(Claim { splittable });
            }
            Entry::Occupied(mut entry) => {
                let both = [entry.get_mut().splittable.take(), splittable];
                unchecked.extend(both.into_iter().flatten().flat_map(|span| split(topology, span)));
            }
        }
    }
    topology
        .arcs
        .iter()
        .zip(kept)
        .map(|(arc, keep)| {
            let stay = arc.iter().zip(keep).filter(|(_, keep)| *keep);
            stay.map(|(&id, _)| id).collect()
        })
        .collect()
}

/// The spans of an arc by Douglas and Peucker alone.
fn coarse_spans(topology: &Topology, arc: u32, tolerance: f64) -> Vec<Span> {
    let corners = &topology.arcs[arc as usize];
    let whole = Span { arc, first: 0, last: corners.len() as u32 - 1 };
    let mut fine = Vec::new();
    let mut stack = vec![whole];
    while let Some(span) = stack.pop() {
        // a closed arc has no direction yet: it is cut where it is furthest from its first corner
        let closed = corners[span.first as usize] == corners[span.last as usize];
        if span.can_split() && (closed || furthest(topology, span).1 > tolerance * tolerance) {
            stack.extend(split(topology, span));
        } else {
            fine.push(span);
        }
    }
    fine
}

/// Both parts of a span, cut at the corner furthest from its segment.
fn split(topology: &Topology, span: Span) -> [Span; 2] {
    let (middle, _) = furthest(topology, span);
    [Span { last: middle, ..span }, Span { first: middle, ..span }]
}

/// The inner corner furthest from the segment of the span (the first of those), and its squared distance.
fn furthest(topology: &Topology, span: Span) -> (u32, f64) {
    let arc = &topology.arcs[span.arc as usize];
    let corner = |index: u32| topology.corners[arc[index as usize] as usize];
    let (from, to) = (corner(span.first), corner(span.last));
    let mut best = (span.first + 1, -1.0);
    for index in span.first + 1..span.last {
        let distance = squared_distance(corner(index), from, to);
        if distance > best.1 {
            best = (index, distance);
        }
    }
    best
}

/// Squared distance of a point from a segment, in pixels².
fn squared_distance(point: Corner, from: Corner, to: Corner) -> f64 {
    let (dx, dy) = ((to.x - from.x) as f64, (to.y - from.y) as f64);
    let (px, py) = ((point.x - from.x) as f64, (point.y - from.y) as f64);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    (px - along * dx).powi(2) + (py - along * dy).powi(2)
}

/// Whether any corner of any border, the span's own aside, lies between the span and its segment, or on the
/// segment.
fn steps_over_a_corner(topology: &Topology, span: Span, tolerance: f64) -> bool {
    let arc = &topology.arcs[span.arc as usize];
    let chain: Vec<Corner> =
        arc[span.first as usize..=span.last as usize].iter().map(|&id| topology.corners[id as usize]).collect();
    let (from, to) = (chain[0], chain[chain.len() - 1]);
    let bounds = |of: fn(&Corner) -> i64| {
        let (mut low, mut high) = (of(&from), of(&from));
        for value in chain.iter().map(of) {
            (low, high) = (low.min(value), high.max(value));
        }
        (low, high)
    };
    let (left, right) = bounds(|corner| corner.x);
    let (top, bottom) = bounds(|corner| corner.y);
    // along a row, the chain lies within the tolerance of the segment's line
    let (dx, dy) = ((to.x - from.x) as f64, (to.y - from.y) as f64);
    let reach = tolerance * dx.hypot(dy) / dy.abs() + 1.0;

    for y in top..=bottom {
        let (mut low, mut high) = (left, right);
        if dy != 0.0 {
            let middle = from.x as f64 + dx * ((y - from.y) as f64 / dy);
            low = low.max((middle - reach).floor() as i64);
            high = high.min((middle + reach).ceil() as i64);
        }
        let row = topology.rows.range(y);
        let first = row.start + topology.corners[row.clone()].partition_point(|corner| corner.x < low);
        for (offset, &corner) in topology.corners[first..row.end].iter().enumerate() {
            if corner.x > high {
                break;
            }
            let id = (first + offset) as u32;
            let place = topology.places[id as usize];
            let own = corner == from
                || corner == to
                || place.arc == span.arc && (span.first..=span.last).contains(&place.index);
            if !own && encloses(&chain, corner) {
                return true;
            }
        }
    }
    false
}

/// Whether a lattice point lies between a chain of lattice edges and the segment that joins its ends, or on
/// that segment. The point lies on no edge of the chain. Exact, in whole numbers.
fn encloses(chain: &[Corner], point: Corner) -> bool {
    let (from, to) = (chain[0], chain[chain.len() - 1]);
    let cross = (to.x - from.x) * (point.y - from.y) - (to.y - from.y) * (point.x - from.x);
    let rows = (from.y.min(to.y), from.y.max(to.y));
    let columns = (from.x.min(to.x), from.x.max(to.x));
    let within = rows.0 <= point.y && point.y <= rows.1 && columns.0 <= point.x && point.x <= columns.1;
    if cross == 0 && within {
        return true;
    }
    // crossings of a ray to the right
    let spans_row = |a: Corner, b: Corner| (a.y <= point.y) != (b.y <= point.y);
    let mut inside = spans_row(from, to) && (cross > 0) == (to.y > from.y);
    for edge in chain.windows(2) {
        inside ^= spans_row(edge[0], edge[1]) && edge[0].x > point.x;
    }
    inside
}
