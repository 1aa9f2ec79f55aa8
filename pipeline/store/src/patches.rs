//! Patches: written in the order given, read back by filter.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::patch::Patch;

use crate::error::{Refusal, StoreError};
use crate::geometry::Shape;
use crate::geopackage;
use crate::publish::NewPatch;
use crate::store::Store;
use crate::values::{Hex, Json, Utc, named};

/// A patch in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredPatch {
    /// The patch; its dates are kept to the millisecond.
    pub patch: Patch,
    /// The publication that it belongs to.
    pub publication_id: Digest,
    /// The run that found it.
    pub run_id: Digest,
    /// Its place in the order of review, from 1, where one was given.
    pub rank: Option<u32>,
    /// Picture of the earlier pass, relative to the store's folder.
    pub chip_before: Option<String>,
    /// Picture of the later pass, relative to the store's folder.
    pub chip_after: Option<String>,
}

/// Which patches to read; the default is all current ones.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatchFilter {
    /// Of this reach.
    pub reach_id: Option<String>,
    /// Suspected of this.
    pub issue_class: Option<IssueClass>,
    /// With at least this confidence (0..1).
    pub min_confidence: Option<f64>,
    /// With the later acquisition at this time or after it.
    pub since: Option<Timestamp>,
    /// With the later acquisition before this time.
    pub until: Option<Timestamp>,
    /// Found by this run.
    pub run_id: Option<Digest>,
}

impl Store {
    /// Patches of current publications, by review score from the highest (those without one last), then by confidence, then by
    /// id.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patches(&self, filter: &PatchFilter) -> Result<Vec<StoredPatch>, StoreError> {
        self.rows(
            "read the patches",
            "SELECT * FROM patches
             WHERE (?1 IS NULL OR reach_id = ?1) AND (?2 IS NULL OR suspected_issue_class = ?2)
               AND (?3 IS NULL OR confidence >= ?3) AND (?4 IS NULL OR post_date >= ?4)
               AND (?5 IS NULL OR post_date < ?5) AND (?6 IS NULL OR run_id = ?6)
             ORDER BY review_score DESC NULLS LAST, confidence DESC, patch_id",
            params![
                filter.reach_id,
                filter.issue_class.map(IssueClass::name),
                filter.min_confidence,
                filter.since.map(Utc),
                filter.until.map(Utc),
                filter.run_id.map(Hex),
            ],
            patch_of,
        )
    }

    /// Patches of current publications on grids of a reference system that earlier passes raised, by later acquisition, then
    /// by id: what a pass acquired at `time` follows up.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patches_before(&self, time: Timestamp, grid_epsg: Epsg) -> Result<Vec<StoredPatch>, StoreError> {
        self.rows(
            "read the patches of earlier passes",
            "SELECT * FROM patches WHERE post_date < ?1 AND grid_epsg = ?2 ORDER BY post_date, patch_id",
            params![Utc(time), grid_epsg.0],
            patch_of,
        )
    }

    /// Patches of superseded and withdrawn publications, in the order in which they were superseded.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn superseded_patches(&self) -> Result<Vec<StoredPatch>, StoreError> {
        self.rows("read the superseded patches", "SELECT * FROM patches_superseded ORDER BY fid", [], patch_of)
    }

    /// Records where the pictures of a current patch lie, relative to the store's folder.
    ///
    /// # Errors
    /// No such patch; a fault of the file.
    pub fn set_patch_chips(
        &mut self,
        patch_id: &str,
        before: &str,
        after: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("record the pictures of the patch", |transaction| {
            let changed = transaction
                .prepare_cached("UPDATE patches SET chip_before = ?2, chip_after = ?3 WHERE patch_id = ?1")?
                .execute([patch_id, before, after])?;
            if changed == 0 {
                let next = "it may have been superseded meanwhile: read the patches again";
                return Err(Refusal::Unknown { kind: "patch", selector: patch_id.to_owned(), next }.into());
            }
            Ok(geopackage::touch(transaction, "patches", now)?)
        })
    }
}

/// All columns but `fid`, in the order of [`insert`].
const COLUMNS: &str = "geom, patch_id, reach_id, reach_name, object_class, change_type, suspected_issue_class, issue_term, \
     area_m2, perimeter_m, centre_longitude, centre_latitude, confidence, confidence_max, valid_fraction, review_score, change_score, evidence, coreg_rmse_px, pre_date, post_date, \
     pre_pass_id, post_pass_id, pre_sensor, post_sensor, grid_epsg, ground_sampling_distance_m, pixel_count, model_name, \
     model_version, model_digest, configuration_digest, program_version, publication_id, run_id, rank, chip_before, chip_after";

