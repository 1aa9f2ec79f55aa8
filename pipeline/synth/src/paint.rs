//! From a scenario to a series: lay out the land, place the events, record each pass.

use crate::clouds::Clouds;
use crate::error::SynthError;
use crate::events::{PlacedEvent, contains};
use crate::landscape::{Landscape, Moment};
use crate::placing::place_events;
use crate::scenario::{Scenario, Site};
use crate::sensor::{Frame, classes, record};
use crate::series::{EventKind, Series, SyntheticPass, SyntheticReach, SyntheticRiver, TruthEvent};
use geo_types::{Coord, LineString, Polygon};
use ndarray::Array2;

/// How far the lake's management scope reaches beyond its mean shore, in metres.
const LAKE_SCOPE_M: f64 = 90.0;

/// Paints every pass of the scenario, with the truth beside them.
///
/// The result depends on the scenario alone: not on threads, machine or time.
///
/// # Errors
/// [`SynthError::InvalidScenario`] names every fault of the scenario; [`SynthError::NoRoom`] says which
/// event found no fit ground.
pub fn paint(scenario: &Scenario) -> Result<Series, SynthError> {
    scenario.check()?;
    let land = Landscape::new(scenario);
    let reaches = reaches_m(&land);
    let outlines: Vec<_> = reaches.iter().map(|reach| reach.polygon.clone()).collect();
    let events = place_events(scenario, &land, &outlines)?;

    let passes: Vec<_> = (0..scenario.passes.len()).map(|index| paint_pass(scenario, &land, &events, index)).collect();
    let to_px = |outline: &Polygon<f64>| scaled(outline, 1.0 / scenario.pixel_size_m);
    Ok(Series {
        truth: truth(&land, &events, &passes, to_px),
        reaches: reaches.into_iter().map(|reach| SyntheticReach { polygon: to_px(&reach.polygon), ..reach }).collect(),
        passes,
        river: river(&land, scenario.pixel_size_m),
        lake: to_px(&land.lake.outline(0.0)),
        pixel_size_m: scenario.pixel_size_m,
    })
}

fn paint_pass(scenario: &Scenario, land: &Landscape, events: &[PlacedEvent], index: usize) -> SyntheticPass {
    let plan = &scenario.passes[index];
    let frame = Frame { rows: scenario.rows, cols: scenario.cols, pixel_m: scenario.pixel_size_m };
    let surface = |x: f64, y: f64, moment: Moment| {
        events.iter().find_map(|event| event.surface(x, y, moment)).unwrap_or_else(|| land.surface(x, y, moment))
    };
    let (hidden, clear): (Vec<_>, Vec<_>) = events
        .iter()
        .filter(|event| event.minds_clouds_in(index))
        .partition(|event| event.plan.hidden_at_first && event.plan.first_pass == index);
    let spots = |of: Vec<&PlacedEvent>| of.into_iter().map(PlacedEvent::spot).collect::<Vec<_>>();
    let clouds = Clouds::new(scenario.seed, index, plan.clouds, land.size_m, &spots(hidden), &spots(clear));
    let recording = record(scenario.seed, index, plan, frame, &clouds, surface);
    let moment = Moment { epoch: index, season: plan.season, water_level_m: plan.water_level_m };
    let day: String = plan.acquired_at.chars().take(10).filter(|letter| *letter != '-').collect();
    SyntheticPass {
        name: format!("synthetic-{day}"),
        acquired_at: plan.acquired_at.clone(),
        pixels: recording.pixels,
        quality: recording.quality,
        classes: classes(frame, |x, y| surface(x, y, moment)),
        shift_px: plan.shift_px,
        water_level_m: plan.water_level_m,
        gain: recording.gain,
        offset: recording.offset,
    }
}

/// The managed shoreline, outlines in metres: the river upstream and downstream, and the lake.
fn reaches_m(land: &Landscape) -> Vec<SyntheticReach> {
    let reach = |id: &str, name: &str, polygon| SyntheticReach { id: id.into(), name: name.into(), polygon };
    let (from, to) = managed_span_m(land);
    let middle = (from + to) / 2.0;
    let strip = |from: f64, to: f64| land.river.corridor(from, to, land.corridor_half_m);
    vec![
        reach("SYN-R01", "Painted river, upper reach", strip(from, middle)),
        reach("SYN-R02", "Painted river, lower reach", strip(middle, to)),
        reach("SYN-L01", "Painted lake", land.lake.outline(LAKE_SCOPE_M)),
    ]
}

/// The river over the managed span, in pixels.
fn river(land: &Landscape, pixel_m: f64) -> SyntheticRiver {
    /// Vertices of the centreline are so far apart, in metres.
    const STEP_M: f64 = 40.0;
    let (from, to) = managed_span_m(land);
    let (first, last) = land.river.chainages_m(from, to);
    let steps = ((last - first) / STEP_M).ceil().max(1.0) as usize;
    let places = (0..=steps).map(|i| land.river.at(first + (last - first) * i as f64 / steps as f64, 0.0) / pixel_m);
    SyntheticRiver {
        centreline: LineString(places.collect()),
        half_width: land.river.half_width_m / pixel_m,
        corridor_half: land.corridor_half_m / pixel_m,
    }
}

