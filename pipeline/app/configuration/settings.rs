//! What the program needs: the configuration resolved and checked.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use shorewatch_domain::case::CaseRules;
use shorewatch_domain::crs::{Epsg, NoZone, ZoneFamily};
use shorewatch_domain::grid::Grid;
use shorewatch_domain::pass::AcquisitionTime;
use shorewatch_domain::sensor::SensorProfile;
use shorewatch_law::rules::Rules;
use shorewatch_models::{Format, Options};

use super::boundary_check::BoundaryCheckSection;
use super::classes::Classes;
use super::document::Document;
use super::layers::LayerSettings;
use super::review::OpenIdConnectSettings;
use super::run::{Backend, Device, LimitsSection, PatchesSection};
use super::schedule::ScheduleSettings;
use super::sensors::Sensor;

/// The settings of a run. All paths are as the program opens them.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// The file that they came from.
    pub configuration_file: PathBuf,
    /// The GeoPackage.
    pub store_file: PathBuf,
    /// Folder of intermediate results.
    pub work_folder: PathBuf,
    /// Folder of exports, chips and the report.
    pub output_folder: PathBuf,
    /// The segmentation model.
    pub model: ModelSettings,
    /// Every known sensor, by name.
    pub sensors: BTreeMap<String, Sensor>,
    /// The table of changes.
    pub classes: Classes,
    /// Rules of assessment.
    pub rules: Rules,
    /// The grid.
    pub grid: GridSettings,
    /// Edge of a unit of work in pixels.
    pub unit_px: usize,
    /// How many earlier passes a pass may be compared with.
    pub look_back_passes: usize,
    /// Names of the passes that may be compared with; any earlier one where empty.
    pub reference_passes: Vec<String>,
    /// Name of the bundle that is shown both dates, where there is one.
    pub change_bundle: Option<String>,
    /// When cases are confirmed, expire and are cleared.
    pub cases: CaseRules,
    /// What comes out.
    pub patches: PatchesSection,
    /// What input may declare.
    pub limits: LimitsSection,
    /// Entries of passes; [`RunSettings::find_passes`] looks for their files.
    pub passes: Vec<PassSettings>,
    /// Vector files of reaches.
    pub reaches: Vec<ReachSettings>,
    /// Layers that decide, in the order in which they are imported.
    pub layers: Vec<LayerSettings>,
    /// Scopes held against the water that passes saw.
    pub boundary_check: BoundaryCheckSection,
    /// Scheduled runs and their alarms.
    pub schedule: ScheduleSettings,
    /// Delivery of findings.
    pub delivery: shorewatch_findings::settings::Settings,
    /// Who lets people in beside passwords.
    pub open_id_connect: Option<OpenIdConnectSettings>,
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// True where the imagery is painted: everything that comes out must say so.
    pub synthetic: bool,
    /// For faults that are found later.
    pub(super) document: Document,
}

/// The segmentation model, and what runs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelSettings {
    /// Folder of the bundle.
    pub folder: PathBuf,
    /// Name of the bundle.
    pub bundle: String,
    /// What computes the class scores.
    pub backend: Backend,
    /// Where it does.
    pub device: Device,
    /// Half precision on a CUDA device.
    pub half_precision: bool,
    /// Whether the processor may stand in for a missing CUDA device.
    pub allow_cpu: bool,
    /// Bytes of a CUDA device's memory that each worker may fill with tiles.
    pub memory_bytes: u64,
    /// The library of ONNX Runtime, where given.
    pub onnxruntime_library: Option<PathBuf>,
}

impl RunSettings {
    /// The profile of every known sensor, by name.
    #[must_use]
    pub fn profiles(&self) -> BTreeMap<String, SensorProfile> {
        self.sensors.iter().map(|(name, sensor)| (name.clone(), sensor.profile.clone())).collect()
    }
}

impl ModelSettings {
    /// How the bundle is loaded. One thread a call: units run beside each other.
    #[must_use]
    pub fn options(&self, format: Format) -> Options {
        Options {
            device: match self.device {
                Device::Cpu => shorewatch_models::Device::Cpu,
                Device::Cuda => shorewatch_models::Device::Cuda,
            },
            half_precision: self.half_precision,
            allow_cpu: self.allow_cpu,
            memory_bytes: self.memory_bytes,
            onnxruntime_library: self.onnxruntime_library.clone(),
            ..Options::cpu(format)
        }
    }
}

/// From where grids are taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum GridChoice {
    /// The zone that a place lies in.
    Zones(ZoneFamily),
    /// One projected system for all places.
    Fixed(Epsg),
}

/// The grids of a run: one lattice for each projected system.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GridSettings {
    /// Which projected system.
    pub choice: GridChoice,
    /// Edge of a pixel in metres.
    pub pixel_size_m: f64,
    /// Easting of the lattice's corner in metres.
    pub origin_x_m: f64,
    /// Northing of the lattice's corner in metres.
    pub origin_y_m: f64,
}

impl GridSettings {
    /// The grid for a place in degrees.
    ///
    /// # Errors
    /// The family of zones has none there.
    pub fn grid_at(&self, longitude: f64, latitude: f64) -> Result<Grid, NoZone> {
        let epsg = match self.choice {
            GridChoice::Zones(family) => family.zone_at(longitude, latitude)?,
            GridChoice::Fixed(epsg) => epsg,
        };
        Ok(Grid { epsg, pixel_size_m: self.pixel_size_m, origin_x: self.origin_x_m, origin_y: self.origin_y_m })
    }
}

/// One entry of passes.
#[derive(Clone, PartialEq, Debug)]
pub struct PassSettings {
    /// Patterns of files or folders.
    pub patterns: Vec<PathBuf>,
    /// Name of the sensor, one of [`RunSettings::sensors`].
    pub sensor: String,
    /// Name of the pass, where given.
    pub name: Option<String>,
    /// Time by the operator, where given.
    pub time: Option<AcquisitionTime>,
    /// Reference system by the operator, where given.
    pub assigned_epsg: Option<Epsg>,
}

/// One vector file of reaches.
#[derive(Clone, PartialEq, Debug)]
pub struct ReachSettings {
    /// The file.
    pub file: PathBuf,
    /// The layer, where given.
    pub layer: Option<String>,
    /// Field of the code.
    pub id_field: String,
    /// Field of the name.
    pub name_field: String,
    /// Half width for centrelines in metres.
    pub buffer_m: Option<f64>,
    /// Reference system by the operator, where given.
    pub assigned_epsg: Option<Epsg>,
}
