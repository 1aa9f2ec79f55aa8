//! Records that the tests store, and the whole content of a store as text.

// each test binary takes what it needs
#![allow(dead_code, reason = "shared by several test binaries, none of which uses all of it")]

use std::path::Path;

use geo_types::{MultiPolygon, Polygon, polygon};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;
use shorewatch_domain::case::FollowUp;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::observed::Coverage;
use shorewatch_domain::pass::{AcquisitionTime, FittedBand, Pass, PassFile, PassState, TimePrecision, TimeSource};
use shorewatch_domain::patch::{Patch, SuppressedPlace};
use shorewatch_domain::reach::{Reach, ScopeSource};
use shorewatch_domain::sensor::BandRole;
use shorewatch_domain::unit::{Before, ChoiceReason, ChosenPass, HeldGround, Unit, UnitContext, UnitSummary};
use shorewatch_store::{NewPatch, PlanCounts, Publication, PublishedUnit, ReachObservation, RunStart, Store};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn now() -> Timestamp {
    at("2024-06-01T08:00:00Z")
}

pub(crate) fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

pub(crate) fn square(x: f64, y: f64, edge: f64) -> Polygon<f64> {
    polygon![(x: x, y: y), (x: x + edge, y: y), (x: x + edge, y: y + edge), (x: x, y: y + edge)]
}

/// A pass whose identity is the text `content`.
pub(crate) fn pass(name: &str, content: &str, acquired: &str) -> Pass {
    let files = vec![PassFile {
        path: format!("imagery/{name}.tif"),
        digest: digest(content),
        size_bytes: 1_234_567,
        modified_ns: 1_717_228_800_123_456_789,
    }];
    let acquired = AcquisitionTime { at: at(acquired), precision: TimePrecision::Second, source: TimeSource::Metadata };
    Pass {
        id: Pass::identity("gf2_pms", Some(&acquired), None, &files),
        name: name.to_owned(),
        revision: 0,
        sensor: "gf2_pms".to_owned(),
        acquired: Some(acquired),
        files,
        assigned_epsg: Some(4524),
        fitted: vec![FittedBand { role: BandRole::Nir, scale: 0.1 + 0.2, offset: -1.0 / 3.0 }],
        footprint: square(108.4, 21.8, 0.1 + 0.2)
            .into_inner()
            .0
            .into_iter()
            .map(|corner| (corner.x, corner.y))
            .collect(),
        state: PassState::Ready,
        warnings: vec!["3 blocks beyond the end of the file".to_owned()],
    }
}

pub(crate) fn reach(id: &str, x: f64) -> Reach {
    let holed = polygon!(
        exterior: [(x: x, y: 21.9), (x: x + 0.1, y: 21.9), (x: x + 0.1, y: 22.0), (x: x, y: 22.0)],
        interiors: [[(x: x + 0.02, y: 21.92), (x: x + 0.04, y: 21.92), (x: x + 0.04, y: 21.94)]],
    );
    Reach {
        id: id.to_owned(),
        name: format!("钦江 {id}"),
        scope: MultiPolygon(vec![holed, square(x + 0.2, 21.9, 0.05)]),
        scope_source: ScopeSource::BufferedCentreline { buffer_m: 150.0 },
        origin: "reaches.gpkg, layer scope".to_owned(),
        repairs: vec!["one self-intersection cut".to_owned()],
    }
}

pub(crate) fn run_start(name: &str) -> RunStart {
    RunStart {
        run_id: digest(name),
        started_at: at("2024-06-01T08:00:00Z"),
        program_version: "0.1.0".to_owned(),
        model_name: "unet".to_owned(),
        model_version: "1".to_owned(),
        model_digest: digest("model"),
        configuration_digest: digest("configuration"),
        configuration: "[grid]\npixel_size_m = 10.0\n".to_owned(),
        synthetic: true,
        plan: PlanCounts { passes: 2, reaches: 3, publications: 2, units_up_to_date: 1 },
        units_total: 8,
    }
}

