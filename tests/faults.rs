//! Bad input through the real binary: nothing is lost, the others go on, and the exit code tells.

#![allow(clippy::print_stderr, reason = "a skipped test says so")]

mod common;

use std::fs;
use std::process::Command;

use common::{Place, real_data, text};

fn names(place: &Place) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(place.path("imagery"))
        .expect("painted")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".tif"))
        .collect();
    names.sort();
    names
}

/// Rows 1, 3, 10: empty, cut, HTML under a raster's name. The bad ones are quarantined, the others go on.
#[test]
fn bad_scenes_are_quarantined_and_the_others_go_on() {
    let place = Place::painted();
    let good = fs::read(place.path("imagery").join(&names(&place)[0])).expect("a scene");
    fs::write(place.path("imagery/bad-empty.tif"), b"").expect("written");
    fs::write(place.path("imagery/bad-cut-header.tif"), &good[..100]).expect("written");
    fs::write(place.path("imagery/bad-page.tif"), b"<!DOCTYPE html><html></html>").expect("written");
    fs::write(place.path("imagery/bad-mosaic.tif"), b"<VRTDataset rasterXSize=\"1\" rasterYSize=\"1\"></VRTDataset>")
        .expect("written");
    let config = place.configure("run.toml", "state");
    let summary = place.json(3, &["run", "--config", &config]);
    assert_eq!(summary["publications"], 3, "{summary}");
    let faults = summary["faults"].as_array().expect("faults");
    for name in ["bad-empty", "bad-cut-header", "bad-page", "bad-mosaic"] {
        assert!(faults.iter().any(|fault| fault.as_str().is_some_and(|text| text.contains(name))), "{name}: {summary}");
    }
    let listed = text(&place.run(&["passes", "list", "--config", &config]));
    assert_eq!(listed.matches("quarantined").count(), 4, "{listed}");
    // a second run says it again and does nothing else
    let again = place.json(3, &["run", "--config", &config]);
    assert_eq!(again["units_worked"], 0);
}

/// Row 2: a corrupt block is unobserved, never "no change".
#[test]
fn a_corrupt_block_is_unobserved() {
    let place = Place::painted();
    let last = place.path("imagery").join(&names(&place)[2]);
    let config = place.configure("clean.toml", "clean");
    place.json(0, &["run", "--config", &config]);
    let mut bytes = fs::read(&last).expect("a scene");
    let (start, end) = (bytes.len() / 2, bytes.len() / 2 + 4096);
    bytes[start..end].fill(0xA5);
    fs::write(&last, bytes).expect("written");
    let config = place.configure("run.toml", "state");
    let summary = place.json(3, &["run", "--config", &config]);
    assert_eq!(summary["publications"], 3, "{summary}");
    let unreadable: i64 = place
        .rows("state/store.gpkg", "observations")
        .iter()
        .filter_map(|row| row.split("unobserved_unreadable_px=").nth(1)?.split(' ').next()?.parse::<i64>().ok())
        .sum();
    assert!(unreadable > 0, "{:?}", place.rows("state/store.gpkg", "observations"));
}

/// Row 11: the same bytes again are nothing; other bytes under the same name are a new revision, the old one is kept.
#[test]
fn redelivery_is_a_revision() {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    let name = &names(&place)[1];
    let file = format!("imagery/{name}");
    let add = ["passes", "add", "--config", &config, "--sensor", "synthetic", &file];
    assert!(text(&place.run(&add)).contains("added"));
    assert!(text(&place.run(&add)).contains("already there"));
    let other = place.run(&["synth", "--scene", "small", "--seed", "99", "--out", "other"]);
    assert!(other.status.success());
    fs::copy(place.path("other").join(name), place.path(&file)).expect("redelivered");
    assert!(text(&place.run(&add)).contains("revision 2"));
    let listed = text(&place.run(&["passes", "list", "--config", &config]));
    assert!(listed.contains("superseded") && listed.contains("revision 2"), "{listed}");
}

/// Row 14: a model that is missing or damaged is refused before any work.
#[test]
fn a_wrong_model_is_refused_before_any_work() {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    let with_model = |bundle: &str| {
        let text = fs::read_to_string(place.path(&config)).expect("the configuration");
        let text = text
            .replace("backend = \"fake\"", "backend = \"torchscript\"")
            .replace("\"none\"", &format!("\"{bundle}\""));
        fs::write(place.path("model.toml"), text).expect("written");
        place.run(&["run", "--config", "model.toml"])
    };
    fs::create_dir_all(place.path("models")).expect("a folder");
    let missing = with_model("absent");
    assert!([Some(2), Some(4)].contains(&missing.status.code()), "{}", text(&missing));
    assert!(text(&missing).contains("absent"));

    let bundle = common::root().join("models/landcover-grn");
    fs::create_dir_all(place.path("models/landcover-grn")).expect("a folder");
    fs::copy(bundle.join("manifest.toml"), place.path("models/landcover-grn/manifest.toml")).expect("copied");
    let mut weights = fs::read(bundle.join("weights.pt")).expect("weights");
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    fs::write(place.path("models/landcover-grn/weights.pt"), weights).expect("written");
    let damaged = with_model("landcover-grn");
    assert_eq!(damaged.status.code(), Some(4), "{}", text(&damaged));
    assert!(text(&damaged).contains("digest"), "{}", text(&damaged));
    assert!(!place.path("state/work").exists(), "nothing was worked");
}

