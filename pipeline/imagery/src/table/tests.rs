//! Bad input of layers: each is repaired and says so, or is refused with what to do.

use std::fs;
use std::path::{Path, PathBuf};

use gdal::DriverManager;
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Feature, FieldDefn, LayerOptions, OGRFieldType, OGRwkbGeometryType};
use tempfile::TempDir;

use super::*;
use crate::runtime;

const AREAS: TableSource = TableSource {
    may_be_empty: false,
    layer: None,
    assigned_epsg: None,
    encoding: None,
    wanted: Wanted::Areas { buffer_m: None },
    code_column: None,
    point_columns: None,
};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// GeoJSON of geometries as JSON, in a system by its EPSG code.
fn geojson(folder: &TempDir, epsg: u32, geometries: &[&str]) -> PathBuf {
    let features: Vec<String> = geometries
        .iter()
        .enumerate()
        .map(|(i, geometry)| {
            format!("{{\"type\":\"Feature\",\"properties\":{{\"bm\":\"F{i}\"}},\"geometry\":{geometry}}}")
        })
        .collect();
    let crs = format!("\"crs\":{{\"type\":\"name\",\"properties\":{{\"name\":\"urn:ogc:def:crs:EPSG::{epsg}\"}}}}");
    let path = folder.path().join("scopes.geojson");
    let text = format!("{{\"type\":\"FeatureCollection\",{crs},\"features\":[{}]}}", features.join(","));
    fs::write(&path, text).expect("written");
    path
}

fn square(x: f64, y: f64, edge: f64) -> String {
    let (right, top) = (x + edge, y + edge);
    format!(
        "{{\"type\":\"Polygon\",\"coordinates\":[[[{x},{y}],[{right},{y}],[{right},{top}],[{x},{top}],[{x},{y}]]]}}"
    )
}

#[track_caller]
fn fault(epsg: u32, geometry: &str, source: &TableSource, expected: &str) {
    let folder = folder();
    let table = read_table(&geojson(&folder, epsg, &[geometry]), source).expect("a file");
    assert_eq!((table.rows.len(), table.faults.len()), (0, 1), "{:?}", table.faults);
    let fault = &table.faults[0];
    assert!(fault.problem.contains(expected) && fault.feature.starts_with("feature 1"), "{fault:?}");
}

#[test]
fn places_of_a_projected_system_come_to_degrees() {
    let folder = folder();
    // zone 36 of CGCS2000 with and without the number before the easting: 108° E, 22° N is 2 433 800 m north
    for (epsg, easting) in [(4524, 36_500_000.0), (4545, 500_000.0)] {
        let table =
            read_table(&geojson(&folder, epsg, &[&square(easting, 2_433_800.478, 100.0)]), &AREAS).expect("read");
        let Some(Geometry::MultiPolygon(areas)) = &table.rows[0].geometry else { panic!("{table:?}") };
        let corner = areas.0[0].exterior().0.iter().copied().find(|corner| (corner.x - 108.0).abs() < 1e-9);
        assert!((corner.expect("on the meridian").y - 22.0).abs() < 1e-3);
        assert_eq!(table.rows[0].values["bm"], "F0");
    }
}

#[test]
fn wrong_systems_are_told_from_one_another() {
    fault(4490, &square(500_000.0, 2_433_800.0, 100.0), &AREAS, "the coordinates are projected");
    fault(4524, &square(108.0, 22.0, 0.1), &AREAS, "these are degrees, but the system EPSG:4524 is in metres");
    fault(4490, &square(22.0, 108.0, 0.1), &AREAS, "latitude and longitude are swapped");
    fault(4545, &square(2_433_800.0, 500_000.0, 100.0), &AREAS, "the axes are swapped");
    // the number of the zone is missing before the easting, and the other way round
    fault(4524, &square(500_000.0, 2_433_800.0, 100.0), &AREAS, "is the number of the zone missing");
    fault(4545, &square(36_500_000.0, 2_433_800.0, 100.0), &AREAS, "EPSG:4545");
    let folder = folder();
    let none = read_table(&geojson(&folder, 4490, &[]), &AREAS).expect_err("nothing in it");
    assert!(none.to_string().contains("has no rows; expected at least one"), "{none}");
}

