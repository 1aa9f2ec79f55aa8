//! Everything is opened and checked here, before any work: store, model, tables, passes, reaches.

use std::collections::BTreeMap;
use std::path::Path;

use shorewatch_domain::digest::DigestBuilder;
use shorewatch_domain::law::layer::LayerKind;
use shorewatch_domain::pass::{Pass, PassState};
use shorewatch_domain::sensor::SensorProfile;
use shorewatch_domain::unit::UnitContext;
use shorewatch_models::SegmenterDescription;
use shorewatch_store::layers::Areas;
use shorewatch_store::{Lease, Store};

use super::context::{Parts, RunContext, reading_digest};
use super::ground::Ground;
use super::look_back::LookBack;
use super::model::{ChangeModel, Model};
use super::plan::{Choosing, Plan, PlannedPublication, ReadablePass, plan};
use super::staged::{StagedNote, staged_note};
use super::water_levels::{SeenWater, WaterLevels};
use super::work::scored_window;
use crate::configuration::RunSettings;
use crate::failure::Failure;
use crate::layers;
use crate::register;

/// How coarser than the grid a sensor may be: beyond this its pixels show where there is nothing to see.
const COARSEST_SENSOR_RATIO: f64 = 1.5;

/// Why a session is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To write: registers what the configuration lists, and holds the store's lease.
    Write,
    /// To look only.
    Read,
}

/// An opened and checked run.
pub struct Session {
    /// The configuration.
    pub settings: RunSettings,
    /// The store.
    pub store: Store,
    /// The shoreline on its grids.
    pub grounds: Vec<Ground>,
    /// What units share.
    pub context: RunContext,
    /// Inputs that were refused, in words.
    pub faults: Vec<String>,
    ready: Vec<ReadablePass>,
    /// Held for as long as the session writes.
    _lease: Option<Lease>,
}

impl Session {
    /// Opens and checks everything.
    ///
    /// # Errors
    /// Anything that does not fit together; nothing was worked then.
    pub fn open(settings: RunSettings, purpose: Purpose) -> Result<Self, Failure> {
        shorewatch_imagery::open::init();
        let model = Model::open(&settings)?;
        let classes = model.description().model_classes();
        let table =
            settings.classes.check(&classes).map_err(|faults| Failure::usage(faults.render(120, false)))?.clone();
        check_grid(&settings, model.description())?;
        let (mut store, lease) = match purpose {
            Purpose::Write => {
                let now = jiff::Timestamp::now();
                create_folder_of(&settings.store_file)?;
                let store = Store::create_or_open(&settings.store_file, now)?;
                let lease = store.try_lease("shorewatch", now)?;
                (store, Some(lease))
            }
            Purpose::Read => (Store::open_read_only(&settings.store_file)?, None),
        };
        let mut faults = Vec::new();
        if purpose == Purpose::Write {
            register::reaches(&settings, &mut store)?;
            faults.extend(layers::import_configured(&settings, &mut store)?);
            faults.extend(register::passes(&settings, &mut store)?);
        }
        let passes = store.passes()?;
        let profiles = settings.profiles();
        let (ready, refused) = select(&passes, &profiles, model.description(), settings.grid.pixel_size_m);
        faults.extend(refused);
        let mut grounds = Ground::lay(store.reaches()?, &settings.grid, settings.unit_px)?;
        lay_zones(&mut grounds, &store, &settings, model.description())?;
        let change = ChangeModel::open(&settings)?;
        // what decides on change is part of the model: with another network other units
        let model_digest = change.iter().fold(model.description().digest, |digest, change| {
            DigestBuilder::new("models").digest("segmentation", &digest).digest("bitemporal", &change.digest()).finish()
        });
        let unit_context = UnitContext { model: model_digest, configuration: settings.result_digest() };
        let context = RunContext::new(Parts {
            work_folder: settings.work_folder.clone(),
            table,
            model,
            unit_context,
            simplify_tolerance_px: settings.patches.simplify_tolerance_px,
            change,
            passes,
            profiles,
            limits: register::limits(&settings),
        });
        Ok(Self { settings, store, grounds, context, faults, ready, _lease: lease })
    }

    /// Number of passes that can be worked.
    #[must_use]
    pub fn ready_passes(&self) -> usize {
        self.ready.len()
    }

    /// The plan over everything that is ready.
    ///
    /// # Errors
    /// There is nothing to plan with: no reach or no pass.
    pub fn plan(&self) -> Result<Plan, Failure> {
        if self.grounds.is_empty() {
            return Err(Failure::input(
                "the store holds no reach, so there is nothing to look at; import one with `shorewatch reaches import` or list it under [[reaches]]",
            ));
        }
        if self.ready.is_empty() {
            let because =
                if self.faults.is_empty() { String::new() } else { format!(":\n  {}", self.faults.join("\n  ")) };
            return Err(Failure::input(format!(
                "no pass is ready{because}\nadd one with `shorewatch passes add` or list it under [[passes]]"
            )));
        }
        let look_back = self.look_back();
        let water = WaterLevels::published(&self.store.observations()?, self.water_class());
        let choosing = Choosing { passes: &self.ready, look_back: &look_back, water: &water };
        let mut plan = plan(&self.grounds, &choosing, self.context.unit_context)?;
        for number in 0..plan.publications.len() {
            if !self.store.is_current(&plan.publications[number].id)? {
                self.settle(&mut plan, number)?;
            }
        }
        Ok(plan)
    }

