use ndarray::{Array2, Array3, Axis, concatenate, s, stack};
use proptest::prelude::*;

use super::far::register_far;
use super::*;

/// Numbers in [0, 1) that depend on the seed only (a linear congruential generator; Knuth's constants).
fn numbers(seed: u64) -> impl Iterator<Item = f32> {
    let mut state = seed.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493);
    std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 40) as f32 / (1 << 24) as f32)
    })
}

/// Ponds and fields: discs of some brightness with soft edges, over an even ground.
struct Ground(Vec<[f32; 4]>);

impl Ground {
    /// One disc for every 250 px², of 3 to 11 px in radius, over `size` px in square and a margin.
    fn new(seed: u64, size: usize) -> Self {
        let mut numbers = numbers(seed);
        let mut next = move |from: f32, to: f32| from + (to - from) * numbers.next().expect("there is no end");
        let (from, to) = (-16.0, size as f32 + 16.0);
        let count = size * size / 250;
        let disc = |_| [next(from, to), next(from, to), next(3.0, 11.0), next(-1.0, 1.0)];
        Self((0..count).map(disc).collect())
    }

    /// The picture whose content lies `dx`, `dy` px to the right of and below the ground.
    fn seen(&self, size: usize, dx: f32, dy: f32) -> Array2<f32> {
        let mut out = Array2::from_elem((size, size), 3.0);
        for &[x, y, radius, brightness] in &self.0 {
            let (x, y) = (x + dx, y + dy);
            let range = |middle: f32| {
                let clamped = |place: f32| place.clamp(0.0, size as f32) as usize;
                clamped(middle - radius - 6.0)..clamped(middle + radius + 6.0)
            };
            for row in range(y) {
                for col in range(x) {
                    let from_edge = radius - (col as f32 - x).hypot(row as f32 - y);
                    out[[row, col]] += brightness / (1.0 + (-from_edge / 0.5).exp());
                }
            }
        }
        out
    }

    /// The same ground in another season: every third disc has changed its brightness to the contrary.
    fn in_another_season(&self) -> Self {
        let turned = |(place, &[x, y, radius, brightness]): (usize, &[f32; 4])| {
            [x, y, radius, if place % 3 == 0 { -brightness } else { brightness }]
        };
        Self(self.0.iter().enumerate().map(turned).collect())
    }
}

fn all(size: usize) -> Array2<bool> {
    Array2::from_elem((size, size), true)
}

#[track_caller]
fn check(shift: Option<Shift>, (dx, dy): (f32, f32), within: f32) {
    let shift = shift.expect("there is a clear peak");
    let error = (shift.dx_px - dx).hypot(shift.dy_px - dy);
    assert!(error < within, "{shift:?}, not ({dx}, {dy})");
    assert!(shift.error_px < 0.5 && (0.0..=1.0).contains(&shift.quality), "{shift:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_shift_is_told_to_a_fraction_of_a_pixel(seed in 0_u64..1000, dx in -8.0_f32..8.0, dy in -8.0_f32..8.0) {
        let ground = Ground::new(seed, 128);
        let (fixed, moving) = (ground.seen(128, 0.0, 0.0), ground.seen(128, dx, dy));
        check(shift_between(fixed.view(), moving.view(), all(128).view()), (dx, dy), 0.03);
        // and so it is the other way round, in other units
        let scaled = moving.mapv(|value| 1000.0 - 40.0 * value);
        check(shift_between(scaled.view(), fixed.view(), all(128).view()), (-dx, -dy), 0.03);
    }

    #[test]
    fn seasons_do_not_move_the_ground(seed in 0_u64..1000, dx in -2.0_f32..2.0, dy in -2.0_f32..2.0) {
        let ground = Ground::new(seed, 128);
        let (fixed, moving) = (ground.seen(128, 0.0, 0.0), ground.in_another_season().seen(128, dx, dy));
        check(shift_between(fixed.view(), moving.view(), all(128).view()), (dx, dy), 0.12);
    }

    #[test]
    fn unobserved_pixels_make_no_peak(seed in 0_u64..1000, dx in -4.0_f32..4.0, dy in -4.0_f32..4.0) {
        let ground = Ground::new(seed, 128);
        let (mut fixed, mut moving) = (ground.seen(128, 0.0, 0.0), ground.seen(128, dx, dy));
        let mut observed = all(128);
        // a scratched corner that stands still in both, a strip of fill, and a hole with nothing in it
        let still = Ground::new(seed + 1, 128).seen(128, 0.0, 0.0).mapv(|value| 50.0 * value);
        for part in [s![..70, ..60], s![100.., ..], s![80..90, 90..110]] {
            observed.slice_mut(part).fill(false);
            for date in [&mut fixed, &mut moving] {
                date.slice_mut(part).assign(&still.slice(part));
            }
        }
        fixed.slice_mut(s![80..90, 90..110]).fill(f32::NAN);
        check(shift_between(fixed.view(), moving.view(), observed.view()), (dx, dy), 0.06);
    }

    #[test]
    fn nothing_is_said_of_what_does_not_correspond(seed in 0_u64..1000) {
        let [here, there] = [seed, seed + 1000].map(|seed| Ground::new(seed, 128).seen(128, 0.0, 0.0));
        prop_assert_eq!(shift_between(here.view(), there.view(), all(128).view()), None);
    }

    #[test]
    fn resampling_never_mixes_with_what_is_unobserved(seed in 0_u64..1000, dx in -3.0_f32..3.0, dy in -3.0_f32..3.0) {
        let mut numbers = numbers(seed);
        let observed = Array2::from_shape_simple_fn((20, 24), || numbers.next().expect("there is no end") > 0.02);
        let ramp = |row: usize, col: usize| 1.0 + 0.5 * row as f32 - 0.25 * col as f32;
        let pixels = Array3::from_shape_fn((2, 20, 24), |(_, row, col)| {
            if observed[[row, col]] { ramp(row, col) } else { f32::NAN }
        });
        let (values, known) = moved(pixels.view(), observed.view(), dx, dy);
        for ((_, row, col), &value) in values.indexed_iter() {
            let expected = if known[[row, col]] { ramp(row, col) + 0.5 * dy - 0.25 * dx } else { 0.0 };
            prop_assert!((value - expected).abs() < 1e-2, "{} for {} at {:?}", value, expected, (row, col));
        }
        prop_assert!(known.iter().any(|&known| known));
    }
}

