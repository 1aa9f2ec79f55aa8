//! Stories painted on a strip of shore: a letter is a patch, a cell is 100 m².

use geo_types::polygon;
use proptest::prelude::*;

use super::*;

const CELL_DEGREES: f64 = 1e-4;
const CELL_M2: f64 = 100.0;

/// The pass of a month of 2024. Patch "3a" is the run of letters a in month 3.
fn pass(month: usize, strip: &str) -> PassRecord {
    let letters: std::collections::BTreeSet<char> = strip.chars().filter(char::is_ascii_alphabetic).collect();
    let painted = |letter: char| {
        let (first, last) = (strip.find(letter).expect("painted"), strip.rfind(letter).expect("painted"));
        patch(&format!("{month}{letter}"), first, last + 1 - first)
    };
    PassRecord {
        pass_id: Digest::of_bytes(&[month as u8]),
        acquired_at: format!("2024-{month:02}-01T03:00:00Z").parse().expect("a time"),
        patches: letters.into_iter().map(painted).collect(),
        follow_ups: Vec::new(),
    }
}

fn patch(patch_id: &str, first: usize, cells: usize) -> PatchRecord {
    let (from, to) = (108.5 + first as f64 * CELL_DEGREES, 108.5 + (first + cells) as f64 * CELL_DEGREES);
    let (south, north) = (21.8, 21.8 + CELL_DEGREES);
    PatchRecord {
        patch_id: patch_id.to_owned(),
        geometry: polygon![(x: from, y: south), (x: to, y: south), (x: to, y: north), (x: from, y: north)],
        area_m2: cells as f64 * CELL_M2,
        object_class: "building".to_owned(),
        suspected_issue_class: IssueClass::Construction,
        change_type: "vegetation_to_built_up".to_owned(),
        review_score: Some(0.5),
        confidence: 0.8,
        urgent: false,
    }
}

/// A pass without patches that follows up an earlier one.
fn look(month: usize, patch_id: &str, observed_fraction: f64, present_fraction: Option<f64>) -> PassRecord {
    let told = FollowUp {
        patch_id: patch_id.to_owned(),
        observed_fraction,
        present_fraction,
        changed_fraction: None,
        review_score: None,
    };
    PassRecord { follow_ups: vec![told], ..pass(month, "") }
}

/// A case in one line: id, state, events, parents.
fn told(cases: &[Case]) -> Vec<String> {
    let line = |case: &Case| {
        let events: Vec<_> = case.series.iter().map(|point| point.event.name()).collect();
        let parents: Vec<_> = case.parents.iter().map(|parent| format!(" < {parent}")).collect();
        format!("{} {}: {}{}", case.case_id, case.state.name(), events.join(" "), parents.concat())
    };
    cases.iter().map(line).collect()
}

fn check(passes: Vec<PassRecord>, expected: &[&str]) -> Vec<Case> {
    let cases = cases_of(passes, &CaseRules::default());
    assert_eq!(told(&cases), expected);
    cases
}

#[test]
fn a_second_pass_that_shows_it_confirms() {
    check(vec![pass(1, "aaaa...bb")], &["case-1a suspected: new", "case-1b suspected: new"]);
    let by_patch = check(vec![pass(1, "aaaa"), pass(2, "aaaa")], &["case-1a confirmed: new persisting"]);
    assert_eq!(by_patch[0].patch_ids, ["1a", "2a"]);
    let by_look = check(vec![pass(1, "aaaa"), look(2, "1a", 0.5, Some(0.8))], &["case-1a confirmed: new persisting"]);
    let point = &by_look[0].series[1];
    assert_eq!((point.area_m2, point.observed_fraction, &point.patch_id), (Some(320.0), Some(0.5), &None));
    assert_eq!(by_look[0].last_seen, pass(2, "").acquired_at);
    check(vec![pass(1, "aaaa"), look(2, "1a", 0.9, Some(0.3))], &["case-1a suspected: new shrunk"]);
}

