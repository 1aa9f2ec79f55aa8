//! Ours, and what it is held against.

use ndarray::{Array2, ArrayView2, Zip, s};

use shorewatch::change::fit::PairFit;
use shorewatch::change::pair::PairWindow;
use shorewatch::change::scorer::WindowEvidence;
use shorewatch_domain::evidence::{Evidence, LogOdds, WEIGHTS, probability};
use shorewatch_domain::radiometry::{Mad, MadSettings, PairSample, change_vector_magnitude};
use shorewatch_domain::suspicion::{Judged, blended, judged, pooled, seen_again};

use crate::scenes::{Fault, Kit, Read, Scene};

/// Pixels: the fused score.
pub(crate) const OURS: &str = "fused";
/// Patches: the probability that a reviewer would confirm the group of pixels that one belongs to.
pub(crate) const PATCHES: &str = "patches";

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
    let fit = PairFit::of(std::slice::from_ref(pair)).map_err(|fault| fault.to_string())?;
    Ok(scorer.evidence(pair, &fit).map_err(|fault| fault.to_string())?)
}

/// What differs from every earlier date: `first` is the evidence against the latest of them.
fn against_all(kit: &Kit, scene: &Scene, read: &Read, first: &Evidence) -> Result<LogOdds, Fault> {
    let mut least = first.clone().log_odds(&WEIGHTS);
    let everywhere = Array2::from_elem(least.sum.dim(), true);
    for number in 1..read.before.len() {
        least.keep_least(&evidence(kit, scene, &read.pair(number))?.evidence.log_odds(&WEIGHTS), everywhere.view());
    }
    Ok(least)
}

/// The patches of ours.
pub(crate) fn ours(kit: &Kit, scene: &Scene, read: &Read) -> Result<Array2<f32>, Fault> {
    Ok(patches(odds(kit, scene, read)?.view()))
}

/// The log-odds of change of ours (row, col); NaN where nothing was compared.
pub(crate) fn odds(kit: &Kit, scene: &Scene, read: &Read) -> Result<Array2<f32>, Fault> {
    let first = evidence(kit, scene, &read.pair(0))?.evidence;
    Ok(against_all(kit, scene, read, &first)?.sum)
}

/// For each pixel the review score of the group that encloses it; 0 outside of groups, NaN where nothing was compared.
pub(crate) fn patches(odds: ArrayView2<'_, f32>) -> Array2<f32> {
    scored(odds, |judged| Some(probability(judged.review_log_odds as f32)))
}

/// What passes say together of the patches that the first of them raises from `threshold` on, by their log-odds of change (row,
/// col) against the same earlier dates: as [`patches`], 0 also where only one of them observed the patch.
pub(crate) fn pooled_patches(passes: &[Array2<f32>], threshold: f32) -> Array2<f32> {
    scored(passes[0].view(), |judged| {
        let first = probability(judged.review_log_odds as f32);
        let later = passes[1..].iter().filter_map(|odds| seen_again(odds.view(), &judged.group));
        let scores: Vec<f64> = std::iter::once(f64::from(first)).chain(later).collect();
        pooled(&scores).map(|score| score as f32).filter(|_| first >= threshold)
    })
}

fn scored(odds: ArrayView2<'_, f32>, score: impl Fn(&Judged) -> Option<f32>) -> Array2<f32> {
    let mut map = odds.mapv(|odds| if odds.is_nan() { f32::NAN } else { 0.0 });
    for judged in judged(odds) {
        if let Some(score) = score(&judged) {
            judged.places().for_each(|place| map[place] = score);
        }
    }
    map
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
        blended(all.sum.view()).mapv_into(probability),
        patches(all.sum.view()),
        blended(terms.clone().log_odds(&WEIGHTS).sum.view()).mapv_into(probability),
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
