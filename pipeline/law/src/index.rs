//! Everything that the layers in force say of a place.
//!
//! An R-tree for each kind of layer holds the pieces of its features. A piece is cut down to the bounds of the place first:
//! nothing left is *outside*, all of it left is *inside*, and only what remains is intersected corner by corner (`geo` does that
//! on a lattice of some 10⁻⁹ of the place: shares are exact to 10⁻⁷).

use std::collections::{BTreeMap, BTreeSet};

use geo::{BooleanOps, BoundingRect};
use geo_types::{LineString, MultiPolygon, Polygon, Rect};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::law::layer::{Feature, LayerKind};
use shorewatch_domain::law::place::{Hit, NamedPlace, Place, Versions};
use shorewatch_domain::law::record::LayerContent;
use shorewatch_domain::law::water::Water;

use crate::clip::{self, Cutter};
use crate::ellipsoid;
use crate::pieces::{Rings, pieces};
use crate::position::{Nearby, Positions, centre};

/// A common part below this, in m², is the noise of drawing: areas are told to 0.01 m².
const LEAST_AREA_M2: f64 = 0.005;
/// A part whose area differs from that of the bounds by less than this share of them fills them.
const FULL: f64 = 1e-12;
/// Named places farther away than this, in metres, are not near.
const NEAREST_PLACE_WITHIN_M: f64 = 50_000.0;

/// The layers in force.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layers {
    /// Features of every kind of layer.
    pub features: Vec<Feature>,
    /// The register of waters.
    pub waters: Vec<Water>,
    /// Named places.
    pub places: Vec<NamedPlace>,
    /// Versions that these are, by the name of the layer.
    pub versions: Versions,
}

type IndexedPiece = GeomWithData<Rectangle<[f64; 2]>, (u32, Rings)>;

/// The layers in force, made ready for look-ups. It can be asked from several threads at once.
#[derive(Debug)]
pub struct LayerIndex {
    features: Vec<Feature>,
    /// Numbers of the features in order of kind and code, for [`LayerIndex::area_of`].
    by_code: Vec<u32>,
    /// Area of each feature in m².
    areas: Vec<f64>,
    trees: BTreeMap<LayerKind, RTree<IndexedPiece>>,
    positions: Positions,
    places: Nearby<String>,
    versions: Versions,
}

impl LayerIndex {
    /// Makes layers ready. Features should be valid polygons (an import sees to it).
    #[must_use]
    pub fn new(layers: Layers) -> Self {
        let Layers { features, waters, places, versions } = layers;
        let mut by_kind: BTreeMap<LayerKind, Vec<IndexedPiece>> =
            kinds_in_force(&versions).into_iter().map(|kind| (kind, Vec::new())).collect();
        let mut areas = Vec::with_capacity(features.len());
        for (number, feature) in features.iter().enumerate() {
            areas.push(ellipsoid::area(&feature.geometry));
            let of_kind = by_kind.entry(feature.layer()).or_default();
            of_kind.extend(pieces(&feature.geometry).into_iter().map(|piece| {
                let (min, max) = (piece.bounds.min(), piece.bounds.max());
                let bounds = Rectangle::from_corners([min.x, min.y], [max.x, max.y]);
                GeomWithData::new(bounds, (number as u32, piece.rings))
            }));
        }
        let trees = by_kind.into_iter().map(|(kind, pieces)| (kind, RTree::bulk_load(pieces))).collect();
        let mut by_code: Vec<u32> = (0..features.len() as u32).collect();
        by_code.sort_by(|a, b| named(&features, *a).cmp(&named(&features, *b)));
        let places = Nearby::new(places.into_iter().map(|place| (place.location.0, place.name)));
        Self { features, by_code, areas, trees, positions: Positions::new(waters), places, versions }
    }

    /// The versions that it holds.
    #[must_use]
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// The area of a feature, where there is one of that code.
    #[must_use]
    pub fn area_of(&self, layer: LayerKind, code: &str) -> Option<&MultiPolygon<f64>> {
        let wanted = (layer, code);
        let first = self.by_code.partition_point(|number| named(&self.features, *number) < wanted);
        let number = *self.by_code.get(first)?;
        (named(&self.features, number) == wanted).then(|| &self.features[number as usize].geometry)
    }

