//! Publishing: everything that one pass says on one grid enters the store in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use geo::MapCoordsInPlace;
use geo_types::{LineString, MultiPolygon, Polygon};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::observed::Coverage;
use shorewatch_domain::unit::Unit;
use shorewatch_imagery::crs::Transform;
use shorewatch_store::{NewPatch, Publication, PublishedUnit, ReachObservation, Store};

use super::context::RunContext;
use super::follow_up::follow_ups;
use super::ground::Ground;
use super::held;
use super::mosaic::Mosaic;
use super::patches::{Raised, patches};
use super::plan::PlannedPublication;
use super::staged::StagedNote;
use crate::failure::Failure;

/// What was published.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Published {
    /// Suspected patches.
    pub patches: usize,
    /// Places that were kept back with a reason.
    pub suppressed: usize,
    /// Blocks that could not be decoded, and ground that was held back, in words.
    pub faults: Vec<String>,
}

/// Collects the staged results of a publication and writes them to the store in one transaction.
///
/// # Errors
/// A result is missing or the store can't be written; the store is as before then.
pub fn publish(
    context: &RunContext,
    ground: &Ground,
    planned: &PlannedPublication,
    run_id: Digest,
    store: &mut Store,
) -> Result<Published, Failure> {
    let pass = context.pass(&planned.pass_id)?;
    let post_date = pass
        .acquired
        .map(|time| time.at)
        .ok_or_else(|| Failure::internal(format!("pass {pass} is ready without a time")))?;
    let to_cgcs2000 = Transform::new(ground.grid.epsg, Epsg::CGCS2000)?;
    let mosaic = Mosaic::new(&context.work_folder, &planned.units);
    let mut units = Vec::with_capacity(planned.units.len());
    let (mut faults, mut changed) = (BTreeSet::new(), BTreeSet::new());
    for unit in &planned.units {
        let StagedNote { mut summary, has_changes } = mosaic.note(unit)?;
        summary.chosen.clone_from(&unit.chosen);
        if has_changes {
            changed.insert(unit.cell);
        }
        faults.extend(summary.faults.iter().cloned());
        units.push(PublishedUnit { unit: unit.clone(), summary, outline: outline(unit, &to_cgcs2000)? });
    }
    let observations = observations(context, ground, &units);
    let new = |patch| NewPatch { patch, rank: None, chip_before: None, chip_after: None };
    let Raised { patches, suppressed } = patches(context, ground, planned, &changed)?;
    let patches: Vec<_> = patches.into_iter().map(new).collect();
    let earlier = store.patches_before(post_date, planned.grid.epsg)?;
    let follow_ups = follow_ups(context, ground, planned, &earlier, &store.confirmed_patches()?)?;
    let publication = Publication {
        id: planned.id,
        run_id,
        pass_id: planned.pass_id,
        grid: planned.grid,
        post_date,
        units,
        observations,
        patches,
        follow_ups,
        suppressed,
    };
    store.publish(&publication, jiff::Timestamp::now())?;
    faults.extend(held::told(context, store, Some(&planned.id))?);
    Ok(Published {
        patches: publication.patches.len(),
        suppressed: publication.suppressed.len(),
        faults: faults.into_iter().collect(),
    })
}

/// One row a reach of the grid: what of it the pass saw. Ground without a unit was outside the pass.
fn observations(context: &RunContext, ground: &Ground, units: &[PublishedUnit]) -> Vec<ReachObservation> {
    let mut seen: BTreeMap<&str, (Coverage, Vec<u64>, BTreeSet<Digest>)> = BTreeMap::new();
    for PublishedUnit { unit, summary, .. } in units {
        for (reach_id, coverage) in &summary.coverage {
            let (total, class_px, earlier) = seen.entry(reach_id).or_default();
            total.merge(coverage);
            earlier.extend(&unit.earlier_pass_ids);
            let of_unit = summary.class_px.get(reach_id).map_or(&[][..], Vec::as_slice);
            class_px.resize(class_px.len().max(of_unit.len()), 0);
            for (total, px) in class_px.iter_mut().zip(of_unit) {
                *total += px;
            }
        }
    }
    ground
        .reaches
        .iter()
        .map(|placed| {
            let (mut coverage, class_px, earlier) = seen.remove(placed.reach.id.as_str()).unwrap_or_default();
            coverage.add_outside(placed.pixel_count.saturating_sub(coverage.scope_px));
            let mut earlier: Vec<_> = earlier.into_iter().collect();
            earlier.sort_by_key(|id| {
                std::cmp::Reverse((context.pass(id).ok().and_then(|pass| pass.acquired).map(|time| time.at), *id))
            });
            ReachObservation {
                reach_id: placed.reach.id.clone(),
                earlier_pass_ids: earlier,
                pixel_area_m2: ground.grid.pixel_area_m2(),
                coverage,
                class_px,
            }
        })
        .collect()
}

/// The square of a unit in CGCS2000 (longitude, latitude).
fn outline(unit: &Unit, to_cgcs2000: &Transform) -> Result<Polygon<f64>, Failure> {
    let window = unit.window();
    let (left, right) = (window.col as f64, window.col_end() as f64);
    let (top, bottom) = (window.row as f64, window.row_end() as f64);
    let ring = LineString::from(vec![(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]);
    let mut square = Polygon::new(ring, Vec::new());
    square.map_coords_in_place(|point| unit.grid.to_projected(point.x, point.y).into());
    let square = to_cgcs2000.multi_polygon(&MultiPolygon::from(square), None)?;
    square.into_iter().next().ok_or_else(|| Failure::internal("a square vanished in projection"))
}
