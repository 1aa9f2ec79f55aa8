//! Row 37 of the faults that are survived, and the ways in which reaches come.

use std::fs;
use std::path::PathBuf;

use geo::Contains;
use tempfile::TempDir;

use super::*;

fn source() -> ReachSource {
    ReachSource {
        layer: None,
        id_field: "id".to_owned(),
        name_field: Some("name".to_owned()),
        buffer_m: None,
        assigned_epsg: None,
        zones: ZoneFamily::Utm,
    }
}

/// A GeoJSON file of (id as JSON, geometry as JSON).
fn geojson(folder: &TempDir, features: &[(&str, &str)]) -> PathBuf {
    let features: Vec<String> = features
        .iter()
        .map(|(id, geometry)| {
            format!("{{\"type\":\"Feature\",\"properties\":{{\"id\":{id},\"name\":\"R\"}},\"geometry\":{geometry}}}")
        })
        .collect();
    let path = folder.path().join("reaches.geojson");
    fs::write(&path, format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(",")))
        .expect("written");
    path
}

fn polygon(ring: &str) -> String {
    format!("{{\"type\":\"Polygon\",\"coordinates\":[{ring}]}}")
}

#[track_caller]
fn refused(geometry: &str, source: &ReachSource) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let error = read_reaches(&geojson(&folder, &[("\"R1\"", geometry)]), source).expect_err("refused");
    let ImageryError::Features { faults, .. } = &error else { panic!("expected the faults of features, got {error}") };
    assert_eq!(faults.len(), 1);
    error.to_string()
}

const SQUARE: &str = "[[-74.6,-8.4],[-74.59,-8.4],[-74.59,-8.39],[-74.6,-8.39],[-74.6,-8.4]]";

#[test]
fn polygons_come_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = geojson(&folder, &[("\"R1\"", &polygon(SQUARE)), ("17", &polygon(SQUARE))]);
    let reaches = read_reaches(&path, &source()).expect("good");
    assert_eq!(reaches.iter().map(|reach| reach.id.as_str()).collect::<Vec<_>>(), ["R1", "17"]);
    assert_eq!((reaches[0].name.as_str(), reaches[0].scope_source), ("R", ScopeSource::Polygon));
    assert_eq!(reaches[0].origin, "reaches.geojson, layer reaches");
    assert!(reaches[0].repairs.is_empty());
    assert!(reaches[0].scope.contains(&geo_types::Point::new(-74.595, -8.395)));
}

#[test]
fn row_37_a_bow_tie_is_repaired_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let bow_tie = polygon("[[-74.6,-8.4],[-74.59,-8.39],[-74.59,-8.4],[-74.6,-8.39],[-74.6,-8.4]]");
    let reaches = read_reaches(&geojson(&folder, &[("\"R1\"", &bow_tie)]), &source()).expect("repaired");
    let [repair] = reaches[0].repairs.as_slice() else { panic!("one repair: {:?}", reaches[0].repairs) };
    // the two triangles of a bow tie cancel out but for the shape of the zone
    assert!(
        repair.contains("Self-intersection") && repair.contains("area 0.74 m² before, 608575.69 m² after"),
        "{repair}"
    );
    // two of the four triangles of a square of about 1.1 km
    let scope = &reaches[0].scope;
    assert_eq!(scope.0.len(), 2);
    assert!((geo::Area::unsigned_area(scope) - 0.5e-4).abs() < 1e-9);
}

#[test]
fn row_37_open_rings_are_closed_and_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = polygon("[[-74.6,-8.4],[-74.59,-8.4],[-74.59,-8.39],[-74.6,-8.39]]");
    let reaches = read_reaches(&geojson(&folder, &[("\"R1\"", &open)]), &source()).expect("repaired");
    assert_eq!(reaches[0].repairs, ["a ring was not closed: closed"]);
    assert!(reaches[0].scope.0[0].exterior().is_closed());
}

