//! Shapes in pixels: bands along the river, boxes around events.

use geo_types::{Coord, LineString, Polygon, Rect};

/// The place beside a vertex of a line, so many pixels to the right of its direction (y runs down).
pub(super) fn beside(line: &[Coord<f64>], vertex: usize, offset: f64) -> Coord<f64> {
    let (from, to) = (line[vertex.saturating_sub(1)], line[(vertex + 1).min(line.len() - 1)]);
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy);
    Coord { x: line[vertex].x - dy / length * offset, y: line[vertex].y + dx / length * offset }
}

/// The band of so many pixels to both sides of a line.
pub(super) fn band(line: &[Coord<f64>], half: f64) -> Polygon<f64> {
    let right = (0..line.len()).map(|vertex| beside(line, vertex, half));
    let left = (0..line.len()).rev().map(|vertex| beside(line, vertex, -half));
    Polygon::new(LineString(right.chain(left).collect()), Vec::new())
}

/// Metres from the first vertex, vertex by vertex.
pub(super) fn lengths_m(line: &[Coord<f64>], pixel_m: f64) -> Vec<f64> {
    let mut lengths = vec![0.0];
    for pair in line.windows(2) {
        lengths.push(lengths[lengths.len() - 1] + (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y) * pixel_m);
    }
    lengths
}

/// Bounds of an outline.
pub(super) fn bounds(outline: &Polygon<f64>) -> Rect<f64> {
    let first = outline.exterior().0[0];
    let (min, max) = outline.exterior().coords().fold((first, first), |(min, max), at| {
        let lower = Coord { x: min.x.min(at.x), y: min.y.min(at.y) };
        (lower, Coord { x: max.x.max(at.x), y: max.y.max(at.y) })
    });
    Rect::new(min, max)
}

/// The box around an outline, grown by so many pixels.
pub(super) fn around(outline: &Polygon<f64>, by: f64) -> Polygon<f64> {
    let bounds = bounds(outline);
    let grown = Rect::new((bounds.min().x - by, bounds.min().y - by), (bounds.max().x + by, bounds.max().y + by));
    grown.to_polygon()
}

/// The box around the left half of an outline.
pub(super) fn left_half(outline: &Polygon<f64>, by: f64) -> Polygon<f64> {
    let bounds = bounds(outline);
    Rect::new((bounds.min().x - by, bounds.min().y - by), (bounds.center().x, bounds.max().y + by)).to_polygon()
}

/// A square about a place.
pub(super) fn square(centre: Coord<f64>, half: f64) -> Polygon<f64> {
    Rect::new((centre.x - half, centre.y - half), (centre.x + half, centre.y + half)).to_polygon()
}
