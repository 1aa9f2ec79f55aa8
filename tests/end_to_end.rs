//! The real binary on painted imagery: the main job, twice, broken off, step by step, and in other tilings.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Place, decided, text};
use serde_json::Value;

#[test]
fn a_run_finds_events_and_leaves_store_pictures_exports_and_report() {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    let summary = place.json(0, &["run", "--config", &config]);
    assert_eq!(summary["publications"], 3);
    assert!(summary["patches_current"].as_u64() > Some(0), "{summary}");

    let score = place.json(0, &["score", "--config", &config, "--truth", "imagery/truth.geojson"]);
    assert!(score["events_found"].as_u64() >= Some(1), "the fake segmenter finds something: {score}");
    assert!(place.path("state/out/score.json").exists());

    let exported = place.json(0, &["export", "--config", &config]);
    assert_eq!(exported["patches"], summary["patches_current"]);
    let geojson: Value =
        serde_json::from_slice(&fs::read(place.path("state/out/patches.geojson")).expect("the export")).expect("JSON");
    assert_eq!(
        geojson["features"].as_array().map(Vec::len),
        summary["patches_current"].as_u64().map(|count| count as usize)
    );
    for name in ["patches.gpkg", "patches.fgb", "patches.csv"] {
        assert!(place.path("state/out").join(name).exists(), "{name}");
    }

    place.json(0, &["report", "--config", &config, "--truth", "imagery/truth.geojson"]);
    let page = fs::read_to_string(place.path("state/out/report.html")).expect("the report");
    assert!(page.contains("Suspected") && page.contains("ynthetic") && page.contains("not looked at"));
    for section in ["kept-back", "cases", "patches"] {
        assert!(page.contains(&format!("<section id=\"{section}\"")), "{section}");
    }
    let store = rusqlite::Connection::open(place.path("state/store.gpkg")).expect("the store opens");
    let open: usize = store
        .query_row("SELECT count(*) FROM cases WHERE state IN ('suspected', 'confirmed')", [], |row| row.get(0))
        .expect("cases");
    assert!(open > 0);
    assert_eq!(page.matches("<code>case-").count(), open.min(100), "open cases are listed");

    let chips = fs::read_dir(place.path("state/out/chips")).expect("chips").count();
    assert_eq!(chips as u64, 2 * summary["patches_current"].as_u64().unwrap_or(0));
}

#[test]
fn the_same_run_again_adds_nothing() {
    let place = Place::painted();
    let config = place.configure("run.toml", "state");
    place.json(0, &["run", "--config", &config]);
    let before = decided(&place, "state");
    let again = place.json(0, &["run", "--config", &config]);
    assert_eq!(
        (again["units_worked"].as_u64(), again["publications"].as_u64(), again["chips"].as_u64()),
        (Some(0), Some(0), Some(0))
    );
    assert_eq!(decided(&place, "state"), before);
}

#[test]
fn results_do_not_depend_on_tiling_or_threads() {
    let mut place = Place::painted();
    place.configure("fine.toml", "fine");
    place.unit_px = 512;
    place.configure("coarse.toml", "coarse");
    place.json(0, &["run", "--config", "fine.toml"]);
    place.json(0, &["run", "--config", "coarse.toml"]);
    let patches = |state: &str| -> BTreeSet<String> {
        let of = |row: &String| {
            let keep = [
                "patch_id=",
                "geom=",
                "area_m2=",
                "confidence=",
                "valid_fraction=",
                "reach_id=",
                "pre_pass_id=",
                "review_score=",
                "change_score=",
                "evidence=",
                "coreg_rmse_px=",
            ];
            row.split_whitespace()
                .filter(|cell| keep.iter().any(|key| cell.starts_with(key)))
                .collect::<Vec<_>>()
                .join(" ")
        };
        place.rows(&format!("{state}/store.gpkg"), "patches").iter().map(of).collect()
    };
    assert!(!patches("fine").is_empty());
    assert!(patches("fine").iter().all(|row| !row.contains("review_score=none")), "each was seen in the pixels too");
    assert_eq!(patches("fine"), patches("coarse"));
}

