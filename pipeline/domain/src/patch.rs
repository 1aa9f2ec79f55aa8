//! A suspected-problem patch: where, what is seen, what it may be, and where every part of that came from. And what was kept
//! back instead of becoming one.

use std::collections::BTreeMap;

use geo_types::Polygon;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::classes::IssueClass;
use crate::crs::Epsg;
use crate::digest::Digest;

/// One suspected-problem patch (疑似问题图斑). Suspected is not guilty: a human confirms.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Patch {
    /// Stable over re-runs: later pass date and the digest of content ("20240315-1f3a9c02").
    pub patch_id: String,
    /// Reach that holds the largest part.
    pub reach_id: String,
    /// Name of that reach.
    pub reach_name: String,
    /// What is seen ("building").
    pub object_class: String,
    /// Classes that most of it was and became ("low_vegetation_to_built_up").
    pub change_type: String,
    /// What it may be in law.
    pub suspected_issue_class: IssueClass,
    /// Outline in CGCS2000 (longitude, latitude; EPSG:4490).
    pub geometry: Polygon<f64>,
    /// Area of the exact pixels in m², in the projected system of the grid.
    pub area_m2: f64,
    /// Perimeter of the exact pixels in metres.
    pub perimeter_m: f64,
    /// A point inside the outline (longitude, latitude).
    pub centre: (f64, f64),
    /// Mean confidence of its pixels (0..1).
    pub confidence: f64,
    /// Highest confidence of its pixels (0..1).
    pub confidence_max: f64,
    /// Share of the patch and its surroundings (its bounding box grown by half its size) observed on both dates.
    pub valid_fraction: f64,
    /// Probability that a reviewer would confirm it (0..1), by everything that is known of it: what ranks patches. `None`
    /// where it was found without change evidence.
    pub review_score: Option<f64>,
    /// Mean score of change of its pixels (0..1), whatever it may be; `None` where no such evidence was gathered.
    pub change_score: Option<f64>,
    /// By how much each kind of evidence moved the log-odds of [`Patch::review_score`].
    pub evidence: BTreeMap<String, f64>,
    /// What is left of the shift between the two dates after correction, root mean square in pixels; `None` where it can't
    /// be told.
    pub coreg_rmse_px: Option<f64>,
    /// Earlier acquisition: the one that most of the patch was compared with.
    pub pre_date: Timestamp,
    /// Later acquisition.
    pub post_date: Timestamp,
    /// Digest of the earlier pass.
    pub pre_pass_id: Digest,
    /// Digest of the later pass.
    pub post_pass_id: Digest,
    /// Sensor of the earlier pass.
    pub pre_sensor: String,
    /// Sensor of the later pass.
    pub post_sensor: String,
    /// Grid on which it was found.
    pub grid_epsg: Epsg,
    /// Ground sampling distance of that grid in metres.
    pub ground_sampling_distance_m: f64,
    /// Number of exact pixels.
    pub pixel_count: u64,
    /// Model name.
    pub model_name: String,
    /// Model version.
    pub model_version: String,
    /// Digest of the model bundle.
    pub model_digest: Digest,
    /// Digest of the configuration that decided.
    pub configuration_digest: Digest,
    /// Version of the program.
    pub program_version: String,
}

/// A place that looked like a patch and was kept back, since it changes by itself (water level, harvest, snow).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SuppressedPlace {
    /// Reach that holds the largest part.
    pub reach_id: String,
    /// Classes that most of it was and became.
    pub change_type: String,
    /// Why it was kept back, for people. Never empty.
    pub reason: String,
    /// Outline in CGCS2000 (longitude, latitude; EPSG:4490).
    pub geometry: Polygon<f64>,
    /// Area in m², in the projected system of the grid.
    pub area_m2: f64,
    /// Mean confidence of its pixels (0..1).
    pub confidence: f64,
    /// Probability that a reviewer would have confirmed it (0..1); `None` where it was found without change evidence.
    pub review_score: Option<f64>,
}
