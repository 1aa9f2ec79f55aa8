//! Passwords and tokens.

use argon2::Argon2;
use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};

/// Least characters of a password that a person chooses.
pub const LEAST_LENGTH: usize = 12;

/// Most bytes of a password: hashing is not for filling memory.
pub const MOST_LENGTH: usize = 256;

/// In the place of a hash: no password opens the account.
pub const NO_PASSWORD: &str = "";

/// Letters of printed passwords: none that look like another one.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// The argon2id hash of a password, in the PHC string form.
///
/// # Errors
/// The system has no randomness.
pub fn hash_password(password: &str) -> Result<String, String> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|fault| fault.to_string())
}

/// Whether a password is that of a hash. Without a hash, as much work for the same answer: no.
#[must_use]
pub fn verify_password(password: &str, hash: Option<&str>) -> bool {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2hvcmV3YXRjaHNob3Jl$ob/Bf/6T3WC9ZvG7BvRyRg4xYs9gpQKzgkqCqHlHLLc";
    let hash = hash.filter(|hash| *hash != NO_PASSWORD);
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    let fits = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && hash.is_some()
}

/// A password to be printed once: 100 bits.
#[must_use]
pub fn one_time_password() -> String {
    let mut bytes = [0; 20];
    OsRng.fill_bytes(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(5).map(|part| part.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// A random token of 256 bits.
#[must_use]
pub fn token() -> String {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the store keeps of a token. A token is random, so that a plain digest gives nothing away.
#[must_use]
pub fn token_digest(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

/// What is wrong with a new password, if anything.
#[must_use]
pub fn fault(password: &str, account: &str) -> Option<String> {
    let length = password.chars().count();
    if length < LEAST_LENGTH || password.len() > MOST_LENGTH {
        return Some(format!("expected {LEAST_LENGTH} characters or more, and at most {MOST_LENGTH} bytes"));
    }
    let lower = password.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = lower.chars().collect();
    if distinct.len() < 5 || lower.contains(&account.to_lowercase()) || lower.contains("password") {
        return Some("expected one that is harder to guess: several words, without the account's code".to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_opens_its_own_hash_only() {
        let hash = hash_password("several words by the river").expect("hashed");
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("several words by the river", Some(&hash)));
        assert!(!verify_password("several words by the lake", Some(&hash)) && !verify_password("", None));
        assert!(!verify_password(NO_PASSWORD, Some(NO_PASSWORD)));
        assert_ne!(hash, hash_password("several words by the river").expect("hashed"));
    }

    #[test]
    fn printed_passwords_and_tokens_never_repeat() {
        assert_ne!(one_time_password(), one_time_password());
        assert_eq!(one_time_password().len(), 23);
        assert_ne!(token(), token());
        assert_eq!(fault(&one_time_password(), "r-01"), None);
    }

    #[test]
    fn weak_passwords_are_refused() {
        for weak in ["short", "aaaaaaaaaaaaaaaa", "my r-01 account", "password12345"] {
            assert!(fault(weak, "r-01").is_some(), "{weak}");
        }
    }
}
