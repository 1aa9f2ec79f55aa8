//! Everything that is known of a finding, for a message or a package.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use shorewatch_domain::finding::{IssueState, Standing};

use super::{IssueName, StandingName};
use crate::error::{Refusal, StoreError};
use crate::patches::{StoredPatch, patch_of};
use crate::store::Store;
use crate::values::{Json, Utc};

/// A finding with its patch and what layers and rules say of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Its id.
    pub finding_id: String,
    /// Its case, where there is one.
    pub case_id: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// Number of things that were told of it so far.
    pub revision: u32,
    /// 1, and one more for each time that it came back after it was closed.
    pub occurrence: u32,
    /// When it was first confirmed.
    pub confirmed_at: Timestamp,
    /// Where the issue system has it.
    pub issue_state: Option<IssueState>,
    /// The outcome as the issue system codes it.
    pub outcome: Option<String>,
    /// When its deadline was escalated.
    pub escalated_at: Option<Timestamp>,
    /// The patch that shows it, current or superseded; `None` where a store was restored without it.
    pub patch: Option<StoredPatch>,
    /// The row of `assessments`, column by column; empty where there is none.
    pub assessment: serde_json::Map<String, serde_json::Value>,
    /// Decisions on its patches, earliest first.
    pub decisions: Vec<DecisionRecord>,
}

/// The latest decision on one patch of a finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Its id.
    pub decision_id: String,
    /// The patch.
    pub patch_id: String,
    /// The verdict; `None` where it was taken back.
    pub verdict: Option<String>,
    /// What the reviewer corrected.
    pub corrected: serde_json::Value,
    /// When.
    pub decided_at: Timestamp,
}

/// One thing that was told of a finding.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ToldEvent {
    /// Id of the event.
    pub event_id: String,
    /// What.
    pub kind: String,
    /// The patch.
    pub patch_id: String,
    /// What else belonged to it.
    pub details: serde_json::Value,
    /// When it came about.
    pub created_at: Timestamp,
    /// What became of it at each target: target, state.
    pub deliveries: Vec<(String, String)>,
}

