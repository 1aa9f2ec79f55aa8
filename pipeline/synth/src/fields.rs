//! Farmland: districts with their own direction, cut into parcels with their own crop.

use crate::noise::{Noise, floor, ramp, sin_cos_turns};
use crate::spectra::{CROP_STAGES, FIELD, Spectrum, blend, crop, scaled};

/// Mean size of a district of parcels with one direction, in metres.
const DISTRICT_M: f64 = 850.0;
/// Spacing of the points whose district is kept, in metres.
const LATTICE_M: f64 = 40.0;
/// Half the width of a verge and of a hedge between two parcels, in metres.
const VERGE_M: f64 = 2.5;
const HEDGE_M: f64 = 7.0;
/// Share of the boundaries between parcels that carry a verge or a hedge; the others show nothing.
const VERGE_SHARE: f64 = 0.55;
const HEDGE_SHARE: f64 = 0.10;
/// When in the year a kind of crop begins its cycle, and how many cycles it has in a year.
const CALENDAR: [(f64, f64); 4] = [(0.10, 1.0), (0.20, 2.0), (0.75, 1.0), (0.35, 1.0)];

/// What a point of farmland is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Farmland {
    /// Inside a parcel: its reflectance.
    Parcel(Spectrum),
    /// The grassy verge between parcels.
    Verge,
    /// A row of trees between parcels.
    Hedge,
}

/// The farmland of a scene.
#[derive(Debug, Clone)]
pub(crate) struct Farms {
    noise: Noise,
    jitter: (Noise, Noise),
    /// The district at each point of a lattice over the scene.
    districts: Vec<(i64, i64)>,
    lattice_cols: usize,
    /// Independent fields of chance, one a trait of a district or a parcel.
    traits: [Noise; 6],
}

impl Farms {
    /// The farmland of a scene of `size_m` (width, height).
    pub(crate) fn new(noise: Noise, size_m: (f64, f64)) -> Self {
        let jitter = (noise.branch(1), noise.branch(2));
        let count = |length: f64| (length / LATTICE_M) as usize + 3;
        let lattice_cols = count(size_m.0);
        let districts = (0..lattice_cols * count(size_m.1))
            .map(|cell| {
                let (column, row) = (cell % lattice_cols, cell / lattice_cols);
                nearest_district(jitter, column as f64 * LATTICE_M, row as f64 * LATTICE_M)
            })
            .collect();
        Self {
            noise,
            jitter,
            districts,
            lattice_cols,
            traits: std::array::from_fn(|number| noise.branch(10 + number as u64)),
        }
    }

    /// The district a point belongs to. Districts are convex, so a lattice cell whose corners lie in
    /// one district lies in it wholly.
    fn district(&self, x: f64, y: f64) -> (i64, i64) {
        let (column, row) = (floor(x / LATTICE_M), floor(y / LATTICE_M));
        if column >= 0 && row >= 0 && (column as usize) < self.lattice_cols - 1 {
            let first = row as usize * self.lattice_cols + column as usize;
            let below = first + self.lattice_cols;
            if let (Some([one, two]), Some([three, four])) =
                (self.districts.get(first..first + 2), self.districts.get(below..below + 2))
                && one == two
                && three == four
                && one == three
            {
                return *one;
            }
        }
        nearest_district(self.jitter, x, y)
    }

    /// What lies at a point of farmland at a share of the year.
    pub(crate) fn at(&self, x: f64, y: f64, season: f64) -> Farmland {
        let noise = self.noise;
        let (i, j) = self.district(x, y);
        let word = |number: usize| self.traits[number].chance(i, j);
        let (sine, cosine) = sin_cos_turns(0.08 * (word(0) - 0.5) + if word(1) < 0.3 { 0.06 } else { 0.0 });
        let (u, v) = (cosine * x + sine * y, cosine * y - sine * x);
        let strip_m = 60.0 + 150.0 * word(2) * word(5);
        let long_m = (strip_m * (1.0 + 1.9 * word(3))).max(95.0);

        // strips bend gently, as land that was shared out long ago
        let bent = u + 30.0 * noise.branch(21).smooth(v / 420.0, (i + 3 * j) as f64);
        let strip = (bent / strip_m).floor();
        let along = v + long_m * noise.branch(20).chance(strip as i64, i * 7919 + j);
        let parcel = (along / long_m).floor();
        let (strip_id, parcel_id) = (strip as i64, parcel as i64);
        let side_m = bent - strip * strip_m;
        let end_m = along - parcel * long_m;
        let boundary = noise.branch(22).chance(strip_id.wrapping_mul(4001) + i, j);
        if side_m.min(end_m) < HEDGE_M && boundary < HEDGE_SHARE {
            return Farmland::Hedge;
        }
        if side_m.min(end_m) < 2.0 * VERGE_M && boundary < VERGE_SHARE {
            return Farmland::Verge;
        }
        let (own_column, own_row) = (strip_id.wrapping_mul(613) + 7 * i, parcel_id.wrapping_mul(577) + 11 * j);
        let chance = |number: usize| self.traits[number].chance(own_column, own_row);
        // half the parcels of a district carry its main crop
        let crop_word = if chance(3) < 0.5 { word(4) } else { chance(0) };
        let (start, cycles) = CALENDAR[(crop_word * CALENDAR.len() as f64) as usize % CALENDAR.len()];
        let stage = (season - start - 0.16 * chance(1)) * cycles;
        // what is grown, and how well: between the field's own spectrum and a mean one
        let vigour = 0.20 + 0.60 * chance(4);
        let spectrum = blend(&FIELD, &crop(stage), vigour);
        let rows = 1.0 + 0.02 * noise.smooth(u / 12.0, v / 60.0);
        Farmland::Parcel(scaled(&spectrum, rows * (0.88 + 0.22 * chance(2))))
    }
}

/// The nearest of jittered lattice points (cellular noise, Worley 1996).
fn nearest_district(jitter: (Noise, Noise), x: f64, y: f64) -> (i64, i64) {
    let (column, row) = (floor(x / DISTRICT_M), floor(y / DISTRICT_M));
    let mut nearest = (f64::INFINITY, (column, row));
    for j in row - 1..=row + 1 {
        for i in column - 1..=column + 1 {
            let dx = (i as f64 + jitter.0.chance(i, j)) * DISTRICT_M - x;
            let dy = (j as f64 + jitter.1.chance(i, j)) * DISTRICT_M - y;
            let square = dx * dx + dy * dy;
            if square < nearest.0 {
                nearest = (square, (i, j));
            }
        }
    }
    nearest.1
}

/// A field before and after the plough.
pub(crate) fn ploughed(noise: Noise, x: f64, y: f64, ploughed: bool) -> Spectrum {
    let furrows = 1.0 + 0.05 * noise.smooth(x / 18.0, y / 18.0);
    if ploughed {
        let moist = ramp(-0.4, 0.6, noise.fractal(x / 160.0, y / 160.0, 2));
        let soil = blend(&CROP_STAGES[0].1, &scaled(&CROP_STAGES[0].1, 0.85), moist);
        scaled(&soil, furrows)
    } else {
        scaled(&crop(0.55), furrows)
    }
}
