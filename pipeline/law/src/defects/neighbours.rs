//! Gaps and overlaps between neighbours of one layer.

use std::collections::BTreeMap;

use geo::{Area, BooleanOps, BoundingRect, Buffer, Distance, Euclidean, Length};
use geo_types::{MultiPolygon, Polygon, Rect};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::law::layer::{Facts, Feature, LayerKind};

use super::plane::{Plane, common, grown};
use super::{Defect, DefectKind};
use crate::ellipsoid;

/// An overlap below this, in m², is the noise of drawing.
const LEAST_OVERLAP_M2: f64 = 10.0;
/// A strip between neighbours is a gap up to twice this width, in metres; wider ones are meant.
const HALF_GAP_M: f64 = 10.0;
/// A gap shorter than this, in metres, is a corner.
const LEAST_GAP_LENGTH_M: f64 = 50.0;
/// And one below this, in m², is the noise of drawing.
const LEAST_GAP_M2: f64 = 20.0;
/// Strips of less than twice this width, in metres, are the noise of drawing.
const SLIVER_M: f64 = 0.1;
/// A strip belongs to a neighbour that is nearer than this, in metres.
const TOUCHES_M: f64 = 0.5;

type Neighbours<'a> = RTree<GeomWithData<Rectangle<[f64; 2]>, (usize, &'a Feature)>>;

pub(super) fn defects(features: &[Feature]) -> Vec<Defect> {
    let mut groups: BTreeMap<(LayerKind, &str), Vec<(usize, &Feature)>> = BTreeMap::new();
    for (number, feature) in features.iter().enumerate() {
        // wetlands, sources and permits may lie in one another; these may not
        let level = match &feature.facts {
            Facts::ManagementScope { .. } | Facts::ShorelineZone { .. } => "",
            Facts::AdministrativeUnit { level, .. } => level.name(),
            _ => continue,
        };
        groups.entry((feature.layer(), level)).or_default().push((number, feature));
    }
    let mut found = Vec::new();
    for ((layer, _), group) in groups {
        let tree: Neighbours<'_> = RTree::bulk_load(
            group
                .iter()
                .filter_map(|entry| Some(GeomWithData::new(rectangle(entry.1.geometry.bounding_rect()?), *entry)))
                .collect(),
        );
        for (number, feature) in &group {
            let Some(bounds) = feature.geometry.bounding_rect() else { continue };
            let around = grown(bounds, 2.0 * HALF_GAP_M);
            for near in tree.locate_in_envelope_intersecting(&envelope(around)) {
                let (other_number, other) = near.data;
                if other_number > *number {
                    found.extend(overlap(layer, feature, other));
                    found.extend(gap(layer, feature, other, &tree));
                }
            }
        }
    }
    found
}

fn overlap(layer: LayerKind, one: &Feature, other: &Feature) -> Option<Defect> {
    let window = common(one.geometry.bounding_rect()?, other.geometry.bounding_rect()?)?;
    let within = |feature: &Feature| feature.geometry.intersection(&MultiPolygon(vec![window.to_polygon()]));
    let both = within(one).intersection(&within(other));
    let area_m2 = ellipsoid::area(&both);
    (area_m2 >= LEAST_OVERLAP_M2).then(|| Defect {
        kind: DefectKind::Overlap,
        layer: layer.name().to_owned(),
        codes: vec![one.code.clone(), other.code.clone()],
        text: format!("{} and {} overlap by {area_m2:.2} m²", one.name, other.name),
        area_m2: Some(area_m2),
        length_m: None,
        geometry: Some(both.into()),
    })
}

/// The narrow strips between two neighbours that belong to nobody: what closes when both are widened and narrowed again.
fn gap(layer: LayerKind, one: &Feature, other: &Feature, all: &Neighbours<'_>) -> Option<Defect> {
    let (a, b) = (one.geometry.bounding_rect()?, other.geometry.bounding_rect()?);
    let window = grown(common(grown(a, 2.0 * HALF_GAP_M), grown(b, 2.0 * HALF_GAP_M))?, 4.0 * HALF_GAP_M);
    let plane = Plane::about(window.center());
    let frame = MultiPolygon(vec![window.to_polygon()]);
    let near = |feature: &Feature| plane.metres(&feature.geometry.intersection(&frame));
    let (near_one, near_other) = (near(one), near(other));
    if near_one.0.is_empty() || near_other.0.is_empty() || Euclidean.distance(&near_one, &near_other) > 2.0 * HALF_GAP_M
    {
        return None;
    }
    let both = near_one.union(&near_other);
    let closed = both.buffer(HALF_GAP_M).buffer(-HALF_GAP_M);
    let strips = closed.difference(&both).intersection(&plane.metres(&frame));
    // slivers along the edges are left by rounding
    let mut strips = strips.buffer(-SLIVER_M).buffer(SLIVER_M);
    for third in all.locate_in_envelope_intersecting(&envelope(window)) {
        if third.data.1.code != one.code && third.data.1.code != other.code {
            strips = strips.difference(&near(third.data.1));
        }
    }
    let is_gap = |strip: &Polygon<f64>| {
        strip.unsigned_area() >= LEAST_GAP_M2
            && Euclidean.length(strip.exterior()) / 2.0 >= LEAST_GAP_LENGTH_M
            && Euclidean.distance(strip, &near_one) <= TOUCHES_M
            && Euclidean.distance(strip, &near_other) <= TOUCHES_M
    };
    let strips = MultiPolygon(strips.into_iter().filter(is_gap).collect());
    if strips.0.is_empty() {
        return None;
    }
    let length_m: f64 = strips.iter().map(|strip| Euclidean.length(strip.exterior()) / 2.0).sum();
    let strips = plane.degrees(&strips);
    let area_m2 = ellipsoid::area(&strips);
    Some(Defect {
        kind: DefectKind::Gap,
        layer: layer.name().to_owned(),
        codes: vec![one.code.clone(), other.code.clone()],
        text: format!("between {} and {} lies a gap of {area_m2:.2} m², {length_m:.1} m long", one.name, other.name),
        area_m2: Some(area_m2),
        length_m: Some(length_m),
        geometry: Some(strips.into()),
    })
}

fn rectangle(bounds: Rect<f64>) -> Rectangle<[f64; 2]> {
    Rectangle::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y])
}

fn envelope(bounds: Rect<f64>) -> AABB<[f64; 2]> {
    AABB::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y])
}
