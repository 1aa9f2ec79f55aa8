//! Figures over all pairs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use ndarray::{Array2, ArrayView2, s};
use serde_json::{Value, json};
use shorewatch_domain::suspicion::groups;
use shorewatch_evaluation::ranking::Ranking;

use crate::methods::{METHODS, Scores};
use crate::scenes::{DOUBT, Scene, is_removal};

/// Things from this size on count for recall.
pub(crate) const LARGE_PX: usize = 25;
/// Alarms smaller than this are not raised: a square of three.
pub(crate) const ALARM_PX: usize = 9;
/// Recall at which false alarms are compared.
const RECALL: f64 = 0.9;

/// A planted thing as a method sees it.
#[derive(Clone, Copy)]
pub(crate) struct Thing {
    /// Its number in the truth.
    pub(crate) number: u16,
    pub(crate) size_px: usize,
    /// The scores that half and a quarter of its pixels reach.
    pub(crate) reached: [f32; 2],
}

pub(crate) type Things = Vec<Thing>;

/// One pair, untouched or planted.
pub(crate) struct Case {
    set: &'static str,
    judged: bool,
    pixel_km2: f64,
    /// `None` where nothing was planted.
    truth: Option<Array2<u16>>,
    scores: Scores,
}

impl Case {
    pub(crate) fn untouched(scene: &Scene, scores: Scores) -> Self {
        Self { set: scene.set, judged: scene.judged, pixel_km2: pixel_km2(scene), truth: None, scores }
    }

    /// `truth` has the margin of the window.
    pub(crate) fn planted(scene: &Scene, truth: Array2<u16>, scores: Scores) -> Self {
        let (margin, (rows, cols)) = (scores.margin_px, truth.dim());
        let truth = truth.slice(s![margin..rows - margin, margin..cols - margin]).to_owned();
        Self { truth: Some(truth), ..Self::untouched(scene, scores) }
    }
}

fn pixel_km2(scene: &Scene) -> f64 {
    if scene.set == "naip-prairie" { 25e-6 } else { 0.09 * 0.0889 }
}

/// Observed ground in km².
pub(crate) fn area_km2(scene: &Scene, score: ArrayView2<'_, f32>) -> f64 {
    score.iter().filter(|value| !value.is_nan()).count() as f64 * pixel_km2(scene)
}

/// The things of which more than half was observed.
pub(crate) fn things(truth: &Array2<u16>, score: ArrayView2<'_, f32>) -> Things {
    let margin = (truth.nrows() - score.nrows()) / 2;
    let mut pixels: BTreeMap<u16, Vec<f32>> = BTreeMap::new();
    for ((row, col), value) in score.indexed_iter() {
        let thing = truth[(row + margin, col + margin)];
        if thing != 0 && thing != DOUBT {
            pixels.entry(thing).or_default().push(*value);
        }
    }
    pixels
        .into_iter()
        .filter_map(|(number, values)| {
            let size_px = values.len();
            let mut seen: Vec<f32> = values.into_iter().filter(|value| !value.is_nan()).collect();
            seen.sort_by(f32::total_cmp);
            let reached = (2 * seen.len() > size_px).then(|| [seen[seen.len() / 2], seen[3 * seen.len() / 4]])?;
            Some(Thing { number, size_px, reached })
        })
        .collect()
}

/// Share of the things of 25 px and more of which half of the pixels reach the threshold.
pub(crate) fn recall(things: &[Thing], threshold: f32) -> f64 {
    recall_of(things, threshold, |_| true)
}

/// The same of those things that were removed (or of those that came).
pub(crate) fn recall_removed(things: &[Thing], threshold: f32, removed: bool) -> f64 {
    recall_of(things, threshold, |thing| is_removal(thing.number) == removed)
}

fn recall_of(things: &[Thing], threshold: f32, wanted: impl Fn(&Thing) -> bool) -> f64 {
    let large: Vec<_> = things.iter().filter(|thing| thing.size_px >= LARGE_PX && wanted(thing)).collect();
    large.iter().filter(|thing| thing.reached[0] >= threshold).count() as f64 / large.len().max(1) as f64
}

/// Number of groups of at least nine pixels that reach the threshold.
pub(crate) fn alarms(score: ArrayView2<'_, f32>, threshold: f32) -> usize {
    groups(score, threshold).into_iter().filter(|group| group.len() >= ALARM_PX).count()
}

/// What so many passes show: of the scores of each pixel the highest that this many of them reach; NaN where fewer observed it.
pub(crate) fn shown_on(scores: &[Array2<f32>], passes: usize) -> Array2<f32> {
    Array2::from_shape_fn(scores[0].dim(), |place| {
        let mut values: Vec<f32> = scores.iter().map(|score| score[place]).filter(|value| !value.is_nan()).collect();
        values.sort_by(|one, other| other.total_cmp(one));
        values.get(passes - 1).copied().unwrap_or(f32::NAN)
    })
}

/// All pairs.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) cases: Vec<Case>,
}

