//! Logits to probabilities, a run of pixels at a time: written so that the compiler turns every loop into vector code, for the
//! processor at hand ([`vectorised`]), since libm's `exp` alone would cost a twentieth of a small network. The numbers are the same on every processor: nothing is contracted or reordered.

use shorewatch_domain::lanes::vectorised;

use crate::manifest::Head;

/// Pixels that are worked on together: few enough for the first-level cache with a dozen classes.
pub(crate) const RUN_PX: usize = 256;

/// Adding this to a number in 0..255 rounds it (half to even) into the lowest byte of the sum's bits.
const ROUND_TO_BYTE: f32 = (1 << 23) as f32;

/// How the logits of one head become probabilities: `softmax(logits / temperature + bias)` over its classes.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Calibration {
    pub(crate) inverse_temperature: f32,
    pub(crate) bias: Vec<f32>,
}

impl From<&Head> for Calibration {
    fn from(head: &Head) -> Self {
        Self {
            inverse_temperature: (1.0 / head.temperature) as f32,
            bias: head.bias.iter().map(|&bias| bias as f32).collect(),
        }
    }
}

/// Softmax over the classes of each head, of up to [`RUN_PX`] pixels.
pub(crate) struct Softmax {
    heads: Vec<Calibration>,
    /// (class, col), [`RUN_PX`] columns a class.
    probabilities: Vec<[f32; RUN_PX]>,
}

/// One of the logits is NaN or infinite.
pub(crate) struct NotFinite;

impl Softmax {
    /// For channels that are the classes of `heads`, one head after the other.
    pub(crate) fn new(heads: &[Calibration]) -> Self {
        let classes = heads.iter().map(|head| head.bias.len()).sum();
        Self { heads: heads.to_vec(), probabilities: vec![[0.0; RUN_PX]; classes] }
    }

    /// The probabilities of a run of pixels; `logits(class)` gives that class's values, all of one length of at most
    /// [`RUN_PX`]. The answer is (class, col); columns beyond the run hold nothing of meaning.
    pub(crate) fn run<'a>(&mut self, logits: impl Fn(usize) -> &'a [f32]) -> Result<&[[f32; RUN_PX]], NotFinite> {
        vectorised(
            #[inline(always)]
            || self.fill(&logits),
        )?;
        Ok(&self.probabilities)
    }

    /// Fills `probabilities`.
    #[inline(always)]
    fn fill<'a>(&mut self, logits: &impl Fn(usize) -> &'a [f32]) -> Result<(), NotFinite> {
        // NaN as soon as any logit is NaN or infinite
        let mut poison = [0.0; RUN_PX];
        let mut first = 0;
        for head in &self.heads {
            let rows = &mut self.probabilities[first..first + head.bias.len()];
            let mut largest = [f32::NEG_INFINITY; RUN_PX];
            for ((class, row), bias) in (first..).zip(rows.iter_mut()).zip(&head.bias) {
                let values = logits(class);
                row[..values.len()].copy_from_slice(values);
                row[values.len()..].fill(0.0);
                for ((largest, poison), value) in largest.iter_mut().zip(&mut poison).zip(row.iter_mut()) {
                    *poison += *value * 0.0;
                    *value = *value * head.inverse_temperature + bias;
                    *largest = if *value > *largest { *value } else { *largest };
                }
            }
            normalise(rows, &largest);
            first += head.bias.len();
        }
        // no early exit, so that this is vector code as well
        if poison.iter().fold(0, |bad, poison| bad | u32::from(poison.is_nan())) != 0 {
            return Err(NotFinite);
        }
        Ok(())
    }
}

/// `exp(value − largest)` of every row, divided by their sum over the rows.
#[inline(always)]
fn normalise(rows: &mut [[f32; RUN_PX]], largest: &[f32; RUN_PX]) {
    let mut sum = [0.0; RUN_PX];
    for row in rows.iter_mut() {
        for ((value, largest), sum) in row.iter_mut().zip(largest).zip(&mut sum) {
            *value = exp_of_negative(*value - largest);
            *sum += *value;
        }
    }
    for sum in &mut sum {
        *sum = 1.0 / *sum;
    }
    for row in rows {
        for (value, share) in row.iter_mut().zip(&sum) {
            *value *= share;
        }
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
pub(crate) fn quantise(probabilities: &[f32], observed: &[bool], out: &mut [u8]) {
    vectorised(
        #[inline(always)]
        || {
            for ((out, probability), observed) in out.iter_mut().zip(probabilities).zip(observed) {
                let value = (probability * 255.0 + ROUND_TO_BYTE).to_bits() as u8;
                *out = value & u8::from(*observed).wrapping_neg();
            }
        },
    );
}

/// Copies scores, 0 where unobserved; all three have one length.
pub(crate) fn keep_observed(scores: &[u8], observed: &[bool], out: &mut [u8]) {
    for ((out, score), observed) in out.iter_mut().zip(scores).zip(observed) {
        *out = score & u8::from(*observed).wrapping_neg();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(temperature: f64, bias: &[f64]) -> Calibration {
        Calibration::from(&Head { name: "head".to_owned(), temperature, bias: bias.to_vec() })
    }

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
            assert!(Softmax::new(&[head(1.0, &[0.0; 2])]).run(|class| &planes[class]).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn probabilities_are_the_softmax_of_each_head(
            logits in prop::collection::vec(prop::collection::vec(-30_f32..30.0, 5), 4..9),
            temperatures in prop::array::uniform2(0.2_f64..5.0), bias in prop::collection::vec(-3.0_f64..3.0, 9),
        ) {
            // the first two classes are one head, the others another
            let heads = [(0..2, temperatures[0]), (2..logits.len(), temperatures[1])];
            let calibrations =
                heads.clone().map(|(classes, temperature)| head(temperature, &bias[classes]));
            let mut softmax = Softmax::new(&calibrations);
            let got = softmax.run(|class| &logits[class]).ok().expect("finite logits");
            for (classes, temperature) in heads {
                for pixel in 0..5 {
                    let exponential =
                        |class: usize| (f64::from(logits[class][pixel]) / temperature + bias[class]).exp();
                    let sum: f64 = classes.clone().map(exponential).sum();
                    for class in classes.clone() {
                        prop_assert!((f64::from(got[class][pixel]) - exponential(class) / sum).abs() < 2e-5);
                    }
                }
            }
        }
    }
}
