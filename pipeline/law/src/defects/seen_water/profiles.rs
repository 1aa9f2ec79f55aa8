//! Lines across the edge of a scope: where the water ends along each of them.

use geo::orient::{Direction, Orient};
use geo_types::{Coord, LineString, MultiPolygon, Polygon};

use super::{Seen, SeenGround};
use crate::defects::shift::Sample;

/// Dry pixels in a row that make a bank, and wet ones that make a waterline: boats and bridges are narrower.
const LEAST_PX: f64 = 2.0;
/// Water outside up to this many pixels from the edge is what a pixel can't tell.
pub(super) const EDGE_PX: f64 = 1.5;
/// Water that the edge crosses counts where it lies along the edge for this many times its own depth: else it is a mouth, or the
/// river that runs on behind a bend.
const LEAST_ELONGATION: f64 = 2.0;
/// A waterline is measured where it runs less than 45° off the edge, over so many lines to each side: along the ends of a scope, that
/// cut across its river, lines meet a bank somewhere far off, and pools behind the bank begin and end in jumps.
const BESIDE: usize = 5;
/// Steps of a line across the edge are half a pixel, or this share of the ring where pixels are finer.
const STEP_SHARE: f64 = 1.0 / 400.0;

/// A line across the edge.
pub(super) struct Profile {
    /// Where it crosses, in pixel-corner coordinates.
    at: Coord<f64>,
    /// Outward normal in these coordinates.
    normal: Coord<f64>,
    /// Pixels of edge that it stands for; 0 for those that fan out around a corner.
    pub(super) length: f64,
    pub(super) bank: Bank,
}

impl Profile {
    /// Pixels from the edge outwards to the water's end.
    fn distance(&self) -> Option<f64> {
        match self.bank {
            Bank::Outside(depth) => Some(depth),
            Bank::Inside(depth) => Some(-depth),
            _ => None,
        }
    }
}

/// Where the water ends along a line. Distances in pixels from the edge.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Bank {
    /// The edge lies in water, which ends so far outside.
    Outside(f64),
    /// The waterline lies so far inside.
    Inside(f64),
    /// No water inside.
    None,
    /// The edge lies in water, which does not end within the ring.
    RunsOn,
    /// Another scope goes on there.
    Neighbour,
    NotLookedAt,
}

/// The rings of a scope, each with the outside at (dy, −dx) of its edges (dx, dy).
pub(super) fn rings(scope_px: &MultiPolygon<f64>) -> Vec<LineString<f64>> {
    let oriented = scope_px.orient(Direction::Default);
    let rings = oriented.into_iter().map(Polygon::into_inner);
    rings.flat_map(|(exterior, interiors)| std::iter::once(exterior).chain(interiors)).collect()
}

/// Lines across a ring, one after the other, with outward lines of `ring_px` pixels.
pub(super) fn across(ring: &LineString<f64>, ring_px: f64, ground: &impl SeenGround) -> Vec<Profile> {
    let edges: Vec<(Coord<f64>, Coord<f64>, f64)> = ring
        .lines()
        .map(|line| (line.start, line.delta(), line.dx().hypot(line.dy())))
        .filter(|(_, _, length)| *length > 1e-9)
        .collect();
    let normal = |delta: Coord<f64>, length: f64| Coord { x: delta.y / length, y: -delta.x / length };
    let step = (ring_px * STEP_SHARE).max(0.5);
    let spacing = step.max(1.0);
    let mut profiles = Vec::new();
    for (number, &(start, delta, length)) in edges.iter().enumerate() {
        let (_, before, length_before) = edges[(number + edges.len() - 1) % edges.len()];
        let (from, to) = (normal(before, length_before), normal(delta, length));
        // at a corner that points outwards lines fan out, or water between them would be left out
        let turn = (from.x * to.y - from.y * to.x).atan2(from.x * to.x + from.y * to.y);
        if turn > 0.0 {
            let pieces = (turn * ring_px / spacing).floor() as usize;
            profiles.extend((1..=pieces).map(|piece| {
                let (sine, cosine) = (turn * piece as f64 / (pieces + 1) as f64).sin_cos();
                let turned = Coord { x: from.x * cosine - from.y * sine, y: from.x * sine + from.y * cosine };
                follow(start, turned, 0.0, (ring_px, step), ground)
            }));
        }
        let pieces = (length / spacing).ceil().max(1.0);
        profiles.extend((0..pieces as usize).map(|piece| {
            let at = start + delta * ((piece as f64 + 0.5) / pieces);
            follow(at, to, length / pieces, (ring_px, step), ground)
        }));
    }
    leave_mouths_out(&mut profiles);
    profiles
}

/// Follows the line across the edge at a place.
fn follow(
    at: Coord<f64>,
    normal: Coord<f64>,
    length: f64,
    (ring_px, step): (f64, f64),
    ground: &impl SeenGround,
) -> Profile {
    let pixel = |distance: f64| {
        let place = at + normal * distance;
        (place.y.floor() as i64, place.x.floor() as i64)
    };
    let bank = if ground.is_in_a_scope(pixel(EDGE_PX)) {
        Bank::Neighbour
    } else {
        match ground.seen(pixel(-0.5)) {
            Seen::NotLookedAt => Bank::NotLookedAt,
            Seen::Water => outwards(pixel, (ring_px, step), ground),
            Seen::Dry => inwards(pixel, step, ground),
        }
    };
    Profile { at, normal, length, bank }
}

