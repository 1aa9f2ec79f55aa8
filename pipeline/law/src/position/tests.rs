use geo_types::polygon;
use shorewatch_domain::law::layer::BoundarySource;
use shorewatch_domain::law::water::KilometrePoint;

use super::*;

const LATITUDE: f64 = 30.0;

/// Degrees of a place so many metres east and north of (110°, 30°).
fn at(x_m: f64, y_m: f64) -> Coord<f64> {
    let (x, y) = metres_per_degree(LATITUDE);
    Coord { x: 110.0 + x_m / x, y: LATITUDE + y_m / y }
}

fn outline(x_m: f64, y_m: f64, width_m: f64, height_m: f64) -> Polygon<f64> {
    let corners = [(0.0, 0.0), (width_m, 0.0), (width_m, height_m), (0.0, height_m)];
    Polygon::new(corners.map(|(dx, dy)| at(x_m + dx, y_m + dy)).to_vec().into(), Vec::new())
}

fn reach(code: &str, line: &[(f64, f64)], starts_at_m: f64) -> WaterReach {
    WaterReach {
        code: code.to_owned(),
        name: format!("{code} by name"),
        centreline: line.iter().map(|(x, y)| at(*x, *y)).collect(),
        starts_at_m,
        ends_at_m: None,
        kilometre_points: Vec::new(),
    }
}

fn water(code: &str, kind: WaterKind, reaches: Vec<WaterReach>) -> Water {
    let name = format!("{code} by name");
    Water { code: code.to_owned(), name, kind, class: None, basin: Some("basin".to_owned()), reaches, surface: None }
}

fn ask(waters: Vec<Water>, outline: &Polygon<f64>, scopes: Option<&[Hit]>) -> Option<Position> {
    Positions::new(waters).position(outline, centre(outline).expect("a centre"), scopes)
}

/// A river to the east, 4 km.
fn eastward() -> Water {
    water("R", WaterKind::River, vec![reach("R1", &[(0.0, 0.0), (1000.0, 0.0), (4000.0, 0.0)], 12_000.0)])
}

#[test]
fn the_north_of_a_river_to_the_east_is_its_left_bank() {
    let left = ask(vec![eastward()], &outline(1500.0, 60.0, 20.0, 20.0), None).expect("near");
    assert_eq!((left.bank, left.water_code.as_str(), left.reach_code.as_str()), (Some(Bank::Left), "R", "R1"));
    assert!((left.chainage_m - 13_510.0).abs() < 0.1 && (left.distance_m - 70.0).abs() < 0.1, "{left:?}");
    assert_eq!(left.basin.as_deref(), Some("basin"));
    let right = ask(vec![eastward()], &outline(1500.0, -80.0, 20.0, 20.0), None).expect("near");
    assert_eq!(right.bank, Some(Bank::Right));
    // beyond its end: the foot is the last point
    let beyond = ask(vec![eastward()], &outline(4100.0, -10.0, 20.0, 20.0), None).expect("near");
    assert!((beyond.chainage_m - 16_000.0).abs() < 0.2, "{beyond:?}");
    assert_eq!(ask(vec![eastward()], &outline(1500.0, 6000.0, 20.0, 20.0), None), None);
}

#[test]
fn inside_a_sharp_bend_the_corner_tells_the_bank() {
    // east, then back to the west further north: everything between lies on the left
    let bend = water("B", WaterKind::River, vec![reach("B1", &[(0.0, 0.0), (1000.0, 50.0), (0.0, 100.0)], 0.0)]);
    let inside = ask(vec![bend.clone()], &outline(100.0, 45.0, 10.0, 10.0), None).expect("near");
    let outside = ask(vec![bend], &outline(1050.0, 30.0, 20.0, 10.0), None).expect("near");
    assert_eq!((inside.bank, outside.bank), (Some(Bank::Left), Some(Bank::Right)));
}

#[test]
fn a_place_across_the_river_lies_on_the_bank_of_its_larger_part() {
    // an L: its centre lies south of the river, most of it north
    let corners = [(0.0, -60.0), (10.0, -60.0), (10.0, 5.0), (200.0, 5.0), (200.0, 40.0), (0.0, 40.0)];
    let shape: Polygon<f64> = Polygon::new(corners.map(|(x, y)| at(2000.0 + x, y)).to_vec().into(), Vec::new());
    assert_eq!(ask(vec![eastward()], &shape, None).expect("near").bank, Some(Bank::Left));
    let turned: Polygon<f64> = Polygon::new(corners.map(|(x, y)| at(2000.0 + x, -y)).to_vec().into(), Vec::new());
    assert_eq!(ask(vec![eastward()], &turned, None).expect("near").bank, Some(Bank::Right));
}

