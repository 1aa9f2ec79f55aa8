//! From what was typed to what is needed: paths, defaults, and the checks across keys.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::pass::AcquisitionTime;

use super::classes::Classes;
use super::document::{Document, Step, at};
use super::faults::ConfigurationFault;
use super::paths::{self, Environment};
use super::run::{Backend, Device, PassEntry, ReachEntry, RunConfiguration};
use super::schema::suggestion;
use super::settings::{GridChoice, GridSettings, ModelSettings, PassSettings, ReachSettings, RunSettings};
use super::{boundary_check, delivery, review, rules, schedule, sensors, time};

/// Systems that people type by mistake: in degrees, or with areas that are far from true.
const NOT_FOR_AREAS: [(u32, &str); 8] = [
    (4326, "WGS 84 is in degrees"),
    (4490, "CGCS2000 is in degrees"),
    (4214, "Beijing 1954 is in degrees"),
    (4610, "Xian 1980 is in degrees"),
    (4269, "NAD83 is in degrees"),
    (4258, "ETRS89 is in degrees"),
    (3857, "Web Mercator stretches areas"),
    (3395, "World Mercator stretches areas"),
];

/// The settings; every fault is added to `faults`, and `None` is given where there is one.
pub(super) fn resolve(
    typed: &RunConfiguration,
    document: Document,
    environment: Environment<'_>,
    faults: &mut Vec<ConfigurationFault>,
) -> Option<RunSettings> {
    let before = faults.len();
    let base = document.file().parent().unwrap_or(Path::new("")).to_owned();
    let mut resolver = Resolver { document: &document, base: &base, environment, faults };

    let store_file = resolver.path(at!["store", "file"], &typed.store.file);
    let work_folder = resolver.path(at!["work", "folder"], &typed.work.folder);
    let output_folder = resolver.path(at!["output", "folder"], &typed.output.folder);
    resolver.places(&store_file, &work_folder, &output_folder);
    let models = resolver.path(at!["model", "folder"], &typed.model.folder);
    if typed.model.bundle.contains(['/', '\\']) || typed.model.bundle.starts_with('.') {
        let message = format!("{:?} is no name of a bundle", typed.model.bundle);
        resolver.refuse(at!["model", "bundle"], message, "give the folder's name; its parent is [model] folder");
    }
    let onnxruntime_library = typed.model.onnxruntime_library.as_deref().and_then(|text| {
        let help = "correct it, or leave it out: scripts/setup puts the library where the program finds it";
        resolver.existing(at!["model", "onnxruntime_library"], text, Path::is_file, "file", help)
    });
    if typed.model.device == Device::Cuda && matches!(typed.model.backend, Backend::Onnx | Backend::OnnxInt8) {
        let message = format!("backend {:?} runs on the processor only", typed.model.backend.name());
        resolver.refuse(at!["model", "device"], message, "CUDA needs backend = \"torchscript\"");
    }
    let grid = resolver.grid(typed);

    let sensor_folder = typed.sensors.folder.as_deref().and_then(|text| {
        let help = "correct it, or leave it out: the built-in profiles need none";
        resolver.existing(at!["sensors", "folder"], text, Path::is_dir, "folder", help)
    });
    let sensors = sensors::load(sensor_folder.as_deref(), resolver.faults);
    let class_file = typed.classes.file.as_deref().and_then(|text| {
        let help = "correct it, or leave it out: a table is built in";
        resolver.existing(at!["classes", "file"], text, Path::is_file, "file", help)
    });
    let classes = Classes::load(class_file.as_deref(), resolver.faults);
    let rule_folder = typed.rules.folder.as_deref().and_then(|text| {
        let help = "correct it, or leave it out: rules are built in";
        resolver.existing(at!["rules", "folder"], text, Path::is_dir, "folder", help)
    });
    let rules = rules::load(rule_folder.as_deref(), resolver.faults);
    if let (Some(classes), Some(rules)) = (&classes, &rules) {
        classes.check_zones(rules, resolver.faults);
    }

    let mut passes = Vec::new();
    for (i, entry) in typed.passes.iter().enumerate() {
        if !sensors.contains_key(&entry.sensor) {
            let message = format!("no sensor profile is called {:?}", entry.sensor);
            let help = suggestion(&entry.sensor, sensors.keys().map(String::as_str));
            resolver.refuse(at!["passes", i, "sensor"], message, &help);
        }
        passes.push(resolver.pass(i, entry));
    }
    let reaches = typed.reaches.iter().enumerate().map(|(i, entry)| resolver.reach(i, entry)).collect();
    for (i, entry) in typed.reaches.iter().enumerate() {
        if typed.reaches[..i].iter().any(|twin| twin.file == entry.file && twin.layer == entry.layer) {
            resolver.refuse(at!["reaches", i], "this file and layer stand here twice", "remove one of the entries");
        }
    }
    let layers = super::layers::resolve(&typed.layers, &mut resolver);
    let boundary_check = boundary_check::resolve(&typed.boundary_check, &mut resolver);
    let schedule = schedule::resolve(&typed.schedule, &sensors, &mut resolver);
    let cases = typed.cases.rules();
    let delivery = delivery::resolve(&typed.delivery, &cases, &output_folder, typed.runtime.synthetic, &mut resolver);
    let open_id_connect = review::resolve(&typed.review, &mut resolver);

    let (classes, rules, grid) = (classes?, rules?, grid?);
    if faults.len() > before {
        return None;
    }
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Some(RunSettings {
        configuration_file: document.file().to_owned(),
        store_file,
        work_folder,
        output_folder,
        model: ModelSettings {
            folder: models.join(&typed.model.bundle),
            bundle: typed.model.bundle.clone(),
            backend: typed.model.backend,
            device: typed.model.device,
            half_precision: typed.model.half_precision,
            allow_cpu: typed.model.allow_cpu,
            memory_bytes: u64::from(typed.model.memory_mib) << 20,
            onnxruntime_library,
        },
        sensors,
        classes,
        rules,
        grid,
        unit_px: typed.tiles.unit_px as usize,
        look_back_passes: typed.change.look_back_passes as usize,
        reference_passes: typed.change.reference_passes.clone(),
        change_bundle: typed.change.bundle.clone(),
        cases,
        patches: typed.patches.clone(),
        limits: typed.limits.clone(),
        passes,
        reaches,
        layers,
        boundary_check,
        schedule,
        delivery,
        open_id_connect,
        threads: NonZeroUsize::new(typed.runtime.threads as usize).unwrap_or(cores),
        synthetic: typed.runtime.synthetic,
        document,
    })
}

