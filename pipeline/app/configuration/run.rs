//! What the user typed: the run configuration, key by key.
//!
//! The comments of this file become the descriptions in the JSON Schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::CaseRules;
use shorewatch_domain::crs::ZoneFamily;
use shorewatch_models::Format;

use super::boundary_check::BoundaryCheckSection;
use super::delivery::DeliverySection;
use super::layers::LayerEntry;
use super::review::ReviewSection;
use super::schedule::ScheduleSection;

/// The configuration of a Shorewatch run.
///
/// Paths are relative to the folder of this file. In paths, `${NAME}` and `${NAME:-default}` stand for an environment
/// variable, `$$` for a dollar sign. Units stand in the names of the keys. Unknown keys are errors.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunConfiguration {
    /// Version of this file format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema_version: u32,
    /// The store: one GeoPackage with passes, reaches, runs and patches. QGIS opens it as it is.
    pub store: StoreSection,
    /// Where intermediate results lie.
    pub work: WorkSection,
    /// Where exports, chips and the report go.
    pub output: OutputSection,
    /// The segmentation model.
    pub model: ModelSection,
    /// Sensor profiles beside the built-in ones.
    #[serde(default)]
    pub sensors: SensorsSection,
    /// The table of changes that raise a suspicion.
    #[serde(default)]
    pub classes: ClassesSection,
    /// What a patch may be in law, how bad it is, and whose it is.
    #[serde(default)]
    pub rules: RulesSection,
    /// The fixed pixel lattice on which all passes are compared.
    pub grid: GridSection,
    /// How work is cut up.
    #[serde(default)]
    pub tiles: TilesSection,
    /// The comparison with earlier passes.
    #[serde(default)]
    pub change: ChangeSection,
    /// Cases over passes.
    #[serde(default)]
    pub cases: CasesSection,
    /// What comes out.
    #[serde(default)]
    pub patches: PatchesSection,
    /// Input beyond these is refused before memory is taken for it.
    #[serde(default)]
    pub limits: LimitsSection,
    /// Imagery that belongs to this run. Passes can also be added on the command line.
    #[serde(default)]
    pub passes: Vec<PassEntry>,
    /// Managed shorelines of this run. Reaches can also be imported on the command line.
    #[serde(default)]
    pub reaches: Vec<ReachEntry>,
    /// Layers that decide what a patch may be in law, and whose it is.
    #[serde(default)]
    pub layers: Vec<LayerEntry>,
    /// Management scopes held against the water that passes saw (`shorewatch layers check`); decides no result.
    #[serde(default)]
    pub boundary_check: BoundaryCheckSection,
    /// Scheduled runs (`shorewatch run --due`) and their alarms; decides no result.
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// Delivery of findings to issue systems (`shorewatch deliver`), and the way back; decides no result.
    #[serde(default)]
    pub delivery: DeliverySection,
    /// The review server (`shorewatch review serve`); decides no result.
    #[serde(default)]
    pub review: ReviewSection,
    /// This machine and this run; decides no result.
    #[serde(default)]
    pub runtime: RuntimeSection,
}

/// The store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSection {
    /// The GeoPackage; made where it is missing. Its name ends in `.gpkg`.
    #[schemars(length(min = 1))]
    pub file: String,
}

/// Intermediate results.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkSection {
    /// Folder for class scores and results of single units. It may be deleted: a later run makes it anew.
    #[schemars(length(min = 1))]
    pub folder: String,
}

/// What people look at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputSection {
    /// Folder for exports, before/after chips and the report.
    #[schemars(length(min = 1))]
    pub folder: String,
}

