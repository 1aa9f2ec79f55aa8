//! The painted river and what happened beside it.

use geo_types::{MultiPolygon, Polygon, coord, polygon};
use ndarray::{Array2, Array3, s};
use shorewatch_report::{ChipDate, ChipPair, Coverage, PairReference, PassReference, RenderError};

/// Side of the painted scene in pixels.
const SCENE: usize = 420;
/// Side of a chip in pixels.
const CHIP: usize = 64;
/// Metres per pixel.
pub(crate) const GSD_M: f64 = 10.0;

/// Repeatable noise in 0..1 from a place and a seed.
fn noise(row: usize, column: usize, seed: u64) -> f32 {
    let mut value = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (column as u64 + 1).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ seed.wrapping_mul(0x1656_67B1_9E37_79F9);
    value ^= value >> 29;
    value = value.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value ^= value >> 32;
    (value % 10_000) as f32 / 10_000.0
}

/// Column of the river's centre line in a row.
fn river(row: usize) -> f32 {
    210.0 + 70.0 * (row as f32 / 62.0).sin() + 25.0 * (row as f32 / 23.0).cos()
}

/// Red, green and blue reflectance of the painted ground.
fn ground(row: usize, column: usize, seed: u64) -> [f32; 3] {
    let away = (column as f32 - river(row)).abs();
    let field = (row / 18 + column / 23 * 7) % 5;
    let base = match (away, field) {
        (away, _) if away < 17.0 => [0.075, 0.085, 0.08],
        (away, _) if away < 21.0 => [0.22, 0.20, 0.17],
        (away, _) if away < 46.0 => [0.055, 0.075, 0.055],
        (_, 0) => [0.19, 0.17, 0.14],
        (_, 1) => [0.085, 0.115, 0.075],
        (_, 2) => [0.12, 0.13, 0.09],
        (_, 3) => [0.07, 0.095, 0.065],
        _ => [0.15, 0.14, 0.11],
    };
    let texture = 0.92 + 0.16 * noise(row, column, seed);
    let patchwork = 0.92 + 0.16 * noise(row / 6, column / 6, 3);
    base.map(|value| value * texture * patchwork)
}

/// A change painted on the later date: centre, half sizes in pixels and reflectance.
pub(crate) struct Event {
    pub(crate) row: usize,
    pub(crate) column: usize,
    pub(crate) half: (usize, usize),
    colour: [f32; 3],
}

pub(crate) fn events() -> Vec<Event> {
    let beside = |row: usize, offset: f32| (river(row) + offset) as usize;
    let event = |row, offset, half, colour| Event { row, column: beside(row, offset), half, colour };
    vec![
        event(70, 30.0, (6, 9), [0.23, 0.20, 0.16]),
        event(150, -34.0, (5, 5), [0.25, 0.25, 0.25]),
        event(236, 18.0, (9, 5), [0.20, 0.18, 0.14]),
        event(238, 36.0, (4, 4), [0.18, 0.16, 0.13]),
        event(330, -28.0, (7, 6), [0.10, 0.15, 0.20]),
    ]
}

pub(crate) fn scene(seed: u64, later: bool) -> Array3<f32> {
    let mut pixels = Array3::zeros((3, SCENE, SCENE));
    for row in 0..SCENE {
        for column in 0..SCENE {
            let colour = ground(row, column, seed);
            for (band, value) in colour.into_iter().enumerate() {
                pixels[[band, row, column]] = value * if later { 1.06 } else { 1.0 };
            }
        }
    }
    if later {
        for event in events() {
            for row in event.row - event.half.0..event.row + event.half.0 {
                for column in event.column - event.half.1..event.column + event.half.1 {
                    let texture = 0.85 + 0.3 * noise(row, column, 99);
                    for (band, value) in event.colour.into_iter().enumerate() {
                        pixels[[band, row, column]] = value * texture;
                    }
                }
            }
        }
    }
    pixels
}

/// Clouds and a corner outside the pass.
pub(crate) fn observed(later: bool) -> Array2<bool> {
    Array2::from_shape_fn((SCENE, SCENE), |(row, column)| {
        let (y, x) = (row as f32, column as f32);
        let cloud = later && (y - 395.0).hypot((x - 265.0) * 0.7) < 34.0;
        let near = later && (y - 50.0).hypot(x - 258.0) < 11.0;
        let outside = !later && x + y * 0.35 > 490.0;
        !(cloud || near || outside)
    })
}

pub(crate) fn outline(event: &Event) -> Polygon<f64> {
    let (top, left) = ((event.row - event.half.0) as f64, (event.column - event.half.1) as f64);
    let (bottom, right) = ((event.row + event.half.0) as f64, (event.column + event.half.1) as f64);
    polygon![
        (x: left, y: top), (x: right, y: top), (x: right, y: bottom - 3.0),
        (x: right - 3.0, y: bottom - 3.0), (x: right - 3.0, y: bottom), (x: left, y: bottom),
    ]
}

pub(crate) fn chips(event: &Event, patch_id: &str, pair: &PairReference) -> Result<ChipPair, RenderError> {
    let top = event.row.saturating_sub(CHIP / 2).min(SCENE - CHIP);
    let left = event.column.saturating_sub(CHIP / 2).min(SCENE - CHIP);
    let cut = |later: bool, reference: &PassReference| ChipDate {
        pixels: scene(if later { 2 } else { 1 }, later).slice(s![.., top..top + CHIP, left..left + CHIP]).to_owned(),
        observed: observed(later).slice(s![top..top + CHIP, left..left + CHIP]).to_owned(),
        date: reference.date.clone(),
        sensor: reference.sensor.clone(),
    };
    let mut shape = outline(event);
    shape.exterior_mut(|ring| {
        for at in ring.coords_mut() {
            *at = *at - coord! { x: left as f64, y: top as f64 };
        }
    });
    Ok(ChipPair {
        pre: cut(false, &pair.pre),
        post: cut(true, &pair.post),
        bands: "red, green, blue".to_owned(),
        natural_colour: true,
        gsd_m: GSD_M,
        outline: MultiPolygon::from(shape),
        patch_id: patch_id.to_owned(),
    })
}

/// The painted river with its banks, as the scope of a reach between two rows.
pub(crate) fn reach(from: usize, to: usize) -> MultiPolygon<f64> {
    let bank = |offset: f32| {
        (from..to + 1).step_by(6).map(move |row| {
            coord! {
                x: f64::from(river(row) + offset),
                y: row as f64,
            }
        })
    };
    let ring: Vec<_> = bank(-60.0).chain(bank(60.0).rev()).collect();
    MultiPolygon::from(Polygon::new(ring.into(), Vec::new()))
}

pub(crate) fn coverage_map() -> Array2<Coverage> {
    let (before, after) = (observed(false), observed(true));
    Array2::from_shape_fn((SCENE, SCENE), |(row, column)| {
        let inside = (column as f32 - river(row)).abs() < 60.0 && (10..412).contains(&row);
        match (inside, before[[row, column]] && after[[row, column]]) {
            (false, _) => Coverage::OutOfScope,
            (true, true) => Coverage::Observed,
            (true, false) => Coverage::Unobserved,
        }
    })
}
