//! Units of work: a square of the grid × a pass, each a pure function of its inputs and addressed by their digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestBuilder};
use crate::grid::{Cell, Grid, Window};
use crate::observed::Coverage;

/// One unit of work.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Unit {
    /// Digest of everything below and of [`UnitContext`]: what the unit's result is a function of.
    pub id: Digest,
    /// The grid.
    pub grid: Grid,
    /// Which square.
    pub cell: Cell,
    /// Its edge in pixels.
    pub edge_px: usize,
    /// The later pass: the one that is looked at.
    pub pass_id: Digest,
    /// Earlier passes that it is compared with, the latest first; empty for the first pass of a place.
    pub earlier_pass_ids: Vec<Digest>,
    /// Why those, one each. No part of the identity: the same choice for another reason gives the same result.
    pub chosen: Vec<ChosenPass>,
    /// Id of what is believed of the square after all passes before this one; `None` for the first pass of a place.
    pub belief: Option<Digest>,
    /// Reaches (id, digest of the scope) that the square meets, in order of id.
    pub reaches: Vec<(String, Digest)>,
}

/// Why an earlier pass was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceReason {
    /// It is the latest before the pass.
    Latest,
    /// Of the others it is among the nearest in season, water and age.
    Alike,
    /// The operator named it.
    Named,
}

/// An earlier pass that a pass is held against, and what spoke for it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChosenPass {
    /// The earlier pass.
    pub pass_id: Digest,
    /// Why it was chosen.
    pub reason: ChoiceReason,
    /// Years between the two.
    pub years: f64,
    /// Days between their seasons (0..183).
    pub season_days: f64,
    /// By how much their water on the reaches of the place differs, as a share of the larger (0..1); `None` where either did
    /// not see those reaches nearly whole.
    pub water_difference: Option<f64>,
}

/// What a unit is held against.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Before {
    /// See [`Unit::chosen`]; their ids become [`Unit::earlier_pass_ids`].
    pub chosen: Vec<ChosenPass>,
    /// See [`Unit::belief`].
    pub belief: Option<Digest>,
}

/// What all units of a run share, and what their results depend on.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct UnitContext {
    /// Digest of the model bundle.
    pub model: Digest,
    /// Digest of the parts of the configuration that decide results (not of paths or thread counts).
    pub configuration: Digest,
}

/// Part of every unit's identity: raised whenever the program would give another result for the same inputs.
pub const RESULTS_VERSION: u32 = 7;

impl Unit {
    /// Makes a unit and computes its id.
    #[must_use]
    pub fn new(
        grid: Grid,
        cell: Cell,
        edge_px: usize,
        pass_id: Digest,
        before: Before,
        reaches: Vec<(String, Digest)>,
        context: &UnitContext,
    ) -> Self {
        let Before { chosen, belief } = before;
        let earlier_pass_ids: Vec<Digest> = chosen.iter().map(|chosen| chosen.pass_id).collect();
        let mut builder = grid
            .add_to(DigestBuilder::new("unit"))
            .field("results_version", RESULTS_VERSION.to_le_bytes())
            .field("cell_row", cell.row.to_le_bytes())
            .field("cell_col", cell.col.to_le_bytes())
            .field("edge_px", (edge_px as u64).to_le_bytes())
            .digest("model", &context.model)
            .digest("configuration", &context.configuration)
            .digest("pass", &pass_id);
        for earlier in &earlier_pass_ids {
            builder = builder.digest("earlier", earlier);
        }
        if let Some(belief) = &belief {
            builder = builder.digest("belief", belief);
        }
        for (_, scope) in &reaches {
            builder = builder.digest("reach", scope);
        }
        Self { id: builder.finish(), grid, cell, edge_px, pass_id, earlier_pass_ids, chosen, belief, reaches }
    }

    /// The pixels that the unit answers for.
    #[must_use]
    pub fn window(&self) -> Window {
        self.cell.window(self.edge_px)
    }
}

/// Ground of a unit that was not compared with an earlier pass, since the two lie too far apart there.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HeldGround {
    /// The earlier pass.
    pub pass_id: Digest,
    /// By how many pixels the two lie apart, where most.
    pub off_px: f64,
    /// Pixels in scope that both observed.
    pub px: u64,
}

/// What one unit found, beside its change map.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct UnitSummary {
    /// What was seen of each reach, by reach id.
    pub coverage: BTreeMap<String, Coverage>,
    /// Observed pixels of each reach by class id of the later pass, by reach id.
    pub class_px: BTreeMap<String, Vec<u64>>,
    /// Earlier passes that it was compared with, and why those.
    #[serde(default)]
    pub chosen: Vec<ChosenPass>,
    /// Earlier passes that lie too far off in places in scope, in order of choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldGround>,
    /// Observed pixels of each reach that were compared with nothing, since every earlier pass that observed them lies too far
    /// off, by reach id; without the zeros.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub held_px: BTreeMap<String, u64>,
    /// Blocks that could not be decoded, in words.
    pub faults: Vec<String>,
}
