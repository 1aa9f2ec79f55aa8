//! What a reader may rely on in the pictures: one stretch for both dates, and no colour for ground
//! that was not observed.

use geo_types::{MultiPolygon, Polygon, polygon};
use image::RgbImage;
use ndarray::{Array2, Array3};
use proptest::prelude::*;
use shorewatch_report::{
    Backdrop, BackdropPass, ChipDate, ChipPair, Coverage, Overview, OverviewPatch, OverviewReach, RenderError, Series,
    render_backdrop, render_overview, render_pair, render_series,
};

/// The two colours of the hatch.
const HATCH: [[u8; 3]; 2] = [[224, 220, 234], [139, 130, 165]];

/// Digits are values (the same in every band up to a factor), `.` is unobserved.
fn date(map: &[&str]) -> ChipDate {
    let rows: Vec<Vec<char>> = map.iter().map(|row| row.chars().collect()).collect();
    let shape = (rows.len(), rows[0].len());
    let value = |row: usize, column: usize| rows[row][column].to_digit(10);
    ChipDate {
        pixels: Array3::from_shape_fn((3, shape.0, shape.1), |(band, row, column)| {
            // An unobserved pixel holds an extreme value: it must neither show nor move the stretch.
            value(row, column).map_or(-9999.0, |digit| digit as f32 * (band as f32 + 1.0))
        }),
        observed: Array2::from_shape_fn(shape, |(row, column)| value(row, column).is_some()),
        date: "2024-03-15".to_owned(),
        sensor: "Sentinel-2 L2A".to_owned(),
    }
}

fn pair(pre: &[&str], post: &[&str]) -> ChipPair {
    ChipPair {
        pre: date(pre),
        post: date(post),
        bands: "nir, red, green".to_owned(),
        natural_colour: false,
        gsd_m: 10.0,
        outline: MultiPolygon::new(Vec::new()),
        patch_id: "450702-20240315-0007".to_owned(),
    }
}

fn decode(png: &[u8]) -> RgbImage {
    image::load_from_memory(png).expect("a PNG").to_rgb8()
}

/// The distinct colours of a cell's picture pixels.
fn cell_colours(picture: &RgbImage, side: usize, row: usize, column: usize) -> Vec<[u8; 3]> {
    let factor = 400 / side as u32;
    let mut colours: Vec<[u8; 3]> = Vec::new();
    for y in row as u32 * factor..(row as u32 + 1) * factor {
        for x in column as u32 * factor..(column as u32 + 1) * factor {
            let colour = picture.get_pixel(x, y).0;
            if !colours.contains(&colour) {
                colours.push(colour);
            }
        }
    }
    colours
}

fn square(left: f64, top: f64, side: f64) -> Polygon<f64> {
    polygon![
        (x: left, y: top), (x: left + side, y: top),
        (x: left + side, y: top + side), (x: left, y: top + side),
    ]
}

#[test]
fn the_same_value_has_the_same_colour_on_both_dates() {
    let chips =
        render_pair(&pair(&["1111", "1151", "1111", "1119"], &["9999", "9959", "9999", "9991"])).expect("a pair");
    let (pre, post) = (decode(&chips.pre_png), decode(&chips.post_png));
    assert_eq!(pre.dimensions(), (chips.width_px, chips.height_px));
    assert_eq!(post.dimensions(), pre.dimensions());
    assert_eq!(cell_colours(&pre, 4, 1, 2), cell_colours(&post, 4, 1, 2));
    assert_eq!(cell_colours(&pre, 4, 0, 0), cell_colours(&post, 4, 3, 3));
    assert_eq!(cell_colours(&pre, 4, 0, 0), [[0; 3]]);
    assert_eq!(cell_colours(&post, 4, 0, 0), [[255; 3]]);
}

