//! Several witnesses of land cover become one label a pixel, or none.
//!
//! The rules are those that the bundle `shoreland` was trained with (`models/training/chips.py`; `tests/labels.rs` holds
//! both to the same labels). WorldCover is a map of one later year and the images show other dates, floods among them, so
//! the hand-made mask of the very image decides on water, as long as one independent witness agrees: WorldCover, the
//! quality band, or green brighter than short-wave infrared. Bright ground with few leaves is bare where it is brightest and
//! beside water (WorldCover calls the bars of large rivers crops); elsewhere, where it may be a ploughed field, map and image
//! contradict each other, and nothing is known.

use ndarray::{Array2, ArrayView2};

use crate::IGNORE;

/// Names of the land-cover classes in the order of their ids.
pub const CLASSES: [&str; 6] = ["water", "trees", "low_vegetation", "crops", "built_up", "bare"];
/// Ids of the classes.
pub const WATER: u8 = 0;
const TREES: u8 = 1;
const LOW_VEGETATION: u8 = 2;
const CROPS: u8 = 3;
/// Id of built-up ground.
pub const BUILT_UP: u8 = 4;
const BARE: u8 = 5;

/// Bits 0 to 3 of the quality band (layout of NASA HLS): cirrus, cloud, beside a cloud, cloud shadow.
const QUALITY_OBSCURED: i16 = 0b0000_1111;
/// Bit 4: snow or ice; turbid water sets it too.
const QUALITY_SNOW: i16 = 0b0001_0000;
/// Bit 5: water.
const QUALITY_WATER: i16 = 0b0010_0000;
/// Reflectance beyond which a pixel is a fault of the product.
const PHYSICAL: (f32, f32) = (-0.02, 1.0);
/// Distance in pixels to water below which the rule for exposed ground is wider: 750 m at 30 m.
const NEAR_WATER_PX: i64 = 25;
/// Pixels of water without which there is no shore.
const SMALLEST_WATER_PX: usize = 50;

/// What is known of one image. Every array is (row, col) of one shape.
#[derive(Clone, Copy, Debug)]
pub struct Witnesses<'a> {
    /// ESA WorldCover codes (10 trees … 100 moss).
    pub worldcover: ArrayView2<'a, i16>,
    /// The hand-made water mask.
    pub hand_water: ArrayView2<'a, bool>,
    /// Quality bits in the layout of NASA HLS.
    pub quality: ArrayView2<'a, i16>,
    /// Reflectance 0..1 of blue, green, red, near infrared, short-wave infrared 1.
    pub reflectance: [ArrayView2<'a, f32>; 5],
}

/// What the witnesses say together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Labelled {
    /// Class of each pixel, [`IGNORE`] where nothing is known or two witnesses contradict each other.
    pub label: Array2<u8>,
    /// The same with the map's word where the image shows bare ground and the map says that something grows: to see what
    /// leaving these out does to a score.
    pub as_mapped: Array2<u8>,
    /// Neither cloud, shadow, snow on land nor a reflectance that cannot be.
    pub clear: Array2<bool>,
}

/// Combines the witnesses.
#[must_use]
pub fn combine(of: &Witnesses<'_>) -> Labelled {
    let [_, green, red, nir, swir1] = of.reflectance;
    let clear = Array2::from_shape_fn(of.quality.dim(), |place| {
        let quality = of.quality[place];
        let snow = quality & QUALITY_SNOW != 0 && quality & QUALITY_WATER == 0 && !of.hand_water[place];
        let physical = of.reflectance.iter().all(|band| band[place] > PHYSICAL.0 && band[place] < PHYSICAL.1);
        quality & QUALITY_OBSCURED == 0 && !snow && physical
    });
    let said_water = |place| of.worldcover[place] == 80 || of.quality[place] & QUALITY_WATER != 0;
    let witnessed = |place| said_water(place) || green[place] > swir1[place];
    let sure_water =
        Array2::from_shape_fn(clear.dim(), |place| of.hand_water[place] && witnessed(place) && clear[place]);
    let near_water = near(&sure_water);
    // class, and whether the image contradicts it
    let judged = Array2::from_shape_fn(clear.dim(), |place| {
        if !clear[place] {
            return (IGNORE, false);
        }
        if of.hand_water[place] {
            return (if witnessed(place) { WATER } else { IGNORE }, false);
        }
        if said_water(place) {
            return (IGNORE, false);
        }
        let (red, nir) = (red[place], nir[place]);
        let ndvi = (nir - red) / (nir + red).max(1e-3);
        let looks_exposed = red > 0.14 && ndvi < 0.25;
        let exposed = red > 0.17 && ndvi < 0.12 || near_water[place] && looks_exposed;
        match class_of_worldcover(of.worldcover[place]) {
            TREES | LOW_VEGETATION | CROPS if exposed => (BARE, false),
            // the map says that something grows here, and the image shows none of it
            class @ (TREES | LOW_VEGETATION | CROPS) => (class, looks_exposed),
            class => (class, false),
        }
    });
    let label = judged.mapv(|(class, contradicted)| if contradicted { IGNORE } else { class });
    Labelled { label, as_mapped: judged.mapv(|(class, _)| class), clear }
}

