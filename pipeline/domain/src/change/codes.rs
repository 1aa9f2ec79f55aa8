//! The most probable class of each pixel.

use std::ops::Range;

use ndarray::{Array2, Axis, Slice, Zip};

use super::{NO_CLASS, Rule};
use crate::classes::ModelClasses;
use crate::grid::Window;
use crate::lanes::{chosen, vectorised};
use crate::observed::Causes;
use crate::raster::Scores;

/// Pixels that are worked on together: arrays of fixed length, which the compiler turns into vector code.
const RUN_PX: usize = 64;

/// The most probable class of the first head, `codes`; where a row of the table labels a pixel, of the head of that row's classes
/// before (`side` 0) or after (1).
pub(super) fn codes_by_label(
    mut codes: Array2<u8>,
    scores: &Scores,
    core: Window,
    labels: &Array2<u8>,
    rules: &[Rule],
    side: usize,
    classes: &ModelClasses,
) -> Array2<u8> {
    for (number, head) in classes.heads.iter().enumerate().skip(1) {
        let mut of_head = [false; 256];
        for rule in rules.iter().filter(|rule| rule.heads[side] == number) {
            of_head[usize::from(rule.id)] = true;
        }
        if labels.iter().any(|&label| of_head[usize::from(label)]) {
            let others = class_codes(scores, core, head.clone());
            Zip::from(&mut codes).and(labels).and(&others).for_each(|code, &label, &other| {
                *code = chosen(*code, other, of_head[usize::from(label)]);
            });
        }
    }
    codes
}

/// The most probable of `classes` (ids of one head) at each pixel of `window` (row, col), [`NO_CLASS`] where unobserved.
/// The lowest id wins a tie.
///
/// # Panics
/// `window` is not inside the scores' window, or the scores have no such classes.
#[must_use]
pub fn class_codes(scores: &Scores, window: Window, classes: Range<usize>) -> Array2<u8> {
    let (rows, cols) = scores.window.ranges_of(&window);
    let first_id = classes.start as u8;
    let of_head = scores.probabilities.slice_axis(Axis(0), Slice::from(classes));
    let (probabilities, causes) = (of_head.as_standard_layout(), scores.causes.as_standard_layout());
    let (values, causes) = (probabilities.as_slice().unwrap_or_default(), causes.as_slice().unwrap_or_default());
    let width = scores.window.cols;
    let plane = scores.window.len().max(1);
    let mut codes = Array2::<u8>::zeros(window.shape());
    vectorised(
        #[inline(always)]
        || {
            for (row, mut codes) in rows.clone().zip(codes.outer_iter_mut()) {
                let codes = codes.as_slice_mut().unwrap_or_default();
                let (runs, beyond) = codes.as_chunks_mut::<RUN_PX>();
                let mut first = row * width + cols.start;
                for run in runs {
                    *run = most_probable(values, plane, first_id, |of_plane| {
                        of_plane[first..].first_chunk().copied().unwrap_or([0; RUN_PX])
                    });
                    unobserved(run, &causes[first..]);
                    first += RUN_PX;
                }
                let last = most_probable(values, plane, first_id, |of_plane| {
                    let mut value = [0; RUN_PX];
                    value[..beyond.len()].copy_from_slice(&of_plane[first..first + beyond.len()]);
                    value
                });
                beyond.copy_from_slice(&last[..beyond.len()]);
                unobserved(beyond, &causes[first..]);
            }
        },
    );
    codes
}

/// Ids of the most probable class of a run of pixels, whose scores `of` picks from the plane of a class.
#[inline(always)]
fn most_probable(values: &[u8], plane: usize, first_id: u8, of: impl Fn(&[u8]) -> [u8; RUN_PX]) -> [u8; RUN_PX] {
    let (mut best, mut code) = ([0_u8; RUN_PX], [first_id; RUN_PX]);
    for (id, plane) in (first_id..).zip(values.chunks_exact(plane)) {
        let value = of(plane);
        for i in 0..RUN_PX {
            code[i] = if value[i] > best[i] { id } else { code[i] };
            best[i] = best[i].max(value[i]);
        }
    }
    code
}

#[inline(always)]
fn unobserved(codes: &mut [u8], causes: &[Causes]) {
    for (code, cause) in codes.iter_mut().zip(causes) {
        *code = if cause.is_observed() { *code } else { NO_CLASS };
    }
}
