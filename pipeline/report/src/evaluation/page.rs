//! The page as the template sees it: every number already text, nothing left to compute.

use askama::Template;

use crate::report::format::{number, percent};

/// The whole page.
#[derive(Template)]
#[template(path = "evaluation.html")]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) notices: Vec<String>,
    pub(super) run: RunView,
    pub(super) verdict: Verdict,
    pub(super) goals: Vec<GoalView>,
    pub(super) holdouts: Vec<HoldOutView>,
    pub(super) band_sets: Vec<BandSetView>,
    pub(super) band_sets_missing: Vec<&'static str>,
    pub(super) objects: Option<ObjectsView>,
    pub(super) groups: Vec<PictureGroupView>,
    pub(super) legend: Vec<LegendView>,
}

/// A number, or why there is none.
pub(super) struct Measured {
    pub(super) text: String,
    /// Empty where there is a number.
    pub(super) why_missing: &'static str,
}

impl Measured {
    /// With three decimals.
    pub(super) fn score(value: Option<f64>, why_missing: &'static str) -> Self {
        Self::from(value.map(|value| number(value, 3)), why_missing)
    }

    /// In percent.
    pub(super) fn percent(value: Option<f64>, why_missing: &'static str) -> Self {
        Self::from(value.map(|value| percent(value, 1.0)), why_missing)
    }

    /// A whole number that is always known.
    pub(super) fn whole(value: f64) -> Self {
        Self { text: number(value, 0), why_missing: "" }
    }

    fn from(text: Option<String>, why_missing: &'static str) -> Self {
        match text {
            Some(text) => Self { text, why_missing: "" },
            None => Self { text: "—".to_owned(), why_missing },
        }
    }
}

pub(super) struct RunView {
    pub(super) bundle: String,
    pub(super) digest: String,
    pub(super) short_digest: String,
    pub(super) backend: String,
    pub(super) weights_format: String,
    pub(super) program_version: String,
    pub(super) data_title: String,
    pub(super) started_utc: String,
    pub(super) duration: String,
}

/// The one sentence that answers "is it good enough".
pub(super) struct Verdict {
    /// Style: `none` (all is well), `missed` or `nothing`.
    pub(super) kind: &'static str,
    pub(super) heading: String,
    pub(super) text: String,
}

pub(super) struct GoalView {
    pub(super) what: String,
    pub(super) wanted: String,
    pub(super) reached: Measured,
    /// Style: `good`, `bad` or `quiet`.
    pub(super) style: &'static str,
    pub(super) outcome: &'static str,
}

pub(super) struct Figure {
    pub(super) value: Measured,
    pub(super) label: String,
    pub(super) note: String,
}

pub(super) struct HoldOutView {
    /// For links: `holdout-1`.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) explanation: String,
    pub(super) figures: Vec<Figure>,
    /// The baselines, in the order of [`ClassRow::baselines`].
    pub(super) baselines: Vec<BaselineView>,
    pub(super) classes: Vec<ClassRow>,
    pub(super) mean: MeanRow,
    /// Reasons for dashes among the classes.
    pub(super) missing: Vec<&'static str>,
    pub(super) water: Vec<WaterRow>,
    pub(super) water_missing: Vec<&'static str>,
    pub(super) confusion_names: Vec<String>,
    pub(super) confusion: Vec<ConfusionRow>,
    pub(super) curves: Option<PrecisionRecallChart>,
    pub(super) reliability: Option<ReliabilityChart>,
}

pub(super) struct BaselineView {
    pub(super) name: String,
    pub(super) explanation: String,
}

pub(super) struct ClassRow {
    pub(super) name: String,
    pub(super) colour: String,
    pub(super) iou: Measured,
    /// Length of the bar in percent.
    pub(super) bar_percent: String,
    pub(super) baselines: Vec<BaselineCell>,
    pub(super) precision: Measured,
    pub(super) recall: Measured,
    pub(super) f1: Measured,
    pub(super) labelled: String,
    pub(super) labelled_share: String,
}

