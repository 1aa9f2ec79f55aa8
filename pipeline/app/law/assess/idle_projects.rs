//! Approved projects that are idle: what was looked at and what changed there, from the store and from what runs left.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use geo::Area;
use geo_types::{MultiPolygon, Polygon};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::law::layer::Feature;
use shorewatch_domain::law::office::Chief;
use shorewatch_domain::law::place::{Place, Versions};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_law::idle::{self, Change, Look};
use shorewatch_law::index::LayerIndex;
use shorewatch_law::responsibility::{self, Units};
use shorewatch_law::rules::Rules;
use shorewatch_store::Store;

use crate::failure::Failure;
use crate::run::chips::in_pixels;
use crate::run::recent::Recent;
use crate::run::staged::{staged_causes, staged_path};

/// Where the projects that were found are kept in the work folder, with the digest of what they follow from.
const KEPT: &str = "idle-projects.json";
/// Squares whose pixels are kept between neighbouring projects.
const SQUARES_KEPT: usize = 8;

/// The idle projects of before, as long as they follow from the same.
#[derive(Serialize, Deserialize)]
struct Kept {
    inputs: Digest,
    projects: Vec<IdleProject>,
}

/// The projects that are idle.
pub(super) struct Idle<'a> {
    projects: Vec<IdleProject>,
    /// The largest part of each, where it is said to lie; nothing where they are known from before, with their addresses.
    grounds: Vec<Option<&'a Polygon<f64>>>,
    /// What they were found from now; `None` where they are known from before.
    basis: Option<Basis>,
}

impl<'a> Idle<'a> {
    /// Those of before as long as they follow from the same, else those that are found now, without an address yet.
    ///
    /// # Errors
    /// The store can't be read.
    pub(super) fn read(
        store: &Store,
        versions: &Versions,
        rules: &Rules,
        work_folder: &Path,
        projects: &'a [Feature],
        patches: &[Patch],
    ) -> Result<Self, Failure> {
        if projects.is_empty() {
            return Ok(Self { projects: Vec::new(), grounds: Vec::new(), basis: None });
        }
        let basis = Basis::read(store, versions, rules, work_folder, patches)?;
        if let Some(projects) = basis.kept(work_folder) {
            return Ok(Self { projects, grounds: Vec::new(), basis: None });
        }
        let found = basis.found(rules, work_folder, projects);
        let grounds = outlines(&found, projects);
        Ok(Self { projects: found, grounds, basis: Some(basis) })
    }

    /// The places of those that have no address yet.
    pub(super) fn unaddressed(&self) -> impl Iterator<Item = &'a Polygon<f64>> {
        self.grounds.iter().copied().flatten()
    }

    /// Tells of those that were found now where they are, and who is in charge there.
    pub(super) fn address(&mut self, layers: &LayerIndex, chiefs: &[Chief], rules: &Rules) {
        for (project, ground) in self.projects.iter_mut().zip(&self.grounds) {
            if let Some(ground) = ground {
                address(project, &layers.place(ground), chiefs, rules);
            }
        }
    }

    /// All of them, kept for the next time.
    pub(super) fn kept(self, work_folder: &Path) -> Vec<IdleProject> {
        if let Some(basis) = self.basis {
            basis.keep(work_folder, &self.projects);
        }
        self.projects
    }
}

/// What was looked at, and what changed.
struct Basis {
    looks: Vec<Look>,
    changes: Vec<Change>,
    managed: Vec<MultiPolygon<f64>>,
    grids: BTreeMap<Digest, Grid>,
    inputs: Digest,
}

impl Basis {
    /// Reads it from the store.
    fn read(
        store: &Store,
        versions: &Versions,
        rules: &Rules,
        work_folder: &Path,
        patches: &[Patch],
    ) -> Result<Self, Failure> {
        let of_publications: BTreeMap<Digest, Grid> =
            store.publications()?.into_iter().map(|one| (one.id, one.grid)).collect();
        let tiles = store.tiles()?;
        let grids =
            tiles.iter().filter_map(|tile| Some((tile.unit_id, *of_publications.get(&tile.publication_id)?))).collect();
        let looks: Vec<(Look, bool)> = tiles
            .into_iter()
            .map(|tile| {
                let look = Look {
                    unit: tile.unit_id,
                    day: rules.local_day(tile.post_date),
                    square: tile.outline,
                    observed_share: tile.observed_share,
                };
                (look, staged_path(work_folder, &tile.unit_id).exists())
            })
            .collect();
        let changes: Vec<Change> = patches
            .iter()
            .map(|patch| Change { day: rules.local_day(patch.post_date), outline: patch.geometry.clone() })
            .collect();
        let managed: Vec<_> = store.reaches()?.into_iter().map(|reach| reach.scope).collect();
        let inputs = idle::inputs(versions, rules, &looks, &changes, &managed);
        let looks = looks.into_iter().map(|(look, _)| look).collect();
        Ok(Self { looks, changes, managed, grids, inputs })
    }

