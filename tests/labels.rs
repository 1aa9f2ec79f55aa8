//! Reviewed patches become training chips: the real binary on the painted scene, reviews through the store.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Place, root, text};
use serde_json::Value;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::review::{Review, Verdict};
use shorewatch_imagery::open::{Limits, OpenedFile, open_raster};
use shorewatch_store::{PatchFilter, Store};

const STORE: &str = "state/store.gpkg";

/// Decisions on four patches: confirmed, rejected with a class, rejected without one, unsure.
const DECISIONS: [(Verdict, Option<&str>); 4] =
    [(Verdict::Confirmed, None), (Verdict::Rejected, Some("bare")), (Verdict::Rejected, None), (Verdict::Unsure, None)];

/// A run of the fake segmenter whose first patches carry [`DECISIONS`]; gives these patches.
fn reviewed() -> (Place, Vec<Patch>) {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    place.json(0, &["run", "--config", &config]);
    let nothing = place.run(&["labels", "export", "--config", &config, "--out", "none"]);
    assert_eq!(nothing.status.code(), Some(4), "{}", text(&nothing));
    assert!(text(&nothing).contains("holds no review") && !place.path("none").exists(), "{}", text(&nothing));

    let mut store = open(&place);
    let stored = store.patches(&PatchFilter::default()).expect("patches");
    let patches: Vec<Patch> = stored.into_iter().map(|stored| stored.patch).take(DECISIONS.len()).collect();
    assert_eq!(patches.len(), DECISIONS.len(), "the painted scene has patches enough");
    for (patch, (verdict, class)) in patches.iter().zip(DECISIONS) {
        let review = Review {
            patch_id: patch.patch_id.clone(),
            verdict,
            reason: "greenhouse film, 有许可证".to_owned(),
            corrected_class: class.map(str::to_owned),
            reviewer: "r-07".to_owned(),
            reviewed_at: "2024-06-01T08:00:00Z".parse().expect("a time"),
        };
        store.add_review(&review, jiff::Timestamp::now()).expect("added");
    }
    (place, patches)
}

fn open(place: &Place) -> Store {
    Store::open_existing(place.path(STORE), jiff::Timestamp::now()).expect("the store")
}

/// A configuration like `run.toml`, with the bundle of two heads: only its manifest is read.
fn with_two_heads(place: &Place) -> &'static str {
    let fixtures = root().join("models/fixtures");
    let text = fs::read_to_string(place.path("run.toml")).expect("the configuration");
    let text = text
        .replace("folder = \"models\"", &format!("folder = {:?}", fixtures.display().to_string()))
        .replace("bundle = \"none\"", "bundle = \"two-heads\"")
        .replace("backend = \"fake\"", "backend = \"onnx\"");
    fs::write(place.path("two-heads.toml"), text).expect("written");
    "two-heads.toml"
}

/// Every file of a folder by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect()
}

fn listing(folder: &Path) -> Vec<Value> {
    let text = fs::read(folder.join("labels.json")).expect("the list");
    serde_json::from_slice(&text).expect("JSON")
}

fn open_file(path: &Path) -> OpenedFile {
    open_raster(path, &Limits::default()).expect("a raster")
}

/// All pixels of a band, row by row.
fn band(file: &OpenedFile, number: usize) -> Vec<f32> {
    file.dataset.rasterband(number).expect("a band").read_band_as::<f32>().expect("pixels").data().to_vec()
}

#[test]
fn reviewed_patches_become_chips_masks_and_provenance() {
    let (place, patches) = reviewed();
    // a patch that is superseded meanwhile was reviewed all the same
    open(&place).withdraw_publications_of(&patches[0].post_pass_id, jiff::Timestamp::now()).expect("withdrawn");
    let config = with_two_heads(&place);
    let summary = place.json(0, &["labels", "export", "--config", config, "--out", "labels"]);
    let told = ["reviewed", "confirmed", "rejected", "unsure"].map(|key| summary[key].as_u64());
    assert_eq!(told, [Some(4), Some(1), Some(2), Some(1)], "{summary}");
    assert_eq!(summary["left_out"][0]["patch_id"], patches[3].patch_id.as_str());

    let folder = place.path("labels");
    let entries = listing(&folder);
    assert_eq!(summary["chips"].as_u64(), Some(entries.len() as u64));
    let ids: Vec<_> = entries.iter().map(|entry| entry["patch_id"].as_str().expect("an id")).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for (patch, (verdict, named)) in patches.iter().zip(DECISIONS).take(3) {
        let entry = entries.iter().find(|entry| entry["patch_id"] == patch.patch_id.as_str()).expect("an entry");
        let after = patch.change_type.rsplit("_to_").next().expect("a class");
        let (class, head, weight) = match (verdict, named) {
            (Verdict::Rejected, None) => ("no_object", "object", 0.5),
            (_, named) => (named.unwrap_or(after), "land_cover", 1.0),
        };
        assert_eq!((&entry["class"], &entry["head"]), (&Value::from(class), &Value::from(head)), "{entry}");
        assert_eq!((&entry["weight"], &entry["verdict"]), (&Value::from(weight), &Value::from(verdict.name())));
        assert_eq!(entry["bands"], serde_json::json!(["green", "red", "nir"]));
        assert_eq!(entry["model"]["digest"], patch.model_digest.to_string());
        assert_eq!((&entry["model"]["name"], &entry["classes_of"]["name"]), (&"fake".into(), &"two-heads".into()));
        assert_eq!(entry["post_pass"]["id"], patch.post_pass_id.to_string());
        assert_eq!(entry["pre_pass"]["date"], patch.pre_date.to_string());
        assert_eq!(entry["post_pass"]["sensor"], "synthetic");
        assert_eq!(entry["configuration_digest"], patch.configuration_digest.to_string());
        assert_eq!((&entry["reviewer"], &entry["reviewed_at"]), (&"r-07".into(), &"2024-06-01T08:00:00Z".into()));
        assert_eq!(entry["ground_sampling_distance_m"], 10.0);
        let classes = ["water", "trees", "low_vegetation", "crops", "built_up", "bare"];
        let id = if head == "object" { 0 } else { classes.iter().position(|known| *known == class).expect("known") };
        check_pixels(&place, &folder, entry, patch, id as f32);
    }
    assert!(!files(&folder).keys().any(|name| name.starts_with('.')), "nothing temporary is left");
}

