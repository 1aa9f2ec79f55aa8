//! What passes saw of the squares of a grid, from the pixels that runs staged.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;
use ndarray::{Array2, Zip};
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};

use shorewatch_domain::change::NO_CLASS;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Cell, Grid, Window};
use shorewatch_law::defects::seen_water::Seen;
use shorewatch_store::Store;

use super::Bounds;
use crate::configuration::{BoundaryCheckSection, RunSettings};
use crate::failure::Failure;
use crate::run::recent::Recent;
use crate::run::staged::staged_classes;

/// Squares that are kept while scopes near them are looked at.
const SQUARES_KEPT: usize = 64;

/// A unit of a current publication: its square, and what was left of it.
#[derive(Clone, Copy)]
pub(super) struct WorkedUnit {
    id: Digest,
    pass_id: Digest,
    post_date: Timestamp,
    square: Window,
}

/// The units of current publications that observed anything, by their grids.
pub(super) fn grounds(store: &Store) -> Result<Vec<(Grid, Vec<WorkedUnit>)>, Failure> {
    let mut grounds: Vec<(Grid, Vec<WorkedUnit>)> = Vec::new();
    for publication in store.publications()?.into_iter().filter(|one| one.is_current) {
        let units = store.units_of(&publication.id)?.into_iter();
        let observed = units.filter(|unit| unit.summary.coverage.values().any(|seen| seen.observed_px > 0));
        let observed = observed.map(|unit| WorkedUnit {
            id: unit.unit_id,
            pass_id: unit.pass_id,
            post_date: publication.post_date,
            square: unit.cell.window(unit.edge_px),
        });
        match grounds.iter_mut().find(|(grid, _)| *grid == publication.grid) {
            Some((_, units)) => units.extend(observed),
            None => grounds.push((publication.grid, observed.collect())),
        }
    }
    grounds.retain(|(_, units)| !units.is_empty());
    Ok(grounds)
}

/// What passes saw on one grid, square by square; the last ones that were asked for are kept.
pub(super) struct Squares<'a> {
    pub(super) grid: Grid,
    units: RTree<GeomWithData<Bounds, WorkedUnit>>,
    /// Pixels along an edge of a square.
    pub(super) edge_px: usize,
    /// Id of the class water.
    water: u8,
    check: &'a BoundaryCheckSection,
    work_folder: &'a Path,
    kept: RefCell<Recent<Cell, Rc<Array2<Seen>>>>,
    /// Passes whose pixels were looked at.
    passes: RefCell<BTreeSet<Digest>>,
    /// Units whose pixels are gone.
    gone: RefCell<BTreeSet<Digest>>,
}

fn box_of(window: Window) -> Bounds {
    // neighbours share no pixel
    let (col, row) = (window.col as f64 + 0.5, window.row as f64 + 0.5);
    Rectangle::from_corners([col, row], [col + window.cols as f64 - 1.0, row + window.rows as f64 - 1.0])
}

impl<'a> Squares<'a> {
    pub(super) fn new(grid: Grid, units: Vec<WorkedUnit>, water: u8, settings: &'a RunSettings) -> Self {
        let units = units.into_iter().map(|unit| GeomWithData::new(box_of(unit.square), unit)).collect();
        let (edge_px, check, work_folder) =
            (settings.unit_px, &settings.boundary_check, settings.work_folder.as_path());
        let kept = RefCell::new(Recent::new(SQUARES_KEPT));
        let (passes, gone) = (RefCell::default(), RefCell::default());
        Self { grid, units: RTree::bulk_load(units), edge_px, water, check, work_folder, kept, passes, gone }
    }

    /// Passes whose pixels were looked at.
    pub(super) fn passes(&self) -> Vec<Digest> {
        self.passes.borrow().iter().copied().collect()
    }

    /// How many units have no pixels that can be read.
    pub(super) fn units_gone(&self) -> usize {
        self.gone.borrow().len()
    }

    /// The units that lie in a window.
    pub(super) fn near(&self, window: Window) -> impl Iterator<Item = &WorkedUnit> {
        let envelope = rstar::RTreeObject::envelope(&box_of(window));
        self.units.locate_in_envelope_intersecting(&envelope).map(|unit| &unit.data)
    }

    /// What passes say of the pixels of a square (row, col).
    pub(super) fn of(&self, cell: Cell) -> Rc<Array2<Seen>> {
        let mut kept = self.kept.borrow_mut();
        if let Some(found) = kept.get(&cell) {
            return found;
        }
        let read = Rc::new(self.read(cell.window(self.edge_px)));
        kept.keep(cell, Rc::clone(&read));
        read
    }

    fn read(&self, square: Window) -> Array2<Seen> {
        let mut units: Vec<&WorkedUnit> = self.near(square).collect();
        units.sort_by_key(|unit| std::cmp::Reverse((unit.post_date, unit.pass_id, unit.id)));
        units.truncate(self.check.passes_max as usize);
        let (mut looks, mut wet) = (Array2::<u16>::zeros(square.shape()), Array2::<u16>::zeros(square.shape()));
        for unit in units {
            let Some((window, classes)) = staged_classes(self.work_folder, &unit.id) else {
                self.gone.borrow_mut().insert(unit.id);
                continue;
            };
            self.passes.borrow_mut().insert(unit.pass_id);
            let Some(common) = window.intersection(&square) else { continue };
            let ((rows, cols), (from_rows, from_cols)) = (square.ranges_of(&common), window.ranges_of(&common));
            Zip::from(looks.slice_mut(ndarray::s![rows.clone(), cols.clone()]))
                .and(wet.slice_mut(ndarray::s![rows, cols]))
                .and(classes.slice(ndarray::s![from_rows, from_cols]))
                .for_each(|looks, wet, &class| {
                    *looks += u16::from(class != NO_CLASS);
                    *wet += u16::from(class == self.water);
                });
        }
        let mut seen = Array2::from_elem(square.shape(), Seen::NotLookedAt);
        Zip::from(&mut seen).and(&looks).and(&wet).for_each(|seen, &looks, &wet| {
            if u32::from(looks) >= self.check.passes_min {
                let is_water = f64::from(wet) > self.check.water_share_min * f64::from(looks);
                *seen = if is_water { Seen::Water } else { Seen::Dry };
            }
        });
        seen
    }
}
