//! Reflectance to what the network is shown.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::{ArrayView, ArrayView2, ArrayView3, Dimension, s};
use shorewatch_domain::lanes::vectorised;
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

/// How a network wants the channels of a tile in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    /// (channel, row, col).
    #[cfg_attr(not(any(feature = "onnx", feature = "torch", test)), expect(dead_code, reason = "no backend is built"))]
    ChannelsFirst,
    /// (row, col, channel), as the convolutions of libtorch read them: otherwise they make such a copy first, which a device does
    /// in no time and the processor does not.
    #[cfg_attr(not(feature = "torch"), expect(dead_code, reason = "ONNX Runtime takes channels first"))]
    ChannelsLast,
}

/// Writes the normalised piece of a window to `out`, laid out as `layout` says with the bands of each date as channels: 0 (the
/// mean) where unobserved, where the piece reaches beyond the window, and in the bands that the picture lacks. `planes` says
/// for each of the network's bands which plane of a date it is. Returns false where an observed pixel is not finite.
pub(crate) fn normalise(
    picture: &Picture<'_>,
    planes: &[Option<usize>],
    scalings: &[Scaling],
    [rows, cols]: [&Range<usize>; 2],
    layout: Layout,
    out: &mut [f32],
) -> bool {
    let (window_rows, window_cols) = picture.observed.dim();
    let inside = cols.start..cols.end.min(window_cols);
    let bands = planes.iter().zip(scalings);
    let channels = picture.dates.iter().flat_map(|date| bands.clone().map(move |band| (date, band)));
    let number = picture.dates.len() * planes.len();
    let mut finite = true;
    for (row, window_row) in rows.clone().enumerate() {
        let mask = (window_row < window_rows).then(|| picture.observed.slice(s![window_row, inside.clone()]));
        let mask = mask.as_ref().map(in_order);
        for (channel, (date, (plane, scaling))) in channels.clone().enumerate() {
            let (start, step) = match layout {
                Layout::ChannelsFirst => ((channel * rows.len() + row) * cols.len(), 1),
                Layout::ChannelsLast => (row * cols.len() * number + channel, number),
            };
            let out = &mut out[start..][..(cols.len() - 1) * step + 1];
            match (plane, &mask) {
                (Some(plane), Some(mask)) => {
                    let pixels = date.slice(s![*plane, window_row, inside.clone()]);
                    let pixels = in_order(&pixels);
                    finite &= vectorised(
                        #[inline(always)]
                        || normalise_row(&pixels, mask, *scaling, out, step),
                    );
                }
                _ => out.iter_mut().step_by(step).for_each(|out| *out = 0.0),
            }
        }
    }
    finite
}

/// Pixels that are normalised together before they are spread among the other channels.
const RUN_PX: usize = 64;

/// Writes to every `step`th value of `out`, 0 behind the last pixel. Returns false where an observed value is not finite.
#[inline(always)]
fn normalise_row(pixels: &[f32], mask: &[bool], scaling: Scaling, out: &mut [f32], step: usize) -> bool {
    if step == 1 {
        let (inner, beside) = out.split_at_mut(pixels.len());
        beside.fill(0.0);
        return normalise_run(pixels, mask, scaling, inner);
    }
    let mut finite = true;
    let mut run = [0.0; RUN_PX];
    let mut out = out.iter_mut().step_by(step);
    for (pixels, mask) in pixels.chunks(RUN_PX).zip(mask.chunks(RUN_PX)) {
        let run = &mut run[..pixels.len()];
        finite &= normalise_run(pixels, mask, scaling, run);
        run.iter().zip(&mut out).for_each(|(value, out)| *out = *value);
    }
    out.for_each(|out| *out = 0.0);
    finite
}

/// Returns false where an observed value is not finite. All three have one length.
#[inline(always)]
fn normalise_run(pixels: &[f32], mask: &[bool], scaling: Scaling, out: &mut [f32]) -> bool {
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
