//! Cases: what several passes say about one place, put together.
//!
//! A patch says what one pass saw. A case follows its ground over the passes: it begins with a patch, is confirmed when a
//! later pass still shows it, and is cleared when later passes looked and it was gone. Cases are a function of all that the
//! passes say ([`cases_of`]): nothing is kept from one call to the next, so that they do not depend on the order in which
//! passes arrive, and what is withdrawn leaves no trace.
//!
//! | state | means | left when |
//! |---|---|---|
//! | suspected | one pass showed it | later ones show it as well: confirmed; enough passes looked and none did: expired |
//! | confirmed | later passes that observed the ground showed it as well, and the evidence of all of them together holds; no verdict | enough passes in a row show it gone: cleared |
//! | expired | never confirmed; most likely a mistake or something short-lived | it is seen again: suspected |
//! | cleared | confirmed once, gone since | it is seen again (relapse): confirmed |
//! | merged | grew together with an older case, which names it among its parents | never |
//!
//! What was not observed changes nothing: a pass without a word about the ground of a case does not concern it, and one that
//! saw too little of it, or cannot tell, only leaves the event `unseen`. So no cloud ever clears a case.
//!
//! Whether a pass still shows a patch is told by its classes; where they can't (a change without a class), by its evidence of change
//! against the dates from before the patch. That evidence has a say in every confirmation: the log-odds of all passes since the case
//! was opened are averaged ([`pooled`](crate::suspicion::pooled)), so that a second pass with the same mistake in its classes, but
//! without a change in its pixels, confirms nothing.
//!
//! Whether outlines overlap is told by the ratio of areas of one small place. Such ratios stay the same under any scaling of
//! the axes, so that they may be taken in degrees; areas in m² come from the patches and never from degrees.

use std::collections::BTreeMap;

use geo_types::Polygon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::classes::IssueClass;
use crate::digest::Digest;
use crate::patch::Patch;

mod life;
mod overlap;
mod passes;
mod register;
mod rules;

pub use rules::CaseRules;

/// What one pass says. Several records of one pass (one a grid) count as one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PassRecord {
    /// The pass.
    pub pass_id: Digest,
    /// When it was acquired.
    pub acquired_at: Timestamp,
    /// The patches that it raised.
    pub patches: Vec<PatchRecord>,
    /// What it shows of the ground of patches of earlier passes.
    pub follow_ups: Vec<FollowUp>,
}

/// What a case needs to know of a patch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PatchRecord {
    /// Its id, unique over all passes.
    pub patch_id: String,
    /// Outline in CGCS2000 (longitude, latitude; EPSG:4490).
    pub geometry: Polygon<f64>,
    /// Area in m², in the projected system of its grid.
    pub area_m2: f64,
    /// What is seen ("building").
    pub object_class: String,
    /// What it may be in law.
    pub suspected_issue_class: IssueClass,
    /// Classes that most of it was and became.
    pub change_type: String,
    /// Probability that a reviewer would confirm it (0..1); `None` where it was found without change evidence.
    pub review_score: Option<f64>,
    /// Mean confidence of its pixels (0..1).
    pub confidence: f64,
    /// Urgent whatever its review score.
    pub urgent: bool,
}

impl From<&Patch> for PatchRecord {
    /// As the patch has it; urgent by nothing but its review score.
    fn from(patch: &Patch) -> Self {
        Self {
            patch_id: patch.patch_id.clone(),
            geometry: patch.geometry.clone(),
            area_m2: patch.area_m2,
            object_class: patch.object_class.clone(),
            suspected_issue_class: patch.suspected_issue_class,
            change_type: patch.change_type.clone(),
            review_score: patch.review_score,
            confidence: patch.confidence,
            urgent: false,
        }
    }
}

/// What a pass shows of the ground of a patch that an earlier pass raised.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FollowUp {
    /// The patch of the earlier pass.
    pub patch_id: String,
    /// Share of its ground that this pass observed (0..1).
    pub observed_fraction: f64,
    /// Share of the observed ground that still shows what the patch showed (0..1); `None` where it can't be told.
    pub present_fraction: Option<f64>,
    /// Share of the ground that both passes observed whose pixels differ from those of the pass that raised the patch (0..1);
    /// `None` where it was not looked at (nobody has confirmed the patch) or can't be told.
    pub changed_fraction: Option<f64>,
    /// Review score (0..1) that this pass gives the patch, held against dates from before it
    /// ([`seen_again`](crate::suspicion::seen_again)); `None` where it was not held against any.
    pub review_score: Option<f64>,
}

