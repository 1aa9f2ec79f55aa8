//! Fractal noise over a whole scene, computed once and read many times.

use crate::noise::{Noise, lerp};
use rayon::prelude::*;

/// Values across the finest feature of a layer.
const VALUES_A_FEATURE: f64 = 2.5;
/// Lattice cells beyond each edge of the scene, for shifted passes.
const MARGIN: f64 = 3.0;

/// A layer of fractal noise in `[-1, 1]` over the scene.
#[derive(Debug, Clone)]
pub(crate) struct Relief {
    values: Vec<f32>,
    cols: usize,
    rows: usize,
    step_m: f64,
}

impl Relief {
    /// The layer over a scene of `size_m` (width, height) whose coarsest features are `feature_m` wide.
    pub(crate) fn new(noise: Noise, size_m: (f64, f64), feature_m: f64, octaves: u32) -> Self {
        let finest_m = feature_m / f64::from(1_u32 << (octaves - 1));
        let step_m = finest_m / VALUES_A_FEATURE;
        let count = |length: f64| (length / step_m + 2.0 * MARGIN) as usize + 2;
        let (cols, rows) = (count(size_m.0), count(size_m.1));
        let place = |index: usize| (index as f64 - MARGIN) * step_m / feature_m;
        let values = (0..rows * cols)
            .into_par_iter()
            .map(|cell| noise.fractal(place(cell % cols), place(cell / cols), octaves) as f32)
            .collect();
        Self { values, cols, rows, step_m }
    }

    /// The value at a point in metres; bilinear, the edge's value beyond the margin.
    pub(crate) fn at(&self, x: f64, y: f64) -> f64 {
        let u = (x / self.step_m + MARGIN).clamp(0.0, (self.cols - 2) as f64);
        let v = (y / self.step_m + MARGIN).clamp(0.0, (self.rows - 2) as f64);
        let (column, row) = (u as usize, v as usize);
        let first = row * self.cols + column;
        let value = |index: usize| f64::from(self.values[index]);
        let right = u - column as f64;
        let top = lerp(value(first), value(first + 1), right);
        let bottom = lerp(value(first + self.cols), value(first + self.cols + 1), right);
        lerp(top, bottom, v - row as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_is_the_noise_that_it_stands_for() {
        let noise = Noise::new(5, 1);
        let relief = Relief::new(noise, (600.0, 400.0), 200.0, 2);
        for (x, y) in [(0.0, 0.0), (120.0, 280.0), (560.0, 360.0)] {
            assert!((relief.at(x, y) - noise.fractal(x / 200.0, y / 200.0, 2)).abs() < 1e-6);
        }
    }
}
