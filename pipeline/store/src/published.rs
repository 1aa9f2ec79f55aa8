//! What was published, as it is read back: publications, units, tiles and observations.

use std::collections::{BTreeMap, HashSet};

use geo_types::Polygon;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::observed::Coverage;
use shorewatch_domain::unit::UnitSummary;

use crate::error::StoreError;
use crate::geometry::Shape;
use crate::publish::ReachObservation;
use crate::store::Store;
use crate::values::{Hex, Json, Utc};

/// A publication in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PublicationRecord {
    /// Its id.
    pub id: Digest,
    /// The run that made it, or made it current again.
    pub run_id: Digest,
    /// The later pass.
    pub pass_id: Digest,
    /// The grid.
    pub grid: Grid,
    /// Acquisition of the later pass.
    pub post_date: Timestamp,
    /// True while no other took its place.
    pub is_current: bool,
    /// What took its place; `None` where it is current or was withdrawn.
    pub superseded_by: Option<Digest>,
    /// Number of its patches.
    pub patch_count: u64,
}

/// A published unit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UnitRecord {
    /// Its id.
    pub unit_id: Digest,
    /// The publication that it belongs to.
    pub publication_id: Digest,
    /// The later pass.
    pub pass_id: Digest,
    /// Reference system of the grid.
    pub grid_epsg: Epsg,
    /// Edge of a pixel in metres.
    pub pixel_size_m: f64,
    /// Which square.
    pub cell: Cell,
    /// Its edge in pixels.
    pub edge_px: usize,
    /// What it found.
    pub summary: UnitSummary,
}

/// The square of a unit on the map, and how much of it was observed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tile {
    /// The unit.
    pub unit_id: Digest,
    /// The publication that it belongs to.
    pub publication_id: Digest,
    /// The later pass.
    pub pass_id: Digest,
    /// Acquisition of the later pass.
    pub post_date: Timestamp,
    /// The square in degrees (longitude, latitude; EPSG:4490).
    pub outline: Polygon<f64>,
    /// Pixels in the scope of a reach; a pixel in two scopes counts twice.
    pub scope_px: u64,
    /// Of these, observed.
    pub observed_px: u64,
    /// Of these, observed on an earlier date too.
    pub compared_px: u64,
    /// Share of the scope that was observed (0..1); `None` where no scope meets the square.
    pub observed_share: Option<f64>,
    /// Unobserved pixels by the name of the cause, without the zeros.
    pub unobserved: BTreeMap<String, u64>,
}

/// What was seen of a reach in one pass, as published.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Observation {
    /// The publication that it belongs to.
    pub publication_id: Digest,
    /// The later pass.
    pub pass_id: Digest,
    /// Acquisition of the later pass.
    pub post_date: Timestamp,
    /// What was seen.
    pub seen: ReachObservation,
}

impl Store {
    /// Ids of all units of current publications: work that needs no doing.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn published_units(&self) -> Result<HashSet<Digest>, StoreError> {
        self.rows(
            "read the published units",
            "SELECT unit_id FROM units JOIN publications USING (publication_id) WHERE is_current",
            [],
            |row| row.get(0).map(|Hex(id)| id),
        )
    }

    /// True where the publication is there and no other took its place.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn is_current(&self, publication_id: &Digest) -> Result<bool, StoreError> {
        self.connection
            .query_row("SELECT is_current FROM publications WHERE publication_id = ?1", [Hex(*publication_id)], |row| {
                row.get(0)
            })
            .optional()
            .map(|current| current.unwrap_or(false))
            .map_err(|fault| self.fault("look for the publication", fault))
    }

    /// All publications, superseded ones too, in the order in which they were first published.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn publications(&self) -> Result<Vec<PublicationRecord>, StoreError> {
        self.rows("read the publications", "SELECT * FROM publications ORDER BY fid", [], publication_of)
    }

    /// Units of one publication, in the order in which they were published.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn units_of(&self, publication_id: &Digest) -> Result<Vec<UnitRecord>, StoreError> {
        self.rows(
            "read the units",
            "SELECT * FROM units WHERE publication_id = ?1 ORDER BY fid",
            [Hex(*publication_id)],
            unit_of,
        )
    }

    /// Tiles of current publications, by acquisition, then in the order in which they were published.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn tiles(&self) -> Result<Vec<Tile>, StoreError> {
        self.rows("read the tiles", "SELECT * FROM tiles ORDER BY post_date, fid", [], tile_of)
    }

    /// Observations of current publications, by reach, acquisition and pass.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn observations(&self) -> Result<Vec<Observation>, StoreError> {
        self.rows(
            "read the observations",
            "SELECT observations.* FROM observations JOIN publications USING (publication_id)
             WHERE is_current ORDER BY reach_id, observations.post_date, observations.pass_id, observations.fid",
            [],
            observation_of,
        )
    }
}

