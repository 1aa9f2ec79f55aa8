//! Ground that was not compared, since passes lie too far apart there: as the units of current publications tell it.

use std::collections::BTreeMap;

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;

use crate::error::StoreError;
use crate::store::Store;
use crate::values::Hex;

/// What of a pass was held back against an earlier one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HeldPair {
    /// The later pass.
    pub pass_id: Digest,
    /// The earlier pass.
    pub earlier_pass_id: Digest,
    /// Area in scope that both observed and that was not compared, in m².
    pub area_m2: f64,
    /// By how many pixels the two lie apart, where most.
    pub off_px: f64,
}

impl Store {
    /// Pairs of passes of one publication, or of all current ones, of which ground in scope was held back, by the acquisition of
    /// the later one.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn held_pairs(&self, publication: Option<&Digest>) -> Result<Vec<HeldPair>, StoreError> {
        let of = if publication.is_some() { "publications.publication_id = ?1" } else { "is_current AND ?1 IS NULL" };
        self.rows(
            "read the ground that was held back",
            &format!(
                "SELECT units.pass_id AS pass_id, json_extract(held.value, '$.pass_id') AS earlier_pass_id,
                 SUM(json_extract(held.value, '$.px') * units.pixel_size_m * units.pixel_size_m) AS area_m2,
                 MAX(json_extract(held.value, '$.off_px')) AS off_px
             FROM units JOIN publications USING (publication_id), json_each(units.summary, '$.held') AS held
             WHERE {of}
             GROUP BY units.pass_id, earlier_pass_id
             ORDER BY MIN(post_date), units.pass_id, earlier_pass_id"
            ),
            [publication.map(|id| Hex(*id))],
            pair_of,
        )
    }

    /// Pixels of each reach (pass, id of the reach) that current publications observed and compared with nothing, since every
    /// earlier pass that observed them lies too far off.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn held_px(&self) -> Result<BTreeMap<(Digest, String), u64>, StoreError> {
        self.rows(
            "count the pixels that were held back",
            "SELECT units.pass_id, held.key, SUM(held.value)
             FROM units JOIN publications USING (publication_id), json_each(units.summary, '$.held_px') AS held
             WHERE is_current GROUP BY units.pass_id, held.key",
            [],
            |row| Ok(((row.get::<_, Hex>(0)?.0, row.get(1)?), row.get(2)?)),
        )
    }
}

fn pair_of(row: &Row<'_>) -> rusqlite::Result<HeldPair> {
    Ok(HeldPair {
        pass_id: row.get::<_, Hex>("pass_id")?.0,
        earlier_pass_id: row.get::<_, Hex>("earlier_pass_id")?.0,
        area_m2: row.get("area_m2")?,
        off_px: row.get("off_px")?,
    })
}
