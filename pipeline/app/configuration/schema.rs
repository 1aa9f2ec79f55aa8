//! The JSON Schema of the run configuration, and the check of a file against it.
//!
//! One source of truth: the types in [`super::run`]. Serde stops at the first fault; this check lists them all, with
//! places. It understands the keywords that those types produce, and a test holds that it understands all of them.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use super::document::{Document, Node, Value};
use super::faults::ConfigurationFault;

/// The schema of a type, all in one piece; TOML has no null, so optional keys are simply not required.
pub(super) fn schema_of<T: JsonSchema>() -> Json {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    without_null(&mut schema);
    schema
}

fn without_null(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(without_null),
        Json::Object(object) => {
            if object.get("default").is_some_and(Json::is_null) {
                object.remove("default");
            }
            if let Some(Json::Array(kinds)) = object.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [only] = kinds.as_slice() {
                    object["type"] = only.clone();
                }
            }
            if let Some(Json::Array(mut choices)) = object.remove("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Json::Object(only)] = choices.as_slice() {
                    for (key, value) in only {
                        object.entry(key.clone()).or_insert_with(|| value.clone());
                    }
                } else {
                    object.insert("anyOf".to_owned(), Json::Array(choices));
                }
            }
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// Adds every fault of the document against the schema.
pub(super) fn check(document: &Document, schema: &Json, faults: &mut Vec<ConfigurationFault>) {
    Checker { document, faults }.value(&document.root, schema, "");
}

struct Checker<'a> {
    document: &'a Document,
    faults: &'a mut Vec<ConfigurationFault>,
}

impl Checker<'_> {
    fn refuse(&mut self, node: &Node, schema: &Json, message: String) {
        self.faults.push(self.document.fault_at_span(node.span.clone(), message, description(schema)));
    }

    fn value(&mut self, node: &Node, schema: &Json, name: &str) {
        if let Some(Json::Array(choices)) = schema.get("anyOf") {
            return self.any_of(node, choices, schema, name);
        }
        let expected = schema["type"].as_str();
        let kind = node.kind();
        match (&node.value, expected) {
            (Value::Table(entries), Some("object")) => self.table(node, entries, schema, name),
            (Value::Array(items), Some("array")) => self.array(node, items, schema, name),
            (Value::String(text), Some("string")) => self.string(node, text, schema, name),
            (Value::String(text), None) if schema.get("oneOf").is_some() => self.string(node, text, schema, name),
            (Value::Integer(None), Some("integer" | "number")) => {
                self.refuse(node, schema, format!("`{name}`: the number is too large"));
            }
            (Value::Integer(Some(number)), Some("integer" | "number")) => {
                self.number(node, *number as f64, &number.to_string(), schema, name);
            }
            (Value::Float(number), Some("number")) => {
                self.number(node, *number, &number.to_string(), schema, name);
            }
            (Value::Boolean, Some("boolean")) => {}
            (_, expected) => {
                self.refuse(node, schema, format!("`{name}`: expected {}, got {kind}", kind_name(expected)));
            }
        }
    }

    /// A value that may be of several kinds: it is checked against the one that it is of.
    fn any_of(&mut self, node: &Node, choices: &[Json], schema: &Json, name: &str) {
        let is_of = |choice: &&Json| match (&node.value, choice["type"].as_str()) {
            (Value::Table(_), kind) => kind == Some("object"),
            (Value::Array(_), kind) => kind == Some("array"),
            (Value::String(_), kind) => kind == Some("string"),
            (Value::Integer(_), kind) => matches!(kind, Some("integer" | "number")),
            (Value::Float(_), kind) => kind == Some("number"),
            (Value::Boolean, kind) => kind == Some("boolean"),
            (Value::DateTime, _) => false,
        };
        match choices.iter().find(is_of) {
            Some(choice) => self.value(node, choice, name),
            None => {
                let kinds: Vec<&str> = choices.iter().map(|choice| kind_name(choice["type"].as_str())).collect();
                let message = format!("`{name}`: expected {}, got {}", kinds.join(" or "), node.kind());
                self.refuse(node, schema, message);
            }
        }
    }

    fn table(
        &mut self,
        node: &Node,
        entries: &std::collections::BTreeMap<String, (std::ops::Range<usize>, Node)>,
        schema: &Json,
        name: &str,
    ) {
        let empty = Map::new();
        let properties = schema["properties"].as_object().unwrap_or(&empty);
        let qualified = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        for (key, (span, value)) in entries {
            match properties.get(key).or_else(|| schema.get("additionalProperties").filter(|any| any.is_object())) {
                Some(property) => self.value(value, property, &qualified(key)),
                None => {
                    let place = if name.is_empty() { "at the top".to_owned() } else { format!("in `{name}`") };
                    let help = suggestion(key, properties.keys().map(String::as_str));
                    let message = format!("unknown key `{key}` {place}");
                    self.faults.push(self.document.fault_at_span(span.clone(), message, Some(help)));
                }
            }
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            if !entries.contains_key(key) {
                let message = format!("`{}` is missing", qualified(key));
                self.refuse(node, properties.get(key).unwrap_or(&Json::Null), message);
            }
        }
    }

    fn array(&mut self, node: &Node, items: &[Node], schema: &Json, name: &str) {
        if let Some(minimum) = schema["minItems"].as_u64()
            && (items.len() as u64) < minimum
        {
            self.refuse(node, schema, format!("`{name}`: expected at least {minimum} item, got {}", items.len()));
        }
        for (i, item) in items.iter().enumerate() {
            self.value(item, &schema["items"], &format!("{name}[{i}]"));
        }
    }

    fn string(&mut self, node: &Node, text: &str, schema: &Json, name: &str) {
        if let Some(minimum) = schema["minLength"].as_u64()
            && (text.chars().count() as u64) < minimum
        {
            self.refuse(node, schema, format!("`{name}`: {text:?} is too short"));
        }
        let choices = choices(schema);
        if !choices.is_empty() && !choices.contains(&text) {
            let message = format!("`{name}`: expected one of {}, got {text:?}", choices.join(", "));
            self.refuse(node, schema, message);
        }
    }

    fn number(&mut self, node: &Node, number: f64, shown: &str, schema: &Json, name: &str) {
        if !number.is_finite() {
            self.refuse(node, schema, format!("`{name}`: expected a finite number, got {shown}"));
        }
        if let Some(minimum) = schema["minimum"].as_f64()
            && number < minimum
        {
            self.refuse(node, schema, format!("`{name}`: expected at least {minimum}, got {shown}"));
        }
        if let Some(maximum) = schema["maximum"].as_f64()
            && number > maximum
        {
            self.refuse(node, schema, format!("`{name}`: expected at most {maximum}, got {shown}"));
        }
    }
}

