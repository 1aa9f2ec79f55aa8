//! Working one unit: read, segment, compare with earlier passes, leave the result under the unit's digest.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use serde::{Deserialize, Serialize};

use shorewatch_domain::belief::Tracked;
use shorewatch_domain::change::{self, ChangeMap, NO_CHANGE, NO_CLASS, NO_EARLIER, Reference, ToldByClasses};
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::evidence::{LogOdds, TERMS};
use shorewatch_domain::grid::{Cell, Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::Scores;
use shorewatch_domain::unit::{Unit, UnitSummary};
use shorewatch_imagery::layers::{Layers, is_whole, read_layers, read_some_layers, write_layers};

use super::beliefs::Histories;
use super::compare::{Compared, compare};
use super::context::RunContext;
use super::counts::{class_counts, coverage};
use super::ground::{Ground, Scope};
use crate::change::scorer::GATE_PX;
use crate::failure::Failure;

/// Layers of a unit's result, in order.
const LABELS: &str = "transition";
const CONFIDENCE: &str = "confidence";
const EARLIER: &str = "earlier_pass";
const CAUSES: &str = "unobserved_causes";
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
    /// Log-odds of change as [`stored_odds`] writes them (row, col); 0 where nothing was compared.
    pub odds: Array2<u8>,
    /// Contributions to them by kind as [`stored_term`] writes them (term, row, col), under labels only.
    pub terms: Array3<u8>,
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
            odds: layer(7),
            terms: layers.values.slice(s![8.., .., ..]).to_owned(),
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
pub fn work(context: &RunContext, ground: &Ground, histories: &Histories, unit: &Unit) -> Result<bool, Failure> {
    // The name is the digest of all inputs, and the file ends with that of its content.
    if is_whole(&staged_path(&context.work_folder, &unit.id)) {
        return Ok(false);
    }
    let scope = ground
        .scope_in(unit.cell)
        .ok_or_else(|| Failure::input(format!("unit {} meets no reach; make a new plan", unit.id.short())))?;
    let result = compute(context, ground, histories, unit, &scope)?;
    let note = serde_json::to_string(&Note {
        unit: unit.id,
        summary: result.summary,
        has_changes: result.change.labels.iter().any(|&label| label != NO_CHANGE),
    })
    .map_err(|fault| Failure::internal(fault.to_string()))?;
    let causes = result.change.causes.mapv(|cause| cause.0);
    let of_terms: Vec<_> = TERMS.iter().copied().zip(result.terms.outer_iter()).collect();
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
            (OBJECT_AFTER, result.object_after.view()),
            (CHANGE, result.odds.view()),
        ]
        .into_iter()
        .chain(of_terms)
        .collect::<Vec<_>>(),
        &note,
    )?;
    Ok(true)
}

fn compute(
    context: &RunContext,
    ground: &Ground,
    histories: &Histories,
    unit: &Unit,
    scope: &Scope,
) -> Result<UnitResult, Failure> {
    let scored =
        scored_window(scope.window, change::margin_px(&context.table), context.model.description().alignment_px);
    let (later, mut faults) = scores(context, unit.grid, scored, &unit.pass_id)?;
    let (mut change, odds) = if unit.earlier_pass_ids.is_empty() {
        (nothing_before(context, scope.window, &later), None)
    } else {
        let (reference, held) = reference(context, histories, unit, &later)?;
        faults.extend(held);
        let told = ToldByClasses::new(&reference, &later, scope.window, &context.table, &context.classes);
        let compared = compare(context, unit, &reference, &later, &told)?;
        let Compared { odds, faults: unread } = compared;
        faults.extend(unread);
        let (rows, cols) = told.work().ranges_of(&scope.window);
        let change = told.weighed(odds.as_ref());
        let inside = odds.map(|odds| LogOdds {
            sum: odds.sum.slice(s![rows.clone(), cols.clone()]).to_owned(),
            terms: odds.terms.slice(s![.., rows, cols]).to_owned(),
        });
        (change, inside)
    };
    if change.labels.iter().any(|&label| label != NO_CHANGE) {
        for ((labels, confidence), inside) in change.labels.iter_mut().zip(&mut change.confidence).zip(&scope.any()) {
            if !inside {
                (*labels, *confidence) = (NO_CHANGE, 0);
            }
        }
    }
    let object_after = match context.classes.heads.get(1) {
        Some(head) => change::class_codes(&later, scope.window, head.clone()),
        None => Array2::from_elem(scope.window.shape(), NO_CLASS),
    };
    let (odds, terms) = stored(odds.as_ref(), &change.labels);
    faults.sort();
    faults.dedup();
    let mut summary = UnitSummary { faults, ..UnitSummary::default() };
    for (index, mask) in &scope.masks {
        let reach_id = &ground.reaches[*index].reach.id;
        summary.coverage.insert(reach_id.clone(), coverage(&change, mask.view()));
        let counts = class_counts(change.class_after.view(), mask.view(), context.classes.names.len());
        summary.class_px.insert(reach_id.clone(), counts);
    }
    Ok(UnitResult { change, object_after, odds, terms, summary })
}

