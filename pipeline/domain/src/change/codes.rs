//! The most probable class of each pixel.

use std::ops::Range;

use ndarray::{Array2, Axis, Slice, Zip};

use super::{NO_CLASS, Rule};
use crate::classes::ModelClasses;
use crate::grid::Window;
use crate::raster::Scores;

/// Pixels that are worked on together: arrays of fixed length, which the compiler turns into vector code.
const RUN_PX: usize = 64;

/// The most probable class of the first head; where a row of the table labels a pixel, of the head of that row's classes
/// before (`side` 0) or after (1).
pub(super) fn codes_by_label(
    scores: &Scores,
    core: Window,
    labels: &Array2<u8>,
    rules: &[Rule],
    side: usize,
    classes: &ModelClasses,
) -> Array2<u8> {
    let mut codes = class_codes(scores, core, classes.heads[0].clone());
    for (number, head) in classes.heads.iter().enumerate().skip(1) {
        let of_head = |label: u8| rules.iter().any(|rule| rule.id == label && rule.heads[side] == number);
        if labels.iter().any(|&label| of_head(label)) {
            let others = class_codes(scores, core, head.clone());
            Zip::from(&mut codes).and(labels).and(&others).for_each(|code, &label, &other| {
                *code = if of_head(label) { other } else { *code };
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
    pulp::Arch::new().dispatch(|| {
        for (row, mut codes) in rows.zip(codes.outer_iter_mut()) {
            let mut codes = codes.as_slice_mut().unwrap_or_default();
            let mut first = row * width + cols.start;
            while !codes.is_empty() {
                let (run, beyond) = codes.split_at_mut(RUN_PX.min(codes.len()));
                let (mut best, mut code, mut value) = ([0_u8; RUN_PX], [first_id; RUN_PX], [0_u8; RUN_PX]);
                for (id, plane) in (first_id..).zip(values.chunks_exact(plane)) {
                    value[..run.len()].copy_from_slice(&plane[first..first + run.len()]);
                    for i in 0..RUN_PX {
                        code[i] = if value[i] > best[i] { id } else { code[i] };
                        best[i] = best[i].max(value[i]);
                    }
                }
                for ((to, code), cause) in run.iter_mut().zip(&code).zip(&causes[first..]) {
                    *to = if cause.is_observed() { *code } else { NO_CLASS };
                }
                first += run.len();
                codes = beyond;
            }
        }
    });
    codes
}
