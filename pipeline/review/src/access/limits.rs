//! How often somebody may ask: a bucket a key, that fills again with time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys beyond which full buckets are forgotten.
const MOST_KEYS: usize = 20_000;

/// Buckets by key.
pub struct Buckets {
    capacity: f64,
    refill_per_second: f64,
    inner: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Buckets {
    /// Buckets that hold `capacity` and fill from empty in `period`.
    #[must_use]
    pub fn new(capacity: u32, period: Duration) -> Self {
        let capacity = f64::from(capacity.max(1));
        Self { capacity, refill_per_second: capacity / period.as_secs_f64(), inner: Mutex::default() }
    }

    /// Takes one; false where the bucket is empty.
    pub fn take(&self, key: &str, now: Instant) -> bool {
        let mut buckets = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = |(level, at): (f64, Instant)| {
            (level + now.saturating_duration_since(at).as_secs_f64() * self.refill_per_second).min(self.capacity)
        };
        if buckets.len() > MOST_KEYS {
            buckets.retain(|_, bucket| filled(*bucket) < self.capacity);
        }
        let level = buckets.get(key).copied().map_or(self.capacity, filled);
        let granted = level >= 1.0;
        buckets.insert(key.to_owned(), (if granted { level - 1.0 } else { level }, now));
        granted
    }
}

/// How long an account is locked out after so many failures in a row: nothing for the first four, then half a minute, twice as
/// long each time, an hour at most.
#[must_use]
pub fn lock_out(failures: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(5)?;
    Some(Duration::from_secs((30_u64 << beyond.min(10)).min(3600)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (buckets, start) = (Buckets::new(3, Duration::from_secs(3)), Instant::now());
        assert_eq!((0..5).map(|_| buckets.take("a", start)).collect::<Vec<_>>(), [true, true, true, false, false]);
        assert!(buckets.take("b", start));
        let later = start + Duration::from_secs(2);
        assert_eq!((0..3).map(|_| buckets.take("a", later)).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn lock_out_grows_and_ends() {
        let seconds: Vec<_> = (3..9).map(|failures| lock_out(failures).map_or(0, |time| time.as_secs())).collect();
        assert_eq!(seconds, [0, 0, 30, 60, 120, 240]);
        assert_eq!(lock_out(200), Some(Duration::from_secs(3600)));
    }
}
