//! A scope as a condition of SQL, with its values bound.

use rusqlite::types::Value;
use shorewatch_domain::access::{Scope, ScopePart};

/// A condition under construction, with the values that its question marks stand for.
#[derive(Default)]
pub(crate) struct Condition {
    parts: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Condition {
    /// One more that has to hold; `text` has one `?` for each value.
    pub(crate) fn and(&mut self, text: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.parts.push(text.into());
        self.values.extend(values);
    }

    /// One more where there is a value.
    pub(crate) fn and_if(&mut self, text: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.and(text, [Value::from(value.clone())]);
        }
    }

    /// What lies in a scope, of rows of `review_queue` under the name `q`.
    pub(crate) fn and_in(&mut self, scope: &Scope) {
        if scope.is_all() {
            return;
        }
        let mut any = Vec::new();
        let mut values = Vec::new();
        for part in &scope.0 {
            let (text, code) = match part {
                ScopePart::All => continue,
                ScopePart::Unit(code) if code.len() == 4 => ("q.city = ?", code),
                ScopePart::Unit(code) if code.len() == 6 => ("q.county = ?", code),
                ScopePart::Unit(code) => ("substr(q.adcd, 1, length(?)) = ?", code),
                ScopePart::Water(code) => ("substr(q.river_code, 1, length(?)) = ?", code),
                ScopePart::Reach(id) => ("q.reach_id = ?", id),
            };
            values.extend((0..text.matches('?').count()).map(|_| Value::from(code.clone())));
            any.push(text);
        }
        let any = match any[..] {
            [] => "0".to_owned(),
            [one] => one.to_owned(),
            // the plus keeps SQLite from joining several indexes and sorting what it finds
            _ => any.iter().map(|text| text.replacen("q.", "+q.", 1)).collect::<Vec<_>>().join(" OR "),
        };
        self.and(format!("({any})"), values);
    }

    /// The whole, for `WHERE`.
    pub(crate) fn sql(&self) -> String {
        if self.parts.is_empty() { "1".to_owned() } else { self.parts.join(" AND ") }
    }
}
