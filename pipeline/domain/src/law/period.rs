//! Dates from which and until which something holds, and seasons that come back every year.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A stretch of days, both ends included. An end that is missing is open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

/// Where a day lies against a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Before its first day.
    NotYet,
    /// Within it.
    InForce,
    /// After its last day.
    Over,
}

impl Period {
    /// Where a day lies.
    #[must_use]
    pub fn standing(&self, day: Date) -> Standing {
        if self.from.is_some_and(|from| day < from) {
            Standing::NotYet
        } else if self.to.is_some_and(|to| day > to) {
            Standing::Over
        } else {
            Standing::InForce
        }
    }

    /// Whether a day lies within it.
    #[must_use]
    pub fn holds(&self, day: Date) -> bool {
        self.standing(day) == Standing::InForce
    }

    /// Whether the two share a day.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let begins_by = |from: Option<Date>, to: Option<Date>| from.zip(to).is_none_or(|(from, to)| from <= to);
        begins_by(self.from, other.to) && begins_by(other.from, self.to)
    }

    /// True where the last day comes before the first.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.from.zip(self.to).is_some_and(|(from, to)| to < from)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (Some(from), Some(to)) => write!(f, "{from} to {to}"),
            (Some(from), None) => write!(f, "from {from} on"),
            (None, Some(to)) => write!(f, "until {to}"),
            (None, None) => f.write_str("without limit"),
        }
    }
}

/// A day of every year.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct YearDay {
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
}

/// A season that comes back every year, both ends included; it may run over the end of the year (11-01 to 02-28).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Season {
    /// First day.
    pub from: YearDay,
    /// Last day.
    pub to: YearDay,
}

impl Season {
    /// Whether a day lies within the season.
    #[must_use]
    pub fn holds(&self, day: Date) -> bool {
        let day = YearDay { month: day.month(), day: day.day() };
        if self.from <= self.to { self.from <= day && day <= self.to } else { day >= self.from || day <= self.to }
    }
}

impl fmt::Display for Season {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let YearDay { month, day } = self.from;
        write!(f, "{month:02}-{day:02} to {:02}-{:02}", self.to.month, self.to.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn both_ends_of_a_period_belong_to_it() {
        let period = Period { from: Some(date(2024, 3, 1)), to: Some(date(2024, 3, 31)) };
        assert_eq!(period.standing(date(2024, 2, 29)), Standing::NotYet);
        assert!(period.holds(date(2024, 3, 1)) && period.holds(date(2024, 3, 31)));
        assert_eq!(period.standing(date(2024, 4, 1)), Standing::Over);
        assert!(Period::default().holds(date(1900, 1, 1)), "without ends it always holds");
    }

    #[test]
    fn periods_meet_on_a_shared_day() {
        let until = |to| Period { from: None, to: Some(to) };
        let from = |from| Period { from: Some(from), to: None };
        assert!(until(date(2024, 3, 1)).meets(&from(date(2024, 3, 1))));
        assert!(!until(date(2024, 2, 29)).meets(&from(date(2024, 3, 1))));
        assert!(from(date(2024, 3, 1)).meets(&from(date(2030, 1, 1))));
    }

    #[test]
    fn a_season_may_run_over_new_year() {
        let season = Season { from: YearDay { month: 11, day: 1 }, to: YearDay { month: 2, day: 28 } };
        assert!(season.holds(date(2024, 12, 31)) && season.holds(date(2025, 1, 1)) && season.holds(date(2024, 11, 1)));
        assert!(!season.holds(date(2024, 10, 31)) && !season.holds(date(2024, 3, 1)));
    }
}