/// A kind of value with its article, as messages ask for it.
fn kind_name(kind: Option<&str>) -> &'static str {
    match kind {
        Some("object") => "a table",
        Some("array") => "a list",
        Some("integer") => "an integer",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ => "a string in quotes",
    }
}

fn choices(schema: &Json) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten();
    let described = schema["oneOf"].as_array().into_iter().flatten().map(|choice| &choice["const"]);
    listed.chain(described).filter_map(Json::as_str).collect()
}

fn description(schema: &Json) -> Option<String> {
    schema["description"].as_str().map(|text| text.replace('\n', " "))
}

/// "did you mean …", or what there is.
pub(super) fn suggestion<'a>(got: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    match known.iter().map(|name| (edit_distance(got, name), name)).min() {
        Some((distance, name)) if distance <= 1 + got.chars().count() / 4 => format!("did you mean `{name}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The schema with its address, for files and editors.
pub(super) fn printed(mut schema: Json) -> String {
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), json!("Shorewatch run configuration"));
    }
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests {
    use shorewatch_law::rules::IssuesFile;

    use super::*;
    use crate::configuration::RunConfiguration;

    /// Walks schemas only: names of properties are no keywords.
    fn keywords(schema: &Json, out: &mut std::collections::BTreeSet<String>) {
        let Some(object) = schema.as_object() else { return };
        for (key, value) in object {
            out.insert(key.clone());
            match (key.as_str(), value) {
                ("properties", Json::Object(properties)) => properties.values().for_each(|each| keywords(each, out)),
                ("oneOf" | "anyOf", Json::Array(choices)) => choices.iter().for_each(|each| keywords(each, out)),
                ("items" | "additionalProperties", items) => keywords(items, out),
                _ => {}
            }
        }
    }

    #[test]
    fn every_keyword_of_the_schema_is_checked() {
        let mut used = std::collections::BTreeSet::new();
        keywords(&schema_of::<RunConfiguration>(), &mut used);
        keywords(&schema_of::<IssuesFile>(), &mut used);
        let checked = ["additionalProperties", "const", "enum", "items", "maximum", "minItems", "minLength", "minimum"];
        let checked = checked.iter().chain(&["anyOf", "oneOf", "properties", "required", "type"]);
        let harmless = ["$schema", "title", "description", "default", "format"];
        for keyword in checked.chain(&harmless) {
            used.remove(*keyword);
        }
        assert!(used.is_empty(), "the check does not know {used:?}");
    }

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(suggestion("treads", ["threads", "synthetic"].into_iter()), "did you mean `threads`?");
        assert_eq!(suggestion("colour", ["a", "b"].into_iter()), "known here: a, b");
    }
}
