//! From the pixels of an array to the pixels of a picture.

use ndarray::{Array2, Array3};

use super::stretch::usable_pixel;

/// Factors this near to 1 leave the pixels as they are.
const UNITY_TOLERANCE: f64 = 0.1;

/// How an array of (rows, columns) becomes a picture of (width, height).
///
/// Two-fold and larger magnifications are whole numbers and repeat pixels, so that a reader sees the
/// sensor's own pixels. Between 1 and 2 the picture is interpolated bilinearly, below 1 it is the
/// mean of the pixels under each picture pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Zoom {
    rows: usize,
    columns: usize,
    /// Picture pixels per array pixel.
    pub(crate) factor: f64,
    /// Picture width in pixels.
    pub(crate) width: u32,
    /// Picture height in pixels.
    pub(crate) height: u32,
}

impl Zoom {
    /// The largest zoom that stays within `max_width` × `max_height` picture pixels.
    pub(crate) fn fit(rows: usize, columns: usize, max_width: u32, max_height: u32) -> Self {
        let limit = (f64::from(max_width) / columns as f64).min(f64::from(max_height) / rows as f64);
        let factor = if limit >= 2.0 {
            limit.floor()
        } else if (limit - 1.0).abs() < UNITY_TOLERANCE {
            1.0
        } else {
            limit
        };
        let scaled = |length: usize| ((length as f64 * factor).round() as u32).max(1);
        Self { rows, columns, factor, width: scaled(columns), height: scaled(rows) }
    }

    /// The array pixel (row, column) under the centre of a picture pixel.
    pub(crate) fn nearest(&self, x: u32, y: u32) -> (usize, usize) {
        let index = |at: u32, length: usize| (((f64::from(at) + 0.5) / self.factor).floor() as usize).min(length - 1);
        (index(y, self.rows), index(x, self.columns))
    }

    /// The value of a picture pixel, or `None` where the ground was not observed.
    pub(crate) fn sample(&self, pixels: &Array3<f32>, observed: &Array2<bool>, x: u32, y: u32) -> Option<[f32; 3]> {
        if self.factor < 1.0 {
            return self.mean(pixels, observed, x, y);
        }
        let (row, column) = self.nearest(x, y);
        let nearest = usable_pixel(pixels, observed, row, column)?;
        if self.factor.fract() == 0.0 {
            return Some(nearest);
        }
        Some(self.bilinear(pixels, observed, x, y).unwrap_or(nearest))
    }

    /// Bilinear over the usable ones of the four neighbours.
    fn bilinear(&self, pixels: &Array3<f32>, observed: &Array2<bool>, x: u32, y: u32) -> Option<[f32; 3]> {
        let at_row = (f64::from(y) + 0.5) / self.factor - 0.5;
        let at_column = (f64::from(x) + 0.5) / self.factor - 0.5;
        let mut sum = WeightedMean::default();
        for (row, row_weight) in neighbours(at_row, self.rows) {
            for (column, column_weight) in neighbours(at_column, self.columns) {
                if let Some(pixel) = usable_pixel(pixels, observed, row, column) {
                    sum.add(pixel, row_weight * column_weight);
                }
            }
        }
        sum.mean()
    }

    /// Mean of the usable pixels under a picture pixel, where at least half of them are usable.
    fn mean(&self, pixels: &Array3<f32>, observed: &Array2<bool>, x: u32, y: u32) -> Option<[f32; 3]> {
        let span = |at: u32, length: usize| {
            let start = ((f64::from(at) / self.factor) as usize).min(length - 1);
            let end = ((f64::from(at + 1) / self.factor).ceil() as usize).clamp(start + 1, length);
            start..end
        };
        let (mut sum, mut usable, mut all) = (WeightedMean::default(), 0_usize, 0_usize);
        for row in span(y, self.rows) {
            for column in span(x, self.columns) {
                all += 1;
                if let Some(pixel) = usable_pixel(pixels, observed, row, column) {
                    usable += 1;
                    sum.add(pixel, 1.0);
                }
            }
        }
        if usable * 2 < all { None } else { sum.mean() }
    }
}

/// The two indices around a fractional position, with their weights, clamped at the edges.
fn neighbours(at: f64, length: usize) -> [(usize, f64); 2] {
    let last = (length - 1) as f64;
    let share = at - at.floor();
    [(at.floor().clamp(0.0, last) as usize, 1.0 - share), ((at.floor() + 1.0).clamp(0.0, last) as usize, share)]
}

#[derive(Default)]
struct WeightedMean {
    sum: [f64; 3],
    weight: f64,
}

impl WeightedMean {
    fn add(&mut self, pixel: [f32; 3], weight: f64) {
        for (sum, value) in self.sum.iter_mut().zip(pixel) {
            *sum += f64::from(value) * weight;
        }
        self.weight += weight;
    }

    fn mean(&self) -> Option<[f32; 3]> {
        (self.weight > 0.0).then(|| self.sum.map(|sum| (sum / self.weight) as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_whole_above_two() {
        let size = |columns| {
            let zoom = Zoom::fit(columns, columns, 400, 400);
            (zoom.factor, zoom.width)
        };
        assert_eq!(size(64), (6.0, 384));
        assert_eq!(size(128), (3.0, 384));
        assert_eq!(size(390), (1.0, 390));
        assert_eq!(size(250), (1.6, 400));
        assert_eq!(size(800), (0.5, 400));
    }

    #[test]
    fn smooth_pictures_do_not_bleed_from_unobserved_pixels() {
        let mut pixels = Array3::from_elem((3, 250, 250), 10.0);
        let mut observed = Array2::from_elem((250, 250), true);
        for row in 0..250 {
            for column in 0..125 {
                pixels.slice_mut(ndarray::s![.., row, column]).fill(9999.0);
                observed[[row, column]] = false;
            }
        }
        for side in [250, 400, 125] {
            let zoom = Zoom::fit(250, 250, side, side);
            for x in 0..side {
                let value = zoom.sample(&pixels, &observed, x, side / 2);
                let (_, column) = zoom.nearest(x, side / 2);
                assert_eq!(value, (column >= 125).then_some([10.0; 3]), "x {x} of {side}");
            }
        }
    }
}
