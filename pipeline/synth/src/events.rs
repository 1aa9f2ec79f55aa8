//! What people do to the land: how each kind of event looks once it is there.

use crate::clouds::Spot;
use crate::fields::ploughed;
use crate::landscape::{Moment, Surface};
use crate::noise::{Chance, Noise, lerp, ramp, sin_cos_turns};
use crate::scenario::EventPlan;
use crate::series::{EventKind, SurfaceClass};
use crate::spectra::{ASPHALT, CONCRETE, POND_WATER, ROOFS, RUBBISH, SAND, SOIL, Spectrum, blend, crop, scaled};
use crate::town::{distance_to_piece_m, roof};
use geo_types::{Coord, LineString, Polygon};

/// Width of a dike's crown and slopes in metres.
const DIKE_M: f64 = 22.0;
/// Half the width of an access track in metres.
const TRACK_HALF_M: f64 = 7.0;

/// An event at its place; coordinates are metres.
#[derive(Debug, Clone)]
pub(crate) struct PlacedEvent {
    pub(crate) plan: EventPlan,
    pub(crate) centre: Coord<f64>,
    /// Half the length and half the width in metres.
    half_m: (f64, f64),
    /// Cosine and sine of the direction of the long side.
    direction: (f64, f64),
    /// Everything that changes, as a closed ring.
    ring: Vec<Coord<f64>>,
    noise: Noise,
}

impl PlacedEvent {
    /// An event of typical size (1–6 ha) about `centre`, its long side at `turns` of a whole turn.
    pub(crate) fn new(plan: EventPlan, centre: Coord<f64>, turns: f64, chance: &mut Chance, noise: Noise) -> Self {
        let (sine, cosine) = sin_cos_turns(turns);
        let (long, wide) = match plan.kind {
            EventKind::Occupation => ((135.0, 170.0), (80.0, 105.0)),
            EventKind::SandPit => ((105.0, 130.0), (72.0, 90.0)),
            EventKind::Dump => ((68.0, 88.0), (54.0, 68.0)),
            EventKind::Building => ((85.0, 110.0), (56.0, 72.0)),
            EventKind::Ploughing | EventKind::BarGrowth => ((95.0, 120.0), (60.0, 75.0)),
        };
        let half_m = (chance.between(long.0, long.1), chance.between(wide.0, wide.1));
        let local = match plan.kind {
            EventKind::SandPit => with_track(&oval(half_m, 18, 0.08, chance), half_m),
            EventKind::Dump => oval(half_m, 14, 0.14, chance),
            EventKind::Occupation => oblong(half_m, 0.08, chance),
            EventKind::Building | EventKind::Ploughing | EventKind::BarGrowth => oblong(half_m, 0.0, chance),
        };
        let ring = local
            .iter()
            .map(|at| Coord { x: centre.x + cosine * at.x - sine * at.y, y: centre.y + sine * at.x + cosine * at.y })
            .collect();
        Self { plan, centre, half_m, direction: (cosine, sine), ring, noise }
    }

    /// Whether clouds must mind this event in a pass: they leave it in sight in the pass before it
    /// appears and in the first that is to show it, and elsewhere drift as they like.
    pub(crate) fn minds_clouds_in(&self, pass: usize) -> bool {
        let shown = self.plan.first_pass + usize::from(self.plan.hidden_at_first);
        (self.plan.first_pass - 1..=shown).contains(&pass)
    }

    /// The outline in metres.
    pub(crate) fn outline(&self) -> Polygon<f64> {
        Polygon::new(LineString(self.ring.clone()), Vec::new())
    }

    /// Radius in metres of a disc about the centre that holds the event.
    pub(crate) fn radius_m(&self) -> f64 {
        let square = |at: &Coord<f64>| (at.x - self.centre.x).powi(2) + (at.y - self.centre.y).powi(2);
        self.ring.iter().map(square).fold(0.0, f64::max).sqrt()
    }

    /// The disc that holds the event, for clouds to hide or to spare.
    pub(crate) fn spot(&self) -> Spot {
        Spot { centre: self.centre, radius_m: self.radius_m() }
    }

    /// Points spread over the footprint in metres, to ask what lies there.
    pub(crate) fn probes(&self) -> Vec<Coord<f64>> {
        let steps = || (-3..=3).map(|step| f64::from(step) / 3.0);
        steps()
            .flat_map(|v| steps().map(move |u| (u, v)))
            .map(|(u, v)| {
                let (x, y) = (u * self.half_m.0, v * self.half_m.1);
                let (cosine, sine) = self.direction;
                Coord { x: self.centre.x + cosine * x - sine * y, y: self.centre.y + sine * x + cosine * y }
            })
            .filter(|at| contains(&self.ring, at.x, at.y))
            .collect()
    }

