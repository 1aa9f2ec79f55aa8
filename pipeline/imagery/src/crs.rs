//! Reference systems and transformations between them.
//!
//! Geometry is (x, y) everywhere: longitude before latitude, easting before northing, whatever the registry says
//! (GDAL's "traditional GIS order"). PROJ does the mathematics; its network access is off, so that only the grids on
//! this machine count.

#![expect(unsafe_code, reason = "OSRFindMatches and Send for a transformation have no safe wrapper")]

mod lent;

use std::ffi::CStr;
use std::fmt;
use std::ptr;

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use serde::{Deserialize, Serialize};
use shorewatch_domain::crs::Epsg;

use self::lent::Lent;
use crate::error::ImageryError;
use crate::runtime;

/// The reference system of a file: by code where it is in the EPSG registry, by its WKT always.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceCrs {
    /// Well-known text (WKT 2 where WKT 1 cannot say it).
    pub wkt: String,
    /// Code in the EPSG registry, where the system is known there.
    pub epsg: Option<u32>,
}

impl SourceCrs {
    /// The system with a code in the EPSG registry.
    ///
    /// # Errors
    /// The registry has no such code.
    pub fn from_epsg(epsg: Epsg) -> Result<Self, ImageryError> {
        let wkt = wkt_of(&spatial_ref(CrsRef::Epsg(epsg))?);
        Ok(Self { wkt, epsg: Some(epsg.0) })
    }

    /// A system as a library gave it; its code is looked up.
    ///
    /// Returns `None` for a local system, which has no place on the earth.
    pub(crate) fn from_spatial_ref(srs: &SpatialRef) -> Option<Self> {
        if srs.is_local() {
            return None;
        }
        let wkt = wkt_of(srs);
        (!wkt.is_empty()).then(|| Self { wkt, epsg: identify(srs) })
    }

    /// True where coordinates are degrees.
    ///
    /// # Errors
    /// The text is no reference system.
    pub fn is_geographic(&self) -> Result<bool, ImageryError> {
        Ok(spatial_ref(CrsRef::Source(self))?.is_geographic())
    }

    /// Metres per unit of a projected system (0.3048… for feet); `None` for a geographic one.
    ///
    /// # Errors
    /// The text is no reference system.
    pub fn metres_per_unit(&self) -> Result<Option<f64>, ImageryError> {
        let srs = spatial_ref(CrsRef::Source(self))?;
        Ok((!srs.is_geographic()).then(|| srs.linear_units()))
    }
}

impl fmt::Display for SourceCrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epsg {
            Some(code) => write!(f, "EPSG:{code}"),
            // the name is the first quoted text of the WKT
            None => f.write_str(self.wkt.split('"').nth(1).unwrap_or("a system without a name")),
        }
    }
}

/// A reference system, by code or as a file has it.
#[derive(Clone, Copy, Debug)]
pub enum CrsRef<'a> {
    /// By its code.
    Epsg(Epsg),
    /// As a file has it.
    Source(&'a SourceCrs),
}

impl From<Epsg> for CrsRef<'_> {
    fn from(epsg: Epsg) -> Self {
        Self::Epsg(epsg)
    }
}

impl<'a> From<&'a SourceCrs> for CrsRef<'a> {
    fn from(source: &'a SourceCrs) -> Self {
        Self::Source(source)
    }
}

impl fmt::Display for CrsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epsg(epsg) => epsg.fmt(f),
            Self::Source(source) => source.fmt(f),
        }
    }
}

/// GDAL's object for a reference system, in (x, y) order.
pub(crate) fn spatial_ref(crs: CrsRef<'_>) -> Result<SpatialRef, ImageryError> {
    let (made, messages) = runtime::collect_messages(|| match crs {
        CrsRef::Epsg(Epsg(code)) | CrsRef::Source(&SourceCrs { epsg: Some(code), .. }) => SpatialRef::from_epsg(code),
        CrsRef::Source(source) => SpatialRef::from_wkt(&source.wkt),
    });
    let mut srs =
        made.map_err(|error| ImageryError::Crs { crs: crs.to_string(), detail: runtime::words(&messages, &error) })?;
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(srs)
}

fn wkt_of(srs: &SpatialRef) -> String {
    runtime::collect_messages(|| srs.to_wkt()).0.unwrap_or_default()
}

