use geo::{Area, BooleanOps, GeodesicArea, Rotate};
use geo_types::{Coord, MultiPolygon, Point, Rect};
use proptest::prelude::*;
use shorewatch_domain::law::layer::{AdministrativeLevel, BoundarySource, Facts};

use super::*;

/// A degree is about 103 km by 111 km here.
const HERE: Coord<f64> = Coord { x: 108.6, y: 21.9 };

fn square(x_m: f64, y_m: f64, width_m: f64, height_m: f64) -> Polygon<f64> {
    let (x, y) = ellipsoid::metres_per_degree(HERE.y);
    let corner = |dx: f64, dy: f64| Coord { x: HERE.x + dx / x, y: HERE.y + dy / y };
    Rect::new(corner(x_m, y_m), corner(x_m + width_m, y_m + height_m)).to_polygon()
}

fn feature(code: &str, geometry: impl Into<MultiPolygon<f64>>, facts: Facts) -> Feature {
    let (name, geometry) = (format!("{code} by name"), geometry.into());
    Feature { code: code.to_owned(), name, geometry, facts, other: BTreeMap::new(), repairs: Vec::new() }
}

fn county(code: &str, geometry: impl Into<MultiPolygon<f64>>) -> Feature {
    feature(code, geometry, Facts::AdministrativeUnit { level: AdministrativeLevel::County, parent: None })
}

fn index(features: Vec<Feature>) -> LayerIndex {
    LayerIndex::new(Layers { features, ..Layers::default() })
}

