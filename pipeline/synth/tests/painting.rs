//! What a painted series promises to those who test a pipeline with it.

use ndarray::{Array2, Axis, s};
use shorewatch_synth::{
    BANDS, EventKind, QUALITY_CLOUD, QUALITY_FILL, Scenario, Series, SurfaceClass, SynthError, SyntheticPass,
    TruthEvent, paint,
};
use std::sync::LazyLock;

static SMALL: LazyLock<Series> = LazyLock::new(|| paint(&Scenario::small()).expect("the small scene paints"));

/// The small scene with neither sky nor drift nor shift nor season nor tide: only events differ between passes.
fn still() -> Scenario {
    let mut scenario = Scenario::small();
    for pass in &mut scenario.passes {
        pass.season = 0.5;
        pass.water_level_m = 0.1;
        pass.shift_px = (0.0, 0.0);
        pass.drift = 0.0;
        pass.haze = 0.0;
        pass.clouds = 0;
        pass.swath_gap = 0.0;
    }
    for event in &mut scenario.events {
        event.hidden_at_first = false;
    }
    scenario
}

/// Pixels whose centre lies in the event's polygon (even-odd rule).
fn footprint(event: &TruthEvent, like: &Array2<u8>) -> Array2<bool> {
    let ring: Vec<_> = event.polygon.exterior().lines().collect();
    Array2::from_shape_fn(like.dim(), |(row, col)| {
        let (x, y) = (col as f64 + 0.5, row as f64 + 0.5);
        let crossings = ring.iter().filter(|edge| {
            (edge.start.y > y) != (edge.end.y > y)
                && x < edge.start.x + (y - edge.start.y) / (edge.end.y - edge.start.y) * (edge.end.x - edge.start.x)
        });
        crossings.count() % 2 == 1
    })
}

/// Mean absolute difference of two passes over the pixels that `within` picks, all bands, reflectance × 10⁴.
fn difference(one: &SyntheticPass, other: &SyntheticPass, within: impl Fn(usize, usize) -> bool) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for ((band, row, col), value) in one.pixels.indexed_iter() {
        if within(row, col) {
            sum += f64::from(value.abs_diff(other.pixels[(band, row, col)]));
            count += 1.0;
        }
    }
    sum / count
}

fn share(classes: &Array2<u8>, class: SurfaceClass) -> f64 {
    classes.iter().filter(|code| **code == class.code()).count() as f64 / classes.len() as f64
}

#[test]
fn the_same_scenario_gives_the_same_bits_with_any_number_of_threads() {
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    let again = alone.install(|| paint(&Scenario::small())).expect("it paints");
    assert!(*SMALL == again, "two paintings of one scenario differ");
}

#[test]
fn another_seed_is_another_place() {
    let mut scenario = still();
    scenario.events.clear();
    scenario.seed += 1;
    let other = paint(&scenario).expect("it paints");
    assert_ne!(SMALL.passes[0].classes, other.passes[0].classes);
}

#[test]
fn every_pass_has_the_promised_shape_and_only_fill_is_nodata() {
    for pass in &SMALL.passes {
        assert_eq!(pass.pixels.dim(), (BANDS.len(), 256, 256));
        assert_eq!(pass.quality.dim(), (256, 256));
        for ((row, col), flags) in pass.quality.indexed_iter() {
            let empty = pass.pixels.slice(s![.., row, col]).iter().all(|value| *value == 0);
            assert_eq!(empty, flags & QUALITY_FILL != 0, "{} at ({row}, {col})", pass.name);
        }
    }
    assert!(SMALL.passes[2].quality.iter().any(|flags| flags & QUALITY_FILL != 0));
}

#[test]
fn with_a_still_world_only_events_and_the_bars_change() {
    let series = paint(&still()).expect("it paints");
    let (first, last) = (&series.passes[0], &series.passes[2]);
    let marks: Vec<_> = series.truth.iter().map(|event| footprint(event, &first.classes)).collect();
    for (event, mark) in series.truth.iter().zip(&marks).filter(|(event, _)| event.kind != EventKind::BarGrowth) {
        let inside = difference(first, last, |row, col| mark[(row, col)]);
        assert!(inside > 200.0, "{} changes by {inside:.0} only", event.id);
    }
    // an event mixes with the three pixels about it; the banks' own bars grow along the water
    let size = first.classes.dim();
    let events = grown(size, 3, |at| marks.iter().any(|mark| mark[at]));
    let shore = grown(size, 12, |at| first.classes[at] == SurfaceClass::Water.code());
    let still = |row: usize, col: usize| !events[(row, col)] && !shore[(row, col)];
    let outside = difference(first, last, still);
    assert!(outside < 25.0, "the rest changes by {outside:.1}: more than the sensor's noise");
    for ((row, col), code) in first.classes.indexed_iter() {
        assert!(!still(row, col) || *code == last.classes[(row, col)], "class changes at ({row}, {col})");
    }
}

