//! The run: plan, work, publish. `shorewatch run` does all three on this machine; `plan`, `work` and `publish` are the
//! same three steps one by one, for an engine that spreads units over machines.
//!
//! | module | holds |
//! |---|---|
//! | [`ground`], [`zones`] | reaches on grids: which squares have to be looked at; function zones on them |
//! | [`plan`] | passes × squares → units, each addressed by the digest of its inputs |
//! | [`model`], [`context`] | what units share: the model, passes |
//! | [`readers`] | passes and how they are read |
//! | [`recent`] | what was asked for last is kept |
//! | [`look_back`], [`water_levels`] | which earlier passes a pass is held against; how much water each saw |
//! | [`pairs`], [`beliefs`] | what is common to two passes; what is believed before a pass |
//! | [`held`] | ground on which two passes lie too far apart to be compared |
//! | [`compare`] | what the pixels of a unit say about change |
//! | [`staged`] | the result of a unit on disk |
//! | `tasking` | places that people reported: worked first |
//! | [`work`] | one unit: read → segment → compare with earlier passes → staged result |
//! | `counts` | what a unit counts |
//! | [`mosaic`], [`patches`], [`publish`] | staged results → whole patches and coverage → the store, in one transaction |
//! | `follow_up` | what a pass shows of the ground of earlier patches |
//! | `again` | whether it bears those patches out |
//! | `pixels` | whether the pixels of that ground changed |
//! | [`chips`] | before/after pictures |
//! | `first_pictures` | what a reviewer sees first of the patches that wait |
//! | [`session`] | opens and checks everything before any work |

mod again;
pub mod beliefs;
pub mod chips;
pub mod compare;
pub mod context;
mod counts;
mod first_pictures;
mod follow_up;
pub mod ground;
pub mod held;
pub mod look_back;
pub mod model;
pub mod mosaic;
pub mod pairs;
pub mod patches;
mod pixels;
pub mod plan;
pub mod publish;
pub mod readers;
pub mod recent;
pub mod session;
pub mod staged;
mod tasking;
pub mod water_levels;
pub mod work;
pub mod zones;

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;
use rayon::prelude::*;
use serde::Serialize;

use shorewatch_domain::grid::Window;
use shorewatch_domain::unit::Unit;
use shorewatch_store::{AssessmentCounts, CaseCounts, PatchFilter, PlanCounts, RunEnd, RunStart, RunState, Store};

use crate::failure::{ExitCode, Failure};
use crate::law::assess::assess_all;
use crate::progress::Progress;
use context::RunContext;
use plan::{Plan, PlannedPublication};
use session::Session;

/// What a run did.
#[derive(Debug, Default, Clone, Serialize)]
pub struct RunSummary {
    /// Digest of the plan.
    pub run_id: String,
    /// Units in the plan.
    pub units_planned: usize,
    /// Units worked now.
    pub units_worked: usize,
    /// Publications that entered the store now.
    pub publications: usize,
    /// Patches in them.
    pub patches_new: usize,
    /// Places in them that were kept back, each with its reason.
    pub suppressed: usize,
    /// Cases by state, over all passes.
    pub cases: CaseCounts,
    /// What layers and rules say of the current patches.
    pub assessment: AssessmentCounts,
    /// Current patches in the store.
    pub patches_current: usize,
    /// Pictures painted now.
    pub chips: usize,
    /// Patches whose first pictures on the review page were cut now.
    pub first_pictures: usize,
    /// What stood in the way of something, and stopped nothing else.
    pub faults: Vec<String>,
    /// Reaches that no pass covers.
    pub reaches_outside_every_pass: Vec<String>,
    /// Passes that meet no reach.
    pub passes_without_reach: Vec<String>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl RunSummary {
    /// What the run exits with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        if self.faults.is_empty() && self.reaches_outside_every_pass.is_empty() {
            ExitCode::Done
        } else {
            ExitCode::Partial
        }
    }
}

