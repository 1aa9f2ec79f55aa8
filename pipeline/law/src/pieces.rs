//! Polygons cut into pieces of few corners, so that a look-up costs as much at a polygon of a million corners as at a small one.

use geo_types::{Coord, MultiPolygon, Polygon, Rect};

use crate::clip::{self, Side};

/// A piece of more corners is halved.
const MOST_CORNERS: usize = 64;
/// Halvings at most: what still has more corners then lies within a millimetre.
const MOST_HALVINGS: u32 = 40;

/// Open rings: outer ones counter-clockwise, holes clockwise.
pub(crate) type Rings = Vec<Vec<Coord<f64>>>;

/// A piece of a polygon.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Its rings.
    pub(crate) rings: Rings,
    /// Their bounds.
    pub(crate) bounds: Rect<f64>,
}

/// The pieces of polygons. They do not overlap, and together they are the polygons.
pub(crate) fn pieces(polygons: &MultiPolygon<f64>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for polygon in polygons {
        let mut pending = vec![(rings(polygon), 0)];
        while let Some((rings, halvings)) = pending.pop() {
            let Some(bounds) = bounds(&rings) else { continue };
            if corners(&rings) <= MOST_CORNERS || halvings >= MOST_HALVINGS {
                pieces.push(Piece { rings, bounds });
                continue;
            }
            let wide = bounds.width() >= bounds.height();
            let mut halves = halved(&rings, bounds, wide);
            let total = |halves: &[Rings; 2]| halves.iter().map(corners).sum::<usize>();
            if total(&halves) > corners(&rings) * 5 / 4 {
                // a comb is better cut between its teeth than across them
                let other = halved(&rings, bounds, !wide);
                if total(&other) < total(&halves) {
                    halves = other;
                }
            }
            pending.extend(halves.map(|half| (half, halvings + 1)));
        }
    }
    pieces
}

fn halved(rings: &Rings, bounds: Rect<f64>, across: bool) -> [Rings; 2] {
    let middle = bounds.center();
    let sides = if across {
        [Side::Left(middle.x), Side::Right(middle.x)]
    } else {
        [Side::Below(middle.y), Side::Above(middle.y)]
    };
    sides.map(|side| {
        let cut = rings.iter().filter_map(|ring| {
            let mut kept = Vec::with_capacity(ring.len() / 2 + 8);
            clip::half(ring, side, &mut kept);
            kept.dedup();
            // what is left along the cut alone has no area
            (kept.len() >= 3 && clip::doubled_area(&kept) != 0.0).then_some(kept)
        });
        cut.collect()
    })
}

fn corners(rings: &Rings) -> usize {
    rings.iter().map(Vec::len).sum()
}

fn bounds(rings: &Rings) -> Option<Rect<f64>> {
    let mut corners = rings.iter().flatten();
    let first = *corners.next()?;
    let (min, max) = corners.fold((first, first), |(min, max), corner| {
        let lower = Coord { x: min.x.min(corner.x), y: min.y.min(corner.y) };
        (lower, Coord { x: max.x.max(corner.x), y: max.y.max(corner.y) })
    });
    Some(Rect::new(min, max))
}

/// The rings of a polygon, open and turned the usual way.
pub(crate) fn rings(polygon: &Polygon<f64>) -> Rings {
    let turned = |ring: &[Coord<f64>], counter_clockwise: bool| {
        let mut open = ring.to_vec();
        if open.len() > 1 && open.first() == open.last() {
            open.pop();
        }
        let doubled = clip::doubled_area(&open);
        if (doubled > 0.0) != counter_clockwise {
            open.reverse();
        }
        (open.len() >= 3 && doubled != 0.0).then_some(open)
    };
    let outer = turned(&polygon.exterior().0, true);
    let holes = polygon.interiors().iter().filter_map(|ring| turned(&ring.0, false));
    outer.map(|outer| std::iter::once(outer).chain(holes).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ellipsoid::{polygon_area, ring_area};

    /// A star of many corners, with a hole.
    fn star(corners: usize) -> Polygon<f64> {
        let ring = |radius: f64, wave: f64| {
            let corner = |i: usize| {
                let angle = std::f64::consts::TAU * i as f64 / corners as f64;
                let radius = radius * (1.0 + wave * (angle * 97.0).sin());
                Coord { x: 110.0 + radius * angle.cos(), y: 30.0 + radius * angle.sin() }
            };
            (0..corners).map(corner).collect()
        };
        Polygon::new(ring(0.5, 0.2), vec![ring(0.2, 0.1)])
    }

    #[test]
    fn pieces_add_up_to_the_whole_and_are_small() {
        let whole = star(20_000);
        let pieces = pieces(&MultiPolygon(vec![whole.clone()]));
        assert!(pieces.len() > 300 && pieces.iter().all(|piece| corners(&piece.rings) <= MOST_CORNERS));
        let sum: f64 = pieces.iter().flat_map(|piece| &piece.rings).map(|ring| ring_area(ring)).sum();
        assert!((sum / polygon_area(&whole) - 1.0).abs() < 1e-12, "{sum} and {}", polygon_area(&whole));
    }

    #[test]
    fn a_comb_does_not_grow_without_end() {
        let teeth = 5_000;
        let mut ring: Vec<Coord<f64>> = vec![Coord { x: 0.0, y: 0.0 }];
        for tooth in 0..teeth {
            let y = f64::from(tooth) * 1e-5;
            ring.extend([(10.0, y), (10.0, y + 4e-6), (0.001, y + 4e-6), (0.001, y + 1e-5)].map(Coord::from));
        }
        ring.push(Coord { x: 0.0, y: f64::from(teeth) * 1e-5 });
        let whole = Polygon::new(ring.into(), Vec::new());
        let pieces = pieces(&MultiPolygon(vec![whole.clone()]));
        let all: usize = pieces.iter().map(|piece| corners(&piece.rings)).sum();
        assert!(all < 60_000, "{all} corners in {} pieces", pieces.len());
        let sum: f64 = pieces.iter().flat_map(|piece| &piece.rings).map(|ring| ring_area(ring)).sum();
        assert!((sum / polygon_area(&whole) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_has_no_area_has_no_pieces() {
        let line: Polygon<f64> = Polygon::new(vec![(0.0, 0.0), (1.0, 1.0), (0.0, 0.0)].into(), Vec::new());
        assert!(pieces(&MultiPolygon(vec![line, Polygon::new(Vec::<Coord<f64>>::new().into(), vec![])])).is_empty());
    }
}
