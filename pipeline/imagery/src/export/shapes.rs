//! Any rows of texts with a shape, as GeoPackage or GeoJSON: for reports that a GIS opens.

use std::path::Path;

use gdal::DriverManager;
use gdal::vector::{Feature, FieldDefn, Layer, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType, ToGdal};
use geo_types::{Geometry, MultiLineString, MultiPolygon};
use serde_json::{Map, Value as Json, json};
use shorewatch_domain::crs::Epsg;

use super::ExportFormat;
use crate::crs::{Transform, spatial_ref};
use crate::error::ImageryError;
use crate::write::{atomically, finish};

/// A row with a shape in CGCS2000 (longitude, latitude), or without one.
#[derive(Clone, Debug)]
pub struct ShapeRow<'a> {
    /// The shape.
    pub geometry: Option<&'a Geometry<f64>>,
    /// Texts, field by field. Fields whose name ends in `_m` or `_m2` hold numbers.
    pub values: Vec<Option<String>>,
}

/// Writes rows under the name of a layer; a file that exists is replaced as a whole. GeoPackage keeps CGCS2000 (EPSG:4490),
/// GeoJSON is WGS 84 by its standard.
///
/// # Errors
/// The name ends in neither `.gpkg` nor `.geojson`; the file can't be written.
pub fn write_shapes(path: &Path, layer: &str, fields: &[&str], rows: &[ShapeRow<'_>]) -> Result<(), ImageryError> {
    match ExportFormat::of_path(path) {
        Some(ExportFormat::GeoPackage) => geopackage(path, layer, fields, rows),
        Some(ExportFormat::GeoJson) => geojson(path, layer, fields, rows),
        _ => Err(ImageryError::Vector {
            path: path.to_owned(),
            problem: "the name must end in .gpkg or .geojson; rename it".to_owned(),
        }),
    }
}

fn is_number(field: &str) -> bool {
    field.ends_with("_m") || field.ends_with("_m2")
}

fn geopackage(path: &Path, name: &str, fields: &[&str], rows: &[ShapeRow<'_>]) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let mut file = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(temporary)?;
        let srs = spatial_ref(Epsg::CGCS2000.into())?;
        let options = Some(&["SPATIAL_INDEX=YES", "GEOMETRY_NAME=geometry"][..]);
        let settings = LayerOptions { name, srs: Some(&srs), ty: OGRwkbGeometryType::wkbUnknown, options };
        let mut transaction = file.start_transaction()?;
        fill(&transaction.create_layer(settings)?, fields, rows)?;
        transaction.commit()?;
        finish(file)
    })
}

fn fill(layer: &Layer<'_>, fields: &[&str], rows: &[ShapeRow<'_>]) -> Result<(), ImageryError> {
    for field in fields {
        let kind = if is_number(field) { OGRFieldType::OFTReal } else { OGRFieldType::OFTString };
        FieldDefn::new(field, kind)?.add_to_layer(layer)?;
    }
    for row in rows {
        let mut feature = Feature::new(layer.defn())?;
        if let Some(geometry) = row.geometry {
            feature.set_geometry(geometry.to_gdal()?)?;
        }
        for (i, (field, value)) in fields.iter().zip(&row.values).enumerate() {
            match value {
                Some(value) if is_number(field) => {
                    if let Ok(number) = value.parse() {
                        feature.set_field_double(i, number)?;
                    }
                }
                Some(value) => feature.set_field_string(i, value)?,
                None => {}
            }
        }
        feature.create(layer)?;
    }
    Ok(())
}