    /// What the layers say of an outline in CGCS2000 (longitude, latitude). An outline without area meets nothing.
    #[must_use]
    pub fn place(&self, outline: &Polygon<f64>) -> Place {
        let mut asked = Outline::new(outline);
        let hits: BTreeMap<LayerKind, Vec<Hit>> =
            self.trees.iter().map(|(&kind, tree)| (kind, self.hits(tree, &mut asked))).collect();
        let centre = centre(outline);
        let scopes = hits.get(&LayerKind::ManagementScope);
        let position = centre.and_then(|centre| self.positions.position(outline, centre, scopes.map(Vec::as_slice)));
        let nearest = centre.and_then(|centre| self.places.nearest(centre, NEAREST_PLACE_WITHIN_M));
        Place {
            position,
            hits,
            nearest_place: nearest.map(|(name, distance_m)| (name.clone(), distance_m)),
            versions: self.versions.clone(),
        }
    }

    fn hits(&self, tree: &RTree<IndexedPiece>, asked: &mut Outline<'_>) -> Vec<Hit> {
        let Some(bounds) = asked.bounds else { return Vec::new() };
        let (min, max) = (bounds.min(), bounds.max());
        let mut parts: BTreeMap<u32, f64> = BTreeMap::new();
        for piece in tree.locate_in_envelope_intersecting(&AABB::from_corners([min.x, min.y], [max.x, max.y])) {
            let (number, rings) = &piece.data;
            let area = asked.common_area(rings, bounds);
            if area > 0.0 {
                *parts.entry(*number).or_default() += area;
            }
        }
        let mut hits: Vec<Hit> = parts
            .into_iter()
            .filter(|(_, area)| *area >= LEAST_AREA_M2)
            .map(|(number, area_m2)| {
                let (feature, whole) = (&self.features[number as usize], self.areas[number as usize]);
                let area_m2 = area_m2.min(asked.area_m2);
                Hit {
                    code: feature.code.clone(),
                    name: feature.name.clone(),
                    share: area_m2 / asked.area_m2,
                    area_m2,
                    share_of_feature: if whole > 0.0 { (area_m2 / whole).min(1.0) } else { 0.0 },
                    facts: feature.facts.clone(),
                }
            })
            .collect();
        hits.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.code.cmp(&b.code)));
        hits
    }
}

/// Kind and code of a feature.
fn named(features: &[Feature], number: u32) -> (LayerKind, &str) {
    let feature = &features[number as usize];
    (feature.layer(), &feature.code)
}

/// The kinds of layers of areas that are in force by the names of the versions, met or not.
fn kinds_in_force(versions: &Versions) -> BTreeSet<LayerKind> {
    let kind = |name: &String| match LayerContent::of_layer(name) {
        Some(LayerContent::Areas(kind)) => Some(kind),
        _ => None,
    };
    versions.keys().filter_map(kind).collect()
}

/// The outline that is asked for, with what is needed again and again.
struct Outline<'a> {
    outline: &'a Polygon<f64>,
    area_m2: f64,
    /// `None` where it has no area.
    bounds: Option<Rect<f64>>,
    cutter: Cutter,
}

impl<'a> Outline<'a> {
    fn new(outline: &'a Polygon<f64>) -> Self {
        let area_m2 = ellipsoid::polygon_area(outline);
        let bounds = outline.bounding_rect().filter(|_| area_m2.is_finite() && area_m2 > 0.0);
        Self { outline, area_m2, bounds, cutter: Cutter::default() }
    }

    /// Area in m² that the outline has in common with the rings of a piece.
    fn common_area(&mut self, rings: &Rings, bounds: Rect<f64>) -> f64 {
        let mut left: Vec<LineString<f64>> = Vec::new();
        let mut doubled = 0.0;
        for ring in rings {
            let cut = self.cutter.within(ring, bounds);
            if cut.len() >= 3 {
                doubled += clip::doubled_area(cut);
                left.push(cut.to_vec().into());
            }
        }
        let full = 2.0 * bounds.width() * bounds.height();
        if doubled <= full * FULL {
            return 0.0;
        }
        if doubled >= full * (1.0 - FULL) {
            return self.area_m2;
        }
        let mut left = left.into_iter();
        let Some(outer) = left.next() else { return 0.0 };
        let common = self.outline.intersection(&Polygon::new(outer, left.collect()));
        ellipsoid::area(&common)
    }
}

#[cfg(test)]
mod tests;
