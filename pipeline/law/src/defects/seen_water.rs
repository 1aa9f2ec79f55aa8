//! Scopes against the water that passes saw: what of it lies outside, and whether the scope lies shifted against it.
//!
//! From places along the edge of a scope, lines across it are followed pixel by pixel. Where the edge lies in water the line goes
//! outwards to the bank, else inwards to the waterline. Water that goes on past the ring around the scope has no bank there: rivers
//! run on and tributaries come in where a scope ends, and nothing is told of them. What was not looked at is never dry.

mod profiles;

use geo::{Area, Simplify, unary_union};
use geo_types::{Geometry, MultiPolygon};
use shorewatch_domain::law::layer::{Facts, Feature, LayerKind};

use self::profiles::{Bank, EDGE_PX, across, between, rings, samples};
use super::scopes::DIRECTIONS;
use super::shift::shift;
pub use super::shift::{Shift, Untold};
use super::{Defect, DefectKind};

/// What the passes together say of a pixel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Most passes that observed it saw water.
    Water,
    /// Most passes that observed it saw none.
    Dry,
    /// Too few passes observed it.
    NotLookedAt,
}

/// The ground around a scope, in pixels of a grid.
pub trait SeenGround {
    /// What passes say of the pixel (row, col).
    fn seen(&self, pixel: (i64, i64)) -> Seen;
    /// True where the pixel (row, col) lies in a management scope, this one or another.
    fn is_in_a_scope(&self, pixel: (i64, i64)) -> bool;
}

/// What counts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Thresholds {
    /// Metres outwards from the edge in which water is looked for.
    pub ring_m: f64,
    /// Water outside below this, in m², is none.
    pub outside_min_m2: f64,
    /// Shifts below this, in metres, are none.
    pub shift_min_m: f64,
}

/// A scope held against the water that passes saw.
#[derive(Clone, PartialEq, Debug)]
pub struct AgainstWater {
    /// Length of its edge in metres, without what borders on another scope.
    pub edge_m: f64,
    /// Of this, metres where pixels that no pass observed often enough leave it open where the water ends.
    pub not_looked_at_m: f64,
    /// Water outside of it, in pixel-corner coordinates (x = column, y = row); empty where it is below the threshold.
    pub outside_px: MultiPolygon<f64>,
    /// Its area in m² of the grid.
    pub outside_m2: f64,
    /// How it would have to be moved, `None` where it lies as it should; or why that can't be told.
    pub shift: Result<Option<Shift>, Untold>,
}

/// Holds a scope, in pixel-corner coordinates (x = column, y = row), against the water that passes saw.
#[must_use]
pub fn against_water(
    scope_px: &MultiPolygon<f64>,
    pixel_size_m: f64,
    ground: &impl SeenGround,
    thresholds: &Thresholds,
) -> AgainstWater {
    let ring_px = thresholds.ring_m / pixel_size_m;
    let (mut quads, mut measured) = (Vec::new(), Vec::new());
    let (mut edge_m, mut not_looked_at_m) = (0.0, 0.0);
    for ring in rings(scope_px) {
        let profiles = across(&ring, ring_px, ground);
        for profile in &profiles {
            let length_m = profile.length * pixel_size_m;
            edge_m += if profile.bank == Bank::Neighbour { 0.0 } else { length_m };
            not_looked_at_m += if profile.bank == Bank::NotLookedAt { length_m } else { 0.0 };
        }
        measured.extend(samples(&profiles, pixel_size_m));
        quads.extend(between(&profiles));
    }
    let mut outside_px = unary_union(&quads).simplify(0.1);
    let mut outside_m2 = outside_px.unsigned_area() * pixel_size_m * pixel_size_m;
    if outside_m2 < thresholds.outside_min_m2 {
        (outside_px, outside_m2) = (MultiPolygon(Vec::new()), 0.0);
    }
    let least_m = thresholds.shift_min_m.max(EDGE_PX * pixel_size_m);
    let shift = match shift(&measured, pixel_size_m / 2.0, least_m) {
        // margins that differ from bank to bank look like a move across the reach: only with water outside is it taken for one
        Ok(Some(shift)) if !shift.tells_both_axes && outside_m2 <= 0.0 => Err(Untold::BanksDiffer),
        told => told,
    };
    AgainstWater { edge_m, not_looked_at_m, outside_px, outside_m2, shift }
}

impl AgainstWater {
    /// The defects, with `outside` as the water outside in CGCS2000 (longitude, latitude).
    #[must_use]
    pub fn defects(&self, scope: &Feature, outside: MultiPolygon<f64>) -> Vec<Defect> {
        let water_code = match &scope.facts {
            Facts::ManagementScope { water_code, .. } => water_code.clone(),
            _ => None,
        };
        let codes: Vec<String> = water_code.into_iter().chain([scope.code.clone()]).collect();
        let defect = |kind, text, geometry: Geometry<f64>| Defect {
            kind,
            layer: LayerKind::ManagementScope.name().to_owned(),
            codes: codes.clone(),
            text,
            area_m2: None,
            length_m: None,
            geometry: Some(geometry),
        };
        let (name, unseen) = (name(scope), self.unseen());
        let is_outside = !outside.0.is_empty();
        let mut found = Vec::new();
        if is_outside {
            let text = format!("{:.2} m² of water that passes saw lie outside of {name}{unseen}", self.outside_m2);
            let lacks = defect(DefectKind::ScopeLacksSeenWater, text, outside.clone().into());
            found.push(Defect { area_m2: Some(self.outside_m2), ..lacks });
        }
        if let Ok(Some(shift)) = &self.shift {
            let (metres, direction) = (shift.length_m(), direction(shift));
            let axes = if shift.tells_both_axes { "" } else { " (whether also at right angles to that can't be told)" };
            let text = format!(
                "{name} would lie evenly about the water that passes saw if it were moved about {metres:.0} m to the \
                 {direction}{axes}: another datum, drawn on shifted imagery, or did the water move?{unseen}"
            );
            let place = if is_outside { outside } else { scope.geometry.clone() };
            let shifted = defect(DefectKind::ScopeShiftedAgainstImagery, text, place.into());
            found.push(Defect { length_m: Some(metres), ..shifted });
        }
        found
    }

    /// Why it can't be told whether the scope is shifted, in words; `None` where it can, or nothing was looked at.
    #[must_use]
    pub fn untold(&self, scope: &Feature) -> Option<String> {
        let why = self.shift.as_ref().err()?.why();
        let is_looked_at = self.not_looked_at_m < self.edge_m;
        is_looked_at.then(|| format!("cannot tell whether {} is shifted: {why}{}", name(scope), self.unseen()))
    }

    /// The share of the edge that was not looked at, as the end of a sentence.
    fn unseen(&self) -> String {
        match 100.0 * self.not_looked_at_m / self.edge_m {
            share if share >= 0.5 => format!("; {share:.0} % of its edge was not looked at"),
            _ => String::new(),
        }
    }
}

/// What people call a scope.
fn name(scope: &Feature) -> &str {
    if scope.name.is_empty() { &scope.code } else { &scope.name }
}

/// The nearest of eight directions.
fn direction(shift: &Shift) -> &'static str {
    let along = |(_, east, north): &(&str, f64, f64)| east * shift.east_m + north * shift.north_m;
    DIRECTIONS.iter().max_by(|a, b| along(a).total_cmp(&along(b))).map_or("", |(name, ..)| name)
}

#[cfg(test)]
mod tests;
