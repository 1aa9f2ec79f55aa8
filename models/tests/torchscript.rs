//! The real segmenter, on tiny committed networks and on the landcover bundles where they are.

mod support;

use std::fs;
use std::path::Path;
use std::thread;

use ndarray::{Array2, Array3, s};
use proptest::prelude::*;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::{Bundle, ModelError, Segmenter, TorchScriptSegmenter, verify};
use support::{difference, fixtures, picture, segmenter};

fn load_error(name: &str) -> ModelError {
    let bundle = Bundle::load(&fixtures(), name).expect("a good bundle");
    verify(&bundle).expect_err("refused")
}

#[test]
fn a_network_that_contradicts_its_manifest_is_refused_before_any_work() {
    let error = load_error("wrong-shape");
    let ModelError::OutputShape { expected, got, .. } = &error else { panic!("{error}") };
    assert_eq!((expected[1], got[1]), (6, 5), "{error}");

    let error = load_error("wrong-bands");
    assert!(matches!(error, ModelError::Torch { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("[1, 3, ") && text.contains("4 channels"), "{text}");

    let error = load_error("short-halo");
    assert!(matches!(error, ModelError::Halo { halo_px: 0, .. }), "{error}");
}

#[test]
fn weights_that_are_no_torchscript_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("tiny");
    fs::create_dir(&home).expect("a new folder");
    let text = fs::read_to_string(fixtures().join("tiny/manifest.toml")).expect("readable");
    let good = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
    let junk = b"PK\x03\x04 no archive";
    let text = text
        .replace(&good.manifest().weights.blake3.to_string(), &Digest::of_bytes(junk).to_string())
        .replace(&format!("size_bytes = {}", good.weights().len()), &format!("size_bytes = {}", junk.len()));
    fs::write(home.join("manifest.toml"), text).expect("written");
    fs::write(home.join("weights.pt"), junk).expect("written");
    let bundle = Bundle::load(folder.path(), "tiny").expect("verified, not opened");
    let error = verify(&bundle).expect_err("refused");
    assert!(error.to_string().contains("while loading the weights"), "{error}");
}

#[test]
fn a_pass_without_the_bands_or_the_resolution_is_refused() {
    let segmenter = segmenter("tiny");
    let description = segmenter.description();
    let bands = [BandRole::Nir, BandRole::Blue, BandRole::Red, BandRole::Green];
    description.check_fits(&bands, 10.0).expect("fits");
    let error = description.check_fits(&bands[1..], 10.0).expect_err("refused");
    assert!(error.to_string().contains("missing nir"), "{error}");
    let error = description.check_fits(&bands, 0.5).expect_err("refused");
    assert!(error.to_string().contains("1 m to 30 m, got 0.5 m"), "{error}");
    description.check_fits(&bands, f64::NAN).expect_err("refused");
}

#[test]
fn probabilities_sum_to_one_where_observed_and_to_nothing_elsewhere() {
    let (reflectance, observed) = picture(3, (0, 0), 61, 75);
    let segmenter = segmenter("tiny");
    let probabilities = segmenter.probabilities(reflectance.view(), observed.view(), 3).expect("segmented");
    assert_eq!(probabilities.dim(), (6, 55, 69));
    for ((row, col), observed) in observed.slice(s![3..58, 3..72]).indexed_iter() {
        let sum = probabilities.slice(s![.., row, col]).sum();
        let expected = if *observed { 1.0 } else { 0.0 };
        assert!((sum - expected).abs() < 1e-5, "row {row}, col {col}: {sum}");
    }
    let quantised = segmenter.segment_window(reflectance.view(), observed.view(), 3).expect("segmented");
    assert_eq!(quantised.dim(), probabilities.dim());
    for (quantised, probability) in quantised.iter().zip(&probabilities) {
        assert!((f32::from(*quantised) - probability * 255.0).abs() < 0.501);
    }
}

#[test]
fn what_lies_under_the_mask_changes_nothing() {
    let (mut reflectance, observed) = picture(3, (0, 0), 61, 75);
    let segmenter = segmenter("tiny");
    let before = segmenter.segment_window(reflectance.view(), observed.view(), 0).expect("segmented");
    for value in reflectance.iter_mut().filter(|value| value.is_nan()) {
        *value = 7.0;
    }
    assert_eq!(segmenter.segment_window(reflectance.view(), observed.view(), 0).expect("segmented"), before);
    let nothing = Array2::from_elem(observed.dim(), false);
    let answer = segmenter.segment_window(reflectance.view(), nothing.view(), 0).expect("segmented");
    assert_eq!(answer, Array3::<u8>::zeros((6, 61, 75)));
}

#[test]
fn an_observed_pixel_that_is_no_number_is_an_error() {
    let segmenter = segmenter("tiny");
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mut reflectance, observed) = picture(3, (0, 0), 40, 40);
        reflectance[(1, 9, 5)] = bad;
        let error = segmenter.segment_window(reflectance.view(), observed.view(), 0).expect_err("refused");
        assert!(error.to_string().contains("band red at row 9, col 5"), "{error}");
    }
}

