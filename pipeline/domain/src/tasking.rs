//! Places that people reported: where the next run looks first.
//!
//! Whether two reports mean the same place, and the area that holds both, are told in degrees: both are questions of topology
//! that no scaling of the axes changes. Distances in metres are geodesic.

use geo::{Area, BooleanOps, ConvexHull, Destination, Geodesic, Intersects};
use geo_types::{LineString, Point, Polygon};

/// Corners of the outline around a point.
const CORNERS: usize = 24;

/// Share of the smaller of two areas that they must have in common to be the same place, where neither holds the other's
/// middle.
const LEAST_COMMON: f64 = 0.25;

/// The outline around a point (longitude, latitude) at a distance.
#[must_use]
pub fn around(longitude: f64, latitude: f64, radius_m: f64) -> Polygon<f64> {
    let centre = Point::new(longitude, latitude);
    let ring: Vec<Point<f64>> = (0..CORNERS)
        .map(|corner| Geodesic.destination(centre, -360.0 * corner as f64 / CORNERS as f64, radius_m))
        .collect();
    Polygon::new(LineString::from(ring), Vec::new())
}

/// True where two reports mean the same place.
#[must_use]
pub fn same_place(one: &Polygon<f64>, other: &Polygon<f64>) -> bool {
    if !one.intersects(other) {
        return false;
    }
    let common = one.intersection(other).unsigned_area();
    common >= LEAST_COMMON * one.unsigned_area().min(other.unsigned_area())
}

/// The area that holds two reports of one place.
#[must_use]
pub fn merged(one: &Polygon<f64>, other: &Polygon<f64>) -> Polygon<f64> {
    let mut corners = one.exterior().0.clone();
    corners.extend(&other.exterior().0);
    LineString::new(corners).convex_hull()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Contains, GeodesicArea};

    #[test]
    fn reports_of_one_place_are_merged() {
        let first = around(108.6, 21.9, 100.0);
        let area_m2 = first.geodesic_area_unsigned();
        assert!((area_m2 / (std::f64::consts::PI * 1e4) - 1.0).abs() < 0.02, "{area_m2}");
        let near = around(108.6005, 21.9, 100.0);
        let far = around(108.603, 21.9, 100.0);
        assert!(same_place(&first, &near) && same_place(&near, &first));
        assert!(!same_place(&first, &far));
        let touching = around(108.6 + 0.00185, 21.9, 100.0);
        assert!(first.intersects(&touching) && !same_place(&first, &touching));
        let both = merged(&first, &near);
        assert!(both.contains(&Point::new(108.6, 21.9)) && both.contains(&Point::new(108.6005, 21.9)));
    }
}