#[test]
fn unobserved_ground_is_hatched_and_moves_nothing() {
    let seen = render_pair(&pair(&["1234", "2345", "3456", "4567"], &["1234"; 4])).expect("a pair");
    let gaps = render_pair(&pair(&["1234", "2345", "3456", "456."], &["1234"; 4])).expect("a pair");
    let picture = decode(&gaps.pre_png);
    let mut colours = cell_colours(&picture, 4, 3, 3);
    colours.sort_unstable();
    assert_eq!(colours, [HATCH[1], HATCH[0]]);
    assert_eq!(gaps.stretch.low, seen.stretch.low, "-9999 must not move the stretch");

    let nothing = render_pair(&pair(&["...."; 4], &["...."; 4])).expect("a pair");
    let picture = decode(&nothing.pre_png);
    assert!((0..400).all(|x| (0..400).all(|y| HATCH.contains(&picture.get_pixel(x, y).0))));
}

#[test]
fn the_outline_shows_in_both_tones_and_leaves_the_inside_free() {
    let mut pair = pair(&["5555"; 4], &["5555"; 4]);
    pair.outline = MultiPolygon::new(vec![Polygon::new(
        square(1.0, 1.0, 2.0).exterior().clone(),
        vec![square(1.5, 1.5, 1.0).exterior().clone()],
    )]);
    let picture = decode(&render_pair(&pair).expect("a pair").post_png);
    let ring = |x: u32| (x - 4..x + 4).map(|x| picture.get_pixel(x, 200).0).collect::<Vec<_>>();
    for edge in [100, 150, 250, 300] {
        let line = ring(edge);
        assert!(line.iter().any(|colour| colour[0] > 220 && colour[2] < 60), "yellow at {edge}");
        assert!(line.iter().any(|colour| colour[0] < 70), "dark at {edge}");
    }
    assert_eq!(picture.get_pixel(125, 200).0, [128; 3]);
    assert_eq!(picture.get_pixel(200, 200).0, [128; 3], "inside the hole");
}

#[test]
fn rendering_is_repeatable() {
    let pair = pair(&["1234", "2345", "3..6", "4567"], &["7654"; 4]);
    let first = render_pair(&pair).expect("a pair");
    assert_eq!(first, render_pair(&pair).expect("a pair"));
    assert_eq!(first.scale_bar_m, 5.0);
}

#[test]
fn bad_input_is_refused_with_the_place_and_the_remedy() {
    let good = pair(&["12", "34"], &["12", "34"]);
    let refused = |change: &dyn Fn(&mut ChipPair)| {
        let mut bad = good.clone();
        change(&mut bad);
        render_pair(&bad).expect_err("refused").to_string()
    };
    let message = refused(&|pair| pair.pre.pixels = Array3::zeros((4, 2, 2)));
    assert!(message.contains("0007, before") && message.contains("4 bands"), "{message}");
    let message = refused(&|pair| pair.post.observed = Array2::from_elem((3, 2), true));
    assert!(message.contains("(3, 2)") && message.contains("(2, 2)"), "{message}");
    let message = refused(&|pair| pair.post = date(&["123", "456"]));
    assert!(message.contains("the later date"), "{message}");
    let message = refused(&|pair| pair.gsd_m = f64::NAN);
    assert!(message.contains("ground sampling distance"), "{message}");
    let message = refused(&|pair| pair.outline = square(f64::NAN, 0.0, 1.0).into());
    assert!(message.contains("finite"), "{message}");
    let message = refused(&|pair| {
        pair.pre =
            ChipDate { pixels: Array3::zeros((3, 0, 2)), observed: Array2::from_elem((0, 2), true), ..pair.pre.clone() }
    });
    assert!(message.contains("no pixels"), "{message}");
}