    /// What this event shows at a point, if it covers it at that moment.
    pub(crate) fn surface(&self, x: f64, y: f64, moment: Moment) -> Option<Surface> {
        let cleared = self.plan.cleared_pass.is_some_and(|cleared| moment.epoch >= cleared);
        let begun = moment.epoch >= self.plan.first_pass && !cleared;
        if !begun && self.plan.kind != EventKind::Ploughing {
            return None;
        }
        let (dx, dy) = (x - self.centre.x, y - self.centre.y);
        let reach = 3.2 * self.half_m.0;
        if dx.abs() > reach || dy.abs() > reach || !contains(&self.ring, x, y) {
            return None;
        }
        let (cosine, sine) = self.direction;
        let at = Coord { x: cosine * dx + sine * dy, y: cosine * dy - sine * dx };
        let age = moment.epoch.saturating_sub(self.plan.first_pass);
        Some(match self.plan.kind {
            EventKind::Occupation => self.occupation(at, (x, y), age),
            EventKind::SandPit => self.sand_pit(at),
            EventKind::Dump => self.dump(at),
            EventKind::Building => self.building(at),
            EventKind::Ploughing | EventKind::BarGrowth => {
                Surface { class: SurfaceClass::Crops, spectrum: ploughed(self.noise, at.x, at.y, begun) }
            }
        })
    }

    /// A dike, fill inside, sheds at one end; from the second pass on the fill is planted.
    fn occupation(&self, at: Coord<f64>, (x, y): (f64, f64), age: usize) -> Surface {
        let grain = 1.0 + 0.08 * self.noise.fractal(at.x / 35.0, at.y / 35.0, 3);
        let edge =
            closed(&self.ring).map(|(from, to)| distance_to_piece_m(from, to, x, y)).fold(f64::INFINITY, f64::min);
        if edge < DIKE_M {
            return bare(&blend(&SOIL, &CONCRETE, 0.35), grain);
        }
        let sheds = at.x > 0.30 * self.half_m.0;
        if sheds {
            let (column, row) = ((at.x / 34.0).floor(), (at.y / 26.0).floor());
            let inside = at.x - column * 34.0 < 27.0 && at.y - row * 26.0 < 19.0;
            let spectrum =
                if inside { roof(self.noise, column as i64, row as i64, 0.35) } else { scaled(&CONCRETE, 0.85) };
            return built(&spectrum, grain);
        }
        if age >= 1 {
            let rows = 1.0 + 0.05 * self.noise.smooth(at.x / 8.0, at.y / 70.0);
            let spectrum = scaled(&crop(lerp(0.32, 0.5, self.noise.chance((at.x / 60.0).floor() as i64, 3))), rows);
            return Surface { class: SurfaceClass::Crops, spectrum };
        }
        bare(&SOIL, grain)
    }

    /// A working floor of sand, the pond in the pit, the stockpile beside it, the track that leads there.
    fn sand_pit(&self, at: Coord<f64>) -> Surface {
        let (a, b) = self.half_m;
        let grain = 1.0 + 0.10 * self.noise.fractal(at.x / 40.0, at.y / 40.0, 3);
        let wobble = 0.25 * self.noise.fractal(at.x / 60.0, at.y / 60.0, 2);
        let pond = square_in(at, (-0.38 * a, 0.05 * b), (0.40 * a, 0.52 * b)) + wobble;
        if pond < 1.0 {
            let spectrum = blend(&POND_WATER, &SAND, 0.22 * ramp(0.6, 1.0, pond));
            return Surface { class: SurfaceClass::Water, spectrum };
        }
        let pile = square_in(at, (0.52 * a, -0.12 * b), (0.27 * a, 0.42 * b));
        if pile < 1.0 {
            // a cone lit from the upper left
            let lit = 1.12 - 0.22 * ((at.x - 0.52 * a) / (0.27 * a) + (at.y + 0.12 * b) / (0.42 * b)) / 1.4;
            return bare(&scaled(&SAND, 1.12), lit);
        }
        let rim = ramp(1.0, 1.5, pond);
        bare(&blend(&scaled(&SOIL, 0.85), &SAND, rim), grain)
    }

