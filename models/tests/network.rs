//! The real segmenter, on tiny committed networks with every backend of this build, and on the bundles that ship.

mod support;

use std::fs;
use std::thread;

use ndarray::{Array2, Array3, s};
use proptest::prelude::*;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::load::{FORM_TOLERANCE, formats_of_this_build};
use shorewatch_models::{Bundle, Device, Format, Kind, ModelError, Options, Segmenter, load, verify};
use support::{BANDS, difference, fixtures, formats, onnxruntime, options, picture, segmenter, shipped};

fn load_error(name: &str, format: Format) -> ModelError {
    let bundle = Bundle::load(&fixtures(), name).expect("a good bundle");
    load(&bundle, &options(format)).err().expect("refused")
}

#[test]
fn a_network_that_contradicts_its_manifest_is_refused_before_any_work() {
    for format in formats() {
        let error = load_error("wrong-shape", format);
        let ModelError::OutputShape { expected, got, .. } = &error else { panic!("{error}") };
        assert_eq!((expected[1], got[1]), (6, 5), "{error}");

        let error = load_error("wrong-bands", format);
        assert!(matches!(error, ModelError::Backend { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("[1, 3, ") && text.contains('4'), "{text}");

        let error = load_error("short-halo", format);
        assert!(matches!(error, ModelError::Halo { halo_px: 0, .. }), "{error}");
    }
}

#[test]
fn weights_that_are_no_network_are_refused() {
    let good = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
    for format in formats() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().join("tiny");
        fs::create_dir(&home).expect("a new folder");
        let mut text = fs::read_to_string(fixtures().join("tiny/manifest.toml")).expect("readable");
        let junk = b"PK\x03\x04 no archive";
        for weights in &good.manifest().weights {
            text = text
                .replace(&weights.blake3.to_string(), &Digest::of_bytes(junk).to_string())
                .replace(&format!("size_bytes = {}", weights.size_bytes), &format!("size_bytes = {}", junk.len()));
            fs::write(home.join(&weights.file), junk).expect("written");
        }
        fs::write(home.join("manifest.toml"), text).expect("written");
        let bundle = Bundle::load(folder.path(), "tiny").expect("verified, not opened");
        let error = load(&bundle, &options(format)).err().expect("refused");
        assert!(error.to_string().contains("while loading the weights"), "{error}");
    }
}

/// Both backends see the same: the promise that a bundle's forms are one network.
#[test]
fn the_forms_of_a_bundle_agree() {
    for name in ["tiny", "two-heads"] {
        let bundle = Bundle::load(&fixtures(), name).expect("a good bundle");
        let forms = verify(&bundle, onnxruntime()).expect("one network");
        assert_eq!(forms.len(), bundle.manifest().weights.len());
        for form in forms.iter().filter(|form| formats().contains(&form.format)) {
            assert!(form.largest_difference.expect("ran") <= FORM_TOLERANCE, "{name}: {form:?}");
        }
        let (reflectance, observed) = picture(3, (0, 0), 150, 131);
        let answers: Vec<_> = formats()
            .into_iter()
            .map(|format| segmenter(name, format).probabilities(&BANDS, reflectance.view(), observed.view(), 4))
            .map(|answer| answer.expect("segmented"))
            .collect();
        for answer in &answers {
            let difference = difference(answer, &answers[0]);
            assert!(difference <= FORM_TOLERANCE, "{name}: {difference}");
        }
    }
}

/// 8 bits are not exact, but of random weights too they keep most classes.
#[test]
fn eight_bits_keep_most_classes() {
    if !formats_of_this_build().contains(&Format::OnnxInt8) {
        return;
    }
    let bundle = Bundle::load(&fixtures(), "two-heads").expect("a good bundle");
    let forms = verify(&bundle, onnxruntime()).expect("one network");
    let int8 = forms.iter().find(|form| form.format == Format::OnnxInt8).expect("listed");
    assert!(int8.agreement.expect("ran") > 0.9 && int8.largest_difference.expect("ran") > 0.0, "{int8:?}");
}

#[test]
fn a_device_that_is_not_there_is_refused_unless_the_processor_may_stand_in() {
    let bundle = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
    for format in formats() {
        let wanted = Options { device: Device::Cuda, half_precision: true, ..options(format) };
        // on a machine with CUDA the TorchScript form loads
        if let Err(error) = load(&bundle, &wanted) {
            assert!(error.to_string().contains("set [model] allow_cpu = true"), "{error}");
            let allowed = load(&bundle, &Options { allow_cpu: true, ..wanted }).expect("on the processor");
            assert_eq!(allowed.description().digest, segmenter("tiny", format).description().digest);
        }
    }
}

#[test]
fn results_of_two_forms_are_told_apart() {
    let digests: Vec<_> = formats().into_iter().map(|format| segmenter("tiny", format).description().digest).collect();
    assert!(digests.windows(2).all(|pair| pair[0] != pair[1]), "{digests:?}");
}

#[test]
fn what_a_build_cannot_run_is_said() {
    let bundle = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
    for (format, feature) in [(Format::TorchScript, "torch"), (Format::Onnx, "onnx")] {
        if !formats_of_this_build().contains(&format) {
            let error = load(&bundle, &options(format)).err().expect("refused");
            assert!(error.to_string().contains(&format!("without the feature {feature:?}")), "{error}");
        }
    }
}

/// A network of two heads, for three bands or two of them.
#[test]
fn each_head_sums_to_one_and_a_missing_band_is_its_mean() {
    use BandRole::{Green, Nir, Red};
    for format in formats() {
        let segmenter = segmenter("two-heads", format);
        let description = segmenter.description();
        assert_eq!(description.heads, [0..6, 6..8]);
        assert_eq!(description.band_set(&[Nir, Red, Green]).expect("there").name, "all");
        assert_eq!(description.band_set(&[Red, Green]).expect("there").name, "visible");
        let (mut reflectance, observed) = picture(3, (0, 0), 61, 75);
        let two = reflectance.slice(s![..2, .., ..]);
        let answer = segmenter.probabilities(&[Green, Red], two, observed.view(), 2).expect("segmented");
        for ((row, col), observed) in observed.slice(s![2..59, 2..73]).indexed_iter() {
            for head in &description.heads {
                let sum = answer.slice(s![head.clone(), row, col]).sum();
                assert!((sum - if *observed { 1.0 } else { 0.0 }).abs() < 1e-5, "row {row}, col {col}: {sum}");
            }
        }
        // the mean of the third band says as much as its absence, and the order of the planes nothing
        reflectance.slice_mut(s![2, .., ..]).fill(0.22);
        let same = segmenter.probabilities(&BANDS, reflectance.view(), observed.view(), 2).expect("segmented");
        assert!(difference(&answer, &same) < 1e-5);
        let turned = reflectance.slice(s![..;-1, .., ..]);
        let turned = segmenter.probabilities(&[Nir, Red, Green], turned, observed.view(), 2).expect("segmented");
        assert_eq!(turned, same);
    }
}

#[test]
fn a_pass_without_the_bands_or_the_resolution_is_refused() {
    let segmenter = segmenter("tiny", formats()[0]);
    let description = segmenter.description();
    let bands = [BandRole::Nir, BandRole::Blue, BandRole::Red, BandRole::Green];
    description.check_fits(&bands, 10.0).expect("fits");
    let error = description.check_fits(&bands[1..], 10.0).expect_err("refused");
    assert!(error.to_string().contains("needs the bands green, red, nir, the pass has blue, red, green"), "{error}");
    let error = description.check_fits(&bands, 0.5).expect_err("refused");
    assert!(error.to_string().contains("1 m to 30 m, got 0.5 m"), "{error}");
    description.check_fits(&bands, f64::NAN).expect_err("refused");
}

#[test]
fn probabilities_sum_to_one_where_observed_and_to_nothing_elsewhere() {
    let (reflectance, observed) = picture(3, (0, 0), 61, 75);
    let segmenter = segmenter("tiny", formats()[0]);
    let probabilities = segmenter.probabilities(&BANDS, reflectance.view(), observed.view(), 3).expect("segmented");
    assert_eq!(probabilities.dim(), (6, 55, 69));
    for ((row, col), observed) in observed.slice(s![3..58, 3..72]).indexed_iter() {
        let sum = probabilities.slice(s![.., row, col]).sum();
        let expected = if *observed { 1.0 } else { 0.0 };
        assert!((sum - expected).abs() < 1e-5, "row {row}, col {col}: {sum}");
    }
    let quantised = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 3).expect("segmented");
    assert_eq!(quantised.dim(), probabilities.dim());
    for (quantised, probability) in quantised.iter().zip(&probabilities) {
        assert!((f32::from(*quantised) - probability * 255.0).abs() < 0.501);
    }
}