fn geojson(path: &Path, name: &str, fields: &[&str], rows: &[ShapeRow<'_>]) -> Result<(), ImageryError> {
    let to_wgs84 = Transform::new(Epsg::CGCS2000, Epsg::WGS84)?;
    let mut features = Vec::with_capacity(rows.len());
    for row in rows {
        let properties: Map<String, Json> = fields
            .iter()
            .zip(&row.values)
            .map(|(field, value)| {
                let number = value.as_ref().filter(|_| is_number(field)).and_then(|value| value.parse::<f64>().ok());
                let value = number.map_or_else(|| value.clone().map_or(Json::Null, Json::from), Json::from);
                ((*field).to_owned(), value)
            })
            .collect();
        let geometry = row.geometry.map(|geometry| shape(geometry, &to_wgs84)).transpose()?.unwrap_or(Json::Null);
        features.push(json!({ "type": "Feature", "geometry": geometry, "properties": properties }));
    }
    let text = format!("{:#}\n", json!({ "type": "FeatureCollection", "name": name, "features": features }));
    atomically(path, |temporary| {
        std::fs::write(temporary, text.as_bytes()).map_err(|error| ImageryError::io(path, "write", error))
    })
}

fn shape(geometry: &Geometry<f64>, to_wgs84: &Transform) -> Result<Json, ImageryError> {
    use geo::orient::{Direction, Orient};
    let line = |line: &geo_types::LineString<f64>| -> Vec<[f64; 2]> { line.coords().map(|p| [p.x, p.y]).collect() };
    Ok(match geometry {
        Geometry::Point(point) => {
            let (x, y) = to_wgs84.point(point.x(), point.y())?;
            json!({ "type": "Point", "coordinates": [x, y] })
        }
        Geometry::LineString(one) => {
            json!({ "type": "LineString", "coordinates": line(&to_wgs84.line(one, None)?) })
        }
        Geometry::MultiLineString(MultiLineString(lines)) => {
            let lines: Vec<_> =
                lines.iter().map(|one| Ok(line(&to_wgs84.line(one, None)?))).collect::<Result<_, ImageryError>>()?;
            json!({ "type": "MultiLineString", "coordinates": lines })
        }
        Geometry::MultiPolygon(areas) => polygons(&to_wgs84.multi_polygon(areas, None)?.orient(Direction::Default)),
        Geometry::Polygon(area) => {
            let areas = MultiPolygon(vec![area.clone()]);
            polygons(&to_wgs84.multi_polygon(&areas, None)?.orient(Direction::Default))
        }
        _ => Json::Null,
    })
}

fn polygons(areas: &MultiPolygon<f64>) -> Json {
    let rings = |polygon: &geo_types::Polygon<f64>| -> Vec<Vec<[f64; 2]>> {
        std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .map(|ring| ring.coords().map(|place| [place.x, place.y]).collect())
            .collect()
    };
    json!({ "type": "MultiPolygon", "coordinates": areas.iter().map(rings).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{TableSource, Wanted, read_table};
    use geo_types::{Rect, point};

    #[test]
    fn rows_come_back_from_both_formats() {
        let folder = tempfile::tempdir().expect("a folder");
        let area: Geometry<f64> = MultiPolygon(vec![Rect::new((108.0, 22.0), (108.1, 22.1)).to_polygon()]).into();
        let place: Geometry<f64> = point! { x: 108.5, y: 22.5 }.into();
        let row = |geometry, area: &str| ShapeRow {
            geometry,
            values: vec![Some("间隙 <script>".to_owned()), Some(area.to_owned())],
        };
        let rows = [row(Some(&area), "12.50"), row(Some(&place), "1.00"), row(None, "2.00")];
        for name in ["defects.gpkg", "defects.geojson"] {
            let path = folder.path().join(name);
            write_shapes(&path, "defects", &["text", "area_m2"], &rows).expect("written");
            let source = TableSource {
                layer: None,
                assigned_epsg: None,
                encoding: None,
                wanted: Wanted::Nothing,
                code_column: None,
                point_columns: None,
            };
            let table = read_table(&path, &source).expect("read");
            let values: Vec<_> =
                table.rows.iter().map(|row| (&row.values["text"][..], &row.values["area_m2"][..])).collect();
            assert_eq!(values, [("间隙 <script>", "12.5"), ("间隙 <script>", "1"), ("间隙 <script>", "2")], "{name}");
        }
        assert!(write_shapes(&folder.path().join("defects.shp"), "defects", &[], &[]).is_err());
    }
}