fn overview() -> Overview {
    let mut coverage = Array2::from_elem((40, 60), Coverage::OutOfScope);
    coverage.slice_mut(ndarray::s![.., 20..50]).fill(Coverage::Observed);
    coverage.slice_mut(ndarray::s![30.., 20..50]).fill(Coverage::Unobserved);
    Overview {
        name: "test".to_owned(),
        background: Array3::from_shape_fn((3, 40, 60), |(_, row, column)| (row + column) as f32),
        natural_colour: false,
        background_observed: Array2::from_elem((40, 60), true),
        coverage,
        gsd_m: 30.0,
        reaches: vec![OverviewReach { reach_id: "R-07".to_owned(), outline: square(20.0, 0.0, 30.0).into() }],
        patches: (1..=3)
            .map(|rank| OverviewPatch { rank, outline: square(20.0 + 6.0 * rank as f64, 8.0, 3.0).into() })
            .collect(),
    }
}

#[test]
fn the_map_hatches_what_was_not_observed_and_numbers_the_patches() {
    let rendered = render_overview(&overview()).expect("a map");
    let picture = decode(&rendered.png);
    assert_eq!(picture.dimensions(), (rendered.width_px, rendered.height_px));
    assert_eq!(rendered.width_px, 1200);
    assert!((620..780).all(|x| HATCH.contains(&picture.get_pixel(x, 780).0)));
    let faded = picture.get_pixel(100, 700).0;
    assert!(faded.iter().all(|value| *value > 150), "{faded:?}");
    assert_eq!(rendered.markers.len(), 3);
    assert_eq!(rendered.unnumbered, 0);
    assert_eq!(rendered.reach_keys, [("R1".to_owned(), "R-07".to_owned())]);
}

#[test]
fn crowded_numbers_give_way_by_rank_and_are_counted() {
    let mut crowded = overview();
    crowded.patches = (1..=80)
        .rev()
        .map(|rank| OverviewPatch { rank, outline: square(30.0 + 0.01 * rank as f64, 12.0, 0.1).into() })
        .collect();
    let rendered = render_overview(&crowded).expect("a map");
    assert_eq!(rendered.markers.len() + rendered.unnumbered, 80);
    assert!(rendered.unnumbered > 0);
    let ranks: Vec<usize> = rendered.markers.iter().map(|marker| marker.rank).collect();
    assert!(ranks.is_sorted(), "{ranks:?}");
    assert_eq!(ranks[..5], [1, 2, 3, 4, 5], "the best ranks come first");
}

