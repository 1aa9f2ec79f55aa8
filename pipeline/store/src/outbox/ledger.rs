//! What a ledger tells of the way of a patch: where the issue system has it, and who had reported the place.

use std::collections::BTreeMap;

use geo_types::Polygon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shorewatch_domain::finding::IssueState;

use super::IssueName;
use crate::error::StoreError;
use crate::geometry::Shape;
use crate::store::Store;
use crate::values::Utc;

/// Where the issue system has the finding of a patch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PatchIssue {
    /// The finding.
    pub finding_id: String,
    /// What it is called in the issue systems: `target: id`, in order of target; empty where none has taken it yet.
    pub names: Vec<String>,
    /// Its state over there, as last reported.
    pub state: Option<IssueState>,
    /// When that was reported.
    pub state_at: Option<Timestamp>,
    /// The outcome as the issue system codes it.
    pub outcome: Option<String>,
}

/// A report of a place, by the public or by others, with the area that it belongs to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReportedPlace {
    /// The area (longitude, latitude; EPSG:4490).
    pub outline: Polygon<f64>,
    /// Who or what the report comes from.
    pub source: String,
    /// How urgent it is held to be: 1 is the lowest.
    pub level: u8,
    /// When.
    pub reported_at: Timestamp,
}

impl Store {
    /// Where the issue system has each patch that makes a standing finding, by patch.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patch_issues(&self) -> Result<BTreeMap<String, PatchIssue>, StoreError> {
        let during = "read where the issue system has the patches";
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let links: Vec<(String, String)> = self.rows(
            during,
            "SELECT finding_id, target || ': ' || external_id FROM finding_links ORDER BY finding_id, target",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (finding_id, name) in links {
            names.entry(finding_id).or_default().push(name);
        }
        let mut issues: BTreeMap<String, PatchIssue> = self.rows(
            during,
            "SELECT p.patch_id, f.finding_id, f.issue_state, f.issue_state_at, f.outcome
             FROM finding_patches p JOIN findings f USING (finding_id) WHERE p.opens AND f.standing = 'stands'",
            [],
            |row| {
                let issue = PatchIssue {
                    finding_id: row.get(1)?,
                    names: Vec::new(),
                    state: row.get::<_, Option<IssueName>>(2)?.map(|IssueName(state)| state),
                    state_at: row.get::<_, Option<Utc>>(3)?.map(|Utc(time)| time),
                    outcome: row.get(4)?,
                };
                Ok((row.get(0)?, issue))
            },
        )?;
        for issue in issues.values_mut() {
            issue.names = names.get(&issue.finding_id).cloned().unwrap_or_default();
        }
        Ok(issues)
    }

    /// Every report of a place with its area, earliest first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn reported_places(&self) -> Result<Vec<ReportedPlace>, StoreError> {
        self.rows(
            "read the reports of places",
            "SELECT a.geom, r.source, r.level, r.reported_at FROM tasking_reports r JOIN tasking_areas a USING (area_id)
             ORDER BY r.reported_at, r.report_id",
            [],
            |row| {
                Ok(ReportedPlace {
                    outline: row.get::<_, Shape<_>>(0)?.0,
                    source: row.get(1)?,
                    level: row.get(2)?,
                    reported_at: row.get::<_, Utc>(3)?.0,
                })
            },
        )
    }
}
