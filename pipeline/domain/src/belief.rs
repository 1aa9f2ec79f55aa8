//! What is believed of each pixel after all passes so far: a recursive Bayesian filter over dates (the forward pass of a hidden
//! Markov model, as Abercrombie & Friedl 2016 and Gómez, White & Wulder 2016 use it for series of land cover).
//!
//! Let `b` be the belief over the classes of the first head, `a(c)` the probability that ground of class `c` stays what it is
//! from one pass to the next ([`Persistence`]), and `s` the calibrated scores of the new pass. Then
//!
//! ```text
//! predicted(c) = a(c) b(c) + Σ (1 − a(d)) b(d) / (n − 1) over the other classes d
//! b'(c)        ∝ predicted(c) · s(c)^τ
//! ```
//!
//! τ below 1 ([`TEMPER`]) since what a model errs in on one date it often errs in on the next. A pass that did not observe the
//! pixel leaves its belief as it was. One more pass costs one update, however long the history is.
//!
//! In function zones of the shoreline the priors may be others ([`ZonedPriors`]).
//!
//! Beside the classes a pixel carries the probability that nothing made by people stands on it (the class of the object head
//! that means none) and how often it was water: of a shore that is wet in one year and dry in the next another change between
//! water and bare ground says little. Everything together is at most [`BYTES_PER_PIXEL`] bytes.

use ndarray::{Array3, ArrayView2, Axis, Zip, s};

use crate::classes::ModelClasses;
use crate::grid::{Grid, Window};
use crate::raster::Scores;

mod zones;

pub use zones::ZonedPriors;

/// Most bytes of a pixel: six classes of land cover, the absence of objects, and the counts.
pub const BYTES_PER_PIXEL: usize = 8;

/// Exponent of the scores of a new pass.
pub const TEMPER: f32 = 0.75;

/// A probability nearer to 0 than this says no more than this: no belief is ever beyond doubt.
const SUREST: f32 = 0.01;

/// Passes that are counted for the water of a pixel; when the counter is full both counts are halved, so that old years fade.
const MOST_COUNTED: u8 = 15;

/// Probability that ground of a class is the same class on the next pass, by the names that classes have in bundles. Water and
/// bars come and go, fields are ploughed and sown, woods and buildings stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Persistence {
    /// Name of the class.
    pub class: &'static str,
    /// Probability to stay from one pass to the next (0..1).
    pub stays: f32,
}

/// The persistence of the classes that bundles know; of another class [`OTHER_STAYS`].
pub const PERSISTENCE: [Persistence; 6] = [
    Persistence { class: "water", stays: 0.95 },
    Persistence { class: "trees", stays: 0.97 },
    Persistence { class: "low_vegetation", stays: 0.90 },
    Persistence { class: "crops", stays: 0.85 },
    Persistence { class: "built_up", stays: 0.98 },
    Persistence { class: "bare", stays: 0.85 },
];

/// Persistence of a class without a row.
pub const OTHER_STAYS: f32 = 0.9;

/// Which planes of the scores a belief is kept of.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked {
    /// Ids of the first head, in order.
    land_cover: Vec<usize>,
    /// Persistence of each of them.
    stays: Vec<f32>,
    /// The class of another head that means none.
    no_object: Option<usize>,
    /// Place of water among the land cover.
    water: Option<usize>,
}

impl Tracked {
    /// What is tracked of a model's classes. Of a head of more classes than have room the belief is of the first ones, and the
    /// rest of their probability counts as unknown.
    #[must_use]
    pub fn of(classes: &ModelClasses) -> Self {
        let no_object = classes.names.iter().position(|name| name == "no_object");
        let room = BYTES_PER_PIXEL - 1 - usize::from(no_object.is_some());
        let land_cover: Vec<usize> = classes.heads.first().cloned().unwrap_or(0..0).take(room).collect();
        let name = |id: &usize| classes.names[*id].as_str();
        let stays =
            |id: &usize| PERSISTENCE.iter().find(|row| row.class == name(id)).map_or(OTHER_STAYS, |row| row.stays);
        Self {
            stays: land_cover.iter().map(stays).collect(),
            water: land_cover.iter().position(|id| name(id) == "water"),
            land_cover,
            no_object,
        }
    }

    /// Planes of a belief, one byte a pixel each.
    #[must_use]
    pub fn planes(&self) -> usize {
        self.land_cover.len() + usize::from(self.no_object.is_some()) + 1
    }

    /// The planes of a belief that hold some classes; `None` where a class is not tracked, or there is none.
    #[must_use]
    pub fn planes_of(&self, classes: &[usize]) -> Option<Vec<usize>> {
        let of_cover = |class: &usize| self.land_cover.iter().position(|id| id == class);
        let no_object = |class: &usize| (self.no_object == Some(*class)).then_some(self.land_cover.len());
        let planes = classes.iter().map(|class| of_cover(class).or_else(|| no_object(class)));
        planes.collect::<Option<Vec<usize>>>().filter(|planes| !planes.is_empty())
    }
}

