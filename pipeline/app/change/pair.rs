//! Two passes on one lattice: the later one's own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::pass::{AcquisitionTime, Pass, PassState, TimePrecision, TimeSource};
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::{BandRole, SensorProfile};
use shorewatch_imagery::admit::{AdmitOptions, admit};
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::read::PassReader;

use super::clouds::PairClouds;
use crate::failure::Failure;

/// Decoded blocks of both passes.
const CACHE_BYTES: usize = 256 << 20;

/// The bands of a pass that change is told from, in this order.
const ROLES: [BandRole; 6] =
    [BandRole::Blue, BandRole::Green, BandRole::Red, BandRole::Nir, BandRole::Swir1, BandRole::Swir2];

/// Files of one acquisition, and how they are to be read.
pub struct Delivered<'a> {
    /// What it is called in messages: "before" or "after".
    pub name: &'static str,
    /// The files.
    pub files: &'a [PathBuf],
    /// How they are to be read.
    pub profile: &'a SensorProfile,
}

/// Both passes, open.
pub struct Pair {
    before: PassReader,
    after: PassReader,
    /// The bands that both passes have, in the order of every array.
    pub roles: Vec<BandRole>,
    /// The lattice of the later pass.
    pub grid: Grid,
    /// Its pixels.
    pub window: Window,
    passes: [Pass; 2],
    clouds: Option<PairClouds>,
}

/// One window of a pair, on one lattice.
pub struct PairWindow {
    /// The earlier date.
    pub before: Raster,
    /// The later date.
    pub after: Raster,
    /// Blocks that could not be decoded.
    pub faults: Vec<String>,
}

impl Pair {
    /// Admits both passes and opens them for the bands that they share.
    ///
    /// # Errors
    /// A pass is refused or quarantined; they share less than three bands; the later one's pixels are not square.
    pub fn open(before: &Delivered<'_>, after: &Delivered<'_>) -> Result<Self, Failure> {
        let roles = shared_roles(before.profile, after.profile)?;
        let cache = Arc::new(BlockCache::new(CACHE_BYTES));
        let open = |delivered: &Delivered<'_>| {
            let pass = admitted(delivered)?;
            let reader = PassReader::open(&pass, delivered.profile, &roles, &Limits::default(), Arc::clone(&cache))?;
            Ok::<_, Failure>((pass, reader))
        };
        let ((earlier, before), (later, after)) = (open(before)?, open(after)?);
        let (grid, window) = after.own_lattice()?;
        Ok(Self { before, after, roles, grid, window, passes: [earlier, later], clouds: None })
    }

    /// The pair with what clouds hide taken out, where a sensor has no quality band to tell.
    ///
    /// # Errors
    /// As [`Pair::read`].
    pub fn without_clouds(mut self, before: &SensorProfile, after: &SensorProfile) -> Result<Self, Failure> {
        let sources = [(&self.passes[0], before), (&self.passes[1], after)];
        self.clouds = PairClouds::of(
            sources,
            &self.roles,
            self.window,
            |window| self.read(window),
            |window| {
                self.before.recycle(window.before);
                self.after.recycle(window.after);
            },
        )?;
        Ok(self)
    }

    /// Reads both dates in a window of the later one's lattice, which may reach beyond it.
    ///
    /// # Errors
    /// A file can't be opened any more, or there is no transformation between the two systems.
    pub fn read(&self, window: Window) -> Result<PairWindow, Failure> {
        let (before, after) = (self.before.read(self.grid, window)?, self.after.read(self.grid, window)?);
        let mut faults = before.faults;
        faults.extend(after.faults);
        let mut read = PairWindow { before: before.raster, after: after.raster, faults };
        if let Some(clouds) = &self.clouds {
            clouds.mask(&mut read);
        }
        Ok(read)
    }
}

/// The bands that two sensors share and that change is told from, in the order of every array.
///
/// # Errors
/// They share less than three.
pub fn shared_roles(before: &SensorProfile, after: &SensorProfile) -> Result<Vec<BandRole>, Failure> {
    let has = |profile: &SensorProfile, role: &BandRole| profile.bands.iter().any(|band| band.role == *role);
    let roles: Vec<BandRole> = ROLES.into_iter().filter(|role| has(before, role) && has(after, role)).collect();
    if roles.len() < 3 {
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        return Err(Failure::input(format!(
            "{} and {} share {} band(s) ({}); three of blue, green, red, nir, swir1, swir2 are needed",
            before.name,
            after.name,
            roles.len(),
            names.join(", ")
        )));
    }
    Ok(roles)
}

fn admitted(delivered: &Delivered<'_>) -> Result<Pass, Failure> {
    // which date is the earlier one is said by the caller; nothing here depends on when it was
    let time =
        AcquisitionTime { at: Timestamp::UNIX_EPOCH, precision: TimePrecision::Year, source: TimeSource::Operator };
    let options = AdmitOptions { time: Some(time), settle: Duration::ZERO, ..AdmitOptions::default() };
    let pass = admit(delivered.files, delivered.profile, &options)?;
    match pass.state.reason().filter(|_| pass.state != PassState::Ready) {
        Some(reason) => Err(Failure::input(format!("the pass {}: {reason}", delivered.name))),
        None => Ok(pass),
    }
}
