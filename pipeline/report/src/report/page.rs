//! The page as the template sees it: every number already text, nothing left to compute.

use askama::Template;

/// The whole page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) synthetic: bool,
    pub(super) notices: Vec<String>,
    pub(super) run: RunView,
    pub(super) verdict: Verdict,
    pub(super) figures: Vec<Figure>,
    pub(super) shares: Vec<ShareTable>,
    pub(super) maps: Vec<MapView>,
    pub(super) passes: Vec<PassView>,
    pub(super) coverage: CoverageView,
    pub(super) unseen: UnseenView,
    pub(super) overdue: Option<OverdueView>,
    pub(super) kept_back: KeptBackView,
    pub(super) cases: CasesView,
    /// In what order patches stand.
    pub(super) order: &'static str,
    /// Word and meaning of each kind of evidence; empty where no patch shows any.
    pub(super) evidence_kinds: Vec<(&'static str, &'static str)>,
    pub(super) patches: Vec<PatchView>,
    pub(super) listed: Vec<PatchView>,
    /// What the caps left out, in words; empty when nothing was left out.
    pub(super) left_out: Vec<String>,
    pub(super) truth: Option<TruthView>,
}

/// A name, for example of a reach, with its identifier where that says more.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) id: String,
}

pub(super) struct RunView {
    pub(super) run_id: String,
    pub(super) program_version: String,
    pub(super) model: String,
    pub(super) model_digest: String,
    pub(super) configuration_digest: String,
    pub(super) grids: Vec<String>,
    pub(super) started_utc: String,
    pub(super) duration: String,
    pub(super) minimum_area: String,
}

/// The one sentence that answers "what was found".
pub(super) struct Verdict {
    /// Style: `found`, `none` or `nothing`.
    pub(super) kind: &'static str,
    pub(super) heading: String,
    pub(super) text: String,
}

pub(super) struct Figure {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) note: String,
}

/// Number and area of patches or places by one property.
pub(super) struct ShareTable {
    pub(super) caption: &'static str,
    pub(super) heading: &'static str,
    /// What is counted.
    pub(super) counted: &'static str,
    pub(super) rows: Vec<ShareRow>,
    /// What was left out, in words; empty when nothing was.
    pub(super) more: String,
}

pub(super) struct ShareRow {
    pub(super) name: Label,
    pub(super) count: String,
    pub(super) area: String,
    /// Length of the bar in percent of the largest.
    pub(super) bar_percent: String,
}

pub(super) struct MapView {
    pub(super) title: String,
    pub(super) background: String,
    pub(super) uri: String,
    pub(super) alt: String,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) markers: Vec<MarkerView>,
    pub(super) unnumbered: String,
    /// Key on the map and name of the reach.
    pub(super) keys: Vec<(String, Label)>,
}

pub(super) struct MarkerView {
    pub(super) rank: usize,
    pub(super) left_percent: String,
    pub(super) top_percent: String,
    pub(super) label: String,
}

pub(super) struct PassView {
    pub(super) name: String,
    pub(super) sensor: String,
    pub(super) acquired: String,
    pub(super) revision: u32,
    pub(super) short_digest: String,
    pub(super) digest: String,
    /// Style: `good`, `warning`, `quiet` or `bad`.
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: String,
}

pub(super) struct CoverageView {
    pub(super) causes: Vec<String>,
    pub(super) pairs: Vec<PairView>,
    pub(super) rows: usize,
}

impl CoverageView {
    /// Long tables are folded on the screen.
    pub(super) fn fold(&self) -> bool {
        self.rows > 40
    }

    /// Columns of the table.
    pub(super) fn columns(&self) -> usize {
        self.causes.len() + 3
    }
}

pub(super) struct PairView {
    pub(super) heading: String,
    pub(super) rows: Vec<CoverageRowView>,
}

pub(super) struct CoverageRowView {
    pub(super) reach: Label,
    pub(super) scope: String,
    pub(super) observed: String,
    /// Length of the bar in percent.
    pub(super) bar_percent: String,
    /// Share per cause, in the order of [`CoverageView::causes`].
    pub(super) causes: Vec<String>,
}

pub(super) struct UnseenView {
    /// Reaches that no pass meets, and reaches that were never compared.
    pub(super) reaches: Vec<UnseenReach>,
    /// The largest gaps.
    pub(super) rows: Vec<UnseenRow>,
    /// The others, folded on the screen.
    pub(super) rest: Vec<UnseenRow>,
    pub(super) rest_area: String,
    pub(super) total: String,
}

