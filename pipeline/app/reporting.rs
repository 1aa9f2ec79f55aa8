//! Fills the report from the store, and paints its pictures.

use std::collections::BTreeMap;
use std::path::Path;

use geo::MapCoordsInPlace;
use geo_types::MultiPolygon;
use jiff::civil::Date;
use ndarray::Array2;
use rayon::prelude::*;

use shorewatch_domain::change::NO_EARLIER;
use shorewatch_domain::classes::IssueClass as DomainIssueClass;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::pass::{Pass, PassState};
use shorewatch_domain::patch::Patch;
use shorewatch_domain::rasterise;
use shorewatch_domain::sensor::BandRole;
use shorewatch_report::{
    Cause, Coverage, CoverageRow, GridSummary, HarmlessEvent, IssueClass, MapPicture, Overdue, OverdueRow, Overview,
    OverviewPatch, OverviewReach, PairReference, PassReference, PassRow, PassStatus, PatchCard, ReachRow, Report,
    RunSummary, TruthEvent, TruthOutcome, TruthTable, rank_patches, render_overview, render_report,
};
use shorewatch_store::{PatchFilter, Run};

use crate::failure::Failure;
use crate::run::chips::{self, in_pixels};
use crate::run::context::NATURAL;
use crate::run::ground::{Ground, bounding_window};
use crate::run::plan::Plan;
use crate::run::session::Session;
use crate::run::staged;
use crate::schedule::standing::{Standing, standings};
use crate::score;

/// Longest edge of a map in pixels.
const MAP_EDGE_PX: usize = 1000;

