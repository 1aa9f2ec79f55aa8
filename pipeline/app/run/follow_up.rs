//! What a pass shows of the ground of earlier patches: how much of it was observed, and whether it still is what it became.

use std::collections::BTreeSet;

use geo::MapCoordsInPlace;
use geo_types::MultiPolygon;
use rayon::prelude::*;

use shorewatch_domain::case::FollowUp;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::grid::Cell;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_imagery::crs::Transform;
use shorewatch_store::StoredPatch;

use super::again;
use super::context::RunContext;
use super::ground::{Ground, bounding_window};
use super::mosaic::Mosaic;
use super::pixels::changed_fraction;
use super::plan::PlannedPublication;
use crate::failure::Failure;

/// Follows up every patch of `earlier` passes whose ground this publication answers for, at least in part, and judges it again. Of
/// those that a person `confirmed` it also tells whether their pixels changed since. Where the pass was held back it shows another place, and
/// counts as unobserved.
///
/// # Errors
/// A result of the publication is missing, or an outline can't be projected.
pub(super) fn follow_ups(
    context: &RunContext,
    ground: &Ground,
    publication: &PlannedPublication,
    earlier: &[StoredPatch],
    confirmed: &BTreeSet<String>,
) -> Result<Vec<FollowUp>, Failure> {
    let mut mosaic = Mosaic::new(&context.work_folder, &publication.units);
    let cells: BTreeSet<Cell> = publication.units.iter().map(|unit| unit.cell).collect();
    let edge_px = publication.units.first().map_or(1, |unit| unit.edge_px);
    let to_grid = Transform::new(Epsg::CGCS2000, publication.grid.epsg)?;
    let mut placed = Vec::new();
    for stored in earlier {
        let mut outline = to_grid.multi_polygon(&MultiPolygon::from(stored.patch.geometry.clone()), None)?;
        outline.map_coords_in_place(|point| publication.grid.to_pixel(point.x, point.y).into());
        let Some(window) = bounding_window(&outline) else { continue };
        if let Some(cell) = Cell::meeting(window, edge_px).find(|cell| cells.contains(cell)) {
            placed.push((cell, window, outline, &stored.patch));
        }
    }
    // squares in order, so that each result is read once
    placed.sort_by_key(|(cell, window, ..)| (*cell, *window));
    let mut told = Vec::with_capacity(placed.len());
    for (_, window, outline, patch) in &placed {
        let known = mosaic.known(*window)?;
        let inside = rasterise::mask(outline, *window);
        let classes = classes_of(context, patch);
        let (mut all, mut observed, mut present) = (0_u64, 0_u64, 0_u64);
        let pixels = known.after.iter().zip(&known.held).zip(&inside).filter(|(_, inside)| **inside);
        for ((after, held), _) in pixels {
            all += 1;
            if let Some((of_first, of_second)) = after.as_ref().filter(|_| !held) {
                observed += 1;
                present += u64::from(classes.contains(of_first) || classes.contains(of_second));
            }
        }
        let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        told.push(FollowUp {
            patch_id: patch.patch_id.clone(),
            observed_fraction: share(observed, all),
            present_fraction: (observed > 0 && !classes.is_empty()).then(|| share(present, observed)),
            changed_fraction: None,
            review_score: None,
        });
    }
    // pixels are looked at again
    told.par_iter_mut().zip(&placed).filter(|(told, _)| told.observed_fraction > 0.0).for_each(
        |(told, (_, _, outline, patch))| {
            told.review_score = again::review_score(context, ground, publication, patch, outline);
            if confirmed.contains(&patch.patch_id) {
                told.changed_fraction = changed_fraction(context, publication, patch, outline);
            }
        },
    );
    Ok(told)
}

/// Ids of the classes that a patch may have become: those of all rows of the table with its class after, since models confuse
/// them. None for an unclassified change: no class tells whether it is still there.
fn classes_of(context: &RunContext, patch: &Patch) -> BTreeSet<u8> {
    let rows = context.table.transitions.iter().filter(|row| {
        row.to.iter().any(|outcome| {
            outcome.object_class == patch.object_class && patch.change_type.ends_with(&format!("_to_{}", outcome.class))
        })
    });
    rows.flat_map(|row| &row.to)
        .filter_map(|outcome| context.classes.id(&outcome.class))
        .filter_map(|id| u8::try_from(id).ok())
        .collect()
}
