//! `labels.json`: a list with one entry a chip. The first seven keys are what `models/training/reviews.py` reads; the
//! others say where the chip came from.

use jiff::Timestamp;
use serde::Serialize;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::review::{Lesson, Review};
use shorewatch_domain::sensor::BandRole;
use shorewatch_models::SegmenterDescription;

/// Name of the list in the folder. It is written last.
pub const LISTING: &str = "labels.json";

/// One chip.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// File of the chip: reflectance, float32 (band, row, col); NaN where the pass did not observe the ground.
    pub chip: String,
    /// File of the mask: uint8 (row, col), class ids of `head` counted from 0, 255 where nothing is said.
    pub mask: String,
    /// Name of the head.
    pub head: String,
    /// How much the labels count, 0 or more; 1 is that of an ordinary label.
    pub weight: f64,
    /// The decision.
    pub verdict: &'static str,
    /// The patch.
    pub patch_id: String,
    /// Bands of the chip, in order.
    pub bands: Vec<&'static str>,
    /// Name of the class in the mask.
    pub class: String,
    /// Why the reviewer decided so.
    pub reason: String,
    /// The class that the reviewer named, if any.
    pub corrected_class: Option<String>,
    /// Code of the reviewer.
    pub reviewer: String,
    /// When it was decided (UTC).
    pub reviewed_at: Timestamp,
    /// What the patch was found to be ("low_vegetation_to_built_up").
    pub change_type: String,
    /// What was seen ("building").
    pub object_class: String,
    /// The model that found the patch.
    pub model: ModelName,
    /// The model whose heads and classes the mask counts: that of the configuration.
    pub classes_of: ModelName,
    /// The earlier pass.
    pub pre_pass: PassName,
    /// The later pass: what the chip shows.
    pub post_pass: PassName,
    /// EPSG code of the grid.
    pub grid_epsg: u32,
    /// Edge of a pixel in metres.
    pub ground_sampling_distance_m: f64,
    /// Version of the program that found the patch.
    pub program_version: String,
    /// Digest of the configuration that decided.
    pub configuration_digest: Digest,
}

/// Which model.
#[derive(Debug, Clone, Serialize)]
pub struct ModelName {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Digest of what it computes.
    pub digest: Digest,
}

/// Which pass.
#[derive(Debug, Clone, Serialize)]
pub struct PassName {
    /// Digest.
    pub id: Digest,
    /// Time of acquisition (UTC).
    pub date: Timestamp,
    /// Name of its sensor profile.
    pub sensor: String,
}

impl Entry {
    /// Everything but the files' pixels; `name` is that of the files without their endings.
    #[must_use]
    pub fn new(
        name: &str,
        patch: &Patch,
        review: &Review,
        lesson: &Lesson,
        bands: &[BandRole],
        described: &SegmenterDescription,
    ) -> Self {
        let class = &described.classes[lesson.class];
        Self {
            chip: format!("{name}.tif"),
            mask: format!("{name}.mask.tif"),
            head: class.head.clone(),
            weight: lesson.weight,
            verdict: review.verdict.name(),
            patch_id: patch.patch_id.clone(),
            bands: bands.iter().map(|role| role.name()).collect(),
            class: class.name.clone(),
            reason: review.reason.clone(),
            corrected_class: review.corrected_class.clone(),
            reviewer: review.reviewer.clone(),
            reviewed_at: review.reviewed_at,
            change_type: patch.change_type.clone(),
            object_class: patch.object_class.clone(),
            model: ModelName {
                name: patch.model_name.clone(),
                version: patch.model_version.clone(),
                digest: patch.model_digest,
            },
            classes_of: ModelName {
                name: described.name.clone(),
                version: described.version.clone(),
                digest: described.digest,
            },
            pre_pass: PassName { id: patch.pre_pass_id, date: patch.pre_date, sensor: patch.pre_sensor.clone() },
            post_pass: PassName { id: patch.post_pass_id, date: patch.post_date, sensor: patch.post_sensor.clone() },
            grid_epsg: patch.grid_epsg.0,
            ground_sampling_distance_m: patch.ground_sampling_distance_m,
            program_version: patch.program_version.clone(),
            configuration_digest: patch.configuration_digest,
        }
    }
}
