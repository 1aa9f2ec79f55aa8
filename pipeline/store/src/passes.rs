//! Passes: identity by content, revisions by name.

use std::cmp::Reverse;

use geo_types::{LineString, Polygon};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::pass::{Pass, PassFile, PassState, TimePrecision, TimeSource};

use crate::error::{Refusal, StoreError, Trouble};
use crate::geometry::{self, Shape};
use crate::geopackage;
use crate::store::Store;
use crate::values::{Hex, Json, Utc};

/// What adding a pass did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum AddedPass {
    /// The first content under its name.
    New,
    /// The same content is already there: nothing was changed.
    AlreadyThere,
    /// The same content was there as quarantined or held, and is in a better state now.
    Improved {
        /// Passes of the same name that it took the place of; their publications are to be withdrawn.
        supersedes: Vec<Digest>,
    },
    /// Other content under a known name.
    Revision {
        /// Its number, from 2.
        number: u32,
        /// Passes of the same name that it took the place of; their publications are to be withdrawn. Empty where the
        /// new content is unusable and the old one is not: a bad delivery displaces nothing.
        supersedes: Vec<Digest>,
    },
}

/// The least length of a prefix that stands for a digest.
const MIN_PREFIX_LEN: usize = 4;

impl Store {
    /// Adds a pass. The revision in `pass` does not count: the store assigns it, by name.
    ///
    /// The same content again is a no-op, unless the stored pass was quarantined or held and the given one is in a
    /// better state. Other content under a known name is a new revision; passes of that name with a lower revision and a
    /// state that is no better become superseded, and are kept.
    ///
    /// # Errors
    /// A footprint or fitted radiometry that cannot be stored; a fault of the file.
    pub fn add_pass(&mut self, pass: &Pass, now: Timestamp) -> Result<AddedPass, StoreError> {
        self.write("add the pass", |transaction| {
            check(pass)?;
            let added = match by_id(transaction, &pass.id)? {
                Some(known)
                    if usability(&pass.state) <= usability(&known.state) || known.state == PassState::Superseded =>
                {
                    return Ok(AddedPass::AlreadyThere);
                }
                Some(known) => {
                    let better = Pass { name: known.name, revision: known.revision, ..pass.clone() };
                    update(transaction, &better)?;
                    AddedPass::Improved { supersedes: settle_revisions(transaction, &better.name)? }
                }
                None => {
                    let number = transaction.query_row(
                        "SELECT coalesce(max(revision), 0) + 1 FROM passes WHERE name = ?1",
                        [&pass.name],
                        |row| row.get(0),
                    )?;
                    insert(transaction, &Pass { revision: number, ..pass.clone() }, now)?;
                    let supersedes = settle_revisions(transaction, &pass.name)?;
                    if number == 1 { AddedPass::New } else { AddedPass::Revision { number, supersedes } }
                }
            };
            note_change(transaction, now)?;
            Ok(added)
        })
    }

    /// Sets what may be done with a pass, and gives back the passes of the same name that it took the place of.
    ///
    /// # Errors
    /// No such pass; a fault of the file.
    pub fn set_pass_state(
        &mut self,
        id: &Digest,
        state: &PassState,
        now: Timestamp,
    ) -> Result<Vec<Digest>, StoreError> {
        self.write("set the state of the pass", |transaction| {
            let known = by_id(transaction, id)?.ok_or_else(|| unknown(id.to_string()))?;
            let changed = Pass { state: state.clone(), ..known };
            update(transaction, &changed)?;
            let superseded = settle_revisions(transaction, &changed.name)?;
            note_change(transaction, now)?;
            Ok(superseded)
        })
    }

    /// Records where the files of a pass lie now, and their times: for files that were moved or copied, and whose bytes
    /// were found unchanged.
    ///
    /// # Errors
    /// No such pass; files with other digests; a fault of the file.
    pub fn set_pass_files(&mut self, id: &Digest, files: &[PassFile], now: Timestamp) -> Result<(), StoreError> {
        self.write("set the files of the pass", |transaction| {
            let known = by_id(transaction, id)?.ok_or_else(|| unknown(id.to_string()))?;
            if !known.files.iter().map(|file| file.digest).eq(files.iter().map(|file| file.digest)) {
                let names =
                    |files: &[PassFile]| files.iter().map(|file| file.digest.short()).collect::<Vec<_>>().join(", ");
                return Err(Refusal::Invalid {
                    what: format!("files of pass {known}"),
                    expected: format!("bytes with the digests {}", names(&known.files)),
                    got: names(files),
                    next: "other bytes are another pass: add it",
                }
                .into());
            }
            update(transaction, &Pass { files: files.to_vec(), ..known })?;
            note_change(transaction, now)?;
            Ok(())
        })
    }

    /// All passes, superseded ones too, by time of acquisition (unknown last), then id.
    ///
    /// # Errors
    /// A fault of the file.
    pub fn passes(&self) -> Result<Vec<Pass>, StoreError> {
        let mut passes: Vec<Pass> =
            self.rows("read the passes", "SELECT record FROM passes", [], |row| row.get(0).map(|Json(pass)| pass))?;
        passes.sort_by_key(|pass| (pass.acquired.is_none(), pass.acquired.map(|time| time.at), pass.id));
        Ok(passes)
    }

