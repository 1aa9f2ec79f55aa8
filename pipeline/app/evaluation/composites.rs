//! Objects of concern planted on chips of places that training never saw, in textures that it never saw, by another painter
//! than the one it learnt from.
//!
//! There are no pixel labels of pits, dumps or fish cages: what is measured here is how well the network finds what
//! [`shorewatch_synth::plant`] plants. The true figure lies below it; only reviewed patches can tell how far.

use std::path::Path;

use ndarray::{Array2, Array3, ArrayView3, Axis, s};

use shorewatch_domain::observed::Causes;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::BandRole;
use shorewatch_evaluation::IGNORE;
use shorewatch_evaluation::labels::{BUILT_UP, WATER};
use shorewatch_evaluation::objects::{NO_OBJECT, ObjectOutcomes, kinds};
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::stored::read_stored;
use shorewatch_models::Segmenter;
use shorewatch_synth::plant::{Ground, PlantKind, Planted, Planting, Scatter, Texture, plant, scatter};

use super::chips::{Chip, ChipReader};
use super::holdout::GalleryPart;
use crate::failure::Failure;

/// Images painted on each chip.
const IMAGES_PER_CHIP: u64 = 2;
/// Things drawn for each image, at most; those without room are left out.
const THINGS_PER_IMAGE: usize = 9;
/// Smallest and largest thing in pixels.
const SIZES_PX: (f64, f64) = (4.0, 400.0);
/// Sizes are meant in pixels: the painter is told of pixels of ten metres, those of the galleries.
const PIXEL_M: f64 = 10.0;
/// Share of the things of a textured kind that carry a real texture.
const TEXTURED_SHARE: f64 = 0.5;
/// A thing must differ from the ground around it by the first number plus the second × the standard deviation of that
/// ground (mean over the bands that all sensors have); one that differs less is not planted: nobody could see it. As in
/// training (`models/training/compose.py`).
const CONTRAST: (f32, f32) = (0.03, 0.7);
/// Edge of a tile of the galleries in pixels.
const TILE_PX: usize = 48;
/// Reflectance of 0 and 255 in the galleries' display stretch: red, green, blue. Not calibrated.
const STRETCH: [(f32, f32); 3] = [(-0.015, 0.275), (-0.03, 0.26), (-0.06, 0.23)];

/// Held-out tiles of real ground, reflectance (red, green, blue; row, col).
pub struct Textures {
    spoil: Vec<Array3<f32>>,
    works: Vec<Array3<f32>>,
    bars: Vec<Array3<f32>>,
}

impl Textures {
    /// Reads the part of the galleries that training never saw.
    ///
    /// # Errors
    /// A gallery is missing or no picture.
    pub fn read(folder: &Path, held_out: &GalleryPart) -> Result<Self, Failure> {
        let of = |names: &[&str]| -> Result<Vec<Array3<f32>>, Failure> {
            let mut tiles = Vec::new();
            for name in names {
                tiles.extend(gallery(&folder.join(format!("{name}.png")), held_out.held_out_from_share)?);
            }
            Ok(tiles)
        };
        Ok(Self {
            spoil: of(&["dredge_mining", "alluvial_mining"])?,
            works: of(&["industrial"])?,
            bars: of(&["riverbank"])?,
        })
    }

    fn of_kind(&self, kind: PlantKind) -> &[Array3<f32>] {
        match kind {
            PlantKind::Pit | PlantKind::Dump => &self.spoil,
            PlantKind::Building => &self.works,
            PlantKind::Bar => &self.bars,
            _ => &[],
        }
    }
}

fn gallery(path: &Path, from_share: f64) -> Result<Vec<Array3<f32>>, Failure> {
    let picture = read_stored::<u8>(path, &Limits::default())?;
    let (bands, rows, cols) = picture.dim();
    if bands < 3 {
        return Err(Failure::input(format!("{}: expected red, green and blue, got {bands} band(s)", path.display())));
    }
    let (rows, cols) = (rows / TILE_PX, cols / TILE_PX);
    let first = (rows as f64 * from_share).round() as usize;
    let places = (first..rows).flat_map(|row| (0..cols).map(move |col| (row * TILE_PX, col * TILE_PX)));
    let tiles = places.filter_map(|(row, col)| {
        let tile = picture.slice(s![..3, row..row + TILE_PX, col..col + TILE_PX]);
        let pixels = (TILE_PX * TILE_PX) as f64;
        let share = |value: u8| {
            tile.lanes(Axis(0)).into_iter().filter(|pixel| pixel.iter().all(|&band| band == value)).count() as f64
                / pixels
        };
        // empty and saturated tiles are no ground
        (share(0) < 0.02 && share(255) < 0.2).then(|| reflectance(tile))
    });
    Ok(tiles.collect())
}

