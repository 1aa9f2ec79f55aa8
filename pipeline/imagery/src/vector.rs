//! Vector files become reaches: the polygons of the management scope, or centrelines that are widened.
//!
//! All or nothing: every fault of every feature is reported at once, and nothing is imported while there is one.

pub(crate) mod geometry;

use std::collections::BTreeMap;
use std::path::Path;

use gdal::vector::{Layer, LayerAccess};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use geo::{Area, BoundingRect, Orient, orient::Direction};
use geo_types::{Geometry, MultiLineString, MultiPolygon, Rect};
use shorewatch_domain::crs::{Epsg, ZoneFamily};
use shorewatch_domain::reach::{Reach, ScopeSource};

use crate::crs::{SourceCrs, Transform};
use crate::error::{FeatureFault, ImageryError};
use crate::open::{check_name, local_file};
use crate::runtime;
use geometry::{buffered, repaired, rings_closed, shape};

/// Edges longer than this, in metres, are divided before they are brought to longitude and latitude: the chord of a
/// kilometre is off its arc by less than 0.1 m up to 70° of latitude.
const LONGEST_EDGE_M: f64 = 1000.0;

/// Where in a vector file the reaches are.
#[derive(Clone, PartialEq, Debug)]
pub struct ReachSource {
    /// Layer; needed only where the file has several.
    pub layer: Option<String>,
    /// Field with the unique code of the reach.
    pub id_field: String,
    /// Field with its name; the code stands in where it is absent.
    pub name_field: Option<String>,
    /// Half width in metres for centrelines; polygons do not take it.
    pub buffer_m: Option<f64>,
    /// Reference system for a file that has none.
    pub assigned_epsg: Option<u32>,
    /// Family from which the projected system of each reach is chosen.
    pub zones: ZoneFamily,
}

/// Reads every reach of a layer, in the order of the file.
///
/// Polygons are brought to WGS 84 (longitude, latitude); invalid ones are repaired by GEOS and say so in
/// [`Reach::repairs`]; lines are widened by `buffer_m` on both sides in the projected zone of their middle.
///
/// # Errors
/// The file, the layer, a field or the reference system is missing; or features are refused
/// ([`ImageryError::Features`] lists them all).
pub fn read_reaches(path: &Path, source: &ReachSource) -> Result<Vec<Reach>, ImageryError> {
    let refused = |problem: String| ImageryError::Vector { path: path.to_owned(), problem };
    if source.buffer_m.is_some_and(|buffer| !(buffer.is_finite() && buffer > 0.0)) {
        return Err(refused(format!("the buffer is {:?} m; expected a width above 0", source.buffer_m)));
    }
    let dataset = open_vector(path, None)?;
    let mut layer = pick_layer(&dataset, source.layer.as_deref()).map_err(refused)?;
    let crs = reference_system(path, &layer, source.assigned_epsg)?;
    let reader = FeatureReader {
        to_wgs84: Transform::new(&crs, Epsg::WGS84)?,
        geographic: crs.is_geographic()?,
        longest_edge: crs.metres_per_unit()?.map(|metres| LONGEST_EDGE_M / metres),
        origin: format!("{}, layer {}", file_name(path), layer.name()),
        id_column: column(&layer, &source.id_field).map_err(refused)?,
        name_column: source.name_field.as_deref().map(|name| column(&layer, name)).transpose().map_err(refused)?,
        source,
    };
    let (mut reaches, mut faults) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (number, feature) in layer.features().enumerate() {
        let (id, label) = reader.identity(&feature, number + 1);
        match id {
            Err(problem) => faults.push(FeatureFault { feature: label, problem }),
            Ok(id) => {
                if let Some(first) = seen.insert(id.clone(), label.clone()) {
                    let problem = format!("the id is also that of {first}; ids must be unique");
                    faults.push(FeatureFault { feature: label.clone(), problem });
                }
                match reader.reach(&feature, id) {
                    Ok(reach) => reaches.push(reach),
                    Err(problem) => faults.push(FeatureFault { feature: label, problem }),
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(ImageryError::Features { path: path.to_owned(), faults });
    }
    if reaches.is_empty() {
        return Err(refused(format!("layer {} has no features", layer.name())));
    }
    Ok(reaches)
}

/// Opens a local vector file with the drivers that are allowed; texts of a shapefile in `encoding`, where that is given.
pub(crate) fn open_vector(path: &Path, encoding: Option<&str>) -> Result<Dataset, ImageryError> {
    runtime::init();
    check_name(path)?;
    let is_geodatabase =
        path.is_dir() && path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gdb"));
    let local = if is_geodatabase {
        std::fs::canonicalize(path).map_err(|error| ImageryError::io(path, "resolve", error))?
    } else {
        let (local, bytes) = local_file(path)?;
        if bytes == 0 {
            return Err(ImageryError::Vector {
                path: path.to_owned(),
                problem: "the file is empty (0 bytes)".to_owned(),
            });
        }
        local
    };
    let encoding = encoding.map(|name| format!("ENCODING={name}"));
    let is_shapefile = local.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("shp"));
    let open_options: Vec<&str> = encoding.iter().filter(|_| is_shapefile).map(String::as_str).collect();
    let options = DatasetOptions {
        open_options: (!open_options.is_empty()).then_some(open_options.as_slice()),
        open_flags: GdalOpenFlags::GDAL_OF_VECTOR
            | GdalOpenFlags::GDAL_OF_READONLY
            | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
        allowed_drivers: Some(&runtime::VECTOR_DRIVERS),
        ..DatasetOptions::default()
    };
    let (dataset, messages) = runtime::collect_messages(|| Dataset::open_ex(&local, options));
    dataset.map_err(|error| {
        let (known, words) = (runtime::VECTOR_DRIVERS.join(", "), runtime::words(&messages, &error));
        ImageryError::Vector { path: path.to_owned(), problem: format!("no vector file of {known} ({words})") }
    })
}

pub(crate) fn pick_layer<'a>(dataset: &'a Dataset, name: Option<&str>) -> Result<Layer<'a>, String> {
    let names: Vec<String> = dataset.layers().map(|layer| layer.name()).collect();
    let wanted = match (name, names.as_slice()) {
        (Some(name), _) => names.iter().position(|other| other == name),
        (None, [_]) => Some(0),
        (None, []) => return Err("the file has no layer".to_owned()),
        (None, _) => return Err(format!("the file has {} layers ({}); name one", names.len(), names.join(", "))),
    };
    let index =
        wanted.ok_or_else(|| format!("no layer {:?}; there is {}", name.unwrap_or_default(), names.join(", ")))?;
    dataset.layer(index).map_err(|error| error.to_string())
}

