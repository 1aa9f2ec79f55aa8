//! Any vector file or CSV table as rows of texts with a shape in CGCS2000: what layers are made of.
//!
//! Nothing is guessed: the reference system stands in the file or is assigned, the encoding is that of the file or is named.
//! What is invalid is repaired by GEOS and says so; what can't be used is a fault of its row, and all of them come at once.

mod csv_table;
mod digest;
mod encoding;
mod shapes;

use std::collections::BTreeMap;
use std::path::Path;

use gdal::vector::{Layer, LayerAccess};
use geo_types::Geometry;

use crate::error::{FeatureFault, ImageryError};
use crate::vector::{file_name, open_vector, pick_layer, reference_system, text};

pub use digest::digest_of;

/// More rows than this are refused: a table of that size is no layer of an office.
const MOST_ROWS: usize = 3_000_000;
/// A shape of more corners is refused before it is taken apart.
const MOST_CORNERS: usize = 20_000_000;

/// Shape that rows are to have.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Wanted {
    /// Polygons; lines are widened by so many metres on each side, where that is given.
    Areas {
        /// Half width for lines in metres.
        buffer_m: Option<f64>,
    },
    /// Polygons, or nothing.
    AreasIfAny,
    /// One line.
    Line,
    /// One point.
    Point,
    /// No shape; one that is there is not looked at.
    Nothing,
}

/// Where the rows are, and how they are to be read.
#[derive(Clone, PartialEq, Debug)]
pub struct TableSource {
    /// Layer; needed only where the file has several.
    pub layer: Option<String>,
    /// Reference system for a file that has none.
    pub assigned_epsg: Option<u32>,
    /// Encoding of the texts (`GBK`), where the file does not say it, or says it wrongly.
    pub encoding: Option<String>,
    /// Shape.
    pub wanted: Wanted,
    /// Column whose text helps a person to find a faulty row.
    pub code_column: Option<String>,
    /// Columns of a CSV table with longitude (or easting) and latitude (or northing), for points.
    pub point_columns: Option<(String, String)>,
    /// Whether a table without rows is meant.
    pub may_be_empty: bool,
}

/// A row.
#[derive(Clone, PartialEq, Debug)]
pub struct TableRow {
    /// How a person finds it ("feature 7, fid 6", "line 8").
    pub label: String,
    /// Texts by column, without empty ones and without blanks around them.
    pub values: BTreeMap<String, String>,
    /// Shape in CGCS2000 (longitude, latitude).
    pub geometry: Option<Geometry<f64>>,
    /// What was repaired, in words.
    pub repairs: Vec<String>,
}

/// Everything that a file holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// File (name only) and layer.
    pub origin: String,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Rows that can be used, in the order of the file.
    pub rows: Vec<TableRow>,
    /// Rows that can't, each with its reason.
    pub faults: Vec<FeatureFault>,
}

/// Reads a table. Faulty rows are in [`Table::faults`]; whoever imports takes all of a table or nothing.
///
/// # Errors
/// The file, its layer or its reference system is missing or can't be read; it has no rows where that is not meant, or too many.
pub fn read_table(path: &Path, source: &TableSource) -> Result<Table, ImageryError> {
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let table = if is_csv { csv_table::read(path, source)? } else { read_layer(path, source)? };
    if table.rows.is_empty() && table.faults.is_empty() && !source.may_be_empty {
        return Err(refused(path, format!("{} has no rows; expected at least one", table.origin)));
    }
    Ok(table)
}

fn refused(path: &Path, problem: String) -> ImageryError {
    ImageryError::Vector { path: path.to_owned(), problem }
}

fn read_layer(path: &Path, source: &TableSource) -> Result<Table, ImageryError> {
    let dataset = open_vector(path, source.encoding.as_deref())?;
    let mut layer = pick_layer(&dataset, source.layer.as_deref()).map_err(|problem| refused(path, problem))?;
    let count = layer.feature_count() as usize;
    if count > MOST_ROWS {
        return Err(refused(path, format!("layer {} has {count} features; the limit is {MOST_ROWS}", layer.name())));
    }
    let columns: Vec<String> = layer.defn().fields().map(|field| field.name()).collect();
    let reader = match source.wanted {
        Wanted::Nothing => None,
        // a register without shapes has no reference system either
        Wanted::AreasIfAny if layer.spatial_ref().is_none() && source.assigned_epsg.is_none() => None,
        wanted => Some(shapes::Reader::new(&reference_system(path, &layer, source.assigned_epsg)?, wanted)?),
    };
    let origin = format!("{}, layer {}", file_name(path), layer.name());
    let mut table = Table { origin, columns, rows: Vec::new(), faults: Vec::new() };
    let read = rows_of(&mut layer, source, reader.as_ref(), &mut table);
    // GDAL ends a layer that it can't read any further as if it were over
    if read < count {
        let problem = format!("layer {} has {count} features, and only {read} could be read", layer.name());
        return Err(refused(path, problem));
    }
    Ok(table)
}

/// Reads the features of a layer to rows and faults; returns how many there were.
fn rows_of(layer: &mut Layer<'_>, source: &TableSource, reader: Option<&shapes::Reader>, table: &mut Table) -> usize {
    let mut read = 0;
    for (number, feature) in layer.features().enumerate() {
        read = number + 1;
        let fid = feature.fid().map_or_else(String::new, |fid| format!(", fid {fid}"));
        let label = format!("feature {}{fid}", number + 1);
        let values: BTreeMap<String, String> = table
            .columns
            .iter()
            .enumerate()
            .filter_map(|(column, name)| Some((name.clone(), text(&feature, column)?)))
            .collect();
        let mut repairs = Vec::new();
        let shape = match reader {
            None => Ok(None),
            Some(reader) => reader.shape(feature.geometry(), &mut repairs),
        };
        let garbled = encoding::garbled(&values, source.encoding.as_deref());
        match (shape, garbled) {
            (Ok(geometry), None) => table.rows.push(TableRow { label, values, geometry, repairs }),
            (shape, garbled) => {
                let problems = shape.err().into_iter().chain(garbled);
                let code = source.code_column.as_ref().and_then(|column| values.get(column));
                let feature = code.map_or_else(|| label.clone(), |code| format!("{label} (code {code:?})"));
                table.faults.extend(problems.map(|problem| FeatureFault { feature: feature.clone(), problem }));
            }
        }
    }
    read
}

#[cfg(test)]
mod tests;
