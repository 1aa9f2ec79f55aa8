//! Batches for a target that takes files, and what it says about them.

use std::sync::Arc;

use jiff::Timestamp;
use shorewatch_store::outbox::deliveries::{Due, TargetTrouble};
use shorewatch_store::outbox::issues::Taken;

use super::round::worded;
use super::{Mode, Office, REST};
use crate::FindingsError;
use crate::event::CloudEvent;
use crate::settings::TargetKind;
use crate::target::{Answer, Ready, folder};

pub(super) async fn run(office: Arc<Office>, ready: Arc<Ready>) -> Result<(), FindingsError> {
    let TargetKind::Folder { path, batch } = &ready.target.kind else { return Ok(()) };
    let name = &ready.target.name;
    loop {
        match acknowledge(&office, path, name) {
            // without the store nothing can go on; a folder that can't be read is no matter of the other targets
            Err(fault @ FindingsError::Store(_)) => return Err(fault),
            Err(fault) => tracing::warn!(target = name, "acknowledgements: {}", chain(&fault)),
            Ok(()) => {}
        }
        let now = Timestamp::now();
        let fresh = office.with(|hands| hands.store.fan_out(&hands.worker, name))?;
        let claimed = office.with(|hands| hands.store.claim_batch(&hands.worker, name, *batch, now))?;
        let idle = claimed.is_none() && fresh == 0;
        if let Some((file, due)) = claimed {
            let events = due
                .iter()
                .map(|one| {
                    let record = office.with(|hands| hands.store.finding(&one.finding_id))?;
                    Ok(worded(&office.settings, &ready, one, record.as_ref()))
                })
                .collect::<Result<Vec<CloudEvent>, FindingsError>>()?;
            let written = folder::write_batch(path, &file, &events);
            settle(&office, name, &due, written.err().as_ref())?;
        }
        if idle {
            if office.mode == Mode::Once || office.is_stopped() {
                return Ok(());
            }
            tokio::time::sleep(REST).await;
        }
    }
}

fn settle(office: &Office, name: &str, due: &[Due], fault: Option<&FindingsError>) -> Result<(), FindingsError> {
    let (now, retry) = (Timestamp::now(), &office.settings.retry);
    let answer = || match fault {
        None => Answer::taken(None, None),
        Some(fault) => Answer::failed(crate::retry::Meaning::NotNow { certain: false }, None, chain(fault)),
    };
    let attempts: Vec<_> = due.iter().map(|one| answer().attempt(one, retry, now)).collect();
    let trouble = TargetTrouble {
        failures: u32::from(fault.is_some()),
        last_error: fault.map(chain),
        ..TargetTrouble::default()
    };
    office
        .with(|hands| hands.store.settle_attempts(&hands.worker, &mut hands.journal, name, &attempts, &trouble, now))?;
    Ok(())
}

fn chain(fault: &FindingsError) -> String {
    let cause = std::error::Error::source(fault).map_or_else(String::new, |cause| format!(": {cause}"));
    format!("{fault}{cause}")
}

/// Takes what the office says about earlier batches.
fn acknowledge(office: &Office, path: &std::path::Path, name: &str) -> Result<(), FindingsError> {
    for (file, lines) in folder::acknowledgements(path, name)? {
        let mut faults = Vec::new();
        for line in lines {
            match line {
                Err(fault) => faults.push(fault),
                Ok(report) => {
                    let days = &office.settings.look_back_days;
                    let taken = office.with(|hands| hands.store.take_report(&report, days, Timestamp::now()))?;
                    if taken == Taken::UnknownFinding {
                        let finding = report.finding_id.unwrap_or_default();
                        faults.push(format!("finding {finding:?}: nobody here knows it"));
                    }
                }
            }
        }
        for fault in &faults {
            tracing::warn!(target = name, "acknowledgement: {fault}");
        }
        folder::reply(&file, &faults)?;
        folder::put_aside(&file)?;
    }
    Ok(())
}
