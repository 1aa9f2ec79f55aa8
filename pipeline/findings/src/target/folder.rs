//! A drop folder for offices without an interface: batches as CSV, GeoJSON and GeoPackage, written as a whole or not at all, and
//! acknowledgements read back.
//!
//! A batch is `NAME.geojson`, `NAME.gpkg`, `NAME.csv` and, last, `NAME.ready`. Acknowledgements are CSV files in the sub-folder
//! `acknowledgements` with the columns finding_id, state, outcome, note, reported_at; a file that was read goes to
//! `acknowledgements/read`; what of it could not be taken is told in `NAME.reply.txt` beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use geo_types::Geometry;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::finding::IssueState;
use shorewatch_imagery::export::ExportFormat;
use shorewatch_imagery::export::shapes::{FieldKind, FieldValue, ShapeFormat, ShapeRow, ShapeTable, write_shapes};
use shorewatch_store::outbox::issues::IssueReport;

use crate::FindingsError;
use crate::event::CloudEvent;
use crate::event::geometry::Cgcs2000;

/// Columns of the CSV file.
const COLUMNS: [&str; 21] = [
    "event_id",
    "type",
    "time",
    "finding_id",
    "revision",
    "standing",
    "title",
    "number",
    "issue_class",
    "severity",
    "object_class",
    "area_m2",
    "longitude",
    "latitude",
    "river_name",
    "reach_name",
    "adcd",
    "lead_department",
    "deadline",
    "pre_date",
    "post_date",
];

/// Those of [`COLUMNS`] that hold numbers.
const NUMBERS: [&str; 4] = ["revision", "area_m2", "longitude", "latitude"];

/// Writes a batch; the same name again replaces it.
pub(crate) fn write_batch(folder: &Path, name: &str, events: &[CloudEvent]) -> Result<(), FindingsError> {
    let features: Vec<Value> = events.iter().map(feature).collect();
    let collection = json!({ "type": "FeatureCollection", "name": name, "features": features });
    put(&folder.join(format!("{name}.geojson")), format!("{collection}\n").as_bytes())?;
    geopackage(&folder.join(format!("{name}.gpkg")), events)?;
    put(&folder.join(format!("{name}.csv")), &table(events))?;
    put(&folder.join(format!("{name}.ready")), format!("{}\n", events.len()).as_bytes())
}

/// The layer `findings`, in CGCS2000, with the columns of the CSV file; beside its place until it is whole.
fn geopackage(path: &Path, events: &[CloudEvent]) -> Result<(), FindingsError> {
    let rows = events.iter().map(|event| ShapeRow {
        geometry: event.data.cgcs2000.as_ref().and_then(Cgcs2000::outline).map(Geometry::Polygon),
        values: cells(event).iter().map(field_value).collect(),
    });
    let kind = |name| if NUMBERS.contains(&name) { FieldKind::Real } else { FieldKind::Text };
    let table = ShapeTable {
        layer: "findings",
        fields: COLUMNS.iter().map(|name| ((*name).to_owned(), kind(*name))).collect(),
        rows: rows.collect(),
        as_of: events.iter().map(|event| event.time).max().unwrap_or_default(),
    };
    write_shapes(path, ShapeFormat::Export(ExportFormat::GeoPackage), &table).map_err(|fault| FindingsError::Io {
        path: path.to_path_buf(),
        during: "write",
        source: io::Error::other(fault),
    })
}

fn field_value(value: &Value) -> FieldValue {
    match (value.as_f64(), text(value)) {
        (Some(number), _) => FieldValue::Real(number),
        (None, Some(text)) => FieldValue::Text(text),
        (None, None) => FieldValue::Missing,
    }
}

fn feature(event: &CloudEvent) -> Value {
    let mut properties = serde_json::to_value(event).unwrap_or_default();
    let geometry = properties["data"]["geometry"].take();
    if let Some(data) = properties["data"].as_object_mut() {
        data.remove("geometry");
        for picture in data.get_mut("pictures").and_then(Value::as_array_mut).into_iter().flatten() {
            picture.as_object_mut().map(|picture| picture.remove("base64"));
        }
    }
    json!({ "type": "Feature", "id": event.id, "geometry": geometry, "properties": properties })
}

fn table(events: &[CloudEvent]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // writing to memory does not fail
    let _ = writer.write_record(COLUMNS);
    for event in events {
        let _ = writer.write_record(cells(event).map(|value| guarded(text(&value).unwrap_or_default())));
    }
    writer.into_inner().unwrap_or_default()
}

