//! The command line.

pub mod law;
pub mod layers;
pub mod review;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

mod findings;

pub use findings::{DeliverArguments, DeliverCommand, EvidenceCommand};

/// Finds suspected problems along managed shorelines in satellite and drone imagery.
///
/// Passes of imagery are laid on a fixed grid along the managed reaches, a segmentation model looks at each, and what
/// changed since earlier passes in a suspicious way is emitted as geo-tagged patches with before/after pictures. What was
/// not observed is reported as not observed. Suspected is not guilty: a human confirms.
#[derive(Debug, Parser)]
#[command(name = "shorewatch", version, propagate_version = true, after_long_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Print a summary for machines (JSON) on standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,

    /// Tell more: -v for each unit, -vv for everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Tell only warnings and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Form of log lines on standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Exit codes, as `--help` tells them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  everything was done
  1  a fault of the program itself; please report it
  2  the command line or the configuration is wrong; nothing was done
  3  done, but some inputs were refused, quarantined, held or partly unreadable (see the messages)
  4  refused before any work: model, store and inputs do not fit together
  5  could not go on now (disk full, store in use, input still being copied); the same command may succeed later
  6  `run --due`, `deliver` and `deliver status` only: done, and an alarm stands (no new pass, a reach unobserved, or a message
     not delivered, for too long; an approved project idle; a target switched off; dead letters); inputs may have been
     refused too: 6 goes before 3, and the messages and --json tell both
  7  `report --period` only: written, and approved projects of its scope are idle (占而不用): nothing changed where something
     should have; 7 goes before 3";

