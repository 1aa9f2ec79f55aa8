//! Targets and rules, as the configuration has them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use shorewatch_domain::case::CaseRules;

use crate::hosts::AllowedHosts;
use crate::retry::RetryRules;
use crate::secret::SecretSource;
use crate::target::template::RestTemplate;

/// Everything that delivery needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who speaks: the `source` of events, a URI.
    pub source: String,
    /// True where the imagery is painted: every message says so.
    pub synthetic: bool,
    /// Whom anything may be sent to.
    pub hosts: AllowedHosts,
    /// Where findings go.
    pub targets: Vec<Target>,
    /// How tries are spaced.
    pub retry: RetryRules,
    /// How long one request may take.
    pub timeout: Duration,
    /// An alarm stands where the oldest message that was not sent is older.
    pub alarm_after: SignedDuration,
    /// Days after a closure on which the place is looked back at.
    pub look_back_days: Vec<u16>,
    /// When a place counts as observed, there and gone.
    pub cases: CaseRules,
    /// Folder that the paths of pictures are relative to: that of the store.
    pub picture_folder: PathBuf,
    /// Where pictures are fetched by link, where that is so.
    pub links: Option<LinkSettings>,
    /// Address that reports are received at.
    pub listen: SocketAddr,
    /// Text file of figures, rewritten in each round, where it is wanted.
    pub metrics_file: Option<PathBuf>,
}

/// Links to pictures that end.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkSettings {
    /// Address of `shorewatch deliver receive` as a reader of messages reaches it.
    pub base: String,
    /// How long a link holds.
    pub valid: SignedDuration,
    /// What signs it.
    pub secret: SecretSource,
}

/// One place that findings go to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Names and telephone numbers of officials may be sent there.
    pub personal_data: bool,
    /// How pictures go along.
    pub pictures: Pictures,
    /// Requests at the same time.
    pub concurrency: usize,
    /// A certificate authority (PEM) beside the known ones.
    pub certificate_authority: Option<PathBuf>,
    /// What signs reports from there, the current secret first.
    pub report_secrets: Vec<SecretSource>,
    /// How it is spoken to.
    pub kind: TargetKind,
}

/// How pictures go along with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pictures {
    /// Only their hashes.
    #[default]
    None,
    /// In the message, in base64.
    Embedded,
    /// As links that end.
    Links,
}

/// How a target is spoken to.
#[derive(Clone, Debug)]
pub enum TargetKind {
    /// Signed events.
    Webhook {
        /// Where they go.
        url: String,
        /// What signs them: the current secret, and the one before while it is being replaced.
        secrets: Vec<SecretSource>,
    },
    /// Requests by templates.
    Rest {
        /// Beginning of every address.
        base: String,
        /// The templates.
        template: Box<RestTemplate>,
        /// Name of the account, where the system wants one.
        user: Option<String>,
        /// Its key or password.
        token: Option<SecretSource>,
    },
    /// Files in a folder.
    Folder {
        /// The folder.
        path: PathBuf,
        /// Most findings a file.
        batch: usize,
    },
}
