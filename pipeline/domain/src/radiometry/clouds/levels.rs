//! How the radiometry of one date lies to that of the other, whatever covers a part of either.

use ndarray::Array2;

/// Blocks that are looked at.
pub(super) const SAMPLE: usize = 20_000;

/// Blocks agree that lie within this share of the band's range of each other.
const AGREEMENT: f32 = 0.12;

/// Gains that are tried: powers of 2 in steps of a sixth, up to 2 either way.
const GAIN_STEPS: i32 = 6;

/// Share of blocks by which a gain must agree better for each step that it lies further from 1: an even forest agrees
/// under any gain.
const PER_STEP: f32 = 0.03;

/// `gain × value + offset`: what a value of one date is at the level of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    pub(super) gain: f32,
    pub(super) offset: f32,
}

impl Level {
    /// What a value is there.
    pub(super) fn applied(&self, value: f32) -> f32 {
        self.gain * value + self.offset
    }

    /// This one and then another.
    pub(super) fn then(&self, next: &Self) -> Self {
        Self { gain: next.gain * self.gain, offset: next.applied(self.offset) }
    }

    /// The same the other way round.
    pub(super) fn inverse(&self) -> Self {
        Self { gain: self.gain.recip(), offset: -self.offset / self.gain }
    }
}

/// The level of the later date under which most blocks of a band agree; `pairs` are values before and after. `None`
/// without any.
pub(super) fn level(pairs: &[[f32; 2]]) -> Option<Level> {
    let range = |date: usize| {
        let mut values: Vec<f32> = pairs.iter().map(|pair| pair[date]).collect();
        let [low, high] = [0.05, 0.95].map(|share| of_share(&mut values, share));
        Some(high? - low?)
    };
    let width = AGREEMENT * range(0)?.min(range(1)?).max(f32::EPSILON);
    let mut best: Option<(f32, Level)> = None;
    for step in -GAIN_STEPS..=GAIN_STEPS {
        let gain = (step as f32 / GAIN_STEPS as f32).exp2();
        let mut rest: Vec<f32> = pairs.iter().map(|[before, after]| after - gain * before).collect();
        rest.sort_unstable_by(f32::total_cmp);
        // the densest interval: its end runs ahead of its beginning
        let (mut end, mut densest) = (0, 0..0);
        for begin in 0..rest.len() {
            while end < rest.len() && rest[end] <= rest[begin] + width {
                end += 1;
            }
            if end - begin > densest.len() {
                densest = begin..end;
            }
        }
        let agreement = densest.len() as f32 / rest.len() as f32 - PER_STEP * step.abs() as f32;
        if best.is_none_or(|(other, _)| agreement > other) {
            best = Some((agreement, Level { gain, offset: rest[densest.start + densest.len() / 2] }));
        }
    }
    best.map(|(_, level)| level)
}

/// About so many of the observed blocks (row, col), or all of them, evenly spread.
pub(super) fn spread(observed: &Array2<bool>, wanted: usize) -> Vec<(usize, usize)> {
    let step = (observed.iter().filter(|seen| **seen).count() / wanted).max(1);
    observed.indexed_iter().filter(|(_, seen)| **seen).map(|(at, _)| at).step_by(step).collect()
}

/// The values below which shares of them lie; 0 without any.
pub(super) fn quantiles<const SHARES: usize>(mut values: Vec<f32>, shares: [f64; SHARES]) -> [f32; SHARES] {
    shares.map(|share| of_share(&mut values, share).unwrap_or(0.0))
}

/// The value below which a share of the values lies.
fn of_share(values: &mut [f32], share: f64) -> Option<f32> {
    let place = (values.len().checked_sub(1)? as f64 * share) as usize;
    Some(*values.select_nth_unstable_by(place, f32::total_cmp).1)
}
