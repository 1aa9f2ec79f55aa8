//! Shapes painted as text, and properties over random rasters.

use geo::{Area, Validation};
use ndarray::{Array2, s};
use proptest::prelude::*;

use super::*;

/// Paints a raster: `.` is 0, digits are labels.
pub(super) fn paint(rows: &[&str]) -> Array2<u8> {
    let pixels: Vec<u8> =
        rows.iter().flat_map(|row| row.bytes()).map(|pixel| if pixel == b'.' { 0 } else { pixel - b'0' }).collect();
    Array2::from_shape_vec((rows.len(), rows[0].len()), pixels).expect("rows of equal length")
}

/// Traces a raster cut into strips of the heights given (the last repeats).
pub(super) fn regions_in_strips(
    labels: &Array2<u8>,
    values: Option<&Array2<u8>>,
    background: Option<u8>,
    heights: &[usize],
) -> Vec<Region> {
    let mut merger = RegionMerger::new();
    let mut regions = Vec::new();
    let mut heights = heights.iter().copied().cycle();
    let mut row = 0;
    while row < labels.nrows() {
        let end = (row + heights.next().expect("heights").max(1)).min(labels.nrows());
        let strip = trace_strip(
            labels.slice(s![row..end, ..]),
            values.as_ref().map(|values| values.slice(s![row..end, ..])),
            row as i64,
            0,
            background,
        )
        .expect("a strip that fits");
        regions.extend(merger.push(strip).expect("strips in order"));
        row = end;
    }
    regions.extend(merger.finish());
    regions
}

fn regions(rows: &[&str]) -> Vec<Region> {
    let labels = paint(rows);
    regions_in_strips(&labels, None, Some(0), &[labels.nrows()])
}

fn corners(ring: &Ring) -> Vec<(i64, i64)> {
    ring.corners().iter().map(|corner| (corner.x, corner.y)).collect()
}

#[test]
fn one_pixel_is_a_square_that_runs_clockwise_on_screen() {
    let found = regions(&["...", ".1.", "..."]);
    assert_eq!(found.len(), 1);
    assert_eq!(corners(&found[0].exterior), [(1, 1), (2, 1), (2, 2), (1, 2), (1, 1)]);
    assert_eq!((found[0].rows.clone(), found[0].cols.clone()), (1..2, 1..2));
    assert!(found[0].to_polygon().signed_area() > 0.0);
}

#[test]
fn a_lake_is_a_hole_and_a_region_of_its_own() {
    let found = regions(&["1111", "1221", "1111"]);
    assert_eq!(found.len(), 2);
    let (lake, land) = (&found[0], &found[1]);
    assert_eq!((lake.label, lake.pixel_count), (2, 2));
    assert_eq!((land.label, land.pixel_count), (1, 10));
    assert_eq!(corners(&land.holes[0]), [(1, 1), (1, 2), (3, 2), (3, 1), (1, 1)]);
}

#[test]
fn diagonal_pixels_are_two_regions() {
    let found = regions(&["1.", ".1"]);
    assert_eq!(found.len(), 2);
}

#[test]
fn a_ring_that_touches_itself_becomes_exterior_and_hole() {
    // the bay in the middle meets the outside in one corner only
    let found = regions(&[
        "111", //
        "1.1", //
        "11.",
    ]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].holes.len(), 1);
    assert_eq!(found[0].exterior.signed_area(), 8);
    assert!(found[0].to_polygon().is_valid());
}

#[test]
fn two_holes_that_touch_stay_two() {
    let found = regions(&["1111", "1.11", "11.1", "1111"]);
    assert_eq!(found[0].holes.len(), 2);
    assert!(found[0].to_polygon().is_valid());
}

