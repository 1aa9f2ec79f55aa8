//! Towns and villages: streets, roofs, yards, gardens; and the roads between them.

use crate::noise::{Noise, sin_cos_turns};
use crate::spectra::{ASPHALT, CONCRETE, GRASS, ROOFS, SOIL, Spectrum, TREES, blend, scaled};
use geo_types::Coord;

/// Distance between parallel streets in metres, along and across.
const BLOCK_M: (f64, f64) = (118.0, 82.0);
/// Half the width of a street in metres.
const STREET_HALF_M: f64 = 5.0;
/// Edge of a building plot in metres.
const PLOT_M: f64 = 17.0;
/// Half the width of a country road in metres.
const ROAD_HALF_M: f64 = 6.5;
/// Edge of a square of the map that tells whether any road is near, in metres.
const ROAD_CELL_M: f64 = 60.0;

/// A town: an uneven disc of street blocks.
#[derive(Debug, Clone)]
pub(crate) struct Town {
    pub(crate) centre: Coord<f64>,
    pub(crate) radii_m: (f64, f64),
    direction: (f64, f64),
    noise: Noise,
}

impl Town {
    /// A town about `centre`; `turns` is the direction of its streets in whole turns.
    pub(crate) fn new(noise: Noise, centre: Coord<f64>, radii_m: (f64, f64), turns: f64) -> Self {
        Self { centre, radii_m, direction: sin_cos_turns(turns), noise }
    }

    /// The reflectance at a point, if it is built-up; the edge frays out block by block.
    pub(crate) fn built(&self, x: f64, y: f64) -> Option<Spectrum> {
        let (dx, dy) = (x - self.centre.x, y - self.centre.y);
        if dx.abs() > 1.6 * self.radii_m.0 || dy.abs() > 1.6 * self.radii_m.1 {
            return None;
        }
        let (sine, cosine) = self.direction;
        let (u, v) = (cosine * dx + sine * dy, cosine * dy - sine * dx);
        let (block_u, block_v) = ((u / BLOCK_M.0).floor(), (v / BLOCK_M.1).floor());
        let (column, row) = (block_u as i64, block_v as i64);
        let (ru, rv) = (u / self.radii_m.0, v / self.radii_m.1);
        let shape = self.noise.branch(5).fractal(ru * 1.6, rv * 1.6, 3);
        let reach = ru * ru + rv * rv + 0.9 * shape + 0.35 * (self.noise.chance(column, row) - 0.5);
        if reach > 1.0 {
            return None;
        }
        let (in_u, in_v) = (u - block_u * BLOCK_M.0, v - block_v * BLOCK_M.1);
        if in_u < 2.0 * STREET_HALF_M || in_v < 2.0 * STREET_HALF_M {
            return Some(scaled(&ASPHALT, 1.0 + 0.12 * self.noise.smooth(x / 25.0, y / 25.0)));
        }
        let kind = self.noise.branch(1).chance(column, row);
        if kind < 0.12 {
            return Some(self.hall(column, row, in_u, in_v));
        }
        if kind > 0.93 {
            // a park: trees over grass
            let share = 0.5 + 0.5 * self.noise.fractal(x / 30.0, y / 30.0, 2);
            return Some(blend(&GRASS, &TREES, share));
        }
        Some(self.plot(u, v))
    }

    /// A factory or market hall: one large roof in a paved yard.
    fn hall(&self, column: i64, row: i64, in_u: f64, in_v: f64) -> Spectrum {
        let inside = (22.0..BLOCK_M.0 - 14.0).contains(&in_u) && (22.0..BLOCK_M.1 - 14.0).contains(&in_v);
        if inside { roof(self.noise.branch(2), column, row, 0.55) } else { CONCRETE }
    }

    /// A house, a yard or a tree.
    fn plot(&self, u: f64, v: f64) -> Spectrum {
        let (column, row) = ((u / PLOT_M).floor() as i64, (v / PLOT_M).floor() as i64);
        match self.noise.branch(3).chance(column, row) {
            chance if chance < 0.54 => roof(self.noise.branch(4), column, row, 0.12),
            chance if chance < 0.66 => scaled(&CONCRETE, 0.8),
            chance if chance < 0.76 => SOIL,
            chance if chance < 0.92 => GRASS,
            _ => TREES,
        }
    }
}

/// A roof of the cell's own kind and brightness; `bright` is the share of white and blue sheet.
pub(crate) fn roof(noise: Noise, column: i64, row: i64, bright: f64) -> Spectrum {
    let (kind, shade) = (noise.chance(column, row), noise.branch(1).chance(column, row));
    let roof = if kind < bright {
        &ROOFS[if shade < 0.6 { 2 } else { 3 }]
    } else if kind < bright + (1.0 - bright) * 0.45 {
        &ROOFS[0]
    } else if kind < bright + (1.0 - bright) * 0.8 {
        &ROOFS[1]
    } else {
        &ROOFS[4]
    };
    scaled(roof, 0.85 + 0.3 * shade)
}

/// The country roads: straight pieces between bends.
#[derive(Debug, Clone)]
pub(crate) struct Roads {
    pieces: Vec<(Coord<f64>, Coord<f64>)>,
    near: Vec<bool>,
    near_cols: usize,
}

impl Roads {
    /// Roads through the given bends, in a scene of `size_m` (width, height).
    pub(crate) fn new(lines: &[Vec<Coord<f64>>], size_m: (f64, f64)) -> Self {
        let pieces: Vec<_> = lines.iter().flat_map(|line| line.windows(2).map(|pair| (pair[0], pair[1]))).collect();
        let near_cols = (size_m.0 / ROAD_CELL_M) as usize + 2;
        let near_rows = (size_m.1 / ROAD_CELL_M) as usize + 2;
        let near = (0..near_rows * near_cols)
            .map(|cell| {
                let x = ((cell % near_cols) as f64 + 0.5) * ROAD_CELL_M;
                let y = ((cell / near_cols) as f64 + 0.5) * ROAD_CELL_M;
                distance_m(&pieces, x, y) < ROAD_CELL_M
            })
            .collect();
        Self { pieces, near, near_cols }
    }

    /// Whether the point lies on a road or bridge.
    pub(crate) fn covers(&self, x: f64, y: f64) -> bool {
        let (column, row) = ((x.max(0.0) / ROAD_CELL_M) as usize, (y.max(0.0) / ROAD_CELL_M) as usize);
        let cell = row * self.near_cols + column.min(self.near_cols - 1);
        self.near.get(cell).copied().unwrap_or(false) && distance_m(&self.pieces, x, y) < ROAD_HALF_M
    }
}

fn distance_m(pieces: &[(Coord<f64>, Coord<f64>)], x: f64, y: f64) -> f64 {
    pieces.iter().map(|(from, to)| distance_to_piece_m(*from, *to, x, y)).fold(f64::INFINITY, f64::min)
}

/// Distance from a point to a straight piece.
pub(crate) fn distance_to_piece_m(from: Coord<f64>, to: Coord<f64>, x: f64, y: f64) -> f64 {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let square = dx * dx + dy * dy;
    let share = (((x - from.x) * dx + (y - from.y) * dy) / square).clamp(0.0, 1.0);
    let (rx, ry) = (x - from.x - share * dx, y - from.y - share * dy);
    (rx * rx + ry * ry).sqrt()
}
