//! Alarms: nothing new came, or a reach was not seen, for too long; approved projects on whose ground nothing happens. Silence of
//! the imagery must not look like quiet shores.

use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::pass::{Pass, PassState};

use super::standing::Standing;
use super::{date_of, days_since};
use crate::configuration::ScheduleSettings;

/// Something that stood still for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Alarm {
    /// The latest usable pass is too old, or there is none.
    NoNewPass {
        /// Name of the latest.
        latest: Option<String>,
        /// When it was acquired.
        acquired: Option<Date>,
        /// How many days ago.
        days: Option<u32>,
        /// What is configured.
        alarm_days: u32,
    },
    /// A reach was not observed for too long, or never.
    Unobserved {
        /// Its code.
        reach_id: String,
        /// Its name.
        name: String,
        /// When it was last observed.
        last_observed: Option<Date>,
        /// How many days ago.
        days: Option<u32>,
        /// What is configured.
        alarm_days: u32,
    },
    /// An approved project on whose observed ground nothing changed by its day (占而不用).
    IdleProject {
        /// Its code.
        code: String,
        /// Its name.
        name: String,
        /// The day by which something should have changed.
        expected_by: Date,
        /// The last day that saw its ground, from that day on.
        observed_on: Date,
    },
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNewPass { latest: Some(latest), acquired: Some(acquired), days: Some(days), alarm_days } => write!(
                f,
                "no new pass for {days} days: the latest, {latest}, is of {acquired}; expected one every {alarm_days} days: look whether deliveries still arrive"
            ),
            Self::NoNewPass { alarm_days, .. } => write!(
                f,
                "no usable pass at all; expected one every {alarm_days} days: look whether deliveries arrive in the watched folders"
            ),
            Self::Unobserved { reach_id, name, last_observed: Some(last), days: Some(days), alarm_days } => write!(
                f,
                "reach {reach_id} ({name}) unobserved for {days} days: last observed on {last}; expected within {alarm_days} days"
            ),
            Self::Unobserved { reach_id, name, alarm_days, .. } => {
                write!(f, "reach {reach_id} ({name}) was never observed; expected within {alarm_days} days")
            }
            Self::IdleProject { code, name, expected_by, observed_on } => write!(
                f,
                "approved project {code} ({name}) is idle (占而不用): a change was expected by {expected_by}, and {observed_on} showed none"
            ),
        }
    }
}

impl Alarm {
    /// One log line, with its parts as fields.
    pub fn tell(&self) {
        match self {
            Self::NoNewPass { latest, days, alarm_days, .. } => {
                tracing::warn!(alarm = "no_new_pass", latest, days, alarm_days, "{self}");
            }
            Self::Unobserved { reach_id, days, alarm_days, .. } => {
                tracing::warn!(alarm = "unobserved", reach = reach_id, days, alarm_days, "{self}");
            }
            Self::IdleProject { code, .. } => tracing::warn!(alarm = "idle_project", project = code, "{self}"),
        }
    }
}

/// The alarms that stand today.
#[must_use]
pub fn standing_alarms(
    passes: &[Pass],
    standings: &[Standing],
    idle: Vec<IdleProject>,
    schedule: &ScheduleSettings,
    today: Date,
) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    if let Some(alarm_days) = schedule.no_pass_alarm_days {
        // held and quarantined passes show nothing; they are told of elsewhere
        let usable = passes.iter().filter(|pass| pass.state == PassState::Ready);
        let latest = usable
            .filter_map(|pass| pass.acquired.map(|time| (date_of(time.at), &pass.name)))
            .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(a.1)));
        let days = latest.map(|(date, _)| days_since(date, today));
        if days.is_none_or(|days| days >= alarm_days) {
            alarms.push(Alarm::NoNewPass {
                latest: latest.map(|(_, name)| name.clone()),
                acquired: latest.map(|(date, _)| date),
                days,
                alarm_days,
            });
        }
    }
    if let Some(alarm_days) = schedule.unobserved_alarm_days {
        for standing in standings {
            if standing.days_unobserved.is_none_or(|days| days >= alarm_days) {
                alarms.push(Alarm::Unobserved {
                    reach_id: standing.reach_id.clone(),
                    name: standing.name.clone(),
                    last_observed: standing.last_observed,
                    days: standing.days_unobserved,
                    alarm_days,
                });
            }
        }
    }
    alarms.extend(idle.into_iter().map(|project| Alarm::IdleProject {
        code: project.code,
        name: project.name,
        expected_by: project.expected_by,
        observed_on: project.observed_on,
    }));
    alarms
}
