//! Numbers, chainages, dates and seasons in the forms in which offices write them.

use jiff::civil::Date;
use shorewatch_domain::law::period::{Season, YearDay};

/// A number; thousands may be set apart by commas.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain: String = text.chars().filter(|c| *c != ',' && *c != ' ').collect();
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A chainage in metres: a number, or as on a kilometre stone (`K12+300`).
pub(super) fn chainage(text: &str) -> Option<f64> {
    let bare = text.strip_prefix(['K', 'k']).unwrap_or(text);
    match bare.split_once('+') {
        Some((kilometres, metres)) => Some(1000.0 * number(kilometres)? + number(metres)?),
        None if bare.len() < text.len() => Some(1000.0 * number(bare)?),
        None => number(text),
    }
}

/// Words for an end that is open.
const OPEN_ENDS: [&str; 6] = ["长期", "永久", "长期有效", "至今", "现任", "9999-12-31"];

/// A day, or an open end.
pub(super) fn day(text: &str) -> Option<Option<Date>> {
    if OPEN_ENDS.contains(&text) {
        return Some(None);
    }
    // a time of day after the date says nothing here
    let date = text.split(['T', ' ']).next().unwrap_or(text);
    let parts: Vec<&str> = if date.len() == 8 && date.bytes().all(|c| c.is_ascii_digit()) {
        vec![&date[..4], &date[4..6], &date[6..]]
    } else {
        date.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).collect()
    };
    let [year, month, day] = parts.as_slice() else { return None };
    if year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok().map(Some)
}

/// Seasons of every year: `04-01..06-30`, `4月1日至6月30日`; several are set apart by a semicolon.
pub(super) fn seasons(text: &str) -> Option<Vec<Season>> {
    text.split([';', '；', '、']).map(str::trim).filter(|part| !part.is_empty()).map(season).collect()
}

fn season(text: &str) -> Option<Season> {
    let ends = ["..", "至", "到", "~", "—", "–"].iter().find_map(|between| text.split_once(between));
    let (from, to) = ends?;
    Some(Season { from: year_day(from.trim())?, to: year_day(to.trim())? })
}

fn year_day(text: &str) -> Option<YearDay> {
    let parts: Vec<&str> = text.split(['-', '/', '.', '月', '日']).filter(|part| !part.is_empty()).collect();
    let [month, day] = parts.as_slice() else { return None };
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    // a leap year has every day
    Date::new(2024, month, day).ok().map(|_| YearDay { month, day })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_come_in_many_forms() {
        for text in [
            "2024-03-05",
            "2024/3/5",
            "20240305",
            "2024.3.5",
            "2024年3月5日",
            "2024-03-05T00:00:00Z",
            "2024/03/05 00:00:00+08",
        ] {
            assert_eq!(day(text), Some(Some(date(2024, 3, 5))), "{text}");
        }
        assert_eq!(day("长期"), Some(None));
        for text in ["2024-02-30", "05-03-2024", "2024", "March 5", "24-03-05", "2024-13-01", ""] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn seasons_come_in_many_forms() {
        let season = |from: (i8, i8), to: (i8, i8)| Season {
            from: YearDay { month: from.0, day: from.1 },
            to: YearDay { month: to.0, day: to.1 },
        };
        assert_eq!(seasons("04-01..06-30"), Some(vec![season((4, 1), (6, 30))]));
        assert_eq!(seasons("4月1日至6月30日"), Some(vec![season((4, 1), (6, 30))]));
        let two = vec![season((11, 1), (2, 29)), season((4, 1), (6, 30))];
        assert_eq!(seasons("11-01..02-29; 4.1~6.30"), Some(two));
        assert_eq!(seasons(""), Some(Vec::new()));
        for text in ["04-01", "04-31..06-30", "spring", "13-01..14-01"] {
            assert_eq!(seasons(text), None, "{text}");
        }
    }

    #[test]
    fn chainages_are_metres_or_stones() {
        assert_eq!(chainage("12300.5"), Some(12_300.5));
        assert_eq!(chainage("K12+300"), Some(12_300.0));
        assert_eq!(chainage("12+300.5"), Some(12_300.5));
        assert_eq!(chainage("K7"), Some(7000.0));
        assert_eq!(chainage("12 km"), None);
        assert_eq!(number("12,000.5"), Some(12_000.5));
        assert_eq!(number("NaN"), None);
    }
}
