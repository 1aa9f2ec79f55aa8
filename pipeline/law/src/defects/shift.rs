//! Whether a scope would lie more evenly about its water if it were moved: robust least squares on the distances from its edge to
//! the waterline.
//!
//! An edge with outward normal `n` lies `d` metres short of the waterline (below 0: the waterline lies inside). Moved by `t`, it lies
//! `d − n·t` short of it. Wanted is the `t` after which all distances are as alike as can be, whatever they are: `d ≈ c + n·t`. How
//! far the normals spread says what can be told: both banks of a straight reach tell the move across it and nothing along it, one
//! bank alone tells nothing, a bend or a whole lake tells both. A scope that is wider or narrower than its water on all sides only
//! moves `c`.

/// A place on the edge of a scope.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sample {
    /// Outward normal (east, north), of length 1.
    pub(super) normal: (f64, f64),
    /// Metres from the edge outwards to the waterline; below 0 where it lies inside.
    pub(super) distance_m: f64,
    /// Metres of the edge that it stands for.
    pub(super) length_m: f64,
}

/// How a scope would have to be moved.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shift {
    /// Metres to the east.
    pub east_m: f64,
    /// Metres to the north.
    pub north_m: f64,
    /// False where only the move along one axis can be told: across a reach that hardly bends.
    pub tells_both_axes: bool,
}

impl Shift {
    /// Its length in metres.
    #[must_use]
    pub fn length_m(&self) -> f64 {
        self.east_m.hypot(self.north_m)
    }
}

/// Why it can't be told whether a scope is shifted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untold {
    /// Too little of a waterline was found along its edge.
    LittleShore,
    /// What was found runs along one side of it.
    OneBank,
    /// The margins are uneven, and not as a move would make them.
    Uneven,
    /// The margins differ from bank to bank of a reach that hardly bends, and all water lies inside.
    BanksDiffer,
}

impl Untold {
    /// In words, after "cannot tell whether it is shifted:".
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::LittleShore => "too little of a waterline was seen along its edge",
            Self::OneBank => "a waterline was seen along one side of it only",
            Self::Uneven => "its margins are uneven, and no move would make them much more alike",
            Self::BanksDiffer => {
                "it is wider on one bank than on the other and holds all of the water, so it may have been drawn like that"
            }
        }
    }
}

/// With fewer places nothing is told.
const LEAST_SAMPLES: usize = 20;
/// Variance of the normals along an axis below which nothing is told along it: 0.5 for a circle, 1 across a straight reach with
/// both banks, 0 along it.
const LEAST_SPREAD: f64 = 0.15;
/// A move is told where it takes at least this share of the variance of the distances away.
const LEAST_EXPLAINED: f64 = 0.6;
/// Share of the edge that the move has to hold for; the rest may meet other water.
const LEAST_KEPT: f64 = 0.6;
/// Rounds of reweighting, with either weight; what is left of outliers by then changes nothing.
const ROUNDS: usize = 20;
/// Residuals beyond this many standard deviations count less (Huber 1964).
const HUBER: f64 = 1.345;
/// Residuals beyond this many standard deviations do not count at all in the end (Beaton and Tukey 1974).
const BISQUARE: f64 = 4.685;
/// Standard deviations in a median absolute deviation.
const DEVIATION: f64 = 1.4826;

