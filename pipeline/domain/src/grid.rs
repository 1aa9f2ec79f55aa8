//! The fixed grid: the same ground has the same pixel, and so the same tile, in every pass.

use serde::{Deserialize, Serialize};

use crate::crs::Epsg;
use crate::digest::DigestBuilder;

/// A square pixel lattice in a projected system, with a fixed origin.
///
/// Pixel (row, col) covers x in `[origin_x + col·s, origin_x + (col+1)·s)` and
/// y in `(origin_y - (row+1)·s, origin_y - row·s]`: rows grow southwards and may be negative.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Grid {
    /// The projected coordinate reference system.
    pub epsg: Epsg,
    /// Edge of a pixel (ground sampling distance) in metres.
    pub pixel_size_m: f64,
    /// Easting of the lattice's corner in metres.
    pub origin_x: f64,
    /// Northing of the lattice's corner in metres.
    pub origin_y: f64,
}

impl Grid {
    /// A grid whose lattice passes through the projected origin.
    #[must_use]
    pub const fn new(epsg: Epsg, pixel_size_m: f64) -> Self {
        Self { epsg, pixel_size_m, origin_x: 0.0, origin_y: 0.0 }
    }

    /// Projected (x, y) in metres of the pixel-corner coordinate (col, row).
    #[must_use]
    pub fn to_projected(&self, col: f64, row: f64) -> (f64, f64) {
        (self.origin_x + col * self.pixel_size_m, self.origin_y - row * self.pixel_size_m)
    }

    /// Pixel-corner coordinate (col, row) of a projected (x, y) in metres.
    #[must_use]
    pub fn to_pixel(&self, x: f64, y: f64) -> (f64, f64) {
        ((x - self.origin_x) / self.pixel_size_m, (self.origin_y - y) / self.pixel_size_m)
    }

    /// Area of one pixel in m² in the projected system.
    #[must_use]
    pub fn pixel_area_m2(&self) -> f64 {
        self.pixel_size_m * self.pixel_size_m
    }

    /// Adds the grid to a digest.
    #[must_use]
    pub fn add_to(&self, builder: DigestBuilder) -> DigestBuilder {
        builder
            .number("grid_epsg", f64::from(self.epsg.0))
            .number("grid_pixel_size_m", self.pixel_size_m)
            .number("grid_origin_x", self.origin_x)
            .number("grid_origin_y", self.origin_y)
    }
}

/// A half-open window of grid pixels: rows `[row, row + rows)`, columns `[col, col + cols)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Window {
    /// First row.
    pub row: i64,
    /// First column.
    pub col: i64,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

impl Window {
    /// The smallest window that holds the pixel-corner box `[min_col, max_col] × [min_row, max_row]`.
    #[must_use]
    pub fn covering(min_col: f64, min_row: f64, max_col: f64, max_row: f64) -> Self {
        let (row, col) = (min_row.floor() as i64, min_col.floor() as i64);
        Self {
            row,
            col,
            rows: (max_row.ceil() as i64 - row).max(0) as usize,
            cols: (max_col.ceil() as i64 - col).max(0) as usize,
        }
    }

    /// One past the last row.
    #[must_use]
    pub fn row_end(&self) -> i64 {
        self.row + self.rows as i64
    }

    /// One past the last column.
    #[must_use]
    pub fn col_end(&self) -> i64 {
        self.col + self.cols as i64
    }

    /// The window grown by `margin` pixels on every side.
    #[must_use]
    pub fn grown(&self, margin: usize) -> Self {
        Self {
            row: self.row - margin as i64,
            col: self.col - margin as i64,
            rows: self.rows + 2 * margin,
            cols: self.cols + 2 * margin,
        }
    }

    /// The window without `margin` pixels on every side; empty where it is not as large.
    #[must_use]
    pub fn shrunk(&self, margin: usize) -> Self {
        Self {
            row: self.row + margin as i64,
            col: self.col + margin as i64,
            rows: self.rows.saturating_sub(2 * margin),
            cols: self.cols.saturating_sub(2 * margin),
        }
    }

    /// This window grown out to multiples of `step` on every side.
    #[must_use]
    pub fn out_to(&self, step: usize) -> Self {
        let step = step.max(1) as i64;
        let down = |start: i64| start.div_euclid(step) * step;
        let up = |end: i64| -(-end).div_euclid(step) * step;
        let (row, col) = (down(self.row), down(self.col));
        Self { row, col, rows: (up(self.row_end()) - row) as usize, cols: (up(self.col_end()) - col) as usize }
    }

    /// The common part, if there is any.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (row, col) = (self.row.max(other.row), self.col.max(other.col));
        let rows = self.row_end().min(other.row_end()) - row;
        let cols = self.col_end().min(other.col_end()) - col;
        (rows > 0 && cols > 0).then_some(Self { row, col, rows: rows as usize, cols: cols as usize })
    }

    /// (rows, cols), as `ndarray` wants it.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Number of pixels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// True where there is no pixel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of `inner` in an array that covers `self`, as ranges (rows, cols).
    ///
    /// # Panics
    /// `inner` is not inside `self`.
    #[must_use]
    pub fn ranges_of(&self, inner: &Self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        assert_eq!(self.intersection(inner).as_ref(), Some(inner), "{inner:?} must lie inside {self:?}");
        let (top, left) = ((inner.row - self.row) as usize, (inner.col - self.col) as usize);
        (top..top + inner.rows, left..left + inner.cols)
    }
}

/// A cell of the lattice of square pixel blocks that tiles the grid (units of work and model tiles alike).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// Row of the block: covers pixel rows `[row·edge, (row+1)·edge)`.
    pub row: i64,
    /// Column of the block.
    pub col: i64,
}

impl Cell {
    /// The pixels of the cell, for blocks of `edge_px`.
    #[must_use]
    pub fn window(&self, edge_px: usize) -> Window {
        let edge = edge_px as i64;
        Window { row: self.row * edge, col: self.col * edge, rows: edge_px, cols: edge_px }
    }

    /// The cells that a window meets, row by row.
    pub fn meeting(window: Window, edge_px: usize) -> impl Iterator<Item = Self> {
        let edge = edge_px as i64;
        let rows = window.row.div_euclid(edge)..=(window.row_end() - 1).div_euclid(edge);
        rows.flat_map(move |row| {
            let cols = window.col.div_euclid(edge)..=(window.col_end() - 1).div_euclid(edge);
            cols.map(move |col| Self { row, col })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_pixels_fall_into_the_right_cell() {
        let window = Window { row: -3, col: -1, rows: 4, cols: 2 };
        let cells: Vec<_> = Cell::meeting(window, 4).collect();
        let cell = |row, col| Cell { row, col };
        assert_eq!(cells, [cell(-1, -1), cell(-1, 0), cell(0, -1), cell(0, 0)]);
        assert!(cells.iter().all(|cell| cell.window(4).intersection(&window).is_some()));
        let all_of_them = Window { row: -4, col: -4, rows: 8, cols: 8 };
        assert_eq!((window.out_to(4), all_of_them.out_to(4)), (all_of_them, all_of_them));
    }

    #[test]
    fn projected_and_pixel_coordinates_are_inverse() {
        let grid = Grid::new(Epsg(32718), 10.0);
        let (col, row) = grid.to_pixel(551_005.0, 9_071_995.0);
        assert_eq!((col, row), (55_100.5, -907_199.5));
        assert_eq!(grid.to_projected(col, row), (551_005.0, 9_071_995.0));
    }
}
