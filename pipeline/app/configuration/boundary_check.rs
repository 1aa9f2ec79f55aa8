//! Management scopes held against the water that passes saw.
//!
//! The comments of what was typed become the descriptions in the JSON Schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::at;
use super::resolve::Resolver;

/// Management scopes held against the water that passes saw (`shorewatch layers check`). Decides no result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BoundaryCheckSection {
    /// Metres around a scope in which water counts as its water that lies outside. Water that goes on beyond is taken for a river
    /// that runs on, or a tributary.
    #[schemars(range(min = 1.0, max = 5000.0))]
    pub ring_m: f64,
    /// Passes that must have observed a pixel before anything is told of it.
    #[schemars(range(min = 1, max = 1000))]
    pub passes_min: u32,
    /// The latest so many passes of a place count.
    #[schemars(range(min = 1, max = 1000))]
    pub passes_max: u32,
    /// A pixel is water where more than this share of the passes that observed it saw water.
    #[schemars(range(min = 0.0, max = 0.99))]
    pub water_share_min: f64,
    /// Water outside of a scope below this, in m², is no defect.
    #[schemars(range(min = 0.0, max = 1_000_000_000.0))]
    pub outside_min_m2: f64,
    /// Shifts of a scope below this, in metres, or below one and a half pixels, are no defect.
    #[schemars(range(min = 0.0, max = 5000.0))]
    pub shift_min_m: f64,
}

impl Default for BoundaryCheckSection {
    fn default() -> Self {
        Self {
            ring_m: 200.0,
            passes_min: 2,
            passes_max: 24,
            water_share_min: 0.5,
            outside_min_m2: 2000.0,
            shift_min_m: 20.0,
        }
    }
}

/// The section as typed, checked; faults go to the resolver.
pub(super) fn resolve(typed: &BoundaryCheckSection, resolver: &mut Resolver<'_>) -> BoundaryCheckSection {
    if typed.passes_min > typed.passes_max {
        let message = format!("passes_min {} is more than passes_max {}", typed.passes_min, typed.passes_max);
        let help = "no pixel would ever count as looked at; lower passes_min, or raise passes_max";
        resolver.refuse(at!["boundary_check", "passes_min"], message, help);
    }
    typed.clone()
}
