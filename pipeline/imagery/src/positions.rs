//! Where grid pixels lie in a source file: the exact transformation at nodes, linear between them.
//!
//! The same idea as GDAL's approximating transformer, with the error measured at the centre of every cell.

use ndarray::Array2;

use shorewatch_domain::grid::{Grid, Window};

use crate::crs::{SourceCrs, Transform};
use crate::error::ImageryError;
use crate::resample::SourcePositions;

/// How far, in source pixels, the linear approximation may be from the exact transformation.
pub const MAX_APPROXIMATION_ERROR_PX: f64 = 0.05;

/// First distance between nodes in grid pixels; halved until the error is small enough.
const NODE_STEP_PX: usize = 64;

/// An invertible affine map from pixel-corner (col, row) to source coordinates, GDAL's order of coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine(pub [f64; 6]);

impl Affine {
    /// Source coordinates to pixel-corner (col, row).
    #[must_use]
    pub fn to_pixel(&self, x: f64, y: f64) -> (f64, f64) {
        let [x0, xc, xr, y0, yc, yr] = self.0;
        let determinant = xc * yr - xr * yc;
        let (dx, dy) = (x - x0, y - y0);
        ((dx * yr - dy * xr) / determinant, (dy * xc - dx * yc) / determinant)
    }

    /// The whole-pixel offset (row, col) of the grid's pixel (0, 0) in the file, where the file lies on the grid:
    /// same pixel size, north up, and shifted by whole pixels to within `tolerance_px`.
    #[must_use]
    pub fn offset_on(&self, grid: &Grid, tolerance_px: f64) -> Option<(i64, i64)> {
        let [_, xc, xr, _, yc, yr] = self.0;
        let size = grid.pixel_size_m;
        // over the widest file that we accept, a relative difference of 1e-7 stays below the tolerance
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-7 * size;
        if !(same(xc, size) && same(yr, -size) && xr == 0.0 && yc == 0.0) {
            return None;
        }
        let (col, row) = self.to_pixel(grid.origin_x, grid.origin_y);
        let near = |value: f64| (value - value.round()).abs() <= tolerance_px;
        (near(col) && near(row)).then(|| (row.round() as i64, col.round() as i64))
    }
}

/// From the grid of a run to the pixels of one file.
pub struct ToSource {
    grid: Grid,
    transform: Option<Transform>,
    affine: Affine,
}

impl ToSource {
    /// The way from `grid` to a file's pixels. To be made by the thread that uses it.
    ///
    /// # Errors
    /// There is no transformation between the two systems.
    pub fn new(grid: Grid, crs: &SourceCrs, affine: Affine) -> Result<Self, ImageryError> {
        let transform = if crs.epsg == Some(grid.epsg.0) { None } else { Some(Transform::new(grid.epsg, crs)?) };
        Ok(Self { grid, transform, affine })
    }

    /// Exact pixel-corner (col, row) in the file of pixel-corner (col, row) of the grid; NaN where there is none.
    fn exact(&self, cols: &mut [f64], rows: &mut [f64]) {
        for (col, row) in cols.iter_mut().zip(rows.iter_mut()) {
            (*col, *row) = self.grid.to_projected(*col, *row);
        }
        if let Some(transform) = &self.transform
            && transform.points(cols, rows).is_err()
        {
            // A point beyond the systems' domain: one by one, so that it costs only itself.
            for (x, y) in cols.iter_mut().zip(rows.iter_mut()) {
                if transform.points(std::slice::from_mut(x), std::slice::from_mut(y)).is_err() {
                    (*x, *y) = (f64::NAN, f64::NAN);
                }
            }
        }
        for (x, y) in cols.iter_mut().zip(rows.iter_mut()) {
            (*x, *y) = self.affine.to_pixel(*x, *y);
        }
    }

    /// Positions in the file of the centres of a window's pixels.
    ///
    /// Nodes lie on the grid, not on the window: the same pixel has the same position whatever window it is read in.
    #[must_use]
    pub fn positions(&self, window: Window) -> SourcePositions {
        let mut step = NODE_STEP_PX;
        loop {
            let (nodes, error) = self.nodes(window, step);
            if error <= MAX_APPROXIMATION_ERROR_PX || step == 1 {
                let (half_x, half_y) = self.half_extent(window);
                return SourcePositions { half_x, half_y, ..nodes };
            }
            step /= 2;
        }
    }

    /// The exact positions every `step` pixels around a window, and the largest error in the middle between four.
    fn nodes(&self, window: Window, step: usize) -> (SourcePositions, f64) {
        let phase = |first: i64| first.rem_euclid(step as i64) as usize;
        let (row_phase, col_phase) = (phase(window.row), phase(window.col));
        let (first_row, first_col) = (window.row - row_phase as i64, window.col - col_phase as i64);
        let count = |phase: usize, length: usize| (phase + length).div_ceil(step) + 1;
        let (down, across) = (count(row_phase, window.rows), count(col_phase, window.cols));
        let exact = |shift: f64, down: usize, across: usize| {
            let place = |first: i64, i: usize| first as f64 + (i * step) as f64 + 0.5 + shift;
            let mut x: Vec<_> = (0..down * across).map(|i| place(first_col, i % across)).collect();
            let mut y: Vec<_> = (0..down * across).map(|i| place(first_row, i / across)).collect();
            self.exact(&mut x, &mut y);
            let array = |values| Array2::from_shape_vec((down, across), values).unwrap_or_default();
            (array(x), array(y))
        };
        let (x, y) = exact(0.0, down, across);
        let mut error = 0.0_f64;
        if step > 1 {
            let (middle_x, middle_y) = exact(step as f64 / 2.0, down - 1, across - 1);
            for (nodes, middle) in [(&x, &middle_x), (&y, &middle_y)] {
                for ((row, col), exact) in middle.indexed_iter() {
                    let corners = [(row, col), (row, col + 1), (row + 1, col), (row + 1, col + 1)];
                    let mean = corners.iter().map(|&corner| nodes[corner]).sum::<f64>() / 4.0;
                    let off = (mean - exact).abs();
                    // NaN on one side only is an infinite error: nodes nearer to the limit of the domain decide
                    error = match off.is_nan() {
                        true if mean.is_nan() && exact.is_nan() => error,
                        true => f64::INFINITY,
                        false => error.max(off),
                    };
                }
            }
        }
        let shape = window.shape();
        (SourcePositions { x, y, step, row_phase, col_phase, shape, half_x: 0.5, half_y: 0.5 }, error)
    }

    /// Half the extent of one grid pixel in source columns and rows, in the middle of the window.
    fn half_extent(&self, window: Window) -> (f64, f64) {
        let col = window.col as f64 + window.cols as f64 / 2.0;
        let row = window.row as f64 + window.rows as f64 / 2.0;
        let (mut x, mut y) = ([col, col + 1.0, col], [row, row, row + 1.0]);
        self.exact(&mut x, &mut y);
        let extent = |values: [f64; 3]| ((values[1] - values[0]).abs() + (values[2] - values[0]).abs()) / 2.0;
        let positive = |value: f64| if value.is_finite() { value } else { 0.5 };
        (positive(extent(x)), positive(extent(y)))
    }
}
