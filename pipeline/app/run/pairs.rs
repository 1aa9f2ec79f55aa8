//! What is common to two passes on one grid: how they lie on each other, and their radiometry. A function of the two passes and
//! the grid, so that it does not depend on how the ground is cut into units.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};
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

    /// Both dates in a window, without what clouds hide; `later` and `earlier` are the passes of this pair.
    ///
    /// # Errors
    /// A file can't be read any more.
    pub fn read(
        &self,
        context: &RunContext,
        grid: Grid,
        [later, earlier]: [&Digest; 2],
        window: Window,
    ) -> Result<PairWindow, Failure> {
        let read =
            |pass| -> Result<_, Failure> { Ok(context.reader_of(pass, &self.roles)?.read(grid, window)?.raster) };
        let mut read = PairWindow { before: read(earlier)?, after: read(later)?, faults: Vec::new() };
        if let Some(clouds) = &self.clouds {
            clouds.mask(&mut read);
        }
        Ok(read)
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

/// The squares that the statistics of a pair come from: at most [`SQUARES`], as evenly as may be in both directions.
fn spread(overlap: Window) -> Vec<Window> {
    let whole = overlap.out_to(SQUARE_PX);
    let (rows, cols) = (whole.rows / SQUARE_PX, whole.cols / SQUARE_PX);
    let down = ((SQUARES * rows) as f64 / cols.max(1) as f64).sqrt().round() as usize;
    let down = down.clamp(1, SQUARES).min(rows);
    let across = (SQUARES / down.max(1)).min(cols);
    let middle = |place: usize, count: usize, all: usize| ((2 * place + 1) * all / (2 * count) * SQUARE_PX) as i64;
    let square = |row: usize, col: usize| Window {
        row: whole.row + middle(row, down, rows),
        col: whole.col + middle(col, across, cols),
        rows: SQUARE_PX,
        cols: SQUARE_PX,
    };
    (0..down).flat_map(|row| (0..across).map(move |col| square(row, col))).collect()
}

/// Whether the last pixel of a square inside the overlap lies in a window.
fn ends_in(square: &Window, window: &Window, overlap: &Window) -> bool {
    square.intersection(overlap).is_some_and(|part| {
        let last = Window { row: part.row_end() - 1, col: part.col_end() - 1, rows: 1, cols: 1 };
        last.intersection(window).is_some()
    })
}

fn fit(context: &RunContext, grid: Grid, later: &Digest, earlier: &Digest) -> Result<Option<FittedPair>, Failure> {
    let (post, pre) = (context.pass(later)?, context.pass(earlier)?);
    let Ok(roles) = shared_roles(context.profile(pre)?, context.profile(post)?) else { return Ok(None) };
    let (after, before) = (context.reader_of(later, &roles)?, context.reader_of(earlier, &roles)?);
    let (Some(one), Some(other)) = (footprint_window(&grid, post)?, footprint_window(&grid, pre)?) else {
        return Ok(None);
    };
    let Some(overlap) = one.intersection(&other) else { return Ok(None) };
    // in a sweep of windows that have nothing in common; what is read again was set aside
    let read = |window: Window| -> Result<PairWindow, Failure> {
        let (before, after) = (before.read_beside(grid, window, 0)?, after.read_beside(grid, window, 0)?);
        // faults are told by the units
        Ok(PairWindow { before: before.raster, after: after.raster, faults: Vec::new() })
    };
    let mut to_read = spread(overlap);
    let mut squares = Vec::new();
    let sources = [(pre, context.profile(pre)?), (post, context.profile(post)?)];
    let found = |window| {
        let found = read(window)?;
        // while what they lie in was read just now
        for square in to_read.extract_if(.., |square| ends_in(square, &window, &overlap)) {
            squares.push(read(square)?);
        }
        Ok(found)
    };
    let clouds =
        PairClouds::of(sources, &roles, overlap, found, |PairWindow { before: one, after: other, .. }| {
            before.recycle(one);
            after.recycle(other);
        })?;
    for square in to_read {
        squares.push(read(square)?);
    }
    squares.sort_by_key(|square| square.after.window);
    let mut windows = Vec::new();
    for mut window in squares {
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
    for (window, own) in windows.iter().zip(&fit.registrations) {
        let apart = match (own, &fit.registration) {
            (Some(own), Some(common)) => Some(Apart::after(own, common)),
            (None, common) | (Some(_), common @ None) => {
                let (before, observed) = laid_on(window, common.as_ref());
                Apart::of(window.after.pixels.view(), before.view(), observed.view())
            }
        };
        squares.extend(apart.map(|apart| (window.after.window, apart)));
    }
    let all: Vec<Apart> = squares.iter().map(|(_, apart)| *apart).collect();
    squares.retain(|(_, apart)| apart.is_credible(&all, GATE_PX));
    let left_over = squares.into_iter().map(|(square, apart)| (square, apart.px())).collect();
    Ok(Some(FittedPair { fit, roles, left_over, clouds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_squares_of_a_pair_lie_all_over_it() {
        let of = |rows: usize, cols: usize| spread(Window { row: -100, col: 70, rows, cols });
        // sixteen squares of a scene that is sixteen squares wide do not stand in one column
        let scene = of(4096, 4096);
        assert_eq!(scene.len(), SQUARES);
        let columns: std::collections::BTreeSet<i64> = scene.iter().map(|square| square.col).collect();
        assert_eq!(columns.len(), 4);
        assert_eq!(of(200, 30_000).len(), SQUARES, "a strip along a river");
        assert_eq!(of(30_000, 200).len(), SQUARES);
        assert_eq!(of(10, 10), [Window { row: -256, col: 0, rows: SQUARE_PX, cols: SQUARE_PX }]);
        for square in of(700, 900) {
            assert!(square.row.rem_euclid(SQUARE_PX as i64) == 0 && square.col.rem_euclid(SQUARE_PX as i64) == 0);
        }
    }
}
