//! Ground on which two passes lie too far apart to be compared: held back, counted, and told with how far it is.

use ndarray::{Array2, s};

use shorewatch_domain::change::{ChangeMap, HELD};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::Scores;
use shorewatch_domain::unit::{HeldGround, UnitSummary};
use shorewatch_store::{HeldPair, Store};

use super::context::RunContext;
use super::ground::{Ground, Scope};
use super::pairs::FittedPair;
use crate::change::fit::both;
use crate::change::scorer::GATE_PX;
use crate::failure::Failure;

/// Edge of the squares, on a lattice of their own, that are held as a whole where two dates lie too far apart.
const HELD_PX: usize = 64;

/// What of one earlier pass was held back in a unit.
pub(super) struct Held {
    /// The earlier pass.
    pass_id: Digest,
    /// The pixels of the scores.
    window: Window,
    /// What was held of them, and by how many pixels the pass lies off there.
    squares: Vec<(Window, f32)>,
    /// Where both passes observed the ground and were not compared (row, col).
    pub(super) pixels: Array2<bool>,
}

/// Takes out of the scores of an earlier pass what lies too far off the later one; `None` where nothing does.
pub(super) fn hold(pair: &FittedPair, pass_id: Digest, earlier: &mut Scores, later: &Scores) -> Option<Held> {
    let window = later.window;
    let squares: Vec<(Window, f32)> = Cell::meeting(window, HELD_PX)
        .map(|cell| cell.window(HELD_PX))
        .filter_map(|square| Some((square.intersection(&window)?, pair.held_px(square)?)))
        .collect();
    if squares.is_empty() {
        return None;
    }
    let mut pixels = Array2::from_elem(window.shape(), false);
    for (square, _) in &squares {
        let (rows, cols) = window.ranges_of(square);
        let part = s![rows, cols];
        pixels.slice_mut(part).assign(&both(earlier.causes.slice(part), later.causes.slice(part)));
        // not compared with this pass: to the comparison it lies outside of it
        earlier.causes.slice_mut(part).mapv_inplace(|cause| cause | Causes::OUTSIDE);
    }
    Some(Held { pass_id, window, squares, pixels })
}

/// Counts what was held back in a unit.
pub(super) fn count(summary: &mut UnitSummary, held: &[Held], change: &ChangeMap, scope: &Scope, ground: &Ground) {
    if held.is_empty() {
        return;
    }
    let in_scope = scope.any();
    for Held { pass_id, window, squares, pixels } in held {
        let (mut px, mut off_px) = (0, 0.0_f32);
        for (square, off) in squares {
            let Some(part) = square.intersection(&scope.window) else { continue };
            let ((rows, cols), (scope_rows, scope_cols)) = (window.ranges_of(&part), scope.window.ranges_of(&part));
            let both = pixels.slice(s![rows, cols]);
            let inside = in_scope.slice(s![scope_rows, scope_cols]);
            let here = both.iter().zip(inside).filter(|(held, inside)| **held && **inside).count() as u64;
            if here > 0 {
                (px, off_px) = (px + here, off_px.max(*off));
            }
        }
        if px > 0 {
            // hundredths: what is written is what is told
            let off_px = (f64::from(off_px) * 100.0).round() / 100.0;
            summary.held.push(HeldGround { pass_id: *pass_id, off_px, px });
        }
    }
    for (index, mask) in &scope.masks {
        let px = change.earlier.iter().zip(mask).filter(|(earlier, inside)| **earlier == HELD && **inside).count();
        if px > 0 {
            summary.held_px.insert(ground.reaches[*index].reach.id.clone(), px as u64);
        }
    }
}

/// What was held back, pair by pair and in words: of one publication, or of all current ones.
///
/// # Errors
/// The store can't be read, or a pass is not in it.
pub fn told(context: &RunContext, store: &Store, publication: Option<&Digest>) -> Result<Vec<String>, Failure> {
    let line = |pair: &HeldPair| {
        let (later, earlier) = (context.pass(&pair.pass_id)?, context.pass(&pair.earlier_pass_id)?);
        Ok(format!(
            "held: {:.2} ha of pass {} lie up to {:.1} px off pass {} (more than {GATE_PX} px) and were not compared with it; have whichever lies wrong georeferenced again",
            pair.area_m2 / 1e4,
            later.name,
            pair.off_px,
            earlier.name
        ))
    };
    store.held_pairs(publication)?.iter().map(line).collect()
}