/// A run configuration.
#[derive(Debug, Clone, Args)]
pub struct ConfigFile {
    /// Run configuration (TOML); `shorewatch init` writes one to start from.
    #[arg(short, long, value_name = "FILE", env = "SHOREWATCH_CONFIG")]
    pub config: PathBuf,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented run configuration to start from.
    Init {
        /// File to write; an existing one is never overwritten.
        #[arg(default_value = "shorewatch.toml")]
        file: PathBuf,
    },
    /// Register and list passes of imagery.
    #[command(subcommand)]
    Passes(PassesCommand),
    /// Import and list managed reaches.
    #[command(subcommand)]
    Reaches(ReachesCommand),
    /// Layers that decide: management scopes, zones, permits, units, chiefs.
    #[command(subcommand)]
    Layers(layers::LayersCommand),
    /// Do everything that is not done yet: register what the configuration lists, plan, work, publish, picture.
    Run {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// For a timer: take what is complete in the watched folders of `[schedule]` first, and raise its alarms at the end.
        #[arg(long)]
        due: bool,
        /// The date that alarms are reckoned from, for trials (YYYY-MM-DD); by default today's in UTC.
        #[arg(long, value_name = "DATE", hide = true, requires = "due")]
        today: Option<Date>,
    },
    /// Print the units of work that are not published yet, one a line (the first of `run`'s three steps).
    Plan(ConfigFile),
    /// Work units and stage their results (the second step); needs the store for reading only.
    Work {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Ids of units, or unique beginnings of them; `-` reads them from standard input.
        #[arg(required = true, value_name = "UNIT")]
        units: Vec<String>,
    },
    /// Publish what is staged and complete, each pass in one transaction (the third step).
    Publish(ConfigFile),
    /// What the store holds, what is planned, and what was not looked at.
    Status {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// What was not looked at since this date (YYYY-MM-DD, UTC, that day included)?
        #[arg(long, value_name = "DATE")]
        since: Option<Date>,
        /// The date that days are reckoned from, for trials (YYYY-MM-DD); by default today's in UTC.
        #[arg(long, value_name = "DATE", hide = true)]
        today: Option<Date>,
    },
    /// Say of every current patch what it may be in law, how bad it is, where it lies and whose it is (`run` does it too).
    Assess(ConfigFile),
    /// Tell why a patch was judged as it was: evidence, layers, rules that fired and those that did not, provenance.
    Explain(law::ExplainArguments),
    /// Write the ledger of suspected problems as CSV, Excel workbook and GeoPackage.
    Ledger(law::LedgerArguments),
    /// Import national patches (图斑), and write them back with outcome codes.
    #[command(subcommand)]
    National(law::NationalCommand),
    /// Review patches on a page in the browser: the server, and its accounts.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Write the current patches as GeoJSON, GeoPackage, FlatGeobuf and CSV.
    Export {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Formats.
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = ExportFormat::ALL)]
        format: Vec<ExportFormat>,
        /// Folder to write to; by default the configuration's output folder.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Leave out names of officials and permits: for the public.
        #[arg(long)]
        public: bool,
    },
    /// Write the report of the latest run, or of a week, month, quarter or year: one HTML page that needs no network.
    Report {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Of a period.
        #[command(flatten)]
        period: law::PeriodArguments,
        /// File to write; by default `report.html`, `report-PERIOD.html` of a period, in the configuration's output folder.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Truth (GeoJSON) that `shorewatch synth` wrote, to compare with.
        #[arg(long, value_name = "FILE")]
        truth: Option<PathBuf>,
        /// The date that overdue reaches are reckoned from, for trials (YYYY-MM-DD); by default today's in UTC.
        #[arg(long, value_name = "DATE", hide = true)]
        today: Option<Date>,
    },
    /// Paint synthetic passes of a river landscape with known events. Not real imagery.
    Synth {
        /// Folder to write to.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Scene.
        #[arg(long, value_enum, default_value_t = Scene::Demo)]
        scene: Scene,
        /// Seed: the same seed paints the same bytes.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Compare the current patches with the truth of a synthetic scene and write the score.
    Score {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Truth (GeoJSON) that `shorewatch synth` wrote.
        #[arg(long, value_name = "FILE")]
        truth: PathBuf,
        /// File to write; by default `score.json` in the configuration's output folder.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Score the change between two passes: a GeoTIFF (0 to 1, float32) on the grid of the later one. Needs no store.
    Change(ChangeArguments),
    /// What reviewers decided, for training.
    #[command(subcommand)]
    Labels(LabelsCommand),
    /// Measure how good a bundle is on what its training never saw; writes `eval.json` and a page, `eval.html`.
    Eval(EvaluateArguments),
    /// Deliver findings that a person confirmed to the issue system: whatever breaks, once in effect.
    Deliver(DeliverArguments),
    /// Packages of evidence.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Look for what does not fit together: deliveries and pictures that the store does not know (a restored backup?).
    Doctor(ConfigFile),
    /// Look at model bundles.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Print the JSON Schema of run configurations.
    Schema,
    /// Print shell completions.
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
    /// Write man pages, one for each command.
    Man {
        /// Folder to write to.
        out: PathBuf,
    },
}

/// Commands on passes.
#[derive(Debug, Subcommand)]
pub enum PassesCommand {
    /// Register one pass. The same bytes again add nothing; other bytes under the same name are a new revision.
    Add {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// The files of one acquisition.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Name of the sensor profile.
        #[arg(long)]
        sensor: String,
        /// Name of the pass; by default that of its first file.
        #[arg(long)]
        name: Option<String>,
        /// Time of acquisition (RFC 3339 in UTC, a date, or a year); by default from metadata or file name.
        #[arg(long)]
        time: Option<String>,
        /// EPSG code for files that carry no reference system. It is recorded as your claim.
        #[arg(long, value_name = "CODE")]
        assign_epsg: Option<u32>,
    },
    /// List passes.
    List(ConfigFile),
}

/// Commands on reaches.
#[derive(Debug, Subcommand)]
pub enum ReachesCommand {
    /// Import managed reaches from a vector file, all or none.
    Import {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Any vector file that GDAL reads.
        file: PathBuf,
        /// Layer; by default the only one.
        #[arg(long)]
        layer: Option<String>,
        /// Field with the code of a reach.
        #[arg(long, default_value = "reach_id")]
        id_field: String,
        /// Field with its name.
        #[arg(long, default_value = "name")]
        name_field: String,
        /// Half width in metres for centrelines.
        #[arg(long, value_name = "METRES")]
        buffer_m: Option<f64>,
        /// EPSG code for a file that carries no reference system.
        #[arg(long, value_name = "CODE")]
        assign_epsg: Option<u32>,
    },
    /// List reaches.
    List(ConfigFile),
}

/// Commands on reviewed patches.
#[derive(Debug, Subcommand)]
pub enum LabelsCommand {
    /// Write confirmed and rejected patches as chips with masks, weights and provenance: what `models/training/finetune.py`
    /// learns from.
    Export {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Folder to write to; it must not exist yet, or be empty.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

/// Two passes.
#[derive(Debug, Clone, Args)]
pub struct ChangeArguments {
    /// The files of the earlier pass.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub before: Vec<PathBuf>,
    /// Still earlier passes of one file each, by the sensor of the earlier one: what looks as on any of them is nothing new.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    pub earlier: Vec<PathBuf>,
    /// The files of the later pass.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub after: Vec<PathBuf>,
    /// Name of the sensor profile, or the file (.toml) of one.
    #[arg(long, value_name = "SENSOR")]
    pub sensor: String,
    /// The same for the earlier pass, where another sensor took it.
    #[arg(long, value_name = "SENSOR")]
    pub before_sensor: Option<String>,
    /// GeoTIFF to write: 32-bit floats, 0 (no change) to 1; nodata where either date was not observed.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// A folder of sensor profiles beside the built-in ones.
    #[arg(long, value_name = "FOLDER")]
    pub sensors: Option<PathBuf>,
    /// Folder of the model bundles.
    #[arg(long, value_name = "FOLDER", default_value = "models")]
    pub models: PathBuf,
    /// Name of the segmentation bundle.
    #[arg(long, value_name = "NAME", default_value = "shoreland")]
    pub bundle: String,
    /// Name of the bundle that is shown both dates.
    #[arg(long, value_name = "NAME", default_value = "shorechange")]
    pub change_bundle: String,
}

/// What is to be evaluated, and on what.
#[derive(Debug, Clone, Args)]
pub struct EvaluateArguments {
    /// Name of the bundle.
    #[arg(long, value_name = "NAME", default_value = "shoreland")]
    pub bundle: String,
    /// Folder to write `eval.json` and `eval.html` to.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Folder of the bundles.
    #[arg(long, default_value = "models")]
    pub folder: PathBuf,
    /// Folder with `worldcover-chips` and `mining-gallery`.
    #[arg(long, value_name = "FOLDER", env = "SHOREWATCH_DATA", default_value = "../shared/data")]
    pub data: PathBuf,
    /// List of the chips that training never saw; by default `holdout.json` of the bundle.
    #[arg(long, value_name = "FILE")]
    pub holdout: Option<PathBuf>,
    /// Which form of the weights; by default the first that this program can run.
    #[arg(long, value_enum)]
    pub format: Option<WeightsFormat>,
    /// The library of ONNX Runtime, where the program does not find it by itself.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime_library: Option<PathBuf>,
}

/// Forms of the weights of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WeightsFormat {
    /// TorchScript, run by libtorch.
    Torchscript,
    /// ONNX in single precision, run by ONNX Runtime.
    Onnx,
    /// ONNX in 8 bits, run by ONNX Runtime.
    OnnxInt8,
}

/// A model bundle.
#[derive(Debug, Clone, Args)]
pub struct BundleName {
    /// Name of the bundle.
    pub name: String,
    /// Folder of the bundles.
    #[arg(long, default_value = "models")]
    pub folder: PathBuf,
    /// The library of ONNX Runtime, where the program does not find it by itself.
    #[arg(long, value_name = "FILE")]
    pub onnxruntime_library: Option<PathBuf>,
}

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show what a bundle is and what it wants.
    Inspect(BundleName),
    /// Check a bundle: manifest, digests, shapes by a dry run, and that its forms agree.
    Verify(BundleName),
    /// Measure how many megapixels a second each form of a bundle does on this machine.
    Bench {
        /// The bundle.
        #[command(flatten)]
        bundle: BundleName,
        /// Workers that segment at the same time, one thread each; by default one a core.
        #[arg(long)]
        workers: Option<std::num::NonZeroUsize>,
        /// Edge of the windows in pixels, without halo.
        #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u16).range(64..=8192))]
        window_px: u16,
        /// Least seconds for each form.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
        seconds: u16,
        /// On the first CUDA device: the TorchScript form alone.
        #[arg(long)]
        cuda: bool,
        /// In half precision.
        #[arg(long, requires = "cuda")]
        half_precision: bool,
    },
}

/// Export formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// GeoJSON (RFC 7946).
    Geojson,
    /// GeoPackage.
    Gpkg,
    /// FlatGeobuf.
    Fgb,
    /// CSV with WKT.
    Csv,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Geojson, Self::Gpkg, Self::Fgb, Self::Csv];
}

/// Synthetic scenes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scene {
    /// The scene of `scripts/demo`.
    Demo,
    /// A quarter of it in three passes, for tests.
    Small,
    /// A quarter of it in four passes: of two things one is cleared away in the last.
    Closures,
}
