//! What the program carries with it, so that it runs without the repository beside it.

/// Sensor profiles: name and text.
pub(super) const SENSORS: [(&str, &str); 16] = [
    ("drone-rgb", include_str!("../../../configs/sensors/drone-rgb.toml")),
    ("drone-rgba", include_str!("../../../configs/sensors/drone-rgba.toml")),
    ("gf-1-pms", include_str!("../../../configs/sensors/gf-1-pms.toml")),
    ("gf-2-pms", include_str!("../../../configs/sensors/gf-2-pms.toml")),
    ("gf-6-pms", include_str!("../../../configs/sensors/gf-6-pms.toml")),
    ("gf-6-wfv", include_str!("../../../configs/sensors/gf-6-wfv.toml")),
    ("landsat-8-9-c2-l2", include_str!("../../../configs/sensors/landsat-8-9-c2-l2.toml")),
    ("naip", include_str!("../../../configs/sensors/naip.toml")),
    ("naip-prairie", include_str!("../../../configs/sensors/naip-prairie.toml")),
    ("sentinel-2-l1c", include_str!("../../../configs/sensors/sentinel-2-l1c.toml")),
    ("sentinel-2-l1c-before-n0400", include_str!("../../../configs/sensors/sentinel-2-l1c-before-n0400.toml")),
    ("sentinel-2-l2a", include_str!("../../../configs/sensors/sentinel-2-l2a.toml")),
    ("sentinel-2-l2a-before-n0400", include_str!("../../../configs/sensors/sentinel-2-l2a-before-n0400.toml")),
    ("synthetic", include_str!("../../../configs/sensors/synthetic.toml")),
    ("ucayali-stretch", include_str!("../../../configs/sensors/ucayali-stretch.toml")),
    ("worldcover-chips", include_str!("../../../configs/sensors/worldcover-chips.toml")),
];

/// The table of changes.
pub(super) const CLASSES: &str = include_str!("../../../configs/classes.toml");

/// The files of rules, by name.
pub(super) const RULES: [(&str, &str); 7] = [
    ("vocabulary.toml", include_str!("../../../configs/rules/vocabulary.toml")),
    ("issues.toml", include_str!("../../../configs/rules/issues.toml")),
    ("severity.toml", include_str!("../../../configs/rules/severity.toml")),
    ("offices.toml", include_str!("../../../configs/rules/offices.toml")),
    ("assessment.toml", include_str!("../../../configs/rules/assessment.toml")),
    ("ledger.toml", include_str!("../../../configs/rules/ledger.toml")),
    ("national.toml", include_str!("../../../configs/rules/national.toml")),
];