/// The move that makes the distances more alike; `None` where it would be below `least_m`. `precision_m` is what a single distance is
/// known to.
pub(super) fn shift(samples: &[Sample], precision_m: f64, least_m: f64) -> Result<Option<Shift>, Untold> {
    if samples.len() < LEAST_SAMPLES {
        return Err(Untold::LittleShore);
    }
    let mut weights: Vec<f64> = samples.iter().map(|sample| sample.length_m).collect();
    let edge_m: f64 = weights.iter().sum();
    let mut fit = Fit::of(samples, &weights).ok_or(Untold::OneBank)?;
    let huber = |off: f64| HUBER / off.max(HUBER);
    let bisquare = |off: f64| (1.0 - (off / BISQUARE).powi(2)).max(0.0).powi(2);
    // the first brings the fit near to what most places say, the second leaves the others out
    for weight_of in [&huber as &dyn Fn(f64) -> f64, &bisquare] {
        for _ in 0..ROUNDS {
            let residuals: Vec<f64> = samples.iter().map(|sample| fit.residual(sample).abs()).collect();
            let mut ordered = residuals.clone();
            ordered.sort_by(f64::total_cmp);
            let deviation = (DEVIATION * ordered[ordered.len() / 2]).max(precision_m);
            for ((weight, sample), residual) in weights.iter_mut().zip(samples).zip(residuals) {
                *weight = sample.length_m * weight_of(residual / deviation);
            }
            fit = Fit::of(samples, &weights).ok_or(Untold::OneBank)?;
        }
    }
    if fit.shift.length_m() < least_m {
        return Ok(None);
    }
    let (before, after) = samples.iter().zip(&weights).fold((0.0, 0.0), |(before, after), (sample, weight)| {
        let off = sample.distance_m - fit.mean_distance;
        (before + weight * off * off, after + weight * fit.residual(sample).powi(2))
    });
    let is_plain = after <= (1.0 - LEAST_EXPLAINED) * before && weights.iter().sum::<f64>() >= LEAST_KEPT * edge_m;
    if is_plain { Ok(Some(fit.shift)) } else { Err(Untold::Uneven) }
}

/// Weighted least squares.
struct Fit {
    mean_normal: (f64, f64),
    mean_distance: f64,
    shift: Shift,
}

impl Fit {
    fn of(samples: &[Sample], weights: &[f64]) -> Option<Self> {
        let all: f64 = weights.iter().sum();
        let mean = |value: &dyn Fn(&Sample) -> f64| {
            samples.iter().zip(weights).map(|(sample, weight)| weight * value(sample)).sum::<f64>() / all
        };
        let mean_normal = (mean(&|sample| sample.normal.0), mean(&|sample| sample.normal.1));
        let mean_distance = mean(&|sample| sample.distance_m);
        let off = |sample: &Sample| (sample.normal.0 - mean_normal.0, sample.normal.1 - mean_normal.1);
        // with the means taken away the constant is out of the normal equations: what is left is a matrix of two by two
        let (xx, yy) = (mean(&|sample| off(sample).0.powi(2)), mean(&|sample| off(sample).1.powi(2)));
        let xy = mean(&|sample| off(sample).0 * off(sample).1);
        let right = (
            mean(&|sample| off(sample).0 * (sample.distance_m - mean_distance)),
            mean(&|sample| off(sample).1 * (sample.distance_m - mean_distance)),
        );
        let (middle, radius) = (f64::midpoint(xx, yy), (f64::midpoint(xx, -yy)).hypot(xy));
        let (sine, cosine) = (0.5 * (2.0 * xy).atan2(xx - yy)).sin_cos();
        let axes = [((cosine, sine), middle + radius), ((-sine, cosine), middle - radius)];
        let mut shift = Shift { east_m: 0.0, north_m: 0.0, tells_both_axes: true };
        let mut told = 0;
        for ((east, north), spread) in axes {
            if spread >= LEAST_SPREAD {
                let along = (east * right.0 + north * right.1) / spread;
                shift.east_m += along * east;
                shift.north_m += along * north;
                told += 1;
            }
        }
        shift.tells_both_axes = told == 2;
        (told > 0).then_some(Self { mean_normal, mean_distance, shift })
    }

