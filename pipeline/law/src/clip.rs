//! Rings cut by lines along the axes, after Sutherland and Hodgman. Where a ring falls apart, its parts stay joined by edges that
//! run along the cut there and back: they carry no area, and the even-odd rule does not see them.

use geo_types::{Coord, Rect};

/// A side of a line along an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Side {
    /// x up to this.
    Left(f64),
    /// x from this on.
    Right(f64),
    /// y up to this.
    Below(f64),
    /// y from this on.
    Above(f64),
}

impl Side {
    fn holds(self, place: Coord<f64>) -> bool {
        match self {
            Self::Left(x) => place.x <= x,
            Self::Right(x) => place.x >= x,
            Self::Below(y) => place.y <= y,
            Self::Above(y) => place.y >= y,
        }
    }

    /// Where an edge meets the line. The same for both directions of the edge, so that neighbours agree on it.
    fn meets(self, from: Coord<f64>, to: Coord<f64>) -> Coord<f64> {
        let (a, b) = if (from.x, from.y) <= (to.x, to.y) { (from, to) } else { (to, from) };
        match self {
            Self::Left(x) | Self::Right(x) => Coord { x, y: a.y + (b.y - a.y) * ((x - a.x) / (b.x - a.x)) },
            Self::Below(y) | Self::Above(y) => Coord { x: a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y)), y },
        }
    }
}

/// Writes the part of an open ring that lies on one side to `kept`.
pub(crate) fn half(ring: &[Coord<f64>], side: Side, kept: &mut Vec<Coord<f64>>) {
    kept.clear();
    let Some(mut from) = ring.last().copied() else { return };
    let mut from_in = side.holds(from);
    for &to in ring {
        let to_in = side.holds(to);
        if to_in != from_in {
            kept.push(side.meets(from, to));
        }
        if to_in {
            kept.push(to);
        }
        (from, from_in) = (to, to_in);
    }
}

/// Cuts open rings down to a box.
#[derive(Default)]
pub(crate) struct Cutter {
    now: Vec<Coord<f64>>,
    next: Vec<Coord<f64>>,
}

impl Cutter {
    /// The part of an open ring in a box; less than three corners where there is none.
    pub(crate) fn within(&mut self, ring: &[Coord<f64>], bounds: Rect<f64>) -> &[Coord<f64>] {
        let (min, max) = (bounds.min(), bounds.max());
        half(ring, Side::Right(min.x), &mut self.now);
        for side in [Side::Left(max.x), Side::Above(min.y), Side::Below(max.y)] {
            if self.now.len() < 3 {
                self.now.clear();
                break;
            }
            half(&self.now, side, &mut self.next);
            std::mem::swap(&mut self.now, &mut self.next);
        }
        &self.now
    }
}

/// Twice the signed area of an open ring, in the square of its own unit.
pub(crate) fn doubled_area(ring: &[Coord<f64>]) -> f64 {
    let Some(&base) = ring.first() else { return 0.0 };
    let cross = |a: Coord<f64>, b: Coord<f64>| (a.x - base.x) * (b.y - base.y) - (b.x - base.x) * (a.y - base.y);
    ring.windows(2).map(|pair| cross(pair[0], pair[1])).sum()
}
