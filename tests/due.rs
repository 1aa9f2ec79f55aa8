//! Scheduled runs through the real binary: watched folders, copies under way, alarms, and what was not looked at.

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use common::{Place, decided, text};
use jiff::Timestamp;
use serde_json::{Value, json};
use shorewatch::register;
use shorewatch_domain::pass::PassFile;
use shorewatch_store::Store;

const APRIL: &str = "synthetic-20240418.tif";
const JUNE: &str = "synthetic-20240622.tif";
const OCTOBER: &str = "synthetic-20241030.tif";

/// The day after the last pass of the scene.
const SOON: &str = "2024-10-31";

/// The small scene, none of it delivered yet, and a configuration that watches `incoming`.
fn watched(keys: &str) -> Place {
    let mut place = Place::painted();
    fs::create_dir_all(place.path("incoming")).expect("a folder");
    place.extra = "[patches]\nchips = false\n".to_owned();
    place.passes = format!(
        "[schedule]\n{keys}\n[[schedule.watch]]\nfolder = \"incoming\"\nfiles = [\"*.tif\"]\nsensor = \"synthetic\"\n"
    );
    place.configure("run.toml", "state");
    place
}

fn deliver(place: &Place, names: &[&str]) {
    for name in names {
        fs::copy(place.path("imagery").join(name), place.path("incoming").join(name)).expect("delivered");
    }
}

/// Makes a file look as if it had last been written so many hours ago.
fn age(file: &Path, hours: u64) {
    let file = File::options().write(true).open(file).expect("the file");
    file.set_modified(SystemTime::now() - Duration::from_secs(3600 * hours)).expect("a time");
}