/// A sensor that lacks the model's bands is refused for its pass; the others go on.
#[test]
fn a_pass_without_the_bands_is_refused_with_what_it_lacks() {
    let mut place = Place::painted();
    let config = place.configure("run.toml", "state");
    place.json(0, &["run", "--config", &config]);
    fs::create_dir_all(place.path("sensors")).expect("a folder");
    let profile = fs::read_to_string(common::root().join("configs/sensors/synthetic.toml")).expect("the profile");
    let without_nir = profile
        .replace("name = \"synthetic\"", "name = \"visible-only\"")
        .replace("role = \"nir\"", "role = \"red_edge\"");
    fs::write(place.path("sensors/visible-only.toml"), without_nir).expect("written");
    place.extra = "[sensors]\nfolder = \"sensors\"\n".to_owned();
    place.passes = place.passes.replace("\"synthetic\"", "\"visible-only\"");
    let config = place.configure("other.toml", "other");
    let refused = place.run(&["run", "--config", &config]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(text(&refused).contains("nir"), "{}", text(&refused));
}

/// Row 37, and a reach that no pass covers.
#[test]
fn reaches_are_checked_and_those_outside_every_pass_are_named() {
    let mut place = Place::painted();
    let far = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"reach_id":"far","name":"Far away"},
        "geometry":{"type":"Polygon","coordinates":[[[3.0,0.5],[3.01,0.5],[3.01,0.51],[3.0,0.51],[3.0,0.5]]]}}]}"#;
    fs::write(place.path("far.geojson"), far).expect("written");
    place.reaches += "[[reaches]]\nfile = \"far.geojson\"\nid_field = \"reach_id\"\nname_field = \"name\"\n";
    let config = place.configure("run.toml", "state");
    let summary = place.json(3, &["run", "--config", &config]);
    assert_eq!(summary["reaches_outside_every_pass"][0], "far");
    let status = text(&place.run(&["status", "--config", &config]));
    assert!(status.contains("far lies outside every pass"), "{status}");

    let bow = far
        .replace("[3.01,0.5],[3.01,0.51],[3.0,0.51]", "[3.01,0.51],[3.01,0.5],[3.0,0.51]")
        .replace("\"far\"", "\"bow\"");
    fs::write(place.path("bow.geojson"), bow).expect("written");
    let repaired = place.run(&["reaches", "import", "--config", &config, "bow.geojson"]);
    assert!(repaired.status.success() && text(&repaired).contains("repaired"), "{}", text(&repaired));

    let wide = far.replace("3.01", "200.0").replace("\"far\"", "\"wide\"");
    fs::write(place.path("wide.geojson"), wide).expect("written");
    let refused = place.run(&["reaches", "import", "--config", &config, "wide.geojson"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(!text(&place.run(&["reaches", "list", "--config", &config])).contains("wide"));
}

/// Every fault of a configuration at once, with file and line.
#[test]
fn unknown_keys_are_errors_with_file_and_line() {
    let place = Place::empty();
    let config = place.configure("run.toml", "state");
    let wrong = fs::read_to_string(place.path(&config))
        .expect("the configuration")
        .replace("[tiles]\n", "[tiles]\nunit_pixels = 3\n");
    let wrong = wrong.replace("schema_version = 1", "schema_version = 1\ncolour = \"red\"");
    fs::write(place.path("wrong.toml"), wrong).expect("written");
    let output = place.run(&["run", "--config", "wrong.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = text(&output);
    assert!(text.contains("unit_pixels") && text.contains("colour") && text.contains("wrong.toml"), "{text}");
    assert!(!place.path("state").exists(), "nothing was done");
}

/// Row 16: the disk is full while units are worked. Nothing is half-published, and the same command goes on later.
#[test]
fn a_full_disk_is_retryable_and_publishes_nothing_half() {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    place.configure("whole.toml", "whole");
    place.json(0, &["run", "--config", "whole.toml"]);
    fs::create_dir_all(place.path("state/work")).expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=200k", "tmpfs"])
        .arg(place.path("state/work"))
        .output()
        .is_ok_and(|output| output.status.success());
    if !mounted {
        eprintln!("skipped: a small file system can't be mounted here (needs root), so the disk can't be filled");
        return;
    }
    let full = place.run(&["run", "--config", &config]);
    let left: Vec<_> = Command::new("find")
        .arg(place.path("state/work"))
        .args(["-name", "*.tmp"])
        .output()
        .map(|found| found.stdout)
        .unwrap_or_default();
    let unmounted = Command::new("umount").arg(place.path("state/work")).status().is_ok_and(|status| status.success());
    assert!(unmounted, "the small file system is gone");
    assert_eq!(full.status.code(), Some(5), "{}", text(&full));
    assert!(left.is_empty(), "temporary files were left: {}", String::from_utf8_lossy(&left));
    place.json(0, &["run", "--config", &config]);
    for ((table, whole), (_, state)) in common::decided(&place, "whole").iter().zip(common::decided(&place, "state")) {
        assert_eq!(*whole, state, "{table}");
    }
}

/// Two runs at once: one holds the lease, the other exits with a clear message.
#[test]
fn a_second_run_at_the_same_time_is_told_who_holds_the_store() {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    let mut first = place
        .command(&["run", "--config", &config])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    // the first has the lease as soon as its note is in the lock file
    let note = place.path("state/store.gpkg.lock");
    while std::fs::read_to_string(&note).map_or(true, |text| text.is_empty()) {
        assert!(first.try_wait().expect("a status").is_none(), "the first run is still at work");
    }
    let second = place.run(&["run", "--config", &config]);
    assert!(first.wait().expect("it ended").success());
    assert_eq!(second.status.code(), Some(5), "{}", text(&second));
    assert!(text(&second).contains("shorewatch"), "{}", text(&second));
}

/// Raw drone frames have a position of the camera and no geotransform: refused with that reason.
#[test]
fn raw_drone_frames_are_refused_with_the_reason() {
    let Some(folder) = real_data("drone-brighton") else { return };
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    let frame = folder.join("DJI_0030.JPG");
    let frame = frame.to_str().expect("a path");
    let output =
        place.run(&["passes", "add", "--config", &config, "--sensor", "drone-rgb", "--time", "2018-06-01", frame]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("geotransform"), "{}", text(&output));
}

/// Row 8: a pass that is all cloud, or all fill, is unobserved: it opens no patch and closes none.
#[test]
fn a_pass_that_shows_nothing_opens_and_closes_nothing() {
    let mut place = Place::painted();
    let names = names(&place);
    fs::create_dir_all(place.path("sensors")).expect("a folder");
    let profile = fs::read_to_string(common::root().join("configs/sensors/synthetic.toml")).expect("the profile");
    // a bit that the painter never sets: "not set" holds everywhere
    let blind = |name: &str, from: &str, to: &str| {
        let profile = profile.replace("name = \"synthetic\"", &format!("name = \"{name}\"")).replace(from, to);
        fs::write(place.path("sensors").join(format!("{name}.toml")), profile).expect("written");
    };
    blind("overcast", "mask = 2\nequals = 2", "mask = 64\nequals = 0");
    blind("blank", "mask = 1\nequals = 1", "mask = 64\nequals = 0");
    let entry = |file: &str, sensor: &str| format!("[[passes]]\nfiles = [\"imagery/{file}\"]\nsensor = \"{sensor}\"\n");
    place.extra = "[sensors]\nfolder = \"sensors\"\n[patches]\nchips = false\n".to_owned();
    place.passes = entry(&names[0], "synthetic") + &entry(&names[1], "synthetic");
    let config = place.configure("clear.toml", "state");
    let clear = place.json(0, &["run", "--config", &config]);
    let before = place.rows("state/store.gpkg", "patches");
    assert!(!before.is_empty(), "{clear}");
    for (sensor, cause) in [("overcast", "cloud"), ("blank", "nodata")] {
        place.passes = entry(&names[0], "synthetic") + &entry(&names[1], "synthetic") + &entry(&names[2], sensor);
        let state = format!("{sensor}-state");
        let config = place.configure("run.toml", &state);
        let summary = place.json(0, &["run", "--config", &config]);
        assert_eq!((&summary["publications"], &summary["patches_current"]), (&3.into(), &clear["patches_current"]));
        let kept = |rows: &[String]| -> Vec<String> {
            let id =
                |row: &String| row.split_whitespace().find(|cell| cell.starts_with("patch_id=")).map(str::to_owned);
            rows.iter().filter_map(id).collect()
        };
        assert_eq!(kept(&place.rows(&format!("{state}/store.gpkg"), "patches")), kept(&before), "{sensor}");
        let status = text(&place.run(&["status", "--config", &config]));
        assert_eq!(status.matches("on 2024-10-30: 100.0 %").count(), 3, "{status}");
        assert!(status.contains(&format!("100.0 % ({cause}")), "{status}");
    }
}
