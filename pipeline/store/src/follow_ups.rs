//! What a pass shows of the ground of patches of earlier passes: written with its publication, read back while it is current.

use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::FollowUp;
use shorewatch_domain::digest::Digest;

use crate::error::StoreError;
use crate::publish::Publication;
use crate::store::Store;
use crate::values::Hex;

/// A follow-up in the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredFollowUp {
    /// What is shown.
    pub follow_up: FollowUp,
    /// The publication that it belongs to.
    pub publication_id: Digest,
    /// The pass that shows it.
    pub pass_id: Digest,
}

impl Store {
    /// Follow-ups of current publications, by patch, then in the order in which they were published. The patch may be gone
    /// since.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn follow_ups(&self) -> Result<Vec<StoredFollowUp>, StoreError> {
        self.rows("read the follow-ups", CURRENT, [], follow_up_of)
    }
}

/// Follow-ups of current publications.
pub(crate) const CURRENT: &str = "SELECT follow_ups.*, publications.post_date FROM follow_ups
     JOIN publications USING (publication_id) WHERE is_current ORDER BY patch_id, follow_ups.fid";

pub(crate) fn insert(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO follow_ups (publication_id, pass_id, patch_id, observed_fraction, present_fraction, changed_fraction,
                                 review_score)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for told in &publication.follow_ups {
        statement.execute(params![
            Hex(publication.id),
            Hex(publication.pass_id),
            told.patch_id,
            told.observed_fraction,
            told.present_fraction,
            told.changed_fraction,
            told.review_score,
        ])?;
    }
    Ok(())
}

pub(crate) fn follow_up_of(row: &Row<'_>) -> rusqlite::Result<StoredFollowUp> {
    Ok(StoredFollowUp {
        follow_up: FollowUp {
            patch_id: row.get("patch_id")?,
            observed_fraction: row.get("observed_fraction")?,
            present_fraction: row.get("present_fraction")?,
            changed_fraction: row.get("changed_fraction")?,
            review_score: row.get("review_score")?,
        },
        publication_id: row.get::<_, Hex>("publication_id")?.0,
        pass_id: row.get::<_, Hex>("pass_id")?.0,
    })
}