/// The longest stretch, as values of x in metres, over which the managed corridor stays in the scene.
fn managed_span_m(land: &Landscape) -> (f64, f64) {
    let (width, height) = land.size_m;
    let inside = |at: &Coord<f64>| (0.0..=width).contains(&at.x) && (0.0..=height).contains(&at.y);
    let stays = |from: f64, to: f64| {
        land.river.corridor(from * width, to * width, land.corridor_half_m).exterior().0.iter().all(inside)
    };
    let steps = || (4..30).map(|step| f64::from(step) / 100.0);
    let from = steps().find(|from| stays(*from, 0.5)).unwrap_or(0.3);
    let to = steps().map(|step| 1.0 - step).find(|to| stays(0.5, *to)).unwrap_or(0.7);
    (from * width, to * width)
}

fn truth(
    land: &Landscape,
    events: &[PlacedEvent],
    passes: &[SyntheticPass],
    to_px: impl Fn(&Polygon<f64>) -> Polygon<f64>,
) -> Vec<TruthEvent> {
    let mut count = std::collections::BTreeMap::new();
    let mut truth: Vec<_> = events
        .iter()
        .map(|event| {
            let kind = event.plan.kind;
            let number: &mut usize = count.entry(kind).or_default();
            *number += 1;
            let harmless_because = harmless(event);
            let polygon = to_px(&event.outline());
            TruthEvent {
                id: format!("{}-{number}", kind.name()),
                kind,
                suspected: harmless_because.is_none(),
                harmless_because,
                first_pass: event.plan.first_pass,
                clear_share: passes.iter().map(|pass| clear_share(&pass.quality, &polygon)).collect(),
                polygon,
                description: describe(event),
            }
        })
        .collect();
    let polygon = to_px(&land.river.mid_bar_outline(passes.len() - 1));
    truth.push(TruthEvent {
        id: "bar_growth-1".into(),
        kind: EventKind::BarGrowth,
        suspected: false,
        harmless_because: Some("a bar grows and wanders by itself".into()),
        first_pass: 1,
        clear_share: passes.iter().map(|pass| clear_share(&pass.quality, &polygon)).collect(),
        polygon,
        description: "the bar in mid-channel grows and moves downstream; high water drowns it".into(),
    });
    truth
}

fn harmless(event: &PlacedEvent) -> Option<String> {
    match (event.plan.kind, event.plan.site) {
        (EventKind::Ploughing, _) => Some("farming changes the field, not its use".into()),
        (_, Site::OutsideReaches) => Some("it lies outside every managed reach".into()),
        _ => None,
    }
}

fn describe(event: &PlacedEvent) -> String {
    let what = match event.plan.kind {
        EventKind::Occupation => "a dike ring is filled, sheds stand at one end and crops follow",
        EventKind::SandPit => "a sand pit with a pond, a stockpile and an access track on former vegetation",
        EventKind::Dump => "an uneven heap of rubble and rubbish on former vegetation",
        EventKind::Building => "halls and a paved yard on former vegetation",
        EventKind::Ploughing => "a green field is ploughed",
        EventKind::BarGrowth => "a bar grows",
    };
    let place = match event.plan.site {
        Site::RiverBank => "half in the river, half on its bank",
        Site::LakeShore => "in the lake, at its shore",
        Site::Floodplain => "on the floodplain",
        Site::Field => "in a managed reach",
        Site::OutsideReaches => "outside every managed reach",
    };
    format!("{what}, {place}")
}

fn scaled(outline: &Polygon<f64>, factor: f64) -> Polygon<f64> {
    let ring = outline.exterior().0.iter().map(|at| Coord { x: at.x * factor, y: at.y * factor });
    Polygon::new(LineString(ring.collect()), Vec::new())
}

/// Share of the pixels whose centre lies in the polygon that carry no flag.
fn clear_share(quality: &Array2<u8>, polygon: &Polygon<f64>) -> f64 {
    let LineString(ring) = polygon.exterior();
    let (rows, cols) = quality.dim();
    let span = |of: fn(&Coord<f64>) -> f64, end: usize| {
        let low = ring.iter().map(of).fold(f64::INFINITY, f64::min).floor().max(0.0) as usize;
        let high = ring.iter().map(of).fold(0.0, f64::max).ceil() as usize;
        low..high.min(end)
    };
    let (mut clear, mut all) = (0_usize, 0_usize);
    for row in span(|at| at.y, rows) {
        for col in span(|at| at.x, cols) {
            if contains(&ring[..ring.len() - 1], col as f64 + 0.5, row as f64 + 0.5) {
                all += 1;
                clear += usize::from(quality[(row, col)] == 0);
            }
        }
    }
    if all == 0 { 0.0 } else { clear as f64 / all as f64 }
}
