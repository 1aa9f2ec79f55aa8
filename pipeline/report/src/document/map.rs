//! Maps as SVG: areas and places over imagery, or over plain paper.

use std::fmt::Write as _;

use super::drawing::{Tone, escaped, head};
use crate::report::format::jpeg_uri;

/// An area on a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its outline (longitude, latitude).
    pub outline: Vec<(f64, f64)>,
    /// Its name.
    pub label: String,
}

/// A place on a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// Where (longitude, latitude).
    pub at: (f64, f64),
    /// How it is drawn.
    pub tone: Tone,
    /// What it is.
    pub label: String,
}

/// What lies under a map. It covers the map's extent to the edges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Underlay {
    /// Paper.
    #[default]
    Plain,
    /// A picture (JPEG), by a name that is unique in the document.
    Picture {
        /// Its name: letters, digits and hyphens.
        id: String,
        /// The picture.
        jpeg: Vec<u8>,
    },
    /// The picture of another map of the same extent, faded: it is held once, however often it is shown.
    Again {
        /// Its name.
        id: String,
        /// Height of the other map in pixels.
        height_px: u32,
    },
}

/// What an entry of a legend explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Places drawn in a tone.
    Place(Tone),
    /// Areas.
    Area,
    /// Ground that was not observed.
    Unobserved,
}

/// A map of areas and places. North is up; a degree of longitude is as long as it is at the middle latitude.
#[derive(Debug, Clone, PartialEq)]
pub struct MapDrawing {
    /// Title.
    pub title: String,
    /// Areas.
    pub areas: Vec<Area>,
    /// Places.
    pub dots: Vec<Dot>,
    /// What the marks mean.
    pub legend: Vec<(Key, String)>,
    /// What lies under it.
    pub underlay: Underlay,
    /// Height in pixels; the width follows from the extent.
    pub height_px: u32,
    /// West, south, east, north; that of the content where not given.
    pub extent: Option<[f64; 4]>,
}

/// Room around the content, as a share of it.
const ROOM: f64 = 0.06;
/// Widest map against its height.
const WIDEST: f64 = 2.4;
/// Metres of a degree of latitude.
const METRES_PER_DEGREE: f64 = 111_320.0;
/// Line of an area over imagery.
const AREA: &str = "#68e0ff";
/// Opacity of a picture that is shown again: marks count more there.
const FADED: f64 = 0.55;

/// Where a map lies and how large it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// West, south, east, north.
    pub extent: [f64; 4],
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels.
    pub height: f64,
}

impl Frame {
    /// The place of a (longitude, latitude) in pixels from the top left corner.
    #[must_use]
    pub fn place(&self, (longitude, latitude): (f64, f64)) -> (f64, f64) {
        let [west, south, east, north] = self.extent;
        ((longitude - west) / (east - west) * self.width, (north - latitude) / (north - south) * self.height)
    }

    fn pixels_a_degree(&self) -> f64 {
        self.height / (self.extent[3] - self.extent[1])
    }
}

impl MapDrawing {
    /// West, south, east, north of the content with some room; a degree around nothing.
    #[must_use]
    pub fn content_extent(&self) -> [f64; 4] {
        let points = self.areas.iter().flat_map(|area| &area.outline).chain(self.dots.iter().map(|dot| &dot.at));
        let bounds = points.fold(None, |bounds: Option<[f64; 4]>, (x, y)| {
            let [west, south, east, north] = bounds.unwrap_or([*x, *y, *x, *y]);
            Some([west.min(*x), south.min(*y), east.max(*x), north.max(*y)])
        });
        let [west, south, east, north] = bounds.unwrap_or([0.0, 0.0, 1.0, 1.0]);
        let room = ((east - west).max(north - south) * ROOM).max(1e-4);
        [west - room, south - room, east + room, north + room]
    }

    /// Where it lies and how large it is drawn.
    #[must_use]
    pub fn frame(&self) -> Frame {
        let extent = self.extent.unwrap_or_else(|| self.content_extent());
        let [west, south, east, north] = extent;
        let squeeze = (0.5 * (south + north)).to_radians().cos().max(0.01);
        let height = f64::from(self.height_px);
        let (map_width, map_height) = ((east - west) * squeeze, north - south);
        let scale = (height / map_height).min(height * WIDEST / map_width);
        Frame { extent, width: map_width * scale, height: map_height * scale }
    }

