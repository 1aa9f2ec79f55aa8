//! Metres about a place: good to a few parts in 10 000 over some kilometres, for questions of distance.

use geo::MapCoords;
use geo_types::{Coord, MultiPolygon, Rect};

use crate::ellipsoid::metres_per_degree;

/// A plane of metres east and north of a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane {
    origin: Coord<f64>,
    scale: (f64, f64),
}

impl Plane {
    pub(super) fn about(origin: Coord<f64>) -> Self {
        Self { origin, scale: metres_per_degree(origin.y) }
    }

    pub(super) fn metres(&self, areas: &MultiPolygon<f64>) -> MultiPolygon<f64> {
        let (x, y) = self.scale;
        areas.map_coords(|place| Coord { x: (place.x - self.origin.x) * x, y: (place.y - self.origin.y) * y })
    }

    pub(super) fn degrees(&self, areas: &MultiPolygon<f64>) -> MultiPolygon<f64> {
        let (x, y) = self.scale;
        areas.map_coords(|place| Coord { x: place.x / x + self.origin.x, y: place.y / y + self.origin.y })
    }
}

/// Bounds in degrees, grown by metres on every side.
pub(super) fn grown(bounds: Rect<f64>, by_m: f64) -> Rect<f64> {
    let (x, y) = metres_per_degree(bounds.center().y);
    let (dx, dy) = (by_m / x, by_m / y);
    Rect::new((bounds.min().x - dx, bounds.min().y - dy), (bounds.max().x + dx, bounds.max().y + dy))
}

/// What two boxes have in common.
pub(super) fn common(a: Rect<f64>, b: Rect<f64>) -> Option<Rect<f64>> {
    let min = Coord { x: a.min().x.max(b.min().x), y: a.min().y.max(b.min().y) };
    let max = Coord { x: a.max().x.min(b.max().x), y: a.max().y.min(b.max().y) };
    (min.x <= max.x && min.y <= max.y).then(|| Rect::new(min, max))
}
