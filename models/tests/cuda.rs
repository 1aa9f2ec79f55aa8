//! The bundles that ship, on a CUDA device against the processor. Without a device the tests say why they were skipped.
#![cfg(feature = "torch")]
#![expect(clippy::print_stderr, reason = "what is skipped, and what was measured, is told")]

mod support;

use std::thread;

use ndarray::{Array2, Array3, s};
use shorewatch_models::load::{FORM_TOLERANCE, agreement};
use shorewatch_models::{Bundle, ChangeNetwork, Device, Format, Kind, ModelError, Options, load};
use support::{difference, fixtures, options, picture, shipped};

/// Most by which half precision may change a probability of these pictures, and the least share of pixels that keep their class.
const HALF_TOLERANCE: f32 = 0.05;
const HALF_AGREEMENT: f64 = 0.99;

fn on_cuda(half_precision: bool) -> Options {
    Options { device: Device::Cuda, half_precision, ..options(Format::TorchScript) }
}

/// Whether there is a device; prints why not.
fn there_is_a_device() -> bool {
    let tiny = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
    match load(&tiny, &on_cuda(false)) {
        Ok(_) => true,
        Err(ModelError::NoCuda { reason, .. }) => {
            eprintln!("skipped: {reason}");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

/// What a bundle says of several tiles of a picture.
struct Answer {
    /// Probabilities (class, row, col).
    probabilities: Array3<f32>,
    /// The same as 8-bit scores, but of a network of two dates, which tells probabilities only.
    scores: Option<Array3<u8>>,
}

fn answer(bundle: &Bundle, options: &Options) -> Answer {
    let halo_px = bundle.manifest().input.halo_px;
    let options = Options { tile_px: Some(128), ..options.clone() };
    let window = |bands: usize| picture(bands, (0, 0), 400 + 2 * halo_px, 317 + 2 * halo_px);
    match bundle.manifest().kind {
        Kind::Segmentation => {
            let segmenter = load(bundle, &options).expect("a good network");
            let bands = &segmenter.description().bands;
            let (reflectance, observed) = window(bands.len());
            let probabilities = segmenter.probabilities(bands, reflectance.view(), observed.view(), halo_px);
            let scores = segmenter.segment_window(bands, reflectance.view(), observed.view(), halo_px);
            Answer { probabilities: probabilities.expect("segmented"), scores: Some(scores.expect("segmented")) }
        }
        Kind::Bitemporal => {
            let network = ChangeNetwork::load(bundle, &options).expect("a good network");
            let bands = &network.description().bands;
            let (before, observed) = window(bands.len());
            let mut after = before.clone();
            after.slice_mut(s![.., 120..180, 150..230]).mapv_inplace(|value| 0.9 * value + 0.15);
            let changed = network.changed_window(bands, before.view(), after.view(), observed.view(), halo_px);
            let changed = changed.expect("compared");
            // the complement, so that a class can be told
            let (rows, cols) = changed.dim();
            let probabilities = Array3::from_shape_fn((2, rows, cols), |(class, row, col)| {
                if class == 1 { changed[(row, col)] } else { 1.0 - changed[(row, col)] }
            });
            Answer { probabilities, scores: None }
        }
    }
}

/// Most steps by which two answers differ in a score.
fn steps(one: &Array3<u8>, other: &Array3<u8>) -> u8 {
    assert_eq!(one.dim(), other.dim());
    one.iter().zip(other).map(|(one, other)| one.abs_diff(*other)).max().expect("pixels")
}

#[test]
fn the_device_gives_what_the_processor_gives() {
    if !there_is_a_device() {
        return;
    }
    for bundle in [Kind::Segmentation, Kind::Bitemporal].into_iter().flat_map(shipped) {
        let name = &bundle.manifest().name;
        let expected = answer(&bundle, &options(Format::TorchScript));
        let compared = |half_precision: bool| {
            let got = answer(&bundle, &on_cuda(half_precision));
            let steps = got.scores.as_ref().zip(expected.scores.as_ref()).map(|(got, expected)| steps(got, expected));
            let (got, expected) = (got.probabilities, &expected.probabilities);
            let mean = (&got - expected).mapv(|value| f64::from(value.abs())).mean().expect("pixels");
            let (greatest, agreement) =
                (difference(&got, expected), agreement(&bundle.manifest().head_classes(), &got, expected));
            let precision = if half_precision { "half" } else { "single" };
            let of_scores = steps.map(|steps| format!(", of scores {steps} of 255")).unwrap_or_default();
            eprintln!(
                "{name}, {precision} precision: greatest difference {greatest:.1e}{of_scores}, mean {mean:.1e}, {agreement:.5} of the classes equal"
            );
            (got, greatest, agreement, steps)
        };
        let (single, greatest, agreement, steps) = compared(false);
        assert!(greatest <= FORM_TOLERANCE && agreement > 0.999, "{name}: {greatest}, {agreement}");
        assert!(steps <= Some(1), "{name}: {steps:?} steps");
        let (half, greatest, agreement, steps) = compared(true);
        assert!(greatest <= HALF_TOLERANCE && agreement >= HALF_AGREEMENT, "{name}: {greatest}, {agreement}");
        assert!(steps.map(f32::from) <= Some(1.0 + HALF_TOLERANCE * 255.0), "{name}: {steps:?} steps");
        assert!(difference(&single, &half) > 0.0, "{name}: half precision was not used");
    }
}

#[test]
fn several_workers_share_the_device() {
    if !there_is_a_device() {
        return;
    }
    let bundle = &shipped(Kind::Segmentation)[0];
    for half_precision in [false, true] {
        let segmenter = load(bundle, &on_cuda(half_precision)).expect("a good network");
        let bands = &segmenter.description().bands;
        let windows: Vec<_> = (0..4).map(|i| picture(bands.len(), (i * 40, i * 24), 320, 256)).collect();
        let run = |(reflectance, observed): &(Array3<f32>, Array2<bool>)| {
            segmenter.segment_window(bands, reflectance.view(), observed.view(), 8).expect("segmented")
        };
        let in_turn: Vec<_> = windows.iter().map(run).collect();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(|| windows.iter().map(run).collect::<Vec<_>>())).collect();
            for worker in workers {
                for (got, expected) in worker.join().expect("no panic").iter().zip(&in_turn) {
                    assert!(steps(got, expected) <= 1);
                }
            }
        });
    }
}