#[test]
fn what_lies_under_the_mask_changes_nothing() {
    let (mut reflectance, observed) = picture(3, (0, 0), 61, 75);
    let segmenter = segmenter("tiny", formats()[0]);
    let before = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 0).expect("segmented");
    for value in reflectance.iter_mut().filter(|value| value.is_nan()) {
        *value = 7.0;
    }
    assert_eq!(segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 0).expect("segmented"), before);
    let nothing = Array2::from_elem(observed.dim(), false);
    let answer = segmenter.segment_window(&BANDS, reflectance.view(), nothing.view(), 0).expect("segmented");
    assert_eq!(answer, Array3::<u8>::zeros((6, 61, 75)));
}

#[test]
fn an_observed_pixel_that_is_no_number_is_an_error() {
    let segmenter = segmenter("tiny", formats()[0]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let (mut reflectance, observed) = picture(3, (0, 0), 40, 40);
        reflectance[(1, 9, 5)] = bad;
        let error = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 0).expect_err("refused");
        assert!(error.to_string().contains("band red at row 9, col 5"), "{error}");
    }
}

#[test]
fn arrays_that_do_not_fit_are_errors() {
    let segmenter = segmenter("tiny", formats()[0]);
    let (reflectance, observed) = picture(4, (0, 0), 40, 40);
    let error = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 0).expect_err("refused");
    assert!(error.to_string().contains("planes of the reflectance: expected 3, got 4"), "{error}");
    let two = reflectance.slice(s![..2, .., ..]);
    let error = segmenter.segment_window(&BANDS[..2], two, observed.view(), 0).expect_err("refused");
    assert!(error.to_string().contains("bands: expected green, red, nir, got green, red"), "{error}");
    let three = reflectance.slice(s![..3, .., ..]);
    segmenter.segment_window(&BANDS, three, observed.slice(s![1.., ..]), 0).expect_err("refused");
    for crop in [20, usize::MAX] {
        let error = segmenter.segment_window(&BANDS, three, observed.view(), crop).expect_err("refused");
        assert!(error.to_string().contains("crop on each side"), "{error}");
    }
}

