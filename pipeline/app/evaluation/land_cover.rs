//! The land-cover head against labels and hand-made masks, beside baselines on the same pixels.

use std::collections::BTreeMap;

use ndarray::{Array2, Array3, ArrayView3, s};

use shorewatch_domain::observed::Causes;
use shorewatch_domain::sensor::BandRole;
use shorewatch_evaluation::IGNORE;
use shorewatch_evaluation::confusion::{Confusion, MaskOverlap};
use shorewatch_evaluation::forest::Forest;
use shorewatch_evaluation::labels::{CLASSES, WATER};
use shorewatch_evaluation::scores::{ScoreHistograms, winners};
use shorewatch_models::Segmenter;

use super::chips::{Chip, ChipReader};
use crate::failure::Failure;

/// Pixels that the forest grows on.
const FOREST_PX: usize = 30_000;
/// The forest is asked about every so many-eth pixel.
const FOREST_STEP: usize = 5;
const FOREST_SEED: u64 = 20_240_611;
/// Stored bands that the forest reads: blue, green, red, near infrared, short-wave infrared 1 and 2.
const FOREST_BANDS: std::ops::RangeInclusive<usize> = 1..=6;

/// What a network said of one chip: every map (row, col).
pub struct Answer {
    /// Scores of the land-cover classes in the order of [`CLASSES`], `probability × 255` (class, row, col).
    pub scores: Array3<u8>,
    /// The winning class, [`IGNORE`] where unobserved.
    pub winner: Array2<u8>,
    /// What was observed.
    pub observed: Array2<bool>,
}

/// The land-cover head of a segmenter.
pub struct LandCover<'a> {
    segmenter: &'a dyn Segmenter,
    /// Ids of [`CLASSES`] in the segmenter's answer.
    ids: Vec<usize>,
}

impl<'a> LandCover<'a> {
    /// Finds the six classes in a segmenter.
    ///
    /// # Errors
    /// One is missing.
    pub fn of(segmenter: &'a dyn Segmenter) -> Result<Self, Failure> {
        let classes = &segmenter.description().classes;
        let id = |name: &&str| classes.iter().position(|class| class.name == **name);
        let ids: Option<Vec<usize>> = CLASSES.iter().map(id).collect();
        let ids = ids.ok_or_else(|| {
            let got: Vec<_> = classes.iter().map(|class| class.name.as_str()).collect();
            Failure::input(format!(
                "model {}: expected the classes {}, got {}; only models of these classes can be scored",
                segmenter.description().name,
                CLASSES.join(", "),
                got.join(", ")
            ))
        })?;
        Ok(Self { segmenter, ids })
    }

    /// Reads and segments one chip with the bands `roles`, as a unit of work does.
    ///
    /// # Errors
    /// The chip can't be read, or the segmenter fails.
    pub fn answer(&self, chip: &Chip, reader: &ChipReader<'_>, roles: &[BandRole]) -> Result<Answer, Failure> {
        let raster = reader.read(chip, roles)?;
        let observed = raster.causes.mapv(Causes::is_observed);
        let halo = self.segmenter.description().halo_px;
        let all = self.segmenter.segment_window(&raster.roles, raster.pixels.view(), observed.view(), halo)?;
        let scores = self.of_all(all.view());
        Ok(Answer { winner: winners(scores.view()), scores, observed: reader.observed(&raster) })
    }

    /// The scores of [`CLASSES`] out of those of every class.
    fn of_all(&self, all: ArrayView3<'_, u8>) -> Array3<u8> {
        all.select(ndarray::Axis(0), &self.ids)
    }
}

/// Everything that is counted over the chips of one hold-out.
pub struct Tally {
    /// True against predicted class.
    pub confusion: Confusion,
    /// The same with the labels as they were mapped, where the image contradicts the map.
    pub as_mapped: Confusion,
    /// Curves.
    pub histograms: ScoreHistograms,
    /// The forest on every fifth pixel.
    pub forest: Confusion,
    /// Water against the hand-made masks: the network, MNDWI > 0.
    pub water: WaterFigures,
    /// Labelled pixels by class name over these chips.
    pub labelled_px: BTreeMap<&'static str, u64>,
    /// Pixels of the chips, and those that were observed.
    pub pixels: u64,
    /// See [`Tally::pixels`].
    pub observed_px: u64,
    /// Share of right pixels of each chip that has labels, by name.
    pub accuracy_by_chip: Vec<(String, f64)>,
}

/// Water against the hand-made masks, over three choices of pixels.
#[derive(Default, Clone, Copy)]
pub struct WaterFigures {
    /// Clear pixels: the masks as they stand.
    pub clear: Pair,
    /// Clear pixels whose hand-made water some other witness supports, and none contradicts.
    pub undisputed: Pair,
    /// Hand-made water on clear pixels, and that of it which no other witness supports.
    pub hand_px: u64,
    /// See [`WaterFigures::hand_px`].
    pub disputed_px: u64,
}

