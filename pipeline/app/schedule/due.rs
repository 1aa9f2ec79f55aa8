//! The scheduled run: take what was delivered, do what is not done yet, say what stood still for too long.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use shorewatch_store::{PatchFilter, Store};

use super::alarms::{Alarm, standing_alarms};
use super::standing::standings;
use super::watch::{self, Deliveries, Waiting};
use crate::configuration::RunSettings;
use crate::failure::{ExitCode, Failure};
use crate::progress::Progress;
use crate::run::session::{Purpose, Session, create_folder_of};
use crate::run::{self, RunSummary};

/// What a scheduled run did.
#[derive(Debug, Clone, Serialize)]
pub struct DueSummary {
    /// The run itself; what the watched folders held against it is among its faults.
    pub run: RunSummary,
    /// Names of the passes that were taken from watched folders now.
    pub taken: Vec<String>,
    /// What is not complete yet, and left for the next run.
    pub waiting: Vec<Waiting>,
    /// The alarms that stand.
    pub alarms: Vec<Alarm>,
}

impl DueSummary {
    /// What the scheduled run exits with: an alarm goes before refused inputs, and what waits is no fault.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        if self.alarms.is_empty() { self.run.exit_code() } else { ExitCode::Alarm }
    }
}

/// Takes what is complete in the watched folders, runs, and raises alarms.
///
/// # Errors
/// Another run holds the store (nothing was done then), or as [`run::run`].
pub fn run_due(settings: RunSettings, today: Date, progress: &Progress) -> Result<DueSummary, Failure> {
    let Deliveries { taken, waiting, faults } = deliveries(&settings)?;
    let mut session = Session::open(settings, Purpose::Write)?;
    session.faults.extend(faults);
    let summary = if session.ready_passes() > 0 || session.grounds.is_empty() {
        run::run(&mut session, progress)?
    } else {
        nothing_to_run(&session)?
    };
    let standings = standings(&session, None, today)?;
    let (passes, idle) = (session.store.passes()?, session.store.idle_projects()?);
    let alarms = standing_alarms(&passes, &standings, idle, &session.settings.schedule, today);
    for alarm in &alarms {
        alarm.tell();
    }
    Ok(DueSummary { run: summary, taken, waiting, alarms })
}

/// Registers the deliveries under a lease of its own, before the model is loaded: where another run is at work, the answer
/// comes at once and costs nothing. The run takes the lease again; whoever comes between does no harm.
fn deliveries(settings: &RunSettings) -> Result<Deliveries, Failure> {
    shorewatch_imagery::open::init();
    let now = Timestamp::now();
    create_folder_of(&settings.store_file)?;
    let mut store = Store::create_or_open(&settings.store_file, now)?;
    let _lease = store.try_lease("shorewatch run --due", now)?;
    watch::take_deliveries(settings, &mut store)
}

/// No pass was delivered yet: for a timer that is no failure, and the alarms say it where it lasts.
fn nothing_to_run(session: &Session) -> Result<RunSummary, Failure> {
    tracing::info!("no pass is ready yet: there is nothing to look at");
    let patches_current = session.store.patches(&PatchFilter::default())?.len();
    Ok(RunSummary { faults: session.faults.clone(), patches_current, ..RunSummary::default() })
}
