//! Shifts beyond the search of [`register`]: they are told, so that what lies so far off is not compared, and not taken back.
//!
//! Ground that lies far off and things that drifted together over open water look alike from one window: what several windows
//! tell decides ([`Apart::is_credible`]).

use std::ops::Range;

use ndarray::{ArrayView2, ArrayView3, Zip, s};

use super::correlation::{MIN_SEEN, PEAK_RADIUS_PX, Transform, correlated};
use super::edges::edges;
use super::{Registration, SEARCH_PX, moved, register, spaced};

/// Largest shift in pixels, along each axis, that is told at all.
pub const FAR_SEARCH_PX: usize = 64;

/// Edge of a tile in pixels, where the window is as wide; a quarter of it is looked through.
const TILE_PX: usize = 4 * FAR_SEARCH_PX;

/// Smallest edge of a tile in pixels: a quarter of less is hardly farther than the near search.
const MIN_TILE_PX: usize = 96;

/// Tiles along one axis at most. Their correlations are added: what the tiles have in common is the shift.
const TILES: usize = 2;

/// A peak is proposed where it stands this many times above the noise of the correlation. Of the 129 × 129 places that are
/// searched, the highest stands 4 times above it by chance.
const MIN_SIGNIFICANCE: f32 = 6.0;

/// The near search has to find the content within this many pixels of the place that was proposed, or it was another.
const AGREEMENT_PX: f32 = 3.0;

/// Windows tell the same far shift where they lie within this many pixels of each other, in any direction.
const SAME_PX: f32 = 3.0;

/// How far the content of a window lies apart on two dates.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Apart {
    /// By how many pixels the content of the moving date lies to the right (+x) of the fixed one.
    pub dx_px: f32,
    /// By how many pixels the content of the moving date lies below (+y, as rows grow) the fixed one.
    pub dy_px: f32,
    /// Whether that is beyond the search of [`register`].
    pub is_far: bool,
}

impl Apart {
    /// How far two dates of a window (band, row, col) lie apart: near, by [`register`], or up to [`FAR_SEARCH_PX`] pixels.
    /// `observed` (row, col) says what both dates observed. None where it can't be told: on open water, or where nothing stayed.
    ///
    /// # Panics
    /// The shapes differ.
    #[must_use]
    pub fn of(fixed: ArrayView3<f32>, moving: ArrayView3<f32>, observed: ArrayView2<bool>) -> Option<Self> {
        let near = register(fixed, moving, observed);
        let found = near.or_else(|| register_far(fixed, moving, observed))?;
        Some(Self { dx_px: found.dx_px, dy_px: found.dy_px, is_far: near.is_none() })
    }

    /// How far a window that was registered by itself lies apart once the shift `common` to all windows is taken back.
    #[must_use]
    pub fn after(own: &Registration, common: &Registration) -> Self {
        Self { dx_px: own.dx_px - common.dx_px, dy_px: own.dy_px - common.dy_px, is_far: false }
    }

    /// The distance in pixels.
    #[must_use]
    pub fn px(&self) -> f32 {
        self.dx_px.hypot(self.dy_px)
    }

    /// Whether this counts among `all` windows of a pair of passes, itself one of them. A far shift does where another window
    /// tells the same one, or where more windows lie far off than lie in place, to within `gate_px`: what one window tells alone
    /// are things that drifted.
    #[must_use]
    pub fn is_credible(&self, all: &[Self], gate_px: f32) -> bool {
        let count = |of: &dyn Fn(&Self) -> bool| all.iter().filter(|one| of(one)).count();
        let same = |one: &Self| one.is_far && (one.dx_px - self.dx_px).hypot(one.dy_px - self.dy_px) <= SAME_PX;
        !self.is_far || count(&same) > 1 || count(&|one| one.is_far) > count(&|one| one.px() <= gate_px)
    }
}

