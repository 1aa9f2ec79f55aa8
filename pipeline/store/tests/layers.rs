//! Layers come in whole or not at all, version by version, and come back as they went in.

mod common;

use std::collections::BTreeMap;
use std::process::Command;

use common::{digest, filled, now, square};
use geo_types::{MultiPolygon, Point};
use jiff::civil::date;
use shorewatch_domain::law::layer::{AdministrativeLevel, BoundarySource, Facts, Feature, MiningPermit};
use shorewatch_domain::law::office::{Chief, Department, DepartmentRole};
use shorewatch_domain::law::period::{Period, Season, YearDay};
use shorewatch_domain::law::place::{NamedPlace, Versions};
use shorewatch_domain::law::record::{ChiefRecord, KilometrePointRecord, LayerContent, ReachRecord, Record};
use shorewatch_domain::law::water::{KilometrePoint, Water, WaterKind, WaterReach};
use shorewatch_store::{LayerImport, NewLayer, Store};
use tempfile::TempDir;

fn layer(name: &str, bytes: &str, rows: Vec<Record>) -> NewLayer {
    NewLayer {
        may_be_empty: false,
        layer: name.to_owned(),
        content: LayerContent::of_layer(name).expect("a content"),
        file: "scopes.shp".to_owned(),
        digest: digest(bytes),
        mapping: "{}".to_owned(),
        rows,
        repairs: vec!["feature 2 (code \"S2\"): a ring was not closed: closed".to_owned()],
    }
}

fn scope(code: &str, x: f64) -> Record {
    Record::Feature(Feature {
        code: code.to_owned(),
        name: format!("{code}管理范围"),
        geometry: MultiPolygon(vec![square(x, 30.0, 0.1 + 0.2), square(x + 1.0, 30.0, 0.1)]),
        facts: Facts::ManagementScope { source: BoundarySource::Buffer { buffer_m: 50.0 }, water_code: None },
        other: BTreeMap::from([("备注".to_owned(), "=1+1".to_owned())]),
        repairs: vec!["closed".to_owned()],
    })
}

fn permit() -> Record {
    let season = Season { from: YearDay { month: 4, day: 1 }, to: YearDay { month: 6, day: 30 } };
    let valid = Period { from: Some(date(2023, 1, 1)), to: None };
    let permit = MiningPermit { valid, volume_m3: Some(12_000.5), forbidden_seasons: vec![season] };
    Record::Feature(Feature {
        code: "采〔2023〕7号".to_owned(),
        name: "沙洲砂场".to_owned(),
        geometry: MultiPolygon(vec![square(110.0, 30.0, 0.01)]),
        facts: Facts::MiningPermit(permit),
        other: BTreeMap::new(),
        repairs: Vec::new(),
    })
}

fn reach(code: &str, water_code: &str, starts_at_m: f64) -> Record {
    Record::Reach(ReachRecord {
        water_code: water_code.to_owned(),
        water_name: Some("清水河".to_owned()),
        water_kind: Some(WaterKind::Lake),
        reach: WaterReach {
            code: code.to_owned(),
            name: format!("{code}段"),
            centreline: vec![(110.0, 30.0), (110.1 + 0.2, 30.05)].into(),
            starts_at_m,
            ends_at_m: None,
            kilometre_points: Vec::new(),
        },
    })
}

fn kilometre_point(code: &str, reach_code: &str) -> Record {
    let point = KilometrePoint { location: Point::new(110.05, 30.01), chainage_m: 5000.0 };
    Record::KilometrePoint(KilometrePointRecord { code: code.to_owned(), reach_code: reach_code.to_owned(), point })
}

fn chief() -> Chief {
    Chief {
        level: AdministrativeLevel::County,
        in_charge_of: "R1".to_owned(),
        name: "县级河长甲".to_owned(),
        title: Some("副县长".to_owned()),
        telephone: Some("000-0000".to_owned()),
        valid: Period { from: Some(date(2022, 5, 1)), to: Some(date(2024, 4, 30)) },
    }
}

fn store(folder: &TempDir) -> Store {
    Store::create_or_open(folder.path().join("s.gpkg"), now()).expect("a store")
}

