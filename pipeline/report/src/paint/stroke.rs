//! Anti-aliased two-tone lines that show on dark and on bright ground.

use geo::BoundingRect;
use geo_types::{LineString, MultiPolygon};
use image::RgbImage;

use super::canvas::{Colour, blend};

/// A two-tone line: a core with a casing around it, both measured from the centre line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    pub(crate) core: Colour,
    pub(crate) casing: Colour,
    /// Half the width of the core, in picture pixels.
    pub(crate) core_half_width: f32,
    /// Half the width of core and casing together, in picture pixels.
    pub(crate) casing_half_width: f32,
}

/// Where picture coordinates lie: picture = offset + factor × array.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) factor: f64,
    pub(crate) left: f64,
    pub(crate) top: f64,
}

impl Placement {
    /// Picture coordinates of a point in pixel-corner coordinates of the array.
    pub(crate) fn place(&self, x: f64, y: f64) -> (f32, f32) {
        ((self.left + x * self.factor) as f32, (self.top + y * self.factor) as f32)
    }
}

/// Strokes every ring of the polygons, clipped to the window (width, height) at the placement's
/// origin. Distance to the nearest segment decides the tone, so that corners join cleanly and
/// overlapping rings do not darken each other.
pub(crate) fn stroke_polygons(
    image: &mut RgbImage,
    shape: &MultiPolygon<f64>,
    placement: Placement,
    window: (u32, u32),
    pen: Pen,
) {
    let Some(bounds) = shape.bounding_rect() else {
        return;
    };
    let from = placement.place(bounds.min().x, bounds.min().y);
    let to = placement.place(bounds.max().x, bounds.max().y);
    let window = Window {
        left: placement.left as i64,
        top: placement.top as i64,
        right: placement.left as i64 + i64::from(window.0),
        bottom: placement.top as i64 + i64::from(window.1),
    };
    let mut distances = DistanceMap::new(window.around(from, to, pen), pen);
    for polygon in shape {
        distances.add_ring(polygon.exterior(), placement);
        for hole in polygon.interiors() {
            distances.add_ring(hole, placement);
        }
    }
    distances.paint(image, pen);
}

/// Strokes one straight line between two picture points.
pub(crate) fn stroke_segment(image: &mut RgbImage, from: (f32, f32), to: (f32, f32), pen: Pen) {
    let whole = Window { left: 0, top: 0, right: i64::from(image.width()), bottom: i64::from(image.height()) };
    let mut distances = DistanceMap::new(whole.around(from, to, pen), pen);
    distances.add_segment(from, to);
    distances.paint(image, pen);
}

/// Half-open picture pixels, `[left, right)` × `[top, bottom)`.
#[derive(Clone, Copy)]
struct Window {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Window {
    /// The part of the window that a line between two points can touch.
    fn around(self, from: (f32, f32), to: (f32, f32), pen: Pen) -> Self {
        let reach = pen.casing_half_width + 2.0;
        let start = |a: f32, b: f32, low: i64, high: i64| ((a.min(b) - reach).floor() as i64).clamp(low, high);
        let end = |a: f32, b: f32, low: i64, high: i64| ((a.max(b) + reach).ceil() as i64).clamp(low, high);
        Self {
            left: start(from.0, to.0, self.left, self.right),
            top: start(from.1, to.1, self.top, self.bottom),
            right: end(from.0, to.0, self.left, self.right),
            bottom: end(from.1, to.1, self.top, self.bottom),
        }
    }
}

/// Distance of each picture pixel's centre to the nearest segment, up to a reach.
struct DistanceMap {
    left: i64,
    top: i64,
    width: usize,
    height: usize,
    reach: f32,
    distance: Vec<f32>,
}

impl DistanceMap {
    fn new(window: Window, pen: Pen) -> Self {
        let width = (window.right - window.left).max(0) as usize;
        let height = (window.bottom - window.top).max(0) as usize;
        Self {
            left: window.left,
            top: window.top,
            width,
            height,
            reach: pen.casing_half_width + 1.0,
            distance: vec![f32::INFINITY; width * height],
        }
    }

    fn add_ring(&mut self, ring: &LineString<f64>, placement: Placement) {
        for line in ring.lines() {
            self.add_segment(placement.place(line.start.x, line.start.y), placement.place(line.end.x, line.end.y));
        }
    }

    fn add_segment(&mut self, from: (f32, f32), to: (f32, f32)) {
        let shift = (self.left as f32, self.top as f32);
        let from = (from.0 - shift.0, from.1 - shift.1);
        let to = (to.0 - shift.0, to.1 - shift.1);
        let range = |a: f32, b: f32, length: usize| {
            let start = (a.min(b) - self.reach).floor().clamp(0.0, length as f32);
            let end = (a.max(b) + self.reach).ceil().clamp(0.0, length as f32);
            start as usize..end as usize
        };
        let (columns, rows) = (range(from.0, to.0, self.width), range(from.1, to.1, self.height));
        for y in rows {
            for x in columns.clone() {
                let distance = distance_to_segment((x as f32 + 0.5, y as f32 + 0.5), from, to);
                let nearest = &mut self.distance[y * self.width + x];
                *nearest = nearest.min(distance);
            }
        }
    }

    fn paint(&self, image: &mut RgbImage, pen: Pen) {
        for (index, &distance) in self.distance.iter().enumerate() {
            if distance > self.reach {
                continue;
            }
            let x = self.left + (index % self.width) as i64;
            let y = self.top + (index / self.width) as i64;
            blend(image, x, y, pen.casing, pen.casing_half_width + 0.5 - distance);
            blend(image, x, y, pen.core, pen.core_half_width + 0.5 - distance);
        }
    }
}

fn distance_to_segment(point: (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let along = (to.0 - from.0, to.1 - from.1);
    let length_squared = along.0 * along.0 + along.1 * along.1;
    let share = if length_squared == 0.0 {
        0.0
    } else {
        let dot = (point.0 - from.0) * along.0 + (point.1 - from.1) * along.1;
        (dot / length_squared).clamp(0.0, 1.0)
    };
    (point.0 - from.0 - share * along.0).hypot(point.1 - from.1 - share * along.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::canvas::blank;
    use geo_types::{Polygon, Rect, coord};

    const PEN: Pen = Pen { core: [255, 255, 0], casing: [0, 0, 0], core_half_width: 0.8, casing_half_width: 1.8 };

    #[test]
    fn a_line_shows_on_dark_and_on_bright_ground() {
        for ground in [[0, 0, 0], [255, 255, 255], [255, 255, 0]] {
            let mut image = blank(40, 40, ground);
            let square: Polygon<f64> = Rect::new(coord! { x: 1.0, y: 1.0 }, coord! { x: 3.0, y: 3.0 }).to_polygon();
            let placement = Placement { factor: 10.0, left: 0.0, top: 0.0 };
            stroke_polygons(&mut image, &square.into(), placement, (40, 40), PEN);
            let differing = |x: u32, y: u32| {
                let pixel = image.get_pixel(x, y).0;
                pixel.iter().zip(ground).map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
            };
            let strongest = (7..14).map(|y| differing(20, y)).max();
            assert!(strongest > Some(250), "ground {ground:?}: {strongest:?}");
            assert_eq!(differing(20, 20), 0, "the inside stays as it is");
        }
    }
}
