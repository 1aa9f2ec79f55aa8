//! Plants objects of concern into given reflectance, with their exact masks.
//!
//! There are no pixel labels of pits, dumps or fish cages. To measure how well a pass is read, things of
//! true sizes are painted on real ground: [`plant`] paints one [`Planting`] in place and returns where it
//! lies; [`scatter`] draws many of them, apart from each other, land things on land and cages on water.
//! The same planting gives the same bits on every machine. What this cannot show is said by whoever reports the scores:
//! a network that was trained on like paintings finds them more easily than the real things.
//!
//! Natural bars ([`PlantKind::Bar`]) are painted to be *not* found.

mod material;
mod scatter;
mod shape;

use crate::noise::{Noise, sin_cos_turns};
use material::{Material, ROLES, Texels};
use ndarray::{Array2, ArrayView3, ArrayViewMut3, s};
use shape::Shape;

pub use scatter::{Scatter, scatter};

/// Share of a pixel that a thing must cover to be its truth.
const TRUTH_COVER: f64 = 0.5;
/// Share from which on a pixel is neither the thing nor ground.
const DOUBT_COVER: f64 = 0.12;
/// How much of the light a full shadow takes.
const SHADOW_STRENGTH: f64 = 0.6;
/// Shadow from which on a pixel is in doubt.
const DOUBT_SHADOW: f64 = 0.25;
/// Pixels beyond the outline that edge and shadow may reach.
const MARGIN_PX: f64 = 5.0;
/// Smallest thing that can be planted, in pixels.
const SMALLEST_PX: f64 = 2.0;
/// Reflectance that paint may have.
const PAINT_RANGE: (f64, f64) = (0.002, 0.95);

/// What is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PlantKind {
    /// A pit or a dredge pond in its spoil.
    Pit,
    /// Cones of one material with a lit and a dark side.
    Stockpile,
    /// A heap of mixed things.
    Dump,
    /// A roof, two-toned along its ridge, with a shadow.
    Building,
    /// Strips of film or glass over plants.
    Greenhouse,
    /// A ring on water.
    FishCage,
    /// A narrow strip of earth or rock.
    Dike,
    /// A natural bar of sand: no object.
    Bar,
}

impl PlantKind {
    /// Every object of concern, in the order of the classes of a model's object head after `no_object`.
    pub const OBJECTS: [Self; 7] =
        [Self::Pit, Self::Stockpile, Self::Dump, Self::Building, Self::Greenhouse, Self::FishCage, Self::Dike];

    /// The class name that models use; a bar is `no_object`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pit => "pit",
            Self::Stockpile => "stockpile",
            Self::Dump => "dump",
            Self::Building => "building",
            Self::Greenhouse => "greenhouse",
            Self::FishCage => "fish_cage",
            Self::Dike => "dike",
            Self::Bar => "no_object",
        }
    }

    /// Whether a model should find it.
    #[must_use]
    pub const fn is_object(self) -> bool {
        !matches!(self, Self::Bar)
    }

    /// Height over its width, which makes the length of the shadow.
    const fn steepness(self) -> f64 {
        match self {
            Self::Building => 0.25,
            Self::Stockpile | Self::Dump => 0.2,
            Self::Dike => 0.15,
            Self::Pit | Self::Greenhouse | Self::FishCage | Self::Bar => 0.0,
        }
    }
}

/// One thing to plant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planting {
    /// What it is.
    pub kind: PlantKind,
    /// Row of its middle, in pixels (the middle of the first pixel is 0.5).
    pub row: f64,
    /// Column of its middle, in pixels.
    pub column: f64,
    /// Area in square metres.
    pub area_m2: f64,
    /// Direction of its long side in whole turns, from the column axis towards the row axis.
    pub turns: f64,
    /// Half the width of its soft edge, in pixels; 0.5 to 1 is what a sensor makes of a hard edge.
    pub feather_px: f64,
    /// Direction of the sun in whole turns: the shadow falls the other way.
    pub sun_turns: f64,
    /// Chooses outline, material and grain.
    pub seed: u64,
}

