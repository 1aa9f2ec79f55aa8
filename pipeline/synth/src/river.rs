//! The river: a meandering centreline, its bed, its bars and the corridor that is managed.

use crate::noise::{Noise, lerp, ramp, sin_cos_turns};
use crate::relief::Relief;
use geo_types::{Coord, LineString, Polygon};

/// Spacing of the centreline's vertices in metres.
const STEP_M: f64 = 20.0;
/// Spacing of the lattice on which distance to the river is kept, in metres.
const LATTICE_M: f64 = 30.0;
/// Largest angle between the river and its valley, in turns (0.14 turns are 50°).
const SWING_TURNS: f64 = 0.14;
/// How far to both sides the bend of the river is measured, in vertices of the centreline.
const BEND_WINDOW: usize = 12;
/// Height of the bank top above mean water, in metres: the river never leaves its banks.
pub(crate) const BANK_TOP_M: f64 = 2.4;
/// How much wider an inner-bank bar grows from pass to pass, as a share of the half-width.
const BAR_GROWTH: f64 = 0.02;
/// How far the mid-channel bar wanders downstream from pass to pass, in metres.
const BAR_DRIFT_M: f64 = 18.0;

/// Where a point lies with respect to the river.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// Distance from the centreline in metres, positive to the right of the flow.
    pub(crate) offset_m: f64,
    /// Distance along the centreline in metres.
    pub(crate) chainage_m: f64,
    /// Bend, -1 to 1, positive where the inner bank is the right one.
    pub(crate) bend: f64,
}

/// The river of a scene; coordinates are metres, x to the right and y down.
#[derive(Debug, Clone)]
pub(crate) struct River {
    pub(crate) half_width_m: f64,
    line: Vec<(Coord<f64>, f64)>,
    lattice: Vec<Place>,
    lattice_cols: usize,
    bumps: Relief,
    /// Width and vigour of the bars, each against the mean, at the centreline's vertices.
    character: Vec<(f64, f64)>,
    mid_bar_m: f64,
}

impl River {
    /// A river that flows from left to right across a scene of `width_m` × `height_m`, about the
    /// height `axis_m`: a sine-generated curve (Langbein and Leopold 1966) whose bends vary.
    pub(crate) fn new(seed: u64, size_m: (f64, f64), axis_m: f64, river_width_m: f64, meander_m: f64) -> Self {
        let noise = Noise::new(seed, 10);
        let line = centreline(noise, size_m.0, axis_m, meander_m);
        let lattice_cols = (size_m.0 / LATTICE_M) as usize + 4;
        let lattice_rows = (size_m.1 / LATTICE_M) as usize + 4;
        let lattice = (0..lattice_rows * lattice_cols)
            .map(|index| {
                let x = (index % lattice_cols) as f64 - 1.0;
                let y = (index / lattice_cols) as f64 - 1.0;
                locate_on(&line, x * LATTICE_M, y * LATTICE_M)
            })
            .collect();
        let along = |vertex: usize| vertex as f64 * STEP_M;
        let character = (0..line.len())
            .map(|vertex| {
                let width = 1.0 + 0.36 * noise.fractal(along(vertex) / 900.0, 0.5, 3);
                (width, 1.0 + 0.65 * noise.fractal(along(vertex) / 520.0, 7.5, 2))
            })
            .collect();
        let mut river = Self {
            half_width_m: river_width_m / 2.0,
            line,
            lattice,
            lattice_cols,
            character,
            bumps: Relief::new(noise, size_m, 280.0, 5),
            mid_bar_m: 0.0,
        };
        river.mid_bar_m = river.straightest_chainage(size_m.0);
        river
    }

    /// Radius of the tightest bend in metres.
    pub(crate) fn tightest_radius_m(&self, meander_m: f64) -> f64 {
        let sharpest = self.line.iter().map(|(_, bend)| bend.abs()).fold(0.05, f64::max);
        1.0 / (sharpest * typical_curvature(meander_m))
    }

