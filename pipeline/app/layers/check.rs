//! Defects of the layers in force, and as a layer of their own.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;

use shorewatch_domain::law::record::LayerContent;
use shorewatch_imagery::export::ExportFormat;
use shorewatch_imagery::export::shapes::{FieldKind, FieldValue, ShapeFormat, ShapeRow, ShapeTable, write_shapes};
use shorewatch_law::defects::{Defect, Inputs, defects, sort};
use shorewatch_report::rounded;
use shorewatch_store::Store;

use super::seen_water::{Imagery, against_imagery};
use crate::configuration::RunSettings;
use crate::failure::Failure;

/// Every defect of what is in force, by the layers alone and against what passes saw.
///
/// # Errors
/// The store can't be read.
pub fn defects_in_force(settings: &RunSettings, store: &Store, day: Date) -> Result<(Vec<Defect>, Imagery), Failure> {
    let all = store.layers_in_force()?;
    let has_chiefs = all.versions.keys().any(|layer| LayerContent::of_layer(layer) == Some(LayerContent::Chief));
    let mut found = defects(&Inputs {
        features: &all.features,
        waters: &all.waters,
        stray_kilometre_points: &all.stray_kilometre_points,
        chiefs: has_chiefs.then_some(all.chiefs.as_slice()),
        day,
    });
    let (seen, imagery) = against_imagery(settings, store, &all.features)?;
    found.extend(seen);
    sort(&mut found);
    Ok((found, imagery))
}

/// Writes defects as a layer, by the ending of the file (`.gpkg`, `.geojson`). Those without a place are rows without one.
///
/// # Errors
/// Another ending, or the file can't be written.
pub fn write(file: &Path, defects: &[Defect]) -> Result<(), Failure> {
    let format = match ExportFormat::of_path(file) {
        Some(format @ (ExportFormat::GeoPackage | ExportFormat::GeoJson)) => ShapeFormat::Export(format),
        // defects have shapes of several kinds
        _ => {
            return Err(Failure::usage(format!(
                "{}: the name must end in .gpkg or .geojson; rename it",
                file.display()
            )));
        }
    };
    let text = |value: &str| FieldValue::Text(value.to_owned());
    let number = |value: Option<f64>, decimals| {
        value.map_or(FieldValue::Missing, |value| FieldValue::Real(rounded(value, decimals)))
    };
    let rows = defects
        .iter()
        .map(|defect| ShapeRow {
            geometry: defect.geometry.clone(),
            values: vec![
                text(defect.kind.name()),
                text(&defect.layer),
                text(&defect.codes.join(", ")),
                text(&defect.text),
                number(defect.area_m2, 2),
                number(defect.length_m, 1),
            ],
        })
        .collect();
    let (text, real) = (FieldKind::Text, FieldKind::Real);
    let fields =
        [("kind", text), ("layer", text), ("codes", text), ("text", text), ("area_m2", real), ("length_m", real)];
    let fields = fields.map(|(name, kind)| (name.to_owned(), kind)).to_vec();
    let table = ShapeTable { layer: "defects", fields, rows, as_of: Timestamp::UNIX_EPOCH };
    Ok(write_shapes(file, format, &table)?)
}
