//! How a window is cut into pieces that are run one after the other.

use std::ops::Range;

/// One piece along one axis, in pixels of the window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    /// What the network is shown: begins and ends at a multiple of the alignment, may end beyond the window.
    pub(crate) read: Range<usize>,
    /// What is kept of its answer.
    pub(crate) keep: Range<usize>,
}

/// How a model wants to be fed along each axis, in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tiling {
    pub(crate) tile_px: usize,
    pub(crate) halo_px: usize,
    pub(crate) alignment_px: usize,
}

impl Tiling {
    /// Cuts `crop..length - crop` into the fewest pieces of at most `tile_px` (and of near equal length), each with its
    /// halo as far as the window reaches.
    ///
    /// Where a piece is cut short by the window's edge, the network pads it exactly as it would pad the whole window:
    /// so the pieces give what the whole would.
    pub(crate) fn spans(self, length: usize, crop: usize) -> Vec<Span> {
        let Self { tile_px, halo_px, alignment_px } = self;
        let padded = length.next_multiple_of(alignment_px);
        if padded <= tile_px + 2 * halo_px && crop < halo_px {
            // no larger than a piece with its halo: cutting it would only run pixels twice
            return vec![Span { read: 0..padded, keep: crop..length - crop }];
        }
        let first = crop - crop % alignment_px;
        let end = length - crop;
        let pieces = (end - first).div_ceil(tile_px);
        let step = (end - first).div_ceil(pieces).next_multiple_of(alignment_px);
        (first..end)
            .step_by(step)
            .map(|start| {
                let stop = (start + step).min(end);
                Span {
                    read: start.saturating_sub(halo_px)..(stop.next_multiple_of(alignment_px) + halo_px).min(padded),
                    keep: start.max(crop)..stop,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_with_its_halo_is_one_piece() {
        let tiling = Tiling { tile_px: 64, halo_px: 16, alignment_px: 8 };
        assert_eq!(tiling.spans(96, 16), [Span { read: 0..96, keep: 16..80 }]);
    }

    #[test]
    fn a_crop_beyond_the_halo_is_not_run() {
        let tiling = Tiling { tile_px: 64, halo_px: 8, alignment_px: 8 };
        assert_eq!(tiling.spans(96, 16), [Span { read: 8..88, keep: 16..80 }]);
    }

    #[test]
    fn pieces_are_near_equal_and_the_last_is_padded() {
        let tiling = Tiling { tile_px: 24, halo_px: 8, alignment_px: 8 };
        assert_eq!(tiling.spans(45, 0), [Span { read: 0..32, keep: 0..24 }, Span { read: 16..48, keep: 24..45 }]);
    }

    proptest! {
        #[test]
        fn every_pixel_is_kept_once_with_its_halo(
            alignment_px in 1_usize..9, tiles in 1_usize..9, halos in 0_usize..4, core in 1_usize..200, crop in 0_usize..40,
        ) {
            let tiling = Tiling { tile_px: tiles * alignment_px, halo_px: halos * alignment_px, alignment_px };
            let length = core + 2 * crop;
            let mut next = crop;
            for Span { read, keep } in tiling.spans(length, crop) {
                prop_assert_eq!(keep.start, next);
                prop_assert!(!keep.is_empty() && read.len() <= tiling.tile_px + 2 * tiling.halo_px);
                next = keep.end;
                prop_assert!(read.start % alignment_px == 0 && read.end % alignment_px == 0);
                prop_assert!(read.start == 0 || read.start + tiling.halo_px <= keep.start);
                prop_assert!(read.end >= length || read.end >= keep.end + tiling.halo_px);
                prop_assert!(read.end < length + alignment_px);
            }
            prop_assert_eq!(next, length - crop);
        }
    }
}
