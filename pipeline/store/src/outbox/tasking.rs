//! Places that people reported: the next run looks at them first.

use geo_types::Polygon;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::tasking;

use crate::error::{Refusal, StoreError};
use crate::geometry::{self, Shape};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Utc};

/// A report of a place, by the public or by others.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PublicReport {
    /// Its id: a second one of the same id changes nothing.
    pub report_id: String,
    /// Where (longitude, latitude; EPSG:4490).
    pub outline: Polygon<f64>,
    /// Who or what it comes from ("hotline", "patrol"); no names, no telephone numbers.
    pub source: String,
    /// How urgent it is held to be: 1 is the lowest.
    pub level: u8,
    /// What it says.
    pub note: Option<String>,
    /// When.
    pub reported_at: Timestamp,
}

/// A place to look at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TaskingArea {
    /// Its id.
    pub area_id: String,
    /// The outline that holds all its reports.
    pub outline: Polygon<f64>,
    /// The highest level of its reports.
    pub level: u8,
    /// Number of its reports.
    pub reports: u64,
    /// The last one.
    pub last_reported_at: Timestamp,
    /// The first pass after that which observed it; `None` where none has yet.
    pub looked_by: Option<Digest>,
}

impl Store {
    /// Takes a report: it joins the open area of the same place, or opens one. Returns the area, or `None` where the report was
    /// there already.
    ///
    /// # Errors
    /// An outline that is none, a level of 0; a fault of the file.
    pub fn take_public_report(&mut self, report: &PublicReport, now: Timestamp) -> Result<Option<String>, StoreError> {
        self.write("take a report of a place", |transaction| {
            let fault = geometry::fault([&report.outline])
                .or_else(|| (report.level == 0).then(|| "level 0".to_owned()))
                .or_else(|| report.source.trim().is_empty().then(|| "no source".to_owned()));
            if let Some(got) = fault {
                return Err(Refusal::Invalid {
                    what: format!("report {:?}", report.report_id),
                    expected: "an outline in degrees, a source and a level from 1".to_owned(),
                    got,
                    next: "correct it and report again",
                }
                .into());
            }
            let known: Option<String> = transaction
                .prepare_cached("SELECT area_id FROM tasking_reports WHERE report_id = ?1")?
                .query_row([&report.report_id], |row| row.get(0))
                .optional()?;
            if known.is_some() {
                return Ok(None);
            }
            let area_id = place_of(transaction, report)?;
            transaction
                .prepare_cached(
                    "INSERT INTO tasking_reports (report_id, area_id, source, level, note, reported_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    report.report_id,
                    area_id,
                    report.source,
                    report.level,
                    report.note,
                    Utc(report.reported_at)
                ])?;
            geopackage::measure_extent(transaction, "tasking_areas")?;
            geopackage::touch(transaction, "tasking_areas", now)?;
            Ok(Some(area_id))
        })
    }

    /// Areas that no pass after their last report has observed yet, the most urgent first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn open_tasking_areas(&self) -> Result<Vec<TaskingArea>, StoreError> {
        self.rows(
            "read the reported places",
            "SELECT * FROM tasking_areas WHERE looked_at IS NULL ORDER BY level DESC, last_reported_at, area_id",
            [],
            area_of,
        )
    }

    /// Notes which open areas lie in squares that a later pass looked at. Returns how many there were.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn note_tasking_looked(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        self.write("note which reported places were looked at", |transaction| {
            let seen: Vec<(String, Hex)> = transaction
                .prepare_cached(
                    "SELECT a.area_id, t.pass_id FROM tasking_areas a, tiles t JOIN publications p USING (publication_id)
                     WHERE a.looked_at IS NULL AND p.is_current AND t.post_date > a.last_reported_at
                       AND coalesce(t.observed_share, 0) >= 0.5
                       AND ST_MinX(t.geom) <= ST_MaxX(a.geom) AND ST_MaxX(t.geom) >= ST_MinX(a.geom)
                       AND ST_MinY(t.geom) <= ST_MaxY(a.geom) AND ST_MaxY(t.geom) >= ST_MinY(a.geom)
                     GROUP BY a.area_id HAVING t.post_date = min(t.post_date)",
                )?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            for (area_id, pass_id) in &seen {
                transaction
                    .prepare_cached("UPDATE tasking_areas SET looked_at = ?2, looked_by = ?3 WHERE area_id = ?1")?
                    .execute(params![area_id, Utc(now), pass_id])?;
            }
            Ok(seen.len() as u64)
        })
    }
}

/// The area of a report: an open one of the same place, grown by it, or a new one.
fn place_of(transaction: &Transaction<'_>, report: &PublicReport) -> rusqlite::Result<String> {
    let open: Vec<TaskingArea> = transaction
        .prepare_cached("SELECT * FROM tasking_areas WHERE looked_at IS NULL ORDER BY fid")?
        .query_map([], area_of)?
        .collect::<rusqlite::Result<_>>()?;
    if let Some(area) = open.into_iter().find(|area| tasking::same_place(&area.outline, &report.outline)) {
        let outline = tasking::merged(&area.outline, &report.outline);
        transaction
            .prepare_cached(
                "UPDATE tasking_areas SET geom = ?2, level = max(level, ?3), reports = reports + 1,
                     last_reported_at = max(last_reported_at, ?4) WHERE area_id = ?1",
            )?
            .execute(params![area.area_id, Shape(&outline), report.level, Utc(report.reported_at)])?;
        return Ok(area.area_id);
    }
    let area_id = format!("area-{}", &Digest::of_bytes(report.report_id.as_bytes()).to_string()[..12]);
    transaction
        .prepare_cached(
            "INSERT INTO tasking_areas (geom, area_id, level, reports, first_reported_at, last_reported_at)
             VALUES (?1, ?2, ?3, 1, ?4, ?4)",
        )?
        .execute(params![Shape(&report.outline), area_id, report.level, Utc(report.reported_at)])?;
    Ok(area_id)
}

fn area_of(row: &Row<'_>) -> rusqlite::Result<TaskingArea> {
    Ok(TaskingArea {
        area_id: row.get("area_id")?,
        outline: row.get::<_, Shape<_>>("geom")?.0,
        level: row.get("level")?,
        reports: row.get("reports")?,
        last_reported_at: row.get::<_, Utc>("last_reported_at")?.0,
        looked_by: row.get::<_, Option<Hex>>("looked_by")?.map(|Hex(digest)| digest),
    })
}
