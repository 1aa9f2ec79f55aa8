//! The network of two dates, on a tiny committed one with every backend of this build, and on the bundles that ship.

mod support;

use std::fs;
use std::path::Path;

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, s};
use proptest::prelude::*;
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::load::FORM_TOLERANCE;
use shorewatch_models::{Bundle, ChangeNetwork, Format, Kind, Manifest, ModelError, Options, load, verify};
use support::{BANDS, difference, fixtures, formats, onnxruntime, options, picture};

const NAME: &str = "two-dates";

fn network(format: Format) -> ChangeNetwork {
    let bundle = Bundle::load(&fixtures(), NAME).expect("a good bundle");
    ChangeNetwork::load(&bundle, &options(format)).expect("a good network")
}

/// Two dates of one place, each with a hole of its own, and where neither has one.
fn two_dates(bands: usize, rows: usize, cols: usize) -> (Array3<f32>, Array3<f32>, Array2<bool>) {
    let (before, observed_before) = picture(bands, (0, 0), rows, cols);
    let (after, observed_after) = picture(bands, (12, 6), rows, cols);
    (before, after, &observed_before & &observed_after)
}

/// The fixture with the weights of another one, and with its manifest edited.
fn with_weights_of(other: &str, edit: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join(NAME);
    fs::create_dir(&home).expect("a new folder");
    let read = |name: &str| fs::read_to_string(fixtures().join(name).join("manifest.toml")).expect("readable");
    let (mut text, theirs) = (read(NAME), Manifest::parse(&read(other)).expect("a manifest"));
    for ours in Manifest::parse(&text).expect("a manifest").weights {
        let theirs = theirs.weights_in(ours.format).expect("the same forms");
        text = text
            .replace(&ours.blake3.to_string(), &theirs.blake3.to_string())
            .replace(&format!("size_bytes = {}", ours.size_bytes), &format!("size_bytes = {}", theirs.size_bytes));
        fs::copy(fixtures().join(other).join(&theirs.file), home.join(&ours.file)).expect("copied");
    }
    fs::write(home.join("manifest.toml"), edit(text)).expect("written");
    folder
}

fn load_error(folder: &Path, format: Format) -> ModelError {
    let bundle = Bundle::load(folder, NAME).expect("a good bundle");
    ChangeNetwork::load(&bundle, &options(format)).err().expect("refused")
}

fn without_nir(text: String) -> String {
    text.replace("[[input.bands]]\nrole = \"nir\"\nmean = 0.22\nstandard_deviation = 0.1\n", "")
        .replace(", \"nir\"]", "]")
}

