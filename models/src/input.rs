//! Reflectance to what the network is shown.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayView, ArrayView2, ArrayView3, Dimension, s};

use crate::error::ModelError;
use crate::manifest::InputBand;
use crate::segmenter::SegmenterDescription;

/// The values of an array, last axis fastest, without a copy where they lie so already.
pub(crate) fn in_order<'a, T: Copy, D: Dimension>(array: &'a ArrayView<'_, T, D>) -> Cow<'a, [T]> {
    array.as_slice().map_or_else(|| array.iter().copied().collect(), Cow::Borrowed)
}

/// `(reflectance − mean) / standard_deviation` as one multiplication and one addition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scaling {
    gain: f32,
    offset: f32,
}

impl From<&InputBand> for Scaling {
    fn from(band: &InputBand) -> Self {
        let gain = 1.0 / band.standard_deviation;
        Self { gain: gain as f32, offset: (-band.mean * gain) as f32 }
    }
}

/// Writes the normalised piece (band, row, col) of a window to `out` in one run of memory, 0 (the mean) where unobserved
/// and where the piece reaches beyond the window. Returns false where an observed pixel is not finite.
pub(crate) fn normalise(
    reflectance: &ArrayView3<'_, f32>,
    observed: &ArrayView2<'_, bool>,
    scalings: &[Scaling],
    rows: &Range<usize>,
    cols: &Range<usize>,
    out: &mut Vec<f32>,
) -> bool {
    let (_, window_rows, window_cols) = reflectance.dim();
    let inside = s![rows.start..rows.end.min(window_rows), cols.start..cols.end.min(window_cols)];
    let plane_px = rows.len() * cols.len();
    // what is there already is overwritten below
    out.resize(scalings.len() * plane_px, 0.0);
    let mask = observed.slice(inside);
    let mut finite = true;
    for ((plane, out), scaling) in reflectance.outer_iter().zip(out.chunks_exact_mut(plane_px)).zip(scalings) {
        let pixels = plane.slice(inside);
        let (inner, below) = out.split_at_mut(pixels.nrows() * cols.len());
        below.fill(0.0);
        for ((pixels, mask), out) in pixels.outer_iter().zip(mask.outer_iter()).zip(inner.chunks_exact_mut(cols.len()))
        {
            let (out, beside) = out.split_at_mut(pixels.len());
            beside.fill(0.0);
            finite &= normalise_row(&in_order(&pixels), &in_order(&mask), *scaling, out);
        }
    }
    finite
}

/// Returns false where an observed value is not finite. All three have one length.
fn normalise_row(pixels: &[f32], mask: &[bool], scaling: Scaling, out: &mut [f32]) -> bool {
    let mut not_finite = 0_u32;
    for ((out, value), observed) in out.iter_mut().zip(pixels).zip(mask) {
        let value = if *observed { value * scaling.gain + scaling.offset } else { 0.0 };
        *out = value;
        not_finite |= u32::from(!value.is_finite());
    }
    not_finite == 0
}

/// The error for the first observed pixel that is not finite, by row, then col, then band.
pub(crate) fn not_finite(
    description: &SegmenterDescription,
    reflectance: &ArrayView3<'_, f32>,
    observed: &ArrayView2<'_, bool>,
) -> Option<ModelError> {
    let is_bad = |(row, col): (usize, usize), band: usize| !reflectance[(band, row, col)].is_finite();
    observed.indexed_iter().filter(|(_, observed)| **observed).find_map(|(at, _)| {
        let band = (0..description.bands.len()).find(|band| is_bad(at, *band))?;
        Some(ModelError::ReflectanceNotFinite {
            model: description.name.clone(),
            band: description.bands[band],
            row: at.0,
            col: at.1,
            value: reflectance[(band, at.0, at.1)],
        })
    })
}
