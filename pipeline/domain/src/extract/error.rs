//! What can be wrong with the strips handed to the extractor.

use thiserror::Error;

/// A strip, a merge or a simplification that was asked for with values that do not fit.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Labels and values of one strip differ in shape.
    #[error(
        "values of the strip at row {first_row} have shape {values:?} (row, col), expected {labels:?} like its labels; cut both from the same window"
    )]
    ShapeMismatch {
        /// Grid row of the strip's first row.
        first_row: i64,
        /// Shape of the labels (row, col).
        labels: [usize; 2],
        /// Shape of the values (row, col).
        values: [usize; 2],
    },
    /// More lattice corners than one strip can number.
    #[error(
        "the strip at row {first_row} has {rows} rows × {cols} columns, more than {limit} pixels in one strip; cut it into lower strips"
    )]
    StripTooLarge {
        /// Grid row of the strip's first row.
        first_row: i64,
        /// Number of rows.
        rows: usize,
        /// Number of columns.
        cols: usize,
        /// Largest number of pixels, borders included, in one strip.
        limit: usize,
    },
    /// A strip that does not continue the one before it.
    #[error(
        "the next strip begins at row {got_row} and covers columns {got_cols:?}, expected row {expected_row} and columns {expected_cols:?}; push strips of equal width from the first row to the last, without gaps"
    )]
    StripOutOfOrder {
        /// Row at which the next strip has to begin.
        expected_row: i64,
        /// Row at which it begins.
        got_row: i64,
        /// Half-open column range of the strips before it.
        expected_cols: [i64; 2],
        /// Half-open column range of this strip.
        got_cols: [i64; 2],
    },
    /// A tolerance that is negative or no number.
    #[error("a simplification tolerance of {got} pixels; give a finite number of pixels, 0 or more")]
    Tolerance {
        /// The tolerance asked for, in pixels.
        got: f64,
    },
}
