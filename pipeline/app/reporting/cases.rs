//! Cases, and what was kept back instead of becoming a patch.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rayon::prelude::*;

use shorewatch_domain::case::{self, CasePoint};
use shorewatch_domain::patch::Patch;
use shorewatch_report::{CaseEvent, CaseMoment, CaseRow, CaseState, KeptBackRow, rank_cases};
use shorewatch_store::{Store, StoredCase};

use super::case_pictures::pictures;
use super::patches::issue_class;
use crate::failure::Failure;
use crate::run::session::Session;

/// Characters of a date; what a label says beyond, the time of day, tells nothing of a case.
const DATE_CHARACTERS: usize = "2024-03-15".len();

/// The dates of passes by their acquisition in milliseconds, none more exact than it is known.
pub(super) struct Dates(BTreeMap<i64, String>);

impl Dates {
    fn of(store: &Store) -> Result<Self, Failure> {
        let passes = store.passes()?;
        let dates = passes.iter().filter_map(|pass| pass.acquired).map(|time| {
            let date: String = time.label().chars().take(DATE_CHARACTERS).collect();
            (time.at.as_millisecond(), date)
        });
        Ok(Self(dates.collect()))
    }

    pub(super) fn of_pass_at(&self, time: Timestamp) -> String {
        let known = self.0.get(&time.as_millisecond()).cloned();
        known.unwrap_or_else(|| time.strftime("%Y-%m-%d").to_string())
    }
}

/// Every case, as it is listed; with its series where it is among the first `listed` open ones, and with pictures where it is
/// among the first `pictured` of them.
pub(super) fn cases(
    session: &Session,
    patches: &BTreeMap<&str, &Patch>,
    listed: usize,
    pictured: usize,
) -> Result<Vec<CaseRow>, Failure> {
    let store = &session.store;
    let dates = Dates::of(store)?;
    let mut rows: Vec<CaseRow> = store.cases()?.into_iter().map(|case| row(case, &dates)).collect();
    rank_cases(&mut rows);
    let mut series = Vec::new();
    for row in rows.iter().filter(|row| row.state.is_open()).take(listed) {
        series.push(store.case_events(&row.case_id)?);
    }
    let readers = &session.context.readers;
    let strips = series.par_iter().take(pictured).map(|points| pictures(readers, patches, points, &dates));
    let mut strips = strips.collect::<Result<Vec<_>, _>>()?.into_iter();
    for (row, points) in rows.iter_mut().filter(|row| row.state.is_open()).zip(series) {
        row.series = points.into_iter().map(|point| moment(point, &dates)).collect();
        row.pictures = strips.next().unwrap_or_default();
    }
    Ok(rows)
}

/// Number and area of suppressed places by reason and reach.
pub(super) fn kept_back(store: &Store) -> Result<Vec<KeptBackRow>, Failure> {
    let mut sums: BTreeMap<(String, String), (usize, f64)> = BTreeMap::new();
    for stored in store.suppressed()? {
        let sum = sums.entry((stored.place.reason, stored.place.reach_id)).or_default();
        sum.0 += 1;
        sum.1 += stored.place.area_m2;
    }
    let row = |((reason, reach_id), (places, area_m2))| KeptBackRow { reason, reach_id, places, area_m2 };
    Ok(sums.into_iter().map(row).collect())
}

fn row(case: StoredCase, dates: &Dates) -> CaseRow {
    CaseRow {
        case_id: case.case_id,
        object_class: case.object_class,
        issue_class: issue_class(case.suspected_issue_class),
        state: state(case.state),
        urgent: case.urgent,
        first_seen: dates.of_pass_at(case.first_seen),
        last_seen: dates.of_pass_at(case.last_seen),
        area_m2: case.area_m2,
        review_score: case.review_score,
        last_event: event(case.last_event),
        patch_count: usize::try_from(case.patch_count).unwrap_or(usize::MAX),
        reach_id: case.reach_id,
        series: Vec::new(),
        pictures: Vec::new(),
    }
}

fn moment(point: CasePoint, dates: &Dates) -> CaseMoment {
    CaseMoment { date: dates.of_pass_at(point.date), event: event(point.event), patch_id: point.patch_id }
}

const fn state(state: case::CaseState) -> CaseState {
    match state {
        case::CaseState::Suspected => CaseState::Suspected,
        case::CaseState::Confirmed => CaseState::Confirmed,
        case::CaseState::Expired => CaseState::Expired,
        case::CaseState::Cleared => CaseState::Cleared,
        case::CaseState::Merged => CaseState::Merged,
    }
}

pub(super) const fn event(event: case::CaseEvent) -> CaseEvent {
    match event {
        case::CaseEvent::New => CaseEvent::New,
        case::CaseEvent::Persisting => CaseEvent::Persisting,
        case::CaseEvent::Expanded => CaseEvent::Expanded,
        case::CaseEvent::Shrunk => CaseEvent::Shrunk,
        case::CaseEvent::Cleared => CaseEvent::Cleared,
        case::CaseEvent::Recurred => CaseEvent::Recurred,
        case::CaseEvent::Unseen => CaseEvent::Unseen,
        case::CaseEvent::Split => CaseEvent::Split,
        case::CaseEvent::Merged => CaseEvent::Merged,
        case::CaseEvent::Expired => CaseEvent::Expired,
    }
}
