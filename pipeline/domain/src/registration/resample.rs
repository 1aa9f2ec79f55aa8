//! Pixels laid back onto those of another date.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, ArrayViewMut2, Zip, s};

use super::overlap;

/// A shift nearer than this to a whole pixel is one, in pixels: what is read then is exactly what was delivered.
const WHOLE_PX: f32 = 1e-3;

/// Resamples `moving` (band, row, col), whose content lies `dx_px` to the right (+x) and `dy_px` below (+y), back onto
/// the fixed date: cubic convolution with a = -1/2 (Keys 1981, the Catmull-Rom spline). It may overshoot the values
/// around it at a sharp edge by some per cent of the step.
///
/// The second array (row, col) says what is observed: where any pixel that takes part is unobserved or outside, nothing
/// is, and the value is 0. Along an axis with a whole-pixel shift only one pixel takes part, which is copied unchanged.
///
/// # Panics
/// `observed` is not of the pixels' (row, col) shape.
#[must_use]
pub fn moved(
    pixels: ArrayView3<f32>,
    observed: ArrayView2<bool>,
    dx_px: f32,
    dy_px: f32,
) -> (Array3<f32>, Array2<bool>) {
    let (bands, rows, cols) = pixels.dim();
    assert_eq!((rows, cols), observed.dim(), "pixels and what is observed of them must be of one shape");
    let (down, across) = (taps(dy_px), taps(dx_px));
    let mut known = Array2::from_elem((rows, cols), true);
    let mut half = Array2::from_elem((rows, cols), true);
    for tap in &across {
        and(&mut half, observed, 0, tap.offset);
    }
    for tap in &down {
        and(&mut known, half.view(), tap.offset, 0);
    }
    let mut out = Array3::zeros((bands, rows, cols));
    let mut half = Array2::zeros((rows, cols));
    for (band, mut out) in pixels.outer_iter().zip(out.outer_iter_mut()) {
        half.fill(0.0);
        for tap in &across {
            add(half.view_mut(), band, 0, tap.offset, tap.weight);
        }
        for tap in &down {
            add(out.view_mut(), half.view(), tap.offset, 0, tap.weight);
        }
        // what is unobserved may be anything, NaN too
        Zip::from(&mut out).and(&known).for_each(|value, &known| {
            if !known {
                *value = 0.0;
            }
        });
    }
    (out, known)
}

/// A pixel that takes part, by its place along one axis, and its weight.
struct Tap {
    offset: i32,
    weight: f32,
}

/// The pixels that take part along one axis for a shift in pixels: one, or four of cubic convolution.
fn taps(shift: f32) -> Vec<Tap> {
    let whole = shift.round();
    if (shift - whole).abs() < WHOLE_PX {
        return vec![Tap { offset: whole as i32, weight: 1.0 }];
    }
    let (first, t) = (shift.floor() as i32 - 1, shift - shift.floor());
    let weights = [
        -0.5 * t + t * t - 0.5 * t * t * t,
        1.0 - 2.5 * t * t + 1.5 * t * t * t,
        0.5 * t + 2.0 * t * t - 1.5 * t * t * t,
        -0.5 * t * t + 0.5 * t * t * t,
    ];
    (first..).zip(weights).map(|(offset, weight)| Tap { offset, weight }).collect()
}

/// Adds `weight` times what lies (`down`, `right`) pixels farther, where there is anything.
fn add(mut out: ArrayViewMut2<f32>, from: ArrayView2<f32>, down: i32, right: i32, weight: f32) {
    let ((from_rows, to_rows), (from_cols, to_cols)) = (overlap(out.nrows(), down), overlap(out.ncols(), right));
    let from = from.slice_move(s![from_rows, from_cols]);
    Zip::from(out.slice_mut(s![to_rows, to_cols])).and(from).for_each(|out, &value| *out += weight * value);
}

/// Keeps what is also set (`down`, `right`) pixels farther; nothing is outside.
fn and(out: &mut Array2<bool>, mask: ArrayView2<bool>, down: i32, right: i32) {
    let ((from_rows, to_rows), (from_cols, to_cols)) = (overlap(out.nrows(), down), overlap(out.ncols(), right));
    let mut farther = Array2::from_elem(mask.dim(), false);
    farther.slice_mut(s![to_rows, to_cols]).assign(&mask.slice(s![from_rows, from_cols]));
    Zip::from(out).and(&farther).for_each(|out, &farther| *out &= farther);
}
