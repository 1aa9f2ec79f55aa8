//! How much water each pass saw on each reach: what passes of a similar water level are chosen by.
//!
//! It is a share of what was observed, in classes of the model. It follows from the pass and the latest pass before it (whose
//! pixels tell clouds), not from which others were chosen: so choosing again after it is known ends there.

use std::collections::BTreeMap;

use shorewatch_domain::digest::Digest;
use shorewatch_store::Observation;

/// Share of a reach that two passes must each have observed: what both saw of it is at least eight tenths then, and cloud over
/// the bank is not taken for high water.
const OBSERVED_FROM: f64 = 0.9;

/// Share of the ground below which water is too little to tell a level: differences are held against no less.
const LEAST_WATER: f64 = 0.01;

/// What one pass saw of one reach, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeenWater {
    /// Pixels of the scope.
    pub scope_px: u64,
    /// Of these, observed.
    pub observed_px: u64,
    /// Of these, water.
    pub water_px: u64,
}

/// The water of passes, by reach.
#[derive(Clone, Debug, Default)]
pub struct WaterLevels(BTreeMap<Digest, BTreeMap<String, SeenWater>>);

impl WaterLevels {
    /// What published passes saw; `water` is the id of that class, where the model has it.
    #[must_use]
    pub fn published(observations: &[Observation], water: Option<usize>) -> Self {
        let mut levels = Self::default();
        let Some(water) = water else { return levels };
        for Observation { pass_id, seen, .. } in observations {
            let of_reach = SeenWater {
                scope_px: seen.coverage.scope_px,
                observed_px: seen.coverage.observed_px,
                water_px: seen.class_px.get(water).copied().unwrap_or(0),
            };
            levels.insert(*pass_id, &seen.reach_id, of_reach);
        }
        levels
    }

    /// Notes what a pass saw of a reach, in place of what was noted before.
    pub fn insert(&mut self, pass_id: Digest, reach_id: &str, seen: SeenWater) {
        self.0.entry(pass_id).or_default().insert(reach_id.to_owned(), seen);
    }

    /// By how much the water of two passes differs on some reaches, as a share of the larger of both (0..1); `None` where
    /// no reach was observed nearly whole by both.
    pub fn difference<'a>(
        &self,
        reaches: impl IntoIterator<Item = &'a str>,
        one: &Digest,
        other: &Digest,
    ) -> Option<f64> {
        let (one, other) = (self.0.get(one)?, self.0.get(other)?);
        let (mut of_one, mut of_other) = (SeenWater::default(), SeenWater::default());
        for reach in reaches {
            if let (Some(seen), Some(by_other)) = (one.get(reach), other.get(reach))
                && seen.is_known()
                && by_other.is_known()
            {
                of_one.add(seen);
                of_other.add(by_other);
            }
        }
        let (of_one, of_other) = (of_one.share()?, of_other.share()?);
        Some((of_one - of_other).abs() / of_one.max(of_other).max(LEAST_WATER))
    }
}

impl SeenWater {
    fn is_known(&self) -> bool {
        self.observed_px > 0 && self.observed_px as f64 >= OBSERVED_FROM * self.scope_px as f64
    }

    fn add(&mut self, other: &Self) {
        self.scope_px += other.scope_px;
        self.observed_px += other.observed_px;
        self.water_px += other.water_px;
    }

    fn share(&self) -> Option<f64> {
        (self.observed_px > 0).then(|| self.water_px as f64 / self.observed_px as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(name: &str) -> Digest {
        Digest::of_bytes(name.as_bytes())
    }

    fn seen(scope_px: u64, observed_px: u64, water_px: u64) -> SeenWater {
        SeenWater { scope_px, observed_px, water_px }
    }

    #[test]
    fn water_is_held_against_water_of_the_same_reaches() {
        let mut levels = WaterLevels::default();
        levels.insert(pass("low"), "a", seen(1000, 1000, 100));
        levels.insert(pass("low"), "b", seen(1000, 1000, 500));
        levels.insert(pass("high"), "a", seen(1000, 950, 190));
        let of = |reaches: &[&str]| levels.difference(reaches.iter().copied(), &pass("low"), &pass("high"));
        assert!((of(&["a"]).expect("both saw it") - 0.5).abs() < 1e-9);
        // what one of both did not see is left out
        assert_eq!(of(&["a", "b"]), of(&["a"]));
        assert_eq!(of(&["b"]), None);
        assert_eq!(levels.difference(["a"], &pass("low"), &pass("unknown")), None);
    }

    #[test]
    fn a_reach_half_under_cloud_tells_no_level() {
        let mut levels = WaterLevels::default();
        levels.insert(pass("clear"), "a", seen(1000, 1000, 100));
        levels.insert(pass("clouded"), "a", seen(1000, 500, 100));
        assert_eq!(levels.difference(["a"], &pass("clear"), &pass("clouded")), None);
    }

    #[test]
    fn a_few_pixels_of_water_on_dry_ground_are_no_flood() {
        let mut levels = WaterLevels::default();
        levels.insert(pass("dry"), "a", seen(10_000, 10_000, 0));
        levels.insert(pass("ponds"), "a", seen(10_000, 10_000, 5));
        let difference = levels.difference(["a"], &pass("dry"), &pass("ponds")).expect("both saw it");
        assert!(difference < 0.06, "{difference}");
    }
}
