//! Registration: delivered files become passes, vector files become reaches. Nothing is registered twice.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;

use shorewatch_domain::crs::{Epsg, ZoneFamily};
use shorewatch_domain::pass::{AcquisitionTime, Pass, PassFile, PassState};
use shorewatch_domain::sensor::SensorProfile;
use shorewatch_imagery::admit::{AdmitOptions, admit};
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::vector::{ReachSource, read_reaches};
use shorewatch_store::{AddedPass, ReachImport, Store};

use crate::configuration::{FoundPass, GridChoice, ReachSettings, RunSettings};
use crate::failure::{ExitCode, Failure};

/// A pass as an operator delivers it.
pub struct Delivery {
    /// Its files.
    pub files: Vec<PathBuf>,
    /// Name of the sensor profile.
    pub sensor: String,
    /// Name.
    pub name: String,
    /// Time by the operator.
    pub time: Option<AcquisitionTime>,
    /// Reference system by the operator.
    pub assigned_epsg: Option<Epsg>,
}

/// What became of a delivery.
pub struct Registered {
    /// The pass as it is in the store.
    pub pass: Pass,
    /// Whether it is new.
    pub added: AddedPass,
}

/// The configured limits as the imagery crate takes them.
#[must_use]
pub fn limits(settings: &RunSettings) -> Limits {
    let configured = &settings.limits;
    Limits {
        maximum_pixels: configured.maximum_pixels as f64,
        maximum_bands: configured.maximum_bands as usize,
        maximum_decoded_bytes: configured.maximum_declared_bytes as f64,
        maximum_ratio: configured.maximum_expansion_ratio,
        ..Limits::default()
    }
}

/// Registers every pass that the configuration lists; returns what stood in the way, pass by pass.
///
/// # Errors
/// The configuration's patterns match nothing, or the store can't be written. A bad file is no error: its pass is
/// quarantined, and the others go on.
pub fn passes(settings: &RunSettings, store: &mut Store) -> Result<Vec<String>, Failure> {
    let found = settings.find_passes().map_err(|faults| Failure::usage(faults.render(120, false)))?;
    let known = store.passes()?;
    let mut faults = Vec::new();
    for pass in found {
        let name = pass.name.clone();
        match take(settings, store, &known, pass)? {
            Taken::Unchanged | Taken::Registered(_) => {}
            Taken::Refused(fault) => faults.push(format!("pass {name} was not registered: {fault}")),
            Taken::NotYet(fault) => {
                tracing::warn!(pass = name, fault, "not registered yet");
                faults.push(format!("pass {name} is not registered yet: {fault}"));
            }
        }
    }
    Ok(faults)
}

/// What became of files that were found.
pub enum Taken {
    /// They are registered already, as they are.
    Unchanged,
    /// They are a pass now, or were one already under other paths or times.
    Registered(AddedPass),
    /// They are no pass, for this reason.
    Refused(String),
    /// They may be one later: a copy is still running, for example.
    NotYet(String),
}

/// Registers files that were found, unless the `known` passes hold them as they are.
///
/// # Errors
/// What concerns more than these files: the store can't be written, the disk is full.
pub fn take(settings: &RunSettings, store: &mut Store, known: &[Pass], found: FoundPass) -> Result<Taken, Failure> {
    let delivery = Delivery {
        files: found.files,
        sensor: found.sensor,
        name: found.name,
        time: found.time,
        assigned_epsg: found.assigned_epsg,
    };
    if known.iter().any(|known| is_unchanged(known, &delivery)) {
        return Ok(Taken::Unchanged);
    }
    match register(settings, store, &delivery) {
        Ok(Registered { pass, added }) => {
            let is_kept =
                |known: &&Pass| known.id == pass.id && known.name == pass.name && known.state != PassState::Superseded;
            // the same bytes, moved or touched: with their place and time on record they need no digest next time
            if added == AddedPass::AlreadyThere && known.iter().any(|known| is_kept(&known)) {
                store.set_pass_files(&pass.id, &pass.files, Timestamp::now())?;
            }
            Ok(Taken::Registered(added))
        }
        Err(fault) if fault.code == ExitCode::Refused => {
            tracing::error!(pass = delivery.name, %fault, "not registered");
            Ok(Taken::Refused(fault.text))
        }
        Err(fault) if fault.code == ExitCode::Retryable && !fault.text.contains("disk is full") => {
            Ok(Taken::NotYet(fault.text))
        }
        Err(fault) => Err(fault),
    }
}

