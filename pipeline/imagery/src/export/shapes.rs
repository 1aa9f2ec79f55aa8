//! Any rows with a shape and fields of a known type, in every format that patches are exported to, and as a shapefile: ledgers,
//! national patches, reports that a GIS opens.

use std::path::Path;

use gdal::DriverManager;
use gdal::vector::{Feature, FieldDefn, Layer, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType, ToGdal};
use geo::orient::{Direction, Orient};
use geo_types::{Geometry, MultiLineString, MultiPolygon};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use shorewatch_domain::crs::Epsg;

use super::table::guarded;
use super::{ExportFormat, FixedClock};
use crate::crs::{Transform, spatial_ref};
use crate::error::ImageryError;
use crate::write::{atomically, finish};

/// Bytes of a name in a shapefile (dBASE).
const MOST_NAME_BYTES: usize = 10;
/// Bytes of a text in a shapefile (dBASE).
const MOST_TEXT_BYTES: usize = 254;

/// Type of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// Text.
    Text,
    /// Number.
    Real,
}

/// Value of a field.
#[derive(Clone, PartialEq, Debug)]
pub enum FieldValue {
    /// Text.
    Text(String),
    /// Number.
    Real(f64),
    /// Nothing is known.
    Missing,
}

/// A row with a shape in CGCS2000 (longitude, latitude), or without one.
#[derive(Clone, PartialEq, Debug)]
pub struct ShapeRow {
    /// The shape.
    pub geometry: Option<Geometry<f64>>,
    /// Values, field by field.
    pub values: Vec<FieldValue>,
}

/// Rows of one layer.
#[derive(Clone, PartialEq, Debug)]
pub struct ShapeTable<'a> {
    /// Name of the layer, where the format has names.
    pub layer: &'a str,
    /// Names and types of the fields.
    pub fields: Vec<(String, FieldKind)>,
    /// The rows.
    pub rows: Vec<ShapeRow>,
    /// What stands in a GeoPackage as its last change, so that the same rows give the same bytes.
    pub as_of: Timestamp,
}

/// A format for rows with a shape.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShapeFormat {
    /// One that patches are exported to as well.
    Export(ExportFormat),
    /// ESRI shapefile with texts in an encoding, which its `.cpg` names.
    Shapefile(TextEncoding),
}

/// Encoding of the texts of a shapefile.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum TextEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// GBK (code page 936), as older desktop programs in China want it.
    Gbk,
}

impl TextEncoding {
    /// The name that GDAL takes, and writes into the `.cpg`.
    const fn gdal(self) -> &'static str {
        match self {
            Self::Utf8 => "ENCODING=UTF-8",
            Self::Gbk => "ENCODING=CP936",
        }
    }
}

impl ShapeFormat {
    /// The format that a file name asks for by its ending; a shapefile has the given encoding.
    #[must_use]
    pub fn of_path(path: &Path, encoding: TextEncoding) -> Option<Self> {
        let is_shapefile = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("shp"));
        if is_shapefile { Some(Self::Shapefile(encoding)) } else { ExportFormat::of_path(path).map(Self::Export) }
    }
}

/// Writes rows; a file that exists is replaced as a whole. GeoJSON is WGS 84 by its standard, everything else CGCS2000
/// (EPSG:4490) with longitude first.
///
/// # Errors
/// The file can't be written. Shapefile: rows of several kinds of shape, a name of a field or a text that is too long for it, a
/// text that its encoding lacks characters for; FlatGeobuf and shapefile: several kinds of shape.
pub fn write_shapes(path: &Path, format: ShapeFormat, table: &ShapeTable<'_>) -> Result<(), ImageryError> {
    match format {
        ShapeFormat::Export(ExportFormat::GeoJson) => geojson(path, table),
        ShapeFormat::Export(ExportFormat::Csv) => csv(path, table),
        ShapeFormat::Export(ExportFormat::GeoPackage) => layer(path, table, "GPKG", &GEOPACKAGE, &[]),
        ShapeFormat::Export(ExportFormat::FlatGeobuf) => layer(path, table, "FlatGeobuf", &["SPATIAL_INDEX=YES"], &[]),
        ShapeFormat::Shapefile(encoding) => {
            fits_shapefile(path, table, encoding)?;
            layer(path, table, "ESRI Shapefile", &[encoding.gdal()], &["dbf", "shx", "prj", "cpg"])
        }
    }
}

