//! One patch at two dates, painted so that the two pictures can be compared by eye.

use geo_types::MultiPolygon;
use image::{Rgb, RgbImage};
use ndarray::{Array2, Array3};

use crate::error::RenderError;
use crate::paint::canvas::{self, INK, MARGIN, QUIET_INK, RULE, WHITE, blank, fill, hatch};
use crate::paint::check::{check_gsd, check_pixels, check_polygon, check_shape};
use crate::paint::scale_bar::{ScaleBar, draw_north};
use crate::paint::stretch::Stretch;
use crate::paint::stroke::{Pen, Placement, stroke_polygons};
use crate::paint::text::{Fonts, Style};
use crate::paint::zoom::Zoom;

/// Longest side of the imagery in a chip picture, in picture pixels.
const MAX_IMAGERY_PX: u32 = 400;
/// Narrowest picture: a caption needs this much.
const MIN_PICTURE_WIDTH_PX: u32 = 320;
/// Height of the caption under the imagery, in picture pixels.
const CAPTION_HEIGHT_PX: u32 = 46;
/// Longest scale bar as a share of the picture's width.
const SCALE_BAR_SHARE: f64 = 0.22;

const OUTLINE: Pen =
    Pen { core: canvas::OUTLINE_CORE, casing: canvas::OUTLINE_CASING, core_half_width: 1.0, casing_half_width: 2.1 };

const TITLE: Style = Style { bold: true, size: 15.0, colour: INK };
const DETAIL: Style = Style { bold: false, size: 12.5, colour: QUIET_INK };
const BAR_LABEL: Style = Style { bold: false, size: 12.5, colour: INK };

/// The imagery of one date in the window of a chip.
#[derive(Debug, Clone, PartialEq)]
pub struct ChipDate {
    /// Pixel values, (band, row, column), three bands in the order that is drawn as red, green, blue.
    pub pixels: Array3<f32>,
    /// Where the ground was observed at this date, (row, column). NaN counts as unobserved too.
    pub observed: Array2<bool>,
    /// Acquisition date as text, for example `2024-03-15`.
    pub date: String,
    /// Sensor as text, for example `Sentinel-2 L2A`.
    pub sensor: String,
}

/// One patch at two dates, on the same window of the same grid, north up.
#[derive(Debug, Clone, PartialEq)]
pub struct ChipPair {
    /// The earlier date.
    pub pre: ChipDate,
    /// The later date.
    pub post: ChipDate,
    /// What is drawn as red, green, blue: `red, green, blue`, or `nir, red, green`.
    pub bands: String,
    /// Whether these are true red, green and blue: then all three share one gain.
    pub natural_colour: bool,
    /// Ground sampling distance in metres per array pixel.
    pub gsd_m: f64,
    /// Outline of the patch in pixel-corner coordinates of the window: x = column, y = row.
    pub outline: MultiPolygon<f64>,
    /// Identifier of the patch, for example `450702-20240315-0007`.
    pub patch_id: String,
}

/// The two pictures of a patch, equal in size and stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedPair {
    /// PNG of the earlier date.
    pub pre_png: Vec<u8>,
    /// PNG of the later date.
    pub post_png: Vec<u8>,
    /// Width of each picture in pixels.
    pub width_px: u32,
    /// Height of each picture in pixels, caption included.
    pub height_px: u32,
    /// Length of the scale bar in metres.
    pub scale_bar_m: f64,
    /// The stretch that both pictures share.
    pub stretch: Stretch,
}

