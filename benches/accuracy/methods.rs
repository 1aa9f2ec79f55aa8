//! Ours, and what it is held against.

use ndarray::{Array2, Zip, s};

use shorewatch::change::pair::PairWindow;
use shorewatch::change::scorer::WindowEvidence;
use shorewatch_domain::evidence::{Evidence, WEIGHTS, against_all};
use shorewatch_domain::radiometry::{Mad, MadSettings, PairSample, change_vector_magnitude};

use crate::scenes::{Fault, Kit, Read, Scene};

pub(crate) const OURS: &str = "fused";

/// Ours, held against several earlier passes; the same against the latest of them only; the baselines as they are published, on the passes as they come; the terms of ours by themselves.
pub(crate) const METHODS: [&str; 10] = [
    OURS,
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

/// What each earlier date by itself says.
fn single(kit: &Kit, scene: &Scene, read: &Read) -> Result<Vec<Array2<f32>>, Fault> {
    let of = |number| Ok(evidence(kit, scene, &read.pair(number))?.evidence.fused(&WEIGHTS));
    (0..read.before.len()).map(of).collect()
}

pub(crate) fn ours(kit: &Kit, scene: &Scene, read: &Read) -> Result<Array2<f32>, Fault> {
    Ok(against_all(single(kit, scene, read)?))
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
    let mut all = vec![terms.fused(&WEIGHTS)];
    for number in 1..read.before.len() {
        all.push(evidence(kit, scene, &read.pair(number))?.evidence.fused(&WEIGHTS));
    }
    let maps = vec![
        against_all(all),
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