/// A pass that gives the ground of an earlier patch a review score; `present_fraction` is what its classes say.
fn judge(month: usize, patch_id: &str, present_fraction: Option<f64>, review_score: f64) -> PassRecord {
    let mut pass = look(month, patch_id, 1.0, present_fraction);
    pass.follow_ups[0].review_score = Some(review_score);
    pass
}

#[test]
fn the_evidence_of_all_passes_together_confirms() {
    // the same mistake of the classes twice, without a change in the pixels
    let mistaken = [judge(2, "1a", Some(1.0), 0.001), judge(3, "1a", Some(1.0), 0.01)];
    let of = |looks: &[PassRecord]| std::iter::once(pass(1, "aaaa")).chain(looks.iter().cloned()).collect::<Vec<_>>();
    check(of(&mistaken), &["case-1a suspected: new persisting persisting"]);
    // one pass in weak contrast does not hold up what the others show
    let weak = [judge(2, "1a", Some(1.0), 0.02), judge(3, "1a", Some(1.0), 0.9)];
    check(of(&weak[..1]), &["case-1a confirmed: new persisting"]);
    let cases = check(of(&weak), &["case-1a confirmed: new persisting persisting"]);
    assert_eq!(cases[0].series[1].review_score, Some(0.02));
    // classes that show it no more are believed, whatever the pixels say
    check(of(&[judge(2, "1a", Some(0.1), 0.9)]), &["case-1a suspected: new shrunk"]);
}

#[test]
fn what_no_class_tells_is_followed_by_its_evidence() {
    let passes = |scores: &[f64]| {
        let looks = scores.iter().zip(2..).map(|(score, month)| judge(month, "1a", None, *score));
        std::iter::once(pass(1, "aaaa")).chain(looks).collect::<Vec<_>>()
    };
    let there = check(passes(&[0.6]), &["case-1a confirmed: new persisting"]);
    assert_eq!((there[0].series[1].area_m2, there[0].area_m2()), (None, 400.0), "how much is left is not told");
    check(passes(&[0.6, 0.01, 0.01]), &["case-1a cleared: new persisting shrunk cleared"]);
    check(passes(&[0.01, 0.01, 0.01]), &["case-1a expired: new shrunk shrunk expired"]);
    // evidence does not open what is closed: only a patch or a class does
    check(passes(&[0.01, 0.01, 0.01, 0.9]), &["case-1a expired: new shrunk shrunk expired"]);
    // too little was observed to tell
    let mut hidden = judge(2, "1a", None, 0.9);
    hidden.follow_ups[0].observed_fraction = 0.4;
    check(vec![pass(1, "aaaa"), hidden], &["case-1a suspected: new unseen"]);
}

#[test]
fn size_tells_expanded_persisting_and_shrunk() {
    let grown = check(vec![pass(1, "aaaa"), pass(2, "aaaaa")], &["case-1a confirmed: new expanded"]);
    assert_eq!(grown[0].area_m2(), 500.0);
    check(vec![pass(1, "aaaaa"), pass(2, "aaaaaa")], &["case-1a confirmed: new persisting"]);
    check(vec![pass(1, "aaaaa"), pass(2, "..aaa")], &["case-1a confirmed: new shrunk"]);
    // less of it each time; a look sees no further than the outline, so that nothing expands
    let looks =
        [0.7, 0.68, 0.5, 1.0].into_iter().zip(2..).map(|(present, month)| look(month, "1a", 1.0, Some(present)));
    check(
        std::iter::once(pass(1, "aaaa")).chain(looks).collect(),
        &["case-1a confirmed: new shrunk persisting shrunk persisting"],
    );
}

