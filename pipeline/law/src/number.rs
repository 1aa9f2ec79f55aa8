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

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Whatever comes when and in whatever order: nobody's number changes, and no two patches share one.
        #[test]
        fn numbers_are_kept_and_unique(batches in prop::collection::vec(prop::collection::vec((0_u8..40, 0_i8..3, 0_u8..2), 0..12), 1..5)) {
            let mut given: Vec<Given> = Vec::new();
            for batch in batches {
                let wanted: Vec<Wanted> = batch
                    .iter()
                    .map(|(id, day, unit)| Wanted {
                        patch_id: format!("p{id}"),
                        unit_code: format!("45070{unit}"),
                        day: date(2024, 3, 1 + day),
                    })
                    .collect();
                let new = assign(&given, &wanted);
                let known: BTreeSet<&str> = given.iter().map(|given| given.patch_id.as_str()).collect();
                prop_assert!(new.iter().all(|new| !known.contains(new.patch_id.as_str())));
                given.extend(new);
                let numbers: BTreeSet<&str> = given.iter().map(|given| given.number.as_str()).collect();
                prop_assert_eq!(numbers.len(), given.len());
                prop_assert!(assign(&given, &wanted).is_empty(), "assessing twice gives nothing new");
            }
        }

        #[test]
        fn the_order_of_patches_does_not_matter(ids in prop::collection::btree_set(0_u16..500, 1..20), seed in any::<u64>()) {
            let wanted = |id: &u16| Wanted { patch_id: format!("p{id:04}"), unit_code: "450702".to_owned(), day: date(2024, 3, 15) };
            let sorted: Vec<Wanted> = ids.iter().map(wanted).collect();
            let mut shuffled = sorted.clone();
            let length = shuffled.len();
            for i in 0..length {
                shuffled.swap(i, (seed.rotate_left(i as u32 * 7) % length as u64) as usize);
            }
            prop_assert_eq!(assign(&[], &sorted), assign(&[], &shuffled));
        }
    }
}
