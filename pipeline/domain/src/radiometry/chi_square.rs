//! The chi-square distribution, as far as the weights of [`super::mad`] need it.

/// Beyond this half of the statistic the survival probability is below 1e-250 at any number of bands that a sensor has.
const LARGEST_HALF: f64 = 700.0;

/// Probability that a chi-square variable of `degrees` degrees of freedom exceeds `statistic`: 1 at 0, falling to 0.
/// Absolute error below 2e-7. NaN for NaN, and for 0 degrees of freedom 1.
///
/// Closed forms by recurrence over the degrees (Abramowitz & Stegun 1964, 26.4.4–26.4.5); the complementary error
/// function of the odd ones by the rational Chebyshev fit of Numerical Recipes (`erfcc`).
#[must_use]
pub fn survival(statistic: f64, degrees: usize) -> f64 {
    let half = 0.5 * statistic.max(0.0);
    if statistic.is_nan() {
        return f64::NAN;
    }
    if degrees == 0 {
        return 1.0;
    }
    if half > LARGEST_HALF {
        return 0.0;
    }
    // both forms are exp(-half) × (start + sum of terms); the first term and its order depend on the parity
    let (mut sum, mut term, first_order) = if degrees.is_multiple_of(2) {
        (1.0, half, 1.0)
    } else {
        (scaled_complementary_error(half.sqrt()), half.sqrt() * std::f64::consts::FRAC_2_SQRT_PI, 0.5)
    };
    for step in 0..(degrees - 1) / 2 {
        sum += term;
        term *= half / (first_order + step as f64 + 1.0);
    }
    ((-half).exp() * sum).clamp(0.0, 1.0)
}

/// `exp(x²) × erfc(x)` for `x` ≥ 0.
fn scaled_complementary_error(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    t * COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient).exp()
}

/// Mean of a chi-square variable under weights equal to its own survival probability, over its unweighted mean.
///
/// It is `E[min(U, V)] / degrees` of two independent variables, which is 1 minus the Gini coefficient of the
/// distribution: 2/π, 1/2, … for 1, 2, … degrees of freedom.
#[must_use]
pub fn weighted_mean_ratio(degrees: usize) -> f64 {
    let (mut gini, first) = if degrees.is_multiple_of(2) { (0.5, 1.0) } else { (std::f64::consts::FRAC_2_PI, 0.5) };
    for step in 0..degrees.saturating_sub(1) / 2 {
        let order = first + step as f64;
        gini *= (order + 0.5) / (order + 1.0);
    }
    1.0 - gini
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survival_agrees_with_the_tables() {
        // upper 5 % and 1 % points, and the medians
        for (degrees, statistic, expected) in [
            (1, 3.841_459, 0.05),
            (2, 5.991_465, 0.05),
            (3, 7.814_728, 0.05),
            (4, 13.276_704, 0.01),
            (5, 11.070_498, 0.05),
            (6, 5.348_121, 0.5),
            (7, 18.475_307, 0.01),
            (10, 9.341_818, 0.5),
            (13, 22.362_032, 0.05),
        ] {
            let probability = survival(statistic, degrees);
            assert!((probability - expected).abs() < 1e-6, "{degrees} degrees: {probability}, expected {expected}");
        }
    }

    #[test]
    fn survival_falls_from_one_to_zero_and_is_never_out_of_range() {
        for degrees in 1..=16 {
            let values: Vec<f64> = (0..4000).map(|i| survival(f64::from(i) * 0.05, degrees)).collect();
            assert!((values[0] - 1.0).abs() < 2e-7, "{degrees}: {}", values[0]);
            assert!(values.windows(2).all(|pair| pair[1] <= pair[0] + 2e-7), "{degrees}");
            assert_eq!(survival(f64::MAX, degrees), 0.0);
            assert_eq!(survival(f64::INFINITY, degrees), 0.0);
        }
        assert!(survival(f64::NAN, 3).is_nan());
    }

    #[test]
    fn weighted_mean_ratio_is_the_integral_that_it_stands_for() {
        for degrees in 1..=13 {
            // density by differences of the survival function, on a grid fine enough for 1 degree of freedom
            let (mut weighted, mut weights) = (0.0, 0.0);
            let at = |i: u32| (f64::from(i) * 1e-3).powi(2);
            for i in 0..9000 {
                let (low, high) = (survival(at(i), degrees), survival(at(i + 1), degrees));
                let weight = 0.5 * (low + high) * (low - high);
                weighted += weight * 0.5 * (at(i) + at(i + 1));
                weights += weight;
            }
            let ratio = weighted / weights / degrees as f64;
            assert!((ratio - weighted_mean_ratio(degrees)).abs() < 1e-3, "{degrees}: {ratio}");
        }
    }
}
