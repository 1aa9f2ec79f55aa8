//! A TOML file as a tree in which every key and value knows its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::NamedSource;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::faults::{ConfigurationFault, FaultPlace};

/// A value and its place (bytes) in the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// By key; with the place of the key itself.
    Table(BTreeMap<String, (Range<usize>, Node)>),
    Array(Vec<Node>),
    String(String),
    /// `None`: beyond 64 bits.
    Integer(Option<i64>),
    Float(f64),
    Boolean,
    DateTime,
}

impl Node {
    fn from_toml(value: &Spanned<DeValue<'_>>) -> Self {
        let inner = match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(_) => Value::Boolean,
            DeValue::Datetime(_) => Value::DateTime,
            DeValue::Array(items) => Value::Array(items.iter().map(Self::from_toml).collect()),
            DeValue::Table(table) => Value::Table(entries(table)),
        };
        Self { span: value.span(), value: inner }
    }

    /// The kind of value, with its article, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Table(_) => "a table",
            Value::Array(_) => "a list",
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Boolean => "a boolean",
            Value::DateTime => "an unquoted date or time",
        }
    }
}

fn entries(table: &DeTable<'_>) -> BTreeMap<String, (Range<usize>, Node)> {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), (key.span(), Node::from_toml(value)))).collect()
}

/// A step on the way to a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// Steps to a value: `at!["passes", 2, "sensor"]`.
macro_rules! at {
    ($($step:expr),* $(,)?) => { &[$($crate::configuration::document::Step::from($step)),*] };
}
pub(super) use at;

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

/// A configuration file that could be read.
#[derive(Clone, Debug)]
pub(super) struct Document {
    file: PathBuf,
    text: Arc<str>,
    source: Arc<NamedSource<String>>,
    /// The whole file as a table.
    pub(super) root: Node,
}

impl Document {
    /// Reads a file; all faults of syntax are added to `faults`.
    pub(super) fn read(file: &Path, faults: &mut Vec<ConfigurationFault>) -> Option<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text, faults),
            Err(error) => {
                faults.push(ConfigurationFault::of_file(
                    file,
                    format!("cannot be read: {error}"),
                    "give the path of a TOML file in UTF-8",
                ));
                None
            }
        }
    }

    /// Parses the text of a file; all faults of syntax are added to `faults`.
    pub(super) fn parse(file: &Path, text: &str, faults: &mut Vec<ConfigurationFault>) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let document = Self {
            file: file.to_owned(),
            text: text.into(),
            source: Arc::new(NamedSource::new(file.display().to_string(), text.to_owned()).with_language("TOML")),
            root: Node { span: table.span(), value: Value::Table(entries(table.get_ref())) },
        };
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            faults.push(document.fault_at_span(span, format!("not valid TOML: {}", error.message()), None));
        }
        errors.is_empty().then_some(document)
    }

    /// The text of the file.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The path of the file, as the user named it.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The value at the end of the steps.
    pub(super) fn node(&self, steps: &[Step<'_>]) -> Option<&Node> {
        steps.iter().try_fold(&self.root, |node, step| child(node, *step))
    }

    /// A fault at the value; where it is absent, at the nearest value around it.
    pub(super) fn fault(
        &self,
        steps: &[Step<'_>],
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> ConfigurationFault {
        let mut node = &self.root;
        for step in steps {
            match child(node, *step) {
                Some(next) => node = next,
                None => break,
            }
        }
        self.fault_at_span(node.span.clone(), message, Some(help.into()))
    }

    /// A fault at a run of bytes.
    pub(super) fn fault_at_span(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) -> ConfigurationFault {
        let offset = floor_char_boundary(&self.text, span.start);
        // a long table or list is named by its first line
        let end = floor_char_boundary(&self.text, span.end).max(offset);
        let length = self.text[offset..end].lines().next().unwrap_or("").len();
        let before = &self.text[..offset];
        let place = FaultPlace {
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|&c| c != '\n').count() + 1,
            offset,
            length,
        };
        ConfigurationFault {
            file: self.file.clone(),
            place: Some(place),
            message: message.into(),
            help,
            source: Some(Arc::clone(&self.source)),
        }
    }
}

fn child<'n>(node: &'n Node, step: Step<'_>) -> Option<&'n Node> {
    match (&node.value, step) {
        (Value::Table(entries), Step::Key(key)) => entries.get(key).map(|(_, node)| node),
        (Value::Array(items), Step::Item(item)) => items.get(item),
        _ => None,
    }
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