    /// What the move does not explain of a distance, in metres.
    fn residual(&self, sample: &Sample) -> f64 {
        let (east, north) = (sample.normal.0 - self.mean_normal.0, sample.normal.1 - self.mean_normal.1);
        sample.distance_m - self.mean_distance - east * self.shift.east_m - north * self.shift.north_m
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    /// Places around a circle, with an even margin, where the scope would have to be moved by `t`.
    fn around(t: (f64, f64), margin_m: f64, noise_m: impl Fn(usize) -> f64) -> Vec<Sample> {
        let place = |i: usize| {
            let (north, east) = (TAU * i as f64 / 360.0).sin_cos();
            let distance_m = east * t.0 + north * t.1 - margin_m + noise_m(i);
            Sample { normal: (east, north), distance_m, length_m: 10.0 }
        };
        (0..360).map(place).collect()
    }

    fn told(samples: &[Sample]) -> Result<Option<Shift>, Untold> {
        shift(samples, 5.0, 20.0)
    }

    fn moved(samples: &[Sample]) -> Shift {
        told(samples).expect("it can be told").expect("a move")
    }

    #[test]
    fn one_bank_alone_and_a_few_places_tell_nothing() {
        let south = |i: usize, distance_m| Sample {
            normal: (0.0, -1.0),
            distance_m: distance_m + i as f64 * 0.01,
            length_m: 10.0,
        };
        let bank: Vec<Sample> = (0..100).map(|i| south(i, 60.0)).collect();
        assert_eq!(told(&bank), Err(Untold::OneBank), "wider on the south, or moved? nobody can tell");
        assert_eq!(told(&around((80.0, 0.0), 50.0, |_| 0.0)[..LEAST_SAMPLES - 1]), Err(Untold::LittleShore));
    }

    #[test]
    fn uneven_margins_are_told_from_a_move() {
        // on two sides further away than on the two others
        let even = |i: usize| if i % 180 < 90 { 40.0 } else { -40.0 };
        assert_eq!(told(&around((0.0, 0.0), 50.0, even)), Ok(None), "no move makes them more alike");
        assert_eq!(told(&around((40.0, 0.0), 50.0, |i| even(i) + even(2 * i))), Err(Untold::Uneven));
        // nearly half of the places speak of something else
        let other = |i: usize| if i % 9 < 4 { 300.0 + (i * 7919 % 200) as f64 } else { 0.0 };
        assert_eq!(told(&around((80.0, 0.0), 50.0, other)), Err(Untold::Uneven));
    }

    #[test]
    fn both_banks_of_a_straight_reach_tell_the_move_across_it_only() {
        let bank = |north: f64, distance_m: f64| Sample { normal: (0.0, north), distance_m, length_m: 10.0 };
        // the scope lies 40 m too far to the north; its margin is 30 m
        let banks: Vec<Sample> = (0..200).map(|i| if i < 120 { bank(1.0, -70.0) } else { bank(-1.0, 10.0) }).collect();
        let told = moved(&banks);
        assert!(!told.tells_both_axes && told.east_m.abs() < 1e-9 && (told.north_m + 40.0).abs() < 1e-9, "{told:?}");
    }

    proptest! {
        #[test]
        fn a_move_is_found_beside_noise_and_outliers(
            east in -150.0..150.0_f64, north in -150.0..150.0_f64, margin in -50.0..150.0_f64, at in 0_usize..360,
        ) {
            prop_assume!(east.hypot(north) > 40.0);
            // a tenth of the places hit another water; the others are off by up to 8 m
            let noise = |i: usize| if (i + at) % 360 < 36 { 200.0 } else { (i * 7919 % 17) as f64 - 8.0 };
            let told = moved(&around((east, north), margin, noise));
            prop_assert!(told.tells_both_axes);
            prop_assert!((told.east_m - east).hypot(told.north_m - north) < 12.0, "{told:?}");
        }

        #[test]
        fn the_margin_changes_nothing(margin in -100.0..400.0_f64) {
            let (narrow, wide) = (moved(&around((60.0, -20.0), 0.0, |_| 0.0)), moved(&around((60.0, -20.0), margin, |_| 0.0)));
            prop_assert!((narrow.east_m - wide.east_m).hypot(narrow.north_m - wide.north_m) < 1e-6);
            prop_assert_eq!(told(&around((0.0, 0.0), margin, |i| (i % 3) as f64)), Ok(None));
        }
    }
}
