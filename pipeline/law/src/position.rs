//! Where a place lies along the waters of the register: water, reach, bank, chainage.

use geo::{Centroid, Contains, InteriorPoint, Orient, orient::Direction};
use geo_types::{Coord, LineString, MultiPolygon, Point, Polygon};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::law::layer::Facts;
use shorewatch_domain::law::place::Hit;
use shorewatch_domain::law::water::{Bank, Position, Water, WaterKind, WaterReach};

use crate::ellipsoid::{self, metres_per_degree};

/// A place farther than this from every centreline, in metres, lies along no water.
pub const WITHIN_M: f64 = 5_000.0;
/// First radius of a search in metres; it is doubled until something is found.
const FIRST_RADIUS_M: f64 = 200.0;
/// Points along each side of the lattice that tells on which bank the larger part of a place lies.
const LATTICE: usize = 16;

/// A point inside an outline: its centroid, or one on its surface where that lies outside.
#[must_use]
pub fn centre(outline: &Polygon<f64>) -> Option<Coord<f64>> {
    let centroid = outline.centroid()?;
    let inside = if outline.contains(&centroid) { Some(centroid) } else { outline.interior_point() };
    inside.map(|point| point.0).filter(|place| place.x.is_finite() && place.y.is_finite())
}

/// The register of waters, made ready for look-ups.
#[derive(Debug)]
pub(crate) struct Positions {
    waters: Vec<Water>,
    lines: Vec<Line>,
    segments: RTree<GeomWithData<Rectangle<[f64; 2]>, Segment>>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    line: usize,
    /// Number of its first point on the line.
    from: usize,
}

/// The centreline of a reach.
#[derive(Debug)]
struct Line {
    water: usize,
    code: String,
    name: String,
    points: Vec<Coord<f64>>,
    /// Metres from the first point, point by point.
    along: Vec<f64>,
    /// (metres from the first point, chainage), down the line, at least two.
    chainages: Vec<(f64, f64)>,
}

/// The nearest place on a line.
#[derive(Clone, Copy, Debug)]
struct Foot {
    line: usize,
    from: usize,
    /// Where on the segment, 0 to 1.
    at: f64,
    distance_m: f64,
}

impl Positions {
    pub(crate) fn new(waters: Vec<Water>) -> Self {
        let mut lines = Vec::new();
        for (number, water) in waters.iter().enumerate() {
            lines.extend(water.reaches.iter().filter_map(|reach| Line::new(number, reach)));
            if water.reaches.is_empty() {
                // a lake without a reach is its own: along its shoreline
                lines.extend(shoreline(water).and_then(|reach| Line::new(number, &reach)));
            }
        }
        let segments = lines.iter().enumerate().flat_map(|(line, of)| {
            of.points.windows(2).enumerate().map(move |(from, pair)| {
                let corners = Rectangle::from_corners([pair[0].x, pair[0].y], [pair[1].x, pair[1].y]);
                GeomWithData::new(corners, Segment { line, from })
            })
        });
        let segments = RTree::bulk_load(segments.collect());
        Self { waters, lines, segments }
    }

    /// The position of an outline. The water that the management scopes around it name goes before a nearer one.
    pub(crate) fn position(
        &self,
        outline: &Polygon<f64>,
        centre: Coord<f64>,
        scopes: Option<&[Hit]>,
    ) -> Option<Position> {
        let named = scopes.into_iter().flatten().find_map(|scope| match &scope.facts {
            Facts::ManagementScope { water_code: Some(code), .. } => {
                self.waters.iter().position(|water| water.code == *code)
            }
            _ => None,
        });
        let foot = named.and_then(|water| self.foot(centre, WITHIN_M, |line| line.water == water));
        let foot = foot.or_else(|| self.foot(centre, WITHIN_M, |_| true))?;
        let line = &self.lines[foot.line];
        let water = &self.waters[line.water];
        Some(Position {
            water_code: water.code.clone(),
            water_name: water.name.clone(),
            water_kind: water.kind,
            basin: water.basin.clone(),
            reach_code: line.code.clone(),
            reach_name: line.name.clone(),
            bank: (water.kind == WaterKind::River).then(|| self.bank(outline, centre, &foot)),
            chainage_m: line.chainage(&foot),
            distance_m: foot.distance_m,
        })
    }

