//! Templates of a REST interface: which requests make an issue of a finding.
//!
//! Method, address, headers and body are templates (minijinja). What they may use: `event` (the message), `data` (its data),
//! `base`, `user`, `token`, `id` (of the issue, once it is known) and what earlier steps captured. `tojson` writes a value into
//! a JSON body, `urlencode` into an address, `b64` into a Basic header.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file of templates.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestTemplate {
    /// Version of this file format: 1.
    pub schema_version: u32,
    /// What it is for.
    pub description: String,
    /// Values of this installation that the templates use, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Looks for the issue of a finding before one is made: the answer to a request to make one may have been lost.
    pub search: Search,
    /// Makes an issue; one step must capture `id`.
    pub create: Vec<Step>,
    /// Tells an issue that is there what is new.
    pub change: Vec<Step>,
    /// Asks where the issue stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
}

/// One request.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// The step is taken where this is empty or renders to `true`.
    pub when: String,
    /// Method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: String,
    /// Values of the answer that later steps use, by name: JSON pointers; with a `?` at the end where there may be none.
    pub capture: BTreeMap<String, String>,
    /// Where the answer contains this text, the steps that follow are left out: it is done already.
    pub done_if_contains: String,
    /// What the answer must have, by JSON pointer (a template each; where one renders to nothing, nothing is expected). For systems
    /// that answer that all is well and leave out what the account may not do: such a message becomes a dead letter.
    pub expect: BTreeMap<String, String>,
}

/// Looks for an issue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON pointer to the list of issues.
    pub list: String,
    /// JSON pointer, within an issue, to the text that names the finding.
    pub text: String,
    /// What that text must contain.
    pub contains: String,
    /// JSON pointer, within an issue, to its id.
    pub id: String,
}

/// Asks for an issue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// Method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON pointer to the state.
    pub state: String,
    /// What the system's states mean: accepted, dispatched, rectifying, closure_requested, closed, returned. Others say
    /// nothing.
    pub states: BTreeMap<String, String>,
    /// JSON pointer to an outcome code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

impl RestTemplate {
    /// Reads a file of templates.
    ///
    /// # Errors
    /// It is no such file, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let template: Self = toml::from_str(text).map_err(|fault| fault.to_string())?;
        if template.schema_version != 1 {
            return Err(format!("schema_version: expected 1, got {}", template.schema_version));
        }
        if template.create.is_empty() || template.change.is_empty() {
            return Err("create and change: expected at least one step each".to_owned());
        }
        if !template.create.iter().any(|step| step.capture.contains_key("id")) {
            return Err("create: one step must capture `id`, the issue's".to_owned());
        }
        let unknown = template
            .poll
            .iter()
            .flat_map(|poll| poll.states.values())
            .find(|state| shorewatch_domain::finding::IssueState::from_name(state).is_none());
        match unknown {
            Some(state) => Err(format!(
                "poll.states: {state:?} is none of accepted, dispatched, rectifying, closure_requested, closed, returned"
            )),
            None => Ok(template),
        }
    }
}
