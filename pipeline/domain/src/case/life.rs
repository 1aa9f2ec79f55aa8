//! One case, and what each pass does to it.

use jiff::Timestamp;

use super::{Case, CaseEvent, CasePoint, CaseRules, CaseState, FollowUp, PassRecord, PatchRecord};
use crate::digest::Digest;
use crate::suspicion::pooled;

/// A case that still grows, with what its next pass needs to know.
pub(super) struct Life {
    pub(super) case: Case,
    /// Confirmed now or before it was cleared.
    pub(super) was_confirmed: bool,
    /// Passes that showed it since it was opened, without the one that opened it.
    shown: u32,
    /// Observing passes in a row that did not show it.
    missed: u32,
    /// Observing passes in a row that showed it gone.
    gone: u32,
    /// Review scores (0..1) that passes gave it since it was opened, earliest first.
    scores: Vec<f64>,
    /// Area in m² that was last told.
    told_area_m2: f64,
}

/// What a follow-up tells of a patch.
#[derive(Clone, Copy)]
enum Told {
    /// By its classes: the share of the ground that still shows it.
    Share(f64),
    /// By its evidence alone: whether it is there.
    IsThere(bool),
}

impl Told {
    /// What can be told; `None` where too little was observed, or neither classes nor evidence can tell.
    fn of(follow_up: &FollowUp, rules: &CaseRules) -> Option<Self> {
        let by_evidence = || follow_up.review_score.map(|score| Self::IsThere(score >= rules.confirm_review_score));
        let told = || follow_up.present_fraction.map(Self::Share).or_else(by_evidence);
        (follow_up.observed_fraction >= rules.observed_fraction_min).then(told)?
    }

    fn is_there(self, rules: &CaseRules) -> bool {
        match self {
            Self::Share(present) => present >= rules.present_fraction_min,
            Self::IsThere(is_there) => is_there,
        }
    }
}

impl Life {
    /// Begins with a patch. Where it was split from another case, it stands where that one stands.
    pub(super) fn found(pass: &PassRecord, patch: &PatchRecord, parent: Option<&Self>, rules: &CaseRules) -> Self {
        let event = if parent.is_some() { CaseEvent::Split } else { CaseEvent::New };
        let was_confirmed = parent.is_some_and(|parent| parent.was_confirmed);
        let mut life = Self {
            case: Case {
                case_id: format!("case-{}", patch.patch_id),
                state: CaseState::Suspected,
                urgent: is_urgent(patch, rules),
                patch_ids: vec![patch.patch_id.clone()],
                parents: parent.iter().map(|parent| parent.case.case_id.clone()).collect(),
                latest: patch.clone(),
                first_seen: pass.acquired_at,
                last_seen: pass.acquired_at,
                last_observed: None,
                series: vec![patch_point(pass, patch, event, None)],
            },
            was_confirmed,
            shown: 0,
            missed: 0,
            gone: 0,
            scores: patch.review_score.into_iter().collect(),
            told_area_m2: patch.area_m2,
        };
        life.settle(rules);
        life
    }

    /// What tells the older one of two cases: the pass that founded it, then its id.
    pub(super) fn age(&self) -> (Timestamp, Option<Digest>, &str) {
        (self.case.first_seen, self.case.series.first().map(|point| point.pass_id), &self.case.case_id)
    }

    /// Goes on with a patch. `drawn` is what happened to the case beyond its size: it was split, or others merged into it.
    pub(super) fn take_patch(
        &mut self,
        pass: &PassRecord,
        patch: &PatchRecord,
        observed_fraction: Option<f64>,
        drawn: Option<CaseEvent>,
        rules: &CaseRules,
    ) {
        let was_open = self.case.state.is_open();
        let event = match drawn {
            _ if !was_open => CaseEvent::Recurred,
            Some(event) => event,
            None => by_size(self.case.latest.area_m2, patch.area_m2, rules),
        };
        self.show(pass, was_open, patch.review_score, rules);
        self.told_area_m2 = patch.area_m2;
        self.case.urgent |= is_urgent(patch, rules);
        self.case.patch_ids.push(patch.patch_id.clone());
        self.case.latest = patch.clone();
        self.case.series.push(patch_point(pass, patch, event, observed_fraction));
    }

