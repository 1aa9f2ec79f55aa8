//! Does the report hold together? Every fault is listed, not only the first.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{CaseRow, CoverageRow, PatchCard, Report};
use crate::error::ReportFault;

/// Slack for sums of areas, as a share of the scope: rounding, not double counting.
const AREA_TOLERANCE_SHARE: f64 = 1e-6;
/// Slack for sums of areas in m².
const AREA_TOLERANCE_M2: f64 = 0.01;

/// The higher review score first, what has none last.
pub(super) fn review_score_first(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// Review score, confidence, then area, from the largest; then the identifier.
pub(super) fn by_score(a: &PatchCard, b: &PatchCard) -> Ordering {
    review_score_first(a.review_score, b.review_score)
        .then(b.confidence.total_cmp(&a.confidence))
        .then(b.area_m2.total_cmp(&a.area_m2))
        .then_with(|| a.patch_id.cmp(&b.patch_id))
}

/// Every fault of the report's data.
pub(super) fn faults(report: &Report) -> Vec<ReportFault> {
    let mut faults = Vec::new();
    let mut reaches = BTreeSet::new();
    for reach in &report.reaches {
        if !reaches.insert(reach.reach_id.as_str()) {
            faults.push(ReportFault::Duplicate { what: "reach", id: reach.reach_id.clone() });
        }
        let place = || format!("reach {:?}", reach.reach_id);
        area(&mut faults, place, "scope_m2", reach.scope_m2);
    }
    let run = || "run".to_owned();
    area(&mut faults, run, "minimum_area_m2", report.run.minimum_area_m2);
    if !(report.run.duration_s.is_finite() && report.run.duration_s >= 0.0) {
        faults.push(ReportFault::Number {
            place: run(),
            field: "duration_s",
            got: report.run.duration_s,
            expected: "seconds, zero or more",
        });
    }
    for row in &report.coverage {
        check_coverage(&mut faults, row, &reaches);
    }
    for row in report.overdue.iter().flat_map(|overdue| &overdue.rows) {
        known_reach(&mut faults, || "overdue reaches".to_owned(), &row.reach_id, &reaches);
    }
    check_patches(&mut faults, report, &reaches);
    check_cases(&mut faults, &report.cases);
    for row in &report.kept_back {
        let place = || format!("places of reach {:?} that were kept back for {}", row.reach_id, row.reason);
        area(&mut faults, place, "area_m2", row.area_m2);
    }
    faults
}

fn check_cases(faults: &mut Vec<ReportFault>, cases: &[CaseRow]) {
    let mut identifiers = BTreeSet::new();
    for case in cases {
        let place = || format!("case {:?}", case.case_id);
        if !identifiers.insert(case.case_id.as_str()) {
            faults.push(ReportFault::Duplicate { what: "case", id: case.case_id.clone() });
        }
        area(faults, place, "area_m2", case.area_m2);
        if let Some(got) = case.review_score.filter(|score| !(0.0..=1.0).contains(score)) {
            faults.push(ReportFault::Number { place: place(), field: "review_score", got, expected: "0 to 1" });
        }
    }
}

fn check_coverage(faults: &mut Vec<ReportFault>, row: &CoverageRow, reaches: &BTreeSet<&str>) {
    let place = || format!("coverage of reach {:?}, {} to {}", row.reach_id, row.pair.pre.date, row.pair.post.date);
    known_reach(faults, place, &row.reach_id, reaches);
    area(faults, place, "scope_m2", row.scope_m2);
    area(faults, place, "observed_both_m2", row.observed_both_m2);
    for (_, area_m2) in &row.unobserved_m2 {
        area(faults, place, "unobserved_m2", *area_m2);
    }
    let sum_m2 = row.observed_both_m2 + row.unobserved_m2.iter().map(|(_, area)| area).sum::<f64>();
    if sum_m2 > row.scope_m2 * (1.0 + AREA_TOLERANCE_SHARE) + AREA_TOLERANCE_M2 {
        faults.push(ReportFault::CoverageExceedsScope { place: place(), sum_m2, scope_m2: row.scope_m2 });
    }
}

fn check_patches(faults: &mut Vec<ReportFault>, report: &Report, reaches: &BTreeSet<&str>) {
    let mut ordered: Vec<&PatchCard> = report.patches.iter().collect();
    ordered.sort_by(|a, b| by_score(a, b));
    let mut identifiers = BTreeSet::new();
    for (index, patch) in ordered.into_iter().enumerate() {
        let place = || format!("patch {:?}", patch.patch_id);
        if !identifiers.insert(patch.patch_id.as_str()) {
            faults.push(ReportFault::Duplicate { what: "patch", id: patch.patch_id.clone() });
        }
        if patch.rank != index + 1 {
            faults.push(ReportFault::Rank { patch_id: patch.patch_id.clone(), got: patch.rank, expected: index + 1 });
        }
        known_reach(faults, place, &patch.reach_id, reaches);
        area(faults, place, "area_m2", patch.area_m2);
        for (field, value, limits, expected) in [
            ("review_score", patch.review_score.unwrap_or(0.0), (0.0, 1.0), "0 to 1"),
            ("confidence", patch.confidence, (0.0, 1.0), "0 to 1"),
            ("change_score", patch.change_score.unwrap_or(0.0), (0.0, 1.0), "0 to 1"),
            ("coreg_rmse_px", patch.coreg_rmse_px.unwrap_or(0.0), (0.0, f64::MAX), "pixels, zero or more"),
            ("valid_fraction", patch.valid_fraction, (0.0, 1.0), "0 to 1"),
            ("longitude_deg", patch.longitude_deg, (-180.0, 180.0), "-180 to 180"),
            ("latitude_deg", patch.latitude_deg, (-90.0, 90.0), "-90 to 90"),
        ] {
            if !(limits.0..=limits.1).contains(&value) {
                faults.push(ReportFault::Number { place: place(), field, got: value, expected });
            }
        }
        for value in patch.evidence.values().filter(|value| !value.is_finite()) {
            let expected = "a finite number of log-odds";
            faults.push(ReportFault::Number { place: place(), field: "evidence", got: *value, expected });
        }
    }
}

fn known_reach(faults: &mut Vec<ReportFault>, place: impl Fn() -> String, reach_id: &str, reaches: &BTreeSet<&str>) {
    if !reaches.contains(reach_id) {
        faults.push(ReportFault::UnknownReach { place: place(), reach_id: reach_id.to_owned() });
    }
}

fn area(faults: &mut Vec<ReportFault>, place: impl Fn() -> String, field: &'static str, area_m2: f64) {
    if !(area_m2.is_finite() && area_m2 >= 0.0) {
        faults.push(ReportFault::Number {
            place: place(),
            field,
            got: area_m2,
            expected: "an area in m², zero or more",
        });
    }
}
