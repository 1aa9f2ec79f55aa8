//! Where events go: fit ground, found by trial from the seed alone.

use crate::clouds::{hiding, leaves_in_sight};
use crate::error::SynthError;
use crate::events::{PlacedEvent, contains};
use crate::landscape::{Landscape, Moment};
use crate::noise::{Chance, Noise};
use crate::scenario::{Scenario, Site};
use crate::series::SurfaceClass;
use geo_types::{Coord, Polygon};

/// How many places are looked at before giving up.
const TRIES: usize = 6_000;
/// Clear ground between two events, and between an event and the scene's edge, in metres.
const APART_M: f64 = 110.0;

/// Places every event of the scenario, each on ground that fits its site and apart from the others.
///
/// `reaches` are outlines in metres: the river's first, the lake's last.
pub(crate) fn place_events(
    scenario: &Scenario,
    land: &Landscape,
    reaches: &[Polygon<f64>],
) -> Result<Vec<PlacedEvent>, SynthError> {
    let mut placed: Vec<PlacedEvent> = Vec::new();
    for (index, plan) in scenario.events.iter().enumerate() {
        let mut chance = Chance::new(scenario.seed, 400 + index as u64);
        let noise = Noise::new(scenario.seed, 500 + index as u64);
        let found = (0..TRIES).find_map(|_| {
            let (centre, turns) = candidate(plan.site, land, &mut chance);
            let event = PlacedEvent::new(*plan, centre, turns, &mut chance, noise);
            let fits = is_apart(&event, &placed, land.size_m)
                && is_in_sight(&event, scenario, land.size_m)
                && is_fit(&event, plan.site, land, reaches);
            fits.then_some(event)
        });
        placed.push(found.ok_or(SynthError::NoRoom {
            index,
            kind: plan.kind.name(),
            site: plan.site.name(),
            tried: TRIES,
        })?);
    }
    Ok(placed)
}

/// A place to try, with the direction of the long side in whole turns.
fn candidate(site: Site, land: &Landscape, chance: &mut Chance) -> (Coord<f64>, f64) {
    let (width, height) = land.size_m;
    let river = &land.river;
    match site {
        Site::RiverBank | Site::Floodplain | Site::Field => {
            let (first, last) = river.chainages_m(0.06 * width, 0.94 * width);
            let chainage = chance.between(first, last);
            let side = if chance.between(0.0, 1.0) < 0.5 { -1.0 } else { 1.0 };
            let (near, far) = match site {
                Site::RiverBank => (0.75 * river.half_width_m, 1.15 * river.half_width_m),
                Site::Floodplain => (1.2 * river.half_width_m + 50.0, land.corridor_half_m - 60.0),
                _ => (river.half_width_m + 0.6 * land.floodplain_m(), land.corridor_half_m - 60.0),
            };
            let offset = side * chance.between(near, far);
            (river.at(chainage, offset), along(river.at(chainage - 60.0, offset), river.at(chainage + 60.0, offset)))
        }
        Site::LakeShore => {
            let (a, b) = land.lake.radii_m;
            let centre = land.lake.centre;
            let at = Coord { x: centre.x + chance.between(-1.1, 1.1) * a, y: centre.y + chance.between(-1.1, 1.1) * b };
            (at, chance.between(0.0, 1.0))
        }
        Site::OutsideReaches => {
            let at = Coord { x: chance.between(0.03, 0.97) * width, y: chance.between(0.03, 0.97) * height };
            (at, chance.between(0.0, 1.0))
        }
    }
}

/// The direction between two points in whole turns, near enough for a painting (a rational arctangent).
fn along(from: Coord<f64>, to: Coord<f64>) -> f64 {
    let slope = ((to.y - from.y) / (to.x - from.x).max(1.0)).clamp(-2.0, 2.0);
    slope / (1.0 + 0.28 * slope * slope) / std::f64::consts::TAU
}

