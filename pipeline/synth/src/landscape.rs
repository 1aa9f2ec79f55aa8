//! The landscape without its events: what lies at a point at a time.

use crate::cover::Layers;
use crate::lake::{LAKE_SLOPE, Lake};
use crate::noise::{Noise, lerp};
use crate::river::{BANK_TOP_M, Place, River};
use crate::scenario::Scenario;
use crate::series::SurfaceClass;
use crate::spectra::{ASPHALT, CONCRETE, GRASS, Spectrum, TREES, scaled};
use crate::town::{Roads, Town, roof};
use geo_types::Coord;

/// Share of the managed strip beside the river, counted from the bank, that is never farmed.
const FLOODPLAIN_SHARE: f64 = 0.62;
/// Width of the managed strip beside the river in metres: at least this, or a share of the scene's height.
const MANAGED_STRIP_M: f64 = 300.0;
const MANAGED_STRIP_SHARE: f64 = 0.055;
/// Edge of the squares of which some hold a lone farm, in metres, and the share that do.
const FARM_M: f64 = 420.0;
const FARM_SHARE: f64 = 0.28;
/// How much of the river's rise the lake follows.
const LAKE_FOLLOWS: f64 = 0.45;

/// What covers a point, and its reflectance × 10⁴.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Surface {
    pub(crate) class: SurfaceClass,
    pub(crate) spectrum: Spectrum,
}

/// The state of the world at one pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) epoch: usize,
    pub(crate) season: f64,
    pub(crate) water_level_m: f64,
}

impl Moment {
    /// How lush the vegetation is, -1 in midwinter to 1 in midsummer.
    pub(crate) fn lushness(self) -> f64 {
        let away = (self.season - 0.53).abs();
        1.0 - 8.0 * away * away
    }
}

/// The unchanging lie of the land.
#[derive(Debug, Clone)]
pub(crate) struct Landscape {
    pub(crate) size_m: (f64, f64),
    pub(crate) river: River,
    pub(crate) lake: Lake,
    pub(crate) corridor_half_m: f64,
    towns: Vec<Town>,
    roads: Roads,
    layers: Layers,
    noise: Noise,
}

impl Landscape {
    /// Lays the land out for a scenario.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let size_m = (scenario.cols as f64 * scenario.pixel_size_m, scenario.rows as f64 * scenario.pixel_size_m);
        let (width, height) = size_m;
        let noise = Noise::new(scenario.seed, 20);
        let river = River::new(scenario.seed, size_m, 0.38 * height, scenario.river_width_m, scenario.meander_length_m);
        let half = river.half_width_m;
        // wider than the tightest bend's radius and the corridor would fold over itself
        let corridor_half_m = (half + MANAGED_STRIP_M.max(MANAGED_STRIP_SHARE * height))
            .min(0.9 * river.tightest_radius_m(scenario.meander_length_m));
        let lake = Lake::new(
            noise.branch(1),
            size_m,
            Coord { x: 0.66 * width, y: 0.82 * height },
            (0.125 * width.min(1.5 * height), 0.085 * height),
        );
        let lane = |x: f64, offset: f64| river_point(&river, x * width, offset);
        let mut towns =
            vec![Town::new(noise.branch(2), lane(0.27, -half - 0.085 * height), (0.085 * width, 0.075 * height), 0.03)];
        for (index, (x, y)) in [(0.14, 0.83), (0.88, 0.62), (0.62, 0.10), (0.40, 0.68)].iter().enumerate() {
            let jitter = 0.04 * (noise.chance(index as i64, 77) - 0.5);
            let centre = Coord { x: (x + jitter) * width, y: (y - jitter) * height };
            let radius = 0.016 * (width + height);
            towns.push(Town::new(noise.branch(30 + index as u64), centre, (radius, 0.75 * radius), 0.02 + jitter));
        }
        let roads = Roads::new(&road_lines(&towns, size_m), size_m);
        Self { size_m, river, lake, corridor_half_m, towns, roads, layers: Layers::new(noise.branch(9), size_m), noise }
    }

    /// What lies at a point in metres at a moment, before any event.
    pub(crate) fn surface(&self, x: f64, y: f64, moment: Moment) -> Surface {
        let place = self.river.locate(x, y);
        if self.roads.covers(x, y) {
            let on_bridge = place.offset_m.abs() < 1.1 * self.river.half_width_m;
            let spectrum = if on_bridge { CONCRETE } else { ASPHALT };
            return built(spectrum);
        }
        let bed = self.river.bed_m(place, x, y, moment.epoch);
        if bed < BANK_TOP_M {
            return self.layers.channel(x, y, bed, moment);
        }
        let lake_bed = self.lake.bed_m(x, y) - LAKE_FOLLOWS * moment.water_level_m;
        if lake_bed < 0.55 {
            return self.layers.lake_shore(x, y, lake_bed, moment);
        }
        if let Some(spectrum) = self.towns.iter().find_map(|town| town.built(x, y)) {
            return built(spectrum);
        }
        let shore_m = (lake_bed / LAKE_SLOPE).min(place.offset_m.abs() - self.river.half_width_m);
        self.country(x, y, shore_m, place, moment)
    }

    /// Width of the strip along the banks that is never farmed, in metres.
    pub(crate) fn floodplain_m(&self) -> f64 {
        FLOODPLAIN_SHARE * (self.corridor_half_m - self.river.half_width_m)
    }

    fn country(&self, x: f64, y: f64, shore_m: f64, place: Place, moment: Moment) -> Surface {
        let layers = &self.layers;
        let wood = layers.wood_at(x, y);
        let flood = self.floodplain_m() * (1.0 + 0.9 * layers.reach.at(x, y));
        let floodplain = shore_m < flood;
        // woods keep to the slopes beyond the fields, thickets to the river
        // and a broken belt of trees to the top of the bank
        let belt = shore_m < 45.0 && layers.reach.at(2.0 * y, 2.0 * x) > 0.12;
        if belt || wood > if floodplain { 0.17 } else { 0.25 } {
            return layers.wood(x, y, moment);
        }
        // a dike road follows both banks
        if (place.offset_m.abs() - self.corridor_half_m + 60.0).abs() < 3.5 {
            return built(scaled(&ASPHALT, 1.2));
        }
        if floodplain || wood < -0.36 {
            return layers.meadow(&GRASS, x, y, moment);
        }
        if let Some(surface) = farmstead(self.noise.branch(17), x, y) {
            return surface;
        }
        layers.field(x, y, moment)
    }
}