fn outwards(pixel: impl Fn(f64) -> (i64, i64), (ring_px, step): (f64, f64), ground: &impl SeenGround) -> Bank {
    let mut bank = None;
    for number in 0..(ring_px / step).ceil() as u32 {
        let distance = (f64::from(number) + 0.5) * step;
        let place = pixel(distance);
        if distance > EDGE_PX && ground.is_in_a_scope(place) {
            return Bank::Neighbour;
        }
        match (ground.seen(place), bank) {
            (Seen::NotLookedAt, _) => return Bank::NotLookedAt,
            (Seen::Water, _) => bank = None,
            (Seen::Dry, None) => bank = Some(distance - step / 2.0),
            (Seen::Dry, Some(begins)) if distance - begins >= LEAST_PX => return Bank::Outside(begins),
            (Seen::Dry, Some(_)) => {}
        }
    }
    Bank::RunsOn
}

/// Inwards a line goes on until it leaves the scope again.
fn inwards(pixel: impl Fn(f64) -> (i64, i64), step: f64, ground: &impl SeenGround) -> Bank {
    let mut water = None;
    for number in 0_u32.. {
        let distance = (f64::from(number) + 0.5) * step;
        let place = pixel(-distance);
        if distance > EDGE_PX && !ground.is_in_a_scope(place) {
            break;
        }
        match (ground.seen(place), water) {
            (Seen::NotLookedAt, _) => return Bank::NotLookedAt,
            (Seen::Dry, _) => water = None,
            (Seen::Water, None) => water = Some(distance - step / 2.0),
            (Seen::Water, Some(begins)) if distance - begins >= LEAST_PX => return Bank::Inside(begins),
            (Seen::Water, Some(_)) => {}
        }
    }
    Bank::None
}

/// Takes the banks away where the edge crosses a mouth: water that mostly runs on past the ring, or is deeper than it is long.
fn leave_mouths_out(profiles: &mut [Profile]) {
    let is_wet = |profile: &Profile| matches!(profile.bank, Bank::Outside(_) | Bank::RunsOn);
    // a stretch may lie across the first place of the ring
    profiles.rotate_left(profiles.iter().position(|profile| !is_wet(profile)).unwrap_or(0));
    let stretches = profiles.chunk_by_mut(|one, other| is_wet(one) == is_wet(other));
    for stretch in stretches.filter(|stretch| is_wet(&stretch[0])) {
        let (mut closed, mut open, mut area) = (0.0, 0.0, 0.0);
        for profile in stretch.iter() {
            if let Bank::Outside(depth) = profile.bank {
                closed += profile.length;
                area += profile.length * depth;
            } else {
                open += profile.length;
            }
        }
        let depth = area / closed;
        if open > closed || closed <= 0.0 || closed < LEAST_ELONGATION * depth {
            stretch.iter_mut().for_each(|profile| profile.bank = Bank::RunsOn);
        }
    }
}

/// The water outside between neighbouring lines, in pixel-corner coordinates.
pub(super) fn between(profiles: &[Profile]) -> Vec<Polygon<f64>> {
    let depth = |profile: &Profile| match profile.bank {
        Bank::Outside(depth) if depth >= EDGE_PX => Some(profile.at + profile.normal * depth),
        _ => None,
    };
    let next = profiles.iter().cycle().skip(1);
    profiles
        .iter()
        .zip(next)
        .filter_map(|(one, other)| {
            let (far, other_far) = (depth(one)?, depth(other)?);
            Some(Polygon::new(LineString(vec![one.at, far, other_far, other.at, one.at]), Vec::new()))
        })
        .collect()
}

/// What the lines across a ring tell of where the scope lies.
pub(super) fn samples(profiles: &[Profile], pixel_size_m: f64) -> Vec<Sample> {
    // those that fan out around a corner stand for no edge
    let lines: Vec<&Profile> = profiles.iter().filter(|profile| profile.length > 0.0).collect();
    let place = |number: usize| {
        let line = lines[number % lines.len()];
        line.distance().map(|distance| line.at + line.normal * distance)
    };
    let sample = |(number, line): (usize, &&Profile)| {
        let distance = line.distance()?;
        let along = place(number + BESIDE)? - place(number + lines.len() - BESIDE)?;
        let is_along_the_edge = (along.x * line.normal.x + along.y * line.normal.y).abs()
            <= (along.x * line.normal.y - along.y * line.normal.x).abs();
        is_along_the_edge.then_some(Sample {
            // rows go down, north goes up
            normal: (line.normal.x, -line.normal.y),
            distance_m: distance * pixel_size_m,
            length_m: line.length * pixel_size_m,
        })
    };
    if lines.len() <= 2 * BESIDE { Vec::new() } else { lines.iter().enumerate().filter_map(sample).collect() }
}
