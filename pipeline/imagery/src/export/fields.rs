//! The fields of a patch, once for all formats.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shorewatch_domain::law::assessment::{Assessment, Severity, StockFlag, SubType, SuppressedReason, Unit};
use shorewatch_domain::law::layer::WaterSourceLevel;
use shorewatch_domain::law::water::Bank;
use shorewatch_domain::patch::Patch;

/// Type of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Text,
    Real,
    Integer,
    Time,
}

/// Value of a field.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(String),
    Real(f64),
    Integer(i64),
    Time(Timestamp),
    /// Nothing is known.
    Missing,
}

/// Names and types in the order of the columns.
pub(super) const FIELDS: [(&str, Kind); 31] = [
    ("patch_id", Kind::Text),
    ("reach_id", Kind::Text),
    ("reach_name", Kind::Text),
    ("object_class", Kind::Text),
    ("change_type", Kind::Text),
    ("suspected_issue_class", Kind::Text),
    ("area_m2", Kind::Real),
    ("perimeter_m", Kind::Real),
    ("centre_longitude", Kind::Real),
    ("centre_latitude", Kind::Real),
    ("confidence", Kind::Real),
    ("confidence_max", Kind::Real),
    ("valid_fraction", Kind::Real),
    ("review_score", Kind::Real),
    ("change_score", Kind::Real),
    ("evidence", Kind::Text),
    ("coreg_rmse_px", Kind::Real),
    ("pre_date", Kind::Time),
    ("post_date", Kind::Time),
    ("pre_pass_id", Kind::Text),
    ("post_pass_id", Kind::Text),
    ("pre_sensor", Kind::Text),
    ("post_sensor", Kind::Text),
    ("grid_epsg", Kind::Integer),
    ("ground_sampling_distance_m", Kind::Real),
    ("pixel_count", Kind::Integer),
    ("model_name", Kind::Text),
    ("model_version", Kind::Text),
    ("model_digest", Kind::Text),
    ("configuration_digest", Kind::Text),
    ("program_version", Kind::Text),
];

/// The values of a patch, in the order of [`FIELDS`]. Taking the patch apart by name makes the compiler complain when a
/// field is added and not exported.
pub(super) fn values(patch: &Patch) -> [Value; FIELDS.len()] {
    let Patch {
        patch_id,
        reach_id,
        reach_name,
        object_class,
        change_type,
        suspected_issue_class,
        geometry: _,
        area_m2,
        perimeter_m,
        centre,
        confidence,
        confidence_max,
        valid_fraction,
        review_score,
        change_score,
        evidence,
        coreg_rmse_px,
        pre_date,
        post_date,
        pre_pass_id,
        post_pass_id,
        pre_sensor,
        post_sensor,
        grid_epsg,
        ground_sampling_distance_m,
        pixel_count,
        model_name,
        model_version,
        model_digest,
        configuration_digest,
        program_version,
    } = patch;
    let text = |text: &dyn ToString| Value::Text(text.to_string());
    let real = |number: Option<f64>| number.map_or(Value::Missing, Value::Real);
    [
        text(patch_id),
        text(reach_id),
        text(reach_name),
        text(object_class),
        text(change_type),
        text(&suspected_issue_class.name()),
        Value::Real(*area_m2),
        Value::Real(*perimeter_m),
        Value::Real(centre.0),
        Value::Real(centre.1),
        Value::Real(*confidence),
        Value::Real(*confidence_max),
        Value::Real(*valid_fraction),
        real(*review_score),
        real(*change_score),
        Value::Text(spelt(evidence)),
        real(*coreg_rmse_px),
        Value::Time(*pre_date),
        Value::Time(*post_date),
        text(pre_pass_id),
        text(post_pass_id),
        text(pre_sensor),
        text(post_sensor),
        Value::Integer(i64::from(grid_epsg.0)),
        Value::Real(*ground_sampling_distance_m),
        Value::Integer(i64::try_from(*pixel_count).unwrap_or(i64::MAX)),
        text(model_name),
        text(model_version),
        text(model_digest),
        text(configuration_digest),
        text(program_version),
    ]
}

