//! Colours that can be told apart and read.

/// Dark text, as in `style.css`.
const INK: [u8; 3] = [27, 39, 51];
const WHITE: [u8; 3] = [255, 255, 255];
/// Right cells of a confusion matrix: blue. Blue and orange differ to every kind of colour blindness.
const RIGHT: [u8; 3] = [11, 90, 120];
/// Wrong cells: orange.
const WRONG: [u8; 3] = [190, 84, 0];
/// Below 1, so that small shares can be seen at all.
const SHADE_EXPONENT: f64 = 0.7;
/// Contrast of a line with the white ground, and of white text in its dots, as WCAG asks for in text.
const LINE_CONTRAST: f64 = 4.5;

/// As CSS writes it.
pub(super) fn css(colour: [u8; 3]) -> String {
    let [red, green, blue] = colour;
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Ground and text colour of a cell with this share of its row, 0 to 1.
pub(super) fn heat(share: f64, right: bool) -> (String, String) {
    let base = if right { RIGHT } else { WRONG };
    let ground = blend(WHITE, base, share.clamp(0.0, 1.0).powf(SHADE_EXPONENT));
    let ink = if contrast(ground, INK) >= contrast(ground, WHITE) { INK } else { WHITE };
    (css(ground), css(ink))
}

/// The colour, as much darker as a line on white needs.
pub(super) fn line(colour: [u8; 3]) -> [u8; 3] {
    let steps = (0..=20).map(|step| blend(colour, [0, 0, 0], f64::from(step) / 20.0));
    steps.into_iter().find(|darker| contrast(*darker, WHITE) >= LINE_CONTRAST).unwrap_or([0, 0, 0])
}

fn blend(from: [u8; 3], to: [u8; 3], share: f64) -> [u8; 3] {
    std::array::from_fn(|channel| {
        (f64::from(from[channel]) * (1.0 - share) + f64::from(to[channel]) * share).round() as u8
    })
}

/// Contrast of two colours as WCAG 2 defines it, 1 to 21.
fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance as WCAG 2 defines it, 0 to 1.
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_texts_can_be_read() {
        assert_eq!(css([0, 171, 255]), "#00abff");
        assert!(contrast(line([255, 255, 255]), WHITE) >= LINE_CONTRAST);
        assert_eq!(line([11, 90, 120]), [11, 90, 120], "dark enough as it is");
        for right in [true, false] {
            for step in 0..=100 {
                let share = f64::from(step) / 100.0;
                let base = if right { RIGHT } else { WRONG };
                let ground = blend(WHITE, base, share.powf(SHADE_EXPONENT));
                let best = contrast(ground, INK).max(contrast(ground, WHITE));
                assert!(best >= 3.9, "{share}: {best}");
            }
        }
    }
}