/// The segmentation model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// Folder that holds the model bundles.
    #[schemars(length(min = 1))]
    pub folder: String,
    /// Name of the bundle: a folder in it with `manifest.toml` and weights.
    #[schemars(length(min = 1))]
    pub bundle: String,
    /// What computes the class scores.
    #[serde(default)]
    pub backend: Backend,
    /// Where it does.
    #[serde(default)]
    pub device: Device,
    /// Half precision on a CUDA device: quicker, and results differ in the third digit.
    #[serde(default)]
    pub half_precision: bool,
    /// Whether the processor may stand in where no CUDA device is found. Without this such a run is refused.
    #[serde(default)]
    pub allow_cpu: bool,
    /// MiB of a CUDA device's memory that each worker may fill with tiles; as many are run together. A run has as many workers as
    /// `[runtime] threads`, which share the device.
    #[serde(default = "memory_mib")]
    #[schemars(range(min = 64, max = 1_048_576))]
    pub memory_mib: u32,
    /// The library of ONNX Runtime (`libonnxruntime.so`), where it is neither beside the program nor where scripts/setup
    /// puts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub onnxruntime_library: Option<String>,
}

const fn memory_mib() -> u32 {
    2048
}

/// Where class scores are computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The first CUDA device, by the backend torchscript; needs what `scripts/setup --cuda` installs.
    Cuda,
}

/// What computes the class scores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// The bundle's TorchScript weights through libtorch.
    #[default]
    Torchscript,
    /// The bundle's ONNX weights through ONNX Runtime: quicker on a processor, and not bound to libtorch.
    Onnx,
    /// The bundle's 8-bit ONNX weights through ONNX Runtime: quicker still, and less exact (the model card says how much).
    OnnxInt8,
    /// A deterministic stand-in without weights, for tests and timing. Its findings mean nothing.
    Fake,
}

impl Backend {
    /// The name in configurations and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Torchscript => "torchscript",
            Self::Onnx => "onnx",
            Self::OnnxInt8 => "onnx_int8",
            Self::Fake => "fake",
        }
    }

    /// The form of weights that it runs; the stand-in has none.
    #[must_use]
    pub const fn format(self) -> Option<Format> {
        match self {
            Self::Torchscript => Some(Format::TorchScript),
            Self::Onnx => Some(Format::Onnx),
            Self::OnnxInt8 => Some(Format::OnnxInt8),
            Self::Fake => None,
        }
    }
}

/// Sensor profiles.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensorsSection {
    /// Folder of profiles (`NAME.toml`). They stand beside the built-in ones; one of the same name takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// The table of changes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassesSection {
    /// The table; the built-in one where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Rules of assessment.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesSection {
    /// Folder of rule files (`issues.toml`, `severity.toml`, `offices.toml`, `assessment.toml`, `vocabulary.toml`,
    /// `ledger.toml`, `national.toml`). One that it lacks is the built-in one; without a folder all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub folder: Option<String>,
}

/// The grid. Either `zones` or `epsg` must be given.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridSection {
    /// Family of projected zones; each reach gets the zone that it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zones: Option<Zones>,
    /// EPSG code of one projected system, in metres, for all reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 998_999))]
    pub epsg: Option<u32>,
    /// Edge of a pixel in metres: the ground sampling distance that the model was trained for.
    #[schemars(range(min = 0.01, max = 1000.0))]
    pub ground_sampling_distance_m: f64,
    /// Easting of the lattice's corner in metres.
    #[serde(default)]
    pub origin_x_m: f64,
    /// Northing of the lattice's corner in metres.
    #[serde(default)]
    pub origin_y_m: f64,
}

/// Family of projected zones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Zones {
    /// WGS 84 / UTM, 6° zones, the whole world but the poles.
    Utm,
    /// CGCS2000 / 3-degree Gauss-Krüger zones 25 to 45 (EPSG:4513 to 4533), China.
    Cgcs2000ThreeDegree,
}

impl From<Zones> for ZoneFamily {
    fn from(zones: Zones) -> Self {
        match zones {
            Zones::Utm => Self::Utm,
            Zones::Cgcs2000ThreeDegree => Self::Cgcs2000ThreeDegree,
        }
    }
}

