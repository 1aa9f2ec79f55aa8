//! Polygons to pixels, by the pixel-centre rule: a pixel belongs to the polygon that holds its centre.
//!
//! Scanline fill with the even-odd rule (Foley et al., *Computer Graphics*, §3.6). Two polygons that share a border
//! never share a pixel: crossings are half-open.

use geo_types::{LineString, MultiPolygon};
use ndarray::Array2;

use crate::grid::Window;

/// Calls `fill(row, cols)` for every run of pixels of `window` whose centres lie in the polygons, which are given in
/// pixel-corner coordinates (x = col, y = row). Rows and columns are relative to the window; ranges are half-open.
pub fn for_each_run(polygons: &MultiPolygon<f64>, window: Window, mut fill: impl FnMut(usize, std::ops::Range<usize>)) {
    let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); window.rows];
    for polygon in polygons {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            add_crossings(ring, window, &mut crossings);
        }
    }
    for (row, crossings) in crossings.iter_mut().enumerate() {
        crossings.sort_unstable_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            // centres at col + 0.5 with pair[0] <= centre < pair[1]
            let column = |x: f64| ((x - 0.5).ceil() - window.col as f64).clamp(0.0, window.cols as f64) as usize;
            let (start, end) = (column(pair[0]), column(pair[1]));
            if start < end {
                fill(row, start..end);
            }
        }
    }
}

fn add_crossings(ring: &LineString<f64>, window: Window, crossings: &mut [Vec<f64>]) {
    for edge in ring.lines() {
        let (top, bottom) = if edge.start.y <= edge.end.y { (edge.start, edge.end) } else { (edge.end, edge.start) };
        // rows whose centre y = row + 0.5 satisfies top.y <= y < bottom.y
        let first = ((top.y - 0.5).ceil() as i64).max(window.row);
        let end = ((bottom.y - 0.5).ceil() as i64).min(window.row_end());
        for row in first..end {
            let share = (row as f64 + 0.5 - top.y) / (bottom.y - top.y);
            crossings[(row - window.row) as usize].push(top.x + share * (bottom.x - top.x));
        }
    }
}

/// The mask (row, col) of the pixels of `window` whose centres lie in the polygons (pixel-corner coordinates).
#[must_use]
pub fn mask(polygons: &MultiPolygon<f64>, window: Window) -> Array2<bool> {
    let mut mask = Array2::from_elem(window.shape(), false);
    for_each_run(polygons, window, |row, cols| mask.slice_mut(ndarray::s![row, cols]).fill(true));
    mask
}

/// Share (0..1) of the pixels of `window` within the polygons for which `holds` is true of (row, col), both relative to the window;
/// `None` where no pixel's centre lies within them.
#[must_use]
pub fn share_within(
    polygons: &MultiPolygon<f64>,
    window: Window,
    holds: impl Fn((usize, usize)) -> bool,
) -> Option<f64> {
    let (mut all, mut held) = (0_usize, 0_usize);
    for_each_run(polygons, window, |row, cols| {
        all += cols.len();
        held += cols.filter(|&col| holds((row, col))).count();
    });
    (all > 0).then(|| held as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::polygon;

    fn painted(mask: &Array2<bool>) -> Vec<String> {
        mask.rows().into_iter().map(|row| row.iter().map(|&inside| if inside { '#' } else { '.' }).collect()).collect()
    }

    #[test]
    fn a_polygon_with_a_hole_at_negative_pixels() {
        let ring = polygon!(
            exterior: [(x: -1., y: -1.), (x: 3., y: -1.), (x: 3., y: 3.), (x: -1., y: 3.)],
            interiors: [[(x: 0., y: 0.), (x: 2., y: 0.), (x: 2., y: 2.), (x: 0., y: 2.)]]
        );
        let window = Window { row: -2, col: -2, rows: 6, cols: 6 };
        assert_eq!(painted(&mask(&ring.into(), window)), ["......", ".####.", ".#..#.", ".#..#.", ".####.", "......"]);
    }

    #[test]
    fn neighbours_share_no_pixel_and_leave_none_out() {
        let left = polygon![(x: 0., y: 0.), (x: 2.5, y: 0.), (x: 1.5, y: 4.), (x: 0., y: 4.)];
        let right = polygon![(x: 2.5, y: 0.), (x: 4., y: 0.), (x: 4., y: 4.), (x: 1.5, y: 4.)];
        let window = Window { row: 0, col: 0, rows: 4, cols: 4 };
        let (left, right) = (mask(&left.into(), window), mask(&right.into(), window));
        assert!(left.iter().zip(&right).all(|(left, right)| left != right));
    }

    #[test]
    fn a_share_counts_only_what_lies_within() {
        let square =
            MultiPolygon(vec![polygon![(x: 1.0, y: 1.0), (x: 3.0, y: 1.0), (x: 3.0, y: 3.0), (x: 1.0, y: 3.0)]]);
        let window = Window { row: 0, col: 0, rows: 4, cols: 4 };
        assert_eq!(share_within(&square, window, |(row, col)| row == 1 || col == 0), Some(0.5));
        assert_eq!(share_within(&square, Window { row: 10, ..window }, |_| true), None);
    }
}
