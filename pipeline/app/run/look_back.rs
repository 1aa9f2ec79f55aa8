//! Which earlier passes a pass is held against.
//!
//! The latest one, since what it shows already is nothing new; then those of the same season, since fields and water look most
//! alike then, recent ones first: a month of the season counts as much as a year of age. The operator may name the passes
//! instead. What was chosen stands in every unit, and with each reach in the store.

use shorewatch_domain::pass::Pass;

use super::plan::ReadablePass;

/// Days of a year.
const YEAR: f64 = 365.25;

/// Days of the season that count as much as a year of age.
const MONTH: f64 = 30.0;

/// How earlier passes are chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookBack {
    /// At most so many.
    pub passes: usize,
    /// Names of the passes that may be chosen; any where empty.
    pub fixed: Vec<String>,
}

impl LookBack {
    /// The passes that `later` is held against, in order of preference. `before` are all earlier ones of the place, the oldest
    /// first.
    #[must_use]
    pub fn choose<'a>(&self, later: &Pass, before: &[&'a ReadablePass]) -> Vec<&'a ReadablePass> {
        let mut candidates: Vec<&ReadablePass> = before
            .iter()
            .rev()
            .filter(|read| self.fixed.is_empty() || self.fixed.contains(&read.pass.name))
            .copied()
            .collect();
        if candidates.len() > 1 {
            // stable: of equals the later one first
            candidates[1..].sort_by(|one, other| distance(later, &one.pass).total_cmp(&distance(later, &other.pass)));
        }
        candidates.truncate(self.passes);
        candidates
    }
}

/// Years between two passes, and months between their seasons.
fn distance(later: &Pass, earlier: &Pass) -> f64 {
    let days = |pass: &Pass| pass.acquired.map_or(0.0, |time| time.at.as_second() as f64 / 86_400.0);
    let between = (days(later) - days(earlier)).abs();
    let of_year = between % YEAR;
    between / YEAR + of_year.min(YEAR - of_year) / MONTH
}
