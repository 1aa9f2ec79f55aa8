//! Where one date is brighter and whiter than the other, and the ground is out of sight.

use std::ops::Range;

use ndarray::{Array2, Zip, s};

use super::super::smoothed;
use super::CloudSettings;
use super::compared::{Compared, Line};

/// By how much the bluest band may rise less than the reddest, in shares of the mean rise: sand and soil rise in the
/// red.
const LEAST_BLUE: f32 = -0.35;

/// By how much any infrared band may fall, in its ranges: cloud is darker in them than some ground.
const LEAST_INFRARED: f32 = -0.35;

/// Rise and whiteness of what clouds may grow into.
const MAYBE_BRIGHTENING: f32 = 0.2;
const MAYBE_WHITENESS: f32 = 0.22;

/// Radius of the mean that detail is what is left of, and of the neighbourhood that it is compared in, in blocks.
const DETAIL_RADIUS: usize = 1;
const NEIGHBOURHOOD_RADIUS: usize = 3;

/// Detail below this share of the range is noise.
const LEAST_DETAIL: f32 = 0.01;

/// Rows of blocks that detail is looked at in together.
const STRIP: usize = 64;

/// Arrays (row, col) of blocks.
pub(super) struct Brightened {
    /// Cloud, if it is large enough.
    pub(super) surely: Array2<bool>,
    /// Cloud, if it is next to some.
    pub(super) maybe: Array2<bool>,
}

pub(super) fn brightened(dates: &Compared<'_>, settings: &CloudSettings) -> Brightened {
    let dim @ (rows, _) = dates.observed().dim();
    let [bright] = dates.quantiles(|dates, at| dates.visible(1, at), [0.98]).map(|most| settings.brightness * most);
    let mut found = Brightened { surely: Array2::from_elem(dim, false), maybe: Array2::from_elem(dim, false) };
    for first in (0..rows).step_by(STRIP) {
        let strip = first..(first + STRIP).min(rows);
        let mut is_any = false;
        dates.each_line(strip.clone(), |row, line| {
            let observed = dates.observed().row(row);
            let whiter = found.surely.row_mut(row).into_iter().zip(found.maybe.row_mut(row)).zip(observed).enumerate();
            for (col, ((surely, maybe), _)) in whiter.filter(|(_, (_, observed))| **observed) {
                (*surely, *maybe) = whitened(dates, line, col, bright, settings);
                is_any |= *surely;
            }
        });
        // mostly there is nothing to look closer at
        if is_any {
            let slope = detail_slope(dates, strip.clone());
            let mut surely = found.surely.slice_mut(s![strip, ..]);
            Zip::from(&mut surely).and(&slope).for_each(|surely, &slope| *surely &= slope < settings.detail);
        }
    }
    found
}

/// Whether a block is surely or maybe what clouds whiten, but for the ground's own texture.
fn whitened(dates: &Compared<'_>, line: &Line, col: usize, bright: f32, settings: &CloudSettings) -> (bool, bool) {
    let Compared { bands, ranges, .. } = dates;
    let level = bands.visible_mean(|band| line.this[(band, col)]);
    let rise = level - bands.visible_mean(|band| line.other[(band, col)]);
    if rise <= 0.0 {
        return (false, false);
    }
    let in_ranges = |band: usize| line.difference(band, col) / ranges[band];
    let (bluest, reddest) = (bands.visible[0], bands.visible[bands.visible.len() - 1]);
    let is_blue = line.difference(bluest, col) - line.difference(reddest, col) > LEAST_BLUE * rise;
    // the visible bands tell how much of the ground is hidden by white, and with it what the near infrared should be
    let near_infrared = bands.near_infrared;
    let opacity = (rise / (1.0 - (level - rise)).max(f32::EPSILON)).min(1.0);
    let ground = line.other[(near_infrared, col)];
    let deficit = opacity * (1.0 - ground) / ranges[near_infrared] - in_ranges(near_infrared);
    let is_infrared = bands.infrared.iter().all(|&band| in_ranges(band) > LEAST_INFRARED)
        && line.this[(near_infrared, col)] > settings.near_infrared * level
        && deficit < settings.infrared_deficit;
    if !is_blue || !is_infrared {
        return (false, false);
    }
    let least = bands.visible.iter().map(|&band| in_ranges(band)).fold(f32::INFINITY, f32::min);
    let values = bands.visible.iter().map(|&band| line.this[(band, col)]);
    let (low, high) =
        values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let colour = (high - low) / level.max(f32::EPSILON);
    let is_surely = least > settings.brightening && colour < settings.whiteness && level > bright;
    (is_surely, least > MAYBE_BRIGHTENING && colour < MAYBE_WHITENESS)
}

/// Slope of the local detail of this date on that of the other one in some rows of blocks (row, col): 1 where the same
/// ground is in sight, about 0 where it is not. NaN where not observed.
fn detail_slope(dates: &Compared<'_>, rows: Range<usize>) -> Array2<f32> {
    let visible = &dates.bands.visible;
    let range = visible.iter().map(|&band| dates.ranges[band]).sum::<f32>() / visible.len() as f32;
    let noise = LEAST_DETAIL * range;
    // with the rows around that the means below reach
    let margin = DETAIL_RADIUS + NEIGHBOURHOOD_RADIUS;
    let around = rows.start.saturating_sub(margin)..(rows.end + margin).min(dates.observed().dim().0);
    let observed = dates.observed().slice(s![around.clone(), ..]);
    let [this, other] = dates.visible_in(around.clone()).map(|values| {
        let mut detail = &values - &smoothed(values.view(), observed, DETAIL_RADIUS);
        detail.mapv_inplace(|value| if value.is_nan() { 0.0 } else { value });
        detail
    });
    let near = |values: Array2<f32>| smoothed(values.view(), observed, NEIGHBOURHOOD_RADIUS);
    let (both, squares) = (near(&this * &other), near(&other * &other));
    let slope = both / (squares + noise * noise);
    slope.slice_move(s![rows.start - around.start..rows.end - around.start, ..])
}
