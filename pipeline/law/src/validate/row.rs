//! Typed access to one row. What is wrong is noted, and reading goes on, so that all faults come at once.

use std::collections::{BTreeMap, BTreeSet};

use geo_types::{Geometry, LineString, MultiPolygon, Point};
use jiff::civil::Date;
use shorewatch_domain::law::period::Period;

use super::SourceRow;
use super::mapping::{Mapping, fields_of};
use super::numbers;
use super::words::{Words, canonical, meaning};

pub(super) struct Row<'a> {
    source: SourceRow,
    mapping: &'a Mapping,
    code: Option<String>,
    faults: Vec<String>,
}

impl<'a> Row<'a> {
    pub(super) fn new(source: SourceRow, mapping: &'a Mapping) -> Self {
        Self { source, mapping, code: None, faults: Vec::new() }
    }

    /// How a person finds it.
    pub(super) fn label(&self) -> String {
        match &self.code {
            Some(code) => format!("{} (code {code:?})", self.source.label),
            None => self.source.label.clone(),
        }
    }

    pub(super) fn repairs(&self) -> &[String] {
        &self.source.repairs
    }

    pub(super) fn into_faults(self) -> Vec<String> {
        self.faults
    }

    /// Metres by which lines of the source were widened.
    pub(super) fn buffer_m(&self) -> Option<f64> {
        self.mapping.buffer_m
    }

    /// The column of a field, for messages.
    fn column(&self, field: &str) -> String {
        match self.mapping.fields.get(field) {
            Some(column) if column != field => format!("{field} (column {column:?})"),
            _ => field.to_owned(),
        }
    }

    pub(super) fn fault(&mut self, field: &str, expected: &str, got: &str) {
        let column = self.column(field);
        self.faults.push(format!("{column}: expected {expected}, got {got}; correct the source"));
    }

    /// A text as it stands in the source.
    fn raw(&self, field: &str) -> Option<&str> {
        let column = self.mapping.fields.get(field).map_or(field, String::as_str);
        let value = self.source.values.get(column).or_else(|| self.mapping.constants.get(field));
        value.map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A text, by the configured meaning of its word.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        let raw = self.raw(field)?.to_owned();
        let Some(words) = self.mapping.values.get(field) else { return Some(raw) };
        if let Some(meaning) = words.get(&raw) {
            return Some(meaning.clone());
        }
        // a value that is canonical already needs no word of its own
        if words.values().any(|meaning| *meaning == raw) {
            return Some(raw);
        }
        let known: Vec<&str> = words.keys().map(String::as_str).collect();
        self.fault(field, &format!("one of {} ([layers.values.{field}])", known.join(", ")), &format!("{raw:?}"));
        None
    }

    /// A text that must be there.
    pub(super) fn needed(&mut self, field: &str) -> Option<String> {
        let faults = self.faults.len();
        let text = self.text(field);
        if text.is_none() && self.faults.len() == faults {
            self.fault(field, "a value", "nothing");
        }
        text
    }

    /// The code, which must be there.
    pub(super) fn code(&mut self) -> Option<String> {
        self.code = self.needed("code");
        self.code.clone()
    }

    /// The code, or one that is made where the source has none.
    pub(super) fn code_or(&mut self, made: impl FnOnce() -> String) -> String {
        let code = self.text("code").unwrap_or_else(made);
        self.code = Some(code.clone());
        code
    }

    /// The name; the code stands in for it.
    pub(super) fn name(&mut self) -> String {
        self.text("name").or_else(|| self.code.clone()).unwrap_or_default()
    }

    pub(super) fn word<T: Copy>(&mut self, field: &str, words: Words<T>) -> Option<T> {
        let text = self.text(field)?;
        let found = meaning(words, &text);
        if found.is_none() {
            let expected = format!("one of {}, or a word of [layers.values.{field}]", canonical(words));
            self.fault(field, &expected, &format!("{text:?}"));
        }
        found
    }

