//! Sums, means and openings around a pixel.

use ndarray::{Array2, ArrayView2, ArrayView3, Zip, s};

use super::NO_CHANGE;

/// Summed probabilities × 255 of some classes (row, col).
pub(super) fn summed(probabilities: ArrayView3<'_, u8>, classes: &[usize]) -> Array2<u16> {
    let (_, rows, cols) = probabilities.dim();
    let mut sum = Array2::zeros((rows, cols));
    for &class in classes {
        Zip::from(&mut sum)
            .and(probabilities.slice(s![class, .., ..]))
            .for_each(|sum, &value| *sum += u16::from(value));
    }
    sum
}

/// Mean over the valid pixels of 3×3; 0 where the centre is not valid.
///
/// Sums over three rows come first, then those over three columns: each is one pass over plain rows of numbers, which the
/// compiler turns into vector code. A sum over a head is at most 255, so nine of them fit into 16 bits.
pub(super) fn mean_3x3(values: &Array2<u16>, valid: ArrayView2<'_, bool>) -> Array2<f32> {
    let (rows, cols) = values.dim();
    let (values, valid) = (values.as_standard_layout(), valid.as_standard_layout());
    let (values, valid) = (values.as_slice().unwrap_or_default(), valid.as_slice().unwrap_or_default());
    let mut mean = Array2::<f32>::zeros((rows, cols));
    // one column more on each side, of nothing
    let mut sums = vec![0_u16; cols + 2];
    let mut counts = vec![0_u16; cols + 2];
    pulp::Arch::new().dispatch(|| {
        for (row, mut mean) in mean.outer_iter_mut().enumerate() {
            sums.fill(0);
            counts.fill(0);
            for near in row.saturating_sub(1)..(row + 2).min(rows) {
                let near = near * cols..(near + 1) * cols;
                let here = sums[1..].iter_mut().zip(&mut counts[1..]).zip(&values[near.clone()]).zip(&valid[near]);
                for (((sum, count), &value), &valid) in here {
                    *sum += if valid { value } else { 0 };
                    *count += u16::from(valid);
                }
            }
            let mean = mean.as_slice_mut().unwrap_or_default();
            let sums = sums[..cols].iter().zip(&sums[1..=cols]).zip(&sums[2..]);
            let counts = counts[..cols].iter().zip(&counts[1..=cols]).zip(&counts[2..]);
            let valid = &valid[row * cols..(row + 1) * cols];
            for (((mean, ((s, t), u)), ((c, d), e)), &valid) in mean.iter_mut().zip(sums).zip(counts).zip(valid) {
                let (sum, count) = (f32::from(s + t + u), f32::from((c + d + e).max(1)));
                *mean = if valid { sum / count } else { 0.0 };
            }
        }
    });
    mean
}

/// Morphological opening of every label by a square whose edge the label decides: pixels that lie in no whole square of
/// their label become [`NO_CHANGE`].
pub(super) fn opened(labels: ArrayView2<'_, u8>, width_of: impl Fn(u8) -> usize) -> Array2<u8> {
    let (rows, cols) = labels.dim();
    let mut widths = [1_usize; 256];
    for (label, width) in widths.iter_mut().enumerate() {
        *width = width_of(label as u8).max(1);
    }
    let mut opened = Array2::from_elem((rows, cols), NO_CHANGE);
    // rows above, this one included, in which a run of the label's width ends at this column
    let mut height = vec![0_usize; cols];
    for row in 0..rows {
        let mut run = 0;
        for col in 0..cols {
            let label = labels[(row, col)];
            run = if col > 0 && labels[(row, col - 1)] == label { run + 1 } else { 1 };
            if label == NO_CHANGE || run < widths[usize::from(label)] {
                height[col] = 0;
                continue;
            }
            let continues = row > 0 && labels[(row - 1, col)] == label;
            height[col] = if continues { height[col] + 1 } else { 1 };
            let width = widths[usize::from(label)];
            if height[col] >= width {
                opened.slice_mut(s![row + 1 - width..=row, col + 1 - width..=col]).fill(label);
            }
        }
    }
    opened
}
