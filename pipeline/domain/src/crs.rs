//! Coordinate reference systems by EPSG code, and which projected zone a place belongs to.
//!
//! Areas are computed in projected systems only, never in degrees. Geometry is always (x, y): easting
//! before northing and longitude before latitude, whatever the registry's axis order says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A coordinate reference system, by its code in the EPSG registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epsg(pub u32);

impl Epsg {
    /// WGS 84, geographic, degrees. Geometry is kept as (longitude, latitude).
    pub const WGS84: Self = Self(4326);
    /// CGCS2000 (China Geodetic Coordinate System 2000), geographic, degrees; kept as (longitude, latitude).
    pub const CGCS2000: Self = Self(4490);
}

impl fmt::Display for Epsg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

/// A family of projected zones from which the zone of a reach is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneFamily {
    /// WGS 84 / UTM, 6° zones: EPSG:326zz north, 327zz south.
    Utm,
    /// CGCS2000 / 3-degree Gauss-Krüger zones 25 to 45: EPSG:4513 to 4533.
    Cgcs2000ThreeDegree,
}

/// A place for which the family has no zone.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("no {family:?} zone at longitude {longitude}, latitude {latitude}; {hint}")]
pub struct NoZone {
    family: ZoneFamily,
    longitude: f64,
    latitude: f64,
    hint: &'static str,
}

impl ZoneFamily {
    /// The projected zone for a place in degrees.
    ///
    /// # Errors
    /// The place is outside the family's zones (UTM: 80° S to 84° N; CGCS2000: 73.5° E to 136.5° E).
    pub fn zone_at(self, longitude: f64, latitude: f64) -> Result<Epsg, NoZone> {
        let refused = |hint| NoZone { family: self, longitude, latitude, hint };
        if !(-180.0..=180.0).contains(&longitude) || !(-90.0..=90.0).contains(&latitude) {
            return Err(refused("expected degrees; are the axes swapped, or the coordinates projected?"));
        }
        match self {
            Self::Utm => {
                if !(-80.0..=84.0).contains(&latitude) {
                    return Err(refused("UTM ends at 80° S and 84° N; set [grid] epsg to a polar system"));
                }
                let zone = (((longitude + 180.0) / 6.0).floor() as u32 % 60) + 1;
                Ok(Epsg(if latitude < 0.0 { 32700 } else { 32600 } + zone))
            }
            Self::Cgcs2000ThreeDegree => {
                let zone = (longitude / 3.0).round();
                if !(25.0..=45.0).contains(&zone) {
                    return Err(refused("CGCS2000 3° zones cover China; use zones = \"utm\" or set [grid] epsg"));
                }
                Ok(Epsg(4488 + zone as u32))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_known_places() {
        let check = |family: ZoneFamily, lon, lat, expected| {
            assert_eq!(family.zone_at(lon, lat).expect("a zone"), Epsg(expected));
        };
        check(ZoneFamily::Utm, -74.5, -8.4, 32718); // Pucallpa
        check(ZoneFamily::Utm, -99.0, 47.0, 32614); // North Dakota prairie
        check(ZoneFamily::Utm, 108.6, 21.9, 32649); // Qinzhou
        check(ZoneFamily::Utm, 180.0, 10.0, 32601);
        check(ZoneFamily::Cgcs2000ThreeDegree, 108.6, 21.9, 4524); // zone 36, central meridian 108°
        check(ZoneFamily::Cgcs2000ThreeDegree, 120.0, 30.0, 4528);
        assert!(ZoneFamily::Cgcs2000ThreeDegree.zone_at(-74.5, -8.4).is_err());
        assert!(ZoneFamily::Utm.zone_at(500_000.0, 40.0).is_err());
    }
}