/// Network and index against one truth.
#[derive(Default, Clone, Copy)]
pub struct Pair {
    /// The network.
    pub network: MaskOverlap,
    /// MNDWI > 0.
    pub mndwi: MaskOverlap,
}

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let classes = CLASSES.len();
        Self {
            confusion: Confusion::new(classes),
            as_mapped: Confusion::new(classes),
            histograms: ScoreHistograms::new(classes),
            forest: Confusion::new(classes),
            water: WaterFigures::default(),
            labelled_px: BTreeMap::new(),
            pixels: 0,
            observed_px: 0,
            accuracy_by_chip: Vec::new(),
        }
    }

    /// Counts one chip.
    ///
    /// # Errors
    /// The forest failed.
    pub fn add(&mut self, chip: &Chip, answer: &Answer, forest: &Forest) -> Result<(), Failure> {
        let label = truth(&chip.labelled.label, answer);
        let winner = called(answer);
        let mut own = Confusion::new(CLASSES.len());
        own.add_maps(label.view(), winner.view());
        self.as_mapped.add_maps(truth(&chip.labelled.as_mapped, answer).view(), winner.view());
        if let Some(accuracy) = own.accuracy() {
            self.accuracy_by_chip.push((chip.name.clone(), accuracy));
        }
        self.confusion.add_all(&own);
        self.histograms.add(answer.scores.view(), label.view());
        for class in label.iter().filter(|class| **class != IGNORE) {
            *self.labelled_px.entry(CLASSES[usize::from(*class)]).or_default() += 1;
        }
        self.pixels += label.len() as u64;
        self.observed_px += answer.observed.iter().filter(|seen| **seen).count() as u64;
        self.add_water(chip, answer, &label);
        self.add_forest(chip, &label, forest)
    }

    fn add_water(&mut self, chip: &Chip, answer: &Answer, label: &Array2<u8>) {
        let mndwi = chip.mndwi_is_positive();
        for (place, &hand) in chip.hand_water.indexed_iter() {
            if !chip.labelled.clear[place] || !answer.observed[place] {
                continue;
            }
            let network = answer.winner[place] == WATER;
            let count = |pair: &mut Pair| {
                pair.network.add(hand, network);
                pair.mndwi.add(hand, mndwi[place]);
            };
            count(&mut self.water.clear);
            let disputed = label[place] == IGNORE;
            if !disputed {
                count(&mut self.water.undisputed);
            }
            self.water.hand_px += u64::from(hand);
            self.water.disputed_px += u64::from(hand && disputed);
        }
    }

    fn add_forest(&mut self, chip: &Chip, label: &Array2<u8>, forest: &Forest) -> Result<(), Failure> {
        let known: Vec<_> = label.indexed_iter().filter(|(_, class)| **class != IGNORE).step_by(FOREST_STEP).collect();
        let pixels = spectra(chip, known.iter().map(|(place, _)| *place));
        let predicted = forest.predict(pixels.view()).map_err(|fault| Failure::internal(fault.to_string()))?;
        for ((_, truth), predicted) in known.iter().zip(predicted) {
            self.forest.add(**truth, predicted);
        }
        Ok(())
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

/// The winning class; class 0 where nothing was observed, which no label counts.
fn called(answer: &Answer) -> Array2<u8> {
    answer.winner.mapv(|class| class % IGNORE)
}

/// Labels of a chip where it was observed.
fn truth(label: &Array2<u8>, answer: &Answer) -> Array2<u8> {
    let mut label = label.clone();
    label.zip_mut_with(&answer.observed, |label, seen| {
        if !seen {
            *label = IGNORE;
        }
    });
    label
}

/// Mean IoU, water IoU and calibration error with some of the bands.
pub struct BandSetFigures {
    /// True against predicted class.
    pub confusion: Confusion,
    /// Curves.
    pub histograms: ScoreHistograms,
}

/// Scores one set of bands over some chips.
///
/// # Errors
/// A chip can't be read, or the segmenter fails.
pub fn with_bands(
    land_cover: &LandCover<'_>,
    chips: &[&Chip],
    reader: &ChipReader<'_>,
    roles: &[BandRole],
) -> Result<BandSetFigures, Failure> {
    let mut figures =
        BandSetFigures { confusion: Confusion::new(CLASSES.len()), histograms: ScoreHistograms::new(CLASSES.len()) };
    for chip in chips {
        let answer = land_cover.answer(chip, reader, roles)?;
        let label = truth(&chip.labelled.label, &answer);
        figures.confusion.add_maps(label.view(), called(&answer).view());
        figures.histograms.add(answer.scores.view(), label.view());
    }
    Ok(figures)
}

/// Grows the baseline on labelled pixels of the training chips.
///
/// # Errors
/// There are none.
pub fn grow_forest(chips: &[Chip]) -> Result<Forest, Failure> {
    let known: usize =
        chips.iter().map(|chip| chip.labelled.label.iter().filter(|class| **class != IGNORE).count()).sum();
    let step = (known / FOREST_PX).max(1);
    let (mut pixels, mut classes, mut next) = (Vec::new(), Vec::new(), 0);
    for chip in chips {
        let labelled: Vec<_> = chip.labelled.label.indexed_iter().filter(|(_, class)| **class != IGNORE).collect();
        // every so many-eth pixel over all chips, so that each chip weighs by what is known of it
        let first = (step - next % step) % step;
        let chosen: Vec<_> = labelled.iter().skip(first).step_by(step).collect();
        next += labelled.len();
        pixels.push(spectra(chip, chosen.iter().map(|(place, _)| *place)));
        classes.extend(chosen.iter().map(|(_, class)| **class));
    }
    let views: Vec<_> = pixels.iter().map(|part| part.view()).collect();
    let pixels =
        ndarray::concatenate(ndarray::Axis(0), &views).map_err(|fault| Failure::internal(fault.to_string()))?;
    Forest::grow(pixels.view(), &classes, FOREST_SEED).map_err(|fault| Failure::internal(fault.to_string()))
}

/// Stored reflectance (pixel, band) at some places of a chip.
fn spectra(chip: &Chip, places: impl Iterator<Item = (usize, usize)>) -> Array2<f32> {
    let places: Vec<_> = places.collect();
    let mut out = Array2::zeros((places.len(), FOREST_BANDS.count()));
    for (column, band) in FOREST_BANDS.enumerate() {
        let stored = chip.stored_band(band);
        let mut values = out.slice_mut(s![.., column]);
        for (value, place) in values.iter_mut().zip(&places) {
            *value = f32::from(stored[*place]);
        }
    }
    out
}