fn due(place: &Place, code: i32, today: &str) -> Value {
    place.json(code, &["run", "--due", "--config", "run.toml", "--today", today])
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// Row 11: the same bytes again are nothing, other bytes are a new revision, whatever their times say.
#[test]
fn deliveries_are_taken_once_and_an_empty_folder_is_no_fault() {
    let place = watched("");
    let empty = due(&place, 0, SOON);
    assert_eq!((&empty["taken"], &empty["publications"], &empty["faults"]), (&json!([]), &json!(0), &json!([])));
    let status = place.json(0, &["status", "--config", "run.toml", "--today", SOON]);
    assert_eq!(strings(&status["not_looked_at"]), ["SYN-L01", "SYN-R01", "SYN-R02"]);

    deliver(&place, &[APRIL, JUNE]);
    let first = due(&place, 0, SOON);
    assert_eq!(strings(&first["taken"]), ["synthetic-20240418", "synthetic-20240622"]);
    assert_eq!(first["publications"], 2);
    let before = decided(&place, "state");
    age(&place.path("incoming").join(JUNE), 1);
    let again = due(&place, 0, SOON);
    assert_eq!((&again["taken"], &again["units_worked"]), (&json!([]), &json!(0)));
    assert_eq!(decided(&place, "state"), before);
    let store = Store::open_read_only(place.path("state/store.gpkg")).expect("the store");
    let june = store.passes().expect("passes").into_iter().find(|pass| pass.name == "synthetic-20240622");
    let recorded = june.expect("the pass").files[0].clone();
    assert!(
        register::is_as_registered(&PassFile {
            path: place.path("incoming").join(JUNE).display().to_string(),
            ..recorded
        }),
        "it is not digested in every run"
    );

    assert!(place.run(&["synth", "--scene", "small", "--seed", "99", "--out", "other"]).status.success());
    fs::copy(place.path("other").join(JUNE), place.path("incoming").join(JUNE)).expect("delivered again");
    let revised = due(&place, 0, SOON);
    assert_eq!((strings(&revised["taken"]), &revised["publications"]), (vec!["synthetic-20240622"], &json!(1)));
    let listed = text(&place.run(&["passes", "list", "--config", "run.toml"]));
    assert!(listed.contains("superseded") && listed.contains("revision 2"), "{listed}");
}

/// Row 13: a copy under way is told by its age, by its marker, or by what is missing in it. It waits, and is no fault.
#[test]
fn copies_under_way_wait_for_the_next_run() {
    let place = watched("");
    let config = fs::read_to_string(place.path("run.toml")).expect("the configuration");
    fs::write(place.path("run.toml"), config.replace("settle_seconds = 0.0", "settle_seconds = 3600.0"))
        .expect("written");
    deliver(&place, &[APRIL, JUNE, OCTOBER]);
    let file = |name: &str| place.path("incoming").join(name);
    // one is fresh, one has a marker beside it, and the copy of one stalled hours ago
    age(&file(JUNE), 2);
    fs::write(file("synthetic-20240622.tif.filepart"), "").expect("a marker");
    let whole = fs::read(file(OCTOBER)).expect("a scene");
    fs::write(file(OCTOBER), &whole[..whole.len() / 2]).expect("half of it");
    age(&file(OCTOBER), 2);
    let first = due(&place, 0, SOON);
    let waiting: Vec<&str> =
        first["waiting"].as_array().expect("a list").iter().filter_map(|it| it["path"].as_str()).collect();
    assert_eq!((&first["taken"], waiting.len()), (&json!([]), 3), "{first}");
    let output = place.run(&["run", "--due", "--config", "run.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("left for the next run").count(), 3, "each is mentioned once: {said}");
    assert!(said.contains("stood still for 3600 s") && said.contains("filepart"), "{said}");

    age(&file(APRIL), 2);
    fs::remove_file(file("synthetic-20240622.tif.filepart")).expect("the marker goes");
    fs::write(file(OCTOBER), &whole).expect("the rest of it");
    age(&file(OCTOBER), 2);
    let second = due(&place, 0, SOON);
    assert_eq!((strings(&second["taken"]).len(), &second["waiting"]), (3, &json!([])), "{second}");
    assert_eq!(second["publications"], 3);
}

/// The alarms, and that they go before refused inputs: a scene that was quarantined once is told of in every run.
#[test]
fn alarms_have_a_code_of_their_own_and_go_before_refused_inputs() {
    let place = watched("no_pass_alarm_days = 30\nunobserved_alarm_days = 60");
    let nothing = due(&place, 6, "2024-05-01");
    let kinds = |summary: &Value| -> Vec<String> {
        let alarms = summary["alarms"].as_array().expect("a list");
        alarms.iter().filter_map(|alarm| Some(format!("{} {}", alarm["kind"].as_str()?, alarm["days"]))).collect()
    };
    assert_eq!(kinds(&nothing), ["no_new_pass null", "unobserved null", "unobserved null", "unobserved null"]);

    deliver(&place, &[APRIL, JUNE]);
    assert_eq!(kinds(&due(&place, 0, "2024-07-21")), [""; 0], "29 days after the last pass");
    let quiet = due(&place, 6, "2024-07-22");
    assert_eq!(kinds(&quiet), ["no_new_pass 30"]);
    assert_eq!((&quiet["alarms"][0]["latest"], &quiet["exit_code"]), (&json!("synthetic-20240622"), &json!(6)));
    assert_eq!(kinds(&due(&place, 6, "2024-08-21")).len(), 4, "no pass for 60 days is no look at any reach either");

    fs::write(place.path("incoming/page.tif"), "<!DOCTYPE html><html></html>").expect("written");
    let refused = due(&place, 3, "2024-07-01");
    assert!(strings(&refused["faults"]).iter().any(|fault| fault.contains("page")), "{refused}");
    let both = due(&place, 6, "2024-07-22");
    assert_eq!((both["faults"].as_array().map(Vec::len), kinds(&both).len()), (Some(1), 1), "{both}");

    let arguments = ["run", "--due", "--config", "run.toml", "--today", "2024-08-21", "--log-format", "json"];
    let output = place.run(&arguments);
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    let logged: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of =
        |kind: &str| logged.iter().filter(|line| line["fields"]["alarm"] == kind && line["level"] == "WARN").count();
    assert_eq!((of("no_new_pass"), of("unobserved")), (1, 3), "{lines}");
    assert!(text(&output).contains("alarm: no new pass for 60 days"), "{}", text(&output));
}

/// One bad delivery or folder stands in the way of no other.
#[test]
fn missing_folders_and_names_that_clash_are_told_and_the_others_go_on() {
    let mut place = watched("");
    place.passes += "[[schedule.watch]]\nfolder = \"unmounted\"\nfiles = [\"*.tif\"]\nsensor = \"synthetic\"\n\
                     [[schedule.watch]]\nfolder = \"second\"\nfiles = [\"*.tif\"]\nsensor = \"synthetic\"\n\
                     [[schedule.watch]]\nfolder = \"incoming\"\nfiles = [\"*0418.tif\"]\nsensor = \"synthetic\"\n";
    place.configure("run.toml", "state");
    fs::create_dir_all(place.path("second")).expect("a folder");
    deliver(&place, &[APRIL, JUNE]);
    fs::copy(place.path("imagery").join(OCTOBER), place.path("second").join(JUNE)).expect("delivered");
    for run in 1..=2 {
        let summary = due(&place, 3, SOON);
        let faults = strings(&summary["faults"]);
        assert_eq!(faults.len(), 2, "run {run}: {faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("no watched folder") && fault.contains("unmounted")));
        assert!(faults.iter().any(|fault| fault.contains("two passes are called \"synthetic-20240622\"")));
        assert_eq!(summary["publications"], if run == 1 { 2 } else { 0 });
    }
}

/// Row 12: a date in the future is held, and does not count as something new; a late pass redoes what it affects.
#[test]
fn a_future_date_is_held_and_a_late_pass_is_put_in_its_place() {
    let place = watched("no_pass_alarm_days = 30");
    deliver(&place, &[APRIL, OCTOBER]);
    let ahead = fs::read(place.path("imagery").join(JUNE)).expect("a scene");
    let at = ahead.windows(20).position(|window| window == b"2024-06-22T02:51:19Z").expect("its time");
    let ahead = [&ahead[..at], b"2099", &ahead[at + 4..]].concat();
    fs::write(place.path("incoming/ahead.tif"), ahead).expect("written");
    let held = due(&place, 3, "2024-11-01");
    assert_eq!(held["publications"], 2);
    assert!(strings(&held["faults"]).iter().any(|fault| fault.contains("ahead is held: acquired in the future")));
    let alarmed = due(&place, 6, "2024-11-29");
    assert_eq!(alarmed["alarms"][0]["latest"], "synthetic-20241030");

    fs::remove_file(place.path("incoming/ahead.tif")).expect("removed");
    deliver(&place, &[JUNE]);
    let late = due(&place, 3, "2024-11-01");
    assert_eq!(late["publications"], 2, "itself, and the later pass that is now compared with it: {late}");
}

/// Row 20: whoever comes second is told who is at work, at once, and changes nothing.
#[test]
fn of_two_starts_one_works_and_the_other_does_nothing() {
    let place = watched("no_pass_alarm_days = 1");
    deliver(&place, &[APRIL, JUNE, OCTOBER]);
    fs::create_dir_all(place.path("state")).expect("a folder");
    let store = Store::create_or_open(place.path("state/store.gpkg"), Timestamp::now()).expect("a store");
    let lease = store.try_lease("somebody at work", Timestamp::now()).expect("the lease");
    let second = place.run(&["run", "--due", "--config", "run.toml"]);
    assert_eq!(second.status.code(), Some(5), "{}", text(&second));
    assert!(text(&second).contains("somebody at work"), "{}", text(&second));
    assert!(store.passes().expect("passes").is_empty() && !place.path("state/work").exists(), "nothing was done");
    lease.release();
    drop(store);

    let start = || {
        let arguments = ["run", "--due", "--config", "run.toml", "--today", SOON];
        place.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
    };
    let codes: Vec<_> = [start(), start()].map(|mut child| child.wait().expect("it ended").code()).to_vec();
    assert!(codes.contains(&Some(6)), "one came through, with its alarm: {codes:?}");
    assert!(codes.iter().all(|code| [Some(5), Some(6)].contains(code)), "{codes:?}");
    let after = due(&place, 6, SOON);
    assert_eq!((&after["taken"], &after["units_worked"]), (&json!([]), &json!(0)));
}

/// Row 17: a scheduled run that was killed goes on, and ends like an unbroken one.
#[test]
fn a_killed_scheduled_run_goes_on() {
    let place = watched("");
    place.configure("unbroken.toml", "unbroken");
    deliver(&place, &[APRIL, JUNE, OCTOBER]);
    place.json(0, &["run", "--due", "--config", "unbroken.toml"]);
    for wait_ms in [30, 90, 200, 400] {
        let mut child = place
            .command(&["run", "--due", "--config", "run.toml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().expect("kill -9");
        child.wait().expect("it ended");
    }
    due(&place, 0, SOON);
    for ((table, unbroken), (_, broken)) in decided(&place, "unbroken").iter().zip(decided(&place, "state")) {
        assert_eq!(*unbroken, broken, "{table}");
    }
}

/// What was not looked at since a date, by reach: clouds of June leave half of one reach unseen.
#[test]
fn status_tells_what_was_not_looked_at_since_a_date_and_what_is_overdue() {
    let mut place = watched(
        "observed_fraction_min = 0.9\ndefault_cadence_days = 365\ncadence = [{ reaches = [\"SYN-R*\"], days = 30 }]",
    );
    deliver(&place, &[APRIL, JUNE]);
    // a centreline through the upper reach, widened: its length is known about
    let line = json!({"type": "FeatureCollection", "features": [{"type": "Feature",
        "properties": {"reach_id": "LINE", "name": "A centreline"},
        "geometry": {"type": "LineString", "coordinates": across(&place, "SYN-R01")}}]});
    fs::write(place.path("line.geojson"), line.to_string()).expect("written");
    place.reaches +=
        "[[reaches]]\nfile = \"line.geojson\"\nid_field = \"reach_id\"\nname_field = \"name\"\nbuffer_m = 50.0\n";
    place.configure("run.toml", "state");
    due(&place, 0, "2024-07-01");
    let status =
        |since: &str| place.json(0, &["status", "--config", "run.toml", "--since", since, "--today", "2024-07-01"]);
    let of = |status: &Value, id: &str| -> Value {
        let rows = status["reaches"].as_array().expect("rows");
        rows.iter().find(|row| row["reach_id"] == id).cloned().expect("the reach")
    };
    let june = status("2024-06-01");
    assert_eq!((strings(&june["partly_looked_at"]), strings(&june["not_looked_at"])), (vec!["SYN-R02"], vec![]));
    assert_eq!(strings(&june["overdue"]), ["SYN-R02"]);
    let lower = of(&june, "SYN-R02");
    assert_eq!((&lower["last_observed"], &lower["overdue_days"]), (&json!("2024-04-18"), &json!(74 - 30)));
    let share = lower["observed_share_best_pass"].as_f64().expect("a share");
    assert!((0.4..0.6).contains(&share), "{lower}");
    assert_eq!((&lower["length_m_about"], &of(&june, "SYN-L01")["cadence_days"]), (&Value::Null, &json!(365)));
    let length = of(&june, "LINE")["length_m_about"].as_f64().expect("a length");
    assert!((900.0..1100.0).contains(&length), "a line of about a kilometre: {length}");

    let all: Vec<_> = ["LINE", "SYN-L01", "SYN-R01", "SYN-R02"].into();
    assert_eq!(strings(&status("2024-06-23")["not_looked_at"]), all);
    assert!(strings(&status("2024-06-22")["not_looked_at"]).is_empty(), "the day itself counts");
    assert!(strings(&status("2024-04-01")["partly_looked_at"]).is_empty(), "April saw all of it");

    let words = text(&place.run(&["status", "--config", "run.toml", "--since", "2024-06-01", "--today", "2024-07-01"]));
    for expected in
        ["looked at since 2024-06-01, as of 2024-07-01", "PARTLY looked at", "OVERDUE by 44 days (every 30)"]
    {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(place.run(&["report", "--config", "run.toml", "--today", "2024-07-01"]).status.success());
    let page = fs::read_to_string(place.path("state/out/report.html")).expect("the report");
    assert!(page.contains("Overdue as of 2024-07-01") && page.contains("2024-04-18, 74 days ago"));
    assert!(place.run(&["status", "--config", "run.toml", "--since", "June"]).status.code() == Some(2));
}

/// A line of a kilometre, west to east, through the middle of a reach's bounding box.
fn across(place: &Place, reach_id: &str) -> Value {
    let reaches: Value =
        serde_json::from_slice(&fs::read(place.path("imagery/reaches.geojson")).expect("reaches")).expect("JSON");
    let features = reaches["features"].as_array().expect("features");
    let reach = features.iter().find(|it| it["properties"]["reach_id"] == reach_id).expect("the reach");
    let ring = reach["geometry"]["coordinates"][0].as_array().expect("a ring");
    let middle = |axis: usize| {
        let values = || ring.iter().filter_map(|point| point[axis].as_f64());
        values().fold(f64::MAX, f64::min).midpoint(values().fold(f64::MIN, f64::max))
    };
    let (longitude, latitude) = (middle(0), middle(1));
    let half = 500.0 / (111_320.0 * latitude.to_radians().cos());
    json!([[longitude - half, latitude], [longitude + half, latitude]])
}
