//! A patch, however large, as chips of a size that training can use.

use shorewatch_domain::grid::Window;

/// Ground around a patch on every side, in pixels: a random window of 128 px, as training draws them, still meets it.
pub const MARGIN_PX: usize = 64;

/// Longest side of a chip in pixels.
pub const MOST_SIDE_PX: usize = 512;

/// A part of a patch and the chip around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// The part: only here the chip says anything, so that no pixel is said twice.
    pub part: Window,
    /// The part with [`MARGIN_PX`] around it; no side is longer than [`MOST_SIDE_PX`].
    pub chip: Window,
}

/// Cuts the bounding window of a patch into as few equal parts as fit into chips; row by row.
#[must_use]
pub fn pieces(bounds: Window) -> Vec<Piece> {
    let most = MOST_SIDE_PX - 2 * MARGIN_PX;
    let cuts = |length: usize| {
        let count = length.div_ceil(most);
        (0..count).map(move |i| (i * length / count)..((i + 1) * length / count)).collect::<Vec<_>>()
    };
    let mut pieces = Vec::new();
    for rows in cuts(bounds.rows) {
        for cols in cuts(bounds.cols) {
            let part = Window {
                row: bounds.row + rows.start as i64,
                col: bounds.col + cols.start as i64,
                rows: rows.len(),
                cols: cols.len(),
            };
            pieces.push(Piece { part, chip: part.grown(MARGIN_PX) });
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_tile_the_patch_and_chips_are_neither_small_nor_large() {
        let check = |rows: usize, cols: usize, expected: usize| {
            let bounds = Window { row: -7, col: 3, rows, cols };
            let pieces = pieces(bounds);
            assert_eq!(pieces.len(), expected, "{rows} × {cols}");
            assert_eq!(pieces.iter().map(|piece| piece.part.len()).sum::<usize>(), bounds.len());
            for (i, piece) in pieces.iter().enumerate() {
                assert_eq!(piece.part.intersection(&bounds), Some(piece.part));
                assert!(pieces[..i].iter().all(|other| other.part.intersection(&piece.part).is_none()));
                let (least, most) = (2 * MARGIN_PX, MOST_SIDE_PX);
                let (rows, cols) = piece.chip.shape();
                assert!((least..=most).contains(&rows) && (least..=most).contains(&cols), "{rows} × {cols}");
            }
        };
        check(1, 1, 1);
        check(384, 384, 1);
        check(385, 10, 2);
        check(1000, 800, 9);
    }
}
