//! Times as operators type them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use shorewatch_domain::pass::{AcquisitionTime, TimePrecision, TimeSource};

/// The time of acquisition that an operator typed: `2024-03-15T02:30:00Z` (or with an offset such as `+08:00`),
/// `2024-03-15`, or `2024`. Recorded no more exactly than it was typed.
///
/// # Errors
/// What was expected and what was got, in words.
pub fn operator_time(text: &str) -> Result<AcquisitionTime, String> {
    let (at, precision) = parse(text.trim()).ok_or_else(|| {
        let hint = if text.parse::<civil::DateTime>().is_ok() && text.len() > 10 {
            "; a time of day needs `Z` or an offset such as `+08:00`"
        } else {
            ""
        };
        format!("expected a time such as 2024-03-15T02:30:00Z, 2024-03-15 or 2024, got {text:?}{hint}")
    })?;
    Ok(AcquisitionTime { at, precision, source: TimeSource::Operator })
}

fn parse(text: &str) -> Option<(Timestamp, TimePrecision)> {
    let midnight = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let date = Date::new(text.parse().ok()?, 7, 1).ok()?;
        return Some((midnight(date)?, TimePrecision::Year));
    }
    if text.len() == 10 {
        return Some((midnight(text.parse().ok()?)?, TimePrecision::Day));
    }
    Some((text.parse().ok()?, TimePrecision::Second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_no_more_exact_than_typed() {
        let check = |text: &str, label: &str| assert_eq!(operator_time(text).expect(text).label(), label);
        check("2024-03-15T02:30:00Z", "2024-03-15 02:30 UTC");
        check("2024-03-15T10:30:00+08:00", "2024-03-15 02:30 UTC");
        check("2024-03-15", "2024-03-15");
        check("1985", "1985");
        assert_eq!(operator_time("1985").expect("a year").at.to_string(), "1985-07-01T00:00:00Z");
        for text in ["", "85", "2024-13-01", "15.03.2024", "yesterday", "2024-02-30"] {
            assert!(operator_time(text).is_err(), "{text}");
        }
        assert!(operator_time("2024-03-15T10:30:00").expect_err("no offset").contains("+08:00"));
    }
}