/// Reflectance to plant into.
#[derive(Debug)]
pub struct Ground<'a> {
    /// Reflectance 0..1, (band, row, column); NaN where nothing was observed, which stays so.
    pub reflectance: ArrayViewMut3<'a, f32>,
    /// What each band measures: `blue`, `green`, `red`, `nir`, `swir1` or `swir2`.
    pub roles: &'a [&'a str],
    /// Edge of a pixel in metres.
    pub ground_sampling_distance_m: f64,
}

/// A picture of real spoil, roofs or sand to paint with.
#[derive(Debug, Clone, Copy)]
pub struct Texture<'a> {
    /// Reflectance 0..1, (red, green, blue; row; column).
    pub reflectance: ArrayView3<'a, f32>,
    /// Edge of a pixel in metres.
    pub ground_sampling_distance_m: f64,
}

/// What was planted, and where exactly it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Planted {
    /// What it is.
    pub kind: PlantKind,
    /// Row of the first row of the masks.
    pub top_row: usize,
    /// Column of the first column of the masks.
    pub left_column: usize,
    /// Pixels of which it covers at least half, (row, column) of its window.
    pub truth: Array2<bool>,
    /// Pixels of its edge and its shadow, which are neither it nor plain ground.
    pub doubt: Array2<bool>,
    /// Pixels of `truth`.
    pub area_px: usize,
}

/// Why a thing could not be planted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlantError {
    /// The roles do not fit the bands.
    #[error("band {index} has the role {got:?}, expected one of {}; {bands} band(s), {roles} role(s)", ROLES.join(", "))]
    Roles {
        /// The first band without a known role.
        index: usize,
        /// What stands there.
        got: String,
        /// Bands of the reflectance.
        bands: usize,
        /// Roles given.
        roles: usize,
    },
    /// The thing is too small for the pixels, or its numbers make no sense.
    #[error(
        "a {kind} of {area_m2} m² is {area_px:.2} px at {ground_sampling_distance_m} m a pixel, expected at least \
         {SMALLEST_PX} px and finite numbers; plant a larger one or use finer pixels"
    )]
    Size {
        /// What was to be planted.
        kind: &'static str,
        /// Its area.
        area_m2: f64,
        /// Its area in pixels.
        area_px: f64,
        /// Edge of a pixel in metres.
        ground_sampling_distance_m: f64,
    },
    /// The thing lies outside the array.
    #[error("a {kind} at row {row:.1}, column {column:.1} lies outside {rows} × {columns} px; choose a place inside")]
    Outside {
        /// What was to be planted.
        kind: &'static str,
        /// Where its middle would be.
        row: f64,
        /// Where its middle would be.
        column: f64,
        /// Rows of the ground.
        rows: usize,
        /// Columns of the ground.
        columns: usize,
    },
}

