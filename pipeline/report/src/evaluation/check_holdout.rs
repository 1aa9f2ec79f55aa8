//! Do the scores of a hold-out hold together?

use super::check::{SCORE_TOLERANCE, ratio, share, unique};
use super::{HoldOut, PrecisionRecallCurve, ReliabilityBin};
use crate::error::ReportFault;

/// Slack for the ends of bins: rounding, not another bin.
const BIN_TOLERANCE: f64 = 1e-6;

pub(super) fn check_holdout(faults: &mut Vec<ReportFault>, holdout: &HoldOut) {
    let place = format!("hold-out {:?}", holdout.name);
    if holdout.classes.is_empty() {
        let hint = "a hold-out without classes says nothing";
        faults.push(ReportFault::Absent { place: place.clone(), what: "class", hint });
    }
    unique(faults, "class", holdout.classes.iter().map(|class| class.name.as_str()));
    for class in &holdout.classes {
        let place = format!("{place}, class {:?}", class.name);
        share(faults, &place, "iou", class.iou);
        share(faults, &place, "precision", class.precision);
        share(faults, &place, "recall", class.recall);
        share(faults, &place, "f1", class.f1);
    }
    share(faults, &place, "mean_iou", holdout.mean_iou);
    share(faults, &place, "accuracy", holdout.accuracy);
    share(faults, &place, "expected_calibration_error", holdout.expected_calibration_error);
    share(faults, &place, "expected_calibration_error_before", holdout.expected_calibration_error_before);
    unique(faults, "water score", holdout.water.iter().map(|water| water.name.as_str()));
    for water in &holdout.water {
        share(faults, &format!("{place}, water against {:?}", water.name), "iou", water.iou);
    }
    let sum = holdout.classes.iter().map(|class| class.labelled_px).sum();
    count(faults, &place, ("labelled_px", holdout.labelled_px), sum, "the sum over the classes");
    check_confusion(faults, &place, holdout);
    check_curves(faults, &place, holdout);
    check_reliability(faults, &place, &holdout.reliability);
    check_baselines(faults, &place, holdout);
}

