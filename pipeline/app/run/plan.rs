//! Planning: from passes and reaches to independent units of work. Nothing is read but the store.

use std::collections::BTreeMap;

use geo::{BoundingRect, Intersects, MapCoordsInPlace};
use geo_types::{LineString, MultiPolygon, Polygon, Rect};
use serde::Serialize;

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Cell, Grid};
use shorewatch_domain::pass::Pass;
use shorewatch_domain::unit::{Unit, UnitContext};
use shorewatch_imagery::crs::Transform;

use super::ground::Ground;
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
    look_back_passes: usize,
    context: UnitContext,
) -> Result<Plan, Failure> {
    let mut publications = Vec::new();
    let mut covered: BTreeMap<&str, bool> = BTreeMap::new();
    let mut met = vec![false; passes.len()];
    for (number, ground) in grounds.iter().enumerate() {
        for placed in &ground.reaches {
            covered.entry(&placed.reach.id).or_insert(false);
        }
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
                let earlier: Vec<_> = (0..i)
                    .rev()
                    .filter(|&earlier| cells_of_pass[earlier].binary_search(&cell).is_ok())
                    .take(look_back_passes)
                    .map(|earlier| &passes[earlier])
                    .collect();
                let readings = earlier.iter().map(|earlier| &earlier.reading).chain([reading]);
                let configuration = readings
                    .fold(
                        DigestBuilder::new("reading").digest("configuration", &context.configuration),
                        |builder, reading| builder.digest("reading", reading),
                    )
                    .finish();
                let of_unit = UnitContext { configuration, ..context };
                let earlier = earlier.iter().map(|earlier| earlier.pass.id).collect();
                let reaches = reaches.iter().map(|placed| (placed.reach.id.clone(), placed.digest)).collect();
                units.push(Unit::new(ground.grid, cell, ground.edge_px, pass.id, earlier, reaches, &of_unit));
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

fn publication_id(ground: &Ground, units: &[Unit]) -> Digest {
    let builder =
        units.iter().fold(DigestBuilder::new("publication"), |builder, unit| builder.digest("unit", &unit.id));
    // a reach beyond the pass is part of what is published: it was not looked at
    ground.reaches.iter().fold(builder, |builder, placed| builder.digest("reach", &placed.digest)).finish()
}

/// The squares in scope that the footprint of a pass meets, in order.
fn cells_met(ground: &Ground, pass: &Pass) -> Result<Vec<Cell>, Failure> {
    let ring = LineString::from(pass.footprint.clone());
    let footprint = MultiPolygon::from(Polygon::new(ring, Vec::new()));
    let transform = Transform::new(Epsg::WGS84, ground.grid.epsg)?;
    // a footprint that can't be projected lies on another side of the earth
    let Ok(mut footprint) = transform.multi_polygon(&footprint, None) else { return Ok(Vec::new()) };
    footprint.map_coords_in_place(|point| ground.grid.to_pixel(point.x, point.y).into());
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
