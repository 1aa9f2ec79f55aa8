//! The section "Cases": how many stand where, and the open ones.

use std::collections::{BTreeMap, BTreeSet};

use super::cases::{CaseEvent, CaseMoment, CasePicture, CaseRow, CaseState, by_urgency};
use super::format::{count, issue_class, jpeg_uri, number, score, words};
use super::page::{CasePictureView, CaseRowView, CasesView, Figure};
use super::rows::reach_label;
use super::{PatchCard, Report};

/// Open cases shown before the rest is folded.
const CASES_SHOWN: usize = 25;
/// Entries of a series: the first of them, and the others from its end.
const SERIES_ENTRIES: usize = 7;
/// Patches of a case that are linked, the latest.
const PATCHES_LINKED: usize = 4;
/// Characters of a date that are its year, its month as well, or all of it.
const DATE_LENGTHS: [usize; 3] = ["2024".len(), "2024-03".len(), "2024-03-15".len()];

/// Counts by state, the listed open cases and how many were left out.
pub(super) fn cases_view(report: &Report) -> CasesView {
    let mut open: Vec<&CaseRow> = report.cases.iter().filter(|case| case.state.is_open()).collect();
    open.sort_by(|a, b| by_urgency(a, b));
    let left_out = open.len().saturating_sub(report.max_cases_listed);
    open.truncate(report.max_cases_listed);
    let ranks: BTreeMap<&str, usize> = report
        .patches
        .iter()
        .filter(|patch| patch.rank <= report.max_patches_listed)
        .map(|patch: &PatchCard| (patch.patch_id.as_str(), patch.rank))
        .collect();
    let date_length = date_length(&open);
    let mut rows: Vec<CaseRowView> = open.iter().map(|case| row(report, case, &ranks, date_length)).collect();
    let rest = rows.split_off(rows.len().min(CASES_SHOWN));
    let urgent = rest.iter().filter(|case| case.urgent).count();
    CasesView {
        figures: if report.cases.is_empty() { Vec::new() } else { figures(report) },
        rows,
        rest_heading: match urgent {
            0 => count(rest.len(), "more open case", "more open cases"),
            some => format!("{}, {some} urgent", count(rest.len(), "more open case", "more open cases")),
        },
        rest,
        left_out: match left_out {
            0 => String::new(),
            some => format!(
                "And {}; the layer “cases” of the store holds them all.",
                count(some, "more open case", "more open cases")
            ),
        },
    }
}

/// How many cases are open, in a sentence; nothing where there are no cases at all.
pub(super) fn summary(report: &Report) -> String {
    if report.cases.is_empty() {
        return String::new();
    }
    let open = report.cases.iter().filter(|case| case.state.is_open());
    let confirmed = report.cases.iter().filter(|case| case.state == CaseState::Confirmed).count();
    let urgent = open.clone().filter(|case| case.urgent).count();
    let open = open.count();
    format!(
        " {} open: {} seen again by a later pass, {} urgent.",
        count(open, "case is", "cases are"),
        number(confirmed as f64, 0),
        number(urgent as f64, 0),
    )
}

fn figures(report: &Report) -> Vec<Figure> {
    let figure = |state: CaseState| {
        let cases = report.cases.iter().filter(|case| case.state == state);
        let urgent = cases.clone().filter(|case| case.urgent).count();
        let meaning = match state {
            CaseState::Confirmed => "a later pass shows it as well",
            CaseState::Suspected => "one pass showed it",
            CaseState::Expired => "never confirmed, and not seen again",
            CaseState::Cleared => "confirmed once, gone since",
            CaseState::Merged => "went on in another case",
        };
        let urgent = if state.is_open() && urgent > 0 { format!("; {urgent} urgent") } else { String::new() };
        Figure {
            value: number(cases.count() as f64, 0),
            label: state_name(state).to_owned(),
            note: format!("{meaning}{urgent}"),
        }
    };
    CaseState::ALL.into_iter().map(figure).collect()
}

fn row(report: &Report, case: &CaseRow, ranks: &BTreeMap<&str, usize>, date_length: usize) -> CaseRowView {
    let ids = case.series.iter().rev().filter_map(|moment| moment.patch_id.as_deref());
    let mut patches: Vec<usize> = Vec::new();
    for rank in ids.filter_map(|id| ranks.get(id)) {
        // one patch may stand at two events
        if !patches.contains(rank) {
            patches.push(*rank);
        }
    }
    patches.truncate(PATCHES_LINKED);
    patches.reverse();
    CaseRowView {
        case_id: case.case_id.clone(),
        object_class: words(&case.object_class),
        issue: issue_class(case.issue_class.as_ref()),
        state: state_name(case.state),
        style: if case.state == CaseState::Confirmed { "warning" } else { "quiet" },
        urgent: case.urgent,
        seen: seen(&case.first_seen, &case.last_seen),
        area: format!("{} m²", number(case.area_m2, 0)),
        review_score: score(case.review_score),
        last_event: event_name(case.last_event),
        patch_count: number(case.patch_count as f64, 0),
        patches,
        reach: reach_label(report, &case.reach_id),
        series: series(&case.series, date_length),
        pictures: case.pictures.iter().map(picture).collect(),
    }
}

