//! Reflectance from a source file's pixels to the grid's, with the mask deciding what may be mixed.
//!
//! Where source and grid pixels are of similar size: bilinear over the *observed* neighbours, weights renormalised; a
//! pixel whose nearest source pixel is unobserved is unobserved, so that a mask neither grows nor shrinks. Where the grid
//! is coarser by more than [`AVERAGE_FROM_RATIO`]: the mean of the observed source pixels whose centres lie in the grid
//! pixel, unobserved if half or more of them are. Masks and quality codes are never interpolated.

use ndarray::{Array2, ArrayView2, ArrayView3, ArrayViewMut2, ArrayViewMut3};

use shorewatch_domain::observed::Causes;

/// Source pixels per grid pixel (edge) from which on averaging replaces interpolation.
pub const AVERAGE_FROM_RATIO: f64 = 1.5;

/// Where the centres of grid pixels lie in the source: continuous pixel-corner coordinates (x = col, y = row),
/// relative to the source window. NaN where the transformation has no answer.
pub struct SourcePositions {
    /// Source column of each grid pixel centre (row, col).
    pub x: Array2<f64>,
    /// Source row of each grid pixel centre (row, col).
    pub y: Array2<f64>,
    /// Half the extent of a grid pixel in source columns.
    pub half_x: f64,
    /// Half the extent of a grid pixel in source rows.
    pub half_y: f64,
}

/// Resamples `source` (band, row, col) with its causes into `target`; band i goes to `positions[i]`.
pub fn resample(
    source: ArrayView3<'_, f32>,
    source_causes: ArrayView2<'_, Causes>,
    at: &SourcePositions,
    positions: &[usize],
    target: &mut ArrayViewMut3<'_, f32>,
    target_causes: &mut ArrayViewMut2<'_, Causes>,
) {
    let coarse = 2.0 * at.half_x.max(at.half_y) > AVERAGE_FROM_RATIO;
    let mut values = vec![0.0_f32; positions.len()];
    for ((row, col), cause) in target_causes.indexed_iter_mut() {
        let (x, y) = (at.x[(row, col)], at.y[(row, col)]);
        values.fill(0.0);
        *cause |= if coarse {
            average(source, source_causes, x, y, at, &mut values)
        } else {
            bilinear(source, source_causes, x, y, &mut values)
        };
        for (&band, &value) in positions.iter().zip(&values) {
            target[(band, row, col)] = value;
        }
    }
}

/// The index of the source pixel that holds a coordinate.
fn index_at(coordinate: f64, length: usize) -> Option<usize> {
    (coordinate >= 0.0 && coordinate < length as f64).then_some(coordinate as usize)
}

fn bilinear(source: ArrayView3<'_, f32>, causes: ArrayView2<'_, Causes>, x: f64, y: f64, values: &mut [f32]) -> Causes {
    let (rows, cols) = causes.dim();
    let (Some(near_row), Some(near_col)) = (index_at(y, rows), index_at(x, cols)) else { return Causes::OUTSIDE };
    let nearest = causes[(near_row, near_col)];
    if !nearest.is_observed() {
        return nearest;
    }
    // neighbours by pixel centres at +0.5; beyond the edge the weight falls to the pixels that exist
    let (left, top) = (x - 0.5, y - 0.5);
    let (col, row) = (left.floor(), top.floor());
    let (right_share, lower_share) = ((left - col) as f32, (top - row) as f32);
    let mut total = 0.0;
    for (row, row_weight) in [(row, 1.0 - lower_share), (row + 1.0, lower_share)] {
        for (col, col_weight) in [(col, 1.0 - right_share), (col + 1.0, right_share)] {
            let weight = row_weight * col_weight;
            if weight <= 0.0 || row < 0.0 || col < 0.0 || row >= rows as f64 || col >= cols as f64 {
                continue;
            }
            let place = (row as usize, col as usize);
            if causes[place].is_observed() {
                total += weight;
                for (band, value) in values.iter_mut().enumerate() {
                    *value += weight * source[(band, place.0, place.1)];
                }
            }
        }
    }
    // the nearest pixel is observed and has at least a quarter of the weight
    values.iter_mut().for_each(|value| *value /= total);
    Causes::OBSERVED
}

