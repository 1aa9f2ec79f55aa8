//! Cases made anew from all that current publications say.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::{Case, CasePoint, CaseRules, CaseState, PassRecord, PatchRecord, cases_of};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::patch::Patch;

use super::{CASES, StoredCase, case_of, point_of};
use crate::error::{Refusal, StoreError, Trouble};
use crate::geometry::Shape;
use crate::store::Store;
use crate::values::{Hex, Json, Utc};
use crate::{follow_ups, geopackage, patches};

/// Cases by where they stand, and what making them anew changed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct CaseCounts {
    /// Shown by one pass.
    pub suspected: u64,
    /// Shown again by a later one.
    pub confirmed: u64,
    /// Never confirmed, and not shown since.
    pub expired: u64,
    /// Confirmed once, and gone since.
    pub cleared: u64,
    /// Gone into an older case.
    pub merged: u64,
    /// Suspected or confirmed, and urgent.
    pub urgent: u64,
    /// Cases that were not there before.
    pub added: u64,
    /// Cases that were there, and differ now.
    pub changed: u64,
    /// Cases that were there, and of which no publication tells any more.
    pub removed: u64,
}

impl CaseCounts {
    fn count(&mut self, case: &StoredCase) {
        *match case.state {
            CaseState::Suspected => &mut self.suspected,
            CaseState::Confirmed => &mut self.confirmed,
            CaseState::Expired => &mut self.expired,
            CaseState::Cleared => &mut self.cleared,
            CaseState::Merged => &mut self.merged,
        } += 1;
        self.urgent += u64::from(case.urgent && case.state.is_open());
    }
}

/// Cases by id, each with its events, earliest first.
type Told = BTreeMap<String, (StoredCase, Vec<CasePoint>)>;

impl Store {
    /// Makes the cases anew from the patches and follow-ups of current publications, in one transaction. Only rows that
    /// differ are written: where nothing changed, nothing is touched. What a superseded or withdrawn publication said
    /// counts no more.
    ///
    /// # Errors
    /// Rules that make no sense; a fault of the file.
    pub fn rebuild_cases(&mut self, rules: &CaseRules, now: Timestamp) -> Result<CaseCounts, StoreError> {
        self.write("rebuild the cases", |transaction| {
            let faults = rules.faults();
            if !faults.is_empty() {
                return Err(Refusal::Invalid {
                    what: "rules of cases".to_owned(),
                    expected: "rules that make sense".to_owned(),
                    got: faults.join("; "),
                    next: "correct the configuration",
                }
                .into());
            }
            let (known, wanted) = (stored(transaction)?, told(transaction, rules)?);
            let mut counts = CaseCounts::default();
            wanted.values().for_each(|(case, _)| counts.count(case));
            replace(transaction, &known, &wanted, &mut counts)?;
            if counts.added + counts.changed + counts.removed > 0 {
                geopackage::measure_extent(transaction, "cases")?;
                geopackage::touch(transaction, "cases", now)?;
                geopackage::touch(transaction, "case_events", now)?;
            }
            Ok(counts)
        })
    }
}

/// What the store holds.
fn stored(transaction: &Transaction<'_>) -> rusqlite::Result<Told> {
    let cases = rows(transaction, CASES, case_of)?;
    let mut told: Told = cases.into_iter().map(|case| (case.case_id.clone(), (case, Vec::new()))).collect();
    let named_point = |row: &Row<'_>| Ok((row.get::<_, String>("case_id")?, point_of(row)?));
    for (case_id, point) in rows(transaction, "SELECT * FROM case_events ORDER BY fid", named_point)? {
        if let Some((_, points)) = told.get_mut(&case_id) {
            points.push(point);
        }
    }
    Ok(told)
}

/// What current publications say.
fn told(transaction: &Transaction<'_>, rules: &CaseRules) -> Result<Told, Trouble> {
    let patches = rows(transaction, "SELECT * FROM patches ORDER BY fid", |row| Ok(patches::patch_of(row)?.patch))?;
    let follow_ups = rows(transaction, follow_ups::CURRENT, |row| {
        Ok((row.get::<_, Utc>("post_date")?.0, follow_ups::follow_up_of(row)?))
    })?;
    let mut records: BTreeMap<Digest, PassRecord> = BTreeMap::new();
    let empty = |pass_id, acquired_at| PassRecord { pass_id, acquired_at, patches: vec![], follow_ups: vec![] };
    for patch in &patches {
        let record = records.entry(patch.post_pass_id).or_insert_with(|| empty(patch.post_pass_id, patch.post_date));
        record.patches.push(PatchRecord::from(patch));
    }
    for (acquired_at, told) in follow_ups {
        let record = records.entry(told.pass_id).or_insert_with(|| empty(told.pass_id, acquired_at));
        record.follow_ups.push(told.follow_up);
    }
    let by_id: HashMap<&str, &Patch> = patches.iter().map(|patch| (patch.patch_id.as_str(), patch)).collect();
    let cases = cases_of(records.into_values(), rules).into_iter();
    Ok(cases
        .map(|case| {
            let (reach_id, reach_name) = by_id
                .get(case.latest.patch_id.as_str())
                .map(|patch| (patch.reach_id.clone(), patch.reach_name.clone()))
                .unwrap_or_default();
            (case.case_id.clone(), as_stored(case, reach_id, reach_name))
        })
        .collect())
}

