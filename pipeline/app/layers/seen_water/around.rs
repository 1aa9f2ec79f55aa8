//! The ground around one scope: what passes saw there, and what of it lies in scopes.

use std::cell::RefCell;
use std::collections::HashMap;

use geo::BoundingRect;
use geo_types::MultiPolygon;
use ndarray::Array2;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

use shorewatch_domain::grid::Cell;
use shorewatch_domain::law::layer::Feature;
use shorewatch_domain::rasterise;
use shorewatch_law::defects::seen_water::{Seen, SeenGround};
use shorewatch_law::ellipsoid::metres_per_degree;

use super::Bounds;
use super::squares::Squares;
use crate::run::chips::in_pixels;
use crate::run::ground::bounding_window;

/// The grid on which most units lie around a scope, with the scope in its pixels; `None` where none does.
pub(super) fn ground_of<'a, 'w>(
    scope: &Feature,
    grounds: &'a [Squares<'w>],
    ring_m: f64,
) -> Option<(&'a Squares<'w>, MultiPolygon<f64>)> {
    let placed = grounds.iter().filter_map(|squares| {
        let scope_px = in_pixels(&scope.geometry, &squares.grid).ok()?;
        let around = bounding_window(&scope_px)?.grown((ring_m / squares.grid.pixel_size_m).ceil() as usize);
        let units = squares.near(around).count();
        (units > 0).then_some((units, squares, scope_px))
    });
    placed.max_by_key(|(units, ..)| *units).map(|(_, squares, scope_px)| (squares, scope_px))
}

/// The ground around one scope.
pub(super) struct Around<'a> {
    squares: &'a Squares<'a>,
    /// The scope and its neighbours, in pixel-corner coordinates.
    scopes: MultiPolygon<f64>,
    /// Pixels within them, by square.
    masks: RefCell<HashMap<Cell, Array2<bool>>>,
}

impl<'a> Around<'a> {
    /// The ground of a scope and of those among `scopes` that lie within `ring_m` metres.
    pub(super) fn new(
        scope: &Feature,
        squares: &'a Squares<'a>,
        scopes: &RTree<GeomWithData<Bounds, &Feature>>,
        ring_m: f64,
    ) -> Self {
        let near = |bounds: geo_types::Rect<f64>| {
            let (x, y) = metres_per_degree(bounds.center().y);
            let (dx, dy, min, max) = (ring_m / x, ring_m / y, bounds.min(), bounds.max());
            let around = AABB::from_corners([min.x - dx, min.y - dy], [max.x + dx, max.y + dy]);
            let near = scopes.locate_in_envelope_intersecting(&around);
            near.filter_map(|other| in_pixels(&other.data.geometry, &squares.grid).ok()).flatten().collect()
        };
        let scopes = scope.geometry.bounding_rect().map_or_else(|| MultiPolygon(Vec::new()), near);
        Self { squares, scopes, masks: RefCell::default() }
    }

    /// The square of a pixel (row, col), and its place there.
    fn place(&self, (row, col): (i64, i64)) -> (Cell, (usize, usize)) {
        let edge = self.squares.edge_px as i64;
        let cell = Cell { row: row.div_euclid(edge), col: col.div_euclid(edge) };
        (cell, (row.rem_euclid(edge) as usize, col.rem_euclid(edge) as usize))
    }
}

impl SeenGround for Around<'_> {
    fn seen(&self, pixel: (i64, i64)) -> Seen {
        let (cell, place) = self.place(pixel);
        self.squares.of(cell)[place]
    }

    fn is_in_a_scope(&self, pixel: (i64, i64)) -> bool {
        let (cell, place) = self.place(pixel);
        let mut masks = self.masks.borrow_mut();
        let mask =
            masks.entry(cell).or_insert_with(|| rasterise::mask(&self.scopes, cell.window(self.squares.edge_px)));
        mask[place]
    }
}