/// The shift between two dates of a window that lie more than [`SEARCH_PX`] and up to [`FAR_SEARCH_PX`] pixels apart (a
/// quarter of the window in narrower ones), over all bands that are given (band, row, col); asked where [`register`] finds none.
///
/// The edges of large tiles are correlated over the whole range, and the highest place of all tiles together is proposed. It
/// counts where [`register`] then finds the moving date there, as tile by tile as anywhere: real changes and open water have no
/// place on which tiles agree. `observed` (row, col) says what both dates observed.
///
/// None where nothing is that far off, where too little is observed or textured, or where no place stands out.
pub(super) fn register_far(
    fixed: ArrayView3<f32>,
    moving: ArrayView3<f32>,
    observed: ArrayView2<bool>,
) -> Option<Registration> {
    let (rows, cols) = extent(observed)?;
    let part = s![.., rows.clone(), cols.clone()];
    let (fixed, moving, observed) = (fixed.slice(part), moving.slice(part), observed.slice(s![rows, cols]));
    let (dx, dy) = proposed(fixed, moving, observed)?;
    let (back, seen) = moved(moving, observed, dx as f32, dy as f32);
    let both = Zip::from(&seen).and(observed).map_collect(|&seen, &observed| seen && observed);
    let left = register(fixed, back.view(), both.view())?;
    let near = left.dx_px.hypot(left.dy_px) <= AGREEMENT_PX;
    near.then_some(Registration { dx_px: dx as f32 + left.dx_px, dy_px: dy as f32 + left.dy_px, ..left })
}

/// Rows and columns that hold everything observed; none where nothing is.
fn extent(observed: ArrayView2<bool>) -> Option<(Range<usize>, Range<usize>)> {
    let mut places = observed.indexed_iter().filter(|(_, observed)| **observed).map(|(place, _)| place);
    let (row, col) = places.next()?;
    let (mut rows, mut cols) = (row..row + 1, col..col + 1);
    for (row, col) in places {
        rows.end = row + 1;
        cols = cols.start.min(col)..cols.end.max(col + 1);
    }
    Some((rows, cols))
}

/// The highest place (x, y) of the correlation of all tiles, in whole pixels, where it stands out and lies beyond the near search.
fn proposed(fixed: ArrayView3<f32>, moving: ArrayView3<f32>, observed: ArrayView2<bool>) -> Option<(i32, i32)> {
    let (rows, cols) = observed.dim();
    let edge = rows.min(cols).min(TILE_PX);
    if edge < MIN_TILE_PX {
        return None;
    }
    let mut transform = Transform::new(edge);
    let mut sum = vec![0.0_f32; edge * edge];
    for rows in spaced(rows, edge, (rows / edge).min(TILES)) {
        for cols in spaced(cols, edge, (cols / edge).min(TILES)) {
            let tile = s![.., rows.clone(), cols.clone()];
            let observed = observed.slice(s![rows.clone(), cols]);
            let (Some(fixed), Some(moving)) = (edges(fixed.slice(tile), observed), edges(moving.slice(tile), observed))
            else {
                continue;
            };
            if fixed.seen_px as f32 >= MIN_SEEN * (edge * edge) as f32 {
                let found = correlated(&fixed, &moving, &mut transform);
                sum.iter_mut().zip(found).for_each(|(sum, found)| *sum += found);
            }
        }
    }
    let search = (edge / 4) as i32;
    let at = |(dx, dy): (i32, i32)| {
        let place = |along: i32| along.rem_euclid(edge as i32) as usize;
        sum[place(dy) * edge + place(dx)]
    };
    let around = || (-search..=search).flat_map(move |dy| (-search..=search).map(move |dx| (dx, dy)));
    let (dx, dy) = around().max_by(|&one, &other| at(one).total_cmp(&at(other)))?;
    let farthest = dx.abs().max(dy.abs());
    if farthest == search || farthest <= SEARCH_PX as i32 {
        return None;
    }
    let (mut squares, mut places) = (0.0, 0);
    for place in around().filter(|&(x, y)| (x - dx).abs().max((y - dy).abs()) > PEAK_RADIUS_PX) {
        squares += at(place).powi(2);
        places += 1;
    }
    let noise = (squares / places as f32).sqrt();
    (at((dx, dy)) > MIN_SIGNIFICANCE * noise).then_some((dx, dy))
}
