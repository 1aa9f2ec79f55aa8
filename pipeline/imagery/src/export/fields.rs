//! The fields of a patch, once for all formats.

use std::collections::BTreeMap;

use jiff::Timestamp;
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

/// Contributions to the log-odds as people read them: "learned +1.20, alteration +0.75", the weightiest first.
fn spelt(evidence: &BTreeMap<String, f64>) -> String {
    let mut terms: Vec<_> = evidence.iter().collect();
    terms.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()).then_with(|| one.0.cmp(other.0)));
    terms.into_iter().map(|(name, value)| format!("{name} {value:+.2}")).collect::<Vec<_>>().join(", ")
}
