//! Polygons as GeoPackage binary (OGC 12-128r17, 2.1.3): a header with the envelope, then little-endian WKB.
//!
//! Coordinates are (x, y) = (longitude, latitude) in degrees, whatever axis order the registry has for the system.

mod lines;

use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};
use shorewatch_domain::crs::Epsg;

pub(crate) use lines::fault_of;

const WKB_POLYGON: u32 = 3;
const WKB_MULTI_POLYGON: u32 = 6;
/// Length in bytes of the header that this crate writes: 8 fixed, 32 of envelope.
const HEADER_LEN: usize = 40;
/// Little-endian, envelope [min x, max x, min y, max y], not empty, standard geometry.
const FLAGS: u8 = 0b0000_0011;

/// Bounds in degrees: [min x, max x, min y, max y], the order of the GeoPackage header.
pub(crate) type Envelope = [f64; 4];

/// A geometry on its way into or out of a `geom` column.
pub(crate) struct Shape<G>(pub(crate) G);

/// Bytes that are not the geometry that the column should hold.
#[derive(Debug, thiserror::Error)]
#[error("geometry: expected {expected}, got {got}")]
struct NotTheGeometry {
    expected: &'static str,
    got: String,
}

impl ToSql for Shape<&Polygon<f64>> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let mut bytes = header(envelope([self.0]));
        write_polygon(&mut bytes, self.0);
        Ok(bytes.into())
    }
}

impl ToSql for Shape<&MultiPolygon<f64>> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let mut bytes = header(envelope(self.0));
        write_preamble(&mut bytes, WKB_MULTI_POLYGON, self.0.0.len());
        for polygon in self.0 {
            write_polygon(&mut bytes, polygon);
        }
        Ok(bytes.into())
    }
}

impl FromSql for Shape<Polygon<f64>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let mut reader = Reader::of_body(value.as_blob()?).map_err(FromSqlError::other)?;
        reader.polygon().map(Self).map_err(FromSqlError::other)
    }
}

impl FromSql for Shape<MultiPolygon<f64>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let mut reader = Reader::of_body(value.as_blob()?).map_err(FromSqlError::other)?;
        reader.multi_polygon().map(Self).map_err(FromSqlError::other)
    }
}

/// Bounds of polygons; of none, all NaN.
pub(crate) fn envelope<'a>(polygons: impl IntoIterator<Item = &'a Polygon<f64>>) -> Envelope {
    polygons.into_iter().flat_map(|polygon| &polygon.exterior().0).fold([f64::NAN; 4], |bounds, corner| {
        [bounds[0].min(corner.x), bounds[1].max(corner.x), bounds[2].min(corner.y), bounds[3].max(corner.y)]
    })
}

/// Why polygons cannot be stored, if they cannot: an empty outline, an open one, or a coordinate that is not a finite number.
pub(crate) fn fault<'a>(polygons: impl IntoIterator<Item = &'a Polygon<f64>>) -> Option<String> {
    let mut rings = 0;
    for polygon in polygons {
        for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
            rings += 1;
            if ring.0.len() < 4 {
                return Some(format!("ring {rings} with {} points", ring.0.len()));
            }
            if let Some(corner) = ring.coords().find(|corner| !(corner.x.is_finite() && corner.y.is_finite())) {
                return Some(format!("ring {rings} with the coordinate ({}, {})", corner.x, corner.y));
            }
            if let Some(corner) = ring.coords().find(|corner| corner.x.abs() > 360.0 || corner.y.abs() > 90.0) {
                return Some(format!("ring {rings} with ({}, {}), which is not in degrees", corner.x, corner.y));
            }
        }
    }
    (rings == 0).then(|| "no ring at all".to_owned())
}

fn header(envelope: Envelope) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_LEN + 128);
    bytes.extend(*b"GP");
    bytes.extend([0, FLAGS]);
    bytes.extend((Epsg::CGCS2000.0 as i32).to_le_bytes());
    bytes.extend(envelope.iter().flat_map(|bound| bound.to_le_bytes()));
    bytes
}

fn write_preamble(bytes: &mut Vec<u8>, kind: u32, parts: usize) {
    bytes.push(1); // little-endian
    bytes.extend(kind.to_le_bytes());
    bytes.extend((parts as u32).to_le_bytes());
}

