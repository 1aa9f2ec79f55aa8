use geo_types::{Coord, Polygon, Rect};
use shorewatch_domain::law::layer::BoundarySource;

use super::*;

const PIXEL_M: f64 = 10.0;
const THRESHOLDS: Thresholds = Thresholds { ring_m: 200.0, outside_min_m2: 2000.0, shift_min_m: 20.0 };

/// Painted ground: what is water, what was looked at, what lies in a scope; by the centre of a pixel (x = column, y = row).
struct Painted<'a> {
    water: &'a dyn Fn(f64, f64) -> bool,
    looked_at: &'a dyn Fn(f64, f64) -> bool,
    scopes: MultiPolygon<f64>,
}

impl SeenGround for Painted<'_> {
    fn seen(&self, (row, col): (i64, i64)) -> Seen {
        let (x, y) = (col as f64 + 0.5, row as f64 + 0.5);
        match ((self.looked_at)(x, y), (self.water)(x, y)) {
            (false, _) => Seen::NotLookedAt,
            (true, true) => Seen::Water,
            (true, false) => Seen::Dry,
        }
    }

    fn is_in_a_scope(&self, (row, col): (i64, i64)) -> bool {
        use geo::Contains;
        self.scopes.contains(&geo_types::Point::new(col as f64 + 0.5, row as f64 + 0.5))
    }
}

fn square(left: f64, top: f64, right: f64, bottom: f64) -> MultiPolygon<f64> {
    Rect::new((left, top), (right, bottom)).to_polygon().into()
}

fn held(
    scope: &MultiPolygon<f64>,
    water: &dyn Fn(f64, f64) -> bool,
    looked_at: &dyn Fn(f64, f64) -> bool,
) -> AgainstWater {
    against_water(scope, PIXEL_M, &Painted { water, looked_at, scopes: scope.clone() }, &THRESHOLDS)
}

impl AgainstWater {
    fn moved(&self) -> Shift {
        self.shift.expect("it can be told").expect("a shift")
    }
}

/// A river along the columns, rows 100 to 120, that runs on beyond the scope of columns 0 to 400.
fn river(_: f64, y: f64) -> bool {
    (100.0..120.0).contains(&y)
}

fn everywhere(_: f64, _: f64) -> bool {
    true
}

/// An S of two bends about row 110, 20 pixels wide across.
fn meander(x: f64, y: f64) -> bool {
    (y - bend(x)).abs() < 10.0 * (1.0 + slope(x).powi(2)).sqrt() && (0.0..600.0).contains(&x)
}

fn bend(x: f64) -> f64 {
    110.0 + 90.0 * (x / 300.0 * std::f64::consts::TAU).sin()
}

fn slope(x: f64) -> f64 {
    90.0 / 300.0 * std::f64::consts::TAU * (x / 300.0 * std::f64::consts::TAU).cos()
}

/// The scope of the meander: so many pixels beyond its banks, moved by (columns, rows).
fn about_the_meander(margin: f64, (dx, dy): (f64, f64)) -> MultiPolygon<f64> {
    let side = |sign: f64| {
        (0..=60).map(move |i| {
            let x = f64::from(i) * 10.0;
            let reach = sign * (10.0 + margin) / (1.0 + slope(x).powi(2)).sqrt();
            Coord { x: x - reach * slope(x) + dx, y: bend(x) + reach + dy }
        })
    };
    let back: Vec<Coord<f64>> = side(-1.0).collect();
    Polygon::new(side(1.0).chain(back.into_iter().rev()).collect(), Vec::new()).into()
}

#[test]
fn a_straight_scope_moved_across_its_reach_is_told_across_only() {
    // 40 m of margin on each side, moved 90 m to the south (rows go down): 50 m of the water lie outside in the north
    let moved = held(&square(0.0, 105.0, 400.0, 133.0), &river, &everywhere);
    let expected = 400.0 * 5.0 * PIXEL_M * PIXEL_M;
    assert!((moved.outside_m2 / expected - 1.0).abs() < 0.05, "{} of {expected} m²", moved.outside_m2);
    let shift = moved.moved();
    assert!(!shift.tells_both_axes && shift.east_m.abs() < 3.0 && (shift.north_m - 90.0).abs() < 6.0, "{shift:?}");
    assert_eq!(moved.not_looked_at_m, 0.0);
    // still inside, with uneven margins: it may have been drawn so
    let uneven = held(&square(0.0, 97.0, 400.0, 130.0), &river, &everywhere);
    assert_eq!((uneven.outside_m2, uneven.shift), (0.0, Err(Untold::BanksDiffer)));
}

#[test]
fn even_margins_are_no_shift_whether_wide_or_narrow() {
    let wide = held(&square(0.0, 85.0, 400.0, 135.0), &river, &everywhere);
    assert_eq!((wide.outside_m2, wide.shift), (0.0, Ok(None)), "the river that runs on at both ends is no defect");
    let narrow = held(&square(0.0, 104.0, 400.0, 116.0), &river, &everywhere);
    let expected = 400.0 * 8.0 * PIXEL_M * PIXEL_M;
    assert!((narrow.outside_m2 / expected - 1.0).abs() < 0.05, "{} of {expected} m²", narrow.outside_m2);
    assert_eq!(narrow.shift, Ok(None));
}

