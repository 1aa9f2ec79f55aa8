//! The layers that decide: versions, features, waters, chiefs, departments.

use jiff::Timestamp;
use rusqlite::Transaction;

use crate::geopackage;

/// Schema version 4.
pub(super) fn add(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_4.sql"))?;
    for (layer, geometry_type, description) in [
        (
            "layer_features",
            "MULTIPOLYGON",
            "Areas in force that patches are joined with: scopes, zones, permits, projects, units, known problems",
        ),
        ("waters", "MULTIPOLYGON", "Waters of the register in force (河湖名录), with their surface where it is known"),
        ("water_reaches", "LINESTRING", "Reaches in force (河段): centrelines with chainage"),
        ("kilometre_points", "POINT", "Kilometre points in force (里程桩)"),
        ("named_places", "POINT", "Named places in force (地名)"),
    ] {
        geopackage::register_layer(transaction, layer, geometry_type, description, now)?;
    }
    for (table, description) in [
        ("chiefs", "Chiefs in force (河长), each for a time. Personal data"),
        ("departments", "Departments in force (责任部门), each for a time"),
        ("layer_versions", "Imports of layers, one row a version"),
        ("layer_rows_superseded", "Rows of earlier versions of layers, kept for the record"),
        ("run_layers", "Which versions of the layers each run used"),
    ] {
        geopackage::register_attributes(transaction, table, description, now)?;
    }
    Ok(())
}

/// Schema version 8.
pub(super) fn add_withdrawals(transaction: &Transaction<'_>, _now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute_batch(include_str!("../sql/shorewatch_8.sql"))
}