const GEOPACKAGE: [&str; 2] = ["SPATIAL_INDEX=YES", "GEOMETRY_NAME=geometry"];

/// Names and texts that a shapefile would cut are refused: a cut code is another code.
fn fits_shapefile(path: &Path, table: &ShapeTable<'_>, encoding: TextEncoding) -> Result<(), ImageryError> {
    let refuse = |problem: String| Err(ImageryError::Vector { path: path.to_owned(), problem });
    let bytes = |text: &str| match encoding {
        TextEncoding::Utf8 => text.len(),
        // two bytes a character beyond ASCII
        TextEncoding::Gbk => text.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum(),
    };
    for (name, _) in &table.fields {
        if bytes(name) > MOST_NAME_BYTES {
            return refuse(format!(
                "the field {name:?} has a name of {} bytes, and a shapefile takes {MOST_NAME_BYTES}: write a GeoPackage",
                bytes(name)
            ));
        }
    }
    for (number, row) in table.rows.iter().enumerate() {
        for ((name, _), value) in table.fields.iter().zip(&row.values) {
            if let FieldValue::Text(text) = value
                && bytes(text) > MOST_TEXT_BYTES
            {
                return refuse(format!(
                    "row {}: {name} holds {} bytes, and a shapefile takes {MOST_TEXT_BYTES}: write a GeoPackage",
                    number + 1,
                    bytes(text)
                ));
            }
        }
    }
    Ok(())
}

/// The kind of shape of a layer: polygons where every row is one, and so on; simpler for whoever reads it.
fn kind_of(rows: &[ShapeRow]) -> OGRwkbGeometryType::Type {
    let kind = |row: &ShapeRow| match &row.geometry {
        Some(Geometry::Polygon(_)) => OGRwkbGeometryType::wkbPolygon,
        Some(Geometry::MultiPolygon(areas)) if areas.0.len() == 1 => OGRwkbGeometryType::wkbPolygon,
        Some(Geometry::MultiPolygon(_)) => OGRwkbGeometryType::wkbMultiPolygon,
        _ => OGRwkbGeometryType::wkbUnknown,
    };
    let mut kinds: Vec<_> = rows.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    match kinds.as_slice() {
        [one] => *one,
        [OGRwkbGeometryType::wkbPolygon, OGRwkbGeometryType::wkbMultiPolygon] => OGRwkbGeometryType::wkbMultiPolygon,
        _ => OGRwkbGeometryType::wkbUnknown,
    }
}

fn layer(
    path: &Path,
    table: &ShapeTable<'_>,
    driver: &str,
    options: &[&str],
    siblings: &[&str],
) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let _clock = FixedClock::at(table.as_of)?;
        let mut file = DriverManager::get_driver_by_name(driver)?.create_vector_only(temporary)?;
        let srs = spatial_ref(Epsg::CGCS2000.into())?;
        let ty = kind_of(&table.rows);
        let settings = LayerOptions { name: table.layer, srs: Some(&srs), ty, options: Some(options) };
        if driver == "GPKG" {
            // one transaction: SQLite would sync after every feature
            let mut transaction = file.start_transaction()?;
            fill(&transaction.create_layer(settings)?, table, ty)?;
            transaction.commit()?;
        } else {
            fill(&file.create_layer(settings)?, table, ty)?;
        }
        finish(file)?;
        // the file of the shapes comes last, and with it all of them are there
        for ending in siblings {
            std::fs::rename(temporary.with_extension(ending), path.with_extension(ending))
                .map_err(|error| ImageryError::io(path, "rename into place", error))?;
        }
        Ok(())
    })
}

