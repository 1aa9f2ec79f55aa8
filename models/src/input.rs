//! Reflectance to what the network is shown.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayView, ArrayView2, ArrayView3, Axis, Dimension, s};
use shorewatch_domain::sensor::BandRole;

use crate::error::ModelError;
use crate::manifest::InputBand;

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

/// A window as its caller gives it.
#[derive(Clone, Copy)]
pub(crate) struct Picture<'a> {
    /// Role of each plane of every date.
    pub(crate) bands: &'a [BandRole],
    /// Reflectance (band, row, col), of one size: of the one date, or of the earlier and the later.
    pub(crate) dates: &'a [ArrayView3<'a, f32>],
    /// (row, col): on all dates.
    pub(crate) observed: ArrayView2<'a, bool>,
}

impl Picture<'_> {
    /// What a date is called in messages: nothing where there is one only.
    fn date_name(&self, date: usize) -> Option<&'static str> {
        match (self.dates.len(), date) {
            (1, _) => None,
            (_, 0) => Some("earlier"),
            _ => Some("later"),
        }
    }
}

/// Writes the normalised piece (date, band, row, col) of a window to `out`, 0 (the mean) where unobserved, where the
/// piece reaches beyond the window, and in the bands that the picture lacks. `planes` says for each of the network's bands
/// which plane of a date it is. Returns false where an observed pixel is not finite.
pub(crate) fn normalise(
    picture: &Picture<'_>,
    planes: &[Option<usize>],
    scalings: &[Scaling],
    rows: &Range<usize>,
    cols: &Range<usize>,
    out: &mut [f32],
) -> bool {
    let (window_rows, window_cols) = picture.observed.dim();
    let inside = s![rows.start..rows.end.min(window_rows), cols.start..cols.end.min(window_cols)];
    let mask = picture.observed.slice(inside);
    let bands = planes.iter().zip(scalings);
    let channels = picture.dates.iter().flat_map(|date| bands.clone().map(move |band| (date, band)));
    let mut finite = true;
    for ((date, (plane, scaling)), out) in channels.zip(out.chunks_exact_mut(rows.len() * cols.len())) {
        let Some(plane) = plane else {
            out.fill(0.0);
            continue;
        };
        let plane = date.index_axis(Axis(0), *plane);
        let pixels = plane.slice(inside);
        let (inner, below) = out.split_at_mut(pixels.nrows() * cols.len());
        below.fill(0.0);
        for ((pixels, mask), out) in pixels.outer_iter().zip(mask.outer_iter()).zip(inner.chunks_exact_mut(cols.len()))
        {
            let (out, beside) = out.split_at_mut(pixels.len());
            beside.fill(0.0);
            let (pixels, mask) = (in_order(&pixels), in_order(&mask));
            finite &= pulp::Arch::new().dispatch(|| normalise_row(&pixels, &mask, *scaling, out));
        }
    }
    finite
}

/// Returns false where an observed value is not finite. All three have one length.
#[inline(always)]
fn normalise_row(pixels: &[f32], mask: &[bool], scaling: Scaling, out: &mut [f32]) -> bool {
    let mut not_finite = 0_u32;
    for ((out, value), observed) in out.iter_mut().zip(pixels).zip(mask) {
        let value = if *observed { value * scaling.gain + scaling.offset } else { 0.0 };
        *out = value;
        not_finite |= u32::from(!value.is_finite());
    }
    not_finite == 0
}

/// The error for the first observed pixel that is not finite, by row, then col, then date, then band.
pub(crate) fn not_finite(model: &str, picture: &Picture<'_>) -> Option<ModelError> {
    let Picture { bands, dates, observed } = picture;
    let planes: Vec<_> = (0..dates.len()).flat_map(|date| (0..bands.len()).map(move |band| (date, band))).collect();
    observed.indexed_iter().filter(|(_, observed)| **observed).find_map(|((row, col), _)| {
        let value = |(date, band): (usize, usize)| dates[date][(band, row, col)];
        let bad @ (date, band) = planes.iter().copied().find(|plane| !value(*plane).is_finite())?;
        Some(ModelError::ReflectanceNotFinite {
            model: model.to_owned(),
            band: bands[band],
            date: picture.date_name(date),
            row,
            col,
            value: value(bad),
        })
    })
}
