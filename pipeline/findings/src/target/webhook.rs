//! Signed events.

use jiff::Timestamp;

use super::Answer;
use super::http::{Client, NoReply, Reply, Request};
use crate::event::CloudEvent;
use crate::retry::{self, Meaning};
use crate::secret::Secret;
use crate::signature;

pub(super) async fn send(client: &Client, url: &str, secrets: &[Secret], event: &CloudEvent) -> Answer {
    let body = match serde_json::to_vec(event) {
        Ok(body) => body,
        Err(fault) => return Answer::failed(Meaning::Never, None, fault.to_string()),
    };
    let now = Timestamp::now();
    let headers = [
        ("content-type", "application/cloudevents+json; charset=utf-8".to_owned()),
        (signature::ID, event.id.clone()),
        (signature::TIMESTAMP, now.as_second().to_string()),
        (signature::SIGNATURE, signature::sign(secrets, &event.id, now, &body)),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let request = Request { method: "POST".to_owned(), url: url.to_owned(), headers, body: Some(body) };
    match client.send(&request, false).await {
        Ok(reply) => answer(&reply),
        Err(NoReply { error, certain }) => Answer::failed(Meaning::NotNow { certain }, None, error),
    }
}

/// What a reply means, in words where it means trouble.
pub(super) fn answer(reply: &Reply) -> Answer {
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok());
    let meaning = retry::meaning(reply.status);
    if meaning == Meaning::Taken {
        return Answer::taken(Some(reply.status), None);
    }
    let words = match reply.status {
        300..=399 => format!(
            "a redirect (to {}) is a failure: findings go where the administrator said; correct the address",
            header("location").unwrap_or("nowhere")
        ),
        401 | 403 => "the target does not believe who we are; check the secret and the clock on both sides".to_owned(),
        410 => "the target wants nothing any more (410)".to_owned(),
        _ => {
            let said: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
            format!("status {}{}{}", reply.status, if said.is_empty() { "" } else { ": " }, said.trim())
        }
    };
    let mut answer = Answer::failed(meaning, Some(reply.status), words);
    if matches!(reply.status, 429 | 503) {
        answer.retry_at = header("retry-after").and_then(|value| retry::retry_after(value, Timestamp::now()));
    }
    answer
}
