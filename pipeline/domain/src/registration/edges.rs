//! Edges without brightness: what is matched between two dates.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis, Zip};
use rustfft::num_complex::Complex32;

/// Weights of the smoothing before the gradient is taken: the binomial of order 4, of variance 1 px².
const SMOOTHING: [f32; 5] = [1.0 / 16.0, 4.0 / 16.0, 6.0 / 16.0, 4.0 / 16.0, 1.0 / 16.0];

/// How far a gradient looks: two pixels of smoothing and one of differences.
pub(super) const SUPPORT_PX: usize = 3;

/// Mean gradient, in parts of the largest absolute value, below which a band holds no texture but rounding.
const FLAT: f32 = 1e-6;

/// The edges of one date.
pub(super) struct Edges {
    /// Edge at each pixel (row, col) as a complex number; mean 0 over `seen`, 0 elsewhere.
    pub(super) field: Array2<Complex32>,
    /// Where everything that a gradient looks at was observed (row, col).
    pub(super) seen: Array2<bool>,
    /// Pixels that are seen.
    pub(super) seen_px: usize,
}

/// The edges of `pixels` (band, row, col): over all bands, the sum of `g² / (|g|² + s²)`, where `g = gx + i·gy` is the
/// gradient of the smoothed band and `s` its root mean square over the tile. None where no band has any texture.
///
/// The square doubles the angle, so that an edge is the same whichever of its sides is the brighter one (as in the
/// structure tensor; Bigün & Granlund 1987): covers that change their brightness from season to season do not cancel,
/// nor do bands of opposite contrast. The quotient bounds what one strong edge can say, as in orientation correlation
/// (Fitch et al. 2002), without raising the noise of flat ground; and it takes the unit out of each band.
pub(super) fn edges(pixels: ArrayView3<f32>, observed: ArrayView2<bool>) -> Option<Edges> {
    let seen = eroded(observed, SUPPORT_PX);
    let seen_px = seen.iter().filter(|&&seen| seen).count();
    if seen_px == 0 {
        return None;
    }
    let mut field = Array2::<Complex32>::zeros(seen.dim());
    let mut textured = false;
    for band in pixels.axis_iter(Axis(0)) {
        let largest = Zip::from(band)
            .and(observed)
            .fold(0.0_f32, |largest, &value, &observed| if observed { largest.max(value.abs()) } else { largest });
        let gradient = gradient(smoothed(band, observed).view(), seen.view());
        let mean_square = gradient.iter().map(|g| f64::from(g.norm_sqr())).sum::<f64>() / seen_px as f64;
        let mean_square = mean_square as f32;
        if mean_square <= (FLAT * largest).powi(2) {
            continue;
        }
        textured = true;
        Zip::from(&mut field).and(&gradient).for_each(|edge, &g| *edge += g * g / (g.norm_sqr() + mean_square));
    }
    if !textured {
        return None;
    }
    let mean = field.iter().sum::<Complex32>() / seen_px as f32;
    Zip::from(&mut field).and(&seen).for_each(|edge, &seen| {
        if seen {
            *edge -= mean;
        }
    });
    Some(Edges { field, seen, seen_px })
}

/// Where all of the square of `radius` px around is set; nothing is outside.
pub(super) fn eroded(mask: ArrayView2<bool>, radius: usize) -> Array2<bool> {
    let along_rows = |mask: ArrayView2<bool>| {
        let mut out = Array2::from_elem(mask.dim(), false);
        for (line, mut out) in mask.outer_iter().zip(out.outer_iter_mut()) {
            let mut run = 0;
            for (place, &set) in line.iter().enumerate() {
                run = if set { run + 1 } else { 0 };
                if run > 2 * radius {
                    out[place - radius] = true;
                }
            }
        }
        out
    };
    let rows = along_rows(mask);
    along_rows(rows.t()).reversed_axes()
}

/// `band` (row, col) smoothed; meaningful where all that the kernel meets is observed, 0 on the outer two pixels.
fn smoothed(band: ArrayView2<f32>, observed: ArrayView2<bool>) -> Array2<f32> {
    let (rows, cols) = band.dim();
    let mut known = Array2::zeros((rows, cols));
    // what is unobserved may be anything, NaN too
    Zip::from(&mut known).and(band).and(observed).for_each(|known, &value, &observed| {
        *known = if observed { value } else { 0.0 };
    });
    let mut down = Array2::zeros((rows, cols));
    let mut out = Array2::zeros((rows, cols));
    let (Some(known), Some(down)) = (known.as_slice(), down.as_slice_mut()) else { return out };
    let Some(smooth) = out.as_slice_mut() else { return out };
    let [a, b, c, ..] = SMOOTHING;
    if rows > 4 && cols > 4 {
        let five = |values: [f32; 5]| c * values[2] + b * (values[1] + values[3]) + a * (values[0] + values[4]);
        for (at, value) in (2 * cols..(rows - 2) * cols).zip(&mut down[2 * cols..]) {
            *value = five([known[at - 2 * cols], known[at - cols], known[at], known[at + cols], known[at + 2 * cols]]);
        }
        for row in 2..rows - 2 {
            let line = &down[row * cols..(row + 1) * cols];
            for (value, near) in smooth[row * cols + 2..].iter_mut().zip(line.windows(5)) {
                *value = five([near[0], near[1], near[2], near[3], near[4]]);
            }
        }
    }
    out
}

/// `gx + i·gy` in value per two pixels, from central differences, where `seen`; 0 elsewhere.
fn gradient(band: ArrayView2<f32>, seen: ArrayView2<bool>) -> Array2<Complex32> {
    let (rows, cols) = band.dim();
    let mut out = Array2::zeros((rows, cols));
    for row in 1..rows.saturating_sub(1) {
        let (above, here, below) = (band.row(row - 1), band.row(row), band.row(row + 1));
        let seen = seen.row(row);
        let mut out = out.row_mut(row);
        for col in 1..cols.saturating_sub(1) {
            if seen[col] {
                out[col] = Complex32::new(here[col + 1] - here[col - 1], below[col] - above[col]);
            }
        }
    }
    out
}
