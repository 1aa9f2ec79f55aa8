//! What the classes say, held against what the pixels show.

use ndarray::{Array2, Zip};

use super::{FIRST_NATURAL, NO_CHANGE, NO_OBJECT, NOT_SEEN, Reference, ToldByClasses, UNCLASSIFIED, WATER};
use crate::classes::{ClassTable, ModelClasses};
use crate::evidence::{LogOdds, probability};
use crate::grid::Window;
use crate::raster::Scores;

/// What an object moves the log-odds by, from where on no natural reason is believed.
const OBJECT_SEEN: f32 = 1.0;

/// Place of the objects in [`crate::evidence::TERMS`].
pub(super) const OBJECT_TERM: usize = 4;

/// Holds what the classes say against what the pixels show: see the head of the parent module. `was` and `is`: the most probable
/// classes of the first head before and after (row, col of the window of the decision).
pub(super) fn weigh(told: &mut ToldByClasses<'_>, odds: &LogOdds, [was, is]: [&Array2<u8>; 2]) {
    let ToldByClasses { reference, later, work, table, classes, rules, labels, confidence, .. } = told;
    let work = *work;
    assert_eq!(odds.sum.dim(), work.shape(), "the evidence covers the window of the decision");
    let log_odds = |score: f64| ((score / (1.0 - score)) as f32).ln();
    let seen_from = log_odds(table.minimum_change_score);
    let unclassified_from = table.unclassified.as_ref().map(|row| log_odds(row.minimum_score));
    let natural = NaturalChanges::of(table, classes);
    let water = natural.label_of_water;
    let shore = reference.shore(work);
    let covered = covered_by_water(reference, later, work, classes);
    Zip::indexed(labels).and(confidence).and(&odds.sum).for_each(|place, label, confidence, &sum| {
        if sum.is_nan() {
            return;
        }
        let object = || odds.term(OBJECT_TERM, place) >= OBJECT_SEEN && !covered(place, is[place]);
        if *label != NO_CHANGE {
            let with_water = rules.iter().any(|rule| rule.id == *label && rule.water);
            if sum < seen_from {
                *label = NOT_SEEN;
            } else if let Some(water) = water.filter(|_| with_water && shore[place] && !object()) {
                *label = water;
            }
        } else if unclassified_from.is_some_and(|from| sum >= from) {
            let by_itself = natural.label(was[place], is[place]).filter(|_| !object());
            *label = by_itself.unwrap_or(UNCLASSIFIED);
            *confidence = 255.0 * probability(sum);
        }
    });
}

/// Whether water lies at a place of `work` (row, col) now, by its class, and an object is seen less than before: what stood on a bar
/// and is under water is no object that came.
fn covered_by_water<'a>(
    reference: &'a Reference,
    later: &'a Scores,
    work: Window,
    classes: &ModelClasses,
) -> impl Fn((usize, usize), u8) -> bool + 'a {
    let (water, no_object) = (classes.id(WATER), classes.id(NO_OBJECT));
    let (rows, cols) = later.window.ranges_of(&work);
    move |(row, col), class| {
        let no_object = no_object.filter(|_| water == Some(usize::from(class)));
        no_object.is_some_and(|no_object| {
            let at = (no_object, rows.start + row, cols.start + col);
            later.probabilities[at] >= reference.scores.probabilities[at]
        })
    }
}

/// The rows of natural changes by class ids.
struct NaturalChanges {
    /// Label of each pair of classes of the first head (before, after), or [`NO_CHANGE`].
    labels: Array2<u8>,
    /// Label of the first reason that has to do with water.
    label_of_water: Option<u8>,
}

impl NaturalChanges {
    fn of(table: &ClassTable, classes: &ModelClasses) -> Self {
        let count = classes.names.len();
        let mut labels = Array2::from_elem((count, count), NO_CHANGE);
        let mut label_of_water = None;
        let reasons = table.natural_reasons();
        for row in &table.natural {
            let number = reasons.iter().position(|reason| *reason == row.reason).unwrap_or(0) as u8;
            let label = FIRST_NATURAL - number;
            for from in row.from.iter().filter_map(|name| classes.id(name)) {
                for to in row.to.iter().filter_map(|name| classes.id(name)) {
                    labels[(from, to)] = label;
                }
            }
            if row.from.iter().chain(&row.to).any(|class| class == WATER) {
                label_of_water = label_of_water.or(Some(label));
            }
        }
        Self { labels, label_of_water }
    }

    fn label(&self, was: u8, is: u8) -> Option<u8> {
        let label = self.labels.get((usize::from(was), usize::from(is))).copied();
        label.filter(|label| *label != NO_CHANGE)
    }
}
