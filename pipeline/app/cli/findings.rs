//! `deliver`, `evidence`, `doctor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::ConfigFile;

/// Delivery: sends what is due, or does what the subcommand says.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct DeliverArguments {
    /// Run configuration (TOML).
    #[arg(short, long, value_name = "FILE", env = "SHOREWATCH_CONFIG", required = true)]
    pub config: Option<PathBuf>,
    /// Go on until told to stop.
    #[arg(long)]
    pub watch: bool,
    /// Something else than sending.
    #[command(subcommand)]
    pub command: Option<DeliverCommand>,
}

/// Commands on deliveries.
#[derive(Debug, Subcommand)]
pub enum DeliverCommand {
    /// How every target stands, dead letters, places to be imaged again; exits with 6 where an alarm stands.
    Status {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Print figures in the text format of Prometheus instead.
        #[arg(long)]
        metrics: bool,
    },
    /// Put dead letters of a target back to wait, and switch it on again where it had said 410.
    Replay {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Name of the target.
        target: String,
        /// One event only.
        #[arg(long, value_name = "EVENT")]
        event: Option<String>,
    },
    /// Serve the way back: signed reports of issue systems, reports of places, pictures by link.
    Receive {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Take a report of a place by hand: the next run looks there first.
    Report {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Longitude and latitude in degrees.
        #[arg(long, value_name = "LONGITUDE,LATITUDE", value_parser = point, allow_hyphen_values = true)]
        point: Point,
        /// Around the point.
        #[arg(long, default_value_t = 100.0)]
        radius_m: f64,
        /// Where it comes from ("hotline", "patrol"); no names, no telephone numbers.
        #[arg(long)]
        source: String,
        /// How urgent it is held to be, from 1.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
        level: u8,
        /// What it says.
        #[arg(long)]
        note: Option<String>,
        /// When (RFC 3339); now where it is left out.
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
    },
}

/// Commands on evidence.
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    /// Pack everything that is known of a finding into one zip file: pictures, cut-outs of the imagery, outlines, decisions,
    /// and a manifest with SHA-256 of each.
    Pack {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Id of a finding, case or patch that a person confirmed.
        #[arg(value_name = "CASE|PATCH")]
        finding: String,
        /// File to write.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify a package: every file as the manifest has it, none missing, none beside.
    Verify {
        /// The package.
        file: PathBuf,
    },
}

/// Longitude and latitude in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Longitude.
    pub longitude: f64,
    /// Latitude.
    pub latitude: f64,
}

fn point(text: &str) -> Result<Point, String> {
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("{text:?} is no number"));
    let (longitude, latitude) =
        text.split_once(',').ok_or("expected longitude and latitude with a comma between them")?;
    Ok(Point { longitude: number(longitude)?, latitude: number(latitude)? })
}
