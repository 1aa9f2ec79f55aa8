//! Logits to probabilities, a run of pixels at a time: written so that the compiler turns every loop into vector code,
//! since libm's `exp` alone would cost a twentieth of a small network.

/// Pixels that are worked on together: few enough for the first-level cache with a dozen classes.
pub(crate) const RUN_PX: usize = 256;

/// Adding this to a number in 0..255 rounds it (half to even) into the lowest byte of the sum's bits.
const ROUND_TO_BYTE: f32 = (1 << 23) as f32;

/// Softmax over the classes of up to [`RUN_PX`] pixels.
pub(crate) struct Softmax {
    inverse_temperature: f32,
    /// (class, col), [`RUN_PX`] columns a class.
    probabilities: Vec<[f32; RUN_PX]>,
}

/// One of the logits is NaN or infinite.
pub(crate) struct NotFinite;

impl Softmax {
    pub(crate) fn new(classes: usize, temperature: f64) -> Self {
        Self { inverse_temperature: (1.0 / temperature) as f32, probabilities: vec![[0.0; RUN_PX]; classes] }
    }

    /// `softmax(logits / temperature)` of a run of pixels; `logits(class)` gives that class's values, all of one length
    /// of at most [`RUN_PX`]. The answer is (class, col); columns beyond the run hold nothing of meaning.
    pub(crate) fn run<'a>(&mut self, logits: impl Fn(usize) -> &'a [f32]) -> Result<&[[f32; RUN_PX]], NotFinite> {
        let mut largest = [f32::NEG_INFINITY; RUN_PX];
        // NaN as soon as any logit is NaN or infinite
        let mut poison = [0.0; RUN_PX];
        for (class, row) in self.probabilities.iter_mut().enumerate() {
            let values = logits(class);
            row[..values.len()].copy_from_slice(values);
            row[values.len()..].fill(0.0);
            for ((largest, poison), value) in largest.iter_mut().zip(&mut poison).zip(row.iter()) {
                *largest = if *value > *largest { *value } else { *largest };
                *poison += value * 0.0;
            }
        }
        // no early exit, so that this is vector code as well
        if poison.iter().fold(0, |bad, poison| bad | u32::from(poison.is_nan())) != 0 {
            return Err(NotFinite);
        }
        let mut sum = [0.0; RUN_PX];
        for row in &mut self.probabilities {
            for ((value, largest), sum) in row.iter_mut().zip(&largest).zip(&mut sum) {
                *value = exp_of_negative((*value - largest) * self.inverse_temperature);
                *sum += *value;
            }
        }
        for sum in &mut sum {
            *sum = 1.0 / *sum;
        }
        for row in &mut self.probabilities {
            for (value, share) in row.iter_mut().zip(&sum) {
                *value *= share;
            }
        }
        Ok(&self.probabilities)
    }
}

/// `exp(x)` for x ≤ 0, relative error below 3·10⁻⁷ down to −87, and e⁻⁸⁷ below that.
///
/// The usual reduction: `exp(x) = 2ⁿ · exp(r)` with n = round(x / ln 2), and a polynomial for |r| ≤ ln 2 / 2 (degree 6
/// of the Taylor series; Cephes `expf` has the same shape).
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    /// 1.5 · 2²³: adding it rounds to an integer that then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts, so that n · ln 2 is exact enough
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
    let exp_r = 1.0 + r + r * r * (0.5 + r * tail);
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    exp_r * f32::from_bits(exponent)
}

/// `probability × 255` rounded, 0 where unobserved, of pixels side by side; all three have one length.
#[inline(always)]
pub(crate) fn quantise(probabilities: &[f32], observed: &[bool], out: &mut [u8]) {
    for ((out, probability), observed) in out.iter_mut().zip(probabilities).zip(observed) {
        let value = (probability * 255.0 + ROUND_TO_BYTE).to_bits() as u8;
        *out = value & u8::from(*observed).wrapping_neg();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn exp_is_close_to_the_true_one() {
        for step in 0..=870_000_u32 {
            let x = -(step as f32) * 1e-4;
            let truth = f64::from(x).exp();
            let error = (f64::from(exp_of_negative(x)) - truth).abs() / truth;
            assert!(error < 3e-7, "exp({x}): relative error {error:e}");
        }
        assert!(exp_of_negative(-1e30) < 1e-37);
    }

    #[test]
    fn every_byte_is_reached_and_halves_go_to_even() {
        let probabilities: Vec<f32> = (0..=255_u16).map(|value| f32::from(value) / 255.0).collect();
        let mut out = vec![0; 256];
        quantise(&probabilities, &[true; 256], &mut out);
        assert_eq!(out, (0..=255).collect::<Vec<u8>>());
        quantise(&probabilities, &[false; 256], &mut out);
        assert_eq!(out, [0; 256]);
    }

    #[test]
    fn one_nan_or_infinite_logit_is_noticed() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let planes = [[0.0, bad, 0.0], [1.0, 2.0, 3.0]];
            assert!(Softmax::new(2, 1.0).run(|class| &planes[class]).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn probabilities_are_the_softmax(
            logits in prop::collection::vec(prop::collection::vec(-30_f32..30.0, 5), 2..9), temperature in 0.2_f64..5.0,
        ) {
            let mut softmax = Softmax::new(logits.len(), temperature);
            let got = softmax.run(|class| &logits[class]).ok().expect("finite logits");
            for pixel in 0..5 {
                let exponentials: Vec<f64> =
                    logits.iter().map(|row| (f64::from(row[pixel]) / temperature).exp()).collect();
                let sum: f64 = exponentials.iter().sum();
                for (row, exponential) in got.iter().zip(&exponentials) {
                    prop_assert!((f64::from(row[pixel]) - exponential / sum).abs() < 2e-5);
                }
            }
        }
    }
}
