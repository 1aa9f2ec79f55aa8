//! The step "assess": layers in force, reviewed sites and rules on every current patch, on all cores, and one transaction.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::path::Path;

use geo::{Area, BooleanOps};
use geo_types::MultiPolygon;
use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::Grid;
use shorewatch_domain::law::assessment::{IdleProject, Language};
use shorewatch_domain::law::layer::{Facts, LayerKind};
use shorewatch_domain::law::place::{Place, Versions};
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_law::assess::{Context, assess, digest, unit_code};
use shorewatch_law::explain;
use shorewatch_law::idle::{self, Change, Look};
use shorewatch_law::index::{LayerIndex, Layers};
use shorewatch_law::known::{ReviewedSite, Sites};
use shorewatch_law::number::{self, Given, Wanted};
use shorewatch_law::responsibility::{Offices, Units, chiefs};
use shorewatch_law::rules::Rules;
use shorewatch_store::{AssessmentCounts, AssessmentUpdate, NewAssessment, PatchFilter, Store};

use crate::failure::Failure;
use crate::run::chips::in_pixels;
use crate::run::staged::staged_causes;

/// A superseded patch hands its number on to one of the same pass that shares at least this much of both.
const SAME_PATCH_SHARE: f64 = 0.5;

/// What an assessment did, and what it was made with.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// What the store holds now.
    pub counts: AssessmentCounts,
    /// The versions of the layers, with the withdrawals of those that are in force no more.
    pub versions: Versions,
}

/// Assesses every current patch of which anything that decides has changed, and stores it. Below `work_folder` lie the staged
/// results of runs: they tell pixel by pixel what was observed.
///
/// # Errors
/// The store can't be read or written.
pub fn assess_all(store: &mut Store, rules: &Rules, work_folder: &Path, now: Timestamp) -> Result<Assessed, Failure> {
    let in_force = store.layers_in_force()?;
    let (versions, noted) = (in_force.versions.clone(), in_force.noted());
    let offices = Offices { chiefs: in_force.chiefs, departments: in_force.departments };
    let projects: Vec<_> =
        in_force.features.iter().filter(|feature| matches!(feature.facts, Facts::Project(_))).cloned().collect();
    // most runs find nothing to assess: then nobody asks where anything lies
    let layers = LazyCell::new(|| {
        LayerIndex::new(Layers {
            features: in_force.features,
            waters: in_force.waters,
            places: in_force.places,
            versions: in_force.versions,
        })
    });
    let (sites, sites_digest, decided) = reviewed(store)?;
    let patches: Vec<Patch> = store.patches(&PatchFilter::default())?.into_iter().map(|stored| stored.patch).collect();
    let as_of = as_of(store, rules)?;
    let known = store.assessment_digests()?;
    let due: Vec<(&Patch, Digest)> = patches
        .iter()
        .map(|patch| (patch, digest(patch, &versions, rules, as_of, &sites_digest)))
        .filter(|(patch, inputs)| known.get(&patch.patch_id) != Some(inputs))
        .collect();
    let (mut assessments, mut given) = (Vec::new(), Vec::new());
    if !due.is_empty() {
        let layers: &LayerIndex = &layers;
        let context = Context { layers, offices: &offices, sites: &sites, rules, as_of };
        let places: Vec<Place> = due.par_iter().map(|(patch, _)| layers.place(&patch.geometry)).collect();
        let numbers;
        (numbers, given) = numbered(store, &due, &places, &decided, rules)?;
        assessments = due
            .par_iter()
            .zip(&places)
            .map(|((patch, inputs), place)| {
                let number = numbers.get(&patch.patch_id).map_or("", String::as_str);
                let assessment = assess(patch, place, number, &context, *inputs);
                let text = |language| explain::text(&assessment, language);
                let (text, text_zh) = (text(Language::English), text(Language::Chinese));
                NewAssessment { text, text_zh, assessment }
            })
            .collect();
    }
    let idle_projects = Some(idle_projects(store, rules, work_folder, &layers, &offices, &projects, &patches)?);
    let update = AssessmentUpdate { assessments, numbers: given, idle_projects };
    Ok(Assessed { counts: store.update_assessments(&update, now)?, versions: noted })
}

/// The day that ages are reckoned to: that of the latest pass with a current publication. The clock decides nothing.
///
/// # Errors
/// The store can't be read.
pub fn as_of(store: &Store, rules: &Rules) -> Result<Date, Failure> {
    let latest = store.publications()?.iter().filter(|one| one.is_current).map(|one| one.post_date).max();
    Ok(rules.local_day(latest.unwrap_or(Timestamp::UNIX_EPOCH)))
}

/// Decided patches as sites, with their digest, and their ids.
fn reviewed(store: &Store) -> Result<(Sites, Digest, BTreeSet<String>), Failure> {
    let reviewed = store.reviewed_sites()?;
    let decided = reviewed.iter().map(|site| site.patch_id.clone()).collect();
    let digest = reviewed.iter().fold(DigestBuilder::new("reviewed sites"), |builder, site| {
        builder.field("patch", &site.patch_id).field("verdict", site.verdict.name()).number("area", site.area_m2)
    });
    let sites = reviewed.into_iter().map(|site| ReviewedSite {
        patch_id: site.patch_id,
        outline: site.outline,
        area_m2: site.area_m2,
        verdict: site.verdict,
    });
    Ok((Sites::new(sites.collect()), digest.finish(), decided))
}

