//! The layers that decide: imported as a whole, version by version.

mod in_force;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::place::Versions;
use shorewatch_domain::law::record::{LayerContent, Record};

use crate::error::{Refusal, StoreError, Trouble};
use crate::geometry::{self, Shape};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Json, Utc};

pub use in_force::{Areas, LayersInForce};

/// A layer as it is imported.
#[derive(Clone, PartialEq, Debug)]
pub struct NewLayer {
    /// Name: that of its content, with `/part` where the content comes from several files.
    pub layer: String,
    /// What it holds.
    pub content: LayerContent,
    /// Name of the file, and of its layer.
    pub file: String,
    /// Digest of everything that its rows follow from: the bytes of the file and the mapping.
    pub digest: Digest,
    /// How it was read, as JSON text.
    pub mapping: String,
    /// Its rows.
    pub rows: Vec<Record>,
    /// What was repaired, feature by feature, in words.
    pub repairs: Vec<String>,
    /// Whether somebody said that a layer without rows is meant: nothing of its kind is there.
    pub may_be_empty: bool,
}

/// A version of a layer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LayerVersion {
    /// Name of the layer.
    pub layer: String,
    /// Number, from 1.
    pub version: u32,
    /// What it holds, by name.
    pub content: String,
    /// Name of the file, and of its layer.
    pub file: String,
    /// Digest of what its rows follow from.
    pub digest: Digest,
    /// How it was read, as JSON text.
    pub mapping: String,
    /// Number of rows.
    pub row_count: u64,
    /// What was repaired on import.
    pub repairs: Vec<String>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// Whether it is the one in force.
    pub in_force: bool,
    /// Why the layer was withdrawn with this version; `None` for one that was imported.
    pub withdrawn_reason: Option<String>,
}

/// What an import did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerImport {
    /// The very same bytes, read in the same way, are in force: nothing was done.
    Unchanged {
        /// The version in force.
        version: u32,
    },
    /// A version of its own, in force now.
    New {
        /// Its number.
        version: u32,
    },
}

impl LayerImport {
    /// The version in force afterwards.
    #[must_use]
    pub const fn version(self) -> u32 {
        match self {
            Self::Unchanged { version } | Self::New { version } => version,
        }
    }
}