fn is_apart(event: &PlacedEvent, placed: &[PlacedEvent], (width, height): (f64, f64)) -> bool {
    let reach = event.radius_m() + APART_M;
    let Coord { x, y } = event.centre;
    let in_scene = x > reach && y > reach && x < width - reach && y < height - reach;
    in_scene
        && placed.iter().all(|other| {
            let (dx, dy) = (x - other.centre.x, y - other.centre.y);
            let gap = event.radius_m() + other.radius_m() + APART_M;
            dx * dx + dy * dy > gap * gap && keeps_sight(event, other) && keeps_sight(other, event)
        })
}

/// Whether the cloud that hides one event, if any, leaves the other in sight when that must be seen.
fn keeps_sight(hidden: &PlacedEvent, other: &PlacedEvent) -> bool {
    !(hidden.plan.hidden_at_first && other.minds_clouds_in(hidden.plan.first_pass))
        || leaves_in_sight(hiding(hidden.spot()), other.spot())
}

/// Whether no pass loses the place to the gap of its swath.
fn is_in_sight(event: &PlacedEvent, scenario: &Scenario, size_m: (f64, f64)) -> bool {
    scenario.passes.iter().all(|pass| {
        let reach = event.radius_m();
        !is_outside_swath(pass.swath_gap, size_m, event.centre.x + reach, event.centre.y - reach)
    })
}

/// Whether the sensor's swath misses a point: a wedge in the upper right corner.
pub(crate) fn is_outside_swath(gap: f64, (width, height): (f64, f64), x: f64, y: f64) -> bool {
    gap > 0.0 && (x - (1.0 - gap) * width) > 0.35 * gap * width * (y / height) * 4.0
}

/// Whether the ground is right for the site: what the footprint covers, and in or out of scope.
fn is_fit(event: &PlacedEvent, site: Site, land: &Landscape, reaches: &[Polygon<f64>]) -> bool {
    let in_reach = |at: Coord<f64>| reaches.iter().any(|reach| contains(&reach.exterior().0, at.x, at.y));
    let outline = event.outline();
    let all_inside = || outline.exterior().0.iter().all(|at| in_reach(*at));
    let in_scope = match site {
        Site::RiverBank | Site::LakeShore | Site::Floodplain => all_inside(),
        Site::Field => in_reach(event.centre),
        Site::OutsideReaches => {
            let reach = event.radius_m() + APART_M;
            let around = [
                (0.0, 0.0),
                (1.0, 0.0),
                (-1.0, 0.0),
                (0.0, 1.0),
                (0.0, -1.0),
                (0.7, 0.7),
                (-0.7, 0.7),
                (0.7, -0.7),
                (-0.7, -0.7),
            ];
            around
                .iter()
                .all(|(u, v)| !in_reach(Coord { x: event.centre.x + u * reach, y: event.centre.y + v * reach }))
        }
    };
    in_scope && {
        let cover = Cover::of(event, land);
        match site {
            Site::RiverBank => (0.40..=0.70).contains(&cover.water) && cover.built == 0.0,
            Site::LakeShore => (0.62..=0.92).contains(&cover.water) && cover.built == 0.0,
            Site::Floodplain => cover.low_vegetation >= 0.65 && cover.low_vegetation + cover.trees >= 0.98,
            Site::Field => cover.crops >= 0.85 && cover.built + cover.water == 0.0,
            Site::OutsideReaches => cover.low_vegetation + cover.crops >= 0.95 && cover.built + cover.water == 0.0,
        }
    }
}

/// Share of each cover under a footprint, at mean water.
struct Cover {
    water: f64,
    trees: f64,
    low_vegetation: f64,
    crops: f64,
    built: f64,
}

impl Cover {
    fn of(event: &PlacedEvent, land: &Landscape) -> Self {
        let moment = Moment { epoch: 0, season: 0.5, water_level_m: 0.0 };
        let classes: Vec<_> = event.probes().iter().map(|at| land.surface(at.x, at.y, moment).class).collect();
        let share =
            |class| classes.iter().filter(|found| **found == class).count() as f64 / classes.len().max(1) as f64;
        Self {
            water: share(SurfaceClass::Water),
            trees: share(SurfaceClass::Trees),
            low_vegetation: share(SurfaceClass::LowVegetation),
            crops: share(SurfaceClass::Crops),
            built: share(SurfaceClass::BuiltUp),
        }
    }
}