/// Numbers by patch, and those that are given now.
type Numbers = (BTreeMap<String, String>, Vec<(String, String)>);

fn numbered(
    store: &Store,
    due: &[(&Patch, Digest)],
    places: &[Place],
    decided: &BTreeSet<String>,
    rules: &Rules,
) -> Result<Numbers, Failure> {
    let mut numbers = store.patch_numbers()?;
    // a number with the code that stands in is provisional: it gives way once the unit is known, unless somebody decided on it
    let stand_in = format!("{}-", rules.settings.fallback_unit_code);
    for ((patch, _), place) in due.iter().zip(places) {
        let is_provisional = numbers.get(&patch.patch_id).is_some_and(|number| number.starts_with(&stand_in));
        if is_provisional
            && !decided.contains(&patch.patch_id)
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
    let mut given = if without.is_empty() { Vec::new() } else { inherited(store, &without, &numbers, &stand_in)? };
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
    without: &[(&Patch, &Place)],
    numbers: &BTreeMap<String, String>,
    stand_in: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let current: BTreeSet<String> =
        store.patches(&PatchFilter::default())?.into_iter().map(|stored| stored.patch.patch_id).collect();
    let mut taken: BTreeSet<&String> =
        numbers.iter().filter(|(id, _)| current.contains(*id)).map(|(_, number)| number).collect();
    let former = store.superseded_patches()?;
    let mut wanting: Vec<&Patch> = without.iter().map(|(patch, _)| *patch).collect();
    wanting.sort_by(|a, b| a.patch_id.cmp(&b.patch_id));
    let mut found = Vec::new();
    for patch in wanting {
        let best = former
            .iter()
            .map(|stored| &stored.patch)
            .filter(|one| one.post_pass_id == patch.post_pass_id && !current.contains(&one.patch_id))
            .filter_map(|one| numbers.get(&one.patch_id).map(|number| (shared(patch, one), number)))
            .filter(|(share, number)| {
                *share >= SAME_PATCH_SHARE && !taken.contains(number) && !number.starts_with(stand_in)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
        if let Some((_, number)) = best {
            taken.insert(number);
            found.push((patch.patch_id.clone(), number.clone()));
        }
    }
    Ok(found)
}

/// What two patches have in common, as a share of what both cover. A ratio of areas in degrees at one place.
fn shared(one: &Patch, other: &Patch) -> f64 {
    let common = one.geometry.intersection(&other.geometry).unsigned_area();
    let both = one.geometry.unsigned_area() + other.geometry.unsigned_area() - common;
    if both > 0.0 { common / both } else { 0.0 }
}

fn idle_projects(
    store: &Store,
    rules: &Rules,
    work_folder: &Path,
    layers: &impl Deref<Target = LayerIndex>,
    offices: &Offices,
    projects: &[shorewatch_domain::law::layer::Feature],
    patches: &[Patch],
) -> Result<Vec<IdleProject>, Failure> {
    if projects.is_empty() {
        return Ok(Vec::new());
    }
    let grids: BTreeMap<Digest, Grid> = store.publications()?.into_iter().map(|one| (one.id, one.grid)).collect();
    let tiles = store.tiles()?;
    let unit_grids: BTreeMap<Digest, Grid> =
        tiles.iter().filter_map(|tile| Some((tile.unit_id, *grids.get(&tile.publication_id)?))).collect();
    let looks: Vec<Look> = tiles
        .into_iter()
        .map(|tile| Look {
            unit: tile.unit_id,
            day: rules.local_day(tile.post_date),
            square: tile.outline,
            observed_share: tile.observed_share,
        })
        .collect();
    let changes: Vec<Change> = patches
        .iter()
        .map(|patch| Change { day: rules.local_day(patch.post_date), outline: patch.geometry.clone() })
        .collect();
    let managed: Vec<_> = store.reaches()?.into_iter().map(|reach| reach.scope).collect();
    let seen = |look: &Look, ground: &MultiPolygon<f64>| {
        observed_share(work_folder, &look.unit, unit_grids.get(&look.unit)?, ground)
    };
    let mut found = idle::idle(projects, &looks, &changes, &managed, &seen, rules.settings.idle_observed_share_min);
    for project in &mut found {
        let area = layers.area_of(LayerKind::Project, &project.code);
        let largest = area.and_then(|area| area.iter().max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area())));
        if let Some(outline) = largest {
            let place = layers.place(outline);
            let units = Units::of(&place, rules.settings.zone_share_min, &mut Vec::new());
            let position = place.position.as_ref();
            let in_charge = chiefs(&offices.chiefs, position, &units, project.observed_on, &mut Vec::new());
            project.chiefs = in_charge.into_iter().flatten().map(|chief| chief.name.clone()).collect();
            project.river_code = position.map(|position| position.water_code.clone());
            project.reach_code = position.map(|position| position.reach_code.clone());
            project.adcd = units.adcd;
        }
    }
    Ok(found)
}

/// Which share of some ground (CGCS2000) a unit observed, by its staged pixels; `None` where they are gone, or none of them lies
/// in it.
fn observed_share(work_folder: &Path, unit: &Digest, grid: &Grid, ground: &MultiPolygon<f64>) -> Option<f64> {
    let (window, causes) = staged_causes(work_folder, unit)?;
    let outline = in_pixels(ground, grid).ok()?;
    rasterise::share_within(&outline, window, |pixel| causes[pixel].is_observed())
}