fn count(
    faults: &mut Vec<ReportFault>,
    place: &str,
    (what, got): (&'static str, u64),
    expected: u64,
    from: &'static str,
) {
    if got != expected {
        faults.push(ReportFault::Count { place: place.to_owned(), what, got, expected, from });
    }
}

fn check_confusion(faults: &mut Vec<ReportFault>, place: &str, holdout: &HoldOut) {
    let (confusion, classes) = (&holdout.confusion, holdout.classes.len());
    if confusion.dim() != (classes, classes) {
        let (got, expected) = (confusion.shape().to_vec(), vec![classes, classes]);
        faults.push(ReportFault::Size { place: place.to_owned(), what: "the confusion matrix", got, expected });
        return;
    }
    let from = "the confusion matrix";
    for (index, class) in holdout.classes.iter().enumerate() {
        let place = format!("{place}, class {:?}", class.name);
        let (right, labelled) = (confusion[(index, index)], confusion.row(index).sum());
        let predicted = confusion.column(index).sum();
        count(faults, &place, ("labelled_px", class.labelled_px), labelled, from);
        ratio(faults, &place, ("iou", class.iou), (right, labelled + predicted - right), from);
        ratio(faults, &place, ("precision", class.precision), (right, predicted), from);
        ratio(faults, &place, ("recall", class.recall), (right, labelled), from);
    }
    let right = confusion.diag().sum();
    ratio(faults, place, ("accuracy", holdout.accuracy), (right, confusion.sum()), from);
}

fn check_curves(faults: &mut Vec<ReportFault>, place: &str, holdout: &HoldOut) {
    let classes = holdout.classes.len();
    let mut seen = vec![false; classes];
    for curve in &holdout.curves {
        let Some(class) = holdout.classes.get(curve.class) else {
            faults.push(ReportFault::UnknownClass { place: place.to_owned(), class: curve.class, classes });
            continue;
        };
        if std::mem::replace(&mut seen[curve.class], true) {
            faults.push(ReportFault::Duplicate { what: "curve of class", id: class.name.clone() });
        }
        check_curve(faults, &format!("{place}, curve of {:?}", class.name), curve);
    }
}

fn check_curve(faults: &mut Vec<ReportFault>, place: &str, curve: &PrecisionRecallCurve) {
    share(faults, place, "average_precision", curve.average_precision);
    // One fault a curve is enough: thousands of points would drown all else.
    let outside = |value: &f64| !(0.0..=1.0).contains(value);
    let recall = curve.points.iter().map(|point| point.0).find(outside);
    let precision = curve.points.iter().map(|point| point.1).find(outside);
    share(faults, place, "recall", recall);
    share(faults, place, "precision", precision);
    if let Some(pair) = curve.points.windows(2).find(|pair| pair[1].0 < pair[0].0) {
        let (before, after) = (pair[0].0, pair[1].0);
        faults.push(ReportFault::Order { place: place.to_owned(), what: "recall", before, after });
    }
}

fn check_reliability(faults: &mut Vec<ReportFault>, place: &str, bins: &[ReliabilityBin]) {
    for bin in bins {
        check_bin(faults, &format!("{place}, confidence {} to {}", bin.confidence_low, bin.confidence_high), bin);
    }
    if let Some(pair) = bins.windows(2).find(|pair| pair[1].confidence_low < pair[0].confidence_high - BIN_TOLERANCE) {
        let (before, after) = (pair[0].confidence_high, pair[1].confidence_low);
        faults.push(ReportFault::Order { place: place.to_owned(), what: "confidence of the bins", before, after });
    }
    let sum: f64 = bins.iter().map(|bin| bin.share).sum();
    if !bins.is_empty() && (sum.is_nan() || (sum - 1.0).abs() > SCORE_TOLERANCE) {
        let expected = "1: each labelled pixel in one bin";
        faults.push(ReportFault::Number { place: place.to_owned(), field: "sum of bin shares", got: sum, expected });
    }
}

fn check_bin(faults: &mut Vec<ReportFault>, place: &str, bin: &ReliabilityBin) {
    share(faults, place, "confidence_low", Some(bin.confidence_low));
    share(faults, place, "confidence_high", Some(bin.confidence_high));
    share(faults, place, "accuracy", bin.accuracy);
    share(faults, place, "share", Some(bin.share));
    if bin.confidence_high <= bin.confidence_low {
        let (what, before, after) = ("confidence", bin.confidence_low, bin.confidence_high);
        faults.push(ReportFault::Order { place: place.to_owned(), what, before, after });
    }
    let ends = bin.confidence_low - BIN_TOLERANCE..=bin.confidence_high + BIN_TOLERANCE;
    if let Some(got) = bin.mean_confidence.filter(|mean| !ends.contains(mean)) {
        let (field, expected) = ("mean_confidence", "a value within the ends of the bin");
        faults.push(ReportFault::Number { place: place.to_owned(), field, got, expected });
    }
    for (what, value) in [("mean_confidence", bin.mean_confidence), ("accuracy", bin.accuracy)] {
        if bin.share > 0.0 && value.is_none() {
            let hint = "only a bin without pixels (share 0) has none";
            faults.push(ReportFault::Absent { place: place.to_owned(), what, hint });
        }
    }
}

fn check_baselines(faults: &mut Vec<ReportFault>, place: &str, holdout: &HoldOut) {
    unique(faults, "baseline", holdout.baselines.iter().map(|baseline| baseline.name.as_str()));
    for baseline in &holdout.baselines {
        let place = format!("{place}, baseline {:?}", baseline.name);
        let (got, expected) = (vec![baseline.class_iou.len()], vec![holdout.classes.len()]);
        if got != expected {
            faults.push(ReportFault::Size { place: place.clone(), what: "class_iou", got, expected });
        }
        for value in &baseline.class_iou {
            share(faults, &place, "class_iou", *value);
        }
        share(faults, &place, "mean_iou", baseline.mean_iou);
        share(faults, &place, "water_iou", baseline.water_iou);
    }
}
