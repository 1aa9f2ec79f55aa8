//! Which earlier passes a pass is held against.
//!
//! The latest one, since what it shows already is nothing new; then those of the same season and a similar water level, since
//! fields and shores look most alike then, recent ones first: a month of the season or a twentieth of the water counts as much
//! as a year of age. The operator may name the passes instead. What was chosen stands in every unit with its reasons, and with
//! each reach in the store.

use shorewatch_domain::digest::Digest;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::unit::{ChoiceReason, ChosenPass};

use super::plan::ReadablePass;

/// Days of a year.
const YEAR: f64 = 365.25;

/// Days of the season that count as much as a year of age.
const MONTH: f64 = 30.0;

/// Difference of the water, as a share of the larger of both, that counts as much as a year of age.
const TWENTIETH: f64 = 0.05;

/// How earlier passes are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookBack {
    /// At most so many.
    pub passes: usize,
    /// Names of the passes that may be chosen; any where empty.
    pub fixed: Vec<String>,
}

impl LookBack {
    /// The passes that `later` is held against: the latest, then the others in order of season and age. `before` are all
    /// earlier ones of the place, the oldest first; `water` tells by how much the water of one differs from that of `later`
    /// (0..1; `None` where it is not known, which speaks neither for nor against it).
    #[must_use]
    pub fn choose(
        &self,
        later: &Pass,
        before: &[&ReadablePass],
        water: impl Fn(&Digest) -> Option<f64>,
    ) -> Vec<ChosenPass> {
        let mut candidates: Vec<ChosenPass> = before
            .iter()
            .rev()
            .filter(|read| self.fixed.is_empty() || self.fixed.contains(&read.pass.name))
            .map(|read| self.candidate(later, &read.pass, water(&read.pass.id)))
            .collect();
        let Some(latest) = candidates.first_mut() else { return candidates };
        if latest.reason != ChoiceReason::Named {
            latest.reason = ChoiceReason::Latest;
        }
        // unknown water is taken for the middle of what is known, so that it changes no place among the others
        let known: Vec<f64> = candidates[1..].iter().filter_map(|candidate| candidate.water_difference).collect();
        let neutral = if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
        let distance =
            |candidate: &ChosenPass| age(candidate) + candidate.water_difference.unwrap_or(neutral) / TWENTIETH;
        // stable: of equals the later one first
        candidates[1..].sort_by(|one, other| distance(one).total_cmp(&distance(other)));
        candidates.truncate(self.passes);
        // which ones it is held against decides, not in what order: so that water adds no work where all are chosen anyway
        candidates[1..].sort_by(|one, other| age(one).total_cmp(&age(other)).then(one.years.total_cmp(&other.years)));
        candidates
    }

    fn candidate(&self, later: &Pass, earlier: &Pass, water_difference: Option<f64>) -> ChosenPass {
        let days = |pass: &Pass| pass.acquired.map_or(0.0, |time| time.at.as_second() as f64 / 86_400.0);
        let between = (days(later) - days(earlier)).abs();
        let of_year = between % YEAR;
        ChosenPass {
            pass_id: earlier.id,
            reason: if self.fixed.is_empty() { ChoiceReason::Alike } else { ChoiceReason::Named },
            years: between / YEAR,
            season_days: of_year.min(YEAR - of_year),
            water_difference,
        }
    }
}

