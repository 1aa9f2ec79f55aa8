//! Outlines of planted things: how much of a pixel they cover.

use super::PlantKind;
use crate::noise::{Chance, lerp, ramp, sin_cos_turns};
use std::f64::consts::PI;

/// The outline of one thing about the origin, in pixels.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    form: Form,
    direction: (f64, f64),
    length_px: f64,
    width_px: f64,
    feather_px: f64,
}

#[derive(Debug, Clone)]
enum Form {
    /// A rounded outline that swings in and out: size and phase of waves 2, 3, 4 and 5 around it.
    Blob([(f64, f64); 4]),
    Rectangle,
    /// As a rectangle, bent into an arc: arrow height over the length; a bar tapers towards its ends.
    Strip {
        bend: f64,
        tapers: bool,
    },
    Ellipse,
}

/// A point of a thing, in its own terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Position along and across the thing, in pixels.
    pub(super) along_px: f64,
    pub(super) across_px: f64,
    /// Depth inside the outline in pixels; negative outside.
    pub(super) depth_px: f64,
    /// Depth over the largest depth there is.
    pub(super) depth_share: f64,
    /// How far the point lies towards the sun: −1 (dark end) to 1 (lit end).
    pub(super) sunward: f64,
}

impl Shape {
    /// The outline of a thing of `kind`.
    pub(super) fn new(kind: PlantKind, area_px: f64, turns: f64, feather_px: f64, seed: u64) -> Self {
        let mut chance = Chance::new(seed, 1);
        let (sine, cosine) = sin_cos_turns(turns);
        let ratio = match kind {
            PlantKind::Building | PlantKind::Greenhouse => chance.between(1.0, 3.0),
            PlantKind::Pit | PlantKind::Dump => chance.between(1.0, 2.0),
            PlantKind::Stockpile => chance.between(1.0, 1.6),
            PlantKind::FishCage => 1.0,
            PlantKind::Bar => chance.between(3.0, 7.0),
            // one to three and a half pixels wide, and wider rather than longer than 70
            PlantKind::Dike => {
                let least = (area_px / 70.0).max(1.0);
                let width = chance.between(least, (area_px / 4.0).sqrt().clamp(1.2, 3.5).max(least));
                area_px / (width * width)
            }
        };
        let form = match kind {
            PlantKind::Pit | PlantKind::Dump => Form::Blob(std::array::from_fn(|wave| {
                (0.3 / (wave as f64 + 2.0) * chance.bell(), chance.between(0.0, 1.0))
            })),
            PlantKind::Stockpile | PlantKind::FishCage => Form::Ellipse,
            PlantKind::Building | PlantKind::Greenhouse => Form::Rectangle,
            PlantKind::Dike => Form::Strip { bend: chance.between(-0.15, 0.15), tapers: false },
            PlantKind::Bar => Form::Strip { bend: chance.between(-0.2, 0.2), tapers: true },
        };
        // side lengths of the box around it: an ellipse fills π/4 of that, a tapering strip two thirds
        let filled = match &form {
            Form::Blob(_) | Form::Ellipse => PI / 4.0,
            Form::Strip { tapers: true, .. } => 2.0 / 3.0,
            Form::Rectangle | Form::Strip { .. } => 1.0,
        };
        let width_px = (area_px / filled / ratio).sqrt();
        Self { form, direction: (sine, cosine), length_px: width_px * ratio, width_px, feather_px }
    }

    /// Farthest that any part lies from the middle.
    pub(super) fn reach_px(&self) -> f64 {
        0.5 * (self.length_px * self.length_px + self.width_px * self.width_px).sqrt() * 1.4 + 0.25 * self.length_px
    }

    /// The short side.
    pub(super) fn width_px(&self) -> f64 {
        self.width_px
    }

    /// Share of the pixel at `x`, `y` (from the middle) that is covered.
    pub(super) fn cover(&self, x: f64, y: f64) -> f64 {
        ramp(-self.feather_px, self.feather_px, self.depth(x, y).0)
    }

    /// The point in the thing's own terms; `sun` is the cosine and sine of its direction.
    pub(super) fn place(&self, x: f64, y: f64, sun: (f64, f64)) -> Place {
        let (depth_px, along_px, across_px) = self.depth(x, y);
        let half = 0.5 * self.width_px.max(1.0);
        let sunward = ((x * sun.0 + y * sun.1) / (0.5 * self.length_px).max(1.0)).clamp(-1.0, 1.0);
        Place { along_px, across_px, depth_px, depth_share: (depth_px / half).clamp(0.0, 1.0), sunward }
    }

    /// Depth inside the outline (negative outside), and the position along and across.
    fn depth(&self, x: f64, y: f64) -> (f64, f64, f64) {
        let (sine, cosine) = self.direction;
        let (along, across) = (cosine * x + sine * y, cosine * y - sine * x);
        let (half_length, half_width) = (0.5 * self.length_px, 0.5 * self.width_px);
        let depth = match &self.form {
            Form::Rectangle => (half_length - along.abs()).min(half_width - across.abs()),
            Form::Ellipse => rounded_depth(along, across, half_length, half_width, 1.0),
            Form::Blob(waves) => {
                let swing = outline(along / half_length, across / half_width, waves);
                rounded_depth(along, across, half_length, half_width, swing)
            }
            Form::Strip { bend, tapers } => {
                let share = along / half_length;
                let middle = bend * self.length_px * (0.5 - share * share);
                let half = if *tapers { lerp(half_width, 0.0, (share * share).min(1.0)) } else { half_width };
                (half_length - along.abs()).min(half - (across - middle).abs())
            }
        };
        (depth, along, across)
    }
}

/// Depth inside an ellipse whose radius is multiplied by `swing`, near enough to pixels.
fn rounded_depth(along: f64, across: f64, half_length: f64, half_width: f64, swing: f64) -> f64 {
    let (u, v) = (along / half_length, across / half_width);
    let radius = (u * u + v * v).sqrt();
    let distance = (along * along + across * across).sqrt();
    // along the ray through the point, the outline is `swing / radius` times as far away
    if radius < 1e-9 { half_width * swing } else { distance * (swing / radius - 1.0) }
}

/// Radius of the outline in a direction, about 1: the waves are cosines of multiples of the angle, by recurrence.
fn outline(u: f64, v: f64, waves: &[(f64, f64); 4]) -> f64 {
    let radius = (u * u + v * v).sqrt().max(1e-9);
    let (cosine, sine) = (u / radius, v / radius);
    let (mut real, mut imaginary) = (cosine, sine);
    let mut swing = 1.0;
    for (size, phase) in waves {
        (real, imaginary) = (real * cosine - imaginary * sine, real * sine + imaginary * cosine);
        let (phase_sine, phase_cosine) = sin_cos_turns(*phase);
        swing += size * (real * phase_cosine - imaginary * phase_sine);
    }
    swing.clamp(0.45, 1.7)
}
