//! Planning: from passes and reaches to independent units of work. Nothing is read but the store.

use std::collections::BTreeMap;

use geo::{BoundingRect, Intersects};
use geo_types::Rect;
use serde::Serialize;

use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::pass::Pass;
use shorewatch_domain::unit::{Before, ChosenPass, RESULTS_VERSION, Unit, UnitContext};

use super::beliefs::Histories;
use super::ground::{Ground, PlacedReach, footprint_px};
use super::look_back::LookBack;
use super::water_levels::WaterLevels;
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
    /// How much water the passes saw, as far as it is known.
    #[serde(skip)]
    pub water: WaterLevels,
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

/// What decides which earlier passes a pass is held against.
#[derive(Clone, Copy, Debug)]
pub struct Choosing<'a> {
    /// The ready passes, in order of acquisition.
    pub passes: &'a [ReadablePass],
    /// How earlier ones are chosen.
    pub look_back: &'a LookBack,
    /// How much water they saw.
    pub water: &'a WaterLevels,
}

impl Choosing<'_> {
    /// What the pass number `later` is held against in a square; `cells_of_pass` are the squares that each pass meets.
    fn chosen(&self, ground: &Ground, cell: Cell, later: usize, cells_of_pass: &[Vec<Cell>]) -> Vec<ChosenPass> {
        let candidates: Vec<_> = (0..later)
            .filter(|&earlier| cells_of_pass[earlier].binary_search(&cell).is_ok())
            .map(|earlier| &self.passes[earlier])
            .collect();
        let pass = &self.passes[later].pass;
        let reaches = || ground.cells[&cell].iter().map(|&index| ground.reaches[index].reach.id.as_str());
        self.look_back.choose(pass, &candidates, |earlier| self.water.difference(reaches(), &pass.id, earlier))
    }

    /// The unit of the pass number `later` in a square.
    fn unit(&self, ground: &Ground, cell: Cell, later: usize, before: Before, context: &UnitContext) -> Unit {
        let ReadablePass { pass, reading } = &self.passes[later];
        let reading_of = |id: &Digest| {
            self.passes[..later].iter().find(|earlier| earlier.pass.id == *id).map(|earlier| &earlier.reading)
        };
        let readings = before.chosen.iter().filter_map(|chosen| reading_of(&chosen.pass_id)).chain([reading]);
        let configuration = readings
            .fold(DigestBuilder::new("reading").digest("configuration", &context.configuration), |builder, reading| {
                builder.digest("reading", reading)
            })
            .finish();
        let of_unit = UnitContext { configuration, ..*context };
        let reaches = ground.cells[&cell].iter().map(|&index| &ground.reaches[index]);
        let reaches = reaches.map(|placed| (placed.reach.id.clone(), placed.digest)).collect();
        Unit::new(ground.grid, cell, ground.edge_px, pass.id, before, reaches, &of_unit)
    }

    /// A publication with its earlier passes chosen anew, by what is known of their water now.
    ///
    /// # Errors
    /// A footprint can't be projected, or the pass is not among those that are ready.
    pub fn again(
        &self,
        ground: &Ground,
        publication: &PlannedPublication,
        context: &UnitContext,
    ) -> Result<PlannedPublication, Failure> {
        let later = self
            .passes
            .iter()
            .position(|read| read.pass.id == publication.pass_id)
            .ok_or_else(|| Failure::internal("a planned pass is not ready"))?;
        let met = |read: &ReadablePass| cells_met(ground, &read.pass);
        let cells_of_pass = self.passes[..later].iter().map(met).collect::<Result<Vec<_>, _>>()?;
        let again = |unit: &Unit| {
            let chosen = self.chosen(ground, unit.cell, later, &cells_of_pass);
            self.unit(ground, unit.cell, later, Before { chosen, belief: unit.belief }, context)
        };
        let units: Vec<_> = publication.units.iter().map(again).collect();
        Ok(PlannedPublication { id: publication_id(ground, &units), units, ..publication.clone() })
    }
}

/// Plans the work of ready passes over the grounds.
///
/// # Errors
/// A footprint can't be projected.
pub fn plan(grounds: &[Ground], choosing: &Choosing<'_>, context: UnitContext) -> Result<Plan, Failure> {
    let passes = choosing.passes;
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
                let chosen = choosing.chosen(ground, cell, i, &cells_of_pass);
                let belief = beliefs.get(&cell).copied();
                units.push(choosing.unit(ground, cell, i, Before { chosen, belief }, &context));
                let square = square_digest(ground, cell, &reaches, &context);
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
    Ok(Plan {
        run_id: run_id(grounds, passes, &context),
        context,
        publications,
        histories,
        water: choosing.water.clone(),
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

/// What a run is asked. Which earlier passes are chosen follows from it as passes are worked, and is no part of it.
fn run_id(grounds: &[Ground], passes: &[ReadablePass], context: &UnitContext) -> Digest {
    let of_pass = |builder: DigestBuilder, read: &ReadablePass| {
        builder.digest("pass", &read.pass.id).digest("reading", &read.reading)
    };
    let of_ground = |builder: DigestBuilder, ground: &Ground| {
        let builder = ground.grid.add_to(builder).field("edge_px", (ground.edge_px as u64).to_le_bytes());
        let builder = ground.reaches.iter().fold(builder, |builder, placed| builder.digest("reach", &placed.digest));
        ground.zone_digests.values().fold(builder, |builder, zones| builder.digest("zones", zones))
    };
    let builder = DigestBuilder::new("run").field("results_version", RESULTS_VERSION.to_le_bytes());
    let builder = grounds.iter().fold(passes.iter().fold(builder, of_pass), of_ground);
    builder.digest("model", &context.model).digest("configuration", &context.configuration).finish()
}

/// What tells the belief of a square apart from another: where it lies, what of it is in scope, by which model, and the priors
/// of the function zones in it.
fn square_digest(ground: &Ground, cell: Cell, reaches: &[&PlacedReach], context: &UnitContext) -> Digest {
    let builder = ground
        .grid
        .add_to(DigestBuilder::new("square"))
        .field("results_version", RESULTS_VERSION.to_le_bytes())
        .field("cell_row", cell.row.to_le_bytes())
        .field("cell_col", cell.col.to_le_bytes())
        .field("edge_px", (ground.edge_px as u64).to_le_bytes())
        .digest("model", &context.model);
    let builder = ground.zone_digests.get(&cell).iter().fold(builder, |builder, zones| builder.digest("zones", zones));
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