impl Store {
    /// A finding by its id, or by the id of its case or of one of its patches; `None` where there is none.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn finding(&self, selector: &str) -> Result<Option<FindingRecord>, StoreError> {
        let during = "read the finding";
        let found = self
            .connection
            .prepare_cached(
                "SELECT * FROM findings WHERE finding_id = ?1 OR finding_id = (
                     SELECT finding_id FROM finding_patches WHERE patch_id = ?1)
                 OR finding_id = (SELECT finding_id FROM findings WHERE case_id = ?1 ORDER BY fid LIMIT 1) LIMIT 1",
            )
            .and_then(|mut statement| statement.query_row([selector], head_of).optional())
            .map_err(|fault| self.fault(during, fault))?;
        let Some((mut record, patch_id)) = found else { return Ok(None) };
        record.patch = self.patch_anywhere(&patch_id)?;
        record.assessment = self.assessment_row(&patch_id)?;
        record.decisions = self.rows(
            during,
            "SELECT * FROM finding_patches WHERE finding_id = ?1 ORDER BY decided_at, fid",
            [&record.finding_id],
            |row| {
                Ok(DecisionRecord {
                    decision_id: row.get("decision_id")?,
                    patch_id: row.get("patch_id")?,
                    verdict: row.get("verdict")?,
                    corrected: row.get::<_, Json<_>>("corrected")?.0,
                    decided_at: row.get::<_, Utc>("decided_at")?.0,
                })
            },
        )?;
        Ok(Some(record))
    }

    /// The same, where there must be one.
    ///
    /// # Errors
    /// There is none; a fault of the file.
    pub fn finding_or_refuse(&self, selector: &str) -> Result<FindingRecord, StoreError> {
        self.finding(selector)?.ok_or_else(|| StoreError::Refused {
            path: self.path.clone(),
            during: "read the finding",
            source: Box::new(Refusal::Unknown {
                kind: "finding",
                selector: selector.to_owned(),
                next: "give the id of a finding, case or patch that a person confirmed",
            }),
        })
    }

    /// The patches that a person confirmed and that stand: what a closure can be asked for.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn confirmed_patches(&self) -> Result<BTreeSet<String>, StoreError> {
        let patches: Vec<String> = self.rows(
            "list the patches of standing findings",
            "SELECT p.patch_id FROM finding_patches p JOIN findings f USING (finding_id)
             WHERE p.opens AND f.standing = 'stands'",
            [],
            |row| row.get(0),
        )?;
        Ok(patches.into_iter().collect())
    }

    /// A patch by its id, current or superseded.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patch_anywhere(&self, patch_id: &str) -> Result<Option<StoredPatch>, StoreError> {
        for table in ["patches", "patches_superseded"] {
            let sql = format!("SELECT * FROM {table} WHERE patch_id = ?1 ORDER BY fid DESC LIMIT 1");
            let rows: Vec<StoredPatch> = self.rows("read the patch", &sql, [patch_id], patch_of)?;
            if let Some(patch) = rows.into_iter().next() {
                return Ok(Some(patch));
            }
        }
        Ok(None)
    }

    fn assessment_row(&self, patch_id: &str) -> Result<serde_json::Map<String, serde_json::Value>, StoreError> {
        let sql = "SELECT * FROM assessments WHERE patch_id = ?1";
        let rows: Vec<_> = self.rows("read what layers and rules say of the patch", sql, [patch_id], columns_of)?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// Everything that was told of a finding, earliest first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn told_of(&self, finding_id: &str) -> Result<Vec<ToldEvent>, StoreError> {
        let during = "read what was told of the finding";
        let mut events: Vec<ToldEvent> =
            self.rows(during, "SELECT * FROM outbox_events WHERE finding_id = ?1 ORDER BY fid", [finding_id], |row| {
                Ok(ToldEvent {
                    event_id: row.get("event_id")?,
                    kind: row.get("kind")?,
                    patch_id: row.get("patch_id")?,
                    details: row.get::<_, Json<_>>("details")?.0,
                    created_at: row.get::<_, Utc>("created_at")?.0,
                    deliveries: Vec::new(),
                })
            })?;
        for event in &mut events {
            event.deliveries = self.rows(
                during,
                "SELECT target, state FROM outbox_deliveries
                 WHERE event = (SELECT fid FROM outbox_events WHERE event_id = ?1) ORDER BY target",
                [&event.event_id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
        }
        Ok(events)
    }
}

fn head_of(row: &Row<'_>) -> rusqlite::Result<(FindingRecord, String)> {
    let record = FindingRecord {
        finding_id: row.get("finding_id")?,
        case_id: row.get("case_id")?,
        standing: row.get::<_, StandingName>("standing")?.0,
        revision: row.get("revision")?,
        occurrence: row.get("occurrence")?,
        confirmed_at: row.get::<_, Utc>("confirmed_at")?.0,
        issue_state: row.get::<_, Option<IssueName>>("issue_state")?.map(|IssueName(state)| state),
        outcome: row.get("outcome")?,
        escalated_at: row.get::<_, Option<Utc>>("escalated_at")?.map(|Utc(time)| time),
        patch: None,
        assessment: serde_json::Map::new(),
        decisions: Vec::new(),
    };
    Ok((record, row.get("patch_id")?))
}

/// A row as JSON; columns without a value are left out.
fn columns_of(row: &Row<'_>) -> rusqlite::Result<serde_json::Map<String, serde_json::Value>> {
    let mut map = serde_json::Map::new();
    for (number, name) in row.as_ref().column_names().enumerate() {
        let value = match row.get_ref(number)? {
            ValueRef::Null | ValueRef::Blob(_) => continue,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        };
        map.insert(name.to_owned(), value);
    }
    Ok(map)
}
