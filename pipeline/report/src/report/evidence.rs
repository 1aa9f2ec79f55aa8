//! What moved the review score of a patch, in plain words.

use std::collections::BTreeMap;

use super::format::words;

/// Kinds of evidence shown with a patch, those that weigh most.
const SHOWN: usize = 4;
/// Less than this would be shown as nothing.
const NEGLIGIBLE: f64 = 0.05;
/// The log-odds without any evidence, the same for every patch: it tells nothing of one.
const STARTING_POINT: &str = "prior";

/// Each kind of evidence: its name in the data, its word, and what it means.
pub(super) const KINDS: [(&str, &str, &str); 10] = [
    ("magnitude", "magnitude", "how much its pixels changed, over all bands"),
    ("alteration", "alteration", "how far its pixels left what the whole pass did, such as another light or season"),
    ("class_change", "classes", "the model tells another land cover than before"),
    ("water_change", "water", "water came or went; that counts against it, since water does so by itself"),
    ("object_change", "object", "the model tells an object of concern on one date only"),
    ("learned", "comparison", "what a network that is shown both dates says"),
    ("core", "core", "how much the quarter of its pixels changed that changed most"),
    ("size", "size", "a larger patch is less likely to be chance"),
    ("shape", "shape", "a long and thin outline counts against it: an edge that moved"),
    ("contrast", "contrast", "how much it stands out from the ground around it"),
];

/// "contrast +2.1", "shape −0.8", …: the largest by absolute value first.
pub(super) fn strongest(evidence: &BTreeMap<String, f64>) -> Vec<String> {
    let mut terms: Vec<(&str, f64)> = evidence
        .iter()
        .filter(|(name, value)| name.as_str() != STARTING_POINT && value.abs() >= NEGLIGIBLE)
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(b.0)));
    terms.truncate(SHOWN);
    terms.into_iter().map(|(name, value)| format!("{} {}", word(name), signed(value))).collect()
}

fn word(name: &str) -> String {
    let known = KINDS.iter().find(|(kind, _, _)| *kind == name);
    known.map_or_else(|| words(name), |(_, word, _)| (*word).to_owned())
}

fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{:.1}", value.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_come_first_with_their_signs() {
        let evidence: BTreeMap<String, f64> = [
            ("prior", -4.8),
            ("alteration", 1.24),
            ("contrast", 0.8),
            ("water_change", -0.4),
            ("class_change", 0.3),
            ("magnitude", 0.01),
            ("tide_tables", -2.0),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        assert_eq!(strongest(&evidence), ["tide tables −2.0", "alteration +1.2", "contrast +0.8", "water −0.4"]);
    }

    #[test]
    fn what_rounds_to_nothing_is_not_shown() {
        assert!(strongest(&[("size".to_owned(), 0.04)].into()).is_empty());
        assert!(strongest(&BTreeMap::new()).is_empty());
    }
}
