//! Whether imagery supports a closure.

use super::{CaseRules, Deserialize, Digest, Serialize, Timestamp};

/// What one pass shows of the ground of a finding.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Look {
    /// The pass.
    pub pass_id: Digest,
    /// When it was acquired.
    pub acquired_at: Timestamp,
    /// Share of the ground that it observed (0..1).
    pub observed_fraction: f64,
    /// Share of the observed ground that still shows it (0..1); `None` where it can't be told.
    pub present_fraction: Option<f64>,
    /// Share of the ground whose pixels changed since the confirmed state (0..1); `None` where it can't be told.
    pub changed_fraction: Option<f64>,
}

/// What a pass says about a closure.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closure {
    /// It is gone: its pixels changed, and the classes no longer show it.
    Supported,
    /// It is still there: the classes show it, or the pixels are as they were.
    Contradicted,
    /// The ground was observed, and does not tell: part of it is there, part of it changed, or either was not to be had. A
    /// person looks.
    CannotTell,
}

impl Closure {
    /// The name in stores and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Contradicted => "contradicted",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// What one look says; `None` where too little of the ground was observed. No cloud ever closes anything, and neither does a
/// network that misses a thing: without changed pixels nothing is gone.
///
/// | pixels \ classes | show it | show some of it, or can't tell | no longer show it |
/// |---|---|---|---|
/// | as they were | contradicted | contradicted | contradicted |
/// | partly changed, or can't be told | contradicted | cannot tell | cannot tell |
/// | changed | contradicted | cannot tell | **supported** |
#[must_use]
pub fn judge(look: &Look, rules: &CaseRules) -> Option<Closure> {
    if look.observed_fraction < rules.observed_fraction_min {
        return None;
    }
    let is_there = look.present_fraction.is_some_and(|present| present >= rules.present_fraction_min);
    let is_gone = look.present_fraction.is_some_and(|present| present <= rules.cleared_fraction_max);
    let unchanged = look.changed_fraction.is_some_and(|changed| changed <= rules.unchanged_fraction_max);
    let changed = look.changed_fraction.is_some_and(|changed| changed >= rules.changed_fraction_min);
    Some(if is_there || unchanged {
        Closure::Contradicted
    } else if is_gone && changed {
        Closure::Supported
    } else {
        Closure::CannotTell
    })
}

/// The passes that looked after a closure was asked for.
#[derive(Clone, PartialEq, Debug)]
pub enum Judgement {
    /// The first pass that observed the ground answers.
    Answered {
        /// That pass.
        by: Look,
        /// What it says.
        closure: Closure,
        /// The passes before it that did not observe the ground.
        unobserved: Vec<Look>,
    },
    /// None observed it yet.
    Open(Unanswered),
}

/// Passes that came by without observing the ground.
#[derive(Clone, PartialEq, Debug)]
pub struct Unanswered {
    /// Earliest first.
    pub unobserved: Vec<Look>,
}

/// What the passes acquired after `since` say, in whatever order they come; passes up to `since` say nothing of it. Several
/// looks of one pass (one a patch) count as one: what is still there anywhere is still there.
#[must_use]
pub fn answer(looks: &[Look], since: Timestamp, rules: &CaseRules) -> Judgement {
    let mut later: Vec<Look> = looks.iter().filter(|look| look.acquired_at > since).copied().collect();
    let rank = |look: &Look| match judge(look, rules) {
        Some(Closure::Contradicted) => 0,
        Some(Closure::CannotTell) => 1,
        Some(Closure::Supported) => 2,
        None => 3,
    };
    later.sort_by(|a, b| {
        (a.acquired_at, a.pass_id)
            .cmp(&(b.acquired_at, b.pass_id))
            .then_with(|| rank(a).cmp(&rank(b)))
            .then_with(|| b.observed_fraction.total_cmp(&a.observed_fraction))
    });
    later.dedup_by(|next, kept| next.pass_id == kept.pass_id);
    match later.iter().position(|look| judge(look, rules).is_some()) {
        Some(first) => Judgement::Answered {
            by: later[first],
            closure: judge(&later[first], rules).unwrap_or(Closure::CannotTell),
            unobserved: later[..first].to_vec(),
        },
        None => Judgement::Open(Unanswered { unobserved: later }),
    }
}
