use std::fs;
use std::process::Command;

use geo_types::polygon;
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::digest::Digest;

use super::*;

fn patch(number: u8) -> Patch {
    let shift = f64::from(number) * 0.01;
    Patch {
        patch_id: format!("20240315-{number:08x}"),
        reach_id: "450702-000001".to_owned(),
        reach_name: "青龙河, \"west\" bank".to_owned(),
        object_class: "=cmd|' /C calc'!A0".to_owned(),
        change_type: "vegetation_to_built_up".to_owned(),
        suspected_issue_class: IssueClass::Construction,
        // clockwise outside and counter-clockwise inside: the wrong way round for RFC 7946
        geometry: polygon![
            exterior: [
                (x: 108.6 + shift, y: 21.9), (x: 108.6 + shift, y: 21.91), (x: 108.61 + shift, y: 21.91), (x: 108.61 + shift, y: 21.9),
            ],
            interiors: [[
                (x: 108.604 + shift, y: 21.904), (x: 108.606 + shift, y: 21.904), (x: 108.606 + shift, y: 21.906), (x: 108.604 + shift, y: 21.906),
            ]],
        ],
        area_m2: 1_234.567_89,
        perimeter_m: 456.7,
        centre: (108.602 + shift, 21.902),
        confidence: 0.75,
        confidence_max: 0.99,
        valid_fraction: 1.0,
        review_score: Some(0.75),
        change_score: None,
        evidence: std::collections::BTreeMap::from([("alteration".to_owned(), 1.5)]),
        coreg_rmse_px: Some(0.25),
        pre_date: "2019-09-04T00:00:00Z".parse().expect("a time"),
        post_date: "2024-03-15T02:41:09Z".parse().expect("a time"),
        pre_pass_id: Digest::of_bytes(b"pre"),
        post_pass_id: Digest::of_bytes(b"post"),
        pre_sensor: "naip".to_owned(),
        post_sensor: "naip".to_owned(),
        grid_epsg: Epsg(4524),
        ground_sampling_distance_m: 5.0,
        pixel_count: 49,
        model_name: "small-unet".to_owned(),
        model_version: "1.0.0".to_owned(),
        model_digest: Digest::of_bytes(b"model"),
        configuration_digest: Digest::of_bytes(b"configuration"),
        program_version: "0.1.0".to_owned(),
    }
}

fn exported(format: ExportFormat, patches: &[Patch]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let ending = ExportFormat::ALL.iter().find(|(own, _)| *own == format).expect("listed").1;
    let path = folder.path().join(format!("patches.{ending}"));
    assert_eq!(ExportFormat::of_path(&path), Some(format));
    export(&path, format, patches).expect("exported");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing beside it");
    (folder, path)
}

fn ogrinfo(path: &Path) -> String {
    let told = Command::new("ogrinfo").args(["-ro", "-al"]).arg(path).output().expect("ogrinfo is installed");
    assert!(told.status.success());
    String::from_utf8(told.stdout).expect("UTF-8") + &String::from_utf8_lossy(&told.stderr)
}

/// The keys of a patch by its own serialisation; geometry and centre have their own columns.
fn own_fields() -> Vec<String> {
    let json = serde_json::to_value(patch(1)).expect("serialised");
    let keys = json.as_object().expect("an object").keys().cloned();
    keys.filter(|key| key != "geometry" && key != "centre").collect()
}

#[test]
fn every_field_of_a_patch_is_exported_under_its_own_name() {
    for field in own_fields() {
        assert!(FIELDS.iter().any(|(name, _)| *name == field), "{field} is not exported");
    }
    assert_eq!(FIELDS.len(), own_fields().len() + 2, "and the centre as two numbers");
    let json = serde_json::to_value(patch(1)).expect("serialised");
    for ((name, _), value) in FIELDS.iter().zip(values(&patch(1))) {
        // contributions are spelt out for people
        let Some(own) = json.get(name).filter(|_| *name != "evidence") else { continue };
        let text = match value {
            Value::Text(text) => serde_json::Value::from(text),
            Value::Real(number) => serde_json::Value::from(number),
            Value::Integer(number) => serde_json::Value::from(number),
            Value::Time(time) => serde_json::Value::from(time.to_string()),
            Value::Missing => serde_json::Value::Null,
        };
        assert_eq!(*own, text, "{name}");
    }
}

#[test]
fn evidence_is_spelt_out_with_the_weightiest_first() {
    let mut patch = patch(1);
    patch.evidence.insert("water".to_owned(), -2.0);
    let index = FIELDS.iter().position(|(name, _)| *name == "evidence").expect("a field");
    assert_eq!(values(&patch)[index], Value::Text("water -2.00, alteration +1.50".to_owned()));
}

