//! A file becomes a version of a layer, whole or not at all.

use std::collections::BTreeMap;

use geo::BoundingRect;
use geo_types::{Geometry, Rect};
use jiff::Timestamp;
use serde::Serialize;

use shorewatch_domain::digest::DigestBuilder;
use shorewatch_domain::law::record::{LayerContent, Record};
use shorewatch_domain::reach::Reach;
use shorewatch_imagery::table::{Table, TableSource, Wanted, digest_of, read_table};
use shorewatch_law::diff::{Changes, changes};
use shorewatch_law::ellipsoid;
use shorewatch_law::validate::{RowFault, SourceRow, records_of};
use shorewatch_store::{LayerImport, NewLayer, Store};

use crate::configuration::{LayerSettings, RunSettings};
use crate::failure::{ExitCode, Failure};

/// Raised where rows are read otherwise than before, so that files are read anew.
const READING_VERSION: &str = "1";
/// A layer farther than this from every managed reach, in metres, is in the wrong system or of another place.
const FAR_M: f64 = 200_000.0;

/// What became of a layer.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// Its name.
    pub layer: String,
    /// The version in force.
    pub version: u32,
    /// Whether it is new.
    pub is_new: bool,
    /// Number of rows.
    pub rows: usize,
    /// What the version changed.
    pub changes: Changes,
    /// What was repaired.
    pub repairs: Vec<String>,
}