/// The belief over a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Belief {
    /// The lattice.
    pub grid: Grid,
    /// The pixels that are covered.
    pub window: Window,
    /// Probabilities × 255 of the tracked classes, then the counts: passes that observed the pixel in the low four bits, those
    /// that saw water in the high ones (plane, row, col). A pixel that no pass observed holds zeros.
    pub planes: Array3<u8>,
}

impl Belief {
    /// Nothing was observed yet.
    #[must_use]
    pub fn unknown(grid: Grid, window: Window, tracked: &Tracked) -> Self {
        Self { grid, window, planes: Array3::zeros((tracked.planes(), window.rows, window.cols)) }
    }

    /// Takes in the scores of the next pass; `zones` where any lies in the window.
    ///
    /// # Panics
    /// The windows differ.
    pub fn update(&mut self, scores: &Scores, tracked: &Tracked, zones: Option<&ZonedPriors>) {
        assert_eq!(self.window, scores.window, "a belief and the scores of a pass cover one window");
        assert!(zones.is_none_or(|zones| zones.window == self.window), "a belief and its zones cover one window");
        let tempered: Vec<f32> =
            (0..=255_u8).map(|value| (f32::from(value) / 255.0).max(SUREST).powf(TEMPER)).collect();
        let classes = tracked.land_cover.len();
        let last = tracked.planes() - 1;
        let mut belief = [0.0_f32; BYTES_PER_PIXEL];
        for row in 0..self.window.rows {
            if self.planes.slice(s![last, row, ..]).iter().all(|counts| *counts == 0) {
                self.begin_row(row, scores, tracked);
                continue;
            }
            for col in 0..self.window.cols {
                if !scores.causes[(row, col)].is_observed() {
                    continue;
                }
                let counts = self.planes[(last, row, col)];
                let mut told = [0_u8; BYTES_PER_PIXEL];
                for (told, &class) in told.iter_mut().zip(&tracked.land_cover) {
                    *told = scores.probabilities[(class, row, col)];
                }
                if counts == 0 {
                    for (plane, told) in told[..classes].iter().enumerate() {
                        self.planes[(plane, row, col)] = *told;
                    }
                    if let Some(class) = tracked.no_object {
                        self.planes[(classes, row, col)] = scores.probabilities[(class, row, col)];
                    }
                } else {
                    for (plane, value) in belief[..classes].iter_mut().enumerate() {
                        *value = f32::from(self.planes[(plane, row, col)]) / 255.0;
                    }
                    let (belief, told) = (&mut belief[..classes], &told[..classes]);
                    match zones.and_then(|zones| zones.at((row, col))) {
                        Some(transitions) => zones::filtered(belief, told, transitions, &tempered),
                        None => filtered(belief, told, &tracked.stays, &tempered),
                    }
                    for (plane, value) in belief[..classes].iter().enumerate() {
                        self.planes[(plane, row, col)] = (value * 255.0).round() as u8;
                    }
                    if let Some(class) = tracked.no_object {
                        let none = &mut self.planes[(classes, row, col)];
                        let mut of_object = [f32::from(*none) / 255.0, 1.0 - f32::from(*none) / 255.0];
                        let told = scores.probabilities[(class, row, col)];
                        filtered(&mut of_object, &[told, 255 - told], &[0.97, 0.97], &tempered);
                        *none = (of_object[0] * 255.0).round() as u8;
                    }
                }
                let water = tracked.water.is_some_and(|plane| told[plane] > 127);
                self.planes[(last, row, col)] = counted(counts, water);
            }
        }
    }

    /// Takes in the scores of a row that no pass has observed yet: they are the belief.
    fn begin_row(&mut self, row: usize, scores: &Scores, tracked: &Tracked) {
        let causes = scores.causes.row(row);
        let told = |class: usize| scores.probabilities.slice(s![class, row, ..]);
        for (plane, &class) in tracked.land_cover.iter().chain(&tracked.no_object).enumerate() {
            let believed = self.planes.slice_mut(s![plane, row, ..]);
            Zip::from(believed).and(told(class)).and(causes).for_each(|believed, &told, cause| {
                *believed = if cause.is_observed() { told } else { *believed };
            });
        }
        let counts = self.planes.slice_mut(s![tracked.planes() - 1, row, ..]);
        match tracked.water.and_then(|place| tracked.land_cover.get(place)) {
            Some(&water) => Zip::from(counts).and(told(water)).and(causes).for_each(|counts, &told, cause| {
                *counts = if cause.is_observed() { counted(0, told > 127) } else { 0 };
            }),
            None => Zip::from(counts).and(causes).for_each(|counts, cause| {
                *counts = if cause.is_observed() { counted(0, false) } else { 0 };
            }),
        }
    }

    /// Passes that observed each pixel, and those of them that saw water there (row, col).
    #[must_use]
    pub fn counts(&self) -> ArrayView2<'_, u8> {
        self.planes.index_axis(Axis(0), self.planes.len_of(Axis(0)) - 1)
    }
}

