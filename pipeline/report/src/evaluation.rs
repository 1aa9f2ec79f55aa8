//! The evaluation of a segmentation model: what the caller fills in.

mod chart;
mod check;
mod check_holdout;
mod colour;
mod holdout;
mod holdout_view;
mod objects;
mod objects_view;
mod page;
mod picture;
mod render;

pub use holdout::{Baseline, ClassScore, HoldOut, PrecisionRecallCurve, ReliabilityBin, WaterScore};
pub use objects::{FindingSizeScore, ObjectKindScore, ObjectScores, ObjectSizeScore};
pub use picture::{EvaluationPicture, LegendEntry, PictureGroup, PictureLegend, PicturePanel};
pub use render::render_evaluation;

/// Everything the page about a model's quality says. Text may hold any characters: the page escapes them.
///
/// A number that was not measured is `None`, never 0 and never NaN: the page shows it as a dash.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Heading of the page.
    pub title: String,
    /// What the reader must know first, one sentence each: licences, or what a hold-out leaks.
    pub notices: Vec<String>,
    /// What was evaluated, with what and when.
    pub run: EvaluationRun,
    /// What was wanted and what was reached.
    pub goals: Vec<Goal>,
    /// One for each hold-out, the most telling first. Names are unique.
    pub holdouts: Vec<HoldOut>,
    /// The same model with fewer bands; may be empty.
    pub band_sets: Vec<BandSetScore>,
    /// Scores on objects, where the model has a head for them.
    pub objects: Option<ObjectScores>,
    /// Pictures to look at, in the order to show within each group.
    pub pictures: Vec<EvaluationPicture>,
    /// What the colours of the pictures mean.
    pub legend: PictureLegend,
}

/// What was evaluated, with what and when.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationRun {
    /// Name of the bundle, for example `shoreland`.
    pub bundle_name: String,
    /// Version of the bundle.
    pub bundle_version: String,
    /// Digest of the weights, in full.
    pub bundle_digest: String,
    /// What ran the network, for example `libtorch, CPU`.
    pub backend: String,
    /// Format of the weights, for example `torchscript`.
    pub weights_format: String,
    /// Version of this program.
    pub program_version: String,
    /// Title of the data set.
    pub data_title: String,
    /// When the evaluation began, UTC, for example `2024-03-15 09:12:44 UTC`.
    pub started_utc: String,
    /// How long it took, in seconds, zero or more.
    pub duration_s: f64,
}

/// One goal and what was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// What is measured, with the hold-out, for example `mean IoU, by mask hash`.
    pub what: String,
    /// What was wanted.
    pub wanted: GoalBound,
    /// What was reached, in the unit of the bound; `None` where it was not measured.
    pub reached: Option<f64>,
    /// Whether the goal is met. A goal that was not measured is not met.
    pub met: bool,
}

/// What a goal wants. The bound itself is good enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GoalBound {
    /// This much or more.
    AtLeast(f64),
    /// This much or less.
    AtMost(f64),
}

impl GoalBound {
    /// The bound as a number.
    pub fn value(self) -> f64 {
        match self {
            Self::AtLeast(bound) | Self::AtMost(bound) => bound,
        }
    }

    /// Whether `reached` is good enough. What is not a number never is.
    pub fn is_met_by(self, reached: f64) -> bool {
        match self {
            Self::AtLeast(bound) => reached >= bound,
            Self::AtMost(bound) => reached <= bound,
        }
    }
}

/// The model with some of its bands missing.
#[derive(Debug, Clone, PartialEq)]
pub struct BandSetScore {
    /// Name of the set, for example `red_green_blue`.
    pub name: String,
    /// Its bands in order.
    pub bands: Vec<String>,
    /// Mean IoU over the classes, 0 to 1.
    pub mean_iou: Option<f64>,
    /// IoU of water, 0 to 1.
    pub water_iou: Option<f64>,
    /// Expected calibration error, 0 to 1; 0 is best.
    pub expected_calibration_error: Option<f64>,
}
