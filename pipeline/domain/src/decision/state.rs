//! Where a patch stands after the decisions on it so far, and when a second person has to look.

use serde::{Deserialize, Serialize};

use super::{Decision, DecisionSource, DecisionVerdict};
use crate::law::assessment::Severity;

/// Where a patch stands in review.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Nobody has decided yet.
    Open,
    /// One has, and another one has to.
    SecondOpinion,
    /// Two have, differently: a third one has to.
    ThirdOpinion,
    /// Three have, all differently: a supervisor has to.
    Disputed,
    /// Decided.
    Decided,
}

impl ReviewState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Open, Self::SecondOpinion, Self::ThirdOpinion, Self::Disputed, Self::Decided];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SecondOpinion => "second_opinion",
            Self::ThirdOpinion => "third_opinion",
            Self::Disputed => "disputed",
            Self::Decided => "decided",
        }
    }
}

/// From which severity on two persons decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TwoPersonRule {
    /// One person always suffices.
    #[default]
    Never,
    /// Two from this severity on. A patch whose severity is not known needs one.
    From(Severity),
}

impl TwoPersonRule {
    /// Whether a patch of this severity needs two persons.
    #[must_use]
    pub fn needs_two(self, severity: Option<Severity>) -> bool {
        match self {
            Self::Never => false,
            Self::From(least) => severity.is_some_and(|severity| severity >= least),
        }
    }
}

/// What the decisions on a patch add up to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Standing<'a> {
    /// Where the patch stands.
    pub state: ReviewState,
    /// The decision that counts: of a decided patch the last one with its verdict, else the last one of all.
    pub counts: Option<&'a Decision>,
}

/// The decisions that stand, in order: each reviewer's last one that was not taken back. `events` are all decisions on one
/// patch in the order of recording.
#[must_use]
pub fn standing_decisions(events: &[Decision]) -> Vec<&Decision> {
    let mut standing: Vec<&Decision> = Vec::new();
    for event in events {
        if event.verdict.is_none() {
            if let Some(last) = standing.iter().rposition(|known| known.reviewer == event.reviewer) {
                standing.remove(last);
            }
        } else {
            standing.push(event);
        }
    }
    let later = |i: usize| standing[i + 1..].iter().any(|other| other.reviewer == standing[i].reviewer);
    (0..standing.len()).filter(|i| !later(*i)).map(|i| standing[i]).collect()
}

/// What the decisions on a patch add up to. With `two_persons`, two have to say the same, or two of three; a supervisor's audit
/// stands by itself, since it comes after.
#[must_use]
pub fn standing(events: &[Decision], two_persons: bool) -> Standing<'_> {
    let stand = standing_decisions(events);
    let Some(last) = stand.last().copied() else { return Standing { state: ReviewState::Open, counts: None } };
    if !two_persons || last.source == DecisionSource::Audit {
        return Standing { state: ReviewState::Decided, counts: Some(last) };
    }
    let said = |verdict: Option<DecisionVerdict>| stand.iter().filter(|decision| decision.verdict == verdict).count();
    if let Some(agreed) = stand.iter().rev().find(|decision| said(decision.verdict) >= 2) {
        return Standing { state: ReviewState::Decided, counts: Some(agreed) };
    }
    let state = match stand.len() {
        1 => ReviewState::SecondOpinion,
        2 => ReviewState::ThirdOpinion,
        _ => ReviewState::Disputed,
    };
    Standing { state, counts: Some(last) }
}

#[cfg(test)]
mod tests {
    use super::super::tests::decision;
    use super::*;
    use DecisionVerdict::{HistoricalHarmless, NotAProblem, Problem, UnderWatch};

    fn by(reviewer: &str, verdict: Option<DecisionVerdict>) -> Decision {
        let mut made = decision(verdict.unwrap_or(Problem));
        made.verdict = verdict;
        made.reviewer = reviewer.to_owned();
        made
    }

    fn state(events: &[Decision], two: bool) -> (ReviewState, Option<DecisionVerdict>) {
        let standing = standing(events, two);
        (standing.state, standing.counts.and_then(|decision| decision.verdict))
    }

    #[test]
    fn one_person_decides_and_takes_back() {
        let events = [by("a", Some(Problem)), by("a", None), by("a", Some(NotAProblem))];
        assert_eq!(state(&[], false), (ReviewState::Open, None));
        assert_eq!(state(&events[..1], false), (ReviewState::Decided, Some(Problem)));
        assert_eq!(state(&events[..2], false), (ReviewState::Open, None));
        assert_eq!(state(&events, false), (ReviewState::Decided, Some(NotAProblem)));
    }

    #[test]
    fn taking_back_brings_the_other_persons_decision_to_light_again() {
        let events = [by("a", Some(Problem)), by("b", Some(NotAProblem)), by("b", None)];
        assert_eq!(state(&events[..2], false).1, Some(NotAProblem));
        assert_eq!(state(&events, false), (ReviewState::Decided, Some(Problem)));
    }

    #[test]
    fn two_persons_agree_or_a_third_one_settles_it() {
        let events = [by("a", Some(Problem)), by("b", Some(NotAProblem)), by("c", Some(Problem))];
        assert_eq!(state(&events[..1], true).0, ReviewState::SecondOpinion);
        assert_eq!(state(&events[..2], true).0, ReviewState::ThirdOpinion);
        assert_eq!(state(&events, true), (ReviewState::Decided, Some(Problem)));
        let agreed = [by("a", Some(UnderWatch)), by("b", Some(UnderWatch))];
        assert_eq!(state(&agreed, true), (ReviewState::Decided, Some(UnderWatch)));
        let all_differ = [by("a", Some(Problem)), by("b", Some(NotAProblem)), by("c", Some(HistoricalHarmless))];
        assert_eq!(state(&all_differ, true).0, ReviewState::Disputed);
    }

    #[test]
    fn nobody_is_a_second_person_to_himself() {
        let events = [by("a", Some(Problem)), by("a", Some(Problem))];
        assert_eq!(state(&events, true).0, ReviewState::SecondOpinion);
    }

    #[test]
    fn an_audit_settles_a_dispute() {
        let mut events = vec![by("a", Some(Problem)), by("b", Some(NotAProblem)), by("c", Some(HistoricalHarmless))];
        events.push(Decision { source: DecisionSource::Audit, ..by("s", Some(UnderWatch)) });
        assert_eq!(state(&events, true), (ReviewState::Decided, Some(UnderWatch)));
    }

    #[test]
    fn the_rule_counts_from_its_severity_on() {
        let rule = TwoPersonRule::From(Severity::Serious);
        assert!(rule.needs_two(Some(Severity::Major)) && rule.needs_two(Some(Severity::Serious)));
        assert!(!rule.needs_two(Some(Severity::General)) && !rule.needs_two(None));
        assert!(!TwoPersonRule::Never.needs_two(Some(Severity::Major)));
    }
}