/// Passes that observed a pixel, of its counts.
#[must_use]
pub const fn times_observed(counts: u8) -> u8 {
    counts & 0x0f
}

/// Share of them that saw water (0..1); 0 where nobody looked.
#[must_use]
pub fn wet_share(counts: u8) -> f32 {
    let observed = times_observed(counts);
    if observed == 0 { 0.0 } else { f32::from(counts >> 4) / f32::from(observed) }
}

fn counted(counts: u8, water: bool) -> u8 {
    let (mut observed, mut wet) = (times_observed(counts), counts >> 4);
    if observed == MOST_COUNTED {
        (observed, wet) = (observed / 2, wet / 2);
    }
    (observed + 1) | ((wet + u8::from(water)) << 4)
}

/// One step of the filter over the classes of one head.
fn filtered(belief: &mut [f32], told: &[u8], stays: &[f32], tempered: &[f32]) {
    let others = (belief.len().max(2) - 1) as f32;
    let leaving: f32 = belief.iter().zip(stays).map(|(belief, stays)| belief * (1.0 - stays)).sum();
    let mut total = 0.0;
    for ((belief, told), stays) in belief.iter_mut().zip(told).zip(stays) {
        let arriving = (leaving - *belief * (1.0 - stays)) / others;
        *belief = (stays * *belief + arriving).max(SUREST * SUREST) * tempered[usize::from(*told)];
        total += *belief;
    }
    belief.iter_mut().for_each(|belief| *belief /= total);
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::crs::Epsg;
    use crate::observed::Causes;

    const WINDOW: Window = Window { row: 0, col: 0, rows: 1, cols: 1 };

    fn classes() -> ModelClasses {
        let names = ["water", "trees", "bare", "no_object", "pit"].map(str::to_owned).to_vec();
        ModelClasses { names, heads: vec![0..3, 3..5] }
    }

    fn scores(values: [u8; 5], cause: Causes) -> Scores {
        Scores {
            grid: Grid::new(Epsg(32650), 10.0),
            window: WINDOW,
            probabilities: Array3::from_shape_vec((5, 1, 1), values.to_vec()).expect("five classes"),
            causes: Array2::from_elem((1, 1), cause),
        }
    }

    fn after(passes: &[([u8; 5], Causes)]) -> Vec<u8> {
        let tracked = Tracked::of(&classes());
        let mut belief = Belief::unknown(Grid::new(Epsg(32650), 10.0), WINDOW, &tracked);
        for (values, cause) in passes {
            belief.update(&scores(*values, *cause), &tracked, None);
        }
        belief.planes.iter().copied().collect()
    }

    const TREES: [u8; 5] = [10, 235, 10, 250, 5];
    const BARE: [u8; 5] = [10, 10, 235, 250, 5];

    #[test]
    fn one_odd_date_does_not_overturn_a_long_history_and_a_second_one_does() {
        let seen = Causes::OBSERVED;
        let history = [(TREES, seen); 5];
        let once = after(&[&history[..], &[(BARE, seen)]].concat());
        let twice = after(&[&history[..], &[(BARE, seen); 2]].concat());
        assert!(once[1] > once[2], "{once:?}");
        assert!(twice[2] > twice[1], "{twice:?}");
    }

    #[test]
    fn an_unobserved_pass_leaves_the_belief_as_it_was() {
        let seen = (TREES, Causes::OBSERVED);
        assert_eq!(after(&[seen, (BARE, Causes::CLOUD)]), after(&[seen]));
        assert_eq!(after(&[(BARE, Causes::CLOUD)]), [0; 5], "nothing is known of what nobody saw");
    }

    #[test]
    fn a_pixel_takes_no_more_than_its_bytes_and_keeps_count_of_water() {
        let many: Vec<String> = (0..12).map(|id| format!("class_{id}")).collect();
        assert!(Tracked::of(&ModelClasses::one_head(many)).planes() <= BYTES_PER_PIXEL);
        let water = [250, 3, 2, 255, 0];
        let series: Vec<_> = (0..40).map(|year| (if year % 2 == 0 { water } else { BARE }, Causes::OBSERVED)).collect();
        let counts = *after(&series).last().expect("counts");
        assert!(times_observed(counts) <= MOST_COUNTED);
        assert!((wet_share(counts) - 0.5).abs() < 0.15, "wet every other year: {}", wet_share(counts));
    }

    #[test]
    fn what_is_not_tracked_has_no_plane() {
        let tracked = Tracked::of(&classes());
        let mut belief = Belief::unknown(Grid::new(Epsg(32650), 10.0), WINDOW, &tracked);
        belief.update(&scores(TREES, Causes::OBSERVED), &tracked, None);
        let told = |class: usize| tracked.planes_of(&[class]).map(|planes| belief.planes[(planes[0], 0, 0)]);
        assert_eq!([0, 1, 3, 4].map(told), [Some(10), Some(235), Some(250), None]);
        assert_eq!(tracked.planes_of(&[0, 4]), None, "the sum of both is not known");
        assert_eq!(tracked.planes_of(&[]), None);
    }
}
