//! The result of a unit as it is staged for publication: a file of byte layers, named by the digest of the unit's inputs.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use shorewatch_domain::change::{ChangeMap, NO_CHANGE, NO_CLASS};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::evidence::{LogOdds, TERMS};
use shorewatch_domain::grid::Window;
use shorewatch_domain::observed::Causes;
use shorewatch_domain::unit::{Unit, UnitSummary};
use shorewatch_imagery::layers::{Layers, read_layers, read_some_layers, write_layers};

use super::context::RunContext;
use crate::failure::Failure;

/// Layers of a unit's result, in order.
const LABELS: &str = "transition";
const CONFIDENCE: &str = "confidence";
const EARLIER_PASS: &str = "earlier_pass";
pub(super) const CAUSES: &str = "unobserved_causes";
const CLASS_BEFORE: &str = "class_before";
const CLASS_AFTER: &str = "class_after";
const OBJECT_AFTER: &str = "object_after";
const CHANGE: &str = "change_log_odds";

/// Number of these layers.
const LAYERS: usize = 8 + TERMS.len();

/// The result of a unit as it is staged for publication.
#[derive(Debug)]
pub struct UnitResult {
    /// Changes inside the scope's bounding window; pixels out of scope carry no label.
    pub change: ChangeMap,
    /// Most probable class of the second head in the later pass, where the model has one and it observed the pixel, else
    /// [`NO_CLASS`] (row, col).
    pub object_after: Array2<u8>,
    /// What the evidence adds up to; `None` where nothing was compared.
    pub weighed: Option<Weighed>,
    /// Counts.
    pub summary: UnitSummary,
}

/// Evidence of change, in bytes.
#[derive(Debug)]
pub struct Weighed {
    /// Log-odds of change as [`stored_odds`] writes them (row, col); 0 where nothing was compared.
    pub odds: Array2<u8>,
    /// Contributions to them by kind as [`stored_term`] writes them (term, row, col), under labels only.
    pub terms: Array3<u8>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    unit: Digest,
    summary: UnitSummary,
    /// False where no pixel carries a label: then only the summary has to be read.
    has_changes: bool,
}

/// What a staged result says of itself.
pub struct StagedNote {
    /// Counts.
    pub summary: UnitSummary,
    /// Whether any pixel carries a label.
    pub has_changes: bool,
}

/// Where the result of a unit is staged: its name is the digest of its inputs.
#[must_use]
pub fn staged_path(work_folder: &Path, unit: &Digest) -> PathBuf {
    layers_path(work_folder, "units", unit)
}

/// A file among sixteen folders: few enough to be made in no time, and a million files are still no burden to any of them.
pub(super) fn layers_path(work_folder: &Path, kind: &str, id: &Digest) -> PathBuf {
    let name = id.to_string();
    work_folder.join(kind).join(&name[..1]).join(format!("{name}.layers"))
}

/// Reads a staged result; `None` where there is none that can be used.
#[must_use]
pub fn staged(work_folder: &Path, unit: &Digest) -> Option<UnitResult> {
    usable(&staged_path(work_folder, unit), |path| {
        let layers = read_layers(path)?;
        let note = note_of(&layers, unit)?;
        if layers.values.len_of(Axis(0)) != LAYERS {
            return Err(Failure::input(format!("it has {} layers, not {LAYERS}", layers.values.len_of(Axis(0)))));
        }
        let layer = |number| layers.values.index_axis(Axis(0), number).to_owned();
        Ok(UnitResult {
            change: ChangeMap {
                window: layers.window,
                labels: layer(0),
                confidence: layer(1),
                earlier: layer(2),
                causes: layer(3).mapv(Causes),
                class_before: layer(4),
                class_after: layer(5),
            },
            object_after: layer(6),
            weighed: Some(Weighed { odds: layer(7), terms: layers.values.slice(s![8.., .., ..]).to_owned() }),
            summary: note.summary,
        })
    })
}

