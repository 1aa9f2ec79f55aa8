//! Failures of the program as its user meets them: a text, and a documented exit code.

use std::fmt;

use shorewatch_domain::causes::with_causes;
use shorewatch_imagery::ImageryError;
use shorewatch_models::ModelError;
use shorewatch_store::StoreError;

/// Exit codes. A tested interface: scripts and schedulers rely on them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything was done.
    Done = 0,
    /// A fault of the program itself: please report it.
    Internal = 1,
    /// The command line or the configuration is wrong; nothing was done.
    Usage = 2,
    /// Done, but some inputs were refused, quarantined, held or could not be read: see the messages.
    Partial = 3,
    /// Refused before any work: the model, the store or the inputs do not fit together.
    Refused = 4,
    /// Could not go on now (disk full, store in use, input still being copied); the same command may succeed later.
    Retryable = 5,
    /// A scheduled run did everything, and an alarm stands: no new pass, or a reach unobserved, for too long. It goes before
    /// [`ExitCode::Partial`]: a scene that was quarantined once is told of in every run, and must not hide an alarm.
    Alarm = 6,
    /// A report of a period is written, and approved projects of its scope are idle (占而不用). It goes before
    /// [`ExitCode::Partial`].
    Idle = 7,
}

/// Why a command stopped.
#[derive(Debug)]
pub struct Failure {
    /// What to exit with.
    pub code: ExitCode,
    /// What to tell.
    pub text: String,
}

impl Failure {
    /// The command line or the configuration is wrong.
    #[must_use]
    pub fn usage(text: impl Into<String>) -> Self {
        Self { code: ExitCode::Usage, text: text.into() }
    }

    /// Inputs do not fit.
    #[must_use]
    pub fn input(text: impl Into<String>) -> Self {
        Self { code: ExitCode::Refused, text: text.into() }
    }

    /// A fault of ours.
    #[must_use]
    pub fn internal(text: impl Into<String>) -> Self {
        Self { code: ExitCode::Internal, text: text.into() }
    }

    /// May succeed later.
    #[must_use]
    pub fn retryable(text: impl Into<String>) -> Self {
        Self { code: ExitCode::Retryable, text: text.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failure {}

impl From<ImageryError> for Failure {
    fn from(error: ImageryError) -> Self {
        let code = if error.is_retryable() { ExitCode::Retryable } else { ExitCode::Refused };
        Self { code, text: with_causes(&error) }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let code = if error.is_retryable() { ExitCode::Retryable } else { ExitCode::Refused };
        Self { code, text: with_causes(&error) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let code = if error.is_retryable() { ExitCode::Retryable } else { ExitCode::Refused };
        Self { code, text: with_causes(&error) }
    }
}

impl From<shorewatch_domain::extract::ExtractError> for Failure {
    fn from(error: shorewatch_domain::extract::ExtractError) -> Self {
        Self { code: ExitCode::Internal, text: with_causes(&error) }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, Interrupted, QuotaExceeded, ResourceBusy, StorageFull, TimedOut};
        let retryable =
            matches!(error.kind(), FileTooLarge | Interrupted | QuotaExceeded | ResourceBusy | StorageFull | TimedOut);
        Self { code: if retryable { ExitCode::Retryable } else { ExitCode::Refused }, text: with_causes(&error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_memory_can_be_tried_again() {
        let (model, doing, message) = ("shoreland".to_owned(), "running".to_owned(), "out of memory".to_owned());
        let full = ModelError::OutOfMemory { model: model.clone(), library: "libtorch", doing, message };
        assert_eq!(Failure::from(full).code, ExitCode::Retryable);
        let absent = ModelError::NoCuda { model, reason: "there is none".to_owned() };
        assert_eq!(Failure::from(absent).code, ExitCode::Refused);
    }
}