#[test]
fn a_part_that_changed_does_not_pull() {
    let ground = Ground::new(7, 128);
    let (fixed, mut moving) = (ground.seen(128, 0.0, 0.0), ground.seen(128, 1.3, -0.6));
    let flooded = Ground::new(8, 128).seen(128, 0.0, 0.0);
    moving.slice_mut(s![.., 70..]).assign(&flooded.slice(s![.., 70..]));
    check(shift_between(fixed.view(), moving.view(), all(128).view()), (1.3, -0.6), 0.15);
}

#[test]
fn without_texture_there_is_no_shift() {
    let none = |date: Array2<f32>, observed: Array2<bool>| {
        assert_eq!(shift_between(date.view(), date.view(), observed.view()), None);
    };
    none(Array2::from_elem((128, 128), 0.3), all(128));
    // along a dike one cannot tell where one is
    none(Array2::from_shape_fn((128, 128), |(row, _)| if row < 60 { 0.1 } else { 0.4 }), all(128));
    // a furrowed field looks the same five pixels farther
    none(Array2::from_shape_fn((128, 128), |(row, col)| ((row + col) as f32 * 1.25).sin()), all(128));
    let ground = Ground::new(1, 128).seen(128, 0.0, 0.0);
    none(ground.clone(), Array2::from_elem((128, 128), false));
    let mut corner = Array2::from_elem((128, 128), false);
    corner.slice_mut(s![..50, ..50]).fill(true);
    none(ground, corner);
    none(Ground::new(1, 5).seen(5, 0.0, 0.0), all(5));
}

/// Two bands of opposite contrast, and the later date in other units.
fn both_dates(size: usize, dx: f32, dy: f32) -> (Array3<f32>, Array3<f32>) {
    let ground = Ground::new(3, size);
    let later = ground.in_another_season();
    let date = |band: Array2<f32>| {
        let contrary = band.mapv(|value| 7.0 - value);
        stack(Axis(0), &[band.view(), contrary.view()]).expect("of one size")
    };
    (date(ground.seen(size, 0.0, 0.0)), date(later.seen(size, dx, dy)).mapv(|value| 20.0 * value))
}

#[test]
fn tiles_agree_on_the_shift_of_a_window() {
    for (size, tiles_tried) in [(512, 16), (300, 9), (130, 9), (100, 4)] {
        let (fixed, moving) = both_dates(size, -2.4, 0.7);
        let found = register(fixed.view(), moving.view(), all(size).view()).expect("a shift");
        assert!((found.dx_px + 2.4).hypot(found.dy_px - 0.7) < 0.08, "{found:?} of {size} px");
        assert!(found.residual_rmse_px < 0.25 && found.tiles_tried == tiles_tried, "{found:?} of {size} px");
        assert!(found.tiles_used >= MIN_AGREEING && found.tiles_used <= tiles_tried);
    }
}

