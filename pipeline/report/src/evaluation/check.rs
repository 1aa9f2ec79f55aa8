//! Does the evaluation hold together? Every fault is listed, not only the first.

use std::collections::BTreeSet;

use super::check_holdout::check_holdout;
use super::{BandSetScore, Evaluation, EvaluationPicture, Goal, GoalBound, ObjectScores, PictureLegend};
use crate::error::ReportFault;

/// Slack for a score against the counts it follows from: rounding to three decimals, not another score.
pub(super) const SCORE_TOLERANCE: f64 = 0.001;
/// First bytes of every PNG file.
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Every fault of the evaluation's data.
pub(super) fn faults(evaluation: &Evaluation) -> Vec<ReportFault> {
    let mut faults = Vec::new();
    let duration_s = evaluation.run.duration_s;
    if !(duration_s.is_finite() && duration_s >= 0.0) {
        let (place, expected) = ("run".to_owned(), "seconds, zero or more");
        faults.push(ReportFault::Number { place, field: "duration_s", got: duration_s, expected });
    }
    for goal in &evaluation.goals {
        check_goal(&mut faults, goal);
    }
    if evaluation.holdouts.is_empty() {
        let hint = "an evaluation without scores says nothing";
        faults.push(ReportFault::Absent { place: "evaluation".to_owned(), what: "hold-out", hint });
    }
    unique(&mut faults, "hold-out", evaluation.holdouts.iter().map(|holdout| holdout.name.as_str()));
    for holdout in &evaluation.holdouts {
        check_holdout(&mut faults, holdout);
    }
    unique(&mut faults, "band set", evaluation.band_sets.iter().map(|set| set.name.as_str()));
    for set in &evaluation.band_sets {
        check_band_set(&mut faults, set);
    }
    if let Some(objects) = &evaluation.objects {
        check_objects(&mut faults, objects);
    }
    for picture in &evaluation.pictures {
        check_picture(&mut faults, picture);
    }
    if !evaluation.pictures.is_empty() {
        check_legend(&mut faults, &evaluation.legend);
    }
    faults
}

/// A share or score must lie within 0 and 1 where it is given.
pub(super) fn share(faults: &mut Vec<ReportFault>, place: &str, field: &'static str, value: Option<f64>) {
    if let Some(got) = value.filter(|value| !(0.0..=1.0).contains(value)) {
        let expected = "0 to 1, or `None` where it was not measured";
        faults.push(ReportFault::Number { place: place.to_owned(), field, got, expected });
    }
}

/// A score, where it is given, must be the part over the whole. Scores that are no shares are told by [`share`].
pub(super) fn ratio(
    faults: &mut Vec<ReportFault>,
    place: &str,
    (field, value): (&'static str, Option<f64>),
    (part, whole): (u64, u64),
    from: &'static str,
) {
    let Some(got) = value.filter(|value| (0.0..=1.0).contains(value)) else { return };
    let expected = (whole > 0).then(|| part as f64 / whole as f64);
    if expected.is_none_or(|expected| (got - expected).abs() > SCORE_TOLERANCE) {
        faults.push(ReportFault::Score { place: place.to_owned(), field, got, expected, from });
    }
}

/// Every name once.
pub(super) fn unique<'a>(faults: &mut Vec<ReportFault>, what: &'static str, names: impl Iterator<Item = &'a str>) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            faults.push(ReportFault::Duplicate { what, id: name.to_owned() });
        }
    }
}

fn check_goal(faults: &mut Vec<ReportFault>, goal: &Goal) {
    let place = || format!("goal {:?}", goal.what);
    let expected = "a finite number";
    let mut sound = true;
    for (field, value) in [("wanted", Some(goal.wanted.value())), ("reached", goal.reached)] {
        if let Some(got) = value.filter(|value| !value.is_finite()) {
            faults.push(ReportFault::Number { place: place(), field, got, expected });
            sound = false;
        }
    }
    if sound && goal.met != goal.reached.is_some_and(|reached| goal.wanted.is_met_by(reached)) {
        let wanted = match goal.wanted {
            GoalBound::AtLeast(bound) => format!("at least {bound}"),
            GoalBound::AtMost(bound) => format!("at most {bound}"),
        };
        faults.push(ReportFault::Goal { what: goal.what.clone(), met: goal.met, reached: goal.reached, wanted });
    }
}