/// Imports every layer of the configuration; returns what stood in the way, layer by layer. A faulty layer is no error: its
/// earlier version stays in force, and the others go on.
///
/// # Errors
/// The store can't be written.
pub fn import_configured(settings: &RunSettings, store: &mut Store) -> Result<Vec<String>, Failure> {
    let reaches = store.reaches()?;
    let withdrawn = withdrawn(store)?;
    let mut faults = Vec::new();
    for layer in &settings.layers {
        if let Some(reason) = withdrawn.get(&layer.name) {
            tracing::info!(layer = layer.name, reason, "withdrawn: not imported");
            continue;
        }
        match import_layer(layer, &reaches, false, store) {
            Ok(imported) if imported.is_new => {
                tracing::info!(layer = layer.name, version = imported.version, rows = imported.rows, "in force");
            }
            Ok(_) => tracing::debug!(layer = layer.name, "unchanged"),
            Err(fault) if fault.code == ExitCode::Refused => {
                tracing::error!(layer = layer.name, %fault, "not imported");
                faults.push(format!("layer {} was not imported: {fault}", layer.name));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(faults)
}

/// The layers that are withdrawn, with their reasons: they stay so until somebody imports them by name.
///
/// # Errors
/// The store can't be read.
pub fn withdrawn(store: &Store) -> Result<BTreeMap<String, String>, Failure> {
    // in order of version: what stands there last counts
    let mut latest = BTreeMap::new();
    for version in store.layer_versions()? {
        latest.insert(version.layer, version.withdrawn_reason);
    }
    Ok(latest.into_iter().filter_map(|(layer, reason)| Some((layer, reason?))).collect())
}

/// Imports one layer, whole or not at all. A layer without rows is refused unless it `may_be_empty`: nothing of its kind is there.
///
/// # Errors
/// The file can't be read, or a row of it is faulty: all faults are told at once, and the earlier version stays in force.
pub fn import_layer(
    settings: &LayerSettings,
    reaches: &[Reach],
    may_be_empty: bool,
    store: &mut Store,
) -> Result<Imported, Failure> {
    let file = digest_of(&settings.file)?;
    let digest = DigestBuilder::new("layer")
        .digest("file", &file)
        .field("reading", &settings.reading)
        .field("version", READING_VERSION)
        .finish();
    let name = &settings.name;
    let before = store.layer_versions()?.into_iter().find(|version| version.layer == *name && version.in_force);
    if let Some(same) = before.as_ref().filter(|version| version.digest == digest) {
        return Ok(Imported {
            layer: name.clone(),
            version: same.version,
            is_new: false,
            rows: same.row_count as usize,
            changes: Changes::default(),
            repairs: Vec::new(),
        });
    }
    let table = read_table(&settings.file, &source(settings, may_be_empty))?;
    let origin = table.origin.clone();
    let (rows, repairs) = records(settings, table, reaches)?;
    let known = before.map(|version| store.layer_rows(name, version.version)).transpose()?.unwrap_or_default();
    let changes = changes(&known, &rows);
    let layer = NewLayer {
        layer: name.clone(),
        content: settings.mapping.content,
        file: origin,
        digest,
        mapping: settings.reading.clone(),
        rows,
        repairs,
        may_be_empty,
    };
    let import = store.import_layer(&layer, Timestamp::now())?;
    Ok(Imported {
        layer: name.clone(),
        version: import.version(),
        is_new: matches!(import, LayerImport::New { .. }),
        rows: layer.rows.len(),
        changes,
        repairs: layer.repairs,
    })
}

/// How the file of a layer is read.
fn source(settings: &LayerSettings, may_be_empty: bool) -> TableSource {
    let mapping = &settings.mapping;
    let wanted = match mapping.content {
        LayerContent::Areas(_) => Wanted::Areas { buffer_m: mapping.buffer_m },
        LayerContent::Water => Wanted::AreasIfAny,
        LayerContent::WaterReach => Wanted::Line,
        LayerContent::KilometrePoint | LayerContent::NamedPlace => Wanted::Point,
        LayerContent::Chief | LayerContent::Department => Wanted::Nothing,
    };
    let column = |field: &str| mapping.fields.get(field).cloned().unwrap_or_else(|| field.to_owned());
    TableSource {
        layer: settings.layer.clone(),
        assigned_epsg: settings.assigned_epsg.map(|epsg| epsg.0),
        encoding: settings.encoding.clone(),
        wanted,
        code_column: Some(column("code")),
        may_be_empty,
        point_columns: (wanted == Wanted::Point).then(|| (column("longitude"), column("latitude"))),
    }
}

/// The records of a table and what was repaired, or every fault.
fn records(settings: &LayerSettings, table: Table, reaches: &[Reach]) -> Result<(Vec<Record>, Vec<String>), Failure> {
    let file = settings.file.display();
    // many formats have no columns where they have no rows
    let unfit = if table.rows.is_empty() && table.faults.is_empty() {
        Vec::new()
    } else {
        settings.mapping.faults(&table.columns)
    };
    if !unfit.is_empty() {
        let text = format!("{file}: does not fit the fields of [[layers]] {}:{}", settings.name, listed(&unfit));
        return Err(Failure::input(text));
    }
    let mut faults: Vec<String> =
        table.faults.iter().map(|fault| format!("{}: {}", fault.feature, fault.problem)).collect();
    let rows = table.rows.into_iter().map(|row| SourceRow {
        label: row.label,
        values: row.values,
        geometry: row.geometry,
        repairs: row.repairs,
    });
    let rows: Vec<SourceRow> = rows.collect();
    faults.extend((!settings.anywhere).then(|| too_far(&rows, reaches)).flatten());
    let validated = records_of(rows, &settings.mapping);
    faults.extend(validated.faults.iter().map(RowFault::to_string));
    if faults.is_empty() {
        return Ok((validated.records, validated.repairs));
    }
    let text = format!(
        "{file}: {} fault(s), nothing imported; the earlier version of {}, if any, stays in force:{}",
        faults.len(),
        settings.name,
        listed(&faults)
    );
    Err(Failure::input(text))
}

/// Says so where the whole layer lies far from all that is managed.
fn too_far(rows: &[SourceRow], reaches: &[Reach]) -> Option<String> {
    let layer = rows.iter().filter_map(|row| row.geometry.as_ref().and_then(Geometry::bounding_rect)).reduce(merged)?;
    let managed = reaches.iter().filter_map(|reach| reach.scope.bounding_rect()).reduce(merged)?;
    let nearest = |value: f64, low: f64, high: f64| value.clamp(low.min(high), low.max(high));
    let (from, to) = (layer.center(), managed);
    let beside =
        geo_types::coord! { x: nearest(from.x, to.min().x, to.max().x), y: nearest(from.y, to.min().y, to.max().y) };
    let reach = geo_types::coord! {
        x: nearest(beside.x, layer.min().x, layer.max().x),
        y: nearest(beside.y, layer.min().y, layer.max().y),
    };
    let distance_m = ellipsoid::distance(beside, reach);
    (distance_m > FAR_M).then(|| {
        format!(
            "the whole layer lies about {:.0} km from every managed reach (around longitude {:.3}, latitude {:.3}): is its \
             reference system the true one, and are the axes in order? Set anywhere = true if it is meant",
            distance_m / 1000.0,
            from.x,
            from.y
        )
    })
}

fn merged(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    let (a_min, a_max, b_min, b_max) = (a.min(), a.max(), b.min(), b.max());
    Rect::new((a_min.x.min(b_min.x), a_min.y.min(b_min.y)), (a_max.x.max(b_max.x), a_max.y.max(b_max.y)))
}

fn listed(faults: &[String]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}