#[test]
fn row_37_what_cannot_be_a_reach_is_refused_with_what_to_do() {
    let check = |geometry: &str, expected: &str| {
        let text = refused(geometry, &source());
        assert!(text.contains(expected), "expected {expected:?} in {text}");
    };
    check("null", "has no geometry");
    check("{\"type\":\"Polygon\",\"coordinates\":[]}", "has no geometry, or an empty one");
    check("{\"type\":\"Point\",\"coordinates\":[1,2]}", "expected a polygon");
    check("{\"type\":\"LineString\",\"coordinates\":[[1,2],[3,4]]}", "give a buffer");
    check(&polygon("[[1,1],[1,1],[1,1],[1,1]]"), "invalid");
    check(&polygon("[[0,0],[1,1],[2,2],[0,0]]"), "nothing with an area is left");
    check(&polygon("[[179,10],[-179,10],[-179,11],[179,11],[179,10]]"), "crosses the 180th meridian");
    check(&polygon("[[179,10],[181,10],[181,11],[179,11],[179,10]]"), "crosses the 180th meridian");
    check(
        &polygon("[[21.9,108.6],[21.9,108.7],[22,108.7],[22,108.6],[21.9,108.6]]"),
        "latitude and longitude are swapped",
    );
    check(
        &polygon("[[500000,9071000],[500100,9071000],[500100,9071100],[500000,9071000]]"),
        "the coordinates are projected",
    );
    let china = ReachSource { zones: ZoneFamily::Cgcs2000ThreeDegree, ..source() };
    assert!(refused(&polygon(SQUARE), &china).contains("CGCS2000 3° zones cover China"));
}

#[test]
fn all_faults_come_at_once_and_nothing_is_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = polygon(SQUARE);
    let path = geojson(
        &folder,
        &[("\"R1\"", &good), ("\"R1\"", &good), ("null", &good), ("\" \"", &good), ("\"R2\"", "null")],
    );
    let error = read_reaches(&path, &source()).expect_err("refused");
    let ImageryError::Features { faults, .. } = &error else { panic!("{error}") };
    assert_eq!(faults.len(), 4, "{error}");
    let text = error.to_string();
    assert!(text.contains("also that of feature 1 (id \"R1\"") && text.contains("field \"id\" is empty"), "{text}");
    assert!(text.contains("nothing imported"), "{text}");
}

#[test]
fn a_centreline_is_widened_by_metres_on_both_sides() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "{\"type\":\"LineString\",\"coordinates\":[[108.60,21.90],[108.65,21.90]]}";
    let widened = ReachSource { buffer_m: Some(200.0), zones: ZoneFamily::Cgcs2000ThreeDegree, ..source() };
    let reaches = read_reaches(&geojson(&folder, &[("\"R1\"", line)]), &widened).expect("widened");
    let reach = &reaches[0];
    assert_eq!(reach.scope_source, ScopeSource::BufferedCentreline { buffer_m: 200.0 });
    let to_zone = Transform::new(Epsg::WGS84, Epsg(4524)).expect("known");
    let area = geo::Area::unsigned_area(&to_zone.multi_polygon(&reach.scope, None).expect("inside"));
    let (x0, y0) = to_zone.point(108.60, 21.90).expect("inside");
    let (x1, y1) = to_zone.point(108.65, 21.90).expect("inside");
    let expected = 400.0 * (x1 - x0).hypot(y1 - y0) + std::f64::consts::PI * 200.0 * 200.0;
    assert!((area / expected - 1.0).abs() < 1e-3, "{area} for {expected} m²");
    let none = ReachSource { buffer_m: Some(0.0), ..source() };
    assert!(matches!(read_reaches(&geojson(&folder, &[("1", line)]), &none), Err(ImageryError::Vector { .. })));
}