#[test]
fn arrays_that_do_not_fit_are_errors() {
    let segmenter = segmenter("tiny");
    let (reflectance, observed) = picture(4, (0, 0), 40, 40);
    let error = segmenter.segment_window(reflectance.view(), observed.view(), 0).expect_err("refused");
    assert!(error.to_string().contains("bands of the reflectance: expected 3, got 4"), "{error}");
    let three = reflectance.slice(s![..3, .., ..]);
    segmenter.segment_window(three, observed.slice(s![1.., ..]), 0).expect_err("refused");
    for crop in [20, usize::MAX] {
        let error = segmenter.segment_window(three, observed.view(), crop).expect_err("refused");
        assert!(error.to_string().contains("crop on each side"), "{error}");
    }
}

#[test]
fn views_in_any_memory_order_give_the_same() {
    let (reflectance, observed) = picture(3, (0, 0), 40, 52);
    let segmenter = segmenter("tiny");
    let expected = segmenter.segment_window(reflectance.view(), observed.view(), 2).expect("segmented");
    let turned = reflectance.view().permuted_axes([2, 0, 1]).as_standard_layout().into_owned().permuted_axes([1, 2, 0]);
    let mask = observed.t().as_standard_layout().into_owned();
    assert_eq!(segmenter.segment_window(turned.view(), mask.t(), 2).expect("segmented"), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn tiled_is_untiled(rows in 20_usize..150, cols in 20_usize..150, tile_px in 4_usize..90, crop in 0_usize..10) {
        let (reflectance, observed) = picture(3, (0, 0), rows, cols);
        let answer = |tile_px| {
            let segmenter = segmenter("tiny").with_tile_px(tile_px);
            segmenter.probabilities(reflectance.view(), observed.view(), crop).expect("segmented")
        };
        prop_assert!(difference(&answer(tile_px), &answer(4096)) <= 1e-4);
    }

    #[test]
    fn the_same_ground_is_judged_the_same_in_any_window(row in 0_usize..20, col in 0_usize..20) {
        let (row, col) = (row * 4, col * 4);
        let segmenter = segmenter("tiny");
        let (reflectance, observed) = picture(3, (0, 0), 160, 160);
        let whole = segmenter.probabilities(reflectance.view(), observed.view(), 8).expect("segmented");
        let (reflectance, observed) = picture(3, (row, col), 64, 48);
        let part = segmenter.probabilities(reflectance.view(), observed.view(), 8).expect("segmented");
        let same = whole.slice(s![.., row..row + 48, col..col + 32]).to_owned();
        prop_assert!(difference(&part, &same) <= 1e-4);
    }
}

/// Both threads, and one after the other, give the same bytes.
fn is_the_same_on_two_threads(segmenter: &TorchScriptSegmenter, side: usize) {
    let bands = segmenter.description().bands.len();
    let windows: Vec<_> = (0..6).map(|i| picture(bands, (i * 40, i * 24), side, side)).collect();
    let run = |(reflectance, observed): &(Array3<f32>, Array2<bool>)| {
        segmenter.segment_window(reflectance.view(), observed.view(), 8).expect("segmented")
    };
    let in_turn: Vec<_> = windows.iter().map(run).collect();
    thread::scope(|scope| {
        let workers = [0, 1].map(|_| scope.spawn(|| windows.iter().map(run).collect::<Vec<_>>()));
        for worker in workers {
            assert!(worker.join().expect("no panic") == in_turn);
        }
    });
}

#[test]
fn two_threads_at_once_get_what_one_gets() {
    is_the_same_on_two_threads(&segmenter("tiny"), 120);
}

/// The bundles that ship with the program keep the same promises.
#[test]
fn the_landcover_bundles_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in Bundle::names(folder).expect("listed") {
        let bundle = Bundle::load(folder, &name).expect("a good bundle");
        let segmenter = TorchScriptSegmenter::load(&bundle, 1).expect("a good network");
        let (bands, halo_px) = (segmenter.description().bands.len(), segmenter.description().halo_px);
        let (reflectance, observed) = picture(bands, (0, 0), 317, 250);
        let answer = |segmenter: &TorchScriptSegmenter, crop| {
            segmenter.probabilities(reflectance.view(), observed.view(), crop).expect("segmented")
        };
        let whole = [0, halo_px].map(|crop| answer(&segmenter, crop));
        let segmenter = segmenter.with_tile_px(64);
        for (crop, whole) in [0, halo_px].into_iter().zip(whole) {
            let difference = difference(&answer(&segmenter, crop), &whole);
            assert!(difference <= 1e-4, "{name}, crop {crop}: {difference}");
        }
        is_the_same_on_two_threads(&segmenter, 96);
    }
}
