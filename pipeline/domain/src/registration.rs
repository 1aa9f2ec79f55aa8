//! How far two dates lie apart on the same grid, below a pixel, and how to lay one back onto the other.
//!
//! Orthoimages of two dates are rarely off by a turn or a scale, but often by a pixel or two, and a comparison of two
//! dates shows every edge of the ground where they are. [`register`] tells the shift and how sure it is of it; [`moved`]
//! takes it back.
//!
//! What is matched are edges, not brightness: the doubled angle and bounded strength of the gradient of each band, added
//! over all bands that are given (`edges`), so that changed radiometry, seasons and inverted contrast neither make nor
//! hide a peak. On each tile the edges of both dates are cross-correlated by Fourier transform (Kuglin & Hines 1975; an
//! orientation correlation as in Fitch et al. 2002), first over whole pixels up to [`SEARCH_PX`], then between them
//! (`correlation`). Unobserved pixels have no edges. The shift of a window is that on which most of its tiles agree.
//!
//! What lies farther off is told by [`Apart`], so that it is not compared.
//!
//! Only a shift is told. Where a relief or a bad mosaic pulls parts of a pass apart, the residual says so.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayView3, Axis, s};

mod correlation;
mod edges;
mod far;
mod resample;
#[cfg(test)]
mod tests;

pub use far::{Apart, FAR_SEARCH_PX};
pub use resample::moved;

use correlation::{MIN_EDGE_PX, Transform};
use edges::edges;

/// Largest shift in pixels, along each axis, that [`register`] looks for.
pub const SEARCH_PX: usize = 8;

/// Edge of a tile in pixels, and of a tile in windows narrower than two of those.
const TILE_PX: usize = 128;
const SMALL_TILE_PX: usize = 64;

/// Tiles along one axis at most: four in a window of up to 1024 px, eight in a whole pass.
const TILES_IN_A_WINDOW: usize = 4;
const TILES_IN_A_PASS: usize = 8;

/// Tiles agree where they lie within this many pixels of their common shift: more is another shift, not relief.
const AGREEMENT_PX: f32 = 1.0;

/// Tiles that must agree, beside being more than half of those with a shift at all.
const MIN_AGREEING: usize = 3;

/// How far tiles lie from each other beside the noise, in pixels: relief, seams of the mosaic, shorelines. It keeps a
/// single sharp tile from speaking for all.
const BESIDE_NOISE_PX: f32 = 0.1;

/// How the content of one tile lies on two dates.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shift {
    /// By how many pixels the content of the moving date lies to the right (+x) of the fixed one.
    pub dx_px: f32,
    /// By how many pixels the content of the moving date lies below (+y, as rows grow) the fixed one.
    pub dy_px: f32,
    /// Correlation of the edges of both dates at this shift, from 0 to 1.
    pub quality: f32,
    /// Standard error of the shift in pixels (both axes together), from the noise of the correlation and the sharpness
    /// of its peak. It knows nothing of parts of the tile that moved by themselves, such as shorelines.
    pub error_px: f32,
}

/// How the content of a window lies on two dates.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Registration {
    /// By how many pixels the content of the moving date lies to the right (+x) of the fixed one.
    pub dx_px: f32,
    /// By how many pixels the content of the moving date lies below (+y, as rows grow) the fixed one.
    pub dy_px: f32,
    /// What is left after the shift is taken back, in pixels: root of the mean squared distance of the agreeing tiles
    /// from the common shift plus the squared standard error of that shift.
    pub residual_rmse_px: f32,
    /// Tiles that agree.
    pub tiles_used: usize,
    /// Tiles that were looked at; the others had no clear peak, or another shift.
    pub tiles_tried: usize,
}

/// The shift between two dates of one tile, single-band (row, col): a square of 64 to 256 px, say; other sizes work.
///
/// `observed` (row, col) says what both dates observed: anything may stand elsewhere. None where less than a fifth of the
/// tile is observed with its neighbours, where there is too little texture, no clear peak within [`SEARCH_PX`] pixels, or
/// where the tile's edges all run one way.
///
/// # Panics
/// The shapes differ.
#[must_use]
pub fn shift_between(fixed: ArrayView2<f32>, moving: ArrayView2<f32>, observed: ArrayView2<bool>) -> Option<Shift> {
    let edge = fixed.nrows().max(fixed.ncols());
    let mut transform = Transform::new(edge.max(MIN_EDGE_PX));
    tile_shift(fixed.insert_axis(Axis(0)), moving.insert_axis(Axis(0)), observed, &mut transform)
}

