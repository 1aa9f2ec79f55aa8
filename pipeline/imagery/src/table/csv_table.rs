//! Tables as CSV: chiefs, departments, registers, and points by two columns.

use std::collections::BTreeMap;
use std::path::Path;

use geo_types::Point;
use shorewatch_domain::crs::Epsg;

use super::{MOST_ROWS, Table, TableRow, TableSource, Wanted, encoding, refused, shapes};
use crate::crs::SourceCrs;
use crate::error::{FeatureFault, ImageryError};
use crate::open::local_file;
use crate::vector::file_name;

pub(super) fn read(path: &Path, source: &TableSource) -> Result<Table, ImageryError> {
    let refused = |problem: String| refused(path, problem);
    let (local, bytes) = local_file(path)?;
    if bytes == 0 {
        return Err(refused("the file is empty (0 bytes)".to_owned()));
    }
    let bytes = std::fs::read(&local).map_err(|error| ImageryError::io(path, "read", error))?;
    let text = encoding::decoded(&bytes, source.encoding.as_deref()).map_err(refused)?;
    // offices export with tabs or semicolons too
    let head = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b'\t', b';'].into_iter().max_by_key(|sign| head.bytes().filter(|c| c == sign).count());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let columns: Vec<String> =
        reader.headers().map_err(|error| refused(error.to_string()))?.iter().map(str::to_owned).collect();
    if let Some(twin) = columns.iter().enumerate().find(|(i, name)| columns[..*i].contains(name)) {
        return Err(refused(format!("the column {:?} stands there twice; rename one of them", twin.1)));
    }
    let points = points(path, source, &columns)?;
    let origin = file_name(path);
    let mut table = Table { origin, columns, rows: Vec::new(), faults: Vec::new() };
    for record in reader.records() {
        let record = record.map_err(|error| refused(format!("no CSV table: {error}")))?;
        let label = format!("line {}", record.position().map_or(0, csv::Position::line));
        if record.iter().all(str::is_empty) {
            continue;
        }
        if table.rows.len() + table.faults.len() >= MOST_ROWS {
            return Err(refused(format!("more than {MOST_ROWS} rows")));
        }
        if record.len() != table.columns.len() {
            let (expected, got) = (table.columns.len(), record.len());
            let problem =
                format!("expected {expected} fields as in the first line, got {got}; is a comma not in quotes?");
            table.faults.push(FeatureFault { feature: label, problem });
            continue;
        }
        let values: BTreeMap<String, String> = (table.columns.iter().cloned())
            .zip(record.iter().map(str::to_owned))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        match points.as_ref().map(|points| points.of(&values)).transpose() {
            Ok(point) => {
                let geometry = point.map(Into::into);
                table.rows.push(TableRow { label, values, geometry, repairs: Vec::new() });
            }
            Err(problem) => table.faults.push(FeatureFault { feature: label, problem }),
        }
    }
    Ok(table)
}

/// How points are made from two columns.
struct Points {
    x: String,
    y: String,
    reader: shapes::Reader,
}

impl Points {
    fn of(&self, values: &BTreeMap<String, String>) -> Result<Point<f64>, String> {
        let number = |column: &str| {
            let value =
                values.get(column).ok_or_else(|| format!("field {column:?} is empty; expected a coordinate"))?;
            value.parse::<f64>().map_err(|_| format!("field {column:?}: expected a number, got {value:?}"))
        };
        self.reader.point(number(&self.x)?, number(&self.y)?)
    }
}

fn points(path: &Path, source: &TableSource, columns: &[String]) -> Result<Option<Points>, ImageryError> {
    match (source.wanted, &source.point_columns) {
        (Wanted::Nothing | Wanted::AreasIfAny, _) => Ok(None),
        (Wanted::Point, Some((x, y))) => {
            if let Some(missing) = [x, y].into_iter().find(|name| !columns.contains(name)) {
                return Err(refused(path, format!("no column {missing:?}; it has {}", columns.join(", "))));
            }
            let epsg = source.assigned_epsg.ok_or_else(|| {
                let next = "assign one, for example assigned_epsg = 4490; coordinates from map services may be shifted (GCJ-02)";
                refused(path, format!("a CSV table has no coordinate reference system; {next}"))
            })?;
            let reader = shapes::Reader::new(&SourceCrs::from_epsg(Epsg(epsg))?, source.wanted)?;
            Ok(Some(Points { x: x.clone(), y: y.clone(), reader }))
        }
        (Wanted::Point, None) => {
            Err(refused(path, "the columns of the coordinates are not named; name longitude and latitude".to_owned()))
        }
        (Wanted::Areas { .. } | Wanted::Line, _) => {
            Err(refused(path, "a CSV table has no lines or polygons; give a vector file".to_owned()))
        }
    }
}
