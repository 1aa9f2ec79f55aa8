//! CSV by RFC 4180, with the outline as WKT.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use geo_types::{LineString, Polygon};

use super::Rows;
use super::fields::Value;
use crate::error::ImageryError;
use crate::write::atomically;

pub(super) fn write(path: &Path, rows: &Rows<'_>) -> Result<(), ImageryError> {
    atomically(path, |temporary| {
        let failed = |error: csv::Error| ImageryError::io(path, "write", error.into());
        let mut table = csv::Writer::from_path(temporary).map_err(failed)?;
        table.write_record(rows.fields.iter().map(|(name, _)| *name).chain(["geometry"])).map_err(failed)?;
        for row in &rows.rows {
            let outline = well_known_text(&row.patch.geometry);
            let row = row.values.iter().map(|value| match value {
                Value::Text(text) => guarded(text).into_owned(),
                Value::Real(number) => number.to_string(),
                Value::Integer(number) => number.to_string(),
                Value::Time(time) => time.to_string(),
                Value::Missing => String::new(),
            });
            table.write_record(row.chain([outline])).map_err(failed)?;
        }
        table.flush().map_err(|error| ImageryError::io(path, "write", error))
    })
}

/// Text that a spreadsheet would take for a formula gets an apostrophe before it.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn well_known_text(polygon: &Polygon<f64>) -> String {
    let ring = |ring: &LineString<f64>| {
        let mut text = String::new();
        for (i, point) in ring.coords().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            // writing to a String cannot fail
            let _ = write!(text, "{comma}{} {}", point.x, point.y);
        }
        format!("({text})")
    };
    let rings: Vec<String> = std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(ring).collect();
    format!("POLYGON ({})", rings.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_and_text_stays() {
        assert_eq!(guarded("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(guarded("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(guarded("\t=1"), "'\t=1");
        assert_eq!(guarded("青龙河 – west bank"), "青龙河 – west bank");
    }
}