impl Tally {
    /// The pairs that count.
    pub(crate) fn judged(&self) -> Pairs<'_> {
        Pairs { cases: self.cases.iter().filter(|case| case.judged).collect() }
    }

    pub(crate) fn all(&self) -> Pairs<'_> {
        Pairs { cases: self.cases.iter().collect() }
    }

    /// The scores of the pairs that nobody touched, in the order of the scenes.
    pub(crate) fn untouched(&self) -> impl Iterator<Item = &Scores> {
        self.cases.iter().filter(|case| case.truth.is_none()).map(|case| &case.scores)
    }

    /// Evidence of a sample of the planted pixels of the pairs that do not count, for fitting the weights: set, pair, number of
    /// the thing (0 for ground, of which every seventh pixel is written), and the terms.
    pub(crate) fn write_samples(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for (case_number, case) in self.cases.iter().filter(|case| !case.judged).enumerate() {
            let Some(truth) = &case.truth else { continue };
            let evidence = &case.scores.evidence;
            for (number, (place, thing)) in truth.indexed_iter().enumerate() {
                let wanted = *thing != DOUBT && (*thing != 0 || number % 7 == 0) && !evidence.magnitude[place].is_nan();
                if wanted {
                    let classes = evidence.classes.as_ref();
                    let terms = [
                        Some(&evidence.magnitude),
                        evidence.alteration.as_ref(),
                        classes.map(|classes| &classes.change),
                        classes.map(|classes| &classes.water),
                        classes.map(|classes| &classes.object),
                        evidence.learned.as_ref(),
                    ];
                    let terms = terms.map(|map| map.map_or(f32::NAN, |map| map[place]).to_string());
                    writeln!(file, "{},{case_number},{thing},{}", case.set, terms.join(","))?;
                }
            }
        }
        Ok(())
    }
}

/// Some of the pairs.
pub(crate) struct Pairs<'a> {
    cases: Vec<&'a Case>,
}

impl Pairs<'_> {
    fn things(&self, method: &str) -> Things {
        let of = |case: &&Case| case.truth.as_ref().map(|truth| things(truth, case.scores.of(method).view()));
        self.cases.iter().filter_map(of).flatten().collect()
    }

    /// Mean over the sets of the average precision of all their pixels.
    pub(crate) fn average_precision(&self, method: &str) -> f64 {
        let sets = self.by_set(method);
        let values: Vec<f64> = sets.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_f64()).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    }

    /// Average precision of each set.
    pub(crate) fn by_set(&self, method: &str) -> Value {
        let mut sets: BTreeMap<&str, Ranking> = BTreeMap::new();
        for case in &self.cases {
            let Some(truth) = &case.truth else { continue };
            let ranking = sets.entry(case.set).or_default();
            for (thing, score) in truth.iter().zip(case.scores.of(method)) {
                // what one method can't see no method is asked for
                if *thing != DOUBT && !score.is_nan() {
                    ranking.add(*score, *thing != 0);
                }
            }
        }
        json!(sets.into_iter().map(|(set, ranking)| (set, ranking.average_precision())).collect::<BTreeMap<_, _>>())
    }

    /// The score that nine of ten large things reach with half of their pixels.
    pub(crate) fn threshold(&self, method: &str) -> f32 {
        self.threshold_of(method, 0)
    }

    /// The score that they reach with a quarter of their pixels.
    pub(crate) fn threshold_quarter(&self, method: &str) -> f32 {
        self.threshold_of(method, 1)
    }

    fn threshold_of(&self, method: &str, share: usize) -> f32 {
        let things = self.things(method).into_iter().filter(|thing| thing.size_px >= LARGE_PX);
        let mut scores: Vec<f32> = things.map(|thing| thing.reached[share]).collect();
        scores.sort_by(f32::total_cmp);
        let index = ((1.0 - RECALL) * scores.len() as f64).floor() as usize;
        scores.get(index).copied().unwrap_or(f32::INFINITY)
    }

    pub(crate) fn recall(&self, method: &str, threshold: f32) -> f64 {
        recall(&self.things(method), threshold)
    }

    /// Recall of things that came, or of those that were removed.
    pub(crate) fn recall_removed(&self, method: &str, threshold: f32, removed: bool) -> f64 {
        recall_removed(&self.things(method), threshold, removed)
    }

    pub(crate) fn things_25px(&self) -> usize {
        self.things(METHODS[0]).into_iter().filter(|thing| thing.size_px >= LARGE_PX).count()
    }

    /// Alarms on pairs that nobody touched.
    pub(crate) fn false_alarms_per_100km2(&self, method: &str, threshold: f32) -> f64 {
        let untouched = || self.cases.iter().filter(|case| case.truth.is_none());
        let count: usize = untouched().map(|case| alarms(case.scores.of(method).view(), threshold)).sum();
        let area: f64 = untouched()
            .map(|case| case.scores.of(method).iter().filter(|value| !value.is_nan()).count() as f64 * case.pixel_km2)
            .sum();
        count as f64 * 100.0 / area
    }

    pub(crate) fn pairs(&self) -> usize {
        self.cases.iter().filter(|case| case.truth.is_none()).count()
    }
}