#[test]
fn layers_are_read_back_by_another_program() {
    for format in [ExportFormat::GeoPackage, ExportFormat::FlatGeobuf] {
        let (_folder, path) = exported(format, &[patch(1), patch(2), patch(3)]);
        let told = ogrinfo(&path);
        assert!(told.contains("Feature Count: 3") && told.contains("Layer name: patches"), "{format:?}: {told}");
        assert!(told.contains("China Geodetic Coordinate System 2000") && told.contains("4490"), "{format:?}: {told}");
        assert!(told.contains("reach_name (String) = 青龙河, \"west\" bank"), "{format:?}: {told}");
        assert!(told.contains("area_m2 (Real) = 1234.56789"), "{format:?}: {told}");
        assert!(told.contains("pixel_count (Integer64) = 49"), "{format:?}: {told}");
        assert!(told.contains("post_date (DateTime) = 2024/03/15 02:41:09+00"), "{format:?}: {told}");
        assert!(
            told.contains(&format!("model_digest (String) = {}", Digest::of_bytes(b"model"))),
            "{format:?}: {told}"
        );
        assert!(
            told.contains("POLYGON ((108.61 21.9") && !told.contains("ERROR"),
            "longitude first: {format:?}: {told}"
        );
        for (name, _) in FIELDS {
            assert!(told.contains(&format!("\n{name}: ")), "{format:?} lacks {name}");
        }
    }
}

#[test]
fn geojson_is_rfc_7946() {
    let (_folder, path) = exported(ExportFormat::GeoJson, &[patch(1), patch(2)]);
    let text = fs::read_to_string(&path).expect("read");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(json.get("crs").is_none(), "the standard knows WGS 84 only");
    let features = json["features"].as_array().expect("a list");
    assert_eq!(features.len(), 2);
    assert_eq!(features[0]["id"], "20240315-00000001");
    let bounds = |value: &serde_json::Value| {
        value.as_array().expect("bbox").iter().map(|n| n.as_f64().expect("number")).collect::<Vec<_>>()
    };
    assert!(
        bounds(&json["bbox"])
            .iter()
            .zip([108.61, 21.9, 108.63, 21.91])
            .all(|(got, expected)| (got - expected).abs() < 1e-9)
    );
    let turn = |ring: &serde_json::Value| {
        let points: Vec<_> =
            ring.as_array().expect("ring").iter().map(|point| (point[0].as_f64(), point[1].as_f64())).collect();
        assert_eq!(points.first(), points.last());
        let area = |pair: &[(Option<f64>, Option<f64>)]| match pair {
            [(Some(ax), Some(ay)), (Some(bx), Some(by))] => ax * by - bx * ay,
            _ => panic!("numbers"),
        };
        points.windows(2).map(area).sum::<f64>()
    };
    let rings = &features[0]["geometry"]["coordinates"];
    assert!(turn(&rings[0]) > 0.0 && turn(&rings[1]) < 0.0, "right-hand rule");
    assert_eq!(features[0]["properties"]["pre_date"], "2019-09-04T00:00:00Z");
    assert_eq!(features[0]["properties"]["area_m2"], 1_234.567_89);
    let told = ogrinfo(&path);
    assert!(told.contains("Feature Count: 2") && told.contains("WGS 84"), "{told}");
}

#[test]
fn csv_keeps_formulas_harmless_and_the_outline_as_text() {
    let (_folder, path) = exported(ExportFormat::Csv, &[patch(1), patch(2)]);
    let mut table = csv::Reader::from_path(&path).expect("opened");
    let head: Vec<String> = table.headers().expect("a head").iter().map(str::to_owned).collect();
    assert_eq!(head.len(), FIELDS.len() + 1);
    let rows: Vec<csv::StringRecord> = table.records().collect::<Result<_, _>>().expect("rows");
    assert_eq!(rows.len(), 2);
    let at = |name: &str| &rows[0][head.iter().position(|column| column == name).expect("a column")];
    assert_eq!(at("object_class"), "'=cmd|' /C calc'!A0");
    assert_eq!(at("reach_name"), "青龙河, \"west\" bank");
    assert_eq!(at("area_m2"), "1234.56789");
    assert!(at("geometry").starts_with("POLYGON ((108.61 21.9, ") && at("geometry").matches('(').count() == 3);
    let told = Command::new("ogrinfo")
        .args(["-ro", "-al", "-oo", "GEOM_POSSIBLE_NAMES=geometry"])
        .arg(&path)
        .output()
        .expect("installed");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("Feature Count: 2") && told.contains("POLYGON ((108.61 21.9,"), "{told}");
}

#[test]
fn the_same_patches_give_the_same_bytes_and_none_is_fine() {
    for (format, _) in ExportFormat::ALL {
        let (_one, first) = exported(format, &[patch(1), patch(2)]);
        let (_other, second) = exported(format, &[patch(1), patch(2)]);
        assert!(fs::read(first).expect("read") == fs::read(second).expect("read"), "{format:?}");
        let (_empty, path) = exported(format, &[]);
        if format == ExportFormat::GeoJson {
            assert!(fs::read_to_string(path).expect("read").contains("\"features\":[\n]"));
        } else if format != ExportFormat::Csv {
            assert!(ogrinfo(&path).contains("Feature Count: 0"), "{format:?}");
        }
    }
}

#[test]
fn an_export_replaces_the_older_one_as_a_whole() {
    let (_folder, path) = exported(ExportFormat::GeoPackage, &[patch(1), patch(2)]);
    export(&path, ExportFormat::GeoPackage, &[patch(3)]).expect("replaced");
    assert!(ogrinfo(&path).contains("Feature Count: 1"));
}
