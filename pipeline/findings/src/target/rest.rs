//! Issue systems with a REST interface, spoken to by templates.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde_json::Value as Json;
use shorewatch_store::outbox::deliveries::Due;

use super::Answer;
use super::http::{Client, NoReply, Reply, Request};
use super::template::{Poll, RestTemplate, Step};
use super::webhook::answer;
use crate::event::CloudEvent;
use crate::retry::Meaning;
use crate::secret::Secret;

/// Steps that one template may take: an endless loop in a template ends.
const FUEL: u64 = 200_000;

/// A REST interface with its templates.
#[derive(Debug)]
pub struct Rest {
    template: RestTemplate,
    environment: Environment<'static>,
    known: BTreeMap<String, Value>,
}

/// What stopped a sequence of requests.
enum Stopped {
    Template(String),
    Silence(NoReply),
    Refused(Reply),
}

type Variables = BTreeMap<String, Value>;

impl Rest {
    pub(super) fn new(
        template: &RestTemplate,
        base: &str,
        user: Option<&str>,
        token: Option<&Secret>,
    ) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("b64", |text: String| BASE64.encode(text));
        let known = [
            ("base", Value::from(base.trim_end_matches('/'))),
            ("user", Value::from(user.unwrap_or_default())),
            ("token", Value::from(token.map_or("", Secret::text))),
        ];
        let own = template.variables.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let known = own.chain(known.into_iter().map(|(name, value)| (name.to_owned(), value))).collect();
        let rest = Self { template: template.clone(), environment, known };
        rest.check()?;
        Ok(rest)
    }

    /// Every template must be one.
    fn check(&self) -> Result<(), String> {
        let steps = self.template.create.iter().chain(&self.template.change);
        let of_steps = steps.flat_map(|step| {
            let own = [&step.when, &step.method, &step.url, &step.body, &step.done_if_contains];
            own.into_iter().chain(step.headers.values()).chain(step.expect.values())
        });
        let search = &self.template.search;
        let of_search = [&search.method, &search.url, &search.contains].into_iter().chain(search.headers.values());
        let of_poll = self
            .template
            .poll
            .iter()
            .flat_map(|poll| [&poll.method, &poll.url].into_iter().chain(poll.headers.values()));
        for text in of_steps.chain(of_search).chain(of_poll) {
            self.environment.template_from_str(text).map_err(|fault| format!("template {text:?}: {fault}"))?;
        }
        Ok(())
    }

    pub(super) async fn send(&self, client: &Client, due: &Due, event: &CloudEvent) -> Answer {
        match self.tell(client, due.external_id.clone(), event).await {
            Ok(external_id) => Answer::taken(None, external_id),
            Err(Stopped::Template(error)) => Answer::failed(Meaning::Never, None, error),
            Err(Stopped::Silence(NoReply { error, certain })) => {
                Answer::failed(Meaning::NotNow { certain }, None, error)
            }
            Err(Stopped::Refused(reply)) => answer(&reply),
        }
    }

    async fn tell(
        &self,
        client: &Client,
        known: Option<String>,
        event: &CloudEvent,
    ) -> Result<Option<String>, Stopped> {
        let mut variables = self.known.clone();
        variables.insert("event".to_owned(), Value::from_serialize(event));
        variables.insert("data".to_owned(), Value::from_serialize(&event.data));
        // the answer to a request that made the issue may have been lost
        let known = match known {
            Some(id) => Some(id),
            None => self.search(client, &variables).await?,
        };
        let made = known.is_none();
        if let Some(id) = known {
            variables.insert("id".to_owned(), Value::from(id));
        }
        let steps = if made { &self.template.create } else { &self.template.change };
        for step in steps {
            if !step.when.is_empty() && !self.render(&step.when, &variables)?.trim().eq_ignore_ascii_case("true") {
                continue;
            }
            let reply = self.request(client, step, &variables).await?;
            if !step.done_if_contains.is_empty() {
                let text = self.render(&step.done_if_contains, &variables)?;
                if !text.is_empty() && String::from_utf8_lossy(&reply.body).contains(&text) {
                    break;
                }
            }
            self.hold(&reply, step, &variables)?;
            capture(&reply, &step.capture, &mut variables)?;
        }
        Ok(variables.get("id").map(ToString::to_string))
    }

    async fn search(&self, client: &Client, variables: &Variables) -> Result<Option<String>, Stopped> {
        let search = &self.template.search;
        let step = Step {
            method: search.method.clone(),
            url: search.url.clone(),
            headers: search.headers.clone(),
            ..Step::default()
        };
        let reply = self.request(client, &step, variables).await?;
        let json = parse(&reply)?;
        let wanted = self.render(&search.contains, variables)?;
        let issues = json.pointer(&search.list).and_then(Json::as_array);
        let Some(issues) = issues else {
            return Err(Stopped::Template(format!("the answer to the search has no list at {:?}", search.list)));
        };
        let found = issues.iter().find(|issue| text_at(issue, &search.text).is_some_and(|text| text.contains(&wanted)));
        Ok(found.and_then(|issue| text_at(issue, &search.id)))
    }

    /// Asks where an issue stands: the system's word for it, what that means, and the outcome.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        external_id: &str,
    ) -> Result<Option<(String, Option<String>, Option<String>)>, String> {
        let Some(Poll { method, url, headers, state, states, outcome }) = &self.template.poll else { return Ok(None) };
        let mut variables = self.known.clone();
        variables.insert("id".to_owned(), Value::from(external_id));
        let step = Step { method: method.clone(), url: url.clone(), headers: headers.clone(), ..Step::default() };
        let json = match self.request(client, &step, &variables).await.and_then(|reply| parse(&reply)) {
            Ok(json) => json,
            Err(Stopped::Template(text) | Stopped::Silence(NoReply { error: text, .. })) => return Err(text),
            Err(Stopped::Refused(reply)) => return Err(answer(&reply).error.unwrap_or_default()),
        };
        let word = text_at(&json, state).ok_or_else(|| format!("the answer has no state at {state:?}"))?;
        let meaning = states.get(&word).cloned();
        let outcome = outcome.as_ref().and_then(|pointer| text_at(&json, pointer));
        Ok(Some((word, meaning, outcome)))
    }

    /// True where the system can be asked.
    pub(crate) const fn can_ask(&self) -> bool {
        self.template.poll.is_some()
    }

    async fn request(&self, client: &Client, step: &Step, variables: &Variables) -> Result<Reply, Stopped> {
        let headers = step.headers.iter().map(|(name, value)| Ok((name.clone(), self.render(value, variables)?)));
        let body = self.render(&step.body, variables)?;
        let request = Request {
            method: self.render(&step.method, variables)?,
            url: self.render(&step.url, variables)?,
            headers: headers.collect::<Result<_, Stopped>>()?,
            body: (!body.trim().is_empty()).then(|| body.into_bytes()),
        };
        let reply = client.send(&request, true).await.map_err(Stopped::Silence)?;
        if (200..300).contains(&reply.status) { Ok(reply) } else { Err(Stopped::Refused(reply)) }
    }

    /// The answer must have what the step expects.
    fn hold(&self, reply: &Reply, step: &Step, variables: &Variables) -> Result<(), Stopped> {
        for (pointer, wanted) in &step.expect {
            let wanted = self.render(wanted, variables)?;
            if wanted.is_empty() {
                continue;
            }
            let got = text_at(&parse(reply)?, pointer);
            if got.as_deref() != Some(wanted.as_str()) {
                let got = got.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
                return Err(Stopped::Template(format!(
                    "the issue system did not do what it was told: at {pointer:?} expected {wanted:?}, got {got}; give the account the \
                     right to it there, then `shorewatch deliver replay`"
                )));
            }
        }
        Ok(())
    }

    fn render(&self, text: &str, variables: &Variables) -> Result<String, Stopped> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        self.environment.render_str(text, variables).map_err(|fault| {
            Stopped::Template(format!("template {:?}: {fault}", text.chars().take(60).collect::<String>()))
        })
    }
}

