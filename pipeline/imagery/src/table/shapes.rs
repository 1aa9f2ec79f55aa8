//! Shapes of rows: brought to CGCS2000, checked, repaired.

use gdal::vector::Geometry as GdalGeometry;
use gdal::vector::OGRwkbGeometryType as Kind;
use geo::{BoundingRect, GeodesicArea, Orient, orient::Direction};
use geo_types::{Coord, Geometry, LineString, MultiLineString, MultiPolygon, Point, Rect};
use shorewatch_domain::crs::{Epsg, ZoneFamily};

use super::{MOST_CORNERS, Wanted};
use crate::crs::{SourceCrs, Transform, spatial_ref};
use crate::error::ImageryError;
use crate::vector::geometry::{buffered, kind, points, repaired, rings_closed, shape};
use crate::vector::{check_coordinates, check_meridian};

/// Edges longer than this, in metres, are divided before they are brought to longitude and latitude.
const LONGEST_EDGE_M: f64 = 1000.0;
/// Areas are told to this much, in m².
const LEAST_AREA_M2: f64 = 0.01;
/// A shape may lie so many degrees outside the area for which its reference system is meant.
const BEYOND_DEGREES: f64 = 5.0;

/// Brings shapes of one reference system to CGCS2000.
#[derive(Debug)]
pub(super) struct Reader {
    wanted: Wanted,
    to_degrees: Transform,
    geographic: bool,
    system: String,
    /// In units of the source system; `None` where those are degrees.
    longest_edge: Option<f64>,
    /// West, south, east, north of the area that the system is meant for.
    meant_for: Option<[f64; 4]>,
}

impl Reader {
    pub(super) fn new(crs: &SourceCrs, wanted: Wanted) -> Result<Self, ImageryError> {
        let area = spatial_ref(crs.into())?.area_of_use();
        let area =
            area.map(|area| [area.west_lon_degree, area.south_lat_degree, area.east_lon_degree, area.north_lat_degree]);
        Ok(Self {
            wanted,
            to_degrees: Transform::new(crs, Epsg::CGCS2000)?,
            geographic: crs.is_geographic()?,
            system: crs.to_string(),
            longest_edge: crs.metres_per_unit()?.map(|metres| LONGEST_EDGE_M / metres),
            meant_for: area.filter(|[west, _, east, _]| west < east),
        })
    }

    /// The shape of a feature as it is wanted.
    pub(super) fn shape(
        &self,
        found: Option<&GdalGeometry>,
        repairs: &mut Vec<String>,
    ) -> Result<Option<Geometry<f64>>, String> {
        let found = found.filter(|geometry| geometry.has_gdal_ptr() && !geometry.is_empty());
        let found = match (found, self.wanted) {
            (_, Wanted::Nothing) | (None, Wanted::AreasIfAny) => return Ok(None),
            (None, _) => return Err("has no geometry, or an empty one".to_owned()),
            (Some(found), _) => found,
        };
        let shape: Geometry<f64> = match self.wanted {
            Wanted::Nothing => return Ok(None),
            Wanted::Point => self.single_point(found)?.into(),
            Wanted::Line => self.line(found)?.into(),
            Wanted::Areas { buffer_m } => self.areas(found, buffer_m, repairs)?.into(),
            Wanted::AreasIfAny => self.areas(found, None, repairs)?.into(),
        };
        Ok(Some(shape))
    }

    /// A point by its coordinates in the source system.
    pub(super) fn point(&self, x: f64, y: f64) -> Result<Point<f64>, String> {
        self.check(Rect::new((x, y), (x, y)))?;
        let (longitude, latitude) = self.to_degrees.point(x, y).map_err(|error| self.failed(&error, (x, y)))?;
        self.check_place(Rect::new((longitude, latitude), (longitude, latitude)), (x, y))?;
        Ok(Point::new(longitude, latitude))
    }

    fn single_point(&self, found: &GdalGeometry) -> Result<Point<f64>, String> {
        let places = match kind(found) {
            Kind::wkbPoint => points(found),
            Kind::wkbMultiPoint if found.geometry_count() == 1 => points(&found.get_geometry(0)),
            _ => return Err(format!("is a {}; expected one point", found.geometry_name())),
        };
        let place = places.0.first().ok_or("has no coordinates")?;
        self.point(place.x, place.y)
    }

