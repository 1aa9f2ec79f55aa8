//! Noise and chance that depend on nothing but the seed: the same bits on every machine.
//!
//! Only additions, multiplications, divisions and square roots are used (all exact under IEEE 754),
//! never the platform's `sin` or `exp`, whose last bit differs between C libraries.

/// Mixes three words into one (the finaliser of SplitMix64, Steele et al. 2014).
fn mix(seed: u64, x: u64, y: u64) -> u64 {
    let mut z =
        seed.wrapping_add(x.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(y.wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A word as a number in `[0, 1)`.
pub(crate) fn unit(word: u64) -> f64 {
    (word >> 11) as f64 / (1_u64 << 53) as f64
}

/// A field of chance over the plane, one for each layer of the landscape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    seed: u64,
}

impl Noise {
    /// The field of one `layer` of the scene that `seed` names.
    pub(crate) fn new(seed: u64, layer: u64) -> Self {
        Self { seed: mix(seed, layer, 0x5EED) }
    }

    /// A further field that is independent of this one.
    pub(crate) fn branch(self, layer: u64) -> Self {
        Self::new(self.seed, layer)
    }

    /// The word that belongs to one cell of the integer lattice.
    pub(crate) fn cell(self, column: i64, row: i64) -> u64 {
        mix(self.seed, column as u64, row as u64)
    }

    /// The number in `[0, 1)` that belongs to one cell of the integer lattice.
    pub(crate) fn chance(self, column: i64, row: i64) -> f64 {
        unit(self.cell(column, row))
    }

    /// Smooth value noise in `[-1, 1]`, one lattice cell a unit of `x` and `y`.
    pub(crate) fn smooth(self, x: f64, y: f64) -> f64 {
        let (column, row) = (floor(x), floor(y));
        let (u, v) = (ease(x - column as f64), ease(y - row as f64));
        let top = lerp(self.chance(column, row), self.chance(column + 1, row), u);
        let bottom = lerp(self.chance(column, row + 1), self.chance(column + 1, row + 1), u);
        2.0 * lerp(top, bottom, v) - 1.0
    }

    /// Fractal noise in `[-1, 1]`: `octaves` of [`Noise::smooth`], each twice as fine and half as strong.
    pub(crate) fn fractal(self, x: f64, y: f64, octaves: u32) -> f64 {
        let (mut sum, mut total, mut weight, mut scale) = (0.0, 0.0, 1.0, 1.0);
        for octave in 0..octaves {
            let layer = Self { seed: self.seed ^ u64::from(octave).wrapping_mul(0xD6E8_FEB8_6659_FD93) };
            sum += weight * layer.smooth(x * scale, y * scale);
            total += weight;
            weight *= 0.5;
            scale *= 2.03;
        }
        sum / total
    }
}

/// A stream of chance (SplitMix64) for choices that come one after another.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    /// The stream of one `layer` of the scene that `seed` names.
    pub(crate) fn new(seed: u64, layer: u64) -> Self {
        Self { state: mix(seed, layer, 0xC4A9CE) }
    }

    /// The next number, evenly from `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.state = self.state.wrapping_add(1);
        lerp(low, high, unit(mix(self.state, 1, 2)))
    }

    /// The next number from a bell curve of mean 0 and standard deviation 1 (sum of four even draws).
    pub(crate) fn bell(&mut self) -> f64 {
        let sum: f64 = (0..4).map(|_| self.between(0.0, 1.0)).sum();
        // the sum of four has mean 2 and variance 4/12
        (sum - 2.0) * 3.0_f64.sqrt()
    }
}

/// A bell-shaped draw (mean 0, standard deviation 1) out of two words, for noise a pixel.
pub(crate) fn bell_of(first: u64, second: u64) -> f64 {
    let half = |word: u64| (word & 0xFFFF_FFFF) as f64 / 4_294_967_296.0;
    let sum = half(first) + half(first >> 32) + half(second) + half(second >> 32);
    (sum - 2.0) * 3.0_f64.sqrt()
}

/// `from` at 0, `to` at 1.
pub(crate) fn lerp(from: f64, to: f64, share: f64) -> f64 {
    from + (to - from) * share
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn ramp(low: f64, high: f64, value: f64) -> f64 {
    ease(((value - low) / (high - low)).clamp(0.0, 1.0))
}

/// The largest whole number that is not above `x`; a call to the C library's `floor` is slower.
pub(crate) fn floor(x: f64) -> i64 {
    let whole = x as i64;
    whole - i64::from(x < whole as f64)
}

fn ease(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

/// Sine and cosine of an angle in whole turns, by power series: the same bits everywhere.
pub(crate) fn sin_cos_turns(turns: f64) -> (f64, f64) {
    let quarter = (turns * 4.0).round();
    let angle = (turns * 4.0 - quarter) * std::f64::consts::FRAC_PI_2;
    let square = angle * angle;
    let sine = angle
        * (1.0
            - square / 6.0
                * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0 * (1.0 - square / 110.0)))));
    let cosine = 1.0
        - square / 2.0
            * (1.0
                - square / 12.0
                    * (1.0 - square / 30.0 * (1.0 - square / 56.0 * (1.0 - square / 90.0 * (1.0 - square / 132.0)))));
    match (quarter as i64).rem_euclid(4) {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_series_is_the_sine(turns in -5.0_f64..5.0) {
            let (sine, cosine) = sin_cos_turns(turns);
            let angle = turns * std::f64::consts::TAU;
            prop_assert!((sine - angle.sin()).abs() < 1e-7);
            prop_assert!((cosine - angle.cos()).abs() < 1e-7);
        }

        #[test]
        fn noise_keeps_its_range_and_has_no_steps(x in -500.0_f64..500.0, y in -500.0_f64..500.0) {
            let noise = Noise::new(7, 1);
            let here = noise.fractal(x, y, 4);
            prop_assert!((-1.0..=1.0).contains(&here));
            prop_assert!((noise.fractal(x + 1e-6, y, 4) - here).abs() < 1e-4);
        }
    }

    #[test]
    fn the_bell_has_mean_0_and_deviation_1() {
        let noise = Noise::new(3, 9);
        let draws: Vec<f64> = (0..20_000).map(|index| bell_of(noise.cell(index, 0), noise.cell(index, 1))).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.03, "variance {variance}");
    }
}
