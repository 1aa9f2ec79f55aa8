//! The rows of a publication, table by table.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use shorewatch_domain::observed::Coverage;

use super::{Publication, PublishedUnit, share};
use crate::geometry::Shape;
use crate::values::{Hex, Json, Utc};

pub(super) fn insert_publication(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let grid = &publication.grid;
    transaction.execute(
        "INSERT INTO publications (publication_id, run_id, pass_id, grid_epsg, pixel_size_m, grid_origin_x, grid_origin_y,
             post_date, is_current, superseded_by, patch_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, NULL, ?9)
         ON CONFLICT (publication_id) DO UPDATE SET
             run_id = excluded.run_id, post_date = excluded.post_date, is_current = 1, superseded_by = NULL,
             patch_count = excluded.patch_count",
        params![
            Hex(publication.id),
            Hex(publication.run_id),
            Hex(publication.pass_id),
            grid.epsg.0,
            grid.pixel_size_m,
            grid.origin_x,
            grid.origin_y,
            Utc(publication.post_date),
            publication.patches.len() as u64,
        ],
    )?;
    Ok(())
}

pub(super) fn insert_units(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let mut units = transaction.prepare_cached(
        "INSERT INTO units (unit_id, publication_id, pass_id, grid_epsg, pixel_size_m, cell_row, cell_col, edge_px, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut tiles = transaction.prepare_cached(
        "INSERT INTO tiles (geom, unit_id, publication_id, pass_id, post_date, scope_px, observed_px, compared_px,
             observed_share, unobserved)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let publication_id = Hex(publication.id);
    for PublishedUnit { unit, summary, outline } in &publication.units {
        units.execute(params![
            Hex(unit.id),
            publication_id,
            Hex(unit.pass_id),
            unit.grid.epsg.0,
            unit.grid.pixel_size_m,
            unit.cell.row,
            unit.cell.col,
            unit.edge_px as u64,
            Json(summary),
        ])?;
        let mut coverage = Coverage::default();
        summary.coverage.values().for_each(|part| coverage.merge(part));
        tiles.execute(params![
            Shape(outline),
            Hex(unit.id),
            publication_id,
            Hex(unit.pass_id),
            Utc(publication.post_date),
            coverage.scope_px,
            coverage.observed_px,
            coverage.compared_px,
            share(coverage.observed_px, coverage.scope_px),
            Json(coverage.by_cause().collect::<BTreeMap<_, _>>()),
        ])?;
    }
    Ok(())
}

pub(super) fn insert_observations(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO observations (publication_id, reach_id, pass_id, post_date, earlier_pass_ids, pixel_area_m2,
             scope_px, observed_px, compared_px, unobserved_nodata_px, unobserved_outside_px, unobserved_transparent_px,
             unobserved_not_finite_px, unobserved_cloud_px, unobserved_cloud_shadow_px, unobserved_saturated_px,
             unobserved_unreadable_px, scope_area_m2, observed_fraction, compared_fraction, class_px)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?;
    for seen in &publication.observations {
        let [nodata, outside, transparent, not_finite, cloud, cloud_shadow, saturated, unreadable] =
            seen.coverage.unobserved_px;
        statement.execute(params![
            Hex(publication.id),
            seen.reach_id,
            Hex(publication.pass_id),
            Utc(publication.post_date),
            Json(&seen.earlier_pass_ids),
            seen.pixel_area_m2,
            seen.coverage.scope_px,
            seen.coverage.observed_px,
            seen.coverage.compared_px,
            nodata,
            outside,
            transparent,
            not_finite,
            cloud,
            cloud_shadow,
            saturated,
            unreadable,
            seen.scope_area_m2(),
            seen.observed_fraction(),
            seen.compared_fraction(),
            Json(&seen.class_px),
        ])?;
    }
    Ok(())
}
