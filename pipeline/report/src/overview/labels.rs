//! Numbers of patches and keys of reaches, placed so that they do not cover each other.

use geo::{BoundingRect, InteriorPoint};
use geo_types::MultiPolygon;
use image::RgbImage;

use super::Overview;
use crate::paint::canvas::{Colour, INK, OUTLINE_CASING, OUTLINE_CORE, REACH_CORE, blend};
use crate::paint::stroke::{Pen, Placement, stroke_segment};
use crate::paint::text::{Fonts, Style};

/// Half the height of a label, in picture pixels.
const HALF_HEIGHT: f32 = 9.5;
/// Distances of a label's centre from its point that are tried, in picture pixels.
const DISTANCES: [f32; 3] = [20.0, 34.0, 52.0];
/// Directions tried at each distance, as unit vectors: upper right first.
const DIRECTIONS: [(f32, f32); 8] =
    [(0.71, -0.71), (-0.71, -0.71), (0.71, 0.71), (-0.71, 0.71), (1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0)];
/// Outlines smaller than this in both directions get a dot, so that they can be seen.
const DOT_BELOW_PX: f32 = 7.0;
const DOT_RADIUS: f32 = 3.5;

const LEADER: Pen = Pen { core: OUTLINE_CORE, casing: OUTLINE_CASING, core_half_width: 0.5, casing_half_width: 1.3 };
const RANK: Style = Style { bold: true, size: 13.0, colour: INK };
const KEY: Style = Style { bold: true, size: 13.0, colour: INK };

/// What was labelled and where.
pub(super) struct Labels {
    /// Rank and centre in picture pixels.
    pub(super) markers: Vec<(usize, f32, f32)>,
    pub(super) unnumbered: usize,
    pub(super) reach_keys: Vec<(String, String)>,
}

/// Numbers the patches by rank, then keys the reaches (`R1`, `R2`, … in the order given).
pub(super) fn paint_labels(
    image: &mut RgbImage,
    fonts: &Fonts,
    overview: &Overview,
    placement: Placement,
    window: (u32, u32),
) -> Labels {
    let mut room = Room {
        left: placement.left as f32,
        top: placement.top as f32,
        width: window.0 as f32,
        height: window.1 as f32,
        taken: Vec::new(),
    };
    let mut patches: Vec<_> = overview.patches.iter().collect();
    patches.sort_by_key(|patch| patch.rank);
    let mut placed = Vec::new();
    let mut unnumbered = 0;
    for patch in patches {
        let Some(anchor) = anchor(&patch.outline, placement) else {
            unnumbered += 1;
            continue;
        };
        if anchor.span < DOT_BELOW_PX {
            dot(image, anchor.at, DOT_RADIUS + 1.2, OUTLINE_CASING);
            dot(image, anchor.at, DOT_RADIUS, OUTLINE_CORE);
        }
        let text = patch.rank.to_string();
        let half_width = label_half_width(fonts, &text);
        match room.place(anchor.at, half_width, anchor.span / 2.0) {
            None => unnumbered += 1,
            Some(centre) => placed.push((patch.rank, text, anchor.at, centre, half_width)),
        }
    }
    for (_, _, at, centre, _) in &placed {
        stroke_segment(image, *at, *centre, LEADER);
    }
    for (_, text, _, centre, half_width) in &placed {
        label(image, fonts, text, *centre, *half_width, OUTLINE_CORE);
    }
    let reach_keys = paint_reach_keys(image, fonts, overview, placement, &mut room);
    Labels {
        markers: placed.iter().map(|(rank, _, _, centre, _)| (*rank, centre.0, centre.1)).collect(),
        unnumbered,
        reach_keys,
    }
}

fn paint_reach_keys(
    image: &mut RgbImage,
    fonts: &Fonts,
    overview: &Overview,
    placement: Placement,
    room: &mut Room,
) -> Vec<(String, String)> {
    let mut keys = Vec::new();
    for (index, reach) in overview.reaches.iter().enumerate() {
        let key = format!("R{}", index + 1);
        let half_width = label_half_width(fonts, &key);
        if let Some(anchor) = anchor(&reach.outline, placement)
            && let Some(centre) = room.place(anchor.at, half_width, 0.0)
        {
            label(image, fonts, &key, centre, half_width, REACH_CORE);
        }
        keys.push((key, reach.reach_id.clone()));
    }
    keys
}

