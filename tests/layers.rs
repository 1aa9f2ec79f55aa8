//! Layers that decide, with the real binary: imported, checked, changed, refused.

mod common;

use std::fs;
use std::process::Command;

use common::{Place, root, text};
use serde_json::Value;
use shorewatch_synth::sample_layers::PLANTED_DEFECTS;

/// The painted scene with the layers of the demonstration.
fn place() -> Place {
    let mut place = Place::painted();
    let demo = fs::read_to_string(root().join("configs/demo.toml")).expect("the demonstration");
    let begin = demo.find("[[layers]]").expect("layers");
    let end = demo.find("[runtime]").expect("the end of the layers");
    place.extra = demo[begin..end].replace("../out/demo/", "");
    place
}

fn layer(place: &Place, name: &str) -> String {
    fs::read_to_string(place.path(&format!("imagery/layers/{name}"))).expect("a sample layer")
}

fn put(place: &Place, name: &str, text: &str) {
    fs::write(place.path(&format!("imagery/layers/{name}")), text).expect("written");
}

fn count(value: &Value) -> usize {
    value.as_array().expect("a list").len()
}

#[test]
fn layers_come_in_once_are_checked_and_tell_what_changed() {
    let place = place();
    let config = place.configure("run.toml", "state");
    let first = place.json(0, &["layers", "import", "--config", &config]);
    assert_eq!((count(&first["imported"]), count(&first["faults"])), (17, 0));
    assert!(first["imported"].as_array().expect("a list").iter().all(|layer| layer["is_new"] == true));
    let again = place.json(0, &["layers", "import", "--config", &config]);
    assert!(again["imported"].as_array().expect("a list").iter().all(|layer| layer["is_new"] == false));
    let listed = place.json(0, &["layers", "list", "--config", &config, "--all"]);
    assert_eq!(count(&listed), 17, "the same bytes add no version");

    // defects: those that were planted, and beyond them only what the stand-in scope leaves out
    let checked =
        place.json(0, &["layers", "check", "--config", &config, "--day", "2024-11-01", "--out", "defects.gpkg"]);
    let defects = checked["defects"].as_array().expect("a list");
    let found: Vec<(&str, &str)> = defects
        .iter()
        .map(|defect| ["kind", "layer"].map(|key| defect[key].as_str().expect("a text")).into())
        .collect();
    for planted in PLANTED_DEFECTS {
        let count = found.iter().filter(|one| **one == planted).count();
        assert!(count == 1 || count > 1 && planted.1 == "management_scope", "{planted:?} {count} times: {checked:#}");
    }
    let explained =
        |one: &(&str, &str)| PLANTED_DEFECTS.contains(one) || *one == ("scope_lacks_water", "management_scope");
    assert!(found.iter().all(explained), "{checked:#}");
    assert_eq!(checked["imagery"]["not_compared"], "no pass has been worked; `shorewatch run` works them");
    if let Ok(seen) = Command::new("ogrinfo").args(["-ro", "-al", "-so"]).arg(place.path("defects.gpkg")).output() {
        let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
        assert!(
            seen.contains(&format!("Feature Count: {}", defects.len())) && seen.contains("ID[\"EPSG\",4490]"),
            "{seen}"
        );
    }

    // another zone, one zone less
    let zones = layer(&place, "shoreline_zones.geojson");
    let mut changed: Value = serde_json::from_str(&zones).expect("JSON");
    let features = changed["features"].as_array_mut().expect("features");
    features.pop();
    features[0]["properties"]["功能区"] = "保留区".into();
    put(&place, "shoreline_zones.geojson", &changed.to_string());
    let second = place.json(0, &["layers", "import", "--config", &config, "shoreline_zone"]);
    assert_eq!(second["imported"][0]["version"], 2);
    let diff = place.json(0, &["layers", "diff", "--config", &config, "shoreline_zone"]);
    assert_eq!((&diff["from"], &diff["to"]), (&1.into(), &2.into()));
    let changes = &diff["changes"];
    assert_eq!((count(&changes["added"]), count(&changes["removed"]), count(&changes["changed"])), (0, 1, 1));
    assert_eq!(changes["changed"][0]["fields"]["facts.zone"], serde_json::json!(["保护区", "保留区"]));
    assert!(changes["changed"][0]["moved"].is_null(), "{changes:#}");
    let told = place.run(&["layers", "diff", "--config", &config, "shoreline_zone"]);
    assert!(text(&told).contains("\"保护区\" → \"保留区\""), "{}", text(&told));
}