/// Shrubs, grass, herbaceous wetland and moss are low vegetation, mangroves are trees; snow has no class.
const fn class_of_worldcover(code: i16) -> u8 {
    match code {
        10 | 95 => TREES,
        20 | 30 | 90 | 100 => LOW_VEGETATION,
        40 => CROPS,
        50 => BUILT_UP,
        60 => BARE,
        80 => WATER,
        _ => IGNORE,
    }
}

/// Pixels nearer than [`NEAR_WATER_PX`] to some of the mask; none where the mask is too small to be a shore.
fn near(water: &Array2<bool>) -> Array2<bool> {
    let (rows, cols) = water.dim();
    let mut near = Array2::from_elem((rows, cols), false);
    if water.iter().filter(|wet| **wet).count() < SMALLEST_WATER_PX {
        return near;
    }
    // distance along the row first, then over the rows
    let along = Array2::from_shape_fn((rows, cols), |(row, col)| {
        let reach = NEAR_WATER_PX as usize;
        let columns = col.saturating_sub(reach)..(col + reach + 1).min(cols);
        columns.filter(|other| water[(row, *other)]).map(|other| other.abs_diff(col) as i64).min()
    });
    for ((row, col), is_near) in near.indexed_iter_mut() {
        let reach = NEAR_WATER_PX as usize;
        *is_near = (row.saturating_sub(reach)..(row + reach + 1).min(rows)).any(|other| {
            let down = other.abs_diff(row) as i64;
            along[(other, col)].is_some_and(|across| across * across + down * down < NEAR_WATER_PX * NEAR_WATER_PX)
        });
    }
    near
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    struct Image {
        worldcover: Array2<i16>,
        hand_water: Array2<bool>,
        quality: Array2<i16>,
        bands: [Array2<f32>; 5],
    }

    /// Crops under green leaves, 60 × 60 px.
    fn crops() -> Image {
        let side = (60, 60);
        let bands = [0.04, 0.07, 0.05, 0.3, 0.2].map(|value| Array2::from_elem(side, value));
        Image {
            worldcover: Array2::from_elem(side, 40),
            hand_water: Array2::from_elem(side, false),
            quality: Array2::from_elem(side, 64),
            bands,
        }
    }

    fn labelled(image: &Image) -> Labelled {
        let [blue, green, red, nir, swir1] = &image.bands;
        combine(&Witnesses {
            worldcover: image.worldcover.view(),
            hand_water: image.hand_water.view(),
            quality: image.quality.view(),
            reflectance: [blue.view(), green.view(), red.view(), nir.view(), swir1.view()],
        })
    }

    #[test]
    fn a_hand_made_mask_needs_a_witness() {
        let mut image = crops();
        image.hand_water[(0, 0)] = true;
        image.hand_water[(0, 1)] = true;
        image.quality[(0, 1)] = 96;
        image.quality[(0, 2)] = 96;
        let label = labelled(&image).label;
        assert_eq!((label[(0, 0)], label[(0, 1)], label[(0, 2)], label[(0, 3)]), (IGNORE, WATER, IGNORE, CROPS));
    }

    #[test]
    fn clouds_and_impossible_numbers_say_nothing() {
        let mut image = crops();
        image.quality[(1, 1)] = 66;
        image.bands[3][(1, 2)] = 1.4;
        let labelled = labelled(&image);
        assert!(!labelled.clear[(1, 1)] && !labelled.clear[(1, 2)] && labelled.clear[(1, 3)]);
        assert_eq!((labelled.label[(1, 1)], labelled.label[(1, 2)]), (IGNORE, IGNORE));
    }

    #[test]
    fn a_bar_beside_a_river_is_bare_and_the_same_ground_far_off_is_unknown() {
        let mut image = crops();
        for row in 0..60 {
            for col in 0..4 {
                image.hand_water[(row, col)] = true;
                image.quality[(row, col)] = 96;
            }
        }
        // bright, with few leaves, and not bright enough for a desert
        for place in [(30, 10), (30, 55)] {
            image.bands[2][place] = 0.15;
            image.bands[3][place] = 0.22;
        }
        let label = labelled(&image).label;
        assert_eq!((label[(30, 10)], label[(30, 55)]), (BARE, IGNORE));
    }
}
