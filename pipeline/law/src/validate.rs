//! Rows of a source become records of a layer, all or none: every fault of every row is told at once.
//!
//! | module | holds |
//! |---|---|
//! | [`mapping`] | which field of the source is which field of a layer, and what its words mean |
//! | `row` | typed access to one row, with its faults |
//! | `words`, `numbers` | vocabularies, dates, seasons, chainages |
//! | `records` | what each content takes from a row |

pub mod mapping;
mod numbers;
mod records;
mod row;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use geo_types::Geometry;
use shorewatch_domain::law::record::Record;

use mapping::Mapping;
use row::Row;

/// A row of a source.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceRow {
    /// How a person finds it ("feature 7, fid 6", "line 8").
    pub label: String,
    /// Texts by column, without empty ones.
    pub values: BTreeMap<String, String>,
    /// Shape in CGCS2000 (longitude, latitude).
    pub geometry: Option<Geometry<f64>>,
    /// What was repaired when it was read.
    pub repairs: Vec<String>,
}

/// What is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowFault {
    /// The row, with its code where it has one.
    pub row: String,
    /// What is wrong: where, what was expected, what was got, what to do.
    pub problem: String,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.row, self.problem)
    }
}

/// What came of the rows of a source.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Validated {
    /// Records, in the order of the source; to be imported only where there is no fault.
    pub records: Vec<Record>,
    /// Everything that is wrong.
    pub faults: Vec<RowFault>,
    /// Everything that was repaired, row by row.
    pub repairs: Vec<String>,
}

/// A day as offices write it (`2024-03-15`, `20240315`, `2024年3月15日`), or an open end (`长期`); `None` where it is neither.
#[must_use]
pub fn day(text: &str) -> Option<Option<jiff::civil::Date>> {
    numbers::day(text.trim())
}

/// Makes records of rows.
#[must_use]
pub fn records_of(rows: Vec<SourceRow>, mapping: &Mapping) -> Validated {
    let mut validated = Validated::default();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for source in rows {
        let mut row = Row::new(source, mapping);
        let record = records::of(&mut row, mapping.content);
        let label = row.label();
        validated.repairs.extend(row.repairs().iter().map(|repair| format!("{label}: {repair}")));
        let faults = row.into_faults();
        let is_sound = faults.is_empty();
        validated.faults.extend(faults.into_iter().map(|problem| RowFault { row: label.clone(), problem }));
        let Some(record) = record else { continue };
        if let Some(first) = seen.insert(record.code().to_owned(), label.clone()) {
            let problem = format!("the code {:?} is also that of {first}; codes must be unique", record.code());
            validated.faults.push(RowFault { row: label, problem });
        } else if is_sound {
            validated.records.push(record);
        }
    }
    validated
}

#[cfg(test)]
mod tests;
