//! What is common to two passes on one grid: how they lie on each other, and their radiometry. A function of the two passes and
//! the grid, so that it does not depend on how the ground is cut into units.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid, Window};
use shorewatch_domain::registration::Apart;
use shorewatch_domain::sensor::BandRole;

use super::context::RunContext;
use super::ground::footprint_window;
use crate::change::clouds::PairClouds;
use crate::change::fit::{PairFit, both, laid_on};
use crate::change::pair::{PairWindow, shared_roles};
use crate::change::scorer::GATE_PX;
use crate::failure::Failure;

/// Edge of the squares that the statistics of a pair come from, on a lattice of their own.
const SQUARE_PX: usize = 256;

/// So many squares, at most, spread evenly over what both passes cover.
const SQUARES: usize = 16;

/// Squares of which less than this share was observed on both dates tell nothing.
const LEAST_OBSERVED: f64 = 0.25;

/// What is common to a pair.
pub struct FittedPair {
    /// Shift and radiometry.
    pub fit: PairFit,
    /// The bands that both passes have.
    pub roles: Vec<BandRole>,
    /// Squares that could tell, and by how many pixels their content is still off after the shift of the whole pass was taken
    /// back, near or far.
    left_over: Vec<(Window, f32)>,
    /// What clouds hide, where a sensor has no quality band to tell.
    pub clouds: Option<PairClouds>,
}

impl FittedPair {
    /// By how many pixels the two dates still lie apart at a place, by the nearest square that could tell, where that is beyond
    /// [`GATE_PX`]: then the place is held and not compared.
    #[must_use]
    pub fn held_px(&self, window: Window) -> Option<f32> {
        let centre = |window: &Window| {
            (window.row as f64 + window.rows as f64 / 2.0, window.col as f64 + window.cols as f64 / 2.0)
        };
        let (row, col) = centre(&window);
        let distance = |square: &Window| (centre(square).0 - row).hypot(centre(square).1 - col);
        let nearest = self.left_over.iter().min_by(|one, other| distance(&one.0).total_cmp(&distance(&other.0)));
        nearest.map(|(_, left_over)| *left_over).filter(|left_over| *left_over > GATE_PX)
    }

    /// Whether the two dates lie too far apart wherever that could be told.
    #[must_use]
    pub fn is_off(&self) -> bool {
        !self.left_over.is_empty() && self.left_over.iter().all(|(_, left_over)| *left_over > GATE_PX)
    }
}

/// A pair on a grid.
type Key = (Digest, Digest, Epsg);

/// The pairs that were asked for, each fitted once. `None` where there is nothing to fit.
#[derive(Default)]
pub struct Pairs(Mutex<HashMap<Key, Arc<Mutex<Fitted>>>>);

/// Whether a pair was fitted, and what came of it.
type Fitted = Option<Option<Arc<FittedPair>>>;

impl Pairs {
    /// What is common to `later` and `earlier`; `None` where they share too few bands, or no ground that both observed.
    ///
    /// # Errors
    /// A file can't be read any more.
    pub fn of(
        &self,
        context: &RunContext,
        grid: Grid,
        later: &Digest,
        earlier: &Digest,
    ) -> Result<Option<Arc<FittedPair>>, Failure> {
        let key = (*later, *earlier, grid.epsg);
        let place = {
            let mut pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pairs.entry(key).or_default())
        };
        // whoever asks for the same pair meanwhile waits for it
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fitted) = &*place {
            return Ok(fitted.clone());
        }
        let fitted = fit(context, grid, later, earlier)?.map(Arc::new);
        *place = Some(fitted.clone());
        Ok(fitted)
    }
}

fn fit(context: &RunContext, grid: Grid, later: &Digest, earlier: &Digest) -> Result<Option<FittedPair>, Failure> {
    let (post, pre) = (context.pass(later)?, context.pass(earlier)?);
    let Ok(roles) = shared_roles(context.profile(pre)?, context.profile(post)?) else { return Ok(None) };
    let (after, before) = (context.reader_of(later, &roles)?, context.reader_of(earlier, &roles)?);
    let (Some(one), Some(other)) = (footprint_window(&grid, post)?, footprint_window(&grid, pre)?) else {
        return Ok(None);
    };
    let Some(overlap) = one.intersection(&other) else { return Ok(None) };
    let read = |window: Window| -> Result<PairWindow, Failure> {
        let (before, after) = (before.read(grid, window)?, after.read(grid, window)?);
        // faults are told by the units
        Ok(PairWindow { before: before.raster, after: after.raster, faults: Vec::new() })
    };
    let sources = [(pre, context.profile(pre)?), (post, context.profile(post)?)];
    let clouds = PairClouds::of(sources, &roles, overlap, read)?;
    let squares: Vec<Window> = Cell::meeting(overlap, SQUARE_PX).map(|cell| cell.window(SQUARE_PX)).collect();
    let step = squares.len().div_ceil(SQUARES).max(1);
    let mut windows = Vec::new();
    for square in squares.iter().step_by(step) {
        let mut window = read(*square)?;
        if let Some(clouds) = &clouds {
            clouds.mask(&mut window);
        }
        let seen = both(window.before.causes.view(), window.after.causes.view());
        let share = seen.iter().filter(|seen| **seen).count() as f64 / seen.len() as f64;
        if share >= LEAST_OBSERVED {
            windows.push(window);
        }
    }
    if windows.is_empty() {
        return Ok(None);
    }
    let Ok(fit) = PairFit::of(&windows) else { return Ok(None) };
    let mut squares = Vec::new();
    for window in &windows {
        let (before, observed) = laid_on(window, fit.registration.as_ref());
        let apart = Apart::of(window.after.pixels.view(), before.view(), observed.view());
        squares.extend(apart.map(|apart| (window.after.window, apart)));
    }
    let all: Vec<Apart> = squares.iter().map(|(_, apart)| *apart).collect();
    squares.retain(|(_, apart)| apart.is_credible(&all, GATE_PX));
    let left_over = squares.into_iter().map(|(square, apart)| (square, apart.px())).collect();
    Ok(Some(FittedPair { fit, roles, left_over, clouds }))
}