/// What a message has for each of [`COLUMNS`].
fn cells(event: &CloudEvent) -> [Value; COLUMNS.len()] {
    let value = serde_json::to_value(event).unwrap_or_default();
    let data = &value["data"];
    let centre = |number: usize| data["cgcs2000"]["centre"][number].clone();
    COLUMNS.map(|name| match name {
        "event_id" => value["id"].clone(),
        "type" | "time" => value[name].clone(),
        "longitude" => centre(0),
        "latitude" => centre(1),
        "number" | "issue_class" | "severity" | "river_name" | "adcd" => data["ledger"][name].clone(),
        "object_class" | "area_m2" | "reach_name" | "pre_date" | "post_date" => data["seen"][name].clone(),
        "lead_department" | "deadline" => data["responsible"][name].clone(),
        _ => data[name].clone(),
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A spreadsheet takes a text that begins so for a formula; a number, also one below zero, is none.
fn guarded(text: String) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if is_formula { format!("'{text}") } else { text }
}

/// Writes beside the place, waits for the disk, and moves it there.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), FindingsError> {
    let failed = |source| FindingsError::Io { path: path.to_path_buf(), during: "write", source };
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let written = File::create(&part).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&part, path)).map_err(failed)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder).and_then(|folder| folder.sync_all())).map_err(failed)
}

#[derive(Deserialize)]
struct Line {
    finding_id: String,
    state: String,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    reported_at: Option<String>,
}

/// An acknowledgement that was read, or a line that is none.
type Read = Result<IssueReport, String>;

/// Files of acknowledgements that are there, oldest name first, with what they say.
pub(crate) fn acknowledgements(folder: &Path, target: &str) -> Result<Vec<(PathBuf, Vec<Read>)>, FindingsError> {
    let inbox = folder.join("acknowledgements");
    let failed = |source| FindingsError::Io { path: inbox.clone(), during: "read", source };
    let entries = match fs::read_dir(&inbox) {
        Ok(entries) => entries,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(fault) => return Err(failed(fault)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            files.push(path);
        }
    }
    files.sort();
    files.into_iter().map(|path| read_file(&path, target).map(|lines| (path, lines))).collect()
}

fn read_file(path: &Path, target: &str) -> Result<Vec<Read>, FindingsError> {
    let failed = |source| FindingsError::Io { path: path.to_path_buf(), during: "read", source };
    let bytes = fs::read(path).map_err(failed)?;
    let written = fs::metadata(path).and_then(|about| about.modified()).map_err(failed)?;
    let written = Timestamp::try_from(written).unwrap_or(Timestamp::UNIX_EPOCH);
    // spreadsheets put a mark in front
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let report = |(number, line): (usize, csv::Result<Line>)| -> Read {
        let place = format!("{name} line {}", number + 2);
        let line = line.map_err(|fault| format!("{place}: {fault}"))?;
        let state =
            IssueState::from_name(&line.state).ok_or_else(|| format!("{place}: state {:?} is none", line.state))?;
        let given = line.reported_at.as_deref().filter(|text| !text.is_empty());
        let reported_at = match given {
            Some(text) => text.parse().map_err(|fault| format!("{place}: reported_at {text:?}: {fault}"))?,
            None => written,
        };
        let identity = format!("{}|{}|{reported_at}|{:?}", line.finding_id, line.state, line.outcome);
        Ok(IssueReport {
            report_id: format!("file-{}", &Digest::of_bytes(identity.as_bytes()).to_string()[..24]),
            target: target.to_owned(),
            finding_id: Some(line.finding_id),
            external_id: None,
            state,
            outcome: line.outcome.filter(|text| !text.is_empty()),
            note: line.note.filter(|text| !text.is_empty()),
            reported_at,
        })
    };
    Ok(reader.deserialize().enumerate().map(report).collect())
}

/// Puts a file aside that was read.
pub(crate) fn put_aside(path: &Path) -> Result<(), FindingsError> {
    let failed = |source| FindingsError::Io { path: path.to_path_buf(), during: "put aside", source };
    let folder = path.parent().unwrap_or(Path::new("")).join("read");
    fs::create_dir_all(&folder).map_err(failed)?;
    // an office that names every file alike loses none of them; this worker alone puts files here
    let named = |number: u32| match number {
        0 => folder.join(path.file_name().unwrap_or_default()),
        _ => {
            let of = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
            folder.join(format!("{}-{number}.{}", of(path.file_stem()), of(path.extension())))
        }
    };
    let free = (0..).map(named).find(|place| !place.exists()).unwrap_or_else(|| named(0));
    fs::rename(path, free).map_err(failed)
}

/// Tells the office which lines of its file were not taken, in a file beside it: `NAME.reply.txt`. Without faults there is none,
/// and one of an earlier file of that name goes.
pub(crate) fn reply(path: &Path, faults: &[String]) -> Result<(), FindingsError> {
    let reply = path.with_extension("reply.txt");
    if faults.is_empty() {
        return match fs::remove_file(&reply) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                Err(FindingsError::Io { path: reply, during: "remove", source: fault })
            }
            _ => Ok(()),
        };
    }
    let states: Vec<_> = IssueState::ALL.iter().map(|state| state.name()).collect();
    let text = format!(
        "Not taken (the other lines were):\n{}\n\nColumns: finding_id, state, outcome, note, reported_at.\nstate is one of {}; \
         reported_at is like 2024-06-30T08:00:00Z, or empty.\nCorrect these lines and put them here in a new file.\n",
        faults.join("\n"),
        states.join(", ")
    );
    put(&reply, text.as_bytes())
}
