//! What the issue system reports.

use super::{Date, Deserialize, Serialize, ToSpan};
use crate::decision::DecisionVerdict;
use crate::law::assessment::Language;

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

    /// The state, for people.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Accepted => language.of("accepted", "已受理"),
            Self::Dispatched => language.of("dispatched", "已交办"),
            Self::Rectifying => language.of("being put right", "整改中"),
            Self::ClosureRequested => language.of("closure asked for", "申请销号"),
            Self::Closed => language.of("closed", "已销号"),
            Self::Returned => language.of("sent back", "已退回"),
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

/// How the work on a confirmed problem stands, by the four codes of the ledgers of offices.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerStatus {
    /// Not put right yet (1 未处理).
    Open,
    /// Said to be put right, not checked yet (2 待审核).
    InReview,
    /// Closed (3 已处理).
    Done,
    /// Not put right by its deadline (4 逾期未处理).
    Overdue,
}

impl LedgerStatus {
    /// Every status, in the order of the codes.
    pub const ALL: [Self; 4] = [Self::Open, Self::InReview, Self::Done, Self::Overdue];

    /// The status of a problem that a person confirmed with `verdict`, on a day. What is under watch (挂账监管) stays open for
    /// years and is never overdue.
    #[must_use]
    pub fn of(
        verdict: Option<DecisionVerdict>,
        state: Option<IssueState>,
        deadline: Option<Date>,
        today: Date,
    ) -> Self {
        match state {
            Some(IssueState::Closed) => Self::Done,
            Some(IssueState::ClosureRequested) => Self::InReview,
            _ if verdict == Some(DecisionVerdict::UnderWatch) => Self::Open,
            _ if deadline.is_some_and(|deadline| is_overdue(deadline, state, today)) => Self::Overdue,
            _ => Self::Open,
        }
    }

    /// Code and status, for people.
    #[must_use]
    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Open => language.of("1 open", "1 未处理"),
            Self::InReview => language.of("2 closure to be checked", "2 待审核"),
            Self::Done => language.of("3 done", "3 已处理"),
            Self::Overdue => language.of("4 overdue", "4 逾期未处理"),
        }
    }
}
