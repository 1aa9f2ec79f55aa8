//! Cases as the caller fills them in: one place followed over the passes.

use std::cmp::{Ordering, Reverse};

use super::IssueClass;
use super::check::review_score_first;

/// Open cases listed, unless the caller says otherwise.
pub const DEFAULT_MAX_CASES_LISTED: usize = 100;

/// Cases of these that are shown date by date, unless the caller says otherwise.
pub const DEFAULT_MAX_CASES_PICTURED: usize = 24;

/// One place followed over the passes.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// Identifier, for example `case-20240315-1f3a9c02`.
    pub case_id: String,
    /// What its latest patch shows, for example `stockpile`.
    pub object_class: String,
    /// What that may be in law; `None` where it can't be told.
    pub issue_class: Option<IssueClass>,
    /// Where it stands.
    pub state: CaseState,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Date of the pass that founded it, UTC, for example `2024-03-15`.
    pub first_seen: String,
    /// Date of the last pass that showed it.
    pub last_seen: String,
    /// Area of its latest patch in m².
    pub area_m2: f64,
    /// Review score of its latest patch, 0 to 1, where it has one.
    pub review_score: Option<f64>,
    /// The last thing that happened to it.
    pub last_event: CaseEvent,
    /// Number of its patches.
    pub patch_count: usize,
    /// The reach it lies in. A name is shown where the report lists that reach.
    pub reach_id: String,
    /// What each pass meant for it, earliest first; only read for cases that are listed.
    pub series: Vec<CaseMoment>,
    /// The place at some of these dates and at the one before it began, earliest first, all in one stretch. Empty where it is not
    /// shown.
    pub pictures: Vec<CasePicture>,
}

/// A case at one date.
#[derive(Debug, Clone, PartialEq)]
pub struct CasePicture {
    /// Date of the pass, UTC, for example `2024-03-15`.
    pub date: String,
    /// What the pass meant for the case; `None` for the date before it began.
    pub event: Option<CaseEvent>,
    /// Area in m² that it showed, where it was told.
    pub area_m2: Option<f64>,
    /// Review score of the patch that it raised, 0 to 1, where there is one.
    pub review_score: Option<f64>,
    /// The picture (JPEG); `None` where the pass can't be read any more.
    pub jpeg: Option<Vec<u8>>,
}

/// What one pass meant for a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseMoment {
    /// Date of the pass, UTC, for example `2024-03-15`.
    pub date: String,
    /// What it meant.
    pub event: CaseEvent,
    /// The patch that the pass raised there.
    pub patch_id: Option<String>,
}

/// Where a case stands; in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseState {
    /// A later pass that observed its ground shows it as well.
    Confirmed,
    /// Shown by one pass.
    Suspected,
    /// Never confirmed, and not shown again by passes that looked.
    Expired,
    /// Confirmed once, and gone since.
    Cleared,
    /// Goes on in another case.
    Merged,
}

impl CaseState {
    /// Every state, in the order in which they are listed.
    pub(super) const ALL: [Self; 5] = [Self::Confirmed, Self::Suspected, Self::Expired, Self::Cleared, Self::Merged];

    /// True while the problem is thought to be there.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Confirmed | Self::Suspected)
    }
}

/// What a pass can mean for a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseEvent {
    /// Its first patch.
    New,
    /// Still there.
    Persisting,
    /// Larger than before.
    Expanded,
    /// Less of it is there than before.
    Shrunk,
    /// Gone in enough passes in a row.
    Cleared,
    /// Seen again after it was gone.
    Recurred,
    /// The pass did not observe enough of its ground, or cannot tell.
    Unseen,
    /// Fell into several patches.
    Split,
    /// Grew together with another case.
    Merged,
    /// Never confirmed, and not shown by enough passes.
    Expired,
}

/// Sorts cases as they are listed: confirmed, suspected, then those that are closed; within a state the urgent first, then
/// the highest review score, the largest area and the identifier. Call it before series are read for those that are listed.
pub fn rank_cases(cases: &mut [CaseRow]) {
    cases.sort_by(by_urgency);
}

pub(super) fn by_urgency(a: &CaseRow, b: &CaseRow) -> Ordering {
    (a.state, Reverse(a.urgent))
        .cmp(&(b.state, Reverse(b.urgent)))
        .then_with(|| review_score_first(a.review_score, b.review_score))
        .then(b.area_m2.total_cmp(&a.area_m2))
        .then_with(|| a.case_id.cmp(&b.case_id))
}