#[test]
fn what_is_no_area_is_refused_and_what_can_be_repaired_says_so() {
    fault(4490, "null", &AREAS, "has no geometry");
    fault(4490, "{\"type\":\"Polygon\",\"coordinates\":[]}", &AREAS, "has no geometry, or an empty one");
    fault(4490, "{\"type\":\"Point\",\"coordinates\":[108,22]}", &AREAS, "expected a polygon");
    fault(4490, "{\"type\":\"LineString\",\"coordinates\":[[108,22],[108.1,22]]}", &AREAS, "give buffer_m");
    fault(4490, "{\"type\":\"Polygon\",\"coordinates\":[[[108,22],[109,23],[110,24],[108,22]]]}", &AREAS, "invalid");
    let bow_tie = "{\"type\":\"Polygon\",\"coordinates\":[[[108,22],[108.01,22.01],[108.01,22],[108,22.01],[108,22]]]}";
    fault(4490, &square(108.0, 22.0, 1e-7), &AREAS, "covers less than 0.01 m²");
    let folder = folder();
    let table = read_table(&geojson(&folder, 4490, &[bow_tie, &square(108.1, 22.0, 0.01)]), &AREAS).expect("read");
    assert_eq!(table.rows.len(), 2);
    let [repair] = table.rows[0].repairs.as_slice() else { panic!("one repair: {:?}", table.rows[0]) };
    assert!(repair.contains("Self-intersection") && repair.contains("made valid, area"), "{repair}");
    assert!(table.rows[1].repairs.is_empty());
}

#[test]
fn what_is_repaired_into_a_ring_with_a_hole_has_the_area_of_a_ring() {
    let folder = folder();
    // a band that crosses itself: both runs of the line around, once from the left and once from the right
    let crossing = "{\"type\":\"Polygon\",\"coordinates\":[[[108,22],[108.03,22],[108.03,22.03],[108,22.03],[108,22.001],[108.001,22.001],\
        [108.001,22.029],[108.029,22.029],[108.029,22.001],[107.999,22.001],[108,22]]]}";
    let source = TableSource { code_column: Some("bm".to_owned()), ..AREAS };
    let table = read_table(&geojson(&folder, 4490, &[crossing, "null"]), &source).expect("read");
    let Some(Geometry::MultiPolygon(areas)) = &table.rows[0].geometry else { panic!("{:?}", table.faults) };
    let area = geo::GeodesicArea::geodesic_area_unsigned(areas);
    assert!(area > 1e6 && area < 2.5e6 && table.rows[0].repairs.len() == 1, "{area}: {:?}", table.rows[0].repairs);
    assert_eq!(table.faults[0].feature, "feature 2, fid 1 (code \"F1\")");
}

#[test]
fn a_line_in_parts_is_one_line_or_refused() {
    let line = TableSource { wanted: Wanted::Line, ..AREAS };
    let parts = "{\"type\":\"MultiLineString\",\"coordinates\":[[[108.1,22],[108.2,22]],[[108,22],[108.1,22]]]}";
    let folder = folder();
    let table = read_table(&geojson(&folder, 4490, &[parts]), &line).expect("read");
    let expected: geo_types::LineString<f64> = vec![(108.0, 22.0), (108.1, 22.0), (108.2, 22.0)].into();
    assert_eq!(table.rows[0].geometry, Some(expected.into()));
    let apart = "{\"type\":\"MultiLineString\",\"coordinates\":[[[108.1,22],[108.2,22]],[[108,22],[108.05,22]]]}";
    fault(4490, apart, &line, "draw one line down the river");
    fault(4490, &square(108.0, 22.0, 0.1), &line, "expected a line down the river");
}