fn column(layer: &Layer<'_>, name: &str) -> Result<usize, String> {
    let names: Vec<String> = layer.defn().fields().map(|field| field.name()).collect();
    let found = names.iter().position(|other| other == name);
    found.ok_or_else(|| format!("layer {} has no field {name:?}; it has {}", layer.name(), names.join(", ")))
}

pub(crate) fn reference_system(
    path: &Path,
    layer: &Layer<'_>,
    assigned: Option<u32>,
) -> Result<SourceCrs, ImageryError> {
    let own = layer.spatial_ref().as_ref().and_then(SourceCrs::from_spatial_ref);
    match (own, assigned) {
        (Some(own), Some(claim)) if own.epsg != Some(claim) => Err(ImageryError::Contradiction {
            path: path.to_owned(),
            assigned: Epsg(claim).to_string(),
            own: own.to_string(),
        }),
        (Some(own), _) => Ok(own),
        (None, Some(claim)) => SourceCrs::from_epsg(Epsg(claim)),
        (None, None) => Err(ImageryError::Vector {
            path: path.to_owned(),
            problem: format!(
                "layer {} has no coordinate reference system; assign one with --assign-epsg",
                layer.name()
            ),
        }),
    }
}

struct FeatureReader<'a> {
    to_wgs84: Transform,
    geographic: bool,
    /// In units of the source system; `None` where those are degrees.
    longest_edge: Option<f64>,
    origin: String,
    id_column: usize,
    name_column: Option<usize>,
    source: &'a ReachSource,
}

