//! Working one unit: read, segment, compare with earlier passes, leave the result under the unit's digest.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayView2, Axis, Zip, s};

use shorewatch_domain::belief::Tracked;
use shorewatch_domain::change::{self, ChangeMap, NO_CHANGE, NO_CLASS, NO_EARLIER, Reference, ToldByClasses};
use shorewatch_domain::classes::ClassTable;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::lanes::chosen;
use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::Scores;
use shorewatch_domain::unit::{Unit, UnitSummary};
use shorewatch_imagery::layers::{is_whole, read_layers, write_layers};
use shorewatch_models::SegmenterDescription;

use super::beliefs::Histories;
use super::compare::{Compared, compare};
use super::context::RunContext;
use super::counts::{class_counts, coverage};
use super::ground::{Ground, Scope};
use super::held::{Held, count, hold};
use super::staged::{CAUSES, UnitResult, layers_path, stage, staged_path, stored};
use crate::change::clouds::PairClouds;
use crate::failure::Failure;

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
    stage(context, unit, result)?;
    Ok(true)
}

fn compute(
    context: &RunContext,
    ground: &Ground,
    histories: &Histories,
    unit: &Unit,
    scope: &Scope,
) -> Result<UnitResult, Failure> {
    let scored = scored_window(scope.window, &context.table, context.model.description());
    // where it is compared, the same pixels are read once more
    let reading = if unit.earlier_pass_ids.is_empty() { Reading::Once } else { Reading::Again };
    if reading == Reading::Again {
        context.readers.expect_comparison(&context.work_folder);
    }
    let (mut later, mut faults) = scores(context, unit.grid, scored, &unit.pass_id, reading)?;
    let mut held_back = Vec::new();
    let (mut change, odds) = if unit.earlier_pass_ids.is_empty() {
        (nothing_before(context, scope.window, &later), None)
    } else {
        clear_of_clouds(context, unit, &mut later)?;
        let (reference, held) = reference(context, ground, histories, unit, &later)?;
        held_back = held;
        let told = ToldByClasses::new(&reference, &later, scope.window, &context.table, &context.classes);
        let compared = compare(context, unit, &reference, &later, &told)?;
        let Compared { odds, faults: unread } = compared;
        faults.extend(unread);
        let (rows, cols) = told.work().ranges_of(&scope.window);
        let change = told.weighed(odds.as_ref());
        (change, odds.map(|odds| (odds, (rows.start, cols.start))))
    };
    let object_after = match context.classes.heads.get(1) {
        Some(head) => change::class_codes(&later, scope.window, head.clone()),
        None => Array2::from_elem(scope.window.shape(), NO_CLASS),
    };
    // the first pass of a place is blank everywhere, and even to look at that would cost
    let in_scope = (!unit.earlier_pass_ids.is_empty()).then(|| scope.any());
    if let Some(in_scope) = &in_scope {
        Zip::from(&mut change.labels).and(&mut change.confidence).and(in_scope).for_each(
            |label, confidence, &inside| {
                *label = chosen(NO_CHANGE, *label, inside);
                *confidence = chosen(0, *confidence, inside);
            },
        );
    }
    let mut weighed = odds.map(|(odds, corner)| stored(&odds, corner, &change.labels));
    if let (Some(weighed), Some(in_scope)) = (&mut weighed, &in_scope) {
        // how much out of scope is known depends on how the ground was cut; what patches are judged by must not
        weighed.odds.zip_mut_with(in_scope, |odds, inside| *odds = if *inside { *odds } else { 0 });
    }
    faults.sort();
    faults.dedup();
    let mut summary = UnitSummary { faults, ..UnitSummary::default() };
    count(&mut summary, &held_back, &change, scope, ground);
    for (index, mask) in &scope.masks {
        let reach_id = &ground.reaches[*index].reach.id;
        summary.coverage.insert(reach_id.clone(), coverage(&change, mask.view()));
        let counts = class_counts(change.class_after.view(), mask.view(), context.classes.names.len());
        summary.class_px.insert(reach_id.clone(), counts);
    }
    Ok(UnitResult { change, object_after, weighed, summary })
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

/// Takes out of the later pass what clouds hide, as the first earlier pass tells that it lies on: of several the one it is most
/// like. Against a pass that lies elsewhere every bright field is a cloud.
fn clear_of_clouds(context: &RunContext, unit: &Unit, later: &mut Scores) -> Result<(), Failure> {
    for earlier in &unit.earlier_pass_ids {
        let pair = context.pairs.of(context, unit.grid, &unit.pass_id, earlier)?;
        if pair.as_ref().is_some_and(|pair| pair.is_off()) {
            continue;
        }
        if let Some(pair) = pair {
            hide(pair.clouds.as_ref(), LATER, later);
        }
        break;
    }
    Ok(())
}

/// Which date of a pair.
const EARLIER: usize = 0;
const LATER: usize = 1;

fn hide(clouds: Option<&PairClouds>, date: usize, scores: &mut Scores) {
    let Some(clouds) = clouds else { return };
    let Window { row, col, .. } = scores.window;
    for ((down, right), cause) in scores.causes.indexed_iter_mut() {
        *cause |= clouds.at(row + down as i64, col + right as i64)[date];
    }
}

/// What is known before the later pass, and what was held back of it.
fn reference(
    context: &RunContext,
    ground: &Ground,
    histories: &Histories,
    unit: &Unit,
    later: &Scores,
) -> Result<(Reference, Vec<Held>), Failure> {
    let mut reference = Reference::new(later);
    let mut held = Vec::new();
    let of_pass =
        |pass_id: &Digest| Ok((*pass_id, scores(context, unit.grid, later.window, pass_id, Reading::Again)?.0));
    let earlier: Vec<(Digest, Scores)> = unit.earlier_pass_ids.iter().map(of_pass).collect::<Result<_, Failure>>()?;
    if let Some(belief) = &unit.belief {
        let tracked = Tracked::of(&context.classes);
        let belief = histories.belief(context, ground, later.window, belief, &tracked, &earlier)?;
        reference.believe(belief, tracked);
    }
    for (index, (pass_id, mut earlier)) in (0_u8..).zip(earlier) {
        if let Some(pair) = context.pairs.of(context, unit.grid, &unit.pass_id, &pass_id)? {
            hide(pair.clouds.as_ref(), EARLIER, &mut earlier);
            if let Some(of_pass) = hold(&pair, pass_id, &mut earlier, later) {
                reference.hold_back(of_pass.pixels.view());
                held.push(of_pass);
            }
        }
        reference.feed(index, earlier);
    }
    Ok((reference, held))
}

/// The window that is segmented for a scope: grown by what the comparison needs, and out to the model's alignment on the
/// grid, so that the same ground is fed in the same phase whatever the tiling.
pub(super) fn scored_window(scope: Window, table: &ClassTable, model: &SegmenterDescription) -> Window {
    scope.grown(change::margin_px(table)).out_to(model.alignment_px)
}

/// Whether the pixels that scores are made of will be read again at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// They won't.
    Once,
    /// They will: decoded blocks are kept.
    Again,
}

/// The scores of a pass in a window: from the scores that an earlier unit left, or computed now.
pub(super) fn scores(
    context: &RunContext,
    grid: Grid,
    window: Window,
    pass_id: &Digest,
    reading: Reading,
) -> Result<(Scores, Vec<String>), Failure> {
    let profile = context.reading_digest(pass_id)?;
    let id = grid
        .add_to(DigestBuilder::new("scores"))
        .field("window", format!("{} {} {} {}", window.row, window.col, window.rows, window.cols))
        .digest("pass", pass_id)
        .digest("reading", &profile)
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
    let (scores, faults) = segment(context, grid, window, pass_id, reading)?;
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
    reading: Reading,
) -> Result<(Scores, Vec<String>), Failure> {
    let halo = context.model.description().halo_px;
    let reader = context.reader(pass_id)?;
    let around = window.grown(halo);
    let read = match reading {
        Reading::Once => reader.read(grid, around),
        Reading::Again => reader.read_and_keep(grid, around),
    }?;
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