pub(super) struct BaselineCell {
    pub(super) iou: Measured,
    /// Whether it beats the model.
    pub(super) better: bool,
}

pub(super) struct MeanRow {
    pub(super) iou: Measured,
    pub(super) bar_percent: String,
    pub(super) baselines: Vec<BaselineCell>,
    pub(super) labelled: String,
}

pub(super) struct WaterRow {
    pub(super) name: String,
    pub(super) explanation: String,
    pub(super) baseline: bool,
    pub(super) iou: Measured,
    pub(super) bar_percent: String,
}

pub(super) struct ConfusionRow {
    pub(super) name: String,
    pub(super) cells: Vec<ConfusionCell>,
    pub(super) labelled: String,
}

pub(super) struct ConfusionCell {
    pub(super) right: bool,
    pub(super) ground: String,
    pub(super) ink: String,
    pub(super) share: Measured,
    pub(super) count: String,
    pub(super) title: String,
}

/// A mark on an axis, in units of the drawing.
pub(super) struct Tick {
    pub(super) position: String,
    pub(super) label: String,
}

pub(super) struct PrecisionRecallChart {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) curves: Vec<CurveView>,
}

pub(super) struct CurveView {
    /// In dot and legend, from 1.
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) colour: String,
    pub(super) dash: &'static str,
    pub(super) average_precision: Measured,
    /// Where the class stands when the likeliest class wins.
    pub(super) dot: Option<(String, String)>,
}

pub(super) struct ReliabilityChart {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) x_ticks: Vec<Tick>,
    pub(super) y_ticks: Vec<Tick>,
    pub(super) diagonal: String,
    pub(super) line: String,
    /// From the diagonal to each dot.
    pub(super) gaps: Vec<String>,
    pub(super) dots: Vec<(String, String)>,
    /// Share of the highest bar.
    pub(super) strip_label: String,
    pub(super) bins: Vec<BinView>,
}

pub(super) struct BinView {
    pub(super) left: String,
    pub(super) top: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) range: String,
    pub(super) confidence: Measured,
    pub(super) accuracy: Measured,
    pub(super) share: String,
}

pub(super) struct BandSetView {
    pub(super) name: String,
    pub(super) bands: String,
    pub(super) mean_iou: Measured,
    pub(super) bar_percent: String,
    pub(super) water_iou: Measured,
    pub(super) error: Measured,
}

pub(super) struct ObjectsView {
    pub(super) explanation: String,
    pub(super) figures: Vec<Figure>,
    pub(super) tables: Vec<SizeTable>,
    pub(super) kinds: Vec<KindRow>,
    pub(super) missing: Vec<&'static str>,
}

/// Recall or precision by size.
pub(super) struct SizeTable {
    pub(super) caption: &'static str,
    pub(super) columns: [&'static str; 4],
    pub(super) rows: Vec<SizeRow>,
}

pub(super) struct SizeRow {
    pub(super) label: String,
    pub(super) whole: String,
    pub(super) part: String,
    pub(super) score: Measured,
    pub(super) bar_percent: String,
}

pub(super) struct KindRow {
    pub(super) name: String,
    pub(super) objects: String,
    pub(super) recall: Measured,
    pub(super) recall_bar_percent: String,
    pub(super) named: Measured,
    pub(super) named_bar_percent: String,
}

pub(super) struct PictureGroupView {
    pub(super) id: &'static str,
    pub(super) heading: &'static str,
    pub(super) pictures: Vec<PictureView>,
}

pub(super) struct PictureView {
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) panels: Vec<PanelView>,
}

pub(super) struct PanelView {
    pub(super) label: String,
    pub(super) uri: String,
    pub(super) alt: String,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

pub(super) struct LegendView {
    pub(super) name: String,
    pub(super) colour: String,
    pub(super) note: &'static str,
}
