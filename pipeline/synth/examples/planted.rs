//! Every kind of planted thing in several sizes on a meadow and on water, as a picture to look at.
//!
//! `cargo run --release -p shorewatch-synth --example planted -- OUT.png`

use image::{ImageBuffer, Rgb};
use ndarray::Array3;
use shorewatch_synth::plant::{Ground, PlantKind, Planting, plant};
use std::error::Error;

const CELL_PX: usize = 48;
const AREAS_PX: [f64; 5] = [9.0, 25.0, 70.0, 180.0, 400.0];
const ROLES: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];
const MEADOW: [f32; 6] = [0.05, 0.08, 0.08, 0.28, 0.24, 0.13];
const WATER: [f32; 6] = [0.045, 0.08, 0.09, 0.04, 0.01, 0.008];

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give the path of the picture to write")?;
    let kinds = [&PlantKind::OBJECTS[..], &[PlantKind::Bar]].concat();
    let mut scene = Array3::from_shape_fn((6, CELL_PX * kinds.len(), CELL_PX * AREAS_PX.len()), |(band, row, _)| {
        let ground = if kinds[row / CELL_PX] == PlantKind::FishCage { WATER } else { MEADOW };
        ground[band]
    });
    for (down, kind) in kinds.iter().enumerate() {
        for (right, area_px) in AREAS_PX.iter().enumerate() {
            let middle = |index: usize| (index * CELL_PX) as f64 + CELL_PX as f64 / 2.0;
            let thing = Planting {
                kind: *kind,
                row: middle(down),
                column: middle(right),
                area_m2: area_px * 100.0,
                turns: 0.07 * right as f64,
                feather_px: 0.7,
                sun_turns: 0.4,
                seed: (down * 10 + right) as u64,
            };
            let mut ground = Ground { reflectance: scene.view_mut(), roles: &ROLES, ground_sampling_distance_m: 10.0 };
            plant(&mut ground, &thing, None)?;
        }
    }
    let (_, rows, columns) = scene.dim();
    let picture = ImageBuffer::from_fn(columns as u32, rows as u32, |column, row| {
        let value = |band: usize| (scene[[band, row as usize, column as usize]] / 0.4 * 255.0).clamp(0.0, 255.0) as u8;
        Rgb([value(2), value(1), value(0)])
    });
    picture.save(path)?;
    Ok(())
}