#[test]
fn kilometre_points_stretch_the_line() {
    let mut river = eastward();
    river.reaches[0].starts_at_m = 0.0;
    river.reaches[0].ends_at_m = Some(5000.0);
    let post = |x_m: f64, chainage_m: f64| KilometrePoint { location: Point(at(x_m, 3.0)), chainage_m };
    river.reaches[0].kilometre_points = vec![post(2000.0, 2400.0), post(1000.0, 1000.0)];
    let chainage =
        |x_m: f64| ask(vec![river.clone()], &outline(x_m - 5.0, 5.0, 10.0, 10.0), None).expect("near").chainage_m;
    for (x_m, expected) in [(500.0, 500.0), (1500.0, 1700.0), (2000.0, 2400.0), (3000.0, 3700.0), (3999.9, 4999.9)] {
        assert!((chainage(x_m) - expected).abs() < 0.5, "at {x_m} m: expected {expected}, got {}", chainage(x_m));
    }
}

#[test]
fn chainage_may_run_against_the_river() {
    let mut river = eastward();
    river.reaches[0].starts_at_m = 4000.0;
    river.reaches[0].kilometre_points = vec![KilometrePoint { location: Point(at(1000.0, 0.0)), chainage_m: 3000.0 }];
    let position = ask(vec![river], &outline(3495.0, 5.0, 10.0, 10.0), None).expect("near");
    assert!((position.chainage_m - 500.0).abs() < 0.2, "{position:?}");
}

#[test]
fn the_water_of_the_scope_goes_before_a_nearer_one() {
    let ditch = water("D", WaterKind::River, vec![reach("D1", &[(0.0, 90.0), (4000.0, 90.0)], 0.0)]);
    let place = outline(1500.0, 60.0, 20.0, 20.0);
    assert_eq!(ask(vec![eastward(), ditch.clone()], &place, None).expect("near").water_code, "D");
    let facts = Facts::ManagementScope { source: BoundarySource::Official, water_code: Some("R".to_owned()) };
    let (code, name) = ("S".to_owned(), "S by name".to_owned());
    let scope = Hit { code, name, share: 1.0, area_m2: 400.0, share_of_feature: 0.1, facts };
    assert_eq!(ask(vec![eastward(), ditch], &place, Some(&[scope])).expect("near").water_code, "R");
}

#[test]
fn a_lake_without_a_reach_is_measured_along_its_shore() {
    let mut lake = water("L", WaterKind::Lake, Vec::new());
    lake.surface = Some(outline(0.0, 0.0, 1000.0, 1000.0).into());
    let position = ask(vec![lake], &outline(400.0, 1010.0, 20.0, 20.0), None).expect("near");
    assert_eq!((position.bank, position.reach_code.as_str()), (None, "L"));
    assert!((position.distance_m - 20.0).abs() < 0.1 && position.chainage_m > 0.0, "{position:?}");
}

#[test]
fn the_centre_of_a_crescent_lies_in_it() {
    let crescent = polygon![(x: 0., y: 0.), (x: 10., y: 0.), (x: 10., y: 1.), (x: 1., y: 1.), (x: 1., y: 9.), (x: 10., y: 9.), (x: 10., y: 10.), (x: 0., y: 10.)];
    let centre = centre(&crescent).expect("a centre");
    assert!(crescent.contains(&Point(centre)), "{centre:?}");
}

#[test]
fn the_nearest_place_is_found_however_far() {
    let places = Nearby::new([(at(0.0, 30_000.0), "far"), (at(900.0, 0.0), "near"), (at(0.0, 950.0), "second")]);
    let (name, distance) = places.nearest(at(0.0, 0.0), 50_000.0).expect("near");
    assert!(*name == "near" && (distance - 900.0).abs() < 0.1);
    assert_eq!(*places.nearest(at(0.0, 25_000.0), 50_000.0).expect("near").0, "far");
    assert_eq!(places.nearest(at(0.0, 25_000.0), 1000.0), None);
}
