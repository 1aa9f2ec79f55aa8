//! What comes out: a region of one label with its rings.

use std::ops::Range;

use geo_types::{Coord, LineString, Polygon};

/// A corner of the pixel lattice: `x` = column, `y` = row (down). The pixel (row, column) has its top left
/// corner at `(column, row)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Corner {
    /// Row of the lattice line, counted downwards.
    pub y: i64,
    /// Column of the lattice line, counted to the right.
    pub x: i64,
}

/// A closed ring of pixel edges: the first corner is repeated at the end, successive corners differ in exactly
/// one coordinate, no corner lies on a straight line, and no corner is visited twice.
///
/// The first corner is the topmost, of those the leftmost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ring {
    corners: Vec<Corner>,
}

impl Ring {
    /// Takes closed, canonical corners.
    pub(super) fn from_closed(corners: Vec<Corner>) -> Self {
        debug_assert!(corners.len() >= 5 && corners.first() == corners.last());
        Self { corners }
    }

    /// The corners, the first repeated at the end.
    #[must_use]
    pub fn corners(&self) -> &[Corner] {
        &self.corners
    }

    /// Area in pixels by the shoelace formula in (x = column, y = row): positive for exteriors, negative for holes.
    #[must_use]
    pub fn signed_area(&self) -> i64 {
        signed_area(&self.corners)
    }

    /// Length in pixel edges.
    #[must_use]
    pub fn perimeter(&self) -> u64 {
        self.corners.windows(2).map(|edge| edge[0].x.abs_diff(edge[1].x) + edge[0].y.abs_diff(edge[1].y)).sum()
    }

    /// The ring as a closed line of pixel-corner coordinates (x = column, y = row).
    #[must_use]
    pub fn to_line_string(&self) -> LineString<f64> {
        LineString::new(self.corners.iter().map(|corner| Coord { x: corner.x as f64, y: corner.y as f64 }).collect())
    }
}

/// Area of a closed lattice ring, in pixels. Only horizontal edges count: an edge to the right along row `y`
/// takes `y` away for each column, an edge to the left adds it.
pub(super) fn signed_area(closed: &[Corner]) -> i64 {
    closed.windows(2).map(|edge| (edge[0].x - edge[1].x) * edge[0].y).sum()
}

/// A maximal 4-connected set of pixels of one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The label that all its pixels carry.
    pub label: u8,
    /// Number of pixels; equals the area of the exterior less the holes.
    pub pixel_count: u64,
    /// Sum of the values over its pixels; 0 where the strips carried no values.
    pub value_sum: u64,
    /// Largest value over its pixels; 0 where the strips carried no values.
    pub value_max: u8,
    /// Half-open range of grid rows that it touches.
    pub rows: Range<i64>,
    /// Half-open range of grid columns that it touches.
    pub cols: Range<i64>,
    /// Outer ring, counter-clockwise in (x = column, y = row) taken as mathematical axes; on a screen or a
    /// north-up map, where rows go down, it runs clockwise.
    pub exterior: Ring,
    /// Inner rings, in the other sense, ordered by their first corner (row, then column). A hole may touch the
    /// exterior or another hole in single corners.
    pub holes: Vec<Ring>,
}

impl Region {
    /// The region as a polygon in pixel-corner coordinates (x = column, y = row), valid by OGC Simple Features.
    /// Exterior counter-clockwise and holes clockwise in these coordinates, as `geo` and RFC 7946 have it;
    /// a transform that flips the row axis (any north-up map) turns them round.
    #[must_use]
    pub fn to_polygon(&self) -> Polygon<f64> {
        Polygon::new(self.exterior.to_line_string(), self.holes.iter().map(Ring::to_line_string).collect())
    }

    /// Mean of the values over its pixels.
    #[must_use]
    pub fn value_mean(&self) -> f64 {
        self.value_sum as f64 / self.pixel_count as f64
    }

    /// Total length of all rings, in pixel edges.
    #[must_use]
    pub fn perimeter(&self) -> u64 {
        self.exterior.perimeter() + self.holes.iter().map(Ring::perimeter).sum::<u64>()
    }

    /// What regions are ordered by: the row after the last, then the first corner (row, column).
    pub(super) fn completion_key(&self) -> (i64, Corner) {
        (self.rows.end, self.exterior.corners()[0])
    }
}