    /// The chainage near the middle of the scene where the river bends least.
    fn straightest_chainage(&self, width_m: f64) -> f64 {
        self.line
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| (0.45 * width_m..0.72 * width_m).contains(&at.x))
            .min_by(|(_, (_, one)), (_, (_, other))| one.abs().total_cmp(&other.abs()))
            .map_or(0.0, |(index, _)| index as f64 * STEP_M)
    }

    /// Where the point lies; bilinear between lattice points.
    pub(crate) fn locate(&self, x: f64, y: f64) -> Place {
        let (u, v) = (x / LATTICE_M + 1.0, y / LATTICE_M + 1.0);
        let last_row = self.lattice.len() / self.lattice_cols - 2;
        let column = (u.max(0.0) as usize).min(self.lattice_cols - 2);
        let row = (v.max(0.0) as usize).min(last_row);
        let (right, down) = (u - column as f64, v - row as f64);
        let at = |rows: usize, cols: usize| self.lattice[(row + rows) * self.lattice_cols + column + cols];
        let mix = |of: fn(Place) -> f64| {
            let top = lerp(of(at(0, 0)), of(at(0, 1)), right);
            let bottom = lerp(of(at(1, 0)), of(at(1, 1)), right);
            lerp(top, bottom, down)
        };
        Place {
            offset_m: mix(|place| place.offset_m),
            chainage_m: mix(|place| place.chainage_m),
            bend: mix(|place| place.bend),
        }
    }

    /// Height of the ground in metres above mean water at a point within or near the channel.
    ///
    /// The outer bank is steep; the inner bank carries a flat bar whose waterline moves with the level.
    /// `epoch` is the index of the pass: bars grow a little from one to the next.
    pub(crate) fn bed_m(&self, place: Place, x: f64, y: f64, epoch: usize) -> f64 {
        let (width, vigour) = self.character(place.chainage_m);
        let half = self.half_width_m * width;
        let across = place.offset_m.abs() / half;
        if across > 1.4 {
            return BANK_TOP_M + 1.0;
        }
        let bumps = self.bumps.at(x, y);
        let bar = (vigour * place.bend * place.offset_m.signum()).clamp(0.0, 1.15);
        let waterline = 1.0 - (0.70 + BAR_GROWTH * epoch as f64) * bar;
        let slope = if across < waterline {
            // a bar's foot is flat, a cut bank's is steep
            let share = across / waterline;
            let flat = (0.75 * bar).min(0.8);
            -4.0 + 4.0 * share * lerp(share, 2.0 - share, flat)
        } else {
            BANK_TOP_M * (across - waterline) / (1.06 - waterline)
        };
        slope + (0.45 + 1.5 * bar) * bumps + self.mid_bar_rise(place, epoch, bumps)
    }

    /// How wide the river is here against its mean, and how strongly its bars have grown.
    fn character(&self, chainage_m: f64) -> (f64, f64) {
        let position = (chainage_m / STEP_M).clamp(0.0, (self.character.len() - 2) as f64);
        let (from, to) = (self.character[position as usize], self.character[position as usize + 1]);
        let share = position - position.floor();
        (lerp(from.0, to.0, share), lerp(from.1, to.1, share))
    }

    fn mid_bar_rise(&self, place: Place, epoch: usize, bumps: f64) -> f64 {
        let (along, across) = self.mid_bar_axes_m(epoch);
        let u = (place.chainage_m - self.mid_bar_m - BAR_DRIFT_M * epoch as f64) / along;
        let v = (place.offset_m + 0.25 * self.half_width_m) / across;
        let distance = u * u + v * v + 0.35 * bumps;
        4.6 * (1.0 - ramp(0.0, 1.5, distance))
    }

    fn mid_bar_axes_m(&self, epoch: usize) -> (f64, f64) {
        let growth = 1.0 + 0.05 * epoch as f64;
        (1.9 * self.half_width_m * growth, 0.34 * self.half_width_m * growth)
    }

    /// The outline that holds the mid-channel bar in all passes up to `epoch`, in metres.
    pub(crate) fn mid_bar_outline(&self, epoch: usize) -> Polygon<f64> {
        let (along, across) = self.mid_bar_axes_m(epoch);
        let drift = BAR_DRIFT_M * epoch as f64;
        let ring = (0..24).map(|step| {
            let (sine, cosine) = sin_cos_turns(f64::from(step) / 24.0);
            let chainage = self.mid_bar_m + drift / 2.0 + cosine * (along + drift / 2.0);
            self.at(chainage, -0.25 * self.half_width_m + sine * across)
        });
        Polygon::new(LineString(ring.collect()), Vec::new())
    }

    /// The point at a chainage and an offset, in metres.
    pub(crate) fn at(&self, chainage_m: f64, offset_m: f64) -> Coord<f64> {
        let position = (chainage_m / STEP_M).clamp(0.0, (self.line.len() - 2) as f64);
        let index = position as usize;
        let (from, to) = (self.line[index].0, self.line[index + 1].0);
        let (tangent, share) = (unit_vector(from, to), position - index as f64);
        Coord {
            x: lerp(from.x, to.x, share) - tangent.y * offset_m,
            y: lerp(from.y, to.y, share) + tangent.x * offset_m,
        }
    }

    /// The band of `half_m` to both sides of the centreline where it runs between two values of x, in metres.
    pub(crate) fn corridor(&self, from_x_m: f64, to_x_m: f64, half_m: f64) -> Polygon<f64> {
        let inside: Vec<f64> = self
            .line
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| (from_x_m..=to_x_m).contains(&at.x))
            .map(|(index, _)| index as f64 * STEP_M)
            .collect();
        let sparse = || inside.iter().step_by(4).chain(inside.last()).copied();
        let right = sparse().map(|chainage| self.at(chainage, half_m));
        let left: Vec<_> = sparse().map(|chainage| self.at(chainage, -half_m)).collect();
        Polygon::new(LineString(right.chain(left.into_iter().rev()).collect()), Vec::new())
    }

    /// The centreline's vertices inside the scene, for placing things along the river: chainages in metres.
    pub(crate) fn chainages_m(&self, from_x_m: f64, to_x_m: f64) -> (f64, f64) {
        let inside = |&(_, (at, _)): &(usize, &(Coord<f64>, f64))| (from_x_m..=to_x_m).contains(&at.x);
        let first = self.line.iter().enumerate().find(inside).map_or(0, |(index, _)| index);
        let last = self.line.iter().enumerate().rfind(inside).map_or(0, |(index, _)| index);
        (first as f64 * STEP_M, last as f64 * STEP_M)
    }
}