fn write_polygon(bytes: &mut Vec<u8>, polygon: &Polygon<f64>) {
    write_preamble(bytes, WKB_POLYGON, 1 + polygon.interiors().len());
    for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
        bytes.extend((ring.0.len() as u32).to_le_bytes());
        for corner in ring.coords() {
            bytes.extend(corner.x.to_le_bytes());
            bytes.extend(corner.y.to_le_bytes());
        }
    }
}

/// What the header of a GeoPackage blob says.
struct Header {
    empty: bool,
    envelope: Option<Envelope>,
    /// Where the WKB begins.
    body: usize,
}

impl Header {
    /// Reads the header; `None` where the bytes are no GeoPackage geometry.
    fn read(bytes: &[u8]) -> Option<Self> {
        let flags = *bytes.get(3)?;
        if bytes.get(..2)? != b"GP" {
            return None;
        }
        let envelope_len = match flags >> 1 & 7 {
            0 => 0,
            1 => 32,
            2 | 3 => 48,
            4 => 64,
            _ => return None,
        };
        let numbers = bytes.get(8..8 + envelope_len)?;
        let little = flags & 1 == 1;
        let number = |i: usize| {
            let raw: [u8; 8] = numbers.get(8 * i..8 * i + 8)?.try_into().ok()?;
            Some(if little { f64::from_le_bytes(raw) } else { f64::from_be_bytes(raw) })
        };
        let envelope = match (number(0), number(1), number(2), number(3)) {
            (Some(min_x), Some(max_x), Some(min_y), Some(max_y)) => Some([min_x, max_x, min_y, max_y]),
            _ => None,
        };
        Some(Self { empty: flags & 0b1_0000 != 0, envelope, body: 8 + envelope_len })
    }
}

/// Reads WKB of either byte order from the front.
struct Reader<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl<'a> Reader<'a> {
    fn of_body(blob: &'a [u8]) -> Result<Self, NotTheGeometry> {
        let header =
            Header::read(blob).ok_or_else(|| not_the("a GeoPackage header", format!("{} other bytes", blob.len())))?;
        Ok(Self { bytes: &blob[header.body..], little: true })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], NotTheGeometry> {
        let (head, rest) = self
            .bytes
            .split_first_chunk::<N>()
            .ok_or_else(|| not_the("more coordinates", "the end of the value".to_owned()))?;
        self.bytes = rest;
        Ok(*head)
    }

    fn unsigned(&mut self) -> Result<u32, NotTheGeometry> {
        let raw = self.take()?;
        Ok(if self.little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    }

    fn number(&mut self) -> Result<f64, NotTheGeometry> {
        let raw = self.take()?;
        Ok(if self.little { f64::from_le_bytes(raw) } else { f64::from_be_bytes(raw) })
    }

    /// Byte order, kind and number of parts.
    fn preamble(&mut self, expected_kind: u32, expected: &'static str) -> Result<u32, NotTheGeometry> {
        self.little = self.take::<1>()? == [1];
        match self.unsigned()? {
            kind if kind == expected_kind => self.unsigned(),
            kind => Err(not_the(expected, format!("WKB type {kind}"))),
        }
    }

    fn ring(&mut self) -> Result<LineString<f64>, NotTheGeometry> {
        let corners = self.unsigned()?;
        // not collected with a size hint: a damaged count must not allocate
        let mut ring = Vec::new();
        for _ in 0..corners {
            ring.push(Coord { x: self.number()?, y: self.number()? });
        }
        Ok(LineString(ring))
    }

    fn polygon(&mut self) -> Result<Polygon<f64>, NotTheGeometry> {
        let rings = self.preamble(WKB_POLYGON, "a polygon")?;
        if rings == 0 {
            return Err(not_the("a polygon", "an empty one".to_owned()));
        }
        let exterior = self.ring()?;
        let interiors = (1..rings).map(|_| self.ring()).collect::<Result<_, _>>()?;
        Ok(Polygon::new(exterior, interiors))
    }

    fn multi_polygon(&mut self) -> Result<MultiPolygon<f64>, NotTheGeometry> {
        let parts = self.preamble(WKB_MULTI_POLYGON, "a multipolygon")?;
        (0..parts).map(|_| self.polygon()).collect::<Result<_, _>>().map(MultiPolygon)
    }
}

fn not_the(expected: &'static str, got: String) -> NotTheGeometry {
    NotTheGeometry { expected, got }
}

/// Bounds of a stored geometry: from the header, else from the polygons.
fn blob_envelope(blob: &[u8]) -> Option<Envelope> {
    let header = Header::read(blob).filter(|header| !header.empty)?;
    header.envelope.or_else(|| {
        let polygon = Reader::of_body(blob).ok()?.polygon().ok().map(|polygon| MultiPolygon(vec![polygon]));
        let polygons = polygon.or_else(|| Reader::of_body(blob).ok()?.multi_polygon().ok());
        polygons.map_or_else(|| lines::envelope(blob), |polygons| Some(envelope(&polygons)))
    })
}

/// Gives a connection the functions that the triggers of the spatial index call.
pub(crate) fn register_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    for (i, name) in ["ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"].into_iter().enumerate() {
        connection.create_scalar_function(name, 1, flags, move |context: &Context<'_>| {
            Ok(context.get_raw(0).as_blob_or_null().ok().flatten().and_then(blob_envelope).map(|envelope| envelope[i]))
        })?;
    }
    connection.create_scalar_function("ST_IsEmpty", 1, flags, |context: &Context<'_>| {
        let header = context.get_raw(0).as_blob_or_null().ok().flatten().and_then(Header::read);
        Ok(header.map(|header| header.empty || header.envelope.is_some_and(|bounds| bounds[0].is_nan())))
    })
}

