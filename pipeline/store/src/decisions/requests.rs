//! Why a patch is shown again after it was decided: imagery contradicts a closure, or cannot judge it.

use jiff::Timestamp;
use rusqlite::Row;
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;

use crate::error::StoreError;
use crate::store::Store;
use crate::values::{Hex, Utc};

/// A request to look at a patch again that nobody has answered yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReviewRequest {
    /// Why: `finding.closure_contradicted`, `finding.recurred` or `closure_cannot_be_told`.
    pub reason: String,
    /// The finding whose closure it is about.
    pub finding_id: String,
    /// The pass that says so.
    pub pass_id: Digest,
    /// When that pass was acquired, where the store still has it.
    pub acquired_at: Option<Timestamp>,
    /// When the issue system said that the finding is closed, where it did.
    pub closed_at: Option<Timestamp>,
    /// When the request was made.
    pub created_at: Timestamp,
}

impl Store {
    /// Requests to look at a patch again, latest first; empty for one that waits for the first time or is done.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn review_requests(&self, patch_id: &str) -> Result<Vec<ReviewRequest>, StoreError> {
        self.rows(
            "read why the patch is shown again",
            "SELECT r.reason, r.finding_id, r.pass_id, r.created_at,
                 (SELECT max(p.post_date) FROM publications p WHERE p.pass_id = r.pass_id) AS acquired_at,
                 (SELECT max(i.since) FROM reimaging i
                      WHERE i.finding_id = r.finding_id AND i.answered_by = r.pass_id) AS closed_at
             FROM review_requests r WHERE r.patch_id = ?1 AND r.done_at IS NULL ORDER BY r.fid DESC",
            [patch_id],
            request_of,
        )
    }
}

fn request_of(row: &Row<'_>) -> rusqlite::Result<ReviewRequest> {
    let time = |column: &str| row.get::<_, Option<Utc>>(column).map(|time| time.map(|Utc(time)| time));
    Ok(ReviewRequest {
        reason: row.get("reason")?,
        finding_id: row.get("finding_id")?,
        pass_id: row.get::<_, Hex>("pass_id")?.0,
        acquired_at: time("acquired_at")?,
        closed_at: time("closed_at")?,
        created_at: row.get::<_, Utc>("created_at")?.0,
    })
}
