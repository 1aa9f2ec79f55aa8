//! Truth against result: which known events of a synthetic scene were found, and what alarmed without cause.

use std::fmt;
use std::path::Path;

use geo::{BooleanOps, BoundingRect, GeodesicArea, Intersects};
use geo_types::Polygon;
use geojson::{FeatureCollection, GeoJson};
use jiff::Timestamp;
use serde::Serialize;

use shorewatch_domain::patch::Patch;
use shorewatch_store::{PatchFilter, Store};

use crate::failure::Failure;

/// Share of a patch, or of an event, that the other must cover for them to be the same place.
pub const SAME_PLACE_SHARE: f64 = 0.25;

/// A known event of a synthetic scene.
#[derive(Debug, Clone)]
pub struct TruthEvent {
    /// Identifier.
    pub event_id: String,
    /// What happened.
    pub kind: String,
    /// One sentence.
    pub description: String,
    /// False for harmless changes, which must not alarm.
    pub suspected: bool,
    /// Why a change is harmless.
    pub harmless_because: Option<String>,
    /// First pass in which it exists.
    pub first_date: Timestamp,
    /// First pass in which it can be seen; `None` if it never can.
    pub first_seen: Option<Timestamp>,
    /// Where (longitude, latitude).
    pub polygon: Polygon<f64>,
}

/// What became of an event.
#[derive(Debug, Clone, Serialize)]
pub struct EventScore {
    /// Identifier.
    pub event_id: String,
    /// What happened.
    pub kind: String,
    /// One sentence.
    pub description: String,
    /// True where an alarm is right.
    pub suspected: bool,
    /// True where some pass shows the place after it happened.
    pub observable: bool,
    /// Area in m².
    pub area_m2: f64,
    /// Patches at its place, since it happened.
    pub patch_ids: Vec<String>,
}

/// The score of a synthetic scene.
#[derive(Debug, Clone, Serialize)]
pub struct Score {
    /// Always true: the imagery was painted.
    pub synthetic: bool,
    /// Events that should be found: suspected and observable.
    pub events_true: usize,
    /// Those that were found.
    pub events_found: usize,
    /// Patches at no suspected event.
    pub false_alarms: usize,
    /// Patches in all.
    pub patches: usize,
    /// Share of the scope, over all passes, that was not observed.
    pub unobserved_share: f64,
    /// Ids of the false alarms.
    pub false_alarm_ids: Vec<String>,
    /// Event by event.
    pub events: Vec<EventScore>,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "synthetic imagery (painted, not real): {} of {} events found, {} false alarms in {} patches, {:.1} % of the scope not observed",
            self.events_found,
            self.events_true,
            self.false_alarms,
            self.patches,
            100.0 * self.unobserved_share
        )?;
        for event in &self.events {
            let outcome = match (event.suspected, event.observable, event.patch_ids.is_empty()) {
                (true, true, false) => "found",
                (true, true, true) => "MISSED",
                (true, false, _) => "not observed",
                (false, _, true) => "rightly silent",
                (false, _, false) => "ALARMED WITHOUT CAUSE",
            };
            writeln!(f, "  {:<22} {:<14} {}", outcome, event.event_id, event.description)?;
        }
        Ok(())
    }
}

/// Reads the truth that `shorewatch synth` wrote.
///
/// # Errors
/// The file is missing or is not such a truth.
pub fn read_truth(file: &Path) -> Result<Vec<TruthEvent>, Failure> {
    let wrong = |what: String| {
        Failure::input(format!("{}: {what}; expected a truth.geojson of `shorewatch synth`", file.display()))
    };
    let text = std::fs::read_to_string(file).map_err(|fault| wrong(fault.to_string()))?;
    let parsed = text.parse::<GeoJson>().map_err(|fault| wrong(fault.to_string()))?;
    let GeoJson::FeatureCollection(collection) = parsed else {
        return Err(wrong("no feature collection".to_owned()));
    };
    events(collection).map_err(wrong)
}

