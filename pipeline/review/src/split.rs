//! The part of a patch that a reviewer cut off, measured: a patch of its own.

use geo_types::Polygon;
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::redrawn::redrawn;
use shorewatch_store::part_id;

use crate::problem::Problem;

/// Pixels that a part must have.
const LEAST_PX: f64 = 1.0;

/// The part with this outline, cut off by a decision. Where it came from is as for the whole patch; what its outline says is its
/// own.
///
/// # Errors
/// The outline can't be projected, or holds less than a pixel.
pub fn part(patch: &Patch, outline: Polygon<f64>, decision_id: &str) -> Result<Patch, Problem> {
    let part = redrawn(patch, outline)?;
    let least = LEAST_PX * patch.ground_sampling_distance_m.powi(2);
    if part.area_m2 < least {
        let got = part.area_m2;
        return Err(Problem::bad(format!(
            "split_off: expected at least {least:.0} m², got {got:.1}; cut somewhere else"
        )));
    }
    Ok(Patch { patch_id: part_id(&patch.patch_id, decision_id), ..part })
}