/// A point inside a shape and the shape's larger side, in picture pixels.
struct Anchor {
    at: (f32, f32),
    span: f32,
}

fn anchor(outline: &MultiPolygon<f64>, placement: Placement) -> Option<Anchor> {
    let bounds = outline.bounding_rect()?;
    let inside = outline.interior_point().map_or_else(|| bounds.center(), |point| point.0);
    Some(Anchor {
        at: placement.place(inside.x, inside.y),
        span: (bounds.width().max(bounds.height()) * placement.factor) as f32,
    })
}

/// The picture's free places.
struct Room {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
    /// Centre and half width of the labels so far.
    taken: Vec<((f32, f32), f32)>,
}

impl Room {
    /// A free centre for a label beside a point that lies in the picture.
    fn place(&mut self, at: (f32, f32), half_width: f32, clearance: f32) -> Option<(f32, f32)> {
        if !self.holds(at, 0.0, 0.0) {
            return None;
        }
        let clearance = clearance.min(30.0);
        let centre = DISTANCES
            .iter()
            .flat_map(|distance| DIRECTIONS.map(|(x, y)| (distance + clearance, x, y)))
            .map(|(distance, x, y)| (at.0 + x * distance, at.1 + y * distance))
            .find(|centre| self.holds(*centre, half_width, HALF_HEIGHT) && self.free(*centre, half_width))?;
        self.taken.push((centre, half_width));
        Some(centre)
    }

    fn holds(&self, at: (f32, f32), half_width: f32, half_height: f32) -> bool {
        at.0 - half_width >= self.left
            && at.0 + half_width <= self.left + self.width
            && at.1 - half_height >= self.top
            && at.1 + half_height <= self.top + self.height
    }

    fn free(&self, at: (f32, f32), half_width: f32) -> bool {
        self.taken.iter().all(|(other, other_half_width)| {
            (at.0 - other.0).abs() > half_width + other_half_width + 2.0
                || (at.1 - other.1).abs() > 2.0 * HALF_HEIGHT + 2.0
        })
    }
}

fn label_half_width(fonts: &Fonts, text: &str) -> f32 {
    (fonts.width(text, RANK) / 2.0 + 5.0).max(HALF_HEIGHT)
}

/// A rounded label with a dark rim.
fn label(image: &mut RgbImage, fonts: &Fonts, text: &str, centre: (f32, f32), half_width: f32, ground: Colour) {
    pill(image, centre, half_width + 1.5, HALF_HEIGHT + 1.5, OUTLINE_CASING);
    pill(image, centre, half_width, HALF_HEIGHT, ground);
    let left = centre.0 - fonts.width(text, KEY) / 2.0;
    fonts.draw(image, (left, centre.1 + 4.6), text, KEY);
}

fn dot(image: &mut RgbImage, centre: (f32, f32), radius: f32, colour: Colour) {
    pill(image, centre, radius, radius, colour);
}

/// A rectangle with round ends, anti-aliased.
fn pill(image: &mut RgbImage, centre: (f32, f32), half_width: f32, half_height: f32, colour: Colour) {
    let straight = (half_width - half_height).max(0.0);
    let from = ((centre.0 - half_width - 1.0) as i64, (centre.1 - half_height - 1.0) as i64);
    let to = ((centre.0 + half_width + 2.0) as i64, (centre.1 + half_height + 2.0) as i64);
    for y in from.1..to.1 {
        for x in from.0..to.0 {
            let away = (((x as f32 + 0.5 - centre.0).abs() - straight).max(0.0), y as f32 + 0.5 - centre.1);
            blend(image, x, y, colour, half_height + 0.5 - away.0.hypot(away.1));
        }
    }
}

/// A label of the legend, one character wide.
pub(super) fn legend_label(image: &mut RgbImage, fonts: &Fonts, text: &str, centre: (f32, f32)) {
    label(image, fonts, text, centre, HALF_HEIGHT, OUTLINE_CORE);
}
