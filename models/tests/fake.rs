//! The spectral rule.

mod support;

use ndarray::{Array2, Array3, s};
use proptest::prelude::*;
use shorewatch_models::{FakeSegmenter, Segmenter};
use support::{BANDS, picture};

/// The most probable class of one spectrum (green, red, near infrared reflectance).
fn class_of(spectrum: [f32; 3]) -> String {
    let segmenter = FakeSegmenter::new();
    let reflectance = Array3::from_shape_fn((3, 1, 1), |(band, _, _)| spectrum[band]);
    let answer = segmenter.segment_window(&BANDS, reflectance.view(), Array2::from_elem((1, 1), true).view(), 0);
    let answer = answer.expect("segmented");
    let best = (0..6).max_by_key(|class| answer[(*class, 0, 0)]).expect("six classes");
    segmenter.description().classes[best].name.clone()
}

/// Surfaces as they are: medians of Landsat surface reflectance, and materials around them.
#[test]
fn surfaces_are_told_apart() {
    for (surface, spectrum, class) in [
        ("turbid river", [0.079, 0.093, 0.040], "water"),
        ("clear lake", [0.052, 0.042, 0.023], "water"),
        ("wood", [0.047, 0.043, 0.215], "trees"),
        ("grass", [0.080, 0.083, 0.275], "low_vegetation"),
        ("reed", [0.068, 0.066, 0.245], "low_vegetation"),
        ("green crop", [0.070, 0.052, 0.360], "crops"),
        ("asphalt", [0.096, 0.106, 0.150], "built_up"),
        ("concrete", [0.155, 0.168, 0.220], "built_up"),
        ("sand", [0.142, 0.172, 0.223], "bare"),
        ("soil", [0.128, 0.155, 0.209], "bare"),
    ] {
        assert_eq!(class_of(spectrum), class, "{surface}");
    }
}

#[test]
fn its_identity_is_fixed() {
    let description = FakeSegmenter::new().description().clone();
    assert_eq!((description.name.as_str(), description.halo_px, description.alignment_px), ("fake", 0, 1));
    // whoever changes a constant changes every result: results of old and new must not mix
    assert_eq!(description.digest.short(), "c1d71e9b201a");
    assert_eq!(description.model_classes().names, ["water", "trees", "low_vegetation", "crops", "built_up", "bare"]);
}

#[test]
fn unobserved_is_nothing_and_an_observed_nan_is_an_error() {
    let segmenter = FakeSegmenter::new();
    let (mut reflectance, observed) = picture(3, (0, 0), 60, 150);
    let answer = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 5).expect("segmented");
    assert_eq!(answer.dim(), (6, 50, 140));
    let probabilities = segmenter.probabilities(&BANDS, reflectance.view(), observed.view(), 5).expect("segmented");
    for ((row, col), observed) in observed.slice(s![5..55, 5..145]).indexed_iter() {
        let quantised = answer.slice(s![.., row, col]).mapv(f32::from);
        let exact = probabilities.slice(s![.., row, col]);
        assert!((exact.sum() - if *observed { 1.0 } else { 0.0 }).abs() < 1e-5);
        assert!(quantised.iter().zip(exact).all(|(quantised, exact)| (quantised - exact * 255.0).abs() < 0.501));
    }
    reflectance[(2, 50, 149)] = f32::NAN;
    let error = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 0).expect_err("refused");
    assert!(error.to_string().contains("band nir at row 50, col 149"), "{error}");
}

proptest! {
    #[test]
    fn memberships_are_probabilities_for_any_reflectance(
        spectra in prop::collection::vec(prop::array::uniform3(prop_oneof![-0.2_f32..2.0, Just(0.0), Just(1e30)]), 1..80),
    ) {
        let reflectance = Array3::from_shape_fn((3, 1, spectra.len()), |(band, _, col)| spectra[col][band]);
        let observed = Array2::from_elem((1, spectra.len()), true);
        let got = FakeSegmenter::new().probabilities(&BANDS, reflectance.view(), observed.view(), 0).expect("segmented");
        for (col, spectrum) in spectra.iter().enumerate() {
            let pixel = got.slice(s![.., 0, col]);
            prop_assert!(pixel.iter().all(|value| (-1e-6..=1.000_001).contains(value)), "{spectrum:?}: {pixel}");
            prop_assert!((pixel.sum() - 1.0).abs() < 1e-5, "{spectrum:?}: {pixel}");
        }
    }

    #[test]
    fn a_window_is_the_same_pixel_by_pixel(rows in 1_usize..9, cols in 1_usize..200, crop in 0_usize..4) {
        let segmenter = FakeSegmenter::new();
        let (reflectance, observed) = picture(3, (28, 15), rows + 2 * crop, cols + 2 * crop);
        let whole = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 0).expect("segmented");
        let cropped = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), crop).expect("segmented");
        prop_assert_eq!(cropped, whole.slice(s![.., crop..crop + rows, crop..crop + cols]));
    }
}