fn unit_vector(from: Coord<f64>, to: Coord<f64>) -> Coord<f64> {
    let (x, y) = (to.x - from.x, to.y - from.y);
    let length = (x * x + y * y).sqrt();
    Coord { x: x / length, y: y / length }
}

/// The curvature of a bend of typical sharpness, in 1 / metre.
fn typical_curvature(meander_m: f64) -> f64 {
    let tau = std::f64::consts::TAU;
    tau * tau * SWING_TURNS / meander_m
}

/// Vertices with the bend at each, 1 for a typical right-hand bend.
fn centreline(noise: Noise, width_m: f64, axis_m: f64, meander_m: f64) -> Vec<(Coord<f64>, f64)> {
    let mut phase = noise.chance(1, 1);
    let mut at = Coord { x: -0.12 * width_m - 200.0, y: axis_m };
    let (mut vertices, mut headings) = (Vec::new(), Vec::new());
    while at.x < 1.12 * width_m + 200.0 {
        let way = vertices.len() as f64 * STEP_M / meander_m;
        phase += STEP_M / meander_m * (1.0 + 0.30 * noise.smooth(1.9 * way, 3.5));
        let swing = SWING_TURNS * (1.0 + 0.28 * noise.smooth(1.7 * way, 13.5));
        let (sine, _) = sin_cos_turns(phase);
        // a weak pull back to the valley's axis keeps the river in the scene
        let pull = 0.06 * ((axis_m - at.y) / meander_m * 2.0).clamp(-1.0, 1.0);
        let heading = swing * sine + pull + 0.012 * noise.smooth(9.0 * way, 23.5);
        let (down, right) = sin_cos_turns(heading);
        vertices.push(at);
        headings.push(heading);
        at = Coord { x: at.x + right * STEP_M, y: at.y + down * STEP_M };
    }
    let last = headings.len() - 1;
    let bend = |index: usize| {
        let (before, after) = (index.saturating_sub(BEND_WINDOW), (index + BEND_WINDOW).min(last));
        let turned = (headings[after] - headings[before]) * std::f64::consts::TAU;
        turned / ((after - before) as f64 * STEP_M) / typical_curvature(meander_m)
    };
    (0..vertices.len()).map(|index| (vertices[index], bend(index))).collect()
}

fn locate_on(line: &[(Coord<f64>, f64)], x: f64, y: f64) -> Place {
    let mut nearest = (f64::INFINITY, Place::default());
    for (index, pair) in line.windows(2).enumerate() {
        let (from, to) = (pair[0].0, pair[1].0);
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let share = (((x - from.x) * dx + (y - from.y) * dy) / (STEP_M * STEP_M)).clamp(0.0, 1.0);
        let (rx, ry) = (x - from.x - share * dx, y - from.y - share * dy);
        let square = rx * rx + ry * ry;
        if square < nearest.0 {
            let side = if dx * (y - from.y) - dy * (x - from.x) < 0.0 { -1.0 } else { 1.0 };
            let place = Place {
                offset_m: side * square.sqrt(),
                chainage_m: (index as f64 + share) * STEP_M,
                bend: lerp(pair[0].1, pair[1].1, share),
            };
            nearest = (square, place);
        }
    }
    nearest.1
}
