//! The step "assess": layers in force, reviewed sites and rules on every current patch that something new reaches, on all cores, and
//! one transaction.
//!
//! | module | holds |
//! |---|---|
//! | `numbers` | numbers of patches: kept, handed on, given |
//! | `idle_projects` | approved projects on whose ground nothing changed |

mod idle_projects;
mod numbers;

use std::path::Path;

use geo::BoundingRect;
use geo_types::{Polygon, Rect};
use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::assessment::Language;
use shorewatch_domain::law::layer::{Feature, LayerKind};
use shorewatch_domain::law::place::{Place, Versions};
use shorewatch_domain::patch::Patch;
use shorewatch_law::assess::{Context, Inputs, assess};
use shorewatch_law::explain;
use shorewatch_law::index::{LayerIndex, Layers};
use shorewatch_law::known::{ReviewedSite, Sites};
use shorewatch_law::responsibility::Offices;
use shorewatch_law::rules::Rules;
use shorewatch_store::layers::Areas;
use shorewatch_store::{AssessmentCounts, AssessmentUpdate, NewAssessment, PatchFilter, Store};

use self::idle_projects::Idle;
use crate::failure::Failure;

/// Up to so many places are asked for what lies near each; for more, every area in force is read.
const FEW_PLACES: usize = 2_000;

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
    let in_force = store.layers_in_force_without_areas()?;
    let noted = in_force.noted();
    let sites = reviewed(store)?;
    let patches: Vec<Patch> = store.patches(&PatchFilter::default())?.into_iter().map(|stored| stored.patch).collect();
    let as_of = as_of(store, rules)?;
    let known = store.assessment_digests()?;
    let inputs = Inputs::new(&in_force.versions, rules, as_of, &sites);
    let due: Vec<(&Patch, Digest)> = patches
        .par_iter()
        .map(|patch| (patch, inputs.digest(patch)))
        .filter(|(patch, inputs)| known.get(&patch.patch_id) != Some(inputs))
        .collect();
    let projects = store.areas_in_force(Areas::Of(LayerKind::Project))?;
    let mut idle = Idle::read(store, &in_force.versions, rules, work_folder, &projects, &patches)?;

    let (mut assessments, mut given) = (Vec::new(), Vec::new());
    let asked = due.iter().map(|(patch, _)| &patch.geometry).chain(idle.unaddressed());
    // most runs find nothing to assess: then nobody asks where anything lies
    if let Some(features) = near(store, asked)? {
        let offices = Offices { chiefs: in_force.chiefs, departments: in_force.departments };
        let (waters, places, versions) = (in_force.waters, in_force.places, in_force.versions);
        let layers = LayerIndex::new(Layers { features, waters, places, versions });
        let context = Context { layers: &layers, offices: &offices, sites: &sites, rules, as_of };
        let places: Vec<Place> = due.par_iter().map(|(patch, _)| layers.place(&patch.geometry)).collect();
        let numbers;
        (numbers, given) = numbers::numbered(store, &patches, &due, &places, &sites, rules)?;
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
        idle.address(&layers, &offices.chiefs, rules);
    }
    let idle = idle.kept(work_folder);
    let idle_projects = (store.idle_projects()? != idle).then_some(idle);
    let update = AssessmentUpdate { assessments, numbers: given, idle_projects };
    Ok(Assessed { counts: store.update_assessments(&update, now)?, versions: noted })
}

/// The areas in force that outlines can meet; `None` where there are no outlines.
fn near<'a>(store: &Store, outlines: impl Iterator<Item = &'a Polygon<f64>>) -> Result<Option<Vec<Feature>>, Failure> {
    let outlines: Vec<_> = outlines.collect();
    if outlines.is_empty() {
        return Ok(None);
    }
    let boxes: Vec<Rect<f64>> = outlines.into_iter().filter_map(BoundingRect::bounding_rect).collect();
    let which = if boxes.len() <= FEW_PLACES { Areas::Near(&boxes) } else { Areas::All };
    Ok(Some(store.areas_in_force(which)?))
}

/// The day that ages are reckoned to: that of the latest pass with a current publication. The clock decides nothing.
///
/// # Errors
/// The store can't be read.
pub fn as_of(store: &Store, rules: &Rules) -> Result<Date, Failure> {
    let latest = store.publications()?.iter().filter(|one| one.is_current).map(|one| one.post_date).max();
    Ok(rules.local_day(latest.unwrap_or(Timestamp::UNIX_EPOCH)))
}

/// Decided patches as sites.
fn reviewed(store: &Store) -> Result<Sites, Failure> {
    let sites = store.reviewed_sites()?.into_iter().map(|site| ReviewedSite {
        patch_id: site.patch_id,
        outline: site.outline,
        area_m2: site.area_m2,
        verdict: site.verdict,
    });
    Ok(Sites::new(sites.collect()))
}

#[cfg(test)]
mod tests;