#[test]
fn a_faulty_layer_is_refused_whole_and_the_earlier_version_stays_in_force() {
    let place = place();
    let config = place.configure("run.toml", "state");
    place.json(0, &["layers", "import", "--config", &config]);
    let before = place.rows("state/store.gpkg", "layer_features");
    let permits = layer(&place, "mining_permits.geojson");
    let flat = {
        let mut json: Value = serde_json::from_str(&permits).expect("JSON");
        for feature in json["features"].as_array_mut().expect("features") {
            for corner in feature["geometry"]["coordinates"][0].as_array_mut().expect("a ring") {
                // every corner at one latitude: no area
                *corner = serde_json::json!([108.0 + corner[0].as_f64().expect("a number"), 22.0]);
            }
        }
        json.to_string()
    };
    for (bytes, words) in [
        (permits.replace("2025年12月31日", "2022年12月31日"), "expected a day not before valid_from"),
        (permits.replace("采990101-2023-7", "采990102-2024-2"), "codes must be unique"),
        (permits.replace("05-01..06-30", "spring"), "seasons as 04-01..06-30"),
        (permits.replace("许可证号", "证号"), "no such column"),
        (permits[..permits.len() / 2].to_owned(), "mining_permit"),
        ("{\"type\":\"FeatureCollection\",\"features\":[]}".to_owned(), "expected at least one"),
        (String::new(), "is empty (0 bytes)"),
        (flat, "invalid"),
    ] {
        put(&place, "mining_permits.geojson", &bytes);
        let refused = place.json(3, &["layers", "import", "--config", &config]);
        assert_eq!(count(&refused["faults"]), 1, "{refused:#}");
        let fault = refused["faults"][0].to_string();
        assert!(fault.contains(words), "no {words:?} in {fault}");
        assert_eq!(place.rows("state/store.gpkg", "layer_features"), before);
    }
    // an unknown name, and a kind that is none
    let unknown = place.run(&["layers", "import", "--config", &config, "minig_permit"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown));
    let mut slip = Place::empty();
    slip.extra = "[[layers]]\nkind = \"wetlands\"\nfile = \"a.gpkg\"\n[layers.fields]\ncod = \"x\"\n".to_owned();
    let config = slip.configure("run.toml", "state");
    let refused = slip.run(&["layers", "list", "--config", &config]);
    assert!(
        refused.status.code() == Some(2) && text(&refused).contains("did you mean `wetland`?"),
        "{}",
        text(&refused)
    );
}

#[test]
fn a_layer_is_withdrawn_and_an_empty_one_is_meant_only_where_somebody_says_so() {
    let place = place();
    let config = place.configure("run.toml", "state");
    let import = ["layers", "import", "--config", &config];
    place.json(0, &import);
    let withdraw = ["layers", "withdraw", "--config", &config, "mining_permit", "--reason", "wrong year"];
    assert_eq!(place.json(0, &withdraw)["version"], 2);
    let again = place.run(&withdraw);
    assert!(again.status.code() == Some(4) && text(&again).contains("a layer in force"), "{}", text(&again));
    let listed = text(&place.run(&["layers", "list", "--config", &config]));
    assert!(listed.contains("withdrawn") && listed.contains("wrong year"), "{listed}");
    // it stays out, whatever the configuration lists, until it is named
    let all = place.json(0, &import);
    assert_eq!((count(&all["imported"]), count(&all["faults"])), (16, 0));
    let empty = "{\"type\":\"FeatureCollection\",\"features\":[]}";
    put(&place, "mining_permits.geojson", empty);
    let named = ["layers", "import", "--config", &config, "mining_permit"];
    let refused = place.json(3, &named);
    assert!(refused["faults"][0].to_string().contains("expected at least one"), "{refused:#}");
    let meant: Vec<&str> = named.iter().copied().chain(["--empty"]).collect();
    let done = place.json(0, &meant);
    assert_eq!((&done["imported"][0]["version"], &done["imported"][0]["rows"]), (&3.into(), &0.into()));
    assert_eq!(
        place.json(0, &import)["imported"].as_array().expect("a list").len(),
        17,
        "the same bytes stay in force"
    );
    let unnamed = place.run(&["layers", "import", "--config", &config, "--empty"]);
    assert_eq!(unnamed.status.code(), Some(2), "{}", text(&unnamed));
}

