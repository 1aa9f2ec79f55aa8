//! What reviewers decided on patches: only ever appended, the latest decision on a patch counts.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use rusqlite::{Row, Transaction, params};
use shorewatch_domain::review::{self, Review, Verdict};

use crate::error::{Refusal, StoreError};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Utc, named};

impl Store {
    /// Appends a decision on a patch, current or superseded. Its time is kept to the millisecond.
    ///
    /// # Errors
    /// No such patch; a review that lacks what it must carry; a fault of the file.
    pub fn add_review(&mut self, review: &Review, now: Timestamp) -> Result<(), StoreError> {
        self.write("add the review", |transaction| {
            let faults = review.faults();
            if !faults.is_empty() {
                return Err(Refusal::Invalid {
                    what: format!("review of patch {}", review.patch_id),
                    expected: "a verdict with all that it must carry".to_owned(),
                    got: faults.join("; "),
                    next: "correct it and record it again",
                }
                .into());
            }
            let known: bool = transaction
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM patches WHERE patch_id = ?1)
                         OR EXISTS (SELECT 1 FROM patches_superseded WHERE patch_id = ?1)",
                )?
                .query_row([&review.patch_id], |row| row.get(0))?;
            if !known {
                let next = "the layer patches and the table patches_superseded hold those that can be reviewed";
                return Err(Refusal::Unknown { kind: "patch", selector: review.patch_id.clone(), next }.into());
            }
            Ok(append(transaction, review, now)?)
        })
    }

    /// Every decision, in the order of recording.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn recorded_reviews(&self) -> Result<Vec<Review>, StoreError> {
        self.rows("read the reviews", "SELECT * FROM reviews ORDER BY fid", [], review_of)
    }

    /// The decision that counts for each reviewed patch, in order of patch id.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn reviews(&self) -> Result<Vec<Review>, StoreError> {
        Ok(review::latest(self.recorded_reviews()?))
    }
}

/// Appends a review that was checked.
pub(crate) fn append(transaction: &Transaction<'_>, review: &Review, now: Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO reviews (patch_id, verdict, reason, corrected_class, reviewer, reviewed_at, recorded_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            review.patch_id,
            review.verdict.name(),
            review.reason,
            review.corrected_class,
            review.reviewer,
            Utc(review.reviewed_at),
            Utc(now),
        ])?;
    geopackage::touch(transaction, "reviews", now)
}

/// A verdict by its name.
struct Named(Verdict);

impl FromSql for Named {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &Verdict::ALL, Verdict::name).map(Self)
    }
}

fn review_of(row: &Row<'_>) -> rusqlite::Result<Review> {
    Ok(Review {
        patch_id: row.get("patch_id")?,
        verdict: row.get::<_, Named>("verdict")?.0,
        reason: row.get("reason")?,
        corrected_class: row.get("corrected_class")?,
        reviewer: row.get("reviewer")?,
        reviewed_at: row.get::<_, Utc>("reviewed_at")?.0,
    })
}
