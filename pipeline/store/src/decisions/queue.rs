//! The queue: patches in the order in which they are looked at.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};
use serde::{Deserialize, Serialize};
use shorewatch_domain::access::Scope;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::decision::state::ReviewState;

use super::rows::{NamedState, NamedVerdict};
use crate::error::StoreError;
use crate::scope::Condition;
use crate::store::Store;
use crate::values::Utc;

/// Which patches, and from where on.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct QueueFilter {
    /// Where the account may look.
    pub scope: Scope,
    /// Decided ones instead of those that wait.
    pub decided: bool,
    /// Only these that wait in this state.
    pub state: Option<ReviewState>,
    /// Of this issue class.
    pub issue_class: Option<String>,
    /// Of this severity.
    pub severity: Option<String>,
    /// Of this managed reach.
    pub reach_id: Option<String>,
    /// Of this county (6 digits).
    pub county: Option<String>,
    /// Of this sensor.
    pub sensor: Option<String>,
    /// With this verdict.
    pub verdict: Option<DecisionVerdict>,
    /// Acquired at this time or after it.
    pub since: Option<Timestamp>,
    /// Acquired before this time.
    pub until: Option<Timestamp>,
    /// Only what the account itself decided, or holds a lease of.
    pub mine: bool,
    /// Without these patches: the one that is shown already.
    pub without: Vec<String>,
    /// After this row of the page before.
    pub after: Option<QueueKey>,
}

/// Where a row stands in the order.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct QueueKey {
    /// Its priority.
    pub priority: f64,
    /// Its row number.
    pub fid: i64,
}

/// A row of the queue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct QueueRow {
    /// Where it stands.
    pub key: QueueKey,
    /// The patch.
    pub patch_id: String,
    /// Number of decisions so far: what a decision made from this row must have seen.
    pub version: u64,
    /// Whether it waits again since imagery contradicts a closure, or can't judge it.
    pub shown_again: bool,
    /// Where it stands in review.
    pub state: ReviewState,
    /// The verdict so far.
    pub verdict: Option<DecisionVerdict>,
    /// What it may be in law, as corrected.
    pub issue_class: String,
    /// How bad it is, where that is told.
    pub severity: Option<String>,
    /// Managed reach.
    pub reach_id: String,
    /// Its name.
    pub reach_name: String,
    /// What is seen.
    pub object_class: String,
    /// Area in m².
    pub area_m2: f64,
    /// County code, where layers tell it.
    pub county: Option<String>,
    /// Sensor of the later pass.
    pub sensor: String,
    /// Later acquisition.
    pub post_date: Timestamp,
    /// A point inside (longitude, latitude).
    pub centre: (f64, f64),
}

/// How many wait, and how many somebody decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct QueueCounts {
    /// Waiting, at most [`MOST_COUNTED`].
    pub waiting: u64,
    /// Decided, at most [`MOST_COUNTED`].
    pub decided: u64,
    /// Decided by the account since midnight UTC.
    pub mine_today: u64,
}

/// Values of one column that are told for the filters.
const MOST_VALUES: usize = 500;

/// Counting the patches of one value stops here.
pub const MOST_OF_A_VALUE: u64 = 1_000;

/// Parts of a scope that are walked each by its own index.
const MOST_PARTS: usize = 16;

/// Counting stops here: what the page shows as "more than".
pub const MOST_COUNTED: u64 = 10_000;