/// Plans, works and publishes everything that is not done yet.
///
/// # Errors
/// The store can't be written, or a unit failed for another reason than its imagery.
pub fn run(session: &mut Session, progress: &Progress) -> Result<RunSummary, Failure> {
    let start = Instant::now();
    let mut plan = session.plan()?;
    let mut summary = RunSummary {
        run_id: plan.run_id.to_string(),
        units_planned: plan.units().count(),
        faults: session.faults.clone(),
        reaches_outside_every_pass: plan.reaches_outside_every_pass.clone(),
        passes_without_reach: plan.passes_without_reach.clone(),
        ..RunSummary::default()
    };
    let mut todo = waiting(&plan, &session.store)?;
    let anything = !todo.is_empty();
    if anything {
        // a model that does not load is refused before any work
        session.context.model.segmenter()?;
        let units_todo = todo.iter().map(|&number| plan.publications[number].units.len()).sum();
        session.store.begin_run(&run_start(session, &plan, units_todo)?)?;
        let mut done = BTreeSet::new();
        while !todo.is_empty() {
            for number in todo {
                done.insert((plan.publications[number].pass_id, plan.publications[number].ground));
                publish_pass(session, &mut plan, number, &mut summary, progress)?;
            }
            // how much water a late pass saw may decide which passes later ones are held against
            plan = session.plan()?;
            todo = waiting(&plan, &session.store)?;
            todo.retain(|&number| {
                !done.contains(&(plan.publications[number].pass_id, plan.publications[number].ground))
            });
        }
        summary.seconds = start.elapsed().as_secs_f64();
        session.store.finish_run(&plan.run_id, &run_end(&summary))?;
    }
    summary.cases = session.store.rebuild_cases(&session.settings.cases, Timestamp::now())?;
    session.store.note_tasking_looked(Timestamp::now())?;
    let (rules, work_folder) = (&session.settings.rules, &session.settings.work_folder);
    let assessed = assess_all(&mut session.store, rules, work_folder, Timestamp::now())?;
    summary.assessment = assessed.counts;
    if anything {
        session.store.record_run_layers(&plan.run_id, &assessed.versions, Timestamp::now())?;
    }
    if session.settings.patches.chips {
        summary.chips = paint_chips(session, progress)?;
        summary.first_pictures = first_pictures::leave(session, progress)?;
    }
    summary.patches_current = session.store.patches(&PatchFilter::default())?.len();
    summary.seconds = start.elapsed().as_secs_f64();
    Ok(summary)
}

/// Works a pass and publishes it before the next: what is published is safe whatever happens later.
fn publish_pass(
    session: &mut Session,
    plan: &mut Plan,
    number: usize,
    summary: &mut RunSummary,
    progress: &Progress,
) -> Result<(), Failure> {
    let name = session.context.pass(&plan.publications[number].pass_id)?.name.clone();
    match work_and_publish(session, plan, number, progress) {
        Ok((worked, published)) => {
            progress.say(&format!(
                "published pass {name}: {} suspected patches, {} places suppressed with a reason",
                published.patches, published.suppressed
            ));
            summary.units_worked += worked;
            summary.suppressed += published.suppressed;
            summary.publications += 1;
            summary.patches_new += published.patches;
            summary.faults.extend(published.faults);
        }
        // one bad scene never stops the others
        Err(fault) if fault.code == ExitCode::Refused => {
            tracing::error!(pass = name, %fault, "the pass was not published");
            summary.faults.push(format!("pass {name} was not published: {fault}"));
        }
        Err(fault) => return Err(fault),
    }
    Ok(())
}

fn work_and_publish(
    session: &mut Session,
    plan: &mut Plan,
    number: usize,
    progress: &Progress,
) -> Result<(usize, publish::Published), Failure> {
    let reported = tasking::reported(&session.store, &plan.publications[number].grid)?;
    let work = |plan: &Plan| {
        let publication = &plan.publications[number];
        let ground = &session.grounds[publication.ground];
        work_all(&session.context, ground, &plan.histories, publication, &reported, progress)
    };
    let mut worked = work(plan)?;
    let first = plan.publications[number].id;
    session.settle(plan, number)?;
    if plan.publications[number].id != first {
        worked += work(plan)?;
    }
    let publication = &plan.publications[number];
    let ground = &session.grounds[publication.ground];
    let published = publish::publish(&session.context, ground, publication, plan.run_id, &mut session.store)?;
    session.context.readers.make_room();
    Ok((worked, published))
}

/// The numbers of the publications of a plan that the store does not hold.
fn waiting(plan: &Plan, store: &Store) -> Result<Vec<usize>, Failure> {
    let mut waiting = Vec::new();
    for (number, publication) in plan.publications.iter().enumerate() {
        if !store.is_current(&publication.id)? {
            waiting.push(number);
        }
    }
    Ok(waiting)
}