/// How work is cut up. Patches do not depend on it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TilesSection {
    /// Edge in pixels of the square that one unit of work covers. Larger squares read less twice and need more memory.
    #[schemars(range(min = 64, max = 16_384))]
    pub unit_px: u32,
}

impl Default for TilesSection {
    fn default() -> Self {
        Self { unit_px: 1024 }
    }
}

/// The comparison with earlier passes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeSection {
    /// How many earlier passes a pass is held against: the latest one, then those nearest in season, water and age. What looks as
    /// on any of them is nothing new, and a cloud in one does not blind the next.
    #[schemars(range(min = 1, max = 16))]
    pub look_back_passes: u32,
    /// Names of the passes that may be compared with, to fix the choice; any earlier pass where not given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)))]
    pub reference_passes: Vec<String>,
    /// Name of a bundle of kind `bitemporal` in the model folder, which is shown both dates ("shorechange"). Without one the
    /// other evidence decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub bundle: Option<String>,
}

/// When cases are confirmed, expire and are cleared. Fractions are of the ground of a case. Decides no patch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CasesSection {
    /// A patch belongs to a case from this share of the smaller one of both on.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub least_overlap: f64,
    /// Share of the ground from which on a pass counts as having observed it.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub observed_fraction_min: f64,
    /// Share of the observed ground from which on a case counts as still there.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub present_fraction_min: f64,
    /// Share of the observed ground up to which it counts as gone.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub cleared_fraction_max: f64,
    /// Share of the ground whose pixels must have changed since the confirmed state before imagery supports a closure.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub changed_fraction_min: f64,
    /// Share of the ground with changed pixels up to which all is as it was, whatever the classes say.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub unchanged_fraction_max: f64,
    /// Observing passes in a row that must show a confirmed case gone before it is cleared.
    #[schemars(range(min = 1, max = 100))]
    pub clear_after_passes: u32,
    /// Passes after the first that must show a case before it is confirmed.
    #[schemars(range(min = 1, max = 100))]
    pub confirm_after_passes: u32,
    /// Review score from which on the evidence of several passes together confirms a case, and that of one shows a change without
    /// a class.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub confirm_review_score: f64,
    /// Observing passes in a row without showing it after which a case that is not confirmed expires.
    #[schemars(range(min = 1, max = 100))]
    pub expire_after_passes: u32,
    /// A patch with this review score is urgent at once.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub urgent_review_score: f64,
    /// Relative difference in area from which on a case counts as expanded or shrunk.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub changed_area_fraction: f64,
}

impl Default for CasesSection {
    fn default() -> Self {
        let CaseRules {
            least_overlap,
            observed_fraction_min,
            present_fraction_min,
            cleared_fraction_max,
            changed_fraction_min,
            unchanged_fraction_max,
            clear_after_passes,
            confirm_after_passes,
            confirm_review_score,
            expire_after_passes,
            urgent_review_score,
            changed_area_fraction,
        } = CaseRules::default();
        Self {
            least_overlap,
            observed_fraction_min,
            present_fraction_min,
            cleared_fraction_max,
            changed_fraction_min,
            unchanged_fraction_max,
            clear_after_passes,
            confirm_after_passes,
            confirm_review_score,
            expire_after_passes,
            urgent_review_score,
            changed_area_fraction,
        }
    }
}

impl CasesSection {
    /// The rules.
    #[must_use]
    pub fn rules(&self) -> CaseRules {
        CaseRules {
            least_overlap: self.least_overlap,
            observed_fraction_min: self.observed_fraction_min,
            present_fraction_min: self.present_fraction_min,
            cleared_fraction_max: self.cleared_fraction_max,
            changed_fraction_min: self.changed_fraction_min,
            unchanged_fraction_max: self.unchanged_fraction_max,
            clear_after_passes: self.clear_after_passes,
            confirm_after_passes: self.confirm_after_passes,
            confirm_review_score: self.confirm_review_score,
            expire_after_passes: self.expire_after_passes,
            urgent_review_score: self.urgent_review_score,
            changed_area_fraction: self.changed_area_fraction,
        }
    }
}