fn events(collection: FeatureCollection) -> Result<Vec<TruthEvent>, String> {
    collection
        .features
        .into_iter()
        .map(|feature| {
            let text = |key: &str| {
                feature
                    .property(key)
                    .and_then(|value| value.as_str())
                    .map(str::to_owned)
                    .ok_or_else(|| format!("a feature lacks {key}"))
            };
            let time = |text: &str| text.parse::<Timestamp>().map_err(|fault| format!("{text:?}: {fault}"));
            let geometry = feature.geometry.as_ref().ok_or("a feature lacks its geometry")?;
            Ok(TruthEvent {
                event_id: text("event_id")?,
                kind: text("kind")?,
                description: text("description")?,
                suspected: feature
                    .property("suspected")
                    .and_then(serde_json::Value::as_bool)
                    .ok_or("a feature lacks suspected")?,
                harmless_because: text("harmless_because").ok(),
                first_date: time(&text("first_date")?)?,
                first_seen: text("first_seen").ok().map(|text| time(&text)).transpose()?,
                polygon: Polygon::try_from(geometry.clone()).map_err(|fault| fault.to_string())?,
            })
        })
        .collect()
}

/// Scores the current patches of a store.
///
/// # Errors
/// The truth or the store can't be read.
pub fn score(store: &Store, truth: &Path) -> Result<Score, Failure> {
    let events = read_truth(truth)?;
    let patches: Vec<Patch> = store.patches(&PatchFilter::default())?.into_iter().map(|stored| stored.patch).collect();
    let (mut scope, mut observed) = (0, 0);
    for row in store.observations()? {
        scope += row.seen.coverage.scope_px;
        observed += row.seen.coverage.observed_px;
    }
    Ok(compare(&events, &patches, 1.0 - observed as f64 / f64::max(scope as f64, 1.0)))
}

fn compare(events: &[TruthEvent], patches: &[Patch], unobserved_share: f64) -> Score {
    let mut explained = vec![false; patches.len()];
    let scores: Vec<_> = events
        .iter()
        .map(|event| {
            let mut patch_ids = Vec::new();
            for (patch, explained) in patches.iter().zip(&mut explained) {
                if patch.post_date >= event.first_date && is_same_place(&patch.geometry, &event.polygon) {
                    patch_ids.push(patch.patch_id.clone());
                    *explained |= event.suspected;
                }
            }
            EventScore {
                event_id: event.event_id.clone(),
                kind: event.kind.clone(),
                description: event.description.clone(),
                suspected: event.suspected,
                observable: event.first_seen.is_some(),
                area_m2: event.polygon.geodesic_area_unsigned(),
                patch_ids,
            }
        })
        .collect();
    let false_alarm_ids: Vec<_> = patches
        .iter()
        .zip(&explained)
        .filter(|(_, explained)| !**explained)
        .map(|(patch, _)| patch.patch_id.clone())
        .collect();
    let wanted = || scores.iter().filter(|event| event.suspected && event.observable);
    Score {
        synthetic: true,
        events_true: wanted().count(),
        events_found: wanted().filter(|event| !event.patch_ids.is_empty()).count(),
        false_alarms: false_alarm_ids.len(),
        patches: patches.len(),
        unobserved_share,
        false_alarm_ids,
        events: scores,
    }
}

/// True where one covers at least [`SAME_PLACE_SHARE`] of the other.
fn is_same_place(patch: &Polygon<f64>, event: &Polygon<f64>) -> bool {
    let (Some(a), Some(b)) = (patch.bounding_rect(), event.bounding_rect()) else { return false };
    if !a.intersects(&b) {
        return false;
    }
    let shared = patch.intersection(event).geodesic_area_unsigned();
    shared >= SAME_PLACE_SHARE * patch.geodesic_area_unsigned().min(event.geodesic_area_unsigned())
}