#[test]
fn a_network_that_contradicts_its_manifest_is_refused_before_any_work() {
    for format in formats() {
        // the manifest asks for two dates of three bands, the network for three channels
        let folder = with_weights_of("tiny", |text| text);
        let error = load_error(folder.path(), format);
        assert!(matches!(error, ModelError::Backend { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("[1, 6, ") && text.contains('3'), "{text}");

        // four channels are two dates of two bands, but six classes are not two
        let folder = with_weights_of("wrong-bands", without_nir);
        let error = load_error(folder.path(), format);
        let ModelError::OutputShape { input, expected, got, .. } = &error else { panic!("{error}") };
        assert_eq!((input[1], expected[1], got[1]), (4, 2, 6), "{error}");

        let folder = with_weights_of(NAME, |text| text.replace("halo_px = 8", "halo_px = 0"));
        let error = load_error(folder.path(), format);
        assert!(matches!(error, ModelError::Halo { halo_px: 0, .. }), "{error}");
    }
}

#[test]
fn a_bundle_of_the_other_kind_is_refused_before_its_weights_are_opened() {
    let [one_date, two_dates] = ["tiny", NAME].map(|name| Bundle::load(&fixtures(), name).expect("a good bundle"));
    let wanted = Options::cpu(Format::OnnxInt8); // which neither has
    let error = ChangeNetwork::load(&one_date, &wanted).err().expect("refused");
    assert!(matches!(error, ModelError::Kind { expected: Kind::Bitemporal, got: Kind::Segmentation, .. }), "{error}");
    let error = load(&two_dates, &wanted).err().expect("refused");
    assert_eq!(
        error.to_string(),
        "model two-dates is of kind \"bitemporal\" (two dates in, change out): expected one of kind \"segmentation\" \
         (one date in, classes out) here; name another bundle"
    );
    two_dates.expect_kind(Kind::Bitemporal).expect("it is");
}

#[test]
fn the_forms_of_a_bundle_agree() {
    let bundle = Bundle::load(&fixtures(), NAME).expect("a good bundle");
    let forms = verify(&bundle, onnxruntime()).expect("one network");
    assert_eq!(forms.len(), 2);
    for form in forms.iter().filter(|form| formats().contains(&form.format)) {
        assert!(form.largest_difference.expect("ran") <= FORM_TOLERANCE, "{form:?}");
    }
    let (before, after, observed) = two_dates(3, 150, 131);
    let answers: Vec<_> = formats()
        .into_iter()
        .map(|format| network(format).changed_window(&BANDS, before.view(), after.view(), observed.view(), 4))
        .map(|answer| answer.expect("told"))
        .collect();
    for answer in &answers {
        let difference = difference(answer, &answers[0]);
        assert!(difference <= FORM_TOLERANCE, "{difference}");
    }
}

#[test]
fn forms_of_two_networks_are_told_apart() {
    if formats().len() < 2 {
        return;
    }
    let folder = with_weights_of(NAME, |text| text);
    let file = folder.path().join(NAME).join("weights.onnx");
    let old = fs::read(&file).expect("readable");
    let bundle = Bundle::load(folder.path(), NAME).expect("a good bundle");
    let new = with_another_factor(&old);
    fs::write(&file, &new).expect("written");
    let manifest = folder.path().join(NAME).join("manifest.toml");
    let text = fs::read_to_string(&manifest).expect("readable");
    let digest = |bytes: &[u8]| shorewatch_domain::digest::Digest::of_bytes(bytes).to_string();
    fs::write(&manifest, text.replace(&digest(&old), &digest(&new))).expect("written");
    verify(&bundle, onnxruntime()).expect_err("weights that are not those of the manifest");
    let bundle = Bundle::load(folder.path(), NAME).expect("a good bundle");
    let error = verify(&bundle, onnxruntime()).expect_err("two networks");
    assert!(matches!(error, ModelError::FormsDiffer { format: Format::Onnx, .. }), "{error}");
}

/// The factor 2 of the fixture's loss of near infrared, as ONNX stores it, becomes 3.
fn with_another_factor(onnx: &[u8]) -> Vec<u8> {
    let mut onnx = onnx.to_vec();
    // a tensor of one number: its raw data (field 9) are four bytes
    let from = [&[0x4a, 4][..], &2.0_f32.to_le_bytes()].concat();
    let at = onnx.windows(from.len()).position(|bytes| bytes == from).expect("the factor");
    onnx[at + 2..at + 6].copy_from_slice(&3.0_f32.to_le_bytes());
    onnx
}

/// The fixture calls a loss of near infrared change, and a gain of it none.
#[test]
fn the_order_of_dates_matters_and_is_right() {
    let observed = Array2::from_elem((60, 72), true);
    let (high, _) = picture(3, (0, 40), 60, 72);
    let high = high.mapv(|value| if value.is_nan() { 0.2 } else { value });
    let mut low = high.clone();
    low.slice_mut(s![2, .., ..]).mapv_inplace(|value| value - 0.15);
    for format in formats() {
        let network = network(format);
        let mean = |before: &Array3<f32>, after: &Array3<f32>| {
            let answer = network.changed_window(&BANDS, before.view(), after.view(), observed.view(), 8);
            answer.expect("told").mean().expect("pixels")
        };
        let (loss, same, gain) = (mean(&high, &low), mean(&high, &high), mean(&low, &high));
        assert!(loss > same + 0.1 && same > gain + 0.1, "{format}: loss {loss}, same {same}, gain {gain}");
    }
}

#[test]
fn a_missing_band_is_its_mean_on_both_dates() {
    use BandRole::{Green, Red};
    for format in formats() {
        let network = network(format);
        assert_eq!(network.description().band_set(&[Red, Green]).expect("there").name, "visible");
        let (mut before, mut after, observed) = two_dates(3, 61, 75);
        let [two_before, two_after] = [&before, &after].map(|date| date.slice(s![..2, .., ..]).to_owned());
        let answer = network
            .changed_window(&[Green, Red], two_before.view(), two_after.view(), observed.view(), 2)
            .expect("told");
        before.slice_mut(s![2, .., ..]).fill(0.22);
        after.slice_mut(s![2, .., ..]).fill(0.22);
        let same = network.changed_window(&BANDS, before.view(), after.view(), observed.view(), 2).expect("told");
        assert!(difference(&answer, &same) < 1e-5);
    }
}

#[test]
fn unobserved_is_0_and_what_lies_there_changes_nothing() {
    let (mut before, after, observed) = two_dates(3, 61, 75);
    let network = network(formats()[0]);
    let answer = |before: &Array3<f32>, observed: &Array2<bool>| {
        network.changed_window(&BANDS, before.view(), after.view(), observed.view(), 3).expect("told")
    };
    let first = answer(&before, &observed);
    assert_eq!(first.dim(), (55, 69));
    for ((row, col), probability) in first.indexed_iter() {
        let in_range =
            if observed[(row + 3, col + 3)] { 0.0 < *probability && *probability < 1.0 } else { *probability == 0.0 };
        assert!(in_range, "row {row}, col {col}: {probability}");
    }
    for ((_, row, col), value) in before.indexed_iter_mut().filter(|((_, row, col), _)| !observed[(*row, *col)]) {
        *value = (row + col) as f32;
    }
    assert_eq!(answer(&before, &observed), first);
    assert_eq!(answer(&before, &Array2::from_elem((61, 75), false)), Array2::<f32>::zeros((55, 69)));
}

#[test]
fn an_observed_pixel_that_is_no_number_is_an_error_that_names_the_date() {
    let network = network(formats()[0]);
    let (good, _) = picture(3, (0, 40), 20, 20);
    let observed = Array2::from_elem((20, 20), true);
    let mut bad = good.clone();
    bad[(1, 9, 5)] = f32::INFINITY;
    for (before, after, date) in [(&bad, &good, "earlier"), (&good, &bad, "later"), (&bad, &bad, "earlier")] {
        let error =
            network.changed_window(&BANDS, before.view(), after.view(), observed.view(), 0).expect_err("refused");
        assert!(error.to_string().contains(&format!("band red of the {date} date at row 9, col 5")), "{error}");
    }
}

#[test]
fn arrays_that_do_not_fit_are_errors() {
    let network = network(formats()[0]);
    let (before, after, observed) = two_dates(3, 40, 40);
    let (before, after, observed) = (before.view(), after.view(), observed.view());
    let refused = |before: ArrayView3<'_, f32>, after: ArrayView3<'_, f32>, observed: ArrayView2<'_, bool>, crop| {
        network.changed_window(&BANDS, before, after, observed, crop).expect_err("refused").to_string()
    };
    let text = refused(before, after.slice(s![..2, .., ..]), observed, 0);
    assert!(text.contains("later date (band, row, col): expected (3, 40, 40), got (2, 40, 40)"), "{text}");
    let text = refused(before.slice(s![.., .., 1..]), after, observed, 0);
    assert!(text.contains("later date (band, row, col): expected (3, 40, 39), got (3, 40, 40)"), "{text}");
    let text = refused(before.slice(s![..2, .., ..]), after.slice(s![..2, .., ..]), observed, 0);
    assert!(text.contains("planes of the reflectance: expected 3, got 2"), "{text}");
    let text = refused(before, after, observed.slice(s![1.., ..]), 0);
    assert!(text.contains("shape of the observed mask"), "{text}");
    let text = refused(before, after, observed, 20);
    assert!(text.contains("crop on each side"), "{text}");
    let bands = [BandRole::Green, BandRole::Red, BandRole::Blue];
    let error = network.changed_window(&bands, before, after, observed, 0).expect_err("refused");
    assert!(error.to_string().contains("expected green, red, nir or green, red, got green, red, blue"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn tiled_is_untiled(rows in 20_usize..150, cols in 20_usize..150, tile_px in 4_usize..90, crop in 0_usize..10) {
        let (before, after, observed) = two_dates(3, rows, cols);
        let format = formats()[rows % formats().len()];
        let bundle = Bundle::load(&fixtures(), NAME).expect("a good bundle");
        let answer = |tile_px| {
            let options = Options { tile_px: Some(tile_px), ..options(format) };
            let network = ChangeNetwork::load(&bundle, &options).expect("a good network");
            network.changed_window(&BANDS, before.view(), after.view(), observed.view(), crop).expect("told")
        };
        prop_assert!(difference(&answer(tile_px), &answer(4096)) <= 1e-4);
    }
}

/// The bundles that ship with the program keep the same promises.
#[test]
fn the_shipped_bundles_hold() {
    for bundle in support::shipped(Kind::Bitemporal) {
        let name = &bundle.manifest().name;
        for format in formats().into_iter().filter(|format| bundle.manifest().weights_in(*format).is_some()) {
            let with_tile = |tile_px| {
                ChangeNetwork::load(&bundle, &Options { tile_px, ..options(format) }).expect("a good network")
            };
            let (whole, tiled) = (with_tile(None), with_tile(Some(64)));
            let (bands, halo_px) = (&whole.description().bands, whole.description().halo_px);
            let (before, after, observed) = two_dates(bands.len(), 317, 250);
            let answer = |network: &ChangeNetwork, crop| {
                network.changed_window(bands, before.view(), after.view(), observed.view(), crop).expect("told")
            };
            for crop in [0, halo_px] {
                let difference = difference(&answer(&tiled, crop), &answer(&whole, crop));
                assert!(difference <= 1e-4, "{name} {format}, crop {crop}: {difference}");
            }
        }
    }
}
