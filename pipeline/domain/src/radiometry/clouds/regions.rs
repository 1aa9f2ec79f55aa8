//! Connected blocks: how many, how they grow, and how sharp their edges are. Masks are (row, col).

use ndarray::{Array2, Zip};

/// How many blocks of a profile across an edge lie on either side of it.
const HALF_PROFILE: isize = 3;

/// A profile counts that rises by at least this share of the region's own median rise.
const LEAST_STEP: f32 = 0.4;

/// An edge is sharp where two neighbouring blocks take this share of the whole step.
const SHARP: f32 = 0.8;

/// Fewer profiles than these say nothing: the region is cut off by the edge of the scene.
const LEAST_PROFILES: usize = 8;

/// A region of so many times the least size is a large one.
const LARGE: usize = 4;

/// A mask of those regions, connected by edges and corners, that `is_wanted`; it gets their blocks (row, col). Regions are
/// looked at one after the other: a third of a scene may be cloud.
fn of_regions(mask: &Array2<bool>, mut is_wanted: impl FnMut(&[(usize, usize)]) -> bool) -> Array2<bool> {
    let (rows, cols) = mask.dim();
    let mut left = mask.clone();
    let mut wanted = Array2::from_elem((rows, cols), false);
    let mut region = Vec::new();
    for row in 0..rows {
        for col in 0..cols {
            if !std::mem::take(&mut left[(row, col)]) {
                continue;
            }
            region.clear();
            region.push((row, col));
            let mut done = 0;
            while let Some(&(row, col)) = region.get(done) {
                done += 1;
                for near_row in row.saturating_sub(1)..(row + 2).min(rows) {
                    for near_col in col.saturating_sub(1)..(col + 2).min(cols) {
                        if std::mem::take(&mut left[(near_row, near_col)]) {
                            region.push((near_row, near_col));
                        }
                    }
                }
            }
            if is_wanted(&region) {
                region.iter().for_each(|&at| wanted[at] = true);
            }
        }
    }
    wanted
}

/// Only what is connected to at least `least` blocks.
pub(super) fn large(mask: &Array2<bool>, least: usize) -> Array2<bool> {
    of_regions(mask, |region| region.len() >= least)
}

/// The mask and what of `into` lies next to it, step by step.
pub(super) fn grown(mut mask: Array2<bool>, into: &Array2<bool>, steps: usize) -> Array2<bool> {
    for _ in 0..steps {
        let wide = dilated(&mask, 1);
        Zip::from(&mut mask).and(&wide).and(into).for_each(|mask, &wide, &into| *mask |= wide && into);
    }
    mask
}

/// The mask widened by a square of edge `2 × radius + 1`.
pub(super) fn dilated(mask: &Array2<bool>, radius: usize) -> Array2<bool> {
    let (rows, cols) = mask.dim();
    let mut along = mask.clone();
    let mut wide = mask.clone();
    for row in 0..rows {
        for col in (0..cols).filter(|&col| mask[(row, col)]) {
            for near in col.saturating_sub(radius)..(col + radius + 1).min(cols) {
                along[(row, near)] = true;
            }
        }
    }
    for row in 0..rows {
        for col in (0..cols).filter(|&col| along[(row, col)]) {
            for near in row.saturating_sub(radius)..(row + radius + 1).min(rows) {
                wide[(near, col)] = true;
            }
        }
    }
    wide
}

/// The regions whose edges are not sharp all around, as those of roofs, quarries and fields are; `rise` of a block (row,
/// col) is what the edge is looked for in, `most_sharp` the share of sharp places, of small and of large regions.
pub(super) fn soft_edged(
    mask: &Array2<bool>,
    rise: impl Fn((usize, usize)) -> f32,
    observed: &Array2<bool>,
    least: usize,
    most_sharp: [f32; 2],
) -> Array2<bool> {
    of_regions(mask, |region| {
        let is_large = region.len() >= LARGE * least;
        sharpness(region, mask, &rise, observed)
            .map_or(is_large, |sharpness| sharpness <= most_sharp[usize::from(is_large)])
    })
}

/// Share of sharp places along the edge of a region; `None` where too little of its edge is seen.
fn sharpness(
    region: &[(usize, usize)],
    mask: &Array2<bool>,
    rise: impl Fn((usize, usize)) -> f32,
    observed: &Array2<bool>,
) -> Option<f32> {
    let mut values: Vec<f32> = region.iter().map(|&at| rise(at)).collect();
    let middle = values.len() / 2;
    let typical = *values.select_nth_unstable_by(middle, f32::total_cmp).1;
    let (mut profiles, mut sharp) = (0, 0);
    for &(row, col) in region {
        for (down, right) in [(1, 0), (-1, 0), (0, 1), (0, -1)] {
            // from three blocks inside to three outside; the fourth is the block at the edge
            let place =
                |step: isize| Some((row.checked_add_signed(step * down)?, col.checked_add_signed(step * right)?));
            let is_in = |step: isize| place(step).and_then(|at| mask.get(at)).copied().unwrap_or(false);
            if is_in(1) || !is_in(-1) || !is_in(-2) {
                continue;
            }
            let mut profile = [0.0_f32; 2 * HALF_PROFILE as usize + 1];
            let is_seen = (-HALF_PROFILE..=HALF_PROFILE).zip(&mut profile).all(|(step, value)| {
                let Some(at) = place(step).filter(|&at| observed.get(at).copied().unwrap_or(false)) else {
                    return false;
                };
                *value = rise(at);
                true
            });
            let whole = (profile[0] + profile[1] - profile[5] - profile[6]) / 2.0;
            if is_seen && whole > LEAST_STEP * typical {
                let steepest = profile.windows(3).map(|near| near[0] - near[2]).fold(f32::NEG_INFINITY, f32::max);
                profiles += 1;
                sharp += usize::from(steepest > SHARP * whole);
            }
        }
    }
    (profiles >= LEAST_PROFILES).then(|| sharp as f32 / profiles as f32)
}
