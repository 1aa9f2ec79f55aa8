//! Decisions of reviewers: appended events, and what they add up to for each patch.
//!
//! | module | holds |
//! |---|---|
//! | [`queue`] | patches in the order in which they are looked at, by filter, page by page |
//! | [`leases`] | who looks at which patch now |
//! | [`requests`] | why a patch is shown again |
//! | [`splits`] | parts that were split off a patch and are patches of their own |
//! | [`sites`] | places that were decided on before |
//! | [`figures`] | how often reviewers confirm and agree, and how long they take |

pub mod figures;
pub mod leases;
pub mod queue;
pub mod requests;
pub(crate) mod rows;
pub mod sites;
pub mod splits;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};
use shorewatch_domain::decision::state::{ReviewState, TwoPersonRule, standing, standing_decisions};
use shorewatch_domain::decision::{Decision, DecisionVerdict};
use shorewatch_domain::law::assessment::Severity;
use shorewatch_domain::review::{Review, Verdict};

use crate::error::{Refusal, StoreError, Trouble};
use crate::geometry;
use crate::store::Store;
use crate::{geopackage, outbox, reviews};

/// How decisions are taken.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct DecisionRules {
    /// How long a verdict waits for an undo before it is delivered.
    pub hold: SignedDuration,
    /// When two persons decide.
    pub two_persons: TwoPersonRule,
}

impl Default for DecisionRules {
    /// Ten minutes, and one person.
    fn default() -> Self {
        Self { hold: SignedDuration::from_mins(10), two_persons: TwoPersonRule::Never }
    }
}

/// Where a patch stands in review.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PatchReview {
    /// Number of decisions so far, undos counted: what a decision must have seen.
    pub version: u64,
    /// Where it stands.
    pub state: ReviewState,
    /// The verdict that counts; of an undecided patch the last one that was said.
    pub verdict: Option<DecisionVerdict>,
    /// The decision that said it.
    pub decision_id: Option<String>,
    /// Who said it.
    pub reviewer: Option<String>,
    /// Everybody whose decision stands.
    pub reviewers: Vec<String>,
    /// When the verdict that counts was said.
    pub decided_at: Option<Timestamp>,
    /// Until when its delivery waits for an undo.
    pub held_until: Option<Timestamp>,
}

impl Default for PatchReview {
    /// Nobody has decided.
    fn default() -> Self {
        Self {
            version: 0,
            state: ReviewState::Open,
            verdict: None,
            decision_id: None,
            reviewer: None,
            reviewers: Vec::new(),
            decided_at: None,
            held_until: None,
        }
    }
}

/// What recording a decision did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordedDecision {
    /// Where the patch stands now.
    pub now: PatchReview,
    /// True where the same decision had been recorded before: nothing was changed.
    pub repeated: bool,
}

impl Store {
    /// Records a decision, or takes one back, in one transaction with everything that follows from it: the state of the patch,
    /// its place in the queue, the label for training, and what has to be delivered.
    ///
    /// The same decision again (by its id) is a no-op.
    ///
    /// # Errors
    /// No such patch; a decision that lacks what it must carry; [`Refusal::Stale`] where somebody decided meanwhile; nothing to
    /// take back; a fault of the file.
    pub fn record_decision(
        &mut self,
        decision: &Decision,
        rules: &DecisionRules,
        now: Timestamp,
    ) -> Result<RecordedDecision, StoreError> {
        self.write("record the decision", |transaction| record(transaction, decision, rules, now))
    }

    /// Records decisions on several patches: all of them or none.
    ///
    /// # Errors
    /// As [`Store::record_decision`].
    pub fn record_decisions(
        &mut self,
        decisions: &[Decision],
        rules: &DecisionRules,
        now: Timestamp,
    ) -> Result<Vec<RecordedDecision>, StoreError> {
        self.write("record the decisions", |transaction| {
            decisions.iter().map(|decision| record(transaction, decision, rules, now)).collect()
        })
    }

    /// All decisions on a patch, undos too, in the order of recording.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn decisions_on(&self, patch_id: &str) -> Result<Vec<Decision>, StoreError> {
        self.rows("read the decisions", rows::ON_PATCH, [patch_id], rows::decision_of)
    }

    /// Every decision of the store, undos too, in the order of recording.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn recorded_decisions(&self) -> Result<Vec<Decision>, StoreError> {
        self.rows("read the decisions", "SELECT * FROM decisions ORDER BY fid", [], rows::decision_of)
    }

    /// Where a patch stands in review; of a patch that nobody decided on, open in version 0.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn patch_review(&self, patch_id: &str) -> Result<PatchReview, StoreError> {
        rows::state(&self.connection, patch_id).map_err(|fault| self.fault("read where the patch stands", fault))
    }

    /// A decision by its id; `None` where there is none.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn decision(&self, decision_id: &str) -> Result<Option<Decision>, StoreError> {
        rows::by_id(&self.connection, decision_id).map_err(|fault| self.fault("look for a decision", fault))
    }

    /// The latest decision of a reviewer that can be taken back: what an undo without a patch means.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn last_decision_of(&self, reviewer: &str) -> Result<Option<Decision>, StoreError> {
        let recent: Vec<Decision> = self.rows(
            "read the reviewer's decisions",
            "SELECT * FROM decisions WHERE reviewer = ?1 ORDER BY fid DESC LIMIT 200",
            [reviewer],
            rows::decision_of,
        )?;
        for decision in recent.into_iter().filter(|decision| decision.verdict.is_some()) {
            let events = self.decisions_on(&decision.patch_id)?;
            if standing_decisions(&events).iter().any(|stands| stands.decision_id == decision.decision_id) {
                return Ok(Some(decision));
            }
        }
        Ok(None)
    }
}

