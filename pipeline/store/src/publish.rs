//! Publishing: the whole result of one pass on one grid, in one transaction.

use geo_types::Polygon;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::FollowUp;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::Grid;
use shorewatch_domain::observed::Coverage;
use shorewatch_domain::pass::PassState;
use shorewatch_domain::patch::{Patch, SuppressedPlace};
use shorewatch_domain::unit::{Unit, UnitSummary};

use crate::error::{Refusal, StoreError, Trouble};
use crate::geometry::envelope;
use crate::store::Store;
use crate::values::Hex;
use crate::{follow_ups, geopackage, passes, patches, runs, suppressed};

mod check;
mod rows;

/// Layers that hold what current publications drew.
const DRAWN: [&str; 3] = ["patches", "tiles", "patches_suppressed"];

/// What a run found in one pass on one grid.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Publication {
    /// What it is a function of: [`Publication::identity`].
    pub id: Digest,
    /// The run that made it.
    pub run_id: Digest,
    /// The later pass.
    pub pass_id: Digest,
    /// The grid.
    pub grid: Grid,
    /// Acquisition of the later pass.
    pub post_date: Timestamp,
    /// Every unit of the pass on the grid.
    pub units: Vec<PublishedUnit>,
    /// What was seen of each reach.
    pub observations: Vec<ReachObservation>,
    /// The patches, in the order in which they are to be stored.
    pub patches: Vec<NewPatch>,
    /// What the pass shows of the ground of patches of earlier passes, one a patch.
    pub follow_ups: Vec<FollowUp>,
    /// Places that were kept back, each with a reason.
    pub suppressed: Vec<SuppressedPlace>,
}

/// A unit and what it found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PublishedUnit {
    /// The unit.
    pub unit: Unit,
    /// What it found.
    pub summary: UnitSummary,
    /// Its square in degrees (longitude, latitude; EPSG:4490).
    pub outline: Polygon<f64>,
}

/// What was seen of a reach in one pass.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReachObservation {
    /// The reach.
    pub reach_id: String,
    /// Passes that it was compared with, latest first.
    pub earlier_pass_ids: Vec<Digest>,
    /// Area of a pixel in m².
    pub pixel_area_m2: f64,
    /// Pixels of the scope by what was seen of them.
    pub coverage: Coverage,
    /// Observed pixels in scope by class id of the later pass.
    pub class_px: Vec<u64>,
}

impl ReachObservation {
    /// Area of the scope in m².
    #[must_use]
    pub fn scope_area_m2(&self) -> f64 {
        self.coverage.scope_px as f64 * self.pixel_area_m2
    }

    /// Share of the scope that was observed (0..1); `None` where the scope has no pixel.
    #[must_use]
    pub fn observed_fraction(&self) -> Option<f64> {
        share(self.coverage.observed_px, self.coverage.scope_px)
    }

    /// Share of the scope that was compared with an earlier pass (0..1); `None` where the scope has no pixel.
    #[must_use]
    pub fn compared_fraction(&self) -> Option<f64> {
        share(self.coverage.compared_px, self.coverage.scope_px)
    }
}

/// A patch on its way into the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NewPatch {
    /// The patch.
    pub patch: Patch,
    /// Its place in the order of review, from 1, where one was given.
    pub rank: Option<u32>,
    /// Picture of the earlier pass, where one was made: a path relative to the store's folder.
    pub chip_before: Option<String>,
    /// Picture of the later pass, where one was made: a path relative to the store's folder.
    pub chip_after: Option<String>,
}

/// What publishing did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Published {
    /// Stored, and current now.
    New {
        /// Publications of the same pass and grid that it took the place of.
        superseded: Vec<Digest>,
    },
    /// It was there and superseded (a configuration was changed and changed back), and is current again.
    Reinstated {
        /// Publications of the same pass and grid that it took the place of.
        superseded: Vec<Digest>,
    },
    /// It is there and current: nothing was changed.
    AlreadyCurrent,
}