#[test]
fn widened_lines_become_areas_of_metres() {
    let widened = TableSource { wanted: Wanted::Areas { buffer_m: Some(50.0) }, ..AREAS };
    let folder = folder();
    let line = "{\"type\":\"LineString\",\"coordinates\":[[108.6,21.9],[108.65,21.9]]}";
    let table = read_table(&geojson(&folder, 4490, &[line]), &widened).expect("read");
    let Some(Geometry::MultiPolygon(areas)) = &table.rows[0].geometry else { panic!("{table:?}") };
    let area = geo::GeodesicArea::geodesic_area_unsigned(areas);
    // 100 m wide, 5165 m long, with round ends
    assert!((area / (100.0 * 5165.4 + std::f64::consts::PI * 2500.0) - 1.0).abs() < 2e-3, "{area}");
}

/// A shapefile of one point with a name, in an encoding.
fn shapefile(folder: &Path, encoding: &str, name: &str) -> PathBuf {
    runtime::init();
    let path = folder.join("places.shp");
    let driver = DriverManager::get_driver_by_name("ESRI Shapefile").expect("a driver");
    let mut file = driver.create_vector_only(&path).expect("a file");
    let mut srs = SpatialRef::from_epsg(4490).expect("known");
    srs.set_axis_mapping_strategy(gdal::spatial_ref::AxisMappingStrategy::TraditionalGisOrder);
    let option = format!("ENCODING={encoding}");
    let layer = file.create_layer(LayerOptions {
        name: "places",
        srs: Some(&srs),
        ty: OGRwkbGeometryType::wkbPoint,
        options: Some(&[&option]),
    });
    let layer = layer.expect("a layer");
    FieldDefn::new("mc", OGRFieldType::OFTString).and_then(|field| field.add_to_layer(&layer)).expect("a field");
    // written when the feature, the layer and the file go, in this order
    let mut feature = Feature::new(layer.defn()).expect("a feature");
    feature.set_geometry(gdal::vector::Geometry::from_wkt("POINT (108.5 22.1)").expect("a point")).expect("set");
    feature.set_field_string(0, name).expect("set");
    feature.create(&layer).expect("written");
    path
}

#[test]
fn chinese_shapefiles_are_read_by_their_cpg_or_by_the_named_encoding() {
    let places = TableSource { wanted: Wanted::Point, ..AREAS };
    let name = |table: &Table| table.rows.first().map(|row| row.values["mc"].clone());
    for encoding in ["UTF-8", "GBK"] {
        let folder = folder();
        let path = shapefile(folder.path(), encoding, "清水河渡口");
        let by_cpg = read_table(&path, &places).expect("read");
        assert_eq!(name(&by_cpg).as_deref(), Some("清水河渡口"), "{encoding}: {by_cpg:?}");
        // without it, and with the mark of the old encoding taken from the table too
        let _ = fs::remove_file(path.with_extension("cpg"));
        let mut table = fs::read(path.with_extension("dbf")).expect("there");
        table[29] = 0;
        fs::write(path.with_extension("dbf"), table).expect("written");
        let named = TableSource { encoding: Some(encoding.to_owned()), ..places.clone() };
        assert_eq!(name(&read_table(&path, &named).expect("read")).as_deref(), Some("清水河渡口"), "{encoding}");
        if encoding == "GBK" {
            let unnamed = read_table(&path, &places).expect("read");
            assert_eq!((unnamed.rows.len(), unnamed.faults.len()), (0, 1), "{unnamed:?}");
            assert!(unnamed.faults[0].problem.contains("encoding = \"GBK\""), "{:?}", unnamed.faults);
        }
    }
}

