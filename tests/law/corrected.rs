//! What a reviewer corrected reaches what offices take away: the outline that was drawn counts in areas, and explanations tell it.

use std::collections::BTreeMap;

use geo_types::{Coord, Rect};
use shorewatch_domain::decision::{Correction, Decision, DecisionSource, DecisionVerdict};
use shorewatch_domain::law::assessment::Severity;
use shorewatch_store::DecisionRules;

use super::common::text;
use super::{assessed, ledger_of, now, store};

#[test]
fn an_outline_that_a_reviewer_drew_counts_in_the_ledger_and_is_told() {
    let (place, config, patches) = assessed();
    place.json(0, &["assess", "--config", &config]);
    let patch = &patches[2];
    let found = ledger_of(&place, &config)[&patch.patch_id].clone();
    // on the equator, where a minute of arc is 1855.325 m along it and 1842.9 m across
    let (width, height) = (0.000_4, 0.000_3);
    let corner = Coord { x: patch.centre.0, y: patch.centre.1 };
    let drawn = Rect::new(corner, corner + Coord { x: width, y: height }).to_polygon();
    let (width_m, height_m) = (width * 60.0 * 1_855.325, height * 60.0 * 1_842.9);
    let decision = Decision {
        decision_id: "decision-1".to_owned(),
        patch_id: patch.patch_id.clone(),
        case_id: None,
        verdict: Some(DecisionVerdict::Problem),
        reason: None,
        note: "the heap only".to_owned(),
        corrected: Correction { severity: Some(Severity::Major), geometry: Some(drawn), ..Correction::default() },
        duplicate_of: None,
        reviewer: "r-07".to_owned(),
        decided_at: now(),
        on_version: 0,
        seconds: None,
        source: DecisionSource::Desk,
    };
    store(&place).record_decision(&decision, &DecisionRules::default(), now()).expect("recorded");
    let row = ledger_of(&place, &config)[&patch.patch_id].clone();
    let number = |row: &BTreeMap<String, String>, field: &str| -> f64 { row[field].parse().expect("a number") };
    let (area, perimeter) = (number(&row, "area_m2"), number(&row, "perimeter_m"));
    // the scale of the grid is within 0.1 % of the ground's
    assert!((area / (width_m * height_m) - 1.0).abs() < 2.5e-3, "{area} of {} m²", width_m * height_m);
    assert!((perimeter / (2.0 * (width_m + height_m)) - 1.0).abs() < 2e-3, "{perimeter} m");
    assert!((number(&row, "centre_longitude") - (corner.x + width / 2.0)).abs() < 1e-6, "{row:?}");
    assert_eq!(row["severity"], "重大");
    assert!((number(&found, "area_m2") - patch.area_m2).abs() < 0.01, "as it was found before");

    let told = text(&place.run(&["explain", "--config", &config, &patch.patch_id]));
    let last = told.trim_end().lines().rev().take(2).collect::<Vec<_>>();
    assert!(last[0].contains(&format!("{area:.2} m² ({:.2} m² as found)", patch.area_m2)), "{told}");
    assert!(last[1].contains("2024-11-01 r-07: problem; corrected to: major, outline; the heap only"), "{told}");
    let chinese = text(&place.run(&["explain", "--config", &config, &patch.patch_id, "--language", "zh"]));
    assert!(chinese.contains("复核结论") && chinese.contains("更正为：重大、边界"), "{chinese}");
}