fn as_stored(case: Case, reach_id: String, reach_name: String) -> (StoredCase, Vec<CasePoint>) {
    let stored = StoredCase {
        last_event: case.last_event(),
        case_id: case.case_id,
        state: case.state,
        urgent: case.urgent,
        object_class: case.latest.object_class,
        suspected_issue_class: case.latest.suspected_issue_class,
        reach_id,
        reach_name,
        outline: case.latest.geometry,
        area_m2: case.latest.area_m2,
        first_seen: case.first_seen,
        last_seen: case.last_seen,
        last_observed: case.last_observed,
        review_score: case.latest.review_score,
        patch_count: case.patch_ids.len() as u64,
        parents: case.parents,
    };
    (stored, case.series)
}

/// Writes what differs, case by case in order of id. Events that are only added to keep the rows of those before.
fn replace(
    transaction: &Transaction<'_>,
    known: &Told,
    wanted: &Told,
    counts: &mut CaseCounts,
) -> rusqlite::Result<()> {
    let mut forget_events = transaction.prepare_cached("DELETE FROM case_events WHERE case_id = ?1")?;
    let mut forget_case = transaction.prepare_cached("DELETE FROM cases WHERE case_id = ?1")?;
    for case_id in known.keys().filter(|case_id| !wanted.contains_key(*case_id)) {
        forget_events.execute([case_id])?;
        forget_case.execute([case_id])?;
        counts.removed += 1;
    }
    for (case_id, (case, points)) in wanted {
        let new_points = match known.get(case_id) {
            Some((known_case, known_points)) => {
                if known_case == case && known_points == points {
                    continue;
                }
                counts.changed += 1;
                if let Some(added) = points.strip_prefix(known_points.as_slice()) {
                    added
                } else {
                    forget_events.execute([case_id])?;
                    points
                }
            }
            None => {
                counts.added += 1;
                points
            }
        };
        write_case(transaction, case, known.contains_key(case_id))?;
        write_points(transaction, case_id, new_points)?;
    }
    Ok(())
}

/// All columns but `fid`, in the order of [`write_case`].
const COLUMNS: &str = "geom, case_id, state, urgent, object_class, suspected_issue_class, issue_term, reach_id, reach_name, \
     area_m2, first_seen, last_seen, last_observed, review_score, patch_count, parents, last_event";

fn write_case(transaction: &Transaction<'_>, case: &StoredCase, is_known: bool) -> rusqlite::Result<()> {
    let places = (1..=COLUMNS.split(',').count()).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ");
    // two statements: the triggers of the spatial index (GeoPackage 1.3) do not bear INSERT … ON CONFLICT DO UPDATE
    let sql = if is_known {
        format!("UPDATE cases SET ({COLUMNS}) = ({places}) WHERE case_id = ?2")
    } else {
        format!("INSERT INTO cases ({COLUMNS}) VALUES ({places})")
    };
    transaction.prepare_cached(&sql)?.execute(params![
        Shape(&case.outline),
        case.case_id,
        case.state.name(),
        case.urgent,
        case.object_class,
        case.suspected_issue_class.name(),
        case.suspected_issue_class.official_term(),
        case.reach_id,
        case.reach_name,
        case.area_m2,
        Utc(case.first_seen),
        Utc(case.last_seen),
        case.last_observed.map(Utc),
        case.review_score,
        case.patch_count,
        Json(&case.parents),
        case.last_event.name(),
    ])?;
    Ok(())
}

fn write_points(transaction: &Transaction<'_>, case_id: &str, points: &[CasePoint]) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO case_events (case_id, pass_id, date, event, area_m2, review_score, observed_fraction, patch_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for point in points {
        statement.execute(params![
            case_id,
            Hex(point.pass_id),
            Utc(point.date),
            point.event.name(),
            point.area_m2,
            point.review_score,
            point.observed_fraction,
            point.patch_id,
        ])?;
    }
    Ok(())
}

fn rows<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    row_of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    transaction.prepare_cached(sql)?.query_map([], row_of)?.collect()
}
