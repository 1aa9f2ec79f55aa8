//! Bundles through the real binary: what is said of them, what is refused, and a run with each backend of the build.

mod common;

use std::fs;
use std::path::Path;

use common::{Place, root, text};
use serde_json::Value;

/// The backends of this build that give the same answer.
fn backends() -> Vec<&'static str> {
    let built = [("torchscript", cfg!(feature = "torch")), ("onnx", cfg!(feature = "onnx"))];
    built.into_iter().filter(|(_, built)| *built).map(|(name, _)| name).collect()
}

fn fixtures() -> String {
    root().join("models/fixtures").display().to_string()
}

/// The library of ONNX Runtime where scripts/setup puts it: the target folder of a test may lie anywhere.
fn onnxruntime() -> String {
    root().join("third_party/onnxruntime/lib/libonnxruntime.so").display().to_string()
}

/// A configuration of the place with another `[model]`.
fn with_model(place: &Place, name: &str, state: &str, model: &str) -> String {
    let config = place.configure(name, state);
    let path = place.path(&config);
    let text = fs::read_to_string(&path).expect("the configuration");
    let from = text.find("[model]").expect("a section");
    let to = text.find("[grid]").expect("a section");
    fs::write(path, format!("{}{model}{}", &text[..from], &text[to..])).expect("written");
    config
}

fn model(folder: &Path, bundle: &str, backend: &str) -> String {
    format!(
        "[model]\nfolder = {:?}\nbundle = \"{bundle}\"\nbackend = \"{backend}\"\nonnxruntime_library = {:?}\n",
        folder.display().to_string(),
        onnxruntime()
    )
}

/// Every backend works the painted scene, with one head and with two, and they find the same places.
#[test]
fn a_run_with_every_backend() {
    let place = Place::painted();
    for bundle in ["tiny", "two-heads"] {
        let counts: Vec<u64> = backends()
            .iter()
            .map(|backend| {
                let state = format!("{bundle}-{backend}");
                let section = model(&root().join("models/fixtures"), bundle, backend);
                let config = with_model(&place, &format!("{state}.toml"), &state, &section);
                let summary = place.json(0, &["run", "--config", &config]);
                assert_eq!(summary["publications"], 3);
                summary["units_worked"].as_u64().expect("a count")
            })
            .collect();
        assert!(counts.iter().all(|&count| count > 0 && count == counts[0]), "{counts:?}");
    }
}

/// Rows 14 and 15: a device that is not there is refused before any work, and the processor stands in only if allowed.
#[cfg(feature = "torch")]
#[test]
fn a_missing_device_is_refused_unless_the_processor_is_allowed() {
    let place = Place::painted();
    let section = model(&root().join("models/fixtures"), "tiny", "torchscript") + "device = \"cuda\"\n";
    let config = with_model(&place, "cuda.toml", "state", &section);
    let refused = place.run(&["run", "--config", &config]);
    if refused.status.success() {
        return; // there is a CUDA device
    }
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(text(&refused).contains("allow_cpu = true"), "{}", text(&refused));
    assert!(!place.path("state/work").exists(), "nothing was worked");
    let config = with_model(&place, "cpu.toml", "state", &(section + "allow_cpu = true\n"));
    place.json(0, &["run", "--config", &config]);
}

/// Row 14: whatever is wrong with a bundle is told before any work.
#[cfg(unix)]
#[test]
fn a_bundle_outside_the_folder_is_refused() {
    let place = Place::painted();
    fs::create_dir_all(place.path("models")).expect("a folder");
    std::os::unix::fs::symlink(root().join("models/fixtures/tiny"), place.path("models/tiny")).expect("linked");
    let config = with_model(&place, "run.toml", "state", &model(&place.path("models"), "tiny", backends()[0]));
    let refused = place.run(&["run", "--config", &config]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(text(&refused).contains("must lie wholly in its folder"), "{}", text(&refused));
    for bundle in ["wrong-shape", "wrong-bands", "wrong-digest", "short-halo", "two-dates"] {
        let section = model(&root().join("models/fixtures"), bundle, backends()[0]);
        let config = with_model(&place, "run.toml", "state", &section);
        let refused = place.run(&["run", "--config", &config]);
        assert_eq!(refused.status.code(), Some(4), "{bundle}: {}", text(&refused));
        assert!(!place.path("state/work").exists(), "{bundle}: nothing was worked");
    }
}

#[test]
fn a_bundle_is_inspected_verified_and_measured() {
    let place = Place::empty();
    let (folder, library) = (fixtures(), onnxruntime());
    let with = |command: &[&str]| -> Value {
        let mut arguments = vec!["model"];
        arguments.extend(command);
        arguments.extend(["--folder", &folder, "--onnxruntime-library", &library]);
        place.json(0, &arguments)
    };
    let manifest = with(&["inspect", "two-heads"]);
    assert_eq!(manifest["output"]["heads"][1]["name"], "object");
    let verified = with(&["verify", "two-heads"]);
    let forms = verified["forms"].as_array().expect("forms");
    assert_eq!(forms.iter().filter(|form| form["format"] == "torchscript" || form["format"] == "onnx").count(), 2);
    let measured = with(&["bench", "two-heads", "--seconds", "1", "--window-px", "128"]);
    for backend in backends() {
        assert!(measured["mpx_per_s"][backend].as_f64() > Some(0.0), "{measured}");
    }
    assert_eq!(with(&["inspect", "two-dates"])["kind"], "bitemporal");
    assert_eq!(with(&["verify", "two-dates"])["verified"], true);
    let measured = with(&["bench", "two-dates", "--seconds", "1", "--window-px", "128"]);
    for backend in backends() {
        assert!(measured["mpx_per_s"][backend].as_f64() > Some(0.0), "{measured}");
    }
    let damaged = place.run(&["model", "verify", "wrong-digest", "--folder", &folder]);
    assert_eq!(damaged.status.code(), Some(4), "{}", text(&damaged));
}
