//! What the issue system reports.

use super::{Date, Deserialize, Serialize, ToSpan};

/// Where the issue system has a finding. It decides; what it reports later replaces what it reported before.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// Taken into the ledger (受理).
    Accepted,
    /// Sent to the unit that is responsible (交办).
    Dispatched,
    /// Being put right (整改中).
    Rectifying,
    /// Said to be put right; closure is asked for (申请销号).
    ClosureRequested,
    /// Closed (销号).
    Closed,
    /// Sent back (退回).
    Returned,
}

impl IssueState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Accepted, Self::Dispatched, Self::Rectifying, Self::ClosureRequested, Self::Closed, Self::Returned];

    /// The name in stores and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Dispatched => "dispatched",
            Self::Rectifying => "rectifying",
            Self::ClosureRequested => "closure_requested",
            Self::Closed => "closed",
            Self::Returned => "returned",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// The days on which a place that was closed is looked back at (回头看).
#[must_use]
pub fn look_back_dates(closed: Date, after_days: &[u16]) -> Vec<Date> {
    let mut dates: Vec<Date> =
        after_days.iter().filter_map(|days| closed.checked_add(i64::from(*days).days()).ok()).collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// True where a deadline has passed and the issue system has neither a closure nor the request for one. The day itself is
/// still in time.
#[must_use]
pub fn is_overdue(deadline: Date, state: Option<IssueState>, today: Date) -> bool {
    !matches!(state, Some(IssueState::ClosureRequested | IssueState::Closed)) && today > deadline
}
