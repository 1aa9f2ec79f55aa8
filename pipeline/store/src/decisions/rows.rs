//! Decisions and states as rows.

use geo_types::Polygon;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::decision::state::ReviewState;
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict, RejectionReason};
use shorewatch_domain::law::assessment::{Severity, SubType};

use super::PatchReview;
use crate::geometry::Shape;
use crate::patches;
use crate::values::{Json, Utc, named};

pub(super) const ON_PATCH: &str = "SELECT * FROM decisions WHERE patch_id = ?1 ORDER BY fid";

/// One of a few values that stand in a column by name.
macro_rules! by_name {
    ($wrapper:ident, $type:ty) => {
        pub(super) struct $wrapper(pub(super) $type);

        impl FromSql for $wrapper {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                named(value, &<$type>::ALL, <$type>::name).map(Self)
            }
        }
    };
}

by_name!(NamedVerdict, DecisionVerdict);
by_name!(NamedReason, RejectionReason);
by_name!(NamedSeverity, Severity);
by_name!(NamedSource, DecisionSource);
by_name!(NamedState, ReviewState);

pub(super) fn insert(transaction: &Transaction<'_>, decision: &Decision, now: jiff::Timestamp) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO decisions (decision_id, patch_id, case_id, verdict, reason, note, corrected_issue_class,
                 corrected_sub_type, corrected_severity, corrected_geometry, duplicate_of, reviewer, decided_at, on_version,
                 seconds, source, recorded_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            decision.decision_id,
            decision.patch_id,
            decision.case_id,
            decision.verdict.map(DecisionVerdict::name),
            decision.reason.map(RejectionReason::name),
            decision.note,
            decision.corrected.issue_class.map(IssueClass::name),
            decision.corrected.sub_type.map(SubType::code),
            decision.corrected.severity.map(Severity::name),
            decision.corrected.geometry.as_ref().map(Shape),
            decision.duplicate_of,
            decision.reviewer,
            Utc(decision.decided_at),
            decision.on_version,
            decision.seconds,
            decision.source.name(),
            Utc(now),
        ])?;
    Ok(())
}

pub(super) fn by_id(connection: &Connection, decision_id: &str) -> rusqlite::Result<Option<Decision>> {
    let sql = "SELECT * FROM decisions WHERE decision_id = ?1";
    connection.prepare_cached(sql)?.query_row([decision_id], decision_of).optional()
}

pub(super) fn on_patch(connection: &Connection, patch_id: &str) -> rusqlite::Result<Vec<Decision>> {
    connection.prepare_cached(ON_PATCH)?.query_map([patch_id], decision_of)?.collect()
}

pub(super) fn decision_of(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let geometry: Option<Shape<Polygon<f64>>> = row.get("corrected_geometry")?;
    Ok(Decision {
        decision_id: row.get("decision_id")?,
        patch_id: row.get("patch_id")?,
        case_id: row.get("case_id")?,
        verdict: row.get::<_, Option<NamedVerdict>>("verdict")?.map(|named| named.0),
        reason: row.get::<_, Option<NamedReason>>("reason")?.map(|named| named.0),
        note: row.get("note")?,
        corrected: Correction { geometry: geometry.map(|shape| shape.0), ..corrected_of(row)? },
        duplicate_of: row.get("duplicate_of")?,
        reviewer: row.get("reviewer")?,
        decided_at: row.get::<_, Utc>("decided_at")?.0,
        on_version: row.get("on_version")?,
        seconds: row.get("seconds")?,
        source: row.get::<_, NamedSource>("source")?.0,
    })
}

/// What was corrected, without the outline, from columns that begin with `corrected_`.
pub(crate) fn corrected_of(row: &Row<'_>) -> rusqlite::Result<Correction> {
    let issue_class = row.get::<_, Option<patches::Named>>("corrected_issue_class")?.map(|named| named.0);
    Ok(Correction {
        issue_class,
        sub_type: corrected_sub_type(row.get("corrected_sub_type")?, issue_class),
        severity: row.get::<_, Option<NamedSeverity>>("corrected_severity")?.map(|named| named.0),
        geometry: None,
    })
}

/// The sub-type of a code; decisions of early versions hold its letter only, which says which one together with the class.
fn corrected_sub_type(code: Option<String>, issue_class: Option<IssueClass>) -> Option<SubType> {
    let code = code?;
    let of_letter = |one: &SubType| Some(one.issue_class()) == issue_class && one.code()[1..] == code;
    SubType::of_code(&code).or_else(|| SubType::ALL.into_iter().find(of_letter))
}

/// Where a patch stands; without a row, open in version 0.
pub(super) fn state(connection: &Connection, patch_id: &str) -> rusqlite::Result<PatchReview> {
    let sql = "SELECT * FROM decision_state WHERE patch_id = ?1";
    let found = connection.prepare_cached(sql)?.query_row([patch_id], state_of).optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn state_of(row: &Row<'_>) -> rusqlite::Result<PatchReview> {
    let time = |column: &str| row.get::<_, Option<Utc>>(column).map(|time| time.map(|Utc(time)| time));
    Ok(PatchReview {
        version: row.get("version")?,
        state: row.get::<_, NamedState>("state")?.0,
        verdict: row.get::<_, Option<NamedVerdict>>("verdict")?.map(|named| named.0),
        decision_id: row.get("decision_id")?,
        reviewer: row.get("reviewer")?,
        reviewers: row.get::<_, Json<_>>("reviewers")?.0,
        decided_at: time("decided_at")?,
        held_until: time("held_until")?,
    })
}

/// Writes where a patch stands, with what the decision that counts corrected.
pub(super) fn set_state(
    transaction: &Transaction<'_>,
    patch_id: &str,
    state: &PatchReview,
    counts: Option<&Decision>,
) -> rusqlite::Result<()> {
    let corrected = counts.map(|decision| decision.corrected.clone()).unwrap_or_default();
    let sql = if state.version == 1 {
        "INSERT INTO decision_state (patch_id, version, state, verdict, decision_id, reviewer, reviewers, decided_at,
             held_until, issue_class, sub_type, severity, geometry)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    } else {
        "UPDATE decision_state SET version = ?2, state = ?3, verdict = ?4, decision_id = ?5, reviewer = ?6, reviewers = ?7,
             decided_at = ?8, held_until = ?9, issue_class = ?10, sub_type = ?11, severity = ?12, geometry = ?13
         WHERE patch_id = ?1"
    };
    transaction.prepare_cached(sql)?.execute(params![
        patch_id,
        state.version,
        state.state.name(),
        state.verdict.map(DecisionVerdict::name),
        state.decision_id,
        state.reviewer,
        Json(&state.reviewers),
        state.decided_at.map(Utc),
        state.held_until.map(Utc),
        corrected.issue_class.map(IssueClass::name),
        corrected.sub_type.map(SubType::code),
        corrected.severity.map(Severity::name),
        corrected.geometry.as_ref().map(Shape),
    ])?;
    Ok(())
}
