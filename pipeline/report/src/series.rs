//! One place over several dates, as small pictures that can be compared by eye.

use geo_types::MultiPolygon;

use crate::chip::{ChipDate, paint_date};
use crate::error::RenderError;
use crate::paint::canvas::{self, MARGIN, blank};
use crate::paint::check::{check_pixels, check_polygon, check_shape};
use crate::paint::stretch::Stretch;
use crate::paint::zoom::Zoom;

/// One place at several dates, on the same window of the same grid, north up.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name of the place, used in messages, for example `450702-20240315-0007`.
    pub name: String,
    /// The dates.
    pub dates: Vec<ChipDate>,
    /// Whether the bands are true red, green and blue: then all three share one gain.
    pub natural_colour: bool,
    /// Longest side of a picture, in pixels.
    pub longest_px: u32,
    /// Outline of the patch in pixel-corner coordinates of the window: x = column, y = row.
    pub outline: MultiPolygon<f64>,
}

/// Paints a place at each of its dates: JPEG bytes in their order.
///
/// All pictures share one [`Stretch`], taken from the observed pixels of all dates, so that equal values have equal colours.
/// Unobserved pixels are hatched; the outline is drawn on every date.
///
/// # Errors
/// Pixels that are not three bands, arrays of different shapes, an empty window, or an outline with coordinates that are not
/// finite.
pub fn render_series(series: &Series) -> Result<Vec<Vec<u8>>, RenderError> {
    let what = |date: &ChipDate| format!("series of {}, {}", series.name, date.date);
    let mut shape = None;
    for date in &series.dates {
        let this = check_pixels(&what(date), &date.pixels, &date.observed)?;
        check_shape(&what(date), "the pixels", *shape.get_or_insert(this), this)?;
        check_polygon(&what(date), "the outline", &series.outline)?;
    }
    let Some((rows, columns)) = shape else { return Ok(Vec::new()) };
    let dates: Vec<_> = series.dates.iter().map(|date| (&date.pixels, &date.observed)).collect();
    let stretch = Stretch::joint(&dates, series.natural_colour);
    let zoom = Zoom::fit(rows, columns, series.longest_px, series.longest_px);
    let paint = |date: &ChipDate| {
        let mut image = blank(zoom.width, zoom.height, MARGIN);
        paint_date(&mut image, date, &series.outline, stretch, zoom, 0);
        canvas::encode_jpeg(&what(date), &image)
    };
    series.dates.iter().map(paint).collect()
}
