//! How often reviewers confirm, how often they agree, and how long they take.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params_from_iter;
use serde::{Deserialize, Serialize};
use shorewatch_domain::access::Scope;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::decision::figures::{Share, kappa};
use shorewatch_domain::decision::state::standing_decisions;

use super::rows::{self, NamedVerdict};
use crate::error::StoreError;
use crate::scope::Condition;
use crate::store::Store;

/// What yield is told by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YieldBy {
    /// Issue class, as corrected.
    IssueClass,
    /// County, where layers tell it.
    County,
    /// Managed reach.
    Reach,
    /// Month of the decision.
    Month,
    /// Model and its version.
    Model,
    /// Reviewer whose decision counts.
    Reviewer,
}

impl YieldBy {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::IssueClass, Self::County, Self::Reach, Self::Month, Self::Model, Self::Reviewer];

    const fn column(self) -> &'static str {
        match self {
            Self::IssueClass => "q.issue_class",
            Self::County => "coalesce(q.county, '')",
            Self::Reach => "q.reach_id",
            Self::Month => "substr(s.decided_at, 1, 7)",
            Self::Model => "p.model_name || ' ' || p.model_version",
            Self::Reviewer => "s.reviewer",
        }
    }
}

/// Confirmed of decided, of one group.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Yield {
    /// The group.
    pub group: String,
    /// Confirmed (problem, or problem under watch) of all that were shown and decided.
    pub confirmed: Share,
    /// Median of the seconds that a decision took, where they were measured.
    pub median_seconds: Option<f64>,
}

/// How one reviewer agrees with others on the same patches.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Agreement {
    /// The reviewer.
    pub reviewer: String,
    /// Pairs with the same verdict, of all pairs with another person's verdict.
    pub same: Share,
    /// Cohen's κ over these pairs, where it can be told.
    pub kappa: Option<f64>,
}

impl Store {
    /// Confirmed of shown and decided, group by group, largest group first.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn yields(
        &self,
        by: YieldBy,
        scope: &Scope,
        since: Option<Timestamp>,
        reviewer: Option<&str>,
    ) -> Result<Vec<Yield>, StoreError> {
        let mut condition = Condition::default();
        condition.and("s.state = 'decided'", []);
        condition.and_if(
            "s.decided_at >= ?",
            since.map(|since| since.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()).as_ref(),
        );
        condition.and_if("s.reviewer = ?", reviewer.map(str::to_owned).as_ref());
        condition.and_in(scope);
        let sql = format!(
            "SELECT {} AS grouped, s.verdict, d.seconds FROM decision_state s
                 JOIN review_queue q ON q.patch_id = s.patch_id JOIN patches p ON p.fid = q.fid
                 LEFT JOIN decisions d ON d.decision_id = s.decision_id
             WHERE {}",
            by.column(),
            condition.sql()
        );
        let decided: Vec<(String, DecisionVerdict, Option<f64>)> =
            self.rows("read the yield", &sql, params_from_iter(condition.values), |row| {
                Ok((row.get(0)?, row.get::<_, NamedVerdict>(1)?.0, row.get(2)?))
            })?;
        let mut groups: BTreeMap<String, (u64, u64, Vec<f64>)> = BTreeMap::new();
        for (group, verdict, seconds) in decided {
            let (confirmed, all, times) = groups.entry(group).or_default();
            *confirmed += u64::from(verdict.confirms());
            *all += 1;
            times.extend(seconds);
        }
        let told = groups.into_iter().filter_map(|(group, (confirmed, all, mut times))| {
            times.sort_by(f64::total_cmp);
            let median_seconds = times.get(times.len() / 2).copied();
            Some(Yield { group, confirmed: Share::of(confirmed, all)?, median_seconds })
        });
        let mut told: Vec<_> = told.collect();
        told.sort_by_key(|group| std::cmp::Reverse(group.confirmed.of));
        Ok(told)
    }

    /// How reviewers agree on patches that more than one person decided on (second opinions and audits).
    ///
    /// # Errors
    /// A fault of the file.
    pub fn agreements(&self, scope: &Scope) -> Result<Vec<Agreement>, StoreError> {
        let mut condition = Condition::default();
        condition.and_in(scope);
        let sql = format!(
            "SELECT d.* FROM decisions d JOIN review_queue q ON q.patch_id = d.patch_id
             WHERE d.patch_id IN (SELECT patch_id FROM decisions GROUP BY patch_id HAVING count(DISTINCT reviewer) > 1)
               AND {} ORDER BY d.patch_id, d.fid",
            condition.sql()
        );
        let events: Vec<_> =
            self.rows("read the agreement", &sql, params_from_iter(condition.values), rows::decision_of)?;
        let mut pairs: BTreeMap<String, Vec<(DecisionVerdict, DecisionVerdict)>> = BTreeMap::new();
        for on_patch in events.chunk_by(|a, b| a.patch_id == b.patch_id) {
            let stand = standing_decisions(on_patch);
            for one in &stand {
                for other in stand.iter().filter(|other| other.reviewer != one.reviewer) {
                    let (Some(own), Some(theirs)) = (one.verdict, other.verdict) else { continue };
                    pairs.entry(one.reviewer.clone()).or_default().push((own, theirs));
                }
            }
        }
        let told = pairs.into_iter().filter_map(|(reviewer, pairs)| {
            let same = pairs.iter().filter(|(own, theirs)| own == theirs).count() as u64;
            let kappa = kappa(&pairs, &DecisionVerdict::ALL);
            Some(Agreement { reviewer, same: Share::of(same, pairs.len() as u64)?, kappa })
        });
        Ok(told.collect())
    }

    /// Decided patches for a supervisor to look at again: a share of them, chosen by the digest of the patch and the seed, so that
    /// nobody chooses. Own decisions and what was audited already are left out. With `rejected_only`, only "not a problem".
    ///
    /// # Errors
    /// A fault of the file.
    pub fn audit_sample(
        &self,
        scope: &Scope,
        supervisor: &str,
        share: f64,
        seed: &str,
        rejected_only: bool,
    ) -> Result<Vec<String>, StoreError> {
        let mut condition = Condition::default();
        condition.and("s.state = 'decided'", []);
        condition.and(
            "NOT EXISTS (SELECT 1 FROM decisions d WHERE d.patch_id = s.patch_id
                 AND (d.reviewer = ? OR d.source = 'audit'))",
            [supervisor.to_owned().into()],
        );
        if rejected_only {
            condition.and("s.verdict = 'not_a_problem'", []);
        }
        condition.and_in(scope);
        let sql = format!(
            "SELECT s.patch_id FROM decision_state s JOIN review_queue q ON q.patch_id = s.patch_id WHERE {}
             ORDER BY s.patch_id",
            condition.sql()
        );
        let decided: Vec<String> =
            self.rows("draw the audit sample", &sql, params_from_iter(condition.values), |row| row.get(0))?;
        let drawn = |patch_id: &String| {
            let digest =
                shorewatch_domain::digest::Digest::of_bytes(format!("{seed} {patch_id}").as_bytes()).to_string();
            let number = digest.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0);
            f64::from(number) / f64::from(u32::MAX) < share
        };
        Ok(decided.into_iter().filter(drawn).collect())
    }
}
