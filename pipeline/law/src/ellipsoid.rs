//! Areas and lengths of what is drawn in degrees, on the ellipsoid of CGCS2000.
//!
//! An edge is a straight line in longitude and latitude, as every layer and every patch has it: the parts that a cut leaves then
//! add up to the whole, to the last digits. Against geodesic edges an edge of a kilometre differs by centimetres.

use geo_types::{Coord, LineString, MultiPolygon, Polygon};

/// Half the greater axis in metres.
const A: f64 = 6_378_137.0;
/// Flattening of CGCS2000.
const F: f64 = 1.0 / 298.257_222_101;
const E2: f64 = F * (2.0 - F);

/// Area in m² between the equator and a latitude, for each radian of longitude.
fn area_to_equator(latitude_radians: f64) -> f64 {
    let (sine, e) = (latitude_radians.sin(), E2.sqrt());
    0.5 * A * A * (1.0 - E2) * (sine / (1.0 - E2 * sine * sine) + (e * sine).atanh() / e)
}

/// Signed area of a ring in m², counter-clockwise above 0. The ring may be open or closed.
#[must_use]
pub fn ring_area(ring: &[Coord<f64>]) -> f64 {
    let Some(&first) = ring.first() else { return 0.0 };
    let base = area_to_equator(first.y.to_radians());
    let height = |degrees: f64| area_to_equator(degrees.to_radians()) - base;
    let (mut sum, mut from, mut from_height) = (0.0, first, 0.0);
    for &to in ring[1..].iter().chain([&first]) {
        let to_height = height(to.y);
        // Simpson's rule along the edge: exact for what bends like a parabola
        let mean = (from_height + 4.0 * height(0.5 * (from.y + to.y)) + to_height) / 6.0;
        sum -= (to.x - from.x).to_radians() * mean;
        (from, from_height) = (to, to_height);
    }
    sum
}

/// Area of a polygon in m², holes taken away, whatever way its rings run.
#[must_use]
pub fn polygon_area(polygon: &Polygon<f64>) -> f64 {
    let holes: f64 = polygon.interiors().iter().map(|ring| ring_area(&ring.0).abs()).sum();
    (ring_area(&polygon.exterior().0).abs() - holes).max(0.0)
}

/// Area of polygons in m².
#[must_use]
pub fn area(polygons: &MultiPolygon<f64>) -> f64 {
    polygons.iter().map(polygon_area).sum()
}

/// Metres in a degree of longitude and of latitude at a latitude.
#[must_use]
pub fn metres_per_degree(latitude: f64) -> (f64, f64) {
    let (sine, cosine) = latitude.to_radians().sin_cos();
    let w = 1.0 - E2 * sine * sine;
    let (normal, meridian) = (A / w.sqrt(), A * (1.0 - E2) / (w * w.sqrt()));
    ((normal * cosine).to_radians(), meridian.to_radians())
}

/// Distance of two places in metres, for places up to some kilometres apart (off by less than 1 mm in 1 km).
#[must_use]
pub fn distance(from: Coord<f64>, to: Coord<f64>) -> f64 {
    let (x, y) = metres_per_degree(0.5 * (from.y + to.y));
    ((to.x - from.x) * x).hypot((to.y - from.y) * y)
}

/// Length of a line in metres.
#[must_use]
pub fn length(line: &LineString<f64>) -> f64 {
    line.0.windows(2).map(|pair| distance(pair[0], pair[1])).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Distance, Geodesic, GeodesicArea};
    use geo_types::{Point, polygon};

    /// The polygon with each edge in 100 parts, between which a geodesic edge has no room to bend.
    fn dense(polygon: &Polygon<f64>) -> Polygon<f64> {
        let corners = &polygon.exterior().0;
        let along = |pair: &[Coord<f64>]| {
            let (from, to) = (pair[0], pair[1]);
            (0..100).map(move |i| from + (to - from) * (f64::from(i) / 100.0))
        };
        Polygon::new(corners.windows(2).flat_map(along).collect(), Vec::new())
    }

    #[test]
    fn areas_are_those_of_the_geodesic_library() {
        for latitude in [-54.0, -8.4, 0.0, 21.9, 47.0, 68.0] {
            for size in [1e-3, 1e-2, 1e-1] {
                let corner = |x: f64, y: f64| Coord { x: 108.6 + x * size, y: latitude + y * size };
                let corners = [(0.0, 0.0), (1.0, 0.1), (0.9, 1.0), (0.2, 0.7)].map(|(x, y)| corner(x, y));
                let shape = Polygon::new(corners.to_vec().into(), Vec::new());
                let (ours, theirs) = (polygon_area(&shape), dense(&shape).geodesic_area_unsigned());
                assert!((ours / theirs - 1.0).abs() < 1e-7 + 1e-3 / theirs, "at {latitude}°: {ours} and {theirs} m²");
            }
        }
    }

    #[test]
    fn a_hole_is_taken_away_whatever_way_it_runs() {
        let outer = polygon![(x: 0., y: 20.), (x: 0.01, y: 20.), (x: 0.01, y: 20.01), (x: 0., y: 20.01)];
        let hole: LineString<f64> = vec![(0.002, 20.002), (0.004, 20.002), (0.004, 20.004), (0.002, 20.002)].into();
        let turned = LineString(hole.0.iter().rev().copied().collect());
        let both = [hole.clone(), turned].map(|hole| polygon_area(&Polygon::new(outer.exterior().clone(), vec![hole])));
        assert!((both[0] - both[1]).abs() < 1e-6);
        assert!((polygon_area(&outer) - both[0] - ring_area(&hole.0)).abs() < 1e-6);
    }

    #[test]
    fn distances_are_geodesic() {
        for latitude in [-54.0, 0.0, 21.9, 68.0] {
            let (from, to) = (Point::new(108.6, latitude), Point::new(108.608, latitude + 0.005));
            let (ours, theirs) = (distance(from.0, to.0), Geodesic.distance(from, to));
            assert!((ours - theirs).abs() < 1e-3, "at {latitude}°: {ours} and {theirs} m");
        }
    }
}