/// Chip and mask fit each other, the patch and the imagery that was painted.
fn check_pixels(place: &Place, folder: &Path, entry: &Value, patch: &Patch, class_id: f32) {
    let chip = open_file(&folder.join(entry["chip"].as_str().expect("a name")));
    let mask = open_file(&folder.join(entry["mask"].as_str().expect("a name")));
    assert_eq!((chip.bands.len(), mask.bands.len(), chip.size), (3, 1, mask.size));
    assert_eq!(chip.geotransform, mask.geotransform);
    assert!(chip.size.0 >= 128 && chip.size.1 >= 128 && chip.size.0 <= 512 && chip.size.1 <= 512, "{:?}", chip.size);
    let (labels, bands) = (band(&mask, 1), [band(&chip, 1), band(&chip, 2), band(&chip, 3)]);
    assert!(labels.iter().all(|label| *label == class_id || *label == 255.0), "{entry}");
    let labelled = labels.iter().filter(|label| **label == class_id).count() as u64;
    assert!((1..=patch.pixel_count).contains(&labelled), "{labelled} of {} pixels", patch.pixel_count);

    let store = open(place);
    let pass = store.pass(&patch.post_pass_id.to_string()).expect("the pass");
    let source = open_file(&place.path(&pass.files[0].path));
    let ([left, size, ..], [source_left, ..]) =
        (chip.geotransform.expect("a place"), source.geotransform.expect("one"));
    let (top, source_top) = (chip.geotransform.expect("a place")[3], source.geotransform.expect("one")[3]);
    let (down, right) = (((source_top - top) / size).round() as i64, ((left - source_left) / size).round() as i64);
    // green, red and near infrared are bands 2 to 4 of the painted files, band 6 their flags
    let painted = [band(&source, 2), band(&source, 3), band(&source, 4)];
    let flags = band(&source, 6);
    for (place, label) in labels.iter().enumerate() {
        let (row, col) = ((place / chip.size.1) as i64 + down, (place % chip.size.1) as i64 + right);
        let inside = (0..source.size.0 as i64).contains(&row) && (0..source.size.1 as i64).contains(&col);
        let at = (row * source.size.1 as i64 + col) as usize;
        let observed = inside && flags[at] == 0.0;
        assert!(observed || *label == 255.0, "a label on ground that was not observed");
        for (values, painted) in bands.iter().zip(&painted) {
            if observed {
                assert!((values[place] - painted[at] * 1e-4).abs() < 1e-6, "row {row}, column {col}");
            } else {
                assert!(values[place].is_nan(), "row {row}, column {col}: {}", values[place]);
            }
        }
    }
}

#[test]
fn the_same_export_gives_the_same_bytes_and_overwrites_nothing() {
    let (place, patches) = reviewed();
    // the fake segmenter has no class for "nothing": that rejection is told, not dropped
    let first = place.json(3, &["labels", "export", "--config", "run.toml", "--out", "one"]);
    let left_out: Vec<_> = first["left_out"].as_array().expect("a list").iter().collect();
    assert_eq!(left_out.len(), 2, "{first}");
    let rejected = left_out.iter().find(|left| left["verdict"] == "rejected").expect("the rejection");
    assert_eq!(rejected["patch_id"], patches[2].patch_id.as_str());
    assert!(rejected["reason"].as_str().is_some_and(|reason| reason.contains("group \"none\"")), "{rejected}");
    fs::create_dir(place.path("two")).expect("an empty folder is as good as none");
    place.json(3, &["labels", "export", "--config", "run.toml", "--out", "two"]);
    let one = files(&place.path("one"));
    assert_eq!(one.len(), 2 * listing(&place.path("one")).len() + 1);
    assert!(one == files(&place.path("two")), "the same store gives the same bytes");

    let again = place.run(&["labels", "export", "--config", "run.toml", "--out", "one"]);
    assert_eq!(again.status.code(), Some(2), "{}", text(&again));
    assert!(text(&again).contains("a folder with files in it"), "{}", text(&again));
    assert!(one == files(&place.path("one")), "what was there stays");
}

#[test]
fn imagery_that_was_replaced_teaches_nothing() {
    let (place, patches) = reviewed();
    for patch in &patches {
        let pass = open(&place).pass(&patch.post_pass_id.to_string()).expect("the pass");
        fs::write(place.path(&pass.files[0].path), "other bytes").expect("replaced");
    }
    let refused = place.run(&["labels", "export", "--config", "run.toml", "--out", "labels"]);
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused));
    assert!(text(&refused).contains("put the former file back"), "{}", text(&refused));
    let left: Vec<_> = fs::read_dir(place.path("")).expect("the folder").filter_map(Result::ok).collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().contains("labels")), "no folder is left");
}