/// The publications of a plan that the store does not hold.
///
/// # Errors
/// The store can't be read.
pub fn not_published<'a>(plan: &'a Plan, store: &Store) -> Result<Vec<&'a PlannedPublication>, Failure> {
    Ok(waiting(plan, store)?.into_iter().map(|number| &plan.publications[number]).collect())
}

/// Squares across a strip of [`work_order`]: a tile of Sentinel-2 is one strip, and no block lies between two.
const STRIP_CELLS: i64 = 12;

/// Units in the order of work: strips of a few squares from top to bottom, and row by row in them. Neighbours share decoded
/// blocks, and how many of those have to be kept does not depend on the width of the scene. Reported places go before all.
fn work_order<'u>(units: &'u [Unit], reported: &[Window]) -> Vec<&'u Unit> {
    let mut ordered: Vec<_> = units.iter().collect();
    let first_col = units.iter().map(|unit| unit.cell.col).min().unwrap_or(0);
    ordered.sort_by_key(|unit| {
        let strip = (unit.cell.col - first_col) / STRIP_CELLS;
        (tasking::urgency(unit, reported), strip, unit.cell.row, unit.cell.col)
    });
    ordered
}

/// Works the units of a publication on all threads; returns how many were not staged before.
fn work_all(
    context: &RunContext,
    ground: &ground::Ground,
    histories: &beliefs::Histories,
    publication: &PlannedPublication,
    reported: &[Window],
    progress: &Progress,
) -> Result<usize, Failure> {
    let pass = context.pass(&publication.pass_id)?;
    let bar = progress.units(publication.units.len(), &pass.name);
    let worked = work_order(&publication.units, reported)
        .into_iter()
        .par_bridge()
        .map(|unit| {
            let fresh = work::work(context, ground, histories, unit)?;
            bar.advance();
            Ok(usize::from(fresh))
        })
        .sum::<Result<usize, Failure>>();
    bar.finish();
    worked
}

/// The row of a run that begins.
///
/// # Errors
/// The configuration file can't be read any more.
pub fn run_start(session: &Session, plan: &Plan, units_todo: usize) -> Result<RunStart, Failure> {
    let model = session.context.model.description();
    Ok(RunStart {
        run_id: plan.run_id,
        started_at: Timestamp::now(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        model_name: model.name.clone(),
        model_version: model.version.clone(),
        model_digest: plan.context.model,
        configuration_digest: plan.context.configuration,
        configuration: std::fs::read_to_string(&session.settings.configuration_file)?,
        synthetic: session.settings.synthetic,
        plan: PlanCounts {
            passes: session.ready_passes() as u64,
            reaches: session.grounds.iter().map(|ground| ground.reaches.len() as u64).sum(),
            publications: plan.publications.len() as u64,
            units_up_to_date: (plan.units().count() - units_todo) as u64,
        },
        units_total: plan.units().count() as u64,
    })
}

fn run_end(summary: &RunSummary) -> RunEnd {
    RunEnd {
        finished_at: Timestamp::now(),
        state: if summary.exit_code() == ExitCode::Done { RunState::Finished } else { RunState::Partial },
        units_done: summary.units_worked as u64,
        seconds: summary.seconds,
        exit_code: i32::from(summary.exit_code() as u8),
    }
}

/// Paints the pictures of the current patches that have none yet, best first, up to the configured number.
fn paint_chips(session: &Session, progress: &Progress) -> Result<usize, Failure> {
    let most = session.settings.patches.chip_count_max as usize;
    let patches = session.store.patches(&PatchFilter::default())?;
    let folder = &session.settings.output_folder;
    let missing: Vec<_> = patches
        .iter()
        .take(most)
        .map(|stored| &stored.patch)
        .filter(|patch| chips::chip_paths(folder, &patch.patch_id).iter().any(|path| !path.exists()))
        .collect();
    if missing.is_empty() {
        return Ok(0);
    }
    let bar = progress.units(missing.len(), "chips");
    // a session can't be shared between threads (its store can't), its context can
    let context = &session.context;
    missing.par_iter().try_for_each(|patch| {
        chips::write(context, patch, folder)?;
        bar.advance();
        Ok::<_, Failure>(())
    })?;
    bar.finish();
    Ok(missing.len())
}
