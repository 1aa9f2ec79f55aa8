//! A spectral rule in place of a model: for tests, and for measuring the pipeline itself.
//!
//! It tells water by the normalised difference water index (McFeeters 1996), vegetation by the normalised difference
//! vegetation index (Rouse et al. 1974), trees by their dark green, crops by their bright near infrared, and bare
//! ground from built-up by its redness. Between two thresholds membership rises linearly. It is no model: a red roof
//! is bare ground to it, and a shaded one water.

use ndarray::{Array3, ArrayView2, ArrayView3};
use shorewatch_domain::digest::DigestBuilder;
use shorewatch_domain::lanes::vectorised;
use shorewatch_domain::sensor::BandRole;

use crate::error::ModelError;
use crate::input::{Picture, in_order, not_finite};
use crate::manifest::{BandSet, ClassDefinition, ClassGroup, Colour};
use crate::segmenter::{Segmenter, SegmenterDescription, answer};
use crate::softmax::quantise;

/// Pixels that are worked on together.
const RUN_PX: usize = 128;

const BANDS: [BandRole; 3] = [BandRole::Green, BandRole::Red, BandRole::Nir];

const CLASSES: [(&str, ClassGroup, Colour); 6] = [
    ("water", ClassGroup::Water, Colour([0x2f, 0x6f, 0xb0])),
    ("trees", ClassGroup::Vegetation, Colour([0x1f, 0x6b, 0x3a])),
    ("low_vegetation", ClassGroup::Vegetation, Colour([0x9c, 0xc4, 0x6b])),
    ("crops", ClassGroup::Vegetation, Colour([0xe0, 0xc3, 0x4c])),
    ("built_up", ClassGroup::Built, Colour([0xb5, 0x3a, 0x3a])),
    ("bare", ClassGroup::Bare, Colour([0xc9, 0xa9, 0x84])),
];

/// Membership 0 at `from`, 1 at `to`, linear between.
struct Ramp {
    name: &'static str,
    from: f32,
    to: f32,
}

impl Ramp {
    #[inline(always)]
    fn at(&self, value: f32) -> f32 {
        // the division is by constants only and is done by the compiler
        let share = (value - self.from) * (1.0 / (self.to - self.from));
        let share = if share > 0.0 { share } else { 0.0 };
        if share < 1.0 { share } else { 1.0 }
    }
}

/// Water by (green − nir) / (green + nir).
const WATER: Ramp = Ramp { name: "water", from: -0.1, to: 0.1 };
/// Vegetation by (nir − red) / (nir + red).
const VEGETATION: Ramp = Ramp { name: "vegetation", from: 0.25, to: 0.40 };
/// Trees among vegetation by green reflectance.
const TREES: Ramp = Ramp { name: "trees", from: 0.065, to: 0.050 };
/// Crops among the other vegetation by near infrared reflectance.
const CROPS: Ramp = Ramp { name: "crops", from: 0.28, to: 0.33 };
/// Bare ground, rather than built-up, by (red − green) / (red + green).
const BARE: Ramp = Ramp { name: "bare", from: 0.05, to: 0.10 };

/// Keeps the indices finite over black.
const DARKEST: f32 = 1e-4;

/// The rule: reflectance to membership of the six classes, which sums to 1.
#[inline(always)]
fn memberships(green: f32, red: f32, nir: f32) -> [f32; 6] {
    let at_least = |value: f32| if value > DARKEST { value } else { DARKEST };
    let (green, red, nir) = (at_least(green), at_least(red), at_least(nir));
    let water = WATER.at((green - nir) / (green + nir));
    let vegetation = (1.0 - water) * VEGETATION.at((nir - red) / (nir + red));
    let dry = 1.0 - water - vegetation;
    let trees = vegetation * TREES.at(green);
    let crops = (vegetation - trees) * CROPS.at(nir);
    let bare = dry * BARE.at((red - green) / (red + green));
    [water, trees, vegetation - trees - crops, crops, dry - bare, bare]
}

/// The spectral rule as a segmenter: bands green, red, near infrared; any pixel size; no halo.
#[derive(Clone, Debug)]
pub struct FakeSegmenter {
    description: SegmenterDescription,
}

