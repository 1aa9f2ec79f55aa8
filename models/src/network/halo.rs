//! The dry run of a network that is loaded: whether it looks further than its manifest says.

use ndarray::Array3;

use super::{Tile, TiledNetwork};
use crate::error::ModelError;
use crate::input::Layout;
use crate::softmax::Softmax;
use crate::tiles::{Span, Tiling};

/// What pixels beyond the halo may change in a probability: the bound for tiled against untiled.
const TOLERANCE: f32 = 1e-4;

/// The same in 8 bits or half precision, where the last digit of one layer may round another way in the next.
const TOLERANCE_REDUCED: f32 = 0.05;

impl TiledNetwork {
    /// Shows the network two pictures that differ only beyond the halo of the block in the middle; `approximate` where it runs
    /// in 8 bits or half precision.
    pub(super) fn check_halo(&self, approximate: bool) -> Result<(), ModelError> {
        let tolerance = if approximate { TOLERANCE_REDUCED } else { TOLERANCE };
        let Tiling { halo_px, alignment_px, .. } = self.tiling;
        // at least a few pixels, so that no pooling comes to nothing
        let ring = alignment_px * 4_usize.div_ceil(alignment_px);
        let (side, crop) = (2 * (ring + halo_px) + 2 * ring, ring + halo_px);
        let inner = ring..side - ring;
        let channels = self.channels();
        let mut pictures = [1.0, -1.0].map(|sign| {
            let value = |channel, row, col| {
                let value = texture(channel, row, col);
                if inner.contains(&row) && inner.contains(&col) { value } else { sign * value }
            };
            let pixels = match self.network.layout() {
                Layout::ChannelsFirst => {
                    Array3::from_shape_fn((channels, side, side), |(c, row, col)| value(c, row, col))
                }
                Layout::ChannelsLast => {
                    Array3::from_shape_fn((side, side, channels), |(row, col, c)| value(c, row, col))
                }
            };
            pixels.into_raw_vec_and_offset().0
        });
        let span = Span { read: 0..side, keep: crop..side - crop };
        let tile = Tile { rows: span.clone(), cols: span };
        let mut softmax = Softmax::new(&self.calibrations);
        let mut answers = [Vec::new(), Vec::new()];
        for (pixels, answer) in pictures.iter_mut().zip(&mut answers) {
            self.forward(pixels, (1, side, side), |logits| {
                self.for_each_run_of(&tile, logits, &mut softmax, |_, _, _, values| answer.extend_from_slice(values))
            })?;
        }
        let difference = answers[0].iter().zip(&answers[1]).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        if difference > tolerance {
            return Err(ModelError::Halo { model: self.description.name.clone(), halo_px, difference, tolerance });
        }
        Ok(())
    }
}

/// A value in about −2..2 without structure, the same on every machine.
fn texture(channel: usize, row: usize, col: usize) -> f32 {
    let mut bits = (channel as u32 + 1).wrapping_mul(0x9e37_79b9) ^ (row as u32).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ (bits >> 15) ^ (col as u32).wrapping_mul(0xc2b2_ae35)).wrapping_mul(0x2c1b_3c6d);
    bits ^= bits >> 13;
    (bits.wrapping_mul(0x297a_2d39) >> 8) as f32 / (1 << 22) as f32 - 2.0
}
