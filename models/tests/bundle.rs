//! What a bundle must be before anything of it is executed.

mod support;

use std::fs;
use std::path::Path;

use shorewatch_models::{Bundle, Format, Manifest, ModelError};
use support::fixtures;

/// A copy of the fixture `tiny` in a folder of its own, with its manifest edited.
fn edited(edit: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (from, to) = (fixtures().join("tiny"), folder.path().join("tiny"));
    fs::create_dir(&to).expect("a new folder");
    for file in ["weights.pt", "weights.onnx"] {
        fs::copy(from.join(file), to.join(file)).expect("copied");
    }
    let manifest = fs::read_to_string(from.join("manifest.toml")).expect("readable");
    fs::write(to.join("manifest.toml"), edit(&manifest)).expect("written");
    folder
}

/// The whole chain of an error.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

/// Loading `name` fails with all of these words.
fn refuses(folder: &Path, name: &str, words: &[&str]) {
    let error = Bundle::load(folder, name).expect_err("refused");
    let text = text_of(&error);
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

#[test]
fn a_good_bundle_is_read() {
    let bundle = Bundle::load(&fixtures(), "tiny").expect("a good bundle");
    assert_eq!(bundle.manifest().classes[4].name, "built_up");
    assert_eq!(bundle.manifest().scores.further["parameters"], 162.0);
    for weights in &bundle.manifest().weights {
        assert_eq!(bundle.weights(weights.format).expect("there").len() as u64, weights.size_bytes);
    }
    let error = bundle.weights(Format::OnnxInt8).expect_err("not there");
    assert!(error.to_string().contains("no weights in the form onnx_int8: it has torchscript, onnx"), "{error}");
}

#[test]
fn the_digest_is_that_of_manifest_and_weights() {
    let digest = |folder: &Path| Bundle::load(folder, "tiny").expect("a good bundle").digest();
    let original = digest(&fixtures());
    assert_eq!(original, digest(edited(str::to_owned).path()));
    assert_ne!(original, digest(edited(|manifest| manifest.replace("temperature = 1.5", "temperature = 1.6")).path()));
}

#[test]
fn a_name_cannot_leave_the_folder() {
    let long = "a".repeat(101);
    for name in
        ["", ".", "..", "../fixtures/tiny", "tiny/", "/etc", "tiny\\x", ".tiny", "Tiny", "ti ny", "tiny\0", &long]
    {
        let error = Bundle::load(&fixtures(), name).expect_err("refused");
        assert!(matches!(error, ModelError::Name { .. }), "{name:?}: {error}");
    }
}

#[test]
fn a_missing_bundle_is_named_with_those_that_are_there() {
    refuses(&fixtures(), "huge", &["no model \"huge\"", "short-halo, tiny, two-dates, two-heads, wrong-bands"]);
    refuses(tempfile::tempdir().expect("a temporary folder").path(), "huge", &["there is no bundle"]);
    refuses(Path::new("no-such-folder"), "huge", &["cannot read no-such-folder"]);
}

#[cfg(unix)]
#[test]
fn links_may_not_lead_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().expect("a temporary folder");
    symlink(fixtures().join("tiny"), folder.path().join("tiny")).expect("linked");
    refuses(folder.path(), "tiny", &["outside", "must lie wholly in its folder"]);

    for file in ["weights.pt", "weights.onnx", "manifest.toml"] {
        let folder = edited(str::to_owned);
        let path = folder.path().join("tiny").join(file);
        fs::remove_file(&path).expect("removed");
        symlink(fixtures().join("tiny").join(file), &path).expect("linked");
        refuses(folder.path(), "tiny", &[file, "outside"]);
    }
}

#[test]
fn other_weights_than_the_manifest_names_are_refused() {
    refuses(&fixtures(), "wrong-digest", &["weights.pt has the BLAKE3 digest", "were not opened"]);

    let folder = edited(str::to_owned);
    let bundle = Bundle::load(folder.path(), "tiny").expect("a good bundle");
    for (file, format) in [("weights.pt", Format::TorchScript), ("weights.onnx", Format::Onnx)] {
        let weights = folder.path().join("tiny").join(file);
        let bytes = fs::read(&weights).expect("readable");
        fs::write(&weights, &bytes[..bytes.len() - 1]).expect("written");
        let sizes = format!("has {} bytes, its manifest says {}", bytes.len() - 1, bytes.len());
        refuses(folder.path(), "tiny", &[file, &sizes]);

        // replaced after the bundle was verified: noticed when they are read
        let mut other = bytes.clone();
        other[100] ^= 1;
        fs::write(&weights, &other).expect("written");
        let error = bundle.weights(format).expect_err("refused");
        assert!(matches!(error, ModelError::WeightsDigest { .. }), "{error}");

        fs::remove_file(&weights).expect("removed");
        refuses(folder.path(), "tiny", &["cannot read", file]);
        fs::write(&weights, &bytes).expect("written");
    }
}

