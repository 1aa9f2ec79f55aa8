//! Fills the report from the store, and paints its pictures.

mod case_pictures;
mod cases;
mod coverage;
mod map;
mod patches;
mod truth;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::Date;
use rayon::prelude::*;

use shorewatch_domain::digest::Digest;
use shorewatch_domain::law::assessment::Assessment;
use shorewatch_domain::pass::{Pass, PassState};
use shorewatch_domain::patch::Patch;
use shorewatch_report::{
    DEFAULT_MAX_CASES_LISTED, DEFAULT_MAX_CASES_PICTURED, DEFAULT_MAX_PATCHES_LISTED, DEFAULT_MAX_PATCHES_WITH_CHIPS,
    GridSummary, Overdue, OverdueRow, PassReference, PassRow, PassStatus, ReachRow, Report, RunSummary, rank_patches,
    render_report,
};
use shorewatch_store::{PatchFilter, Run};

use crate::failure::Failure;
use crate::run::plan::Plan;
use crate::run::session::Session;
use crate::run::{chips, held};
use crate::schedule::standing::{Standing, standings};

/// The whole page.
///
/// # Errors
/// There was no run yet, or the store or the imagery can't be read.
pub fn page(session: &Session, truth: Option<&Path>, today: Date) -> Result<String, Failure> {
    let run = session.store.runs()?.into_iter().next().ok_or_else(|| {
        Failure::input("there was no run yet, so there is nothing to report; use `shorewatch run` first")
    })?;
    let plan = session.plan()?;
    let patches: Vec<Patch> =
        session.store.patches(&PatchFilter::default())?.into_iter().map(|stored| stored.patch).collect();
    let assessments: BTreeMap<String, Assessment> = session
        .store
        .assessments()?
        .into_iter()
        .map(|stored| (stored.assessment.patch_id.clone(), stored.assessment))
        .collect();
    let mut cards = patches
        .iter()
        .map(|patch| patches::card(session, patch, assessments.get(&patch.patch_id)))
        .collect::<Result<Vec<_>, _>>()?;
    rank_patches(&mut cards);
    let pictured = DEFAULT_MAX_PATCHES_WITH_CHIPS;
    let by_id: BTreeMap<&str, &Patch> = patches.iter().map(|patch| (patch.patch_id.as_str(), patch)).collect();
    let context = &session.context;
    cards.par_iter_mut().take(pictured).try_for_each(|card| {
        card.chips = Some(chips::render(context, by_id[card.patch_id.as_str()])?);
        Ok::<_, Failure>(())
    })?;
    let maps = session
        .grounds
        .iter()
        .enumerate()
        .map(|(number, ground)| map::map(session, &plan, number, ground, &patches, &cards))
        .collect::<Result<Vec<_>, _>>()?;
    let report = Report {
        title: title(session),
        synthetic: session.settings.synthetic,
        notices: notices(session, &plan)?,
        run: summary(session, &run),
        maps: maps.into_iter().flatten().collect(),
        passes: session.store.passes()?.iter().map(pass_row).collect(),
        reaches: reach_rows(session, &plan),
        coverage: coverage::coverage_rows(session)?,
        overdue: overdue(session, today)?,
        truth: truth.map(|file| truth::truth_table(session, file)).transpose()?,
        cases: cases::cases(session, &by_id, DEFAULT_MAX_CASES_LISTED, DEFAULT_MAX_CASES_PICTURED)?,
        kept_back: cases::kept_back(&session.store)?,
        patches: cards,
        max_patches_with_chips: pictured,
        max_patches_listed: DEFAULT_MAX_PATCHES_LISTED,
        max_cases_listed: DEFAULT_MAX_CASES_LISTED,
    };
    render_report(&report).map_err(|fault| Failure::internal(format!("report: {fault}")))
}

fn title(session: &Session) -> String {
    let names: Vec<_> =
        session.grounds.iter().flat_map(|ground| &ground.reaches).map(|placed| placed.reach.name.as_str()).collect();
    match names.as_slice() {
        [] => "Shoreline inspection".to_owned(),
        [one] => format!("Shoreline inspection: {one}"),
        [first, second] => format!("Shoreline inspection: {first}, {second}"),
        [first, rest @ ..] => format!("Shoreline inspection: {first} and {} more reaches", rest.len()),
    }
}