impl Store {
    /// Puts a version of a layer in force. The one before is kept aside; on any error it stays in force.
    ///
    /// # Errors
    /// No rows where that is not meant, a code twice in the layer or in another layer of the same content, a shape that can't be stored; a fault of
    /// the file.
    pub fn import_layer(&mut self, layer: &NewLayer, now: Timestamp) -> Result<LayerImport, StoreError> {
        self.write("import the layer", |transaction| {
            let before = version_in_force(transaction, &layer.layer)?;
            if let Some((version, digest)) = before
                && digest == layer.digest
            {
                return Ok(LayerImport::Unchanged { version });
            }
            check(layer)?;
            let table = table(layer.content);
            if let Some((version, _)) = before {
                set_aside(transaction, table, &layer.layer, version)?;
            }
            check_codes(transaction, table, layer)?;
            let version = latest_version(transaction, &layer.layer)? + 1;
            transaction.execute(
                "INSERT INTO layer_versions (layer, version, content, file, digest, mapping, row_count, repairs, imported_at,
                     in_force)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
                params![
                    layer.layer,
                    version,
                    layer.content.name(),
                    layer.file,
                    Hex(layer.digest),
                    layer.mapping,
                    layer.rows.len() as u64,
                    Json(&layer.repairs),
                    Utc(now),
                ],
            )?;
            insert_rows(transaction, table, layer, version)?;
            if has_geometry(layer.content) {
                geopackage::measure_extent(transaction, table)?;
            }
            for changed in [table, "layer_versions", "layer_rows_superseded"] {
                geopackage::touch(transaction, changed, now)?;
            }
            Ok(LayerImport::New { version })
        })
    }

    /// Withdraws a layer: nothing of it is in force any more, its rows are kept aside, and the withdrawal is a version of its own.
    /// Returns its number.
    ///
    /// # Errors
    /// No such layer is in force; an empty reason; a fault of the file.
    pub fn withdraw_layer(&mut self, layer: &str, reason: &str, now: Timestamp) -> Result<u32, StoreError> {
        self.write("withdraw the layer", |transaction| {
            let invalid = |expected: &str, got: String, next| -> Trouble {
                Refusal::Invalid { what: format!("layer {layer}"), expected: expected.to_owned(), got, next }.into()
            };
            let (Some((before, digest)), Some(content)) =
                (version_in_force(transaction, layer)?, LayerContent::of_layer(layer))
            else {
                let next = "`shorewatch layers list` names those that are";
                return Err(invalid("a layer in force", "none of that name".to_owned(), next));
            };
            if reason.trim().is_empty() {
                return Err(invalid("a reason", format!("{reason:?}"), "say why it is withdrawn"));
            }
            let table = table(content);
            set_aside(transaction, table, layer, before)?;
            let version = latest_version(transaction, layer)? + 1;
            transaction.execute(
                "INSERT INTO layer_versions (layer, version, content, file, digest, mapping, row_count, repairs, imported_at,
                     in_force, withdrawn_reason)
                 SELECT layer, ?2, content, file, ?3, mapping, 0, '[]', ?4, 0, ?5
                 FROM layer_versions WHERE layer = ?1 AND version = ?6",
                params![layer, version, Hex(digest), Utc(now), reason.trim(), before],
            )?;
            if has_geometry(content) {
                geopackage::measure_extent(transaction, table)?;
            }
            for changed in [table, "layer_versions", "layer_rows_superseded"] {
                geopackage::touch(transaction, changed, now)?;
            }
            Ok(version)
        })
    }

    /// Every version of every layer, by layer and number.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn layer_versions(&self) -> Result<Vec<LayerVersion>, StoreError> {
        self.rows("read the layers", "SELECT * FROM layer_versions ORDER BY layer, version", [], version_of)
    }

    /// The rows of a version of a layer, in order of code; none where there is no such version.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn layer_rows(&self, layer: &str, version: u32) -> Result<Vec<Record>, StoreError> {
        let content = LayerContent::of_layer(layer);
        let current = content.map_or("layer_features", table);
        let geom = content.is_some_and(has_geometry);
        let geom = if geom { "geom" } else { "NULL AS geom" };
        let sql = format!(
            "SELECT {geom}, record, code FROM {current} WHERE layer = ?1 AND version = ?2
             UNION ALL SELECT geom, record, code FROM layer_rows_superseded WHERE layer = ?1 AND version = ?2
             ORDER BY code"
        );
        self.rows("read the layer", &sql, params![layer, version], record_of)
    }

    /// Notes which versions of the layers a run used, in place of what was noted before.
    ///
    /// # Errors
    /// No such run or version; a fault of the file.
    pub fn record_run_layers(
        &mut self,
        run_id: &Digest,
        versions: &Versions,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("note the layers of the run", |transaction| {
            transaction.execute("DELETE FROM run_layers WHERE run_id = ?1", [Hex(*run_id)])?;
            let mut insert =
                transaction.prepare_cached("INSERT INTO run_layers (run_id, layer, version) VALUES (?1, ?2, ?3)")?;
            for (layer, version) in versions {
                insert.execute(params![Hex(*run_id), layer, version])?;
            }
            Ok(geopackage::touch(transaction, "run_layers", now)?)
        })
    }

    /// Which versions of the layers a run used.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn run_layers(&self, run_id: &Digest) -> Result<Versions, StoreError> {
        let sql = "SELECT layer, version FROM run_layers WHERE run_id = ?1 ORDER BY layer";
        self.rows("read the layers of the run", sql, [Hex(*run_id)], |row| Ok((row.get(0)?, row.get(1)?)))
    }
}

/// The table that holds rows in force.
const fn table(content: LayerContent) -> &'static str {
    match content {
        LayerContent::Areas(_) => "layer_features",
        LayerContent::Water => "waters",
        LayerContent::WaterReach => "water_reaches",
        LayerContent::KilometrePoint => "kilometre_points",
        LayerContent::NamedPlace => "named_places",
        LayerContent::Chief => "chiefs",
        LayerContent::Department => "departments",
    }
}

const fn has_geometry(content: LayerContent) -> bool {
    !matches!(content, LayerContent::Chief | LayerContent::Department)
}

const COLUMNS: &str = "layer, version, content, code, name, valid_from, valid_to, record";

fn set_aside(transaction: &Transaction<'_>, table: &str, layer: &str, version: u32) -> rusqlite::Result<()> {
    let geom = if matches!(table, "chiefs" | "departments") { "NULL" } else { "geom" };
    transaction.execute(
        &format!(
            "INSERT INTO layer_rows_superseded (geom, {COLUMNS})
             SELECT {geom}, {COLUMNS} FROM {table} WHERE layer = ?1 AND version = ?2 ORDER BY fid"
        ),
        params![layer, version],
    )?;
    transaction.execute(&format!("DELETE FROM {table} WHERE layer = ?1"), [layer])?;
    transaction.execute("UPDATE layer_versions SET in_force = 0 WHERE layer = ?1 AND in_force", [layer])?;
    Ok(())
}

