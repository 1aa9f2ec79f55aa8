//! Ours, and what it is held against.

use ndarray::{Array2, ArrayView2, Zip, s};

use shorewatch::change::pair::PairWindow;
use shorewatch::change::scorer::WindowEvidence;
use shorewatch_domain::evidence::{Evidence, LogOdds, TERMS, WEIGHTS, probability};
use shorewatch_domain::radiometry::{Mad, MadSettings, PairSample, change_vector_magnitude};
use shorewatch_domain::suspicion::{PatchEvidence, RING_PX, ring};

use crate::figures::{ALARM_PX, groups};
use crate::scenes::{Fault, Kit, Read, Scene};

/// Pixels: the fused score.
pub(crate) const OURS: &str = "fused";
/// Patches: the probability that a reviewer would confirm the group of pixels that one belongs to.
pub(crate) const PATCHES: &str = "patches";

/// Log-odds of change from which on pixels are grouped.
const GROUPED: f32 = -3.0;

/// Ours, held against several earlier passes; the same against the latest of them only; the baselines as they are published, on the passes as they come; the terms of ours by themselves.
pub(crate) const METHODS: [&str; 11] = [
    OURS,
    PATCHES,
    "fused_pair",
    "cva",
    "irmad",
    "class_diff",
    "term_magnitude",
    "term_alteration",
    "term_class_change",
    "term_object",
    "term_learned",
];

/// The scores of one window without its margin, in the order of [`METHODS`]; NaN where not observed.
pub(crate) struct Scores {
    pub(crate) maps: Vec<Array2<f32>>,
    /// For fitting weights.
    pub(crate) evidence: Evidence,
    pub(crate) margin_px: usize,
}

impl Scores {
    pub(crate) fn of(&self, method: &str) -> &Array2<f32> {
        let index = METHODS.iter().position(|name| *name == method).unwrap_or(0);
        &self.maps[index]
    }
}

fn evidence(kit: &Kit, scene: &Scene, pair: &PairWindow) -> Result<WindowEvidence, Fault> {
    let scorer = kit.scorer(scene);
    let fit = scorer.fit(std::slice::from_ref(pair)).map_err(|fault| fault.to_string())?;
    Ok(scorer.evidence(pair, &fit).map_err(|fault| fault.to_string())?)
}

/// What differs from every earlier date: `first` is the evidence against the latest of them.
fn against_all(kit: &Kit, scene: &Scene, read: &Read, first: &Evidence) -> Result<LogOdds, Fault> {
    let mut least = first.log_odds(&WEIGHTS);
    for number in 1..read.before.len() {
        least.keep_least(&evidence(kit, scene, &read.pair(number))?.evidence.log_odds(&WEIGHTS));
    }
    Ok(least)
}

/// The patches of ours.
pub(crate) fn ours(kit: &Kit, scene: &Scene, read: &Read) -> Result<Array2<f32>, Fault> {
    let first = evidence(kit, scene, &read.pair(0))?.evidence;
    Ok(patches(&against_all(kit, scene, read, &first)?))
}

/// For each pixel the review score of the group that it belongs to; 0 outside of groups, NaN where nothing was compared.
fn patches(odds: &LogOdds) -> Array2<f32> {
    let mut map = odds.sum.mapv(|sum| if sum.is_nan() { f32::NAN } else { 0.0 });
    for group in groups(odds.sum.view(), GROUPED).into_iter().filter(|group| group.len() >= ALARM_PX) {
        let score = patch_evidence(odds, &group).review_score() as f32;
        group.into_iter().for_each(|place| map[place] = score);
    }
    map
}

fn patch_evidence(odds: &LogOdds, group: &[(usize, usize)]) -> PatchEvidence {
    let bounds = |of: fn(&(usize, usize)) -> usize| {
        let values = group.iter().map(of);
        (values.clone().min().unwrap_or(0), values.max().unwrap_or(0))
    };
    let ((top, bottom), (left, right)) = (bounds(|place| place.0), bounds(|place| place.1));
    // room for the ring on every side
    let margin = RING_PX.1;
    let mut mask = Array2::from_elem((bottom - top + 1 + 2 * margin, right - left + 1 + 2 * margin), false);
    group.iter().for_each(|(row, col)| mask[(row - top + margin, col - left + margin)] = true);
    let mut around: Vec<f32> = ring(mask.view())
        .indexed_iter()
        .filter(|(_, inside)| **inside)
        .filter_map(|((row, col), _)| {
            odds.sum.get(((row + top).checked_sub(margin)?, (col + left).checked_sub(margin)?))
        })
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    around.sort_by(f32::total_cmp);
    let mean = |term: usize| {
        let sum: f64 = group.iter().map(|(row, col)| f64::from(odds.terms[(term, *row, *col)])).sum();
        sum / group.len() as f64
    };
    PatchEvidence {
        terms: std::array::from_fn::<f64, { TERMS.len() }, _>(mean),
        perimeter_px: perimeter(mask.view()),
        pixel_count: group.len() as u64,
        ring: around.get(around.len() / 2).map(|value| f64::from(*value)),
    }
}

/// Edges between pixels inside and outside.
fn perimeter(mask: ArrayView2<'_, bool>) -> u64 {
    let along = |one: ArrayView2<'_, bool>, other: ArrayView2<'_, bool>| {
        one.iter().zip(&other).filter(|(one, other)| one != other).count() as u64
    };
    along(mask.slice(s![1.., ..]), mask.slice(s![..-1, ..])) + along(mask.slice(s![.., 1..]), mask.slice(s![.., ..-1]))
}

pub(crate) fn scores(kit: &Kit, scene: &Scene, read: &Read) -> Result<Scores, Fault> {
    let scorer = kit.scorer(scene);
    let margin = scorer.margin_px();
    let pair = read.pair(0);
    let found = evidence(kit, scene, &pair)?;
    let (before, after) = (&read.before[0], &read.after);
    let (rows, cols) = after.causes.dim();
    let inner = s![margin..rows - margin, margin..cols - margin];
    // baselines see the passes as they come: nothing is moved, normalised or smoothed
    let seen = Zip::from(&before.causes)
        .and(&after.causes)
        .map_collect(|before, after| before.is_observed() && after.is_observed());
    let vector = change_vector_magnitude(before.pixels.view(), after.pixels.view(), seen.view());
    let sample = PairSample::of(before.pixels.view(), after.pixels.view(), seen.view(), 100_000);
    let alteration = Mad::of(&sample, &MadSettings::default()).ok_or("IR-MAD could not be fitted")?;
    let alteration = alteration.apply(before.pixels.view(), after.pixels.view(), seen.view()).chi_square;
    let difference = scorer.class_difference(&pair).map_err(|fault| fault.to_string())?;
    let inside = |map: Array2<f32>| map.slice(inner).to_owned();
    let none = || Array2::from_elem(found.observed.dim(), f32::NAN);
    let terms = &found.evidence;
    let all = against_all(kit, scene, read, terms)?;
    let maps = vec![
        all.sum.mapv(probability),
        patches(&all),
        terms.fused(&WEIGHTS),
        inside(vector),
        inside(alteration),
        difference.unwrap_or_else(none),
        terms.magnitude.clone(),
        terms.alteration.clone().unwrap_or_else(none),
        terms.classes.as_ref().map_or_else(none, |classes| classes.change.clone()),
        terms.classes.as_ref().map_or_else(none, |classes| classes.object.clone()),
        terms.learned.clone().unwrap_or_else(none),
    ];
    Ok(Scores { maps, evidence: found.evidence, margin_px: margin })
}
