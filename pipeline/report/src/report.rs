//! The report: what the caller fills in.

mod case_rows;
mod cases;
mod check;
mod evidence;
pub(crate) mod format;
mod kept_back;
mod page;
mod patch_rows;
mod render;
mod rows;
mod truth;

use std::collections::BTreeMap;

use crate::chip::RenderedPair;
use crate::overview::RenderedOverview;

pub use cases::{
    CaseEvent, CaseMoment, CasePicture, CaseRow, CaseState, DEFAULT_MAX_CASES_LISTED, DEFAULT_MAX_CASES_PICTURED,
    rank_cases,
};
pub use kept_back::KeptBackRow;
pub use render::render_report;
pub use truth::{HarmlessEvent, TruthEvent, TruthOutcome, TruthTable};

/// Patches with embedded chips, unless the caller says otherwise: a page of about 20 MB.
pub const DEFAULT_MAX_PATCHES_WITH_CHIPS: usize = 120;
/// Patches listed at all, unless the caller says otherwise.
pub const DEFAULT_MAX_PATCHES_LISTED: usize = 2000;

/// Everything a report says. Text may hold any characters: the page escapes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Heading of the page.
    pub title: String,
    /// Whether the imagery is painted rather than real: the page then says so in a banner.
    pub synthetic: bool,
    /// Warnings to show above everything else, one sentence each.
    pub notices: Vec<String>,
    /// What ran, when and with what.
    pub run: RunSummary,
    /// Map pictures, usually one per grid.
    pub maps: Vec<MapPicture>,
    /// Every pass that the run was given, quarantined ones included.
    pub passes: Vec<PassRow>,
    /// Every managed reach, those outside every pass included.
    pub reaches: Vec<ReachRow>,
    /// One row per compared pair of passes and reach.
    pub coverage: Vec<CoverageRow>,
    /// Reaches that are overdue, or were never observed, where a schedule says how often they are to be looked at.
    pub overdue: Option<Overdue>,
    /// Every case, closed ones too; only open ones are listed.
    pub cases: Vec<CaseRow>,
    /// Places that looked like patches and were kept back, by reason and reach.
    pub kept_back: Vec<KeptBackRow>,
    /// All suspected patches, ranked by [`rank_patches`]; chips may be left out beyond the cap.
    pub patches: Vec<PatchCard>,
    /// What was painted on purpose and what the run made of it, where truth is known.
    pub truth: Option<TruthTable>,
    /// Patches with embedded chips, best first; the rest is listed without pictures and counted.
    pub max_patches_with_chips: usize,
    /// Patches listed at all, best first; the rest is counted.
    pub max_patches_listed: usize,
    /// Open cases listed, confirmed ones first; the rest is counted.
    pub max_cases_listed: usize,
}

/// What ran, when and with what.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    /// Identifier of the run.
    pub run_id: String,
    /// Version of this program.
    pub program_version: String,
    /// Name of the model.
    pub model_name: String,
    /// Version of the model.
    pub model_version: String,
    /// Digest of the model's weights, in full.
    pub model_digest: String,
    /// Digest of the configuration, in full.
    pub configuration_digest: String,
    /// The grids worked on.
    pub grids: Vec<GridSummary>,
    /// When the run began, UTC, for example `2024-03-15 09:12:44 UTC`.
    pub started_utc: String,
    /// How long it took, in seconds.
    pub duration_s: f64,
    /// Smallest patch reported, in m².
    pub minimum_area_m2: f64,
}

/// One working grid.
#[derive(Debug, Clone, PartialEq)]
pub struct GridSummary {
    /// Coordinate reference system, for example `EPSG:32618`.
    pub crs: String,
    /// Ground sampling distance in metres.
    pub gsd_m: f64,
}

/// One map with its heading.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPicture {
    /// Heading, for example `Ucayali at Pucallpa`.
    pub title: String,
    /// What the background is, for example `2020-07-01, Landsat 8, swir1, nir, red`.
    pub background: String,
    /// The picture.
    pub picture: RenderedOverview,
}

/// One acquisition that the run was given.
#[derive(Debug, Clone, PartialEq)]
pub struct PassRow {
    /// Name of the pass, usually that of its first file.
    pub name: String,
    /// Sensor profile.
    pub sensor: String,
    /// When it was acquired, UTC; `None` where nothing says so.
    pub acquired_utc: Option<String>,
    /// Revision of the same name, from 1.
    pub revision: u32,
    /// Digest of its content, in full.
    pub digest: String,
    /// What became of it.
    pub status: PassStatus,
}

/// What became of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassStatus {
    /// Used as it is.
    Accepted,
    /// Used, with a reservation.
    AcceptedWithWarning {
        /// The reservation.
        reason: String,
    },
    /// A newer revision of the same pass was used instead.
    Superseded,
    /// Refused.
    Quarantined {
        /// Why.
        reason: String,
    },
}

/// One managed reach.
#[derive(Debug, Clone, PartialEq)]
pub struct ReachRow {
    /// Identifier.
    pub reach_id: String,
    /// Name.
    pub name: String,
    /// Area of its management scope in m².
    pub scope_m2: f64,
    /// How many accepted passes meet it.
    pub passes_meeting: usize,
}