/// The code in the EPSG registry: the one the system names itself, else the one whose definition is equivalent.
fn identify(srs: &SpatialRef) -> Option<u32> {
    let own = |srs: &SpatialRef| (srs.auth_name().as_deref() == Some("EPSG")).then(|| srs.auth_code().ok()).flatten();
    let (code, _) = runtime::collect_messages(|| {
        own(srs).or_else(|| {
            let mut copy = srs.clone();
            copy.auto_identify_epsg().ok().and_then(|()| own(&copy)).or_else(|| best_match(srs))
        })
    });
    code.and_then(|code| u32::try_from(code).ok())
}

fn best_match(srs: &SpatialRef) -> Option<i32> {
    /// PROJ's confidence (percent) for the same definition under another name.
    const EQUIVALENT: i32 = 70;
    /// And for the same name too: then the first match is the right one.
    const SAME_NAME: i32 = 90;
    let (mut count, mut confidences) = (0, ptr::null_mut());
    // SAFETY: the handle lives as long as `srs`; both out-pointers are valid; the arrays that come back are freed below.
    let matches =
        unsafe { gdal_sys::OSRFindMatches(srs.to_c_hsrs(), ptr::null_mut(), &raw mut count, &raw mut confidences) };
    if matches.is_null() {
        return None;
    }
    let mut found: Vec<(i32, i32)> = Vec::new();
    for i in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: GDAL says that both arrays hold `count` elements, best first; texts belong to the matched object and
        // are read before it is freed.
        unsafe {
            let name = gdal_sys::OSRGetAuthorityName(*matches.add(i), ptr::null());
            let code = gdal_sys::OSRGetAuthorityCode(*matches.add(i), ptr::null());
            if !name.is_null() && !code.is_null() && CStr::from_ptr(name) == c"EPSG" {
                let code = CStr::from_ptr(code).to_str().ok().and_then(|code| code.parse().ok());
                found.extend(code.map(|code| (*confidences.add(i), code)));
            }
        }
    }
    // SAFETY: both arrays came from OSRFindMatches and are freed once.
    unsafe {
        gdal_sys::OSRFreeSRSArray(matches);
        gdal_sys::VSIFree(confidences.cast());
    }
    match found.as_slice() {
        [(confidence, code), ..] if *confidence >= SAME_NAME => Some(*code),
        // several systems that differ in name only: guessing would be silent
        [(first, _), (second, _), ..] if first == second => None,
        [(confidence, code), ..] if *confidence >= EQUIVALENT => Some(*code),
        _ => None,
    }
}

/// A transformation of points from one reference system to another, in (x, y) order on both sides.
///
/// One thread uses it at a time; make one per thread. The inverse is the same constructor with the systems exchanged.
#[derive(Debug)]
pub struct Transform {
    inner: Lent,
    from: String,
    to: String,
    identity: bool,
}