fn parse(reply: &Reply) -> Result<Json, Stopped> {
    serde_json::from_slice(&reply.body).map_err(|fault| Stopped::Template(format!("the answer is no JSON: {fault}")))
}

fn text_at(json: &Json, pointer: &str) -> Option<String> {
    match json.pointer(pointer)? {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn capture(reply: &Reply, wanted: &BTreeMap<String, String>, variables: &mut Variables) -> Result<(), Stopped> {
    if wanted.is_empty() {
        return Ok(());
    }
    let json = parse(reply)?;
    for (name, pointer) in wanted {
        if let Some(pointer) = pointer.strip_suffix('?') {
            if let Some(text) = text_at(&json, pointer) {
                variables.insert(name.clone(), Value::from(text));
            }
            continue;
        }
        let text = text_at(&json, pointer)
            .ok_or_else(|| Stopped::Template(format!("the answer has nothing at {pointer:?} for {name:?}")))?;
        variables.insert(name.clone(), Value::from(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(name: &str) -> Rest {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/targets").join(name);
        let template = RestTemplate::parse(&std::fs::read_to_string(path).expect("a file")).expect("templates");
        Rest::new(&template, "http://127.0.0.1:1/", Some("admin"), Some(&Secret::new("hush"))).expect("ready")
    }

    #[test]
    fn ready_configurations_are_templates() {
        let rest = ready("redmine.toml");
        let told = |text: &str| rest.render(text, &rest.known).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(told("{{ not msg }}").to_lowercase(), "true");
        assert_eq!(
            told("{{ base }} {{ (user ~ ':' ~ token) | b64 }} {{ project }}"),
            "http://127.0.0.1:1 YWRtaW46aHVzaA== shorewatch"
        );
        assert_eq!(told("{\"text\": {{ 'a \"b\"\nc' | tojson }}}"), "{\"text\": \"a \\\"b\\\"\\nc\"}");
        assert!(rest.render("{% for i in range(1000000000) %}x{% endfor %}", &rest.known).is_err(), "a loop ends");
        ready("roundup.toml");
    }

    /// What a step of a ready configuration sends for an event, as JSON.
    fn sent(rest: &Rest, step: &Step, event: &CloudEvent, more: &[(&str, &str)]) -> Json {
        let mut variables = rest.known.clone();
        variables.insert("event".to_owned(), Value::from_serialize(event));
        variables.insert("data".to_owned(), Value::from_serialize(&event.data));
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
        let text = rest.render(&step.body, &variables).unwrap_or_else(|_| panic!("{}", step.body));
        serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
    }

    fn event(kind: crate::event::EventType, data: crate::event::FindingData) -> CloudEvent {
        CloudEvent {
            specversion: "1.0".to_owned(),
            id: "evt_1".to_owned(),
            source: "urn:test".to_owned(),
            kind,
            subject: data.finding_id.clone(),
            time: jiff::Timestamp::UNIX_EPOCH,
            datacontenttype: "application/json".to_owned(),
            dataschema: crate::event::DATA_SCHEMA.to_owned(),
            data,
        }
    }

    #[test]
    fn redmine_is_sent_json_however_little_is_known_and_a_subject_that_names_its_finding() {
        use crate::event::{EventType, FindingData};
        let rest = ready("redmine.toml");
        let data =
            FindingData { finding_id: "finding-p1".to_owned(), title: "长".repeat(300), ..FindingData::default() };
        let made = sent(&rest, &rest.template.create[0], &event(EventType::Confirmed, data.clone()), &[]);
        let subject = made["issue"]["subject"].as_str().expect("a subject");
        assert!(subject.ends_with("finding-p1") && subject.chars().count() <= 255, "{subject}");
        assert!(made["issue"].get("due_date").is_none(), "{made}");
        let put = rest.template.change.iter().find(|step| step.method == "PUT").expect("a change");
        for (kind, status) in [
            (EventType::Confirmed, Some(2)),
            (EventType::Updated, None),
            (EventType::Withdrawn, Some(6)),
            (EventType::Recurred, Some(2)),
            (EventType::ClosureSupported, None),
            (EventType::ClosureContradicted, Some(2)),
            (EventType::Unobserved, None),
        ] {
            for data in [data.clone(), FindingData::default()] {
                let told = event(kind, data);
                let new = sent(&rest, put, &told, &[("known", "{}"), ("status", "6"), ("id", "1")]);
                assert!(new["issue"]["notes"].as_str().is_some_and(|text| text.contains("evt_1")), "{new}");
                assert_eq!(new["issue"]["status_id"].as_i64(), status, "{kind:?}: {new}");
                let again = sent(&rest, put, &told, &[("known", "evt_1"), ("status", "6"), ("id", "1")]);
                assert!(again["issue"].get("notes").is_none(), "{again}");
            }
        }
    }
}
