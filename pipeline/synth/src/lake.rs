//! The lake: an uneven ellipse with a flat shore.

use crate::noise::{Noise, sin_cos_turns};
use crate::relief::Relief;
use geo_types::{Coord, LineString, Polygon};

/// Fall of the lake's shore, metres of height a metre of way.
pub(crate) const LAKE_SLOPE: f64 = 0.022;

/// A lake: an uneven ellipse; coordinates in metres.
#[derive(Debug, Clone)]
pub(crate) struct Lake {
    pub(crate) centre: Coord<f64>,
    pub(crate) radii_m: (f64, f64),
    shape: Relief,
}

impl Lake {
    /// A lake about `centre` in a scene of `size_m`.
    pub(crate) fn new(noise: Noise, size_m: (f64, f64), centre: Coord<f64>, radii_m: (f64, f64)) -> Self {
        let shape = Relief::new(noise, size_m, 1.1 * radii_m.1, 5);
        Self { centre, radii_m, shape }
    }

    /// Height of the ground above the lake's mean level, in metres: negative where water stands.
    pub(crate) fn bed_m(&self, x: f64, y: f64) -> f64 {
        let (u, v) = ((x - self.centre.x) / self.radii_m.0, (y - self.centre.y) / self.radii_m.1);
        let square = u * u + v * v;
        if square > 3.0 {
            return f64::INFINITY;
        }
        let shape = self.shape.at(x, y);
        (square.sqrt() - 1.0 + 0.55 * shape) * self.radii_m.1 * LAKE_SLOPE
    }

    /// The shore `beyond_m` outside the mean waterline, in metres.
    pub(crate) fn outline(&self, beyond_m: f64) -> Polygon<f64> {
        let ring = (0..40).map(|step| {
            let (sine, cosine) = sin_cos_turns(f64::from(step) / 40.0);
            let along = |share: f64| Coord {
                x: self.centre.x + cosine * share * self.radii_m.0,
                y: self.centre.y + sine * share * self.radii_m.1,
            };
            // the outermost wet point on this ray
            let shore = (0..70)
                .map(|step| 1.7 - f64::from(step) * 0.02)
                .find(|share| self.bed_m(along(*share).x, along(*share).y) < 0.0)
                .unwrap_or(0.4);
            along(shore + beyond_m / self.radii_m.1)
        });
        Polygon::new(LineString(ring.collect()), Vec::new())
    }
}
