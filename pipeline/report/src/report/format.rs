//! Numbers and texts as a reader sees them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Cause, IssueClass};

/// Characters of a digest that are shown outside the provenance.
const SHORT_DIGEST_CHARACTERS: usize = 12;

/// What stands where something can't be told.
pub(super) const NOT_TOLD: &str = "not told";

/// A score from 0 to 1, two decimals. Only 1 itself is shown as 1, and only 0 as 0.
pub(super) fn score(value: Option<f64>) -> String {
    match value {
        None => NOT_TOLD.to_owned(),
        Some(value) if value < 1.0 && value > 0.995 => "> 0.99".to_owned(),
        Some(value) if value > 0.0 && value < 0.005 => "< 0.01".to_owned(),
        Some(value) => format!("{value:.2}"),
    }
}

/// A number with `decimals` decimals and thousands separated by commas.
#[must_use]
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let zero = text.chars().all(|character| matches!(character, '0' | '.'));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    if fraction.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{fraction}") }
}

/// An area in m² with 2 decimals.
pub(super) fn square_metres(area_m2: f64) -> String {
    format!("{} m²", number(area_m2, 2))
}

/// An area in hectares. Something is never shown as nothing.
pub(super) fn hectares(area_m2: f64) -> String {
    let area_ha = area_m2 / 10_000.0;
    if area_ha > 0.0 && area_ha < 0.01 { "< 0.01 ha".to_owned() } else { format!("{} ha", number(area_ha, 2)) }
}

/// A share of a whole in percent. Something is never shown as nothing, nor almost all as all.
pub(crate) fn percent(part: f64, whole: f64) -> String {
    if whole <= 0.0 {
        return "–".to_owned();
    }
    let percent = part / whole * 100.0;
    if percent > 0.0 && percent < 0.1 {
        "< 0.1 %".to_owned()
    } else if percent < 100.0 && percent > 99.9 && whole - part > 1e-9 * whole {
        "> 99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// How long something took.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours} h {minutes} min") } else { format!("{minutes} min {seconds} s") }
}

/// A longitude or latitude with its hemisphere, six decimals (about 0.1 m).
pub(super) fn coordinate(degrees: f64, positive: char, negative: char) -> String {
    let letter = if degrees < 0.0 { negative } else { positive };
    format!("{:.6}° {letter}", degrees.abs())
}

/// The first characters of a digest.
pub(crate) fn short_digest(digest: &str) -> String {
    digest.chars().take(SHORT_DIGEST_CHARACTERS).collect()
}

/// `singular` for one, `plural` for any other number, with the number before it.
#[must_use]
pub fn count(number_of: usize, singular: &str, plural: &str) -> String {
    let word = if number_of == 1 { singular } else { plural };
    format!("{} {word}", number(number_of as f64, 0))
}

/// A name in words: `bare_soil` as `bare soil`.
pub(crate) fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Length of a bar in percent, as CSS reads it.
pub(crate) fn bar(part: f64, whole: f64) -> String {
    let share = if whole > 0.0 { part / whole } else { 0.0 };
    format!("{:.2}", (share * 100.0).clamp(0.0, 100.0))
}

/// A PNG file as an address that holds it.
pub(crate) fn data_uri(png: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

/// A JPEG picture as part of the page.
pub(crate) fn jpeg_uri(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg))
}

/// A cause in words.
pub(super) fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Cloud => "cloud",
        Cause::CloudShadow => "cloud shadow",
        Cause::Snow => "snow or ice",
        Cause::NoData => "no data",
        Cause::OutsidePass => "outside the pass",
        Cause::CorruptBlock => "unreadable block",
        Cause::Saturated => "saturated",
        Cause::Other(words) => words,
    }
    .to_owned()
}

/// English name and official Chinese term of an issue class, or that it can't be told.
pub(super) fn issue_class(class: Option<&IssueClass>) -> (String, String) {
    let (english, chinese) = match class {
        Some(IssueClass::Occupation) => ("occupation", "乱占"),
        Some(IssueClass::Mining) => ("mining", "乱采"),
        Some(IssueClass::Dumping) => ("dumping", "乱堆"),
        Some(IssueClass::Construction) => ("construction", "乱建"),
        Some(IssueClass::Other { english, chinese }) => (english.as_str(), chinese.as_str()),
        None => (NOT_TOLD, "待定"),
    };
    (english.to_owned(), chinese.to_owned())
}

/// Writes characters that steer text without being seen (bidirectional controls, zero-width and
/// control characters) as visible codes such as `⟨U+202E⟩`, so that a name cannot disguise itself.
pub(crate) fn show_hidden_characters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let hidden = match character {
            '\n' | '\t' => false,
            '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2060}' | '\u{FEFF}' => true,
            '\u{061C}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
            '\u{2028}' | '\u{2029}' | '\u{FFFE}' | '\u{FFFF}' => true,
            other => other.is_control(),
        };
        if hidden {
            shown.push_str(&format!("⟨U+{:04X}⟩", character as u32));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(1234567.891, 2), "1,234,567.89");
        assert_eq!(number(999.0, 0), "999");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(-1234.5, 1), "−1,234.5");
        assert_eq!(square_metres(100.0), "100.00 m²");
        assert_eq!(hectares(12.0), "< 0.01 ha");
        assert_eq!(hectares(0.0), "0.00 ha");
        assert_eq!(duration(3.25), "3.2 s");
        assert_eq!(duration(125.0), "2 min 5 s");
        assert_eq!(duration(7322.0), "2 h 2 min");
        assert_eq!(score(Some(0.9999)), "> 0.99");
        assert_eq!(score(Some(0.001)), "< 0.01");
        assert_eq!(score(Some(0.876)), "0.88");
        assert_eq!(score(None), "not told");
        assert_eq!(coordinate(-74.5, 'E', 'W'), "74.500000° W");
    }

    #[test]
    fn percentages_never_round_something_to_nothing_or_all() {
        assert_eq!(percent(0.0, 10.0), "0.0 %");
        assert_eq!(percent(1.0, 1_000_000.0), "< 0.1 %");
        assert_eq!(percent(999_999.0, 1_000_000.0), "> 99.9 %");
        assert_eq!(percent(10.0, 10.0), "100.0 %");
        assert_eq!(percent(1.0, 0.0), "–");
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(show_hidden_characters("a\u{202E}b\u{0}c\n中"), "a⟨U+202E⟩b⟨U+0000⟩c\n中");
    }
}