#[test]
fn a_bend_tells_the_shift_along_both_axes() {
    let sound = held(&about_the_meander(6.0, (0.0, 0.0)), &meander, &everywhere);
    assert_eq!((sound.outside_m2, sound.shift), (0.0, Ok(None)));
    let moved = held(&about_the_meander(6.0, (8.0, -5.0)), &meander, &everywhere);
    let shift = moved.moved();
    assert!(
        shift.tells_both_axes && (shift.east_m + 80.0).abs() < 12.0 && (shift.north_m + 50.0).abs() < 12.0,
        "{shift:?}"
    );
    assert!(moved.outside_m2 > 10_000.0, "{}", moved.outside_m2);
}

/// A river of uneven width that runs on at both ends, with a bar on the inner bank of each bend; half its width in pixels.
fn barred(x: f64, y: f64) -> bool {
    let turn = (x / 300.0 * std::f64::consts::TAU).sin();
    let (off, half) = (y - barred_line(x).0, 15.0 + 3.0 * (x / 37.0).sin());
    let bar = (-off.signum() * turn).max(0.0);
    off.abs() < half * (1.0 - 0.5 * bar) * (1.0 + barred_line(x).1.powi(2)).sqrt()
}

/// Its line, and how that slopes.
fn barred_line(x: f64) -> (f64, f64) {
    let (sine, cosine) = (x / 300.0 * std::f64::consts::TAU).sin_cos();
    (200.0 + 40.0 * sine, 40.0 / 300.0 * std::f64::consts::TAU * cosine)
}

/// A strip of even width about the line between two columns, cut across the river at both ends, moved by (columns, rows).
fn strip(half: f64, (from, to): (f64, f64), (dx, dy): (f64, f64)) -> MultiPolygon<f64> {
    let side = |sign: f64| {
        (0..=100).map(move |i| {
            let x = from + (to - from) * f64::from(i) / 100.0;
            let (y, slope) = barred_line(x);
            let reach = sign * half / (1.0 + slope.powi(2)).sqrt();
            Coord { x: x - reach * slope + dx, y: y + reach + dy }
        })
    };
    let back: Vec<Coord<f64>> = side(-1.0).collect();
    Polygon::new(side(1.0).chain(back.into_iter().rev()).collect(), Vec::new()).into()
}

#[test]
fn a_wide_strip_cut_across_a_river_of_uneven_width_is_told_moved_only_where_it_is() {
    for ends in [(40.0, 340.0), (40.0, 640.0), (115.0, 500.0)] {
        for half in [30.0, 45.0] {
            let as_drawn = held(&strip(half, ends, (0.0, 0.0)), &barred, &everywhere);
            assert_eq!((as_drawn.outside_m2, as_drawn.shift), (0.0, Ok(None)), "the river runs on at both ends");
            for (dx, dy) in [(0.0, 6.0), (0.0, -16.0), (10.0, 0.0), (-8.0, 8.0)] {
                let shift = held(&strip(half, ends, (dx, dy)), &barred, &everywhere).moved();
                let off = (shift.east_m + dx * PIXEL_M).hypot(shift.north_m - dy * PIXEL_M);
                assert!(shift.tells_both_axes && off < 15.0, "{ends:?} {half}: {shift:?} by {off} m off ({dx}, {dy})");
            }
        }
    }
}

#[test]
fn what_was_not_looked_at_is_told_and_is_neither_water_nor_dry() {
    let scope = square(0.0, 105.0, 400.0, 133.0);
    let west = held(&scope, &river, &|x, _| x < 200.0);
    let expected = 200.0 * 5.0 * PIXEL_M * PIXEL_M;
    assert!((west.outside_m2 / expected - 1.0).abs() < 0.06, "{} of {expected} m²", west.outside_m2);
    let share = west.not_looked_at_m / west.edge_m;
    assert!((share - 0.5).abs() < 0.03, "{share}");
    let shift = west.moved();
    assert!((shift.north_m - 90.0).abs() < 6.0, "{shift:?}");
    // the north, where the water lies, was not looked at: nothing is told of it
    let south = held(&scope, &river, &|_, y| y > 105.0);
    assert_eq!((south.outside_m2, south.shift), (0.0, Err(Untold::OneBank)));
    assert!((south.not_looked_at_m / south.edge_m - 400.0 / 856.0).abs() < 0.04, "{south:?}");
    let blind = held(&scope, &river, &|_, _| false);
    assert_eq!((blind.outside_m2, blind.shift, blind.not_looked_at_m), (0.0, Err(Untold::LittleShore), blind.edge_m));
}

#[test]
fn without_water_nothing_is_told() {
    let dry = held(&square(0.0, 105.0, 400.0, 133.0), &|_, _| false, &everywhere);
    assert_eq!((dry.outside_m2, dry.shift, dry.not_looked_at_m), (0.0, Err(Untold::LittleShore), 0.0));
    assert_eq!(
        against_water(
            &MultiPolygon(Vec::new()),
            PIXEL_M,
            &Painted { water: &river, looked_at: &everywhere, scopes: MultiPolygon(Vec::new()) },
            &THRESHOLDS
        )
        .edge_m,
        0.0
    );
}