#[test]
fn a_misnamed_or_missing_key_is_pointed_at() {
    let misnamed = edited(|manifest| manifest.replace("halo_px", "halo"));
    refuses(misnamed.path(), "tiny", &["unknown field `halo`", "line 26"]);
    let missing = edited(|manifest| manifest.replace("temperature = 1.5", ""));
    refuses(missing.path(), "tiny", &["missing field `temperature`"]);
    let format = edited(|manifest| manifest.replace("\"onnx\"", "\"pickle\""));
    refuses(format.path(), "tiny", &["unknown variant `pickle`", "`torchscript`, `onnx`, `onnx_int8`"]);
    let kind = edited(|manifest| manifest.replace("\"segmentation\"", "\"oracle\""));
    refuses(kind.path(), "tiny", &["unknown variant `oracle`", "`segmentation` or `bitemporal`"]);
    // weights without a listed digest are none
    let unlisted =
        edited(|manifest| manifest.lines().filter(|line| !line.starts_with("blake3")).collect::<Vec<_>>().join("\n"));
    refuses(unlisted.path(), "tiny", &["missing field `blake3`"]);
    let colour = edited(|manifest| manifest.replace("#2f6fb0", "blue"));
    refuses(colour.path(), "tiny", &["expected a colour like", "\"blue\""]);
    let digest = edited(|manifest| manifest.replace("blake3 = \"", "blake3 = \"x"));
    refuses(digest.path(), "tiny", &["expected a digest of 64 hexadecimal digits"]);
    let score = edited(|manifest| manifest.replace("parameters = 162", "parameters = \"many\""));
    refuses(score.path(), "tiny", &["parameters: expected a number"]);
    let binary = edited(str::to_owned);
    fs::write(binary.path().join("tiny/manifest.toml"), [0xff, 0xfe]).expect("written");
    refuses(binary.path(), "tiny", &["expected UTF-8"]);
    fs::write(binary.path().join("tiny/manifest.toml"), vec![b'#'; (1 << 20) + 1]).expect("written");
    refuses(binary.path(), "tiny", &["1048577 bytes", "is it a manifest?"]);
}

#[test]
fn all_faults_are_told_at_once() {
    let cases = [
        ("schema_version = 2", "schema_version = 1", "schema_version: expected 2, got 1"),
        ("name = \"tiny\"", "name = \"large\"", "name: expected \"tiny\" as its folder is called, got \"large\""),
        ("\nversion = \"0.1.0\"", "\nversion = \"0.1\"", "version: expected major.minor.patch, got \"0.1\""),
        ("minimum_program_version = \"0.1.0\"", "minimum_program_version = \"99.0.0\"", "the model needs 99.0.0"),
        ("format = \"onnx\"", "format = \"torchscript\"", "weights torchscript: the format or its file is named twice"),
        ("file = \"weights.pt\"", "file = \"../weights.pt\"", "weights torchscript: expected a plain file name"),
        ("units = \"reflectance\"", "units = \"counts\"", "input.units: expected \"reflectance\""),
        ("distance_min_m = 1.0", "distance_min_m = 40.0", "input.ground_sampling_distance: expected 0 < min"),
        ("tile_px = 64", "tile_px = 66", "input.tile_px: expected a multiple of alignment_px = 4, got 66"),
        ("halo_px = 8", "halo_px = 7", "input.halo_px: expected a multiple of alignment_px = 4, got 7"),
        ("role = \"red\"", "role = \"green\"", "input band green: the role is used twice"),
        ("standard_deviation = 0.1", "standard_deviation = 0.0", "input band nir: standard_deviation must be above 0"),
        ("mean = 0.09", "mean = nan", "input band green: mean must be a number"),
        ("name = \"all\"", "name = \"\"", "input band set \"\": the name is empty or used twice"),
        ("\"red\", \"nir\"]", "\"green\", \"swir1\"]", "input band set \"\": green is named twice"),
        ("", "", "input band set \"\": swir1 is none of input.bands"),
        ("mean_iou = 0.1\n\n[[output", "mean_iou = -0.1\n\n[[output", "input band set \"\": mean_iou: expected 0 to 1"),
        ("temperature = 1.5", "temperature = -1.0", "output head \"land_cover\": temperature must be above 0, got -1"),
        (
            "bias = [0.0,",
            "bias = [nan,",
            "output head \"land_cover\": expected one bias for each of its 5 classes, got 6",
        ),
        ("", "", "output head \"land_cover\": bias must be -50 to 50, got NaN"),
        (
            "name = \"water\"\nhead = \"land_cover\"",
            "name = \"water\"\nhead = \"sea\"",
            "class \"water\": there is no head \"sea\"",
        ),
        ("", "", "class \"trees\": the classes of a head must follow each other"),
        ("id = 3", "id = 4", "class \"crops\": expected id 3 (its channel), got 4"),
        ("name = \"bare\"", "name = \"trees\"", "class \"trees\": the name is used twice"),
        ("licence = \"CC0-1.0\"", "licence = \"\"", "training_data \"none\": name and licence must not be empty"),
        ("water_iou = 0.1", "water_iou = 1.1", "scores water_iou: expected 0 to 1, got 1.1"),
        ("\nbuilt_up = 0.1", "\nbuilt = 0.1", "scores.iou_by_class: there is no class \"built\""),
    ];
    let folder = edited(|manifest| {
        // one edit may be several faults: these stand with an empty one
        cases.iter().filter(|(from, ..)| !from.is_empty()).fold(manifest.to_owned(), |text, (from, to, _)| {
            assert!(text.contains(from), "{from:?} is not in the manifest");
            text.replacen(from, to, 1)
        })
    });
    let Err(ModelError::ManifestFaults { faults, .. }) = Bundle::load(folder.path(), "tiny") else {
        panic!("expected faults");
    };
    for (_, to, fault) in cases {
        assert!(faults.iter().any(|got| got.contains(fault)), "{to:?}: {fault:?} is not in {faults:#?}");
    }
    // the renamed class is missed by the scores as well
    assert_eq!(faults.len(), cases.len() + 1, "{faults:#?}");
}

