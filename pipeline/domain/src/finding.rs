//! Findings: what a person confirmed, what the issue system (问题台账) is told of it, and what comes back.
//!
//! A finding exists only after a person confirmed it. What the issue system is told follows from how the finding stood and
//! how it stands ([`news`]); what was not sent yet may be told in fewer words ([`join`]). The issue system answers with
//! states ([`IssueState`]); a closure that it asks for is judged by what the passes after it show ([`judge`]).
//!
//! | from | to | told |
//! |---|---|---|
//! | none, withdrawn | stands | `finding.confirmed` |
//! | stands, closed over there | confirmed again | `finding.recurred` |
//! | stands | stands, but says something else | `finding.updated` |
//! | stands | none | `finding.withdrawn` |

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::case::CaseRules;
use crate::digest::Digest;

mod issue;
mod look;

pub use issue::{IssueState, LedgerStatus, is_overdue, look_back_dates};
pub use look::{Closure, Judgement, Look, Unanswered, answer, judge};

/// What the issue system can be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum FindingEvent {
    /// A person confirmed it.
    #[serde(rename = "finding.confirmed")]
    Confirmed,
    /// What is known of it changed.
    #[serde(rename = "finding.updated")]
    Updated,
    /// It is no finding after all.
    #[serde(rename = "finding.withdrawn")]
    Withdrawn,
    /// It was closed, and is there again (relapse).
    #[serde(rename = "finding.recurred")]
    Recurred,
    /// Imagery after the closure was asked for shows it gone.
    #[serde(rename = "finding.closure_supported")]
    ClosureSupported,
    /// Imagery after the closure was asked for shows it still there.
    #[serde(rename = "finding.closure_contradicted")]
    ClosureContradicted,
    /// A pass after the closure was asked for did not observe the place, or observed it and cannot tell.
    #[serde(rename = "finding.unobserved")]
    Unobserved,
}

impl FindingEvent {
    /// Every event.
    pub const ALL: [Self; 7] = [
        Self::Confirmed,
        Self::Updated,
        Self::Withdrawn,
        Self::Recurred,
        Self::ClosureSupported,
        Self::ClosureContradicted,
        Self::Unobserved,
    ];

    /// The name in stores and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "finding.confirmed",
            Self::Updated => "finding.updated",
            Self::Withdrawn => "finding.withdrawn",
            Self::Recurred => "finding.recurred",
            Self::ClosureSupported => "finding.closure_supported",
            Self::ClosureContradicted => "finding.closure_contradicted",
            Self::Unobserved => "finding.unobserved",
        }
    }
}

/// How a finding stands on our side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody confirmed it, or who did has taken it back before anything was said of it.
    #[default]
    None,
    /// A person confirmed it.
    Stands,
    /// It was confirmed, and taken back.
    Withdrawn,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 3] = [Self::None, Self::Stands, Self::Withdrawn];

    /// The name in stores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Stands => "stands",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A finding as it was last written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// How it stood.
    pub standing: Standing,
    /// Digest of what was said of it.
    pub content: Option<Digest>,
    /// Where the issue system had it.
    pub issue_state: Option<IssueState>,
}

/// What is told where a finding that stood like `known` is now confirmed with the content `wanted`, or is confirmed by
/// nobody any more (`None`). `fresh` is true where the confirmation is a new patch, one that nobody had decided on before.
#[must_use]
pub fn news(known: &Known, wanted: Option<Digest>, fresh: bool) -> Option<FindingEvent> {
    match (known.standing, wanted) {
        (Standing::Stands, Some(_)) if known.issue_state == Some(IssueState::Closed) && fresh => {
            Some(FindingEvent::Recurred)
        }
        (Standing::Stands, Some(content)) => (known.content != Some(content)).then_some(FindingEvent::Updated),
        (Standing::Stands, None) => Some(FindingEvent::Withdrawn),
        (Standing::None | Standing::Withdrawn, Some(_)) => Some(FindingEvent::Confirmed),
        (Standing::None | Standing::Withdrawn, None) => None,
    }
}

/// What becomes of a message that nobody was sent yet, and a newer one of the same finding behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joined {
    /// Both are sent.
    Both,
    /// The waiting one is sent, with what is known by then.
    OnlyWaiting,
    /// The newer one alone is sent.
    OnlyNewer,
    /// Nothing is sent: the receiver never heard of it.
    Neither,
}

/// Joins a waiting message of a finding that nobody was sent with the next one. What is sent always says what is known at
/// the time of sending, so that a waiting confirmation carries later corrections by itself.
#[must_use]
pub const fn join(waiting: FindingEvent, newer: FindingEvent) -> Joined {
    use FindingEvent::{Confirmed, Recurred, Updated, Withdrawn};
    match (waiting, newer) {
        (Confirmed | Updated | Recurred, Updated) => Joined::OnlyWaiting,
        (Confirmed, Withdrawn) => Joined::Neither,
        (Updated | Recurred, Withdrawn) => Joined::OnlyNewer,
        _ => Joined::Both,
    }
}

/// The id of a finding: that of its case, or of its patch where it has none. A case is named after the patch that founded it,
/// so that both agree where the case came later.
#[must_use]
pub fn finding_id(patch_id: &str, case_id: Option<&str>) -> String {
    let founder = case_id.and_then(|case| case.strip_prefix("case-")).unwrap_or(case_id.unwrap_or(patch_id));
    format!("finding-{founder}")
}

#[cfg(test)]
mod tests;