#[test]
fn what_was_not_observed_changes_nothing() {
    let mut passes = vec![pass(1, "aaaa"), pass(2, "aaaa")];
    passes.extend((3..7).map(|month| look(month, "2a", 0.49, Some(0.0))));
    passes.extend((7..9).map(|month| look(month, "2a", 1.0, None)));
    passes.extend((9..12).map(|month| pass(month, "")));
    let cases = check(passes, &["case-1a confirmed: new persisting unseen unseen unseen unseen unseen unseen"]);
    assert_eq!(cases[0].last_observed, Some(pass(8, "").acquired_at), "it could not be told, but it was observed");
    assert_eq!(cases[0].last_seen, pass(2, "").acquired_at);

    let unconfirmed = check(
        (2..8).map(|month| look(month, "1a", 0.2, Some(0.0))).chain([pass(1, "aaaa")]).collect(),
        &["case-1a suspected: new unseen unseen unseen unseen unseen unseen"],
    );
    assert_eq!(unconfirmed[0].last_observed, None);
}

#[test]
fn a_confirmed_case_clears_only_when_passes_in_a_row_show_it_gone() {
    let begin = || vec![pass(1, "aaaa"), pass(2, "aaaa")];
    let with = |looks: Vec<PassRecord>| begin().into_iter().chain(looks).collect::<Vec<_>>();
    let gone = |month| look(month, "2a", 0.9, Some(0.1));
    check(with(vec![gone(3)]), &["case-1a confirmed: new persisting shrunk"]);
    check(with(vec![gone(3), gone(4)]), &["case-1a cleared: new persisting shrunk cleared"]);
    // cloud in between neither helps nor hinders
    check(
        with(vec![gone(3), look(4, "2a", 0.0, None), gone(5)]),
        &["case-1a cleared: new persisting shrunk unseen cleared"],
    );
    // there again, or partly, in between: the count begins anew
    check(
        with(vec![gone(3), look(4, "2a", 1.0, Some(1.0)), gone(5)]),
        &["case-1a confirmed: new persisting shrunk persisting shrunk"],
    );
    check(
        with(vec![gone(3), look(4, "2a", 1.0, Some(0.3)), gone(5)]),
        &["case-1a confirmed: new persisting shrunk shrunk shrunk"],
    );
    // closed cases are not followed any more
    check(with(vec![gone(3), gone(4), gone(5)]), &["case-1a cleared: new persisting shrunk cleared"]);
}

#[test]
fn a_case_that_is_never_confirmed_expires_and_does_not_clear() {
    let gone = |month| look(month, "1a", 1.0, Some(0.0));
    check(vec![pass(1, "aaaa"), gone(2), gone(3)], &["case-1a suspected: new shrunk shrunk"]);
    check(vec![pass(1, "aaaa"), gone(2), gone(3), gone(4)], &["case-1a expired: new shrunk shrunk expired"]);
}

#[test]
fn what_comes_back_opens_its_case_again() {
    let gone = |month, patch_id| look(month, patch_id, 1.0, Some(0.0));
    let cleared = || vec![pass(1, "aaaa"), pass(2, "aaaa"), gone(3, "2a"), gone(4, "2a")];
    let with = |more: Vec<PassRecord>| cleared().into_iter().chain(more).collect::<Vec<_>>();
    let relapse = check(
        with(vec![pass(5, ".aaaa"), gone(6, "5a")]),
        &["case-1a confirmed: new persisting shrunk cleared recurred shrunk"],
    );
    assert_eq!(relapse[0].patch_ids, ["1a", "2a", "5a"]);
    check(with(vec![look(5, "2a", 1.0, Some(0.9))]), &["case-1a confirmed: new persisting shrunk cleared recurred"]);
    let expired = || vec![pass(1, "aaaa"), gone(2, "1a"), gone(3, "1a"), gone(4, "1a")];
    let with = |more: Vec<PassRecord>| expired().into_iter().chain(more).collect::<Vec<_>>();
    check(with(vec![pass(5, "aaaa")]), &["case-1a suspected: new shrunk shrunk expired recurred"]);
    check(
        with(vec![pass(5, "aaaa"), pass(6, "aaaa")]),
        &["case-1a confirmed: new shrunk shrunk expired recurred persisting"],
    );
    // open again, it is the older one of two that grow together
    check(
        with(vec![pass(5, "....bbbb"), pass(6, "aaaabbbb"), pass(7, "..cccc..")]),
        &[
            "case-1a confirmed: new shrunk shrunk expired recurred merged < case-5b",
            "case-5b merged: new persisting merged",
        ],
    );
}