fn fill(layer: &Layer<'_>, table: &ShapeTable<'_>, ty: OGRwkbGeometryType::Type) -> Result<(), ImageryError> {
    for (name, kind) in &table.fields {
        let field = match kind {
            FieldKind::Text => FieldDefn::new(name, OGRFieldType::OFTString)?,
            FieldKind::Real => FieldDefn::new(name, OGRFieldType::OFTReal)?,
        };
        field.add_to_layer(layer)?;
    }
    for row in &table.rows {
        let mut feature = Feature::new(layer.defn())?;
        if let Some(geometry) = &row.geometry {
            feature.set_geometry(match geometry {
                Geometry::Polygon(one) => one.orient(Direction::Default).to_gdal()?,
                Geometry::MultiPolygon(many) => match many.orient(Direction::Default).0.as_slice() {
                    [only] if ty == OGRwkbGeometryType::wkbPolygon => only.to_gdal()?,
                    all => MultiPolygon(all.to_vec()).to_gdal()?,
                },
                other => other.to_gdal()?,
            })?;
        }
        for (i, value) in row.values.iter().enumerate() {
            match value {
                FieldValue::Text(text) => feature.set_field_string(i, text)?,
                FieldValue::Real(number) => feature.set_field_double(i, *number)?,
                // an unset field is NULL
                FieldValue::Missing => {}
            }
        }
        feature.create(layer)?;
    }
    Ok(())
}

fn csv(path: &Path, table: &ShapeTable<'_>) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let failed = |error: csv::Error| ImageryError::io(path, "write", error.into());
        let mut file = csv::Writer::from_path(temporary).map_err(failed)?;
        let names = table.fields.iter().map(|(name, _)| guarded(name).into_owned());
        file.write_record(names.chain(["geometry".to_owned()])).map_err(failed)?;
        for row in &table.rows {
            let mut record: Vec<String> = row
                .values
                .iter()
                .map(|value| match value {
                    FieldValue::Text(text) => guarded(text).into_owned(),
                    FieldValue::Real(number) => number.to_string(),
                    FieldValue::Missing => String::new(),
                })
                .collect();
            let shape = row.geometry.as_ref().map(|geometry| geometry.to_gdal()?.wkt()).transpose()?;
            record.push(shape.unwrap_or_default());
            file.write_record(record).map_err(failed)?;
        }
        file.flush().map_err(|error| ImageryError::io(path, "write", error))
    })
}

fn geojson(path: &Path, table: &ShapeTable<'_>) -> Result<(), ImageryError> {
    let to_wgs84 = Transform::new(Epsg::CGCS2000, Epsg::WGS84)?;
    let mut features = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let properties: Map<String, Json> = table
            .fields
            .iter()
            .zip(&row.values)
            .map(|((name, _), value)| {
                let value = match value {
                    FieldValue::Text(text) => Json::from(text.as_str()),
                    FieldValue::Real(number) => Json::from(*number),
                    FieldValue::Missing => Json::Null,
                };
                (name.clone(), value)
            })
            .collect();
        let shape = row.geometry.as_ref().map(|geometry| shape(geometry, &to_wgs84));
        let geometry = shape.transpose()?.unwrap_or(Json::Null);
        features.push(json!({ "type": "Feature", "geometry": geometry, "properties": properties }));
    }
    let text = format!("{:#}\n", json!({ "type": "FeatureCollection", "name": table.layer, "features": features }));
    atomically(path, |temporary| {
        std::fs::write(temporary, text.as_bytes()).map_err(|error| ImageryError::io(path, "write", error))
    })
}