#[test]
fn views_in_any_memory_order_give_the_same() {
    let (reflectance, observed) = picture(3, (0, 0), 40, 52);
    let segmenter = segmenter("tiny", formats()[0]);
    let expected = segmenter.segment_window(&BANDS, reflectance.view(), observed.view(), 2).expect("segmented");
    let turned = reflectance.view().permuted_axes([2, 0, 1]).as_standard_layout().into_owned().permuted_axes([1, 2, 0]);
    let mask = observed.t().as_standard_layout().into_owned();
    assert_eq!(segmenter.segment_window(&BANDS, turned.view(), mask.t(), 2).expect("segmented"), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn tiled_is_untiled(rows in 20_usize..150, cols in 20_usize..150, tile_px in 4_usize..90, crop in 0_usize..10) {
        let (reflectance, observed) = picture(3, (0, 0), rows, cols);
        let format = formats()[rows % formats().len()];
        let answer = |tile_px| {
            let bundle = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
            let options = Options { tile_px: Some(tile_px), ..options(format) };
            let segmenter = load(&bundle, &options).expect("a good network");
            segmenter.probabilities(&BANDS, reflectance.view(), observed.view(), crop).expect("segmented")
        };
        prop_assert!(difference(&answer(tile_px), &answer(4096)) <= 1e-4);
    }

    #[test]
    fn the_same_ground_is_judged_the_same_in_any_window(row in 0_usize..20, col in 0_usize..20) {
        let (row, col) = (row * 4, col * 4);
        let segmenter = segmenter("tiny", formats()[0]);
        let (reflectance, observed) = picture(3, (0, 0), 160, 160);
        let whole = segmenter.probabilities(&BANDS, reflectance.view(), observed.view(), 8).expect("segmented");
        let (reflectance, observed) = picture(3, (row, col), 64, 48);
        let part = segmenter.probabilities(&BANDS, reflectance.view(), observed.view(), 8).expect("segmented");
        let same = whole.slice(s![.., row..row + 48, col..col + 32]).to_owned();
        prop_assert!(difference(&part, &same) <= 1e-4);
    }
}

/// Both threads, and one after the other, give the same bytes.
fn is_the_same_on_two_threads(segmenter: &dyn Segmenter, side: usize) {
    let bands = &segmenter.description().bands;
    let windows: Vec<_> = (0..6).map(|i| picture(bands.len(), (i * 40, i * 24), side, side)).collect();
    let run = |(reflectance, observed): &(Array3<f32>, Array2<bool>)| {
        segmenter.segment_window(bands, reflectance.view(), observed.view(), 8).expect("segmented")
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
    for format in formats() {
        is_the_same_on_two_threads(segmenter("tiny", format).as_ref(), 120);
    }
}

/// The bundles that ship with the program keep the same promises.
#[test]
fn the_shipped_bundles_hold() {
    for bundle in shipped(Kind::Segmentation) {
        let name = &bundle.manifest().name;
        let of_build = |format: &Format| bundle.manifest().weights_in(*format).is_some();
        for format in formats().into_iter().filter(of_build) {
            let with_tile = |tile_px| load(&bundle, &Options { tile_px, ..options(format) }).expect("a good network");
            let segmenter = with_tile(None);
            let (bands, halo_px) = (&segmenter.description().bands, segmenter.description().halo_px);
            let (reflectance, observed) = picture(bands.len(), (0, 0), 317, 250);
            let answer = |segmenter: &dyn Segmenter, crop| {
                segmenter.probabilities(bands, reflectance.view(), observed.view(), crop).expect("segmented")
            };
            let tiled = with_tile(Some(64));
            for crop in [0, halo_px] {
                let difference = difference(&answer(tiled.as_ref(), crop), &answer(segmenter.as_ref(), crop));
                assert!(difference <= 1e-4, "{name} {format}, crop {crop}: {difference}");
            }
            is_the_same_on_two_threads(tiled.as_ref(), 96);
        }
    }
}
