//! Ours, and what it is held against.

use ndarray::{Array2, Zip, s};

use shorewatch::change::scorer::WindowEvidence;
use shorewatch_domain::evidence::{Evidence, WEIGHTS};
use shorewatch_domain::radiometry::{Mad, MadSettings, PairSample, change_vector_magnitude};

use crate::scenes::{Fault, Kit, Read, Scene};

pub(crate) const OURS: &str = "fused";

/// Ours; the baselines as they are published, on the passes as they come; the terms of ours by themselves.
pub(crate) const METHODS: [&str; 9] = [
    OURS,
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

fn evidence(kit: &Kit, scene: &Scene, read: &Read) -> Result<WindowEvidence, Fault> {
    let scorer = kit.scorer(scene);
    let fit = scorer.fit(std::slice::from_ref(&read.0)).map_err(|fault| fault.to_string())?;
    Ok(scorer.evidence(&read.0, &fit).map_err(|fault| fault.to_string())?)
}

pub(crate) fn ours(kit: &Kit, scene: &Scene, read: &Read) -> Result<Array2<f32>, Fault> {
    Ok(evidence(kit, scene, read)?.evidence.fused(&WEIGHTS))
}

pub(crate) fn scores(kit: &Kit, scene: &Scene, read: &Read) -> Result<Scores, Fault> {
    let scorer = kit.scorer(scene);
    let margin = scorer.margin_px();
    let found = evidence(kit, scene, read)?;
    let (before, after) = (&read.0.before, &read.0.after);
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
    let difference = scorer.class_difference(&read.0).map_err(|fault| fault.to_string())?;
    let inside = |map: Array2<f32>| map.slice(inner).to_owned();
    let none = || Array2::from_elem(found.observed.dim(), f32::NAN);
    let terms = &found.evidence;
    let maps = vec![
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
