//! What changed between two dates, told from the class probabilities of both.
//!
//! For a row of the table with classes `F` → `T`, let `P(F)` before and `P(T)` after be the summed probabilities,
//! each averaged over 3×3 observed pixels (a plain difference of class maps is worse than this on public change sets).
//! The confidence of the row at a pixel is `min(P_before(F), P_after(T))`: both dates must speak. Slivers from
//! misregistration and moved shorelines are removed by morphological opening (Serra 1982): only ground that holds a whole
//! square of one change, of the row's minimum width, stays.
//!
//! A model may have several heads, each with probabilities that add up to 1. The classes of each side of a row are of one
//! head, and the most probable class is asked within one head: the first one (land cover), or that of the row which fits.
//!
//! The table alone errs where the model does. So a row's pixels must look changed as well ([`crate::evidence`], where it was
//! gathered), against every earlier pass that the later one is held against: ground that looks as it did on any of them is
//! nothing new, and the classes before are the least that any of these passes and the [belief](crate::belief) of all passes so
//! far grant. What the pixels show and no row names is [`UNCLASSIFIED`]. What happens by itself (rows of
//! [`ClassTable::natural`], and water that comes and goes where it always did) keeps a label of its own, so that it is counted
//! with its reason and never silently dropped.
//!
//! Everything is local: the result at a pixel depends on the [`margin_px`] pixels around it and on nothing else, so it
//! does not depend on how the ground was tiled.

use ndarray::{Array2, ArrayView2, Zip, s};

use crate::classes::{ClassTable, MOST_REASONS, ModelClasses, NOT_SEEN_REASON};
use crate::evidence::LogOdds;
use crate::grid::Window;
use crate::lanes::{chosen, counted, vectorised};
use crate::observed::Causes;
use crate::raster::Scores;

mod codes;
mod local;
mod reference;
mod weigh;

pub use codes::class_codes;
pub use reference::Reference;

use codes::codes_by_label;
use local::{Means, opened};
use weigh::weigh;

/// Name of the class that comes and goes by itself.
const WATER: &str = "water";

/// Name of the class of the second head that means none.
const NO_OBJECT: &str = "no_object";

/// Pixels around a window that [`ToldByClasses`] needs: one for the mean, the rest for the opening.
#[must_use]
pub fn margin_px(table: &ClassTable) -> usize {
    table.widest_px()
}

/// Label of a pixel without a suspected change.
pub const NO_CHANGE: u8 = 0;

/// Label of a change that stands in no row of the table.
pub const UNCLASSIFIED: u8 = 255;

/// Label of a change that the classes show and the pixels do not.
pub const NOT_SEEN: u8 = 254;

/// Label of the first reason of natural changes; the others count down from it.
const FIRST_NATURAL: u8 = 253;

/// Why places with a label are not emitted; `None` for those that are.
#[must_use]
pub fn suppressed(label: u8, table: &ClassTable) -> Option<&str> {
    match label {
        NOT_SEEN => Some(NOT_SEEN_REASON),
        label if label <= FIRST_NATURAL && label > FIRST_NATURAL - MOST_REASONS as u8 => {
            table.natural_reasons().get(usize::from(FIRST_NATURAL - label)).copied()
        }
        _ => None,
    }
}

/// Edge in pixels of the square that must fit into a place that is suppressed.
const SUPPRESSED_WIDTH_PX: usize = 3;

/// Index in [`ChangeMap::earlier`] of a pixel that no earlier pass observed.
pub const NO_EARLIER: u8 = u8::MAX;

/// Index in [`ChangeMap::earlier`] of a pixel that was held back: every earlier pass that observed it lies too far off there.
pub const HELD: u8 = u8::MAX - 1;

/// Whether an index in [`ChangeMap::earlier`] is that of a pass.
#[must_use]
pub const fn is_compared(earlier: u8) -> bool {
    earlier < HELD
}

/// Suspected changes of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeMap {
    /// The pixels that are covered.
    pub window: Window,
    /// Transition id, or [`NO_CHANGE`] (row, col).
    pub labels: Array2<u8>,
    /// Confidence × 255, rounded; 0 without a label (row, col).
    pub confidence: Array2<u8>,
    /// Which earlier pass the pixel was compared with (0 = the latest), or [`NO_EARLIER`] or [`HELD`] (row, col).
    pub earlier: Array2<u8>,
    /// Why the later pass did not observe the pixel (row, col).
    pub causes: Array2<Causes>,
    /// Most probable class before, or [`NO_CLASS`] where no earlier pass observed the pixel (row, col). Of the first head;
    /// under a label, of the head of the row's classes before.
    pub class_before: Array2<u8>,
    /// Most probable class after, or [`NO_CLASS`] where the later pass did not observe the pixel (row, col). Of the first
    /// head; under a label, of the head of the row's classes after.
    pub class_after: Array2<u8>,
}

