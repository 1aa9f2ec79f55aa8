//! Content digests: what a pass, a model, a configuration or a unit of work *is*.
//!
//! Everything that is "done" in Shorewatch is keyed by such a digest, never by the existence of a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A BLAKE3 digest (32 bytes), written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of one run of bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Wraps 32 bytes that a BLAKE3 hasher gave.
    #[must_use]
    pub const fn from_raw(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The first twelve hexadecimal digits: enough for people and file names, not for identity.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

/// Text that is not a digest.
#[derive(Debug, thiserror::Error)]
#[error("expected a digest of 64 hexadecimal digits, got {got:?}")]
pub struct NotADigest {
    got: String,
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || NotADigest { got: text.to_owned() };
        let text_bytes = text.as_bytes();
        if text_bytes.len() != 64 || !text.is_ascii() {
            return Err(fault());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text_bytes.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| fault())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| fault())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Digests a sequence of named fields; each is framed by its length, so that `("a", "bc")` ≠ `("ab", "c")`.
#[derive(Default)]
pub struct DigestBuilder(blake3::Hasher);

impl DigestBuilder {
    /// Starts a digest of the given kind of thing ("unit", "scores", …): two kinds never collide.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self::default().field("kind", kind.as_bytes())
    }

    /// Adds a named field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for part in [name.as_bytes(), value.as_ref()] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    /// Adds a named number, exactly (its bits).
    #[must_use]
    pub fn number(self, name: &str, value: f64) -> Self {
        self.field(name, value.to_bits().to_le_bytes())
    }

    /// Adds a named digest.
    #[must_use]
    pub fn digest(self, name: &str, value: &Digest) -> Self {
        self.field(name, value.0)
    }

    /// The digest of all that was added, in order.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_goes_there_and_back_and_framing_separates_fields() {
        let digest = Digest::of_bytes(b"shore");
        assert_eq!(digest.to_string().parse::<Digest>().expect("own text form"), digest);
        assert!("xyz".parse::<Digest>().is_err());
        let one = DigestBuilder::new("unit").field("a", "bc").finish();
        let other = DigestBuilder::new("unit").field("ab", "c").finish();
        assert_ne!(one, other);
    }
}
