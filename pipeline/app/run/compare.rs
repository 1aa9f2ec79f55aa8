//! What the pixels of a unit say about change, against each of its earlier passes.
//!
//! Everything but the learned comparison is gathered over the whole window. The network that is shown both dates is asked only
//! where its answer can decide something: where the classes tell of a change, or where the rest of the evidence comes so near
//! to the threshold of an unclassified change that the most it could add would reach it. So what is decided is the same as if
//! it were asked everywhere, and nothing depends on how the ground is cut into units. A further earlier pass is held against a
//! pixel only while that is open.

use ndarray::{Array2, ArrayView3, Axis, Zip, s};

use shorewatch_domain::change;
use shorewatch_domain::change::{Reference, ToldByClasses};
use shorewatch_domain::evidence::{ClassEvidence, Evidence, LogOdds, SMOOTHING_RADIUS_PX, WEIGHTS, most_learned};
use shorewatch_domain::grid::{Cell, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::{Raster, Scores};
use shorewatch_domain::sensor::BandRole;
use shorewatch_domain::unit::Unit;

use super::context::RunContext;
use super::model::ChangeModel;
use super::pairs::FittedPair;
use crate::change::fit::{Radiometry, SHIFT_MARGIN_PX};
use crate::change::pair::PairWindow;
use crate::change::scorer::{class_roles, shown};
use crate::failure::Failure;

/// Edge of the squares, on a lattice of their own, that the network is asked about as a whole.
const ASKED_PX: usize = 128;

/// What the pixels of a unit say.
#[derive(Default)]
pub struct Compared {
    /// Log-odds of change over the window of the decision; `None` where no earlier pass could be held against the later one.
    pub odds: Option<LogOdds>,
    /// What could not be read.
    pub faults: Vec<String>,
}

/// Gathers the evidence over the window that `told` decides on.
///
/// # Errors
/// A pass can't be read any more, or a model failed.
pub fn compare(
    context: &RunContext,
    unit: &Unit,
    reference: &Reference,
    later: &Scores,
    told: &ToldByClasses<'_>,
) -> Result<Compared, Failure> {
    let work = told.work();
    let mut compared = Compared::default();
    let decided_from = context.table.unclassified.as_ref().map(|row| row.minimum_score);
    // what is surely below this is decided
    let open_from = decided_from.map_or(f32::INFINITY, |score| log_odds(score) - most_learned(&WEIGHTS));
    let (rows, cols) = later.window.ranges_of(&work);
    let seen = later.causes.slice(s![rows, cols]).mapv(Causes::is_observed);
    let mut open = seen.clone();
    // what was read of the later pass, for the next earlier one
    let mut known: Option<(Vec<BandRole>, Raster)> = None;
    let (window, shared) = (work.grown(MARGIN_PX), shared_edge_px(context));
    for (earlier, witness) in unit.earlier_pass_ids.iter().zip(reference.witnesses()) {
        if !open.iter().any(|open| *open) {
            break;
        }
        let Some(pair) = context.pairs.of(context, unit.grid, &unit.pass_id, earlier)? else { continue };
        let network = context.change_model(&pair.roles);
        let mut read_in = |pass, window| -> Result<Raster, Failure> {
            let read = context.reader_of(pass, &pair.roles)?.read_beside(unit.grid, window, shared)?;
            compared.faults.extend(read.faults);
            Ok(read.raster)
        };
        let after = match known.take().filter(|(roles, _)| *roles == pair.roles) {
            Some((_, after)) => after,
            None => read_in(&unit.pass_id, window)?,
        };
        let read = PairWindow { before: read_in(earlier, window)?, after, faults: Vec::new() };
        let Radiometry { observed, magnitude, alteration } = pair.fit.radiometry(&read, MARGIN_PX);
        let classes = Some(class_evidence(context, witness, later, work));
        let mut odds = Evidence { magnitude, alteration, classes, learned: None }.log_odds(&WEIGHTS);
        if let Some(network) = network {
            let mut asked = told.open(odds.sum.view(), open_from);
            Zip::from(&mut asked).and(&open).for_each(|asked, open| *asked &= open);
            let mut learned = observed.mapv(|observed| if observed { UNCHANGED } else { f32::NAN });
            let squares = squares_of(&asked, work);
            if let Some(window) = around(&squares, network) {
                let (before, after) = (read_in(earlier, window)?, read_in(&unit.pass_id, window)?);
                let read = PairWindow { before, after, faults: Vec::new() };
                ask(network, &pair, &read, &asked, &mut learned, &squares, work)?;
            }
            odds.add_learned(learned);
        }
        context.reader_of(earlier, &pair.roles)?.recycle(read.before);
        known = Some((pair.roles.clone(), read.after));
        match &mut compared.odds {
            Some(least) => least.keep_least(&odds, open.view()),
            none => *none = Some(odds),
        }
        if let Some(odds) = &compared.odds {
            open = told.open(odds.sum.view(), open_from);
            // what no earlier pass has shown yet is open as well
            Zip::from(&mut open).and(&odds.sum).and(&seen).for_each(|open, sum, seen| *open |= sum.is_nan() && *seen);
        }
    }
    if let Some((roles, after)) = known {
        context.reader_of(&unit.pass_id, &roles)?.recycle(after);
    }
    Ok(compared)
}

/// Pixels around the window of a decision that are read for what all of its pixels show.
const MARGIN_PX: usize = SHIFT_MARGIN_PX + SMOOTHING_RADIUS_PX;

/// Pixels that the windows of neighbouring units have in common: each is grown by the margin of the decision and by what reading
/// for the comparison or for the scores takes.
fn shared_edge_px(context: &RunContext) -> usize {
    let model = context.model.description();
    let scored = model.halo_px + model.alignment_px.max(1) - 1;
    2 * change::margin_px(&context.table) + MARGIN_PX + MARGIN_PX.max(scored)
}

fn log_odds(score: f64) -> f32 {
    ((score / (1.0 - score)) as f32).ln()
}

/// The squares that hold an open pixel (row, col of `work`).
fn squares_of(open: &Array2<bool>, work: Window) -> Vec<Window> {
    let is_open = |square: &Window| {
        let (rows, cols) = work.ranges_of(square);
        open.slice(s![rows, cols]).iter().any(|open| *open)
    };
    let squares = Cell::meeting(work, ASKED_PX).filter_map(|cell| cell.window(ASKED_PX).intersection(&work));
    squares.filter(is_open).collect()
}

/// What has to be read to ask the network about some squares; `None` without any.
fn around(squares: &[Window], network: &ChangeModel) -> Option<Window> {
    // the halo in whole steps of the network, and room to begin a window in its phase
    let (step, halo) = (network.description().alignment_px.max(1), network.description().halo_px);
    let (row, col) = (squares.iter().map(|square| square.row).min()?, squares.iter().map(|square| square.col).min()?);
    let row_end = squares.iter().map(Window::row_end).max()?;
    let col_end = squares.iter().map(Window::col_end).max()?;
    let whole = Window { row, col, rows: (row_end - row) as usize, cols: (col_end - col) as usize };
    Some(whole.grown(halo.next_multiple_of(step) + step + SHIFT_MARGIN_PX))
}

/// What the classes of an earlier and the later pass say, over `work`.
fn class_evidence(context: &RunContext, earlier: &Scores, later: &Scores, work: Window) -> ClassEvidence {
    let (rows, cols) = later.window.ranges_of(&work);
    let seen = |scores: &Scores| scores.causes.slice(s![rows.clone(), cols.clone()]).mapv(Causes::is_observed);
    let observed = Zip::from(&seen(earlier)).and(&seen(later)).map_collect(|before, after| *before && *after);
    ClassEvidence::of(
        earlier.probabilities.slice(s![.., rows.clone(), cols.clone()]),
        later.probabilities.slice(s![.., rows.clone(), cols.clone()]),
        observed.view(),
        &class_roles(context.model.description()),
    )
}

/// Asks the network about the open pixels (row, col of `work`), square by square, and writes into `learned` what it says. Elsewhere
/// the answer stays what it mostly is: that nothing changed.
fn ask(
    network: &ChangeModel,
    pair: &FittedPair,
    read: &PairWindow,
    open: &Array2<bool>,
    learned: &mut Array2<f32>,
    squares: &[Window],
    work: Window,
) -> Result<(), Failure> {
    let network = network.network()?;
    let description = network.description();
    let (halo, step) = (description.halo_px, description.alignment_px.max(1) as i64);
    let (bands, keep) = shown(description, &pair.roles)?;
    for square in squares {
        let (to_rows, to_cols) = work.ranges_of(square);
        let open = open.slice(s![to_rows.clone(), to_cols.clone()]);
        // windows begin in the network's phase on the grid, so that the same ground is fed alike whatever the unit
        let (row, col) = (square.row.div_euclid(step) * step, square.col.div_euclid(step) * step);
        let aligned =
            Window { row, col, rows: (square.row_end() - row) as usize, cols: (square.col_end() - col) as usize };
        let crop = halo.next_multiple_of(step as usize);
        let fed = aligned.grown(crop);
        let (before, observed) = pair.fit.laid_on(read, fed);
        let before = pair.fit.normalised(before.view(), observed.view());
        let (fed_rows, fed_cols) = read.after.window.ranges_of(&fed);
        let after = read.after.pixels.slice(s![.., fed_rows, fed_cols]);
        let select = |pixels: ArrayView3<'_, f32>| pixels.select(Axis(0), &keep);
        let changed = network.changed_window(
            &bands,
            select(before.view()).view(),
            select(after).view(),
            observed.view(),
            crop,
        )?;
        let (from_rows, from_cols) = aligned.ranges_of(square);
        Zip::from(learned.slice_mut(s![to_rows, to_cols]))
            .and(changed.slice(s![from_rows, from_cols]))
            .and(&open)
            .for_each(|learned, changed, open| *learned = if *open && !learned.is_nan() { *changed } else { *learned });
    }
    Ok(())
}

/// What the network says of most ground.
const UNCHANGED: f32 = 0.02;