fn reflectance(tile: ArrayView3<'_, u8>) -> Array3<f32> {
    let mut out = tile.mapv(f32::from);
    for (mut band, (low, high)) in out.outer_iter_mut().zip(STRETCH) {
        band.mapv_inplace(|value| (low + value / 255.0 * (high - low)).max(0.005));
    }
    out
}

/// One painted image.
pub struct Composite {
    /// Reflectance, mask and halo.
    pub raster: Raster,
    /// Kind of each pixel of the chip (row, col), [`IGNORE`] at edges, in shadows, in towns and where nothing is known.
    pub truth: Array2<u8>,
}

/// Plants things on a chip; the same chip and number give the same image.
///
/// # Errors
/// The chip can't be read.
pub fn compose(
    chip: &Chip,
    reader: &ChipReader<'_>,
    roles: &[BandRole],
    halo_px: usize,
    textures: &Textures,
    number: u64,
) -> Result<Composite, Failure> {
    let mut raster = reader.read(chip, roles)?;
    let observed = reader.observed(&raster);
    let label = &chip.labelled.label;
    let mut truth = label.mapv(|class| if class == IGNORE || class == BUILT_UP { IGNORE } else { NO_OBJECT });
    let water = label.mapv(|class| class == WATER);
    let allowed = ndarray::Zip::from(&truth).and(&observed).map_collect(|kind, seen| *kind != IGNORE && *seen);
    let chip_number: u64 = chip.name.parse().unwrap_or(0);
    let plan = Scatter {
        seed: 7 + 1000 * chip_number + number,
        count: THINGS_PER_IMAGE,
        kinds: PlantKind::OBJECTS.iter().copied().chain([PlantKind::Bar]).collect(),
        smallest_px: SIZES_PX.0,
        largest_px: SIZES_PX.1,
        ground_sampling_distance_m: PIXEL_M,
    };
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let (rows, cols) = chip.size();
    let inner = s![.., halo_px..halo_px + rows, halo_px..halo_px + cols];
    for thing in scatter(&plan, water.view(), allowed.view()) {
        let before = raster.pixels.slice(inner).to_owned();
        let ground = raster.pixels.slice_mut(inner);
        let mut ground = Ground { reflectance: ground, roles: &names, ground_sampling_distance_m: PIXEL_M };
        let planted = plant(&mut ground, &thing, texture(textures, &thing).as_ref())
            .map_err(|fault| Failure::internal(fault.to_string()))?;
        let after = raster.pixels.slice(inner);
        if thing.kind.is_object() && !is_visible(&planted, before.view(), after, roles) {
            raster.pixels.slice_mut(inner).assign(&before);
            continue;
        }
        mark(&planted, &mut truth);
    }
    truth.zip_mut_with(&observed, |kind, seen| {
        if !seen {
            *kind = IGNORE;
        }
    });
    // what was not observed stays empty whatever was painted over it
    for mut band in raster.pixels.outer_iter_mut() {
        band.zip_mut_with(&raster.causes, |value, cause| {
            if !cause.is_observed() {
                *value = 0.0;
            }
        });
    }
    Ok(Composite { raster, truth })
}

/// The held-out texture that a thing is painted with, for half of those that may have one.
#[must_use]
pub fn texture<'a>(textures: &'a Textures, thing: &Planting) -> Option<Texture<'a>> {
    let tiles = textures.of_kind(thing.kind);
    let drawn = thing.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let is_textured = (drawn % 1000) as f64 / 1000.0 < TEXTURED_SHARE;
    let tile = tiles.get(drawn as usize / 1000 % tiles.len().max(1)).filter(|_| is_textured)?;
    Some(Texture { reflectance: tile.view(), ground_sampling_distance_m: PIXEL_M })
}

/// Whether somebody could see the thing on its ground.
#[must_use]
pub fn is_visible(
    planted: &Planted,
    before: ArrayView3<'_, f32>,
    after: ArrayView3<'_, f32>,
    roles: &[BandRole],
) -> bool {
    let (rows, cols) = planted.truth.dim();
    let window = s![.., planted.top_row..planted.top_row + rows, planted.left_column..planted.left_column + cols];
    let (before, after) = (before.slice_move(window), after.slice_move(window));
    let (mut contrast, mut spread, mut deviation, mut bands) = (0.0, 0.0, 0.0, 0.0_f32);
    for (band, role) in roles.iter().enumerate() {
        if !matches!(role, BandRole::Blue | BandRole::Green | BandRole::Red | BandRole::Nir) {
            continue;
        }
        let of = |array: &ArrayView3<'_, f32>, wanted: &dyn Fn((usize, usize)) -> bool| -> Vec<f32> {
            array
                .index_axis(Axis(0), band)
                .indexed_iter()
                .filter(|(place, _)| wanted(*place))
                .map(|(_, v)| *v)
                .collect()
        };
        let thing = of(&after, &|place| planted.truth[place]);
        let mut ground = of(&before, &|place| !planted.truth[place] && !planted.doubt[place]);
        if thing.len() < 3 || ground.is_empty() {
            return false;
        }
        let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
        let own = mean(&thing);
        spread += mean(&thing.iter().map(|value| (value - own).abs()).collect::<Vec<_>>());
        let middle = mean(&ground);
        deviation += mean(&ground.iter().map(|value| (value - middle).powi(2)).collect::<Vec<_>>()).sqrt();
        ground.sort_by(f32::total_cmp);
        contrast += (own - ground[ground.len() / 2]).abs();
        bands += 1.0;
    }
    bands > 0.0 && (contrast + spread) / bands >= CONTRAST.0 + CONTRAST.1 * deviation / bands
}

