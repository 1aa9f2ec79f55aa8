//! `shorewatch layers`.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;

use super::ConfigFile;

/// Commands on layers that decide.
#[derive(Debug, Subcommand)]
pub enum LayersCommand {
    /// Import the layers of the configuration that changed, each whole or not at all. The earlier version stays in force
    /// where something is wrong.
    Import {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Only these layers, by name ("mining_permit", "management_scope/buffer"); by default all.
        #[arg(value_name = "LAYER")]
        layers: Vec<String>,
        /// A file without rows is meant: nothing of this kind is there. Only with the layers named; without it such a file is
        /// refused, for it is mostly a slip of whoever delivered it.
        #[arg(long, requires = "layers")]
        empty: bool,
    },
    /// Take a layer out of force. Its versions are kept, and it stays out until it is imported again by name: what it would
    /// tell of a patch is *unknown* from then on.
    Withdraw {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Name of the layer.
        layer: String,
        /// Why. It stands in the list of versions.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the layers in force, with their versions.
    List {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Earlier versions too.
        #[arg(long)]
        all: bool,
    },
    /// Look for defects of the layers in force: scopes that do not contain their water or lie shifted against it, gaps and
    /// overlaps between neighbours, reaches that overlap, chiefs whose periods leave gaps, reaches and units without a chief.
    ///
    /// Water is that of the register, and that which most passes saw (`[boundary_check]` in the configuration): a scope is
    /// looked at where runs have worked its ground and their work folder is still there. Nothing is mended.
    Check {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Write the places of the defects to this file (.gpkg or .geojson).
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The day on which chiefs must be in office (YYYY-MM-DD); by default today in UTC.
        #[arg(long, value_name = "DATE")]
        day: Option<Date>,
    },
    /// Show what a version of a layer changed: rows added, removed, renamed, moved.
    Diff {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Name of the layer.
        layer: String,
        /// The later version; by default the one in force.
        #[arg(long, value_name = "NUMBER")]
        to: Option<u32>,
        /// The earlier version; by default the one before.
        #[arg(long, value_name = "NUMBER")]
        from: Option<u32>,
    },
}
