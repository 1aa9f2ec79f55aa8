//! A reach: a stretch of managed shoreline with the polygon of its management scope.

use geo_types::MultiPolygon;
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestBuilder};

/// What the management scope was defined by. Boundary data are often missing: a buffer is a stand-in and says so.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ScopeSource {
    /// A polygon from the source file.
    Polygon,
    /// A centreline widened on both sides.
    BufferedCentreline {
        /// Half width in metres.
        buffer_m: f64,
    },
}

/// A managed stretch of shoreline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reach {
    /// Code, unique in the store.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Management scope in WGS 84 (longitude, latitude).
    pub scope: MultiPolygon<f64>,
    /// How the scope came about.
    pub scope_source: ScopeSource,
    /// The file (name only) and layer that it was read from.
    pub origin: String,
    /// What was repaired on import, in words; empty for a clean polygon.
    pub repairs: Vec<String>,
}

impl Reach {
    /// Digest of identity and scope: another scope is another reach to every unit of work that met it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut builder = DigestBuilder::new("reach").field("id", &self.id);
        for polygon in &self.scope {
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                builder = builder.field("ring", []);
                for point in ring.coords() {
                    builder = builder.number("x", point.x).number("y", point.y);
                }
            }
        }
        builder.finish()
    }
}
