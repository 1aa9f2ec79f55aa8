//! Places that people reported: their squares are worked first.

use geo_types::MultiPolygon;

use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::unit::Unit;
use shorewatch_store::Store;

use super::chips::in_pixels;
use super::ground::bounding_window;
use crate::failure::Failure;

/// Windows of the open reported places on a grid, the most urgent first. A place that the grid's system cannot hold is none of
/// its places.
///
/// # Errors
/// The store can't be read.
pub(super) fn reported(store: &Store, grid: &Grid) -> Result<Vec<Window>, Failure> {
    let areas = store.open_tasking_areas()?;
    let window = |outline| bounding_window(&in_pixels(&MultiPolygon::from(outline), grid).ok()?);
    Ok(areas.into_iter().filter_map(|area| window(area.outline)).collect())
}

/// Place of a unit in the order of urgency: that of the first reported place that it meets, else behind all of them.
pub(super) fn urgency(unit: &Unit, reported: &[Window]) -> usize {
    let window = unit.window();
    reported.iter().position(|place| place.intersection(&window).is_some()).unwrap_or(reported.len())
}