    /// Rubble, plastics, ash and soil, tipped load by load.
    fn dump(&self, at: Coord<f64>) -> Surface {
        let bent = (
            at.x + 6.0 * self.noise.smooth(at.x / 14.0, at.y / 14.0),
            at.y + 6.0 * self.noise.smooth(at.y / 14.0, at.x / 14.0),
        );
        let (column, row) = ((bent.0 / 15.0).floor() as i64, (bent.1 / 15.0).floor() as i64);
        let kind = (self.noise.chance(column, row) * RUBBISH.len() as f64) as usize % RUBBISH.len();
        let soil = 0.35 + 0.35 * self.noise.fractal(at.x / 30.0, at.y / 30.0, 2);
        let grain = 0.9 + 0.25 * self.noise.branch(1).chance(column, row);
        bare(&blend(&RUBBISH[kind], &SOIL, soil), grain)
    }

    /// Two rows of halls in a paved yard: white, blue and grey sheet, each with its shadow.
    fn building(&self, at: Coord<f64>) -> Surface {
        let (column, in_u) = slot((at.x / self.half_m.0 + 1.0) / 2.0 * 3.0);
        let (row, in_v) = slot((at.y / self.half_m.1 + 1.0) / 2.0 * 2.0);
        if (0.10..0.86).contains(&in_u) && (0.14..0.82).contains(&in_v) {
            // the sheet is one of white (twice as often), blue and grey
            let sheet = [2, 2, 3, 0][(self.noise.chance(column, row) * 4.0) as usize % 4];
            let ridge = if in_v < 0.48 { 1.06 } else { 0.94 };
            return built(&ROOFS[sheet], ridge * (0.86 + 0.2 * self.noise.branch(1).chance(column, row)));
        }
        let shaded = (0.04..0.10).contains(&in_u) || (0.06..0.14).contains(&in_v);
        let yard = 0.5 + 0.5 * self.noise.fractal(at.x / 30.0, at.y / 30.0, 2);
        built(&blend(&ASPHALT, &CONCRETE, yard), if shaded { 0.6 } else { 1.0 })
    }
}

/// The slot a position falls in, and the share of the slot before it.
fn slot(position: f64) -> (i64, f64) {
    let slot = position.floor();
    (slot as i64, position - slot)
}

fn built(spectrum: &Spectrum, factor: f64) -> Surface {
    Surface { class: SurfaceClass::BuiltUp, spectrum: scaled(spectrum, factor) }
}

fn bare(spectrum: &Spectrum, factor: f64) -> Surface {
    Surface { class: SurfaceClass::Bare, spectrum: scaled(spectrum, factor) }
}

fn square_in(at: Coord<f64>, centre: (f64, f64), half: (f64, f64)) -> f64 {
    let (u, v) = ((at.x - centre.0) / half.0, (at.y - centre.1) / half.1);
    u * u + v * v
}

fn oval(half: (f64, f64), corners: u32, uneven: f64, chance: &mut Chance) -> Vec<Coord<f64>> {
    (0..corners)
        .map(|corner| {
            let (sine, cosine) = sin_cos_turns(f64::from(corner) / f64::from(corners));
            let radius = chance.between(1.0 - uneven, 1.0 + uneven);
            Coord { x: radius * half.0 * cosine, y: radius * half.1 * sine }
        })
        .collect()
}

fn oblong(half: (f64, f64), uneven: f64, chance: &mut Chance) -> Vec<Coord<f64>> {
    [(-1.0, -1.0), (0.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 1.0), (-1.0, 1.0)]
        .into_iter()
        .map(|(u, v)| Coord {
            x: u * half.0 * chance.between(1.0 - uneven, 1.0 + uneven),
            y: v * half.1 * chance.between(1.0 - uneven, 1.0 + uneven),
        })
        .collect()
}

/// A ring with a spur that leaves at its first corner (at the right) and runs outward.
fn with_track(ring: &[Coord<f64>], half: (f64, f64)) -> Vec<Coord<f64>> {
    let (near, far) = (0.96 * ring[0].x, ring[0].x + 0.9 * half.0);
    let spur = [(near, -TRACK_HALF_M), (far, -TRACK_HALF_M), (far, TRACK_HALF_M), (near, TRACK_HALF_M)];
    let spur = spur.into_iter().map(|(x, y)| Coord { x, y });
    spur.chain(ring[1..].iter().copied()).collect()
}

fn closed(ring: &[Coord<f64>]) -> impl Iterator<Item = (Coord<f64>, Coord<f64>)> + '_ {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

/// Whether a point lies in a ring, closed or not (even-odd rule).
pub(crate) fn contains(ring: &[Coord<f64>], x: f64, y: f64) -> bool {
    closed(ring)
        .filter(|(from, to)| {
            (from.y > y) != (to.y > y) && x < from.x + (y - from.y) / (to.y - from.y) * (to.x - from.x)
        })
        .count()
        % 2
        == 1
}
