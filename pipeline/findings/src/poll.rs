//! Asking issue systems that do not report by themselves.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::finding::IssueState;
use shorewatch_store::outbox::issues::IssueReport;

use crate::FindingsError;
use crate::deliver::{HOUSEKEEPING, Office, REST};
use crate::target::Ready;

/// Issues that are listed at a time.
const PAGE: u32 = 200;

/// Failures in a row after which a target is left alone until the next time.
const PATIENCE: u32 = 3;

/// How long an issue that was closed is still asked for: somebody may open it again. After that only a report tells.
const AFTER_CLOSING: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Asks a target again and again, until the worker is told to stop.
pub(crate) async fn watch(office: Arc<Office>, target: Arc<Ready>) -> Result<(), FindingsError> {
    let mut last = Timestamp::UNIX_EPOCH;
    while !office.is_stopped() {
        let now = Timestamp::now();
        if now.duration_since(last) >= HOUSEKEEPING {
            last = now;
            ask(&office, &target).await?;
        }
        tokio::time::sleep(REST).await;
    }
    Ok(())
}

/// Asks every target that can be asked for every finding that it has.
pub(crate) async fn ask_all(office: &Arc<Office>, ready: &[Arc<Ready>]) -> Result<(), FindingsError> {
    for target in ready {
        ask(office, target).await?;
    }
    Ok(())
}

async fn ask(office: &Office, ready: &Ready) -> Result<(), FindingsError> {
    let Some((rest, client)) = ready.rest().filter(|(rest, _)| rest.can_ask()) else { return Ok(()) };
    let name = &ready.target.name;
    let closed_since = Timestamp::now() - AFTER_CLOSING;
    let (mut after, mut failures) = (String::new(), 0);
    loop {
        let page = office.with(|hands| hands.store.links_to_poll(name, closed_since, &after, PAGE))?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (finding_id, external_id, known) in page {
            if office.is_stopped() || failures >= PATIENCE {
                return Ok(());
            }
            match rest.ask(client, &external_id).await {
                Err(fault) => {
                    failures += 1;
                    tracing::warn!(target = name, issue = external_id, "cannot ask where it stands: {fault}");
                }
                Ok(None) => return Ok(()),
                Ok(Some((word, meaning, outcome))) => {
                    failures = 0;
                    if known.as_deref() != Some(word.as_str()) {
                        take(office, name, &finding_id, &external_id, &word, meaning.as_deref(), outcome)?;
                    }
                }
            }
        }
    }
}

/// A word that is new: a report, where it means something.
fn take(
    office: &Office,
    target: &str,
    finding_id: &str,
    external_id: &str,
    word: &str,
    meaning: Option<&str>,
    outcome: Option<String>,
) -> Result<(), FindingsError> {
    let now = Timestamp::now();
    if let Some(state) = meaning.and_then(IssueState::from_name) {
        let identity = format!("{external_id}|{word}|{now}");
        let report = IssueReport {
            report_id: format!("poll-{}", &Digest::of_bytes(identity.as_bytes()).to_string()[..24]),
            target: target.to_owned(),
            finding_id: Some(finding_id.to_owned()),
            external_id: Some(external_id.to_owned()),
            state,
            outcome,
            note: Some(format!("the issue system says {word:?}")),
            reported_at: now,
        };
        office.with(|hands| hands.store.take_report(&report, &office.settings.look_back_days, now))?;
    }
    office.with(|hands| hands.store.note_polled(target, finding_id, word))?;
    Ok(())
}
