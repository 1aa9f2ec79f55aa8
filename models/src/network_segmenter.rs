//! The real segmenter: a network of one date.

use std::ops::Range;

use ndarray::{Array3, ArrayView2, ArrayView3};
use shorewatch_domain::sensor::BandRole;

use crate::error::ModelError;
use crate::input::{Picture, in_order};
use crate::network::TiledNetwork;
use crate::segmenter::{Segmenter, SegmenterDescription, answer};
use crate::softmax::{keep_observed, quantise};

/// A network that is shown one date, as a segmenter.
pub(crate) struct NetworkSegmenter(pub(crate) TiledNetwork);

impl Segmenter for NetworkSegmenter {
    fn description(&self) -> &SegmenterDescription {
        self.0.description()
    }

    fn segment_window(
        &self,
        bands: &[BandRole],
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<u8>, ModelError> {
        let picture = Picture { bands, dates: &[reflectance], observed };
        let size @ (classes, rows, cols) = self.description().answer_size(&picture, crop)?;
        let mut out = vec![0; classes * rows * cols];
        let mask = in_order(&observed);
        // where a run of pixels lies in the mask and in the answer
        let places = |class: usize, row: usize, kept: &Range<usize>| {
            let start = (class * rows + row - crop) * cols + kept.start - crop;
            (row * observed.ncols() + kept.start..row * observed.ncols() + kept.end, start..start + kept.len())
        };
        if let Some(network) = self.0.network().scores() {
            self.0.for_each_row(network, &picture, crop, 0..classes, |class, row, kept, scores| {
                let (in_mask, in_answer) = places(class, row, &kept);
                keep_observed(scores, &mask[in_mask], &mut out[in_answer]);
            })?;
        } else {
            self.0.for_each_run(&picture, crop, |class, row, kept, values| {
                let (in_mask, in_answer) = places(class, row, &kept);
                quantise(values, &mask[in_mask], &mut out[in_answer]);
            })?;
        }
        Ok(answer(size, out))
    }

    fn probabilities(
        &self,
        bands: &[BandRole],
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<f32>, ModelError> {
        self.0.probabilities(&Picture { bands, dates: &[reflectance], observed }, crop)
    }
}
