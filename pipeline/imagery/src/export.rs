//! Patches as GeoJSON, GeoPackage, FlatGeobuf and CSV, written whole or not at all.
//!
//! Every format carries every field of a [`Patch`] under the same name: dates in RFC 3339, digests in hexadecimal, the
//! centre as `centre_longitude` and `centre_latitude`. GeoPackage, FlatGeobuf and CSV keep the outline in CGCS2000
//! (EPSG:4490); GeoJSON is WGS 84 by its standard.

mod fields;
mod json;
pub mod shapes;
mod table;

use std::path::Path;

use gdal::DriverManager;
use gdal::config::{clear_thread_local_config_option, set_thread_local_config_option};
use gdal::vector::{Feature, FieldDefn, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType, ToGdal};
use geo::{Orient, orient::Direction};
use jiff::Timestamp;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::law::assessment::Assessment;
use shorewatch_domain::patch::Patch;

use crate::crs::spatial_ref;
use crate::error::ImageryError;
use crate::write::{atomically, finish};
use fields::{ASSESSED_FIELDS, FIELDS, Kind, Value, assessed_values, values};

/// Name of the layer in GeoPackage and FlatGeobuf.
pub const LAYER: &str = "patches";

/// A format to export to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportFormat {
    /// RFC 7946: longitude and latitude in WGS 84, right-hand rule, bounding boxes.
    GeoJson,
    /// OGC GeoPackage, one layer [`LAYER`].
    GeoPackage,
    /// FlatGeobuf with a spatial index, one layer [`LAYER`].
    FlatGeobuf,
    /// Comma-separated values (RFC 4180), the outline as WKT in the column `geometry`.
    Csv,
}

impl ExportFormat {
    /// Every format with the ending of its files.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::GeoJson, "geojson"), (Self::GeoPackage, "gpkg"), (Self::FlatGeobuf, "fgb"), (Self::Csv, "csv")];

    /// The format that a file name asks for by its ending (`.json` is GeoJSON).
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        let ending = if ending == "json" { "geojson" } else { &ending };
        Self::ALL.iter().find(|(_, own)| *own == ending).map(|(format, _)| *format)
    }
}

/// Writes patches to a file; one that exists is replaced as a whole.
///
/// # Errors
/// The folder can't be written to or the disk is full: nothing is published under `path` then. GeoJSON: an outline that
/// can't be brought to WGS 84.
pub fn export(path: &Path, format: ExportFormat, patches: &[Patch]) -> Result<(), ImageryError> {
    let rows = patches.iter().map(|patch| Row { patch, values: values(patch).into() }).collect();
    write(path, format, &Rows { fields: FIELDS.to_vec(), rows })
}

/// Writes patches with what layers and rules say of each; the fields of an assessment are empty for a patch that has none. For the
/// public, names of officials and permits are left out.
///
/// # Errors
/// As [`export`].
pub fn export_assessed(
    path: &Path,
    format: ExportFormat,
    patches: &[(Patch, Option<Assessment>)],
    public: bool,
) -> Result<(), ImageryError> {
    let told = ASSESSED_FIELDS.into_iter().filter(|(_, _, personal)| !(public && *personal));
    let fields = FIELDS.into_iter().chain(told.map(|(name, kind, _)| (name, kind))).collect();
    let rows = patches
        .iter()
        .map(|(patch, assessment)| Row {
            patch,
            values: values(patch)
                .into_iter()
                .chain(
                    ASSESSED_FIELDS
                        .iter()
                        .zip(assessed_values(assessment.as_ref()))
                        .filter(|((_, _, personal), _)| !(public && *personal))
                        .map(|(_, value)| value),
                )
                .collect(),
        })
        .collect();
    write(path, format, &Rows { fields, rows })
}

/// What is exported: the same fields of every patch.
struct Rows<'a> {
    fields: Vec<(&'static str, Kind)>,
    rows: Vec<Row<'a>>,
}

/// A patch with its values in the order of the fields.
struct Row<'a> {
    patch: &'a Patch,
    values: Vec<Value>,
}

fn write(path: &Path, format: ExportFormat, rows: &Rows<'_>) -> Result<(), ImageryError> {
    match format {
        ExportFormat::GeoJson => json::write(path, rows),
        ExportFormat::Csv => table::write(path, rows),
        ExportFormat::GeoPackage => layer(path, rows, "GPKG", &["SPATIAL_INDEX=YES", "GEOMETRY_NAME=geometry"]),
        ExportFormat::FlatGeobuf => layer(path, rows, "FlatGeobuf", &["SPATIAL_INDEX=YES"]),
    }
}

fn layer(path: &Path, rows: &Rows<'_>, driver: &str, options: &[&str]) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let _clock = FixedClock::at(rows.rows.iter().map(|row| row.patch.post_date).max().unwrap_or_default())?;
        let mut file = DriverManager::get_driver_by_name(driver)?.create_vector_only(temporary)?;
        let srs = spatial_ref(Epsg::CGCS2000.into())?;
        let settings =
            LayerOptions { name: LAYER, srs: Some(&srs), ty: OGRwkbGeometryType::wkbPolygon, options: Some(options) };
        if driver == "GPKG" {
            // one transaction: SQLite would sync after every feature
            let mut transaction = file.start_transaction()?;
            fill(&mut transaction.create_layer(settings)?, rows)?;
            transaction.commit()?;
        } else {
            fill(&mut file.create_layer(settings)?, rows)?;
        }
        finish(file)
    })
}

fn fill(layer: &mut gdal::vector::Layer<'_>, rows: &Rows<'_>) -> Result<(), ImageryError> {
    for (name, kind) in &rows.fields {
        let ogr = match kind {
            Kind::Text => OGRFieldType::OFTString,
            Kind::Real => OGRFieldType::OFTReal,
            Kind::Integer => OGRFieldType::OFTInteger64,
            Kind::Time => OGRFieldType::OFTDateTime,
        };
        FieldDefn::new(name, ogr)?.add_to_layer(layer)?;
    }
    for row in &rows.rows {
        let mut feature = Feature::new(layer.defn())?;
        feature.set_geometry(row.patch.geometry.orient(Direction::Default).to_gdal()?)?;
        for (i, value) in row.values.iter().enumerate() {
            match value {
                Value::Text(text) => feature.set_field_string(i, text)?,
                Value::Real(number) => feature.set_field_double(i, *number)?,
                Value::Integer(number) => feature.set_field_integer64(i, *number)?,
                // OGR reads RFC 3339 into its own date and time
                Value::Time(time) => feature.set_field_string(i, &time.to_string())?,
                // an unset field is NULL
                Value::Missing => {}
            }
        }
        feature.create(layer)?;
    }
    Ok(())
}

/// The clock that a GeoPackage records as its last change: the latest pass, so that the same patches give the same bytes.
struct FixedClock;

impl FixedClock {
    const OPTION: &'static str = "OGR_CURRENT_DATE";

    fn at(time: Timestamp) -> Result<Self, ImageryError> {
        set_thread_local_config_option(Self::OPTION, &time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())?;
        Ok(Self)
    }
}

impl Drop for FixedClock {
    fn drop(&mut self) {
        if let Err(error) = clear_thread_local_config_option(Self::OPTION) {
            tracing::debug!(%error, "cannot clear a GDAL option");
        }
    }
}

#[cfg(test)]
mod tests;