impl Default for FakeSegmenter {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeSegmenter {
    /// The segmenter named `fake`. Its digest is that of its constants.
    #[must_use]
    pub fn new() -> Self {
        let version = "1.0.0";
        let digest = [WATER, VEGETATION, TREES, CROPS, BARE].iter().fold(
            DigestBuilder::new("fake segmenter").field("version", version).number("darkest", DARKEST.into()),
            |digest, ramp| {
                digest.field("ramp", ramp.name).number("from", ramp.from.into()).number("to", ramp.to.into())
            },
        );
        let classes = CLASSES.iter().zip(0..).map(|(&(name, group, colour), id)| ClassDefinition {
            id,
            name: name.to_owned(),
            head: "land_cover".to_owned(),
            group,
            colour,
        });
        let description = SegmenterDescription {
            name: "fake".to_owned(),
            version: version.to_owned(),
            digest: digest.finish(),
            bands: BANDS.to_vec(),
            band_sets: vec![BandSet { name: "all".to_owned(), roles: BANDS.to_vec(), mean_iou: 0.0 }],
            ground_sampling_distance_min_m: 0.01,
            ground_sampling_distance_max_m: 1000.0,
            tile_px: 1024,
            halo_px: 0,
            alignment_px: 1,
            classes: classes.collect(),
            heads: std::iter::once(0..CLASSES.len()).collect(),
        };
        Self { description }
    }

    /// Applies the rule to every row that is kept; `take(row, col, memberships, observed)` gets runs of at most
    /// [`RUN_PX`] pixels, in coordinates of the answer.
    fn for_each_run(
        &self,
        picture: &Picture<'_>,
        crop: usize,
        mut take: impl FnMut(usize, usize, &[[f32; RUN_PX]; 6], &[bool]),
    ) -> Result<(), ModelError> {
        let (rows, cols) = picture.observed.dim();
        let planes = self.description.planes(picture.bands)?;
        let (pixels, mask) = (in_order(&picture.dates[0]), in_order(&picture.observed));
        let mut run = Run { bands: [[0.0; RUN_PX]; 3], observed: [false; RUN_PX], answer: [[0.0; RUN_PX]; 6] };
        let mut finite = true;
        for row in crop..rows - crop {
            let mask = &mask[row * cols..][crop..cols - crop];
            for (col, mask) in (0..).step_by(RUN_PX).zip(mask.chunks(RUN_PX)) {
                run.observed = [false; RUN_PX];
                run.observed[..mask.len()].copy_from_slice(mask);
                for (values, plane) in run.bands.iter_mut().zip(planes.iter().flatten()) {
                    let plane = &pixels[plane * rows * cols..];
                    values[..mask.len()].copy_from_slice(&plane[row * cols + crop + col..][..mask.len()]);
                }
                finite &= vectorised(
                    #[inline(always)]
                    || run.apply(),
                );
                take(row - crop, col, &run.answer, mask);
            }
        }
        let fault = if finite { None } else { not_finite(&self.description.name, picture) };
        fault.map_or(Ok(()), Err)
    }
}

/// Pixels side by side, in arrays of fixed length: the compiler makes vector code of that.
struct Run {
    /// Green, red, near infrared.
    bands: [[f32; RUN_PX]; 3],
    observed: [bool; RUN_PX],
    /// (class, col).
    answer: [[f32; RUN_PX]; 6],
}

impl Run {
    /// Fills `answer`; false where an observed value is not finite.
    #[inline(always)]
    fn apply(&mut self) -> bool {
        let [green, red, nir] = &self.bands;
        let mut not_finite = 0;
        for col in 0..RUN_PX {
            // NaN as soon as one is NaN or infinite
            let poison = green[col] * 0.0 + red[col] * 0.0 + nir[col] * 0.0;
            not_finite |= u32::from(self.observed[col] & poison.is_nan());
            for (row, value) in self.answer.iter_mut().zip(memberships(green[col], red[col], nir[col])) {
                row[col] = value;
            }
        }
        not_finite == 0
    }
}

impl Segmenter for FakeSegmenter {
    fn description(&self) -> &SegmenterDescription {
        &self.description
    }

    fn segment_window(
        &self,
        bands: &[BandRole],
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<u8>, ModelError> {
        let picture = Picture { bands, dates: &[reflectance], observed };
        let size @ (classes, rows, cols) = self.description.answer_size(&picture, crop)?;
        let mut out = vec![0; classes * rows * cols];
        self.for_each_run(&picture, crop, |row, col, memberships, mask| {
            for (values, plane) in memberships.iter().zip(out.chunks_exact_mut(rows * cols)) {
                quantise(&values[..mask.len()], mask, &mut plane[row * cols + col..][..mask.len()]);
            }
        })?;
        Ok(answer(size, out))
    }

    fn probabilities(
        &self,
        bands: &[BandRole],
        reflectance: ArrayView3<'_, f32>,
        observed: ArrayView2<'_, bool>,
        crop: usize,
    ) -> Result<Array3<f32>, ModelError> {
        let picture = Picture { bands, dates: &[reflectance], observed };
        let mut out = Array3::zeros(self.description.answer_size(&picture, crop)?);
        self.for_each_run(&picture, crop, |row, col, answer, mask| {
            for (class, values) in answer.iter().enumerate() {
                for (i, (value, _)) in values.iter().zip(mask).enumerate().filter(|(_, (_, observed))| **observed) {
                    out[(class, row, col + i)] = *value;
                }
            }
        })?;
        Ok(out)
    }
}