pub(crate) fn patch(pass: &Pass, i: usize) -> NewPatch {
    let (x, y) = (108.5 + (i % 100) as f64 * 0.001, 21.8 + (i / 100) as f64 * 0.001);
    let geometry = square(x, y, 0.0005);
    let patch = Patch {
        patch_id: format!("20240315-{}-{i:06}", pass.id.short()),
        reach_id: "450702-001".to_owned(),
        reach_name: "钦江".to_owned(),
        object_class: "building".to_owned(),
        change_type: "vegetation_to_built_up".to_owned(),
        suspected_issue_class: [IssueClass::Construction, IssueClass::Mining][i % 2],
        geometry,
        area_m2: 2_600.25,
        perimeter_m: 204.1,
        centre: (x + 0.000_25, y + 0.000_25),
        confidence: 0.5 + (i * 7 % 50) as f64 / 100.0,
        confidence_max: 0.99,
        valid_fraction: 1.0,
        review_score: Some(0.75),
        change_score: None,
        evidence: std::collections::BTreeMap::from([("alteration".to_owned(), 1.5)]),
        coreg_rmse_px: Some(0.25),
        pre_date: at("2023-03-12T03:20:00Z"),
        post_date: pass.acquired.expect("a time").at,
        pre_pass_id: digest("earlier"),
        post_pass_id: pass.id,
        pre_sensor: "gf1_pms".to_owned(),
        post_sensor: pass.sensor.clone(),
        grid_epsg: Epsg(4524),
        ground_sampling_distance_m: 10.0,
        pixel_count: 26,
        model_name: "unet".to_owned(),
        model_version: "1".to_owned(),
        model_digest: digest("model"),
        configuration_digest: digest("configuration"),
        program_version: "0.1.0".to_owned(),
    };
    NewPatch { patch, rank: Some(i as u32 + 1), chip_before: Some(format!("chips/{i}_before.png")), chip_after: None }
}

/// A publication of `pass` with four units and `patches` patches; another `configuration` is another publication.
pub(crate) fn publication(run: &RunStart, pass: &Pass, configuration: &str, patches: usize) -> Publication {
    let grid = Grid::new(Epsg(4524), 10.0);
    let context = UnitContext { model: digest("model"), configuration: digest(configuration) };
    let coverage =
        Coverage { scope_px: 100, observed_px: 80, compared_px: 70, unobserved_px: [0, 5, 0, 0, 15, 0, 0, 0] };
    let chosen = || ChosenPass {
        pass_id: digest("earlier"),
        reason: ChoiceReason::Latest,
        years: 1.25,
        season_days: 91.0,
        water_difference: Some(0.1),
    };
    let before = || Before { chosen: vec![chosen()], belief: None };
    let units: Vec<_> = (0..4)
        .map(|col| PublishedUnit {
            unit: Unit::new(grid, Cell { row: -3, col }, 512, pass.id, before(), vec![], &context),
            summary: UnitSummary {
                coverage: [("450702-001".to_owned(), coverage.clone())].into(),
                class_px: [("450702-001".to_owned(), vec![10, 20, 50])].into(),
                chosen: vec![chosen()],
                held: vec![HeldGround { pass_id: digest("earlier"), off_px: 20.5 + col as f64, px: 10 }],
                held_px: [("450702-001".to_owned(), 10)].into(),
                faults: vec!["block (1, 2) could not be decoded".to_owned()],
            },
            outline: square(108.5 + col as f64 * 0.05, 21.8, 0.05),
        })
        .collect();
    Publication {
        id: Publication::identity(&pass.id, &grid, units.iter().map(|published| published.unit.id)),
        run_id: run.run_id,
        pass_id: pass.id,
        grid,
        post_date: pass.acquired.expect("a time").at,
        units,
        observations: vec![ReachObservation {
            reach_id: "450702-001".to_owned(),
            earlier_pass_ids: vec![digest("earlier")],
            pixel_area_m2: 100.0,
            coverage,
            class_px: vec![40, 80, 200],
        }],
        patches: (0..patches).map(|i| patch(pass, i)).collect(),
        follow_ups: vec![
            FollowUp {
                patch_id: "20230312-earlier".to_owned(),
                observed_fraction: 0.1 + 0.2,
                present_fraction: Some(0.75),
                changed_fraction: Some(0.25),
                review_score: Some(0.125),
            },
            FollowUp {
                patch_id: "20230312-hidden".to_owned(),
                observed_fraction: 0.0,
                present_fraction: None,
                changed_fraction: None,
                review_score: None,
            },
        ],
        suppressed: vec![SuppressedPlace {
            reach_id: "450702-001".to_owned(),
            change_type: "water_to_bare_ground".to_owned(),
            reason: "the water fell: 水位".to_owned(),
            geometry: square(108.55, 21.82, 0.001),
            area_m2: 10_400.5,
            confidence: 0.75,
            review_score: None,
        }],
    }
}

