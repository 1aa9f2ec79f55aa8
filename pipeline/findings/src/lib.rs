//! Carries verified findings to the issue system, whatever breaks, once in effect; and what it answers, back.
//!
//! | module | holds |
//! |---|---|
//! | [`event`] | what is told: CloudEvents with the fields of the ledger; [`schema`] publishes their form |
//! | [`signature`] | who says so: signatures by the Standard Webhooks scheme |
//! | [`hosts`] | whom anything may be sent to: the administrator's list |
//! | [`secret`] | secrets from the environment or from files |
//! | [`retry`] | when something is tried again, and what an answer means |
//! | [`settings`] | targets and rules, as the configuration has them |
//! | [`target`] | sending: webhooks, templated REST interfaces, files |
//! | [`deliver`] | the worker |
//! | [`receive`], [`poll`] | the way back: signed reports, and asking |
//! | [`evidence`] | packages of evidence that anybody can verify |
//!
//! The store keeps what is to be told ([`shorewatch_store::outbox`]); here it is sent. A message has one id however often it is
//! sent, so that a receiver that knows it does nothing twice.

pub mod deliver;
pub mod event;
pub mod evidence;
pub mod hosts;
pub mod poll;
mod rate;
pub mod receive;
pub mod retry;
pub mod schema;
pub mod secret;
pub mod settings;
mod signals;
pub mod signature;
pub mod target;

use std::path::PathBuf;

use shorewatch_store::StoreError;

/// Why findings could not be carried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindingsError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A target is configured wrongly.
    #[error("target {target:?}: {reason}")]
    Target {
        /// Its name.
        target: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A secret cannot be had.
    #[error("secret {name}: {reason}; secrets come from environment variables or files, never from the configuration")]
    Secret {
        /// Variable or file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The operating system failed.
    #[error("cannot {during} {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done.
        during: &'static str,
        /// The system's error.
        source: std::io::Error,
    },
    /// A package that is damaged or none.
    #[error("{}: {reason}", path.display())]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something of the machinery of requests.
    #[error("cannot {during}: {reason}")]
    Machinery {
        /// What was being done.
        during: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl FindingsError {
    /// True where the same may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Store(fault) => fault.is_retryable(),
            _ => false,
        }
    }
}
