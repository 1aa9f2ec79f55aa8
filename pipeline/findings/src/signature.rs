//! Signatures by the Standard Webhooks scheme (version 1, symmetric): HMAC-SHA256 over `id.timestamp.body`, in the header
//! `webhook-signature` as `v1,<base64>`; several of them, separated by spaces, while a secret is being replaced.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::secret::Secret;

/// How far the clock of a sender may be off.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Signatures of a message that are looked at: a sender has one for each secret that it knows, two while one is replaced.
const MOST_SIGNATURES: usize = 8;

/// Header with the id of a message.
pub const ID: &str = "webhook-id";
/// Header with the time of sending, in seconds of Unix time.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// The key in a secret: base64 after `whsec_`, or the bytes of the text where it is neither.
fn key(secret: &Secret) -> Vec<u8> {
    let text = secret.text();
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    BASE64.decode(encoded).unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn mac(secret: &Secret, id: &str, seconds: i64, body: &[u8]) -> Hmac<Sha256> {
    let key = key(secret);
    // HMAC takes keys of any length: the error is never made
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key).unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    mac
}

/// The value of `webhook-signature`: one signature a secret, the current one first.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, at: Timestamp, body: &[u8]) -> String {
    let one = |secret| format!("v1,{}", BASE64.encode(mac(secret, id, at.as_second(), body).finalize().into_bytes()));
    secrets.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Why a message is not believed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotBelieved {
    /// A header is missing or senseless.
    #[error("header {0}: missing or senseless; sign by the Standard Webhooks scheme")]
    Header(&'static str),
    /// The clock is off, or the message was recorded and is played again.
    #[error("the message was sent at {sent}, {seconds} s from now ({now}); set the clock of the sender, at most {} s are allowed", TOLERANCE.as_secs())]
    Clock {
        /// When it was sent, as it says.
        sent: Timestamp,
        /// Our time.
        now: Timestamp,
        /// How far apart they are.
        seconds: u64,
    },
    /// Another secret, or another text.
    #[error("no signature matches; check the secret on both sides (while it is replaced, both sides may know two)")]
    Signature,
}

/// Believes a message that one of the secrets signed, within [`TOLERANCE`] of now.
///
/// # Errors
/// A header is missing, the clock is off, no signature matches.
pub fn verify(
    secrets: &[Secret],
    header: impl Fn(&'static str) -> Option<String>,
    body: &[u8],
    now: Timestamp,
) -> Result<String, NotBelieved> {
    let id = header(ID).filter(|id| !id.is_empty() && id.len() <= 256).ok_or(NotBelieved::Header(ID))?;
    let seconds: i64 = header(TIMESTAMP).and_then(|text| text.parse().ok()).ok_or(NotBelieved::Header(TIMESTAMP))?;
    let sent = Timestamp::from_second(seconds).map_err(|_| NotBelieved::Header(TIMESTAMP))?;
    let signatures = header(SIGNATURE).ok_or(NotBelieved::Header(SIGNATURE))?;
    let apart = now.as_second().abs_diff(seconds);
    if apart > TOLERANCE.as_secs().unsigned_abs() {
        return Err(NotBelieved::Clock { sent, now, seconds: apart });
    }
    let given: Vec<Vec<u8>> = signatures
        .split_whitespace()
        .filter_map(|one| one.strip_prefix("v1,"))
        .take(MOST_SIGNATURES)
        .filter_map(|one| BASE64.decode(one).ok())
        .collect();
    if given.is_empty() {
        return Err(NotBelieved::Signature);
    }
    // worked out once a secret, however many are given; compared in constant time
    let fits = secrets.iter().any(|secret| {
        let own = mac(secret, &id, seconds, body);
        given.iter().any(|one| own.clone().verify_slice(one).is_ok())
    });
    if fits { Ok(id) } else { Err(NotBelieved::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    const EXAMPLE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn check(secrets: &[&str], signature: &str, at: i64) -> Result<String, NotBelieved> {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(text)).collect();
        let header = |name| match name {
            ID => Some("msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
            TIMESTAMP => Some("1614265330".to_owned()),
            _ => Some(signature.to_owned()),
        };
        verify(&secrets, header, br#"{"test": 2432232314}"#, Timestamp::from_second(at).expect("a time"))
    }

    #[test]
    fn the_example_of_the_specification() {
        let at = Timestamp::from_second(1_614_265_330).expect("a time");
        let body = br#"{"test": 2432232314}"#;
        let signed = sign(&[Secret::new(EXAMPLE)], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(check(&[EXAMPLE], &signed, 1_614_265_330).as_deref(), Ok("msg_p5jXN8AQM9LWM0D4loKWxJek"));
    }

    #[test]
    fn row_28_two_secrets_while_one_is_replaced_and_a_clock_that_is_off() {
        let at = Timestamp::from_second(1_614_265_330).expect("a time");
        let body = br#"{"test": 2432232314}"#;
        let both = [Secret::new("whsec_bmV3IHNlY3JldA=="), Secret::new(EXAMPLE)];
        let signed = sign(&both, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        // a receiver that knows only the old secret, and one that knows only the new one
        assert!(check(&[EXAMPLE], &signed, 1_614_265_330).is_ok());
        assert!(check(&["whsec_bmV3IHNlY3JldA=="], &signed, 1_614_265_330).is_ok());
        assert_eq!(check(&["whsec_b3RoZXI="], &signed, 1_614_265_330), Err(NotBelieved::Signature));
        assert!(check(&[EXAMPLE], &signed, 1_614_265_330 + 300).is_ok());
        let late = check(&[EXAMPLE], &signed, 1_614_265_330 + 301).expect_err("too late").to_string();
        assert!(late.contains("301 s") && late.contains("clock"), "{late}");
        assert!(matches!(check(&[EXAMPLE], &signed, 1_614_265_330 - 301), Err(NotBelieved::Clock { .. })));
        assert_eq!(check(&[EXAMPLE], "v1,!! v2,abc", 1_614_265_330), Err(NotBelieved::Signature));
    }
}