#[test]
fn a_layer_of_another_place_is_refused_unless_it_is_meant() {
    let mut place = Place::painted();
    let square = "[[[108,22],[108.1,22],[108.1,22.1],[108,22.1],[108,22]]]";
    let feature = format!(
        "{{\"type\":\"Feature\",\"properties\":{{\"code\":\"W1\"}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":{square}}}}}"
    );
    fs::write(place.path("far.geojson"), format!("{{\"type\":\"FeatureCollection\",\"features\":[{feature}]}}"))
        .expect("written");
    let entry = "[[layers]]\nkind = \"wetland\"\nfile = \"far.geojson\"\n";
    place.extra = entry.to_owned();
    let config = place.configure("run.toml", "state");
    let reaches = place.run(&["reaches", "import", "--config", &config, "imagery/reaches.geojson"]);
    assert!(reaches.status.success(), "{}", text(&reaches));
    let refused = place.json(3, &["layers", "import", "--config", &config]);
    assert!(
        refused["faults"][0]["fault"].as_str().expect("a text").contains("from every managed reach"),
        "{refused:#}"
    );
    place.extra = format!("{entry}anywhere = true\n");
    let config = place.configure("run.toml", "state");
    place.json(0, &["layers", "import", "--config", &config]);
}

#[test]
fn priors_of_zones_reach_the_squares_in_those_zones_and_no_others() {
    let mut place = place();
    // the example of the built-in table, as an operator would take it
    let table = fs::read_to_string(root().join("configs/classes.toml")).expect("the table");
    let uncommented =
        |line: &str| ["# [[zone_priors]]", "# zone = ", "# becomes = "].iter().any(|start| line.starts_with(start));
    let lines = table.lines().map(|line| if uncommented(line) { &line[2..] } else { line });
    fs::write(place.path("classes.toml"), lines.collect::<Vec<_>>().join("\n")).expect("written");
    place.extra += "[classes]\nfile = \"classes.toml\"\n";
    place.unit_px = 64;
    let config = place.configure("run.toml", "state");
    let run = || place.json(0, &["run", "--config", &config])["units_worked"].as_u64().expect("a count");
    let all = run();
    let version_used = || -> u64 {
        let store = rusqlite::Connection::open(place.path("state/store.gpkg")).expect("the store opens");
        let sql = "SELECT version FROM run_layers JOIN runs USING (run_id) WHERE layer = 'shoreline_zone'
             ORDER BY started_at DESC LIMIT 1";
        store.query_row(sql, [], |row| row.get(0)).expect("a version")
    };
    assert_eq!(version_used(), 1);
    let zones = layer(&place, "shoreline_zones.geojson");
    // another name, and a zone without priors elsewhere: a new version, and nothing to do
    put(
        &place,
        "shoreline_zones.geojson",
        &zones.replace("青川保护区", "青川核心区").replace("\"保留区\"", "\"岸线保留区\""),
    );
    assert_eq!(run(), 0);
    // the last zone becomes another: its squares, from the second pass on
    put(&place, "shoreline_zones.geojson", &zones.replace("\"开发利用区\"", "\"保护区\""));
    let worked = run();
    assert!(worked > 0 && 2 * worked < all, "{worked} of {all}");
    assert_eq!(version_used(), 3);
    assert_eq!(run(), 0, "it is settled");
}