fn average(
    source: ArrayView3<'_, f32>,
    causes: ArrayView2<'_, Causes>,
    x: f64,
    y: f64,
    at: &SourcePositions,
    values: &mut [f32],
) -> Causes {
    let (rows, cols) = causes.dim();
    if index_at(y, rows).is_none() || index_at(x, cols).is_none() {
        return Causes::OUTSIDE;
    }
    // centres c + 0.5 with low <= c + 0.5 < high
    let range = |centre: f64, half: f64, length: usize| {
        let index = |edge: f64| (edge - 0.5).ceil().clamp(0.0, length as f64) as usize;
        index(centre - half)..index(centre + half)
    };
    let (mut observed, mut all, mut against) = (0_u32, 0_u32, Causes::OBSERVED);
    for row in range(y, at.half_y, rows) {
        for col in range(x, at.half_x, cols) {
            all += 1;
            let cause = causes[(row, col)];
            if cause.is_observed() {
                observed += 1;
                for (band, value) in values.iter_mut().enumerate() {
                    *value += source[(band, row, col)];
                }
            } else {
                against |= cause;
            }
        }
    }
    if 2 * observed <= all {
        values.fill(0.0);
        return if against.is_observed() { Causes::OUTSIDE } else { against };
    }
    values.iter_mut().for_each(|value| *value /= observed as f32);
    Causes::OBSERVED
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, array};

    fn run(source: &Array2<f32>, causes: &Array2<Causes>, x: f64, y: f64, half: f64) -> (f32, Causes) {
        let at = SourcePositions { x: array![[x]], y: array![[y]], half_x: half, half_y: half };
        let source = source.clone().insert_axis(ndarray::Axis(0));
        let mut target = Array3::zeros((1, 1, 1));
        let mut target_causes = Array2::default((1, 1));
        resample(source.view(), causes.view(), &at, &[0], &mut target.view_mut(), &mut target_causes.view_mut());
        (target[(0, 0, 0)], target_causes[(0, 0)])
    }

    #[test]
    fn bilinear_mixes_observed_neighbours_only() {
        let source = array![[0.0, 1.0], [2.0, 3.0]];
        let clear = Array2::default((2, 2));
        assert_eq!(run(&source, &clear, 1.0, 1.0, 0.5), (1.5, Causes::OBSERVED));
        assert_eq!(run(&source, &clear, 0.5, 0.5, 0.5), (0.0, Causes::OBSERVED));
        assert_eq!(run(&source, &clear, -0.1, 0.5, 0.5).1, Causes::OUTSIDE);
        assert_eq!(run(&source, &clear, f64::NAN, 0.5, 0.5).1, Causes::OUTSIDE);
        let mut clouded = clear;
        clouded[(0, 1)] = Causes::CLOUD;
        // between 0 and the clouded 1: only the observed one counts
        assert_eq!(run(&source, &clouded, 0.9, 0.5, 0.5), (0.0, Causes::OBSERVED));
        assert_eq!(run(&source, &clouded, 1.1, 0.5, 0.5).1, Causes::CLOUD);
    }

    #[test]
    fn averages_are_over_the_footprint() {
        let source = Array2::from_shape_fn((4, 4), |(row, col)| (row * 4 + col) as f32);
        let mut causes = Array2::default((4, 4));
        assert_eq!(run(&source, &causes, 2.0, 2.0, 2.0), (7.5, Causes::OBSERVED));
        assert_eq!(run(&source, &causes, 1.0, 1.0, 1.0), (2.5, Causes::OBSERVED));
        causes[(0, 0)] = Causes::NODATA;
        causes[(0, 1)] = Causes::NODATA;
        assert_eq!(run(&source, &causes, 1.0, 1.0, 1.0).1, Causes::NODATA);
    }
}