/// Where a case stands. None of these is a verdict: that is for people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Shown by one pass.
    Suspected,
    /// Shown again by a later pass.
    Confirmed,
    /// Not shown again by any of several passes that looked, and never confirmed.
    Expired,
    /// Confirmed once, and gone since.
    Cleared,
    /// Goes on in an older case that has it among its parents.
    Merged,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Suspected, Self::Confirmed, Self::Expired, Self::Cleared, Self::Merged];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Confirmed => "confirmed",
            Self::Expired => "expired",
            Self::Cleared => "cleared",
            Self::Merged => "merged",
        }
    }

    /// True while the problem is thought to be there.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Suspected | Self::Confirmed)
    }
}

/// What a pass meant for a case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseEvent {
    /// Its first patch.
    New,
    /// Still there.
    Persisting,
    /// A patch that is larger than the one before.
    Expanded,
    /// Less of it is there than before; also while it is gone, but has not counted as cleared yet.
    Shrunk,
    /// Gone in enough passes in a row.
    Cleared,
    /// Seen again after it was cleared or had expired (relapse).
    Recurred,
    /// The pass did not observe enough of its ground, or cannot tell.
    Unseen,
    /// Fell into several patches: the largest stays with the case, each other one founds a case, and all of them have this
    /// event.
    Split,
    /// Grew together with another case: the older one lives on, and both have this event.
    Merged,
    /// Never confirmed, and not shown by enough passes.
    Expired,
}

impl CaseEvent {
    /// Every event.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Persisting,
        Self::Expanded,
        Self::Shrunk,
        Self::Cleared,
        Self::Recurred,
        Self::Unseen,
        Self::Split,
        Self::Merged,
        Self::Expired,
    ];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Persisting => "persisting",
            Self::Expanded => "expanded",
            Self::Shrunk => "shrunk",
            Self::Cleared => "cleared",
            Self::Recurred => "recurred",
            Self::Unseen => "unseen",
            Self::Split => "split",
            Self::Merged => "merged",
            Self::Expired => "expired",
        }
    }
}

/// One pass in the life of a case.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CasePoint {
    /// The pass.
    pub pass_id: Digest,
    /// When it was acquired.
    pub date: Timestamp,
    /// What it meant.
    pub event: CaseEvent,
    /// Area in m² that it showed: of the patch, or the share of the last patch that is still there; `None` where nothing was
    /// told, and where the case went into another one.
    pub area_m2: Option<f64>,
    /// Review score (0..1): of the patch, or that which the pass gave the ground of an earlier one; `None` without change evidence.
    pub review_score: Option<f64>,
    /// Share of the ground that the pass observed (0..1), where it was followed up.
    pub observed_fraction: Option<f64>,
    /// The patch that the pass raised here; for a case that merged, the patch that holds both.
    pub patch_id: Option<String>,
}

/// One place over the passes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Case {
    /// "case-" and the id of the patch that founded it: the same however many passes are added later.
    pub case_id: String,
    /// Where it stands.
    pub state: CaseState,
    /// True from the first patch on that was urgent or scored high enough.
    pub urgent: bool,
    /// Its patches, earliest first.
    pub patch_ids: Vec<String>,
    /// Ids of the cases that it came out of: the one that it was split from, and those that merged into it.
    pub parents: Vec<String>,
    /// Its latest patch: the outline, area and classes of the case.
    pub latest: PatchRecord,
    /// Acquisition of the pass that founded it.
    pub first_seen: Timestamp,
    /// Acquisition of the last pass that showed it.
    pub last_seen: Timestamp,
    /// Acquisition of the last pass after the first that observed its ground; `None` where none has yet. Closed cases are not
    /// followed any more.
    pub last_observed: Option<Timestamp>,
    /// What each pass meant for it, earliest first; at least one point.
    pub series: Vec<CasePoint>,
}

impl Case {
    /// Area of its current outline in m².
    #[must_use]
    pub const fn area_m2(&self) -> f64 {
        self.latest.area_m2
    }

    /// The last thing that happened to it.
    #[must_use]
    pub fn last_event(&self) -> CaseEvent {
        self.series.last().map_or(CaseEvent::New, |point| point.event)
    }
}

/// The cases that passes add up to, in order of their ids. The order of `records` does not matter, nor whether one comes
/// twice. Passes follow each other by acquisition, those of one time by their id.
///
/// Where a patch lies over nothing known, it founds a case. Over an open case, it joins it; over several, they merge into the
/// one that was founded first. Over closed cases only, it opens one of them again: one that had been confirmed before one
/// that had not, then the one seen last. Where several patches of a pass lie over one case, the largest stays with it, and
/// each other one founds a case that stands where its parent stands. Object and issue classes do not matter: what a place
/// looks like changes while it is built.
#[must_use]
pub fn cases_of(records: impl IntoIterator<Item = PassRecord>, rules: &CaseRules) -> Vec<Case> {
    let mut register = register::Register::new(rules);
    for pass in passes::in_order(records) {
        register.add(&pass);
    }
    let by_id: BTreeMap<_, _> = register.into_cases().map(|case| (case.case_id.clone(), case)).collect();
    by_id.into_values().collect()
}

#[cfg(test)]
mod tests;