impl Store {
    /// The queue, highest priority first, at most `limit` rows. What others look at now, and what the account has said its
    /// word on already, is left out of what waits.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn queue(
        &self,
        filter: &QueueFilter,
        account: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<QueueRow>, StoreError> {
        let (mut wanted_rows, mut values) = (Vec::new(), Vec::new());
        for part in parts(&filter.scope) {
            let condition = to_show(&QueueFilter { scope: part, ..filter.clone() }, account, now);
            wanted_rows.push(format!(
                "SELECT * FROM (SELECT q.fid, q.priority FROM review_queue q WHERE {}
                     ORDER BY q.priority DESC, q.fid LIMIT {limit})",
                condition.sql()
            ));
            values.extend(condition.values);
        }
        let sql = format!(
            "SELECT q.*, p.reach_name, p.object_class, p.area_m2, p.centre_longitude, p.centre_latitude,
                 coalesce((SELECT s.version FROM decision_state s WHERE s.patch_id = q.patch_id), 0) AS version,
                 EXISTS (SELECT 1 FROM review_requests r WHERE r.patch_id = q.patch_id AND r.done_at IS NULL) AS shown_again
             FROM ({}) k CROSS JOIN review_queue q ON q.fid = k.fid CROSS JOIN patches p ON p.fid = k.fid
             ORDER BY k.priority DESC, k.fid LIMIT {limit}",
            // each part of a scope has an index of its own that is in the right order; what lies in two parts is one row
            wanted_rows.join(" UNION ")
        );
        self.rows("read the queue", &sql, params_from_iter(values), row_of)
    }

    /// How much is left and how much is done in a scope.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn queue_counts(&self, scope: &Scope, account: &str, now: Timestamp) -> Result<QueueCounts, StoreError> {
        let count = |filter: QueueFilter| -> Result<u64, StoreError> {
            let condition = wanted(&filter, account);
            let sql = format!(
                "SELECT count(*) FROM (SELECT 1 FROM review_queue q WHERE {} LIMIT {MOST_COUNTED})",
                condition.sql()
            );
            let counts: Vec<u64> =
                self.rows("count the queue", &sql, params_from_iter(condition.values), |row| row.get(0))?;
            Ok(counts.first().copied().unwrap_or(0))
        };
        let scope = || scope.clone();
        let midnight = now.strftime("%Y-%m-%dT00:00:00.000Z").to_string();
        let today: Vec<u64> = self.rows(
            "count the reviewer's decisions",
            "SELECT count(*) FROM decisions WHERE reviewer = ?1 AND decided_at >= ?2 AND verdict IS NOT NULL",
            [account, &midnight],
            |row| row.get(0),
        )?;
        Ok(QueueCounts {
            waiting: count(QueueFilter { scope: scope(), ..QueueFilter::default() })?,
            decided: count(QueueFilter { scope: scope(), decided: true, ..QueueFilter::default() })?,
            mine_today: today.first().copied().unwrap_or(0),
        })
    }

    /// Whether a current patch lies in a scope; `None` where there is no such patch.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patch_in_scope(&self, patch_id: &str, scope: &Scope) -> Result<Option<bool>, StoreError> {
        let mut condition = Condition::default();
        condition.and_in(scope);
        let sql = format!("SELECT {} FROM review_queue q WHERE q.patch_id = ?", condition.sql());
        let mut values = condition.values;
        values.push(patch_id.to_owned().into());
        let found: Vec<Option<bool>> =
            self.rows("look for the patch", &sql, params_from_iter(values), |row| row.get(0))?;
        Ok(found.first().map(|holds| holds.unwrap_or(false)))
    }

    /// Ids of patches of a pass that wait, in a scope: what "bad imagery, the whole pass" means.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn waiting_of_pass(&self, pass_id: &str, scope: &Scope) -> Result<Vec<String>, StoreError> {
        let mut condition = Condition::default();
        condition.and("q.post_pass_id = ? AND q.waiting = 1", [pass_id.to_owned().into()]);
        condition.and_in(scope);
        let sql = format!("SELECT q.patch_id FROM review_queue q WHERE {} ORDER BY q.fid", condition.sql());
        self.rows("read the patches of the pass", &sql, params_from_iter(condition.values), |row| row.get(0))
    }

    /// Values that patches in a scope have that wait, for the filters: column by column, each with its count (at most
    /// [`MOST_OF_A_VALUE`] where the scope is everything).
    ///
    /// # Errors
    /// A fault of the file.
    pub fn queue_values(&self, scope: &Scope) -> Result<Vec<(String, String, u64)>, StoreError> {
        let mut all = Vec::new();
        for column in ["issue_class", "severity", "reach_id", "county", "sensor"] {
            let values = if scope.is_all() { self.values_of(column)? } else { self.values_within(column, scope)? };
            all.extend(values.into_iter().map(|(value, count)| (column.to_owned(), value, count)));
        }
        Ok(all)
    }

    fn values_within(&self, column: &str, scope: &Scope) -> Result<Vec<(String, u64)>, StoreError> {
        let mut condition = Condition::default();
        condition.and("q.waiting = 1", []);
        condition.and_in(scope);
        let sql = format!(
            "SELECT q.{column}, count(*) FROM review_queue q WHERE {} AND q.{column} IS NOT NULL
             GROUP BY q.{column} ORDER BY 2 DESC, 1 LIMIT {MOST_VALUES}",
            condition.sql()
        );
        self.rows("read the filters", &sql, params_from_iter(condition.values), |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// From one value to the next along the index: a million patches need not be looked at.
    fn values_of(&self, column: &str) -> Result<Vec<(String, u64)>, StoreError> {
        let next = format!("SELECT min({column}) FROM review_queue WHERE waiting = 1 AND {column} > ?1");
        let count = format!(
            "SELECT count(*) FROM (SELECT 1 FROM review_queue WHERE waiting = 1 AND {column} = ?1 LIMIT {MOST_OF_A_VALUE})"
        );
        let (mut values, mut last) = (Vec::new(), String::new());
        while values.len() < MOST_VALUES {
            let found: Vec<Option<String>> = self.rows("read the filters", &next, [&last], |row| row.get(0))?;
            let Some(value) = found.into_iter().flatten().next() else { break };
            let counts: Vec<u64> = self.rows("read the filters", &count, [&value], |row| row.get(0))?;
            last.clone_from(&value);
            values.push((value, counts.first().copied().unwrap_or(0)));
        }
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Ok(values)
    }
}

/// The parts of a scope, each of which is walked by its own index; many are walked together, and looked at row by row.
fn parts(scope: &Scope) -> Vec<Scope> {
    if scope.is_all() {
        vec![Scope::all()]
    } else if scope.0.is_empty() || scope.0.len() > MOST_PARTS {
        vec![scope.clone()]
    } else {
        scope.0.iter().map(|part| Scope(vec![part.clone()])).collect()
    }
}

/// What the queue shows an account: of what is wanted, that which waits for it.
fn to_show(filter: &QueueFilter, account: &str, now: Timestamp) -> Condition {
    let mut condition = wanted(filter, account);
    if !filter.decided && !filter.mine {
        condition.and(
            "NOT EXISTS (SELECT 1 FROM review_leases l WHERE l.patch_id = q.patch_id AND l.account <> ?
                 AND l.expires_at > ?)",
            [Value::from(account.to_owned()), time(now)],
        );
        condition.and(
            // what was decided waits only where imagery asks for another look: that is not the second opinion on the same
            "(q.state IN ('open', 'decided') OR NOT EXISTS (SELECT 1 FROM decision_state s, json_each(s.reviewers) r
                 WHERE s.patch_id = q.patch_id AND r.value = ?))",
            [Value::from(account.to_owned())],
        );
    }
    if let Some(after) = filter.after {
        condition.and(
            "q.priority <= ? AND (q.priority < ? OR q.fid > ?)",
            [after.priority.into(), after.priority.into(), after.fid.into()],
        );
    }
    condition
}