/// Class of an unobserved pixel.
pub const NO_CLASS: u8 = u8::MAX;

/// A row of the table by class ids.
struct Rule {
    id: u8,
    from: Vec<usize>,
    to: Vec<usize>,
    /// Heads of the classes before and after.
    heads: [usize; 2],
    threshold: f32,
    width: usize,
    /// Whether water is on one of its sides.
    water: bool,
}

impl Rule {
    /// Labels the pixels of one line of which both dates tell of this row, and more surely than of the row that labelled them so far.
    /// `before` and `after`: probabilities × 255 of the classes of either side.
    fn look_at(&self, valid: &[bool], before: &[f32], after: &[f32], labels: &mut [u8], confidence: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                let Self { id, threshold, .. } = *self;
                let line = labels.iter_mut().zip(&mut *confidence).zip(before).zip(after).zip(valid);
                for ((((label, best), &before), &after), &valid) in line {
                    let score = before.min(after);
                    let score = counted(score, valid & (score >= threshold));
                    *label = chosen(*label, id, score > *best);
                    *best = best.max(score);
                }
            },
        );
    }
}

/// What the classes alone say, before it is held against the pixels.
pub struct ToldByClasses<'a> {
    reference: &'a Reference,
    later: &'a Scores,
    core: Window,
    work: Window,
    table: &'a ClassTable,
    classes: &'a ModelClasses,
    rules: Vec<Rule>,
    labels: Array2<u8>,
    confidence: Array2<f32>,
}

impl<'a> ToldByClasses<'a> {
    /// Compares the later scores with what is known of before, inside `core`.
    ///
    /// Both inputs must cover `core` grown by [`margin_px`]. `classes` are the model's, in the order of the scores.
    ///
    /// # Panics
    /// The windows do not cover what they must; the table was not checked with [`ClassTable::faults`].
    #[must_use]
    pub fn new(
        reference: &'a Reference,
        later: &'a Scores,
        core: Window,
        table: &'a ClassTable,
        classes: &'a ModelClasses,
    ) -> Self {
        assert_eq!(reference.scores.window, later.window, "both dates cover one window");
        let work = core.grown(margin_px(table));
        let (rows, cols) = later.window.ranges_of(&work);
        let both = Zip::from(reference.scores.causes.slice(s![rows.clone(), cols.clone()]))
            .and(later.causes.slice(s![rows.clone(), cols.clone()]))
            .map_collect(|before, after| before.is_observed() && after.is_observed());
        let after = later.probabilities.slice(s![.., rows, cols]);
        let mut labels = Array2::from_elem(work.shape(), NO_CHANGE);
        let mut confidence = Array2::<f32>::zeros(work.shape());
        let rules = rules(table, classes);
        // rows of the table share classes
        let (before_sets, before_of) = distinct(rules.iter().map(|rule| &rule.from));
        let (after_sets, after_of) = distinct(rules.iter().map(|rule| &rule.to));
        let lines = |sets: &[Vec<usize>]| vec![vec![0.0; work.cols]; sets.len()];
        let (mut before_lines, mut after_lines) = (lines(&before_sets), lines(&after_sets));
        let mut granted = reference.granted(work, &both, &before_sets);
        let mut after = Means::new(after, both, after_sets);
        for row in 0..work.rows {
            let labels = labels.row_mut(row).into_slice().unwrap_or_default();
            let confidence = confidence.row_mut(row).into_slice().unwrap_or_default();
            after.go_to(row);
            granted.go_to(row);
            let most: Vec<f32> = (0..).zip(&mut after_lines).map(|(set, line)| after.of(set, line)).collect();
            let mut known = vec![false; before_sets.len()];
            for ((rule, &before_set), &after_set) in rules.iter().zip(&before_of).zip(&after_of) {
                if most[after_set] < rule.threshold {
                    continue;
                }
                let before = &mut before_lines[before_set];
                if !std::mem::replace(&mut known[before_set], true) {
                    granted.least(before_set, before);
                }
                rule.look_at(after.valid(), before, &after_lines[after_set], labels, confidence);
            }
        }
        Self { reference, later, core, work, table, classes, rules, labels, confidence }
    }

