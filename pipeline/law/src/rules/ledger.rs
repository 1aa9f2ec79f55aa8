//! The fields that a ledger can carry.

/// Every field, and whether it is personal: names of officials and of permit holders are left out of a public extract.
pub const FIELDS: [(&str, bool); 51] = [
    ("number", false),
    ("patch_id", false),
    ("city", false),
    ("county", false),
    ("town", false),
    ("village", false),
    ("adcd", false),
    ("river_name", false),
    ("river_code", false),
    ("reach_code", false),
    ("bank", false),
    ("chainage_m", false),
    ("nearest_place", false),
    ("centre_longitude", false),
    ("centre_latitude", false),
    ("area_m2", false),
    ("perimeter_m", false),
    ("object_class", false),
    ("change_type", false),
    ("issue_class", false),
    ("sub_type", false),
    ("local_word", false),
    ("severity", false),
    ("stock_flag", false),
    ("permit_status", false),
    ("permit_id", true),
    ("outside_share", false),
    ("shoreline_zone", false),
    ("source_zone", false),
    ("in_mgmt", false),
    ("pre_date", false),
    ("post_date", false),
    ("pre_sensor", false),
    ("post_sensor", false),
    ("ground_sampling_distance_m", false),
    ("coreg_rmse_px", false),
    ("valid_fraction", false),
    ("confidence", false),
    ("review_score", false),
    ("priority", false),
    ("chief_city", true),
    ("chief_county", true),
    ("chief_town", true),
    ("chief_village", true),
    ("lead_department", false),
    ("supporting_departments", false),
    ("co_notified", false),
    ("deadline", false),
    ("verdict", false),
    ("suppressed_reason", false),
    ("linked_site", false),
];

/// Fields that are reckoned for the ledger only: why it was judged so, from where the problem came, its pictures, and where the issue
/// system has it.
pub const RECKONED: [(&str, bool); 14] = [
    ("issue_reason", false),
    ("severity_reason", false),
    ("problem_source", false),
    ("report_level", false),
    ("picture_before_sha256", false),
    ("picture_after_sha256", false),
    ("finding_id", false),
    ("issue_id", false),
    ("issue_state", false),
    ("issue_state_on", false),
    ("issue_outcome", false),
    ("status", false),
    ("navigation_link", false),
    ("model", false),
];

/// Whether a field is personal; `None` for one that there is not.
#[must_use]
pub fn is_personal(field: &str) -> Option<bool> {
    FIELDS.iter().chain(&RECKONED).find(|(name, _)| *name == field).map(|(_, personal)| *personal)
}
