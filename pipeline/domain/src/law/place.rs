//! Everything that the layers in force say of one place.

use std::collections::BTreeMap;

use geo_types::Point;
use serde::{Deserialize, Serialize};

use super::layer::{Facts, LayerKind};
use super::water::Position;

/// The versions in force, by the name of the layer. A layer is named by its kind (`management_scope`, `water_reach`, …), and by
/// its part where it comes from several files (`management_scope/buffer`). The number counts the imports of that layer from 1 on.
pub type Versions = BTreeMap<String, u32>;

/// A place with a name (地名): a village, a bridge, a landmark.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NamedPlace {
    /// Code, unique in its layer.
    pub code: String,
    /// Name.
    pub name: String,
    /// Where it is (CGCS2000: longitude, latitude).
    pub location: Point<f64>,
}

/// A feature that a place meets.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// Code of the feature.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Share of the place that lies in it (0..1, above 0).
    pub share: f64,
    /// That part in m².
    pub area_m2: f64,
    /// Share of the feature that the place covers (0..1).
    pub share_of_feature: f64,
    /// What the feature says.
    pub facts: Facts,
}

/// Everything that the layers in force say of one place.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Where it lies along a water of the register; `None` where none is near, or there is no register.
    pub position: Option<Position>,
    /// Features that it meets, by layer; largest share first, equal ones by code. A layer that is not in force has no entry,
    /// one that is in force and not met an empty one: *not met* is not *not known*.
    pub hits: BTreeMap<LayerKind, Vec<Hit>>,
    /// Name of the nearest named place, and its distance in metres.
    pub nearest_place: Option<(String, f64)>,
    /// The versions that were asked, by the name of the layer.
    pub versions: Versions,
}

impl Place {
    /// The features of a layer that it meets; `None` where that layer is not in force.
    #[must_use]
    pub fn met(&self, layer: LayerKind) -> Option<&[Hit]> {
        self.hits.get(&layer).map(Vec::as_slice)
    }

    /// Share of the place that lies in any feature of a layer, at most 1; `None` where that layer is not in force. Features of one
    /// layer should not overlap; where they do, the shares are added up.
    #[must_use]
    pub fn share_in(&self, layer: LayerKind) -> Option<f64> {
        self.met(layer).map(|hits| hits.iter().map(|hit| hit.share).sum::<f64>().min(1.0))
    }
}
