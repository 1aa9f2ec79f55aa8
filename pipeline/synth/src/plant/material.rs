//! What planted things are made of: reflectance in six bands, or a real picture.

use super::shape::Place;
use super::{PlantKind, Texture};
use crate::noise::{Chance, Noise, ramp};
use ndarray::Array3;

/// Roles that paint is known for, in the order of [`Colour`].
pub(super) const ROLES: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// Reflectance in the order of [`ROLES`].
type Colour = [f64; 6];

const SAND: Colour = [0.093, 0.142, 0.172, 0.223, 0.285, 0.235];
const SOIL: Colour = [0.079, 0.128, 0.155, 0.209, 0.282, 0.225];
const GRAVEL: Colour = [0.150, 0.180, 0.200, 0.240, 0.270, 0.240];
const COAL: Colour = [0.045, 0.050, 0.055, 0.065, 0.075, 0.075];
const WHITE_SHEET: Colour = [0.420, 0.430, 0.430, 0.450, 0.420, 0.370];
const GREY_ROOF: Colour = [0.160, 0.175, 0.185, 0.210, 0.225, 0.210];
const TILE_ROOF: Colour = [0.075, 0.105, 0.180, 0.240, 0.290, 0.250];
const BLUE_STEEL: Colour = [0.270, 0.250, 0.220, 0.240, 0.230, 0.200];
const FILM: Colour = [0.300, 0.300, 0.290, 0.400, 0.240, 0.140];
const CROP: Colour = [0.050, 0.085, 0.095, 0.270, 0.240, 0.140];
const TURBID_POND: Colour = [0.060, 0.100, 0.095, 0.040, 0.010, 0.008];
const GREEN_POND: Colour = [0.080, 0.120, 0.070, 0.030, 0.010, 0.008];
const PLASTICS: Colour = [0.300, 0.310, 0.310, 0.340, 0.290, 0.240];
const ASH: Colour = [0.070, 0.080, 0.088, 0.120, 0.150, 0.145];
const RING: Colour = [0.220, 0.220, 0.210, 0.200, 0.170, 0.150];

/// Infrared over red of bare ground, for textures, which have none.
const INFRARED_OVER_RED: [f64; 3] = [1.35, 1.75, 1.45];
/// Share of a greenhouse that film covers; plants show through the rest.
const FILM_SHARE: f64 = 0.8;
/// Pixels between two strips of film.
const STRIP_PX: f64 = 2.6;
/// Width of the ring of a cage in pixels, at least; it is a tenth of the cage otherwise.
const RING_PX: f64 = 0.7;

/// How one thing reflects at each of its points.
#[derive(Debug)]
pub(super) struct Material {
    kind: PlantKind,
    colours: [Colour; 3],
    brightness: f64,
    /// Share of the depth at which a pit's pond begins, or of the water's light inside a cage.
    inner: f64,
    noise: Noise,
    texels: Option<Texels>,
}

impl Material {
    /// The material that `seed` chooses for a thing.
    pub(super) fn new(kind: PlantKind, seed: u64, texels: Option<Texels>) -> Self {
        let mut chance = Chance::new(seed, 2);
        let mut one_of = |colours: &[Colour]| {
            let drawn = chance.between(0.0, colours.len() as f64) as usize;
            colours[drawn.min(colours.len() - 1)]
        };
        let colours = match kind {
            PlantKind::Pit => [one_of(&[SAND, SOIL, GRAVEL]), one_of(&[TURBID_POND, GREEN_POND]), SOIL],
            PlantKind::Stockpile => [one_of(&[SAND, GRAVEL, COAL, SOIL]); 3],
            PlantKind::Dump => [PLASTICS, one_of(&[SOIL, GRAVEL]), ASH],
            PlantKind::Building => [one_of(&[WHITE_SHEET, GREY_ROOF, TILE_ROOF, BLUE_STEEL]); 3],
            PlantKind::Greenhouse => [FILM, CROP, FILM],
            PlantKind::FishCage => [RING; 3],
            PlantKind::Dike => [one_of(&[SOIL, GRAVEL, SAND]); 3],
            PlantKind::Bar => [SAND; 3],
        };
        let brightness = match kind {
            PlantKind::Stockpile | PlantKind::Building => chance.between(0.8, 1.5),
            _ => chance.between(0.9, 1.3),
        };
        let inner = if kind == PlantKind::FishCage { chance.between(0.6, 1.3) } else { chance.between(0.25, 0.5) };
        let texels =
            texels.filter(|_| matches!(kind, PlantKind::Pit | PlantKind::Dump | PlantKind::Building | PlantKind::Bar));
        Self { kind, colours, brightness, inner, noise: Noise::new(seed, 4), texels }
    }