/// Room around the reaches on a map, as a share of their extent.
const MAP_ROOM: f64 = 0.04;

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
    let mut cards = patches.iter().map(|patch| card(session, patch)).collect::<Result<Vec<_>, _>>()?;
    rank_patches(&mut cards);
    let pictured = shorewatch_report::DEFAULT_MAX_PATCHES_WITH_CHIPS;
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
        .map(|(number, ground)| map(session, &plan, number, ground, &patches, &cards))
        .collect::<Result<Vec<_>, _>>()?;
    let report = Report {
        title: title(session),
        synthetic: session.settings.synthetic,
        notices: notices(session, &plan),
        run: summary(session, &run),
        maps: maps.into_iter().flatten().collect(),
        passes: session.store.passes()?.iter().map(pass_row).collect(),
        reaches: reach_rows(session, &plan),
        coverage: coverage_rows(session)?,
        overdue: overdue(session, today)?,
        truth: truth.map(|file| truth_table(session, file)).transpose()?,
        patches: cards,
        max_patches_with_chips: pictured,
        max_patches_listed: shorewatch_report::DEFAULT_MAX_PATCHES_LISTED,
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

fn notices(session: &Session, plan: &Plan) -> Vec<String> {
    let mut notices = session.faults.clone();
    notices
        .extend(plan.passes_without_reach.iter().map(|pass| format!("Pass {pass} meets no reach and was not used.")));
    notices
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

/// One row a reach and pass that has an earlier one; the pair names the latest earlier pass.
fn coverage_rows(session: &Session) -> Result<Vec<CoverageRow>, Failure> {
    let mut rows = Vec::new();
    for observation in session.store.observations()? {
        let acquired = |id: &Digest| session.context.pass(id).ok().and_then(|pass| pass.acquired).map(|time| time.at);
        let (pass_id, observation) = (observation.pass_id, observation.seen);
        // the first pass of a place was compared with nothing
        let Some(latest) = observation.earlier_pass_ids.iter().max_by_key(|id| (acquired(id), **id)) else { continue };
        let area = |px: u64| px as f64 * observation.pixel_area_m2;
        let coverage = &observation.coverage;
        let mut unobserved: Vec<_> = coverage.by_cause().map(|(name, px)| (cause(name), area(px))).collect();
        let uncompared = coverage.observed_px - coverage.compared_px;
        if uncompared > 0 {
            unobserved.push((Cause::Other("no earlier observation".to_owned()), area(uncompared)));
        }
        rows.push(CoverageRow {
            pair: PairReference { pre: reference(session, latest)?, post: reference(session, &pass_id)? },
            reach_id: observation.reach_id.clone(),
            scope_m2: area(coverage.scope_px),
            observed_both_m2: area(coverage.compared_px),
            unobserved_m2: unobserved,
        });
    }
    Ok(rows)
}

fn cause(name: &str) -> Cause {
    match name {
        "cloud" => Cause::Cloud,
        "cloud_shadow" => Cause::CloudShadow,
        "nodata" => Cause::NoData,
        "outside" => Cause::OutsidePass,
        "unreadable" => Cause::CorruptBlock,
        "saturated" => Cause::Saturated,
        other => Cause::Other(other.replace('_', " ")),
    }
}

fn card(session: &Session, patch: &Patch) -> Result<PatchCard, Failure> {
    let (before, after) = patch.change_type.split_once("_to_").unwrap_or((&patch.change_type, &patch.change_type));
    let mut notes = Vec::new();
    if patch.valid_fraction < 0.8 {
        notes.push(format!(
            "Only {:.0} % of the patch and its surroundings were observed on both dates.",
            100.0 * patch.valid_fraction
        ));
    }
    Ok(PatchCard {
        patch_id: patch.patch_id.clone(),
        rank: 0,
        object_class: patch.object_class.replace('_', " "),
        from_class: before.replace('_', " "),
        to_class: after.replace('_', " "),
        issue_class: match patch.suspected_issue_class {
            DomainIssueClass::Occupation => Some(IssueClass::Occupation),
            DomainIssueClass::Mining => Some(IssueClass::Mining),
            DomainIssueClass::Dumping => Some(IssueClass::Dumping),
            DomainIssueClass::Construction => Some(IssueClass::Construction),
            DomainIssueClass::Undetermined => None,
        },
        area_m2: patch.area_m2,
        confidence: patch.confidence,
        valid_fraction: patch.valid_fraction,
        pair: PairReference {
            pre: reference(session, &patch.pre_pass_id)?,
            post: reference(session, &patch.post_pass_id)?,
        },
        longitude_deg: patch.centre.0,
        latitude_deg: patch.centre.1,
        reach_id: patch.reach_id.clone(),
        notes,
        chips: None,
    })
}

/// The map of one grid; `None` where no pass covers it.
fn map(
    session: &Session,
    plan: &Plan,
    number: usize,
    ground: &Ground,
    patches: &[Patch],
    cards: &[PatchCard],
) -> Result<Option<MapPicture>, Failure> {
    let publications: Vec<_> = plan.publications.iter().filter(|publication| publication.ground == number).collect();
    let Some(latest) = publications.last() else { return Ok(None) };
    let scope: MultiPolygon<f64> = ground.reaches.iter().flat_map(|placed| placed.scope_px.iter().cloned()).collect();
    let Some(full) = bounding_window(&scope) else { return Ok(None) };
    let full = full.grown((full.rows.max(full.cols) as f64 * MAP_ROOM).ceil() as usize);
    let factor = full.rows.max(full.cols).div_ceil(MAP_EDGE_PX);
    let grid = Grid { pixel_size_m: ground.grid.pixel_size_m * factor as f64, ..ground.grid };
    let step = factor as i64;
    let window = Window {
        row: full.row.div_euclid(step),
        col: full.col.div_euclid(step),
        rows: full.rows.div_ceil(factor) + 1,
        cols: full.cols.div_ceil(factor) + 1,
    };
    let place = |polygons: &mut MultiPolygon<f64>| {
        polygons.map_coords_in_place(|point| {
            (point.x / step as f64 - window.col as f64, point.y / step as f64 - window.row as f64).into()
        });
    };
    let pass = session.context.pass(&latest.pass_id)?;
    let (background, background_observed) = chips::picture(&session.context, &pass.id, grid, window)?;
    let mut reaches = Vec::new();
    let mut in_scope = Array2::from_elem(window.shape(), false);
    for placed in &ground.reaches {
        let mut outline = placed.scope_px.clone();
        place(&mut outline);
        let local = Window { row: 0, col: 0, ..window };
        rasterise::for_each_run(&outline, local, |row, cols| in_scope.slice_mut(ndarray::s![row, cols]).fill(true));
        reaches.push(OverviewReach { reach_id: placed.reach.id.clone(), outline });
    }
    let looked_at = looked_at(session, &publications, window, factor);
    let coverage = ndarray::Zip::from(&in_scope).and(&looked_at).map_collect(|&scope, &seen| match (scope, seen) {
        (false, _) => Coverage::OutOfScope,
        (true, true) => Coverage::Observed,
        (true, false) => Coverage::Unobserved,
    });
    let rank: BTreeMap<&str, usize> = cards.iter().map(|card| (card.patch_id.as_str(), card.rank)).collect();
    let mut shown = Vec::new();
    for patch in patches.iter().filter(|patch| patch.grid_epsg == ground.grid.epsg) {
        let mut outline = in_pixels(&MultiPolygon::from(patch.geometry.clone()), &ground.grid)?;
        place(&mut outline);
        shown.push(OverviewPatch { rank: rank[patch.patch_id.as_str()], outline });
    }
    let display = session.context.display_roles(pass)?;
    let roles = display.map(BandRole::name).join(", ");
    let date = pass.acquired.map_or_else(String::new, |time| time.label());
    let title = format!("{}, {} m", ground.grid.epsg, ground.grid.pixel_size_m);
    let picture = render_overview(&Overview {
        name: title.clone(),
        background,
        natural_colour: display == NATURAL,
        background_observed,
        coverage,
        gsd_m: grid.pixel_size_m,
        reaches,
        patches: shown,
    })
    .map_err(|fault| Failure::internal(format!("map {title}: {fault}")))?;
    Ok(Some(MapPicture { title, background: format!("{date}, {}, {roles}", pass.sensor), picture }))
}

/// Where some pair of passes (or the only pass) observed the ground, on the map's lattice.
fn looked_at(
    session: &Session,
    publications: &[&crate::run::plan::PlannedPublication],
    window: Window,
    factor: usize,
) -> Array2<bool> {
    let mut seen = Array2::from_elem(window.shape(), false);
    let pairs =
        publications.iter().any(|publication| publication.units.iter().any(|unit| !unit.earlier_pass_ids.is_empty()));
    let step = factor as i64;
    for unit in publications.iter().flat_map(|publication| &publication.units) {
        let Some(result) = staged::staged(&session.context.work_folder, &unit.id) else { continue };
        let change = result.change;
        for ((row, col), seen) in seen.indexed_iter_mut().filter(|(_, seen)| !**seen) {
            // the centre of the map pixel, in the unit's window
            let row = (window.row + row as i64) * step + step / 2 - change.window.row;
            let col = (window.col + col as i64) * step + step / 2 - change.window.col;
            if row >= 0 && col >= 0 && (row as usize) < change.window.rows && (col as usize) < change.window.cols {
                let place = (row as usize, col as usize);
                *seen = change.causes[place].is_observed() && (!pairs || change.earlier[place] != NO_EARLIER);
            }
        }
    }
    seen
}

fn truth_table(session: &Session, file: &Path) -> Result<TruthTable, Failure> {
    let score = score::score(&session.store, file)?;
    let kind = |event: &score::EventScore| format!("{}: {}", event.kind.replace('_', " "), event.description);
    let (events, harmless): (Vec<_>, Vec<_>) = score.events.iter().partition(|event| event.suspected);
    Ok(TruthTable {
        events: events
            .into_iter()
            .map(|event| TruthEvent {
                event_id: event.event_id.clone(),
                kind: kind(event),
                area_m2: event.area_m2,
                outcome: match (event.observable, event.patch_ids.is_empty()) {
                    (_, false) => TruthOutcome::Found { patch_ids: event.patch_ids.clone() },
                    (true, true) => TruthOutcome::Missed,
                    (false, true) => TruthOutcome::NotObserved,
                },
            })
            .collect(),
        harmless: harmless
            .into_iter()
            .map(|event| HarmlessEvent {
                event_id: event.event_id.clone(),
                kind: kind(event),
                raised: event.patch_ids.clone(),
            })
            .collect(),
        false_alarms: score.false_alarm_ids,
    })
}