/// Names and types of what is said of a patch, and whether it is personal, in the order of the columns.
pub(super) const ASSESSED_FIELDS: [(&str, Kind, bool); 39] = [
    ("number", Kind::Text, false),
    ("detected_on", Kind::Text, false),
    ("issue_class", Kind::Text, false),
    ("sub_type", Kind::Text, false),
    ("severity", Kind::Text, false),
    ("stock_flag", Kind::Text, false),
    ("permit_status", Kind::Text, false),
    ("permit_id", Kind::Text, true),
    ("outside_share", Kind::Real, false),
    ("river_name", Kind::Text, false),
    ("river_code", Kind::Text, false),
    ("reach_code", Kind::Text, false),
    ("bank", Kind::Text, false),
    ("chainage_m", Kind::Real, false),
    ("adcd", Kind::Text, false),
    ("city", Kind::Text, false),
    ("city_code", Kind::Text, false),
    ("county", Kind::Text, false),
    ("county_code", Kind::Text, false),
    ("town", Kind::Text, false),
    ("town_code", Kind::Text, false),
    ("village", Kind::Text, false),
    ("village_code", Kind::Text, false),
    ("nearest_place", Kind::Text, false),
    ("shoreline_zone", Kind::Text, false),
    ("source_zone", Kind::Text, false),
    ("in_mgmt", Kind::Integer, false),
    ("chief_city", Kind::Text, true),
    ("chief_county", Kind::Text, true),
    ("chief_town", Kind::Text, true),
    ("chief_village", Kind::Text, true),
    ("lead_department", Kind::Text, false),
    ("supporting_departments", Kind::Text, false),
    ("co_notified", Kind::Text, false),
    ("deadline", Kind::Text, false),
    ("priority", Kind::Real, false),
    ("shown", Kind::Integer, false),
    ("suppressed_reason", Kind::Text, false),
    ("linked_site", Kind::Text, false),
];

/// The values of an assessment, in the order of [`ASSESSED_FIELDS`]; all missing where there is none. Taking it apart by name makes
/// the compiler complain when a field is added and not exported.
pub(super) fn assessed_values(assessment: Option<&Assessment>) -> [Value; ASSESSED_FIELDS.len()] {
    let Some(assessment) = assessment else { return [const { Value::Missing }; ASSESSED_FIELDS.len()] };
    let Assessment {
        patch_id: _,
        number,
        detected_on,
        issue_class,
        sub_type,
        severity,
        stock_flag,
        permit_status,
        permit_id,
        outside_share,
        river_name,
        river_code,
        reach_code,
        bank,
        chainage_m,
        adcd,
        city,
        county,
        town,
        village,
        nearest_place,
        shoreline_zone,
        source_zone,
        in_mgmt,
        chief_city,
        chief_county,
        chief_town,
        chief_village,
        lead_department,
        supporting_departments,
        co_notified,
        deadline,
        priority,
        shown,
        suppressed_reason,
        linked_site,
        explanation: _,
        inputs: _,
    } = assessment;
    let word = |word: &str| Value::Text(word.to_owned());
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Missing, word);
    let real = |number: &Option<f64>| number.map_or(Value::Missing, Value::Real);
    let name = |unit: &Option<Unit>| unit.as_ref().map_or(Value::Missing, |unit| word(&unit.name));
    let code = |unit: &Option<Unit>| unit.as_ref().map_or(Value::Missing, |unit| word(&unit.code));
    let list = |words: Vec<&str>| if words.is_empty() { Value::Missing } else { Value::Text(words.join("; ")) };
    [
        word(number),
        Value::Text(detected_on.to_string()),
        word(issue_class.name()),
        sub_type.map(SubType::code).map_or(Value::Missing, word),
        word(Severity::name(*severity)),
        word(StockFlag::name(*stock_flag)),
        word(permit_status.name()),
        text(permit_id),
        real(outside_share),
        text(river_name),
        text(river_code),
        text(reach_code),
        bank.map(Bank::name).map_or(Value::Missing, word),
        real(chainage_m),
        text(adcd),
        name(city),
        code(city),
        name(county),
        code(county),
        name(town),
        code(town),
        name(village),
        code(village),
        nearest_place.as_ref().map_or(Value::Missing, |(name, _)| word(name)),
        text(shoreline_zone),
        source_zone.map(WaterSourceLevel::name).map_or(Value::Missing, word),
        in_mgmt.map_or(Value::Missing, |within| Value::Integer(i64::from(within))),
        text(chief_city),
        text(chief_county),
        text(chief_town),
        text(chief_village),
        text(lead_department),
        list(supporting_departments.iter().map(String::as_str).collect()),
        list(co_notified.iter().map(|unit| unit.code.as_str()).collect()),
        deadline.map_or(Value::Missing, |day| Value::Text(day.to_string())),
        Value::Real(*priority),
        Value::Integer(i64::from(*shown)),
        suppressed_reason.map(SuppressedReason::name).map_or(Value::Missing, word),
        text(linked_site),
    ]
}

/// Contributions to the log-odds as people read them: "learned +1.20, alteration +0.75", the weightiest first.
fn spelt(evidence: &BTreeMap<String, f64>) -> String {
    let mut terms: Vec<_> = evidence.iter().collect();
    terms.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then_with(|| one.0.cmp(other.0)));
    terms.into_iter().map(|(name, value)| format!("{name} {value:+.2}")).collect::<Vec<_>>().join(", ")
}