#[test]
fn a_map_of_other_shape_is_refused() {
    let mut bad = overview();
    bad.coverage = Array2::from_elem((40, 61), Coverage::Observed);
    assert!(matches!(render_overview(&bad), Err(RenderError::Shape { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Colour is a function of the value alone, over both dates and every place, and only observed
    /// ground has a colour.
    #[test]
    fn colour_is_a_function_of_the_value(
        pre in proptest::collection::vec("[0-9.]{5}", 5),
        post in proptest::collection::vec("[0-9.]{5}", 5),
    ) {
        let lines = |map: &[String]| map.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
        let (pre_map, post_map) = (lines(&pre), lines(&post));
        let (pre_rows, post_rows): (Vec<&str>, Vec<&str>) =
            (pre_map.lines().collect(), post_map.lines().collect());
        let chips = render_pair(&pair(&pre_rows, &post_rows)).expect("a pair");
        let mut colour_of = std::collections::BTreeMap::new();
        for (rows, png) in [(&pre_rows, &chips.pre_png), (&post_rows, &chips.post_png)] {
            let picture = decode(png);
            for (row, line) in rows.iter().enumerate() {
                for (column, character) in line.chars().enumerate() {
                    let colours = cell_colours(&picture, 5, row, column);
                    if character == '.' {
                        prop_assert!(colours.len() == 2 && colours.iter().all(|colour| HATCH.contains(colour)));
                    } else {
                        prop_assert_eq!(colours.len(), 1);
                        let known = *colour_of.entry(character).or_insert(colours[0]);
                        prop_assert_eq!(known, colours[0]);
                    }
                }
            }
        }
    }
}

/// How far a colour is from another in its worst band.
fn apart(one: [u8; 3], other: [u8; 3]) -> u8 {
    one.iter().zip(other).map(|(one, other)| one.abs_diff(other)).max().unwrap_or(0)
}

#[test]
fn a_series_has_one_stretch_over_all_dates_and_hatches_what_was_not_observed() {
    let series = |dates: &[&[&str]]| Series {
        name: "450702-20240315-0007".to_owned(),
        dates: dates.iter().map(|map| date(map)).collect(),
        natural_colour: false,
        longest_px: 256,
        outline: MultiPolygon::new(Vec::new()),
    };
    let dates: [&[&str]; 3] = [&["11", "15"], &["..", ".."], &["55", "91"]];
    let pictures: Vec<RgbImage> =
        render_series(&series(&dates)).expect("pictures").iter().map(|jpeg| decode(jpeg)).collect();
    // a cell is 128 pixels wide
    let at = |picture: &RgbImage, row: u32, column: u32| picture.get_pixel(64 + column * 128, 64 + row * 128).0;
    assert!(apart(at(&pictures[0], 1, 1), at(&pictures[2], 0, 0)) <= 6, "equal values have equal colours");
    assert!(apart(at(&pictures[0], 0, 0), [0; 3]) <= 6 && apart(at(&pictures[2], 1, 0), [255; 3]) <= 6);
    // imagery is grey here, the hatch is lavender
    let hatched = |picture: &RgbImage| {
        let lavender = picture.pixels().filter(|pixel| pixel.0[2] > pixel.0[0].saturating_add(4)).count();
        lavender as f64 / f64::from(picture.width() * picture.height())
    };
    assert!(
        hatched(&pictures[1]) > 0.9 && hatched(&pictures[0]) < 0.1,
        "{} {}",
        hatched(&pictures[1]),
        hatched(&pictures[0])
    );
    assert!(render_series(&series(&[])).expect("no date, no picture").is_empty());
    let fault = render_series(&series(&[&["11"], &["1"]])).expect_err("refused").to_string();
    assert!(fault.contains("450702-20240315-0007") && fault.contains("same window"), "{fault}");
}

#[test]
fn under_a_map_the_latest_pass_that_covers_a_place_is_shown_even_where_it_saw_nothing() {
    let edge = 96;
    let pass = |value: f32, clouded: bool, east_only: bool| BackdropPass {
        // a ramp, so that the stretch has something to stretch
        pixels: Array3::from_shape_fn((3, edge, edge), |(_, row, _)| if row < 8 { 0.0 } else { value }),
        observed: Array2::from_elem((edge, edge), !clouded),
        covered: Array2::from_shape_fn((edge, edge), |(_, column)| !east_only || column >= edge / 2),
        natural_colour: false,
    };
    let backdrop = Backdrop {
        passes: vec![pass(9.0, true, true), pass(5.0, false, false)],
        in_scope: Array2::from_shape_fn((edge, edge), |(row, _)| row < edge / 2),
    };
    let picture = decode(&render_backdrop(&backdrop).expect("a picture"));
    let mean = |x: u32, y: u32| {
        let mut sum = [0_u32; 3];
        for (dx, dy) in (0..16).flat_map(|dx| (0..16).map(move |dy| (dx, dy))) {
            for (sum, value) in sum.iter_mut().zip(picture.get_pixel(x + dx, y + dy).0) {
                *sum += u32::from(value);
            }
        }
        sum.map(|sum| (sum / 256) as u8)
    };
    assert!(apart(mean(16, 16), [255; 3]) <= 4, "the earlier pass where the latest has no ground: {:?}", mean(16, 16));
    let hatch = mean(64, 16);
    assert!(hatch[2] > hatch[0] + 3 && hatch[0] < 220, "clouded in the latest pass: {hatch:?}");
    assert!(apart(mean(64, 64), [240, 241, 243]) <= 4, "out of scope: {:?}", mean(64, 64));
    let fault = render_backdrop(&Backdrop { in_scope: Array2::from_elem((1, 1), true), ..backdrop });
    assert!(matches!(fault, Err(RenderError::Shape { .. })));
}