impl UnseenView {
    /// Whether everything was looked at.
    pub(super) fn nothing(&self) -> bool {
        self.reaches.is_empty() && self.rows.is_empty()
    }
}

pub(super) struct OverdueView {
    pub(super) as_of: String,
    pub(super) minimum: String,
    pub(super) rows: Vec<OverdueRowView>,
}

pub(super) struct OverdueRowView {
    pub(super) reach: Label,
    pub(super) last: String,
    pub(super) cadence: String,
    pub(super) overdue: String,
    pub(super) best: String,
}

pub(super) struct KeptBackView {
    pub(super) total: String,
    pub(super) tables: Vec<ShareTable>,
}

pub(super) struct CasesView {
    /// How many stand where; empty where there are none at all.
    pub(super) figures: Vec<Figure>,
    /// The first open cases.
    pub(super) rows: Vec<CaseRowView>,
    /// The others, folded on the screen.
    pub(super) rest: Vec<CaseRowView>,
    pub(super) rest_heading: String,
    /// What is not listed, in words; empty when nothing was left out.
    pub(super) left_out: String,
}

pub(super) struct CaseRowView {
    pub(super) case_id: String,
    pub(super) object_class: String,
    /// English name and Chinese term.
    pub(super) issue: (String, String),
    pub(super) state: &'static str,
    /// Style: `warning` or `quiet`.
    pub(super) style: &'static str,
    pub(super) urgent: bool,
    /// First and last date, or the only one; a line breaks between them only.
    pub(super) seen: Vec<String>,
    pub(super) area: String,
    pub(super) review_score: String,
    pub(super) last_event: &'static str,
    pub(super) patch_count: String,
    /// Ranks of those on this page, the latest few.
    pub(super) patches: Vec<usize>,
    pub(super) reach: Label,
    pub(super) series: Vec<String>,
    pub(super) pictures: Vec<CasePictureView>,
}

/// A case at one date.
pub(super) struct CasePictureView {
    /// The picture as part of the page; empty where there is none.
    pub(super) source: String,
    pub(super) date: String,
    /// What the pass meant for the case.
    pub(super) event: &'static str,
    /// Area and review score, as far as they were told.
    pub(super) figures: Vec<String>,
}

pub(super) struct UnseenReach {
    pub(super) reach: Label,
    pub(super) area: String,
    pub(super) reason: &'static str,
}

pub(super) struct UnseenRow {
    pub(super) reach: Label,
    pub(super) pair: String,
    pub(super) area_m2: f64,
    pub(super) area: String,
    pub(super) share: String,
    /// Cause and area, largest first.
    pub(super) causes: Vec<(String, String)>,
}

pub(super) struct PatchView {
    pub(super) rank: usize,
    pub(super) patch_id: String,
    pub(super) object_class: String,
    pub(super) from_class: String,
    pub(super) to_class: String,
    /// English name and Chinese term.
    pub(super) issue: (String, String),
    pub(super) issue_told: bool,
    pub(super) area: String,
    pub(super) review_score: String,
    pub(super) confidence: String,
    pub(super) change_score: String,
    /// The strongest kinds of evidence with their weight.
    pub(super) evidence: Vec<String>,
    pub(super) coreg: String,
    pub(super) valid: String,
    pub(super) pre_date: String,
    pub(super) post_date: String,
    pub(super) pre_sensor: String,
    pub(super) post_sensor: String,
    pub(super) pre_digest: String,
    pub(super) post_digest: String,
    pub(super) longitude: String,
    pub(super) latitude: String,
    pub(super) reach: Label,
    pub(super) said: Vec<(String, String)>,
    pub(super) notes: Vec<String>,
    pub(super) truth: Option<(&'static str, String)>,
    pub(super) chips: Option<ChipsView>,
}

pub(super) struct ChipsView {
    pub(super) pre_uri: String,
    pub(super) post_uri: String,
    pub(super) pre_alt: String,
    pub(super) post_alt: String,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

pub(super) struct TruthView {
    pub(super) summary: String,
    pub(super) rows: Vec<TruthRow>,
    pub(super) false_alarms: Vec<String>,
}

pub(super) struct TruthRow {
    pub(super) event_id: String,
    pub(super) kind: String,
    pub(super) area: String,
    pub(super) expected: &'static str,
    /// Style: `good`, `bad` or `quiet`.
    pub(super) style: &'static str,
    pub(super) outcome: String,
}
