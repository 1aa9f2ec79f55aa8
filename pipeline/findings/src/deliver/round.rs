//! Messages to one target.

use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use shorewatch_store::outbox::deliveries::{Due, TargetTrouble};
use shorewatch_store::outbox::records::FindingRecord;
use tokio::task::JoinSet;

use super::{Mode, Office, REST};
use crate::FindingsError;
use crate::event::picture::pictures_of;
use crate::event::{CloudEvent, Wording, cloud_event};
use crate::retry::Meaning;
use crate::settings::Settings;
use crate::target::{Answer, Ready};

/// A message on its way, and what came of it.
type Ended = (Due, Answer);

pub(super) async fn run(office: Arc<Office>, ready: Arc<Ready>) -> Result<(), FindingsError> {
    let name = ready.target.name.clone();
    let mut flying: JoinSet<Ended> = JoinSet::new();
    loop {
        let ended = landed(&mut flying).await;
        // from the store each time: `deliver replay` switches a target on again while this worker runs
        let mut trouble = office.with(|hands| hands.store.target_trouble(&name))?;
        if !ended.is_empty() {
            settle(&office, &ready, ended, &mut trouble)?;
        }
        let now = Timestamp::now();
        let open = trouble.disabled_reason.is_none() && trouble.paused_until.is_none_or(|until| until <= now);
        let mut fresh = 0;
        if open && !office.is_stopped() {
            fresh = office.with(|hands| hands.store.fan_out(&hands.worker, &name))?;
            // after a pause one message tries whether the target is there again
            let room =
                if trouble.failures >= office.settings.retry.circuit_after { 1 } else { ready.target.concurrency };
            let room = room.saturating_sub(flying.len());
            for (due, record) in claim(&office, &name, room, now)? {
                launch(&mut flying, &office, &ready, due, record);
            }
        }
        if flying.is_empty() && fresh == 0 {
            if office.is_stopped() || office.mode == Mode::Once {
                return Ok(());
            }
            tokio::time::sleep(REST).await;
        }
    }
}

/// What has landed: at least one, where any is flying.
async fn landed(flying: &mut JoinSet<Ended>) -> Vec<Ended> {
    let mut ended = Vec::new();
    // a task that panicked is not written down: its message is still claimed by this worker, and the next one sends it
    if let Some(first) = flying.join_next().await {
        ended.extend(first.ok());
        while let Some(next) = flying.try_join_next() {
            ended.extend(next.ok());
        }
    }
    ended
}

fn claim(
    office: &Office,
    target: &str,
    room: usize,
    now: Timestamp,
) -> Result<Vec<(Due, Option<FindingRecord>)>, FindingsError> {
    if room == 0 {
        return Ok(Vec::new());
    }
    office.with(|hands| {
        let due = hands.store.claim(&hands.worker, target, room, now)?;
        let with_record =
            |due: Due| Ok((hands.store.finding(&due.finding_id)?, due)).map(|(record, due)| (due, record));
        due.into_iter().map(with_record).collect()
    })
}

fn launch(
    flying: &mut JoinSet<Ended>,
    office: &Arc<Office>,
    ready: &Arc<Ready>,
    due: Due,
    record: Option<FindingRecord>,
) {
    let (office, ready, claimed) = (Arc::clone(office), Arc::clone(ready), Instant::now());
    flying.spawn(async move {
        let event = worded(&office.settings, &ready, &due, record.as_ref());
        // a process that slept (or was stopped) since then may have been replaced meanwhile
        if claimed.elapsed() > office.settings.timeout {
            let late = "the worker was held up; sent again by whoever delivers now".to_owned();
            return (due, Answer::failed(Meaning::NotNow { certain: true }, None, late));
        }
        let answer = ready.send(&due, &event).await;
        (due, answer)
    });
}

/// The message of a delivery for a target.
pub(super) fn worded(settings: &Settings, ready: &Ready, due: &Due, record: Option<&FindingRecord>) -> CloudEvent {
    let target = &ready.target;
    let wording =
        Wording { source: &settings.source, synthetic: settings.synthetic, personal_data: target.personal_data };
    let patch = record.and_then(|record| record.patch.as_ref());
    let pictures = patch.map(|patch| pictures_of(patch, &settings.picture_folder, target.pictures, ready.links()));
    cloud_event(due, record, pictures.unwrap_or_default(), &wording)
}

fn settle(office: &Office, ready: &Ready, ended: Vec<Ended>, trouble: &mut TargetTrouble) -> Result<(), FindingsError> {
    let (now, retry) = (Timestamp::now(), &office.settings.retry);
    let name = &ready.target.name;
    let mut attempts = Vec::with_capacity(ended.len());
    for (due, answer) in ended {
        weigh(trouble, &answer, retry.pause(trouble.failures + 1, &due.event_id), now);
        if let Some(error) = &answer.error {
            tracing::debug!(target = name, event = due.event_id, error, "not delivered");
        }
        attempts.push(answer.attempt(&due, retry, now));
    }
    office
        .with(|hands| hands.store.settle_attempts(&hands.worker, &mut hands.journal, name, &attempts, trouble, now))?;
    Ok(())
}

/// What an answer says of its target.
fn weigh(trouble: &mut TargetTrouble, answer: &Answer, pause: Option<SignedDuration>, now: Timestamp) {
    if let Some(error) = &answer.error {
        trouble.last_error = Some(error.clone());
    }
    match answer.meaning {
        // it answered sensibly
        Meaning::Taken | Meaning::Never => (trouble.failures, trouble.paused_until) = (0, None),
        Meaning::Gone => trouble.disabled_reason = answer.error.clone(),
        Meaning::NotNow { .. } => {
            trouble.failures += 1;
            let circuit = pause.and_then(|pause| now.checked_add(pause).ok());
            trouble.paused_until = circuit.max(answer.retry_at).max(trouble.paused_until);
        }
    }
}