    /// The drawing.
    #[must_use]
    pub fn svg(&self) -> String {
        let frame = self.frame();
        let (width, height) = (frame.width, frame.height);
        let mut svg = head(width, height, &self.title);
        let _ = write!(svg, r##"<rect width="{width:.1}" height="{height:.1}" fill="#f7f9fa" stroke="#d5dbe1"/>"##);
        match &self.underlay {
            Underlay::Plain => {}
            Underlay::Picture { id, jpeg } => {
                let picture = jpeg_uri(jpeg);
                let _ = write!(
                    svg,
                    r##"<image id="{id}" width="{width:.1}" height="{height:.1}" preserveAspectRatio="none" href="{picture}"/>"##
                );
            }
            Underlay::Again { id, height_px } => {
                let scale = f64::from(self.height_px) / f64::from(*height_px);
                let _ = write!(svg, r##"<use href="#{id}" transform="scale({scale:.4})" opacity="{FADED}"/>"##);
            }
        }
        for area in &self.areas {
            let mut path = String::new();
            for (i, point) in area.outline.iter().enumerate() {
                let (x, y) = frame.place(*point);
                let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
            }
            let label = escaped(&area.label);
            // over imagery two lines, so that one of them shows on any ground
            let _ = if self.underlay == Underlay::Plain {
                write!(
                    svg,
                    r##"<path d="{path}Z" fill="#dbe9ef" stroke="#7ba6b8" stroke-width="0.8"><title>{label}</title></path>"##
                )
            } else {
                write!(
                    svg,
                    r##"<g fill="none" pointer-events="all"><path d="{path}Z" stroke="#10141a" stroke-width="2.2"/><path d="{path}Z" stroke="{AREA}" stroke-width="1.1"><title>{label}</title></path></g>"##
                )
            };
        }
        for dot in &self.dots {
            let ((x, y), tone) = (frame.place(dot.at), dot.tone);
            let _ = write!(
                svg,
                r##"<circle cx="{x:.1}" cy="{y:.1}" r="{}" fill="{}" stroke="#ffffff" stroke-width="0.8"><title>{}</title></circle>"##,
                tone.radius(),
                tone.colour(),
                escaped(&dot.label)
            );
        }
        scale_bar(&mut svg, height, METRES_PER_DEGREE / frame.pixels_a_degree());
        svg.push_str("</svg>");
        svg
    }

    /// What the marks mean: a drawing and a text each.
    #[must_use]
    pub fn legend_svg(&self) -> Vec<(String, &str)> {
        let drawn = |key: &Key| {
            match key {
            Key::Place(tone) => {
                format!(r##"<circle cx="6" cy="6" r="{}" fill="{}"/>"##, tone.radius(), tone.colour())
            }
            Key::Area => {
                format!(r##"<path d="M1 9L5 2L11 4L9 11Z" fill="none" stroke="#10141a" stroke-width="2.6"/><path d="M1 9L5 2L11 4L9 11Z" fill="none" stroke="{AREA}" stroke-width="1.3"/>"##)
            }
            Key::Unobserved => {
                r##"<rect width="12" height="12" fill="#e0dcea"/><path d="M0 6L6 0M0 12L12 0M6 12L12 6" stroke="#8b82a5" stroke-width="1.5"/>"##.to_owned()
            }
        }
        };
        self.legend
            .iter()
            .map(|(key, text)| {
                let svg = format!(
                    r##"<svg class="key" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">{}</svg>"##,
                    drawn(key)
                );
                (svg, text.as_str())
            })
            .collect()
    }
}

/// A round length of about a quarter of the height.
fn scale_bar(svg: &mut String, height: f64, metres_a_pixel: f64) {
    let wanted = 0.25 * height * metres_a_pixel;
    let power = 10f64.powf(wanted.log10().floor());
    let length =
        [5.0, 2.0, 1.0].into_iter().map(|digit| digit * power).find(|length| *length <= wanted).unwrap_or(power);
    let pixels = length / metres_a_pixel;
    let label = if length >= 1000.0 { format!("{} km", length / 1000.0) } else { format!("{length} m") };
    let (y, x) = (height - 8.0, 8.0);
    let _ = write!(
        svg,
        r##"<path d="M{x} {y:.1}h{pixels:.1}" stroke="#ffffff" stroke-width="5"/><path d="M{x} {y:.1}h{pixels:.1}" stroke="#1b2733" stroke-width="2"/><text x="{x}" y="{:.1}" font-size="10" fill="#1b2733" stroke="#ffffff" stroke-width="2.5" paint-order="stroke">{label}</text>"##,
        y - 4.0
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_keeps_proportions_and_places_its_dots() {
        let map = MapDrawing {
            title: "t".to_owned(),
            areas: Vec::new(),
            dots: vec![Dot { at: (108.5, 60.0), tone: Tone::Major, label: "<1>".to_owned() }],
            legend: Vec::new(),
            height_px: 100,
            underlay: Underlay::Plain,
            extent: Some([108.0, 59.5, 109.0, 60.5]),
        };
        let svg = map.svg();
        // at 60° a degree of longitude is half as long
        assert!(svg.contains("viewBox=\"0 0 50.0 100.0\""), "{svg}");
        assert!(svg.contains("cx=\"25.0\" cy=\"50.0\"") && svg.contains("&lt;1&gt;"), "{svg}");
    }

    #[test]
    fn imagery_is_held_once_and_laid_to_the_edges() {
        let map = MapDrawing {
            title: "t".to_owned(),
            areas: vec![Area { outline: vec![(0.1, 0.1), (0.9, 0.1), (0.5, 0.9)], label: "a".to_owned() }],
            dots: Vec::new(),
            legend: vec![(Key::Unobserved, "not observed".to_owned())],
            height_px: 100,
            underlay: Underlay::Picture { id: "ground".to_owned(), jpeg: vec![1, 2, 3] },
            extent: Some([0.0, 0.0, 1.0, 1.0]),
        };
        let svg = map.svg();
        assert!(svg.contains(r#"<image id="ground" width="100.0" height="100.0""#), "{svg}");
        assert!(svg.contains("data:image/jpeg;base64,AQID") && svg.contains(r#"fill="none""#), "{svg}");
        assert!(map.legend_svg()[0].0.contains("#8b82a5"));
        let small =
            MapDrawing { height_px: 25, underlay: Underlay::Again { id: "ground".to_owned(), height_px: 100 }, ..map };
        let svg = small.svg();
        assert!(svg.contains(r##"<use href="#ground" transform="scale(0.2500)""##) && !svg.contains("base64"), "{svg}");
    }
}