    /// What was found before from the same; `None` where nothing was, or it can't be read.
    fn kept(&self, work_folder: &Path) -> Option<Vec<IdleProject>> {
        let text = std::fs::read(work_folder.join(KEPT)).ok()?;
        let kept: Kept = serde_json::from_slice(&text).ok()?;
        (kept.inputs == self.inputs).then_some(kept.projects)
    }

    /// Keeps what was found for the next time. Where that fails, it is found again: so much is told, and nothing is lost.
    fn keep(&self, work_folder: &Path, projects: &[IdleProject]) {
        let kept = Kept { inputs: self.inputs, projects: projects.to_vec() };
        let written = std::fs::create_dir_all(work_folder).and_then(|()| {
            let mut file = NamedTempFile::new_in(work_folder)?;
            serde_json::to_writer(&mut file, &kept)?;
            file.persist(work_folder.join(KEPT)).map_err(|fault| fault.error)
        });
        if let Err(fault) = written {
            let path = work_folder.join(KEPT);
            tracing::warn!(path = %path.display(), %fault, "the idle projects can't be kept; the next run finds them again");
        }
    }

    /// The projects that are idle, without an address yet.
    fn found(&self, rules: &Rules, work_folder: &Path, projects: &[Feature]) -> Vec<IdleProject> {
        let squares = Squares { work_folder, kept: RefCell::new(Recent::new(SQUARES_KEPT)) };
        let seen = |look: &Look, ground: &MultiPolygon<f64>| {
            squares.observed_share(&look.unit, self.grids.get(&look.unit)?, ground)
        };
        let least_share = rules.settings.idle_observed_share_min;
        idle::idle(projects, &self.looks, &self.changes, &self.managed, &seen, least_share)
    }
}

/// The largest part of each project that is idle: where it is said to lie.
fn outlines<'a>(idle: &[IdleProject], projects: &'a [Feature]) -> Vec<Option<&'a Polygon<f64>>> {
    let by_code: BTreeMap<&str, &Feature> = projects.iter().map(|one| (one.code.as_str(), one)).collect();
    idle.iter()
        .map(|project| {
            let parts = by_code.get(project.code.as_str())?.geometry.iter();
            parts.max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))
        })
        .collect()
}

/// Tells of an idle project where `place` is, and who is in charge there.
fn address(project: &mut IdleProject, place: &Place, chiefs: &[Chief], rules: &Rules) {
    let units = Units::of(place, rules.settings.zone_share_min, &mut Vec::new());
    let position = place.position.as_ref();
    let in_charge = responsibility::chiefs(chiefs, position, &units, project.observed_on, &mut Vec::new());
    project.chiefs = in_charge.into_iter().flatten().map(|chief| chief.name.clone()).collect();
    project.river_code = position.map(|position| position.water_code.clone());
    project.reach_code = position.map(|position| position.reach_code.clone());
    project.adcd = units.adcd;
}

/// Why pixels of a square were not observed, with its window; `None` where its file is gone.
type Square = Option<(Window, Array2<Causes>)>;

/// Staged pixels of squares; the last few that were read are kept.
struct Squares<'a> {
    work_folder: &'a Path,
    kept: RefCell<Recent<Digest, Rc<Square>>>,
}

impl Squares<'_> {
    /// Which share of some ground (CGCS2000) a unit observed, by its staged pixels; `None` where they are gone, or none of them
    /// lies in it.
    fn observed_share(&self, unit: &Digest, grid: &Grid, ground: &MultiPolygon<f64>) -> Option<f64> {
        let square = self.of(unit);
        let (window, causes) = square.as_ref().as_ref()?;
        let outline = in_pixels(ground, grid).ok()?;
        rasterise::share_within(&outline, *window, |pixel| causes[pixel].is_observed())
    }

    fn of(&self, unit: &Digest) -> Rc<Square> {
        let mut kept = self.kept.borrow_mut();
        if let Some(found) = kept.get(unit) {
            return found;
        }
        let read = Rc::new(staged_causes(self.work_folder, unit));
        kept.keep(*unit, Rc::clone(&read));
        read
    }
}
