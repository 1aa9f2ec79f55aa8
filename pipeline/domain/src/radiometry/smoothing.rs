//! Means over the observed pixels around a pixel.

use ndarray::{Array2, ArrayView2};

use crate::lanes::{counted, vectorised};

/// Mean over the observed pixels of the square of edge `2 × radius_px + 1` around each pixel (row, col); NaN where the
/// pixel itself is not observed. The square is cut off at the edge of the window: needs a margin of `radius_px`.
///
/// # Panics
/// The shapes differ.
#[must_use]
pub fn smoothed(values: ArrayView2<'_, f32>, observed: ArrayView2<'_, bool>, radius_px: usize) -> Array2<f32> {
    assert_eq!(values.dim(), observed.dim(), "the mask covers the window of the values");
    let values = values.as_standard_layout();
    let [smooth] = smoothed_lines(observed, radius_px, 0, |row, [line]| {
        if let Some(values) = values.row(row).as_slice() {
            line.copy_from_slice(values);
        }
    });
    smooth
}

/// The same of several arrays over one mask, without `edge_px` pixels on every side. `fill` writes one row of each: the arrays
/// themselves need not be anywhere, and only as many rows as one square takes are held.
///
/// # Panics
/// The window has less than `2 × edge_px` rows or columns.
#[must_use]
pub fn smoothed_lines<const ARRAYS: usize>(
    observed: ArrayView2<'_, bool>,
    radius_px: usize,
    edge_px: usize,
    mut fill: impl FnMut(usize, [&mut [f32]; ARRAYS]),
) -> [Array2<f32>; ARRAYS] {
    let (rows, cols) = observed.dim();
    let observed = observed.as_standard_layout();
    let observed = observed.as_slice().unwrap_or_default();
    let inner = edge_px..cols - edge_px;
    // written once and in order: to clear such an array first, or to add to what stands in it, takes longer than the sums
    let size = (rows - 2 * edge_px, inner.len());
    let mut smooth = [(); ARRAYS].map(|()| Vec::with_capacity(size.0 * size.1));
    let along = |row: usize| row * cols..(row + 1) * cols;
    // Sums along the rows, then down the columns: always over the same pixels in the same order, so the result is the same to
    // the last bit in whatever window the pixel lies. Whole rows at once, which the compiler turns into vector code.
    let square = 2 * radius_px + 1;
    let mut lines = [(); ARRAYS].map(|()| vec![0.0_f32; cols]);
    let mut sums = [(); ARRAYS].map(|()| vec![vec![0.0_f32; cols]; square]);
    let mut counts = vec![vec![0.0_f32; cols]; square];
    let (mut seen, mut seen_near) = (vec![0.0_f32; cols], vec![0.0_f32; inner.len()]);
    let mut line = vec![0.0_f32; inner.len()];
    let mut next = 0;
    for row in edge_px..rows - edge_px {
        let near = row.saturating_sub(radius_px)..(row + radius_px + 1).min(rows);
        next = next.max(near.start);
        while next < near.end {
            fill(next, lines.each_mut().map(Vec::as_mut_slice));
            let observed = &observed[along(next)];
            vectorised(
                #[inline(always)]
                || {
                    for (seen, &observed) in seen.iter_mut().zip(observed) {
                        *seen = f32::from(u8::from(observed));
                    }
                    added_along(&mut counts[next % square], &seen, radius_px);
                    for (sums, line) in sums.iter_mut().zip(&mut lines) {
                        for (value, &observed) in line.iter_mut().zip(observed) {
                            *value = counted(*value, observed);
                        }
                        added_along(&mut sums[next % square], line, radius_px);
                    }
                },
            );
            next += 1;
        }
        let observed = &observed[along(row)][inner.clone()];
        vectorised(
            #[inline(always)]
            || {
                seen_near.fill(0.0);
                for near in near.clone() {
                    add(&mut seen_near, &counts[near % square][inner.clone()]);
                }
                for (smooth, sums) in smooth.iter_mut().zip(&sums) {
                    line.fill(0.0);
                    for near in near.clone() {
                        add(&mut line, &sums[near % square][inner.clone()]);
                    }
                    for ((sum, count), &observed) in line.iter_mut().zip(&seen_near).zip(observed) {
                        *sum = if observed { *sum / count } else { f32::NAN };
                    }
                    smooth.extend_from_slice(&line);
                }
            },
        );
    }
    smooth
        .map(|values| Array2::from_shape_vec(size, values).unwrap_or_else(|_| unreachable!("as many values as pixels")))
}

/// Sums along a row over `radius_px` pixels to either side.
#[inline(always)]
fn added_along(to: &mut [f32], from: &[f32], radius_px: usize) {
    let cols = from.len();
    to.fill(0.0);
    for shift in (1..=radius_px.min(cols)).rev() {
        add(&mut to[shift..], &from[..cols - shift]);
    }
    for shift in 0..=radius_px.min(cols) {
        add(&mut to[..cols - shift], &from[shift..]);
    }
}

#[inline(always)]
fn add(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
