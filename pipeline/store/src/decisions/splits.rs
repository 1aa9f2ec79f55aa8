//! Splitting: the part of a patch that a reviewer cut off becomes a patch of its own, and goes again when that is taken back.
//!
//! The part's id follows from the patch's and the decision's: the decision tells which part it made, without another table.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction};
use shorewatch_domain::decision::Decision;
use shorewatch_domain::decision::state::standing_decisions;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::patch::Patch;

use super::{DecisionRules, RecordedDecision, invalid, record, rows};
use crate::error::{Refusal, StoreError, Trouble};
use crate::publish::{NewPatch, note_change};
use crate::store::Store;
use crate::values::Hex;
use crate::{geometry, patches};

/// The id of the part that a decision splits off a patch.
#[must_use]
pub fn part_id(patch_id: &str, decision_id: &str) -> String {
    format!("{patch_id}-{}", Digest::of_bytes(format!("{patch_id} {decision_id}").as_bytes()).short())
}

impl Store {
    /// Records a decision on a patch and makes what it cut off a patch of its own, in one transaction. `part` is that patch: its
    /// own id ([`part_id`]), outline, area, perimeter and centre; everything else is where it came from. It lies in the
    /// publication of the patch and has what layers and rules said of it until they are asked again.
    ///
    /// # Errors
    /// As [`Store::record_decision`]; the patch is superseded; another decision that stands has split it already.
    pub fn record_split(
        &mut self,
        decision: &Decision,
        part: &Patch,
        rules: &DecisionRules,
        now: Timestamp,
    ) -> Result<RecordedDecision, StoreError> {
        self.write("record the decision and the part that was split off", |transaction| {
            let before = rows::on_patch(transaction, &decision.patch_id)?;
            let recorded = record(transaction, decision, rules, now)?;
            if recorded.repeated {
                return Ok(recorded);
            }
            for standing in standing_decisions(&before) {
                if let Some(other) = part_of(transaction, standing)? {
                    let got = format!("one that was split already: {other} is the other part");
                    return Err(invalid(decision, "a patch that nobody has split", got).into());
                }
            }
            if part.patch_id != part_id(&decision.patch_id, &decision.decision_id) {
                return Err(invalid(decision, "a part named after the patch", part.patch_id.clone()).into());
            }
            if let Some(fault) = geometry::fault([&part.geometry]) {
                return Err(invalid(decision, "a part with an outline that is one", fault).into());
            }
            insert_part(transaction, &decision.patch_id, part)?;
            note_change(transaction, now)?;
            Ok(recorded)
        })
    }

    /// The part that a decision split off; `None` where it split nothing, or was taken back.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn split_part(&self, decision: &Decision) -> Result<Option<String>, StoreError> {
        part_of(&self.connection, decision).map_err(|fault| self.fault("look for a part that was split off", fault))
    }
}

fn part_of(connection: &Connection, decision: &Decision) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT patch_id FROM patches WHERE patch_id = ?1")?
        .query_row([part_id(&decision.patch_id, &decision.decision_id)], |row| row.get(0))
        .optional()
}

fn insert_part(transaction: &Transaction<'_>, patch_id: &str, part: &Patch) -> Result<(), Trouble> {
    let home = transaction
        .prepare_cached("SELECT publication_id, run_id FROM patches WHERE patch_id = ?1")?
        .query_row([patch_id], |row| Ok((row.get::<_, Hex>(0)?.0, row.get::<_, Hex>(1)?.0)))
        .optional()?;
    let Some((publication_id, run_id)) = home else {
        let next = "it was superseded meanwhile: decide on it without splitting it";
        return Err(Refusal::Unknown { kind: "patch", selector: patch_id.to_owned(), next }.into());
    };
    let new = NewPatch { patch: part.clone(), rank: None, chip_before: None, chip_after: None };
    patches::insert(transaction, &[new], &publication_id, &run_id)?;
    // the same ground: whose it is and how bad it may be holds for both parts until the rules are asked again
    let columns: Vec<String> = transaction
        .prepare_cached(
            "SELECT name FROM pragma_table_info('assessments') WHERE name NOT IN ('fid', 'patch_id', 'number')",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let columns = columns.join(", ");
    transaction.execute(
        &format!(
            "INSERT INTO assessments (patch_id, {columns}) SELECT ?2, {columns} FROM assessments WHERE patch_id = ?1"
        ),
        [patch_id, &part.patch_id],
    )?;
    Ok(())
}

/// After an undo: parts of decisions that stand no more go back to where superseded patches are kept.
///
/// # Errors
/// Somebody decided on the part meanwhile: that has to be taken back first.
pub(super) fn take_back(
    transaction: &Transaction<'_>,
    before: &[Decision],
    undo: &Decision,
    now: Timestamp,
) -> Result<(), Trouble> {
    let Some(taken) = standing_decisions(before).into_iter().rfind(|made| made.reviewer == undo.reviewer) else {
        return Ok(());
    };
    let Some(part) = part_of(transaction, taken)? else { return Ok(()) };
    if !rows::state(transaction, &part)?.reviewers.is_empty() {
        let got = format!("a decision on {part}, the part that it split off");
        return Err(invalid(undo, "that nobody has decided on the other part: take that back first", got).into());
    }
    patches::move_one_to_superseded(transaction, &part)?;
    transaction.execute("DELETE FROM assessments WHERE patch_id = ?1", [&part])?;
    transaction.execute("DELETE FROM review_leases WHERE patch_id = ?1", [&part])?;
    note_change(transaction, now)?;
    Ok(())
}
