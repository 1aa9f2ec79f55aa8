//! The contrast stretch: one linear map per band from pixel values to the brightness of the picture.

use ndarray::{Array2, Array3};

/// Percentile of the observed values that is drawn as darkest.
pub const LOW_PERCENTILE: f64 = 2.0;
/// Percentile of the observed values that is drawn as brightest.
pub const HIGH_PERCENTILE: f64 = 98.0;

/// A linear stretch per band: `low` becomes 0, `high` becomes 255, values outside are clipped.
///
/// The limits are the 2nd and 98th percentiles (linear interpolation between ranks) of the values
/// of *all* pictures that share the stretch, over pixels that were observed and finite in all three
/// bands. Equal values therefore have equal colours in every picture of the stretch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Value drawn as 0, per band.
    pub low: [f32; 3],
    /// Value drawn as 255, per band.
    pub high: [f32; 3],
}

impl Stretch {
    /// The joint stretch of several pictures, each pixels (3, row, column) with their observed mask
    /// (row, column). Without any usable pixel the limits are 0 and 1.
    ///
    /// In natural colour the widest band's span serves all three (each above its own low limit, which takes the haze
    /// away): stretched one by one, leaves would turn blue wherever there is no other blue.
    pub(crate) fn joint(pictures: &[(&Array3<f32>, &Array2<bool>)], natural_colour: bool) -> Self {
        let mut stretch = Self { low: [0.0; 3], high: [1.0; 3] };
        let mut values: [Vec<f32>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        for (pixels, observed) in pictures {
            for ((row, column), _) in observed.indexed_iter() {
                if let Some(pixel) = usable_pixel(pixels, observed, row, column) {
                    for (band, value) in pixel.into_iter().enumerate() {
                        values[band].push(value);
                    }
                }
            }
        }
        for (band, values) in values.iter_mut().enumerate() {
            if !values.is_empty() {
                values.sort_unstable_by(f32::total_cmp);
                stretch.low[band] = percentile(values, LOW_PERCENTILE);
                stretch.high[band] = percentile(values, HIGH_PERCENTILE);
            }
        }
        if natural_colour {
            let span = (0..3).map(|band| stretch.high[band] - stretch.low[band]).fold(0.0, f32::max);
            stretch.high = stretch.low.map(|low| low + span);
        }
        stretch
    }

    /// The colour of a pixel. A band without contrast (`low` = `high`) is drawn in mid-grey.
    pub(crate) fn colour(&self, pixel: [f32; 3]) -> [u8; 3] {
        let mut colour = [0; 3];
        for band in 0..3 {
            let (low, high, value) = (self.low[band], self.high[band], pixel[band]);
            let share = if high > low {
                ((value - low) / (high - low)).clamp(0.0, 1.0)
            } else if value < low {
                0.0
            } else if value > high {
                1.0
            } else {
                0.5
            };
            colour[band] = (share * 255.0).round() as u8;
        }
        colour
    }
}

/// The three values of a pixel that was observed and is finite in every band.
pub(crate) fn usable_pixel(
    pixels: &Array3<f32>,
    observed: &Array2<bool>,
    row: usize,
    column: usize,
) -> Option<[f32; 3]> {
    let pixel = [0, 1, 2].map(|band| pixels[[band, row, column]]);
    (observed[[row, column]] && pixel.iter().all(|value| value.is_finite())).then_some(pixel)
}

/// The percentile of sorted, non-empty values, linear between the two nearest ranks.
fn percentile(sorted: &[f32], percent: f64) -> f32 {
    let rank = percent / 100.0 * (sorted.len() - 1) as f64;
    let (below, above) = (rank.floor() as usize, rank.ceil() as usize);
    let (low, high) = (f64::from(sorted[below]), f64::from(sorted[above]));
    (low + (high - low) * (rank - rank.floor())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_from_both_pictures_and_ignore_what_was_not_observed() {
        let ramp = Array3::from_shape_fn((3, 1, 101), |(_, _, column)| column as f32);
        let brighter = &ramp + 100.0;
        let mut observed = Array2::from_elem((1, 101), true);
        let stretch = Stretch::joint(&[(&ramp, &observed), (&brighter, &observed)], false);
        assert!(stretch.low[0] > 3.0 && stretch.low[0] < 5.0, "{stretch:?}");
        assert!(stretch.high[2] > 195.0 && stretch.high[2] < 197.0);

        observed.fill(false);
        observed[[0, 50]] = true;
        let stretch = Stretch::joint(&[(&ramp, &observed)], false);
        assert_eq!(stretch.low, [50.0; 3]);
        assert_eq!(stretch.colour([50.0; 3]), [128; 3]);
        assert_eq!(stretch.colour([49.0, 50.0, 51.0]), [0, 128, 255]);
    }

    #[test]
    fn nan_is_not_a_value() {
        let mut pixels = Array3::from_elem((3, 1, 2), 7.0);
        pixels[[1, 0, 1]] = f32::NAN;
        let observed = Array2::from_elem((1, 2), true);
        assert_eq!(usable_pixel(&pixels, &observed, 0, 0), Some([7.0; 3]));
        assert_eq!(usable_pixel(&pixels, &observed, 0, 1), None);
    }
}