fn record(
    transaction: &Transaction<'_>,
    decision: &Decision,
    rules: &DecisionRules,
    now: Timestamp,
) -> Result<RecordedDecision, Trouble> {
    check(decision)?;
    if let Some(known) = rows::by_id(transaction, &decision.decision_id)? {
        let same = |known: &Decision| {
            (&known.patch_id, &known.reviewer, known.verdict)
                == (&decision.patch_id, &decision.reviewer, decision.verdict)
        };
        return if same(&known) {
            Ok(RecordedDecision { now: rows::state(transaction, &decision.patch_id)?, repeated: true })
        } else {
            Err(invalid(decision, "a decision_id of its own", "one that another decision has".to_owned()).into())
        };
    }
    must_be_known(transaction, &decision.patch_id)?;
    if let Some(other) = &decision.duplicate_of {
        must_be_known(transaction, other)?;
    }
    let before = rows::state(transaction, &decision.patch_id)?;
    if before.version != decision.on_version {
        return Err(Refusal::Stale {
            what: format!("patch {}", decision.patch_id),
            seen: decision.on_version,
            now: before.version,
        }
        .into());
    }
    if decision.verdict.is_none() && !before.reviewers.contains(&decision.reviewer) {
        return Err(invalid(
            decision,
            "a decision of the same reviewer that stands",
            "nothing to take back".to_owned(),
        )
        .into());
    }
    if decision.verdict.is_none() {
        splits::take_back(transaction, &rows::on_patch(transaction, &decision.patch_id)?, decision, now)?;
    }
    rows::insert(transaction, decision, now)?;
    let events = rows::on_patch(transaction, &decision.patch_id)?;
    let severity = severity(transaction, &events, &decision.patch_id)?;
    let stands = standing(&events, rules.two_persons.needs_two(severity));
    let held_until = now.checked_add(rules.hold).unwrap_or(now);
    let counts = stands.counts;
    let after = PatchReview {
        version: before.version + 1,
        state: stands.state,
        verdict: counts.and_then(|decision| decision.verdict),
        decision_id: counts.map(|decision| decision.decision_id.clone()),
        reviewer: counts.map(|decision| decision.reviewer.clone()),
        reviewers: standing_decisions(&events).iter().map(|decision| decision.reviewer.clone()).collect(),
        decided_at: counts.map(|decision| decision.decided_at),
        held_until: (stands.state == ReviewState::Decided).then_some(held_until),
    };
    rows::set_state(transaction, &decision.patch_id, &after, counts)?;
    mirror(transaction, decision, &after, counts, now)?;
    leases::give_back(transaction, &decision.patch_id, &decision.reviewer)?;
    outbox::on_decision(
        transaction,
        decision,
        counts.filter(|_| stands.state == ReviewState::Decided),
        held_until,
        now,
    )?;
    geopackage::touch(transaction, "decisions", now)?;
    Ok(RecordedDecision { now: after, repeated: false })
}

fn check(decision: &Decision) -> Result<(), Trouble> {
    let mut faults = decision.faults();
    if let Some(outline) = &decision.corrected.geometry {
        faults.extend(geometry::fault([outline]).map(|fault| format!("corrected.geometry: {fault}")));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(invalid(decision, "all that it must carry", faults.join("; ")).into())
}

fn invalid(decision: &Decision, expected: &str, got: String) -> Refusal {
    Refusal::Invalid {
        what: format!("decision on patch {}", decision.patch_id),
        expected: expected.to_owned(),
        got,
        next: "correct it and send it again",
    }
}

fn must_be_known(transaction: &Transaction<'_>, patch_id: &str) -> Result<(), Trouble> {
    let known: bool = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM patches WHERE patch_id = ?1)
                 OR EXISTS (SELECT 1 FROM patches_superseded WHERE patch_id = ?1)",
        )?
        .query_row([patch_id], |row| row.get(0))?;
    if known {
        return Ok(());
    }
    let next = "the layer patches and the table patches_superseded hold those that can be decided on";
    Err(Refusal::Unknown { kind: "patch", selector: patch_id.to_owned(), next }.into())
}

/// As the last correction has it, else as the rules of the law do.
fn severity(transaction: &Transaction<'_>, events: &[Decision], patch_id: &str) -> rusqlite::Result<Option<Severity>> {
    if let Some(corrected) = standing_decisions(events).iter().rev().find_map(|decision| decision.corrected.severity) {
        return Ok(Some(corrected));
    }
    let assessed: Option<String> = transaction
        .prepare_cached("SELECT severity FROM assessments WHERE patch_id = ?1")?
        .query_row([patch_id], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(assessed.and_then(|name| Severity::ALL.into_iter().find(|grade| grade.name() == name)))
}

/// The decision as `labels export` reads it. What was taken back, or waits for another person, teaches nothing.
fn mirror(
    transaction: &Transaction<'_>,
    decision: &Decision,
    after: &PatchReview,
    counts: Option<&Decision>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let decided = counts.filter(|_| after.state == ReviewState::Decided).and_then(Decision::mirrored);
    let review = match decided {
        Some(review) => Review { reviewed_at: decision.decided_at, ..review },
        None => Review {
            patch_id: decision.patch_id.clone(),
            verdict: Verdict::Unsure,
            reason: if decision.verdict.is_none() { "taken back" } else { "waits for another person" }.to_owned(),
            corrected_class: None,
            reviewer: decision.reviewer.clone(),
            reviewed_at: decision.decided_at,
        },
    };
    reviews::append(transaction, &review, now)
}