#[test]
fn the_older_of_two_cases_that_grow_together_lives_on() {
    let cases = check(
        vec![pass(1, "......bbb"), pass(2, "aaa"), pass(3, "ccccccccc"), look(4, "2a", 1.0, Some(1.0))],
        &["case-1b confirmed: new merged < case-2a", "case-2a merged: new merged"],
    );
    assert_eq!(cases[0].patch_ids, ["1b", "3c"]);
    assert_eq!(cases[1].series[1].patch_id.as_deref(), Some("3c"), "the patch leads to the case that lives on");
    // a chain of patches over three cases is one
    check(
        vec![pass(1, "aaa..bbb..ccc"), pass(2, "ddddddd......"), pass(3, "..eeeeeeeeeee")],
        &[
            "case-1a confirmed: new merged merged < case-1b < case-1c",
            "case-1b merged: new merged",
            "case-1c merged: new merged",
        ],
    );
}

#[test]
fn the_largest_part_of_a_case_that_falls_apart_stays_with_it() {
    let cases = check(
        vec![pass(1, "aaaaaaaaa"), pass(2, "aaa.bbbb."), pass(3, "ccc.bbbb.")],
        &["case-1a confirmed: new split persisting", "case-2a confirmed: split persisting < case-1a"],
    );
    assert_eq!(cases[0].patch_ids, ["1a", "2b", "3b"]);
    assert_eq!(cases[1].patch_ids, ["2a", "3c"]);
    assert_eq!(cases[1].first_seen, pass(2, "").acquired_at);
}

#[test]
fn what_touches_is_another_case_and_other_classes_are_not() {
    check(vec![pass(1, "aaaa"), pass(2, "...bbbbb")], &["case-1a suspected: new", "case-2b suspected: new"]);
    let mut later = pass(2, "..bbbbb");
    later.patches[0].suspected_issue_class = IssueClass::Dumping;
    let cases = check(vec![pass(1, "aaaa"), later], &["case-1a confirmed: new expanded"]);
    assert_eq!(cases[0].latest.suspected_issue_class, IssueClass::Dumping, "it is what it was last seen as");
}

#[test]
fn urgent_is_told_at_once_and_stays() {
    let mut sure = pass(1, "aaaa");
    sure.patches[0].review_score = Some(0.9);
    let mut flagged = pass(1, "aaaa");
    flagged.patches[0].urgent = true;
    for first in [sure, flagged] {
        let cases = check(vec![first.clone()], &["case-1a suspected: new"]);
        assert!(cases[0].urgent);
        assert!(check(vec![first, pass(2, "aaaa")], &["case-1a confirmed: new persisting"])[0].urgent);
    }
    assert!(!check(vec![pass(1, "aaaa")], &["case-1a suspected: new"])[0].urgent);
}

#[test]
fn more_passes_to_confirm_are_counted() {
    let rules = CaseRules { confirm_after_passes: 2, ..CaseRules::default() };
    let states = |passes: Vec<PassRecord>| cases_of(passes, &rules)[0].state;
    assert_eq!(states(vec![pass(1, "aaaa"), pass(2, "aaaa")]), CaseState::Suspected);
    assert_eq!(states(vec![pass(1, "aaaa"), pass(2, "aaaa"), look(3, "1a", 1.0, Some(1.0))]), CaseState::Confirmed);
}

