//! Log-ins under way: what a browser has to bring back, and what the provider never sees. In memory: a log-in that a restart
//! falls into is begun again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use openidconnect::{Nonce, PkceCodeVerifier};

use super::PATIENCE;
use crate::access::password::token_digest;

/// Log-ins under way at the same time; the oldest gives way.
const MOST_FLOWS: usize = 10_000;

/// A log-in under way.
pub(super) struct Flow {
    state_digest: String,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
}

impl Flow {
    pub(super) fn new(state: &str, nonce: Nonce, verifier: PkceCodeVerifier) -> Self {
        Self { state_digest: token_digest(state), nonce, verifier }
    }
}

/// Log-ins under way, by the digest of the browser's cookie.
#[derive(Default)]
pub(super) struct Flows(Mutex<HashMap<String, (Instant, Flow)>>);

impl Flows {
    pub(super) fn begin(&self, cookie: &str, flow: Flow, now: Instant) {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.retain(|_, (begun, _)| now.saturating_duration_since(*begun) < PATIENCE);
        if flows.len() >= MOST_FLOWS {
            let oldest = flows.iter().min_by_key(|(_, (begun, _))| *begun).map(|(key, _)| key.clone());
            oldest.and_then(|key| flows.remove(&key));
        }
        flows.insert(token_digest(cookie), (now, flow));
    }

    /// The log-in that began in the browser with this cookie and with this state; it is no longer under way then. With another
    /// state it stays: whoever guesses ends nobody's log-in.
    pub(super) fn take(&self, cookie: &str, state: &str, now: Instant) -> Option<Flow> {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, state) = (token_digest(cookie), token_digest(state));
        if flows.get(&key)?.1.state_digest != state {
            return None;
        }
        let (begun, flow) = flows.remove(&key)?;
        (now.saturating_duration_since(begun) < PATIENCE).then_some(flow)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn begun(flows: &Flows, cookie: &str, now: Instant) {
        let verifier = PkceCodeVerifier::new("verifier".to_owned());
        flows.begin(cookie, Flow::new("state", Nonce::new("nonce".to_owned()), verifier), now);
    }

    #[test]
    fn a_log_in_ends_once_in_time_in_its_own_browser() {
        let (flows, now) = (Flows::default(), Instant::now());
        begun(&flows, "a", now);
        assert!(flows.take("b", "state", now).is_none() && flows.take("a", "guessed", now).is_none());
        assert!(flows.take("a", "state", now).is_some() && flows.take("a", "state", now).is_none());
        begun(&flows, "a", now);
        assert!(flows.take("a", "state", now + PATIENCE).is_none());
    }

    #[test]
    fn the_oldest_gives_way() {
        let (flows, now) = (Flows::default(), Instant::now());
        for i in 0..=MOST_FLOWS {
            begun(&flows, &i.to_string(), now + Duration::from_micros(i as u64));
        }
        assert!(flows.take("0", "state", now).is_none() && flows.take("1", "state", now).is_some());
    }
}
