//! Where each reach stands: when it was last observed, how much of it was, and whether it is overdue.
//!
//! A pass counts as an observation of a reach when it observed at least `observed_fraction_min` of its area. What several
//! partial passes observed *together* is not stored; two shares enclose it: that of the best single pass, and the sum over
//! all of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use shorewatch_domain::reach::{Reach, ScopeSource};

use super::{date_of, days_since};
use crate::configuration::ScheduleSettings;
use crate::failure::Failure;
use crate::run::session::Session;

/// Share of a reach from which on what is missing is not worth a line: clouds of a few pixels.
pub const IN_FULL_FROM: f64 = 0.99;

/// From when to when, and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct Reckoning<'a> {
    /// Cadences, and what counts as an observation.
    pub schedule: &'a ScheduleSettings,
    /// What was seen before this date does not count; `None`: everything counts.
    pub since: Option<Date>,
    /// The date that days are reckoned from.
    pub today: Date,
}

/// One pass over a reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Date of acquisition (UTC).
    pub date: Date,
    /// Share of the reach's area that was observed (0..1).
    pub share: f64,
}

/// How a reach was looked at since the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LookedAt {
    /// A pass observed enough of it.
    Enough,
    /// Passes observed some of it, none of them enough.
    Partly,
    /// No pass observed anything of it.
    Never,
}

/// Where a reach stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Its code.
    pub reach_id: String,
    /// Its name.
    pub name: String,
    /// Area of its scope in m².
    pub scope_m2: f64,
    /// The latest date on which a pass observed enough of it, whenever that was.
    pub last_observed: Option<Date>,
    /// Days from then until today.
    pub days_unobserved: Option<u32>,
    /// Share of its area that the best single pass after that date observed: too little to count.
    pub observed_share_since_last: f64,
    /// How it was looked at since the date.
    pub looked_at: LookedAt,
    /// Passes since the date that observed some of it.
    pub passes: usize,
    /// Share of its area that the best single pass since the date observed: at least so much was looked at.
    pub observed_share_best_pass: f64,
    /// Sum of the shares of all passes since the date, at most 1: no more than so much was looked at.
    pub observed_share_at_most: f64,
    /// Length of the centreline that the scope was widened from, in metres, for reaches that came as one. Reckoned from
    /// area and width, since the store keeps the scope only: ends and bends make it inexact.
    pub length_m_about: Option<f64>,
    /// The part of that length which the best single pass since the date did not observe, reckoned likewise.
    pub unobserved_length_m_about: Option<f64>,
    /// After so many days without an observation it is overdue.
    pub cadence_days: Option<u32>,
    /// Whether it is.
    pub is_overdue: bool,
    /// By how many days; `None` where it is not, or was never observed.
    pub overdue_days: Option<u32>,
}

impl Standing {
    /// Where a reach stands after these looks.
    #[must_use]
    pub fn of(reach: &Reach, scope_m2: f64, looks: &[Look], reckoning: &Reckoning<'_>) -> Self {
        let enough = |look: &&Look| look.share >= reckoning.schedule.observed_fraction_min;
        let last_observed = looks.iter().filter(enough).map(|look| look.date).max();
        let days_unobserved = last_observed.map(|date| days_since(date, reckoning.today));
        let counts = |look: &&Look| reckoning.since.is_none_or(|since| look.date >= since) && look.share > 0.0;
        let counted: Vec<&Look> = looks.iter().filter(counts).collect();
        let best = counted.iter().map(|look| look.share).fold(0.0, f64::max);
        let later = looks.iter().filter(|look| last_observed.is_none_or(|last| look.date > last));
        let cadence_days = reckoning.schedule.cadence_days(&reach.id);
        let overdue_days = days_unobserved
            .zip(cadence_days)
            .and_then(|(days, cadence)| days.checked_sub(cadence))
            .filter(|&days| days > 0);
        let length_m_about = match reach.scope_source {
            ScopeSource::Polygon => None,
            ScopeSource::BufferedCentreline { buffer_m } => Some(length_m(scope_m2, buffer_m)),
        };
        Self {
            reach_id: reach.id.clone(),
            name: reach.name.clone(),
            scope_m2,
            last_observed,
            days_unobserved,
            observed_share_since_last: later.map(|look| look.share).fold(0.0, f64::max),
            looked_at: if counted.iter().any(enough) {
                LookedAt::Enough
            } else if counted.is_empty() {
                LookedAt::Never
            } else {
                LookedAt::Partly
            },
            passes: counted.len(),
            observed_share_best_pass: best,
            observed_share_at_most: counted.iter().map(|look| look.share).sum::<f64>().min(1.0),
            length_m_about,
            unobserved_length_m_about: length_m_about.map(|length| length * (1.0 - best)),
            cadence_days,
            is_overdue: overdue_days.is_some() || (cadence_days.is_some() && last_observed.is_none()),
            overdue_days,
        }
    }

    /// Whether somebody should know: it is overdue, or no pass since the date observed (nearly) all of it.
    #[must_use]
    pub fn is_wanting(&self) -> bool {
        self.is_overdue || self.looked_at != LookedAt::Enough || self.observed_share_best_pass < IN_FULL_FROM
    }
}

/// Length of a line whose surroundings up to `buffer_m` have this area: two half circles lie at its ends.
fn length_m(area_m2: f64, buffer_m: f64) -> f64 {
    ((area_m2 - std::f64::consts::PI * buffer_m * buffer_m) / (2.0 * buffer_m)).max(0.0)
}

