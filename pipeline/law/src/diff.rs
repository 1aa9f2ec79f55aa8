//! What a version of a layer changed.

use std::collections::BTreeMap;

use geo::BooleanOps;
use geo_types::Geometry;
use serde::{Deserialize, Serialize};
use shorewatch_domain::law::record::Record;

use crate::ellipsoid;

/// The difference of two versions.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Codes of rows that are new.
    pub added: Vec<String>,
    /// Codes of rows that are gone.
    pub removed: Vec<String>,
    /// Rows that say something else, or lie elsewhere.
    pub changed: Vec<Change>,
    /// Number of rows that are the same.
    pub unchanged: usize,
}

/// How a row changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Its code.
    pub code: String,
    /// Fields that differ, by their path, with the value before and after.
    pub fields: BTreeMap<String, (String, String)>,
    /// How its shape moved.
    pub moved: Option<Moved>,
}

/// How a shape moved.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Moved {
    /// Measure before: m² of an area, metres of a line.
    pub before: f64,
    /// The same after.
    pub after: f64,
    /// Area in m² that belongs to it only since; `None` for lines and points.
    pub gained_m2: Option<f64>,
    /// Area in m² that belongs to it no more.
    pub lost_m2: Option<f64>,
    /// Metres that a point moved.
    pub distance_m: Option<f64>,
}

impl Changes {
    /// Whether the versions say the same.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// Compares two versions, row by row, by code.
#[must_use]
pub fn changes(before: &[Record], after: &[Record]) -> Changes {
    let old: BTreeMap<&str, &Record> = before.iter().map(|record| (record.code(), record)).collect();
    let new: BTreeMap<&str, &Record> = after.iter().map(|record| (record.code(), record)).collect();
    let mut changes = Changes {
        added: new.keys().filter(|code| !old.contains_key(*code)).map(|code| (*code).to_owned()).collect(),
        removed: old.keys().filter(|code| !new.contains_key(*code)).map(|code| (*code).to_owned()).collect(),
        ..Changes::default()
    };
    for (code, record) in new {
        match old.get(code) {
            None => {}
            Some(known) if **known == *record => changes.unchanged += 1,
            Some(known) => {
                let fields = fields(known, record);
                let moved = moved(known.geometry(), record.geometry());
                changes.changed.push(Change { code: code.to_owned(), fields, moved });
            }
        }
    }
    changes
}

/// The fields that differ.
fn fields(before: &Record, after: &Record) -> BTreeMap<String, (String, String)> {
    let flat = |record: &Record| {
        let mut fields = BTreeMap::new();
        if let Ok(value) = serde_json::to_value(record.without_geometry()) {
            flatten("", &value, &mut fields);
        }
        fields
    };
    let (before, after) = (flat(before), flat(after));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |fields: &BTreeMap<String, String>, name: &String| fields.get(name).cloned().unwrap_or_default();
    let differs = |name: &&String| before.get(*name) != after.get(*name);
    names.into_iter().filter(differs).map(|name| (short(name), (of(&before, name), of(&after, name)))).collect()
}

/// Names of fields without the kind of record that they all begin with.
fn short(path: &str) -> String {
    path.split_once('.').map_or(path, |(_, rest)| rest).to_owned()
}

fn flatten(path: &str, value: &serde_json::Value, fields: &mut BTreeMap<String, String>) {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(name, member)| flatten(&under(name), member, fields));
        }
        serde_json::Value::Null => {}
        serde_json::Value::Array(items) if items.is_empty() => {}
        serde_json::Value::String(text) => {
            fields.insert(path.to_owned(), text.clone());
        }
        other => {
            fields.insert(path.to_owned(), other.to_string());
        }
    }
}

fn moved(before: Option<Geometry<f64>>, after: Option<Geometry<f64>>) -> Option<Moved> {
    if before == after {
        return None;
    }
    let bare = Moved { before: 0.0, after: 0.0, gained_m2: None, lost_m2: None, distance_m: None };
    Some(match (before, after) {
        (Some(Geometry::MultiPolygon(before)), Some(Geometry::MultiPolygon(after))) => Moved {
            before: ellipsoid::area(&before),
            after: ellipsoid::area(&after),
            gained_m2: Some(ellipsoid::area(&after.difference(&before))),
            lost_m2: Some(ellipsoid::area(&before.difference(&after))),
            distance_m: None,
        },
        (Some(Geometry::Point(before)), Some(Geometry::Point(after))) => {
            Moved { distance_m: Some(ellipsoid::distance(before.0, after.0)), ..bare }
        }
        (before, after) => Moved { before: measure(before.as_ref()), after: measure(after.as_ref()), ..bare },
    })
}

/// m² of an area, metres of a line.
fn measure(shape: Option<&Geometry<f64>>) -> f64 {
    match shape {
        Some(Geometry::MultiPolygon(areas)) => ellipsoid::area(areas),
        Some(Geometry::LineString(line)) => ellipsoid::length(line),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::{MultiPolygon, Point, Rect};
    use shorewatch_domain::law::layer::{Facts, Feature};
    use shorewatch_domain::law::place::NamedPlace;

    fn zone(code: &str, zone: &str, x: f64) -> Record {
        Record::Feature(Feature {
            code: code.to_owned(),
            name: code.to_owned(),
            geometry: MultiPolygon(vec![Rect::new((110.0 + x, 30.0), (110.02 + x, 30.01)).to_polygon()]),
            facts: Facts::ShorelineZone { zone: zone.to_owned() },
            other: BTreeMap::new(),
            repairs: Vec::new(),
        })
    }

    #[test]
    fn what_came_went_and_changed() {
        let before = [zone("A", "保护区", 0.0), zone("B", "保留区", 0.1), zone("C", "保留区", 0.2)];
        let after = [zone("B", "保护区", 0.11), zone("C", "保留区", 0.2), zone("D", "保留区", 0.3)];
        let changes = changes(&before, &after);
        assert_eq!(
            (changes.added.as_slice(), changes.removed.as_slice()),
            (&["D".to_owned()][..], &["A".to_owned()][..])
        );
        assert_eq!(changes.unchanged, 1);
        let [change] = changes.changed.as_slice() else { panic!("{changes:?}") };
        let words = ("保留区".to_owned(), "保护区".to_owned());
        assert_eq!(change.fields, BTreeMap::from([("facts.zone".to_owned(), words)]));
        let moved = change.moved.as_ref().expect("moved");
        let (gained, lost) = (moved.gained_m2.expect("an area"), moved.lost_m2.expect("an area"));
        // moved by half of its width
        assert!((gained / moved.after - 0.5).abs() < 1e-6 && (lost / moved.before - 0.5).abs() < 1e-6, "{moved:?}");
        assert!(super::changes(&after, &after).is_empty());
    }

    #[test]
    fn a_point_moves_by_metres() {
        let place = |y: f64| {
            let location = Point::new(110.0, 30.0 + y);
            Record::NamedPlace(NamedPlace { code: "P".to_owned(), name: "渡口".to_owned(), location })
        };
        let changes = changes(&[place(0.0)], &[place(0.001)]);
        let moved = changes.changed[0].moved.as_ref().expect("moved");
        assert!((moved.distance_m.expect("a point") - 110.86).abs() < 0.1, "{moved:?}");
        assert!(changes.changed[0].fields.is_empty());
    }
}
