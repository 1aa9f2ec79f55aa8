//! A receiver that fails in every way that we could think of, and senders that are killed.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

pub mod receiver;
pub mod storm;

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shorewatch_domain::case::CaseRules;
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_findings::hosts::AllowedHosts;
use shorewatch_findings::retry::RetryRules;
use shorewatch_findings::secret::SecretSource;
use shorewatch_findings::settings::{Pictures, Settings, Target, TargetKind};
use shorewatch_store::Store;
use shorewatch_store::outbox::Decided;

/// Variable with the secret of all webhooks of these tests.
pub const SECRET: &str = "SHOREWATCH_TEST_WEBHOOK_SECRET";
/// The secret.
pub const SECRET_TEXT: &str = "whsec_c2hvcmV3YXRjaC10ZXN0LXNlY3JldA==";

/// Sets the secret for this process and its children.
#[allow(unsafe_code, reason = "set before any thread of the test reads the environment; the same value everywhere")]
pub fn set_secret() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // SAFETY: done once, before the test starts threads of its own that could read the environment.
    ONCE.call_once(|| unsafe { std::env::set_var(SECRET, SECRET_TEXT) });
}

/// Settings for targets on this machine.
pub fn settings(folder: &Path, targets: Vec<Target>, hosts: Vec<String>) -> Settings {
    Settings {
        source: "urn:shorewatch:test".to_owned(),
        synthetic: true,
        hosts: AllowedHosts { public: Vec::new(), private: hosts },
        targets,
        retry: RetryRules {
            first: SignedDuration::from_millis(40),
            longest: SignedDuration::from_millis(400),
            give_up_after: SignedDuration::from_hours(24),
            circuit_after: 20,
        },
        timeout: Duration::from_millis(1_500),
        alarm_after: SignedDuration::from_mins(10),
        look_back_days: vec![30],
        cases: CaseRules::default(),
        picture_folder: folder.to_path_buf(),
        links: None,
        listen: ([127, 0, 0, 1], 0).into(),
        metrics_file: None,
    }
}

/// A webhook target.
pub fn webhook(name: &str, url: &str) -> Target {
    Target {
        name: name.to_owned(),
        personal_data: false,
        pictures: Pictures::None,
        concurrency: 64,
        certificate_authority: None,
        report_secrets: vec![SecretSource::Variable(SECRET.to_owned())],
        kind: TargetKind::Webhook { url: url.to_owned(), secrets: vec![SecretSource::Variable(SECRET.to_owned())] },
    }
}

/// A decision on a patch.
pub fn decided(number: usize, patch_id: &str, verdict: &str, severity: &str) -> Decided {
    Decided {
        decision_id: format!("decision-{number:07}"),
        patch_id: patch_id.to_owned(),
        case_id: None,
        verdict: DecisionVerdict::ALL.into_iter().find(|known| known.name() == verdict),
        corrected: serde_json::json!({ "severity": severity }),
        decided_at: Timestamp::now(),
    }
}

/// A new store.
pub fn store(folder: &Path) -> Store {
    Store::create_or_open(folder.join("shorewatch.gpkg"), Timestamp::now()).expect("a store")
}

/// Small, seeded, good enough for faults.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }
}
