//! The layers of a made-up office beside a painted scene: GeoJSON and CSV, as an office would deliver them.

use std::path::Path;

use geo_types::{Coord, LineString};
use serde_json::{Map, Value, json};

use shorewatch_domain::grid::Grid;
use shorewatch_imagery::crs::Transform;
use shorewatch_synth::Series;
use shorewatch_synth::sample_layers::{SampleLayer, SampleRow, SampleShape, sample_layers};

use super::{geometry, write_collection, write_whole};
use crate::failure::Failure;

/// What stands beside the files.
const NOTE: &str =
    "Made up by `shorewatch synth` for a painted scene: no place, person, permit or number in these files is real.\n";

/// Writes every layer to `layers/` in the folder of a scene; returns how many there are.
///
/// # Errors
/// The folder can't be written to.
pub(super) fn write(folder: &Path, series: &Series, grid: &Grid, to_wgs84: &Transform) -> Result<usize, Failure> {
    let folder = folder.join("layers");
    let layers = sample_layers(series);
    for layer in &layers {
        if layer.rows.iter().all(|row| row.shape.is_none()) {
            write_whole(&folder.join(format!("{}.csv", layer.name)), table(layer).as_bytes())?;
        } else {
            let features = layer.rows.iter().map(|row| feature(row, grid, to_wgs84)).collect::<Result<Vec<_>, _>>()?;
            write_collection(&folder.join(format!("{}.geojson", layer.name)), &features)?;
        }
    }
    write_whole(&folder.join("README.txt"), NOTE.as_bytes())?;
    Ok(layers.len())
}

fn feature(row: &SampleRow, grid: &Grid, to_wgs84: &Transform) -> Result<Value, Failure> {
    let place = |at: &Coord<f64>| -> Result<[f64; 2], Failure> {
        let (x, y) = grid.to_projected(at.x, at.y);
        let (longitude, latitude) = to_wgs84.point(x, y)?;
        Ok([longitude, latitude])
    };
    let shape = match &row.shape {
        Some(SampleShape::Area(polygon)) => geometry(polygon, grid, to_wgs84)?,
        Some(SampleShape::Line(LineString(line))) => {
            let places = line.iter().map(place).collect::<Result<Vec<_>, _>>()?;
            json!({ "type": "LineString", "coordinates": places })
        }
        Some(SampleShape::Point(at)) => json!({ "type": "Point", "coordinates": place(at)? }),
        None => Value::Null,
    };
    let properties: Map<String, Value> =
        row.values.iter().map(|(column, value)| ((*column).to_owned(), json!(value))).collect();
    Ok(json!({ "type": "Feature", "properties": properties, "geometry": shape }))
}

/// RFC 4180, in UTF-8 with a byte order mark, so that spreadsheets read it.
fn table(layer: &SampleLayer) -> String {
    let quoted = |text: &str| {
        if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
    };
    let line = |cells: Vec<String>| format!("{}\r\n", cells.join(","));
    let columns = layer.rows.first().map(|row| row.values.iter().map(|(column, _)| quoted(column)).collect());
    let mut text = format!("\u{FEFF}{}", line(columns.unwrap_or_default()));
    for row in &layer.rows {
        text.push_str(&line(row.values.iter().map(|(_, value)| quoted(value)).collect()));
    }
    text
}