#[test]
fn rules_that_make_no_sense_are_named() {
    assert_eq!(CaseRules::default().faults(), [""; 0]);
    let spoilt = CaseRules {
        least_overlap: 0.0,
        cleared_fraction_max: 0.6,
        expire_after_passes: 0,
        urgent_review_score: f64::NAN,
        ..CaseRules::default()
    };
    let faults = spoilt.faults().join("\n");
    for name in ["least_overlap", "cleared_fraction_max: must be below", "expire_after_passes", "urgent_review_score"] {
        assert!(faults.contains(name), "{name} is missing in:\n{faults}");
    }
}

/// Passes of the first months, each with a few patches and a word on some patch that an earlier month may have raised.
fn passes() -> impl Strategy<Value = Vec<PassRecord>> {
    type Look = (usize, usize, f64, Option<f64>, Option<f64>);
    type Month = (Vec<(usize, usize)>, Vec<Look>);
    let patches = prop::collection::vec((0_usize..20, 1_usize..8), 0..4);
    let share = || prop::option::of(0.0..=1.0);
    let looks = prop::collection::vec((1_usize..8, 0_usize..4, 0.0..=1.0, share(), share()), 0..6);
    prop::collection::vec((patches, looks), 1..8).prop_map(|months| {
        let record = |(i, (patches, looks)): (usize, Month)| {
            let name = |month: usize, number: usize| format!("{month}{}", ["a", "b", "c", "d"][number]);
            let patches = patches.iter().enumerate().map(|(n, &(first, cells))| patch(&name(i + 1, n), first, cells));
            let follow_up = |(month, number, observed_fraction, present_fraction, review_score)| FollowUp {
                patch_id: name(month, number),
                observed_fraction,
                present_fraction,
                changed_fraction: None,
                review_score,
            };
            let follow_ups = looks.into_iter().map(follow_up).collect();
            PassRecord { patches: patches.collect(), follow_ups, ..pass(i + 1, "") }
        };
        months.into_iter().enumerate().map(record).collect()
    })
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (ordered, shuffled) in passes().prop_flat_map(|passes| (Just(passes.clone()), Just(passes).prop_shuffle())),
        again in 0_usize..8,
    ) {
        let rules = CaseRules::default();
        let cases = cases_of(ordered, &rules);
        prop_assert_eq!(&cases_of(shuffled.clone(), &rules), &cases);
        let twice = shuffled.iter().cycle().skip(again).take(shuffled.len() + again).chain(&shuffled).cloned();
        prop_assert_eq!(&cases_of(twice, &rules), &cases);
    }

    #[test]
    fn every_patch_has_one_case_and_every_case_one_point_a_pass(passes in passes()) {
        let cases = cases_of(passes.clone(), &CaseRules::default());
        let mut patch_ids: Vec<_> = cases.iter().flat_map(|case| &case.patch_ids).collect();
        patch_ids.sort();
        let mut given: Vec<_> = passes.iter().flat_map(|pass| &pass.patches).map(|patch| &patch.patch_id).collect();
        given.sort();
        prop_assert_eq!(patch_ids, given);
        for case in &cases {
            prop_assert!(case.series.windows(2).all(|points| points[0].date < points[1].date), "{case:?}");
            prop_assert_eq!(&case.latest.patch_id, case.patch_ids.last().expect("a patch"));
            prop_assert!(case.parents.iter().all(|parent| cases.iter().any(|other| other.case_id == *parent)));
            prop_assert!(case.first_seen <= case.last_seen);
            if case.state == CaseState::Cleared {
                let last = case.series.last().expect("a point");
                prop_assert!(last.observed_fraction.expect("observed") >= 0.5 && last.event == CaseEvent::Cleared);
            }
        }
    }

    /// A case keeps its id and its past when passes are added later.
    #[test]
    fn later_passes_only_add(passes in passes()) {
        let rules = CaseRules::default();
        let before = cases_of(passes[..passes.len() - 1].to_vec(), &rules);
        let after = cases_of(passes, &rules);
        for case in before {
            let grown = after.iter().find(|other| other.case_id == case.case_id).expect("it is still there");
            prop_assert!(grown.series.starts_with(&case.series));
        }
    }
}
