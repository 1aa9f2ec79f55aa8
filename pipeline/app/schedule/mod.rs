//! Scheduled runs: `shorewatch run --due` for a timer, and what was not looked at for too long.
//!
//! | module | holds |
//! |---|---|
//! | [`watch`] | watched folders: what is complete in them becomes passes |
//! | [`standing`] | when each reach was last observed, how much of it, and whether it is overdue |
//! | [`alarms`] | no new pass, or a reach unobserved, for too long; approved projects that are idle |
//! | [`due`] | the scheduled run: take, run, alarm |
//!
//! Every new pass is worked whole, whatever the cadence of its reaches: a reach left out of a pass because it is not due
//! would look like one that was not seen. The cadence decides only when a reach counts as overdue.

pub mod alarms;
pub mod due;
pub mod standing;
pub mod watch;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The date that days are reckoned from: the given one, or today's in UTC. The one place that asks the clock for it.
#[must_use]
pub fn today(given: Option<Date>) -> Date {
    given.unwrap_or_else(|| date_of(Timestamp::now()))
}

/// The UTC date of a time, as acquisitions are told.
#[must_use]
pub fn date_of(time: Timestamp) -> Date {
    time.to_zoned(TimeZone::UTC).date()
}

/// Days from a date to a later one; 0 where it lies ahead (clocks may be a few hours off).
fn days_since(date: Date, today: Date) -> u32 {
    u32::try_from((today - date).get_days()).unwrap_or(0)
}