#[test]
fn a_strip_that_lies_elsewhere_is_outvoted() {
    let (fixed, moving) = both_dates(512, 0.5, 0.0);
    let (_, elsewhere) = both_dates(512, 5.0, 3.0);
    let mixed = |rows: usize| {
        let parts = [elsewhere.slice(s![.., ..rows, ..]), moving.slice(s![.., rows.., ..])];
        concatenate(Axis(1), &parts).expect("of one size")
    };
    let found = register(fixed.view(), mixed(150).view(), all(512).view()).expect("a shift");
    assert!((found.dx_px - 0.5).hypot(found.dy_px) < 0.05 && found.tiles_used <= 12, "{found:?}");
    // a window torn in the middle lies nowhere
    assert_eq!(register(fixed.view(), mixed(256).view(), all(512).view()), None);
}

#[test]
fn two_places_have_no_shift() {
    let (fixed, _) = both_dates(300, 0.0, 0.0);
    let other = Ground::new(99, 300).seen(300, 0.0, 0.0);
    let other = stack(Axis(0), &[other.view(), other.view()]).expect("of one size");
    assert_eq!(register(fixed.view(), other.view(), all(300).view()), None);
    assert_eq!(register(fixed.view(), fixed.view(), Array2::from_elem((300, 300), false).view()), None);
}

#[test]
fn what_is_moved_back_lies_on_the_fixed_date() {
    let (fixed, moving) = both_dates(300, 1.4, -2.7);
    let before = register(fixed.view(), moving.view(), all(300).view()).expect("a shift");
    let (back, observed) = moved(moving.view(), all(300).view(), before.dx_px, before.dy_px);
    let after = register(fixed.view(), back.view(), observed.view()).expect("a shift");
    assert!(after.dx_px.hypot(after.dy_px) < 0.05, "{after:?}");
}

#[test]
fn whole_pixels_are_copied_unchanged() {
    let pixels = Array3::from_shape_fn((1, 4, 5), |(_, row, col)| 0.1 + (row * 5 + col) as f32 / 3.0);
    let mut observed = Array2::from_elem((4, 5), true);
    observed[[2, 3]] = false;
    let (values, known) = moved(pixels.view(), observed.view(), 1.0, -2.0);
    // content that lies one to the right and two above comes one to the left and two below
    assert_eq!(values.slice(s![0, 2.., ..4]), pixels.slice(s![0, ..2, 1..]));
    let seen = |(row, col): (usize, usize)| row >= 2 && col < 4;
    assert_eq!(known, Array2::from_shape_fn((4, 5), seen));
    let (values, known) = moved(pixels.view(), observed.view(), 0.0, 0.0);
    assert_eq!((values[[0, 2, 3]], &known), (0.0, &observed));
    assert!(values.iter().zip(&pixels).filter(|(a, b)| a == b).count() == 19);
    // farther than there is anything
    let (_, known) = moved(pixels.view(), observed.view(), 9.0, -0.5);
    assert!(known.iter().all(|&known| !known));
}

/// A shift that the near search does not see and the far one tells.
#[track_caller]
fn check_far(size: usize, dx: f32, dy: f32) {
    let (fixed, moving) = both_dates(size, dx, dy);
    let observed = all(size);
    assert_eq!(register(fixed.view(), moving.view(), observed.view()), None, "({dx}, {dy}) of {size} px");
    let found = register_far(fixed.view(), moving.view(), observed.view()).expect("a far shift");
    assert!((found.dx_px - dx).hypot(found.dy_px - dy) < 0.3, "{found:?}, not ({dx}, {dy}) of {size} px");
}

#[test]
fn what_lies_far_off_is_told() {
    for (size, dx, dy) in [
        (256, 12.0, 0.0),
        (256, -20.0, 9.5),
        (256, 40.3, -28.0),
        (320, 0.0, -60.0),
        (600, 33.0, 50.0),
        (160, -30.0, 4.0),
    ] {
        check_far(size, dx, dy);
    }
}

#[test]
fn what_was_seen_in_a_corner_only_is_told_from_there() {
    let (fixed, moving) = both_dates(320, -25.0, 14.0);
    let mut observed = all(320);
    observed.slice_mut(s![..120, ..]).fill(false);
    observed.slice_mut(s![.., ..100]).fill(false);
    let found = register_far(fixed.view(), moving.view(), observed.view()).expect("a far shift");
    assert!((found.dx_px + 25.0).hypot(found.dy_px - 14.0) < 0.3, "{found:?}");
}

