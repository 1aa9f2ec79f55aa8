//! Working one unit: read, segment, compare with earlier passes, leave the result under the unit's digest.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use shorewatch_domain::change::{self, ChangeMap, NO_CHANGE, NO_CLASS, NO_EARLIER, Reference};
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::Scores;
use shorewatch_domain::unit::{Unit, UnitSummary};
use shorewatch_imagery::layers::{Layers, is_whole, read_layers, read_some_layers, write_layers};

use super::context::RunContext;
use super::counts::{class_counts, coverage};
use super::ground::{Ground, Scope};
use crate::failure::Failure;

/// Layers of a unit's result, in order.
const LABELS: &str = "transition";
const CONFIDENCE: &str = "confidence";
const EARLIER: &str = "earlier_pass";
const CAUSES: &str = "unobserved_causes";
const CLASS_BEFORE: &str = "class_before";
const CLASS_AFTER: &str = "class_after";

/// Number of these layers.
const LAYERS: usize = 6;

/// The result of a unit as it is staged for publication.
#[derive(Debug)]
pub struct UnitResult {
    /// Changes inside the scope's bounding window; pixels out of scope carry no label.
    pub change: ChangeMap,
    /// Counts.
    pub summary: UnitSummary,
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
fn layers_path(work_folder: &Path, kind: &str, id: &Digest) -> PathBuf {
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

/// Works a unit and stages its result; what is staged already is left as it is. True if there was something to do.
///
/// # Errors
/// A file can't be opened any more, the model failed, or the result can't be written. Nothing half-written is left.
pub fn work(context: &RunContext, ground: &Ground, unit: &Unit) -> Result<bool, Failure> {
    // The name is the digest of all inputs, and the file ends with that of its content.
    if is_whole(&staged_path(&context.work_folder, &unit.id)) {
        return Ok(false);
    }
    let scope = ground
        .scope_in(unit.cell)
        .ok_or_else(|| Failure::input(format!("unit {} meets no reach; make a new plan", unit.id.short())))?;
    let result = compute(context, ground, unit, &scope)?;
    let note = serde_json::to_string(&Note {
        unit: unit.id,
        summary: result.summary,
        has_changes: result.change.labels.iter().any(|&label| label != NO_CHANGE),
    })
    .map_err(|fault| Failure::internal(fault.to_string()))?;
    let causes = result.change.causes.mapv(|cause| cause.0);
    write_layers(
        &staged_path(&context.work_folder, &unit.id),
        unit.grid,
        result.change.window,
        &[
            (LABELS, result.change.labels.view()),
            (CONFIDENCE, result.change.confidence.view()),
            (EARLIER, result.change.earlier.view()),
            (CAUSES, causes.view()),
            (CLASS_BEFORE, result.change.class_before.view()),
            (CLASS_AFTER, result.change.class_after.view()),
        ],
        &note,
    )?;
    Ok(true)
}

fn compute(context: &RunContext, ground: &Ground, unit: &Unit, scope: &Scope) -> Result<UnitResult, Failure> {
    let scored =
        scored_window(scope.window, change::margin_px(&context.table), context.model.description().alignment_px);
    let (later, faults) = scores(context, unit.grid, scored, &unit.pass_id)?;
    let mut change = if unit.earlier_pass_ids.is_empty() {
        let (rows, cols) = later.window.ranges_of(&scope.window);
        ChangeMap {
            window: scope.window,
            labels: Array2::from_elem(scope.window.shape(), NO_CHANGE),
            confidence: Array2::zeros(scope.window.shape()),
            earlier: Array2::from_elem(scope.window.shape(), NO_EARLIER),
            causes: later.causes.slice(s![rows, cols]).to_owned(),
            class_before: Array2::from_elem(scope.window.shape(), NO_CLASS),
            class_after: change::class_codes(&later, scope.window, context.classes.heads[0].clone()),
        }
    } else {
        let mut reference = Reference::new(&later);
        for (index, pass_id) in unit.earlier_pass_ids.iter().enumerate() {
            reference.feed(index as u8, &scores(context, unit.grid, scored, pass_id)?.0);
            if reference.is_complete() {
                break;
            }
        }
        change::suspected_changes(&reference, &later, scope.window, &context.table, &context.classes)
    };
    if change.labels.iter().any(|&label| label != NO_CHANGE) {
        for ((labels, confidence), inside) in change.labels.iter_mut().zip(&mut change.confidence).zip(&scope.any()) {
            if !inside {
                (*labels, *confidence) = (NO_CHANGE, 0);
            }
        }
    }
    let mut summary = UnitSummary { faults, ..UnitSummary::default() };
    for (index, mask) in &scope.masks {
        let reach_id = &ground.reaches[*index].reach.id;
        summary.coverage.insert(reach_id.clone(), coverage(&change, mask.view()));
        let counts = class_counts(change.class_after.view(), mask.view(), context.classes.names.len());
        summary.class_px.insert(reach_id.clone(), counts);
    }
    Ok(UnitResult { change, summary })
}

/// The window that is segmented for a scope: grown by what the comparison needs, and out to the model's alignment on the
/// grid, so that the same ground is fed in the same phase whatever the tiling.
fn scored_window(scope: Window, margin_px: usize, alignment_px: usize) -> Window {
    let grown = scope.grown(margin_px);
    let step = alignment_px.max(1) as i64;
    let row = grown.row.div_euclid(step) * step;
    let col = grown.col.div_euclid(step) * step;
    let up = |end: i64| -(-end).div_euclid(step) * step;
    Window { row, col, rows: (up(grown.row_end()) - row) as usize, cols: (up(grown.col_end()) - col) as usize }
}

/// The scores of a pass in a window: from the scores that an earlier unit left, or computed now.
fn scores(
    context: &RunContext,
    grid: Grid,
    window: Window,
    pass_id: &Digest,
) -> Result<(Scores, Vec<String>), Failure> {
    let reading = context.reading_digest(pass_id)?;
    let id = grid
        .add_to(DigestBuilder::new("scores"))
        .field("window", format!("{} {} {} {}", window.row, window.col, window.rows, window.cols))
        .digest("pass", pass_id)
        .digest("reading", &reading)
        .digest("model", &context.model.description().digest)
        .finish();
    let path = layers_path(&context.work_folder, "scores", &id);
    if path.exists() {
        match read_scores(&path, grid, window, context.classes.names.len()) {
            Ok(found) => return Ok(found),
            Err(fault) => {
                tracing::warn!(path = %path.display(), %fault, "kept scores can't be used and are computed again");
            }
        }
    }
    let (scores, faults) = segment(context, grid, window, pass_id)?;
    let causes = scores.causes.mapv(|cause| cause.0);
    let mut layers: Vec<(&str, ArrayView2<'_, u8>)> =
        context.classes.names.iter().map(String::as_str).zip(scores.probabilities.outer_iter()).collect();
    layers.push((CAUSES, causes.view()));
    let note = serde_json::to_string(&faults).map_err(|fault| Failure::internal(fault.to_string()))?;
    write_layers(&path, grid, window, &layers, &note)?;
    Ok((scores, faults))
}

fn read_scores(path: &Path, grid: Grid, window: Window, classes: usize) -> Result<(Scores, Vec<String>), Failure> {
    let layers = read_layers(path)?;
    if layers.window != window || layers.values.len_of(Axis(0)) != classes + 1 {
        return Err(Failure::input(format!("expected {classes} classes over {window:?}, got {:?}", layers.window)));
    }
    let faults = serde_json::from_str(&layers.note).map_err(|fault| Failure::input(fault.to_string()))?;
    let causes = layers.values.index_axis(Axis(0), classes).mapv(Causes);
    let mut probabilities = layers.values;
    probabilities.slice_axis_inplace(Axis(0), ndarray::Slice::from(..classes));
    Ok((Scores { grid, window, probabilities, causes }, faults))
}

fn segment(
    context: &RunContext,
    grid: Grid,
    window: Window,
    pass_id: &Digest,
) -> Result<(Scores, Vec<String>), Failure> {
    let halo = context.model.description().halo_px;
    let reader = context.reader(pass_id)?;
    let read = reader.read(grid, window.grown(halo))?;
    let raster = read.raster;
    let (rows, cols) = raster.window.ranges_of(&window);
    let causes = raster.causes.slice(s![rows, cols]).to_owned();
    let probabilities = if causes.iter().any(|cause| cause.is_observed()) {
        let observed = raster.causes.mapv(Causes::is_observed);
        context.model.segmenter()?.segment_window(&raster.roles, raster.pixels.view(), observed.view(), halo)?
    } else {
        Array3::zeros((context.classes.names.len(), window.rows, window.cols))
    };
    reader.recycle(raster);
    Ok((Scores { grid, window, probabilities, causes }, read.faults))
}
