//! Draws many things to plant: apart from each other, land things on land, cages on water.

use super::{PlantKind, Planting};
use crate::noise::Chance;
use ndarray::ArrayView2;

/// How many places are looked at for each thing.
const TRIES: usize = 200;
/// Clear pixels between the outlines of two things, and between a thing and the edge.
const APART_PX: f64 = 6.0;

/// What to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// Everything follows from it.
    pub seed: u64,
    /// How many things to draw, at most: those without room are left out.
    pub count: usize,
    /// Kinds, drawn with equal chance.
    pub kinds: Vec<PlantKind>,
    /// Smallest area in pixels.
    pub smallest_px: f64,
    /// Largest area in pixels.
    pub largest_px: f64,
    /// Edge of a pixel in metres.
    pub ground_sampling_distance_m: f64,
}

/// Things for a scene whose `water` is true where cages may float, (row, column); `allowed` is false where nothing may
/// be planted (unobserved, or already mapped as built-up).
///
/// Areas are even on a scale of doublings between the limits. All things share the direction of the sun.
#[must_use]
pub fn scatter(plan: &Scatter, water: ArrayView2<'_, bool>, allowed: ArrayView2<'_, bool>) -> Vec<Planting> {
    let mut chance = Chance::new(plan.seed, 700);
    let (rows, columns) = water.dim();
    let sun_turns = chance.between(0.0, 1.0);
    let mut placed: Vec<Planting> = Vec::new();
    if plan.kinds.is_empty() || rows == 0 || columns == 0 || allowed.dim() != water.dim() {
        return placed;
    }
    let pixel_m2 = plan.ground_sampling_distance_m * plan.ground_sampling_distance_m;
    for index in 0..plan.count {
        let drawn = chance.between(0.0, plan.kinds.len() as f64) as usize;
        let kind = plan.kinds[drawn.min(plan.kinds.len() - 1)];
        let area_px = doubling(plan.smallest_px, plan.largest_px, &mut chance);
        let (turns, feather_px) = (chance.between(0.0, 1.0), chance.between(0.5, 1.0));
        let seed = plan.seed.wrapping_mul(0x9E37_79B9).wrapping_add(index as u64);
        let room_px = radius_px(kind, area_px);
        let place = (0..TRIES).find_map(|_| {
            let (row, column) = (chance.between(0.0, rows as f64), chance.between(0.0, columns as f64));
            let inside =
                row > room_px && column > room_px && row < rows as f64 - room_px && column < columns as f64 - room_px;
            let apart = placed.iter().all(|other| {
                let (down, right) = (row - other.row, column - other.column);
                let clear = room_px + radius_px(other.kind, other.area_m2 / pixel_m2) + APART_PX;
                down * down + right * right > clear * clear
            });
            (inside && apart && fits(kind, (row, column), room_px, water, allowed)).then_some((row, column))
        });
        if let Some((row, column)) = place {
            placed.push(Planting {
                kind,
                row,
                column,
                area_m2: area_px * pixel_m2,
                turns,
                feather_px,
                sun_turns,
                seed,
            });
        }
    }
    placed
}

/// A number between the limits, each doubling as likely as the next.
fn doubling(low: f64, high: f64, chance: &mut Chance) -> f64 {
    let mut steps = vec![low];
    while let Some(last) = steps.last().filter(|last| **last * 2.0 < high) {
        steps.push(last * 2.0);
    }
    let drawn = chance.between(0.0, steps.len() as f64) as usize;
    let from = steps[drawn.min(steps.len() - 1)];
    chance.between(from, (2.0 * from).min(high))
}

/// Half the long side, about.
fn radius_px(kind: PlantKind, area_px: f64) -> f64 {
    let stretch = match kind {
        PlantKind::Dike => 0.5 * area_px.min(40.0).sqrt() + 1.0,
        PlantKind::Bar => 1.7,
        PlantKind::FishCage => 0.6,
        _ => 1.0,
    };
    area_px.sqrt() * stretch
}

/// Whether the middle and eight points about it are ground of the right sort.
fn fits(
    kind: PlantKind,
    (row, column): (f64, f64),
    room_px: f64,
    water: ArrayView2<'_, bool>,
    allowed: ArrayView2<'_, bool>,
) -> bool {
    let (rows, columns) = water.dim();
    let steps = [-0.7, 0.0, 0.7];
    steps.iter().flat_map(|down| steps.iter().map(move |right| (down, right))).all(|(down, right)| {
        let at_row = ((row + down * room_px).max(0.0) as usize).min(rows - 1);
        let at_column = ((column + right * room_px).max(0.0) as usize).min(columns - 1);
        let wet = water[[at_row, at_column]];
        let sort = match kind {
            PlantKind::FishCage => wet,
            // bars lie at the water's edge, dikes cross it
            PlantKind::Bar | PlantKind::Dike => true,
            _ => !wet,
        };
        allowed[[at_row, at_column]] && sort
    })
}
