//! The map picture of a run: imagery, scope, coverage, reaches and numbered patches.

mod labels;
mod legend;

use geo_types::MultiPolygon;
use image::{Rgb, RgbImage};
use ndarray::{Array2, Array3};

use crate::error::RenderError;
use crate::paint::canvas::{self, Colour, blank, hatch, mix};
use crate::paint::check::{check_gsd, check_pixels, check_polygon, check_shape};
use crate::paint::stretch::Stretch;
use crate::paint::stroke::{Pen, Placement, stroke_polygons};
use crate::paint::text::Fonts;
use crate::paint::zoom::Zoom;

/// Largest width of the imagery in a map picture, in picture pixels.
const MAX_WIDTH_PX: u32 = 1200;
/// Largest height of the imagery in a map picture, in picture pixels.
const MAX_HEIGHT_PX: u32 = 1500;
/// Narrowest map picture: the legend needs this much.
const MIN_WIDTH_PX: u32 = 640;

/// Inside the scope and compared, but the background has no pixel there.
const COMPARED_WITHOUT_BACKGROUND: Colour = [214, 224, 217];
/// Outside the scope and without a background.
pub(crate) const OUTSIDE_WITHOUT_BACKGROUND: Colour = [240, 241, 243];
/// How far imagery outside the scope is faded to white.
const FADE_SHARE: f32 = 0.62;

const PATCH: Pen =
    Pen { core: canvas::OUTLINE_CORE, casing: canvas::OUTLINE_CASING, core_half_width: 0.8, casing_half_width: 1.9 };
const REACH: Pen =
    Pen { core: canvas::REACH_CORE, casing: canvas::OUTLINE_CASING, core_half_width: 1.1, casing_half_width: 2.1 };

/// What the run knows of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// Inside the management scope and observed on both dates of at least one pair.
    Observed,
    /// Inside the management scope and never observed on both dates of a pair: nothing can be said.
    Unobserved,
    /// Outside the management scope: not asked for.
    OutOfScope,
}

/// A managed reach on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewReach {
    /// Identifier, repeated in [`RenderedOverview::reach_keys`].
    pub reach_id: String,
    /// Management scope in pixel-corner coordinates of the background: x = column, y = row.
    pub outline: MultiPolygon<f64>,
}

/// A suspected patch on the map.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewPatch {
    /// Rank by score, from 1: the number on the map.
    pub rank: usize,
    /// Outline in pixel-corner coordinates of the background: x = column, y = row.
    pub outline: MultiPolygon<f64>,
}

/// What the map of a run shows. All arrays are (row, column) on one window, north up.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// Name of the map, used in messages, for example `Ucayali at Pucallpa`.
    pub name: String,
    /// Background imagery, (band, row, column), three bands drawn as red, green, blue.
    pub background: Array3<f32>,
    /// Whether these are true red, green and blue: then all three share one gain.
    pub natural_colour: bool,
    /// Where the background has pixels, (row, column).
    pub background_observed: Array2<bool>,
    /// What the run knows of each place, (row, column).
    pub coverage: Array2<Coverage>,
    /// Ground sampling distance of the background in metres per pixel.
    pub gsd_m: f64,
    /// The managed reaches.
    pub reaches: Vec<OverviewReach>,
    /// The suspected patches, in any order.
    pub patches: Vec<OverviewPatch>,
}

/// Where a patch's number stands, as shares of the picture's width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    /// Rank of the patch.
    pub rank: usize,
    /// Centre of the number from the left, 0 to 1.
    pub x_share: f64,
    /// Centre of the number from the top, 0 to 1.
    pub y_share: f64,
}

/// The map picture of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedOverview {
    /// The picture.
    pub png: Vec<u8>,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels, legend included.
    pub height_px: u32,
    /// The patches that carry a number, by rank.
    pub markers: Vec<Marker>,
    /// How many patches are drawn without a number because others lie too close.
    pub unnumbered: usize,
    /// Short key on the map and reach identifier, in the order given.
    pub reach_keys: Vec<(String, String)>,
}