    pub(super) fn needed_word<T: Copy>(&mut self, field: &str, words: Words<T>) -> Option<T> {
        if self.raw(field).is_none() {
            self.fault(field, &format!("one of {}", canonical(words)), "nothing");
            return None;
        }
        self.word(field, words)
    }

    /// A number that is not below 0.
    pub(super) fn amount(&mut self, field: &str) -> Option<f64> {
        let text = self.text(field)?;
        let number = numbers::number(&text).filter(|number| *number >= 0.0);
        if number.is_none() {
            self.fault(field, "a number not below 0", &format!("{text:?}"));
        }
        number
    }

    pub(super) fn chainage(&mut self, field: &str) -> Option<f64> {
        let text = self.text(field)?;
        let chainage = numbers::chainage(&text);
        if chainage.is_none() {
            self.fault(field, "metres, or a chainage as K12+300", &format!("{text:?}"));
        }
        chainage
    }

    pub(super) fn day(&mut self, field: &str) -> Option<Date> {
        let text = self.text(field)?;
        let day = numbers::day(&text);
        if day.is_none() {
            self.fault(field, "a day as 2024-03-15, 20240315 or 2024年3月15日", &format!("{text:?}"));
        }
        day.flatten()
    }

    pub(super) fn period(&mut self) -> Period {
        let period = Period { from: self.day("valid_from"), to: self.day("valid_to") };
        if period.is_turned() {
            self.fault("valid_to", "a day not before valid_from", &format!("the period {period}"));
        }
        period
    }

    pub(super) fn seasons(&mut self, field: &str) -> Vec<shorewatch_domain::law::period::Season> {
        let Some(text) = self.text(field) else { return Vec::new() };
        numbers::seasons(&text).unwrap_or_else(|| {
            self.fault(field, "seasons as 04-01..06-30, several with a semicolon", &format!("{text:?}"));
            Vec::new()
        })
    }

    /// A list: texts set apart by a comma or semicolon; each by its configured meaning.
    pub(super) fn list(&mut self, field: &str) -> Vec<String> {
        let Some(raw) = self.raw(field).map(str::to_owned) else { return Vec::new() };
        let words = self.mapping.values.get(field);
        let parts = raw.split([',', ';', '，', '；', '、', '|']).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| words.and_then(|words| words.get(part)).cloned().unwrap_or_else(|| part.to_owned())).collect()
    }

    pub(super) fn areas(&mut self) -> Option<MultiPolygon<f64>> {
        match self.source.geometry.take() {
            Some(Geometry::MultiPolygon(areas)) => Some(areas),
            Some(Geometry::Polygon(area)) => Some(MultiPolygon(vec![area])),
            _ => {
                self.faults.push("has no polygon".to_owned());
                None
            }
        }
    }

    /// Polygons, if there are any.
    pub(super) fn surface(&mut self) -> Option<MultiPolygon<f64>> {
        if self.source.geometry.is_some() { self.areas() } else { None }
    }

    pub(super) fn line(&mut self) -> Option<LineString<f64>> {
        match self.source.geometry.take() {
            Some(Geometry::LineString(line)) => Some(line),
            _ => {
                self.faults.push("has no line".to_owned());
                None
            }
        }
    }

    pub(super) fn point(&mut self) -> Option<Point<f64>> {
        match self.source.geometry.take() {
            Some(Geometry::Point(point)) => Some(point),
            _ => {
                self.faults.push("has no point".to_owned());
                None
            }
        }
    }

    /// Columns that no field takes.
    pub(super) fn other(&self) -> BTreeMap<String, String> {
        let own = fields_of(self.mapping.content).iter().filter(|field| !self.mapping.fields.contains_key(**field));
        let taken: BTreeSet<&str> = own.copied().chain(self.mapping.fields.values().map(String::as_str)).collect();
        let rest = self.source.values.iter().filter(|(column, _)| !taken.contains(column.as_str()));
        rest.map(|(column, value)| (column.clone(), value.clone())).collect()
    }
}