impl Transform {
    /// The transformation between two systems.
    ///
    /// # Errors
    /// One of them is unknown, or there is no way between them.
    pub fn new<'a>(from: impl Into<CrsRef<'a>>, to: impl Into<CrsRef<'a>>) -> Result<Self, ImageryError> {
        let (from, to) = (from.into(), to.into());
        let pair = match (from, to) {
            (CrsRef::Epsg(from), CrsRef::Epsg(to)) => Some((from, to)),
            _ => None,
        };
        let inner = Lent::of(pair, || {
            let (source, target) = (spatial_ref(from)?, spatial_ref(to)?);
            let (inner, messages) = runtime::collect_messages(|| CoordTransform::new(&source, &target));
            inner.map_err(|error| ImageryError::Crs {
                crs: format!("{from} → {to}"),
                detail: runtime::words(&messages, &error),
            })
        })?;
        let identity = match (from, to) {
            (CrsRef::Source(a), CrsRef::Source(b)) => a == b,
            (CrsRef::Epsg(a), CrsRef::Epsg(b)) => a == b,
            (CrsRef::Source(a), CrsRef::Epsg(b)) | (CrsRef::Epsg(b), CrsRef::Source(a)) => a.epsg == Some(b.0),
        };
        Ok(Self { inner, from: from.to_string(), to: to.to_string(), identity })
    }

    /// True where both systems are the same, so that points stay bit for bit.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.identity
    }

    /// Transforms points in place: `x[i]`, `y[i]` is one point.
    ///
    /// # Errors
    /// A point is not finite or outside the domain of the transformation. The slices then hold no meaningful values.
    ///
    /// # Panics
    /// The slices have different lengths.
    pub fn points(&self, x: &mut [f64], y: &mut [f64]) -> Result<(), ImageryError> {
        assert_eq!(x.len(), y.len(), "as many x as y");
        if x.is_empty() {
            return Ok(());
        }
        let bad = |x: &[f64], y: &[f64]| x.iter().zip(y).position(|(x, y)| !x.is_finite() || !y.is_finite());
        if let Some(i) = bad(x, y) {
            return Err(self.failure((x[i], y[i]), count_bad(x, y), x.len(), "not a finite number"));
        }
        if self.identity {
            return Ok(());
        }
        let before: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
        let (result, messages) = runtime::collect_messages(|| self.inner.transform_coords(x, y, &mut []));
        match (bad(x, y), result) {
            (None, Ok(())) => Ok(()),
            (failed, result) => {
                let fallback = result.err().map_or_else(|| "no result".to_owned(), |error| error.to_string());
                let detail = runtime::words(&messages, &fallback);
                Err(self.failure(before[failed.unwrap_or(0)], count_bad(x, y).max(1), x.len(), &detail))
            }
        }
    }

    /// Transforms one point.
    ///
    /// # Errors
    /// As [`Transform::points`].
    pub fn point(&self, x: f64, y: f64) -> Result<(f64, f64), ImageryError> {
        let (mut xs, mut ys) = ([x], [y]);
        self.points(&mut xs, &mut ys)?;
        Ok((xs[0], ys[0]))
    }

    /// Transforms a ring or line. Edges longer than `longest_edge` (in units of the source system) are divided first,
    /// since a straight edge in one system is a curve in another.
    ///
    /// # Errors
    /// As [`Transform::points`].
    pub fn line(&self, line: &LineString<f64>, longest_edge: Option<f64>) -> Result<LineString<f64>, ImageryError> {
        let dense = longest_edge.map_or_else(|| line.0.clone(), |longest| densified(&line.0, longest));
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = dense.iter().map(|point| (point.x, point.y)).unzip();
        self.points(&mut x, &mut y)?;
        Ok(x.into_iter().zip(y).map(|(x, y)| Coord { x, y }).collect())
    }

    /// Transforms a polygon with its holes.
    ///
    /// # Errors
    /// As [`Transform::points`].
    pub fn polygon(&self, polygon: &Polygon<f64>, longest_edge: Option<f64>) -> Result<Polygon<f64>, ImageryError> {
        let exterior = self.line(polygon.exterior(), longest_edge)?;
        let holes = polygon.interiors().iter().map(|ring| self.line(ring, longest_edge));
        Ok(Polygon::new(exterior, holes.collect::<Result<_, _>>()?))
    }

    /// Transforms a multipolygon.
    ///
    /// # Errors
    /// As [`Transform::points`].
    pub fn multi_polygon(
        &self,
        polygons: &MultiPolygon<f64>,
        longest_edge: Option<f64>,
    ) -> Result<MultiPolygon<f64>, ImageryError> {
        polygons.iter().map(|polygon| self.polygon(polygon, longest_edge)).collect()
    }

    fn failure(&self, (x, y): (f64, f64), failed: usize, total: usize, detail: &str) -> ImageryError {
        let (from, to, detail) = (self.from.clone(), self.to.clone(), detail.to_owned());
        ImageryError::Transform { from, to, x, y, failed, total, detail }
    }
}

fn count_bad(x: &[f64], y: &[f64]) -> usize {
    x.iter().zip(y).filter(|(x, y)| !x.is_finite() || !y.is_finite()).count()
}

