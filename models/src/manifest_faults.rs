//! All faults of a manifest at once.

use std::collections::BTreeSet;

use crate::manifest::{Input, Manifest, ScoreCard};

/// The most classes that a label raster holds beside its own codes.
const MAXIMUM_CLASSES: usize = 250;

/// The largest file of weights that is read, in bytes.
const MAXIMUM_WEIGHTS_BYTES: u64 = 2 << 30;

/// The largest tile, halo included, in pixels a side: 16384² pixels of one band are a gibibyte.
const MAXIMUM_TILE_PX: usize = 16_384;

impl Manifest {
    /// All faults of the values, in words; empty for a good manifest. `program_version` is that of this program.
    #[must_use]
    pub fn faults(&self, program_version: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if self.schema_version != 1 {
            faults.push(format!("schema_version: expected 1, got {}", self.schema_version));
        }
        for (key, expected, got) in [
            ("kind", "segmentation", &self.kind),
            ("weights.format", "torchscript", &self.weights.format),
            ("input.units", "reflectance", &self.input.units),
            ("output.activation", "logits", &self.output.activation),
        ] {
            if got != expected {
                faults.push(format!("{key}: expected {expected:?}, got {got:?}"));
            }
        }
        if !is_plain_name(&self.name) {
            faults.push(format!("name: expected lower-case letters, digits, '-', '_' and '.', got {:?}", self.name));
        }
        for (key, text) in [("title", &self.title), ("description", &self.description)] {
            if text.trim().is_empty() {
                faults.push(format!("{key}: must not be empty"));
            }
        }
        if version(&self.version).is_none() {
            faults.push(format!("version: expected major.minor.patch, got {:?}", self.version));
        }
        match (version(&self.minimum_program_version), version(program_version)) {
            (None, _) => faults.push(format!(
                "minimum_program_version: expected major.minor.patch, got {:?}",
                self.minimum_program_version
            )),
            (Some(needed), Some(ours)) if needed > ours => faults.push(format!(
                "minimum_program_version: the model needs {}, this program is {program_version}; update the program",
                self.minimum_program_version
            )),
            _ => {}
        }
        if !is_plain_name(&self.weights.file) {
            faults.push(format!(
                "weights.file: expected a plain file name beside the manifest, got {:?}",
                self.weights.file
            ));
        }
        if !(1..=MAXIMUM_WEIGHTS_BYTES).contains(&self.weights.size_bytes) {
            faults.push(format!(
                "weights.size_bytes: expected 1 to {MAXIMUM_WEIGHTS_BYTES}, got {}",
                self.weights.size_bytes
            ));
        }
        input_faults(&self.input, &mut faults);
        if !is_positive(self.output.temperature) {
            faults.push(format!("output.temperature: must be above 0, got {}", self.output.temperature));
        }
        self.class_faults(&mut faults);
        if self.training_data.is_empty() {
            faults.push("training_data: expected at least one set with its licence".to_owned());
        }
        for set in &self.training_data {
            if set.name.trim().is_empty() || set.licence.trim().is_empty() {
                faults.push(format!("training_data {:?}: name and licence must not be empty", set.name));
            }
        }
        score_faults(&self.scores, &mut faults);
        faults
    }

    fn class_faults(&self, faults: &mut Vec<String>) {
        if !(2..=MAXIMUM_CLASSES).contains(&self.classes.len()) {
            faults.push(format!("classes: expected 2 to {MAXIMUM_CLASSES}, got {}", self.classes.len()));
        }
        let mut seen = BTreeSet::new();
        for (channel, class) in self.classes.iter().enumerate() {
            if usize::from(class.id) != channel {
                faults.push(format!("class {:?}: expected id {channel} (its channel), got {}", class.name, class.id));
            }
            if class.name.is_empty() {
                faults.push(format!("class {channel}: name must not be empty"));
            }
            if !seen.insert(&class.name) {
                faults.push(format!("class {:?}: the name is used twice", class.name));
            }
        }
        for name in self.scores.iou_by_class.keys().filter(|name| !seen.contains(name)) {
            faults.push(format!("scores.iou_by_class: there is no class {name:?}"));
        }
    }
}

fn input_faults(input: &Input, faults: &mut Vec<String>) {
    let (finest, coarsest) = (input.ground_sampling_distance_min_m, input.ground_sampling_distance_max_m);
    if !(is_positive(finest) && is_positive(coarsest) && finest <= coarsest) {
        faults.push(format!(
            "input.ground_sampling_distance: expected 0 < min ≤ max in metres, got {finest} to {coarsest}"
        ));
    }
    let alignment = input.alignment_px;
    if alignment == 0 {
        faults.push("input.alignment_px: must be at least 1, got 0".to_owned());
    } else {
        for (key, value) in [("tile_px", input.tile_px), ("halo_px", input.halo_px)] {
            if !value.is_multiple_of(alignment) {
                faults.push(format!("input.{key}: expected a multiple of alignment_px = {alignment}, got {value}"));
            }
        }
    }
    let side = input.halo_px.saturating_mul(2).saturating_add(input.tile_px);
    if input.tile_px == 0 || side > MAXIMUM_TILE_PX || alignment > MAXIMUM_TILE_PX {
        faults.push(format!(
            "input.tile_px: expected tile and both halos to be 1 to {MAXIMUM_TILE_PX} px, got {} + 2 · {}",
            input.tile_px, input.halo_px
        ));
    }
    if input.bands.is_empty() {
        faults.push("input.bands: expected at least one band".to_owned());
    }
    let mut seen = BTreeSet::new();
    for band in &input.bands {
        if !seen.insert(band.role) {
            faults.push(format!("input band {}: the role is used twice", band.role));
        }
        if !band.mean.is_finite() {
            faults.push(format!("input band {}: mean must be a number, got {}", band.role, band.mean));
        }
        if !is_positive(band.standard_deviation) {
            faults.push(format!(
                "input band {}: standard_deviation must be above 0, got {}",
                band.role, band.standard_deviation
            ));
        }
    }
}

fn score_faults(scores: &ScoreCard, faults: &mut Vec<String>) {
    let named = [
        ("water_iou", scores.water_iou),
        ("mean_iou", scores.mean_iou),
        ("expected_calibration_error", scores.expected_calibration_error),
    ];
    let by_class = scores.iou_by_class.iter().map(|(name, value)| (name.as_str(), *value));
    for (name, value) in named.into_iter().chain(by_class) {
        if !(0.0..=1.0).contains(&value) {
            faults.push(format!("scores {name}: expected 0 to 1, got {value}"));
        }
    }
    for (name, value) in scores.further.iter().filter(|(_, value)| !value.is_finite()) {
        faults.push(format!("scores {name}: expected a number, got {value}"));
    }
}

/// True for a number above zero that single precision holds as such.
fn is_positive(value: f64) -> bool {
    (value as f32) > 0.0 && (value as f32).is_finite()
}

/// True for a name that is one path component and nothing else on any system.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    name.len() <= 100
        && name.bytes().all(plain)
        && name.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// `major.minor.patch`, each a number.
fn version(text: &str) -> Option<[u64; 3]> {
    let mut parts = text.split('.').map(|part| part.parse::<u64>().ok());
    let version = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(version)
}
