//! Pixels with their grid, their bands and their mask: none travels without the others.

use ndarray::{Array2, Array3, s};

use crate::grid::{Grid, Window};
use crate::observed::Causes;
use crate::sensor::BandRole;

/// Reflectance on the grid.
#[derive(Clone, Debug)]
pub struct Raster {
    /// The lattice.
    pub grid: Grid,
    /// The pixels that are covered.
    pub window: Window,
    /// Role of each band, in order.
    pub roles: Vec<BandRole>,
    /// Reflectance (band, row, col). Finite where observed; 0 where not.
    pub pixels: Array3<f32>,
    /// Why a pixel is unobserved (row, col).
    pub causes: Array2<Causes>,
}

/// Class probabilities on the grid, quantised: `probability = value / 255`.
#[derive(Clone, Debug)]
pub struct Scores {
    /// The lattice.
    pub grid: Grid,
    /// The pixels that are covered.
    pub window: Window,
    /// Probability × 255, rounded (class, row, col). Only meaningful where observed; 0 where not.
    pub probabilities: Array3<u8>,
    /// Why a pixel is unobserved (row, col).
    pub causes: Array2<Causes>,
}

impl Scores {
    /// The part inside `window`.
    ///
    /// # Panics
    /// `window` is not inside the scores' window.
    #[must_use]
    pub fn crop(&self, window: Window) -> Self {
        let (rows, cols) = self.window.ranges_of(&window);
        Self {
            grid: self.grid,
            window,
            probabilities: self.probabilities.slice(s![.., rows.clone(), cols.clone()]).to_owned(),
            causes: self.causes.slice(s![rows, cols]).to_owned(),
        }
    }
}