fn built(spectrum: Spectrum) -> Surface {
    Surface { class: SurfaceClass::BuiltUp, spectrum }
}

/// A lone farm: a few roofs in a yard among trees, one here and there in the fields.
fn farmstead(noise: Noise, x: f64, y: f64) -> Option<Surface> {
    let (column, row) = ((x / FARM_M).floor() as i64, (y / FARM_M).floor() as i64);
    if noise.chance(column, row) > FARM_SHARE {
        return None;
    }
    let at = |layer: u64, cell: i64| (cell as f64 + 0.2 + 0.6 * noise.branch(layer).chance(column, row)) * FARM_M;
    let (dx, dy) = (x - at(1, column), y - at(2, row));
    let radius = 22.0 + 38.0 * noise.branch(3).chance(column, row);
    let edge = (dx * dx + dy * dy).sqrt() / radius + 0.4 * noise.branch(4).smooth(x / 18.0, y / 18.0);
    if edge > 1.2 {
        return None;
    }
    let plot = ((x / 14.0).floor() as i64, (y / 14.0).floor() as i64);
    let chance = noise.branch(5).chance(plot.0, plot.1);
    Some(if edge > 0.9 || chance > 0.75 {
        Surface { class: SurfaceClass::Trees, spectrum: TREES }
    } else {
        built(roof(noise.branch(6), plot.0, plot.1, 0.10))
    })
}

/// The point at a given x whose offset from the river's line is about `offset_m`.
fn river_point(river: &River, x_m: f64, offset_m: f64) -> Coord<f64> {
    let (first, _) = river.chainages_m(x_m, f64::INFINITY);
    river.at(first, offset_m)
}

fn road_lines(towns: &[Town], (width, height): (f64, f64)) -> Vec<Vec<Coord<f64>>> {
    let town = towns[0].centre;
    let through = |x: f64, y: f64| Coord { x: x * width, y: y * height };
    let wander = |from: Coord<f64>, to: Coord<f64>, bow: f64| -> Vec<Coord<f64>> {
        (0..=6)
            .map(|step| {
                let share = f64::from(step) / 6.0;
                let bend = bow * share * (1.0 - share);
                Coord {
                    x: lerp(from.x, to.x, share) + bend * (to.y - from.y),
                    y: lerp(from.y, to.y, share) - bend * (to.x - from.x),
                }
            })
            .collect()
    };
    vec![
        // the trunk road and its bridge
        wander(Coord { x: town.x + 0.05 * width, y: -50.0 }, through(0.36, 1.02), 0.12),
        wander(through(-0.02, 0.16), town, -0.2),
        wander(town, towns[3].centre, 0.15),
        wander(towns[3].centre, through(1.02, 0.13), -0.1),
        wander(towns[1].centre, towns[4].centre, 0.1),
        wander(towns[4].centre, towns[2].centre, -0.12),
        wander(through(-0.02, 0.9), towns[1].centre, 0.1),
        wander(towns[2].centre, through(1.02, 0.66), 0.1),
    ]
}
