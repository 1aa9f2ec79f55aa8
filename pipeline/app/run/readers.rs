//! The passes of a store and how they are read: readers are opened once and share the blocks that they decode.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use shorewatch_domain::digest::Digest;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::sensor::{BandRole, SensorProfile};
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::read::PassReader;

use crate::failure::Failure;

/// Natural colour.
pub const NATURAL: [BandRole; 3] = [BandRole::Red, BandRole::Green, BandRole::Blue];

/// Colour infrared: vegetation is red.
pub const INFRARED: [BandRole; 3] = [BandRole::Nir, BandRole::Red, BandRole::Green];

/// Passes with their readers. Shared by all threads.
pub struct Readers {
    passes: BTreeMap<Digest, Pass>,
    profiles: BTreeMap<String, SensorProfile>,
    limits: Limits,
    cache: Arc<BlockCache>,
    open: Mutex<HashMap<ReaderKey, Arc<PassReader>>>,
}

/// A pass, and the bands that are asked for.
type ReaderKey = (Digest, Vec<BandRole>);

impl Readers {
    /// No pass is open yet; decoded blocks are kept in `cache`.
    #[must_use]
    pub fn new(
        passes: Vec<Pass>,
        profiles: BTreeMap<String, SensorProfile>,
        limits: Limits,
        cache: BlockCache,
    ) -> Self {
        Self {
            passes: passes.into_iter().map(|pass| (pass.id, pass)).collect(),
            profiles,
            limits,
            cache: Arc::new(cache),
            open: Mutex::default(),
        }
    }

    /// A pass of the store.
    ///
    /// # Errors
    /// The store has no such pass: the plan was made from another one.
    pub fn pass(&self, id: &Digest) -> Result<&Pass, Failure> {
        self.passes
            .get(id)
            .ok_or_else(|| Failure::input(format!("pass {} is not in the store; make a new plan", id.short())))
    }

    /// The sensor profile of a pass.
    ///
    /// # Errors
    /// There is no profile of that name.
    pub fn profile(&self, pass: &Pass) -> Result<&SensorProfile, Failure> {
        self.profiles.get(&pass.sensor).ok_or_else(|| {
            Failure::usage(format!(
                "pass {}: no sensor profile {:?}; there are {}",
                pass.name,
                pass.sensor,
                self.profiles.keys().cloned().collect::<Vec<_>>().join(", ")
            ))
        })
    }

    /// Reads any bands of a pass.
    ///
    /// # Errors
    /// A file can't be opened any more, or the sensor lacks a band.
    pub fn reader_of(&self, pass_id: &Digest, roles: &[BandRole]) -> Result<Arc<PassReader>, Failure> {
        let key = (*pass_id, roles.to_vec());
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = open.get(&key) {
            return Ok(Arc::clone(reader));
        }
        let pass = self.pass(pass_id)?;
        let reader =
            Arc::new(PassReader::open(pass, self.profile(pass)?, roles, &self.limits, Arc::clone(&self.cache))?);
        open.insert(key, Arc::clone(&reader));
        Ok(reader)
    }

    /// From now on two passes are read side by side: decoded blocks are set aside in a folder.
    pub fn expect_comparison(&self, folder: &Path) {
        self.cache.expect_passes(2, folder);
    }

    /// Other passes follow.
    pub fn make_room(&self) {
        self.cache.make_room();
    }

    /// The decoded blocks, for who reads the same passes another way.
    #[must_use]
    pub fn cache(&self) -> Arc<BlockCache> {
        Arc::clone(&self.cache)
    }

    /// Three bands that all of the passes have, else those of the last: pictures in other bands can't be compared.
    ///
    /// # Errors
    /// The last has no three bands to show.
    pub fn shared_display_roles(&self, passes: &[&Pass]) -> Result<[BandRole; 3], Failure> {
        let has = |pass: &&Pass, roles: &[BandRole; 3]| {
            self.profile(pass).is_ok_and(|profile| roles.iter().all(|role| profile.band(*role).is_some()))
        };
        match [NATURAL, INFRARED].into_iter().find(|roles| passes.iter().all(|pass| has(pass, roles))) {
            Some(roles) => Ok(roles),
            None => passes.last().map_or(Ok(NATURAL), |latest| self.display_roles(latest)),
        }
    }

    /// Three bands to show a pass with: natural colour where the sensor has it, else near infrared, red, green.
    ///
    /// # Errors
    /// The sensor has neither.
    pub fn display_roles(&self, pass: &Pass) -> Result<[BandRole; 3], Failure> {
        let profile = self.profile(pass)?;
        [NATURAL, INFRARED]
            .into_iter()
            .find(|roles| roles.iter().all(|role| profile.band(*role).is_some()))
            .ok_or_else(|| Failure::input(format!("sensor {}: no three bands to show", profile.name)))
    }
}
