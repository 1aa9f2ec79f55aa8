//! Whether a later pass bears out the patch of an earlier one: its ground is judged again, held against dates from before the patch.
//!
//! What was made stays different from what was there before; a harvest, a flood or a haze does not. The dates are those of the
//! passes that this one is compared with anyway and that are older than the patch: they lie on this one and are read already, and
//! which they are is part of the identity of the units. A patch that is older than all of them is not judged again.

use geo_types::MultiPolygon;
use ndarray::Array2;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::evidence::{LogOdds, WEIGHTS};
use shorewatch_domain::grid::Window;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_domain::suspicion::{RING_PX, seen_again};

use super::context::RunContext;
use super::ground::{Ground, bounding_window};
use super::plan::PlannedPublication;
use crate::change::scorer::Judges;
use crate::failure::Failure;

/// The review score (0..1) that the pass of a publication gives a patch on the ground inside `outline` (in pixels of the grid);
/// `None` where it was not compared with any pass from before the patch.
pub(super) fn review_score(
    context: &RunContext,
    ground: &Ground,
    publication: &PlannedPublication,
    patch: &Patch,
    outline: &MultiPolygon<f64>,
) -> Option<f64> {
    judged(context, ground, publication, patch, outline).unwrap_or_else(|fault| {
        // what this publication itself needs was read before: an old patch must not hold it up
        tracing::warn!(patch = patch.patch_id, "can't tell whether this pass bears the patch out: {fault}");
        None
    })
}

fn judged(
    context: &RunContext,
    ground: &Ground,
    publication: &PlannedPublication,
    patch: &Patch,
    outline: &MultiPolygon<f64>,
) -> Result<Option<f64>, Failure> {
    let Some(window) = bounding_window(outline).filter(|_| patch.review_score.is_some()) else { return Ok(None) };
    let around = window.grown(RING_PX.1);
    let everywhere = Array2::from_elem(around.shape(), true);
    let mut least: Option<LogOdds> = None;
    for earlier in passes_before(context, publication, patch, window)? {
        let Some(odds) = log_odds(context, publication, &earlier, around)? else { continue };
        match &mut least {
            Some(least) => least.keep_least(&odds, everywhere.view()),
            none => *none = Some(odds),
        }
    }
    let Some(mut odds) = least else { return Ok(None) };
    // nor did the pass that raised it know what lies out of scope
    odds.sum.zip_mut_with(&ground.in_scope(around), |odds, inside| *odds = if *inside { *odds } else { f32::NAN });
    let inside = rasterise::mask(outline, around);
    let group: Vec<(usize, usize)> =
        inside.indexed_iter().filter(|(_, inside)| **inside).map(|(place, _)| place).collect();
    Ok(seen_again(odds.sum.view(), &group))
}

/// The passes from before a patch that this one is compared with on its ground.
fn passes_before(
    context: &RunContext,
    publication: &PlannedPublication,
    patch: &Patch,
    window: Window,
) -> Result<Vec<Digest>, Failure> {
    let mut before = Vec::new();
    let units = publication.units.iter().filter(|unit| unit.window().intersection(&window).is_some());
    for pass_id in units.flat_map(|unit| &unit.earlier_pass_ids) {
        let acquired = context.pass(pass_id)?.acquired;
        if acquired.is_some_and(|time| time.at < patch.post_date) && !before.contains(pass_id) {
            before.push(*pass_id);
        }
    }
    Ok(before)
}

/// The log-odds of change from an earlier pass to that of the publication, over `around`; `None` where they can't be compared there.
fn log_odds(
    context: &RunContext,
    publication: &PlannedPublication,
    earlier: &Digest,
    around: Window,
) -> Result<Option<LogOdds>, Failure> {
    let (grid, later) = (publication.grid, &publication.pass_id);
    let Some(pair) = context.pairs.of(context, grid, later, earlier)? else { return Ok(None) };
    if pair.held_px(around).is_some() {
        return Ok(None);
    }
    let segmenter = &context.model;
    let network = context.change_model(&pair.roles).map(|change| change.network()).transpose()?;
    let fits = segmenter.description().check_fits(&pair.roles, grid.pixel_size_m).is_ok();
    let segmenter = if fits { Some(segmenter.segmenter()?) } else { None };
    let judges = Judges { segmenter, network, roles: &pair.roles };
    let read = pair.read(context, grid, [later, earlier], around.grown(judges.margin_px()))?;
    Ok(Some(judges.evidence(&read, &pair.fit)?.evidence.log_odds(&WEIGHTS)))
}
