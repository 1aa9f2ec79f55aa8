//! What was painted on purpose, where that is known, and what the run made of it.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{count, square_metres};
use super::page::{TruthRow, TruthView};

/// What was painted on purpose and what the run made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthTable {
    /// Events that should be found.
    pub events: Vec<TruthEvent>,
    /// Changes that must not alarm.
    pub harmless: Vec<HarmlessEvent>,
    /// Identifiers of the patches that match no event.
    pub false_alarms: Vec<String>,
}

/// An event that should be found.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthEvent {
    /// Identifier.
    pub event_id: String,
    /// What it is, for example `sand pit with stockpile`.
    pub kind: String,
    /// Area in m².
    pub area_m2: f64,
    /// What the run made of it.
    pub outcome: TruthOutcome,
}

/// What the run made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TruthOutcome {
    /// Found, as these patches.
    Found {
        /// Identifiers of the patches.
        patch_ids: Vec<String>,
    },
    /// Looked at and missed.
    Missed,
    /// Not observed on both dates, so that it could not be found.
    NotObserved,
}

/// A change that must not alarm, such as a harvest or a changed water level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HarmlessEvent {
    /// Identifier.
    pub event_id: String,
    /// What it is.
    pub kind: String,
    /// Identifiers of the patches that it raised nevertheless.
    pub raised: Vec<String>,
}

/// What is known of each patch from the truth: style and words.
pub(super) fn labels(truth: &TruthTable) -> BTreeMap<&str, (&'static str, String)> {
    let mut labels = BTreeMap::new();
    for id in &truth.false_alarms {
        labels.insert(id.as_str(), ("bad", "false alarm".to_owned()));
    }
    for event in &truth.harmless {
        for id in &event.raised {
            let words = format!("false alarm: {} {}", event.event_id, event.kind);
            labels.insert(id.as_str(), ("bad", words));
        }
    }
    for event in &truth.events {
        if let TruthOutcome::Found { patch_ids } = &event.outcome {
            for id in patch_ids {
                let words = format!("true event {}: {}", event.event_id, event.kind);
                labels.insert(id.as_str(), ("good", words));
            }
        }
    }
    labels
}

/// The table of events.
pub(super) fn view(truth: &TruthTable) -> TruthView {
    let events = truth.events.iter().map(|event| {
        let (style, outcome) = match &event.outcome {
            TruthOutcome::Found { patch_ids } => ("good", format!("found: {}", patch_ids.join(", "))),
            TruthOutcome::Missed => ("bad", "missed".to_owned()),
            TruthOutcome::NotObserved => ("quiet", "not observed on both dates".to_owned()),
        };
        TruthRow {
            event_id: event.event_id.clone(),
            kind: event.kind.clone(),
            area: square_metres(event.area_m2),
            expected: "alarm",
            style,
            outcome,
        }
    });
    let harmless = truth.harmless.iter().map(|event| {
        let (style, outcome) = if event.raised.is_empty() {
            ("good", "silent".to_owned())
        } else {
            ("bad", format!("false alarm: {}", event.raised.join(", ")))
        };
        TruthRow {
            event_id: event.event_id.clone(),
            kind: event.kind.clone(),
            area: "–".to_owned(),
            expected: "silence",
            style,
            outcome,
        }
    });
    let found = truth.events.iter().filter(|event| matches!(event.outcome, TruthOutcome::Found { .. }));
    let raised = truth.harmless.iter().flat_map(|event| &event.raised);
    let false_alarms = truth.false_alarms.iter().chain(raised).collect::<BTreeSet<_>>();
    TruthView {
        summary: format!(
            "{} of {} found; {}.",
            found.count(),
            count(truth.events.len(), "event", "events"),
            count(false_alarms.len(), "false alarm", "false alarms"),
        ),
        rows: events.chain(harmless).collect(),
        false_alarms: truth.false_alarms.clone(),
    }
}
