//! The natural logarithm of many numbers at once.

/// Where the significand is cut: √½, so that it lies around 1.
const ROOT_OF_HALF: u32 = 0x3f35_04f3;
const SIGNIFICAND_BITS: u32 = 23;

/// Natural logarithm of a positive number, to two units in the last place; NaN of NaN. Without a branch or a call, so that the
/// compiler makes vector code of a loop of it, and to the same last bit on every machine (no fused steps).
///
/// Cephes, `logf` (Moshier 1992): the number is m · 2ⁿ with m between √½ and √2, and ln m is a polynomial of m − 1.
#[inline(always)]
pub(crate) fn ln(value: f32) -> f32 {
    const POLYNOMIAL: [f32; 8] = [
        -0.115_146_1,
        0.116_769_984,
        -0.124_201_41,
        0.142_493_23,
        -0.166_680_57,
        0.200_007_14,
        -0.249_999_94,
        0.333_333_3,
    ];
    // ln 2 in two parts, of which the first has few digits
    const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];
    let bits = value.to_bits();
    let exponent = bits.wrapping_sub(ROOT_OF_HALF).cast_signed() >> SIGNIFICAND_BITS;
    let beyond = f32::from_bits(bits.wrapping_sub((exponent << SIGNIFICAND_BITS).cast_unsigned())) - 1.0;
    let exponent = exponent as f32;
    let mut sum = 0.070_376_836;
    for factor in POLYNOMIAL {
        sum = sum * beyond + factor;
    }
    let square = beyond * beyond;
    let small = sum * beyond * square + exponent * LN_2[1] - 0.5 * square;
    let found = beyond + small + exponent * LN_2[0];
    if value.is_nan() { value } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_that_of_the_library(exponent in -40.0_f32..88.0) {
            let value = exponent.exp();
            let (found, exact) = (ln(value), f64::from(value).ln());
            prop_assert!((f64::from(found) - exact).abs() <= 2.5e-7 * exact.abs().max(0.5), "{value}: {found}, not {exact}");
        }
    }

    #[test]
    fn what_is_unobserved_stays_so() {
        assert!(ln(f32::NAN).is_nan());
        assert_eq!(ln(1.0), 0.0);
    }
}
