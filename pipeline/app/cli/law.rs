//! What can be asked of assessments, ledgers and periodic reports.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;

use super::ConfigFile;

/// Language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TextLanguage {
    /// English.
    #[default]
    En,
    /// 中文.
    Zh,
}

impl From<TextLanguage> for shorewatch_domain::law::assessment::Language {
    fn from(language: TextLanguage) -> Self {
        match language {
            TextLanguage::En => Self::English,
            TextLanguage::Zh => Self::Chinese,
        }
    }
}

/// Which patch to explain.
#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Id of the patch, or its number.
    #[arg(value_name = "PATCH")]
    pub patch: String,
    /// Language.
    #[arg(long, value_enum, default_value_t)]
    pub language: TextLanguage,
}

/// What ledger to write.
#[derive(Debug, Clone, Args)]
pub struct LedgerArguments {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Formats.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = LedgerFormat::ALL)]
    pub format: Vec<LedgerFormat>,
    /// Leave out names of officials and permits: for the public.
    #[arg(long)]
    pub public: bool,
    /// Take in patches that were kept out of the queue too (permitted, known, reviewed before), each with its reason.
    #[arg(long)]
    pub all: bool,
    /// Language of headers and values.
    #[arg(long, value_enum, default_value_t = TextLanguage::Zh)]
    pub language: TextLanguage,
    /// Folder to write to; by default the configuration's output folder.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// Formats of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LedgerFormat {
    /// CSV in UTF-8 with a byte order mark, as spreadsheets want it.
    Csv,
    /// Excel workbook.
    Xlsx,
    /// GeoPackage with outlines; fields in English.
    Gpkg,
}

impl LedgerFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Xlsx, Self::Gpkg];
}

/// A report of a period instead of that of the latest run.
#[derive(Debug, Clone, Args)]
pub struct PeriodArguments {
    /// A report of the week, month, quarter or year that `--until` lies in, instead of that of the latest run.
    #[arg(long, value_enum)]
    pub period: Option<ReportPeriod>,
    /// A day of the period (YYYY-MM-DD); by default that of the latest pass.
    #[arg(long, value_name = "DATE", requires = "period")]
    pub until: Option<Date>,
    /// Only of a city, county, river, reach (by its code) or chief (by name), for example `--of river FBA100000000`.
    #[arg(long, num_args = 2, value_names = ["KIND", "CODE"], requires = "period")]
    pub of: Option<Vec<String>>,
    /// Language of a report of a period.
    #[arg(long, value_enum, default_value_t, requires = "period")]
    pub language: TextLanguage,
    /// Write a PDF beside the page (needs Chromium).
    #[arg(long, requires = "period")]
    pub pdf: bool,
    /// Leave out names of officials: for the public.
    #[arg(long, requires = "period")]
    pub public: bool,
}

/// Periods of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportPeriod {
    /// Monday to Sunday.
    Week,
    /// A month of the calendar.
    Month,
    /// A quarter of the calendar.
    Quarter,
    /// A year of the calendar.
    Year,
}

/// Commands on national patches.
#[derive(Debug, Subcommand)]
pub enum NationalCommand {
    /// Import national patches from a vector file, all or none; `national.toml` of the rules says which fields are which.
    Import {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// Any vector file that GDAL reads.
        file: PathBuf,
        /// Layer; by default the only one.
        #[arg(long)]
        layer: Option<String>,
        /// EPSG code for a file that carries no reference system.
        #[arg(long, value_name = "CODE")]
        assign_epsg: Option<u32>,
        /// Encoding of its texts (GBK), where the file does not say it.
        #[arg(long)]
        encoding: Option<String>,
    },
    /// Write all national patches back, matched with ours, with outcome codes.
    Export {
        /// The configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// File to write, in the format of its ending: .gpkg, .geojson, .fgb, .csv or .shp; by default `national.gpkg` in the
        /// configuration's output folder.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Encoding of the texts of a shapefile, which its .cpg names.
        #[arg(long, value_enum, default_value_t)]
        encoding: ShapefileEncoding,
    },
}

/// Encodings of shapefiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ShapefileEncoding {
    /// UTF-8.
    #[default]
    #[value(name = "utf-8")]
    Utf8,
    /// GBK, as older desktop programs in China want it.
    Gbk,
}

impl From<ShapefileEncoding> for shorewatch_imagery::export::shapes::TextEncoding {
    fn from(encoding: ShapefileEncoding) -> Self {
        match encoding {
            ShapefileEncoding::Utf8 => Self::Utf8,
            ShapefileEncoding::Gbk => Self::Gbk,
        }
    }
}
