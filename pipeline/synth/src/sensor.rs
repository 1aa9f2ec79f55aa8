//! How a sensor sees the scene: sampling, blur, atmosphere, drift, noise, flags.

use crate::clouds::Clouds;
use crate::landscape::{Moment, Surface};
use crate::noise::{Chance, Noise, bell_of, lerp};
use crate::placing::is_outside_swath;
use crate::relief::Relief;
use crate::scenario::PassPlan;
use crate::series::{BANDS, QUALITY_CLOUD, QUALITY_CLOUD_SHADOW, QUALITY_FILL};
use crate::spectra::{CLOUD, HAZE};
use ndarray::{Array2, Array3};
use rayon::prelude::*;

/// Samples of the scene along each edge of a pixel.
const SAMPLES: usize = 2;
/// Weights of the eight samples about a pixel's centre, along one axis: a bell of standard deviation
/// 0.58 px (0.5 px of optics, and the pixel's own box), at ±0.25, ±0.75, ±1.25 and ±1.75 px.
const SPREAD: [f64; 8] = [0.0035, 0.0332, 0.1488, 0.3145, 0.3145, 0.1488, 0.0332, 0.0035];
/// Noise of the sensor: a floor in reflectance × 10⁴, and a share of the signal.
const NOISE_FLOOR: f64 = 8.0;
const NOISE_SHARE: f64 = 0.008;
/// Share of light that a full shadow takes, for each band: skylight fills blue more than short-wave infrared.
const SHADE: [f64; 5] = [0.42, 0.50, 0.55, 0.60, 0.66];
/// Opacity above which the mask flags a cloud or shadow, before it is grown.
const FLAG_ABOVE: f64 = 0.30;
/// How far flags are grown, in pixels.
const FLAG_GROWN_PX: usize = 2;

/// What one pass recorded.
pub(crate) struct Recording {
    pub(crate) pixels: Array3<u16>,
    pub(crate) quality: Array2<u8>,
    pub(crate) gain: [f64; 5],
    pub(crate) offset: [f64; 5],
}

/// The grid of a pass on the ground.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) pixel_m: f64,
}

impl Frame {
    fn size_m(self) -> (f64, f64) {
        (self.cols as f64 * self.pixel_m, self.rows as f64 * self.pixel_m)
    }
}

/// Records the scene that `surface` describes (at a point in metres) as pass `index` of the plan.
pub(crate) fn record(
    seed: u64,
    index: usize,
    plan: &PassPlan,
    frame: Frame,
    clouds: &Clouds,
    surface: impl Fn(f64, f64, Moment) -> Surface + Sync,
) -> Recording {
    let moment = Moment { epoch: index, season: plan.season, water_level_m: plan.water_level_m };
    let seen = sample(frame, plan.shift_px, |x, y| surface(x, y, moment));
    let opacity = sky(frame, plan.shift_px, |x, y| clouds.opacity(x, y));
    let shade = sky(frame, plan.shift_px, |x, y| clouds.shade(x, y));
    let (gain, offset) = drift(seed, index, plan.drift);
    let air = Noise::new(seed, 800 + index as u64);
    let veil = Relief::new(air, frame.size_m(), 2_600.0, 3);
    let texture = air.branch(1);
    let grain = Noise::new(seed, 900 + index as u64);

    let mut pixels = Array3::<u16>::zeros((BANDS.len(), frame.rows, frame.cols));
    let mut quality = flags(&opacity, &shade);
    for row in 0..frame.rows {
        for col in 0..frame.cols {
            let (x, y) = (col as f64 * frame.pixel_m, row as f64 * frame.pixel_m);
            if is_outside_swath(plan.swath_gap, frame.size_m(), x, y) {
                quality[(row, col)] = QUALITY_FILL;
                continue;
            }
            let haze = plan.haze * (1.0 + 0.7 * veil.at(x, y));
            let white =
                if opacity[(row, col)] > 0.0 { 0.92 + 0.16 * texture.fractal(x / 130.0, y / 130.0, 3) } else { 0.0 };
            let noise_word = grain.cell(col as i64, row as i64);
            for band in 0..BANDS.len() {
                let lit = seen[(band, row, col)] * (1.0 - SHADE[band] * shade[(row, col)]);
                let hazy = lerp(lit, HAZE[band], haze);
                let cloudy = lerp(hazy, CLOUD[band] * white, opacity[(row, col)]);
                let true_value = cloudy * gain[band] + offset[band];
                let words = (noise_word.rotate_left(13 * band as u32), grain.cell(band as i64, noise_word as i64));
                let noisy = true_value + bell_of(words.0, words.1) * (NOISE_FLOOR + NOISE_SHARE * true_value);
                pixels[(band, row, col)] = noisy.round().clamp(1.0, 12_000.0) as u16;
            }
        }
    }
    Recording { pixels, quality, gain, offset }
}