/// Years between two passes, and months between their seasons.
fn age(candidate: &ChosenPass) -> f64 {
    candidate.years + candidate.season_days / MONTH
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shorewatch_domain::pass::{AcquisitionTime, PassState, TimePrecision, TimeSource};

    use super::*;

    fn read(date: &str) -> ReadablePass {
        let acquired = AcquisitionTime {
            at: format!("{date}T00:00:00Z").parse().expect("a time"),
            precision: TimePrecision::Day,
            source: TimeSource::Operator,
        };
        let pass = Pass {
            id: Pass::identity("naip", Some(&acquired), None, &[]),
            name: date.to_owned(),
            revision: 1,
            sensor: "naip".to_owned(),
            acquired: Some(acquired),
            files: Vec::new(),
            assigned_epsg: None,
            fitted: Vec::new(),
            footprint: Vec::new(),
            state: PassState::Ready,
            warnings: Vec::new(),
        };
        ReadablePass { reading: pass.id, pass }
    }

    /// Names of the passes chosen for `later`, where the water of those named differs by so much.
    fn chosen(look_back: &LookBack, later: &str, before: &[&str], water: &[(&str, f64)]) -> Vec<String> {
        let before: Vec<_> = before.iter().map(|date| read(date)).collect();
        let names: BTreeMap<_, _> = before.iter().map(|read| (read.pass.id, read.pass.name.clone())).collect();
        let of = |id: &Digest| water.iter().find(|(date, _)| *date == names[id]).map(|(_, difference)| *difference);
        let before: Vec<_> = before.iter().collect();
        look_back.choose(&read(later).pass, &before, of).iter().map(|chosen| names[&chosen.pass_id].clone()).collect()
    }

    const YEARS: [&str; 5] = ["2018-07-01", "2019-07-01", "2020-07-01", "2021-07-01", "2022-07-01"];

    #[test]
    fn the_latest_comes_first_then_the_season_then_age() {
        let any = LookBack { passes: 3, fixed: Vec::new() };
        let before = ["2019-07-03", "2020-07-01", "2021-01-01", "2022-06-01"];
        assert_eq!(chosen(&any, "2022-07-01", &before, &[]), ["2022-06-01", "2020-07-01", "2019-07-03"]);
        let named = LookBack { passes: 3, fixed: vec!["2021-01-01".to_owned(), "2019-07-03".to_owned()] };
        assert_eq!(chosen(&named, "2022-07-01", &before, &[]), ["2021-01-01", "2019-07-03"]);
    }

    #[test]
    fn a_similar_water_level_goes_before_a_recent_date() {
        let any = LookBack { passes: 3, fixed: Vec::new() };
        assert_eq!(chosen(&any, "2023-07-01", &YEARS, &[]), ["2022-07-01", "2021-07-01", "2020-07-01"]);
        let flooded = [("2018-07-01", 0.02), ("2019-07-01", 0.05), ("2020-07-01", 0.7), ("2021-07-01", 0.6)];
        // the latest stays, whatever its water; the others come back in order of age
        let alike = chosen(&any, "2023-07-01", &YEARS, &flooded);
        assert_eq!(alike, ["2022-07-01", "2019-07-01", "2018-07-01"]);
    }

    #[test]
    fn unknown_water_speaks_neither_for_nor_against_a_pass() {
        let two = LookBack { passes: 2, fixed: Vec::new() };
        let of = |water: &[(&str, f64)]| chosen(&two, "2023-07-01", &YEARS, water)[1].clone();
        // all others alike: the recent one, known or not
        assert_eq!(of(&[("2018-07-01", 0.1), ("2019-07-01", 0.1), ("2020-07-01", 0.1)]), "2021-07-01");
        assert_eq!(of(&[("2021-07-01", 0.1)]), "2021-07-01");
        // better than the middle beats it, worse does not
        assert_eq!(of(&[("2020-07-01", 0.0), ("2019-07-01", 0.9)]), "2020-07-01");
        assert_eq!(of(&[("2020-07-01", 0.9), ("2019-07-01", 0.8)]), "2021-07-01");
    }

    #[test]
    fn where_all_are_chosen_water_changes_nothing() {
        let all = LookBack { passes: 5, fixed: Vec::new() };
        let water = [("2018-07-01", 0.0), ("2021-07-01", 0.9)];
        assert_eq!(chosen(&all, "2023-07-01", &YEARS, &water), chosen(&all, "2023-07-01", &YEARS, &[]));
    }

    #[test]
    fn each_choice_says_why() {
        let before = [&read("2021-06-01"), &read("2022-07-01")];
        let any = LookBack { passes: 3, fixed: Vec::new() };
        let [latest, other] = &any.choose(&read("2023-07-01").pass, &before, |_| Some(0.25))[..] else {
            panic!("two earlier passes")
        };
        assert_eq!((latest.reason, other.reason), (ChoiceReason::Latest, ChoiceReason::Alike));
        assert!((other.years - 2.08).abs() < 0.01 && (other.season_days - 29.5).abs() < 1.0, "{other:?}");
        assert_eq!(other.water_difference, Some(0.25));
    }
}
