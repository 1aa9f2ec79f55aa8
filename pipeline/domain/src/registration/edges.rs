//! Edges without brightness: what is matched between two dates.

use ndarray::{Array2, ArrayView2, ArrayView3, Axis, Zip};
use rustfft::num_complex::Complex32;

use crate::lanes::{LANES, vectorised};

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
    let seen = seen.as_standard_layout().into_owned();
    let mut field = Array2::<Complex32>::zeros(seen.dim());
    let mut gradient = Gradient::new(seen.dim());
    let mut textured = false;
    for band in pixels.axis_iter(Axis(0)) {
        let known = Known::of(band, observed);
        let mean_square = (gradient.take(&known.values, &seen) / seen_px as f64) as f32;
        if mean_square <= (FLAT * known.largest).powi(2) {
            continue;
        }
        textured = true;
        gradient.add_to(&mut field, mean_square);
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

/// One band (row, col): what was observed, 0 elsewhere, where anything may stand, NaN too.
struct Known {
    values: Array2<f32>,
    /// The largest absolute value.
    largest: f32,
}

impl Known {
    fn of(band: ArrayView2<f32>, observed: ArrayView2<bool>) -> Self {
        let (band, observed) = (band.as_standard_layout(), observed.as_standard_layout());
        let mut values = Array2::zeros(band.dim());
        let mut largest = [0.0_f32; LANES];
        let (from, observed) = (band.as_slice().unwrap_or_default(), observed.as_slice().unwrap_or_default());
        vectorised(
            #[inline(always)]
            || {
                let to = values.as_slice_mut().unwrap_or_default();
                for ((to, &value), &observed) in to.iter_mut().zip(from).zip(observed) {
                    *to = if observed { value } else { 0.0 };
                }
                for values in to.chunks(LANES) {
                    for (largest, value) in largest.iter_mut().zip(values) {
                        *largest = largest.max(value.abs());
                    }
                }
            },
        );
        Self { values, largest: largest.into_iter().fold(0.0, f32::max) }
    }
}

/// The gradient of one smoothed band, in value per two pixels (row, col): both parts by themselves, which the compiler turns into
/// vector code.
struct Gradient {
    x: Array2<f32>,
    y: Array2<f32>,
    /// The band smoothed along both axes; 0 on the outer two pixels.
    smoothed: Array2<f32>,
}

impl Gradient {
    fn new(shape: (usize, usize)) -> Self {
        let [x, y, smoothed] = [(); 3].map(|()| Array2::zeros(shape));
        Self { x, y, smoothed }
    }

    /// Takes the gradient of a band by central differences, where `seen`; 0 elsewhere. Returns the sum of its squared lengths.
    fn take(&mut self, band: &Array2<f32>, seen: &Array2<bool>) -> f64 {
        let (rows, cols) = band.dim();
        if rows <= 4 || cols <= 4 {
            return 0.0;
        }
        let Self { x, y, smoothed } = self;
        let (Some(x), Some(y), Some(smooth)) = (x.as_slice_mut(), y.as_slice_mut(), smoothed.as_slice_mut()) else {
            return 0.0;
        };
        let (band, seen) = (band.as_slice().unwrap_or_default(), seen.as_slice().unwrap_or_default());
        let line = |row: usize| row * cols..(row + 1) * cols;
        let [a, b, c, ..] = SMOOTHING;
        let mut down = vec![0.0_f32; cols];
        let mut squares = [0.0_f64; LANES];
        vectorised(
            #[inline(always)]
            || {
                for row in 2..rows - 2 {
                    let [above2, above, here, below, below2] =
                        [row - 2, row - 1, row, row + 1, row + 2].map(|near| &band[line(near)]);
                    for (col, value) in down.iter_mut().enumerate() {
                        *value = c * here[col] + b * (above[col] + below[col]) + a * (above2[col] + below2[col]);
                    }
                    let inner = cols - 4;
                    let near: [&[f32]; 5] = std::array::from_fn(|first| &down[first..first + inner]);
                    for (col, value) in smooth[line(row)][2..cols - 2].iter_mut().enumerate() {
                        *value =
                            c * near[2][col] + b * (near[1][col] + near[3][col]) + a * (near[0][col] + near[4][col]);
                    }
                }
                for row in 1..rows - 1 {
                    let inner = cols - 2;
                    let [above, here, below] = [row - 1, row, row + 1].map(|near| &smooth[line(near)]);
                    let (left, right) = (&here[..inner], &here[2..]);
                    let (above, below) = (&above[1..=inner], &below[1..=inner]);
                    let seen = &seen[line(row)][1..=inner];
                    let (x, y) = (&mut x[line(row)][1..=inner], &mut y[line(row)][1..=inner]);
                    for col in 0..inner {
                        x[col] = if seen[col] { right[col] - left[col] } else { 0.0 };
                        y[col] = if seen[col] { below[col] - above[col] } else { 0.0 };
                    }
                    for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
                        for ((sum, x), y) in squares.iter_mut().zip(x).zip(y) {
                            *sum += f64::from(x * x + y * y);
                        }
                    }
                }
            },
        );
        squares.into_iter().sum()
    }

    /// Adds what it says of edges, bounded by `mean_square` of its length.
    fn add_to(&self, field: &mut Array2<Complex32>, mean_square: f32) {
        let (Some(x), Some(y), Some(field)) = (self.x.as_slice(), self.y.as_slice(), field.as_slice_mut()) else {
            return;
        };
        vectorised(
            #[inline(always)]
            || {
                for ((edge, &x), &y) in field.iter_mut().zip(x).zip(y) {
                    let bound = (x * x + y * y) + mean_square;
                    edge.re += (x * x - y * y) / bound;
                    edge.im += (x * y + y * x) / bound;
                }
            },
        );
    }
}
