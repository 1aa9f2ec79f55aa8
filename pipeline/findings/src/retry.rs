//! When something is tried again, and what an answer means. Pure.

use jiff::{SignedDuration, Timestamp};

/// How tries are spaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetryRules {
    /// Before the second try; twice as long before each further one.
    pub first: SignedDuration,
    /// No wait is longer.
    pub longest: SignedDuration,
    /// What is older than this when a try fails is given up.
    pub give_up_after: SignedDuration,
    /// Failures in a row after which a target is left alone for a while.
    pub circuit_after: u32,
}

impl Default for RetryRules {
    /// From five seconds to six hours, over seven days; a target is left alone after five failures.
    fn default() -> Self {
        Self {
            first: SignedDuration::from_secs(5),
            longest: SignedDuration::from_hours(6),
            give_up_after: SignedDuration::from_hours(7 * 24),
            circuit_after: 5,
        }
    }
}

impl RetryRules {
    /// The wait after a failed try (from 1): doubling, with jitter between half of it and all of it, so that many messages that
    /// failed together do not come back together. The same seed gives the same wait.
    #[must_use]
    pub fn wait(&self, attempt: u32, seed: &str) -> SignedDuration {
        let doubled = 1_i64 << attempt.saturating_sub(1).min(30);
        let whole = self.first.as_millis_f64() * doubled as f64;
        let whole = whole.min(self.longest.as_millis_f64());
        let digest = shorewatch_domain::digest::Digest::of_bytes(format!("{seed}|{attempt}").as_bytes()).to_string();
        let share = u32::from_str_radix(&digest[..8], 16).map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX));
        SignedDuration::from_millis((whole * (0.5 + 0.5 * share)) as i64)
    }

    /// How long a target is left alone after so many failures in a row; `None` where it is not.
    #[must_use]
    pub fn pause(&self, failures: u32, seed: &str) -> Option<SignedDuration> {
        (failures >= self.circuit_after).then(|| self.wait(failures - self.circuit_after + 1, seed))
    }
}

/// What an answer means for a message and for its target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// 2xx: taken.
    Taken,
    /// Not now. `certain` where nothing was taken for sure.
    NotNow {
        /// Whether nothing was taken for sure.
        certain: bool,
    },
    /// This message never.
    Never,
    /// Nothing any more (410).
    Gone,
}

/// What the status of an answer means. 2xx alone is success. A redirect is a failure: what is sent goes where the
/// administrator said. 401 and 403 are about the target's secret, not about the message, and are tried again.
#[must_use]
pub const fn meaning(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Taken,
        300..=399 | 401 | 403 | 407 | 425 | 429 => Meaning::NotNow { certain: true },
        410 => Meaning::Gone,
        408 => Meaning::NotNow { certain: false },
        400..=499 => Meaning::Never,
        _ => Meaning::NotNow { certain: false },
    }
}

/// `Retry-After`: seconds, or a date of HTTP. Nothing longer than a day is believed.
#[must_use]
pub fn retry_after(value: &str, now: Timestamp) -> Option<Timestamp> {
    let wait = match value.trim().parse::<u32>() {
        Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
        Err(_) => {
            let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
            at.duration_since(now).max(SignedDuration::ZERO)
        }
    };
    now.checked_add(wait.min(SignedDuration::from_hours(24))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_with_jitter_up_to_the_longest() {
        let rules = RetryRules::default();
        let mut last = SignedDuration::ZERO;
        for attempt in 1..=14 {
            let wait = rules.wait(attempt, "evt");
            let whole = (5.0 * f64::from(1 << (attempt - 1))).min(6.0 * 3600.0);
            let share = wait.as_secs_f64() / whole;
            assert!((0.5..=1.0).contains(&share), "attempt {attempt}: {wait:?}");
            assert!(attempt > 12 || wait > last / 2);
            last = wait;
        }
        assert_ne!(rules.wait(3, "a"), rules.wait(3, "b"));
        assert_eq!(rules.wait(3, "a"), rules.wait(3, "a"));
        assert_eq!(rules.pause(4, "t"), None);
        assert!(rules.pause(5, "t").is_some());
    }

    #[test]
    fn only_2xx_is_success_and_a_redirect_is_none() {
        assert_eq!(meaning(204), Meaning::Taken);
        for status in [301, 302, 307, 308, 401, 429] {
            assert_eq!(meaning(status), Meaning::NotNow { certain: true }, "{status}");
        }
        for status in [408, 500, 502, 503, 504, 100] {
            assert_eq!(meaning(status), Meaning::NotNow { certain: false }, "{status}");
        }
        for status in [400, 404, 409, 413, 422] {
            assert_eq!(meaning(status), Meaning::Never, "{status}");
        }
        assert_eq!(meaning(410), Meaning::Gone);
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        let now: Timestamp = "2024-06-01T00:00:00Z".parse().expect("a time");
        let told = |value: &str| retry_after(value, now).map(|time| time.to_string());
        assert_eq!(told("120").as_deref(), Some("2024-06-01T00:02:00Z"));
        assert_eq!(told("Sat, 01 Jun 2024 01:00:00 GMT").as_deref(), Some("2024-06-01T01:00:00Z"));
        assert_eq!(told("Sat, 01 Jun 2019 01:00:00 GMT").as_deref(), Some("2024-06-01T00:00:00Z"));
        assert_eq!(told("999999999").as_deref(), Some("2024-06-02T00:00:00Z"));
        assert_eq!(told("soon"), None);
    }
}
