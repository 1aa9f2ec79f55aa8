//! Reflectance from a source file's pixels to the grid's, with the mask deciding what may be mixed.
//!
//! Where source and grid pixels are of similar size: bilinear over the *observed* neighbours, weights renormalised; a
//! pixel whose nearest source pixel is unobserved is unobserved, so that a mask neither grows nor shrinks. Where the grid
//! is coarser by more than [`AVERAGE_FROM_RATIO`]: the mean of the observed source pixels whose centres lie in the grid
//! pixel, unobserved if half or more of them are. Masks and quality codes are never interpolated.

use ndarray::{Array2, ArrayView2, ArrayView3, ArrayViewMut1, ArrayViewMut2, ArrayViewMut3, s};

use shorewatch_domain::observed::Causes;

/// Source pixels per grid pixel (edge) from which on averaging replaces interpolation.
pub const AVERAGE_FROM_RATIO: f64 = 1.5;

/// Where the centres of grid pixels lie in the source: continuous pixel-corner coordinates (x = col, y = row), relative to
/// the source window. Exact at nodes every `step` pixels, linear between them; NaN where the transformation has no answer.
#[derive(Clone, Debug)]
pub struct SourcePositions {
    /// Source column of each node (row, col).
    pub x: Array2<f64>,
    /// Source row of each node (row, col).
    pub y: Array2<f64>,
    /// Grid pixels from a node to the next.
    pub step: usize,
    /// Row of the window's first pixel, counted from the first node.
    pub row_phase: usize,
    /// Column of the window's first pixel, counted from the first node.
    pub col_phase: usize,
    /// Rows and columns of the window.
    pub shape: (usize, usize),
    /// Half the extent of a grid pixel in source columns.
    pub half_x: f64,
    /// Half the extent of a grid pixel in source rows.
    pub half_y: f64,
}

impl SourcePositions {
    /// Source columns and rows of the pixels of one row of the window.
    pub fn row(&self, row: usize, x: &mut [f64], y: &mut [f64]) {
        for (nodes, out) in [(&self.x, x), (&self.y, y)] {
            self.interpolate(nodes, row, 0, out);
        }
    }

    /// One coordinate of the pixels of a row from `first` on.
    fn interpolate(&self, nodes: &Array2<f64>, row: usize, first: usize, out: &mut [f64]) {
        let (row, step) = (row + self.row_phase, self.step);
        let (node_row, v) = (row / step, (row % step) as f64 / step as f64);
        // at a node its neighbour, which may have no answer, has no say
        let at = |col: usize| match v {
            0.0 => nodes[(node_row, col)],
            _ => nodes[(node_row, col)] * (1.0 - v) + nodes[(node_row + 1, col)] * v,
        };
        let (mut col, mut rest) = (first + self.col_phase, out);
        while !rest.is_empty() {
            let (node_col, from) = (col / step, col % step);
            let (run, beyond) = rest.split_at_mut((step - from).min(rest.len()));
            let left = at(node_col);
            if run.len() == 1 && from == 0 {
                run[0] = left;
            } else {
                let slope = (at(node_col + 1) - left) / step as f64;
                for (i, out) in run.iter_mut().enumerate() {
                    *out = left + (from + i) as f64 * slope;
                }
            }
            col += run.len();
            rest = beyond;
        }
    }