/// The result for the first pass of a place.
fn nothing_before(context: &RunContext, window: Window, later: &Scores) -> ChangeMap {
    let (rows, cols) = later.window.ranges_of(&window);
    ChangeMap {
        window,
        labels: Array2::from_elem(window.shape(), NO_CHANGE),
        confidence: Array2::zeros(window.shape()),
        earlier: Array2::from_elem(window.shape(), NO_EARLIER),
        causes: later.causes.slice(s![rows, cols]).to_owned(),
        class_before: Array2::from_elem(window.shape(), NO_CLASS),
        class_after: change::class_codes(later, window, context.classes.heads[0].clone()),
    }
}

/// Edge of the squares, on a lattice of their own, that are held as a whole where two dates lie too far apart.
const HELD_PX: usize = 64;

/// What is known before the later pass, and what was held back, in words.
fn reference(
    context: &RunContext,
    histories: &Histories,
    unit: &Unit,
    later: &Scores,
) -> Result<(Reference, Vec<String>), Failure> {
    let mut reference = Reference::new(later);
    let mut held = Vec::new();
    for (index, pass_id) in unit.earlier_pass_ids.iter().enumerate() {
        let mut earlier = scores(context, unit.grid, later.window, pass_id)?.0;
        if let Some(pair) = context.pairs.of(context, unit.grid, &unit.pass_id, pass_id)? {
            let squares: Vec<Window> = Cell::meeting(later.window, HELD_PX)
                .filter_map(|cell| Some(cell.window(HELD_PX)).filter(|window| pair.is_held(*window)))
                .filter_map(|window| window.intersection(&later.window))
                .collect();
            for square in &squares {
                // not compared with this pass: to the comparison it lies outside of it
                let (rows, cols) = later.window.ranges_of(square);
                earlier.causes.slice_mut(s![rows, cols]).mapv_inplace(|cause| cause | Causes::OUTSIDE);
            }
            if !squares.is_empty() {
                let (post, pre) = (&context.pass(&unit.pass_id)?.name, &context.pass(pass_id)?.name);
                held.push(format!(
                    "held: parts of pass {post} lie more than {GATE_PX} px off pass {pre} and were not compared with it"
                ));
            }
        }
        reference.feed(index as u8, earlier);
    }
    if let Some(belief) = &unit.belief {
        let tracked = Tracked::of(&context.classes);
        reference.believe(histories.belief(context, unit.grid, later.window, belief, &tracked)?, tracked);
    }
    Ok((reference, held))
}

/// Log-odds of change in a byte: sixteenths from −8 on; 0 where nothing was compared.
#[must_use]
pub fn stored_odds(odds: f32) -> u8 {
    if odds.is_nan() { 0 } else { ((odds + 8.0) * 16.0).round().clamp(1.0, 255.0) as u8 }
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

fn stored(odds: Option<&LogOdds>, labels: &Array2<u8>) -> (Array2<u8>, Array3<u8>) {
    let (rows, cols) = labels.dim();
    let mut terms = Array3::zeros((TERMS.len(), rows, cols));
    let Some(odds) = odds else { return (Array2::zeros((rows, cols)), terms) };
    for ((row, col), _) in labels.indexed_iter().filter(|(_, label)| **label != NO_CHANGE) {
        for term in 0..TERMS.len() {
            terms[(term, row, col)] = stored_term(odds.terms[(term, row, col)]);
        }
    }
    (odds.sum.mapv(stored_odds), terms)
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
pub(super) fn scores(
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