#[test]
fn other_formats_and_systems_give_the_same_reach() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = geojson(&folder, &[("\"R1\"", &polygon(SQUARE))]);
    let expected = read_reaches(&json, &source()).expect("good");
    for (driver, name, system) in [
        ("GPKG", "reaches.gpkg", "EPSG:32718"),
        ("FlatGeobuf", "reaches.fgb", "EPSG:4490"),
        ("ESRI Shapefile", "reaches.shp", "EPSG:32718"),
        ("OpenFileGDB", "reaches.gdb", "EPSG:4326"),
    ] {
        let path = folder.path().join(name);
        let made = std::process::Command::new("ogr2ogr")
            .args(["-q", "-f", driver, "-t_srs", system])
            .arg(&path)
            .arg(&json)
            .output();
        let made = made.expect("ogr2ogr is installed");
        if !made.status.success() {
            crate::testing::skipped(&format!("{driver}: {}", String::from_utf8_lossy(&made.stderr)));
            continue;
        }
        let got = read_reaches(&path, &source()).unwrap_or_else(|error| panic!("{driver}: {error}"));
        let [reach] = got.as_slice() else { panic!("{driver}: one reach") };
        assert_eq!((reach.id.as_str(), reach.name.as_str()), ("R1", "R"), "{driver}");
        let difference = geo::BooleanOps::xor(&reach.scope, &expected[0].scope);
        // a straight edge of a kilometre in one system is off the straight edge in the other by millimetres
        let share = geo::Area::unsigned_area(&difference) / geo::Area::unsigned_area(&expected[0].scope);
        assert!(share < 1e-4, "{driver}: {:?}", reach.scope);
    }
}

#[test]
fn kml_has_its_own_fields() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("reaches.kml");
    let ring = "-74.6,-8.4,0 -74.59,-8.4,0 -74.59,-8.39,0 -74.6,-8.39,0 -74.6,-8.4,0";
    let placemark = format!(
        "<Placemark><name>R1</name><Polygon><outerBoundaryIs><LinearRing><coordinates>{ring}</coordinates></LinearRing>\
         </outerBoundaryIs></Polygon></Placemark>"
    );
    let text = format!(
        "<?xml version=\"1.0\"?><kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>{placemark}</Document></kml>"
    );
    fs::write(&path, text).expect("written");
    let by_name = ReachSource { id_field: "Name".to_owned(), name_field: None, ..source() };
    let reaches = read_reaches(&path, &by_name).expect("good");
    assert_eq!((reaches.len(), reaches[0].id.as_str()), (1, "R1"));
    assert!(reaches[0].scope.contains(&geo_types::Point::new(-74.595, -8.395)));
}

#[test]
fn files_layers_fields_and_systems_are_asked_for_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = geojson(&folder, &[("\"R1\"", &polygon(SQUARE))]);
    let problem = |source: &ReachSource| read_reaches(&path, source).expect_err("refused").to_string();
    assert!(
        problem(&ReachSource { id_field: "code".to_owned(), ..source() })
            .contains("no field \"code\"; it has id, name")
    );
    assert!(
        problem(&ReachSource { layer: Some("banks".to_owned()), ..source() })
            .contains("no layer \"banks\"; there is reaches")
    );
    assert!(
        problem(&ReachSource { assigned_epsg: Some(32718), ..source() }).contains("the file itself says EPSG:4326")
    );
    let unnamed = ReachSource { name_field: None, ..source() };
    assert_eq!(read_reaches(&path, &unnamed).expect("good")[0].name, "R1");
    fs::write(&path, "").expect("written");
    assert!(problem(&source()).contains("0 bytes"));
    fs::write(&path, "<OGRVRTDataSource/>").expect("written");
    assert!(problem(&source()).contains("no vector file"));
    fs::write(&path, "{\"type\":\"FeatureCollection\",\"features\":[]}").expect("written");
    let text = problem(&source());
    assert!(text.contains("no field") || text.contains("no features"), "{text}");
    let error = read_reaches(Path::new("/vsicurl/http://example.org/a.geojson"), &source()).expect_err("refused");
    assert!(matches!(error, ImageryError::Name { .. }), "{error}");
}
