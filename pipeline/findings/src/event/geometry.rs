//! Outlines in messages.

use geo_types::{LineString, Polygon};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A polygon of GeoJSON (RFC 7946): longitude and latitude, the outer ring counterclockwise, holes clockwise. CGCS2000 and
/// WGS 84 agree to centimetres.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GeoJsonPolygon {
    /// Always `Polygon`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Rings, the outer one first; the first point of each is the last one as well.
    pub coordinates: Vec<Vec<[f64; 2]>>,
}

impl GeoJsonPolygon {
    /// The outline of a patch, with rings turned as the standard has them.
    #[must_use]
    pub fn of(outline: &Polygon<f64>) -> Self {
        let mut coordinates = vec![ring(outline.exterior(), true)];
        coordinates.extend(outline.interiors().iter().map(|hole| ring(hole, false)));
        Self { kind: "Polygon".to_owned(), coordinates }
    }

    /// The outline that it says; `None` where it has no ring.
    #[must_use]
    pub fn outline(&self) -> Option<Polygon<f64>> {
        outline(&self.coordinates)
    }
}

fn outline(rings: &[Vec<[f64; 2]>]) -> Option<Polygon<f64>> {
    let mut rings = rings.iter().map(|ring| LineString::from(ring.iter().map(|[x, y]| (*x, *y)).collect::<Vec<_>>()));
    Some(Polygon::new(rings.next()?, rings.collect()))
}

/// Nine decimals are a tenth of a millimetre.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e9).round() / 1e9
}

fn ring(line: &LineString<f64>, counterclockwise: bool) -> Vec<[f64; 2]> {
    // the sign of the area in degrees tells the turn; its size says nothing
    let turn: f64 = line.lines().map(|side| side.start.x * side.end.y - side.end.x * side.start.y).sum();
    let mut points: Vec<[f64; 2]> = line.coords().map(|corner| [rounded(corner.x), rounded(corner.y)]).collect();
    if (turn > 0.0) != counterclockwise {
        points.reverse();
    }
    points
}

/// Coordinates in CGCS2000.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Cgcs2000 {
    /// Always 4490.
    pub epsg: u32,
    /// Order of numbers: longitude, latitude (the register of systems has latitude first).
    pub axis_order: String,
    /// Rings as in `geometry`.
    pub coordinates: Vec<Vec<[f64; 2]>>,
    /// A point inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub centre: Option<[f64; 2]>,
}

impl Cgcs2000 {
    /// The outline of a patch.
    #[must_use]
    pub fn of(outline: &Polygon<f64>, centre: Option<(f64, f64)>) -> Self {
        Self {
            epsg: 4490,
            axis_order: "longitude, latitude".to_owned(),
            coordinates: GeoJsonPolygon::of(outline).coordinates,
            centre: centre.map(|(longitude, latitude)| [rounded(longitude), rounded(latitude)]),
        }
    }

    /// The outline that it says; `None` where it has no ring.
    #[must_use]
    pub fn outline(&self) -> Option<Polygon<f64>> {
        outline(&self.coordinates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_turn_as_the_standard_has_them() {
        let clockwise = vec![(0.0, 0.0), (0.0, 3.0), (3.0, 3.0), (3.0, 0.0), (0.0, 0.0)];
        let hole = vec![(1.0, 1.0), (2.0, 1.0), (2.0, 2.0), (1.0, 2.0), (1.0, 1.0)];
        let polygon = GeoJsonPolygon::of(&Polygon::new(LineString::from(clockwise), vec![LineString::from(hole)]));
        assert_eq!(polygon.coordinates[0], [[0.0, 0.0], [3.0, 0.0], [3.0, 3.0], [0.0, 3.0], [0.0, 0.0]]);
        assert_eq!(polygon.coordinates[1][1], [1.0, 2.0]);
    }
}