    /// The nearest place on the lines that count.
    fn foot(&self, from: Coord<f64>, within_m: f64, counts: impl Fn(&Line) -> bool) -> Option<Foot> {
        let scale = metres_per_degree(from.y);
        let mut radius_m = FIRST_RADIUS_M;
        loop {
            let radius_m_now = radius_m.min(within_m);
            let near = self.segments.locate_in_envelope_intersecting(&around(from, scale, radius_m_now));
            let feet = near.filter(|segment| counts(&self.lines[segment.data.line])).map(|segment| {
                let Segment { line, from: first } = segment.data;
                let points = &self.lines[line].points;
                let (at, distance_m) = foot_on(from, points[first], points[first + 1], scale);
                Foot { line, from: first, at, distance_m }
            });
            let nearest = feet.min_by(|a, b| {
                let place = |foot: &Foot| (foot.line, foot.from);
                a.distance_m.total_cmp(&b.distance_m).then_with(|| place(a).cmp(&place(b)))
            });
            match nearest {
                Some(foot) if foot.distance_m <= radius_m_now => return Some(foot),
                _ if radius_m >= within_m => return None,
                _ => radius_m *= 2.0,
            }
        }
    }

    /// The bank of the larger part: of the centre where the line does not cross the bounds of the outline, else of most points
    /// of a lattice.
    fn bank(&self, outline: &Polygon<f64>, centre: Coord<f64>, foot: &Foot) -> Bank {
        let line = &self.lines[foot.line];
        let bounds = geo::BoundingRect::bounding_rect(outline);
        let crosses = bounds.is_some_and(|bounds| {
            let (min, max) = (bounds.min(), bounds.max());
            let envelope = AABB::from_corners([min.x, min.y], [max.x, max.y]);
            self.segments.locate_in_envelope_intersecting(&envelope).any(|segment| segment.data.line == foot.line)
        });
        let (Some(bounds), true) = (bounds, crosses) else { return line.bank(centre, foot) };
        let (mut left, mut right) = (0, 0);
        for row in 0..LATTICE {
            for col in 0..LATTICE {
                let at = |i: usize, low: f64, size: f64| low + size * (i as f64 + 0.5) / LATTICE as f64;
                let x = at(col, bounds.min().x, bounds.width());
                let place = Coord { x, y: at(row, bounds.min().y, bounds.height()) };
                if outline.contains(&Point(place))
                    && let Some(foot) = self.foot(place, WITHIN_M * 2.0, |other| std::ptr::eq(other, line))
                {
                    *if line.bank(place, &foot) == Bank::Left { &mut left } else { &mut right } += 1;
                }
            }
        }
        match left.cmp(&right) {
            std::cmp::Ordering::Greater => Bank::Left,
            std::cmp::Ordering::Less => Bank::Right,
            std::cmp::Ordering::Equal => line.bank(centre, foot),
        }
    }
}

impl Line {
    /// `None` where the reach has no length.
    fn new(water: usize, reach: &WaterReach) -> Option<Self> {
        let mut points = reach.centreline.0.clone();
        points.dedup();
        if points.len() < 2 {
            return None;
        }
        let mut along = vec![0.0];
        for pair in points.windows(2) {
            along.push(along[along.len() - 1] + ellipsoid::distance(pair[0], pair[1]));
        }
        let mut line =
            Self { water, code: reach.code.clone(), name: reach.name.clone(), points, along, chainages: Vec::new() };
        line.chainages = line.known_chainages(reach);
        Some(line)
    }

    /// What is known of chainage: at both ends, and at kilometre points between.
    fn known_chainages(&self, reach: &WaterReach) -> Vec<(f64, f64)> {
        let length = self.along[self.along.len() - 1];
        let mut known: Vec<(f64, f64)> = reach
            .kilometre_points
            .iter()
            .map(|point| (self.distance_along(point.location.0), point.chainage_m))
            .filter(|(at, _)| *at > 0.0 && *at < length)
            .collect();
        known.push((0.0, reach.starts_at_m));
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        known.dedup_by(|a, b| a.0 == b.0);
        let (last_at, last) = known[known.len() - 1];
        // beyond the last known point the line itself is the measure, in the sense in which chainage runs
        let sense = if last < reach.starts_at_m { -1.0 } else { 1.0 };
        known.push((length, reach.ends_at_m.unwrap_or(last + sense * (length - last_at))));
        known
    }