#[test]
fn every_pixel_counts_without_background() {
    let labels = paint(&["..1", "..1"]);
    let found = regions_in_strips(&labels, None, None, &[2]);
    assert_eq!(found.iter().map(|region| region.label).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn values_are_summed_over_the_region_only() {
    let labels = paint(&["11.", ".1."]);
    let values = ndarray::array![[10, 20, 99], [99, 30, 99]];
    for height in [1, 2] {
        let found = regions_in_strips(&labels, Some(&values), Some(0), &[height]);
        assert_eq!((found[0].value_sum, found[0].value_max), (60, 30));
        assert!((found[0].value_mean() - 20.0).abs() < 1e-12);
    }
}

#[test]
fn rows_and_columns_are_those_of_the_grid() {
    let labels = paint(&["1.", "11"]);
    let mut merger = RegionMerger::new();
    for (row, labels) in labels.outer_iter().enumerate() {
        let strip = trace_strip(labels.insert_axis(ndarray::Axis(0)), None, row as i64 - 1, -7, Some(0));
        assert_eq!(merger.push(strip.expect("a strip that fits")).expect("strips in order"), []);
    }
    let found = merger.finish();
    assert_eq!((found[0].rows.clone(), found[0].cols.clone()), (-1..1, -7..-5));
    assert_eq!(corners(&found[0].exterior), [(-7, -1), (-6, -1), (-6, 0), (-5, 0), (-5, 1), (-7, 1), (-7, -1)]);
}

#[test]
fn strips_out_of_order_are_refused() {
    let labels = paint(&["11"]);
    let strip = |row| trace_strip(labels.view(), None, row, 0, None).expect("a strip that fits");
    let mut merger = RegionMerger::new();
    merger.push(strip(0)).expect("the first strip");
    assert_eq!(
        merger.push(strip(2)),
        Err(ExtractError::StripOutOfOrder { expected_row: 1, got_row: 2, expected_cols: [0, 2], got_cols: [0, 2] })
    );
    assert_eq!(merger.push(strip(1)).expect("the row that follows"), []);
    assert_eq!(merger.finish()[0].pixel_count, 4);
}

#[test]
fn values_of_another_shape_are_refused() {
    let labels = paint(&["11"]);
    let values = paint(&["1"]);
    assert!(matches!(
        trace_strip(labels.view(), Some(values.view()), 7, 0, None),
        Err(ExtractError::ShapeMismatch { first_row: 7, .. })
    ));
}

/// The plain way, pixel by pixel: components by flood fill.
fn flood_fill(labels: &Array2<u8>, background: Option<u8>) -> (Array2<usize>, usize) {
    let (rows, cols) = labels.dim();
    let mut component = Array2::from_elem((rows, cols), usize::MAX);
    let mut count = 0;
    for start in 0..rows * cols {
        let start = (start / cols, start % cols);
        if component[start] != usize::MAX || Some(labels[start]) == background {
            continue;
        }
        component[start] = count;
        let mut stack = vec![start];
        while let Some((row, col)) = stack.pop() {
            let neighbours = [(row.wrapping_sub(1), col), (row + 1, col), (row, col.wrapping_sub(1)), (row, col + 1)];
            for next in neighbours {
                if labels.get(next) == Some(&labels[start]) && component[next] == usize::MAX {
                    component[next] = count;
                    stack.push(next);
                }
            }
        }
        count += 1;
    }
    (component, count)
}

/// Whether the centre of a pixel lies inside a region, by crossings of a ray to the left.
fn covers(region: &Region, row: i64, col: i64) -> bool {
    std::iter::once(&region.exterior)
        .chain(&region.holes)
        .flat_map(|ring| ring.corners().windows(2))
        .filter(|edge| {
            let (top, bottom) = (edge[0].y.min(edge[1].y), edge[0].y.max(edge[1].y));
            edge[0].x == edge[1].x && edge[0].x <= col && top <= row && row < bottom
        })
        .count()
        % 2
        == 1
}

/// Rasters of few labels, noisy enough for pinches, holes in holes and long snakes; some of wide blocks.
pub(super) fn rasters() -> impl Strategy<Value = Array2<u8>> {
    (1_usize..14, 1_usize..90, 2_u8..5, 1_usize..12).prop_flat_map(|(rows, cols, labels, stretch)| {
        let cells = cols.div_ceil(stretch);
        proptest::collection::vec(0..labels, rows * cells).prop_map(move |pixels| {
            Array2::from_shape_fn((rows, cols), |(row, col)| pixels[row * cells + col / stretch])
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn regions_are_the_components_and_their_polygons_are_valid(
        labels in rasters(), background in proptest::option::of(0_u8..2),
    ) {
        let found = regions_in_strips(&labels, None, background, &[labels.nrows()]);
        let (component, count) = flood_fill(&labels, background);
        prop_assert_eq!(found.len(), count);
        // each pixel is covered by exactly one region, all pixels of a component by the same
        let mut region_of = vec![None; count];
        for ((row, col), &component) in component.indexed_iter() {
            let covering: Vec<usize> = (0..found.len())
                .filter(|&index| covers(&found[index], row as i64, col as i64))
                .collect();
            if component == usize::MAX {
                prop_assert!(covering.is_empty());
            } else {
                prop_assert_eq!(covering.len(), 1);
                prop_assert_eq!(*region_of[component].get_or_insert(covering[0]), covering[0]);
                prop_assert_eq!(found[covering[0]].label, labels[(row, col)]);
            }
        }
        for region in &found {
            let polygon = region.to_polygon();
            prop_assert!(polygon.check_validation().is_ok(), "{:?}", region);
            prop_assert_eq!(polygon.unsigned_area(), region.pixel_count as f64);
            prop_assert!(region.exterior.signed_area() > 0);
            prop_assert!(region.holes.iter().all(|hole| hole.signed_area() < 0));
            prop_assert!(region.holes.is_sorted_by_key(|hole| hole.corners()[0]));
            let rings = std::iter::once(&region.exterior).chain(&region.holes);
            for ring in rings {
                let corners = ring.corners();
                prop_assert_eq!(corners.iter().min(), corners.first());
                // edges alternate between along rows and along columns: nothing collinear, nothing doubled
                for turn in corners.windows(3) {
                    prop_assert!((turn[0].x == turn[1].x) != (turn[0].y == turn[1].y));
                    prop_assert_eq!(turn[0].x == turn[1].x, turn[1].y == turn[2].y);
                }
            }
            let (xs, ys): (Vec<i64>, Vec<i64>) = corners(&region.exterior).into_iter().unzip();
            prop_assert_eq!(Some(&region.cols.start), xs.iter().min());
            prop_assert_eq!(Some(&region.cols.end), xs.iter().max());
            prop_assert_eq!(Some(&region.rows.start), ys.iter().min());
            prop_assert_eq!(Some(&region.rows.end), ys.iter().max());
        }
    }

    #[test]
    fn the_cut_into_strips_does_not_matter(
        labels in rasters(),
        background in proptest::option::of(0_u8..2),
        heights in proptest::collection::vec(1_usize..6, 1..5),
        seed in any::<u64>(),
    ) {
        let values = labels.mapv(|label| (u64::from(label).wrapping_mul(seed) >> 3) as u8);
        let whole = regions_in_strips(&labels, Some(&values), background, &[labels.nrows()]);
        let strips = regions_in_strips(&labels, Some(&values), background, &heights);
        prop_assert_eq!(&whole, &strips);
        // a view that is not contiguous gives the same
        let turned = labels.t().as_standard_layout().into_owned();
        let strip = trace_strip(turned.t(), Some(values.view()), 0, 0, background).expect("a strip that fits");
        let mut merger = RegionMerger::new();
        let mut regions = merger.push(strip).expect("the first strip");
        regions.extend(merger.finish());
        prop_assert_eq!(&whole, &regions);
    }
}
