//! `manifest.toml`: everything that must be known about a model to use it, and to judge it.
//!
//! The [STAC Machine Learning Model extension](https://github.com/stac-extensions/mlm) (1.4) has words for most of it:
//!
//! | here | there |
//! |---|---|
//! | `name`, `kind` | `mlm:name`, `mlm:tasks` (`semantic-segmentation`) |
//! | `weights.format`, `file`, `size_bytes`, `blake3` | an asset of role `mlm:model` with `mlm:artifact_type`, `file:size`, `file:checksum` |
//! | `input.bands`: `role`, `mean`, `standard_deviation` | `mlm:input`: `bands` (STAC common names), `value_scaling` of type `z-score` |
//! | `input`: (batch, band, row, col) | `mlm:input.input.dim_order`: `batch`, `bands`, `height`, `width` |
//! | `output.heads` | one `mlm:output` each |
//! | `classes`: `id`, `name`, `colour` | `classification:classes`: `value`, `name`, `color_hint` |
//!
//! It has none for sets of bands, halo, calibration and scores.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shorewatch_domain::digest::Digest;
use shorewatch_domain::sensor::BandRole;

/// The manifest of a bundle. Unknown keys are errors.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this file format: 2.
    pub schema_version: u32,
    /// Name of the model, which is that of its folder.
    pub name: String,
    /// Version of the model, `major.minor.patch`.
    pub version: String,
    /// For people.
    pub title: String,
    /// For people: what it sees, how it was made, where it fails.
    pub description: String,
    /// What the model does.
    pub kind: Kind,
    /// The oldest version of this program that can use it, `major.minor.patch`.
    pub minimum_program_version: String,
    /// The stored forms of one network.
    pub weights: Vec<Weights>,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// The classes, in the order of the network's channels.
    pub classes: Vec<ClassDefinition>,
    /// What it was trained on.
    pub training_data: Vec<TrainingData>,
    /// How good it is, measured on places it was not trained on.
    pub scores: ScoreCard,
}

/// What a model does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One date in, classes out.
    Segmentation,
    /// Two dates in, change out. The network's channels are the bands of the earlier date, then the same of the later;
    /// its one head has two classes, the second named [`CHANGED`].
    Bitemporal,
}

/// Name of the class of a bitemporal model that says change.
pub const CHANGED: &str = "changed";

impl Kind {
    /// The name in manifests and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Segmentation => "segmentation",
            Self::Bitemporal => "bitemporal",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Segmentation => "one date in, classes out",
            Self::Bitemporal => "two dates in, change out",
        }
    }

    /// How many dates the network is shown.
    #[must_use]
    pub const fn dates(self) -> usize {
        match self {
            Self::Segmentation => 1,
            Self::Bitemporal => 2,
        }
    }
}

/// How weights are stored, and so what can run them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// TorchScript, for libtorch.
    #[serde(rename = "torchscript")]
    TorchScript,
    /// ONNX in single precision, for ONNX Runtime. Input `reflectance`, normalised, (batch, channel, row, col) with the
    /// channels that [`Kind`] says; output `logits`, (batch, class, row, col); batch, row and col are free.
    Onnx,
    /// The same with 8-bit weights and activations (QDQ).
    OnnxInt8,
}

impl Format {
    /// The name in manifests, configurations and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TorchScript => "torchscript",
            Self::Onnx => "onnx",
            Self::OnnxInt8 => "onnx_int8",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One file of weights.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// How the weights are stored.
    pub format: Format,
    /// File name beside the manifest.
    pub file: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// BLAKE3 digest of the file.
    pub blake3: Digest,
}

/// What goes into the network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// What the numbers are: `reflectance` (0..1, may exceed it a little).
    pub units: String,
    /// Finest pixel the model was made for, in metres.
    pub ground_sampling_distance_min_m: f64,
    /// Coarsest pixel the model was made for, in metres.
    pub ground_sampling_distance_max_m: f64,
    /// Side of the square that is best run at once, without its halo, in pixels.
    pub tile_px: usize,
    /// How far the network looks beyond a pixel, in pixels.
    pub halo_px: usize,
    /// Rows and columns must be multiples of this many pixels, and tiles begin at multiples of it.
    pub alignment_px: usize,
    /// The bands of one date, in the order of the network's channels. One that a pass lacks is shown as its mean.
    pub bands: Vec<InputBand>,
    /// The sets of bands that the network may be run with.
    pub band_sets: Vec<BandSet>,
}

/// Bands that suffice to run a network. The largest set that a pass has is used; a pass with none is refused.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandSet {
    /// Name ("six_bands", "natural_colour").
    pub name: String,
    /// The bands, some of [`Input::bands`].
    pub roles: Vec<BandRole>,
    /// Mean IoU that was measured with this set on places that were not trained on.
    pub mean_iou: f64,
}

/// One band, and how its reflectance becomes the network's input: `(reflectance − mean) / standard_deviation`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputBand {
    /// What the band measures.
    pub role: BandRole,
    /// Mean reflectance in training.
    pub mean: f64,
    /// Standard deviation of reflectance in training.
    pub standard_deviation: f64,
}

/// What comes out of the network.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Groups of consecutive channels, in order.
    pub heads: Vec<Head>,
}

