//! Between GDAL's geometry and ours, and what GEOS does well: validity, repair, buffers.

use gdal::cpl::CslStringList;
use gdal::vector::OGRwkbGeometryType as Kind;
use gdal::vector::{Geometry as GdalGeometry, ToGdal, geometry_type_flatten};
use geo_types::{Coord, Geometry, LineString, MultiLineString, MultiPolygon, Polygon};

use crate::runtime;

/// Segments that stand for a quarter of a circle at the ends and bends of a buffer (off the circle by 0.5 %).
const SEGMENTS_A_QUARTER: u32 = 8;

pub(crate) fn kind(geometry: &GdalGeometry) -> Kind::Type {
    geometry_type_flatten(geometry.geometry_type())
}

/// The parts of a geometry; itself where it has none.
pub(crate) fn points(geometry: &GdalGeometry) -> LineString<f64> {
    let mut points = Vec::new();
    geometry.get_points(&mut points);
    points.into_iter().map(|(x, y, _)| Coord { x, y }).collect()
}

/// True where the first point of every ring of a polygon is also its last.
pub(crate) fn rings_closed(geometry: &GdalGeometry) -> bool {
    let parts = || (0..geometry.geometry_count()).map(|i| geometry.get_geometry(i));
    match kind(geometry) {
        Kind::wkbPolygon => parts().all(|ring| points(&ring).is_closed()),
        Kind::wkbMultiPolygon => parts().all(|polygon| rings_closed(&polygon)),
        _ => true,
    }
}

/// A GDAL geometry as `MultiPolygon` or `MultiLineString`, without heights; rings are closed.
pub(crate) fn shape(geometry: &GdalGeometry) -> Result<Geometry<f64>, String> {
    let parts = || (0..geometry.geometry_count()).map(|i| geometry.get_geometry(i));
    Ok(match kind(geometry) {
        Kind::wkbPolygon => MultiPolygon::new(vec![polygon(geometry)]).into(),
        Kind::wkbMultiPolygon => parts().map(|part| polygon(&part)).collect::<MultiPolygon<f64>>().into(),
        Kind::wkbLineString => MultiLineString::new(vec![points(geometry)]).into(),
        Kind::wkbMultiLineString => parts().map(|part| points(&part)).collect::<MultiLineString<f64>>().into(),
        Kind::wkbCurvePolygon
        | Kind::wkbMultiSurface
        | Kind::wkbCompoundCurve
        | Kind::wkbMultiCurve
        | Kind::wkbCircularString => {
            return Err("has curves; convert it with ogr2ogr -nlt CONVERT_TO_LINEAR".to_owned());
        }
        _ => return Err(format!("is a {}; expected a polygon, or a line with a buffer", geometry.geometry_name())),
    })
}

fn polygon(geometry: &GdalGeometry) -> Polygon<f64> {
    let mut rings = (0..geometry.geometry_count()).map(|i| points(&geometry.get_geometry(i)));
    let exterior = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
    Polygon::new(exterior, rings.collect())
}

/// The polygons as they are where they are valid, else made valid by GEOS, with its word for what was wrong.
pub(crate) fn repaired(polygons: &MultiPolygon<f64>) -> Result<(MultiPolygon<f64>, Option<String>), String> {
    if polygons
        .iter()
        .any(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()).any(|ring| ring.0.len() < 4))
    {
        return Err("has a ring of less than three points".to_owned());
    }
    let gdal = polygons.to_gdal().map_err(|error| error.to_string())?;
    let (valid, messages) = runtime::collect_messages(|| gdal.is_valid());
    if valid {
        return Ok((polygons.clone(), None));
    }
    let reason = if messages.is_empty() { "invalid by OGC rules".to_owned() } else { messages.join("; ") };
    let (made, messages) = runtime::collect_messages(|| gdal.make_valid(&CslStringList::new()));
    let made =
        made.map_err(|error| format!("invalid ({reason}) and beyond repair: {}", runtime::words(&messages, &error)))?;
    let repaired = polygonal_parts(&made);
    if repaired.0.is_empty() {
        return Err(format!("invalid ({reason}); nothing with an area is left after repair"));
    }
    Ok((repaired, Some(reason)))
}

/// The polygons among the parts of a geometry: what a repair leaves besides (lines, points) has no area.
fn polygonal_parts(geometry: &GdalGeometry) -> MultiPolygon<f64> {
    match kind(geometry) {
        Kind::wkbPolygon if !geometry.is_empty() => MultiPolygon::new(vec![polygon(geometry)]),
        Kind::wkbMultiPolygon | Kind::wkbGeometryCollection => {
            (0..geometry.geometry_count()).flat_map(|i| polygonal_parts(&geometry.get_geometry(i))).collect()
        }
        _ => MultiPolygon::new(Vec::new()),
    }
}

/// Everything within `distance` of the lines, in their own unit; overlapping parts are one.
pub(crate) fn buffered(lines: &MultiLineString<f64>, distance: f64) -> Result<MultiPolygon<f64>, String> {
    let words = |error: gdal::errors::GdalError| error.to_string();
    let gdal = lines.to_gdal().map_err(words)?;
    let (buffer, messages) = runtime::collect_messages(|| gdal.buffer(distance, SEGMENTS_A_QUARTER));
    let buffer = buffer.map_err(|error| format!("cannot be widened: {}", runtime::words(&messages, &error)))?;
    let scope = polygonal_parts(&buffer);
    if scope.0.is_empty() { Err("is a line without length".to_owned()) } else { Ok(scope) }
}
