//! What was painted and what the run made of it.

use std::path::Path;

use shorewatch_report::{HarmlessEvent, TruthEvent, TruthOutcome, TruthTable};

use crate::failure::Failure;
use crate::run::session::Session;
use crate::score;

pub(super) fn truth_table(session: &Session, file: &Path) -> Result<TruthTable, Failure> {
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
