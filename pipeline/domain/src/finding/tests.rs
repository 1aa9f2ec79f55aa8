//! Stories of findings: what was decided, and what the issue system must hear.

use crate::decision::DecisionVerdict;
use proptest::prelude::*;

use super::*;

fn content(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

/// Plays decisions on one finding (its content, or "" for "no finding") and tells what comes of them.
fn played(decisions: &[&str]) -> Vec<&'static str> {
    let mut known = Known::default();
    let mut told = Vec::new();
    for decision in decisions {
        if *decision == "closed" {
            known.issue_state = Some(IssueState::Closed);
            continue;
        }
        let fresh = decision.starts_with('+');
        let wanted = (!decision.is_empty()).then(|| content(decision.trim_start_matches('+')));
        let event = news(&known, wanted, fresh);
        told.extend(event.map(FindingEvent::name));
        known.standing = match (wanted, known.standing) {
            (Some(_), _) => Standing::Stands,
            (None, Standing::None) => Standing::None,
            (None, _) => Standing::Withdrawn,
        };
        known.content = wanted;
        if event == Some(FindingEvent::Recurred) {
            known.issue_state = None;
        }
    }
    told
}

#[test]
fn decisions_become_events() {
    let check = |decisions: &[&str], expected: &[&str]| assert_eq!(played(decisions), expected, "{decisions:?}");
    check(&[""], &[]);
    check(&["+a"], &["finding.confirmed"]);
    check(&["+a", "a"], &["finding.confirmed"]);
    check(&["+a", "b"], &["finding.confirmed", "finding.updated"]);
    check(&["+a", ""], &["finding.confirmed", "finding.withdrawn"]);
    check(&["+a", "", ""], &["finding.confirmed", "finding.withdrawn"]);
    check(&["+a", "", "a"], &["finding.confirmed", "finding.withdrawn", "finding.confirmed"]);
    check(&["+a", "closed", "b"], &["finding.confirmed", "finding.updated"]);
    check(&["+a", "closed", "+b"], &["finding.confirmed", "finding.recurred"]);
    check(&["+a", "closed", "+b", "+c"], &["finding.confirmed", "finding.recurred", "finding.updated"]);
}

/// Sends a queue that nobody was sent yet, joined as it grows.
fn joined(queue: &[FindingEvent]) -> Vec<FindingEvent> {
    let mut waiting: Vec<FindingEvent> = Vec::new();
    for newer in queue {
        match waiting.last().map_or(Joined::Both, |last| join(*last, *newer)) {
            Joined::Both => waiting.push(*newer),
            Joined::OnlyWaiting => {}
            Joined::OnlyNewer => {
                waiting.pop();
                waiting.push(*newer);
            }
            Joined::Neither => {
                waiting.pop();
            }
        }
    }
    waiting
}

/// What a receiver believes after some events: whether the finding stands. `None`: it was told something senseless.
fn believed(before: Option<bool>, events: &[FindingEvent]) -> Option<Option<bool>> {
    use FindingEvent::{Confirmed, Updated, Withdrawn};
    events.iter().try_fold(before, |stands, event| match (event, stands) {
        (Confirmed, None | Some(false)) => Some(Some(true)),
        (Updated, Some(true)) => Some(stands),
        (Withdrawn, Some(true)) => Some(Some(false)),
        (Confirmed | Updated | Withdrawn, _) => None,
        _ => Some(stands),
    })
}

#[test]
fn what_was_not_sent_is_told_in_fewer_words() {
    use FindingEvent::{ClosureSupported, Confirmed, Recurred, Updated, Withdrawn};
    assert_eq!(joined(&[Confirmed, Updated, Updated]), [Confirmed]);
    assert_eq!(joined(&[Confirmed, Withdrawn]), []);
    assert_eq!(joined(&[Confirmed, Updated, Withdrawn, Confirmed]), [Confirmed]);
    assert_eq!(joined(&[Updated, Updated, Withdrawn]), [Withdrawn]);
    assert_eq!(joined(&[Recurred, Withdrawn]), [Withdrawn]);
    assert_eq!(joined(&[Updated, ClosureSupported, Updated]), [Updated, ClosureSupported, Updated]);
}

proptest! {
    /// Joining never changes what the receiver believes in the end, and never tells it something senseless.
    #[test]
    fn joining_changes_no_belief(steps in proptest::collection::vec(0_u8..3, 0..12), told in any::<bool>()) {
        let mut known = Known::default();
        if told {
            known = Known { standing: Standing::Stands, content: Some(content("0")), issue_state: None };
        }
        let mut queue = Vec::new();
        for step in steps {
            let wanted = (step > 0).then(|| content(&step.to_string()));
            queue.extend(news(&known, wanted, false));
            known.standing = match (wanted, known.standing) {
                (Some(_), _) => Standing::Stands,
                (None, Standing::None) => Standing::None,
                (None, _) => Standing::Withdrawn,
            };
            known.content = wanted;
        }
        let before = told.then_some(true);
        let plain = believed(before, &queue).expect("news make sense");
        let short = joined(&queue);
        prop_assert!(short.len() <= queue.len());
        let after = believed(before, &short).expect("joined news make sense");
        prop_assert_eq!(after.unwrap_or(false), plain.unwrap_or(false));
    }
}