    /// Chooses the earlier passes of a planned publication anew once all its units are staged, since only then is it known how
    /// much water its pass saw. Choosing again after that changes nothing more.
    ///
    /// # Errors
    /// A footprint can't be projected.
    pub fn settle(&self, plan: &mut Plan, number: usize) -> Result<(), Failure> {
        let publication = &plan.publications[number];
        let ground = &self.grounds[publication.ground];
        let Some(seen) = self.water_seen(publication) else { return Ok(()) };
        for (placed, seen) in ground.reaches.iter().zip(seen) {
            plan.water.insert(publication.pass_id, &placed.reach.id, seen);
        }
        let look_back = self.look_back();
        let choosing = Choosing { passes: &self.ready, look_back: &look_back, water: &plan.water };
        plan.publications[number] = choosing.again(ground, publication, &plan.context)?;
        Ok(())
    }

    /// The water of each reach of the ground, as the staged results of a publication tell; `None` while one is missing or where
    /// the model has no class of water.
    fn water_seen(&self, publication: &PlannedPublication) -> Option<Vec<SeenWater>> {
        let water = self.water_class()?;
        let ground = &self.grounds[publication.ground];
        let scope_px = ground.reaches.iter().map(|placed| placed.pixel_count);
        let mut seen: Vec<_> = scope_px.map(|scope_px| SeenWater { scope_px, ..SeenWater::default() }).collect();
        for unit in &publication.units {
            let StagedNote { summary, .. } = staged_note(&self.context.work_folder, &unit.id)?;
            for &index in &ground.cells[&unit.cell] {
                let reach_id = &ground.reaches[index].reach.id;
                seen[index].observed_px += summary.coverage.get(reach_id).map_or(0, |coverage| coverage.observed_px);
                let class_px = summary.class_px.get(reach_id);
                seen[index].water_px += class_px.and_then(|counts| counts.get(water)).copied().unwrap_or(0);
            }
        }
        Some(seen)
    }

    /// The id of water among the model's land cover.
    fn water_class(&self) -> Option<usize> {
        let classes = &self.context.classes;
        classes.heads.first()?.clone().find(|&id| classes.names[id] == "water")
    }

    fn look_back(&self) -> LookBack {
        LookBack { passes: self.settings.look_back_passes, fixed: self.settings.reference_passes.clone() }
    }
}

/// Lays the function zones in force on the grounds, where the table of changes has priors for any.
fn lay_zones(
    grounds: &mut [Ground],
    store: &Store,
    settings: &RunSettings,
    model: &SegmenterDescription,
) -> Result<(), Failure> {
    let table = settings.classes.table();
    if table.zone_priors.is_empty() {
        return Ok(());
    }
    let features = store.areas_in_force(Areas::Of(LayerKind::ShorelineZone))?;
    if features.is_empty() {
        tracing::warn!(
            "the table of changes has [[zone_priors]], and no function zones (layer shoreline_zone) are in force"
        );
    }
    for ground in grounds {
        let read = |square| scored_window(square, table, model);
        ground.lay_zones(&features, &table.zone_priors, &settings.rules.vocabulary, read)?;
    }
    Ok(())
}

/// Makes the folder that a file is to lie in.
///
/// # Errors
/// The operating system refuses.
pub fn create_folder_of(file: &Path) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Ok(())
}

fn check_grid(settings: &RunSettings, model: &SegmenterDescription) -> Result<(), Failure> {
    let size = settings.grid.pixel_size_m;
    let (least, most) = (model.ground_sampling_distance_min_m, model.ground_sampling_distance_max_m);
    if (least..=most).contains(&size) {
        return Ok(());
    }
    Err(Failure::input(format!(
        "model {} works from {least} m to {most} m per pixel, [grid] ground_sampling_distance_m is {size}; change the grid or the model",
        model.name
    )))
}

/// The passes that can be worked, in order of acquisition, and why the others can't.
fn select(
    passes: &[Pass],
    profiles: &BTreeMap<String, SensorProfile>,
    model: &SegmenterDescription,
    pixel_size_m: f64,
) -> (Vec<ReadablePass>, Vec<String>) {
    let (mut ready, mut refused) = (Vec::new(), Vec::new());
    for pass in passes {
        match &pass.state {
            PassState::Superseded => continue,
            PassState::Quarantined(reason) => refused.push(format!("pass {} is quarantined: {reason}", pass.name)),
            PassState::Held(reason) => refused.push(format!("pass {} is held: {reason}", pass.name)),
            PassState::Ready => match readable(pass, profiles, model, pixel_size_m) {
                Ok(profile) => ready.push(ReadablePass { reading: reading_digest(pass, profile), pass: pass.clone() }),
                Err(reason) => refused.push(format!("pass {} can't be used: {reason}", pass.name)),
            },
        }
    }
    ready.sort_by_key(|read| (read.pass.acquired.map(|time| time.at), read.pass.id));
    (ready, refused)
}

fn readable<'a>(
    pass: &Pass,
    profiles: &'a BTreeMap<String, SensorProfile>,
    model: &SegmenterDescription,
    pixel_size_m: f64,
) -> Result<&'a SensorProfile, String> {
    let profile = profiles.get(&pass.sensor).ok_or_else(|| format!("there is no sensor profile {:?}", pass.sensor))?;
    let available: Vec<_> = profile.bands.iter().map(|band| band.role).collect();
    model.band_set(&available).map_err(|fault| fault.to_string())?;
    if profile.ground_sampling_distance_m > COARSEST_SENSOR_RATIO * pixel_size_m {
        return Err(format!(
            "sensor {} has {} m per pixel, the grid {pixel_size_m} m: finer than the imagery; use a grid of at least {:.1} m",
            profile.name,
            profile.ground_sampling_distance_m,
            profile.ground_sampling_distance_m / COARSEST_SENSOR_RATIO
        ));
    }
    Ok(profile)
}