/// Reaches that were not looked at for too long.
#[derive(Debug, Clone, PartialEq)]
pub struct Overdue {
    /// The date that days are reckoned from, UTC, for example `2024-03-15`.
    pub as_of: String,
    /// Share of a reach's area that a pass must have observed to count, 0 to 1.
    pub observed_fraction_min: f64,
    /// The reaches.
    pub rows: Vec<OverdueRow>,
}

/// One reach that was not looked at for too long.
#[derive(Debug, Clone, PartialEq)]
pub struct OverdueRow {
    /// The reach.
    pub reach_id: String,
    /// The date on which a pass last observed enough of it.
    pub last_observed: Option<String>,
    /// Days from then on.
    pub days_unobserved: Option<u32>,
    /// How often it is to be looked at, in days.
    pub cadence_days: u32,
    /// Days beyond that.
    pub overdue_days: Option<u32>,
    /// The most that any single pass observed of it since then, as a share of its area, 0 to 1.
    pub observed_share_since: f64,
}

/// One acquisition as a patch or a pair names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PassReference {
    /// Acquisition date, for example `2024-03-15`.
    pub date: String,
    /// Sensor profile.
    pub sensor: String,
    /// Digest of its content, in full.
    pub digest: String,
}

/// Two passes that were compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PairReference {
    /// The earlier pass.
    pub pre: PassReference,
    /// The later pass.
    pub post: PassReference,
}

/// How much of a reach a pair of passes observed.
#[derive(Debug, Clone, PartialEq)]
pub struct CoverageRow {
    /// The pair.
    pub pair: PairReference,
    /// The reach.
    pub reach_id: String,
    /// Area of the management scope in m².
    pub scope_m2: f64,
    /// Area observed on both dates in m².
    pub observed_both_m2: f64,
    /// Areas not observed on at least one of the dates in m², each place under one cause. What is
    /// missing to the scope is shown as "cause not recorded".
    pub unobserved_m2: Vec<(Cause, f64)>,
}

/// Why a place was not observed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Under a cloud.
    Cloud,
    /// In the shadow of a cloud.
    CloudShadow,
    /// Under snow or ice.
    Snow,
    /// The file says that there is no data.
    NoData,
    /// Outside the footprint of a pass.
    OutsidePass,
    /// The block could not be read.
    CorruptBlock,
    /// The sensor was saturated.
    Saturated,
    /// Anything else, in words.
    Other(String),
}

/// What the law may call a suspected change (the four disorders, 四乱).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssueClass {
    /// 乱占.
    Occupation,
    /// 乱采.
    Mining,
    /// 乱堆.
    Dumping,
    /// 乱建.
    Construction,
    /// A class of a local vocabulary.
    Other {
        /// English name.
        english: String,
        /// Chinese name.
        chinese: String,
    },
}

/// One suspected patch.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchCard {
    /// Identifier, for example `450702-20240315-0007`.
    pub patch_id: String,
    /// Rank by score, from 1; set by [`rank_patches`].
    pub rank: usize,
    /// What is seen, for example `stockpile`.
    pub object_class: String,
    /// Class on the earlier date.
    pub from_class: String,
    /// Class on the later date.
    pub to_class: String,
    /// What it may be in law; `None` where it can't be told.
    pub issue_class: Option<IssueClass>,
    /// Area in m².
    pub area_m2: f64,
    /// Probability that a reviewer would confirm it, 0 to 1; `None` where it was found without change evidence.
    /// Patches are ordered by it.
    pub review_score: Option<f64>,
    /// Score of the model for this change, 0 to 1.
    pub confidence: f64,
    /// Mean score of change of its pixels, whatever it may be, 0 to 1; `None` where no such evidence was gathered.
    pub change_score: Option<f64>,
    /// By how much each kind of evidence moved the log-odds of the review score.
    pub evidence: BTreeMap<String, f64>,
    /// What is left of the shift between the two dates, root mean square in pixels; `None` where it can't be told.
    pub coreg_rmse_px: Option<f64>,
    /// Share of the patch and its surroundings that was observed on both dates, 0 to 1.
    pub valid_fraction: f64,
    /// The compared passes.
    pub pair: PairReference,
    /// Longitude of a point inside the patch, degrees, WGS 84 or CGCS2000.
    pub longitude_deg: f64,
    /// Latitude of that point, degrees.
    pub latitude_deg: f64,
    /// The reach it lies in.
    pub reach_id: String,
    /// Reservations to show with the patch, one sentence each.
    pub notes: Vec<String>,
    /// What layers and rules say of it: label and value, in the order in which they are shown; empty where it was not assessed.
    pub said: Vec<(String, String)>,
    /// The before and after pictures.
    pub chips: Option<RenderedPair>,
}

/// Sorts patches by review score, those without one last, then confidence, then area, each from the largest, then
/// identifier, and ranks them from 1. Call it before the map is painted, so that the numbers agree.
pub fn rank_patches(patches: &mut [PatchCard]) {
    patches.sort_by(check::by_score);
    for (index, patch) in patches.iter_mut().enumerate() {
        patch.rank = index + 1;
    }
}
