//! How the radiometry of one date lies to that of the other, whatever covers a part of either.

use ndarray::ArrayView2;

/// Blocks that are looked at.
const SAMPLE: usize = 20_000;

/// Blocks that quantiles are told from: of a share of 0.02 their error is then 0.0006 of a share.
const QUANTILE_SAMPLE: usize = 50_000;

/// Blocks agree that lie within this share of the band's range of each other.
const AGREEMENT: f32 = 0.12;

/// Gains that are tried: powers of 2 in steps of a sixth, up to 2 either way.
const GAIN_STEPS: i32 = 6;

/// Share of blocks by which a gain must agree better for each step that it lies further from 1: an even forest agrees
/// under any gain.
const PER_STEP: f32 = 0.03;

/// `after = gain × before + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    pub(super) gain: f32,
    pub(super) offset: f32,
}

impl Level {
    /// What a value of the earlier date is at the level of the later one.
    pub(super) fn applied(&self, before: f32) -> f32 {
        self.gain * before + self.offset
    }

    /// The same the other way round.
    pub(super) fn inverse(&self) -> Self {
        Self { gain: self.gain.recip(), offset: -self.offset / self.gain }
    }
}

/// The level under which most blocks of a band agree. `None` without observed blocks.
pub(super) fn level(
    before: ArrayView2<'_, f32>,
    after: ArrayView2<'_, f32>,
    observed: ArrayView2<'_, bool>,
) -> Option<Level> {
    let seen = || before.iter().zip(after).zip(observed).filter(|(_, seen)| **seen).map(|(pair, _)| pair);
    let pairs: Vec<[f32; 2]> =
        seen().step_by(step_for(observed, SAMPLE)).map(|(before, after)| [*before, *after]).collect();
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

/// Every how many observed blocks one is taken, so that about so many are.
fn step_for(observed: ArrayView2<'_, bool>, wanted: usize) -> usize {
    (observed.iter().filter(|seen| **seen).count() / wanted).max(1)
}

/// The values below which shares of the observed blocks lie, by a sample where there are many; 0 without any.
pub(super) fn quantiles<const SHARES: usize>(
    values: ArrayView2<'_, f32>,
    observed: ArrayView2<'_, bool>,
    shares: [f64; SHARES],
) -> [f32; SHARES] {
    let seen = values.iter().zip(observed).filter(|(_, seen)| **seen).map(|(&value, _)| value);
    let mut seen: Vec<f32> = seen.step_by(step_for(observed, QUANTILE_SAMPLE)).collect();
    shares.map(|share| of_share(&mut seen, share).unwrap_or(0.0))
}

/// The value below which a share of the values lies.
pub(super) fn of_share(values: &mut [f32], share: f64) -> Option<f32> {
    let place = (values.len().checked_sub(1)? as f64 * share) as usize;
    Some(*values.select_nth_unstable_by(place, f32::total_cmp).1)
}