fn picture(picture: &CasePicture) -> CasePictureView {
    let area = picture.area_m2.map(|area_m2| format!("{} m²", number(area_m2, 0)));
    let score = picture.review_score.map(|_| format!("score {}", score(picture.review_score)));
    CasePictureView {
        source: picture.jpeg.as_deref().map(jpeg_uri).unwrap_or_default(),
        date: picture.date.clone(),
        event: picture.event.map_or("before", event_name),
        figures: area.into_iter().chain(score).collect(),
    }
}

fn seen(first: &str, last: &str) -> Vec<String> {
    let [_, month, _] = DATE_LENGTHS;
    if first == last {
        vec![first.to_owned()]
    } else if first.len().max(last.len()) < month {
        vec![format!("{first} → {last}")]
    } else {
        vec![format!("{first} →"), last.to_owned()]
    }
}

/// The shortest dates that keep the passes of every case apart.
fn date_length(cases: &[&CaseRow]) -> usize {
    let apart = |length: usize| {
        cases.iter().all(|case| {
            let labels: BTreeSet<&str> = case.series.iter().map(|moment| shortened(&moment.date, length)).collect();
            let dates: BTreeSet<&str> = case.series.iter().map(|moment| moment.date.as_str()).collect();
            labels.len() == dates.len()
        })
    };
    let [shortest, .., longest] = DATE_LENGTHS;
    DATE_LENGTHS.into_iter().find(|length| apart(*length)).unwrap_or(longest).max(shortest)
}

fn shortened(date: &str, length: usize) -> &str {
    date.get(..length).unwrap_or(date)
}

/// "1990 new", "1995–2005 persisting (3)", …: what repeats is counted, and the middle of a long series is left out.
fn series(moments: &[CaseMoment], date_length: usize) -> Vec<String> {
    let mut entries: Vec<String> = moments
        .chunk_by(|a, b| a.event == b.event)
        .filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            let (from, to) = (shortened(&first.date, date_length), shortened(&last.date, date_length));
            let name = event_name(first.event);
            Some(match run.len() {
                1 => format!("{from} {name}"),
                times => format!("{from} to {to} {name} ({times})"),
            })
        })
        .collect();
    if entries.len() > SERIES_ENTRIES {
        let left_out = entries.len() - SERIES_ENTRIES;
        entries.splice(1..=left_out, [format!("… {left_out} more …")]);
    }
    entries
}

fn state_name(state: CaseState) -> &'static str {
    match state {
        CaseState::Confirmed => "confirmed",
        CaseState::Suspected => "suspected",
        CaseState::Expired => "expired",
        CaseState::Cleared => "cleared",
        CaseState::Merged => "merged",
    }
}

fn event_name(event: CaseEvent) -> &'static str {
    match event {
        CaseEvent::New => "new",
        CaseEvent::Persisting => "persisting",
        CaseEvent::Expanded => "expanded",
        CaseEvent::Shrunk => "shrunk",
        CaseEvent::Cleared => "cleared",
        CaseEvent::Recurred => "recurred",
        CaseEvent::Unseen => "unseen",
        CaseEvent::Split => "split",
        CaseEvent::Merged => "merged",
        CaseEvent::Expired => "expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(events: &[(&str, CaseEvent)]) -> Vec<CaseMoment> {
        let moment =
            |(date, event): &(&str, CaseEvent)| CaseMoment { date: (*date).to_owned(), event: *event, patch_id: None };
        events.iter().map(moment).collect()
    }

    #[test]
    fn what_repeats_is_counted() {
        let moments = moments(&[
            ("1990-07-01", CaseEvent::New),
            ("1995-07-01", CaseEvent::Persisting),
            ("2000-07-01", CaseEvent::Persisting),
            ("2005-07-01", CaseEvent::Shrunk),
        ]);
        assert_eq!(series(&moments, 4), ["1990 new", "1995 to 2000 persisting (2)", "2005 shrunk"]);
    }

    #[test]
    fn a_long_series_keeps_its_beginning_and_its_end() {
        let events = [CaseEvent::Shrunk, CaseEvent::Persisting];
        let dates: Vec<String> = (0..10).map(|index| format!("20{index:02}-01-01")).collect();
        let all: Vec<_> = dates.iter().enumerate().map(|(index, date)| (date.as_str(), events[index % 2])).collect();
        let entries = series(&moments(&all), 4);
        assert_eq!(entries.len(), SERIES_ENTRIES + 1);
        assert_eq!(entries[..3], ["2000 shrunk", "… 3 more …", "2004 shrunk"]);
        assert_eq!(entries[SERIES_ENTRIES], "2009 persisting");
    }
}
