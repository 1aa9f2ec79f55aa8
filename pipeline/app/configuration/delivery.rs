//! Delivery of findings: which issue systems, and how. Decides no result.
//!
//! The comments of what was typed become the descriptions in the JSON Schema.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shorewatch_domain::case::CaseRules;
use shorewatch_findings::hosts::AllowedHosts;
use shorewatch_findings::retry::RetryRules;
use shorewatch_findings::secret::SecretSource;
use shorewatch_findings::settings::{LinkSettings, Pictures, Settings, Target, TargetKind};
use shorewatch_findings::target::template::RestTemplate;

use super::document::at;
use super::resolve::Resolver;

/// Delivery of findings (`shorewatch deliver`) and the way back. Decides no result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverySection {
    /// Who speaks: the `source` of events, a URI.
    #[schemars(length(min = 1))]
    pub source: String,
    /// Hosts on the internet that anything may be sent to, `host` or `host:port`, by HTTPS. Names that lead to private
    /// addresses are refused.
    pub allowed_hosts: Vec<String>,
    /// Hosts inside the own network, `host` or `host:port`; HTTP is allowed there.
    pub allowed_private_hosts: Vec<String>,
    /// How long one request may take, in seconds.
    #[schemars(range(min = 1, max = 600))]
    pub timeout_s: u32,
    /// Days after which a message that cannot be delivered is given up (a dead letter).
    #[schemars(range(min = 1, max = 365))]
    pub give_up_after_days: u32,
    /// Longest wait between two tries, in minutes.
    #[schemars(range(min = 1, max = 1_440))]
    pub longest_wait_minutes: u32,
    /// Alarm where the oldest message that was not delivered is older, in minutes.
    #[schemars(range(min = 1, max = 100_000))]
    pub alarm_after_minutes: u32,
    /// Days after a closure on which the place is looked back at (回头看).
    #[schemars(inner(range(min = 1, max = 3_650)))]
    pub look_back_days: Vec<u16>,
    /// Address and port that `shorewatch deliver receive` listens at. Put TLS in front of it.
    #[schemars(length(min = 1))]
    pub listen: String,
    /// Text file of figures (Prometheus), rewritten while delivering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_file: Option<String>,
    /// Address of `shorewatch deliver receive` as readers of messages reach it, for pictures = "links".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links_base: Option<String>,
    /// Days that links to pictures hold.
    #[schemars(range(min = 1, max = 3_650))]
    pub links_valid_days: u32,
    /// Where the secret of links comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links_secret_env: Option<String>,
    /// Issue systems.
    pub targets: Vec<TargetEntry>,
}

impl Default for DeliverySection {
    fn default() -> Self {
        Self {
            source: "urn:shorewatch".to_owned(),
            allowed_hosts: Vec::new(),
            allowed_private_hosts: Vec::new(),
            timeout_s: 30,
            give_up_after_days: 7,
            longest_wait_minutes: 360,
            alarm_after_minutes: 60,
            look_back_days: vec![30, 90, 180],
            listen: "127.0.0.1:8747".to_owned(),
            metrics_file: None,
            links_base: None,
            links_valid_days: 30,
            links_secret_env: None,
            targets: Vec::new(),
        }
    }
}

/// One issue system.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetEntry {
    /// Its name: letters, digits, `-` and `_`. Renamed, it is another target, and everything is delivered to it.
    #[schemars(length(min = 1))]
    pub name: String,
    /// How it is spoken to.
    pub kind: TargetWord,
    /// Address of the webhook, or beginning of the addresses of a REST interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Templates of a REST interface (`configs/targets/*.toml`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Name of the account at a REST interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Folder that batches are written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Most messages a batch.
    #[serde(default = "batch")]
    #[schemars(range(min = 1, max = 10_000))]
    pub batch: u32,
    /// Environment variable with the secret: what signs a webhook (`whsec_…`), or key or password of a REST interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_env: Option<String>,
    /// File with the secret; only its owner may read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<String>,
    /// The secret before this one, while it is being replaced: messages carry both signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret_env: Option<String>,
    /// The same from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_secret_file: Option<String>,
    /// Environment variable with the secret that signs reports from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_secret_env: Option<String>,
    /// The one before, while it is being replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_report_secret_env: Option<String>,
    /// Names of chiefs may be sent there: personal data.
    #[serde(default)]
    pub personal_data: bool,
    /// How pictures go along.
    #[serde(default)]
    pub pictures: PictureWord,
    /// Requests at the same time.
    #[serde(default = "concurrency")]
    #[schemars(range(min = 1, max = 256))]
    pub concurrency: u32,
    /// File (PEM) of a certificate authority beside the known ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority: Option<String>,
}

const fn batch() -> u32 {
    500
}

const fn concurrency() -> u32 {
    16
}

/// How a target is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetWord {
    /// Signed events (CloudEvents, Standard Webhooks).
    Webhook,
    /// Requests by templates.
    Rest,
    /// Files in a folder.
    Folder,
}

/// How pictures go along.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PictureWord {
    /// Only their hashes.
    #[default]
    None,
    /// In the message.
    Embedded,
    /// As links that end.
    Links,
}