    /// One pass: by its id, by its name (the latest usable revision, else the latest), or by the first digits of its id,
    /// at least four and unique.
    ///
    /// # Errors
    /// No such pass, or several; a fault of the file.
    pub fn pass(&self, selector: &str) -> Result<Pass, StoreError> {
        let during = "find the pass";
        let refused = |refusal: Refusal| Trouble::from(refusal).at(&self.path, during);
        let passes = self.passes()?;
        if let Some(pass) = passes.iter().find(|pass| pass.id.to_string() == selector) {
            return Ok(pass.clone());
        }
        let named = passes.iter().filter(|pass| pass.name == selector);
        if let Some(pass) = named.max_by_key(|pass| (pass.state == PassState::Ready, pass.revision)) {
            return Ok(pass.clone());
        }
        let starts: Vec<_> = if selector.len() >= MIN_PREFIX_LEN {
            passes.iter().filter(|pass| pass.id.to_string().starts_with(selector)).collect()
        } else {
            Vec::new()
        };
        match starts[..] {
            [pass] => Ok(pass.clone()),
            [] => Err(refused(unknown(selector.to_owned()))),
            _ => Err(refused(Refusal::Ambiguous {
                selector: selector.to_owned(),
                candidates: starts.iter().map(ToString::to_string).collect(),
            })),
        }
    }
}

/// 0 for what may not be used at all.
const fn usability(state: &PassState) -> u8 {
    match state {
        PassState::Superseded => 0,
        PassState::Quarantined(_) => 1,
        PassState::Held(_) => 2,
        PassState::Ready => 3,
    }
}

/// Makes superseded what stands below a later revision that is at least as usable; gives the ids, lowest revision first.
fn settle_revisions(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<Vec<Digest>> {
    let mut passes: Vec<Pass> = transaction
        .prepare_cached("SELECT record FROM passes WHERE name = ?1")?
        .query_map([name], |row| row.get(0).map(|Json(pass)| pass))?
        .collect::<Result<_, _>>()?;
    passes.sort_by_key(|pass| Reverse(pass.revision));
    let mut best = 0;
    let mut superseded = Vec::new();
    for mut pass in passes.into_iter().filter(|pass| pass.state != PassState::Superseded) {
        if usability(&pass.state) > best {
            best = usability(&pass.state);
        } else {
            pass.state = PassState::Superseded;
            update(transaction, &pass)?;
            superseded.push(pass.id);
        }
    }
    superseded.reverse();
    Ok(superseded)
}

pub(crate) fn by_id(transaction: &Transaction<'_>, id: &Digest) -> rusqlite::Result<Option<Pass>> {
    transaction
        .prepare_cached("SELECT record FROM passes WHERE pass_id = ?1")?
        .query_row([Hex(*id)], |row| row.get(0).map(|Json(pass)| pass))
        .optional()
}

pub(crate) fn unknown(selector: String) -> Refusal {
    Refusal::Unknown { kind: "pass", selector, next: "`shorewatch passes list` shows what is there" }
}

fn check(pass: &Pass) -> Result<(), Refusal> {
    let invalid = |field: &str, expected: &str, got: String| {
        let what = format!("pass {}, {field}", pass.name);
        Err(Refusal::Invalid {
            what,
            expected: expected.to_owned(),
            got,
            next: "check the file's georeference and profile",
        })
    };
    if let Some(outline) = footprint(pass)
        && let Some(fault) = geometry::fault([&outline])
    {
        return invalid("footprint", "a closed ring in degrees, or none", fault);
    }
    match pass.fitted.iter().find(|band| !(band.scale.is_finite() && band.offset.is_finite())) {
        Some(band) => invalid(
            "fitted radiometry",
            "finite numbers",
            format!("{}: scale {}, offset {}", band.role, band.scale, band.offset),
        ),
        None => Ok(()),
    }
}

fn footprint(pass: &Pass) -> Option<Polygon<f64>> {
    (!pass.footprint.is_empty()).then(|| Polygon::new(LineString::from(pass.footprint.clone()), Vec::new()))
}

fn insert(transaction: &Transaction<'_>, pass: &Pass, now: Timestamp) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO passes (pass_id, name, revision, sensor, state, files, fitted, warnings, record, added_at)
         VALUES (?1, ?2, ?3, ?4, '', '', '', '', '', ?5)",
        params![Hex(pass.id), pass.name, pass.revision, pass.sensor, Utc(now)],
    )?;
    update(transaction, pass)
}

/// Writes all columns that may change of a pass that is there.
fn update(transaction: &Transaction<'_>, pass: &Pass) -> rusqlite::Result<()> {
    let outline = footprint(pass);
    transaction.execute(
        "UPDATE passes SET geom = ?2, acquired_at = ?3, time_precision = ?4, time_source = ?5, state = ?6, state_reason = ?7,
             files = ?8, assigned_epsg = ?9, fitted = ?10, warnings = ?11, record = ?12
         WHERE pass_id = ?1",
        params![
            Hex(pass.id),
            outline.as_ref().map(Shape),
            pass.acquired.map(|time| Utc(time.at)),
            pass.acquired.map(|time| match time.precision {
                TimePrecision::Year => "year",
                TimePrecision::Day => "day",
                TimePrecision::Second => "second",
            }),
            pass.acquired.map(|time| match time.source {
                TimeSource::Operator => "operator",
                TimeSource::Metadata => "metadata",
                TimeSource::FileName => "file_name",
            }),
            pass.state.name(),
            pass.state.reason(),
            Json(&pass.files),
            pass.assigned_epsg,
            Json(&pass.fitted),
            Json(&pass.warnings),
            Json(pass),
        ],
    )?;
    Ok(())
}

fn note_change(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    geopackage::measure_extent(transaction, "passes")?;
    geopackage::touch(transaction, "passes", now)
}
