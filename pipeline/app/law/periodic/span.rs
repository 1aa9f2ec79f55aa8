//! The days of a period.

use jiff::Span as Duration;
use jiff::civil::{Date, date};
use shorewatch_domain::law::assessment::Language;

/// Kind of period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Monday to Sunday.
    Week,
    /// Of the calendar.
    Month,
    /// Of the calendar.
    Quarter,
    /// Of the calendar.
    Year,
}

impl Kind {
    /// Its name before "report".
    #[must_use]
    pub const fn name(self, language: Language) -> &'static str {
        match self {
            Self::Week => language.of("weekly", "周报"),
            Self::Month => language.of("monthly", "月报"),
            Self::Quarter => language.of("quarterly", "季报"),
            Self::Year => language.of("annual", "年报"),
        }
    }
}

/// From when to when, both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl Span {
    /// The period that a day lies in.
    #[must_use]
    pub fn of(kind: Kind, day: Date) -> Self {
        let (from, length) = match kind {
            Kind::Week => {
                let from = day.saturating_sub(Duration::new().days(day.weekday().to_monday_zero_offset()));
                (from, Duration::new().weeks(1))
            }
            Kind::Month => (date(day.year(), day.month(), 1), Duration::new().months(1)),
            Kind::Quarter => (date(day.year(), quarter_begins(day.month()), 1), Duration::new().months(3)),
            Kind::Year => (date(day.year(), 1, 1), Duration::new().years(1)),
        };
        Self { from, to: from.saturating_add(length).saturating_sub(Duration::new().days(1)) }
    }

    /// The period before.
    #[must_use]
    pub fn before(self, kind: Kind) -> Self {
        Self::of(kind, self.from.saturating_sub(Duration::new().days(1)))
    }

    /// Whether a day lies in it.
    #[must_use]
    pub fn holds(&self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }
}

/// First month of the quarter of a month.
#[must_use]
pub const fn quarter_begins(month: i8) -> i8 {
    (month - 1) / 3 * 3 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_begin_and_end_where_the_calendar_says() {
        let of = |kind, day| {
            let span = Span::of(kind, day);
            (span.from, span.to)
        };
        // a Thursday, in a leap year
        let day = date(2024, 2, 29);
        assert_eq!(of(Kind::Week, day), (date(2024, 2, 26), date(2024, 3, 3)));
        assert_eq!(of(Kind::Month, day), (date(2024, 2, 1), date(2024, 2, 29)));
        assert_eq!(of(Kind::Quarter, day), (date(2024, 1, 1), date(2024, 3, 31)));
        assert_eq!(of(Kind::Year, day), (date(2024, 1, 1), date(2024, 12, 31)));
        assert_eq!(of(Kind::Quarter, date(2024, 12, 31)), (date(2024, 10, 1), date(2024, 12, 31)));
        let before = Span::of(Kind::Month, date(2024, 3, 31)).before(Kind::Month);
        assert_eq!((before.from, before.to), (date(2024, 2, 1), date(2024, 2, 29)));
        let monday = date(2024, 3, 4);
        assert_eq!(of(Kind::Week, monday).0, monday);
    }
}
