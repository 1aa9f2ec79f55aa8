//! GDAL (and so QGIS) opens every layer without a warning and sees the right geometry, system and extent.

mod common;

use std::path::Path;
use std::process::Command;

use common::{filled, now, publication, reach};
use rusqlite::Connection;
use shorewatch_domain::case::CaseRules;
use tempfile::TempDir;

/// Standard output of `ogrinfo`, which must not complain; `None` where it is not installed.
fn ogrinfo(path: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("ogrinfo")
        .args(["--config", "CPL_DEBUG", "OFF", "-ro"])
        .args(arguments)
        .arg(path)
        .output()
        .ok()?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "ogrinfo {arguments:?}: {complaints}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn every_layer_opens_without_a_warning() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    store.import_reaches(&[reach("450702-001", 108.5)], now()).expect("imported");
    store.publish(&publication(&run, &pass, "a", 20), now()).expect("published");
    store.publish(&publication(&run, &pass, "b", 4), now()).expect("published");
    store.rebuild_cases(&CaseRules::default(), now()).expect("rebuilt");
    drop(store);
    let Some(all) = ogrinfo(&path, &["-al", "-so"]) else {
        eprintln!("skipped: ogrinfo is not installed (Debian package gdal-bin)");
        return;
    };
    let layers = [
        "passes",
        "reaches",
        "tiles",
        "patches",
        "runs",
        "units",
        "publications",
        "observations",
        "patches_superseded",
        "reviews",
        "cases",
        "case_events",
        "follow_ups",
        "patches_suppressed",
    ];
    for layer in layers {
        assert!(all.contains(&format!("Layer name: {layer}\n")), "{layer} is missing in:\n{all}");
    }
    let check = |layer: &str, expected: &[&str]| {
        let seen = ogrinfo(
            &path,
            &["-al", "-where", "fid > 0", "-oo", "LIST_ALL_TABLES=NO", "-geom=YES", "-wkt_format", "WKT1"],
        )
        .expect("it ran before");
        let part = seen.split("Layer name: ").find(|part| part.starts_with(&format!("{layer}\n"))).expect("the layer");
        for text in expected {
            assert!(part.contains(text), "{layer}: no {text:?} in:\n{part}");
        }
    };
    let system = r#"AUTHORITY["EPSG","4490"]"#;
    check(
        "patches",
        &[
            "Geometry: Polygon",
            "Feature Count: 4",
            "Extent: (108.500000, 21.800000) - (108.503500, 21.800500)",
            system,
            "suspected_issue_class (String) = construction",
            "issue_term (String) = 乱建",
            "post_date (DateTime) = 2024/03/15 03:21:07.500+00",
            "POLYGON ((108.5 21.8,108.5005 21.8,",
        ],
    );
    check(
        "reaches",
        &[
            "Geometry: Multi Polygon",
            "Extent: (108.500000, 21.900000) - (108.750000, 22.000000)",
            system,
            "name (String) = 钦江 450702-001",
        ],
    );
    check(
        "tiles",
        &["Geometry: Polygon", "Feature Count: 4", "Extent: (108.500000, 21.800000) - (108.700000, 21.850000)", system],
    );
    check("passes", &["Geometry: Polygon", "Extent: (108.400000, 21.800000) - (108.700000, 22.100000)", system]);
    check("observations", &["Geometry: None", "Feature Count: 2", "unobserved_cloud_px (Integer64) = 15"]);
    check("patches_superseded", &["Geometry: None", "Feature Count: 20", "geom (Binary)"]);
    check(
        "cases",
        &["Geometry: Polygon", "Feature Count: 4", system, "issue_term (String) = 乱建", "state (String) = suspected"],
    );
    check("case_events", &["Geometry: None", "Feature Count: 4", "event (String) = new"]);
    check("follow_ups", &["Geometry: None", "Feature Count: 4", "present_fraction (Real) = 0.75"]);
    check(
        "patches_suppressed",
        &["Geometry: Polygon", "Feature Count: 1", "Extent: (108.550000, 21.820000) - (108.551000, 21.821000)", system],
    );
    check("publications", &["is_current (Integer(Boolean)) = 1", "is_current (Integer(Boolean)) = 0"]);

    // through the spatial index
    let some = ogrinfo(&path, &["-al", "-so", "-spat", "108.5018", "21.8", "108.504", "21.81"]).expect("it ran before");
    let patches = some.split("Layer name: ").find(|part| part.starts_with("patches\n")).expect("the layer");
    assert!(patches.contains("Feature Count: 2"), "{patches}");
}

#[test]
fn header_register_and_indexes_are_those_of_the_standard() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let (mut store, pass, run) = filled(&path);
    store.publish(&publication(&run, &pass, "a", 20), now()).expect("published");
    store.publish(&publication(&run, &pass, "b", 4), now()).expect("published");
    store.rebuild_cases(&CaseRules::default(), now()).expect("rebuilt");
    drop(store);
    let connection = Connection::open(&path).expect("opened");
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!((number("PRAGMA application_id"), number("PRAGMA user_version")), (0x4750_4B47, 10_300));
    assert_eq!(number("SELECT count(*) FROM gpkg_spatial_ref_sys WHERE srs_id IN (-1, 0, 4326, 4490)"), 4);
    let indexed = number("SELECT count(*) FROM gpkg_extensions WHERE extension_name = 'gpkg_rtree_index'");
    assert!(indexed >= 11 && indexed == number("SELECT count(*) FROM gpkg_geometry_columns"), "{indexed}");
    assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    let health: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("an answer");
    assert_eq!(health, "ok");
    for layer in ["patches", "tiles", "passes", "reaches", "cases", "patches_suppressed"] {
        assert_eq!(
            number(&format!("SELECT count(*) FROM {layer}")),
            number(&format!("SELECT count(*) FROM rtree_{layer}_geom")),
            "{layer}"
        );
        let verdict: String = connection
            .query_row("SELECT rtreecheck(?1)", [format!("rtree_{layer}_geom")], |row| row.get(0))
            .expect("an answer");
        assert_eq!(verdict, "ok", "{layer}");
    }
    assert_eq!(number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'gpkg_%' AND name NOT LIKE 'rtree_%'
        AND name NOT LIKE 'sqlite_%' AND name NOT IN (SELECT table_name FROM gpkg_contents)"), 0, "every table is registered");
}
