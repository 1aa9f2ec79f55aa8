//! Clouds and the shadows they cast.

use crate::noise::{Chance, Noise, ramp};
use geo_types::Coord;

/// Ground distance from a cloud to its shadow in metres (right, down): sun in the south-east, low clouds.
pub(crate) const SHADOW_M: (f64, f64) = (-310.0, -260.0);
/// How many puffs make one cloud.
const PUFFS: usize = 7;

/// A place that clouds must hide, or must leave in sight: centre and radius in metres.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) centre: Coord<f64>,
    pub(crate) radius_m: f64,
}

/// The clouds of one pass.
#[derive(Debug, Clone)]
pub(crate) struct Clouds {
    puffs: Vec<Spot>,
    noise: Noise,
}

impl Clouds {
    /// `count` clouds at random places that keep off the `clear` spots, and one over each `hidden` spot.
    pub(crate) fn new(
        seed: u64,
        pass: usize,
        count: usize,
        size_m: (f64, f64),
        hidden: &[Spot],
        clear: &[Spot],
    ) -> Self {
        let mut chance = Chance::new(seed, 600 + pass as u64);
        let mut puffs = Vec::new();
        puffs.extend(hidden.iter().map(|spot| hiding(*spot)));
        let largest = 0.05 * (size_m.0 + size_m.1) / 2.0;
        for _ in 0..count {
            let cloud = (0..200).find_map(|_| {
                let centre = Coord { x: chance.between(0.0, size_m.0), y: chance.between(0.0, size_m.1) };
                let cloud = cluster(centre, chance.between(0.45, 1.0) * largest, &mut chance);
                let free = cloud.iter().all(|puff| clear.iter().all(|spot| leaves_in_sight(*puff, *spot)));
                free.then_some(cloud)
            });
            puffs.extend(cloud.into_iter().flatten());
        }
        Self { puffs, noise: Noise::new(seed, 700 + pass as u64) }
    }

    /// How opaque the clouds are over a point in metres, 0–1.
    pub(crate) fn opacity(&self, x: f64, y: f64) -> f64 {
        if !self.puffs.iter().any(|puff| within(*puff, x, y, 2.2)) {
            return 0.0;
        }
        // bend the discs out of shape, then fray their edges
        let bend = self.noise.branch(1);
        let (bent_x, bent_y) = (
            x + 230.0 * bend.fractal(x / 420.0, y / 420.0, 3),
            y + 230.0 * bend.fractal(y / 420.0, x / 420.0 + 50.0, 3),
        );
        let core = self
            .puffs
            .iter()
            .map(|puff| {
                let (dx, dy) = (bent_x - puff.centre.x, bent_y - puff.centre.y);
                1.0 - (dx * dx + dy * dy).sqrt() / puff.radius_m
            })
            .fold(-1.0, f64::max);
        if core <= -0.6 {
            return 0.0;
        }
        let ragged = core + 0.62 * self.noise.fractal(x / 260.0, y / 260.0, 5);
        ramp(0.0, 0.85, ragged)
    }

    /// How much of the sunlight the clouds take from a point in metres, 0–1.
    pub(crate) fn shade(&self, x: f64, y: f64) -> f64 {
        self.opacity(x - SHADOW_M.0, y - SHADOW_M.1)
    }
}

/// The cloud that hides a spot wholly.
pub(crate) fn hiding(spot: Spot) -> Spot {
    Spot { centre: spot.centre, radius_m: 2.2 * spot.radius_m + 200.0 }
}

/// Whether a point lies within so many radii of a puff, and the bend's reach beyond.
fn within(puff: Spot, x: f64, y: f64, radii: f64) -> bool {
    let reach = radii * puff.radius_m + 240.0;
    (x - puff.centre.x).abs() < reach && (y - puff.centre.y).abs() < reach
}

fn cluster(centre: Coord<f64>, radius_m: f64, chance: &mut Chance) -> Vec<Spot> {
    (0..PUFFS)
        .map(|_| Spot {
            centre: Coord {
                x: centre.x + chance.bell() * 0.75 * radius_m,
                y: centre.y + chance.bell() * 0.45 * radius_m,
            },
            radius_m: chance.between(0.3, 0.75) * radius_m,
        })
        .collect()
}

/// Whether neither a cloud's puff nor its shadow reaches a spot.
pub(crate) fn leaves_in_sight(puff: Spot, spot: Spot) -> bool {
    let gap = 1.25 * puff.radius_m + spot.radius_m + 120.0;
    let far = |dx: f64, dy: f64| dx * dx + dy * dy > gap * gap;
    let (dx, dy) = (puff.centre.x - spot.centre.x, puff.centre.y - spot.centre.y);
    far(dx, dy) && far(dx + SHADOW_M.0, dy + SHADOW_M.1)
}