/// Reads what a staged result says of itself, without its pixels; `None` where there is none that can be used.
#[must_use]
pub fn staged_note(work_folder: &Path, unit: &Digest) -> Option<StagedNote> {
    usable(&staged_path(work_folder, unit), |path| {
        let note = note_of(&read_some_layers(path, &[])?, unit)?;
        Ok(StagedNote { summary: note.summary, has_changes: note.has_changes })
    })
}

/// Why pixels of a staged result were not observed, with their window; `None` where there is none that can be used.
#[must_use]
pub fn staged_causes(work_folder: &Path, unit: &Digest) -> Option<(Window, Array2<Causes>)> {
    usable(&staged_path(work_folder, unit), |path| {
        let layers = read_some_layers(path, &[3])?;
        note_of(&layers, unit)?;
        Ok((layers.window, layers.values.index_axis(Axis(0), 0).mapv(Causes)))
    })
}

/// The most probable class of each pixel of a staged result in its later pass, [`NO_CLASS`] where that did not observe it, with
/// their window; `None` where there is none that can be read. A file that can't be is left as it is.
#[must_use]
pub fn staged_classes(work_folder: &Path, unit: &Digest) -> Option<(Window, Array2<u8>)> {
    legible(&staged_path(work_folder, unit), |path| {
        let layers = read_some_layers(path, &[3, 5])?;
        note_of(&layers, unit)?;
        let mut classes = layers.values.index_axis(Axis(0), 1).to_owned();
        classes.zip_mut_with(&layers.values.index_axis(Axis(0), 0), |class, cause| {
            *class = if Causes(*cause).is_observed() { *class } else { NO_CLASS };
        });
        Ok((layers.window, classes))
    })
}

/// The labels and confidences of a staged result, with their window; `None` where there is none that can be used.
#[must_use]
pub fn staged_labels(work_folder: &Path, unit: &Digest) -> Option<(Window, [Array2<u8>; 2])> {
    usable(&staged_path(work_folder, unit), |path| {
        let layers = read_some_layers(path, &[0, 1])?;
        note_of(&layers, unit)?;
        Ok((layers.window, [0, 1].map(|number| layers.values.index_axis(Axis(0), number).to_owned())))
    })
}

fn note_of(layers: &Layers, unit: &Digest) -> Result<Note, Failure> {
    let note: Note = serde_json::from_str(&layers.note).map_err(|fault| Failure::input(fault.to_string()))?;
    if note.unit == *unit { Ok(note) } else { Err(Failure::input("it belongs to another unit".to_owned())) }
}

/// Reads a file that may not be there; one that can't be used is removed, to be worked again.
fn usable<T>(path: &Path, read: impl FnOnce(&Path) -> Result<T, Failure>) -> Option<T> {
    if !path.exists() {
        return None;
    }
    match read(path) {
        Ok(result) => Some(result),
        Err(fault) => {
            tracing::warn!(path = %path.display(), %fault, "a staged result can't be used; it is removed, to be worked again");
            if let Err(fault) = std::fs::remove_file(path) {
                tracing::error!(path = %path.display(), %fault, "it could not be removed; remove it by hand");
            }
            None
        }
    }
}

/// Reads a file that may not be there; one that can't be read is left for the next run to remove.
fn legible<T>(path: &Path, read: impl FnOnce(&Path) -> Result<T, Failure>) -> Option<T> {
    if !path.exists() {
        return None;
    }
    read(path).inspect_err(|fault| tracing::warn!(path = %path.display(), %fault, "a staged result can't be read")).ok()
}

