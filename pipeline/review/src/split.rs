//! The part of a patch that a reviewer cut off, measured: a patch of its own.

use geo::{Area as _, Euclidean, InteriorPoint as _, Length as _};
use geo_types::Polygon;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::patch::Patch;
use shorewatch_imagery::crs::Transform;
use shorewatch_store::part_id;

use crate::problem::Problem;

/// Pixels that a part must have.
const LEAST_PX: f64 = 1.0;

/// The part with this outline, cut off by a decision. Where it came from is as for the whole patch; what its outline says is its
/// own. Its pixels are its area in pixels, since the exact ones were not kept.
///
/// # Errors
/// The outline can't be projected, or holds less than a pixel.
pub fn part(patch: &Patch, outline: Polygon<f64>, decision_id: &str) -> Result<Patch, Problem> {
    let ground = Transform::new(Epsg::CGCS2000, patch.grid_epsg)?.polygon(&outline, None)?;
    let area_m2 = ground.unsigned_area();
    let pixels = area_m2 / patch.ground_sampling_distance_m.powi(2);
    let centre = outline.interior_point().filter(|_| pixels >= LEAST_PX).ok_or_else(|| {
        let least = LEAST_PX * patch.ground_sampling_distance_m.powi(2);
        Problem::bad(format!("split_off: expected at least {least:.0} m², got {area_m2:.1}; cut somewhere else"))
    })?;
    Ok(Patch {
        patch_id: part_id(&patch.patch_id, decision_id),
        area_m2,
        perimeter_m: Euclidean.length(ground.exterior()),
        centre: (centre.x(), centre.y()),
        pixel_count: pixels.round() as u64,
        geometry: outline,
        ..patch.clone()
    })
}