impl FeatureReader<'_> {
    /// The code of a feature, and how a person finds it.
    fn identity(&self, feature: &gdal::vector::Feature<'_>, number: usize) -> (Result<String, String>, String) {
        let fid = feature.fid().map_or_else(String::new, |fid| format!(", fid {fid}"));
        match text(feature, self.id_column) {
            Some(id) => {
                let label = format!("feature {number} (id {id:?}{fid})");
                (Ok(id), label)
            }
            None => {
                let problem = format!("field {:?} is empty; every reach needs a code", self.source.id_field);
                (Err(problem), format!("feature {number} (no id{fid})"))
            }
        }
    }

    fn reach(&self, feature: &gdal::vector::Feature<'_>, id: String) -> Result<Reach, String> {
        let found = feature.geometry().filter(|geometry| geometry.has_gdal_ptr() && !geometry.is_empty());
        let found = found.ok_or("has no geometry, or an empty one")?;
        let mut repairs = Vec::new();
        if !rings_closed(found) {
            repairs.push("a ring was not closed: closed".to_owned());
        }
        let (scope, scope_source) = match shape(found)? {
            Geometry::MultiPolygon(polygons) => {
                self.check_coordinates(&polygons)?;
                (self.polygon_scope(polygons, &mut repairs)?, ScopeSource::Polygon)
            }
            Geometry::MultiLineString(lines) => {
                self.check_coordinates(&lines)?;
                let buffer_m = self
                    .source
                    .buffer_m
                    .ok_or("is a line: give a buffer in metres, or draw the polygon of its scope")?;
                (self.buffer_scope(&lines, buffer_m)?, ScopeSource::BufferedCentreline { buffer_m })
            }
            _ => return Err("is neither polygon nor line".to_owned()),
        };
        if scope.unsigned_area() == 0.0 {
            return Err("covers no area".to_owned());
        }
        let name = self.name_column.and_then(|column| text(feature, column)).unwrap_or_else(|| id.clone());
        let scope = scope.orient(Direction::Default);
        Ok(Reach { id, name, scope, scope_source, origin: self.origin.clone(), repairs })
    }

    fn check_coordinates(&self, shape: &impl BoundingRect<f64, Output = Option<Rect<f64>>>) -> Result<(), String> {
        check_coordinates(shape.bounding_rect().ok_or("has no coordinates")?, self.geographic)
    }

    fn polygon_scope(
        &self,
        polygons: MultiPolygon<f64>,
        repairs: &mut Vec<String>,
    ) -> Result<MultiPolygon<f64>, String> {
        let (valid, reason) = repaired(&polygons)?;
        let scope = self.to_degrees(&valid)?;
        if let Some(reason) = reason {
            let before = self.to_degrees(&polygons).and_then(|before| self.area_m2(&before));
            let (before, after) = (before.unwrap_or(0.0), self.area_m2(&scope)?);
            repairs.push(format!("invalid ({reason}): made valid, area {before:.2} m² before, {after:.2} m² after"));
        }
        Ok(scope)
    }

    fn buffer_scope(&self, lines: &MultiLineString<f64>, buffer_m: f64) -> Result<MultiPolygon<f64>, String> {
        let moved = lines.iter().map(|line| self.to_wgs84.line(line, self.longest_edge)).collect::<Result<_, _>>();
        let degrees: MultiLineString<f64> = moved.map_err(|error| error.to_string())?;
        check_meridian(&degrees)?;
        let zone = self.zone(&degrees)?;
        let words = |error: ImageryError| error.to_string();
        let (there, back) = (Transform::new(Epsg::WGS84, zone), Transform::new(zone, Epsg::WGS84));
        let (there, back) = (there.map_err(words)?, back.map_err(words)?);
        let projected = degrees.iter().map(|line| there.line(line, None)).collect::<Result<_, _>>().map_err(words)?;
        let scope = buffered(&projected, buffer_m)?;
        let scope = back.multi_polygon(&scope, Some(LONGEST_EDGE_M)).map_err(words)?;
        check_meridian(&scope)?;
        Ok(scope)
    }

    fn to_degrees(&self, polygons: &MultiPolygon<f64>) -> Result<MultiPolygon<f64>, String> {
        let moved = self.to_wgs84.multi_polygon(polygons, self.longest_edge).map_err(|error| error.to_string())?;
        check_meridian(&moved)?;
        self.zone(&moved)?;
        Ok(moved)
    }

    fn zone(&self, degrees: &impl BoundingRect<f64, Output = Option<Rect<f64>>>) -> Result<Epsg, String> {
        let centre = degrees.bounding_rect().ok_or("has no coordinates")?.center();
        self.source.zones.zone_at(centre.x, centre.y).map_err(|error| error.to_string())
    }

    fn area_m2(&self, degrees: &MultiPolygon<f64>) -> Result<f64, String> {
        let zone = self.zone(degrees)?;
        let projected = Transform::new(Epsg::WGS84, zone).and_then(|transform| transform.multi_polygon(degrees, None));
        Ok(projected.map_err(|error| error.to_string())?.unsigned_area())
    }
}

/// Refuses what no transformation would notice: swapped axes, metres taken for degrees, the 180th meridian.
pub(crate) fn check_coordinates(bounds: Rect<f64>, geographic: bool) -> Result<(), String> {
    let (min, max) = (bounds.min(), bounds.max());
    if ![min.x, min.y, max.x, max.y].iter().all(|value| value.is_finite()) {
        return Err("has coordinates that are no finite numbers".to_owned());
    }
    if !geographic {
        return Ok(());
    }

    let (far_x, far_y) = (min.x.abs().max(max.x.abs()), min.y.abs().max(max.y.abs()));
    if far_x > 360.0 || far_y > 360.0 {
        return Err(format!(
            "reaches to ({far_x}, {far_y}) in degrees: the coordinates are projected, the file says geographic; assign the true system"
        ));
    }
    if far_y > 90.0 {
        let swapped = if far_x <= 90.0 { ": latitude and longitude are swapped" } else { "" };
        return Err(format!("reaches to latitude {far_y}{swapped}; expected (longitude, latitude)"));
    }
    if far_x > 180.0 || max.x - min.x > 180.0 {
        return Err(format!(
            "crosses the 180th meridian (longitude {} to {}); split it there into two, each within -180 to 180",
            min.x, max.x
        ));
    }
    Ok(())
}

/// Refuses shapes whose longitudes span more than half the earth: they cross the 180th meridian.
pub(crate) fn check_meridian(degrees: &impl BoundingRect<f64, Output = Option<Rect<f64>>>) -> Result<(), String> {
    let bounds = degrees.bounding_rect().ok_or("has no coordinates")?;
    if bounds.width() > 180.0 {
        return Err("crosses the 180th meridian; split it there into two".to_owned());
    }
    Ok(())
}

pub(crate) fn text(feature: &gdal::vector::Feature<'_>, column: usize) -> Option<String> {
    let value = feature.field_as_string(column).ok().flatten()?;
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
