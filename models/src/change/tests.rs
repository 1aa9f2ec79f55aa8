//! What a network of two dates is shown, channel by channel.

use std::path::Path;

use ndarray::{Array3, s};

use super::*;
use crate::input::Layout;
use crate::manifest::Format;
use crate::network::{Network, NetworkFault};

/// Says change by the sum of all channels, each weighted with its number from 1.
struct Weighted;

impl Network for Weighted {
    fn library(&self) -> &'static str {
        "a test"
    }

    fn layout(&self) -> Layout {
        Layout::ChannelsFirst
    }

    fn forward(
        &self,
        pixels: &mut [f32],
        [tiles, channels, rows, cols]: [usize; 4],
        take: &mut dyn FnMut(&[f32], &[i64]),
    ) -> Result<(), NetworkFault> {
        let area = rows * cols;
        let mut out = Vec::new();
        for tile in pixels.chunks_exact(channels * area) {
            out.extend(vec![0.0; area]);
            out.extend(
                (0..area).map(|at| {
                    (0..channels).map(|channel| (channel + 1) as f32 * tile[channel * area + at]).sum::<f32>()
                }),
            );
        }
        take(&out, &[tiles, 2, rows, cols].map(|edge| edge as i64));
        Ok(())
    }
}

fn network() -> ChangeNetwork {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let bundle = Bundle::load(&folder, "two-dates").expect("a good bundle");
    let tiled = TiledNetwork::new(Box::new(Weighted), &bundle, Format::TorchScript, false, 3);
    ChangeNetwork(tiled.expect("it fits the manifest"))
}

/// The probability that the manifest of the fixture makes of a logit of "changed" where that of "unchanged" is 0.
fn probability(logit: f32) -> f32 {
    1.0 / (1.0 + (-(logit / 1.5 + 0.75 + 0.75)).exp())
}

/// (mean, standard deviation) of green, red and near infrared, as the manifest of the fixture says.
const BANDS: [(BandRole, f32, f32); 3] =
    [(BandRole::Green, 0.09, 0.04), (BandRole::Red, 0.1, 0.05), (BandRole::Nir, 0.22, 0.1)];

/// Reflectance that is `scaled(band, row, col)` to the network.
fn date(scaled: impl Fn(usize, usize, usize) -> f32) -> Array3<f32> {
    Array3::from_shape_fn((3, 150, 90), |(band, row, col)| {
        let (_, mean, standard_deviation) = BANDS[band];
        mean + standard_deviation * scaled(band, row, col)
    })
}

/// Something between −0.1 and 0.1 that no other place, band or date has.
fn earlier(band: usize, row: usize, col: usize) -> f32 {
    ((row * 7 + col * 13 + band * 29) % 101) as f32 / 505.0 - 0.1
}

fn later(band: usize, row: usize, col: usize) -> f32 {
    ((row * 17 + col * 3 + band * 41) % 103) as f32 / 515.0 - 0.1
}

/// The sum that [`Weighted`] makes of these bands.
fn logit(bands: &[usize], row: usize, col: usize) -> f32 {
    let of = |band: &usize| (band + 1) as f32 * earlier(*band, row, col) + (band + 4) as f32 * later(*band, row, col);
    bands.iter().map(of).sum()
}

/// Every pixel of the answer, which lacks a crop of 5, is the `expected` one.
fn check(answer: &Array2<f32>, expected: impl Fn(usize, usize) -> f32) {
    assert_eq!(answer.dim(), (140, 80));
    for ((row, col), got) in answer.indexed_iter() {
        let expected = expected(row + 5, col + 5);
        assert!((got - expected).abs() < 1e-5, "row {row}, col {col}: expected {expected}, got {got}");
    }
}

#[test]
fn the_earlier_date_comes_first_each_normalised_in_the_order_of_the_manifest() {
    let (before, after) = (date(earlier), date(later));
    let observed = Array2::from_elem((150, 90), true);
    let roles = BANDS.map(|(role, ..)| role);
    let answer = network().changed_window(&roles, before.view(), after.view(), observed.view(), 5).expect("told");
    check(&answer, |row, col| probability(logit(&[0, 1, 2], row, col)));
    // the order of the planes says nothing
    let [turned_before, turned_after] = [&before, &after].map(|date| date.slice(s![..;-1, .., ..]));
    let turned_roles = [roles[2], roles[1], roles[0]];
    let turned = network().changed_window(&turned_roles, turned_before, turned_after, observed.view(), 5);
    assert_eq!(turned.expect("told"), answer);
}

#[test]
fn a_missing_band_is_the_mean_on_both_dates() {
    let [before, after] = [date(earlier), date(later)].map(|date| date.slice_move(s![..2, .., ..]));
    let observed = Array2::from_elem((150, 90), true);
    let roles = [BandRole::Green, BandRole::Red];
    let answer = network().changed_window(&roles, before.view(), after.view(), observed.view(), 5).expect("told");
    check(&answer, |row, col| probability(logit(&[0, 1], row, col)));
}

#[test]
fn an_unobserved_pixel_is_not_looked_at_on_either_date() {
    let is_observed = |row: usize, col: usize| (row * 5 + col * 3) % 11 > 3;
    let observed = Array2::from_shape_fn((150, 90), |(row, col)| is_observed(row, col));
    let [mut before, after] = [date(earlier), date(later)];
    for ((_, row, col), value) in before.indexed_iter_mut() {
        *value = if is_observed(row, col) { *value } else { f32::NAN };
    }
    let roles = BANDS.map(|(role, ..)| role);
    let answer = network().changed_window(&roles, before.view(), after.view(), observed.view(), 5).expect("told");
    check(&answer, |row, col| if is_observed(row, col) { probability(logit(&[0, 1, 2], row, col)) } else { 0.0 });
}