/// The scene as the optics average it: axes (band, row, column), reflectance × 10⁴.
///
/// The scene itself is sampled on the shifted grid, so a shift never smears pixels twice.
fn sample(frame: Frame, shift_px: (f64, f64), surface: impl Fn(f64, f64) -> Surface + Sync) -> Array3<f64> {
    let margin = SPREAD.len() / 2 - 1;
    let fine_cols = frame.cols * SAMPLES + 2 * margin;
    let line = |fine_row: usize| -> Vec<[f64; 5]> {
        let place =
            |fine: usize, shift: f64| ((fine as f64 - margin as f64 + 0.5) / SAMPLES as f64 - shift) * frame.pixel_m;
        let y = place(fine_row, shift_px.1);
        let fine: Vec<[f64; 5]> =
            (0..fine_cols).map(|fine_col| surface(place(fine_col, shift_px.0), y).spectrum).collect();
        (0..frame.cols).map(|col| weighted(&fine[col * SAMPLES..])).collect()
    };
    let lines: Vec<Vec<[f64; 5]>> = (0..frame.rows * SAMPLES + 2 * margin).into_par_iter().map(line).collect();
    let mut seen = Array3::zeros((BANDS.len(), frame.rows, frame.cols));
    for row in 0..frame.rows {
        for col in 0..frame.cols {
            let column: [[f64; 5]; 8] = std::array::from_fn(|tap| lines[row * SAMPLES + tap][col]);
            for (band, value) in weighted(&column).into_iter().enumerate() {
                seen[(band, row, col)] = value;
            }
        }
    }
    seen
}

fn weighted(samples: &[[f64; 5]]) -> [f64; 5] {
    let mut sum = [0.0; 5];
    for (sample, weight) in samples.iter().zip(SPREAD) {
        for band in 0..5 {
            sum[band] += weight * sample[band];
        }
    }
    sum
}

/// A property of the sky above each pixel's centre, axes (row, column).
fn sky(frame: Frame, shift_px: (f64, f64), of: impl Fn(f64, f64) -> f64 + Sync) -> Array2<f64> {
    let line = |row: usize| -> Vec<f64> {
        let y = (row as f64 + 0.5 - shift_px.1) * frame.pixel_m;
        (0..frame.cols).map(|col| of((col as f64 + 0.5 - shift_px.0) * frame.pixel_m, y)).collect()
    };
    let lines: Vec<Vec<f64>> = (0..frame.rows).into_par_iter().map(line).collect();
    Array2::from_shape_fn((frame.rows, frame.cols), |(row, col)| lines[row][col])
}

fn drift(seed: u64, index: usize, most: f64) -> ([f64; 5], [f64; 5]) {
    let mut chance = Chance::new(seed, 1000 + index as u64);
    // bands drift together for the greater part
    let common = chance.between(-0.7, 0.7) * most;
    let gain = std::array::from_fn(|_| 1.0 + common + chance.between(-0.3, 0.3) * most);
    let offset = std::array::from_fn(|_| chance.between(-400.0, 400.0) * most);
    (gain, offset)
}

fn flags(opacity: &Array2<f64>, shade: &Array2<f64>) -> Array2<u8> {
    let cloud = grown(&opacity.mapv(|value| value > FLAG_ABOVE));
    let shadow = grown(&shade.mapv(|value| value > FLAG_ABOVE));
    Array2::from_shape_fn(opacity.dim(), |at| {
        u8::from(cloud[at]) * QUALITY_CLOUD + u8::from(shadow[at]) * QUALITY_CLOUD_SHADOW
    })
}

/// Every pixel that has a set one within [`FLAG_GROWN_PX`] along rows and columns.
fn grown(mask: &Array2<bool>) -> Array2<bool> {
    let (rows, cols) = mask.dim();
    let near = |at: usize, end: usize| at.saturating_sub(FLAG_GROWN_PX)..(at + FLAG_GROWN_PX + 1).min(end);
    let wide = Array2::from_shape_fn((rows, cols), |(row, col)| near(col, cols).any(|col| mask[(row, col)]));
    Array2::from_shape_fn((rows, cols), |(row, col)| near(row, rows).any(|row| wide[(row, col)]))
}

/// The code of what lies at each pixel's centre on the unshifted grid, axes (row, column).
pub(crate) fn classes(frame: Frame, surface: impl Fn(f64, f64) -> Surface + Sync) -> Array2<u8> {
    let line = |row: usize| -> Vec<u8> {
        let y = (row as f64 + 0.5) * frame.pixel_m;
        (0..frame.cols).map(|col| surface((col as f64 + 0.5) * frame.pixel_m, y).class.code()).collect()
    };
    let lines: Vec<Vec<u8>> = (0..frame.rows).into_par_iter().map(line).collect();
    Array2::from_shape_fn((frame.rows, frame.cols), |(row, col)| lines[row][col])
}