fn check_band_set(faults: &mut Vec<ReportFault>, set: &BandSetScore) {
    let place = format!("band set {:?}", set.name);
    share(faults, &place, "mean_iou", set.mean_iou);
    share(faults, &place, "water_iou", set.water_iou);
    share(faults, &place, "expected_calibration_error", set.expected_calibration_error);
}

fn check_objects(faults: &mut Vec<ReportFault>, objects: &ObjectScores) {
    share(faults, "objects", "recall", objects.recall);
    share(faults, "objects", "precision", objects.precision);
    share(faults, "objects", "named_share", objects.named_share);
    share(faults, "objects", "false_share_of_plain_ground", objects.false_share_of_plain_ground);
    unique(faults, "size of objects", objects.recall_by_size.iter().map(|row| row.label.as_str()));
    for row in &objects.recall_by_size {
        let place = format!("objects of {:?}", row.label);
        part(faults, &place, ("found", row.found), ("objects", row.objects));
        share(faults, &place, "recall", row.recall);
        ratio(faults, &place, ("recall", row.recall), (row.found, row.objects), "found over objects");
    }
    unique(faults, "size of findings", objects.precision_by_size.iter().map(|row| row.label.as_str()));
    for row in &objects.precision_by_size {
        let place = format!("findings of {:?}", row.label);
        part(faults, &place, ("right", row.right), ("findings", row.findings));
        share(faults, &place, "precision", row.precision);
        ratio(faults, &place, ("precision", row.precision), (row.right, row.findings), "right over findings");
    }
    unique(faults, "kind of object", objects.by_kind.iter().map(|row| row.name.as_str()));
    for row in &objects.by_kind {
        let place = format!("kind {:?}", row.name);
        share(faults, &place, "recall", row.recall);
        share(faults, &place, "named", row.named);
    }
}

fn part(
    faults: &mut Vec<ReportFault>,
    place: &str,
    (part, got): (&'static str, u64),
    (whole, limit): (&'static str, u64),
) {
    if got > limit {
        faults.push(ReportFault::PartExceedsWhole { place: place.to_owned(), part, got, whole, limit });
    }
}

fn check_picture(faults: &mut Vec<ReportFault>, picture: &EvaluationPicture) {
    let place = format!("picture {:?}", picture.title);
    if picture.panels.is_empty() {
        faults.push(ReportFault::Absent { place: place.clone(), what: "panel", hint: "leave the picture out" });
    }
    let mut first = None;
    for panel in &picture.panels {
        let place = format!("{place}, panel {:?}", panel.label);
        match png_size(&panel.png) {
            None => faults.push(ReportFault::NotPng { place }),
            Some(got) => {
                let expected = *first.get_or_insert(got);
                if got != expected {
                    faults.push(ReportFault::PanelSize { place, got, expected });
                }
            }
        }
    }
}

/// (width, height) in pixels of a PNG file, from its first chunk; `None` for anything else and for a picture of none.
pub(super) fn png_size(png: &[u8]) -> Option<(u32, u32)> {
    let header = png.strip_prefix(PNG_SIGNATURE)?.get(4..16)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    let size = (number(&header[4..8]), number(&header[8..12]));
    (header.starts_with(b"IHDR") && size.0 > 0 && size.1 > 0).then_some(size)
}

fn check_legend(faults: &mut Vec<ReportFault>, legend: &PictureLegend) {
    let reserved = [("not labelled", legend.not_labelled), ("not observed", legend.not_observed)];
    for (what, colour) in reserved {
        for entry in legend.classes.iter().chain(&legend.others).filter(|entry| entry.colour == colour) {
            faults.push(ReportFault::SharedColour { what, other: entry.name.clone(), colour });
        }
    }
    if legend.not_labelled == legend.not_observed {
        let (what, other) = ("not labelled", "not observed".to_owned());
        faults.push(ReportFault::SharedColour { what, other, colour: legend.not_labelled });
    }
}
