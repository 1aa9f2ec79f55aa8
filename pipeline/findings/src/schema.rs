//! The published form of messages: JSON Schema and AsyncAPI, in `schema/` of this crate. A test holds the files to the code.

use serde_json::{Value, json};

use crate::event::CloudEvent;
use crate::receive::{IssueStateReport, PlaceReport};

/// JSON Schema (2020-12) of a message.
#[must_use]
pub fn message() -> Value {
    titled(schemars::schema_for!(CloudEvent).to_value(), "Message of Shorewatch about a finding (CloudEvents 1.0)")
}

/// JSON Schema of a report of the issue system.
#[must_use]
pub fn issue_report() -> Value {
    titled(schemars::schema_for!(IssueStateReport).to_value(), "Report of an issue system to Shorewatch")
}

/// JSON Schema of a public report.
#[must_use]
pub fn place_report() -> Value {
    titled(schemars::schema_for!(PlaceReport).to_value(), "Report of a place to Shorewatch")
}

fn titled(mut schema: Value, title: &str) -> Value {
    schema["title"] = title.into();
    schema
}

/// AsyncAPI 3.0 of what is sent and received.
#[must_use]
pub fn asyncapi() -> Value {
    let headers = json!({
        "type": "object",
        "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
        "properties": {
            "webhook-id": { "type": "string", "description": "Identity of the message: the same however often it is sent. Do nothing for one that you know." },
            "webhook-timestamp": { "type": "string", "description": "Unix time of sending in seconds; refuse what is more than 5 minutes off." },
            "webhook-signature": { "type": "string", "description": "v1,<base64 of HMAC-SHA256 over id.timestamp.body>; several, separated by spaces, while the secret is replaced." }
        }
    });
    let message = |schema: &str, content: &str| {
        json!({
            "contentType": content,
            "headers": headers,
            "payload": { "schemaFormat": "application/schema+json;version=draft-2020-12", "schema": { "$ref": schema } }
        })
    };
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shorewatch findings",
            "version": format!("{}", crate::event::SCHEMA_VERSION),
            "description": "Verified findings go to the issue system at least once, each under one id, those of one finding in their order. The issue system answers with reports. All messages are signed by the Standard Webhooks scheme.",
            "license": { "name": "MIT OR Apache-2.0" }
        },
        "defaultContentType": "application/json",
        "channels": {
            "findings": {
                "description": "The webhook of a target. 2xx alone is success; 429 and 503 with Retry-After are heeded; 410 ends all delivery; other 4xx are dead letters; redirects are failures.",
                "messages": { "finding": { "$ref": "#/components/messages/finding" } }
            },
            "reports": {
                "address": "/reports/{target}",
                "parameters": { "target": { "description": "Name of the target in the configuration." } },
                "description": "`shorewatch deliver receive`: what the issue system says of a finding.",
                "messages": { "report": { "$ref": "#/components/messages/report" } }
            },
            "places": {
                "address": "/places/{target}",
                "parameters": { "target": { "description": "Name of the target in the configuration." } },
                "description": "`shorewatch deliver receive`: places that the public reported.",
                "messages": { "place": { "$ref": "#/components/messages/place" } }
            }
        },
        "operations": {
            "sendFinding": { "action": "send", "channel": { "$ref": "#/channels/findings" } },
            "receiveReport": { "action": "receive", "channel": { "$ref": "#/channels/reports" } },
            "receivePlace": { "action": "receive", "channel": { "$ref": "#/channels/places" } }
        },
        "components": {
            "messages": {
                "finding": message("finding.schema.json", "application/cloudevents+json"),
                "report": message("report.schema.json", "application/json"),
                "place": message("place.schema.json", "application/json")
            }
        }
    })
}

/// The files of `schema/` by name.
#[must_use]
pub fn files() -> Vec<(&'static str, Value)> {
    vec![
        ("finding.schema.json", message()),
        ("report.schema.json", issue_report()),
        ("place.schema.json", place_report()),
        ("asyncapi.json", asyncapi()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With `SHOREWATCH_WRITE_SCHEMA=1` the files are written instead.
    #[test]
    fn the_published_files_are_those_of_the_code() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        for (name, schema) in files() {
            let (path, text) = (folder.join(name), format!("{schema:#}\n"));
            if std::env::var_os("SHOREWATCH_WRITE_SCHEMA").is_some() {
                std::fs::create_dir_all(&folder).expect("a folder");
                std::fs::write(&path, &text).expect("written");
            }
            let published = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                published == text,
                "{name} differs: run this test with SHOREWATCH_WRITE_SCHEMA=1 and look at the diff"
            );
        }
    }
}
