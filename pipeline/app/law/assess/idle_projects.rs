//! Approved projects that are idle: what was looked at and what changed there, from the store and from what runs left.

use std::collections::BTreeMap;
use std::path::Path;

use geo::Area;
use geo_types::{MultiPolygon, Polygon};

use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::Grid;
use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::law::layer::Feature;
use shorewatch_domain::law::office::Chief;
use shorewatch_domain::law::place::Place;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_law::idle::{self, Change, Look};
use shorewatch_law::responsibility::{self, Units};
use shorewatch_law::rules::Rules;
use shorewatch_store::Store;

use crate::failure::Failure;
use crate::run::chips::in_pixels;
use crate::run::staged::staged_causes;

/// The projects that are idle, without an address yet.
///
/// # Errors
/// The store can't be read.
pub(super) fn found(
    store: &Store,
    rules: &Rules,
    work_folder: &Path,
    projects: &[Feature],
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
    Ok(idle::idle(projects, &looks, &changes, &managed, &seen, rules.settings.idle_observed_share_min))
}

/// The largest part of each project that is idle: where it is said to lie.
pub(super) fn outlines<'a>(idle: &[IdleProject], projects: &'a [Feature]) -> Vec<Option<&'a Polygon<f64>>> {
    let by_code: BTreeMap<&str, &Feature> = projects.iter().map(|one| (one.code.as_str(), one)).collect();
    idle.iter()
        .map(|project| {
            let parts = by_code.get(project.code.as_str())?.geometry.iter();
            parts.max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))
        })
        .collect()
}

/// Tells of an idle project where `place` is, and who is in charge there.
pub(super) fn address(project: &mut IdleProject, place: &Place, chiefs: &[Chief], rules: &Rules) {
    let units = Units::of(place, rules.settings.zone_share_min, &mut Vec::new());
    let position = place.position.as_ref();
    let in_charge = responsibility::chiefs(chiefs, position, &units, project.observed_on, &mut Vec::new());
    project.chiefs = in_charge.into_iter().flatten().map(|chief| chief.name.clone()).collect();
    project.river_code = position.map(|position| position.water_code.clone());
    project.reach_code = position.map(|position| position.reach_code.clone());
    project.adcd = units.adcd;
}

/// Which share of some ground (CGCS2000) a unit observed, by its staged pixels; `None` where they are gone, or none of them lies
/// in it.
fn observed_share(work_folder: &Path, unit: &Digest, grid: &Grid, ground: &MultiPolygon<f64>) -> Option<f64> {
    let (window, causes) = staged_causes(work_folder, unit)?;
    let outline = in_pixels(ground, grid).ok()?;
    rasterise::share_within(&outline, window, |pixel| causes[pixel].is_observed())
}