fn mark(planted: &Planted, truth: &mut Array2<u8>) {
    // a bar is no object, and so is what lies about it
    let Some(kind) = PlantKind::OBJECTS.iter().position(|kind| *kind == planted.kind) else { return };
    for (place, &covered) in planted.truth.indexed_iter() {
        let at = (place.0 + planted.top_row, place.1 + planted.left_column);
        if covered {
            truth[at] = kind as u8 + 1;
        } else if planted.doubt[place] {
            truth[at] = IGNORE;
        }
    }
}

/// The object head of a segmenter: ids of its classes, `no_object` first, then [`PlantKind::OBJECTS`].
pub fn object_ids(segmenter: &dyn Segmenter) -> Option<Vec<usize>> {
    let classes = &segmenter.description().classes;
    let names = std::iter::once("no_object").chain(PlantKind::OBJECTS.iter().map(|kind| kind.name()));
    names.map(|name| classes.iter().position(|class| class.name == name)).collect()
}

/// Things found on every composite of some chips, and on the chips as they are.
#[derive(Default)]
pub struct ObjectTally {
    /// Things.
    pub outcomes: ObjectOutcomes,
    /// Painted images.
    pub images: u64,
    /// Pixels of plain ground outside towns that are called an object although nothing was painted.
    pub false_px: u64,
    /// Pixels of plain ground.
    pub plain_px: u64,
    /// Some images with truth and answer, for pictures: (chip, reflectance without halo, truth, answer).
    pub examples: Vec<Example>,
}

/// One painted image with its answer.
pub struct Example {
    /// Name of the chip.
    pub chip: String,
    /// Reflectance (band, row, col) without the halo.
    pub reflectance: Array3<f32>,
    /// Kind of each pixel (row, col).
    pub truth: Array2<u8>,
    /// Called kind of each pixel (row, col).
    pub called: Array2<u8>,
}

impl ObjectTally {
    /// The counts of several parts together; of the examples the first few are kept.
    #[must_use]
    pub fn sum(parts: impl Iterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.outcomes.objects.extend(part.outcomes.objects);
            sum.outcomes.findings.extend(part.outcomes.findings);
            sum.images += part.images;
            sum.false_px += part.false_px;
            sum.plain_px += part.plain_px;
            sum.examples.extend(part.examples);
        }
        sum.examples.truncate(EXAMPLES);
        sum
    }
}

/// Pictures that are kept.
const EXAMPLES: usize = 6;

/// Paints on a chip, asks the segmenter, and counts.
///
/// # Errors
/// A chip can't be read, or the segmenter fails.
pub fn tally(
    segmenter: &dyn Segmenter,
    ids: &[usize],
    chip: &Chip,
    reader: &ChipReader<'_>,
    roles: &[BandRole],
    textures: &Textures,
) -> Result<ObjectTally, Failure> {
    let halo = segmenter.description().halo_px;
    let answer = |raster: &Raster| -> Result<Array2<u8>, Failure> {
        let observed = raster.causes.mapv(Causes::is_observed);
        let scores = segmenter.segment_window(&raster.roles, raster.pixels.view(), observed.view(), halo)?;
        Ok(kinds(scores.select(Axis(0), ids).view()))
    };
    let mut tally = ObjectTally::default();
    let plain = reader.read(chip, roles)?;
    for (label, kind) in chip.labelled.label.iter().zip(&answer(&plain)?) {
        let is_ground = *label != IGNORE && *label != BUILT_UP && *kind != IGNORE;
        tally.plain_px += u64::from(is_ground);
        tally.false_px += u64::from(is_ground && *kind != NO_OBJECT);
    }
    for number in 0..IMAGES_PER_CHIP {
        let made = compose(chip, reader, roles, halo, textures, number)?;
        let called = answer(&made.raster)?;
        tally.outcomes.add(made.truth.view(), called.view());
        tally.images += 1;
        let things = made.truth.iter().filter(|kind| **kind != IGNORE && **kind != NO_OBJECT).count();
        if number == 0 && tally.examples.len() < EXAMPLES && things > 250 {
            let (rows, cols) = chip.size();
            let reflectance = made.raster.pixels.slice(s![.., halo..halo + rows, halo..halo + cols]).to_owned();
            tally.examples.push(Example { chip: chip.name.clone(), reflectance, truth: made.truth, called });
        }
    }
    Ok(tally)
}
