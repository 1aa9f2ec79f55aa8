//! Where one date is brighter and whiter than the other, and the ground is out of sight.

use ndarray::{Array2, Zip};

use super::super::smoothed;
use super::{CloudSettings, Compared, plane, quantiles};

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

/// Arrays (row, col) of blocks.
pub(super) struct Brightened {
    /// Cloud, if it is large enough.
    pub(super) surely: Array2<bool>,
    /// Cloud, if it is next to some.
    pub(super) maybe: Array2<bool>,
    /// Mean rise of the visible bands.
    pub(super) rise: Array2<f32>,
}

pub(super) fn brightened(dates: &Compared<'_>, settings: &CloudSettings) -> Brightened {
    let visible = &dates.bands.visible;
    let mean = |of: &dyn Fn(usize, &mut Array2<f32>)| {
        let mut sum = Array2::zeros(dates.observed.dim());
        visible.iter().for_each(|&band| of(band, &mut sum));
        sum /= visible.len() as f32;
        sum
    };
    let this = mean(&|band, sum| *sum += &plane(dates.this, band));
    let other = mean(&|band, sum| {
        let level = dates.levels[band];
        sum.zip_mut_with(&plane(dates.other, band), |sum, &value| *sum += level.applied(value));
    });
    let range = visible.iter().map(|&band| dates.ranges[band]).sum::<f32>() / visible.len() as f32;
    let [bright] = quantiles(other.view(), dates.observed.view(), [0.98]).map(|most| settings.brightness * most);
    let rise = &this - &other;
    let mut surely = Array2::from_elem(rise.dim(), false);
    let mut maybe = surely.clone();
    let (bluest, reddest) = (visible[0], visible[visible.len() - 1]);
    Zip::indexed(&mut surely).and(&mut maybe).and(&this).and(&rise).for_each(|at, surely, maybe, &level, &rise| {
        if !dates.observed[at] || rise <= 0.0 {
            return;
        }
        let difference = |band| dates.rise(band, at) * dates.ranges[band];
        let is_blue = difference(bluest) - difference(reddest) > LEAST_BLUE * rise;
        let near_infrared = dates.bands.near_infrared;
        // the visible bands tell how much of the ground is hidden by white, and with it what the near infrared should
        // be
        let opacity = (rise / (1.0 - (level - rise)).max(f32::EPSILON)).min(1.0);
        let ground = dates.other(near_infrared, at);
        let deficit = opacity * (1.0 - ground) / dates.ranges[near_infrared] - dates.rise(near_infrared, at);
        let is_infrared = dates.bands.infrared.iter().all(|&band| dates.rise(band, at) > LEAST_INFRARED)
            && dates.this[(near_infrared, at.0, at.1)] > settings.near_infrared * level
            && deficit < settings.infrared_deficit;
        if !is_blue || !is_infrared {
            return;
        }
        let least = visible.iter().map(|&band| dates.rise(band, at)).fold(f32::INFINITY, f32::min);
        let values = visible.iter().map(|&band| dates.this[(band, at.0, at.1)]);
        let (low, high) =
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let colour = (high - low) / level.max(f32::EPSILON);
        *maybe = least > MAYBE_BRIGHTENING && colour < MAYBE_WHITENESS;
        *surely = least > settings.brightening && colour < settings.whiteness && level > bright;
    });
    // mostly there is nothing to look closer at
    if surely.iter().any(|surely| *surely) {
        let slope = detail_slope(dates, &this, &other, LEAST_DETAIL * range);
        Zip::from(&mut surely).and(&slope).for_each(|surely, &slope| *surely &= slope < settings.detail);
    }
    Brightened { surely, maybe, rise }
}

/// Slope of the local detail of this date on that of the other one (row, col): 1 where the same ground is in sight,
/// about 0 where it is not. NaN where not observed.
fn detail_slope(dates: &Compared<'_>, this: &Array2<f32>, other: &Array2<f32>, noise: f32) -> Array2<f32> {
    let observed = dates.observed.view();
    let detail = |values: &Array2<f32>| {
        let mut detail = values - &smoothed(values.view(), observed, DETAIL_RADIUS);
        detail.mapv_inplace(|value| if value.is_nan() { 0.0 } else { value });
        detail
    };
    let (this, other) = (detail(this), detail(other));
    let near = |values: Array2<f32>| smoothed(values.view(), observed, NEIGHBOURHOOD_RADIUS);
    let (both, squares) = (near(&this * &other), near(&other * &other));
    both / (squares + noise * noise)
}