impl Default for ChangeSection {
    fn default() -> Self {
        Self { look_back_passes: 3, reference_passes: Vec::new(), bundle: None }
    }
}

/// What comes out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PatchesSection {
    /// How far an outline may leave the exact pixel edges, in pixels; 0 keeps the edges. Areas are always those of
    /// the exact pixels.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub simplify_tolerance_px: f64,
    /// Whether before/after pictures are drawn.
    pub chips: bool,
    /// At most so many patches get pictures, those of the highest confidence first; and of so many that wait for review, in its
    /// order, the page's first pictures are cut ahead.
    #[schemars(range(max = 100_000))]
    pub chip_count_max: u32,
}

impl Default for PatchesSection {
    fn default() -> Self {
        Self { simplify_tolerance_px: 0.75, chips: true, chip_count_max: 200 }
    }
}

/// Input beyond these is refused.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSection {
    /// Most pixels (rows × columns) that a file may declare.
    #[schemars(range(min = 1))]
    pub maximum_pixels: u64,
    /// Most bands that a file may declare.
    #[schemars(range(min = 1, max = 65_535))]
    pub maximum_bands: u32,
    /// Most bytes that a file may declare when unpacked.
    #[schemars(range(min = 1))]
    pub maximum_declared_bytes: u64,
    /// Most bytes unpacked for each byte of the file. Deflate cannot exceed 1,032, LZW hardly 1,400: a file of more is
    /// a bomb, or sparse.
    #[schemars(range(min = 1.0, max = 1_000_000.0))]
    pub maximum_expansion_ratio: f64,
    /// A file counts as complete when its size and time of change have stood still for so many seconds.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    pub settle_seconds: f64,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            maximum_pixels: 4_000_000_000,
            maximum_bands: 64,
            maximum_declared_bytes: 128_000_000_000,
            maximum_expansion_ratio: 1500.0,
            settle_seconds: 5.0,
        }
    }
}

/// Imagery: one pass, or many of one sensor.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassEntry {
    /// Files, with `*`, `?` and `**` as wildcards. With a sensor of one file, each match is a pass. With a sensor of
    /// one file a band, each matching folder is a pass, or all matching files together are one.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub files: Vec<String>,
    /// Name of the sensor profile.
    #[schemars(length(min = 1))]
    pub sensor: String,
    /// Name of the pass, where the entry is one pass; the stem of its first file, or its folder, where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub name: Option<String>,
    /// Time of acquisition, where the entry is one pass: `2024-03-15T02:30:00Z`, `2024-03-15` or `2024`, in UTC. It
    /// goes before what the files say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 4))]
    pub time: Option<String>,
    /// EPSG code for files that carry no reference system. Recorded as the operator's claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 998_999))]
    pub assigned_epsg: Option<u32>,
}

/// Managed shorelines in a vector file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReachEntry {
    /// The vector file (GeoJSON, GeoPackage, Shapefile, FlatGeobuf).
    #[schemars(length(min = 1))]
    pub file: String,
    /// The layer; must be given where the file has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub layer: Option<String>,
    /// Field that holds the code of the reach, unique in the store.
    #[schemars(length(min = 1))]
    pub id_field: String,
    /// Field that holds the name of the reach.
    #[schemars(length(min = 1))]
    pub name_field: String,
    /// Half width in metres that centrelines are widened by. Polygons are never widened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.1, max = 50_000.0))]
    pub buffer_m: Option<f64>,
    /// EPSG code for files that carry no reference system. Recorded as the operator's claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 998_999))]
    pub assigned_epsg: Option<u32>,
}

/// This machine and this run; decides no result.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RuntimeSection {
    /// Worker threads; 0 for all cores.
    #[schemars(range(max = 1024))]
    pub threads: u32,
    /// True where the imagery is painted, not real: everything that comes out says so.
    pub synthetic: bool,
}