    /// The smallest box (left, top, right, bottom) that holds all positions; `None` where no pixel has one.
    #[must_use]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        // between nodes positions are bilinear: extremes lie at the nodes and where the window cuts between them
        let places = |phase: usize, length: usize| {
            let inner = (0..length).step_by(self.step).map(move |i| i + (self.step - phase % self.step) % self.step);
            inner.filter(move |&i| i < length).chain([0, length.saturating_sub(1)])
        };
        let mut bounds: Option<[f64; 4]> = None;
        for row in places(self.row_phase, self.shape.0) {
            for col in places(self.col_phase, self.shape.1) {
                let (mut x, mut y) = ([f64::NAN], [f64::NAN]);
                self.interpolate(&self.x, row, col, &mut x);
                self.interpolate(&self.y, row, col, &mut y);
                let ([x], [y]) = (x, y);
                if x.is_finite() && y.is_finite() {
                    let [left, top, right, bottom] = bounds.unwrap_or([x, y, x, y]);
                    bounds = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
                }
            }
        }
        bounds
    }
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
    let cols = target_causes.ncols();
    let (mut x, mut y) = (vec![0.0; cols], vec![0.0; cols]);
    let mut clear = ClearRow::new(cols);
    let mut values = vec![0.0_f32; positions.len()];
    for (row, mut causes) in target_causes.outer_iter_mut().enumerate() {
        at.row(row, &mut x, &mut y);
        let in_order = source.as_slice().zip(source_causes.as_slice()).filter(|_| !coarse);
        if let Some((pixels, masks)) = in_order {
            clear.place(&x, &y, masks, source_causes.ncols());
            for (plane, &band) in pixels.chunks_exact(masks.len()).zip(positions) {
                clear.fill(plane, source_causes.ncols(), target.slice_mut(s![band, row, ..]));
            }
        } else {
            clear.others.clear();
            clear.others.extend(0..cols);
        }
        for &col in &clear.others {
            values.fill(0.0);
            causes[col] |= if coarse {
                average(source, source_causes, x[col], y[col], at, &mut values)
            } else {
                bilinear(source, source_causes, x[col], y[col], &mut values)
            };
            for (&band, &value) in positions.iter().zip(&values) {
                target[(band, row, col)] = value;
            }
        }
    }
}

/// The pixels of a row whose four neighbours all exist and are observed: nearly all, and quick to do together.
struct ClearRow {
    /// Index of the upper left neighbour; 0 where the pixel is among the others.
    index: Vec<usize>,
    /// Shares of the right and of the lower neighbours.
    shares: Vec<(f32, f32)>,
    /// Columns of the pixels that need a closer look.
    others: Vec<usize>,
}

impl ClearRow {
    fn new(cols: usize) -> Self {
        Self { index: vec![0; cols], shares: vec![(0.0, 0.0); cols], others: Vec::new() }
    }

    fn place(&mut self, x: &[f64], y: &[f64], causes: &[Causes], width: usize) {
        let height = causes.len() / width.max(1);
        let (last_col, last_row) = (width as f64 - 1.0, height as f64 - 1.0);
        self.others.clear();
        for (col, (x, y)) in x.iter().zip(y).enumerate() {
            let (left, top) = (x - 0.5, y - 0.5);
            // false where one is NaN
            let inside = left >= 0.0 && top >= 0.0 && left < last_col && top < last_row;
            let (near_col, near_row) = (left as usize, top as usize);
            let index = near_row * width + near_col;
            let is_clear = inside && {
                let (upper, lower) = (&causes[index..index + 2], &causes[index + width..index + width + 2]);
                upper[0].0 | upper[1].0 | lower[0].0 | lower[1].0 == 0
            };
            if is_clear {
                self.index[col] = index;
                self.shares[col] = ((left - near_col as f64) as f32, (top - near_row as f64) as f32);
            } else {
                self.index[col] = 0;
                self.others.push(col);
            }
        }
    }

    fn fill(&self, plane: &[f32], width: usize, mut target: ArrayViewMut1<'_, f32>) {
        if plane.len() < width + 2 {
            // too small to hold four neighbours: every pixel is among the others
            return;
        }
        for ((target, &index), &(right, lower)) in target.iter_mut().zip(&self.index).zip(&self.shares) {
            let (above, below) = (&plane[index..index + 2], &plane[index + width..index + width + 2]);
            let above = above[0] + (above[1] - above[0]) * right;
            let below = below[0] + (below[1] - below[0]) * right;
            *target = above + (below - above) * lower;
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
        let (x, y) = (array![[x]], array![[y]]);
        let at =
            SourcePositions { x, y, step: 1, row_phase: 0, col_phase: 0, shape: (1, 1), half_x: half, half_y: half };
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