fn wanted(filter: &QueueFilter, account: &str) -> Condition {
    let mut condition = Condition::default();
    if filter.decided {
        condition.and("q.waiting = 0 AND q.state = 'decided'", []);
    } else if !filter.mine {
        condition.and("q.waiting = 1", []);
    }
    if let Some(state) = filter.state {
        condition.and("q.state = ?", [state.name().to_owned().into()]);
    }
    condition.and_if("q.issue_class = ?", filter.issue_class.as_ref());
    condition.and_if("q.severity = ?", filter.severity.as_ref());
    condition.and_if("q.reach_id = ?", filter.reach_id.as_ref());
    condition.and_if("q.county = ?", filter.county.as_ref());
    condition.and_if("q.sensor = ?", filter.sensor.as_ref());
    condition.and_if("q.verdict = ?", filter.verdict.map(|verdict| verdict.name().to_owned()).as_ref());
    // the plus keeps SQLite from walking an index of times and sorting what it finds: the order of priority is what matters
    if let Some(since) = filter.since {
        condition.and("+q.post_date >= ?", [time(since)]);
    }
    if let Some(until) = filter.until {
        condition.and("+q.post_date < ?", [time(until)]);
    }
    if filter.mine {
        condition.and(
            "q.patch_id IN (SELECT patch_id FROM decisions WHERE reviewer = ?
                 UNION SELECT patch_id FROM review_leases WHERE account = ?)",
            [Value::from(account.to_owned()), Value::from(account.to_owned())],
        );
    }
    for patch_id in &filter.without {
        condition.and("q.patch_id <> ?", [patch_id.clone().into()]);
    }
    condition.and_in(&filter.scope);
    condition
}

fn time(time: Timestamp) -> Value {
    Value::from(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
}

fn row_of(row: &Row<'_>) -> rusqlite::Result<QueueRow> {
    Ok(QueueRow {
        key: QueueKey { priority: row.get("priority")?, fid: row.get("fid")? },
        patch_id: row.get("patch_id")?,
        version: row.get("version")?,
        shown_again: row.get("shown_again")?,
        state: row.get::<_, NamedState>("state")?.0,
        verdict: row.get::<_, Option<NamedVerdict>>("verdict")?.map(|named| named.0),
        issue_class: row.get("issue_class")?,
        severity: row.get("severity")?,
        reach_id: row.get("reach_id")?,
        reach_name: row.get("reach_name")?,
        object_class: row.get("object_class")?,
        area_m2: row.get("area_m2")?,
        county: row.get("county")?,
        sensor: row.get("sensor")?,
        post_date: row.get::<_, Utc>("post_date")?.0,
        centre: (row.get("centre_longitude")?, row.get("centre_latitude")?),
    })
}
