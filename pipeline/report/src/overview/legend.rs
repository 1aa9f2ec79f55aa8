//! The strip under the map: legend, scale bar and north.

use geo_types::{MultiPolygon, Rect, coord};
use image::{Rgb, RgbImage, imageops};

use super::labels::legend_label;
use super::{COMPARED_WITHOUT_BACKGROUND, Overview, REACH, Shown, fade};
use crate::paint::canvas::{INK, RULE, WHITE, blank, fill, hatch};
use crate::paint::scale_bar::{ScaleBar, draw_north};
use crate::paint::stroke::{Placement, stroke_polygons};
use crate::paint::text::{Fonts, Style};
use crate::paint::zoom::Zoom;

const TEXT: Style = Style { bold: false, size: 14.0, colour: INK };
const SWATCH: (u32, u32) = (30, 18);
const MARGIN: f32 = 10.0;
const ROW_HEIGHT: f32 = 30.0;
/// Longest scale bar in picture pixels.
const MAX_BAR_PX: f64 = 150.0;
/// Stands for imagery in the legend.
const SAMPLE: [[u8; 3]; 3] = [[92, 122, 78], [126, 146, 96], [70, 104, 124]];

#[derive(Clone, Copy)]
enum Entry {
    Patch,
    Reach,
    Observed,
    WithoutBackground,
    Unobserved,
    OutOfScope,
}

impl Entry {
    fn text(self) -> &'static str {
        match self {
            Self::Patch => "suspected patch, number = rank",
            Self::Reach => "managed reach",
            Self::Observed => "compared",
            Self::WithoutBackground => "compared, no picture here",
            Self::Unobserved => "not observed: nothing can be said",
            Self::OutOfScope => "outside the scope",
        }
    }
}

/// The map with its legend below.
pub(super) fn with_legend(map: &RgbImage, fonts: &Fonts, overview: &Overview, zoom: Zoom, shown: Shown) -> RgbImage {
    let entries: Vec<Entry> = [
        (!overview.patches.is_empty(), Entry::Patch),
        (!overview.reaches.is_empty(), Entry::Reach),
        (shown.observed, Entry::Observed),
        (shown.without_background, Entry::WithoutBackground),
        (shown.unobserved, Entry::Unobserved),
        (shown.out_of_scope, Entry::OutOfScope),
    ]
    .into_iter()
    .filter_map(|(present, entry)| present.then_some(entry))
    .collect();

    let (width, map_height) = map.dimensions();
    let bar = ScaleBar::fit(overview.gsd_m / zoom.factor, MAX_BAR_PX);
    let bar_width = bar.length_px as f32 + fonts.width(&bar.label(), TEXT) + 60.0;
    let places = flow(fonts, &entries, width as f32, bar_width);
    let rows = places.iter().map(|(_, row)| row + 1).max().unwrap_or(1);
    let height = (rows as f32 * ROW_HEIGHT + 8.0) as u32;

    let mut image = blank(width, map_height + height, WHITE);
    imageops::replace(&mut image, map, 0, 0);
    fill(&mut image, 0, i64::from(map_height), (width, 1), RULE);
    let baseline = |row: usize| map_height as f32 + 24.0 + row as f32 * ROW_HEIGHT;
    let north_left = draw_north(&mut image, fonts, width as f32 - MARGIN, baseline(0), TEXT);
    bar.draw(&mut image, fonts, north_left - 12.0, baseline(0), TEXT);
    for (entry, (left, row)) in entries.iter().zip(&places) {
        let baseline = baseline(*row);
        swatch(&mut image, fonts, *entry, (*left, baseline - 14.0));
        let at = (left + SWATCH.0 as f32 + 7.0, baseline);
        fonts.draw(&mut image, at, entry.text(), TEXT);
    }
    image
}

/// Left edge and row of each entry; the first row leaves room for the scale bar on the right.
fn flow(fonts: &Fonts, entries: &[Entry], width: f32, bar_width: f32) -> Vec<(f32, usize)> {
    let (mut left, mut row) = (MARGIN, 0);
    let mut places = Vec::new();
    for entry in entries {
        let needed = SWATCH.0 as f32 + 7.0 + fonts.width(entry.text(), TEXT) + 22.0;
        let limit = if row == 0 { width - bar_width - MARGIN } else { width };
        if left > MARGIN && left + needed > limit {
            left = MARGIN;
            row += 1;
        }
        places.push((left, row));
        left += needed;
    }
    places
}

fn swatch(image: &mut RgbImage, fonts: &Fonts, entry: Entry, (left, top): (f32, f32)) {
    let (x, y) = (left.round() as i64, top.round() as i64);
    if let Entry::Patch = entry {
        let centre = (left + SWATCH.0 as f32 / 2.0, top + 9.0);
        legend_label(image, fonts, "1", centre);
        return;
    }
    for row in 0..SWATCH.1 {
        for column in 0..SWATCH.0 {
            let sample = SAMPLE[(column / 10) as usize % SAMPLE.len()];
            let colour = match entry {
                Entry::Observed => sample,
                Entry::WithoutBackground => COMPARED_WITHOUT_BACKGROUND,
                Entry::Unobserved => hatch(column, row),
                Entry::OutOfScope => fade(sample),
                Entry::Reach | Entry::Patch => WHITE,
            };
            image.put_pixel(x as u32 + column, y as u32 + row, Rgb(colour));
        }
    }
    if let Entry::Reach = entry {
        let (width, height) = (f64::from(SWATCH.0), f64::from(SWATCH.1));
        let outline = Rect::new(coord! { x: 3.0, y: 3.0 }, coord! { x: width - 3.0, y: height - 3.0 });
        let placement = Placement { factor: 1.0, left: x as f64, top: y as f64 };
        stroke_polygons(image, &MultiPolygon::from(outline.to_polygon()), placement, SWATCH, REACH);
    }
}
