//! Scheduled runs: which folders are watched, how often reaches are to be looked at, and what raises an alarm.
//!
//! The comments of what was typed become the descriptions in the JSON Schema.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shorewatch_domain::crs::Epsg;

use super::document::at;
use super::glob;
use super::resolve::Resolver;
use super::schema::suggestion;
use super::sensors::Sensor;
use super::settings::PassSettings;

/// Scheduled runs (`shorewatch run --due`) and what they raise an alarm about. Decides no result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleSection {
    /// Folders that new passes are delivered to. `shorewatch run --due` takes what is complete in them.
    pub watch: Vec<WatchEntry>,
    /// A reach is overdue when it was not observed for more than so many days; for reaches that no entry of `cadence`
    /// names. Without it those are never overdue.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub default_cadence_days: Option<u32>,
    /// How often reaches are to be looked at, by code; the first entry that names a reach counts.
    pub cadence: Vec<CadenceEntry>,
    /// Alarm where the latest usable pass was acquired so many days ago or more, or there is none. Without it there is
    /// no such alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub no_pass_alarm_days: Option<u32>,
    /// Alarm for each reach that was last observed so many days ago or more, or never. Without it there is no such alarm.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub unobserved_alarm_days: Option<u32>,
    /// Share of a reach's area that one pass must have observed to count as an observation of it.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub observed_fraction_min: f64,
}

impl Default for ScheduleSection {
    fn default() -> Self {
        Self {
            watch: Vec::new(),
            default_cadence_days: None,
            cadence: Vec::new(),
            no_pass_alarm_days: None,
            unobserved_alarm_days: None,
            observed_fraction_min: 0.5,
        }
    }
}

/// A folder that passes of one sensor are delivered to. It may be empty.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchEntry {
    /// The folder. Where it is not there, the run says so and goes on.
    #[schemars(length(min = 1))]
    pub folder: String,
    /// Files or product folders in it, with `*`, `?` and `**` as wildcards, as in an entry of passes. They may match
    /// nothing. `X.part`, `X.filepart`, `X.tmp` and the like beside `X` say that `X` is still being copied.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub files: Vec<String>,
    /// Name of the sensor profile.
    #[schemars(length(min = 1))]
    pub sensor: String,
    /// EPSG code for files that carry no reference system. Recorded as the operator's claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 998_999))]
    pub assigned_epsg: Option<u32>,
}

/// How often some reaches are to be looked at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CadenceEntry {
    /// Codes of the reaches, with `*` and `?` as wildcards.
    #[schemars(length(min = 1), inner(length(min = 1)))]
    pub reaches: Vec<String>,
    /// Such a reach is overdue when it was not observed for more than so many days.
    #[schemars(range(min = 1, max = 36_500))]
    pub days: u32,
}

/// The schedule, resolved and checked.
#[derive(Clone, PartialEq, Debug)]
pub struct ScheduleSettings {
    /// Watched folders; [`RunSettings::find_watched`](super::RunSettings::find_watched) looks into them.
    pub watch: Vec<WatchSettings>,
    /// Cadence of reaches that no entry names.
    pub default_cadence_days: Option<u32>,
    /// Cadences by code of the reach.
    pub cadence: Vec<CadenceEntry>,
    /// Days without a new pass that raise an alarm.
    pub no_pass_alarm_days: Option<u32>,
    /// Days without an observation of a reach that raise an alarm.
    pub unobserved_alarm_days: Option<u32>,
    /// Share of a reach that a pass must have observed to count.
    pub observed_fraction_min: f64,
}

impl ScheduleSettings {
    /// After how many days without an observation a reach is overdue; `None` where it never is.
    #[must_use]
    pub fn cadence_days(&self, reach_id: &str) -> Option<u32> {
        let names = |entry: &&CadenceEntry| entry.reaches.iter().any(|pattern| glob::matches(pattern, reach_id));
        self.cadence.iter().find(names).map(|entry| entry.days).or(self.default_cadence_days)
    }

    /// Patterns of cadences that name none of the reaches: most likely a slip of the pen.
    #[must_use]
    pub fn cadences_without_reach<'a>(&'a self, reach_ids: &[&str]) -> Vec<&'a str> {
        let patterns = self.cadence.iter().flat_map(|entry| &entry.reaches).map(String::as_str);
        patterns.filter(|pattern| !reach_ids.iter().any(|id| glob::matches(pattern, id))).collect()
    }
}

/// One watched folder.
#[derive(Clone, PartialEq, Debug)]
pub struct WatchSettings {
    /// The folder.
    pub folder: PathBuf,
    /// What is taken from it: its patterns lie in the folder.
    pub entry: PassSettings,
}

/// The schedule as typed → resolved; faults go to the resolver.
pub(super) fn resolve(
    typed: &ScheduleSection,
    sensors: &BTreeMap<String, Sensor>,
    resolver: &mut Resolver<'_>,
) -> ScheduleSettings {
    let watch = typed.watch.iter().enumerate().map(|(i, entry)| watched(i, entry, sensors, resolver)).collect();
    ScheduleSettings {
        watch,
        default_cadence_days: typed.default_cadence_days,
        cadence: typed.cadence.clone(),
        no_pass_alarm_days: typed.no_pass_alarm_days,
        unobserved_alarm_days: typed.unobserved_alarm_days,
        observed_fraction_min: typed.observed_fraction_min,
    }
}

fn watched(
    i: usize,
    entry: &WatchEntry,
    sensors: &BTreeMap<String, Sensor>,
    resolver: &mut Resolver<'_>,
) -> WatchSettings {
    if !sensors.contains_key(&entry.sensor) {
        let message = format!("no sensor profile is called {:?}", entry.sensor);
        let help = suggestion(&entry.sensor, sensors.keys().map(String::as_str));
        resolver.refuse(at!["schedule", "watch", i, "sensor"], message, &help);
    }
    let folder = resolver.path(at!["schedule", "watch", i, "folder"], &entry.folder);
    for (j, pattern) in entry.files.iter().enumerate() {
        let stays =
            Path::new(pattern).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !stays {
            let message = format!("{pattern:?} leaves the watched folder");
            let help = "give the pattern as it is inside the folder, for example \"*.tif\"";
            resolver.refuse(at!["schedule", "watch", i, "files", j], message, help);
        }
    }
    let patterns = entry.files.iter().map(|pattern| folder.join(pattern)).collect();
    let assigned_epsg = entry.assigned_epsg.map(Epsg);
    let entry = PassSettings { patterns, sensor: entry.sensor.clone(), name: None, time: None, assigned_epsg };
    WatchSettings { folder, entry }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cadence_that_names_a_reach_counts() {
        let entry = |reaches: &[&str], days| CadenceEntry {
            reaches: reaches.iter().map(|&pattern| pattern.to_owned()).collect(),
            days,
        };
        let schedule = ScheduleSettings {
            watch: Vec::new(),
            default_cadence_days: Some(90),
            cadence: vec![entry(&["town-*", "R?"], 7), entry(&["R1*", "nowhere"], 60)],
            no_pass_alarm_days: None,
            unobserved_alarm_days: None,
            observed_fraction_min: 0.5,
        };
        let check = |reach, expected| assert_eq!(schedule.cadence_days(reach), Some(expected), "{reach}");
        check("town-3", 7);
        check("R1", 7);
        check("R10", 60);
        check("lake", 90);
        assert_eq!(schedule.cadences_without_reach(&["town-3", "R10"]), ["R?", "nowhere"]);
    }
}
