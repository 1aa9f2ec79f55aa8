//! A patch with the outline that a reviewer drew: what its outline says is measured anew, in the system of its grid.

use geo::{Area as _, Euclidean, InteriorPoint as _, Length as _};
use geo_types::Polygon;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::patch::Patch;

use crate::ImageryError;
use crate::crs::Transform;

/// The patch with another outline (CGCS2000: longitude, latitude): area, perimeter and centre are those of the outline, and its
/// pixels are its area in pixels, since the exact ones were not kept. All else is as for the patch as it was found.
///
/// # Errors
/// The outline can't be projected.
pub fn redrawn(patch: &Patch, outline: Polygon<f64>) -> Result<Patch, ImageryError> {
    let ground = Transform::new(Epsg::CGCS2000, patch.grid_epsg)?.polygon(&outline, None)?;
    let area_m2 = ground.unsigned_area();
    let length_m: f64 =
        std::iter::once(ground.exterior()).chain(ground.interiors()).map(|ring| Euclidean.length(ring)).sum();
    Ok(Patch {
        area_m2,
        perimeter_m: length_m,
        centre: outline.interior_point().map_or(patch.centre, |centre| (centre.x(), centre.y())),
        pixel_count: (area_m2 / patch.ground_sampling_distance_m.powi(2)).round() as u64,
        geometry: outline,
        ..patch.clone()
    })
}