/// The line with no edge longer than `longest`; its own points stay, bit for bit.
fn densified(points: &[Coord<f64>], longest: f64) -> Vec<Coord<f64>> {
    /// More pieces than this for one edge say that the edge or the limit is wrong, not that precision is needed.
    const MOST_PIECES: f64 = 4096.0;
    let mut dense = Vec::with_capacity(points.len());
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let pieces = ((b.x - a.x).hypot(b.y - a.y) / longest).ceil().clamp(1.0, MOST_PIECES) as usize;
        dense.extend((0..pieces).map(|piece| {
            let t = piece as f64 / pieces as f64;
            if piece == 0 { a } else { Coord { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t } }
        }));
    }
    dense.extend(points.last());
    dense
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: u32, to: u32, point: (f64, f64), expected: (f64, f64), tolerance: f64) {
        let transform = Transform::new(Epsg(from), Epsg(to)).expect("known systems");
        let (x, y) = transform.point(point.0, point.1).expect("inside the domain");
        assert!(
            (x - expected.0).abs() <= tolerance && (y - expected.1).abs() <= tolerance,
            "EPSG:{from} {point:?} → EPSG:{to}: expected {expected:?}, got {:?}",
            (x, y)
        );
        let back = Transform::new(Epsg(to), Epsg(from)).expect("known systems").point(x, y).expect("and back");
        assert!((back.0 - point.0).abs() < 1e-6 && (back.1 - point.1).abs() < 1e-6, "{back:?}");
    }

    #[test]
    fn longitude_and_easting_come_first_on_both_sides() {
        const MILLIMETRE: f64 = 1e-3;
        // on the central meridian of UTM zone 14 the easting is 500 km by definition
        check(4326, 32614, (-99.0, 0.0), (500_000.0, 0.0), MILLIMETRE);
        // the length of the meridian to 47° N by Helmert's series, times 0.9996
        check(4326, 32614, (-99.0, 47.0), (500_000.0, 5_205_164.110), MILLIMETRE);
        // EPSG:4490 is latitude, longitude and EPSG:4524 is northing, easting with zone number 36 in the registry
        check(4490, 4524, (108.0, 22.0), (36_500_000.0, 2_433_800.478), MILLIMETRE);
    }

    #[test]
    fn feet_are_feet() {
        // EPSG:2263, New York Long Island in US survey feet: false easting 984 250 ft at 74° W, 40°10′ N
        check(4269, 2263, (-74.0, 40.0 + 1.0 / 6.0), (984_250.0, 0.0), 0.01);
        let crs = SourceCrs::from_epsg(Epsg(2263)).expect("known");
        let metres = crs.metres_per_unit().expect("a system").expect("projected");
        assert!((metres - 1200.0 / 3937.0).abs() < 1e-12, "{metres}");
        assert_eq!(SourceCrs::from_epsg(Epsg::WGS84).expect("known").metres_per_unit().expect("a system"), None);
    }

    #[test]
    fn a_system_without_authority_is_recognised_by_its_definition() {
        let plain = SpatialRef::from_proj4("+proj=utm +zone=14 +datum=WGS84 +units=m +no_defs").expect("proj string");
        let crs = SourceCrs::from_spatial_ref(&plain).expect("not local");
        assert_eq!(crs.epsg, Some(32614));
        let odd =
            SpatialRef::from_proj4("+proj=laea +lat_0=12.3 +lon_0=45.6 +datum=WGS84 +units=m").expect("proj string");
        let odd = SourceCrs::from_spatial_ref(&odd).expect("not local");
        assert_eq!(odd.epsg, None);
        let (x, y) = Transform::new(Epsg::WGS84, &odd).expect("by WKT").point(45.6, 12.3).expect("its centre");
        assert!(x.abs() < 1e-6 && y.abs() < 1e-6);
    }

    #[test]
    fn faults_name_the_system_and_the_point() {
        let error = Transform::new(Epsg::WGS84, Epsg(99_999)).expect_err("no such code").to_string();
        assert!(error.contains("EPSG:99999"), "{error}");
        let transform = Transform::new(Epsg::WGS84, Epsg(3857)).expect("known");
        let error = transform.points(&mut [0.0, f64::NAN], &mut [0.0, 1.0]).expect_err("NaN").to_string();
        assert!(error.starts_with("1 of 2 points cannot be brought from EPSG:4326 to EPSG:3857"), "{error}");
        let error = transform.points(&mut [0.0, 10.0], &mut [0.0, 95.0]).expect_err("latitude 95").to_string();
        assert!(error.contains("y 95"), "{error}");
    }

    #[test]
    fn edges_are_divided_before_they_bend() {
        let square = LineString::from(vec![(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]);
        let transform = Transform::new(Epsg::WGS84, Epsg::WGS84).expect("known");
        assert!(transform.is_identity());
        let dense = transform.line(&square, Some(2.5)).expect("finite");
        assert_eq!(dense.0.len(), 17);
        assert!(square.0.iter().all(|corner| dense.0.contains(corner)));
        assert_eq!(transform.line(&square, None).expect("finite"), square);
    }

    #[test]
    fn a_transform_moves_to_another_thread() {
        let transform = Transform::new(Epsg::WGS84, Epsg(32614)).expect("known");
        let here = transform.point(-98.5, 47.2).expect("inside");
        let there = std::thread::spawn(move || transform.point(-98.5, 47.2).expect("inside")).join().expect("no panic");
        assert_eq!(here, there);
    }
}
