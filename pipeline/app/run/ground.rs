//! The managed shoreline on the grids of a run: which squares of ground have to be looked at.

use std::collections::BTreeMap;

use geo::{BoundingRect, Centroid, MapCoordsInPlace};
use geo_types::{LineString, MultiPolygon, Polygon};
use ndarray::Array2;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{RTree, RTreeObject};

use shorewatch_domain::classes::ZonePrior;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid, Window};
use shorewatch_domain::law::layer::Feature;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::rasterise;
use shorewatch_domain::reach::Reach;
use shorewatch_imagery::crs::Transform;
use shorewatch_law::rules::Vocabulary;

use super::zones::Zones;
use crate::configuration::GridSettings;
use crate::failure::Failure;

/// A reach in pixels of its grid.
#[derive(Debug, Clone)]
pub struct PlacedReach {
    /// The reach.
    pub reach: Reach,
    /// Digest of its scope.
    pub digest: Digest,
    /// Scope in pixel-corner coordinates (x = col, y = row).
    pub scope_px: MultiPolygon<f64>,
    /// Pixels in scope.
    pub pixel_count: u64,
}

/// One grid and the reaches on it.
#[derive(Debug, Clone)]
pub struct Ground {
    /// The lattice.
    pub grid: Grid,
    /// Edge of a unit's square in pixels.
    pub edge_px: usize,
    /// Its reaches, in order of id.
    pub reaches: Vec<PlacedReach>,
    /// Squares that meet a reach, with the indices of those reaches.
    pub cells: BTreeMap<Cell, Vec<usize>>,
    /// Function zones with transition priors of their own; none where the table of changes has no such row.
    pub zones: Zones,
    /// Digest of the priors of the squares that such a zone touches, with what is read around them.
    pub zone_digests: BTreeMap<Cell, Digest>,
    /// Bounding boxes of the scopes in pixels, with the indices of the reaches.
    index: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl Ground {
    /// Lays reaches on their grids; grids in order of their code.
    ///
    /// # Errors
    /// A reach lies outside the family's zones, or can't be projected.
    pub fn lay(reaches: Vec<Reach>, grids: &GridSettings, edge_px: usize) -> Result<Vec<Self>, Failure> {
        let mut grounds: BTreeMap<Epsg, Self> = BTreeMap::new();
        for reach in reaches {
            let wrong = |fault: &dyn std::fmt::Display| Failure::input(format!("reach {}: {fault}", reach.id));
            let centre = reach.scope.centroid().ok_or_else(|| wrong(&"it has no area; import it again"))?;
            let grid = grids.grid_at(centre.x(), centre.y()).map_err(|fault| wrong(&fault))?;
            let new = || Self {
                grid,
                edge_px,
                reaches: Vec::new(),
                cells: BTreeMap::new(),
                zones: Zones::default(),
                zone_digests: BTreeMap::new(),
                index: RTree::new(),
            };
            let ground = grounds.entry(grid.epsg).or_insert_with(new);
            ground.place(reach)?;
        }
        Ok(grounds.into_values().collect())
    }

    /// Lays the function zones that a row of `priors` is about; `read` is the window that is read for a square.
    ///
    /// # Errors
    /// A zone can't be projected.
    pub fn lay_zones(
        &mut self,
        features: &[Feature],
        priors: &[ZonePrior],
        vocabulary: &Vocabulary,
        read: impl Fn(Window) -> Window,
    ) -> Result<(), Failure> {
        let near: Vec<_> = self.reaches.iter().filter_map(|placed| placed.reach.scope.bounding_rect()).collect();
        self.zones = Zones::lay(features, priors, vocabulary, &self.grid, &near)?;
        let digest = |cell: &Cell| Some((*cell, self.zones.digest(read(cell.window(self.edge_px)))?));
        self.zone_digests = self.cells.keys().filter_map(digest).collect();
        Ok(())
    }

    fn place(&mut self, reach: Reach) -> Result<(), Failure> {
        let transform = Transform::new(Epsg::WGS84, self.grid.epsg)?;
        let mut scope_px = transform.multi_polygon(&reach.scope, None)?;
        scope_px.map_coords_in_place(|point| self.grid.to_pixel(point.x, point.y).into());
        let index = self.reaches.len();
        let mut pixel_count = 0;
        if let Some(window) = bounding_window(&scope_px) {
            self.index.insert(GeomWithData::new(rectangle(window), index));
            let edge = self.edge_px as i64;
            rasterise::for_each_run(&scope_px, window, |row, cols| {
                pixel_count += cols.len() as u64;
                let row = (window.row + row as i64).div_euclid(edge);
                let first = (window.col + cols.start as i64).div_euclid(edge);
                let last = (window.col + cols.end as i64 - 1).div_euclid(edge);
                for col in first..=last {
                    let of_cell = self.cells.entry(Cell { row, col }).or_default();
                    if of_cell.last() != Some(&index) {
                        of_cell.push(index);
                    }
                }
            });
        }
        self.reaches.push(PlacedReach { digest: reach.digest(), reach, scope_px, pixel_count });
        Ok(())
    }

    /// The reaches whose bounding boxes meet a window, in order of id.
    #[must_use]
    pub fn reaches_near(&self, window: Window) -> Vec<&PlacedReach> {
        let near = self.index.locate_in_envelope_intersecting(&rectangle(window).envelope());
        let mut indices: Vec<usize> = near.map(|found| found.data).collect();
        indices.sort_unstable();
        indices.into_iter().map(|index| &self.reaches[index]).collect()
    }

    /// Whether each pixel (row, col) of a window lies in the scope of any reach.
    #[must_use]
    pub fn in_scope(&self, window: Window) -> Array2<bool> {
        let mut inside = Array2::from_elem(window.shape(), false);
        for placed in self.reaches_near(window) {
            rasterise::for_each_run(&placed.scope_px, window, |row, cols| {
                inside.slice_mut(ndarray::s![row, cols]).fill(true);
            });
        }
        inside
    }

    /// The scope inside a square.
    #[must_use]
    pub fn scope_in(&self, cell: Cell) -> Option<Scope> {
        let square = cell.window(self.edge_px);
        let of_cell = self.cells.get(&cell)?;
        let (mut top, mut bottom, mut left, mut right) = (usize::MAX, 0, usize::MAX, 0);
        let masks: Vec<_> = of_cell
            .iter()
            .map(|&index| {
                let mut mask = Array2::from_elem(square.shape(), false);
                rasterise::for_each_run(&self.reaches[index].scope_px, square, |row, cols| {
                    (top, bottom) = (top.min(row), bottom.max(row + 1));
                    (left, right) = (left.min(cols.start), right.max(cols.end));
                    mask.slice_mut(ndarray::s![row, cols]).fill(true);
                });
                (index, mask)
            })
            .collect();
        if top >= bottom {
            return None;
        }
        let window = Window {
            row: square.row + top as i64,
            col: square.col + left as i64,
            rows: bottom - top,
            cols: right - left,
        };
        let (rows, cols) = square.ranges_of(&window);
        let masks = masks
            .into_iter()
            .map(|(index, mask)| (index, mask.slice(ndarray::s![rows.clone(), cols.clone()]).to_owned()))
            .collect();
        Some(Scope { window, masks })
    }
}

fn rectangle(window: Window) -> Rectangle<[f64; 2]> {
    Rectangle::from_corners([window.col as f64, window.row as f64], [window.col_end() as f64, window.row_end() as f64])
}

/// The part of a square that some reach covers.
pub struct Scope {
    /// Bounding window of the pixels in scope.
    pub window: Window,
    /// Index of the reach, and its pixels (row, col) in the window.
    pub masks: Vec<(usize, Array2<bool>)>,
}

impl Scope {
    /// Pixels of any reach.
    #[must_use]
    pub fn any(&self) -> Array2<bool> {
        let mut any = Array2::from_elem(self.window.shape(), false);
        for (_, mask) in &self.masks {
            any.zip_mut_with(mask, |any, &inside| *any |= inside);
        }
        any
    }
}

/// The footprint of a pass in pixel-corner coordinates of a grid; `None` where it can't be projected: it lies on another side of
/// the earth.
///
/// # Errors
/// There is no transformation to the grid's system.
pub fn footprint_px(grid: &Grid, pass: &Pass) -> Result<Option<MultiPolygon<f64>>, Failure> {
    let ring = LineString::from(pass.footprint.clone());
    let footprint = MultiPolygon::from(Polygon::new(ring, Vec::new()));
    let transform = Transform::new(Epsg::WGS84, grid.epsg)?;
    let Ok(mut footprint) = transform.multi_polygon(&footprint, None) else { return Ok(None) };
    footprint.map_coords_in_place(|point| grid.to_pixel(point.x, point.y).into());
    Ok(Some(footprint))
}

/// The smallest window that holds the footprint of a pass.
///
/// # Errors
/// As [`footprint_px`].
pub fn footprint_window(grid: &Grid, pass: &Pass) -> Result<Option<Window>, Failure> {
    Ok(footprint_px(grid, pass)?.and_then(|footprint| bounding_window(&footprint)))
}

/// The smallest window that holds polygons in pixel-corner coordinates.
#[must_use]
pub fn bounding_window(polygons: &MultiPolygon<f64>) -> Option<Window> {
    let bounds = polygons.bounding_rect()?;
    let window = Window::covering(bounds.min().x, bounds.min().y, bounds.max().x, bounds.max().y);
    (!window.is_empty()).then_some(window)
}

#[cfg(test)]
mod tests {
    use shorewatch_domain::reach::ScopeSource;