fn insert_rows(transaction: &Transaction<'_>, table: &str, layer: &NewLayer, version: u32) -> rusqlite::Result<()> {
    let shaped = has_geometry(layer.content);
    let sql = if shaped {
        format!("INSERT INTO {table} ({COLUMNS}, geom) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
    } else {
        format!("INSERT INTO {table} ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
    };
    let mut insert = transaction.prepare_cached(&sql)?;
    for row in &layer.rows {
        let period = row.period().unwrap_or_default();
        let (from, to) = (period.from.map(|day| day.to_string()), period.to.map(|day| day.to_string()));
        let (content, bare) = (layer.content.name(), Json(row.without_geometry()));
        if shaped {
            let geometry = row.geometry();
            let shape = geometry.as_ref().map(Shape);
            insert.execute(params![layer.layer, version, content, row.code(), row.name(), from, to, bare, shape])?;
        } else {
            insert.execute(params![layer.layer, version, content, row.code(), row.name(), from, to, bare])?;
        }
    }
    Ok(())
}

fn version_in_force(transaction: &Transaction<'_>, layer: &str) -> rusqlite::Result<Option<(u32, Digest)>> {
    transaction
        .prepare_cached("SELECT version, digest FROM layer_versions WHERE layer = ?1 AND in_force")?
        .query_row([layer], |row| Ok((row.get(0)?, row.get::<_, Hex>(1)?.0)))
        .optional()
}

/// Number of the latest version of a layer; 0 where there is none.
fn latest_version(transaction: &Transaction<'_>, layer: &str) -> rusqlite::Result<u32> {
    let sql = "SELECT coalesce(max(version), 0) FROM layer_versions WHERE layer = ?1";
    transaction.prepare_cached(sql)?.query_row([layer], |row| row.get(0))
}

/// Names every fault of the rows at once.
fn check(layer: &NewLayer) -> Result<(), Trouble> {
    let mut faults = Vec::new();
    if LayerContent::of_layer(&layer.layer) != Some(layer.content) {
        faults.push(format!("the name of a layer of {}s begins otherwise", layer.content.name()));
    }
    if layer.rows.is_empty() && !layer.may_be_empty {
        faults.push("no rows".to_owned());
    }
    let mut codes = std::collections::BTreeSet::new();
    for row in &layer.rows {
        if row.content() != layer.content {
            faults.push(format!("{:?} is a {}", row.code(), row.content().name()));
        }
        if row.code().is_empty() || !codes.insert(row.code()) {
            faults.push(format!("the code {:?} is empty or stands there a second time", row.code()));
        }
        if let Some(fault) = row.geometry().as_ref().and_then(geometry::fault_of) {
            faults.push(format!("{:?} with {fault}", row.code()));
        }
    }
    refuse(layer, faults)
}

/// Codes are unique over all layers of the same content.
fn check_codes(transaction: &Transaction<'_>, table: &str, layer: &NewLayer) -> Result<(), Trouble> {
    let sql = format!("SELECT layer FROM {table} WHERE content = ?1 AND code = ?2");
    let mut known = transaction.prepare_cached(&sql)?;
    let mut faults = Vec::new();
    for row in &layer.rows {
        let other: Option<String> =
            known.query_row(params![layer.content.name(), row.code()], |row| row.get(0)).optional()?;
        faults.extend(other.map(|other| format!("the code {:?} is one of the layer {other} already", row.code())));
    }
    refuse(layer, faults)
}

fn refuse(layer: &NewLayer, faults: Vec<String>) -> Result<(), Trouble> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(Refusal::Invalid {
        what: format!("layer {} from {}", layer.layer, layer.file),
        expected: format!("rows of {}, each with a code of its own and a shape in degrees", layer.content.name()),
        got: faults.join("; "),
        next: "correct the source; the earlier version stays in force",
    }
    .into())
}

fn version_of(row: &Row<'_>) -> rusqlite::Result<LayerVersion> {
    Ok(LayerVersion {
        layer: row.get("layer")?,
        version: row.get("version")?,
        content: row.get("content")?,
        file: row.get("file")?,
        digest: row.get::<_, Hex>("digest")?.0,
        mapping: row.get("mapping")?,
        row_count: row.get("row_count")?,
        repairs: row.get::<_, Json<_>>("repairs")?.0,
        imported_at: row.get::<_, Utc>("imported_at")?.0,
        in_force: row.get("in_force")?,
        withdrawn_reason: row.get("withdrawn_reason")?,
    })
}

/// A row by its columns `geom` and `record`.
fn record_of(row: &Row<'_>) -> rusqlite::Result<Record> {
    let record = row.get::<_, Json<Record>>("record")?.0;
    let shape = row.get::<_, Option<Shape<_>>>("geom")?;
    Ok(match shape {
        Some(Shape(shape)) => record.with_geometry(shape),
        None => record,
    })
}