fn look(day: i8, observed_fraction: f64, present_fraction: Option<f64>, changed_fraction: Option<f64>) -> Look {
    Look {
        pass_id: Digest::of_bytes(&[day as u8]),
        acquired_at: format!("2024-06-{day:02}T03:00:00Z").parse().expect("a time"),
        observed_fraction,
        present_fraction,
        changed_fraction,
    }
}

#[test]
fn the_first_pass_that_observed_the_ground_answers() {
    let rules = CaseRules::default();
    let since: Timestamp = "2024-06-05T00:00:00Z".parse().expect("a time");
    let told = |looks: &[Look]| match answer(looks, since, &rules) {
        Judgement::Answered { by, closure, unobserved } => {
            format!("{} on {} after {}", closure.name(), by.acquired_at.strftime("%d"), unobserved.len())
        }
        Judgement::Open(Unanswered { unobserved }) => format!("open after {}", unobserved.len()),
    };
    let before = look(3, 1.0, Some(1.0), Some(0.0));
    let cloudy = look(8, 0.1, Some(0.0), Some(1.0));
    let cleared = |day| look(day, 0.9, Some(0.05), Some(0.8));
    let there = |day| look(day, 0.9, Some(0.8), Some(0.1));
    assert_eq!(told(&[before]), "open after 0");
    assert_eq!(told(&[before, cloudy]), "open after 1");
    assert_eq!(told(&[cleared(12), cloudy, before]), "supported on 12 after 1");
    assert_eq!(told(&[there(12), cleared(20)]), "contradicted on 12 after 0");
    // one of two patches of the finding is still there
    assert_eq!(told(&[cleared(12), there(12)]), "contradicted on 12 after 0");
}

#[test]
fn nothing_is_gone_whose_pixels_are_as_they_were() {
    let rules = CaseRules::default();
    let told = |present, changed| judge(&look(12, 0.9, present, changed), &rules).map_or("none", Closure::name);
    let (gone, partly, there) = (Some(0.05), Some(0.35), Some(0.8));
    let (same, some, changed) = (Some(0.1), Some(0.35), Some(0.8));
    // a network that is blind to the thing calls it gone; the pixels say that it was not touched
    assert_eq!([gone, partly, there, None].map(|present| told(present, same)), ["contradicted"; 4]);
    assert_eq!([gone, partly, None].map(|present| told(present, some)), ["cannot_tell"; 3]);
    assert_eq!(
        [gone, partly, there].map(|present| told(present, None)),
        ["cannot_tell", "cannot_tell", "contradicted"]
    );
    assert_eq!(
        [partly, there, None].map(|present| told(present, changed)),
        ["cannot_tell", "contradicted", "cannot_tell"]
    );
    assert_eq!(told(gone, changed), "supported");
    assert_eq!(judge(&look(12, 0.1, gone, changed), &rules), None, "no cloud ever closes anything");
}

#[test]
fn deadlines_and_look_backs() {
    let day = |text: &str| text.parse::<Date>().expect("a date");
    assert!(!is_overdue(day("2024-06-30"), None, day("2024-06-30")));
    assert!(is_overdue(day("2024-06-30"), Some(IssueState::Rectifying), day("2024-07-01")));
    assert!(!is_overdue(day("2024-06-30"), Some(IssueState::ClosureRequested), day("2024-07-01")));
    assert_eq!(look_back_dates(day("2024-01-31"), &[90, 30, 30]), [day("2024-03-01"), day("2024-04-30")]);
}

#[test]
fn a_finding_has_one_id_with_and_without_its_case() {
    assert_eq!(finding_id("20240315-1f3a9c02", None), "finding-20240315-1f3a9c02");
    assert_eq!(finding_id("20240315-1f3a9c02", Some("case-20240315-1f3a9c02")), "finding-20240315-1f3a9c02");
    assert_eq!(finding_id("20240501-aa", Some("case-20240315-1f3a9c02")), "finding-20240315-1f3a9c02");
}

#[test]
fn a_ledger_tells_by_four_codes_how_work_stands() {
    let day = |text: &str| text.parse::<Date>().expect("a date");
    let (due, today) = (Some(day("2024-06-30")), day("2024-07-01"));
    let of = |verdict, state, deadline| LedgerStatus::of(Some(verdict), state, deadline, today);
    let problem = DecisionVerdict::Problem;
    assert_eq!(of(problem, None, None), LedgerStatus::Open);
    assert_eq!(of(problem, Some(IssueState::Rectifying), Some(today)), LedgerStatus::Open, "the day itself is in time");
    assert_eq!(of(problem, Some(IssueState::Rectifying), due), LedgerStatus::Overdue);
    assert_eq!(of(problem, Some(IssueState::ClosureRequested), due), LedgerStatus::InReview);
    assert_eq!(of(problem, Some(IssueState::Closed), due), LedgerStatus::Done);
    assert_eq!(of(DecisionVerdict::UnderWatch, None, due), LedgerStatus::Open, "挂账监管 is not overdue");
}
