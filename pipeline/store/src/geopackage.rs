//! What makes a SQLite file a GeoPackage that QGIS opens as it is: the register of tables, extents, spatial indexes.

use jiff::Timestamp;
use rusqlite::{Connection, params};
use shorewatch_domain::crs::Epsg;

use crate::geometry::Envelope;
use crate::values::Utc;

/// 'GPKG' in the header of the file.
pub(crate) const APPLICATION_ID: u32 = 0x4750_4B47;
/// GeoPackage 1.3.0.
const USER_VERSION: u32 = 10_300;

const CORE: &str = include_str!("sql/geopackage.sql");
const SPATIAL_INDEX: &str = include_str!("sql/spatial_index.sql");

/// Writes the header and the core tables into an empty database.
pub(crate) fn create_core(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", USER_VERSION)?;
    connection.execute_batch(CORE)
}

/// Registers a table without geometry.
pub(crate) fn register_attributes(
    connection: &Connection,
    table: &str,
    description: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
         VALUES (?1, 'attributes', ?1, ?2, ?3, 0)",
        params![table, description, Utc(now)],
    )?;
    Ok(())
}

/// Registers a layer with the column `geom` in EPSG:4490 and gives it a spatial index.
pub(crate) fn register_layer(
    connection: &Connection,
    table: &str,
    geometry_type: &str,
    description: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id)
         VALUES (?1, 'features', ?1, ?2, ?3, ?4)",
        params![table, description, Utc(now), Epsg::CGCS2000.0],
    )?;
    connection.execute(
        "INSERT INTO gpkg_geometry_columns (table_name, column_name, geometry_type_name, srs_id, z, m)
         VALUES (?1, 'geom', ?2, ?3, 0, 0)",
        params![table, geometry_type, Epsg::CGCS2000.0],
    )?;
    connection.execute(
        "INSERT INTO gpkg_extensions (table_name, column_name, extension_name, definition, scope)
         VALUES (?1, 'geom', 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
        [table],
    )?;
    connection.execute_batch(&SPATIAL_INDEX.replace("{table}", table))
}

/// Notes that a table changed.
pub(crate) fn touch(connection: &Connection, table: &str, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE gpkg_contents SET last_change = ?2 WHERE table_name = ?1")?
        .execute(params![table, Utc(now)])?;
    Ok(())
}

/// Grows the extent of a layer by what was added to it.
pub(crate) fn grow_extent(
    connection: &Connection,
    table: &str,
    [min_x, max_x, min_y, max_y]: Envelope,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE gpkg_contents SET
                 min_x = min(coalesce(min_x, ?2), ?2), max_x = max(coalesce(max_x, ?3), ?3),
                 min_y = min(coalesce(min_y, ?4), ?4), max_y = max(coalesce(max_y, ?5), ?5)
             WHERE table_name = ?1",
        )?
        .execute(params![table, min_x, max_x, min_y, max_y])?;
    Ok(())
}

/// Takes the extent of a layer anew from its rows, after some were removed or replaced.
pub(crate) fn measure_extent(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            "UPDATE gpkg_contents SET (min_x, max_x, min_y, max_y) =
                 (SELECT min(ST_MinX(geom)), max(ST_MaxX(geom)), min(ST_MinY(geom)), max(ST_MaxY(geom)) FROM {table})
             WHERE table_name = ?1"
        ),
        [table],
    )?;
    Ok(())
}
