//! The inspection: run, and its three steps.

use std::fmt::Write as _;
use std::io::BufRead;

use serde_json::json;

use super::{Out, law, settings};
use crate::cli::ConfigFile;
use crate::failure::{ExitCode, Failure};
use crate::law::assess::assess_all;
use crate::progress::Progress;
use crate::run::session::{Purpose, Session};
use crate::run::{self, RunSummary, publish, staged, work};

pub(super) fn run_all(out: &Out, config: &ConfigFile, progress: &Progress) -> Result<ExitCode, Failure> {
    let mut session = Session::open(settings(config)?, Purpose::Write)?;
    let summary = run::run(&mut session, progress)?;
    let code = summary.exit_code();
    let mut json = json!(summary);
    json["exit_code"] = json!(code as u8);
    out.either(&json, &told(&summary))?;
    Ok(code)
}

/// What a run did, in words.
pub(super) fn told(summary: &RunSummary) -> String {
    let mut text = format!(
        "run {}: {} of {} units worked, {} passes published, {} new patches ({} current), {} pictures, {:.1} s",
        summary.run_id.get(..12).unwrap_or("none"),
        summary.units_worked,
        summary.units_planned,
        summary.publications,
        summary.patches_new,
        summary.patches_current,
        summary.chips,
        summary.seconds
    );
    if summary.suppressed > 0 {
        let _ =
            write!(text, "\n{} places changed by themselves and were suppressed with their reason", summary.suppressed);
    }
    let cases = &summary.cases;
    if cases.suspected + cases.confirmed + cases.cleared + cases.expired > 0 {
        let _ = write!(
            text,
            "\ncases: {} confirmed, {} suspected ({} of both urgent), {} cleared, {} expired",
            cases.confirmed, cases.suspected, cases.urgent, cases.cleared, cases.expired
        );
    }
    if summary.assessment.assessed > 0 {
        let _ = write!(text, "\n{}", law::told(&summary.assessment));
    }
    for reach in &summary.reaches_outside_every_pass {
        let _ = write!(text, "\nnot looked at: reach {reach} lies outside every pass");
    }
    for pass in &summary.passes_without_reach {
        let _ = write!(text, "\npass {pass} meets no reach");
    }
    for fault in &summary.faults {
        let _ = write!(text, "\n{fault}");
    }
    text
}

pub(super) fn plan(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Write)?;
    let plan = session.plan()?;
    let todo = run::not_published(&plan, &session.store)?;
    let units: Vec<_> = todo.iter().flat_map(|publication| &publication.units).collect();
    let mut text = String::new();
    for unit in &units {
        let _ = writeln!(text, "{}", unit.id);
    }
    out.either(&json!({ "run_id": plan.run_id, "units": units }), &text)
}

pub(super) fn work_units(out: &Out, config: &ConfigFile, wanted: &[String]) -> Result<ExitCode, Failure> {
    let session = Session::open(settings(config)?, Purpose::Read)?;
    let plan = session.plan()?;
    let mut names = Vec::new();
    for name in wanted {
        if name == "-" {
            for line in std::io::stdin().lock().lines() {
                names.extend(line?.split_whitespace().map(str::to_owned));
            }
        } else {
            names.push(name.clone());
        }
    }
    let mut worked = 0;
    for name in &names {
        let matching: Vec<_> =
            plan.units().filter(|(_, unit)| unit.id.to_string().starts_with(name.as_str())).collect();
        let [(publication, unit)] = matching.as_slice() else {
            let found = if matching.is_empty() { "no unit" } else { "more than one unit" };
            return Err(Failure::usage(format!("{found} of the plan begins with {name:?}; see `shorewatch plan`")));
        };
        worked +=
            usize::from(work::work(&session.context, &session.grounds[publication.ground], &plan.histories, unit)?);
    }
    let text = format!("{worked} worked, {} were staged already", names.len() - worked);
    out.either(&json!({ "worked": worked, "staged_before": names.len() - worked }), &text)
}

pub(super) fn publish_staged(out: &Out, config: &ConfigFile) -> Result<ExitCode, Failure> {
    let mut session = Session::open(settings(config)?, Purpose::Write)?;
    let plan = session.plan()?;
    let todo = run::not_published(&plan, &session.store)?;
    if todo.is_empty() {
        return out.either(&json!({ "published": 0, "waiting": 0 }), "nothing to publish");
    }
    session.store.begin_run(&run::run_start(
        &session,
        &plan,
        todo.iter().map(|publication| publication.units.len()).sum(),
    )?)?;
    let (mut published, mut waiting, mut patches) = (0, 0, 0);
    for publication in todo {
        let staged = |unit: &&shorewatch_domain::unit::Unit| {
            staged::staged_path(&session.context.work_folder, &unit.id).exists()
        };
        if publication.units.iter().filter(staged).count() < publication.units.len() {
            waiting += 1;
            continue;
        }
        let ground = &session.grounds[publication.ground];
        patches += publish::publish(&session.context, ground, publication, plan.run_id, &mut session.store)?.patches;
        published += 1;
    }
    session.store.rebuild_cases(&session.settings.cases, jiff::Timestamp::now())?;
    assess_all(&mut session.store, &session.settings.rules, &session.settings.work_folder, jiff::Timestamp::now())?;
    let text = format!("{published} passes published with {patches} patches; {waiting} wait for units");
    out.either(&json!({ "published": published, "patches": patches, "waiting": waiting }), &text)?;
    Ok(if waiting > 0 { ExitCode::Partial } else { ExitCode::Done })
}
