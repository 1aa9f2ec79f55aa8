//! Pixels laid back onto those of another date.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3};

use super::overlap;
use crate::lanes::{counted, vectorised};

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
    let (pixels, observed) = (pixels.as_standard_layout(), observed.as_standard_layout());
    // written once and in order: to clear such an array first, or to add to what stands in it, takes longer than the sums
    let (mut known, mut out) = (Vec::with_capacity(rows * cols), Vec::with_capacity(bands * rows * cols));
    vectorised(
        #[inline(always)]
        || {
            let seen = lines(observed.as_slice(), cols);
            let along = |half: &mut [bool], line: &[bool]| {
                half.fill(true);
                for tap in &across {
                    and(half, line, tap.offset);
                }
            };
            laid(
                &seen,
                &mut known,
                &down,
                along,
                #[inline(always)]
                |known, _, halves| {
                    known.fill(true);
                    for half in halves {
                        match half {
                            Some((half, _)) => and(known, half, 0),
                            None => known.fill(false),
                        }
                    }
                },
            );
            let planes = pixels.as_slice().unwrap_or_default().chunks_exact((rows * cols).max(1));
            for pixels in planes {
                let along = |half: &mut [f32], line: &[f32]| {
                    half.fill(0.0);
                    for tap in &across {
                        add(half, line, tap.offset, tap.weight);
                    }
                };
                laid(
                    &lines(Some(pixels), cols),
                    &mut out,
                    &down,
                    along,
                    #[inline(always)]
                    |out, row, halves| {
                        out.fill(0.0);
                        for (half, weight) in halves.flatten() {
                            add(out, half, 0, weight);
                        }
                        // what is unobserved may be anything, NaN too
                        for (value, &known) in out.iter_mut().zip(&known[row * cols..]) {
                            *value = counted(*value, known);
                        }
                    },
                );
            }
        },
    );
    let out = Array3::from_shape_vec((bands, rows, cols), out);
    let known = Array2::from_shape_vec((rows, cols), known);
    let (Ok(out), Ok(known)) = (out, known) else { unreachable!("as many values as pixels") };
    (out, known)
}

fn lines<T>(values: Option<&[T]>, cols: usize) -> Vec<&[T]> {
    values.unwrap_or_default().chunks_exact(cols.max(1)).collect()
}

/// Goes over an array line by line: `along` makes of each line what its pixels along it say, and `take` makes of what those of
/// `down` say, in their order, each with its weight, or `None` of what lies outside, the line of that number, which follows
/// those in `out`.
///
/// Only as many lines as take part at once are held between the two, and these stay in the nearest cache.
#[inline(always)]
fn laid<T: Copy + Default>(
    lines: &[&[T]],
    out: &mut Vec<T>,
    down: &[Tap],
    along: impl Fn(&mut [T], &[T]),
    take: impl Fn(&mut [T], usize, &mut dyn Iterator<Item = Option<(&[T], f32)>>),
) {
    let cols = lines.first().map_or(0, |line| line.len());
    let mut halves = vec![vec![T::default(); cols]; down.len()];
    let mut line = vec![T::default(); cols];
    let inside = |row: usize, offset: i32| row.checked_add_signed(offset as isize).filter(|&row| row < lines.len());
    for row in 0..lines.len() {
        // all but the last were made for the lines before
        let known = if row == 0 { 0 } else { down.len() - 1 };
        for source in down[known..].iter().filter_map(|tap| inside(row, tap.offset)) {
            along(&mut halves[source % down.len()], lines[source]);
        }
        let of_tap =
            |tap: &Tap| inside(row, tap.offset).map(|source| (halves[source % down.len()].as_slice(), tap.weight));
        take(&mut line, row, &mut down.iter().map(of_tap));
        out.extend_from_slice(&line);
    }
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

/// Adds `weight` times what lies `right` pixels farther, where there is anything.
#[inline(always)]
fn add(out: &mut [f32], from: &[f32], right: i32, weight: f32) {
    let (from_cols, to_cols) = overlap(out.len(), right);
    for (out, value) in out[to_cols].iter_mut().zip(&from[from_cols]) {
        *out += weight * value;
    }
}

/// Keeps what is also set `right` pixels farther; nothing is outside.
#[inline(always)]
fn and(out: &mut [bool], mask: &[bool], right: i32) {
    let (from_cols, to_cols) = overlap(out.len(), right);
    out[..to_cols.start].fill(false);
    out[to_cols.end..].fill(false);
    for (out, farther) in out[to_cols].iter_mut().zip(&mask[from_cols]) {
        *out &= farther;
    }
}