/// Paints a patch at both dates.
///
/// Both pictures use one [`Stretch`], taken from the observed pixels of both dates, so that equal
/// values have equal colours. Unobserved pixels are hatched. Small windows are magnified by a whole
/// number with pixels repeated; the imagery's longest side is at most 400 picture pixels. Under the
/// imagery stand the date, the sensor with the bands drawn, the patch identifier, a scale bar and
/// north.
///
/// # Errors
/// Pixels that are not three bands, arrays of different shapes, an empty window, a ground sampling
/// distance that is not positive, or an outline with coordinates that are not finite.
pub fn render_pair(pair: &ChipPair) -> Result<RenderedPair, RenderError> {
    let what = |role: &str| format!("chip of patch {}, {role}", pair.patch_id);
    let shape = check_pixels(&what("before"), &pair.pre.pixels, &pair.pre.observed)?;
    let later = check_pixels(&what("after"), &pair.post.pixels, &pair.post.observed)?;
    check_shape(&what("after"), "the later date", shape, later)?;
    check_gsd(&what("both dates"), pair.gsd_m)?;
    check_polygon(&what("both dates"), "the outline", &pair.outline)?;

    let fonts = Fonts::load()?;
    let stretch = Stretch::joint(
        &[(&pair.pre.pixels, &pair.pre.observed), (&pair.post.pixels, &pair.post.observed)],
        pair.natural_colour,
    );
    let zoom = Zoom::fit(shape.0, shape.1, MAX_IMAGERY_PX, MAX_IMAGERY_PX);
    let width_px = zoom.width.max(MIN_PICTURE_WIDTH_PX);
    let bar = ScaleBar::fit(pair.gsd_m / zoom.factor, f64::from(width_px) * SCALE_BAR_SHARE);
    let paint = |date: &ChipDate, role: &str, title: &str| {
        let mut image = paint_imagery(date, pair, stretch, zoom, width_px);
        paint_caption(&mut image, zoom.height, &fonts, pair, date, title, bar);
        canvas::encode_png(&what(role), &image)
    };
    Ok(RenderedPair {
        pre_png: paint(&pair.pre, "before", "Before")?,
        post_png: paint(&pair.post, "after", "After")?,
        width_px,
        height_px: zoom.height + CAPTION_HEIGHT_PX,
        scale_bar_m: bar.length_m,
        stretch,
    })
}

/// The imagery with its outline, above an empty caption.
fn paint_imagery(date: &ChipDate, pair: &ChipPair, stretch: Stretch, zoom: Zoom, width_px: u32) -> RgbImage {
    let mut image = blank(width_px, zoom.height + CAPTION_HEIGHT_PX, MARGIN);
    paint_date(&mut image, date, &pair.outline, stretch, zoom, (width_px - zoom.width) / 2);
    image
}

/// One date with the outline of the patch, from the top of a picture and `left` pixels from its left edge. What was not observed
/// is hatched.
pub(crate) fn paint_date(
    image: &mut RgbImage,
    date: &ChipDate,
    outline: &MultiPolygon<f64>,
    stretch: Stretch,
    zoom: Zoom,
    left: u32,
) {
    for y in 0..zoom.height {
        for x in 0..zoom.width {
            let colour = match zoom.sample(&date.pixels, &date.observed, x, y) {
                Some(pixel) => stretch.colour(pixel),
                None => hatch(x, y),
            };
            image.put_pixel(left + x, y, Rgb(colour));
        }
    }
    let placement = Placement { factor: zoom.factor, left: f64::from(left), top: 0.0 };
    stroke_polygons(image, outline, placement, (zoom.width, zoom.height), OUTLINE);
}

/// Date and sensor on the left; north, scale bar and patch identifier on the right.
fn paint_caption(
    image: &mut RgbImage,
    top: u32,
    fonts: &Fonts,
    pair: &ChipPair,
    date: &ChipDate,
    title: &str,
    bar: ScaleBar,
) {
    let width = image.width();
    fill(image, 0, i64::from(top), (width, CAPTION_HEIGHT_PX), WHITE);
    fill(image, 0, i64::from(top), (width, 1), RULE);
    let (margin, right) = (6.0, width as f32 - 6.0);
    let (first, second) = (top as f32 + 18.0, top as f32 + 37.0);

    let north_left = draw_north(image, fonts, right, first, BAR_LABEL);
    let bar_left = bar.draw(image, fonts, north_left - 10.0, first, BAR_LABEL);
    let id = fonts.fit(&pair.patch_id, DETAIL, width as f32 * 0.5);
    let id_left = right - fonts.width(&id, DETAIL);
    fonts.draw(image, (id_left, second), &id, DETAIL);

    let heading = format!("{title}  {}", date.date);
    let heading = fonts.fit(&heading, TITLE, bar_left - margin - 8.0);
    fonts.draw(image, (margin, first), &heading, TITLE);
    let detail = format!("{} · {}", date.sensor, pair.bands);
    let detail = fonts.fit(&detail, DETAIL, id_left - margin - 10.0);
    fonts.draw(image, (margin, second), &detail, DETAIL);
}