/// Every pixel that has one which `holds` within `radius_px` along rows and columns.
fn grown((rows, cols): (usize, usize), radius_px: usize, holds: impl Fn((usize, usize)) -> bool) -> Array2<bool> {
    let near = |at: usize, end: usize| at.saturating_sub(radius_px)..(at + radius_px + 1).min(end);
    let wide = Array2::from_shape_fn((rows, cols), |(row, col)| near(col, cols).any(|col| holds((row, col))));
    Array2::from_shape_fn((rows, cols), |(row, col)| near(row, rows).any(|row| wide[(row, col)]))
}

#[test]
fn an_event_stays_from_its_first_pass_on_and_shows_nothing_before() {
    let series = paint(&still()).expect("it paints");
    for event in series.truth.iter().filter(|event| event.kind != EventKind::BarGrowth && event.first_pass == 2) {
        let mark = footprint(event, &series.passes[0].classes);
        let before = difference(&series.passes[0], &series.passes[1], |row, col| mark[(row, col)]);
        let after = difference(&series.passes[1], &series.passes[2], |row, col| mark[(row, col)]);
        assert!(after > 8.0 * before, "{}: {before:.0} before, {after:.0} after", event.id);
    }
}

#[test]
fn the_world_changes_harmlessly_too() {
    let water = |pass: usize| share(&SMALL.passes[pass].classes, SurfaceClass::Water);
    assert!(water(1) > water(2) + 0.005, "high water {:.3}, low water {:.3}", water(1), water(2));
    let bare = |pass: usize| share(&SMALL.passes[pass].classes, SurfaceClass::Bare);
    assert!(bare(2) > bare(0), "low water lays sand bare");
    let field = Array2::from_shape_fn((256, 256), |at| {
        SMALL.passes.iter().all(|pass| pass.classes[at] == SurfaceClass::Crops.code() && pass.quality[at] == 0)
    });
    let crops = difference(&SMALL.passes[0], &SMALL.passes[2], |row, col| field[(row, col)]);
    assert!(crops > 150.0, "fields change by {crops:.0} only");
    for reason in ["farming", "outside every managed reach", "bar"] {
        assert!(SMALL.truth.iter().any(|event| {
            !event.suspected && event.harmless_because.as_deref().is_some_and(|because| because.contains(reason))
        }));
    }
}

#[test]
fn flags_cover_the_clouds_and_little_more() {
    for pass in &SMALL.passes {
        let blue = pass.pixels.index_axis(Axis(0), 0);
        let swir = pass.pixels.index_axis(Axis(0), 4);
        // half opaque and more; no roof is so bright in blue
        let thick = |at: (usize, usize)| blue[at] > 3_000 && swir[at] > 2_500;
        let (mut clouds, mut missed) = (0_usize, 0_usize);
        for (at, flags) in pass.quality.indexed_iter() {
            if thick(at) {
                clouds += 1;
                missed += usize::from(flags & QUALITY_CLOUD == 0);
            }
        }
        assert!(missed * 200 <= clouds, "{}: {missed} of {clouds} thick pixels missed", pass.name);
        let flagged = pass.quality.iter().filter(|flags| *flags & QUALITY_CLOUD != 0).count();
        assert!(flagged <= 3 * clouds + 200, "{}: {flagged} flagged for {clouds} thick", pass.name);
    }
}

#[test]
fn one_event_is_hidden_when_it_appears_and_seen_later() {
    let hidden: Vec<_> = SMALL.truth.iter().filter(|event| !event.is_observable(event.first_pass)).collect();
    assert_eq!(hidden.len(), 1, "{:?}", hidden.iter().map(|event| &event.id).collect::<Vec<_>>());
    assert_eq!(hidden[0].first_seen(), Some(hidden[0].first_pass + 1));
}

#[test]
fn reaches_lie_in_the_scene_and_leave_part_of_it_out() {
    let mut ids: Vec<_> = SMALL.reaches.iter().map(|reach| reach.id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for reach in &SMALL.reaches {
        for corner in &reach.polygon.exterior().0 {
            assert!((0.0..=256.0).contains(&corner.x) && (0.0..=256.0).contains(&corner.y), "{}: {corner:?}", reach.id);
        }
    }
}

#[test]
fn a_faulty_scenario_names_every_fault() {
    let mut scenario = Scenario::small();
    scenario.pixel_size_m = -1.0;
    scenario.passes[1].haze = 4.0;
    scenario.events[0].first_pass = 0;
    let Err(SynthError::InvalidScenario { faults }) = paint(&scenario) else { panic!("it must be refused") };
    for word in ["pixel_size_m", "passes[1].haze", "events[0].first_pass"] {
        assert!(faults.iter().any(|fault| fault.contains(word)), "{word} is not among {faults:?}");
    }
}

#[test]
fn too_many_events_for_the_ground_are_refused_by_name() {
    let mut scenario = Scenario::small();
    let crowd = std::iter::repeat_n(scenario.events[1], 40);
    scenario.events.extend(crowd);
    let Err(error) = paint(&scenario) else { panic!("it must be refused") };
    assert!(error.to_string().contains("no fit ground for occupation event"), "{error}");
}