/// Stages the result of a unit.
///
/// # Errors
/// The work folder can't be written to; nothing half-written is left.
pub(super) fn stage(context: &RunContext, unit: &Unit, result: UnitResult) -> Result<(), Failure> {
    let compared = !unit.earlier_pass_ids.is_empty();
    let note = serde_json::to_string(&Note {
        unit: unit.id,
        summary: result.summary,
        has_changes: compared && result.change.labels.iter().any(|&label| label != NO_CHANGE),
    })
    .map_err(|fault| Failure::internal(fault.to_string()))?;
    let causes = result.change.causes.mapv(|cause| cause.0);
    // nothing was compared on the first pass of a place: that it is all 0 need not be looked up
    let zero = Array2::zeros((1, 1));
    let blank = (!compared).then_some(&zero);
    let size = result.change.labels.raw_dim();
    let nothing = || zero.broadcast(size).unwrap_or_else(|| unreachable!("one value in any size"));
    let head = [
        (LABELS, told(blank, result.change.labels.view())),
        (CONFIDENCE, told(blank, result.change.confidence.view())),
        (EARLIER_PASS, result.change.earlier.view()),
        (CAUSES, causes.view()),
        (CLASS_BEFORE, result.change.class_before.view()),
        (CLASS_AFTER, result.change.class_after.view()),
        (OBJECT_AFTER, result.object_after.view()),
        (CHANGE, result.weighed.as_ref().map_or_else(nothing, |weighed| weighed.odds.view())),
    ];
    let terms = TERMS.iter().enumerate().map(|(term, name)| {
        let layer = result.weighed.as_ref().map(|weighed| weighed.terms.index_axis(Axis(0), term));
        (*name, layer.unwrap_or_else(nothing))
    });
    let layers: Vec<_> = head.into_iter().chain(terms).collect();
    let path = staged_path(&context.work_folder, &unit.id);
    write_layers(&path, unit.grid, result.change.window, &layers, &note)?;
    Ok(())
}

/// The layer, or the one value of `blank` in its size.
fn told<'a>(blank: Option<&'a Array2<u8>>, layer: ArrayView2<'a, u8>) -> ArrayView2<'a, u8> {
    blank.and_then(|blank| blank.broadcast(layer.raw_dim())).unwrap_or(layer)
}

/// Log-odds of change in a byte: sixteenths from −8 on; 0 where nothing was compared.
#[must_use]
#[inline(always)]
pub fn stored_odds(odds: f32) -> u8 {
    // 0 of NaN, as a cast has it; rounding by hand, since the compiler makes no vector code of the library's
    (((odds + 8.0) * 16.0).max(if odds.is_nan() { f32::NAN } else { 1.0 }) + 0.5) as u8
}

/// What [`stored_odds`] wrote; NaN where nothing was compared.
#[must_use]
pub fn odds_of(stored: u8) -> f32 {
    if stored == 0 { f32::NAN } else { f32::from(stored) / 16.0 - 8.0 }
}

/// A contribution to the log-odds in a byte: sixteenths from −8 on.
#[must_use]
pub fn stored_term(term: f32) -> u8 {
    ((term + 8.0) * 16.0).round().clamp(0.0, 255.0) as u8
}

/// What [`stored_term`] wrote.
#[must_use]
pub fn term_of(stored: u8) -> f32 {
    f32::from(stored) / 16.0 - 8.0
}

/// Log-odds as they are staged, their contributions under `labels` (row, col) only, which begin at (row, col) of `odds`.
pub(super) fn stored(odds: &LogOdds, (row, col): (usize, usize), labels: &Array2<u8>) -> Weighed {
    let (rows, cols) = labels.dim();
    let mut terms = Array3::zeros((TERMS.len(), rows, cols));
    for ((down, right), _) in labels.indexed_iter().filter(|(_, label)| **label != NO_CHANGE) {
        for term in 0..TERMS.len() {
            terms[(term, down, right)] = stored_term(odds.term(term, (row + down, col + right)));
        }
    }
    let inside = odds.sum.slice(s![row..row + rows, col..col + cols]);
    Weighed { odds: inside.mapv(stored_odds), terms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_come_back_to_a_thirty_second() {
        for (odds, expected) in [(-9.0, 1), (-7.97, 1), (0.0, 128), (0.03, 128), (0.04, 129), (7.9, 254), (30.0, 255)] {
            assert_eq!(stored_odds(odds), expected, "{odds}");
        }
        assert_eq!(stored_odds(f32::NAN), 0);
        assert!(odds_of(0).is_nan());
        assert_eq!(odds_of(stored_odds(-2.5)), -2.5);
    }
}
