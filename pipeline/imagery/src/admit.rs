//! Delivered files become a pass, or are quarantined with the reason.
//!
//! What is the file's own fault makes a quarantined pass, so that it is on record and other passes go on. What is
//! nobody's fault yet (a copy still running) or the configuration's is an error, and nothing is recorded.

mod bands;
mod delivery;
mod place;
mod sample;
mod time;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shorewatch_domain::pass::{AcquisitionTime, Pass, PassFile, PassState};
use shorewatch_domain::sensor::SensorProfile;

pub use self::delivery::{UNFINISHED, is_named_unfinished, name_matches};
use crate::error::{FileFault, ImageryError};
use crate::open::{Assigned, Georeference, Limits, OpenedFile, open_raster};

/// How far in the future a time of acquisition may lie and still be taken for skewed clocks.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);

/// What an operator says about a pass, and how it is admitted.
#[derive(Clone, PartialEq, Debug)]
pub struct AdmitOptions {
    /// Name of the pass; by default the stem of its first file.
    pub name: Option<String>,
    /// Time of acquisition; goes before metadata and file names.
    pub time: Option<AcquisitionTime>,
    /// Reference system for files without one; recorded as a claim.
    pub assigned_epsg: Option<u32>,
    /// A file that was modified within this time may still be being written: it is looked at again after it.
    pub settle: Duration,
    /// What files may declare.
    pub limits: Limits,
    /// The present, for times in the future.
    pub now: Timestamp,
}

impl Default for AdmitOptions {
    fn default() -> Self {
        Self {
            name: None,
            time: None,
            assigned_epsg: None,
            settle: Duration::from_secs(2),
            limits: Limits::default(),
            now: Timestamp::now(),
        }
    }
}

/// Turns the files of one acquisition into a pass of revision 1: complete, digested, checked against the profile, with
/// its time, footprint and (for display stretches) fitted radiometry.
///
/// A file that is at fault gives a pass in the state `Quarantined` with the reason; a time in the future gives `Held`.
/// The same files give the same pass, apart from their paths and modification times.
///
/// # Errors
/// Files are missing, superfluous, unreadable for the operating system or still being written
/// ([`ImageryError::is_retryable`]); the profile contradicts itself; nobody knows the time of acquisition.
pub fn admit(files: &[PathBuf], profile: &SensorProfile, options: &AdmitOptions) -> Result<Pass, ImageryError> {
    delivery::check_profile(profile)?;
    let delivery = delivery::assign(files, profile)?;
    delivery::wait_until_settled(&delivery.files, options.settle)?;
    let (pass_files, checksum_fault) = delivery::digest_all(&delivery.files, options.settle)?;
    let examined = match checksum_fault {
        Some(fault) => Err(fault),
        None => examine(&delivery, profile, options),
    };
    let first = &delivery.files[0];
    let mut pass = Pass {
        id: Pass::identity(&profile.name, None, options.assigned_epsg, &pass_files),
        name: options.name.clone().unwrap_or_else(|| stem(first)),
        revision: 1,
        sensor: profile.name.clone(),
        acquired: None,
        files: pass_files,
        assigned_epsg: options.assigned_epsg,
        fitted: Vec::new(),
        footprint: Vec::new(),
        state: PassState::Ready,
        warnings: delivery.warnings,
    };
    match examined {
        Ok(examined) => {
            pass.acquired =
                Some(time::of_pass(first, Some(&examined.first), profile, options.time, &mut pass.warnings)?);
            pass.fitted = examined.fitted;
            pass.footprint = examined.footprint;
            pass.warnings.extend(examined.warnings);
            pass.state = state_by_time(pass.acquired.as_ref(), options.now);
        }
        Err(error) => {
            let ImageryError::File { path, fault } = &error else { return Err(error) };
            // the time is not worth refusing the record for
            pass.acquired = time::of_pass(first, None, profile, options.time, &mut Vec::new()).ok();
            pass.state = PassState::Quarantined(format!("{}: {fault}", delivery::file_name(path)));
        }
    }
    pass.id = Pass::identity(&pass.sensor, pass.acquired.as_ref(), pass.assigned_epsg, &pass.files);
    Ok(pass)
}

/// What the files say about the pass.
struct Examined {
    first: OpenedFile,
    footprint: Vec<(f64, f64)>,
    fitted: Vec<shorewatch_domain::pass::FittedBand>,
    warnings: Vec<String>,
}

fn examine(
    delivery: &delivery::Delivery,
    profile: &SensorProfile,
    options: &AdmitOptions,
) -> Result<Examined, ImageryError> {
    let (mut opened, mut warnings): (Vec<(OpenedFile, Georeference)>, Vec<String>) = (Vec::new(), Vec::new());
    for (number, path) in delivery.files.iter().enumerate() {
        let file = open_raster(path, &options.limits)?;
        warnings.extend(file.messages.iter().map(|message| format!("{}: {message}", delivery::file_name(path))));
        let place = file.georeference(&Assigned { epsg: options.assigned_epsg, geotransform: None })?;
        bands::check(&file, &delivery.uses_of(number), profile, &mut warnings)?;
        bands::check_blocks(&file, &delivery.uses_of(number), options.settle, &mut warnings)?;
        opened.push((file, place));
    }
    let footprint = place::footprint(&opened, profile, &mut warnings)?;
    let mut fitted = Vec::new();
    for (number, (file, _)) in opened.iter().enumerate() {
        fitted.extend(sample::examine(file, &delivery.uses_of(number), profile, &mut warnings)?);
    }
    // the profile's order of bands, whatever the files were
    fitted.sort_by_key(|fit| profile.bands.iter().position(|band| band.role == fit.role));
    let (first, _) = opened.swap_remove(0);
    Ok(Examined { first, footprint, fitted, warnings })
}

fn state_by_time(acquired: Option<&AcquisitionTime>, now: Timestamp) -> PassState {
    match acquired {
        Some(time) if time.at > now + CLOCK_SKEW => PassState::Held(format!(
            "acquired in the future ({}, now it is {}): check the time, or the clock",
            time.label(),
            now.strftime("%Y-%m-%d %H:%M UTC")
        )),
        _ => PassState::Ready,
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "pass".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// A fault of one file.
fn fault<T>(file: &OpenedFile, fault: FileFault) -> Result<T, ImageryError> {
    Err(ImageryError::file(&file.path, fault))
}

/// Digests a file once more: its size, time and bytes as they are now.
///
/// # Errors
/// It can't be read, or changes meanwhile.
pub fn digest_file(path: &Path) -> Result<PassFile, ImageryError> {
    delivery::digest(path).map(|(file, _)| file)
}

#[cfg(test)]
mod tests;