#[cfg(test)]
mod tests {
    use geo_types::polygon;
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(shape: &impl ToSql) -> Vec<u8> {
        match shape.to_sql().expect("bytes") {
            ToSqlOutput::Owned(rusqlite::types::Value::Blob(bytes)) => bytes,
            other => panic!("expected a blob, got {other:?}"),
        }
    }

    fn ring() -> impl Strategy<Value = LineString<f64>> {
        prop::collection::vec((-180.0..180.0, -90.0..90.0), 3..9).prop_map(|corners| {
            let mut ring: LineString<f64> = corners.into();
            ring.close();
            ring
        })
    }

    proptest! {
        #[test]
        fn polygons_come_back_to_the_bit(parts in prop::collection::vec((ring(), prop::collection::vec(ring(), 0..3)), 1..4)) {
            let polygons: Vec<_> = parts.into_iter().map(|(exterior, holes)| Polygon::new(exterior, holes)).collect();
            let blob = bytes_of(&Shape(&polygons[0]));
            prop_assert_eq!(&Shape::<Polygon<f64>>::column_result(ValueRef::Blob(&blob)).expect("a polygon").0, &polygons[0]);
            let all = MultiPolygon(polygons);
            let blob = bytes_of(&Shape(&all));
            prop_assert_eq!(blob_envelope(&blob), Some(envelope(&all)));
            prop_assert_eq!(Shape::<MultiPolygon<f64>>::column_result(ValueRef::Blob(&blob)).expect("polygons").0, all);
        }

        #[test]
        fn cut_or_damaged_values_are_errors_not_panics(cut in 0_usize..300, place in 0_usize..300, value: u8) {
            let holed = polygon!(exterior: [(x: 0., y: 0.), (x: 4., y: 0.), (x: 4., y: 4.)], interiors: [[(x: 1., y: 1.), (x: 2., y: 1.), (x: 2., y: 2.)]]);
            let mut blob = bytes_of(&Shape(&holed));
            if let Some(byte) = blob.get_mut(place) {
                *byte = value;
            }
            blob.truncate(cut);
            let _ = Shape::<Polygon<f64>>::column_result(ValueRef::Blob(&blob));
            let _ = Shape::<MultiPolygon<f64>>::column_result(ValueRef::Blob(&blob));
            let _ = blob_envelope(&blob);
        }
    }

    #[test]
    fn outlines_that_cannot_be_stored_are_named() {
        let fine = polygon![(x: 0., y: 0.), (x: 1., y: 0.), (x: 1., y: 1.)];
        assert_eq!(fault([&fine]), None);
        assert!(fault([]).expect("a fault").contains("no ring"));
        let not_finite = polygon![(x: 0., y: 0.), (x: f64::NAN, y: 0.), (x: 1., y: 1.)];
        assert!(fault([&fine, &not_finite]).expect("a fault").contains("ring 2"));
        let metres = polygon![(x: 551_000., y: 9_071_000.), (x: 551_010., y: 9_071_000.), (x: 551_010., y: 9_071_010.)];
        assert!(fault([&metres]).expect("a fault").contains("not in degrees"));
    }
}
