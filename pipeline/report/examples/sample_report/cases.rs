//! Made-up cases and places that were kept back.

use shorewatch_report::CaseEvent::{Cleared, Expanded, New, Persisting, Shrunk, Unseen};
use shorewatch_report::{CaseEvent, CaseMoment, CaseRow, CaseState, IssueClass, KeptBackRow};

/// Two confirmed, two suspected and one that is gone.
pub(crate) fn sample_cases() -> Vec<CaseRow> {
    let case = |number: usize, object: &str, state, urgent, events: &[(&str, CaseEvent)]| {
        let founded = format!("450702-20240901-{number:04}");
        let moment = |(date, event): &(&str, CaseEvent)| CaseMoment {
            date: (*date).to_owned(),
            event: *event,
            patch_id: Some(founded.clone()),
        };
        let series: Vec<CaseMoment> = events.iter().map(moment).collect();
        CaseRow {
            case_id: format!("case-{founded}"),
            object_class: object.to_owned(),
            issue_class: (object == "building").then_some(IssueClass::Construction),
            state,
            urgent,
            first_seen: series.first().map_or_else(String::new, |moment| moment.date.clone()),
            last_seen: series.last().map_or_else(String::new, |moment| moment.date.clone()),
            area_m2: 9_100.0 * number as f64,
            review_score: (number != 4).then(|| 0.9 / number as f64),
            last_event: series.last().map_or(New, |moment| moment.event),
            patch_count: number.div_ceil(2),
            reach_id: "450702-000123".to_owned(),
            series,
            pictures: Vec::new(),
        }
    };
    let long = [
        ("2023-03-15", New),
        ("2023-05-02", Persisting),
        ("2023-06-11", Unseen),
        ("2023-07-20", Unseen),
        ("2023-09-01", Persisting),
        ("2024-03-15", Expanded),
        ("2024-09-01", Shrunk),
    ];
    vec![
        case(1, "stockpile", CaseState::Suspected, true, &[("2024-09-01", New)]),
        case(2, "building", CaseState::Confirmed, true, &long),
        case(3, "pit", CaseState::Confirmed, false, &[("2024-03-15", New), ("2024-09-01", Persisting)]),
        case(4, "unclassified", CaseState::Suspected, false, &[("2024-09-01", New)]),
        case(5, "cage", CaseState::Cleared, false, &[("2023-03-15", New), ("2024-09-01", Cleared)]),
    ]
}

/// Three reasons in two reaches.
pub(crate) fn sample_kept_back() -> Vec<KeptBackRow> {
    let row = |reason: &str, reach: &str, places, area_m2| KeptBackRow {
        reason: reason.to_owned(),
        reach_id: reach.to_owned(),
        places,
        area_m2,
    };
    vec![
        row("water_level", "450702-000123", 12, 84_300.0),
        row("season", "450702-000123", 3, 21_000.0),
        row("not_seen_in_the_pixels", "450702-000124", 7, 9_100.0),
    ]
}