/// The shift between two dates of a window or of a whole pass, over all bands that are given (band, row, col).
///
/// The dates may have different units and radiometry, but the bands must correspond. `observed` (row, col) says what both
/// dates observed. Evenly spaced square tiles are looked at, each by itself as in [`shift_between`]; the shift with
/// most weight within a pixel around it wins, and is refined as the weighted mean of the tiles there (a mode
/// sought by mean shift; Comaniciu & Meer 2002). None where fewer than three tiles agree, or no more than half of those
/// with a shift at all: a window of less than about 100 px can hold no consensus.
///
/// # Panics
/// The shapes differ.
#[must_use]
pub fn register(fixed: ArrayView3<f32>, moving: ArrayView3<f32>, observed: ArrayView2<bool>) -> Option<Registration> {
    assert_eq!(fixed.dim(), moving.dim(), "both dates must have the same bands and cover the same window");
    let (_, rows, cols) = fixed.dim();
    let edge = if rows.min(cols) < 2 * TILE_PX { SMALL_TILE_PX } else { TILE_PX };
    let mut transform = Transform::new(edge);
    let mut shifts = Vec::new();
    let mut tiles_tried = 0;
    for rows in tiles(rows, edge) {
        for cols in tiles(cols, edge) {
            tiles_tried += 1;
            let tile = s![.., rows.clone(), cols.clone()];
            let observed = observed.slice(s![rows.clone(), cols.clone()]);
            shifts.extend(tile_shift(fixed.slice(tile), moving.slice(tile), observed, &mut transform));
        }
    }
    consensus(&shifts, tiles_tried)
}

/// The shift between two dates of one tile (band, row, col).
fn tile_shift(
    fixed: ArrayView3<f32>,
    moving: ArrayView3<f32>,
    observed: ArrayView2<bool>,
    transform: &mut Transform,
) -> Option<Shift> {
    assert_eq!(fixed.dim(), moving.dim(), "both dates must have the same bands and cover the same tile");
    correlation::shift(&edges(fixed, observed)?, &edges(moving, observed)?, transform)
}

/// Tiles of `edge` px along an axis of `len` px, evenly spaced: they overlap by half at most.
fn tiles(len: usize, edge: usize) -> impl Iterator<Item = Range<usize>> {
    let fit = (2 * len / edge).saturating_sub(1);
    spaced(len, edge, fit.min((len / (2 * TILE_PX)).clamp(TILES_IN_A_WINDOW, TILES_IN_A_PASS)))
}

/// So many tiles of `edge` px along an axis of `len` px, evenly spaced from end to end; one lies in the middle.
fn spaced(len: usize, edge: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).map(move |tile| {
        let start = if count == 1 { (len - edge) / 2 } else { tile * (len - edge) / (count - 1) };
        start..start + edge
    })
}

/// The shift on which most tiles agree.
fn consensus(shifts: &[Shift], tiles_tried: usize) -> Option<Registration> {
    let weight = |shift: &Shift| (shift.error_px.powi(2) + BESIDE_NOISE_PX.powi(2)).recip();
    let distance = |shift: &Shift, (x, y): (f32, f32)| (shift.dx_px - x).hypot(shift.dy_px - y);
    let agreeing = |centre| shifts.iter().filter(move |shift| distance(shift, centre) <= AGREEMENT_PX);
    let support = |centre| agreeing(centre).map(weight).sum::<f32>();
    let candidates = shifts.iter().map(|shift| (shift.dx_px, shift.dy_px));
    let mut centre = candidates.max_by(|&a, &b| support(a).total_cmp(&support(b)))?;
    // a mean shift ends after few steps; one more would change nothing
    for _ in 0..10 {
        let (mut x, mut y) = (0.0, 0.0);
        for shift in agreeing(centre) {
            (x, y) = (x + weight(shift) * shift.dx_px, y + weight(shift) * shift.dy_px);
        }
        let all = support(centre);
        centre = (x / all, y / all);
    }
    let tiles_used = agreeing(centre).count();
    if tiles_used < MIN_AGREEING || 2 * tiles_used <= shifts.len() {
        return None;
    }
    let mean_square = agreeing(centre).map(|shift| distance(shift, centre).powi(2)).sum::<f32>() / tiles_used as f32;
    let error_square = mean_square / (tiles_used - 1) as f32;
    Some(Registration {
        dx_px: centre.0,
        dy_px: centre.1,
        residual_rmse_px: (mean_square + error_square).sqrt(),
        tiles_used,
        tiles_tried,
    })
}

/// The places along an axis of `len` px of which something `by` px farther exists, as ranges (from, to): what is at
/// `from` comes to `to`.
fn overlap(len: usize, by: i32) -> (Range<usize>, Range<usize>) {
    let by_px = (by.unsigned_abs() as usize).min(len);
    if by < 0 { (0..len - by_px, by_px..len) } else { (by_px..len, 0..len - by_px) }
}