#[test]
fn plan_work_and_publish_one_by_one_give_the_same_as_run() {
    let place = Place::painted();
    place.configure("whole.toml", "whole");
    place.configure("steps.toml", "steps");
    place.json(0, &["run", "--config", "whole.toml"]);

    let plan = place.json(0, &["plan", "--config", "steps.toml"]);
    let units: Vec<String> = plan["units"]
        .as_array()
        .expect("units")
        .iter()
        .filter_map(|unit| unit["id"].as_str().map(str::to_owned))
        .collect();
    assert!(units.len() > 3);
    // the last units first, each in a process of its own: they don't depend on one another's order
    for unit in units.iter().rev().take(2) {
        place.json(0, &["work", "--config", "steps.toml", unit]);
    }
    // not everything is worked yet: what is incomplete waits
    place.json(3, &["publish", "--config", "steps.toml"]);
    let all: Vec<&str> =
        ["work", "--config", "steps.toml"].into_iter().chain(units.iter().map(String::as_str)).collect();
    place.json(0, &all);
    place.json(0, &["publish", "--config", "steps.toml"]);
    for ((table, whole), (_, steps)) in decided(&place, "whole").iter().zip(decided(&place, "steps")) {
        assert_eq!(*whole, steps, "{table}");
    }
}

#[test]
fn a_killed_run_goes_on_and_ends_like_an_unbroken_one() {
    let place = Place::painted();
    place.configure("unbroken.toml", "unbroken");
    place.configure("broken.toml", "broken");
    place.json(0, &["run", "--config", "unbroken.toml"]);
    // killed at several moments: while registering, working, publishing, painting
    for wait_ms in [15, 60, 120, 250, 400, 700] {
        let mut child = place
            .command(&["run", "--config", "broken.toml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().expect("kill -9");
        child.wait().expect("it ended");
    }
    place.json(0, &["run", "--config", "broken.toml"]);
    for ((table, unbroken), (_, broken)) in decided(&place, "unbroken").iter().zip(decided(&place, "broken")) {
        assert_eq!(*unbroken, broken, "{table}");
    }
    let temporary =
        Command::new("find").arg(place.path("broken/out")).args(["-name", "*.tmp"]).output().expect("find runs");
    assert!(place.path("broken/out/chips").exists(), "{}", text(&temporary));
}

#[test]
fn a_late_pass_redoes_only_what_it_affects() {
    let mut place = Place::painted();
    let mut names: Vec<_> = fs::read_dir(place.path("imagery"))
        .expect("painted")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".tif"))
        .collect();
    names.sort();
    // the pass in the middle arrives last
    let (first, middle, last) = (&names[0], &names[1], &names[2]);
    place.passes = format!("[[passes]]\nfiles = [\"imagery/{first}\", \"imagery/{last}\"]\nsensor = \"synthetic\"\n");
    place.configure("run.toml", "state");
    assert_eq!(place.json(0, &["run", "--config", "run.toml"])["publications"], 2);
    place.passes = "[[passes]]\nfiles = [\"imagery/*.tif\"]\nsensor = \"synthetic\"\n".to_owned();
    place.configure("run.toml", "state");
    let late = place.json(0, &["run", "--config", "run.toml"]);
    assert_eq!(late["publications"], 2, "{middle} itself, and the later pass that is now compared with it: {late}");

    place.configure("whole.toml", "whole");
    place.json(0, &["run", "--config", "whole.toml"]);
    let cells = |state: &str, table: &str, keep: &[&str]| -> BTreeSet<String> {
        let of = |row: &String| {
            let kept = |cell: &&str| keep.iter().any(|key| cell.starts_with(key));
            row.split_whitespace().filter(kept).collect::<Vec<_>>().join(" ")
        };
        place.rows(&format!("{state}/store.gpkg"), table).iter().map(of).collect()
    };
    for (table, keep) in [
        ("patches", &["patch_id=", "review_score=", "evidence="][..]),
        ("cases", &["case_id=", "state=", "area_m2=", "last_event="]),
        ("case_events", &["case_id=", "event=", "observed_fraction="]),
    ] {
        let whole = cells("whole", table, keep);
        assert!(!whole.is_empty(), "{table}");
        assert_eq!(cells("state", table, keep), whole, "{table}: the order of arrival does not matter");
    }
}

#[test]
fn help_schema_completions_and_man_pages_are_there() {
    let place = Place::empty();
    let help = text(&place.run(&["--help"]));
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("Suspected is not guilty") && help.contains("Exit codes"), "{help}");
    let schema: Value = serde_json::from_slice(&place.run(&["schema"]).stdout).expect("a JSON Schema");
    assert!(schema["properties"]["grid"].is_object());
    assert!(text(&place.run(&["completions", "bash"])).contains("_shorewatch"));
    assert!(place.run(&["man", "man"]).status.success());
    assert!(place.path("man/shorewatch-run.1").exists());
    assert!(place.run(&["init"]).status.success());
    assert_eq!(place.run(&["init"]).status.code(), Some(2), "an existing configuration is never overwritten");
}
