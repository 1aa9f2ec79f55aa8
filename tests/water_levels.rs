//! Earlier passes are chosen by season, age and the water that each saw; and the choice is the same however a run comes about.

mod common;

use std::fs;

use common::{Place, decided};
use serde_json::Value;

/// Four years of the same season at two water levels: low, high, high, low. The last pass has the one before and one more to be
/// held against: by age the second, by its water the first.
fn four_years() -> Place {
    let mut place = Place::painted();
    let (low, high) = ("synthetic-20240418.tif", "synthetic-20240622.tif");
    for (year, file) in [(2020, low), (2021, high), (2022, high), (2023, low)] {
        fs::create_dir_all(place.path(&year.to_string())).expect("a folder");
        fs::copy(place.path("imagery").join(file), place.path(&year.to_string()).join(file)).expect("a copy");
    }
    place.passes = [2020, 2021, 2022, 2023].map(|year| pass(&place, year)).concat();
    place.extra = "[change]\nlook_back_passes = 2\n".to_owned();
    place
}

/// The entry of a year's pass.
fn pass(place: &Place, year: u16) -> String {
    let file =
        fs::read_dir(place.path(&year.to_string())).expect("a folder").next().expect("a file").expect("an entry");
    let file = file.file_name().into_string().expect("a name");
    format!(
        "[[passes]]\nfiles = [\"{year}/{file}\"]\nsensor = \"synthetic\"\nname = \"{year}\"\ntime = \"{year}-07-01T00:00:00Z\"\n"
    )
}

/// What each unit of a pass was held against: names in order, with the difference in water.
fn chosen(place: &Place, state: &str, pass: &str) -> Vec<Vec<(String, Option<f64>)>> {
    let store = rusqlite::Connection::open(place.path(&format!("{state}/store.gpkg"))).expect("the store opens");
    let name = |id: &str| -> String {
        store.query_row("SELECT name FROM passes WHERE pass_id = ?1", [id], |row| row.get(0)).expect("a pass")
    };
    let mut units = store
        .prepare(
            "SELECT summary FROM units JOIN publications USING (publication_id) JOIN passes ON passes.pass_id = units.pass_id
             WHERE is_current AND name = ?1",
        )
        .expect("a statement");
    let summaries = units.query_map([pass], |row| row.get::<_, String>(0)).expect("units");
    summaries
        .map(|summary| {
            let summary: Value = serde_json::from_str(&summary.expect("a summary")).expect("JSON");
            let chosen = summary["chosen"].as_array().expect("the choice is recorded");
            let of = |one: &Value| (name(one["pass_id"].as_str().expect("an id")), one["water_difference"].as_f64());
            chosen.iter().map(of).collect()
        })
        .collect()
}

fn names(units: &[Vec<(String, Option<f64>)>]) -> Vec<Vec<&str>> {
    units.iter().map(|unit| unit.iter().map(|(name, _)| name.as_str()).collect()).collect()
}

#[test]
fn a_pass_of_the_same_water_level_is_chosen_whatever_way_the_run_comes_about() {
    let mut place = four_years();
    place.configure("whole.toml", "whole");
    place.json(0, &["run", "--config", "whole.toml"]);
    let whole = chosen(&place, "whole", "2023");
    assert!(!whole.is_empty());
    // reaches whose water did not change keep to the recent year
    assert!(names(&whole).contains(&vec!["2022", "2020"]), "{whole:?}");
    for unit in &whole {
        let [(_, latest), (other, difference)] = &unit[..] else { panic!("two earlier passes: {unit:?}") };
        // a reach under cloud tells no level, and then age decides
        assert_eq!(difference.is_some(), latest.is_some(), "both hold the level of the same pass: {unit:?}");
        assert!(other == "2021" || *difference == Some(0.0), "2020 shows the same water: {unit:?}");
    }
    let again = place.json(0, &["run", "--config", "whole.toml"]);
    assert_eq!((again["units_worked"].as_u64(), again["publications"].as_u64()), (Some(0), Some(0)), "it is settled");

    // step by step: what a pass saw is known when its units are worked, and then it may be held against others
    place.configure("steps.toml", "steps");
    for round in 0.. {
        let plan = place.json(0, &["plan", "--config", "steps.toml"]);
        let units: Vec<&str> =
            plan["units"].as_array().expect("units").iter().filter_map(|unit| unit["id"].as_str()).collect();
        let worked = place.json(0, &[vec!["work", "--config", "steps.toml"], units].concat());
        if worked["worked"] == 0 {
            break;
        }
        assert!(round < 2, "the second plan is the last");
    }
    place.json(0, &["publish", "--config", "steps.toml"]);
    for ((table, whole), (_, steps)) in decided(&place, "whole").iter().zip(decided(&place, "steps")) {
        assert_eq!(*whole, steps, "{table}");
    }

    // the pass of the same water arrives last: the one of 2023 is held against it then
    let passes = place.passes.clone();
    place.passes = [2021, 2022, 2023].map(|year| pass(&place, year)).concat();
    place.configure("late.toml", "late");
    place.json(0, &["run", "--config", "late.toml"]);
    assert!(names(&chosen(&place, "late", "2023")).iter().all(|unit| *unit == ["2022", "2021"]));
    place.passes = passes;
    place.configure("late.toml", "late");
    place.json(0, &["run", "--config", "late.toml"]);
    let sorted = |mut units: Vec<Vec<(String, Option<f64>)>>| {
        units.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
        units
    };
    assert_eq!(sorted(chosen(&place, "late", "2023")), sorted(whole));
    let again = place.json(0, &["run", "--config", "late.toml"]);
    assert_eq!(again["units_worked"].as_u64(), Some(0), "nothing is left to be chosen otherwise");
}
