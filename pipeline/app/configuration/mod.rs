//! Configuration: what the user typed becomes what the program needs, or a list of all faults with file and line.
//!
//! | step | |
//! |---|---|
//! | [`load`] | file → [`RunConfiguration`] (as typed) → [`RunSettings`] (resolved and checked); reads sensor profiles and the table of changes, but no imagery |
//! | [`RunSettings::find_passes`], [`RunSettings::find_watched`] | look for the imagery: patterns → the files of each pass |
//! | [`Classes::check`] | the table of changes against the classes of the model, once its manifest is known |
//! | [`RunSettings::result_digest`] | what decides results, and nothing else |
//! | [`json_schema`], [`template`] | for `shorewatch schema` and `shorewatch init` |
//!
//! Rules: unknown keys are errors; units stand in the names of keys; relative paths are relative to the folder of the
//! configuration file; `${NAME}` and `${NAME:-default}` in paths come from the environment.

mod boundary_check;
mod built_in;
mod classes;
mod delivery;
mod digest;
mod document;
mod faults;
mod glob;
mod layers;
mod passes;
mod paths;
mod resolve;
mod review;
mod rules;
mod run;
mod schedule;
mod schema;
mod sensors;
mod settings;
mod time;

use std::collections::BTreeMap;
use std::path::Path;

pub use boundary_check::BoundaryCheckSection;
pub use classes::Classes;
pub use delivery::{DeliverySection, PictureWord, TargetEntry, TargetWord};
pub use digest::sensor_digest;
pub use faults::{ConfigurationFault, ConfigurationFaults, FaultPlace};
pub use layers::{LayerEntry, LayerSettings};
pub use passes::{FoundPass, WatchedPasses};
pub use paths::Environment;
pub use review::{OpenIdConnectEntry, OpenIdConnectSettings, ReviewSection, RoleEntry, UnknownUsersWord};
pub use run::{
    Backend, ChangeSection, ClassesSection, Device, GridSection, LimitsSection, ModelSection, OutputSection, PassEntry,
    PatchesSection, ReachEntry, RulesSection, RunConfiguration, RuntimeSection, SensorsSection, StoreSection,
    TilesSection, WorkSection, Zones,
};
pub use schedule::{CadenceEntry, ScheduleSection, ScheduleSettings, WatchEntry, WatchSettings};
pub use sensors::{Sensor, built_in_sensor};
pub use settings::{GridChoice, GridSettings, ModelSettings, PassSettings, ReachSettings, RunSettings};
pub use time::operator_time;

use document::Document;

/// The built-in sensor profiles and those of a folder, by name.
///
/// # Errors
/// Every fault of the folder's profiles.
pub fn sensors(folder: Option<&Path>) -> Result<BTreeMap<String, Sensor>, ConfigurationFaults> {
    let mut faults = Vec::new();
    let sensors = sensors::load(folder, &mut faults);
    ConfigurationFaults::unless_empty(faults, sensors)
}

/// The sensor profile of one file.
///
/// # Errors
/// Every fault of the file.
pub fn sensor_of_file(file: &Path) -> Result<Sensor, ConfigurationFaults> {
    let mut faults = Vec::new();
    match sensors::load_file(file, &mut faults) {
        Some(sensor) => ConfigurationFaults::unless_empty(faults, sensor),
        None => Err(ConfigurationFaults::sorted(faults)),
    }
}

/// Reads and checks a configuration; variables come from the environment of the process.
///
/// # Errors
/// Every fault of the file, and of the sensor profiles and the table of changes that it names.
pub fn load(file: &Path) -> Result<RunSettings, ConfigurationFaults> {
    load_with(file, &|name| std::env::var(name).ok())
}

/// As [`load`], with variables from `environment`.
///
/// # Errors
/// As [`load`].
pub fn load_with(file: &Path, environment: Environment<'_>) -> Result<RunSettings, ConfigurationFaults> {
    let mut faults = Vec::new();
    let settings = Document::read(file, &mut faults)
        .and_then(|document| typed(&document, &mut faults).map(|configuration| (document, configuration)))
        .and_then(|(document, configuration)| resolve::resolve(&configuration, document, environment, &mut faults));
    match settings {
        Some(settings) => ConfigurationFaults::unless_empty(faults, settings),
        None => Err(ConfigurationFaults::sorted(faults)),
    }
}

/// The file as typed, where its form is right.
fn typed(document: &Document, faults: &mut Vec<ConfigurationFault>) -> Option<RunConfiguration> {
    let before = faults.len();
    schema::check(document, &schema::schema_of::<RunConfiguration>(), faults);
    if faults.len() > before {
        return None;
    }
    match toml::from_str(document.text()) {
        Ok(configuration) => Some(configuration),
        Err(error) => {
            faults.push(document.fault_at_span(error.span().unwrap_or(0..0), error.message(), None));
            None
        }
    }
}

/// The JSON Schema (draft 2020-12) of the run configuration, every key with its description.
#[must_use]
pub fn json_schema() -> String {
    schema::printed(schema::schema_of::<RunConfiguration>())
}

/// A commented configuration to start from.
#[must_use]
pub fn template() -> &'static str {
    include_str!("template.toml")
}
