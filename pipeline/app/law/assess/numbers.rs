//! Numbers of patches for offices: kept, handed on by superseded patches, or given anew.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Area, BooleanOps, BoundingRect};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::place::Place;
use shorewatch_domain::patch::Patch;
use shorewatch_law::assess::unit_code;
use shorewatch_law::known::Sites;
use shorewatch_law::number::{self, Given, Wanted};
use shorewatch_law::rules::Rules;
use shorewatch_store::Store;

use crate::failure::Failure;

/// A superseded patch hands its number on to one of the same pass that shares at least this much of both.
const SAME_PATCH_SHARE: f64 = 0.5;

/// Numbers by patch, and those that are given now.
pub(super) type Numbers = (BTreeMap<String, String>, Vec<(String, String)>);

/// Gives numbers to those of `due` that have none, or one that was to stand in for a better one. `current` are all patches.
///
/// # Errors
/// The store can't be read.
pub(super) fn numbered(
    store: &Store,
    current: &[Patch],
    due: &[(&Patch, Digest)],
    places: &[Place],
    sites: &Sites,
    rules: &Rules,
) -> Result<Numbers, Failure> {
    let mut numbers = store.patch_numbers()?;
    // a number with the code that stands in is provisional: it gives way once the unit is known, unless somebody decided on it
    let stand_in = format!("{}-", rules.settings.fallback_unit_code);
    for ((patch, _), place) in due.iter().zip(places) {
        let is_provisional = numbers.get(&patch.patch_id).is_some_and(|number| number.starts_with(&stand_in));
        if is_provisional
            && !sites.contains(&patch.patch_id)
            && unit_code(place, rules) != rules.settings.fallback_unit_code
        {
            numbers.remove(&patch.patch_id);
        }
    }
    let without: Vec<(&Patch, &Place)> = due
        .iter()
        .zip(places)
        .map(|((patch, _), place)| (*patch, place))
        .filter(|(patch, _)| !numbers.contains_key(&patch.patch_id))
        .collect();
    let mut given =
        if without.is_empty() { Vec::new() } else { inherited(store, current, &without, &numbers, &stand_in)? };
    numbers.extend(given.iter().cloned());
    let known: Vec<Given> =
        numbers.iter().map(|(patch_id, number)| Given { patch_id: patch_id.clone(), number: number.clone() }).collect();
    let wanted: Vec<Wanted> = without
        .iter()
        .map(|(patch, place)| Wanted {
            patch_id: patch.patch_id.clone(),
            unit_code: unit_code(place, rules),
            day: rules.local_day(patch.post_date),
        })
        .collect();
    given.extend(number::assign(&known, &wanted).into_iter().map(|given| (given.patch_id, given.number)));
    numbers.extend(given.iter().cloned());
    Ok((numbers, given))
}

/// Numbers of superseded patches that go on with a new one: of the same pass, and mostly the same ground.
fn inherited(
    store: &Store,
    current: &[Patch],
    without: &[(&Patch, &Place)],
    numbers: &BTreeMap<String, String>,
    stand_in: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let current: BTreeSet<&str> = current.iter().map(|patch| patch.patch_id.as_str()).collect();
    let mut taken: BTreeSet<&String> =
        numbers.iter().filter(|(id, _)| current.contains(id.as_str())).map(|(_, number)| number).collect();
    let former = store.superseded_patches()?;
    let former = RTree::bulk_load(
        former
            .iter()
            .map(|stored| &stored.patch)
            .filter(|one| !current.contains(one.patch_id.as_str()))
            .filter_map(|one| Some((one, numbers.get(&one.patch_id).filter(|number| !number.starts_with(stand_in))?)))
            .filter_map(|found| Some(GeomWithData::new(Rectangle::from_aabb(bounds(found.0)?), found)))
            .collect(),
    );
    let mut wanting: Vec<&Patch> = without.iter().map(|(patch, _)| *patch).collect();
    wanting.sort_by(|a, b| a.patch_id.cmp(&b.patch_id));
    let mut found = Vec::new();
    for patch in wanting {
        let Some(bounds) = bounds(patch) else { continue };
        let best = former
            .locate_in_envelope_intersecting(&bounds)
            .map(|near| near.data)
            .filter(|(one, number)| one.post_pass_id == patch.post_pass_id && !taken.contains(number))
            .map(|(one, number)| (shared(patch, one), number))
            .filter(|(share, _)| *share >= SAME_PATCH_SHARE)
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
        if let Some((_, number)) = best {
            taken.insert(number);
            found.push((patch.patch_id.clone(), number.clone()));
        }
    }
    Ok(found)
}

fn bounds(patch: &Patch) -> Option<AABB<[f64; 2]>> {
    let bounds = patch.geometry.bounding_rect()?;
    Some(AABB::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]))
}

/// What two patches have in common, as a share of what both cover. A ratio of areas in degrees at one place.
fn shared(one: &Patch, other: &Patch) -> f64 {
    let common = one.geometry.intersection(&other.geometry).unsigned_area();
    let both = one.geometry.unsigned_area() + other.geometry.unsigned_area() - common;
    if both > 0.0 { common / both } else { 0.0 }
}
