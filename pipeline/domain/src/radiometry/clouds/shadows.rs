//! The shadows that clouds throw: dark ground at one offset from all of them.

use ndarray::{Array2, Zip};

use super::compared::{Compared, Line};
use super::regions::dilated;

/// In a shadow no band rises by more than this share of its range, and the infrared falls by this share in the mean.
const MOST_RISE: f32 = 0.05;
const LEAST_FALL: f32 = 0.12;

/// Cloud blocks that are laid over the ground at each offset.
const SAMPLE: usize = 16_000;

/// Share of the clouds that must lie over clear ground at an offset.
const LEAST_OVER_CLEAR: f32 = 0.1;

/// Share of dark blocks where the shadows would fall, and by how much and how many times it exceeds that around them:
/// where half of the ground has darkened, in spring, nothing stands out.
const LEAST_DARK: f32 = 0.3;
const LEAST_CONTRAST: f32 = 0.2;
const LEAST_RATIO: f32 = 2.5;

/// How many times the best offset must outdo every other one that lies further from it than half the edge of a square
/// as large as the clouds, within these bounds in blocks: a large cloud covers most of its shadow nearby, too.
const LEAST_LEAD: f32 = 1.2;
const PEAK_RADIUS: [usize; 2] = [6, 15];

/// By how many blocks a shadow may lie off: clouds are not all of one height.
const TOLERANCE: usize = 2;

/// The ring around the shadows that they are compared with, in blocks from them.
const RING: [usize; 2] = [2, 5];

/// Shadows (row, col) and their offset (down, right) in blocks from the clouds, up to `reach`; `None` where no offset
/// stands out, or fewer than `least` blocks of cloud would throw one.
pub(super) fn shadows(
    dates: &Compared<'_>,
    clouds: &Array2<bool>,
    of_other_date: &Array2<bool>,
    reach: usize,
    least: usize,
) -> Option<(Array2<bool>, (isize, isize))> {
    let dim @ (rows, cols) = clouds.dim();
    let count = |mask: &Array2<bool>| mask.iter().filter(|&&holds| holds).count();
    let places = || clouds.indexed_iter().filter(|(_, cloud)| **cloud).map(|(at, _)| at);
    let cloud_count = count(clouds);
    if cloud_count < least {
        return None;
    }
    let cloudy = dilated(clouds, 1) | dilated(of_other_date, 1);
    let clear = Zip::from(dates.observed()).and(&cloudy).map_collect(|&observed, &cloudy| observed && !cloudy);
    let mut dark = clear.clone();
    dates.each_line(0..rows, |row, line| {
        for (col, dark) in dark.row_mut(row).indexed_iter_mut().filter(|(_, clear)| **clear) {
            *dark = is_darkened(dates, line, col);
        }
    });
    drop(cloudy);
    let usual = count(&dark) as f32 / count(&clear).max(1) as f32;
    let stride = (cloud_count / SAMPLE) | 1;
    let sample: Vec<(usize, usize)> = places().step_by(stride).collect();
    let enough = (least as f32 / stride as f32).max(LEAST_OVER_CLEAR * sample.len() as f32);
    // 0 cloudy or unobserved, 1 clear, 2 dark
    let kinds = Zip::from(&clear).and(&dark).map_collect(|&clear, &dark| u8::from(clear) + u8::from(dark));
    let kinds = kinds.as_slice()?;
    let reach = reach as isize;
    let mut surprises: Vec<(f32, (isize, isize))> = Vec::new();
    for down in -reach..=reach {
        for right in -reach..=reach {
            let (mut over_clear, mut over_dark) = (0_u32, 0_u32);
            for &(row, col) in &sample {
                let (row, col) = (row.wrapping_add_signed(down), col.wrapping_add_signed(right));
                if row < rows && col < cols {
                    let kind = kinds[row * cols + col];
                    over_clear += u32::from(kind > 0);
                    over_dark += u32::from(kind > 1);
                }
            }
            let over_clear = over_clear as f32;
            if over_clear < enough.max(1.0) {
                continue;
            }
            surprises.push(((over_dark as f32 / over_clear - usual) * over_clear.sqrt(), (down, right)));
        }
    }
    let &(peak, offset @ (down, right)) = surprises.iter().max_by(|one, other| one.0.total_cmp(&other.0))?;
    let radius = (cloud_count.isqrt() / 2).clamp(PEAK_RADIUS[0], PEAK_RADIUS[1]);
    let is_elsewhere = |(to_row, to_col): (isize, isize)| to_row.abs_diff(down).max(to_col.abs_diff(right)) > radius;
    if surprises.iter().any(|&(surprise, other)| is_elsewhere(other) && LEAST_LEAD * surprise > peak) {
        return None;
    }
    let mut thrown = Array2::from_elem(dim, false);
    for (row, col) in places() {
        if let Some(shadow) = thrown.get_mut((row.wrapping_add_signed(down), col.wrapping_add_signed(right))) {
            *shadow = true;
        }
    }
    let (near, wide) = (dilated(&thrown, RING[0]), dilated(&thrown, RING[1]));
    let (mut inside, mut around) = ([0_usize; 2], [0_usize; 2]);
    for (at, &clear) in clear.indexed_iter().filter(|(_, clear)| **clear) {
        let dark = [usize::from(clear), usize::from(dark[at])];
        let counts = if thrown[at] { Some(&mut inside) } else { (wide[at] && !near[at]).then_some(&mut around) };
        if let Some(counts) = counts {
            counts[0] += dark[0];
            counts[1] += dark[1];
        }
    }
    let share = |[of, dark]: [usize; 2]| dark as f32 / of.max(1) as f32;
    let (inside, around) = (share(inside), share(around));
    let stands_out = inside >= LEAST_DARK && inside - around >= LEAST_CONTRAST && inside >= LEAST_RATIO * around;
    let shadows = dilated(&thrown, TOLERANCE) & &dark;
    stands_out.then_some((shadows, offset))
}

fn is_darkened(dates: &Compared<'_>, line: &Line, col: usize) -> bool {
    let infrared = &dates.bands.infrared;
    let rise = |band: usize| line.difference(band, col) / dates.ranges[band];
    let fall = -infrared.iter().map(|&band| rise(band)).sum::<f32>() / infrared.len() as f32;
    fall > LEAST_FALL && (0..dates.ranges.len()).all(|band| rise(band) < MOST_RISE)
}
