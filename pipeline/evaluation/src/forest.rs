//! The baseline: a random forest on the bands of single pixels (Breiman 2001), which knows no neighbourhood.

use ndarray::{Array2, ArrayView2};
use smartcore::ensemble::random_forest_classifier::{RandomForestClassifier, RandomForestClassifierParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

/// Trees of the forest.
const TREES: u16 = 60;
/// Fewest pixels of a leaf.
const LEAST_LEAF_PX: usize = 5;

/// A grown forest.
#[derive(Debug)]
pub struct Forest(RandomForestClassifier<f32, u8, DenseMatrix<f32>, Vec<u8>>);

/// Why no forest grew, or it gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("the random forest failed on {pixels} pixel(s) of {bands} band(s): {reason}")]
pub struct ForestError {
    pixels: usize,
    bands: usize,
    reason: String,
}

impl Forest {
    /// Grows a forest on pixels (pixel, band) and their classes; the same seed grows the same forest.
    ///
    /// # Errors
    /// There are no pixels, or the sizes do not fit each other.
    pub fn grow(pixels: ArrayView2<'_, f32>, classes: &[u8], seed: u64) -> Result<Self, ForestError> {
        let parameters = RandomForestClassifierParameters::default()
            .with_n_trees(TREES)
            .with_min_samples_leaf(LEAST_LEAF_PX)
            .with_seed(seed);
        let fault = |reason: String| ForestError { pixels: pixels.nrows(), bands: pixels.ncols(), reason };
        let matrix = matrix(pixels).map_err(fault)?;
        let classes = classes.to_vec();
        RandomForestClassifier::fit(&matrix, &classes, parameters).map(Self).map_err(|error| fault(error.to_string()))
    }

    /// The class of each pixel (pixel, band).
    ///
    /// # Errors
    /// The number of bands is another than it grew on.
    pub fn predict(&self, pixels: ArrayView2<'_, f32>) -> Result<Vec<u8>, ForestError> {
        let fault = |reason: String| ForestError { pixels: pixels.nrows(), bands: pixels.ncols(), reason };
        self.0.predict(&matrix(pixels).map_err(fault)?).map_err(|error| fault(error.to_string()))
    }
}

fn matrix(pixels: ArrayView2<'_, f32>) -> Result<DenseMatrix<f32>, String> {
    let values: Array2<f32> = pixels.as_standard_layout().into_owned();
    let (rows, columns) = values.dim();
    let (values, _) = values.into_raw_vec_and_offset();
    DenseMatrix::new(rows, columns, values, false).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_what_one_band_tells() {
        let pixels =
            Array2::from_shape_fn(
                (200, 2),
                |(pixel, band)| {
                    if band == 0 { pixel as f32 / 200.0 } else { (pixel * 37 % 11) as f32 }
                },
            );
        let classes: Vec<u8> = (0..200).map(|pixel| u8::from(pixel >= 120)).collect();
        let forest = Forest::grow(pixels.view(), &classes, 7).expect("a forest");
        let predicted = forest.predict(pixels.view()).expect("an answer");
        let right = predicted.iter().zip(&classes).filter(|(one, other)| one == other).count();
        assert!(right >= 196, "{right} of 200");
        let again = Forest::grow(pixels.view(), &classes, 7).expect("a forest");
        assert_eq!(again.predict(pixels.view()).expect("an answer"), predicted, "the same seed, the same forest");
    }

    #[test]
    fn other_bands_are_refused() {
        let pixels = Array2::from_shape_fn((30, 2), |(pixel, band)| (pixel + band) as f32);
        let forest = Forest::grow(pixels.view(), &[[0_u8; 15], [1; 15]].concat(), 1).expect("a forest");
        assert!(forest.predict(Array2::zeros((0, 2)).view()).map_or(0, |answer| answer.len()) == 0);
        assert!(Forest::grow(pixels.view(), &[0, 1], 1).is_err(), "fewer classes than pixels");
    }
}