fn notices(session: &Session, plan: &Plan) -> Result<Vec<String>, Failure> {
    let mut notices = session.faults.clone();
    notices.extend(held::told(&session.context, &session.store, None)?);
    notices
        .extend(plan.passes_without_reach.iter().map(|pass| format!("Pass {pass} meets no reach and was not used.")));
    Ok(notices)
}

fn summary(session: &Session, run: &Run) -> RunSummary {
    let model = session.context.model.description();
    RunSummary {
        run_id: run.start.run_id.short(),
        program_version: run.start.program_version.clone(),
        model_name: model.name.clone(),
        model_version: model.version.clone(),
        model_digest: model.digest.to_string(),
        configuration_digest: run.start.configuration_digest.to_string(),
        grids: session
            .grounds
            .iter()
            .map(|ground| GridSummary { crs: ground.grid.epsg.to_string(), gsd_m: ground.grid.pixel_size_m })
            .collect(),
        started_utc: run.start.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        duration_s: run.end.as_ref().map_or(0.0, |end| end.seconds),
        minimum_area_m2: session
            .context
            .table
            .transitions
            .iter()
            .map(|row| row.minimum_area_m2)
            .fold(f64::INFINITY, f64::min),
    }
}

fn pass_row(pass: &Pass) -> PassRow {
    PassRow {
        name: pass.name.clone(),
        sensor: pass.sensor.clone(),
        acquired_utc: pass.acquired.map(|time| time.label()),
        revision: pass.revision,
        digest: pass.id.to_string(),
        status: match (&pass.state, pass.warnings.as_slice()) {
            (PassState::Ready, []) => PassStatus::Accepted,
            (PassState::Ready, warnings) => PassStatus::AcceptedWithWarning { reason: warnings.join("; ") },
            (PassState::Superseded, _) => PassStatus::Superseded,
            (PassState::Quarantined(reason), _) => PassStatus::Quarantined { reason: reason.clone() },
            (PassState::Held(reason), _) => PassStatus::Quarantined { reason: format!("held: {reason}") },
        },
    }
}

fn reach_rows(session: &Session, plan: &Plan) -> Vec<ReachRow> {
    let meets = |id: &str| {
        plan.publications
            .iter()
            .filter(|publication| {
                publication.units.iter().any(|unit| unit.reaches.iter().any(|(reach, _)| reach == id))
            })
            .count()
    };
    session
        .grounds
        .iter()
        .flat_map(|ground| ground.reaches.iter().map(move |placed| (ground, placed)))
        .map(|(ground, placed)| ReachRow {
            reach_id: placed.reach.id.clone(),
            name: placed.reach.name.clone(),
            scope_m2: placed.pixel_count as f64 * ground.grid.pixel_area_m2(),
            passes_meeting: meets(&placed.reach.id),
        })
        .collect()
}

/// `None` where no cadence is configured: nothing is overdue then, and nothing is not.
fn overdue(session: &Session, today: Date) -> Result<Option<Overdue>, Failure> {
    let schedule = &session.settings.schedule;
    if schedule.default_cadence_days.is_none() && schedule.cadence.is_empty() {
        return Ok(None);
    }
    let row = |standing: Standing| {
        let cadence_days = standing.cadence_days.filter(|_| standing.is_overdue)?;
        Some(OverdueRow {
            reach_id: standing.reach_id,
            last_observed: standing.last_observed.map(|date| date.to_string()),
            days_unobserved: standing.days_unobserved,
            cadence_days,
            overdue_days: standing.overdue_days,
            observed_share_since: standing.observed_share_since_last,
        })
    };
    Ok(Some(Overdue {
        as_of: today.to_string(),
        observed_fraction_min: schedule.observed_fraction_min,
        rows: standings(session, None, today)?.into_iter().filter_map(row).collect(),
    }))
}

fn reference(session: &Session, id: &Digest) -> Result<PassReference, Failure> {
    let pass = session.context.pass(id)?;
    Ok(PassReference {
        date: pass.acquired.map_or_else(|| "unknown".to_owned(), |time| time.label()),
        sensor: pass.sensor.clone(),
        digest: pass.id.to_string(),
    })
}
