//! The worker: what is due goes to its target, many at a time, those of one finding one after the other.
//!
//! Each target has a task of its own, so that none waits for another. What came of a round is written down in one
//! transaction, and the next claim follows; a process that ends in between leaves claims that the next worker takes over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shorewatch_store::Store;
use shorewatch_store::outbox::deliveries::TargetStanding;
use shorewatch_store::outbox::journal::Journal;
use shorewatch_store::outbox::worker::DeliveryWorker;

use crate::FindingsError;
use crate::poll;
use crate::settings::{Settings, TargetKind};
use crate::target::{Ready, folder};

mod files;
mod metrics;
mod round;

pub use metrics::metrics;

/// Between two looks for new work.
pub(crate) const REST: std::time::Duration = std::time::Duration::from_millis(250);

/// Between two rounds of housekeeping: deadlines, closures, figures; and between two rounds of polling a target.
pub(crate) const HOUSEKEEPING: SignedDuration = SignedDuration::from_secs(30);

/// How long the worker goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Until nothing is due.
    Once,
    /// Until it is told to stop.
    Watch,
}

/// How deliveries stand at the end.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Summary {
    /// Events that had been delivered without this store knowing (a crash, a restored backup).
    pub caught_up: u64,
    /// Every target.
    pub targets: Vec<TargetStanding>,
    /// Targets that nothing can be sent to, and why.
    pub not_ready: Vec<String>,
    /// What somebody should look after.
    pub alarms: Vec<String>,
}

/// The store in the hands of one worker.
#[derive(Debug)]
pub(crate) struct Hands {
    pub(crate) store: Store,
    pub(crate) worker: DeliveryWorker,
    pub(crate) journal: Journal,
}

/// Shared by the tasks of all targets.
#[derive(Debug)]
pub(crate) struct Office {
    hands: Mutex<Hands>,
    pub(crate) settings: Settings,
    pub(crate) mode: Mode,
    stop: Arc<AtomicBool>,
}

impl Office {
    /// Does something with the store; other tasks go on meanwhile.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Hands) -> T) -> T {
        tokio::task::block_in_place(|| work(&mut self.hands()))
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        // a task that panicked left a transaction that was rolled back
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Delivers what is due.
///
/// # Errors
/// Another worker delivers from this store; the store fails; in [`Mode::Once`] no error of any target.
pub fn deliver(
    mut store: Store,
    settings: Settings,
    mode: Mode,
    stop: Arc<AtomicBool>,
) -> Result<Summary, FindingsError> {
    let now = Timestamp::now();
    let worker = store.become_delivery_worker("shorewatch deliver", now)?;
    let journal = Journal::open(store.path(), now)?;
    let caught_up = store.catch_up(&worker, &journal)?;
    if caught_up > 0 {
        tracing::info!(caught_up, "events had been delivered without the store knowing: they are not sent again");
    }
    let hands = Mutex::new(Hands { store, worker, journal });
    let office = Arc::new(Office { hands, settings, mode, stop });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|fault| FindingsError::Machinery { during: "start", reason: fault.to_string() })?;
    let not_ready = runtime.block_on(async {
        tokio::task::spawn(run(Arc::clone(&office)))
            .await
            .map_err(|fault| FindingsError::Machinery { during: "deliver", reason: fault.to_string() })?
    })?;
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    let hands = office.hands();
    let targets = hands.store.target_standings()?;
    let alarms = alarms(&hands.store, &targets, &office.settings, Timestamp::now())?;
    write_metrics(&targets, &office.settings)?;
    Ok(Summary { caught_up, targets, not_ready, alarms })
}

/// Ends in good order where the process is told to: what is on its way is written down first.
fn heed_signals(office: &Arc<Office>) -> Result<(), FindingsError> {
    let told = crate::signals::told_to_end()?;
    let office = Arc::clone(office);
    tokio::spawn(async move {
        told.await;
        office.stop.store(true, Ordering::Relaxed);
    });
    Ok(())
}