    /// The pixels that are decided on: the core with its margin.
    #[must_use]
    pub const fn work(&self) -> Window {
        self.work
    }

    /// The pixels (row, col of [`ToldByClasses::work`]) on which more evidence can decide something: those whose label holds a
    /// whole square of its row's width, and those of `log_odds` (NaN where nothing is known yet) that reach `from` and hold a
    /// square of an unclassified change. What does not now will not with fewer pixels.
    #[must_use]
    pub fn open(&self, log_odds: ArrayView2<'_, f32>, from: f32) -> Array2<bool> {
        let labels = opened(self.labels.view(), |label| self.width_px(label));
        let shown = log_odds.mapv(|value| if value >= from { UNCLASSIFIED } else { NO_CHANGE });
        let shown = opened(shown.view(), |label| self.width_px(label));
        Zip::from(&labels).and(&shown).map_collect(|&told, &shown| told != NO_CHANGE || shown != NO_CHANGE)
    }

    /// Edge of the square that must fit into a change with a label.
    fn width_px(&self, label: u8) -> usize {
        match label {
            UNCLASSIFIED => self.table.unclassified.as_ref().map_or(1, |row| row.minimum_width_px),
            label if label > FIRST_NATURAL - MOST_REASONS as u8 => SUPPRESSED_WIDTH_PX,
            label => self.rules.iter().find(|rule| rule.id == label).map_or(1, |rule| rule.width),
        }
    }

    /// The suspected changes. `odds`, where such evidence was gathered, covers [`ToldByClasses::work`].
    ///
    /// # Panics
    /// It does not.
    #[must_use]
    pub fn weighed(mut self, odds: Option<&LogOdds>) -> ChangeMap {
        let head = self.classes.heads[0].clone();
        let [was, is] = [&self.reference.scores, self.later].map(|scores| class_codes(scores, self.work, head.clone()));
        if let Some(odds) = odds {
            weigh(&mut self, odds, [&was, &is]);
        }
        let opened = opened(self.labels.view(), |label| self.width_px(label));
        let Self { reference, later, core, work, classes, rules, confidence, .. } = self;
        let (core_rows, core_cols) = work.ranges_of(&core);
        let labels = opened.slice(s![core_rows.clone(), core_cols.clone()]).to_owned();
        let confidence = Zip::from(&labels)
            .and(confidence.slice(s![core_rows.clone(), core_cols.clone()]))
            .map_collect(|&label, &score| if label == NO_CHANGE { 0 } else { score.round().clamp(1.0, 255.0) as u8 });
        let inside = |codes: Array2<u8>| codes.slice(s![core_rows.clone(), core_cols.clone()]).to_owned();
        let class_before = codes_by_label(inside(was), &reference.scores, core, &labels, &rules, 0, classes);
        let class_after = codes_by_label(inside(is), later, core, &labels, &rules, 1, classes);
        let (rows, cols) = later.window.ranges_of(&core);
        ChangeMap {
            window: core,
            labels,
            confidence,
            earlier: reference.earlier.slice(s![rows.clone(), cols.clone()]).to_owned(),
            causes: later.causes.slice(s![rows, cols]).to_owned(),
            class_before,
            class_after,
        }
    }
}

/// Lists without those that came before, and for each of the lists which of these it is.
fn distinct<'a>(lists: impl Iterator<Item = &'a Vec<usize>>) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut kept: Vec<Vec<usize>> = Vec::new();
    let which = lists.map(|list| {
        kept.iter().position(|other| other == list).unwrap_or_else(|| {
            kept.push(list.clone());
            kept.len() - 1
        })
    });
    let which = which.collect();
    (kept, which)
}

fn rules(table: &ClassTable, classes: &ModelClasses) -> Vec<Rule> {
    let id = |name: &String| classes.id(name);
    let head = |name: Option<&String>| name.and_then(|name| classes.head(name)).unwrap_or(0);
    table
        .transitions
        .iter()
        .map(|row| Rule {
            id: row.id,
            from: row.from.iter().filter_map(id).collect(),
            to: row.to.iter().filter_map(|outcome| id(&outcome.class)).collect(),
            heads: [head(row.from.first()), head(row.to.first().map(|outcome| &outcome.class))],
            threshold: (row.minimum_confidence * 255.0) as f32,
            width: row.minimum_width_px,
            water: row.classes().any(|class| class == WATER),
        })
        .collect()
}

#[cfg(test)]
mod tests;
