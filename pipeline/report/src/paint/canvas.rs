//! Colours and areas on an RGB picture.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

use crate::error::RenderError;

/// A colour as red, green, blue.
pub(crate) type Colour = [u8; 3];

pub(crate) const WHITE: Colour = [255, 255, 255];
pub(crate) const INK: Colour = [27, 39, 51];
pub(crate) const QUIET_INK: Colour = [78, 91, 102];
pub(crate) const RULE: Colour = [200, 206, 212];
/// Beside a chip that is narrower than its caption.
pub(crate) const MARGIN: Colour = [238, 240, 242];
/// Inner line of a patch outline.
pub(crate) const OUTLINE_CORE: Colour = [255, 221, 0];
/// Outer line of every outline.
pub(crate) const OUTLINE_CASING: Colour = [16, 20, 26];
/// Inner line of a reach outline.
pub(crate) const REACH_CORE: Colour = [104, 224, 255];

/// Ground of the hatch that stands for "not observed": a lavender that imagery rarely shows.
pub(crate) const HATCH_GROUND: Colour = [224, 220, 234];
/// Lines of the hatch.
pub(crate) const HATCH_LINE: Colour = [139, 130, 165];
/// Distance between the hatch lines along a row, in picture pixels.
const HATCH_PERIOD: u32 = 8;
/// Width of a hatch line along a row, in picture pixels.
const HATCH_WIDTH: u32 = 2;

/// The colour of the "not observed" hatch at a picture pixel.
pub(crate) fn hatch(x: u32, y: u32) -> Colour {
    if (x + y) % HATCH_PERIOD < HATCH_WIDTH { HATCH_LINE } else { HATCH_GROUND }
}

/// Mixes two colours; `share` is that of `over`, 0 to 1.
pub(crate) fn mix(under: Colour, over: Colour, share: f32) -> Colour {
    let share = share.clamp(0.0, 1.0);
    let mut mixed = under;
    for (value, over) in mixed.iter_mut().zip(over) {
        *value = (f32::from(*value) + (f32::from(over) - f32::from(*value)) * share).round() as u8;
    }
    mixed
}

/// Paints over one pixel; positions outside the picture are ignored.
pub(crate) fn blend(image: &mut RgbImage, x: i64, y: i64, colour: Colour, share: f32) {
    if x < 0 || y < 0 || x >= i64::from(image.width()) || y >= i64::from(image.height()) {
        return;
    }
    let pixel = image.get_pixel_mut(x as u32, y as u32);
    pixel.0 = mix(pixel.0, colour, share);
}

/// Fills a rectangle given by its left, top, width and height in pixels.
pub(crate) fn fill(image: &mut RgbImage, left: i64, top: i64, size: (u32, u32), colour: Colour) {
    for y in top..top + i64::from(size.1) {
        for x in left..left + i64::from(size.0) {
            blend(image, x, y, colour, 1.0);
        }
    }
}

/// A new picture of one colour.
pub(crate) fn blank(width: u32, height: u32, colour: Colour) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb(colour))
}

/// PNG bytes of a picture. The same picture always gives the same bytes.
pub(crate) fn encode_png(what: &str, image: &RgbImage) -> Result<Vec<u8>, RenderError> {
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .map_err(|source| RenderError::Encode { what: what.to_owned(), source })?;
    Ok(png)
}

/// Of pictures that a document holds many of: at this quality nobody sees what is lost.
const JPEG_QUALITY: u8 = 85;

/// JPEG bytes of a picture, a sixth of its PNG where it is imagery. The same picture always gives the same bytes.
pub(crate) fn encode_jpeg(what: &str, image: &RgbImage) -> Result<Vec<u8>, RenderError> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .map_err(|source| RenderError::Encode { what: what.to_owned(), source })?;
    Ok(jpeg)
}