/// Paints the map of a run.
///
/// The background is stretched by its own 2–98 percentiles over the pixels that it has. Ground that
/// was never observed on both dates of a pair is hatched, ground outside the scope is faded. Patches
/// are numbered by rank, best rank first; a patch whose number finds no free place goes without and
/// is counted.
///
/// # Errors
/// A background that is not three bands, arrays of different shapes, an empty window, a ground
/// sampling distance that is not positive, or outlines with coordinates that are not finite.
pub fn render_overview(overview: &Overview) -> Result<RenderedOverview, RenderError> {
    let what = format!("map {:?}", overview.name);
    let shape = check_pixels(&what, &overview.background, &overview.background_observed)?;
    check_shape(&what, "the coverage", shape, overview.coverage.dim())?;
    check_gsd(&what, overview.gsd_m)?;
    for reach in &overview.reaches {
        check_polygon(&what, &format!("reach {:?}", reach.reach_id), &reach.outline)?;
    }
    for patch in &overview.patches {
        check_polygon(&what, &format!("patch {}", patch.rank), &patch.outline)?;
    }

    let fonts = Fonts::load()?;
    let zoom = Zoom::fit(shape.0, shape.1, MAX_WIDTH_PX, MAX_HEIGHT_PX);
    let width = zoom.width.max(MIN_WIDTH_PX);
    let placement = Placement { factor: zoom.factor, left: f64::from((width - zoom.width) / 2), top: 0.0 };
    let (mut image, shown) = paint_background(overview, zoom, width, placement);
    let window = (zoom.width, zoom.height);
    for reach in &overview.reaches {
        stroke_polygons(&mut image, &reach.outline, placement, window, REACH);
    }
    for patch in &overview.patches {
        stroke_polygons(&mut image, &patch.outline, placement, window, PATCH);
    }
    let labels = labels::paint_labels(&mut image, &fonts, overview, placement, window);
    let image = legend::with_legend(&image, &fonts, overview, zoom, shown);

    let (width_px, height_px) = image.dimensions();
    let markers = labels.markers.iter().map(|(rank, x, y)| Marker {
        rank: *rank,
        x_share: f64::from(*x) / f64::from(width_px),
        y_share: f64::from(*y) / f64::from(height_px),
    });
    Ok(RenderedOverview {
        png: canvas::encode_png(&what, &image)?,
        width_px,
        height_px,
        markers: markers.collect(),
        unnumbered: labels.unnumbered,
        reach_keys: labels.reach_keys,
    })
}

/// Which kinds of ground occur in the picture, so that the legend names these and no others.
#[derive(Debug, Clone, Copy, Default)]
struct Shown {
    observed: bool,
    unobserved: bool,
    out_of_scope: bool,
    without_background: bool,
}

fn paint_background(overview: &Overview, zoom: Zoom, width: u32, placement: Placement) -> (RgbImage, Shown) {
    let stretch = Stretch::joint(&[(&overview.background, &overview.background_observed)], overview.natural_colour);
    let mut image = blank(width, zoom.height, canvas::MARGIN);
    let mut shown = Shown::default();
    let left = placement.left as u32;
    for y in 0..zoom.height {
        for x in 0..zoom.width {
            let (row, column) = zoom.nearest(x, y);
            let background = zoom
                .sample(&overview.background, &overview.background_observed, x, y)
                .map(|pixel| stretch.colour(pixel));
            let colour = match (overview.coverage[[row, column]], background) {
                (Coverage::Observed, Some(colour)) => {
                    shown.observed = true;
                    colour
                }
                (Coverage::Observed, None) => {
                    shown.without_background = true;
                    COMPARED_WITHOUT_BACKGROUND
                }
                (Coverage::Unobserved, _) => {
                    shown.unobserved = true;
                    hatch(x, y)
                }
                (Coverage::OutOfScope, background) => {
                    shown.out_of_scope = true;
                    background.map_or(OUTSIDE_WITHOUT_BACKGROUND, fade)
                }
            };
            image.put_pixel(left + x, y, Rgb(colour));
        }
    }
    (image, shown)
}

/// Imagery outside the scope: half its colour taken out, then faded to white.
pub(crate) fn fade(colour: Colour) -> Colour {
    let grey = (0.30 * f32::from(colour[0]) + 0.59 * f32::from(colour[1]) + 0.11 * f32::from(colour[2])).round() as u8;
    mix(mix(colour, [grey; 3], 0.5), canvas::WHITE, FADE_SHARE)
}
