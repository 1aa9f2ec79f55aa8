//! The staged results of a publication as one raster, read square by square.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, Array3, s};

use shorewatch_domain::change::{HELD, NO_CHANGE};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::evidence::TERMS;
use shorewatch_domain::grid::{Cell, Window};
use shorewatch_domain::unit::Unit;

use super::recent::Recent;
use super::staged::{StagedNote, UnitResult, odds_of, staged, staged_labels, staged_note, term_of};
use crate::failure::Failure;
use crate::polygonize::LabelStrip;

/// Unit results kept in memory for look-ups around patches.
const KEPT_RESULTS: usize = 8;

/// The results of all units of a publication.
pub struct Mosaic<'a> {
    work_folder: &'a Path,
    units: BTreeMap<Cell, &'a Unit>,
    edge_px: usize,
    kept: Recent<Cell, Arc<UnitResult>>,
}

/// What is known of a window: pixels that no unit answers for are `None`.
pub struct Known {
    /// The earlier pass that the pixel was compared with, where the later pass observed it too.
    pub compared_with: Array2<Option<Digest>>,
    /// Most probable class before and after, where both are known.
    pub classes: Array2<Option<(u8, u8)>>,
    /// True where some unit answers for the pixel.
    pub looked_at: Array2<bool>,
    /// Most probable class of the first and of the second head in the later pass, where it observed the pixel.
    pub after: Array2<Option<(u8, u8)>>,
    /// True where the pixel was held back: every earlier pass that observed it lies too far off.
    pub held: Array2<bool>,
    /// Log-odds of change; NaN where nothing was compared.
    pub odds: Array2<f32>,
    /// Contributions to them (term, row, col); they mean something under labels only.
    pub terms: Array3<f32>,
}

impl<'a> Mosaic<'a> {
    /// The results of `units`, which must all be staged.
    #[must_use]
    pub fn new(work_folder: &'a Path, units: &'a [Unit]) -> Self {
        let edge_px = units.first().map_or(1, |unit| unit.edge_px);
        Self {
            work_folder,
            units: units.iter().map(|unit| (unit.cell, unit)).collect(),
            edge_px,
            kept: Recent::new(KEPT_RESULTS),
        }
    }

    /// The result of one unit.
    ///
    /// # Errors
    /// It is not staged, or damaged: run `work` again.
    pub fn result(&self, unit: &Unit) -> Result<UnitResult, Failure> {
        staged(self.work_folder, &unit.id).ok_or_else(|| missing(unit))
    }

    /// What the result of one unit says of itself.
    ///
    /// # Errors
    /// As [`Mosaic::result`].
    pub fn note(&self, unit: &Unit) -> Result<StagedNote, Failure> {
        staged_note(self.work_folder, &unit.id).ok_or_else(|| missing(unit))
    }

    /// Groups of squares that touch along an edge or in a corner: no patch of `cells` reaches from one group to another,
    /// nor touches one of another.
    #[must_use]
    pub fn clusters(cells: &BTreeSet<Cell>) -> Vec<BTreeSet<Cell>> {
        let mut left = cells.clone();
        let mut clusters = Vec::new();
        while let Some(first) = left.pop_first() {
            let (mut cluster, mut open) = (BTreeSet::new(), vec![first]);
            while let Some(cell) = open.pop() {
                cluster.insert(cell);
                for down in -1..=1 {
                    for right in -1..=1 {
                        let near = Cell { row: cell.row + down, col: cell.col + right };
                        if left.remove(&near) {
                            open.push(near);
                        }
                    }
                }
            }
            clusters.push(cluster);
        }
        clusters
    }

