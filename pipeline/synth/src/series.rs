//! What a painted series holds: the passes, the truth beside them and the managed reaches.

use geo_types::{LineString, Polygon};
use ndarray::{Array2, Array3};
use serde::{Deserialize, Serialize};

/// The bands of every pass, by wavelength role, in the order of the first axis of
/// [`SyntheticPass::pixels`].
pub const BANDS: [&str; 5] = ["blue", "green", "red", "nir", "swir1"];

/// Bit of [`SyntheticPass::quality`]: the sensor saw nothing here (outside the swath).
pub const QUALITY_FILL: u8 = 1;
/// Bit of [`SyntheticPass::quality`]: flagged as cloud.
pub const QUALITY_CLOUD: u8 = 2;
/// Bit of [`SyntheticPass::quality`]: flagged as the shadow of a cloud.
pub const QUALITY_CLOUD_SHADOW: u8 = 4;

/// Share of an event's pixels that must be free of every quality flag for it to count as seen.
pub const OBSERVABLE_SHARE: f64 = 0.8;

/// A painted scene in all its passes.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The acquisitions, oldest first.
    pub passes: Vec<SyntheticPass>,
    /// The known events, in the order of the scenario, then the river's own changes.
    pub truth: Vec<TruthEvent>,
    /// The managed shoreline; parts of the scene lie outside every reach.
    pub reaches: Vec<SyntheticReach>,
    /// The river along the managed shoreline.
    pub river: SyntheticRiver,
    /// The lake at its mean level, in pixel-corner coordinates of the unshifted grid.
    pub lake: Polygon<f64>,
    /// Edge of a pixel on the ground in metres.
    pub pixel_size_m: f64,
}

/// The river as a register has it, in pixel-corner coordinates of the unshifted grid (x = column, y = row).
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticRiver {
    /// Centreline with the flow, over both managed reaches.
    pub centreline: LineString<f64>,
    /// Half the mean width of the river in pixels.
    pub half_width: f64,
    /// Half the width of the managed corridor in pixels.
    pub corridor_half: f64,
}

/// One acquisition.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticPass {
    /// A name that is unique in the series, such as `synthetic-20240418`.
    pub name: String,
    /// Time of acquisition, RFC 3339, UTC.
    pub acquired_at: String,
    /// Reflectance × 10⁴, axes (band, row, column), bands as in [`BANDS`]; 0 is nodata.
    pub pixels: Array3<u16>,
    /// Quality flags, axes (row, column), on the same (shifted) grid as the pixels: bits
    /// [`QUALITY_FILL`], [`QUALITY_CLOUD`], [`QUALITY_CLOUD_SHADOW`].
    ///
    /// Flags reach a little beyond thick cloud and miss the thinnest edges, as real masks do.
    pub quality: Array2<u8>,
    /// Codes of [`SurfaceClass`], axes (row, column), at the pixel centres of the *unshifted* grid,
    /// cloud or no cloud: what truly lay there.
    pub classes: Array2<u8>,
    /// How far the picture lies from its true place, in pixels (right, down).
    pub shift_px: (f64, f64),
    /// Water level of the river in metres above its mean.
    pub water_level_m: f64,
    /// Radiometric drift: what the true reflectance was multiplied by, for each band.
    pub gain: [f64; 5],
    /// Radiometric drift: what was then added, reflectance × 10⁴, for each band.
    pub offset: [f64; 5],
}

/// What covers the ground: the six groups that the land-cover model tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum SurfaceClass {
    /// River, lake, pond.
    Water = 0,
    /// Woods and single trees.
    Trees = 1,
    /// Grass, reed, shrub.
    LowVegetation = 2,
    /// Fields at any stage, ploughed ones too.
    Crops = 3,
    /// Roofs, yards, roads, the town's gardens.
    BuiltUp = 4,
    /// Sand bars, pits, spoil.
    Bare = 5,
}

impl SurfaceClass {
    /// The code in [`SyntheticPass::classes`].
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// What happened at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Water or floodplain ringed with a dike and filled: bare ground, sheds, later crops (乱占).
    Occupation,
    /// A pit with its pond, a stockpile and an access track where vegetation was (乱采).
    SandPit,
    /// A bright, uneven heap on vegetation (乱堆).
    Dump,
    /// Roofs and a yard on vegetation (乱建).
    Building,
    /// A green field is ploughed: harmless.
    Ploughing,
    /// A bar in the channel that grows and wanders by itself: harmless.
    BarGrowth,
}

impl EventKind {
    /// The name used in files: snake case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Occupation => "occupation",
            Self::SandPit => "sand_pit",
            Self::Dump => "dump",
            Self::Building => "building",
            Self::Ploughing => "ploughing",
            Self::BarGrowth => "bar_growth",
        }
    }
}

/// A change that is known to have happened.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthEvent {
    /// Unique in the series, such as `sand_pit-2`.
    pub id: String,
    /// What happened.
    pub kind: EventKind,
    /// Whether the pipeline ought to report it; a harmless change must not alarm.
    pub suspected: bool,
    /// Why a change that is not suspected is harmless; `None` for suspected ones.
    pub harmless_because: Option<String>,
    /// Index of the first pass in which it exists (it stays from then on), seen or not.
    pub first_pass: usize,
    /// Everything that changed, in pixel-corner coordinates of the unshifted grid (x = column, y = row).
    pub polygon: Polygon<f64>,
    /// One sentence for a person.
    pub description: String,
    /// For each pass the share of the polygon's pixels that no quality flag hides (0–1).
    pub clear_share: Vec<f64>,
}

impl TruthEvent {
    /// Whether pass `pass` shows this place well enough to judge it: at least [`OBSERVABLE_SHARE`] clear.
    pub fn is_observable(&self, pass: usize) -> bool {
        self.clear_share.get(pass).is_some_and(|share| *share >= OBSERVABLE_SHARE)
    }

    /// The first pass in which the event both exists and can be seen, if there is one.
    pub fn first_seen(&self) -> Option<usize> {
        (self.first_pass..self.clear_share.len()).find(|pass| self.is_observable(*pass))
    }
}

/// A part of the managed shoreline.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticReach {
    /// Code, unique in the series.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// The management scope, in pixel-corner coordinates of the unshifted grid (x = column, y = row).
    pub polygon: Polygon<f64>,
}
