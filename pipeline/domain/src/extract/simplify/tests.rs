//! What simplification promises, over painted shapes and random rasters.

use std::f64::consts::PI;

use geo::{Area, Relate, Validation};
use ndarray::{Array2, s};
use proptest::prelude::*;

use super::*;
use crate::extract::tests::{paint, rasters, regions_in_strips};

fn regions(labels: &Array2<u8>, background: Option<u8>) -> Vec<Region> {
    regions_in_strips(labels, None, background, &[labels.nrows()])
}

fn points(line: &LineString<f64>) -> Vec<(f64, f64)> {
    line.coords().map(|coord| (coord.x, coord.y)).collect()
}

#[test]
fn a_staircase_becomes_a_line_and_right_angles_stay() {
    let labels = paint(&[
        "1.....", //
        "11....", "111...", "1111..", "11111.", "111111",
    ]);
    let simple = simplify(&regions(&labels, Some(0)), 0.75).expect("a tolerance");
    assert_eq!(points(simple[0].exterior()), [(0.0, 0.0), (6.0, 6.0), (0.0, 6.0), (0.0, 0.0)]);
}

#[test]
fn small_things_do_not_vanish() {
    let labels = paint(&["1.2", "...", "333"]);
    let simple = simplify(&regions(&labels, Some(0)), 5.0).expect("a tolerance");
    assert_eq!(simple.len(), 3);
    assert!(simple.iter().all(|polygon| polygon.unsigned_area() > 0.0));
}

#[test]
fn an_island_in_a_bay_stays_outside() {
    // a straight line across the mouth of the bay would swallow 2
    let labels = paint(&[
        "111111111", //
        "111...111",
        "111.2.111",
        "111...111",
    ]);
    for tolerance in [1.0, 2.5, 4.0] {
        let simple = simplify(&regions(&labels, Some(0)), tolerance).expect("a tolerance");
        assert!(simple[0].relate(&simple[1]).is_disjoint(), "{tolerance}: {simple:?}");
    }
}

#[test]
fn a_tolerance_below_zero_is_refused() {
    assert_eq!(simplify(&[], -0.5), Err(ExtractError::Tolerance { got: -0.5 }));
    assert!(simplify(&[], f64::NAN).is_err());
}

/// Sum over segments of what the border may sweep: the buffer of each by the tolerance.
fn swept(polygon: &Polygon<f64>, tolerance: f64) -> f64 {
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .flat_map(LineString::lines)
        .map(|line| 2.0 * tolerance * line.dx().hypot(line.dy()) + PI * tolerance * tolerance)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn polygons_stay_valid_disjoint_and_close(
        labels in rasters(),
        background in proptest::option::of(0_u8..2),
        tolerance in prop_oneof![Just(0.0), 0.1_f64..6.0],
    ) {
        let exact = regions(&labels, background);
        let simple = simplify(&exact, tolerance).expect("a tolerance");
        prop_assert_eq!(exact.len(), simple.len());
        for (region, polygon) in exact.iter().zip(&simple) {
            prop_assert!(polygon.check_validation().is_ok(), "{:?}", polygon);
            prop_assert!(polygon.signed_area() > 0.0);
            prop_assert_eq!(polygon.interiors().len(), region.holes.len());
            let change = (polygon.unsigned_area() - region.pixel_count as f64).abs();
            prop_assert!(change <= swept(polygon, tolerance) + 1e-9);
            if tolerance == 0.0 {
                prop_assert_eq!(polygon.unsigned_area(), region.pixel_count as f64);
            }
        }
        for (index, a) in simple.iter().enumerate() {
            for (other, b) in simple.iter().enumerate().skip(index + 1) {
                let apart = exact[index].rows.end < exact[other].rows.start
                    || exact[index].cols.end < exact[other].cols.start
                    || exact[other].cols.end < exact[index].cols.start;
                prop_assert!(apart || a.relate(b).matches("F********").expect("a pattern"), "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn shared_borders_leave_no_gap(labels in rasters(), tolerance in 0.1_f64..6.0) {
        // a frame round the raster: its hole is all that lies inside
        let (rows, cols) = labels.dim();
        let mut framed = Array2::from_elem((rows + 2, cols + 2), 9);
        framed.slice_mut(s![1..=rows, 1..=cols]).assign(&labels);
        let simple = simplify(&regions(&framed, None), tolerance).expect("a tolerance");
        let all: f64 = simple.iter().map(Area::unsigned_area).sum();
        let frame = simple.last().expect("the frame ends last");
        let inside = Polygon::new(frame.exterior().clone(), Vec::new()).unsigned_area();
        prop_assert!((all - inside).abs() < 1e-6, "{all} inside {inside}");
    }

    #[test]
    fn the_order_of_regions_does_not_matter(labels in rasters(), tolerance in 0.1_f64..6.0) {
        let mut exact = regions(&labels, Some(0));
        let forwards = simplify(&exact, tolerance).expect("a tolerance");
        exact.reverse();
        let mut backwards = simplify(&exact, tolerance).expect("a tolerance");
        backwards.reverse();
        prop_assert_eq!(forwards, backwards);
    }
}