#[test]
fn a_place_on_a_border_has_its_shares_in_order() {
    let index = index(vec![
        county("b", square(-5000.0, -5000.0, 5000.0, 10_000.0)),
        county("a", square(0.0, -5000.0, 5000.0, 10_000.0)),
        county("far", square(20_000.0, 0.0, 5000.0, 5000.0)),
        feature("blue", square(-5.0, -5.0, 60.0, 20.0), Facts::BlueLine),
    ]);
    // 30 m of 100 m lie west of the border
    let place = index.place(&square(-30.0, 0.0, 100.0, 10.0));
    let counties = place.met(LayerKind::AdministrativeUnit).expect("in force");
    assert_eq!(counties.iter().map(|hit| hit.code.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert!((counties[0].share - 0.7).abs() < 1e-7 && (counties[1].share - 0.3).abs() < 1e-7, "{counties:?}");
    assert!((counties[0].area_m2 - 700.0).abs() < 0.1, "{}", counties[0].area_m2);
    assert!((place.share_in(LayerKind::AdministrativeUnit).expect("in force") - 1.0).abs() < 1e-7);
    // the blue line is 60 m × 20 m; 55 m × 10 m of it lie in the place, and 5 m more to the west of the border
    let blue = &place.met(LayerKind::BlueLine).expect("in force")[0];
    assert!((blue.share - 0.6).abs() < 1e-6 && (blue.share_of_feature - 0.5).abs() < 1e-6, "{blue:?}");
    assert_eq!(place.met(LayerKind::Wetland), None);
}

#[test]
fn a_layer_in_force_that_is_not_met_is_told_from_one_that_is_not_in_force() {
    let versions = [("wetland".to_owned(), 3), ("management_scope/buffer".to_owned(), 1), ("chief".to_owned(), 2)];
    let index = LayerIndex::new(Layers { versions: versions.into(), ..Layers::default() });
    let place = index.place(&square(0.0, 0.0, 10.0, 10.0));
    assert_eq!(place.met(LayerKind::Wetland), Some(&[][..]));
    assert_eq!(place.share_in(LayerKind::ManagementScope), Some(0.0));
    assert_eq!(place.share_in(LayerKind::BlueLine), None);
    assert_eq!(place.versions["wetland"], 3);
}

#[test]
fn holes_and_parts_count() {
    let source = || Facts::ManagementScope { source: BoundarySource::Official, water_code: None };
    let holed = Polygon::new(
        square(0.0, 0.0, 300.0, 300.0).exterior().clone(),
        vec![square(100.0, 100.0, 100.0, 100.0).exterior().clone()],
    );
    let index = index(vec![
        feature("holed", holed, source()),
        feature(
            "two",
            MultiPolygon(vec![square(110.0, 110.0, 20.0, 80.0), square(160.0, 110.0, 20.0, 80.0)]),
            source(),
        ),
    ]);
    // wholly in the hole: only the parts of the other feature are met
    let place = index.place(&square(110.0, 110.0, 80.0, 80.0));
    let hits = place.met(LayerKind::ManagementScope).expect("in force");
    assert_eq!(hits.len(), 1);
    assert!(hits[0].code == "two" && (hits[0].share - 0.5).abs() < 1e-7 && hits[0].share_of_feature > 1.0 - 1e-7);
    // half in the hole
    let place = index.place(&square(180.0, 120.0, 40.0, 10.0));
    let hits = place.met(LayerKind::ManagementScope).expect("in force");
    assert!(hits[0].code == "holed" && (hits[0].share - 0.5).abs() < 1e-7, "{hits:?}");
}

#[test]
fn neighbours_that_touch_are_not_met_and_an_outline_without_area_meets_nothing() {
    let index = index(vec![county("a", square(0.0, 0.0, 100.0, 100.0))]);
    let touching = index.place(&square(100.0, 0.0, 50.0, 50.0));
    assert_eq!(touching.met(LayerKind::AdministrativeUnit), Some(&[][..]));
    let flat = index.place(&square(10.0, 10.0, 50.0, 0.0));
    assert_eq!(flat.met(LayerKind::AdministrativeUnit), Some(&[][..]));
}

#[test]
fn a_polygon_of_a_million_corners_is_asked_like_a_small_one() {
    let corners = 1_000_000;
    let ring = (0..corners).map(|i| {
        let angle = std::f64::consts::TAU * f64::from(i) / f64::from(corners);
        let radius = 0.4 * (1.0 + 0.05 * (angle * 5000.0).sin());
        Coord { x: HERE.x + radius * angle.cos(), y: HERE.y + radius * angle.sin() }
    });
    let giant = Polygon::new(ring.collect::<Vec<_>>().into(), Vec::new());
    let began = std::time::Instant::now();
    let index = index(vec![county("giant", giant.clone())]);
    let built = began.elapsed();
    let began = std::time::Instant::now();
    let asked: Vec<f64> = (0..1000)
        .map(|i| {
            let place = index.place(&square(f64::from(i) * 60.0, f64::from(i % 7) * 30.0, 50.0, 40.0));
            place.share_in(LayerKind::AdministrativeUnit).expect("in force")
        })
        .collect();
    let each = began.elapsed() / 1000;
    assert!(asked[0] == 1.0 && asked[999] == 0.0 && asked.iter().any(|share| *share > 0.0 && *share < 1.0));
    // one intersection with the whole would take far longer than all of this
    assert!(built.as_secs_f64() < 20.0 && each.as_secs_f64() < 2e-3, "built in {built:?}, {each:?} a place");
    let edge = (0..1000).find(|i| asked[*i as usize] > 0.0 && asked[*i as usize] < 1.0).expect("one on the edge");
    let outline = square(f64::from(edge) * 60.0, f64::from(edge % 7) * 30.0, 50.0, 40.0);
    let expected = giant.intersection(&outline).geodesic_area_unsigned() / outline.geodesic_area_unsigned();
    assert!((asked[edge as usize] - expected).abs() < 1e-5, "{} and {expected}", asked[edge as usize]);
}

fn blob() -> impl Strategy<Value = Polygon<f64>> {
    let place = (-500.0..500.0, -500.0..500.0, 20.0..600.0, 5_usize..90, 0.0..360.0, 0.0..0.45);
    place.prop_map(|(x, y, radius, corners, turn, wave)| {
        let (dx, dy) = ellipsoid::metres_per_degree(HERE.y);
        let ring = (0..corners).map(|i| {
            let angle = std::f64::consts::TAU * i as f64 / corners as f64;
            let radius = radius * (1.0 + wave * (angle * 3.0).sin());
            Coord { x: HERE.x + (x + radius * angle.cos()) / dx, y: HERE.y + (y + radius * angle.sin()) / dy }
        });
        Polygon::new(ring.collect::<Vec<_>>().into(), Vec::new()).rotate_around_point(turn, Point(HERE))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_are_those_of_an_intersection_without_an_index(blobs in prop::collection::vec(blob(), 1..12), asked in blob()) {
        let features = blobs.iter().enumerate().map(|(i, blob)| county(&i.to_string(), blob.clone())).collect();
        let place = index(features).place(&asked);
        let hits = place.met(LayerKind::AdministrativeUnit).expect("in force");
        prop_assert!(hits.is_sorted_by(|a, b| a.share >= b.share));
        for (i, blob) in blobs.iter().enumerate() {
            let common = asked.intersection(blob);
            let expected = common.unsigned_area() / asked.unsigned_area();
            let of_feature = common.unsigned_area() / blob.unsigned_area();
            let hit = hits.iter().find(|hit| hit.code == i.to_string());
            let got = hit.map_or((0.0, 0.0), |hit| (hit.share, hit.share_of_feature));
            // over some hundred metres a square degree is the same everywhere to a few parts in 10 000
            prop_assert!((got.0 - expected).abs() < 3e-4 && (got.1 - of_feature).abs() < 3e-4, "{got:?}, {expected}, {of_feature}");
        }
    }
}