#[test]
fn tables_come_as_csv_in_any_encoding() {
    let folder = folder();
    let path = folder.path().join("chiefs.csv");
    let nothing = TableSource { wanted: Wanted::Nothing, ..AREAS };
    fs::write(&path, "\u{FEFF}姓名,级别,备注\n\"甲, 乙\",县级,\n丙,乡级,x\n\n").expect("written");
    let table = read_table(&path, &nothing).expect("read");
    assert_eq!((table.columns.join("|").as_str(), table.rows.len()), ("姓名|级别|备注", 2));
    assert_eq!((table.rows[0].values["姓名"].as_str(), table.rows[0].values.len()), ("甲, 乙", 2));
    assert_eq!(table.rows[1].label, "line 3");
    // 姓名,河 in GBK
    fs::write(&path, b"\xD0\xD5\xC3\xFB,\xBA\xD3\n1,2\n").expect("written");
    assert!(read_table(&path, &nothing).expect_err("not UTF-8").to_string().contains("encoding = \"GBK\""));
    let gbk = TableSource { encoding: Some("GBK".to_owned()), ..nothing.clone() };
    assert_eq!(read_table(&path, &gbk).expect("read").columns, ["姓名", "河"]);
    fs::write(&path, "a,b\n1,2,3\n4,5\n").expect("written");
    let table = read_table(&path, &nothing).expect("read");
    assert!(table.faults[0].problem.contains("expected 2 fields") && table.faults[0].feature == "line 2");
    for (text, words) in [("", "is empty (0 bytes)"), ("a,b\n", "has no rows"), ("a,a\n1,2\n", "stands there twice")] {
        fs::write(&path, text).expect("written");
        assert!(read_table(&path, &nothing).expect_err(words).to_string().contains(words), "{text:?}");
    }
}

#[test]
fn points_of_a_csv_need_a_system() {
    let folder = folder();
    let path = folder.path().join("places.csv");
    fs::write(&path, "name,x,y\n渡口,108.5,22.1\n村,22.1,108.5\n镇,,22\n").expect("written");
    let columns = Some(("x".to_owned(), "y".to_owned()));
    let places = TableSource { wanted: Wanted::Point, point_columns: columns, ..AREAS };
    assert!(read_table(&path, &places).expect_err("no system").to_string().contains("assigned_epsg"));
    let assigned = TableSource { assigned_epsg: Some(4490), ..places };
    let table = read_table(&path, &assigned).expect("read");
    assert_eq!(table.rows[0].geometry, Some(geo_types::Point::new(108.5, 22.1).into()));
    assert_eq!(table.faults.len(), 2);
    assert!(table.faults[0].problem.contains("swapped") && table.faults[1].problem.contains("is empty"));
}

#[test]
fn the_digest_is_that_of_all_parts_and_of_no_place() {
    let (one, two) = (folder(), folder());
    let (a, b) = (shapefile(one.path(), "GBK", "渡口"), shapefile(two.path(), "GBK", "渡口"));
    assert_eq!(digest_of(&a).expect("read"), digest_of(&b).expect("read"));
    fs::write(b.with_extension("cpg"), "UTF-8").expect("written");
    assert_ne!(digest_of(&a).expect("read"), digest_of(&b).expect("read"));
}

#[test]
fn a_million_corners_are_read() {
    let folder = folder();
    let corners = 1_000_000;
    let corner = |i: u32| {
        let angle = std::f64::consts::TAU * f64::from(i % corners) / f64::from(corners);
        format!("[{},{}]", 108.5 + 0.4 * angle.cos(), 22.0 + 0.4 * angle.sin())
    };
    let ring: Vec<String> = (0..=corners).map(corner).collect();
    let giant = format!("{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}", ring.join(","));
    let began = std::time::Instant::now();
    let table = read_table(&geojson(&folder, 4490, &[&giant]), &AREAS).expect("read");
    let Some(Geometry::MultiPolygon(areas)) = &table.rows[0].geometry else { panic!("{:?}", table.faults) };
    assert!(areas.0[0].exterior().0.len() as u32 == corners + 1 && table.rows[0].repairs.is_empty());
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