    fn line(&self, found: &GdalGeometry) -> Result<LineString<f64>, String> {
        let Geometry::MultiLineString(lines) = shape(found)? else {
            return Err(format!("is a {}; expected a line down the river", found.geometry_name()));
        };
        self.check(lines.bounding_rect().ok_or("has no coordinates")?)?;
        let mut line = joined(lines)?;
        let first = line.0[0];
        let moved = self.to_degrees.line(&line, self.longest_edge);
        line = moved.map_err(|error| self.failed(&error, (first.x, first.y)))?;
        check_meridian(&line)?;
        self.check_place(line.bounding_rect().ok_or("has no coordinates")?, (first.x, first.y))?;
        Ok(line)
    }

    fn areas(
        &self,
        found: &GdalGeometry,
        buffer_m: Option<f64>,
        repairs: &mut Vec<String>,
    ) -> Result<MultiPolygon<f64>, String> {
        if !rings_closed(found) {
            repairs.push("a ring was not closed: closed".to_owned());
        }
        let areas = match shape(found)? {
            Geometry::MultiPolygon(polygons) => {
                let corners = |polygon: &geo_types::Polygon<f64>| {
                    polygon.exterior().0.len() + polygon.interiors().iter().map(|ring| ring.0.len()).sum::<usize>()
                };
                let corners: usize = polygons.iter().map(corners).sum();
                if corners > MOST_CORNERS {
                    return Err(format!("has {corners} corners; the limit is {MOST_CORNERS}: simplify it"));
                }
                self.check(polygons.bounding_rect().ok_or("has no coordinates")?)?;
                self.polygons(&polygons, repairs)?
            }
            Geometry::MultiLineString(lines) => {
                self.check(lines.bounding_rect().ok_or("has no coordinates")?)?;
                let width = buffer_m.ok_or("is a line; expected a polygon, or give buffer_m to widen lines")?;
                self.widened(&lines, width)?
            }
            _ => return Err(format!("is a {}; expected a polygon", found.geometry_name())),
        };
        let areas = areas.orient(Direction::Default);
        if area_m2(&areas) < LEAST_AREA_M2 {
            return Err(format!("covers less than {LEAST_AREA_M2} m²"));
        }
        Ok(areas)
    }

    fn polygons(&self, polygons: &MultiPolygon<f64>, repairs: &mut Vec<String>) -> Result<MultiPolygon<f64>, String> {
        let first = polygons.0.first().and_then(|polygon| polygon.exterior().0.first()).copied().unwrap_or_default();
        let moved = |shape: &MultiPolygon<f64>| {
            let moved = self.to_degrees.multi_polygon(shape, self.longest_edge);
            moved.map_err(|error| self.failed(&error, (first.x, first.y)))
        };
        let (valid, reason) = repaired(polygons)?;
        let areas = moved(&valid)?;
        check_meridian(&areas)?;
        self.check_place(areas.bounding_rect().ok_or("has no coordinates")?, (first.x, first.y))?;
        if let Some(reason) = reason {
            let (before, after) = (area_m2(&moved(polygons)?), area_m2(&areas));
            repairs.push(format!("invalid ({reason}): made valid, area {before:.2} m² before, {after:.2} m² after"));
        }
        Ok(areas)
    }

    fn widened(&self, lines: &MultiLineString<f64>, width_m: f64) -> Result<MultiPolygon<f64>, String> {
        let words = |error: ImageryError| error.to_string();
        let moved = lines.iter().map(|line| self.to_degrees.line(line, self.longest_edge));
        let degrees: MultiLineString<f64> = moved.collect::<Result<_, _>>().map_err(words)?;
        check_meridian(&degrees)?;
        let bounds = degrees.bounding_rect().ok_or("has no coordinates")?;
        let first = lines.0.first().and_then(|line| line.0.first()).copied().unwrap_or_default();
        self.check_place(bounds, (first.x, first.y))?;
        let centre = bounds.center();
        let zone = ZoneFamily::Utm.zone_at(centre.x, centre.y).map_err(|error| error.to_string())?;
        let there = Transform::new(Epsg::CGCS2000, zone).map_err(words)?;
        let back = Transform::new(zone, Epsg::CGCS2000).map_err(words)?;
        let projected = degrees.iter().map(|line| there.line(line, None)).collect::<Result<_, _>>().map_err(words)?;
        back.multi_polygon(&buffered(&projected, width_m)?, Some(LONGEST_EDGE_M)).map_err(words)
    }