impl Publication {
    /// The identity of a publication: its pass, its grid and its units, in whatever order they come.
    #[must_use]
    pub fn identity(pass_id: &Digest, grid: &Grid, unit_ids: impl IntoIterator<Item = Digest>) -> Digest {
        let mut unit_ids: Vec<_> = unit_ids.into_iter().collect();
        unit_ids.sort_unstable();
        let builder = grid.add_to(DigestBuilder::new("publication")).digest("pass", pass_id);
        unit_ids.iter().fold(builder, |builder, id| builder.digest("unit", id)).finish()
    }
}

impl Store {
    /// Publishes in one transaction: after it all is there, or nothing. The same id again, while current, is a no-op.
    ///
    /// An older current publication of the same pass, reference system and pixel size is superseded: its patches move to
    /// `patches_superseded`, its tiles and the places that it kept back go (its units stay), its observations and follow-ups
    /// stay with it. Cases follow with [`Store::rebuild_cases`].
    ///
    /// # Errors
    /// The run is unknown, the pass is unknown or not ready, a record contradicts the publication, a patch id is taken by
    /// another publication; a fault of the file.
    pub fn publish(&mut self, publication: &Publication, now: Timestamp) -> Result<Published, StoreError> {
        self.write("publish", |transaction| {
            let known = is_current(transaction, &publication.id)?;
            if known == Some(true) {
                return Ok(Published::AlreadyCurrent);
            }
            check::publication(publication)?;
            check_references(transaction, publication)?;
            if known.is_some() {
                clear(transaction, &publication.id)?;
            }
            let rivals = rivals(transaction, publication)?;
            rows::insert_publication(transaction, publication)?;
            for rival in &rivals {
                retire(transaction, rival, Some(&publication.id))?;
            }
            check_patch_ids(transaction, publication)?;
            rows::insert_units(transaction, publication)?;
            rows::insert_observations(transaction, publication)?;
            patches::insert(transaction, &publication.patches, &publication.id, &publication.run_id)?;
            follow_ups::insert(transaction, publication)?;
            suppressed::insert(transaction, publication)?;
            update_extents(transaction, publication, !rivals.is_empty())?;
            note_change(transaction, now)?;
            let superseded = rivals;
            Ok(if known.is_some() { Published::Reinstated { superseded } } else { Published::New { superseded } })
        })
    }

