//! Defects of the layers in force, as text and as a layer of their own.

use std::path::Path;

use jiff::civil::Date;

use shorewatch_domain::law::record::LayerContent;
use shorewatch_imagery::export::shapes::{ShapeRow, write_shapes};
use shorewatch_law::defects::{Defect, Inputs, defects};
use shorewatch_store::Store;

use crate::failure::Failure;

/// Every defect of what is in force.
///
/// # Errors
/// The store can't be read.
pub fn defects_in_force(store: &Store, day: Date) -> Result<Vec<Defect>, Failure> {
    let all = store.layers_in_force()?;
    let has_chiefs = all.versions.keys().any(|layer| layer.split('/').next() == Some(LayerContent::Chief.name()));
    Ok(defects(&Inputs {
        features: &all.features,
        waters: &all.waters,
        stray_kilometre_points: &all.stray_kilometre_points,
        chiefs: has_chiefs.then_some(all.chiefs.as_slice()),
        day,
    }))
}

/// Writes defects as a layer, by the ending of the file (`.gpkg`, `.geojson`). Those without a place are rows without one.
///
/// # Errors
/// Another ending, or the file can't be written.
pub fn write(file: &Path, defects: &[Defect]) -> Result<(), Failure> {
    let text = |value: &str| Some(value.to_owned());
    let number = |value: Option<f64>, digits: usize| value.map(|value| format!("{value:.digits$}"));
    let rows: Vec<ShapeRow<'_>> = defects
        .iter()
        .map(|defect| ShapeRow {
            geometry: defect.geometry.as_ref(),
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
    Ok(write_shapes(file, "defects", &["kind", "layer", "codes", "text", "area_m2", "length_m"], &rows)?)
}
