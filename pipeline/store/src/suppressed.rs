//! Places that looked like patches and were kept back, each with a reason: drawn while their publication is current.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::patch::SuppressedPlace;

use crate::error::StoreError;
use crate::geometry::Shape;
use crate::publish::Publication;
use crate::store::Store;
use crate::values::{Hex, Utc};

/// A place in the store that was kept back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredSuppressedPlace {
    /// The place.
    pub place: SuppressedPlace,
    /// The publication that it belongs to.
    pub publication_id: Digest,
    /// The later pass.
    pub pass_id: Digest,
    /// Acquisition of the later pass, to the millisecond.
    pub post_date: Timestamp,
}

impl Store {
    /// Places that current publications kept back, by acquisition, then in the order in which they were published.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn suppressed(&self) -> Result<Vec<StoredSuppressedPlace>, StoreError> {
        let sql = "SELECT * FROM patches_suppressed ORDER BY post_date, fid";
        self.rows("read the suppressed places", sql, [], place_of)
    }
}

pub(crate) fn insert(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO patches_suppressed (geom, publication_id, pass_id, post_date, reach_id, change_type, reason, area_m2,
             confidence, review_score)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for place in &publication.suppressed {
        statement.execute(params![
            Shape(&place.geometry),
            Hex(publication.id),
            Hex(publication.pass_id),
            Utc(publication.post_date),
            place.reach_id,
            place.change_type,
            place.reason,
            place.area_m2,
            place.confidence,
            place.review_score,
        ])?;
    }
    Ok(())
}

fn place_of(row: &Row<'_>) -> rusqlite::Result<StoredSuppressedPlace> {
    Ok(StoredSuppressedPlace {
        place: SuppressedPlace {
            reach_id: row.get("reach_id")?,
            change_type: row.get("change_type")?,
            reason: row.get("reason")?,
            geometry: row.get::<_, Shape<_>>("geom")?.0,
            area_m2: row.get("area_m2")?,
            confidence: row.get("confidence")?,
            review_score: row.get("review_score")?,
        },
        publication_id: row.get::<_, Hex>("publication_id")?.0,
        pass_id: row.get::<_, Hex>("pass_id")?.0,
        post_date: row.get::<_, Utc>("post_date")?.0,
    })
}
