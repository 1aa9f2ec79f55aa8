//! What a unit counts: pixels of a reach by what became of them, and by class.

use ndarray::{ArrayView1, ArrayView2};

use shorewatch_domain::change::{ChangeMap, NO_CLASS, is_compared};
use shorewatch_domain::observed::{Causes, Coverage};

/// Pixels that are counted together: their number fits into a byte, so that the compiler makes vector code of it.
const RUN_PX: usize = 128;

/// Values of a byte.
const BYTES: usize = 256;

/// The pixels of a reach by cause, and whether they were compared.
pub(super) fn coverage(change: &ChangeMap, inside: ArrayView2<'_, bool>) -> Coverage {
    let mut coverage = Coverage::default();
    let rows = inside.outer_iter().zip(change.causes.outer_iter()).zip(change.earlier.outer_iter());
    for ((inside, causes), earlier) in rows {
        // most rows of most units are of one kind
        if let (Some(inside), Some(cause), Some(earlier)) = (uniform(inside), uniform(causes), uniform(earlier)) {
            coverage.add_many(cause, is_compared(earlier), if inside { causes.len() as u64 } else { 0 });
            continue;
        }
        let mut counts = [[0; BYTES]; 2];
        for ((inside, cause), earlier) in inside.iter().zip(causes).zip(earlier) {
            counts[usize::from(is_compared(*earlier))][usize::from(cause.0)] += u64::from(*inside);
        }
        for (counts, compared) in counts.into_iter().zip([false, true]) {
            for (cause, pixels) in (0..=u8::MAX).zip(counts).filter(|(_, pixels)| *pixels > 0) {
                coverage.add_many(Causes(cause), compared, pixels);
            }
        }
    }
    coverage
}

/// The value that all pixels of a row have.
fn uniform<T: Copy + PartialEq>(row: ArrayView1<'_, T>) -> Option<T> {
    let first = *row.first()?;
    row.iter().fold(true, |all, value| all & (*value == first)).then_some(first)
}

/// The pixels of a reach by class (row, col); `count` classes.
pub(super) fn class_counts(classes: ArrayView2<'_, u8>, inside: ArrayView2<'_, bool>, count: usize) -> Vec<u64> {
    let mut counts = vec![0; count];
    let (classes, inside) = (classes.as_standard_layout(), inside.as_standard_layout());
    let (classes, inside) = (classes.as_slice().unwrap_or_default(), inside.as_slice().unwrap_or_default());
    for (classes, inside) in classes.chunks(RUN_PX).zip(inside.chunks(RUN_PX)) {
        let mut masked = [NO_CLASS; RUN_PX];
        for ((to, class), inside) in masked.iter_mut().zip(classes).zip(inside) {
            *to = if *inside { *class } else { NO_CLASS };
        }
        for (class, count) in (0_u8..).zip(&mut counts) {
            let found = masked.iter().fold(0_u8, |found, other| found + u8::from(*other == class));
            *count += u64::from(found);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;
    use shorewatch_domain::change::{HELD, NO_CHANGE, NO_EARLIER};
    use shorewatch_domain::grid::Window;

    #[test]
    fn pixels_inside_are_counted_by_class() {
        let classes = Array2::from_shape_fn((5, 11), |(row, col)| ((row * 11 + col) % 3) as u8);
        let inside = Array2::from_shape_fn((5, 11), |(row, col)| row > 0 && col % 2 == 0);
        let expected: Vec<u64> = (0..3)
            .map(|class| {
                classes.iter().zip(&inside).filter(|(value, inside)| **value == class && **inside).count() as u64
            })
            .collect();
        assert_eq!(class_counts(classes.view(), inside.view(), 3), expected);
    }

    #[test]
    fn rows_of_one_kind_and_of_many_are_counted_alike() {
        let shape = (3, 8);
        let mut change = ChangeMap {
            window: Window { row: 0, col: 0, rows: 3, cols: 8 },
            labels: Array2::from_elem(shape, NO_CHANGE),
            confidence: Array2::zeros(shape),
            earlier: Array2::zeros(shape),
            causes: Array2::from_elem(shape, Causes::OBSERVED),
            class_before: Array2::from_elem(shape, NO_CLASS),
            class_after: Array2::from_elem(shape, NO_CLASS),
        };
        // compared but for two pixels of the last row, of which one was held back; one of the first is clouded; half of the last is out of scope
        change.causes[(0, 3)] = Causes::CLOUD;
        change.earlier[(2, 0)] = NO_EARLIER;
        change.earlier[(2, 1)] = HELD;
        let inside = Array2::from_shape_fn(shape, |(row, col)| row < 2 || col < 4);
        let mut expected = Coverage::default();
        expected.add_many(Causes::CLOUD, true, 1);
        expected.add_many(Causes::OBSERVED, true, 17);
        expected.add_many(Causes::OBSERVED, false, 2);
        assert_eq!(coverage(&change, inside.view()), expected);
    }
}
