//! Whether the pixels of a confirmed place changed since the pass that it was confirmed on: what no network has a say in.
//!
//! A network that misses a thing on a later pass, in other light or another season, calls it gone. Pixels that are as they were
//! say that nothing was cleared away. They are held against those of the pass that raised the patch, laid on each other and with
//! the radiometry of the whole pair taken out, as for every change.

use geo_types::MultiPolygon;

use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;

use super::context::RunContext;
use super::ground::bounding_window;
use super::plan::PlannedPublication;
use crate::change::fit::SHIFT_MARGIN_PX;
use crate::change::pair::PairWindow;
use crate::failure::Failure;
use shorewatch_domain::evidence::SMOOTHING_RADIUS_PX;

const MARGIN_PX: usize = SHIFT_MARGIN_PX + SMOOTHING_RADIUS_PX;

/// Share of the ground inside `outline` (in pixels of the grid), of what both passes observed, whose pixels changed; `None` where
/// that can't be told: the earlier pass is no longer there, both share too few bands or no ground, or they do not lie on each
/// other there.
///
/// # Errors
/// The later pass can't be read any more.
pub(super) fn changed_fraction(
    context: &RunContext,
    publication: &PlannedPublication,
    patch: &Patch,
    outline: &MultiPolygon<f64>,
) -> Result<Option<f64>, Failure> {
    let (grid, later, earlier) = (publication.grid, &publication.pass_id, &patch.post_pass_id);
    let Some(window) = bounding_window(outline) else { return Ok(None) };
    let Some(pair) = context.pairs.of(context, grid, later, earlier)? else { return Ok(None) };
    if pair.is_held(window) {
        return Ok(None);
    }
    let read = |pass| Ok::<_, Failure>(context.reader_of(pass, &pair.roles)?.read(grid, window.grown(MARGIN_PX))?);
    let mut read = PairWindow { before: read(earlier)?.raster, after: read(later)?.raster, faults: Vec::new() };
    if let Some(clouds) = &pair.clouds {
        clouds.mask(&mut read);
    }
    let radiometry = pair.fit.radiometry(&read, MARGIN_PX);
    let inside = rasterise::mask(outline, window);
    eprintln!("DBG {} {} bands {}", patch.patch_id, patch.change_type, pair.roles.len());
    let mut v: Vec<f32> = radiometry.magnitude.iter().zip(&inside).filter(|(m, i)| **i && !m.is_nan()).map(|(m, _)| *m).collect();
    v.sort_by(f32::total_cmp);
    if let Some(a) = &radiometry.alteration {
        let mut w: Vec<f32> = a.iter().zip(&inside).filter(|(m, i)| **i && !m.is_nan()).map(|(m, _)| *m).collect();
        w.sort_by(f32::total_cmp);
        eprintln!("DBG alt {:?}", w.iter().step_by((w.len() / 8).max(1)).collect::<Vec<_>>());
    }
    eprintln!("DBG mag {:?}", v.iter().step_by((v.len() / 8).max(1)).collect::<Vec<_>>());
    Ok(None)
}