#[test]
fn what_is_in_force_comes_back_put_together() {
    let folder = TempDir::new().expect("a folder");
    let mut store = store(&folder);
    let water = Water {
        code: "W1".to_owned(),
        name: "青川".to_owned(),
        kind: WaterKind::River,
        class: Some("二级".to_owned()),
        basin: Some("B1".to_owned()),
        reaches: Vec::new(),
        surface: Some(MultiPolygon(vec![square(110.0, 30.0, 0.1)])),
    };
    let place = NamedPlace { code: "P1".to_owned(), name: "渡口村".to_owned(), location: Point::new(110.3, 30.4) };
    let department = Department {
        code: "D1".to_owned(),
        name: "水利局".to_owned(),
        serves: "450702".to_owned(),
        role: DepartmentRole::Lead,
        issue_classes: vec!["mining".to_owned()],
        zones: Vec::new(),
        valid: Period::default(),
    };
    let chief_row = ChiefRecord { code: "C1".to_owned(), chief: chief() };
    for (name, rows) in [
        ("water", vec![Record::Water(water.clone())]),
        ("water_reach", vec![reach("R2", "W1", 9000.0), reach("R1", "W1", 0.0), reach("R9", "W9", 0.0)]),
        ("kilometre_point", vec![kilometre_point("K1", "R1"), kilometre_point("K2", "R8")]),
        ("named_place", vec![Record::NamedPlace(place.clone())]),
        ("chief", vec![Record::Chief(chief_row)]),
        ("department", vec![Record::Department(department.clone())]),
        ("management_scope/buffer", vec![scope("S1", 110.0)]),
        ("mining_permit", vec![permit()]),
    ] {
        let import = store.import_layer(&layer(name, name, rows), now()).expect("imported");
        assert_eq!(import, LayerImport::New { version: 1 });
    }
    drop(store);
    let store = Store::open_read_only(folder.path().join("s.gpkg")).expect("a store");
    let all = store.layers_in_force().expect("read");
    assert_eq!(all.features.iter().cloned().map(Record::Feature).collect::<Vec<_>>(), [scope("S1", 110.0), permit()]);
    assert_eq!((all.places, all.chiefs, all.departments), (vec![place], vec![chief()], vec![department]));
    assert_eq!(all.versions.keys().collect::<Vec<_>>().len(), 8);
    assert_eq!(all.stray_kilometre_points, [("K2".to_owned(), "R8".to_owned())]);
    let codes: Vec<_> = all.waters.iter().map(|water| (water.code.as_str(), water.kind, water.reaches.len())).collect();
    assert_eq!(codes, [("W1", WaterKind::River, 2), ("W9", WaterKind::Lake, 1)]);
    assert_eq!(all.waters[0].surface, water.surface);
    assert_eq!((all.waters[0].reaches[0].code.as_str(), all.waters[0].reaches[1].code.as_str()), ("R1", "R2"));
    assert_eq!(all.waters[0].reaches[0].kilometre_points.len(), 1);
    assert_eq!(all.waters[1].name, "清水河");
}

#[test]
fn the_same_bytes_again_add_nothing_and_other_bytes_are_another_version() {
    let folder = TempDir::new().expect("a folder");
    let mut store = store(&folder);
    let first = layer("management_scope", "1", vec![scope("S1", 110.0), scope("S2", 112.0)]);
    assert_eq!(store.import_layer(&first, now()).expect("imported"), LayerImport::New { version: 1 });
    assert_eq!(store.import_layer(&first, now()).expect("imported"), LayerImport::Unchanged { version: 1 });
    let second = layer("management_scope", "2", vec![scope("S2", 112.5), scope("S3", 114.0)]);
    assert_eq!(store.import_layer(&second, now()).expect("imported"), LayerImport::New { version: 2 });
    assert_eq!(store.layer_rows("management_scope", 1).expect("read"), first.rows);
    assert_eq!(store.layer_rows("management_scope", 2).expect("read"), second.rows);
    let versions = store.layer_versions().expect("read");
    assert_eq!(versions.iter().map(|one| (one.version, one.in_force)).collect::<Vec<_>>(), [(1, false), (2, true)]);
    assert_eq!((versions[0].row_count, versions[0].repairs.len()), (2, 1));
    // back to what it was: a version of its own, so that the history tells it
    assert_eq!(store.import_layer(&first, now()).expect("imported"), LayerImport::New { version: 3 });
    let codes: Vec<_> = store.layers_in_force().expect("read").features.into_iter().map(|one| one.code).collect();
    assert_eq!(codes, ["S1", "S2"]);
}

#[test]
fn a_fault_leaves_the_earlier_version_in_force() {
    let folder = TempDir::new().expect("a folder");
    let mut store = store(&folder);
    store.import_layer(&layer("management_scope", "1", vec![scope("S1", 110.0)]), now()).expect("imported");
    store.import_layer(&layer("management_scope/east", "1", vec![scope("S5", 115.0)]), now()).expect("imported");
    let before = store.layers_in_force().expect("read");
    let mut metres = scope("S1", 110.0);
    if let Record::Feature(feature) = &mut metres {
        feature.geometry = MultiPolygon(vec![square(551_000.0, 3_300_000.0, 10.0)]);
    }
    for (rows, words) in [
        (vec![scope("S1", 110.0), scope("S1", 111.0)], "a second time"),
        (vec![scope("S1", 110.0), scope("S5", 111.0)], "of the layer management_scope/east already"),
        (vec![scope("", 110.0)], "is empty"),
        (vec![metres], "not in degrees"),
        (vec![scope("S1", 110.0), permit()], "is a mining_permit"),
        (Vec::new(), "no rows"),
    ] {
        let refused = store.import_layer(&layer("management_scope", "2", rows), now()).expect_err("refused");
        let text = std::error::Error::source(&refused).expect("a cause").to_string();
        assert!(text.contains(words) && text.contains("stays in force"), "{text}");
        assert_eq!(store.layers_in_force().expect("read"), before);
    }
    assert_eq!(store.layer_versions().expect("read").len(), 2);
}

