//! Whether the pixels of a confirmed place changed since the pass that it was confirmed on: what no network has a say in.
//!
//! A network that misses a thing on a later pass, in other light or another season, calls it gone. Pixels that are as they were
//! say that nothing was cleared away. They are held against those of the pass that raised the patch, laid on each other and with
//! the radiometry of the whole pair taken out, as for every change.

use geo_types::MultiPolygon;

use shorewatch_domain::evidence::SMOOTHING_RADIUS_PX;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;

use super::context::RunContext;
use super::ground::bounding_window;
use super::plan::PlannedPublication;
use crate::change::fit::SHIFT_MARGIN_PX;
use crate::failure::Failure;

/// Length of the change vector, in standard deviations of the pass, from which on a pixel counts as changed. On the painted scene
/// of closures the pixels of things that stayed have 0.1 to 1.0 across 50 to 80 days, those of one that was cleared 3.5 to 12.7.
const CHANGED_FROM: f32 = 1.5;

/// The surroundings of a place, in pixels around it.
const AROUND_PX: usize = 20;

/// Share of the surroundings from which on they changed like the place may have: a season, snow, a flood.
const ALL_CHANGED_FROM: f64 = 0.5;

const MARGIN_PX: usize = SHIFT_MARGIN_PX + SMOOTHING_RADIUS_PX;

/// Share of the ground inside `outline` (in pixels of the grid), of what both passes observed, whose pixels changed; `None` where
/// that can't be told: the earlier pass can't be read any more, both share too few bands or no ground, they do not lie on each
/// other there, or all around changed as well.
pub(super) fn changed_fraction(
    context: &RunContext,
    publication: &PlannedPublication,
    patch: &Patch,
    outline: &MultiPolygon<f64>,
) -> Option<f64> {
    compared(context, publication, patch, outline).unwrap_or_else(|fault| {
        // what this publication itself needs was read before: an old pass that is gone must not hold it up
        tracing::warn!(patch = patch.patch_id, "can't tell whether its pixels changed since it was confirmed: {fault}");
        None
    })
}

fn compared(
    context: &RunContext,
    publication: &PlannedPublication,
    patch: &Patch,
    outline: &MultiPolygon<f64>,
) -> Result<Option<f64>, Failure> {
    let (grid, later, earlier) = (publication.grid, &publication.pass_id, &patch.post_pass_id);
    let Some(window) = bounding_window(outline).map(|window| window.grown(AROUND_PX)) else { return Ok(None) };
    let Some(pair) = context.pairs.of(context, grid, later, earlier)? else { return Ok(None) };
    if pair.held_px(window).is_some() {
        return Ok(None);
    }
    let read = pair.read(context, grid, [later, earlier], window.grown(MARGIN_PX))?;
    let magnitude = pair.fit.radiometry(&read, MARGIN_PX).magnitude;
    let (mut place, mut around) = (Share::default(), Share::default());
    for (magnitude, inside) in magnitude.iter().zip(&rasterise::mask(outline, window)) {
        let share = if *inside { &mut place } else { &mut around };
        share.count(*magnitude);
    }
    Ok(place.of().filter(|_| around.of().is_none_or(|around| around < ALL_CHANGED_FROM)))
}

/// Changed pixels among those that both passes observed.
#[derive(Default)]
struct Share {
    changed: u64,
    observed: u64,
}

impl Share {
    fn count(&mut self, magnitude: f32) {
        self.observed += u64::from(!magnitude.is_nan());
        self.changed += u64::from(magnitude >= CHANGED_FROM);
    }

    fn of(&self) -> Option<f64> {
        (self.observed > 0).then(|| self.changed as f64 / self.observed as f64)
    }
}