/// Where every reach of a session stands, in the order of grids and codes.
///
/// # Errors
/// The store can't be read.
pub fn standings(session: &Session, since: Option<Date>, today: Date) -> Result<Vec<Standing>, Failure> {
    let mut looks: BTreeMap<String, Vec<Look>> = BTreeMap::new();
    for row in session.store.observations()? {
        // a scope smaller than a pixel is never observed
        let look = Look { date: date_of(row.post_date), share: row.seen.observed_fraction().unwrap_or(0.0) };
        looks.entry(row.seen.reach_id).or_default().push(look);
    }
    let reckoning = Reckoning { schedule: &session.settings.schedule, since, today };
    let mut standings = Vec::new();
    for ground in &session.grounds {
        for placed in &ground.reaches {
            let looks = looks.get(&placed.reach.id).map_or(&[][..], Vec::as_slice);
            let scope_m2 = placed.pixel_count as f64 * ground.grid.pixel_area_m2();
            standings.push(Standing::of(&placed.reach, scope_m2, looks, &reckoning));
        }
    }
    for pattern in session
        .settings
        .schedule
        .cadences_without_reach(&standings.iter().map(|standing| standing.reach_id.as_str()).collect::<Vec<_>>())
    {
        tracing::warn!(pattern, "[[schedule.cadence]] names no reach by this pattern: correct it, or remove it");
    }
    Ok(standings)
}

#[cfg(test)]
mod tests {
    use geo_types::MultiPolygon;
    use jiff::civil::date;

    use super::*;

    fn reach(scope_source: ScopeSource) -> Reach {
        Reach {
            id: "R1".to_owned(),
            name: "First".to_owned(),
            scope: MultiPolygon(Vec::new()),
            scope_source,
            origin: String::new(),
            repairs: Vec::new(),
        }
    }

    fn schedule(default_cadence_days: Option<u32>) -> ScheduleSettings {
        ScheduleSettings {
            watch: Vec::new(),
            default_cadence_days,
            cadence: Vec::new(),
            no_pass_alarm_days: None,
            unobserved_alarm_days: None,
            observed_fraction_min: 0.5,
        }
    }

    #[test]
    fn partial_passes_add_up_to_bounds_and_not_to_an_observation() {
        let looks = [(5, 1, 0.9), (6, 1, 0.4), (6, 20, 0.3), (6, 25, 0.0)];
        let looks = looks.map(|(month, day, share)| Look { date: date(2024, month, day), share });
        let of = |since: Option<Date>| {
            let schedule = schedule(Some(30));
            let reckoning = Reckoning { schedule: &schedule, since, today: date(2024, 7, 1) };
            Standing::of(&reach(ScopeSource::Polygon), 1e4, &looks, &reckoning)
        };
        let june = of(Some(date(2024, 6, 1)));
        assert_eq!((june.looked_at, june.passes), (LookedAt::Partly, 2));
        assert!((june.observed_share_best_pass - 0.4).abs() < 1e-12);
        assert!((june.observed_share_at_most - 0.7).abs() < 1e-12);
        assert_eq!((june.last_observed, june.days_unobserved), (Some(date(2024, 5, 1)), Some(61)));
        assert_eq!((june.is_overdue, june.overdue_days), (true, Some(31)));
        assert!((june.observed_share_since_last - 0.4).abs() < 1e-12);
        let ever = of(None);
        assert_eq!((ever.looked_at, ever.observed_share_at_most), (LookedAt::Enough, 1.0));
        let late = of(Some(date(2024, 6, 21)));
        assert_eq!((late.looked_at, late.passes, late.observed_share_best_pass), (LookedAt::Never, 0, 0.0));
    }

    #[test]
    fn a_reach_is_overdue_after_its_cadence_and_at_once_where_it_was_never_seen() {
        let of = |cadence, looks: &[Look]| {
            let schedule = schedule(cadence);
            let reckoning = Reckoning { schedule: &schedule, since: None, today: date(2024, 7, 1) };
            let standing = Standing::of(&reach(ScopeSource::Polygon), 1e4, looks, &reckoning);
            (standing.is_overdue, standing.overdue_days)
        };
        let seen = |day| [Look { date: date(2024, 6, day), share: 1.0 }];
        assert_eq!(of(Some(10), &seen(21)), (false, None), "the tenth day is the day itself");
        assert_eq!(of(Some(10), &seen(20)), (true, Some(1)));
        assert_eq!(of(Some(10), &[]), (true, None));
        assert_eq!(of(None, &[]), (false, None));
    }

    #[test]
    fn length_is_reckoned_for_centrelines_only() {
        let (buffer_m, length) = (100.0, 5000.0);
        let area = 2.0 * buffer_m * length + std::f64::consts::PI * buffer_m * buffer_m;
        let schedule = schedule(None);
        let reckoning = Reckoning { schedule: &schedule, since: None, today: date(2024, 7, 1) };
        let looks = [Look { date: date(2024, 6, 1), share: 0.75 }];
        let line = Standing::of(&reach(ScopeSource::BufferedCentreline { buffer_m }), area, &looks, &reckoning);
        assert!((line.length_m_about.expect("a length") - 5000.0).abs() < 1e-6);
        assert!((line.unobserved_length_m_about.expect("a length") - 1250.0).abs() < 1e-6);
        let polygon = Standing::of(&reach(ScopeSource::Polygon), area, &looks, &reckoning);
        assert_eq!((polygon.length_m_about, polygon.unobserved_length_m_about), (None, None));
    }
}
