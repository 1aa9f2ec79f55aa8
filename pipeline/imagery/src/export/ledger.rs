//! A ledger as a GeoPackage: outlines in CGCS2000 (EPSG:4490; GeoPackage stores longitude, latitude) with the caller's fields.

use std::path::Path;

use gdal::DriverManager;
use gdal::vector::{Feature, FieldDefn, LayerAccess, LayerOptions, OGRFieldType, OGRwkbGeometryType, ToGdal};
use geo::{Orient, orient::Direction};
use geo_types::MultiPolygon;
use jiff::Timestamp;
use shorewatch_domain::crs::Epsg;

use super::FixedClock;
use crate::crs::spatial_ref;
use crate::error::ImageryError;
use crate::write::{atomically, finish};

/// Name of the layer of a ledger.
pub const LEDGER_LAYER: &str = "ledger";

/// Type of a field of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LedgerKind {
    /// Text.
    Text,
    /// Number.
    Real,
}

/// Value of a field of a ledger.
#[derive(Clone, PartialEq, Debug)]
pub enum LedgerValue {
    /// Text.
    Text(String),
    /// Number.
    Real(f64),
    /// Nothing is known.
    Missing,
}

/// Writes a ledger to a file; one that exists is replaced as a whole. `as_of` stands in the file as its last change, so that the
/// same ledger gives the same bytes.
///
/// # Errors
/// The folder can't be written to or the disk is full: nothing is published under `path` then.
pub fn export_ledger(
    path: &Path,
    fields: &[(String, LedgerKind)],
    rows: &[(MultiPolygon<f64>, Vec<LedgerValue>)],
    as_of: Timestamp,
) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let _clock = FixedClock::at(as_of)?;
        let mut file = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(temporary)?;
        let srs = spatial_ref(Epsg::CGCS2000.into())?;
        // one polygon a row where that is enough: simpler for whoever reads it
        let single = rows.iter().all(|(outline, _)| outline.0.len() == 1);
        let kind = if single { OGRwkbGeometryType::wkbPolygon } else { OGRwkbGeometryType::wkbMultiPolygon };
        let options = ["SPATIAL_INDEX=YES", "GEOMETRY_NAME=geometry"];
        let settings = LayerOptions { name: LEDGER_LAYER, srs: Some(&srs), ty: kind, options: Some(&options) };
        let mut transaction = file.start_transaction()?;
        {
            let layer = transaction.create_layer(settings)?;
            for (name, kind) in fields {
                let ogr = match kind {
                    LedgerKind::Text => OGRFieldType::OFTString,
                    LedgerKind::Real => OGRFieldType::OFTReal,
                };
                FieldDefn::new(name, ogr)?.add_to_layer(&layer)?;
            }
            for (outline, values) in rows {
                let mut feature = Feature::new(layer.defn())?;
                let outline = outline.orient(Direction::Default);
                feature.set_geometry(match outline.0.as_slice() {
                    [only] if single => only.to_gdal()?,
                    _ => outline.to_gdal()?,
                })?;
                for (i, value) in values.iter().enumerate() {
                    match value {
                        LedgerValue::Text(text) => feature.set_field_string(i, text)?,
                        LedgerValue::Real(number) => feature.set_field_double(i, *number)?,
                        LedgerValue::Missing => {}
                    }
                }
                feature.create(&layer)?;
            }
        }
        transaction.commit()?;
        finish(file)
    })
}
