//! What a timer runs, and the answer to "what was not looked at since …?".

use std::fmt::Write as _;

use jiff::civil::Date;
use serde_json::json;

use shorewatch_domain::case::CaseState;
use shorewatch_store::{Observation, PatchFilter};

use super::{Out, inspection, settings};
use crate::cli::ConfigFile;
use crate::failure::{ExitCode, Failure};
use crate::progress::Progress;
use crate::run::session::{Purpose, Session};
use crate::run::{self, held};
use crate::schedule::alarms::standing_alarms;
use crate::schedule::due;
use crate::schedule::standing::{IN_FULL_FROM, LookedAt, Standing, standings};
use crate::schedule::{date_of, today};

pub(super) fn run_due(
    out: &Out,
    config: &ConfigFile,
    date: Option<Date>,
    progress: &Progress,
) -> Result<ExitCode, Failure> {
    let due = due::run_due(settings(config)?, today(date), progress)?;
    let code = due.exit_code();
    let mut text = format!("{} passes taken from watched folders", due.taken.len());
    if !due.waiting.is_empty() {
        let _ = write!(text, ", {} not complete yet", due.waiting.len());
    }
    let _ = write!(text, "\n{}", inspection::told(&due.run));
    for alarm in &due.alarms {
        let _ = write!(text, "\nalarm: {alarm}");
    }
    let mut json = json!(due.run);
    json["taken"] = json!(due.taken);
    json["waiting"] = json!(due.waiting);
    json["alarms"] = json!(due.alarms);
    json["exit_code"] = json!(code as u8);
    out.either(&json, &text)?;
    Ok(code)
}

pub(super) fn status(
    out: &Out,
    config: &ConfigFile,
    since: Option<Date>,
    date: Option<Date>,
) -> Result<ExitCode, Failure> {
    let today = today(date);
    let session = Session::open(settings(config)?, Purpose::Read)?;
    // without any pass there is nothing to plan, and everything to say about what was not looked at
    let plan = (session.ready_passes() > 0).then(|| session.plan()).transpose()?;
    let todo = plan.as_ref().map(|plan| run::not_published(plan, &session.store)).transpose()?.unwrap_or_default();
    let units: usize = todo.iter().map(|publication| publication.units.len()).sum();
    let patches = session.store.patches(&PatchFilter::default())?.len();
    let cases = session.store.cases()?;
    let schedule = &session.settings.schedule;
    let standings = standings(&session, since, today)?;
    let (passes, idle) = (session.store.passes()?, session.store.idle_projects()?);
    let alarms = standing_alarms(&passes, &standings, idle, schedule, today);
    let outside = plan.as_ref().map(|plan| plan.reaches_outside_every_pass.as_slice()).unwrap_or_default();
    let mut text = format!(
        "{} reaches, {} passes ready, {patches} suspected patches; {} passes ({units} units) wait for work\n",
        standings.len(),
        session.ready_passes(),
        todo.len()
    );
    let open = |state: CaseState| cases.iter().filter(|case| case.state == state).count();
    let _ = writeln!(text, "cases: {} confirmed, {} suspected", open(CaseState::Confirmed), open(CaseState::Suspected));
    text += &told(&standings, since, today, schedule.observed_fraction_min);
    for row in session.store.observations()? {
        if since.is_none_or(|since| date_of(row.post_date) >= since) {
            text += &gap(&row);
        }
    }
    let held = held::told(&session.context, &session.store, None)?;
    for held in &held {
        let _ = writeln!(text, "{held}");
    }
    for reach in outside {
        let _ = writeln!(text, "not looked at: reach {reach} lies outside every pass");
    }
    for alarm in &alarms {
        let _ = writeln!(text, "alarm: {alarm}");
    }
    for fault in &session.faults {
        let _ = writeln!(text, "{fault}");
    }
    let ids = |chosen: &dyn Fn(&Standing) -> bool| -> Vec<&str> {
        standings.iter().filter(|standing| chosen(standing)).map(|standing| standing.reach_id.as_str()).collect()
    };
    let json = json!({
        "patches": patches,
        "publications_waiting": todo.len(),
        "units_waiting": units,
        "reaches_outside_every_pass": outside,
        "held": held,
        "faults": session.faults,
        "today": today,
        "since": since,
        "observed_fraction_min": schedule.observed_fraction_min,
        "reaches": standings,
        "not_looked_at": ids(&|standing| standing.looked_at == LookedAt::Never),
        "partly_looked_at": ids(&|standing| standing.looked_at == LookedAt::Partly),
        "overdue": ids(&|standing| standing.is_overdue),
        "alarms": alarms,
    });
    out.either(&json, &text)
}

