//! All cases so far, and which of them each patch of the next pass belongs to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::life::Life;
use super::overlap::{self, Outlines};
use super::{Case, CaseEvent, CaseRules, CaseState, FollowUp, PassRecord, PatchRecord};

/// Cases by number, in the order in which they were founded.
pub(super) struct Register<'a> {
    rules: &'a CaseRules,
    lives: Vec<Life>,
    /// The case of each patch, and its place among the patches of that case.
    by_patch: BTreeMap<String, (usize, usize)>,
    /// Outlines of all cases but those that merged into others.
    outlines: Outlines,
}

/// Where the patches of a pass belong.
#[derive(Default)]
struct Places<'p> {
    /// Patches over no case.
    alone: Vec<&'p PatchRecord>,
    /// Patches over cases, by the number of the case that they belong to, the largest first.
    over: BTreeMap<usize, Vec<&'p PatchRecord>>,
    /// Cases that merge: the younger one and the oldest one of those that it merges with.
    merging: Vec<(usize, usize)>,
}

impl<'a> Register<'a> {
    pub(super) fn new(rules: &'a CaseRules) -> Self {
        Self { rules, lives: Vec::new(), by_patch: BTreeMap::new(), outlines: Outlines::default() }
    }

    pub(super) fn into_cases(self) -> impl Iterator<Item = Case> {
        self.lives.into_iter().map(|life| life.case)
    }

    /// Adds a pass that is later than all before it.
    pub(super) fn add(&mut self, pass: &PassRecord) {
        // before the pass's own patches join: it follows up what earlier passes raised
        let mut told = self.told_by_case(pass);
        let places = self.places(&pass.patches);
        for (younger, older) in &places.merging {
            self.merge(pass, *younger, *older, places.over[older][0]);
            told.remove(younger);
        }
        for (case, patches) in &places.over {
            let merged = places.merging.iter().any(|(_, older)| older == case);
            let observed_fraction = told.remove(case).map(|follow_up| follow_up.observed_fraction);
            let drawn = if merged {
                Some(CaseEvent::Merged)
            } else if patches.len() > 1 {
                Some(CaseEvent::Split)
            } else {
                None
            };
            self.join(pass, *case, patches[0], observed_fraction, drawn);
            for part in &patches[1..] {
                self.found(pass, part, Some(*case));
            }
        }
        for patch in &places.alone {
            self.found(pass, patch, None);
        }
        for (case, follow_up) in told {
            self.lives[case].take_follow_up(pass, follow_up, self.rules);
        }
    }

    /// The follow-up that counts for each case: that of its latest patch which has one.
    fn told_by_case<'p>(&self, pass: &'p PassRecord) -> BTreeMap<usize, &'p FollowUp> {
        let mut latest: BTreeMap<usize, (usize, &FollowUp)> = BTreeMap::new();
        for follow_up in &pass.follow_ups {
            let Some((case, place)) = self.by_patch.get(&follow_up.patch_id) else { continue };
            if self.lives[*case].case.state == CaseState::Merged {
                continue; // its ground is that of the case that it merged into
            }
            let kept = latest.entry(*case).or_insert((*place, follow_up));
            if *place > kept.0 {
                *kept = (*place, follow_up);
            }
        }
        latest.into_iter().map(|(case, (_, follow_up))| (case, follow_up)).collect()
    }

    fn places<'p>(&self, patches: &'p [PatchRecord]) -> Places<'p> {
        let mut older = BTreeMap::new();
        let under: Vec<_> = patches.iter().map(|patch| self.under(patch)).collect();
        for (open, _) in &under {
            for pair in open.windows(2) {
                let (one, other) = (oldest(&older, pair[0]), oldest(&older, pair[1]));
                let (first, second) =
                    if self.lives[one].age() <= self.lives[other].age() { (one, other) } else { (other, one) };
                if first != second {
                    older.insert(second, first);
                }
            }
        }
        let mut places = Places::default();
        for (patch, (open, closed)) in patches.iter().zip(under) {
            match open.first().map(|case| oldest(&older, *case)).or(closed) {
                Some(case) => places.over.entry(case).or_default().push(patch),
                None => places.alone.push(patch),
            }
        }
        for patches in places.over.values_mut() {
            patches.sort_by(|a, b| b.area_m2.total_cmp(&a.area_m2).then_with(|| a.patch_id.cmp(&b.patch_id)));
        }
        places.merging = older.keys().map(|younger| (*younger, oldest(&older, *younger))).collect();
        places
    }

    /// The open cases that a patch lies over, and the closed one that it would open again.
    fn under(&self, patch: &PatchRecord) -> (Vec<usize>, Option<usize>) {
        let near = self.outlines.near(&patch.geometry).into_iter();
        let over = |case: &usize| {
            overlap::of_smaller(&self.lives[*case].case.latest.geometry, &patch.geometry) >= self.rules.least_overlap
        };
        let (open, closed): (Vec<_>, Vec<_>) =
            near.filter(over).partition(|case| self.lives[*case].case.state.is_open());
        let rank = |case: &usize| {
            let life = &self.lives[*case];
            (life.was_confirmed, life.case.last_seen, Reverse(life.age()))
        };
        (open, closed.into_iter().max_by(|a, b| rank(a).cmp(&rank(b))))
    }

    fn found(&mut self, pass: &PassRecord, patch: &PatchRecord, parent: Option<usize>) {
        let case = self.lives.len();
        let life = Life::found(pass, patch, parent.map(|parent| &self.lives[parent]), self.rules);
        self.lives.push(life);
        self.by_patch.insert(patch.patch_id.clone(), (case, 0));
        self.outlines.insert(case, &patch.geometry);
    }

    fn join(
        &mut self,
        pass: &PassRecord,
        case: usize,
        patch: &PatchRecord,
        observed_fraction: Option<f64>,
        drawn: Option<CaseEvent>,
    ) {
        let life = &mut self.lives[case];
        self.outlines.remove(case, &life.case.latest.geometry);
        self.outlines.insert(case, &patch.geometry);
        self.by_patch.insert(patch.patch_id.clone(), (case, life.case.patch_ids.len()));
        life.take_patch(pass, patch, observed_fraction, drawn, self.rules);
    }

    fn merge(&mut self, pass: &PassRecord, younger: usize, older: usize, into: &PatchRecord) {
        if let Ok([younger_life, older_life]) = self.lives.get_disjoint_mut([younger, older]) {
            self.outlines.remove(younger, &younger_life.case.latest.geometry);
            older_life.absorb(younger_life, self.rules);
            younger_life.end_in(pass, into);
        }
    }
}

/// The oldest one of the cases that a case merges with, over several steps; itself where it merges with none older.
fn oldest(older: &BTreeMap<usize, usize>, mut case: usize) -> usize {
    while let Some(next) = older.get(&case) {
        case = *next;
    }
    case
}
