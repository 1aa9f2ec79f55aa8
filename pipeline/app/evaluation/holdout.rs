//! Which chips training never saw, as the bundle says it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// `holdout.json` of a bundle.
#[derive(Debug, Deserialize)]
pub struct Holdout {
    /// Each chip by its file's stem.
    pub chips: BTreeMap<String, ChipPart>,
    /// What of the galleries of textures was held out.
    pub galleries: GalleryPart,
    /// Labelled pixels of each class over all chips, as training counted them: whoever labels anew can see that it is the
    /// same.
    #[serde(default)]
    pub labelled_px: BTreeMap<String, u64>,
}

/// Where a chip belongs.
#[derive(Debug, Clone, Deserialize)]
pub struct ChipPart {
    /// Its part.
    pub part: Part,
    /// Number of the place that it shows.
    pub place: u32,
    /// Whether training saw this place, on another date.
    pub place_seen_in_training: bool,
}

/// Parts of the chips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Learnt from.
    Train,
    /// Calibrated on.
    Validation,
    /// Held out by the digest of their water mask.
    TestMask,
    /// Held out with every other chip of their place.
    TestPlace,
}

/// The galleries' part.
#[derive(Debug, Deserialize)]
pub struct GalleryPart {
    /// In words.
    pub held_out: String,
    /// Rows of tiles from this share of the picture on were held out, 0..1.
    pub held_out_from_share: f64,
}

/// One way of holding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// By mask digest, as the issue of this model asks; leaks, since most of its places were seen on other dates.
    ByMask,
    /// Places that training never saw.
    UnseenPlaces,
}

impl Split {
    /// Both, the first being the one that the goals are for.
    pub const ALL: [Self; 2] = [Self::ByMask, Self::UnseenPlaces];

    /// Key in `eval.json`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::ByMask => "by_mask",
            Self::UnseenPlaces => "unseen_places",
        }
    }

    /// For people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::ByMask => "Held out by mask hash",
            Self::UnseenPlaces => "Places never seen in training",
        }
    }

    /// What it can and cannot show.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::ByMask => {
                "Chips with one and the same hand-made mask never straddle training and test. This leaks: most of these \
                 places were seen in training on another date, under the same WorldCover labels."
            }
            Self::UnseenPlaces => "Geographic hold-out: no chip of these places took part in training or calibration.",
        }
    }

    /// Whether a chip is scored.
    #[must_use]
    pub fn holds(self, chip: &ChipPart) -> bool {
        match self {
            Self::ByMask => chip.part == Part::TestMask,
            Self::UnseenPlaces => {
                chip.part == Part::TestPlace || chip.part == Part::TestMask && !chip.place_seen_in_training
            }
        }
    }
}

impl Holdout {
    /// Reads the list of a bundle.
    ///
    /// # Errors
    /// It is not there, or is no such list.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(file).map_err(|fault| {
            Failure::input(format!(
                "{}: {fault}; a bundle is scored on what its training never saw, and this file says what that is; \
                 evaluate a bundle that has one (shoreland), or name the list of another with --holdout",
                file.display()
            ))
        })?;
        serde_json::from_str(&text).map_err(|fault| {
            Failure::input(format!("{}: expected a list of held-out chips, got {fault}", file.display()))
        })
    }

    /// Chips of a part, in order of their names.
    pub fn of_part(&self, part: Part) -> impl Iterator<Item = &str> {
        self.chips.iter().filter(move |(_, chip)| chip.part == part).map(|(name, _)| name.as_str())
    }
}