#[test]
fn runs_tell_the_versions_that_they_used() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, _, run) = filled(&folder.path().join("s.gpkg"));
    store.import_layer(&layer("management_scope", "1", vec![scope("S1", 110.0)]), now()).expect("imported");
    let versions = store.layers_in_force().expect("read").versions;
    store.record_run_layers(&run.run_id, &versions, now()).expect("noted");
    store.import_layer(&layer("management_scope", "2", vec![scope("S1", 111.0)]), now()).expect("imported");
    assert_eq!(store.run_layers(&run.run_id).expect("read"), Versions::from([("management_scope".to_owned(), 1)]));
    assert_eq!(store.run_layers(&digest("another")).expect("read"), Versions::new());
    let unknown = Versions::from([("wetland".to_owned(), 4)]);
    assert!(store.record_run_layers(&run.run_id, &unknown, now()).is_err(), "there is no such version");
    assert_eq!(store.run_layers(&run.run_id).expect("read"), versions);
}

#[test]
fn a_layer_is_withdrawn_with_a_reason_and_comes_back_by_an_import() {
    let folder = TempDir::new().expect("a folder");
    let (mut store, _, run) = filled(&folder.path().join("s.gpkg"));
    let scopes = layer("management_scope", "1", vec![scope("S1", 110.0)]);
    store.import_layer(&scopes, now()).expect("imported");
    for (name, reason) in [("wetland", "late"), ("management_scope", "  ")] {
        let refused = store.withdraw_layer(name, reason, now()).expect_err("refused");
        let text = std::error::Error::source(&refused).expect("a cause").to_string();
        assert!(text.contains(name), "{text}");
    }
    assert_eq!(store.withdraw_layer("management_scope", "drawn on shifted imagery", now()).expect("withdrawn"), 2);
    let all = store.layers_in_force().expect("read");
    assert!(all.features.is_empty() && all.versions.is_empty(), "nothing of its kind is in force");
    assert_eq!(all.noted(), Versions::from([("management_scope".to_owned(), 2)]));
    store.record_run_layers(&run.run_id, &all.noted(), now()).expect("noted");
    assert_eq!(store.run_layers(&run.run_id).expect("read"), all.noted());
    assert_eq!(store.layer_rows("management_scope", 1).expect("read"), scopes.rows, "its version is kept");
    let versions = store.layer_versions().expect("read");
    let told: Vec<_> =
        versions.iter().map(|one| (one.version, one.in_force, one.withdrawn_reason.as_deref())).collect();
    assert_eq!(told, [(1, false, None), (2, false, Some("drawn on shifted imagery"))]);
    // the same bytes, meant this time
    assert_eq!(store.import_layer(&scopes, now()).expect("imported"), LayerImport::New { version: 3 });
    let all = store.layers_in_force().expect("read");
    assert_eq!((all.features.len(), all.noted()), (1, Versions::from([("management_scope".to_owned(), 3)])));
}

#[test]
fn a_layer_without_rows_is_in_force_where_it_is_meant() {
    let folder = TempDir::new().expect("a folder");
    let mut store = store(&folder);
    store.import_layer(&layer("management_scope", "1", vec![scope("S1", 110.0)]), now()).expect("imported");
    let empty = NewLayer { may_be_empty: true, ..layer("management_scope", "2", Vec::new()) };
    assert_eq!(store.import_layer(&empty, now()).expect("imported"), LayerImport::New { version: 2 });
    let all = store.layers_in_force().expect("read");
    assert_eq!((all.features.len(), all.versions), (0, Versions::from([("management_scope".to_owned(), 2)])));
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn gdal_opens_layers_of_polygons_lines_and_points() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("s.gpkg");
    let mut store = Store::create_or_open(&path, now()).expect("a store");
    store.import_layer(&layer("management_scope", "1", vec![scope("S1", 110.0)]), now()).expect("imported");
    store.import_layer(&layer("water_reach", "1", vec![reach("R1", "W1", 0.0)]), now()).expect("imported");
    store.import_layer(&layer("kilometre_point", "1", vec![kilometre_point("K1", "R1")]), now()).expect("imported");
    drop(store);
    for (table, words) in [
        ("layer_features", ["Geometry: Multi Polygon", "Extent: (110.000000, 30.000000) - (111.100000, 30.300000)"]),
        ("water_reaches", ["Geometry: Line String", "LINESTRING (110 30,110.3 30.05)"]),
        ("kilometre_points", ["Geometry: Point", "POINT (110.05 30.01)"]),
    ] {
        let Ok(output) = Command::new("ogrinfo").args(["-ro", "-al"]).arg(&path).arg(table).output() else {
            eprintln!("skipped: ogrinfo is not installed (Debian package gdal-bin)");
            return;
        };
        let (text, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && complaints.is_empty(), "{complaints}");
        for word in words {
            assert!(text.contains(word), "{table}: no {word:?} in\n{text}");
        }
    }
}
