//! Scopes against their water: what of it they do not contain, and whether they lie shifted.

use std::collections::BTreeMap;

use geo::{BooleanOps, BoundingRect, Contains, Translate, unary_union};
use geo_types::{LineString, MultiLineString, MultiPolygon, Point};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::law::layer::{Facts, Feature, LayerKind};
use shorewatch_domain::law::water::{Water, WaterReach};

use super::{Defect, DefectKind};
use crate::ellipsoid::{self, metres_per_degree};

/// A part of the water outside of the scopes below this, in m², is the noise of drawing.
const LEAST_PART_M2: f64 = 100.0;
/// Less than this share of a water outside of its scopes is none.
const LEAST_SHARE: f64 = 0.002;
/// Shifts that are tried, in metres, in eight directions.
const SHIFTS_M: [f64; 8] = [10.0, 20.0, 30.0, 50.0, 80.0, 120.0, 200.0, 300.0];
/// A shift is reported where it brings at least this share of what lies outside back in.
const MENDED_SHARE: f64 = 0.7;
/// Points of a reach are this far apart, in metres.
const STEP_M: f64 = 50.0;
/// Runs of a reach outside of every scope below this, in metres, are the noise of drawing.
const LEAST_RUN_M: f64 = 150.0;

/// Directions by name, with their parts to the east and to the north.
pub(super) const DIRECTIONS: [(&str, f64, f64); 8] = [
    ("north", 0.0, 1.0),
    ("north-east", 0.707, 0.707),
    ("east", 1.0, 0.0),
    ("south-east", 0.707, -0.707),
    ("south", 0.0, -1.0),
    ("south-west", -0.707, -0.707),
    ("west", -1.0, 0.0),
    ("north-west", -0.707, 0.707),
];

pub(super) fn defects(features: &[Feature], waters: &[Water]) -> Vec<Defect> {
    let mut by_water: BTreeMap<&str, Vec<&Feature>> = BTreeMap::new();
    let mut scopes = Vec::new();
    for feature in features {
        if let Facts::ManagementScope { water_code, .. } = &feature.facts {
            scopes.push(feature);
            if let Some(code) = water_code {
                by_water.entry(code).or_default().push(feature);
            }
        }
    }
    if scopes.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for water in waters {
        if let (Some(surface), Some(scopes)) = (&water.surface, by_water.get(water.code.as_str())) {
            found.extend(against_surface(water, surface, scopes));
        }
    }
    let index = RTree::bulk_load(
        scopes
            .iter()
            .filter_map(|scope| {
                let bounds = scope.geometry.bounding_rect()?;
                let (min, max) = (bounds.min(), bounds.max());
                Some(GeomWithData::new(Rectangle::from_corners([min.x, min.y], [max.x, max.y]), *scope))
            })
            .collect::<Vec<_>>(),
    );
    for reach in waters.iter().flat_map(|water| &water.reaches) {
        found.extend(outside_scopes(reach, &index));
    }
    found
}

fn against_surface(water: &Water, surface: &MultiPolygon<f64>, scopes: &[&Feature]) -> Vec<Defect> {
    let union = unary_union(scopes.iter().map(|scope| &scope.geometry));
    let whole = ellipsoid::area(surface);
    let outside = surface.difference(&union);
    let parts: Vec<_> = outside.into_iter().filter(|part| ellipsoid::polygon_area(part) >= LEAST_PART_M2).collect();
    let outside = MultiPolygon(parts);
    let area_m2 = ellipsoid::area(&outside);
    if whole <= 0.0 || area_m2 / whole < LEAST_SHARE {
        return Vec::new();
    }
    let codes: Vec<String> =
        std::iter::once(water.code.clone()).chain(scopes.iter().map(|scope| scope.code.clone())).collect();
    let defect = |kind, text| Defect {
        kind,
        layer: LayerKind::ManagementScope.name().to_owned(),
        codes: codes.clone(),
        text,
        area_m2: Some(area_m2),
        length_m: None,
        geometry: Some(outside.clone().into()),
    };
    let share = 100.0 * area_m2 / whole;
    let text = format!("{:.2} m² ({share:.1} %) of {} lie outside of its management scope", area_m2, water.name);
    let mut found = vec![defect(DefectKind::ScopeLacksWater, text)];
    if let Some((metres, direction, left)) = best_shift(surface, &union, area_m2) {
        let text = format!(
            "the scope of {} would contain all but {:.2} m² of it if it were moved about {metres:.0} m to the {direction}: \
             another datum, or drawn on shifted imagery?",
            water.name, left
        );
        found.push(defect(DefectKind::ScopeShifted, text));
    }
    found
}

/// The shift of the scope that leaves least of the water outside, where it mends most of it.
fn best_shift(
    surface: &MultiPolygon<f64>,
    scope: &MultiPolygon<f64>,
    outside_m2: f64,
) -> Option<(f64, &'static str, f64)> {
    let centre = surface.bounding_rect()?.center();
    let (x, y) = metres_per_degree(centre.y);
    let tries = SHIFTS_M.iter().flat_map(|metres| DIRECTIONS.iter().map(move |direction| (*metres, direction)));
    let left = tries.map(|(metres, (name, dx, dy))| {
        // the water is moved the other way: the scope is the larger shape
        let moved = surface.translate(-dx * metres / x, -dy * metres / y);
        (metres, *name, ellipsoid::area(&moved.difference(scope)))
    });
    let best = left.min_by(|a, b| a.2.total_cmp(&b.2).then(a.0.total_cmp(&b.0)))?;
    (best.2 <= outside_m2 * (1.0 - MENDED_SHARE)).then_some(best)
}

type Scopes<'a> = RTree<GeomWithData<Rectangle<[f64; 2]>, &'a Feature>>;

fn outside_scopes(reach: &WaterReach, scopes: &Scopes<'_>) -> Option<Defect> {
    let points = super::reaches::sampled(&reach.centreline, STEP_M);
    let is_inside = |place: geo_types::Coord<f64>| {
        let envelope = AABB::from_point([place.x, place.y]);
        scopes.locate_in_envelope_intersecting(&envelope).any(|scope| scope.data.geometry.contains(&Point(place)))
    };
    let mut runs: Vec<LineString<f64>> = Vec::new();
    let mut run = Vec::new();
    for place in points {
        if is_inside(place) {
            runs.push(std::mem::take(&mut run).into());
        } else {
            run.push(place);
        }
    }
    runs.push(run.into());
    runs.retain(|run| ellipsoid::length(run) >= LEAST_RUN_M);
    if runs.is_empty() {
        return None;
    }
    let length_m: f64 = runs.iter().map(ellipsoid::length).sum();
    Some(Defect {
        kind: DefectKind::ReachOutsideScope,
        layer: LayerKind::ManagementScope.name().to_owned(),
        codes: vec![reach.code.clone()],
        text: format!("{length_m:.1} m of the centreline of {} lie outside of every management scope", reach.name),
        area_m2: None,
        length_m: Some(length_m),
        geometry: Some(MultiLineString(runs).into()),
    })
}