/// Plants one thing in place and returns its masks.
///
/// Each pixel becomes `ground × (1 − shadow) × (1 − cover) + paint × cover`. A texture serves pits, dumps,
/// buildings and bars; the infrared that it lacks follows from its red as in bare ground.
pub fn plant(ground: &mut Ground<'_>, thing: &Planting, texture: Option<&Texture<'_>>) -> Result<Planted, PlantError> {
    let bands = bands_of(ground)?;
    let shape = shape_of(ground, thing)?;
    let (rows, columns) = (ground.reflectance.dim().1, ground.reflectance.dim().2);
    let span = shape.reach_px() + MARGIN_PX;
    let range = |middle: f64, length: usize| {
        let first = (middle - span).floor().clamp(0.0, length as f64) as usize;
        let last = (middle + span).ceil().clamp(0.0, length as f64) as usize;
        first..last
    };
    let (in_rows, in_columns) = (range(thing.row, rows), range(thing.column, columns));
    let outside = !(0.0..rows as f64).contains(&thing.row) || !(0.0..columns as f64).contains(&thing.column);
    if outside || in_rows.is_empty() || in_columns.is_empty() {
        let (row, column) = (thing.row, thing.column);
        return Err(PlantError::Outside { kind: thing.kind.name(), row, column, rows, columns });
    }
    let mut window = ground.reflectance.slice_mut(s![.., in_rows.clone(), in_columns.clone()]);
    let beneath: Vec<f64> =
        bands.iter().enumerate().map(|(band, _)| median(window.slice(s![band, .., ..]).iter())).collect();
    let texels = texture.map(|texture| Texels::new(texture, ground.ground_sampling_distance_m, thing.seed));
    let material = Material::new(thing.kind, thing.seed, texels);
    let (sun_sine, sun_cosine) = sin_cos_turns(thing.sun_turns);
    let shadow_px = shape.width_px() * thing.kind.steepness() * (0.6 + 0.8 * Noise::new(thing.seed, 3).chance(0, 0));
    let size = (in_rows.len(), in_columns.len());
    let (mut truth, mut doubt) = (Array2::from_elem(size, false), Array2::from_elem(size, false));
    for row in 0..size.0 {
        for column in 0..size.1 {
            let x = (in_columns.start + column) as f64 + 0.5 - thing.column;
            let y = (in_rows.start + row) as f64 + 0.5 - thing.row;
            let cover = shape.cover(x, y);
            let shadow = if shadow_px > 0.0 {
                (1..=3)
                    .map(|step| f64::from(step) / 3.0 * shadow_px)
                    .map(|far| shape.cover(x + sun_cosine * far, y + sun_sine * far))
                    .fold(0.0, f64::max)
                    * (1.0 - cover)
            } else {
                0.0
            };
            truth[[row, column]] = cover >= TRUTH_COVER;
            doubt[[row, column]] = cover < TRUTH_COVER && (cover > DOUBT_COVER || shadow > DOUBT_SHADOW);
            if cover <= 0.0 && shadow <= 0.0 {
                continue;
            }
            let at = shape.place(x, y, (sun_cosine, sun_sine));
            for (band, role) in bands.iter().enumerate() {
                let value = &mut window[[band, row, column]];
                let paint = material.paint(*role, &at, beneath[band]).clamp(PAINT_RANGE.0, PAINT_RANGE.1);
                let shaded = f64::from(*value) * (1.0 - SHADOW_STRENGTH * shadow);
                *value = (shaded * (1.0 - cover) + paint * cover) as f32;
            }
        }
    }
    let area_px = truth.iter().filter(|covered| **covered).count();
    Ok(Planted { kind: thing.kind, top_row: in_rows.start, left_column: in_columns.start, truth, doubt, area_px })
}

/// Position of each band's role in [`ROLES`].
fn bands_of(ground: &Ground<'_>) -> Result<Vec<usize>, PlantError> {
    let bands = ground.reflectance.dim().0;
    let fault = |index: usize| PlantError::Roles {
        index,
        got: ground.roles.get(index).map_or_else(|| "none".to_owned(), |role| (*role).to_owned()),
        bands,
        roles: ground.roles.len(),
    };
    if ground.roles.len() != bands {
        return Err(fault(ground.roles.len().min(bands)));
    }
    let position =
        |(index, role): (usize, &&str)| ROLES.iter().position(|known| known == role).ok_or_else(|| fault(index));
    ground.roles.iter().enumerate().map(position).collect()
}

fn shape_of(ground: &Ground<'_>, thing: &Planting) -> Result<Shape, PlantError> {
    let ground_sampling_distance_m = ground.ground_sampling_distance_m;
    let area_px = thing.area_m2 / (ground_sampling_distance_m * ground_sampling_distance_m);
    let numbers = [thing.row, thing.column, thing.turns, thing.feather_px, thing.sun_turns, area_px];
    if numbers.iter().any(|number| !number.is_finite()) || area_px < SMALLEST_PX || ground_sampling_distance_m <= 0.0 {
        let (kind, area_m2) = (thing.kind.name(), thing.area_m2);
        return Err(PlantError::Size { kind, area_m2, area_px, ground_sampling_distance_m });
    }
    Ok(Shape::new(thing.kind, area_px, thing.turns, thing.feather_px.max(0.25), thing.seed))
}

/// The middle of the observed values; 0 where there are none.
fn median<'v>(values: impl Iterator<Item = &'v f32>) -> f64 {
    let mut observed: Vec<f32> = values.copied().filter(|value| value.is_finite()).collect();
    observed.sort_by(f32::total_cmp);
    observed.get(observed.len() / 2).map_or(0.0, |value| f64::from(*value))
}

#[cfg(test)]
mod tests;