    use super::*;
    use crate::configuration::GridChoice;

    /// A square of degrees.
    fn reach(id: &str, [west, south, east, north]: [f64; 4]) -> Reach {
        let scope = geo_types::Rect::new((west, south), (east, north)).to_polygon();
        Reach {
            id: id.to_owned(),
            name: id.to_owned(),
            scope: MultiPolygon::from(scope),
            scope_source: ScopeSource::Polygon,
            origin: String::new(),
            repairs: Vec::new(),
        }
    }

    #[test]
    fn the_scope_of_a_window_is_that_of_its_reaches_together() {
        let settings = GridSettings {
            choice: GridChoice::Fixed(Epsg(32650)),
            pixel_size_m: 10.0,
            origin_x_m: 0.0,
            origin_y_m: 0.0,
        };
        // two reaches that share some ground
        let reaches = vec![reach("A", [117.0, 30.0, 117.02, 30.01]), reach("B", [117.015, 30.0, 117.03, 30.01])];
        let grounds = Ground::lay(reaches, &settings, 64).expect("a grid");
        let [ground] = grounds.as_slice() else { panic!("one grid") };
        let mut scope_px = 0;
        for cell in ground.cells.keys() {
            let scope = ground.scope_in(*cell).expect("the square meets a reach");
            assert_eq!(ground.in_scope(scope.window), scope.any());
            scope_px += scope.any().iter().filter(|inside| **inside).count();
        }
        let scopes: MultiPolygon<f64> =
            ground.reaches.iter().flat_map(|placed| placed.scope_px.iter().cloned()).collect();
        let whole = bounding_window(&scopes).expect("ground").grown(9);
        let inside = ground.in_scope(whole);
        assert_eq!(inside.iter().filter(|inside| **inside).count(), scope_px);
        let apart: u64 = ground.reaches.iter().map(|placed| placed.pixel_count).sum();
        assert!(scope_px > 0 && (scope_px as u64) < apart, "what both cover counts once");
    }
}
