//! Text in the embedded DejaVu Sans Condensed.
//!
//! The font covers Latin, Greek, Cyrillic and more, not Chinese: a character it lacks is drawn as a
//! hollow box. The HTML page repeats every caption as text, in the reader's own fonts.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::RgbImage;

use super::canvas::{Colour, blend};
use crate::error::RenderError;

/// The two embedded weights.
pub(crate) struct Fonts {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

/// Weight and size of a line of text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) bold: bool,
    /// Height of the font in pixels.
    pub(crate) size: f32,
    pub(crate) colour: Colour,
}

impl Fonts {
    pub(crate) fn load() -> Result<Self, RenderError> {
        let open = |bytes| FontRef::try_from_slice(bytes).map_err(RenderError::Font);
        Ok(Self { regular: open(dejavu::sans_condensed::regular())?, bold: open(dejavu::sans_condensed::bold())? })
    }

    fn font(&self, style: Style) -> &FontRef<'static> {
        if style.bold { &self.bold } else { &self.regular }
    }

    /// Width of a line of text in pixels.
    pub(crate) fn width(&self, text: &str, style: Style) -> f32 {
        self.layout(text, style, |_, _| {})
    }

    /// The text, or as much of it as fits in `max_width` pixels with an ellipsis.
    pub(crate) fn fit(&self, text: &str, style: Style, max_width: f32) -> String {
        if self.width(text, style) <= max_width {
            return text.to_owned();
        }
        let mut shorter: Vec<char> = text.chars().collect();
        while shorter.pop().is_some() {
            let cut = format!("{}…", shorter.iter().collect::<String>().trim_end());
            if self.width(&cut, style) <= max_width {
                return cut;
            }
        }
        String::new()
    }

    /// Draws a line of text from its left edge and baseline.
    pub(crate) fn draw(&self, image: &mut RgbImage, (left, baseline): (f32, f32), text: &str, style: Style) {
        let font = self.font(style);
        let scale = PxScale::from(style.size);
        self.layout(text, style, |id, offset| {
            let glyph = id.with_scale_and_position(scale, point(left + offset, baseline));
            if let Some(outline) = font.outline_glyph(glyph) {
                let corner = outline.px_bounds().min;
                outline.draw(|x, y, share| {
                    let (x, y) = (corner.x as i64 + i64::from(x), corner.y as i64 + i64::from(y));
                    blend(image, x, y, style.colour, share);
                });
            }
        });
    }

    /// Walks the glyphs with their offsets from the left edge; returns the whole advance.
    fn layout(&self, text: &str, style: Style, mut visit: impl FnMut(ab_glyph::GlyphId, f32)) -> f32 {
        let font = self.font(style).as_scaled(PxScale::from(style.size));
        let (mut offset, mut previous) = (0.0, None);
        for character in text.chars().filter(|character| !character.is_control()) {
            let id = font.glyph_id(character);
            if let Some(previous) = previous {
                offset += font.kern(previous, id);
            }
            visit(id, offset);
            offset += font.h_advance(id);
            previous = Some(id);
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paint::canvas::{INK, WHITE, blank};

    #[test]
    fn text_is_measured_fitted_and_drawn() -> Result<(), RenderError> {
        let fonts = Fonts::load()?;
        let style = Style { bold: true, size: 14.0, colour: INK };
        let long = "Sentinel-2 L2A, near infrared, red, green";
        let cut = fonts.fit(long, style, 90.0);
        assert!(cut.ends_with('…') && fonts.width(&cut, style) <= 90.0, "{cut}");
        assert_eq!(fonts.fit("S2", style, 90.0), "S2");

        let mut image = blank(60, 20, WHITE);
        fonts.draw(&mut image, (2.0, 15.0), "S2 国", style);
        let dark = image.pixels().filter(|pixel| pixel.0[0] < 128).count();
        assert!(dark > 40, "{dark} dark pixels");
        Ok(())
    }
}