    /// Goes on with what a pass shows of the ground of its latest patch that was followed up. A closed case that its classes do not
    /// show again stays as it is.
    pub(super) fn take_follow_up(&mut self, pass: &PassRecord, follow_up: &FollowUp, rules: &CaseRules) {
        let was_open = self.case.state.is_open();
        let told = Told::of(follow_up, rules);
        let opens = matches!(told, Some(told @ Told::Share(_)) if told.is_there(rules));
        if !(was_open || opens) {
            return;
        }
        if follow_up.observed_fraction >= rules.observed_fraction_min {
            self.case.last_observed = Some(pass.acquired_at);
        }
        let area_m2 = match told {
            Some(Told::Share(present)) => Some(present * self.case.latest.area_m2),
            // evidence does not tell how much is left
            Some(Told::IsThere(_)) | None => None,
        };
        let score = follow_up.review_score.filter(|_| told.is_some());
        let event = match told {
            None => CaseEvent::Unseen,
            Some(told) if told.is_there(rules) => {
                let event = match area_m2 {
                    _ if !was_open => CaseEvent::Recurred,
                    Some(area_m2) => self.while_there(area_m2, rules),
                    None => CaseEvent::Persisting,
                };
                self.show(pass, was_open, score, rules);
                event
            }
            Some(told) => {
                self.scores.extend(score);
                self.miss(if let Told::Share(present) = told { present } else { 0.0 }, rules)
            }
        };
        self.told_area_m2 = area_m2.unwrap_or(self.told_area_m2);
        self.case.series.push(CasePoint {
            pass_id: pass.pass_id,
            date: pass.acquired_at,
            event,
            area_m2,
            review_score: score,
            observed_fraction: Some(follow_up.observed_fraction),
            patch_id: None,
        });
    }

    /// Ends in an older case, whose patch `into` holds the ground of both.
    pub(super) fn end_in(&mut self, pass: &PassRecord, into: &PatchRecord) {
        self.case.state = CaseState::Merged;
        self.case.series.push(CasePoint {
            pass_id: pass.pass_id,
            date: pass.acquired_at,
            event: CaseEvent::Merged,
            area_m2: None,
            review_score: None,
            observed_fraction: None,
            patch_id: Some(into.patch_id.clone()),
        });
    }

    /// Takes over what a younger case was known for.
    pub(super) fn absorb(&mut self, younger: &Self, rules: &CaseRules) {
        self.case.parents.push(younger.case.case_id.clone());
        self.case.urgent |= younger.case.urgent;
        self.was_confirmed |= younger.was_confirmed;
        self.settle(rules);
    }

    /// A follow-up sees no further than the last outline: it tells that less is there, never that more is.
    fn while_there(&self, area_m2: f64, rules: &CaseRules) -> CaseEvent {
        match by_size(self.told_area_m2, area_m2, rules) {
            CaseEvent::Expanded => CaseEvent::Persisting,
            event => event,
        }
    }

    /// A pass shows it, and gives it a review score where it can.
    fn show(&mut self, pass: &PassRecord, was_open: bool, score: Option<f64>, rules: &CaseRules) {
        // the pass that opens a case again is the first of a new count, as the one that founded it was
        if was_open {
            self.shown += 1;
        } else {
            self.shown = 0;
            self.scores.clear();
        }
        self.scores.extend(score);
        (self.missed, self.gone) = (0, 0);
        self.case.last_seen = pass.acquired_at;
        self.case.last_observed = Some(pass.acquired_at);
        self.settle(rules);
    }

    /// An observing pass does not show it, or shows too little of it.
    fn miss(&mut self, present: f64, rules: &CaseRules) -> CaseEvent {
        self.missed += 1;
        self.gone = if present <= rules.cleared_fraction_max { self.gone + 1 } else { 0 };
        if self.was_confirmed && self.gone >= rules.clear_after_passes {
            self.case.state = CaseState::Cleared;
            CaseEvent::Cleared
        } else if !self.was_confirmed && self.missed >= rules.expire_after_passes {
            self.case.state = CaseState::Expired;
            CaseEvent::Expired
        } else {
            CaseEvent::Shrunk
        }
    }

    /// Sets the state of a case that is there.
    fn settle(&mut self, rules: &CaseRules) {
        // where only one pass or none has evidence, the classes decide
        let holds = pooled(&self.scores).is_none_or(|score| score >= rules.confirm_review_score);
        self.was_confirmed |= holds && self.shown >= rules.confirm_after_passes;
        self.case.state = if self.was_confirmed { CaseState::Confirmed } else { CaseState::Suspected };
    }
}

fn is_urgent(patch: &PatchRecord, rules: &CaseRules) -> bool {
    patch.urgent || patch.review_score.is_some_and(|score| score >= rules.urgent_review_score)
}

fn by_size(before_m2: f64, after_m2: f64, rules: &CaseRules) -> CaseEvent {
    if after_m2 >= before_m2 * (1.0 + rules.changed_area_fraction) && after_m2 > before_m2 {
        CaseEvent::Expanded
    } else if after_m2 <= before_m2 * (1.0 - rules.changed_area_fraction) && after_m2 < before_m2 {
        CaseEvent::Shrunk
    } else {
        CaseEvent::Persisting
    }
}

fn patch_point(pass: &PassRecord, patch: &PatchRecord, event: CaseEvent, observed_fraction: Option<f64>) -> CasePoint {
    CasePoint {
        pass_id: pass.pass_id,
        date: pass.acquired_at,
        event,
        area_m2: Some(patch.area_m2),
        review_score: patch.review_score,
        observed_fraction,
        patch_id: Some(patch.patch_id.clone()),
    }
}