    /// Refuses coordinates that can't be of the source system.
    fn check(&self, bounds: Rect<f64>) -> Result<(), String> {
        check_coordinates(bounds, self.geographic)?;
        let (min, max) = (bounds.min(), bounds.max());
        let like_degrees = min.x >= -180.0 && max.x <= 180.0 && min.y >= -90.0 && max.y <= 90.0;
        if !self.geographic && like_degrees {
            return Err(format!(
                "lies at ({}, {}): these are degrees, but the system {} is in metres; assign the true system",
                min.x, min.y, self.system
            ));
        }
        Ok(())
    }

    /// Refuses places far from where the system is meant for: a wrong zone, a lost zone number, swapped axes.
    fn check_place(&self, degrees: Rect<f64>, (x, y): (f64, f64)) -> Result<(), String> {
        if self.is_meant_for(degrees) {
            return Ok(());
        }
        let Coord { x: longitude, y: latitude } = degrees.center();
        let (system, next) = (&self.system, self.what_next((x, y)));
        Err(format!(
            "lies at longitude {longitude:.3}, latitude {latitude:.3}, where {system} is not meant for; {next}"
        ))
    }

    /// A transformation that failed, in words.
    fn failed(&self, error: &ImageryError, first: (f64, f64)) -> String {
        format!("{error}; {}", self.what_next(first))
    }

    /// What may be wrong with coordinates that lie where their system is not meant for.
    fn what_next(&self, (x, y): (f64, f64)) -> &'static str {
        let swapped = self.to_degrees.point(y, x).is_ok_and(|(x, y)| self.is_meant_for(Rect::new((x, y), (x, y))));
        if swapped {
            "with both coordinates exchanged it would lie there: the axes are swapped (expected easting, northing)"
        } else {
            "is it another zone, or is the number of the zone missing before the easting? Assign the true system"
        }
    }

    fn is_meant_for(&self, degrees: Rect<f64>) -> bool {
        let Some([west, south, east, north]) = self.meant_for else { return true };
        let (min, max) = (degrees.min(), degrees.max());
        min.x >= west - BEYOND_DEGREES
            && max.x <= east + BEYOND_DEGREES
            && min.y >= south - BEYOND_DEGREES
            && max.y <= north + BEYOND_DEGREES
    }
}

/// Geodesic area in m². Rings are turned the usual way, and the signed area is taken: the unsigned one goes round the earth for a
/// hole that a repair left without area.
fn area_m2(areas: &MultiPolygon<f64>) -> f64 {
    areas.orient(Direction::Default).geodesic_area_signed().abs()
}

/// Parts of a line, one after the other.
fn joined(lines: MultiLineString<f64>) -> Result<LineString<f64>, String> {
    let mut parts: Vec<LineString<f64>> = lines.0.into_iter().filter(|line| line.0.len() > 1).collect();
    if parts.is_empty() {
        return Err("is a line without length".to_owned());
    }
    let count = parts.len();
    let is_after = |before: &LineString<f64>, after: &LineString<f64>| before.0.last() == after.0.first();
    // the part that follows on no other is the first
    let first = (0..count).find(|&i| !(0..count).any(|j| j != i && is_after(&parts[j], &parts[i]))).unwrap_or(0);
    let mut line = parts.remove(first);
    while let Some(next) = parts.iter().position(|part| is_after(&line, part)) {
        line.0.extend(parts.remove(next).0.into_iter().skip(1));
    }
    if parts.is_empty() {
        Ok(line)
    } else {
        Err(format!(
            "is {count} lines, of which {} do not follow on the others; draw one line down the river",
            parts.len()
        ))
    }
}
