//! Secrets: from environment variables or files, never shown.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::FindingsError;

/// A secret. It is not shown by `Debug`, and has no other way into a log or a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// From a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// An environment variable.
    Variable(String),
    /// A file; only its owner should be able to read it.
    File(PathBuf),
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    /// It is not there, empty, or in a file that everybody may read.
    pub fn read(&self) -> Result<Secret, FindingsError> {
        let (name, text) = match self {
            Self::Variable(name) => {
                (name.clone(), std::env::var(name).map_err(|_| "the variable is not set".to_owned()))
            }
            Self::File(path) => (path.display().to_string(), read_private(path)),
        };
        let secret = text
            .map(|text| Secret::new(&text))
            .and_then(|secret| if secret.0.is_empty() { Err("it is empty".to_owned()) } else { Ok(secret) });
        secret.map_err(|reason| FindingsError::Secret { name, reason })
    }
}

fn read_private(path: &Path) -> Result<String, String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_err(|fault| fault.to_string())?.permissions().mode();
        if mode & 0o007 != 0 {
            return Err(format!("everybody may open it (mode {:o}); chmod o= it", mode & 0o777));
        }
    }
    std::fs::read_to_string(path).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown_and_not_taken_from_a_file_for_everybody() {
        assert_eq!(format!("{:?}", Secret::new("hush")), "Secret(…)");
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, "whsec_abc\n").expect("written");
        let source = SecretSource::File(path.clone());
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
        mode(0o644);
        assert!(source.read().expect_err("open to everybody").to_string().contains("644"));
        mode(0o640);
        assert_eq!(source.read().expect("read").text(), "whsec_abc");
        let unset = SecretSource::Variable("SHOREWATCH_TEST_NOT_SET".to_owned());
        assert!(unset.read().expect_err("unset").to_string().contains("SHOREWATCH_TEST_NOT_SET"));
    }
}