/// Delivery as typed → resolved; faults go to the resolver.
pub(super) fn resolve(
    typed: &DeliverySection,
    cases: &CaseRules,
    output_folder: &Path,
    synthetic: bool,
    resolver: &mut Resolver<'_>,
) -> Settings {
    let listen = typed.listen.parse().unwrap_or_else(|_| {
        resolver.refuse(
            at!["delivery", "listen"],
            format!("{:?} is no address with a port", typed.listen),
            "give one such as \"127.0.0.1:8747\"",
        );
        ([127, 0, 0, 1], 0).into()
    });
    let links = match (&typed.links_base, &typed.links_secret_env) {
        (Some(base), Some(variable)) => Some(LinkSettings {
            base: base.clone(),
            valid: days(typed.links_valid_days),
            secret: SecretSource::Variable(variable.clone()),
        }),
        (None, None) => None,
        _ => {
            let help = "give both links_base and links_secret_env, or neither";
            resolver.refuse(at!["delivery"], "links to pictures need an address and a secret", help);
            None
        }
    };
    let mut targets: Vec<Target> = Vec::new();
    for (i, entry) in typed.targets.iter().enumerate() {
        let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        if !entry.name.chars().all(plain) || targets.iter().any(|known| known.name == entry.name) {
            let message = format!("{:?} is no name, or stands here twice", entry.name);
            resolver.refuse(
                at!["delivery", "targets", i, "name"],
                message,
                "give each target a name of letters, digits, - and _",
            );
        }
        targets.extend(target(i, entry, resolver));
    }
    Settings {
        source: typed.source.clone(),
        synthetic,
        hosts: AllowedHosts { public: typed.allowed_hosts.clone(), private: typed.allowed_private_hosts.clone() },
        targets,
        retry: RetryRules {
            give_up_after: days(typed.give_up_after_days),
            longest: SignedDuration::from_mins(i64::from(typed.longest_wait_minutes)),
            ..RetryRules::default()
        },
        timeout: Duration::from_secs(u64::from(typed.timeout_s)),
        alarm_after: SignedDuration::from_mins(i64::from(typed.alarm_after_minutes)),
        look_back_days: typed.look_back_days.clone(),
        cases: cases.clone(),
        picture_folder: output_folder.to_owned(),
        links,
        listen,
        metrics_file: typed.metrics_file.as_ref().map(|file| resolver.path(at!["delivery", "metrics_file"], file)),
    }
}

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

fn target(i: usize, entry: &TargetEntry, resolver: &mut Resolver<'_>) -> Option<Target> {
    let key = |name: &'static str| ["delivery".into(), "targets".into(), i.into(), name.into()];
    let kind = match entry.kind {
        TargetWord::Webhook => {
            let current = source(entry.secret_env.as_ref(), entry.secret_file.as_ref(), &key("secret_file"), resolver);
            let (variable, file) = (entry.previous_secret_env.as_ref(), entry.previous_secret_file.as_ref());
            let previous = source(variable, file, &key("previous_secret_file"), resolver);
            if current.is_none() {
                resolver.refuse(&key("name"), "a webhook needs a secret", "give secret_env or secret_file");
            }
            let secrets = current.into_iter().chain(previous).collect();
            TargetKind::Webhook { url: needed(entry.url.as_ref(), "url", &key("url"), resolver)?, secrets }
        }
        TargetWord::Rest => TargetKind::Rest {
            base: needed(entry.url.as_ref(), "url", &key("url"), resolver)?,
            template: Box::new(template(entry, &key("template"), resolver)?),
            user: entry.user.clone(),
            token: source(entry.secret_env.as_ref(), entry.secret_file.as_ref(), &key("secret_file"), resolver),
        },
        TargetWord::Folder => {
            let folder = needed(entry.folder.as_ref(), "folder", &key("folder"), resolver)?;
            TargetKind::Folder { path: resolver.path(&key("folder"), &folder), batch: entry.batch as usize }
        }
    };
    let variables = [&entry.report_secret_env, &entry.previous_report_secret_env];
    Some(Target {
        name: entry.name.clone(),
        personal_data: entry.personal_data,
        pictures: match entry.pictures {
            PictureWord::None => Pictures::None,
            PictureWord::Embedded => Pictures::Embedded,
            PictureWord::Links => Pictures::Links,
        },
        concurrency: entry.concurrency as usize,
        certificate_authority: entry
            .certificate_authority
            .as_ref()
            .map(|file| resolver.path(&key("certificate_authority"), file)),
        report_secrets: variables.into_iter().flatten().cloned().map(SecretSource::Variable).collect(),
        kind,
    })
}

type Key<'a> = [super::document::Step<'a>; 4];

fn needed(value: Option<&String>, name: &str, key: &Key<'_>, resolver: &mut Resolver<'_>) -> Option<String> {
    if value.is_none() {
        resolver.refuse(key, format!("a target of this kind needs `{name}`"), "give it, or choose another kind");
    }
    value.cloned()
}

fn source(
    variable: Option<&String>,
    file: Option<&String>,
    key: &Key<'_>,
    resolver: &mut Resolver<'_>,
) -> Option<SecretSource> {
    match (variable, file) {
        (Some(_), Some(_)) => {
            resolver.refuse(key, "a secret comes from a variable or from a file, not from both", "remove one of them");
            None
        }
        (Some(variable), None) => Some(SecretSource::Variable(variable.clone())),
        (None, Some(file)) => Some(SecretSource::File(resolver.path(key, file))),
        (None, None) => None,
    }
}

fn template(entry: &TargetEntry, key: &Key<'_>, resolver: &mut Resolver<'_>) -> Option<RestTemplate> {
    let file = needed(entry.template.as_ref(), "template", key, resolver)?;
    let path = resolver.path(key, &file);
    let read = std::fs::read_to_string(&path).map_err(|fault| fault.to_string());
    match read.and_then(|text| RestTemplate::parse(&text)) {
        Ok(template) => Some(template),
        Err(fault) => {
            resolver.refuse(key, format!("{}: {fault}", path.display()), "configs/targets has some to start from");
            None
        }
    }
}
