//! Cases: what several passes say about one place, as it is read back. [`Store::rebuild_cases`] makes them.

use geo_types::Polygon;
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::{CaseEvent, CasePoint, CaseState};
use shorewatch_domain::classes::IssueClass;

use crate::error::StoreError;
use crate::geometry::Shape;
use crate::patches;
use crate::store::Store;
use crate::values::{Hex, Json, Utc, named};

mod rebuild;

pub use rebuild::CaseCounts;

/// A case in the store; its times are kept to the millisecond.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StoredCase {
    /// Its id: the same however many passes are added later.
    pub case_id: String,
    /// Where it stands.
    pub state: CaseState,
    /// True from the first patch on that was urgent.
    pub urgent: bool,
    /// What is seen in its latest patch ("building").
    pub object_class: String,
    /// What that may be in law.
    pub suspected_issue_class: IssueClass,
    /// Reach that holds the largest part of its latest patch.
    pub reach_id: String,
    /// Name of that reach.
    pub reach_name: String,
    /// Outline of its latest patch (longitude, latitude; EPSG:4490).
    pub outline: Polygon<f64>,
    /// Area of its latest patch in m².
    pub area_m2: f64,
    /// Acquisition of the pass that founded it.
    pub first_seen: Timestamp,
    /// Acquisition of the last pass that showed it.
    pub last_seen: Timestamp,
    /// Acquisition of the last pass after the first that observed its ground; `None` where none has yet.
    pub last_observed: Option<Timestamp>,
    /// Review score of its latest patch (0..1), where it has one.
    pub review_score: Option<f64>,
    /// Number of its patches.
    pub patch_count: u64,
    /// Ids of the cases that it came out of: the one that it was split from, and those that merged into it.
    pub parents: Vec<String>,
    /// The last thing that happened to it.
    pub last_event: CaseEvent,
}

impl Store {
    /// Every case, closed and merged ones too, in order of case id, as [`Store::rebuild_cases`] last left them.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn cases(&self) -> Result<Vec<StoredCase>, StoreError> {
        self.rows("read the cases", CASES, [], case_of)
    }

    /// What each pass meant for a case, earliest first; nothing for a case that is not there.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn case_events(&self, case_id: &str) -> Result<Vec<CasePoint>, StoreError> {
        let sql = "SELECT * FROM case_events WHERE case_id = ?1 ORDER BY fid";
        self.rows("read the events of the case", sql, [case_id], point_of)
    }
}

const CASES: &str = "SELECT * FROM cases ORDER BY case_id";

/// A state by its name.
struct State(CaseState);

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &CaseState::ALL, CaseState::name).map(Self)
    }
}

/// An event by its name.
struct Event(CaseEvent);

impl FromSql for Event {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        named(value, &CaseEvent::ALL, CaseEvent::name).map(Self)
    }
}

fn case_of(row: &Row<'_>) -> rusqlite::Result<StoredCase> {
    let time = |column: &str| row.get::<_, Utc>(column).map(|Utc(time)| time);
    Ok(StoredCase {
        case_id: row.get("case_id")?,
        state: row.get::<_, State>("state")?.0,
        urgent: row.get("urgent")?,
        object_class: row.get("object_class")?,
        suspected_issue_class: row.get::<_, patches::Named>("suspected_issue_class")?.0,
        reach_id: row.get("reach_id")?,
        reach_name: row.get("reach_name")?,
        outline: row.get::<_, Shape<_>>("geom")?.0,
        area_m2: row.get("area_m2")?,
        first_seen: time("first_seen")?,
        last_seen: time("last_seen")?,
        last_observed: row.get::<_, Option<Utc>>("last_observed")?.map(|Utc(time)| time),
        review_score: row.get("review_score")?,
        patch_count: row.get("patch_count")?,
        parents: row.get::<_, Json<_>>("parents")?.0,
        last_event: row.get::<_, Event>("last_event")?.0,
    })
}

fn point_of(row: &Row<'_>) -> rusqlite::Result<CasePoint> {
    Ok(CasePoint {
        pass_id: row.get::<_, Hex>("pass_id")?.0,
        date: row.get::<_, Utc>("date")?.0,
        event: row.get::<_, Event>("event")?.0,
        area_m2: row.get("area_m2")?,
        review_score: row.get("review_score")?,
        observed_fraction: row.get("observed_fraction")?,
        patch_id: row.get("patch_id")?,
    })
}
