//! Lines and points as GeoPackage binary, and any of the shapes that layers have.

use geo_types::{Coord, Geometry, LineString, Point};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use super::{Header, NotTheGeometry, Reader, Shape, header, not_the};

const WKB_POINT: u32 = 1;
const WKB_LINE: u32 = 2;

impl ToSql for Shape<&LineString<f64>> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bounds = self.0.coords().fold([f64::NAN; 4], |bounds, place| {
            [bounds[0].min(place.x), bounds[1].max(place.x), bounds[2].min(place.y), bounds[3].max(place.y)]
        });
        let mut bytes = header(bounds);
        super::write_preamble(&mut bytes, WKB_LINE, self.0.0.len());
        for place in self.0.coords() {
            bytes.extend(place.x.to_le_bytes());
            bytes.extend(place.y.to_le_bytes());
        }
        Ok(bytes.into())
    }
}

impl ToSql for Shape<&Point<f64>> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let (x, y) = self.0.x_y();
        let mut bytes = header([x, x, y, y]);
        bytes.push(1); // little-endian
        bytes.extend(WKB_POINT.to_le_bytes());
        bytes.extend(x.to_le_bytes());
        bytes.extend(y.to_le_bytes());
        Ok(bytes.into())
    }
}

/// What a layer has: polygons, a line or a point.
impl ToSql for Shape<&Geometry<f64>> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.0 {
            Geometry::MultiPolygon(shape) => owned(Shape(shape).to_sql()?),
            Geometry::LineString(line) => owned(Shape(line).to_sql()?),
            Geometry::Point(point) => owned(Shape(point).to_sql()?),
            _ => Err(rusqlite::Error::ToSqlConversionFailure(
                not_the("polygons, a line or a point", "another geometry".to_owned()).into(),
            )),
        }
    }
}

fn owned(value: ToSqlOutput<'_>) -> rusqlite::Result<ToSqlOutput<'static>> {
    match value {
        ToSqlOutput::Owned(value) => Ok(ToSqlOutput::Owned(value)),
        _ => Err(rusqlite::Error::ToSqlConversionFailure(not_the("bytes", "something else".to_owned()).into())),
    }
}

impl FromSql for Shape<Geometry<f64>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        any(value.as_blob()?).map(Self).map_err(FromSqlError::other)
    }
}

fn any(blob: &[u8]) -> Result<Geometry<f64>, NotTheGeometry> {
    let body = Header::read(blob).map_or(&[][..], |header| &blob[header.body..]);
    let kind = match body {
        [1, a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]),
        [_, a, b, c, d, ..] => u32::from_be_bytes([*a, *b, *c, *d]),
        _ => 0,
    };
    let mut reader = Reader::of_body(blob)?;
    match kind {
        WKB_POINT => {
            reader.little = reader.take::<1>()? == [1];
            reader.unsigned()?;
            Ok(Point::new(reader.number()?, reader.number()?).into())
        }
        WKB_LINE => {
            let places = reader.preamble(WKB_LINE, "a line")?;
            // not collected with a size hint: a damaged count must not allocate
            let mut line = Vec::new();
            for _ in 0..places {
                line.push(Coord { x: reader.number()?, y: reader.number()? });
            }
            Ok(LineString(line).into())
        }
        super::WKB_POLYGON => Ok(geo_types::MultiPolygon(vec![reader.polygon()?]).into()),
        _ => Ok(reader.multi_polygon()?.into()),
    }
}

/// Bounds of a line or point without an envelope in its header (as QGIS writes points).
pub(super) fn envelope(blob: &[u8]) -> Option<super::Envelope> {
    let places = match any(blob).ok()? {
        Geometry::Point(point) => vec![point.0],
        Geometry::LineString(line) => line.0,
        _ => return None,
    };
    Some(places.iter().fold([f64::NAN; 4], |bounds, place| {
        [bounds[0].min(place.x), bounds[1].max(place.x), bounds[2].min(place.y), bounds[3].max(place.y)]
    }))
}

/// Why a shape of a layer can't be stored, if it can't.
pub(crate) fn fault_of(geometry: &Geometry<f64>) -> Option<String> {
    let places: &[Coord<f64>] = match geometry {
        Geometry::MultiPolygon(shape) => return super::fault(shape),
        Geometry::LineString(line) if line.0.len() < 2 => return Some(format!("a line of {} points", line.0.len())),
        Geometry::LineString(line) => &line.0,
        Geometry::Point(point) => &[point.0],
        _ => return Some("a geometry that is neither polygons nor a line nor a point".to_owned()),
    };
    let in_degrees = |place: &&Coord<f64>| !(place.x.abs() <= 360.0 && place.y.abs() <= 90.0);
    places.iter().find(in_degrees).map(|place| format!("({}, {}), which is not in degrees", place.x, place.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_points_come_back_to_the_bit() {
        let line = Geometry::LineString(vec![(110.1, 30.0 + 0.1 + 0.2), (110.2, -30.5), (111.0, 0.0)].into());
        let point = Geometry::Point(Point::new(0.1 + 0.2, -1.0 / 3.0));
        for shape in [line, point] {
            let ToSqlOutput::Owned(rusqlite::types::Value::Blob(blob)) = Shape(&shape).to_sql().expect("bytes") else {
                panic!("expected a blob")
            };
            let back = Shape::<Geometry<f64>>::column_result(ValueRef::Blob(&blob)).expect("a shape").0;
            assert_eq!(back, shape);
            assert_eq!(envelope(&blob), super::super::blob_envelope(&blob));
            assert!(any(&blob[..blob.len() - 1]).is_err(), "cut short");
        }
    }

    #[test]
    fn what_is_no_line_is_named() {
        let metres = Geometry::Point(Point::new(551_000.0, 9_071_000.0));
        assert!(fault_of(&metres).expect("a fault").contains("not in degrees"));
        assert!(fault_of(&LineString(vec![Coord { x: 0.0, y: 0.0 }]).into()).expect("a fault").contains("1 points"));
        assert!(fault_of(&Point::new(f64::NAN, 0.0).into()).is_some());
    }
}
