//! Numbers of patches for offices: administrative code, day and sequence. A number once given stays with its patch; new ones
//! continue the sequence of their code and day.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// A number that was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Given {
    /// The patch.
    pub patch_id: String,
    /// Its number.
    pub number: String,
}

/// A patch that needs a number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The patch.
    pub patch_id: String,
    /// Code of the county, or what stands in for it.
    pub unit_code: String,
    /// The day of the later pass.
    pub day: Date,
}

/// Code and day of a number.
#[must_use]
pub fn stem(unit_code: &str, day: Date) -> String {
    format!("{unit_code}-{}", day.strftime("%Y%m%d"))
}

/// Numbers for patches that have none yet, in the order of their ids, whatever order they come in.
#[must_use]
pub fn assign(given: &[Given], wanted: &[Wanted]) -> Vec<Given> {
    let known: BTreeMap<&str, &str> =
        given.iter().map(|given| (given.patch_id.as_str(), given.number.as_str())).collect();
    let mut last: BTreeMap<String, u32> = BTreeMap::new();
    for number in given.iter().map(|given| given.number.as_str()) {
        if let Some((stem, sequence)) = number.rsplit_once('-')
            && let Ok(sequence) = sequence.parse::<u32>()
        {
            let last = last.entry(stem.to_owned()).or_default();
            *last = sequence.max(*last);
        }
    }
    let mut new: Vec<&Wanted> = wanted.iter().filter(|wanted| !known.contains_key(wanted.patch_id.as_str())).collect();
    new.sort_by(|a, b| a.patch_id.cmp(&b.patch_id));
    new.dedup_by(|a, b| a.patch_id == b.patch_id);
    new.into_iter()
        .map(|wanted| {
            let stem = stem(&wanted.unit_code, wanted.day);
            let sequence = last.entry(stem.clone()).or_default();
            *sequence += 1;
            Given { patch_id: wanted.patch_id.clone(), number: format!("{stem}-{sequence:04}") }
        })
        .collect()
}