async fn run(office: Arc<Office>) -> Result<Vec<String>, FindingsError> {
    heed_signals(&office)?;
    office.with(|hands| keep_house(hands, &office.settings))?;
    let hosts = Arc::new(office.settings.hosts.clone());
    let (mut tasks, mut not_ready, mut ready) = (tokio::task::JoinSet::new(), Vec::new(), Vec::new());
    for target in &office.settings.targets {
        match Ready::new(target, &office.settings, &hosts) {
            Ok(target) => ready.push(Arc::new(target)),
            // the others go on
            Err(fault) => {
                tracing::error!("{fault}");
                not_ready.push(fault.to_string());
            }
        }
    }
    for target in &ready {
        let (office, target) = (Arc::clone(&office), Arc::clone(target));
        if matches!(target.target.kind, TargetKind::Folder { .. }) {
            tasks.spawn(files::run(office, target));
        } else {
            tasks.spawn(round::run(office, target));
        }
    }
    if office.mode == Mode::Once {
        poll::ask_all(&office, &ready).await?;
    } else {
        tasks.spawn(watch_house(Arc::clone(&office)));
        // a task for each: a tracker that answers slowly holds up neither the house nor another tracker
        for target in ready {
            tasks.spawn(poll::watch(Arc::clone(&office), target));
        }
    }
    while let Some(ended) = tasks.join_next().await {
        let ended = ended.map_err(|fault| FindingsError::Machinery { during: "deliver", reason: fault.to_string() });
        if let Err(fault) = ended.and_then(|ended| ended) {
            // the store is out of reach, or another worker took over: nothing can go on
            office.stop.store(true, Ordering::Relaxed);
            return Err(fault);
        }
    }
    Ok(not_ready)
}

async fn watch_house(office: Arc<Office>) -> Result<(), FindingsError> {
    let mut last = Timestamp::UNIX_EPOCH;
    while !office.is_stopped() {
        let now = Timestamp::now();
        if now.duration_since(last) >= HOUSEKEEPING {
            last = now;
            office.with(|hands| keep_house(hands, &office.settings))?;
            let standing = office.with(|hands| hands.store.target_standings())?;
            for alarm in office.with(|hands| alarms(&hands.store, &standing, &office.settings, now))? {
                tracing::warn!("{alarm}");
            }
            write_metrics(&standing, &office.settings)?;
        }
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

/// What time and passes bring about by themselves: changed rules, deadlines, closures.
fn keep_house(hands: &mut Hands, settings: &Settings) -> Result<(), FindingsError> {
    let now = Timestamp::now();
    hands.store.refresh_findings(now)?;
    hands.store.escalate_overdue(now.to_zoned(TimeZone::system()).date(), now)?;
    hands.store.judge_closures(&settings.cases, now)?;
    Ok(())
}

/// What somebody should look after.
///
/// # Errors
/// The store cannot be read.
pub fn alarms(
    store: &Store,
    targets: &[TargetStanding],
    settings: &Settings,
    now: Timestamp,
) -> Result<Vec<String>, FindingsError> {
    let mut alarms = Vec::new();
    let age = |since: Timestamp| now.duration_since(since);
    let too_old = |since: &Timestamp| age(*since) > settings.alarm_after;
    for target in targets.iter().filter(|target| settings.targets.iter().any(|known| known.name == target.name)) {
        if let Some(since) = target.oldest_waiting.filter(too_old) {
            let why = target.last_error.as_deref().map_or_else(String::new, |error| format!("; last error: {error}"));
            alarms.push(format!(
                "target {}: the oldest of {} messages waits since {since} ({} min){why}",
                target.name,
                target.waiting,
                age(since).as_mins()
            ));
        }
        if let Some(reason) = &target.disabled_reason {
            alarms.push(format!(
                "target {}: switched off: {reason}; `shorewatch deliver replay {}` switches it on again",
                target.name, target.name
            ));
        }
        if target.dead > 0 {
            alarms.push(format!(
                "target {}: {} dead letters; see `shorewatch deliver status`, then `shorewatch deliver replay {}`",
                target.name, target.dead, target.name
            ));
        }
    }
    let (events, oldest) = store.events_without_target()?;
    if oldest.as_ref().is_some_and(too_old) {
        alarms.push(format!("{events} messages wait, and there is no target that was ever delivered to"));
    }
    Ok(alarms)
}

fn write_metrics(targets: &[TargetStanding], settings: &Settings) -> Result<(), FindingsError> {
    let Some(path) = &settings.metrics_file else { return Ok(()) };
    folder::put(path, metrics(targets, Timestamp::now()).as_bytes())
}
