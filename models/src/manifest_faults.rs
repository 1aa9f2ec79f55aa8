//! All faults of a manifest at once.

use std::collections::BTreeSet;

use crate::manifest::{CHANGED, Head, Input, Kind, Manifest, ScoreCard};

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
        if self.schema_version != 2 {
            faults.push(format!("schema_version: expected 2, got {}", self.schema_version));
        }
        if self.input.units != "reflectance" {
            faults.push(format!("input.units: expected \"reflectance\", got {:?}", self.input.units));
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
        self.weights_faults(&mut faults);
        input_faults(&self.input, &mut faults);
        band_set_faults(&self.input, &mut faults);
        self.class_faults(&mut faults);
        self.head_faults(&mut faults);
        self.kind_faults(&mut faults);
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

    fn weights_faults(&self, faults: &mut Vec<String>) {
        if self.weights.is_empty() {
            faults.push("weights: expected at least one form of the network".to_owned());
        }
        for (i, weights) in self.weights.iter().enumerate() {
            let format = weights.format;
            if self.weights[..i].iter().any(|twin| twin.format == format || twin.file == weights.file) {
                faults.push(format!("weights {format}: the format or its file is named twice"));
            }
            if !is_plain_name(&weights.file) {
                faults.push(format!(
                    "weights {format}: expected a plain file name beside the manifest, got {:?}",
                    weights.file
                ));
            }
            if !(1..=MAXIMUM_WEIGHTS_BYTES).contains(&weights.size_bytes) {
                faults.push(format!(
                    "weights {format}: expected a size_bytes of 1 to {MAXIMUM_WEIGHTS_BYTES}, got {}",
                    weights.size_bytes
                ));
            }
        }
    }

    fn head_faults(&self, faults: &mut Vec<String>) {
        let heads = &self.output.heads;
        if heads.is_empty() {
            faults.push("output.heads: expected at least one head".to_owned());
        }
        for (i, head) in heads.iter().enumerate() {
            let Head { name, temperature, bias } = head;
            if heads[..i].iter().any(|twin| twin.name == *name) {
                faults.push(format!("output head {name:?}: the name is used twice"));
            }
            if !is_positive(*temperature) {
                faults.push(format!("output head {name:?}: temperature must be above 0, got {temperature}"));
            }
            let classes = self.classes.iter().filter(|class| class.head == *name).count();
            if classes < 2 {
                faults.push(format!("output head {name:?}: expected at least 2 classes, got {classes}"));
            }
            if bias.len() != classes {
                faults.push(format!(
                    "output head {name:?}: expected one bias for each of its {classes} classes, got {}",
                    bias.len()
                ));
            }
            if let Some(value) = bias.iter().find(|value| value.is_nan() || value.abs() > MAXIMUM_BIAS) {
                faults
                    .push(format!("output head {name:?}: bias must be -{MAXIMUM_BIAS} to {MAXIMUM_BIAS}, got {value}"));
            }
        }
        let expected = self.head_classes().last().map_or(0, |classes| classes.end);
        let known = |name: &String| heads.iter().any(|head| head.name == *name);
        for class in self.classes.iter().filter(|class| !known(&class.head)) {
            faults.push(format!("class {:?}: there is no head {:?}", class.name, class.head));
        }
        if let Some(class) = self.classes[expected..].iter().find(|class| known(&class.head)) {
            faults.push(format!(
                "class {:?}: the classes of a head must follow each other, heads in the order of output.heads",
                class.name
            ));
        }
    }

    /// What one kind asks beyond what all do.
    fn kind_faults(&self, faults: &mut Vec<String>) {
        let kind = self.kind.name();
        match self.kind {
            Kind::Segmentation if self.scores.water_iou.is_none() => {
                faults.push(format!("scores water_iou: kind {kind:?}: expected 0 to 1, got none"));
            }
            Kind::Segmentation => {}
            Kind::Bitemporal => {
                let (heads, classes) = (self.output.heads.len(), self.classes.len());
                if heads != 1 {
                    faults.push(format!("output.heads: kind {kind:?}: expected exactly 1 head, got {heads}"));
                }
                if classes != 2 {
                    faults.push(format!("classes: kind {kind:?}: expected exactly 2, got {classes}"));
                }
                if let Some(second) = self.classes.get(1).filter(|second| second.name != CHANGED) {
                    faults
                        .push(format!("class 1: kind {kind:?}: expected the name {CHANGED:?}, got {:?}", second.name));
                }
            }
        }
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

fn band_set_faults(input: &Input, faults: &mut Vec<String>) {
    if input.band_sets.is_empty() {
        faults.push("input.band_sets: expected at least one set of bands".to_owned());
    }
    for (i, set) in input.band_sets.iter().enumerate() {
        let name = &set.name;
        let mut seen = BTreeSet::new();
        if name.is_empty() || input.band_sets[..i].iter().any(|twin| twin.name == *name) {
            faults.push(format!("input band set {name:?}: the name is empty or used twice"));
        }
        if set.roles.is_empty() {
            faults.push(format!("input band set {name:?}: expected at least one band"));
        }
        for role in &set.roles {
            if !seen.insert(role) {
                faults.push(format!("input band set {name:?}: {role} is named twice"));
            }
            if !input.bands.iter().any(|band| band.role == *role) {
                faults.push(format!("input band set {name:?}: {role} is none of input.bands"));
            }
        }
        if !(0.0..=1.0).contains(&set.mean_iou) {
            faults.push(format!("input band set {name:?}: mean_iou: expected 0 to 1, got {}", set.mean_iou));
        }
    }
}

fn score_faults(scores: &ScoreCard, faults: &mut Vec<String>) {
    let named = [("mean_iou", scores.mean_iou), ("expected_calibration_error", scores.expected_calibration_error)];
    let of_water = scores.water_iou.map(|value| ("water_iou", value));
    let by_class = scores.iou_by_class.iter().map(|(name, value)| (name.as_str(), *value));
    for (name, value) in named.into_iter().chain(of_water).chain(by_class) {
        if !(0.0..=1.0).contains(&value) {
            faults.push(format!("scores {name}: expected 0 to 1, got {value}"));
        }
    }
    for (name, value) in scores.further.iter().filter(|(_, value)| !value.is_finite()) {
        faults.push(format!("scores {name}: expected a number, got {value}"));
    }
}

/// The largest bias of a class: far beyond it, single precision has no other probability than 0 and 1.
const MAXIMUM_BIAS: f64 = 50.0;

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