pub(super) struct Resolver<'a> {
    document: &'a Document,
    base: &'a Path,
    environment: Environment<'a>,
    faults: &'a mut Vec<ConfigurationFault>,
}

impl Resolver<'_> {
    pub(super) fn refuse(&mut self, steps: &[Step<'_>], message: impl Into<String>, help: &str) {
        self.faults.push(self.document.fault(steps, message, help));
    }

    pub(super) fn path(&mut self, steps: &[Step<'_>], text: &str) -> PathBuf {
        paths::resolve(text, self.base, self.environment).unwrap_or_else(|message| {
            self.refuse(
                steps,
                message,
                "paths are relative to the folder of this file; ${NAME:-default} takes a variable",
            );
            PathBuf::new()
        })
    }

    /// A path that must be there already.
    fn existing(
        &mut self,
        steps: &[Step<'_>],
        text: &str,
        is_there: fn(&Path) -> bool,
        kind: &str,
        help: &str,
    ) -> Option<PathBuf> {
        let path = self.path(steps, text);
        if is_there(&path) {
            return Some(path);
        }
        if !path.as_os_str().is_empty() {
            self.refuse(steps, format!("there is no {kind} {}", path.display()), help);
        }
        None
    }

    /// Store, work and output must not lie on one another.
    fn places(&mut self, store: &Path, work: &Path, output: &Path) {
        if store.extension().is_none_or(|extension| extension != "gpkg") && !store.as_os_str().is_empty() {
            self.refuse(at!["store", "file"], "the store is a GeoPackage: its name must end in .gpkg", "rename it");
        }
        if work == output && !work.as_os_str().is_empty() {
            let help = "the work folder may be deleted, the output must not: give each its own";
            self.refuse(at!["work", "folder"], "is the output folder too", help);
        }
        if !work.as_os_str().is_empty() && (store.starts_with(work) || output != work && output.starts_with(work)) {
            let help = "the work folder may be deleted at any time: keep store and output out of it";
            self.refuse(at!["work", "folder"], "holds the store or the output", help);
        }
    }

    fn grid(&mut self, typed: &RunConfiguration) -> Option<GridSettings> {
        let grid = &typed.grid;
        let choice = match (grid.zones, grid.epsg) {
            (Some(zones), None) => GridChoice::Zones(zones.into()),
            (None, Some(code)) => {
                if let Some((_, reason)) = NOT_FOR_AREAS.iter().find(|(refused, _)| *refused == code) {
                    let help = "give a projected system in metres, or zones = \"utm\" or \"cgcs2000_three_degree\"";
                    self.refuse(at!["grid", "epsg"], format!("EPSG:{code} cannot carry the grid: {reason}"), help);
                }
                GridChoice::Fixed(Epsg(code))
            }
            (Some(_), Some(_)) => {
                self.refuse(at!["grid", "epsg"], "`zones` and `epsg` are both given", "remove one of them");
                return None;
            }
            (None, None) => {
                self.refuse(at!["grid"], "`zones` or `epsg` is missing", "zones = \"utm\" fits most places");
                return None;
            }
        };
        Some(GridSettings {
            choice,
            pixel_size_m: grid.ground_sampling_distance_m,
            origin_x_m: grid.origin_x_m,
            origin_y_m: grid.origin_y_m,
        })
    }

    fn pass(&mut self, i: usize, entry: &PassEntry) -> PassSettings {
        let patterns =
            entry.files.iter().enumerate().map(|(j, text)| self.path(at!["passes", i, "files", j], text)).collect();
        let time = entry.time.as_deref().and_then(|text| self.time(i, text));
        PassSettings {
            patterns,
            sensor: entry.sensor.clone(),
            name: entry.name.clone(),
            time,
            assigned_epsg: entry.assigned_epsg.map(Epsg),
        }
    }

    fn time(&mut self, i: usize, text: &str) -> Option<AcquisitionTime> {
        match time::operator_time(text) {
            Ok(time) => Some(time),
            Err(message) => {
                self.refuse(
                    at!["passes", i, "time"],
                    message,
                    "leave it out where the files or their names hold the time",
                );
                None
            }
        }
    }

    fn reach(&mut self, i: usize, entry: &ReachEntry) -> ReachSettings {
        ReachSettings {
            file: self.path(at!["reaches", i, "file"], &entry.file),
            layer: entry.layer.clone(),
            id_field: entry.id_field.clone(),
            name_field: entry.name_field.clone(),
            buffer_m: entry.buffer_m,
            assigned_epsg: entry.assigned_epsg.map(Epsg),
        }
    }
}
