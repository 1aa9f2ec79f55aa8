//! Staircases become straight lines, and borders that two regions share stay shared.
//!
//! The rings of all regions together are cut into *arcs* at the corners where three or more borders meet; each
//! arc is simplified once and used by both sides. An arc is a subset of its corners, found by Douglas and
//! Peucker, then refined until no corner of any border lies between the arc and what replaces it (Saalfeld)
//! and no two arcs share a segment. Then the replaced borders can neither cross, nor touch where they did not
//! touch before, nor step over an island: polygons stay valid, holes stay inside, neighbours stay neighbours.
//! In the worst case refinement ends at the exact arc, which is always good.

mod arcs;
mod lines;
#[cfg(test)]
mod tests;

use geo_types::{Coord, LineString, Polygon};

use super::error::ExtractError;
use super::region::Region;
use arcs::Topology;

/// Simplified polygons of `regions`, one each in their order, in pixel-corner coordinates (x = column, y = row)
/// and in the same sense as the exact rings (see [`Region::to_polygon`]).
///
/// `tolerance` is in pixels: each exact corner lies within it from the segment that replaces it. Corners kept
/// are corners of the pixel lattice. 0 keeps the exact rings, with junctions on straight borders as corners;
/// from 0.71 (½√2) up, a staircase of single pixels at 45° becomes one line, from 1 up one of any slope.
///
/// Give neighbours in one call: a border is simplified alike for both regions that share it, and junctions with
/// a third region or the background stay where they are. A border is the same wherever else it is simplified
/// as long as the regions along it, and those within the tolerance of it, are the same.
///
/// The exact and the simplified border of a region lie within the tolerance of one another, so that its area
/// changes by no more than Σ (2 · tolerance · length + π · tolerance²) over its simplified segments; on
/// staircases the changes on both sides cancel for the most part. Use
/// [`pixel_count`](Region::pixel_count) where the area matters.
///
/// # Errors
/// [`ExtractError::Tolerance`] for a tolerance that is negative or not finite.
pub fn simplify(regions: &[Region], tolerance: f64) -> Result<Vec<Polygon<f64>>, ExtractError> {
    if !tolerance.is_finite() || tolerance < 0.0 {
        return Err(ExtractError::Tolerance { got: tolerance });
    }
    let topology = Topology::of(regions);
    let lines = lines::simplify_arcs(&topology, tolerance);

    let mut rings = topology.rings.iter().map(|ring| {
        let mut line: Vec<Coord<f64>> = Vec::new();
        for step in ring {
            let corners = &lines[step.arc as usize];
            let coord = |&id: &u32| {
                let corner = topology.corners[id as usize];
                Coord { x: corner.x as f64, y: corner.y as f64 }
            };
            // the last corner of each arc is the first of the next
            let skip = usize::from(!line.is_empty());
            if step.backwards {
                line.extend(corners.iter().rev().skip(skip).map(coord));
            } else {
                line.extend(corners.iter().skip(skip).map(coord));
            }
        }
        LineString::new(line)
    });
    let polygons = regions.iter().map(|region| {
        let exterior = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
        let holes = rings.by_ref().take(region.holes.len()).collect();
        Polygon::new(exterior, holes)
    });
    Ok(polygons.collect())
}
