//! Planning: from passes and reaches to independent units of work. Nothing is read but the store.

use std::collections::BTreeMap;

use geo::{BoundingRect, Intersects};
use geo_types::Rect;
use serde::Serialize;

use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::pass::Pass;
use shorewatch_domain::unit::{Before, RESULTS_VERSION, Unit, UnitContext};

use super::beliefs::Histories;
use super::ground::{Ground, PlacedReach, footprint_px};
use super::look_back::LookBack;
use crate::failure::Failure;

/// What is published in one transaction: everything that one pass says on one grid.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedPublication {
    /// Digest of its units and of the reaches on the grid.
    pub id: Digest,
    /// The pass that is looked at.
    pub pass_id: Digest,
    /// Index of the ground in the run.
    pub ground: usize,
    /// The grid.
    pub grid: Grid,
    /// The units, in order of their squares.
    pub units: Vec<Unit>,
}

/// A run as a list of publications. The same inputs give the same plan, wherever it is made.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Digest of everything that is planned: a run that was broken off and goes on is the same run.
    pub run_id: Digest,
    /// What all units share.
    pub context: UnitContext,
    /// In order of acquisition.
    pub publications: Vec<PlannedPublication>,
    /// How each belief came about.
    #[serde(skip)]
    pub histories: Histories,
    /// Ids of reaches that no pass covers.
    pub reaches_outside_every_pass: Vec<String>,
    /// Names of passes that meet no reach.
    pub passes_without_reach: Vec<String>,
}

impl Plan {
    /// All units, in the order of work.
    pub fn units(&self) -> impl Iterator<Item = (&PlannedPublication, &Unit)> {
        self.publications.iter().flat_map(|publication| publication.units.iter().map(move |unit| (publication, unit)))
    }
}

/// A pass, and how it is read.
#[derive(Clone, Debug)]
pub struct ReadablePass {
    /// The pass.
    pub pass: Pass,
    /// Digest of its sensor's profile and of what was fitted to it: read otherwise, it is another input.
    pub reading: Digest,
}

/// Plans the work of `passes` (ready ones, in order of acquisition) over the grounds.
///
/// # Errors
/// A footprint can't be projected.
pub fn plan(
    grounds: &[Ground],
    passes: &[ReadablePass],
    look_back: &LookBack,
    context: UnitContext,
) -> Result<Plan, Failure> {
    let mut publications = Vec::new();
    let mut histories = Histories::default();
    let mut covered: BTreeMap<&str, bool> = BTreeMap::new();
    let mut met = vec![false; passes.len()];
    for (number, ground) in grounds.iter().enumerate() {
        for placed in &ground.reaches {
            covered.entry(&placed.reach.id).or_insert(false);
        }
        let mut beliefs: BTreeMap<Cell, Digest> = BTreeMap::new();
        let cells_of_pass = passes.iter().map(|read| cells_met(ground, &read.pass)).collect::<Result<Vec<_>, _>>()?;
        for (i, ReadablePass { pass, reading }) in passes.iter().enumerate() {
            if cells_of_pass[i].is_empty() {
                continue;
            }
            met[i] = true;
            let mut units = Vec::with_capacity(cells_of_pass[i].len());
            for &cell in &cells_of_pass[i] {
                let reaches: Vec<_> = ground.cells[&cell].iter().map(|&index| &ground.reaches[index]).collect();
                for placed in &reaches {
                    covered.insert(&placed.reach.id, true);
                }
                let candidates: Vec<_> = (0..i)
                    .filter(|&earlier| cells_of_pass[earlier].binary_search(&cell).is_ok())
                    .map(|earlier| &passes[earlier])
                    .collect();
                let earlier = look_back.choose(pass, &candidates);
                let readings = earlier.iter().map(|earlier| &earlier.reading).chain([reading]);
                let configuration = readings
                    .fold(
                        DigestBuilder::new("reading").digest("configuration", &context.configuration),
                        |builder, reading| builder.digest("reading", reading),
                    )
                    .finish();
                let of_unit = UnitContext { configuration, ..context };
                let earlier = earlier.iter().map(|earlier| earlier.pass.id).collect();
                let square = square_digest(ground, cell, &reaches, &context);
                let reaches = reaches.iter().map(|placed| (placed.reach.id.clone(), placed.digest)).collect();
                let belief = beliefs.get(&cell).copied();
                let before = Before { pass_ids: earlier, belief };
                units.push(Unit::new(ground.grid, cell, ground.edge_px, pass.id, before, reaches, &of_unit));
                beliefs.insert(cell, histories.step(belief, pass.id, reading, &square));
            }
            publications.push((
                i,
                PlannedPublication {
                    id: publication_id(ground, &units),
                    pass_id: pass.id,
                    ground: number,
                    grid: ground.grid,
                    units,
                },
            ));
        }
    }
    publications.sort_by_key(|(i, publication)| (*i, publication.ground));
    let publications: Vec<_> = publications.into_iter().map(|(_, publication)| publication).collect();
    let run_id = publications
        .iter()
        .fold(DigestBuilder::new("run"), |builder, publication| builder.digest("publication", &publication.id))
        .digest("model", &context.model)
        .digest("configuration", &context.configuration)
        .finish();
    Ok(Plan {
        run_id,
        context,
        publications,
        histories,
        reaches_outside_every_pass: covered
            .iter()
            .filter(|(_, covered)| !**covered)
            .map(|(id, _)| (*id).to_owned())
            .collect(),
        passes_without_reach: passes
            .iter()
            .zip(met)
            .filter(|(_, met)| !met)
            .map(|(read, _)| read.pass.name.clone())
            .collect(),
    })
}

/// What tells the belief of a square apart from another: where it lies, what of it is in scope, and by which model.
fn square_digest(ground: &Ground, cell: Cell, reaches: &[&PlacedReach], context: &UnitContext) -> Digest {
    let builder = ground
        .grid
        .add_to(DigestBuilder::new("square"))
        .field("results_version", RESULTS_VERSION.to_le_bytes())
        .field("cell_row", cell.row.to_le_bytes())
        .field("cell_col", cell.col.to_le_bytes())
        .field("edge_px", (ground.edge_px as u64).to_le_bytes())
        .digest("model", &context.model);
    reaches.iter().fold(builder, |builder, placed| builder.digest("reach", &placed.digest)).finish()
}

fn publication_id(ground: &Ground, units: &[Unit]) -> Digest {
    let builder =
        units.iter().fold(DigestBuilder::new("publication"), |builder, unit| builder.digest("unit", &unit.id));
    // a reach beyond the pass is part of what is published: it was not looked at
    ground.reaches.iter().fold(builder, |builder, placed| builder.digest("reach", &placed.digest)).finish()
}

/// The squares in scope that the footprint of a pass meets, in order.
fn cells_met(ground: &Ground, pass: &Pass) -> Result<Vec<Cell>, Failure> {
    let Some(footprint) = footprint_px(&ground.grid, pass)? else { return Ok(Vec::new()) };
    let Some(bounds) = footprint.bounding_rect() else { return Ok(Vec::new()) };
    Ok(ground
        .cells
        .keys()
        .copied()
        .filter(|cell| {
            let window = cell.window(ground.edge_px);
            let square =
                Rect::new((window.col as f64, window.row as f64), (window.col_end() as f64, window.row_end() as f64));
            bounds.intersects(&square) && footprint.intersects(&square)
        })
        .collect())
}