/// Channels whose probabilities add up to 1: `softmax(logits / temperature + bias)` over the classes of the head,
/// fitted so that they mean what they say (Guo et al. 2017: temperature and vector scaling).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Name ("land_cover"), as [`ClassDefinition::head`] says it.
    pub name: String,
    /// Divides the logits.
    pub temperature: f64,
    /// Added to the divided logits, one number a class of the head.
    pub bias: Vec<f64>,
}

/// One class.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassDefinition {
    /// Channel of the class, from 0.
    pub id: u8,
    /// Name, as the table of transitions uses it; unique over all heads.
    pub name: String,
    /// Name of the head that it belongs to.
    pub head: String,
    /// The coarse group.
    pub group: ClassGroup,
    /// The colour in maps.
    pub colour: Colour,
}

/// What a class is, coarsely.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassGroup {
    /// Open water.
    Water,
    /// Whatever grows.
    Vegetation,
    /// Whatever was built.
    Built,
    /// Bare ground, sand, rock.
    Bare,
    /// A thing on the ground: a pit, a building, a fish cage.
    Object,
    /// Nothing of what its head looks for.
    None,
}

impl ClassGroup {
    /// The name in manifests and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Water => "water",
            Self::Vegetation => "vegetation",
            Self::Built => "built",
            Self::Bare => "bare",
            Self::Object => "object",
            Self::None => "none",
        }
    }
}

/// A colour: red, green, blue; written `#rrggbb`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour(pub [u8; 3]);

/// Text that is not a colour.
#[derive(Debug, thiserror::Error)]
#[error("expected a colour like \"#2f6fb0\", got {got:?}")]
pub struct NotAColour {
    got: String,
}

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || NotAColour { got: text.to_owned() };
        let digits = text.strip_prefix('#').ok_or_else(fault)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault());
        }
        let packed = u32::from_str_radix(digits, 16).map_err(|_| fault())?;
        let [_, red, green, blue] = packed.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl TryFrom<String> for Colour {
    type Error = NotAColour;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// One set that the model was trained on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// Name of the set.
    pub name: String,
    /// Its licence.
    pub licence: String,
    /// Where it comes from.
    pub source: String,
    /// What was taken of it, and how.
    pub note: String,
}

/// How good the model is (each 0..1, measured on places it was not trained on).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, toml::Value>")]
pub struct ScoreCard {
    /// Intersection over union of water against everything else; a model of change has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub water_iou: Option<f64>,
    /// Mean over classes of intersection over union.
    pub mean_iou: f64,
    /// Expected calibration error of the most probable class, after calibration.
    pub expected_calibration_error: f64,
    /// Intersection over union by class name.
    pub iou_by_class: BTreeMap<String, f64>,
    /// Further numbers, by name.
    pub further: BTreeMap<String, f64>,
}

/// A table of scores that lacks one, or holds something else than numbers.
#[derive(Debug, thiserror::Error)]
#[error("scores: {0}")]
pub struct NotAScoreCard(String);

impl TryFrom<BTreeMap<String, toml::Value>> for ScoreCard {
    type Error = NotAScoreCard;

    fn try_from(mut table: BTreeMap<String, toml::Value>) -> Result<Self, Self::Error> {
        let missing = |name: &str| NotAScoreCard(format!("missing {name:?}"));
        let by_class = table.remove("iou_by_class").ok_or_else(|| missing("iou_by_class"))?;
        let by_class =
            by_class.as_table().ok_or_else(|| NotAScoreCard("iou_by_class: expected a table of numbers".to_owned()))?;
        let iou_by_class =
            by_class.iter().map(|(name, value)| number(name, value)).collect::<Result<BTreeMap<_, _>, _>>()?;
        let mut further =
            table.iter().map(|(name, value)| number(name, value)).collect::<Result<BTreeMap<_, _>, _>>()?;
        let water_iou = further.remove("water_iou");
        let mut take = |name: &str| further.remove(name).ok_or_else(|| missing(name));
        Ok(Self {
            water_iou,
            mean_iou: take("mean_iou")?,
            expected_calibration_error: take("expected_calibration_error")?,
            iou_by_class,
            further,
        })
    }
}

fn number(name: &str, value: &toml::Value) -> Result<(String, f64), NotAScoreCard> {
    let number = match value {
        toml::Value::Float(number) => *number,
        toml::Value::Integer(number) => *number as f64,
        other => return Err(NotAScoreCard(format!("{name}: expected a number, got {other}"))),
    };
    Ok((name.to_owned(), number))
}

impl Manifest {
    /// The weights in one form.
    #[must_use]
    pub fn weights_in(&self, format: Format) -> Option<&Weights> {
        self.weights.iter().find(|weights| weights.format == format)
    }

    /// The class ids of every head, in order of the heads; a good manifest's heads lie side by side.
    #[must_use]
    pub fn head_classes(&self) -> Vec<Range<usize>> {
        let mut next = 0;
        let ends = self.output.heads.iter().map(|head| {
            let start = next;
            next += self.classes[start..].iter().take_while(|class| class.head == head.name).count();
            start..next
        });
        ends.collect()
    }

    /// Reads a manifest; a key that is missing, misnamed or of another type is an error with its line. The values are
    /// judged by [`Manifest::faults`].
    ///
    /// # Errors
    /// The text is no TOML or not of this shape.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}
