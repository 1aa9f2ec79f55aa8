//! What is wrong with layers in force. Boundaries are often late, missing or shifted: a defect is reported, never mended.
//!
//! | module | looks at |
//! |---|---|
//! | `scopes` | scopes against their water in the register |
//! | [`seen_water`], `shift` | scopes against the water that passes saw |
//! | `neighbours` | gaps and overlaps between features of one layer |
//! | `reaches` | reaches against each other, kilometre points |
//! | `chiefs` | periods, and who has no chief |

mod chiefs;
mod neighbours;
mod plane;
mod reaches;
mod scopes;
pub mod seen_water;
mod shift;

use geo_types::Geometry;
use jiff::civil::Date;
use serde::Serialize;
use shorewatch_domain::law::layer::Feature;
use shorewatch_domain::law::office::Chief;
use shorewatch_domain::law::water::Water;

/// Kind of a defect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DefectKind {
    /// A scope does not contain its water.
    ScopeLacksWater,
    /// A scope would fit its water if it were moved.
    ScopeShifted,
    /// Water that passes saw lies outside of a scope.
    ScopeLacksSeenWater,
    /// A scope would lie evenly about the water that passes saw if it were moved.
    ScopeShiftedAgainstImagery,
    /// A reach runs outside of every scope.
    ReachOutsideScope,
    /// Neighbours overlap.
    Overlap,
    /// Between neighbours is a gap.
    Gap,
    /// Two reaches run along the same line.
    ReachesOverlap,
    /// Chainages of reaches of one river leave something out, or count it twice.
    ChainageBroken,
    /// A kilometre point belongs to no reach, or does not fit its reach.
    KilometrePointAstray,
    /// Two chiefs hold the same office at the same time.
    ChiefsOverlap,
    /// Between two chiefs nobody held an office.
    ChiefGap,
    /// A reach or unit has no chief.
    WithoutChief,
    /// A chief is in charge of something that is not in the register.
    ChiefOfNothing,
}

impl DefectKind {
    /// The name in exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScopeLacksWater => "scope_lacks_water",
            Self::ScopeShifted => "scope_shifted",
            Self::ScopeLacksSeenWater => "scope_lacks_seen_water",
            Self::ScopeShiftedAgainstImagery => "scope_shifted_against_imagery",
            Self::ReachOutsideScope => "reach_outside_scope",
            Self::Overlap => "overlap",
            Self::Gap => "gap",
            Self::ReachesOverlap => "reaches_overlap",
            Self::ChainageBroken => "chainage_broken",
            Self::KilometrePointAstray => "kilometre_point_astray",
            Self::ChiefsOverlap => "chiefs_overlap",
            Self::ChiefGap => "chief_gap",
            Self::WithoutChief => "without_chief",
            Self::ChiefOfNothing => "chief_of_nothing",
        }
    }
}

/// A defect.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Defect {
    /// Kind.
    pub kind: DefectKind,
    /// Name of the kind of layer.
    pub layer: String,
    /// Codes of what is concerned.
    pub codes: Vec<String>,
    /// What is wrong, in words.
    pub text: String,
    /// Area concerned in m², where it has one.
    pub area_m2: Option<f64>,
    /// Length concerned in metres, where it has one.
    pub length_m: Option<f64>,
    /// Place in CGCS2000 (longitude, latitude), where it has one.
    #[serde(skip)]
    pub geometry: Option<Geometry<f64>>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Areas in force.
    pub features: &'a [Feature],
    /// The register.
    pub waters: &'a [Water],
    /// Kilometre points whose reach is not in force: their code, and that of the reach.
    pub stray_kilometre_points: &'a [(String, String)],
    /// Chiefs; `None` where no layer of chiefs is in force.
    pub chiefs: Option<&'a [Chief]>,
    /// The day on which chiefs must be in office.
    pub day: Date,
}

/// Every defect that layers alone show, in order of kind, layer and codes.
#[must_use]
pub fn defects(inputs: &Inputs<'_>) -> Vec<Defect> {
    let mut found = scopes::defects(inputs.features, inputs.waters);
    found.extend(neighbours::defects(inputs.features));
    found.extend(reaches::defects(inputs.waters, inputs.stray_kilometre_points));
    if let Some(chiefs) = inputs.chiefs {
        found.extend(chiefs::defects(chiefs, inputs));
    }
    sort(&mut found);
    found
}

/// Puts defects into the order of kind, layer and codes.
pub fn sort(defects: &mut [Defect]) {
    defects.sort_by(|a, b| (a.kind, &a.layer, &a.codes).cmp(&(b.kind, &b.layer, &b.codes)));
}

#[cfg(test)]
mod tests;