fn digest(row: &Row<'_>, column: &str) -> rusqlite::Result<Digest> {
    row.get(column).map(|Hex(digest)| digest)
}

fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(|Utc(time)| time)
}

fn publication_of(row: &Row<'_>) -> rusqlite::Result<PublicationRecord> {
    let superseded_by: Option<Hex> = row.get("superseded_by")?;
    Ok(PublicationRecord {
        id: digest(row, "publication_id")?,
        run_id: digest(row, "run_id")?,
        pass_id: digest(row, "pass_id")?,
        grid: Grid {
            epsg: Epsg(row.get("grid_epsg")?),
            pixel_size_m: row.get("pixel_size_m")?,
            origin_x: row.get("grid_origin_x")?,
            origin_y: row.get("grid_origin_y")?,
        },
        post_date: time(row, "post_date")?,
        is_current: row.get("is_current")?,
        superseded_by: superseded_by.map(|Hex(id)| id),
        patch_count: row.get("patch_count")?,
    })
}

fn unit_of(row: &Row<'_>) -> rusqlite::Result<UnitRecord> {
    Ok(UnitRecord {
        unit_id: digest(row, "unit_id")?,
        publication_id: digest(row, "publication_id")?,
        pass_id: digest(row, "pass_id")?,
        grid_epsg: Epsg(row.get("grid_epsg")?),
        pixel_size_m: row.get("pixel_size_m")?,
        cell: Cell { row: row.get("cell_row")?, col: row.get("cell_col")? },
        edge_px: row.get("edge_px")?,
        summary: row.get::<_, Json<_>>("summary")?.0,
    })
}

fn tile_of(row: &Row<'_>) -> rusqlite::Result<Tile> {
    Ok(Tile {
        unit_id: digest(row, "unit_id")?,
        publication_id: digest(row, "publication_id")?,
        pass_id: digest(row, "pass_id")?,
        post_date: time(row, "post_date")?,
        outline: row.get::<_, Shape<_>>("geom")?.0,
        scope_px: row.get("scope_px")?,
        observed_px: row.get("observed_px")?,
        compared_px: row.get("compared_px")?,
        observed_share: row.get("observed_share")?,
        unobserved: row.get::<_, Json<_>>("unobserved")?.0,
    })
}

fn observation_of(row: &Row<'_>) -> rusqlite::Result<Observation> {
    Ok(Observation {
        publication_id: digest(row, "publication_id")?,
        pass_id: digest(row, "pass_id")?,
        post_date: time(row, "post_date")?,
        seen: ReachObservation {
            reach_id: row.get("reach_id")?,
            earlier_pass_ids: row.get::<_, Json<_>>("earlier_pass_ids")?.0,
            pixel_area_m2: row.get("pixel_area_m2")?,
            coverage: Coverage {
                scope_px: row.get("scope_px")?,
                observed_px: row.get("observed_px")?,
                compared_px: row.get("compared_px")?,
                unobserved_px: [
                    row.get("unobserved_nodata_px")?,
                    row.get("unobserved_outside_px")?,
                    row.get("unobserved_transparent_px")?,
                    row.get("unobserved_not_finite_px")?,
                    row.get("unobserved_cloud_px")?,
                    row.get("unobserved_cloud_shadow_px")?,
                    row.get("unobserved_saturated_px")?,
                    row.get("unobserved_unreadable_px")?,
                ],
            },
            class_px: row.get::<_, Json<_>>("class_px")?.0,
        },
    })
}
