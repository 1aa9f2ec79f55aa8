//! What a server is told.

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use shorewatch_domain::sensor::SensorProfile;
use shorewatch_imagery::open::Limits;
use shorewatch_store::DecisionRules;

use crate::access::provider::settings::ProviderSettings;

/// What a server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The store.
    pub store: PathBuf,
    /// Profiles of the sensors whose passes are shown.
    pub sensors: Vec<SensorProfile>,
    /// What files of imagery may declare.
    pub limits: Limits,
    /// Where the page is reached from outside (`https://review.example.org`); `None` where browsers reach the server itself.
    pub origin: Option<String>,
    /// Hold time and the two-person rule.
    pub rules: DecisionRules,
    /// How long a patch is kept for a reviewer of whom nothing is heard.
    pub lease: SignedDuration,
    /// How long a browser stays logged in.
    pub session: SignedDuration,
    /// Attempts to log in from one address in a minute.
    pub log_ins_per_minute: u32,
    /// Requests of one account in a second, on the average of ten.
    pub requests_per_second: u32,
    /// Connections that read the store at the same time.
    pub readers: usize,
    /// The identity provider that lets people in, where there is one beside passwords.
    pub provider: Option<ProviderSettings>,
    /// Bytes of a photograph.
    pub most_photo_bytes: usize,
}

impl Settings {
    /// The folder that the store lies in, with pictures and photographs.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        let folder = self.store.parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).to_path_buf()
    }

    /// Defaults for a store.
    #[must_use]
    pub fn of_store(store: PathBuf) -> Self {
        Self {
            store,
            sensors: Vec::new(),
            limits: Limits::default(),
            origin: None,
            rules: DecisionRules::default(),
            lease: SignedDuration::from_mins(5),
            session: SignedDuration::from_hours(12),
            log_ins_per_minute: 20,
            requests_per_second: 100,
            readers: 4,
            provider: None,
            most_photo_bytes: 12 << 20,
        }
    }
}