    /// Withdraws the current publications of a pass, for one that was superseded by another revision, and gives their ids.
    /// Their patches move to `patches_superseded`, places that they kept back go.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn withdraw_publications_of(&mut self, pass_id: &Digest, now: Timestamp) -> Result<Vec<Digest>, StoreError> {
        self.write("withdraw publications", |transaction| {
            let withdrawn = transaction
                .prepare("SELECT publication_id FROM publications WHERE pass_id = ?1 AND is_current ORDER BY fid")?
                .query_map([Hex(*pass_id)], |row| row.get(0).map(|Hex(id)| id))?
                .collect::<Result<Vec<_>, _>>()?;
            for id in &withdrawn {
                retire(transaction, id, None)?;
            }
            if !withdrawn.is_empty() {
                DRAWN.into_iter().try_for_each(|layer| geopackage::measure_extent(transaction, layer))?;
                note_change(transaction, now)?;
            }
            Ok(withdrawn)
        })
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn is_current(transaction: &Transaction<'_>, id: &Digest) -> rusqlite::Result<Option<bool>> {
    transaction
        .query_row("SELECT is_current FROM publications WHERE publication_id = ?1", [Hex(*id)], |row| row.get(0))
        .optional()
}

fn check_references(transaction: &Transaction<'_>, publication: &Publication) -> Result<(), Trouble> {
    let run: Option<i64> = transaction
        .query_row("SELECT fid FROM runs WHERE run_id = ?1", [Hex(publication.run_id)], |row| row.get(0))
        .optional()?;
    if run.is_none() {
        return Err(runs::unknown(&publication.run_id).into());
    }
    let pass = passes::by_id(transaction, &publication.pass_id)?
        .ok_or_else(|| passes::unknown(publication.pass_id.to_string()))?;
    if pass.state != PassState::Ready {
        return Err(Refusal::Invalid {
            what: format!("pass {pass}"),
            expected: "a pass that is ready".to_owned(),
            got: format!("one that is {}", pass.state.name()),
            next: "it changed since the run was planned: run again",
        }
        .into());
    }
    Ok(())
}

/// Patches of another current publication with an id of ours: named before SQLite refuses them without a name.
fn check_patch_ids(transaction: &Transaction<'_>, publication: &Publication) -> Result<(), Trouble> {
    let mut statement = transaction.prepare("SELECT publication_id FROM patches WHERE patch_id = ?1")?;
    for new in &publication.patches {
        let taken = statement.query_row([&new.patch.patch_id], |row| row.get(0).map(|Hex(id)| id)).optional()?;
        if let Some(other) = taken {
            return Err(Refusal::Invalid {
                what: format!("patch {}", new.patch.patch_id),
                expected: "an id that no other current publication uses".to_owned(),
                got: format!("one of publication {}", other.short()),
                next: "does the same ground lie on two grids? give each reach one zone",
            }
            .into());
        }
    }
    Ok(())
}

fn rivals(transaction: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<Vec<Digest>> {
    transaction
        .prepare(
            "SELECT publication_id FROM publications
             WHERE pass_id = ?1 AND is_current AND grid_epsg = ?2 AND pixel_size_m = ?3 ORDER BY fid",
        )?
        .query_map(params![Hex(publication.pass_id), publication.grid.epsg.0, publication.grid.pixel_size_m], |row| {
            row.get(0).map(|Hex(id)| id)
        })?
        .collect()
}

/// Takes a publication out of the current ones.
fn retire(transaction: &Transaction<'_>, id: &Digest, by: Option<&Digest>) -> rusqlite::Result<()> {
    patches::move_to_superseded(transaction, id)?;
    for layer in ["tiles", "patches_suppressed"] {
        transaction.execute(&format!("DELETE FROM {layer} WHERE publication_id = ?1"), [Hex(*id)])?;
    }
    transaction.execute(
        "UPDATE publications SET is_current = 0, superseded_by = ?2 WHERE publication_id = ?1",
        params![Hex(*id), by.map(|by| Hex(*by))],
    )?;
    Ok(())
}

/// Removes what a superseded publication left, before it is written anew.
fn clear(transaction: &Transaction<'_>, id: &Digest) -> rusqlite::Result<()> {
    for table in ["patches_superseded", "observations", "follow_ups", "units"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE publication_id = ?1"), [Hex(*id)])?;
    }
    Ok(())
}

fn update_extents(transaction: &Transaction<'_>, publication: &Publication, removed: bool) -> rusqlite::Result<()> {
    if removed {
        return DRAWN.into_iter().try_for_each(|layer| geopackage::measure_extent(transaction, layer));
    }
    if !publication.patches.is_empty() {
        let outlines = publication.patches.iter().map(|new| &new.patch.geometry);
        geopackage::grow_extent(transaction, "patches", envelope(outlines))?;
    }
    if !publication.units.is_empty() {
        let outlines = publication.units.iter().map(|published| &published.outline);
        geopackage::grow_extent(transaction, "tiles", envelope(outlines))?;
    }
    if !publication.suppressed.is_empty() {
        let outlines = publication.suppressed.iter().map(|place| &place.geometry);
        geopackage::grow_extent(transaction, "patches_suppressed", envelope(outlines))?;
    }
    Ok(())
}

pub(crate) fn note_change(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    [
        "publications",
        "units",
        "tiles",
        "observations",
        "patches",
        "patches_superseded",
        "follow_ups",
        "patches_suppressed",
    ]
    .into_iter()
    .try_for_each(|table| geopackage::touch(transaction, table, now))
}
