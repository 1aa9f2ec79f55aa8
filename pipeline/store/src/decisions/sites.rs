//! Places that were decided on before: what a later patch at the same place is linked with.

use geo_types::Polygon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shorewatch_domain::decision::DecisionVerdict;

use super::rows::NamedVerdict;
use crate::error::StoreError;
use crate::geometry::Shape;
use crate::store::Store;
use crate::values::Utc;

/// A decided patch, current or superseded.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReviewedSite {
    /// The patch.
    pub patch_id: String,
    /// Its outline, as corrected (CGCS2000: longitude, latitude).
    pub outline: Polygon<f64>,
    /// The outline is one that the reviewer drew, not that of the patch.
    pub redrawn: bool,
    /// Area of the patch as it was found, in m².
    pub area_m2: f64,
    /// What was decided.
    pub verdict: DecisionVerdict,
    /// When.
    pub decided_at: Timestamp,
}

impl Store {
    /// Every decided patch, current or superseded, in order of patch id.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn reviewed_sites(&self) -> Result<Vec<ReviewedSite>, StoreError> {
        self.rows(
            "read the reviewed sites",
            "SELECT s.patch_id, coalesce(s.geometry, p.geom, o.geom) AS outline, s.geometry IS NOT NULL AS redrawn,
                 coalesce(p.area_m2, o.area_m2) AS area_m2,
                 s.verdict, s.decided_at
             FROM decision_state s LEFT JOIN patches p ON p.patch_id = s.patch_id
                 LEFT JOIN patches_superseded o ON p.fid IS NULL
                     AND o.fid = (SELECT max(fid) FROM patches_superseded l WHERE l.patch_id = s.patch_id)
             WHERE s.state = 'decided' AND coalesce(p.fid, o.fid) IS NOT NULL
             ORDER BY s.patch_id",
            [],
            |row| {
                Ok(ReviewedSite {
                    patch_id: row.get("patch_id")?,
                    outline: row.get::<_, Shape<_>>("outline")?.0,
                    redrawn: row.get("redrawn")?,
                    area_m2: row.get("area_m2")?,
                    verdict: row.get::<_, NamedVerdict>("verdict")?.0,
                    decided_at: row.get::<_, Utc>("decided_at")?.0,
                })
            },
        )
    }
}
