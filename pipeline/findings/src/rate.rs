//! How many reports a source may send: a bucket of tokens each, filled evenly.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Reports that a source may send at once after a silence.
const BURST: f64 = 300.0;

/// Reports a second that it may send for ever.
const PER_SECOND: f64 = 20.0;

/// What each source has left. Sources are the targets of the configuration, so that there are few of them.
#[derive(Debug, Default)]
pub(crate) struct Rates(BTreeMap<String, Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Rates {
    /// Takes one report of a source.
    ///
    /// # Errors
    /// It has sent too many: the whole seconds after which it may go on, at least 1.
    pub(crate) fn take(&mut self, source: &str, now: Instant) -> Result<(), u64> {
        let bucket = self.0.entry(source.to_owned()).or_insert(Bucket { tokens: BURST, at: now });
        let gone = now.saturating_duration_since(bucket.at);
        bucket.tokens = (bucket.tokens + gone.as_secs_f64() * PER_SECOND).min(BURST);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            let wait = Duration::from_secs_f64((1.0 - bucket.tokens) / PER_SECOND);
            return Err(wait.as_secs() + 1);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_went_mad_waits_and_no_other_does() {
        let (mut rates, start) = (Rates::default(), Instant::now());
        let sent = (0..1_000).filter(|_| rates.take("mad", start).is_ok()).count();
        assert_eq!(sent, BURST as usize);
        assert_eq!(rates.take("mad", start), Err(1));
        assert_eq!(rates.take("calm", start), Ok(()));
        let later = start + Duration::from_secs(2);
        let sent = (0..1_000).filter(|_| rates.take("mad", later).is_ok()).count();
        assert_eq!(sent, 2 * PER_SECOND as usize);
    }
}
