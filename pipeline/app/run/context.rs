//! What every unit of a run shares: the model, the passes, their readers and the decoded blocks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use shorewatch_domain::change;
use shorewatch_domain::classes::{ClassTable, ModelClasses};
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::pass::Pass;
use shorewatch_domain::sensor::{BandRole, SensorProfile};
use shorewatch_domain::unit::UnitContext;
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::read::PassReader;
use shorewatch_models::SegmenterDescription;

use super::model::{ChangeModel, Model};
use super::pairs::Pairs;
use super::readers::Readers;
use crate::configuration::sensor_digest;
use crate::failure::Failure;

/// Decoded blocks that all threads share, for each band of 16 bits that the model reads. Between two rows of units, a row of
/// blocks and the lower edges of another have to stay, for the width of a [strip](super::work_order). Less would decode the
/// blocks between neighbouring units twice, more would only cost memory: 13 MiB were counted for strips of six squares on a scene of
/// 10980²; with this many warped scenes are read no slower in strips of twelve.
const CACHE_BYTES_PER_BAND: usize = 16 << 20;

/// The same where windows reach over each other by a halo, and more rows of blocks are in use at once. With half of it half of
/// all blocks are decoded twice.
const CACHE_BYTES_PER_BAND_WITH_HALO: usize = 24 << 20;

/// Everything that units need beside themselves. Shared by all threads.
pub struct RunContext {
    /// Where results of units are staged.
    pub work_folder: PathBuf,
    /// Suspicious transitions.
    pub table: ClassTable,
    /// The model's classes in order, and its heads.
    pub classes: ModelClasses,
    /// The model.
    pub model: Model,
    /// What the identity of every unit includes.
    pub unit_context: UnitContext,
    /// Tolerance of outlines in pixels.
    pub simplify_tolerance_px: f64,
    /// What is common to two passes.
    pub pairs: Pairs,
    /// The passes and their readers.
    pub readers: Readers,
    change: Option<ChangeModel>,
}

/// The parts of a [`RunContext`] that a caller gives.
pub struct Parts {
    /// See [`RunContext::work_folder`].
    pub work_folder: PathBuf,
    /// See [`RunContext::table`].
    pub table: ClassTable,
    /// See [`RunContext::model`].
    pub model: Model,
    /// See [`RunContext::unit_context`].
    pub unit_context: UnitContext,
    /// See [`RunContext::simplify_tolerance_px`].
    pub simplify_tolerance_px: f64,
    /// The network that is shown two dates, where there is one.
    pub change: Option<ChangeModel>,
    /// All passes of the store.
    pub passes: Vec<Pass>,
    /// All sensor profiles.
    pub profiles: BTreeMap<String, SensorProfile>,
    /// What a file may declare.
    pub limits: Limits,
}

/// Digest of a sensor profile and of what was fitted to a pass.
#[must_use]
pub fn reading_digest(pass: &Pass, profile: &SensorProfile) -> Digest {
    let builder = DigestBuilder::new("reading").digest("profile", &sensor_digest(profile));
    let fitted = pass.fitted.iter().fold(builder, |builder, band| {
        builder.field("band", band.role.name()).number("scale", band.scale).number("offset", band.offset)
    });
    fitted.finish()
}

fn cache_bytes(model: &SegmenterDescription) -> usize {
    let a_band = if model.halo_px == 0 { CACHE_BYTES_PER_BAND } else { CACHE_BYTES_PER_BAND_WITH_HALO };
    // the largest set of bands that it takes
    model.band_sets.iter().map(|set| set.roles.len()).max().unwrap_or(model.bands.len()) * a_band
}

impl RunContext {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let model = parts.model.description();
        // a window is grown by the margin, out to the alignment, and by the halo; and so is its neighbour
        let grown = change::margin_px(&parts.table) + model.alignment_px.max(1) - 1 + model.halo_px;
        let cache = BlockCache::new(cache_bytes(model)).with_shared_edge(2 * grown);
        Self {
            work_folder: parts.work_folder,
            table: parts.table,
            classes: parts.model.description().model_classes(),
            model: parts.model,
            unit_context: parts.unit_context,
            simplify_tolerance_px: parts.simplify_tolerance_px,
            pairs: Pairs::default(),
            readers: Readers::new(parts.passes, parts.profiles, parts.limits, cache),
            change: parts.change,
        }
    }

    /// The network that is shown two dates, where there is one and it takes these bands at this pixel size.
    #[must_use]
    pub fn change_model(&self, roles: &[BandRole]) -> Option<&ChangeModel> {
        self.change.as_ref().filter(|change| change.fits(roles))
    }

    /// A pass of the store.
    ///
    /// # Errors
    /// As [`Readers::pass`].
    pub fn pass(&self, id: &Digest) -> Result<&Pass, Failure> {
        self.readers.pass(id)
    }

    /// The sensor profile of a pass.
    ///
    /// # Errors
    /// As [`Readers::profile`].
    pub fn profile(&self, pass: &Pass) -> Result<&SensorProfile, Failure> {
        self.readers.profile(pass)
    }

    /// Digest of how a pass is read: scores made under another profile are other scores.
    ///
    /// # Errors
    /// As [`RunContext::profile`].
    pub fn reading_digest(&self, pass_id: &Digest) -> Result<Digest, Failure> {
        let pass = self.pass(pass_id)?;
        Ok(reading_digest(pass, self.profile(pass)?))
    }

    /// Reads the model's bands of a pass: those of the largest of its sets that the sensor has.
    ///
    /// # Errors
    /// A file can't be opened any more.
    pub fn reader(&self, pass_id: &Digest) -> Result<Arc<PassReader>, Failure> {
        let profile = self.profile(self.pass(pass_id)?)?;
        let available: Vec<BandRole> = profile.bands.iter().map(|band| band.role).collect();
        self.reader_of(pass_id, &self.model.description().band_set(&available)?.roles)
    }

    /// Reads any bands of a pass.
    ///
    /// # Errors
    /// As [`Readers::reader_of`].
    pub fn reader_of(&self, pass_id: &Digest, roles: &[BandRole]) -> Result<Arc<PassReader>, Failure> {
        self.readers.reader_of(pass_id, roles)
    }
}
