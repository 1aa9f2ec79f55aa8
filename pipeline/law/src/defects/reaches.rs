//! Reaches against each other, and kilometre points against their reach.

use geo_types::{Coord, LineString};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::law::water::{Water, WaterKind, WaterReach};

use super::{Defect, DefectKind};
use crate::ellipsoid::{self, metres_per_degree};
use crate::position::foot_on;

/// Points of a reach are this far apart, in metres.
const STEP_M: f64 = 20.0;
/// Centrelines nearer than this, in metres, run along the same line.
const SAME_LINE_M: f64 = 5.0;
/// Lengths below this, in metres, are the meeting of two reaches.
const LEAST_LENGTH_M: f64 = 100.0;
/// Chainages may differ by this much, in metres, from one reach to the next.
const CHAINAGE_TOLERANCE_M: f64 = 1.0;
/// A kilometre point stands at most this far from its centreline, in metres.
const BESIDE_M: f64 = 1_000.0;

/// Places along a line, at most so many metres apart, its own corners among them.
pub(super) fn sampled(line: &LineString<f64>, step_m: f64) -> Vec<Coord<f64>> {
    let mut places = Vec::new();
    for pair in line.0.windows(2) {
        let pieces = (ellipsoid::distance(pair[0], pair[1]) / step_m).ceil().clamp(1.0, 1e6) as usize;
        places.extend((0..pieces).map(|i| pair[0] + (pair[1] - pair[0]) * (i as f64 / pieces as f64)));
    }
    places.extend(line.0.last());
    places
}

pub(super) fn defects(waters: &[Water], stray: &[(String, String)]) -> Vec<Defect> {
    let reaches: Vec<&WaterReach> = waters.iter().flat_map(|water| &water.reaches).collect();
    let mut found = overlaps(&reaches);
    found.extend(waters.iter().filter(|water| water.kind == WaterKind::River).flat_map(chainages));
    found.extend(reaches.iter().flat_map(|reach| kilometre_points(reach)));
    found.extend(stray.iter().map(|(code, reach)| Defect {
        text: format!("the kilometre point belongs to the reach {reach:?}, which is not in the register"),
        ..bare(DefectKind::KilometrePointAstray, "kilometre_point", vec![code.clone()])
    }));
    found
}

fn bare(kind: DefectKind, layer: &str, codes: Vec<String>) -> Defect {
    Defect { kind, layer: layer.to_owned(), codes, text: String::new(), area_m2: None, length_m: None, geometry: None }
}

fn overlaps(reaches: &[&WaterReach]) -> Vec<Defect> {
    let segments = reaches.iter().enumerate().flat_map(|(number, reach)| {
        reach.centreline.0.windows(2).map(move |pair| {
            let corners = Rectangle::from_corners([pair[0].x, pair[0].y], [pair[1].x, pair[1].y]);
            GeomWithData::new(corners, (number, pair[0], pair[1]))
        })
    });
    let segments = RTree::bulk_load(segments.collect());
    let mut found = Vec::new();
    for (number, reach) in reaches.iter().enumerate() {
        let mut runs: std::collections::BTreeMap<usize, Vec<Coord<f64>>> = std::collections::BTreeMap::new();
        for place in sampled(&reach.centreline, STEP_M) {
            let scale = metres_per_degree(place.y);
            let (dx, dy) = (SAME_LINE_M / scale.0, SAME_LINE_M / scale.1);
            let around = AABB::from_corners([place.x - dx, place.y - dy], [place.x + dx, place.y + dy]);
            let near = segments.locate_in_envelope_intersecting(&around).filter(|segment| {
                let (other, from, to) = segment.data;
                other > number && foot_on(place, from, to, scale).1 <= SAME_LINE_M
            });
            let others: std::collections::BTreeSet<usize> = near.map(|segment| segment.data.0).collect();
            others.into_iter().for_each(|other| runs.entry(other).or_default().push(place));
        }
        for (other, places) in runs {
            let line = LineString(places);
            let length_m = ellipsoid::length(&line);
            if length_m >= LEAST_LENGTH_M {
                let other = reaches[other];
                found.push(Defect {
                    text: format!("{} and {} run along the same line for {length_m:.1} m", reach.name, other.name),
                    length_m: Some(length_m),
                    geometry: Some(line.into()),
                    ..bare(DefectKind::ReachesOverlap, "water_reach", vec![reach.code.clone(), other.code.clone()])
                });
            }
        }
    }
    found
}

/// Where chainages of one river do not go on from reach to reach.
fn chainages(water: &Water) -> Vec<Defect> {
    let ends = |reach: &WaterReach| {
        let end = reach.ends_at_m.unwrap_or_else(|| reach.starts_at_m + ellipsoid::length(&reach.centreline));
        (reach.starts_at_m.min(end), reach.starts_at_m.max(end))
    };
    let mut reaches: Vec<&WaterReach> = water.reaches.iter().collect();
    reaches.sort_by(|a, b| ends(a).0.total_cmp(&ends(b).0));
    let broken = reaches.windows(2).filter_map(|pair| {
        let (before, after) = (ends(pair[0]).1, ends(pair[1]).0);
        let step = after - before;
        // where an end is not told it follows from the line, which is no measure of a step
        let is_told = pair[0].ends_at_m.is_some();
        (is_told && step.abs() > CHAINAGE_TOLERANCE_M).then(|| {
            let what = if step > 0.0 { "is left out" } else { "counts twice" };
            Defect {
                text: format!(
                    "{}: chainage {before:.1} m to {after:.1} m {what} between {} and {}",
                    water.name, pair[0].name, pair[1].name
                ),
                length_m: Some(step.abs()),
                ..bare(DefectKind::ChainageBroken, "water_reach", vec![pair[0].code.clone(), pair[1].code.clone()])
            }
        })
    });
    broken.collect()
}

fn kilometre_points(reach: &WaterReach) -> Vec<Defect> {
    let mut found = Vec::new();
    let mut along: Vec<(f64, f64)> = Vec::new();
    for point in &reach.kilometre_points {
        let (at, distance_m) = foot(reach, point.location.0);
        along.push((at, point.chainage_m));
        if distance_m > BESIDE_M {
            found.push(Defect {
                text: format!(
                    "the kilometre point {:.1} stands {distance_m:.0} m from the centreline of {}",
                    point.chainage_m, reach.name
                ),
                length_m: Some(distance_m),
                geometry: Some(point.location.into()),
                ..bare(DefectKind::KilometrePointAstray, "kilometre_point", vec![reach.code.clone()])
            });
        }
    }
    along.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rises = along.windows(2).filter(|pair| pair[1].1 > pair[0].1).count();
    if rises != 0 && rises + 1 != along.len() {
        found.push(Defect {
            text: format!("the kilometre points of {} do not follow one another along its centreline", reach.name),
            ..bare(DefectKind::KilometrePointAstray, "kilometre_point", vec![reach.code.clone()])
        });
    }
    found
}

/// Metres along a reach to the foot of a place, and the distance from it.
fn foot(reach: &WaterReach, place: Coord<f64>) -> (f64, f64) {
    let scale = metres_per_degree(place.y);
    let mut along = 0.0;
    let mut nearest = (0.0, f64::INFINITY);
    for pair in reach.centreline.0.windows(2) {
        let (at, distance_m) = foot_on(place, pair[0], pair[1], scale);
        let length = ellipsoid::distance(pair[0], pair[1]);
        if distance_m < nearest.1 {
            nearest = (along + at * length, distance_m);
        }
        along += length;
    }
    nearest
}