/// The reaches that somebody should know of, and the number of the others.
fn told(standings: &[Standing], since: Option<Date>, today: Date, minimum: f64) -> String {
    let span = since.map_or_else(|| "ever".to_owned(), |since| format!("since {since}"));
    let mut text = format!(
        "looked at {span}, as of {today} (UTC); a pass counts from {:.0} % of a reach's area on; shares are by area, of the best single pass, for what several passes saw together is not stored\n",
        100.0 * minimum
    );
    let wanting: Vec<_> = standings.iter().filter(|standing| standing.is_wanting()).collect();
    for standing in &wanting {
        let _ = writeln!(text, "  {}", line(standing));
    }
    let rest = standings.len() - wanting.len();
    let others = if wanting.is_empty() { "all" } else { "the other" };
    if rest > 0 {
        let _ = writeln!(
            text,
            "  {others} {rest} reaches were looked at ({:.0} % or more), and are not overdue",
            100.0 * IN_FULL_FROM
        );
    }
    text
}

fn line(standing: &Standing) -> String {
    let looked_at = match standing.looked_at {
        LookedAt::Never => "NOT LOOKED AT".to_owned(),
        LookedAt::Partly | LookedAt::Enough => {
            let best = 100.0 * standing.observed_share_best_pass;
            let most = match standing.passes {
                1 => String::new(),
                passes => format!(", {passes} passes at most {:.1} %", 100.0 * standing.observed_share_at_most),
            };
            let word = if standing.looked_at == LookedAt::Partly { "PARTLY looked at" } else { "looked at" };
            format!("{word}: {best:.1} %{most}")
        }
    };
    let length = match (standing.unobserved_length_m_about, standing.length_m_about) {
        (Some(unobserved), Some(length)) => {
            format!(" (about {:.1} of {:.1} km not seen)", unobserved / 1e3, length / 1e3)
        }
        _ => String::new(),
    };
    let last = match (standing.last_observed, standing.days_unobserved) {
        (Some(date), Some(days)) => format!("last observed {date}, {days} days ago"),
        _ => "never observed".to_owned(),
    };
    let overdue = match (standing.is_overdue, standing.overdue_days, standing.cadence_days) {
        (true, Some(days), Some(cadence)) => format!("; OVERDUE by {days} days (every {cadence})"),
        (true, None, Some(cadence)) => format!("; OVERDUE (every {cadence} days)"),
        _ => String::new(),
    };
    format!("{} ({}): {looked_at}{length}; {last}{overdue}", standing.reach_id, standing.name)
}

/// What one pass did not observe of a reach, and why; empty where it observed all.
fn gap(row: &Observation) -> String {
    let seen = &row.seen;
    let share = seen.observed_fraction().unwrap_or(1.0);
    if share >= 1.0 {
        return String::new();
    }
    let causes: Vec<_> = seen
        .coverage
        .by_cause()
        .map(|(cause, px)| format!("{cause} {:.1} ha", px as f64 * seen.pixel_area_m2 / 1e4))
        .collect();
    format!(
        "not observed: reach {} on {}: {:.1} % ({})\n",
        seen.reach_id,
        row.post_date.strftime("%Y-%m-%d"),
        100.0 * (1.0 - share),
        causes.join(", ")
    )
}