fn shape(geometry: &Geometry<f64>, to_wgs84: &Transform) -> Result<Json, ImageryError> {
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

    fn table(rows: Vec<ShapeRow>) -> ShapeTable<'static> {
        let fields = [("text", FieldKind::Text), ("area", FieldKind::Real), ("height_m", FieldKind::Text)];
        let fields = fields.map(|(name, kind)| (name.to_owned(), kind)).to_vec();
        ShapeTable { layer: "defects", fields, rows, as_of: Timestamp::UNIX_EPOCH }
    }

    fn row(geometry: Option<Geometry<f64>>, area: f64) -> ShapeRow {
        let text = |text: &str| FieldValue::Text(text.to_owned());
        ShapeRow { geometry, values: vec![text("间隙 <script>"), FieldValue::Real(area), text("007")] }
    }

    fn square() -> Geometry<f64> {
        MultiPolygon(vec![Rect::new((108.0, 22.0), (108.1, 22.1)).to_polygon()]).into()
    }

    fn written(name: &str, table: &ShapeTable<'_>, encoding: TextEncoding) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        let format = ShapeFormat::of_path(&path, encoding).expect("a format");
        write_shapes(&path, format, table).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        (folder, path)
    }

    fn read(path: &Path, wanted: Wanted) -> crate::table::Table {
        let source = TableSource {
            may_be_empty: false,
            layer: None,
            assigned_epsg: None,
            encoding: None,
            wanted,
            code_column: None,
            point_columns: None,
        };
        read_table(path, &source).expect("read")
    }

    #[test]
    fn rows_of_any_shape_come_back_with_their_types() {
        let place: Geometry<f64> = point! { x: 108.5, y: 22.5 }.into();
        let table = table(vec![row(Some(square()), 12.5), row(Some(place), 1.0), row(None, 2.0)]);
        for name in ["defects.gpkg", "defects.geojson"] {
            let (_folder, path) = written(name, &table, TextEncoding::Utf8);
            let table = read(&path, Wanted::Nothing);
            let value = |row: usize, field: &str| table.rows[row].values[field].clone();
            assert_eq!(
                ["text", "area", "height_m"].map(|field| value(0, field)),
                ["间隙 <script>", "12.5", "007"],
                "{name}"
            );
            assert_eq!((table.rows.len(), value(2, "area").as_str()), (3, "2"), "{name}");
        }
    }

    #[test]
    fn areas_come_back_from_every_format_and_encoding() {
        let table = table(vec![row(Some(square()), 12.5)]);
        let names = ["n.gpkg", "n.geojson", "n.fgb", "n.shp"];
        let all = names.map(|name| (name, TextEncoding::Utf8)).into_iter().chain([("n.shp", TextEncoding::Gbk)]);
        for (name, encoding) in all {
            let (folder, path) = written(name, &table, encoding);
            let table = read(&path, Wanted::Areas { buffer_m: None });
            assert_eq!(table.rows[0].values["text"], "间隙 <script>", "{name} {encoding:?}");
            let bounds = geo::BoundingRect::bounding_rect(table.rows[0].geometry.as_ref().expect("an area"));
            let west = bounds.expect("bounds").min();
            assert!((west.x - 108.0).abs() < 1e-6 && (west.y - 22.0).abs() < 1e-6, "{name}: longitude first: {west:?}");
            if name == "n.shp" {
                let page = std::fs::read_to_string(path.with_extension("cpg")).expect("the encoding is named");
                assert_eq!(page.trim(), if encoding == TextEncoding::Gbk { "CP936" } else { "UTF-8" });
                assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 5, "nothing is left over");
            }
        }
        let (_folder, path) = written("n.csv", &table, TextEncoding::Utf8);
        let text = std::fs::read_to_string(path).expect("read");
        assert!(
            text.starts_with("text,area,height_m,geometry\n间隙 <script>,12.5,007,\"MULTIPOLYGON (((108"),
            "{text}"
        );
    }

    #[test]
    fn what_a_shapefile_would_cut_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("n.shp");
        let refused = |table: &ShapeTable<'_>| {
            let format = ShapeFormat::Shapefile(TextEncoding::Utf8);
            write_shapes(&path, format, table).expect_err("refused").to_string()
        };
        let mut long = table(vec![row(Some(square()), 1.0)]);
        long.fields[0].0 = "a_long_name_of_a_field".to_owned();
        assert!(refused(&long).contains("a_long_name_of_a_field"));
        let mut long = table(vec![row(Some(square()), 1.0)]);
        long.rows[0].values[0] = FieldValue::Text("岸".repeat(85));
        assert!(refused(&long).contains("255 bytes"));
        assert!(!path.exists() && ShapeFormat::of_path(Path::new("n.txt"), TextEncoding::Utf8).is_none());
    }
}
