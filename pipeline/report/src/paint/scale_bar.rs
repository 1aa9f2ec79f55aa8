//! The scale bar and the north arrow.

use image::RgbImage;

use super::canvas::{Colour, INK, fill};
use super::text::{Fonts, Style};

/// Height of the bar in picture pixels.
const BAR_HEIGHT: u32 = 4;

/// A bar of a round length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ScaleBar {
    /// Length on the ground in metres: 1, 2 or 5 times a power of ten.
    pub(crate) length_m: f64,
    /// Length in the picture in pixels.
    pub(crate) length_px: u32,
}

impl ScaleBar {
    /// The longest round bar that stays within `max_px` picture pixels, each `metres_per_px` wide.
    pub(crate) fn fit(metres_per_px: f64, max_px: f64) -> Self {
        let limit = metres_per_px * max_px;
        let decade = 10_f64.powf(limit.log10().floor());
        let length_m =
            [5.0, 2.0, 1.0].into_iter().map(|step| step * decade).find(|length| *length <= limit).unwrap_or(decade);
        Self { length_m, length_px: ((length_m / metres_per_px).round() as u32).max(1) }
    }

    /// The length with its unit, in metres below a kilometre and in kilometres from there.
    pub(crate) fn label(&self) -> String {
        if self.length_m >= 1000.0 {
            format!("{} km", round_text(self.length_m / 1000.0))
        } else {
            format!("{} m", round_text(self.length_m))
        }
    }

    /// Draws the bar with its right end at `right`, its label to the left of it, and returns the
    /// left edge of all of it.
    pub(crate) fn draw(&self, image: &mut RgbImage, fonts: &Fonts, right: f32, baseline: f32, style: Style) -> f32 {
        let bar_left = right - self.length_px as f32;
        let top = (baseline - 7.0).round() as i64;
        let left = bar_left.round() as i64;
        fill(image, left, top, (self.length_px, BAR_HEIGHT), INK);
        for end in [left, left + i64::from(self.length_px) - 2] {
            fill(image, end, top - 3, (2, BAR_HEIGHT + 6), INK);
        }
        let label = self.label();
        let label_left = bar_left - 6.0 - fonts.width(&label, style);
        fonts.draw(image, (label_left, baseline), &label, style);
        label_left
    }
}

/// Draws an upward arrow head with an N, its right edge at `right`; returns its left edge.
pub(crate) fn draw_north(image: &mut RgbImage, fonts: &Fonts, right: f32, baseline: f32, style: Style) -> f32 {
    let colour: Colour = style.colour;
    let (height, half) = (11_i64, 5_i64);
    let bottom = baseline.round() as i64;
    let centre = right.round() as i64 - half - 1;
    for row in 0..height {
        let width = (row * half) / (height - 1);
        fill(image, centre - width, bottom - height + row, ((2 * width + 1) as u32, 1), colour);
    }
    let left = (centre - half) as f32 - 4.0 - fonts.width("N", style);
    fonts.draw(image, (left, baseline), "N", style);
    left
}

/// A decimal without trailing zeros: `0.5`, `20`.
fn round_text(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_round_and_fit() {
        for (metres_per_px, expected) in
            [(10.0 / 6.0, "200 m"), (90.0, "10 km"), (0.03, "2 m"), (0.005, "0.5 m"), (5.0, "500 m"), (10.0, "1 km")]
        {
            let bar = ScaleBar::fit(metres_per_px, 130.0);
            assert_eq!(bar.label(), expected);
            assert!(bar.length_px <= 130 && bar.length_px >= 52, "{bar:?}");
        }
    }
}
