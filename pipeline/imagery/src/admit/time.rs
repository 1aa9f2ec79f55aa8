//! When a pass was acquired: the operator's word, else metadata, else the file name, else nobody knows.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use regex::{Captures, Regex};
use shorewatch_domain::pass::{AcquisitionTime, TimePrecision, TimeSource};
use shorewatch_domain::sensor::SensorProfile;

use super::delivery::file_name;
use crate::error::ImageryError;
use crate::open::OpenedFile;

/// The time of a pass by its first file.
pub(super) fn of_pass(
    path: &Path,
    opened: Option<&OpenedFile>,
    profile: &SensorProfile,
    operator: Option<AcquisitionTime>,
    warnings: &mut Vec<String>,
) -> Result<AcquisitionTime, ImageryError> {
    if let Some(time) = operator {
        return Ok(time);
    }
    let mut tried = Vec::new();
    for key in &profile.time.metadata_keys {
        match opened.and_then(|file| file.metadata_value(key)) {
            None => tried.push(format!("no metadata {key}")),
            Some(text) => match parse(text) {
                Some((at, precision)) => return Ok(AcquisitionTime { at, precision, source: TimeSource::Metadata }),
                None => {
                    warnings.push(format!("{}: metadata {key} holds {text:?}, which is no time", file_name(path)));
                    tried.push(format!("metadata {key} is {text:?}, no time"));
                }
            },
        }
    }
    if let Some(pattern) = &profile.time.file_name_pattern {
        let name = file_name(path);
        let regex = Regex::new(pattern).map_err(|error| ImageryError::Profile {
            profile: profile.name.clone(),
            problem: format!("time.file_name_pattern is no regular expression: {error}"),
        })?;
        match regex.captures(&name) {
            None => tried.push(format!("the name does not match {pattern:?}")),
            Some(groups) => match from_groups(&groups) {
                Some((at, precision)) => return Ok(AcquisitionTime { at, precision, source: TimeSource::FileName }),
                None => tried.push("the name holds an impossible date".to_owned()),
            },
        }
    }
    if tried.is_empty() {
        tried.push(format!("the profile {} names neither metadata nor a pattern", profile.name));
    }
    Err(ImageryError::TimeUnknown { path: path.to_owned(), tried: tried.join("; ") })
}

/// A time in ISO 8601 or `YYYY:MM:DD HH:MM:SS`. Without an offset it is UTC; a date alone is a day.
fn parse(text: &str) -> Option<(Timestamp, TimePrecision)> {
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at, TimePrecision::Second));
    }
    // TIFF and EXIF write colons in the date
    let bytes = text.as_bytes();
    let colons = bytes.len() >= 10 && bytes[4] == b':' && bytes[7] == b':';
    let text =
        if colons { format!("{}-{}-{}", &text.get(..4)?, &text.get(5..7)?, &text.get(8..)?) } else { text.to_owned() };
    if text.contains(':') {
        let at = text.parse::<DateTime>().ok()?;
        return Some((in_utc(at)?, TimePrecision::Second));
    }
    let day = text.parse::<Date>().ok()?;
    Some((in_utc(day.at(0, 0, 0, 0))?, TimePrecision::Day))
}

fn from_groups(groups: &Captures<'_>) -> Option<(Timestamp, TimePrecision)> {
    let number = |name: &str| groups.name(name).map(|found| found.as_str().parse::<i16>().ok());
    let small = |name: &str| number(name).map(|value| value.and_then(|value| i8::try_from(value).ok()));
    let year = number("year")??;
    let (Some(month), Some(day)) = (small("month"), small("day")) else {
        return Some((in_utc(Date::new(year, 7, 1).ok()?.at(0, 0, 0, 0))?, TimePrecision::Year));
    };
    let date = Date::new(year, month?, day?).ok()?;
    let (Some(hour), Some(minute)) = (small("hour"), small("minute")) else {
        return Some((in_utc(date.at(0, 0, 0, 0))?, TimePrecision::Day));
    };
    let second = small("second").unwrap_or(Some(0))?;
    let time = jiff::civil::Time::new(hour?, minute?, second, 0).ok()?;
    Some((in_utc(date.to_datetime(time))?, TimePrecision::Second))
}

fn in_utc(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, TimePrecision)>) {
        let got = parse(text).map(|(at, precision)| (at.to_string(), precision));
        assert_eq!(got, expected.map(|(at, precision)| (at.to_owned(), precision)), "{text:?}");
    }

    #[test]
    fn times_in_the_forms_of_the_products() {
        use TimePrecision::{Day, Second};
        check("2024-03-15T02:41:09.024Z", Some(("2024-03-15T02:41:09.024Z", Second)));
        check("2024-03-15T10:41:09+08:00", Some(("2024-03-15T02:41:09Z", Second)));
        check("2024-03-15 02:41:09", Some(("2024-03-15T02:41:09Z", Second)));
        check("2018:07:21 14:03:55", Some(("2018-07-21T14:03:55Z", Second)));
        check("2018:07:21", Some(("2018-07-21T00:00:00Z", Day)));
        check("2018-07-21", Some(("2018-07-21T00:00:00Z", Day)));
        check("0000:00:00 00:00:00", None);
        check("2018-13-40", None);
        check("yesterday", None);
        check("", None);
    }

    #[test]
    fn groups_of_a_name_and_their_precision() {
        let check = |pattern: &str, name: &str, expected: Option<(&str, TimePrecision)>| {
            let groups = Regex::new(pattern).expect("a pattern");
            let got = groups.captures(name).and_then(|groups| from_groups(&groups)).map(|(at, p)| (at.to_string(), p));
            assert_eq!(got, expected.map(|(at, precision)| (at.to_owned(), precision)), "{name}");
        };
        let day = r"_(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})\.";
        check(day, "m_4709963_se_14_1_20160816.tif", Some(("2016-08-16T00:00:00Z", TimePrecision::Day)));
        check(day, "m_4709963_se_14_1_20161316.tif", None);
        check(r"^(?<year>\d{4})\.", "1985.tif", Some(("1985-07-01T00:00:00Z", TimePrecision::Year)));
        let second = r"(?<year>\d{4})(?<month>\d{2})(?<day>\d{2})T(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2})";
        check(second, "T49QCE_20240315T030541_B04.jp2", Some(("2024-03-15T03:05:41Z", TimePrecision::Second)));
    }
}
