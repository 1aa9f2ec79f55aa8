use std::collections::BTreeMap;

use geo_types::{Coord, MultiPolygon, Point, Rect};
use jiff::civil::date;
use shorewatch_domain::law::layer::{AdministrativeLevel, BoundarySource, Facts};
use shorewatch_domain::law::period::Period;
use shorewatch_domain::law::water::{KilometrePoint, WaterKind, WaterReach};

use super::*;
use crate::ellipsoid::metres_per_degree;

fn at(x_m: f64, y_m: f64) -> Coord<f64> {
    let (x, y) = metres_per_degree(30.0);
    Coord { x: 110.0 + x_m / x, y: 30.0 + y_m / y }
}

fn area(x_m: f64, y_m: f64, width_m: f64, height_m: f64) -> MultiPolygon<f64> {
    Rect::new(at(x_m, y_m), at(x_m + width_m, y_m + height_m)).to_polygon().into()
}

fn feature(code: &str, geometry: MultiPolygon<f64>, facts: Facts) -> Feature {
    let (name, other) = (format!("{code} by name"), BTreeMap::new());
    Feature { code: code.to_owned(), name, geometry, facts, other, repairs: Vec::new() }
}

fn zone(code: &str, geometry: MultiPolygon<f64>) -> Feature {
    feature(code, geometry, Facts::ShorelineZone { zone: "保护区".to_owned() })
}

fn scope(code: &str, geometry: MultiPolygon<f64>) -> Feature {
    let facts = Facts::ManagementScope { source: BoundarySource::Official, water_code: Some("W".to_owned()) };
    feature(code, geometry, facts)
}

fn reach(code: &str, line: &[(f64, f64)], starts_at_m: f64, ends_at_m: Option<f64>) -> WaterReach {
    let centreline = line.iter().map(|(x, y)| at(*x, *y)).collect();
    let (name, kilometre_points) = (format!("{code} by name"), Vec::new());
    WaterReach { code: code.to_owned(), name, centreline, starts_at_m, ends_at_m, kilometre_points }
}

/// A river of 10 km to the east, 100 m wide.
fn river(reaches: Vec<WaterReach>) -> Water {
    Water {
        code: "W".to_owned(),
        name: "清水河".to_owned(),
        kind: WaterKind::River,
        class: None,
        basin: None,
        reaches,
        surface: Some(area(0.0, -50.0, 10_000.0, 100.0)),
    }
}

fn chief(code: &str, from: Option<(i16, i8, i8)>, to: Option<(i16, i8, i8)>) -> Chief {
    let day = |day: Option<(i16, i8, i8)>| day.map(|(year, month, day)| date(year, month, day));
    let (name, valid) = ("甲".to_owned(), Period { from: day(from), to: day(to) });
    let level = AdministrativeLevel::County;
    Chief { level, in_charge_of: code.to_owned(), name, title: None, telephone: None, valid }
}

fn found(features: &[Feature], waters: &[Water], chiefs: Option<&[Chief]>) -> Vec<Defect> {
    let day = date(2024, 6, 1);
    defects(&Inputs { features, waters, stray_kilometre_points: &[], chiefs, day })
}

fn kinds(defects: &[Defect]) -> Vec<&'static str> {
    defects.iter().map(|defect| defect.kind.name()).collect()
}

#[test]
fn a_scope_that_contains_its_water_is_sound() {
    let water = river(vec![reach("R1", &[(0.0, 0.0), (10_000.0, 0.0)], 0.0, None)]);
    let scopes = [scope("S1", area(-10.0, -80.0, 5010.0, 160.0)), scope("S2", area(5000.0, -80.0, 5010.0, 160.0))];
    assert_eq!(found(&scopes, std::slice::from_ref(&water), None), []);
    assert_eq!(found(&[], &[water], None), [], "without scopes nothing is outside of them");
}

#[test]
fn a_shifted_scope_is_told_from_one_that_is_too_small() {
    let water = river(Vec::new());
    let shifted = found(&[scope("S", area(-10.0, -80.0 + 50.0, 10_020.0, 160.0))], std::slice::from_ref(&water), None);
    assert_eq!(kinds(&shifted), ["scope_lacks_water", "scope_shifted"]);
    // 20 m of 100 m are outside
    assert!((shifted[0].area_m2.expect("an area") / 200_000.0 - 1.0).abs() < 1e-3, "{:?}", shifted[0].area_m2);
    assert!(shifted[1].text.contains("m to the south"), "{}", shifted[1].text);
    let small = found(&[scope("S", area(-10.0, -30.0, 10_020.0, 60.0))], &[water], None);
    assert_eq!(kinds(&small), ["scope_lacks_water"]);
}

#[test]
fn a_reach_outside_of_every_scope_is_told_with_its_length() {
    let mut water = river(vec![reach("R1", &[(0.0, 0.0), (10_000.0, 0.0)], 0.0, None)]);
    water.surface = None;
    let defects = found(&[scope("S", area(-10.0, -80.0, 8000.0, 160.0))], &[water], None);
    assert_eq!(kinds(&defects), ["reach_outside_scope"]);
    assert!((defects[0].length_m.expect("a length") - 2000.0).abs() < 60.0, "{:?}", defects[0].length_m);
}