/// A store with one pass and one begun run.
pub(crate) fn filled(path: &Path) -> (Store, Pass, RunStart) {
    let mut store = Store::create_or_open(path, now()).expect("a store");
    let pass = pass("GF2_20240315", "bytes", "2024-03-15T03:21:07.5Z");
    let run = run_start("run");
    store.add_pass(&pass, now()).expect("added");
    store.begin_run(&run).expect("begun");
    (store, pass, run)
}

/// Takes out of a store what the migrations after `version` (1 or 2) put there.
pub(crate) fn make_older(path: &Path, version: u32) {
    let connection = Connection::open(path).expect("opened");
    let run = |sql: &str| connection.execute_batch(sql).expect(sql);
    drop_later_than_3(&connection);
    for table in ["case_events", "cases", "follow_ups", "patches_suppressed"] {
        run(&format!(
            "DROP TABLE {table}; DROP TABLE IF EXISTS rtree_{table}_geom;
             DELETE FROM gpkg_extensions WHERE table_name = '{table}';
             DELETE FROM gpkg_geometry_columns WHERE table_name = '{table}';
             DELETE FROM gpkg_contents WHERE table_name = '{table}';"
        ));
    }
    for table in ["patches", "patches_superseded"] {
        for column in ["review_score", "change_score", "evidence", "coreg_rmse_px"] {
            run(&format!("ALTER TABLE {table} DROP COLUMN {column}"));
        }
    }
    if version < 2 {
        run("DROP TABLE reviews; DELETE FROM gpkg_contents WHERE table_name = 'reviews'");
    }
    run(&format!("DELETE FROM shorewatch_schema WHERE version > {version}"));
}

/// Drops every table that is no table of version 3, with the triggers that fill it.
fn drop_later_than_3(connection: &Connection) {
    let run = |sql: &str| connection.execute_batch(sql).expect(sql);
    let of_version_3 = [
        "shorewatch_schema",
        "passes",
        "reaches",
        "runs",
        "publications",
        "units",
        "tiles",
        "observations",
        "patches",
        "patches_superseded",
        "reviews",
        "follow_ups",
        "patches_suppressed",
        "cases",
        "case_events",
    ];
    let names = |kind: &str| -> Vec<(String, String)> {
        connection
            .prepare("SELECT name, coalesce(sql, '') FROM sqlite_master WHERE type = ?1")
            .and_then(|mut statement| statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .expect("names")
    };
    let is_standard = |name: &str| ["sqlite_", "gpkg_", "rtree_"].iter().any(|start| name.starts_with(start));
    let later: Vec<String> = names("table")
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !is_standard(name) && !of_version_3.contains(&name.as_str()))
        .collect();
    run("PRAGMA foreign_keys = OFF");
    for (trigger, sql) in names("trigger") {
        if !trigger.starts_with("rtree_") && later.iter().any(|table| sql.contains(table.as_str())) {
            run(&format!("DROP TRIGGER {trigger}"));
        }
    }
    for table in later {
        run(&format!(
            "DROP TABLE {table}; DROP TABLE IF EXISTS rtree_{table}_geom;
             DELETE FROM gpkg_extensions WHERE table_name = '{table}';
             DELETE FROM gpkg_geometry_columns WHERE table_name = '{table}';
             DELETE FROM gpkg_contents WHERE table_name = '{table}';"
        ));
    }
}

/// Every row of every table, as text, for comparisons row for row.
pub(crate) fn dump(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).expect("a database");
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .expect("tables");
    let mut lines = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\" ORDER BY 1")).expect("a table");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let values: Vec<Value> = (0..columns).map(|i| row.get(i).expect("a value")).collect();
            lines.push(format!("{table}: {values:?}"));
        }
    }
    lines
}
