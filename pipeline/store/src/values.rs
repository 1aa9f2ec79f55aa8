//! How digests, times and lists stand in SQLite's columns.

use jiff::Timestamp;
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shorewatch_domain::digest::Digest;

/// A digest as 64 hexadecimal digits.
pub(crate) struct Hex(pub(crate) Digest);

impl ToSql for Hex {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl FromSql for Hex {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A time as GeoPackage's DATETIME: UTC, `YYYY-MM-DDTHH:MM:SS.SSSZ`. What is finer than a millisecond is cut off.
pub(crate) struct Utc(pub(crate) Timestamp);

impl ToSql for Utc {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string().into())
    }
}

impl FromSql for Utc {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// Anything with a serde form, as JSON text.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text =
            serde_json::to_string(&self.0).map_err(|fault| rusqlite::Error::ToSqlConversionFailure(fault.into()))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// One of a few values that stand in the column by name.
pub(crate) fn named<T: Copy>(value: ValueRef<'_>, all: &[T], name: impl Fn(T) -> &'static str) -> FromSqlResult<T> {
    let got = value.as_str()?;
    all.iter().copied().find(|one| name(*one) == got).ok_or_else(|| {
        let expected = all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
        FromSqlError::other(UnknownName { expected, got: got.to_owned() })
    })
}

/// A name that stands for none of the values.
#[derive(Debug, thiserror::Error)]
#[error("expected one of {expected}, got {got:?}")]
struct UnknownName {
    expected: String,
    got: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_geopackage_wants_them() {
        let check = |given: &str, expected: &str| {
            let time = Utc(given.parse().expect("a time"));
            assert_eq!(time.to_sql().expect("text"), ToSqlOutput::from(expected.to_owned()));
        };
        check("2024-03-15T00:00:00Z", "2024-03-15T00:00:00.000Z");
        check("2024-03-15T14:53:27.1239Z", "2024-03-15T14:53:27.123Z");
        check("2024-03-15T02:00:00+08:00", "2024-03-14T18:00:00.000Z");
    }
}