/// Each kind asks for more than all do.
#[test]
fn what_is_right_for_one_kind_may_be_a_fault_of_another() {
    let manifest = |name: &str, edits: &[(&str, &str)]| {
        let text = fs::read_to_string(fixtures().join(name).join("manifest.toml")).expect("readable");
        let text = edits.iter().fold(text, |text, (from, to)| {
            assert!(text.contains(from), "{from:?} is not in the manifest");
            text.replace(from, to)
        });
        Manifest::parse(&text).expect("of the right shape").faults("0.1.0")
    };
    assert_eq!(manifest("two-dates", &[]), [""; 0]);
    assert_eq!(
        manifest("two-heads", &[("\"segmentation\"", "\"bitemporal\""), ("water_iou = 0.1\n", "")]),
        [
            "output.heads: kind \"bitemporal\": expected exactly 1 head, got 2",
            "classes: kind \"bitemporal\": expected exactly 2, got 8",
            "class 1: kind \"bitemporal\": expected the name \"changed\", got \"trees\"",
        ]
    );
    let turned = [("\"changed\"", "\"x\""), ("\"unchanged\"", "\"changed\""), ("\"x\"", "\"unchanged\"")];
    assert_eq!(
        manifest("two-dates", &turned),
        ["class 1: kind \"bitemporal\": expected the name \"changed\", got \"unchanged\""]
    );
    assert_eq!(
        manifest("two-dates", &[("\"bitemporal\"", "\"segmentation\"")]),
        ["scores water_iou: kind \"segmentation\": expected 0 to 1, got none"]
    );
}

#[test]
fn absurd_sizes_are_faults_not_crashes() {
    let text = fs::read_to_string(fixtures().join("tiny/manifest.toml")).expect("readable");
    for (from, to) in [
        ("alignment_px = 4", "alignment_px = 0"),
        ("alignment_px = 4", "alignment_px = 100000000"),
        ("tile_px = 64", "tile_px = 0"),
        ("halo_px = 8", "halo_px = 4611686018427387904"),
        ("temperature = 1.5", "temperature = 1e-300"),
        ("bias = [0.0,", "bias = [1e300,"),
    ] {
        let manifest = Manifest::parse(&text.replace(from, to)).expect("of the right shape");
        assert!(!manifest.faults("0.1.0").is_empty(), "{to}");
    }
    assert!(Manifest::parse(&text.replace("halo_px = 8", "halo_px = -8")).is_err());
}

#[test]
fn the_description_tells_what_one_must_know() {
    let text = Bundle::load(&fixtures(), "tiny").expect("a good bundle").describe();
    for word in [
        "tiny 0.1.0",
        "segmentation (one date in, classes out)",
        "green",
        "0.0900",
        "64 × 64 px, halo 8 px",
        "land_cover: softmax",
        "onnx",
        "built_up",
        "#b53a3a",
        "CC0-1.0",
        "water IoU",
    ] {
        assert!(text.contains(word), "{word:?} is not in:\n{text}");
    }
    let text = Bundle::load(&fixtures(), "two-dates").expect("a good bundle").describe();
    assert!(text.contains("bitemporal (two dates in, change out)") && !text.contains("water IoU"), "{text}");
}