#[test]
fn what_is_not_far_off_or_has_no_place_is_not_told_to_be_far() {
    let far = |fixed: &Array3<f32>, moving: &Array3<f32>, observed: Array2<bool>| {
        register_far(fixed.view(), moving.view(), observed.view())
    };
    let (fixed, near) = both_dates(256, 3.2, -7.0);
    assert_eq!(far(&fixed, &near, all(256)), None, "the near search tells it");
    let (_, beyond) = both_dates(256, 90.0, 0.0);
    assert_eq!(far(&fixed, &beyond, all(256)), None, "nothing is within reach");
    assert_eq!(far(&fixed, &near, Array2::from_elem((256, 256), false)), None);
    assert_eq!(far(&fixed, &Array3::from_elem(fixed.raw_dim(), 0.2), all(256)), None, "no texture on one date");
    let other = |seed: u64, size: usize| {
        let band = Ground::new(seed, size).seen(size, 0.0, 0.0);
        stack(Axis(0), &[band.view(), band.view()]).expect("of one size")
    };
    for seed in 0..12 {
        assert_eq!(far(&other(seed, 256), &other(seed + 100, 256), all(256)), None, "all changed, seed {seed}");
    }
    // open water: noise, and no texture that stayed
    let water = |seed: u64| {
        let mut numbers = numbers(seed);
        Array3::from_shape_simple_fn((2, 256, 256), move || 0.05 + 0.002 * numbers.next().expect("there is no end"))
    };
    assert_eq!(far(&water(5), &water(6), all(256)), None);
    // most of it was built over: the near search finds too little of what stayed, and no other place is taken for it
    let (fixed, mut built) = both_dates(256, 0.3, 0.0);
    let new = other(77, 256).slice_move(s![.., .., 40..]);
    built.slice_mut(s![.., .., 40..]).assign(&new);
    assert_eq!(far(&fixed, &built, all(256)), None);
    // waves that look alike every sixteen pixels
    let waves = |by: f32| Array3::from_shape_fn((2, 256, 256), |(_, row, col)| ((row + col) as f32 * 0.39 + by).sin());
    assert_eq!(far(&waves(0.0), &waves(2.0), all(256)), None);
    let (narrow, _) = both_dates(80, 0.0, 0.0);
    let (_, shifted) = both_dates(80, 15.0, 0.0);
    assert_eq!(far(&narrow, &shifted, all(80)), None, "too narrow to tell");
}

/// Open water with `count` rafts and a sandbank of `bank` columns that stays; the rafts have drifted by 20 px on the later date.
fn drifted(count: usize, bank: usize) -> [Array3<f32>; 2] {
    let mut next = numbers(count as u64);
    let mut place = move || (220.0 * next.next().expect("there is no end")) as usize;
    let rafts: Vec<(usize, usize)> = (0..count).map(|_| (place(), place())).collect();
    let mut noise = numbers(5);
    let land = Ground::new(4, 256).seen(256, 0.0, 0.0).mapv(|value| 0.05 * value);
    [0, 20].map(|by| {
        let mut date =
            Array3::from_shape_simple_fn((2, 256, 256), || 0.05 + 0.004 * noise.next().expect("there is no end"));
        for &(row, col) in &rafts {
            date.slice_mut(s![.., row..row + 5, col + by..col + by + 8]).fill(0.15);
        }
        date.slice_mut(s![.., .., ..bank]).assign(&land.slice(s![.., ..bank]));
        date
    })
}

#[test]
fn what_drifts_is_not_taken_for_a_pass_that_lies_off() {
    let apart = |[before, after]: [Array3<f32>; 2]| Apart::of(before.view(), after.view(), all(256).view());
    // where much of the ground stayed its square tells so, and where nothing else is seen the rafts are all that tells anything
    let stayed = apart(drifted(30, 40)).expect("the bank");
    assert!(!stayed.is_far && stayed.px() < 0.1, "{stayed:?}");
    let drifting = apart(drifted(60, 20)).expect("the rafts");
    assert!(drifting.is_far && (drifting.px() - 20.0).abs() < 0.1, "{drifting:?}");
    assert!(drifting.is_credible(&[drifting], 2.0));
    assert!(!drifting.is_credible(&[stayed, drifting, stayed], 2.0));
}

#[test]
fn a_far_shift_counts_where_others_tell_it_or_hardly_any_lies_near() {
    let apart = |dx_px: f32, is_far: bool| Apart { dx_px, dy_px: 0.0, is_far };
    let (near, off, far, farther) = (apart(0.3, false), apart(5.0, false), apart(20.0, true), apart(33.0, true));
    let credible = |one: Apart, all: &[Apart]| one.is_credible(all, 2.0);
    assert!(!credible(far, &[near, far]) && !credible(far, &[near, near, far, farther]));
    // one scene of a mosaic
    assert!(credible(far, &[near, near, near, far, apart(21.5, true)]));
    // a pass that is turned about a place in the middle
    assert!(credible(far, &[near, far, farther]) && credible(far, &[off, off, far]));
    assert!(
        credible(near, &[near, far, far]) && credible(off, &[near, near, off]),
        "what the near search tells counts"
    );
}
