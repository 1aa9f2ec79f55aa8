//! Stored numbers to reflectance, and what they say against a pixel.

use ndarray::{ArrayViewMut2, ArrayViewMut3, s};

use shorewatch_domain::lanes::vectorised;
use shorewatch_domain::observed::Causes;
use shorewatch_domain::sensor::NodataRule;

use super::{FileSource, PassReader, Use};
use crate::blocks::Block;

/// Alpha values from here on are opaque (half of 8 bits).
const OPAQUE_FROM: f32 = 128.0;

impl PassReader {
    /// Converts the part of a block that starts at `from` (row, col) and has the shape of `causes`.
    #[expect(clippy::too_many_arguments, reason = "one hot loop; a struct would only rename the arguments")]
    pub(super) fn convert<T: Sample>(
        &self,
        file: &FileSource,
        block: &Block,
        samples: &[T],
        from: (usize, usize),
        positions: &[usize],
        pixels: &mut ArrayViewMut3<'_, f32>,
        causes: &mut ArrayViewMut2<'_, Causes>,
    ) {
        let (rows, cols) = causes.dim();
        let plane = (block.rows - block.first_row) * block.cols;
        let nodata = self.nodata.and_then(T::stored);
        // a comparison with NaN is false
        let saturated_from = self.saturated_from.unwrap_or(f32::NAN);
        let may_be_bad = T::MAY_NOT_BE_FINITE || self.saturated_from.is_some();
        let all_bands = self.nodata_rule == NodataRule::AllBands;
        let mut fill_bands = vec![0_u8; cols];
        let mut against = vec![0_u8; cols];
        let mut targets: Vec<_> = pixels.outer_iter_mut().collect();
        vectorised(
            #[inline(always)]
            || {
                for row in 0..rows {
                    fill_bands.fill(0);
                    against.fill(0);
                    let mut data_bands = 0_u8;
                    let mut next = 0;
                    for (i, what) in file.uses.iter().enumerate() {
                        let start = i * plane + (from.0 - block.first_row + row) * block.cols + from.1;
                        let line = &samples[start..start + cols];
                        match what {
                            Use::Reflectance { scale, offset, .. } => {
                                let position = positions[next];
                                next += 1;
                                data_bands += 1;
                                let mut target = targets[position].row_mut(row);
                                if let Some(target) = target.as_slice_mut() {
                                    for (target, &value) in target.iter_mut().zip(line) {
                                        let value: f32 = value.into();
                                        *target = value * scale + offset;
                                    }
                                }
                                if let Some(nodata) = nodata {
                                    for (fill, value) in fill_bands.iter_mut().zip(line) {
                                        *fill += u8::from(*value == nodata);
                                    }
                                }
                                if may_be_bad {
                                    for (against, &value) in against.iter_mut().zip(line) {
                                        let value: f32 = value.into();
                                        *against |= (u8::from(value >= saturated_from) * Causes::SATURATED.0)
                                            | (u8::from(!value.is_finite()) * Causes::NOT_FINITE.0);
                                    }
                                }
                            }
                            Use::Alpha => {
                                for (against, &value) in against.iter_mut().zip(line) {
                                    *against |= u8::from(value.into() < OPAQUE_FROM) * Causes::TRANSPARENT.0;
                                }
                            }
                            Use::Quality(flags) => {
                                for (against, &value) in against.iter_mut().zip(line) {
                                    let code = value.into() as u32;
                                    for flag in flags {
                                        *against |=
                                            u8::from(code & flag.mask == flag.equals) * Causes::from(flag.cause).0;
                                    }
                                }
                            }
                        }
                    }
                    let needed = if all_bands { data_bands.max(1) } else { 1 };
                    let found = fill_bands.iter().zip(&against);
                    for (cause, (fill, against)) in causes.row_mut(row).iter_mut().zip(found) {
                        *cause = Causes((u8::from(*fill >= needed) * Causes::NODATA.0) | against);
                    }
                }
            },
        );
        if let Some(unreadable) = &block.unreadable {
            let part = unreadable.slice(s![from.0..from.0 + rows, from.1..from.1 + cols]);
            causes.zip_mut_with(&part, |cause, &bad| {
                if bad {
                    *cause = Causes::UNREADABLE;
                }
            });
        }
    }
}

/// A stored number.
pub(super) trait Sample: Copy + Into<f32> + PartialEq {
    /// Whether the type has NaN and infinities.
    const MAY_NOT_BE_FINITE: bool;

    /// A value as the type stores it, where it can.
    fn stored(value: f32) -> Option<Self>;
}

macro_rules! integer_sample {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            const MAY_NOT_BE_FINITE: bool = false;

            fn stored(value: f32) -> Option<Self> {
                // a cast saturates, and does not come back then
                let stored = value as Self;
                (f32::from(stored) == value).then_some(stored)
            }
        }
    )*};
}

integer_sample!(u8, u16, i16);

impl Sample for f32 {
    const MAY_NOT_BE_FINITE: bool = true;

    fn stored(value: f32) -> Option<Self> {
        Some(value)
    }
}