#[test]
fn overlaps_and_gaps_of_neighbours_are_told_with_their_area() {
    let overlap =
        found(&[zone("A", area(0.0, 0.0, 1000.0, 500.0)), zone("B", area(990.0, 0.0, 1000.0, 500.0))], &[], None);
    assert_eq!(kinds(&overlap), ["overlap"]);
    assert!((overlap[0].area_m2.expect("an area") - 5000.0).abs() < 5.0 && overlap[0].codes == ["A", "B"]);
    let gap =
        found(&[zone("A", area(0.0, 0.0, 1000.0, 500.0)), zone("B", area(1008.0, 0.0, 1000.0, 500.0))], &[], None);
    assert_eq!(kinds(&gap), ["gap"]);
    assert!((gap[0].area_m2.expect("an area") / 4000.0 - 1.0).abs() < 0.05, "{:?}", gap[0].area_m2);
    assert!(gap[0].geometry.is_some());
    // 40 m apart, or wall to wall with a corner, or with a third between: no defect
    let apart = [zone("A", area(0.0, 0.0, 1000.0, 500.0)), zone("B", area(1040.0, 0.0, 1000.0, 500.0))];
    assert_eq!(found(&apart, &[], None), []);
    let corner = [zone("A", area(0.0, 0.0, 1000.0, 500.0)), zone("B", area(1000.0, 0.0, 1000.0, 300.0))];
    assert_eq!(found(&corner, &[], None), []);
    let third =
        [apart[0].clone(), zone("B", area(1008.0, 0.0, 900.0, 500.0)), zone("C", area(1000.0, 0.0, 8.0, 500.0))];
    assert_eq!(found(&third, &[], None), []);
}

#[test]
fn units_of_different_levels_lie_in_one_another() {
    let unit = |code: &str, level| {
        feature(code, area(0.0, 0.0, 1000.0, 500.0), Facts::AdministrativeUnit { level, parent: None })
    };
    let nested = [unit("4507", AdministrativeLevel::City), unit("450702", AdministrativeLevel::County)];
    assert_eq!(found(&nested, &[], None), []);
    let twins = [unit("450702", AdministrativeLevel::County), unit("450703", AdministrativeLevel::County)];
    assert_eq!(kinds(&found(&twins, &[], None)), ["overlap"]);
}

#[test]
fn reaches_may_neither_overlap_nor_break_their_chainage() {
    let first = || reach("R1", &[(0.0, 0.0), (5000.0, 0.0)], 0.0, Some(5000.0));
    let follows = river(vec![first(), reach("R2", &[(5000.0, 0.0), (10_000.0, 0.0)], 5000.0, Some(10_000.0))]);
    assert_eq!(found(&[], &[follows], None), []);
    let overlapping = river(vec![first(), reach("R2", &[(4000.0, 2.0), (10_000.0, 0.0)], 5000.0, Some(10_000.0))]);
    let defects = found(&[], &[overlapping], None);
    assert_eq!(kinds(&defects), ["reaches_overlap"]);
    assert!((defects[0].length_m.expect("a length") - 1000.0).abs() < 50.0, "{:?}", defects[0]);
    let broken = river(vec![first(), reach("R2", &[(5000.0, 0.0), (10_000.0, 0.0)], 5300.0, None)]);
    let defects = found(&[], &[broken], None);
    assert_eq!(kinds(&defects), ["chainage_broken"]);
    assert!(defects[0].text.contains("5000.0 m to 5300.0 m is left out"), "{}", defects[0].text);
}

#[test]
fn kilometre_points_must_fit_their_reach() {
    let with = |points: &[(f64, f64, f64)]| {
        let mut reach = reach("R1", &[(0.0, 0.0), (10_000.0, 0.0)], 0.0, None);
        let point = |(x, y, chainage_m): &(f64, f64, f64)| KilometrePoint {
            location: Point(at(*x, *y)),
            chainage_m: *chainage_m,
        };
        reach.kilometre_points = points.iter().map(point).collect();
        found(&[], &[river(vec![reach])], None)
    };
    assert_eq!(with(&[(1000.0, 30.0, 1000.0), (2000.0, -30.0, 2000.0), (3000.0, 0.0, 3000.0)]), []);
    assert_eq!(with(&[(1000.0, 0.0, 9000.0), (2000.0, 0.0, 8000.0)]), [], "against the river");
    assert_eq!(
        kinds(&with(&[(1000.0, 0.0, 1000.0), (2000.0, 0.0, 900.0), (3000.0, 0.0, 3000.0)])),
        ["kilometre_point_astray"]
    );
    assert_eq!(kinds(&with(&[(1000.0, 4000.0, 1000.0)])), ["kilometre_point_astray"]);
    let stray = [("K1".to_owned(), "R9".to_owned())];
    let inputs =
        Inputs { features: &[], waters: &[], stray_kilometre_points: &stray, chiefs: None, day: date(2024, 6, 1) };
    assert_eq!(kinds(&defects(&inputs)), ["kilometre_point_astray"]);
}

#[test]
fn chiefs_follow_one_another_day_by_day() {
    let water = || vec![river(vec![reach("R1", &[(0.0, 0.0), (10_000.0, 0.0)], 0.0, None)])];
    let check = |chiefs: &[Chief], expected: &[&str]| {
        let defects = found(&[], &water(), Some(chiefs));
        assert_eq!(kinds(&defects), expected, "{defects:#?}");
        assert!(defects.iter().all(|defect| !defect.text.contains('甲')), "names stay out");
    };
    check(&[chief("R1", None, Some((2024, 1, 31))), chief("R1", Some((2024, 2, 1)), None)], &[]);
    check(&[chief("R1", None, Some((2024, 1, 31))), chief("R1", Some((2024, 2, 3)), None)], &["chief_gap"]);
    check(&[chief("R1", None, None), chief("R1", Some((2024, 2, 3)), None)], &["chiefs_overlap"]);
    check(&[chief("R1", None, Some((2024, 1, 31)))], &["without_chief"]);
    check(&[chief("W", None, None), chief("X", None, None)], &["chief_of_nothing"]);
    check(&[], &["without_chief"]);
}
