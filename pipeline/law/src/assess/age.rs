//! How old a patch is, in the words of the table of ages: the row that holds is all that an assessment takes from the day. A newer
//! pass changes nothing until a patch grows into the next row.

use jiff::civil::Date;

use crate::rules::AgeWeight;

/// The row that holds for a patch of `day`, as of a later one; `None` behind the last row.
pub(super) fn row(ages: &[AgeWeight], day: Date, as_of: Date) -> Option<usize> {
    let days = as_of.since(day).map_or(0, |span| span.get_days()).max(0);
    ages.iter().position(|age| age.up_to_days.is_none_or(|last| i64::from(days) <= i64::from(last)))
}

/// A row in words: `at most 30 days`, `more than 365 days`, `any age`.
pub(super) fn words(ages: &[AgeWeight], row: Option<usize>) -> String {
    let row = row.unwrap_or(ages.len());
    let last_day = |row: usize| ages.get(row).and_then(|age| age.up_to_days);
    match (last_day(row), row.checked_sub(1).and_then(last_day)) {
        (Some(last), _) => format!("at most {last} days"),
        (None, Some(before)) => format!("more than {before} days"),
        (None, None) => "any age".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_row_holds_up_to_its_last_day_and_is_told_in_words() {
        let age = |up_to_days, weight| AgeWeight { up_to_days, weight };
        let ages = [age(Some(30), 1.0), age(Some(365), 0.8), age(None, 0.5)];
        let told = |ages: &[AgeWeight], as_of| words(ages, row(ages, date(2024, 1, 1), as_of));
        assert_eq!(told(&ages, date(2024, 1, 31)), "at most 30 days");
        assert_eq!(told(&ages, date(2024, 2, 1)), "at most 365 days");
        assert_eq!(told(&ages, date(2025, 1, 1)), "more than 365 days");
        assert_eq!(told(&ages, date(2023, 1, 1)), "at most 30 days", "later than the latest pass is not old");
        assert_eq!(told(&ages[..2], date(2026, 1, 1)), "more than 365 days", "behind the last row");
        assert_eq!(told(&ages[2..], date(2026, 1, 1)), "any age");
        assert_eq!(told(&[], date(2026, 1, 1)), "any age");
    }
}