#[test]
fn mouths_ponds_and_the_next_scope_are_no_water_outside() {
    let scope = square(0.0, 90.0, 400.0, 130.0);
    // a tributary of 60 m that bends off 150 m away, a pond behind the bank, a boat in the edge
    let water = |x: f64, y: f64| {
        let tributary = (100.0..106.0).contains(&x) && (75.0..100.0).contains(&y);
        let pond = (200.0..260.0).contains(&x) && (131.0..140.0).contains(&y);
        river(x, y) || tributary || pond
    };
    let sound = held(&scope, &water, &everywhere);
    assert_eq!((sound.outside_m2, sound.shift), (0.0, Ok(None)));
    // the same scope in two halves, one moved so that water of the other lies beside it
    let (north, south) = (square(0.0, 90.0, 400.0, 110.0), square(0.0, 110.0, 400.0, 130.0));
    let both = MultiPolygon(vec![north.0[0].clone(), south.0[0].clone()]);
    let ground = Painted { water: &river, looked_at: &everywhere, scopes: both };
    for half in [north, south] {
        let held = against_water(&half, PIXEL_M, &ground, &THRESHOLDS);
        assert_eq!((held.outside_m2, held.shift), (0.0, Err(Untold::OneBank)));
        assert!((held.edge_m - 4400.0).abs() < 50.0, "what borders on the next scope does not count: {}", held.edge_m);
    }
}

#[test]
fn a_lake_that_its_scope_cuts_is_told_with_area_place_and_words() {
    let lake = |x: f64, y: f64| (x - 100.0).hypot(y - 100.0) < 40.0;
    let circle = |radius: f64, (dx, dy): (f64, f64)| {
        let place = |i: i32| {
            let (sine, cosine) = f64::from(i * 3).to_radians().sin_cos();
            Coord { x: 100.0 + dx + radius * cosine, y: 100.0 + dy + radius * sine }
        };
        MultiPolygon::from(Polygon::new((0..120).map(place).collect(), Vec::new()))
    };
    let small = held(&circle(35.0, (0.0, 0.0)), &lake, &everywhere);
    let expected = std::f64::consts::PI * (40.0_f64.powi(2) - 35.0_f64.powi(2)) * PIXEL_M * PIXEL_M;
    assert!((small.outside_m2 / expected - 1.0).abs() < 0.05 && small.shift == Ok(None), "{small:?}");
    // moved to the south-east, but still around its water
    let moved = held(&circle(55.0, (7.0, 7.0)), &lake, &everywhere);
    let shift = moved.moved();
    assert!(shift.tells_both_axes && (shift.east_m + 70.0).hypot(shift.north_m - 70.0) < 10.0, "{shift:?}");
    assert_eq!(moved.outside_m2, 0.0);

    let facts = Facts::ManagementScope { source: BoundarySource::Official, water_code: Some("W".to_owned()) };
    let (geometry, other) = (square(110.0, 30.0, 110.1, 30.1), std::collections::BTreeMap::new());
    let scope =
        Feature { code: "S".to_owned(), name: "镜湖".to_owned(), geometry, facts, other, repairs: Vec::new() };
    let told = moved.defects(&scope, MultiPolygon(Vec::new()));
    assert_eq!(told.iter().map(|defect| defect.kind.name()).collect::<Vec<_>>(), ["scope_shifted_against_imagery"]);
    assert!(told[0].text.contains("镜湖") && told[0].text.contains("to the north-west: "), "{}", told[0].text);
    assert_eq!(moved.untold(&scope), None);
    assert_eq!((&told[0].codes[..], told[0].area_m2), (&["W".to_owned(), "S".to_owned()][..], None));
    assert!((told[0].length_m.expect("metres") - 99.0).abs() < 10.0 && told[0].geometry.is_some());
    let half = AgainstWater { not_looked_at_m: small.edge_m / 2.0, ..small };
    let told = half.defects(&scope, square(110.0, 30.0, 110.01, 30.01));
    assert_eq!(told.iter().map(|defect| defect.kind.name()).collect::<Vec<_>>(), ["scope_lacks_seen_water"]);
    assert!(told[0].area_m2 == Some(half.outside_m2) && told[0].text.ends_with("; 50 % of its edge was not looked at"));
    let (outside, shift) = (MultiPolygon(Vec::new()), Err(Untold::OneBank));
    let untold = AgainstWater { shift, ..half }.untold(&scope).expect("a text");
    assert_eq!(
        untold,
        "cannot tell whether 镜湖 is shifted: a waterline was seen along one side of it only; 50 % of its edge was not looked at"
    );
    let blind = AgainstWater { edge_m: 10.0, not_looked_at_m: 10.0, outside_px: outside, outside_m2: 0.0, shift };
    assert_eq!(blind.untold(&scope), None, "that nothing was looked at is told elsewhere");
}
