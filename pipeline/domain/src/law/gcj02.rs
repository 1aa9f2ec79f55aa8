//! GCJ-02: the shifted coordinates that Chinese navigation services expect. Only for a link that somebody opens in the field,
//! labelled as such, never stored: up to some 700 m off the true place.

/// Semi-major axis of the Krassovsky ellipsoid in metres, which the shift is reckoned on.
const SEMI_MAJOR_M: f64 = 6_378_245.0;
/// Its eccentricity squared.
const ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;
/// Bounds within which the shift is applied: longitude from, to, latitude from, to.
const SHIFTED: [f64; 4] = [72.004, 137.8347, 0.8293, 55.8271];

/// A place (longitude, latitude; WGS 84 or CGCS2000) in GCJ-02; outside of the bounds of the shift it stays as it is.
#[must_use]
pub fn shifted((longitude, latitude): (f64, f64)) -> (f64, f64) {
    let [west, east, south, north] = SHIFTED;
    if !(west..=east).contains(&longitude) || !(south..=north).contains(&latitude) {
        return (longitude, latitude);
    }
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let radians = latitude.to_radians();
    let curvature = 1.0 - ECCENTRICITY_SQUARED * radians.sin().powi(2);
    let metres_a_radian_north = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / (curvature * curvature.sqrt());
    let metres_a_radian_east = SEMI_MAJOR_M / curvature.sqrt() * radians.cos();
    (
        longitude + (east_m(x, y) / metres_a_radian_east).to_degrees(),
        latitude + (north_m(x, y) / metres_a_radian_north).to_degrees(),
    )
}

/// A link that opens the place in a Chinese map service. The coordinates in it are GCJ-02.
#[must_use]
pub fn navigation_link(place: (f64, f64)) -> String {
    let (longitude, latitude) = shifted(place);
    format!("https://uri.amap.com/marker?position={longitude:.6},{latitude:.6}&coordinate=gaode")
}

/// Two thirds of a sum of sines, each with its weight and its frequency in half turns a degree.
fn waves(degrees: f64, parts: [(f64, f64); 2]) -> f64 {
    let sum: f64 = parts.iter().map(|(weight, times)| weight * (degrees * times * std::f64::consts::PI).sin()).sum();
    sum * 2.0 / 3.0
}

fn north_m(x: f64, y: f64) -> f64 {
    -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + waves(x, [(20.0, 6.0), (20.0, 2.0)])
        + waves(y, [(20.0, 1.0), (40.0, 1.0 / 3.0)])
        + waves(y, [(160.0, 1.0 / 12.0), (320.0, 1.0 / 30.0)])
}

fn east_m(x: f64, y: f64) -> f64 {
    300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + waves(x, [(20.0, 6.0), (20.0, 2.0)])
        + waves(x, [(20.0, 1.0), (40.0, 1.0 / 3.0)])
        + waves(x, [(150.0, 1.0 / 12.0), (300.0, 1.0 / 30.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latitude and longitude, and the same in GCJ-02, as the test suites of the public converter eviltransform have them.
    const PUBLISHED: [[f64; 4]; 3] = [
        [31.177_427_6, 121.527_210_6, 31.175_303_983_645_97, 121.531_541_859_215],
        [22.543_847, 113.912_316, 22.540_796_131_694_766, 113.917_176_480_836_3],
        [39.911_954, 116.377_817, 39.913_345_455_360_69, 116.384_047_224_556_57],
    ];

    #[test]
    fn published_points_come_out() {
        for [latitude, longitude, expected_latitude, expected_longitude] in PUBLISHED {
            let got = shifted((longitude, latitude));
            let off = (got.0 - expected_longitude).abs().max((got.1 - expected_latitude).abs());
            assert!(off < 1e-9, "{got:?} for ({longitude}, {latitude})");
        }
    }

    #[test]
    fn outside_of_china_nothing_is_shifted() {
        assert_eq!(shifted((-74.5, -8.4)), (-74.5, -8.4));
    }

    #[test]
    fn the_link_says_whose_coordinates_it_holds() {
        let link = navigation_link((116.404, 39.915));
        assert!(link.contains("position=116.410") && link.contains("coordinate=gaode"), "{link}");
    }
}