/// Registers one pass.
///
/// # Errors
/// No such profile, files that are no pass of it, or files that are not complete yet.
pub fn register(settings: &RunSettings, store: &mut Store, delivery: &Delivery) -> Result<Registered, Failure> {
    let now = Timestamp::now();
    let profile = profile(settings, &delivery.sensor)?;
    let options = AdmitOptions {
        name: Some(delivery.name.clone()),
        time: delivery.time,
        assigned_epsg: delivery.assigned_epsg.map(|epsg| epsg.0),
        settle: Duration::from_secs_f64(settings.limits.settle_seconds),
        limits: limits(settings),
        now,
    };
    let mut pass = admit(&delivery.files, profile, &options)?;
    let added = store.add_pass(&pass, now)?;
    match &added {
        AddedPass::New => tracing::info!(pass = pass.name, state = pass.state.name(), "registered"),
        AddedPass::AlreadyThere => tracing::debug!(pass = pass.name, "already registered"),
        AddedPass::Improved { .. } => tracing::info!(pass = pass.name, "usable now"),
        AddedPass::Revision { number, .. } => {
            pass.revision = *number;
            tracing::warn!(pass = pass.name, number, "other bytes under a known name: a new revision");
        }
    }
    if let AddedPass::Improved { supersedes } | AddedPass::Revision { supersedes, .. } = &added {
        for id in supersedes {
            store.withdraw_publications_of(id, now)?;
        }
    }
    for warning in &pass.warnings {
        tracing::warn!(pass = pass.name, "{warning}");
    }
    if let Some(reason) = pass.state.reason() {
        tracing::error!(pass = pass.name, state = pass.state.name(), "{reason}");
    }
    Ok(Registered { pass, added })
}

fn profile<'a>(settings: &'a RunSettings, name: &str) -> Result<&'a SensorProfile, Failure> {
    settings.sensors.get(name).map(|sensor| &sensor.profile).ok_or_else(|| {
        let names: Vec<_> = settings.sensors.keys().map(String::as_str).collect();
        Failure::usage(format!("no sensor profile {name:?}; there are {}", names.join(", ")))
    })
}

/// True where the very files of a delivery, by path, size and time of modification, are registered under its name.
fn is_unchanged(known: &Pass, delivery: &Delivery) -> bool {
    let same_claims = known.name == delivery.name
        && known.sensor == delivery.sensor
        && known.assigned_epsg == delivery.assigned_epsg.map(|epsg| epsg.0)
        && delivery.time.is_none_or(|time| known.acquired == Some(time));
    same_claims
        && known.state != PassState::Superseded
        && known.files.len() == delivery.files.len()
        && known
            .files
            .iter()
            .zip(&delivery.files)
            .all(|(known, path)| Path::new(&known.path) == path && is_as_registered(known))
}

/// True where a file has the size and the time of modification with which it was registered.
#[must_use]
pub fn is_as_registered(file: &PassFile) -> bool {
    std::fs::metadata(&file.path).is_ok_and(|data| {
        let modified = data.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        data.len() == file.size_bytes && modified.is_some_and(|at| at.as_nanos() as i128 == file.modified_ns)
    })
}

/// Imports every file of reaches that the configuration lists.
///
/// # Errors
/// A file can't be read, or one of its features can't be a reach; nothing of that file is imported then.
pub fn reaches(settings: &RunSettings, store: &mut Store) -> Result<(), Failure> {
    for source in &settings.reaches {
        import_reaches(settings, store, source)?;
    }
    Ok(())
}

/// Imports one file of reaches, all or none.
///
/// # Errors
/// As [`reaches`].
pub fn import_reaches(
    settings: &RunSettings,
    store: &mut Store,
    source: &ReachSettings,
) -> Result<ReachImport, Failure> {
    let read = read_reaches(
        &source.file,
        &ReachSource {
            layer: source.layer.clone(),
            id_field: source.id_field.clone(),
            name_field: Some(source.name_field.clone()),
            buffer_m: source.buffer_m,
            assigned_epsg: source.assigned_epsg.map(|epsg| epsg.0),
            zones: match settings.grid.choice {
                GridChoice::Zones(family) => family,
                GridChoice::Fixed(_) => ZoneFamily::Utm,
            },
        },
    )?;
    for reach in &read {
        for repair in &reach.repairs {
            tracing::warn!(reach = reach.id, "repaired on import: {repair}");
        }
    }
    let import = store.import_reaches(&read, Timestamp::now())?;
    if import.added + import.changed > 0 {
        tracing::info!(file = %source.file.display(), added = import.added, changed = import.changed, "imported reaches");
    }
    Ok(import)
}
