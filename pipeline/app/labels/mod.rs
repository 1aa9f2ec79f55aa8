//! Reviewed patches as training chips: what `models/training/reviews.py` reads and `finetune.py` learns from.
//!
//! | module | holds |
//! |---|---|
//! | [`listing`] | `labels.json`: one entry a chip, with provenance |
//! | [`chips`] | reflectance and mask of a patch, read as a run reads them |
//! | [`cut`] | large patches into chips |
//! | [`folder`] | the folder appears whole or not at all |
//!
//! The same store, imagery and model give the same bytes.

pub mod chips;
pub mod cut;
pub mod folder;
pub mod listing;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use shorewatch_domain::patch::Patch;
use shorewatch_domain::review::Verdict;
use shorewatch_store::{PatchFilter, Store};

use crate::failure::{ExitCode, Failure};
use crate::run::session::Session;
use crate::scene;
use chips::{Sources, write_patch};
use folder::NewFolder;
use listing::LISTING;

/// What was exported.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Exported {
    /// Patches with a decision.
    pub reviewed: usize,
    /// Confirmed patches that were written.
    pub confirmed: usize,
    /// Rejected patches that were written.
    pub rejected: usize,
    /// Patches of which the reviewer was unsure; they are left out.
    pub unsure: usize,
    /// Chips that were written: more than one for a large patch.
    pub chips: usize,
    /// Every patch with a decision that was not written, in order of patch id.
    pub left_out: Vec<LeftOut>,
    /// What was noticed and stopped nothing: blocks that could not be decoded.
    pub faults: Vec<String>,
}

/// A reviewed patch that was not written.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOut {
    /// The patch.
    pub patch_id: String,
    /// The decision.
    pub verdict: Verdict,
    /// Why, and what to do next.
    pub reason: String,
}

impl Exported {
    /// What the command exits with: a reviewer who is unsure is no fault, everything else that is left out is one.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        if self.left_out.len() == self.unsure && self.faults.is_empty() { ExitCode::Done } else { ExitCode::Partial }
    }
}

/// Writes every reviewed patch that teaches something into a new folder.
///
/// # Errors
/// The folder has something in it, nothing was reviewed, nothing of it can be written, or the disk is full. No folder is
/// left then.
pub fn export(session: &Session, target: &Path) -> Result<Exported, Failure> {
    let store = session.store.path().display();
    let reviews = session.store.reviews()?;
    if reviews.is_empty() {
        return Err(Failure::input(format!(
            "{store} holds no review, so there is nothing to learn from; record decisions on its patches first (table reviews)"
        )));
    }
    let patches = patches_by_id(&session.store)?;
    let new = NewFolder::beside(target)?;
    let mut sources = Sources::new(&session.context);
    let mut exported = Exported { reviewed: reviews.len(), ..Exported::default() };
    let mut entries = Vec::new();
    for review in &reviews {
        match write_patch(&mut sources, patches.get(&review.patch_id), review, new.path()) {
            Ok(written) => {
                match review.verdict {
                    Verdict::Confirmed => exported.confirmed += 1,
                    Verdict::Rejected => exported.rejected += 1,
                    Verdict::Unsure => {}
                }
                entries.extend(written.entries);
                exported.faults.extend(written.faults);
            }
            // one patch that can't be written never stops the others
            Err(fault) if matches!(fault.code, ExitCode::Refused | ExitCode::Usage) => {
                exported.unsure += usize::from(review.verdict == Verdict::Unsure);
                exported.left_out.push(LeftOut {
                    patch_id: review.patch_id.clone(),
                    verdict: review.verdict,
                    reason: fault.text,
                });
            }
            Err(fault) => return Err(fault),
        }
    }
    if entries.is_empty() {
        let because: Vec<_> = exported
            .left_out
            .iter()
            .map(|left| format!("\n  {} {}: {}", left.verdict.name(), left.patch_id, left.reason))
            .collect();
        return Err(Failure::input(format!(
            "none of the {} reviewed patches in {store} can be learnt from, so no folder was written:{}",
            reviews.len(),
            because.concat()
        )));
    }
    exported.chips = entries.len();
    let listing = serde_json::to_string_pretty(&entries).map_err(|fault| Failure::internal(fault.to_string()))?;
    scene::write_whole(&new.path().join(LISTING), format!("{listing}\n").as_bytes())?;
    new.publish()?;
    Ok(exported)
}

/// Every patch that may have been reviewed, by id: the current one, else the one that was superseded last.
fn patches_by_id(store: &Store) -> Result<BTreeMap<String, Patch>, Failure> {
    let stored = store.superseded_patches()?.into_iter().chain(store.patches(&PatchFilter::default())?);
    Ok(stored.map(|stored| (stored.patch.patch_id.clone(), stored.patch)).collect())
}