    /// The labels and confidences of a cluster as full-width strips, one a row of squares, from the first to the last.
    pub fn strips(&self, cluster: &BTreeSet<Cell>) -> impl Iterator<Item = Result<LabelStrip, Failure>> {
        let mut rows: BTreeMap<i64, Vec<Cell>> = BTreeMap::new();
        for &cell in cluster {
            rows.entry(cell.row).or_default().push(cell);
        }
        let first_col = cluster.iter().map(|cell| cell.col).min().unwrap_or(0);
        let cols = cluster.iter().map(|cell| cell.col + 1 - first_col).max().unwrap_or(0) as usize;
        let edge = self.edge_px;
        rows.into_iter().map(move |(row, cells)| {
            let window = Window { row: row * edge as i64, col: first_col * edge as i64, rows: edge, cols: cols * edge };
            let mut labels = Array2::from_elem(window.shape(), NO_CHANGE);
            let mut values = Array2::zeros(window.shape());
            for cell in cells {
                let unit = self.units[&cell];
                let (of_unit, [unit_labels, confidence]) =
                    staged_labels(self.work_folder, &unit.id).ok_or_else(|| missing(unit))?;
                let (rows, cols) = window.ranges_of(&of_unit);
                labels.slice_mut(s![rows.clone(), cols.clone()]).assign(&unit_labels);
                values.slice_mut(s![rows, cols]).assign(&confidence);
            }
            Ok(LabelStrip { labels, values: Some(values), first_row: window.row, first_col: window.col })
        })
    }

    /// What is known of a window.
    ///
    /// # Errors
    /// As [`Mosaic::result`].
    pub fn known(&mut self, window: Window) -> Result<Known, Failure> {
        let mut known = Known {
            compared_with: Array2::from_elem(window.shape(), None),
            classes: Array2::from_elem(window.shape(), None),
            looked_at: Array2::from_elem(window.shape(), false),
            after: Array2::from_elem(window.shape(), None),
            held: Array2::from_elem(window.shape(), false),
            odds: Array2::from_elem(window.shape(), f32::NAN),
            terms: Array3::zeros((TERMS.len(), window.rows, window.cols)),
        };
        for cell in Cell::meeting(window, self.edge_px) {
            let Some(unit) = self.units.get(&cell).copied() else { continue };
            let result = self.kept_result(unit)?;
            let Some(part) = result.change.window.intersection(&window) else { continue };
            let (from_rows, from_cols) = result.change.window.ranges_of(&part);
            let (to_rows, to_cols) = window.ranges_of(&part);
            for (from_row, to_row) in from_rows.zip(to_rows) {
                for (from_col, to_col) in from_cols.clone().zip(to_cols.clone()) {
                    let (from, to) = ((from_row, from_col), (to_row, to_col));
                    known.looked_at[to] = true;
                    if result.change.causes[from].is_observed() {
                        // `NO_EARLIER` and `HELD` are beyond every list
                        let earlier = usize::from(result.change.earlier[from]);
                        known.held[to] = result.change.earlier[from] == HELD;
                        known.compared_with[to] = unit.earlier_pass_ids.get(earlier).copied();
                        known.after[to] = Some((result.change.class_after[from], result.object_after[from]));
                        if let Some(weighed) = &result.weighed {
                            known.odds[to] = odds_of(weighed.odds[from]);
                            for term in 0..TERMS.len() {
                                known.terms[(term, to.0, to.1)] = term_of(weighed.terms[(term, from.0, from.1)]);
                            }
                        }
                        known.classes[to] = Some((result.change.class_before[from], result.change.class_after[from]));
                    }
                }
            }
        }
        Ok(known)
    }

    fn kept_result(&mut self, unit: &Unit) -> Result<Arc<UnitResult>, Failure> {
        if let Some(result) = self.kept.get(&unit.cell) {
            return Ok(result);
        }
        let result = Arc::new(self.result(unit)?);
        self.kept.keep(unit.cell, Arc::clone(&result));
        Ok(result)
    }
}

fn missing(unit: &Unit) -> Failure {
    Failure::retryable(format!(
        "the result of unit {} is missing; run `shorewatch work` or `shorewatch run` again",
        unit.id.short()
    ))
}