    /// Metres from the first point to the foot of a place.
    fn distance_along(&self, place: Coord<f64>) -> f64 {
        let scale = metres_per_degree(place.y);
        let feet = self.points.windows(2).enumerate().map(|(from, pair)| {
            let (at, distance_m) = foot_on(place, pair[0], pair[1], scale);
            (distance_m, self.along[from] + at * (self.along[from + 1] - self.along[from]))
        });
        feet.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |(_, along)| along)
    }

    fn chainage(&self, foot: &Foot) -> f64 {
        let at = self.along[foot.from] + foot.at * (self.along[foot.from + 1] - self.along[foot.from]);
        let after = self.chainages.partition_point(|(known, _)| *known <= at).clamp(1, self.chainages.len() - 1);
        let ((low, from), (high, to)) = (self.chainages[after - 1], self.chainages[after]);
        if high > low { from + (to - from) * (at - low) / (high - low) } else { from }
    }

    /// The side on which a place lies. At a bend the nearest place is the corner, and both of its segments tell together.
    fn bank(&self, place: Coord<f64>, foot: &Foot) -> Bank {
        let (x, y) = metres_per_degree(place.y);
        let towards = |from: usize| {
            let (a, b) = (self.points[from], self.points[from + 1]);
            let (dx, dy) = ((b.x - a.x) * x, (b.y - a.y) * y);
            let length = dx.hypot(dy);
            (dx / length, dy / length)
        };
        let (a, b) = (self.points[foot.from], self.points[foot.from + 1]);
        let at = Coord { x: a.x + (b.x - a.x) * foot.at, y: a.y + (b.y - a.y) * foot.at };
        let mut direction = towards(foot.from);
        let neighbour = if foot.at <= 0.0 {
            foot.from.checked_sub(1)
        } else {
            (foot.at >= 1.0 && foot.from + 2 < self.points.len()).then_some(foot.from + 1)
        };
        if let Some(neighbour) = neighbour {
            let other = towards(neighbour);
            direction = (direction.0 + other.0, direction.1 + other.1);
        }
        let (dx, dy) = ((place.x - at.x) * x, (place.y - at.y) * y);
        if direction.0 * dy - direction.1 * dx >= 0.0 { Bank::Left } else { Bank::Right }
    }
}

/// The largest outline of a surface as a reach, water on the right.
fn shoreline(water: &Water) -> Option<WaterReach> {
    let largest = |surface: &MultiPolygon<f64>| {
        let by_area =
            |a: &&Polygon<f64>, b: &&Polygon<f64>| ellipsoid::polygon_area(a).total_cmp(&ellipsoid::polygon_area(b));
        surface.iter().max_by(by_area).cloned()
    };
    let outline = water.surface.as_ref().and_then(largest).filter(|_| water.kind != WaterKind::River)?;
    // clockwise: what is enclosed lies on the right
    let centreline: LineString<f64> = outline.orient(Direction::Reversed).exterior().clone();
    Some(WaterReach {
        code: water.code.clone(),
        name: water.name.clone(),
        centreline,
        starts_at_m: 0.0,
        ends_at_m: None,
        kilometre_points: Vec::new(),
    })
}

/// The box of a radius around a place.
fn around(place: Coord<f64>, (x, y): (f64, f64), radius_m: f64) -> AABB<[f64; 2]> {
    let (dx, dy) = (radius_m / x, radius_m / y);
    AABB::from_corners([place.x - dx, place.y - dy], [place.x + dx, place.y + dy])
}

/// Where on a segment a place has its foot (0 to 1), and how far away it is in metres.
pub(crate) fn foot_on(place: Coord<f64>, a: Coord<f64>, b: Coord<f64>, (x, y): (f64, f64)) -> (f64, f64) {
    let (ax, ay) = ((a.x - place.x) * x, (a.y - place.y) * y);
    let (dx, dy) = ((b.x - a.x) * x, (b.y - a.y) * y);
    let squared = dx * dx + dy * dy;
    let at = if squared > 0.0 { (-(ax * dx + ay * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
    (at, (ax + at * dx).hypot(ay + at * dy))
}

/// Points with something to say, made ready for the question which is the nearest.
#[derive(Debug)]
pub(crate) struct Nearby<T> {
    points: RTree<GeomWithData<[f64; 2], usize>>,
    values: Vec<T>,
}

impl<T> Nearby<T> {
    pub(crate) fn new(points: impl IntoIterator<Item = (Coord<f64>, T)>) -> Self {
        let (points, values): (Vec<_>, Vec<T>) = points.into_iter().unzip();
        let points = points.into_iter().enumerate().map(|(i, place)| GeomWithData::new([place.x, place.y], i));
        Self { points: RTree::bulk_load(points.collect()), values }
    }

    /// The nearest one and its distance in metres; the first given of equal ones.
    pub(crate) fn nearest(&self, from: Coord<f64>, within_m: f64) -> Option<(&T, f64)> {
        let scale = metres_per_degree(from.y);
        let mut radius_m = FIRST_RADIUS_M;
        loop {
            let now = radius_m.min(within_m);
            let near = self.points.locate_in_envelope_intersecting(&around(from, scale, now));
            let nearest = near
                .map(|point| {
                    let [x, y] = *point.geom();
                    (point.data, ellipsoid::distance(from, Coord { x, y }))
                })
                .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            match nearest {
                Some((i, distance_m)) if distance_m <= now => return Some((&self.values[i], distance_m)),
                _ if radius_m >= within_m => return None,
                _ => radius_m *= 2.0,
            }
        }
    }
}

#[cfg(test)]
mod tests;
