//! Maps: what was looked at and where patches lie.

use std::collections::BTreeMap;

use geo::MapCoordsInPlace;
use geo_types::MultiPolygon;
use ndarray::Array2;

use shorewatch_domain::change::is_compared;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_domain::sensor::BandRole;
use shorewatch_report::{Coverage, MapPicture, Overview, OverviewPatch, OverviewReach, PatchCard, render_overview};

use crate::failure::Failure;
use crate::run::chips::{self, in_pixels};
use crate::run::ground::{Ground, bounding_window};
use crate::run::plan::{Plan, PlannedPublication};
use crate::run::readers::NATURAL;
use crate::run::session::Session;
use crate::run::staged;

/// Longest edge of a map in pixels.
const MAP_EDGE_PX: usize = 1000;

/// Room around the reaches on a map, as a share of their extent.
const MAP_ROOM: f64 = 0.04;

/// The map of one grid; `None` where no pass covers it.
pub(super) fn map(
    session: &Session,
    plan: &Plan,
    number: usize,
    ground: &Ground,
    patches: &[Patch],
    cards: &[PatchCard],
) -> Result<Option<MapPicture>, Failure> {
    let publications: Vec<_> = plan.publications.iter().filter(|publication| publication.ground == number).collect();
    let Some(latest) = publications.last() else { return Ok(None) };
    let scope: MultiPolygon<f64> = ground.reaches.iter().flat_map(|placed| placed.scope_px.iter().cloned()).collect();
    let Some(full) = bounding_window(&scope) else { return Ok(None) };
    let full = full.grown((full.rows.max(full.cols) as f64 * MAP_ROOM).ceil() as usize);
    let factor = full.rows.max(full.cols).div_ceil(MAP_EDGE_PX);
    let grid = Grid { pixel_size_m: ground.grid.pixel_size_m * factor as f64, ..ground.grid };
    let step = factor as i64;
    let window = Window {
        row: full.row.div_euclid(step),
        col: full.col.div_euclid(step),
        rows: full.rows.div_ceil(factor) + 1,
        cols: full.cols.div_ceil(factor) + 1,
    };
    let place = |polygons: &mut MultiPolygon<f64>| {
        polygons.map_coords_in_place(|point| {
            (point.x / step as f64 - window.col as f64, point.y / step as f64 - window.row as f64).into()
        });
    };
    let pass = session.context.pass(&latest.pass_id)?;
    let readers = &session.context.readers;
    let display = readers.display_roles(pass)?;
    let (background, background_observed) = chips::picture(readers, &pass.id, &display, grid, window)?;
    let mut reaches = Vec::new();
    let mut in_scope = Array2::from_elem(window.shape(), false);
    for placed in &ground.reaches {
        let mut outline = placed.scope_px.clone();
        place(&mut outline);
        let local = Window { row: 0, col: 0, ..window };
        rasterise::for_each_run(&outline, local, |row, cols| in_scope.slice_mut(ndarray::s![row, cols]).fill(true));
        reaches.push(OverviewReach { reach_id: placed.reach.id.clone(), outline });
    }
    let looked_at = looked_at(session, &publications, window, factor);
    let coverage = ndarray::Zip::from(&in_scope).and(&looked_at).map_collect(|&scope, &seen| match (scope, seen) {
        (false, _) => Coverage::OutOfScope,
        (true, true) => Coverage::Observed,
        (true, false) => Coverage::Unobserved,
    });
    let rank: BTreeMap<&str, usize> = cards.iter().map(|card| (card.patch_id.as_str(), card.rank)).collect();
    let mut shown = Vec::new();
    for patch in patches.iter().filter(|patch| patch.grid_epsg == ground.grid.epsg) {
        let mut outline = in_pixels(&MultiPolygon::from(patch.geometry.clone()), &ground.grid)?;
        place(&mut outline);
        shown.push(OverviewPatch { rank: rank[patch.patch_id.as_str()], outline });
    }
    let roles = display.map(BandRole::name).join(", ");
    let date = pass.acquired.map_or_else(String::new, |time| time.label());
    let title = format!("{}, {} m", ground.grid.epsg, ground.grid.pixel_size_m);
    let picture = render_overview(&Overview {
        name: title.clone(),
        background,
        natural_colour: display == NATURAL,
        background_observed,
        coverage,
        gsd_m: grid.pixel_size_m,
        reaches,
        patches: shown,
    })
    .map_err(|fault| Failure::internal(format!("map {title}: {fault}")))?;
    Ok(Some(MapPicture { title, background: format!("{date}, {}, {roles}", pass.sensor), picture }))
}

/// Where some pair of passes (or the only pass) observed the ground, on the map's lattice.
fn looked_at(session: &Session, publications: &[&PlannedPublication], window: Window, factor: usize) -> Array2<bool> {
    let mut seen = Array2::from_elem(window.shape(), false);
    let pairs =
        publications.iter().any(|publication| publication.units.iter().any(|unit| !unit.earlier_pass_ids.is_empty()));
    let step = factor as i64;
    for unit in publications.iter().flat_map(|publication| &publication.units) {
        let Some(result) = staged::staged(&session.context.work_folder, &unit.id) else { continue };
        let change = result.change;
        for ((row, col), seen) in seen.indexed_iter_mut().filter(|(_, seen)| !**seen) {
            // the centre of the map pixel, in the unit's window
            let row = (window.row + row as i64) * step + step / 2 - change.window.row;
            let col = (window.col + col as i64) * step + step / 2 - change.window.col;
            if row >= 0 && col >= 0 && (row as usize) < change.window.rows && (col as usize) < change.window.cols {
                let place = (row as usize, col as usize);
                *seen = change.causes[place].is_observed() && (!pairs || is_compared(change.earlier[place]));
            }
        }
    }
    seen
}