    /// Reflectance of a role (its position in [`ROLES`]) at a point; `beneath` is the ground's there.
    pub(super) fn paint(&self, role: usize, at: &Place, beneath: f64) -> f64 {
        if let Some(texels) = &self.texels {
            return texels.at(role, at.along_px, at.across_px);
        }
        let [first, second, third] = &self.colours;
        let grain = |strength: f64, px: f64| 1.0 + strength * self.noise.smooth(at.along_px / px, at.across_px / px);
        let dry = first[role] * self.brightness;
        match self.kind {
            PlantKind::Pit => {
                let pond = ramp(self.inner - 0.1, self.inner + 0.1, at.depth_share);
                dry * grain(0.12, 1.5) * (1.0 - pond) + second[role] * pond
            }
            PlantKind::Stockpile => dry * (1.0 + 0.45 * at.sunward) * grain(0.05, 1.2),
            PlantKind::Dump => {
                let drawn = self.noise.branch(1).smooth(at.along_px / 1.3, at.across_px / 1.3);
                let mixed = if drawn > 0.25 {
                    first
                } else if drawn > -0.25 {
                    second
                } else {
                    third
                };
                mixed[role] * self.brightness * grain(0.18, 1.0)
            }
            PlantKind::Building => {
                let tone = if at.across_px > 0.0 { 1.06 } else { 0.94 };
                dry * tone * grain(0.03, 1.0)
            }
            PlantKind::Greenhouse => {
                let strip = at.across_px / STRIP_PX;
                let lit = if strip - strip.floor() < 0.5 { 1.1 } else { 0.9 };
                (first[role] * FILM_SHARE + second[role] * (1.0 - FILM_SHARE)) * lit * self.brightness
            }
            PlantKind::FishCage => {
                let ring_share = (RING_PX / at.depth_px.max(RING_PX)).clamp(0.0, 1.0);
                let is_ring = at.depth_px < RING_PX || at.depth_share < 0.1;
                if is_ring {
                    dry * ring_share.max(0.6) + beneath * (1.0 - ring_share.max(0.6))
                } else {
                    beneath * self.inner
                }
            }
            PlantKind::Dike => dry * (1.0 + 0.2 * at.sunward) * grain(0.05, 1.2),
            PlantKind::Bar => dry * grain(0.08, 4.0),
        }
    }
}

/// A texture resampled to the pixels that are painted.
#[derive(Debug, Clone)]
pub(super) struct Texels {
    reflectance: Array3<f32>,
    /// Texture pixels per painted pixel.
    step: f64,
    middle: (f64, f64),
}

impl Texels {
    /// The texture about a middle that `seed` chooses.
    pub(super) fn new(texture: &Texture<'_>, ground_sampling_distance_m: f64, seed: u64) -> Self {
        let mut chance = Chance::new(seed, 5);
        let (_, rows, columns) = texture.reflectance.dim();
        let middle = (chance.between(0.3, 0.7) * rows as f64, chance.between(0.3, 0.7) * columns as f64);
        let step = ground_sampling_distance_m / texture.ground_sampling_distance_m;
        Self { reflectance: texture.reflectance.to_owned(), step, middle }
    }

    /// Reflectance of a role, nearest texture pixel, mirrored at the texture's edge.
    fn at(&self, role: usize, along_px: f64, across_px: f64) -> f64 {
        let (bands, rows, columns) = self.reflectance.dim();
        if bands < 3 || rows == 0 || columns == 0 {
            return SOIL[role];
        }
        let row = mirrored(self.middle.0 + across_px * self.step, rows);
        let column = mirrored(self.middle.1 + along_px * self.step, columns);
        let band = |index: usize| f64::from(self.reflectance[[index, row, column]]);
        match role {
            0 => band(2),
            1 => band(1),
            2 => band(0),
            infrared => band(0) * INFRARED_OVER_RED[infrared - 3],
        }
    }
}

/// A position folded back and forth into `0..length`.
fn mirrored(position: f64, length: usize) -> usize {
    let period = 2 * length as i64;
    let folded = (position.floor() as i64).rem_euclid(period);
    (if folded < length as i64 { folded } else { period - 1 - folded }) as usize
}
