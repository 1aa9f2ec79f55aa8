//! Drawings as SVG: places along a river, bars. Plain lines that print.

use std::fmt::Write as _;

/// How a mark is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// The least.
    General,
    /// Worse.
    Serious,
    /// The worst.
    Major,
    /// Kept back, or closed.
    Quiet,
}

impl Tone {
    pub(super) const fn colour(self) -> &'static str {
        match self {
            Self::General => "#2f7ea8",
            Self::Serious => "#d98a00",
            Self::Major => "#b3231b",
            Self::Quiet => "#8b98a3",
        }
    }

    pub(super) const fn radius(self) -> f64 {
        match self {
            Self::General | Self::Quiet => 3.2,
            Self::Serious => 4.2,
            Self::Major => 5.2,
        }
    }
}

/// A place along a river.
#[derive(Debug, Clone, PartialEq)]
pub struct StripMark {
    /// Chainage in metres.
    pub chainage_m: f64,
    /// True on the left bank, false on the right one, `None` on neither.
    pub left: Option<bool>,
    /// How it is drawn.
    pub tone: Tone,
    /// What it is.
    pub label: String,
}

/// A river drawn as a straight line, with the places on its banks.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// Title.
    pub title: String,
    /// Word for the left bank.
    pub left: String,
    /// Word for the right bank.
    pub right: String,
    /// Places.
    pub marks: Vec<StripMark>,
}

impl Strip {
    /// The drawing: down the river to the right, left bank above.
    #[must_use]
    pub fn svg(&self) -> String {
        let (width, height, middle) = (760.0, 120.0, 60.0);
        let chainages = self.marks.iter().map(|mark| mark.chainage_m);
        let from = chainages.clone().fold(f64::INFINITY, f64::min).min(0.0);
        let to = chainages.fold(0.0, f64::max).max(from + 1000.0);
        let place = |metres: f64| 70.0 + (metres - from) / (to - from) * (width - 90.0);
        let mut svg = head(width, height, &self.title);
        let _ = write!(
            svg,
            r##"<path d="M70 {middle}H{}" stroke="#7ba6b8" stroke-width="6" stroke-linecap="round"/><text x="4" y="{}" font-size="11" fill="#51606d">{}</text><text x="4" y="{}" font-size="11" fill="#51606d">{}</text>"##,
            width - 20.0,
            middle - 22.0,
            escaped(&self.left),
            middle + 30.0,
            escaped(&self.right)
        );
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
            .into_iter()
            .find(|step| (to - from) / (step * 1000.0) <= 10.0)
            .unwrap_or(1000.0);
        let mut kilometre = (from / 1000.0 / step).ceil() * step;
        while kilometre * 1000.0 <= to {
            let x = place(kilometre * 1000.0);
            let _ = write!(
                svg,
                r##"<path d="M{x:.1} {}v6" stroke="#51606d"/><text x="{x:.1}" y="{}" font-size="10" text-anchor="middle" fill="#51606d">K{kilometre}</text>"##,
                middle - 3.0,
                height - 4.0
            );
            kilometre += step;
        }
        for mark in &self.marks {
            let y = match mark.left {
                Some(true) => middle - 18.0,
                Some(false) => middle + 18.0,
                None => middle,
            };
            let _ = write!(
                svg,
                r##"<circle cx="{:.1}" cy="{y:.1}" r="{}" fill="{}" stroke="#fff" stroke-width="0.8"><title>{}</title></circle>"##,
                place(mark.chainage_m),
                mark.tone.radius(),
                mark.tone.colour(),
                escaped(&mark.label)
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

/// Widest bar in pixels.
const WIDEST_BAR: f64 = 36.0;

/// A small bar chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Title.
    pub title: String,
    /// Label and value of each bar; `None` where nothing is known, which is drawn as a hatch and not as nothing.
    pub bars: Vec<(String, Option<f64>)>,
    /// Value of the full height: the same for charts that are compared.
    pub most: f64,
    /// What the values are.
    pub unit: String,
}

impl Bars {
    /// The drawing.
    #[must_use]
    pub fn svg(&self) -> String {
        let (width, height, foot) = (240.0, 110.0, 16.0);
        let each = (width - 8.0) / self.bars.len().max(1) as f64;
        let mut svg = head(width, height, &self.title);
        svg.push_str(
            r##"<defs><pattern id="none" width="4" height="4" patternTransform="rotate(45)" patternUnits="userSpaceOnUse"><path d="M0 0v4" stroke="#b9b3c9"/></pattern></defs>"##,
        );
        let most = if self.most > 0.0 { self.most } else { 1.0 };
        for (i, (label, value)) in self.bars.iter().enumerate() {
            let x = 4.0 + each * i as f64;
            let room = height - foot - 14.0;
            let (tall, fill, told) = match value {
                Some(value) => (room * (value / most).clamp(0.0, 1.0), "#2f7ea8", trimmed(*value)),
                None => (room, "url(#none)", "–".to_owned()),
            };
            let bar = (each - 3.0).clamp(1.0, WIDEST_BAR);
            let x = x + (each - 3.0 - bar).max(0.0) / 2.0;
            let _ = write!(
                svg,
                r##"<rect x="{x:.1}" y="{:.1}" width="{bar:.1}" height="{tall:.1}" fill="{fill}"/><text x="{:.1}" y="{:.1}" font-size="9" text-anchor="middle" fill="#1b2733">{told}</text><text x="{:.1}" y="{:.1}" font-size="9" text-anchor="middle" fill="#51606d">{}</text>"##,
                height - foot - tall,
                x + bar / 2.0,
                height - foot - tall - 3.0,
                x + bar / 2.0,
                height - 4.0,
                escaped(label)
            );
        }
        let _ = write!(svg, r##"<path d="M2 {:.1}H{:.1}" stroke="#51606d"/></svg>"##, height - foot, width - 2.0);
        svg
    }
}

fn trimmed(value: f64) -> String {
    if value.fract() == 0.0 || value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

pub(super) fn head(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1} {height:.1}" width="{width:.0}" height="{height:.0}" role="img" aria-label="{title}">"##
    )
}

/// Text for XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_hatched_and_not_empty() {
        let bars = Bars {
            title: "t".to_owned(),
            bars: vec![("2023".to_owned(), Some(2.0)), ("2024".to_owned(), None)],
            most: 4.0,
            unit: "ha".to_owned(),
        };
        let svg = bars.svg();
        assert!(svg.contains("url(#none)") && svg.contains(">2</text>") && svg.contains(">–</text>"), "{svg}");
    }
}