pub(crate) fn insert(
    transaction: &Transaction<'_>,
    patches: &[NewPatch],
    publication_id: &Digest,
    run_id: &Digest,
) -> rusqlite::Result<()> {
    let places = (1..=COLUMNS.split(',').count()).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ");
    let mut statement = transaction.prepare_cached(&format!("INSERT INTO patches ({COLUMNS}) VALUES ({places})"))?;
    for new in patches {
        let patch = &new.patch;
        statement.execute(params![
            Shape(&patch.geometry),
            patch.patch_id,
            patch.reach_id,
            patch.reach_name,
            patch.object_class,
            patch.change_type,
            patch.suspected_issue_class.name(),
            patch.suspected_issue_class.official_term(),
            patch.area_m2,
            patch.perimeter_m,
            patch.centre.0,
            patch.centre.1,
            patch.confidence,
            patch.confidence_max,
            patch.valid_fraction,
            patch.review_score,
            patch.change_score,
            Json(&patch.evidence),
            patch.coreg_rmse_px,
            Utc(patch.pre_date),
            Utc(patch.post_date),
            Hex(patch.pre_pass_id),
            Hex(patch.post_pass_id),
            patch.pre_sensor,
            patch.post_sensor,
            patch.grid_epsg.0,
            patch.ground_sampling_distance_m,
            patch.pixel_count,
            patch.model_name,
            patch.model_version,
            Hex(patch.model_digest),
            Hex(patch.configuration_digest),
            patch.program_version,
            Hex(*publication_id),
            Hex(*run_id),
            new.rank,
            new.chip_before,
            new.chip_after,
        ])?;
    }
    Ok(())
}

/// Moves the patches of a publication out of the layer, in their order.
pub(crate) fn move_to_superseded(transaction: &Transaction<'_>, publication_id: &Digest) -> rusqlite::Result<()> {
    transaction.execute(
        &format!(
            "INSERT INTO patches_superseded ({COLUMNS}) SELECT {COLUMNS} FROM patches WHERE publication_id = ?1 ORDER BY fid"
        ),
        [Hex(*publication_id)],
    )?;
    transaction.execute("DELETE FROM patches WHERE publication_id = ?1", [Hex(*publication_id)])?;
    Ok(())
}

/// Moves one patch out of the layer: a part whose split was taken back.
pub(crate) fn move_one_to_superseded(transaction: &Transaction<'_>, patch_id: &str) -> rusqlite::Result<()> {
    transaction.execute(
        &format!("INSERT INTO patches_superseded ({COLUMNS}) SELECT {COLUMNS} FROM patches WHERE patch_id = ?1"),
        [patch_id],
    )?;
    transaction.execute("DELETE FROM patches WHERE patch_id = ?1", [patch_id])?;
    Ok(())
}

/// An issue class by its name.
pub(crate) struct Named(pub(crate) IssueClass);

impl FromSql for Named {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &IssueClass::ALL, IssueClass::name).map(Self)
    }
}

pub(crate) fn patch_of(row: &Row<'_>) -> rusqlite::Result<StoredPatch> {
    let digest = |column: &str| row.get::<_, Hex>(column).map(|Hex(digest)| digest);
    let time = |column: &str| row.get::<_, Utc>(column).map(|Utc(time)| time);
    Ok(StoredPatch {
        patch: Patch {
            patch_id: row.get("patch_id")?,
            reach_id: row.get("reach_id")?,
            reach_name: row.get("reach_name")?,
            object_class: row.get("object_class")?,
            change_type: row.get("change_type")?,
            suspected_issue_class: row.get::<_, Named>("suspected_issue_class")?.0,
            geometry: row.get::<_, Shape<_>>("geom")?.0,
            area_m2: row.get("area_m2")?,
            perimeter_m: row.get("perimeter_m")?,
            centre: (row.get("centre_longitude")?, row.get("centre_latitude")?),
            confidence: row.get("confidence")?,
            confidence_max: row.get("confidence_max")?,
            valid_fraction: row.get("valid_fraction")?,
            review_score: row.get("review_score")?,
            change_score: row.get("change_score")?,
            evidence: row.get::<_, Json<_>>("evidence")?.0,
            coreg_rmse_px: row.get("coreg_rmse_px")?,
            pre_date: time("pre_date")?,
            post_date: time("post_date")?,
            pre_pass_id: digest("pre_pass_id")?,
            post_pass_id: digest("post_pass_id")?,
            pre_sensor: row.get("pre_sensor")?,
            post_sensor: row.get("post_sensor")?,
            grid_epsg: Epsg(row.get("grid_epsg")?),
            ground_sampling_distance_m: row.get("ground_sampling_distance_m")?,
            pixel_count: row.get("pixel_count")?,
            model_name: row.get("model_name")?,
            model_version: row.get("model_version")?,
            model_digest: digest("model_digest")?,
            configuration_digest: digest("configuration_digest")?,
            program_version: row.get("program_version")?,
        },
        publication_id: digest("publication_id")?,
        run_id: digest("run_id")?,
        rank: row.get("rank")?,
        chip_before: row.get("chip_before")?,
        chip_after: row.get("chip_after")?,
    })
}
