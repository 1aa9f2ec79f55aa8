//! Imagery under a map of a document.

use image::{Rgb, RgbImage};
use ndarray::{Array2, Array3};

use crate::error::RenderError;
use crate::overview::{OUTSIDE_WITHOUT_BACKGROUND, fade};
use crate::paint::canvas::{self, blank, hatch};
use crate::paint::check::{check_pixels, check_shape};
use crate::paint::stretch::{Stretch, usable_pixel};

/// What one pass shows of a map. All arrays are (row, column) on the map's lattice, north up.
#[derive(Debug, Clone, PartialEq)]
pub struct BackdropPass {
    /// Pixel values, (band, row, column), three bands in the order that is drawn as red, green, blue.
    pub pixels: Array3<f32>,
    /// Where the ground was observed. NaN counts as unobserved too.
    pub observed: Array2<bool>,
    /// Where the pass has ground at all, observed or clouded.
    pub covered: Array2<bool>,
    /// Whether the bands are true red, green and blue: then all three share one gain.
    pub natural_colour: bool,
}

/// The imagery under a map: of each place the latest pass that covers it.
#[derive(Debug, Clone, PartialEq)]
pub struct Backdrop {
    /// The passes, the latest first.
    pub passes: Vec<BackdropPass>,
    /// Inside of a managed reach, (row, column).
    pub in_scope: Array2<bool>,
}

/// Paints the imagery under a map: JPEG bytes, a pixel of the lattice each.
///
/// Each pass is stretched by its own 2–98 percentiles. Managed ground that the latest pass over it did not observe, or that no
/// pass covers, is hatched; ground outside of the managed reaches is faded.
///
/// # Errors
/// Pixels that are not three bands, arrays of different shapes, or an empty lattice.
pub fn render_backdrop(backdrop: &Backdrop) -> Result<Vec<u8>, RenderError> {
    const WHAT: &str = "imagery under a map";
    let shape = backdrop.in_scope.dim();
    if shape.0 == 0 || shape.1 == 0 {
        return Err(RenderError::Empty { what: WHAT.to_owned() });
    }
    for pass in &backdrop.passes {
        let pixels = check_pixels(WHAT, &pass.pixels, &pass.observed)?;
        check_shape(WHAT, "the pixels", shape, pixels)?;
        check_shape(WHAT, "the covered ground", shape, pass.covered.dim())?;
    }
    let stretches: Vec<Stretch> = backdrop
        .passes
        .iter()
        .map(|pass| Stretch::joint(&[(&pass.pixels, &pass.observed)], pass.natural_colour))
        .collect();
    let mut image: RgbImage = blank(shape.1 as u32, shape.0 as u32, OUTSIDE_WITHOUT_BACKGROUND);
    for ((row, column), in_scope) in backdrop.in_scope.indexed_iter() {
        let latest = backdrop.passes.iter().zip(&stretches).find(|(pass, _)| pass.covered[(row, column)]);
        let colour = latest.and_then(|(pass, stretch)| {
            usable_pixel(&pass.pixels, &pass.observed, row, column).map(|pixel| stretch.colour(pixel))
        });
        let (x, y) = (column as u32, row as u32);
        let colour = match (colour, in_scope) {
            (Some(colour), true) => colour,
            (Some(colour), false) => fade(colour),
            (None, true) => hatch(x, y),
            (None, false) => OUTSIDE_WITHOUT_BACKGROUND,
        };
        image.put_pixel(x, y, Rgb(colour));
    }
    canvas::encode_jpeg(WHAT, &image)
}
