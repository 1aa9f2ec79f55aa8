//! Sending to one target.

use std::sync::Arc;

use jiff::Timestamp;
use shorewatch_store::outbox::deliveries::{Attempt, Due, Ended};

use crate::FindingsError;
use crate::event::CloudEvent;
use crate::event::picture::Links;
use crate::hosts::AllowedHosts;
use crate::retry::{Meaning, RetryRules};
use crate::secret::{Secret, SecretSource};
use crate::settings::{Pictures, Settings, Target, TargetKind};

pub mod folder;
pub mod http;
pub mod rest;
pub mod template;
mod webhook;

use http::Client;

/// What one attempt came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// What it means.
    pub meaning: Meaning,
    /// Status of the answer, where there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<String>,
    /// Id of the finding at the target, where the answer told it.
    pub external_id: Option<String>,
    /// When the target wants to be asked again, where it said so.
    pub retry_at: Option<Timestamp>,
}

impl Answer {
    /// The target took it.
    #[must_use]
    pub const fn taken(status: Option<u16>, external_id: Option<String>) -> Self {
        Self { meaning: Meaning::Taken, status, error: None, external_id, retry_at: None }
    }

    /// Nothing came of it.
    #[must_use]
    pub const fn failed(meaning: Meaning, status: Option<u16>, error: String) -> Self {
        Self { meaning, status, error: Some(error), external_id: None, retry_at: None }
    }

    /// What the store has to know. A message that is tried for too long is given up.
    #[must_use]
    pub fn attempt(self, due: &Due, retry: &RetryRules, now: Timestamp) -> Attempt {
        let again = |certain| {
            let wait = retry.wait(due.attempt, &due.event_id);
            let at = now.checked_add(wait).unwrap_or(now).max(self.retry_at.unwrap_or(now));
            if now.duration_since(due.created_at) > retry.give_up_after {
                Ended::Dead { certain }
            } else {
                Ended::Again { at, certain }
            }
        };
        let ended = match self.meaning {
            Meaning::Taken => Ended::Delivered,
            Meaning::NotNow { certain } => again(certain),
            Meaning::Never => Ended::Dead { certain: true },
            Meaning::Gone => again(true),
        };
        Attempt {
            event: due.event,
            event_id: due.event_id.clone(),
            finding_id: due.finding_id.clone(),
            ended,
            status_code: self.status,
            error: self.error,
            external_id: self.external_id,
        }
    }
}

/// A target that can be sent to: its client is built and its secrets are read.
#[derive(Debug)]
pub struct Ready {
    /// As configured.
    pub target: Target,
    client: Client,
    secrets: Vec<Secret>,
    rest: Option<rest::Rest>,
    links: Option<Links>,
}

impl Ready {
    /// Makes a target ready.
    ///
    /// # Errors
    /// A secret is missing, the address is not allowed, a template or a certificate cannot be read.
    pub fn new(target: &Target, settings: &Settings, hosts: &Arc<AllowedHosts>) -> Result<Self, FindingsError> {
        let wrong = |reason: String| FindingsError::Target { target: target.name.clone(), reason };
        let client = Client::new(hosts, settings.timeout, target.certificate_authority.as_deref()).map_err(wrong)?;
        let read = |sources: &[SecretSource]| sources.iter().map(SecretSource::read).collect::<Result<Vec<_>, _>>();
        let (mut secrets, mut ready_rest) = (Vec::new(), None);
        match &target.kind {
            TargetKind::Webhook { url, secrets: sources } => {
                client.allowed(url).map_err(wrong)?;
                secrets = read(sources)?;
                if secrets.is_empty() {
                    return Err(wrong("a webhook needs a secret (secret_env or secret_file)".to_owned()));
                }
            }
            TargetKind::Rest { base, template, user, token } => {
                client.allowed(base).map_err(wrong)?;
                let token = token.as_ref().map(SecretSource::read).transpose()?;
                let rest = rest::Rest::new(template, base, user.as_deref(), token.as_ref()).map_err(wrong)?;
                ready_rest = Some(rest);
            }
            TargetKind::Folder { path, .. } => {
                if !path.is_dir() {
                    return Err(wrong(format!("there is no folder {}; make it, or correct the path", path.display())));
                }
            }
        }
        let links = (target.pictures == Pictures::Links).then(|| {
            let links = settings.links.as_ref();
            let links = links.ok_or_else(|| wrong("pictures = \"links\" needs [delivery.links]".to_owned()))?;
            Ok::<_, FindingsError>(Links { base: links.base.clone(), valid: links.valid, secret: links.secret.read()? })
        });
        Ok(Self { target: target.clone(), client, secrets, rest: ready_rest, links: links.transpose()? })
    }

    /// How links to pictures are made, where it wants them.
    #[must_use]
    pub const fn links(&self) -> Option<&Links> {
        self.links.as_ref()
    }

    /// Sends one message.
    pub async fn send(&self, due: &Due, event: &CloudEvent) -> Answer {
        match (&self.target.kind, &self.rest) {
            (TargetKind::Webhook { url, .. }, _) => webhook::send(&self.client, url, &self.secrets, event).await,
            (TargetKind::Rest { .. }, Some(rest)) => rest.send(&self.client, due, event).await,
            (TargetKind::Rest { .. } | TargetKind::Folder { .. }, _) => {
                Answer::failed(Meaning::Never, None, "this target takes files, not messages".to_owned())
            }
        }
    }

    /// Its templates and client, where it is a REST interface.
    pub(crate) fn rest(&self) -> Option<(&rest::Rest, &Client)> {
        self.rest.as_ref().map(|rest| (rest, &self.client))
    }
}
