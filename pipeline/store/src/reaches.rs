//! Reaches: the managed shoreline.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::reach::{Reach, ScopeSource};

use crate::error::{Refusal, StoreError};
use crate::geometry::{self, Shape};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Json, Utc};

/// What an import did, by number of reaches.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ReachImport {
    /// Not there before.
    pub added: usize,
    /// There under the same id, with other content; replaced.
    pub changed: usize,
    /// There with the same content.
    pub unchanged: usize,
}

impl Store {
    /// Imports reaches by id: all of them or, on any error, none. Reaches that are not in the slice stay.
    ///
    /// # Errors
    /// An id twice in the slice, an empty id, a scope that cannot be stored; a fault of the file.
    pub fn import_reaches(&mut self, reaches: &[Reach], now: Timestamp) -> Result<ReachImport, StoreError> {
        self.write("import the reaches", |transaction| {
            check(reaches)?;
            let mut import = ReachImport::default();
            for reach in reaches {
                match by_id(transaction, &reach.id)? {
                    Some(known) if known == *reach => import.unchanged += 1,
                    known => {
                        put(transaction, reach, known.is_some(), now)?;
                        *if known.is_some() { &mut import.changed } else { &mut import.added } += 1;
                    }
                }
            }
            if import.added + import.changed > 0 {
                geopackage::measure_extent(transaction, "reaches")?;
                geopackage::touch(transaction, "reaches", now)?;
            }
            Ok(import)
        })
    }

    /// All reaches, in order of id.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn reaches(&self) -> Result<Vec<Reach>, StoreError> {
        self.rows("read the reaches", &format!("SELECT {COLUMNS} FROM reaches ORDER BY reach_id"), [], reach_of)
    }
}

const COLUMNS: &str = "geom, reach_id, name, scope_source, buffer_m, origin, repairs";

fn reach_of(row: &Row<'_>) -> rusqlite::Result<Reach> {
    let buffer_m: Option<f64> = row.get("buffer_m")?;
    Ok(Reach {
        id: row.get("reach_id")?,
        name: row.get("name")?,
        scope: row.get::<_, Shape<_>>("geom")?.0,
        scope_source: buffer_m.map_or(ScopeSource::Polygon, |buffer_m| ScopeSource::BufferedCentreline { buffer_m }),
        origin: row.get("origin")?,
        repairs: row.get::<_, Json<_>>("repairs")?.0,
    })
}

fn by_id(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<Reach>> {
    transaction
        .prepare_cached(&format!("SELECT {COLUMNS} FROM reaches WHERE reach_id = ?1"))?
        .query_row([id], reach_of)
        .optional()
}

fn put(transaction: &Transaction<'_>, reach: &Reach, is_known: bool, now: Timestamp) -> rusqlite::Result<()> {
    let (scope_source, buffer_m) = match reach.scope_source {
        ScopeSource::Polygon => ("polygon", None),
        ScopeSource::BufferedCentreline { buffer_m } => ("buffered_centreline", Some(buffer_m)),
    };
    // Not an upsert: SQLite would let its conflict clause override the `OR REPLACE` in the triggers of the spatial index.
    let sql = if is_known {
        "UPDATE reaches SET geom = ?1, name = ?3, scope_source = ?4, buffer_m = ?5, origin = ?6, repairs = ?7, digest = ?8,
             imported_at = ?9 WHERE reach_id = ?2"
    } else {
        "INSERT INTO reaches (geom, reach_id, name, scope_source, buffer_m, origin, repairs, digest, imported_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    };
    transaction.prepare_cached(sql)?.execute(params![
        Shape(&reach.scope),
        reach.id,
        reach.name,
        scope_source,
        buffer_m,
        reach.origin,
        Json(&reach.repairs),
        Hex(reach.digest()),
        Utc(now),
    ])?;
    Ok(())
}

/// Names every faulty reach at once.
fn check(reaches: &[Reach]) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for (i, reach) in reaches.iter().enumerate() {
        if reach.id.is_empty() {
            faults.push(format!("reach {} ({:?}) without an id", i + 1, reach.name));
        }
        if reaches[..i].iter().any(|other| other.id == reach.id) {
            faults.push(format!("id {:?} a second time", reach.id));
        }
        if let Some(fault) = geometry::fault(&reach.scope) {
            faults.push(format!("{:?} with {fault}", reach.id));
        }
        if let ScopeSource::BufferedCentreline { buffer_m } = reach.scope_source
            && !(buffer_m.is_finite() && buffer_m > 0.0)
        {
            faults.push(format!("{:?} with a buffer of {buffer_m} m", reach.id));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Refusal::Invalid {
        what: "reaches".to_owned(),
        expected: "a unique id and a scope of closed rings in degrees for each".to_owned(),
        got: faults.join("; "),
        next: "correct the source file; none was imported",
    })
}
