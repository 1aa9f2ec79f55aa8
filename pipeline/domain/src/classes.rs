//! What is seen, and which changes of it are worth a suspicion: the table in `configs/classes.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// What a changed place may be in law: the four disorders (四乱, 办河湖〔2018〕245号), or what cannot be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueClass {
    /// 乱占: occupation of water or floodplain.
    Occupation,
    /// 乱采: sand mining, soil taking.
    Mining,
    /// 乱堆: dumping.
    Dumping,
    /// 乱建: construction.
    Construction,
    /// None of them can be told from what is seen (待定).
    Undetermined,
}

impl IssueClass {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Occupation, Self::Mining, Self::Dumping, Self::Construction, Self::Undetermined];

    /// The name in stores and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Occupation => "occupation",
            Self::Mining => "mining",
            Self::Dumping => "dumping",
            Self::Construction => "construction",
            Self::Undetermined => "undetermined",
        }
    }

    /// The official term.
    #[must_use]
    pub const fn official_term(self) -> &'static str {
        match self {
            Self::Occupation => "乱占",
            Self::Mining => "乱采",
            Self::Dumping => "乱堆",
            Self::Construction => "乱建",
            Self::Undetermined => "待定",
        }
    }
}

impl fmt::Display for IssueClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.official_term())
    }
}

/// The classes of a model, and its heads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelClasses {
    /// Names by id; unique over all heads.
    pub names: Vec<String>,
    /// Ids of the classes of each head, within which probabilities add up to 1. The first head is the land cover.
    pub heads: Vec<Range<usize>>,
}

impl ModelClasses {
    /// Classes of one head.
    #[must_use]
    pub fn one_head(names: Vec<String>) -> Self {
        Self { heads: std::iter::once(0..names.len()).collect(), names }
    }

    /// The id of a class.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Number of the head of a class; `None` for a class that the model lacks.
    #[must_use]
    pub fn head(&self, name: &str) -> Option<usize> {
        self.id(name).and_then(|id| self.heads.iter().position(|head| head.contains(&id)))
    }
}

/// The largest [`Transition::minimum_width_px`].
pub const MOST_WIDTH_PX: usize = 15;

/// The largest factor of a [`ZonePrior`]: with it ground of the least [persistence](crate::belief::PERSISTENCE) still
/// keeps a probability of its own to stay.
pub const MOST_ZONE_FACTOR: f64 = 5.0;

/// What a class shows where ground became it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Class after, by the model's name.
    pub class: String,
    /// What is seen ("building", "bare_ground").
    pub object_class: String,
    /// What it may be in law.
    pub suspected_issue_class: IssueClass,
}

/// One row of the table: a change from some classes to others, and what it may be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Number of the row, 1 to 250: the label in change rasters.
    pub id: u8,
    /// Name ("vegetation_to_built_up").
    pub name: String,
    /// Classes before, by the model's names; of one head, since they count together.
    pub from: Vec<String>,
    /// Classes after, of one head (not always that of `from`), and what each of them shows. They count together, since models confuse them on fresh ground; the
    /// one that most of a patch became says what the patch shows.
    pub to: Vec<Outcome>,
    /// Pixels and patches below this confidence (0..1) are not emitted.
    pub minimum_confidence: f64,
    /// Edge in pixels of the square that must fit into a change: what is narrower is taken for misregistration or for a
    /// shoreline that moved. 1 to [`MOST_WIDTH_PX`].
    pub minimum_width_px: usize,
    /// Patches below this area in m² are not emitted.
    pub minimum_area_m2: f64,
    /// Why the row is there, for people.
    pub reason: String,
}

impl Transition {
    /// Every class that the row names.
    pub fn classes(&self) -> impl Iterator<Item = &String> {
        self.from.iter().chain(self.to.iter().map(|outcome| &outcome.class))
    }
}

/// The table of changes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassTable {
    /// Version of this file format: 1.
    pub schema_version: u32,
    /// Score of change (0..1, [`crate::evidence`]) that a row's pixels must reach as well: what the classes say and the pixels
    /// do not show is a whim of the model. Counted with the reason [`NOT_SEEN_REASON`].
    #[serde(default)]
    pub minimum_change_score: f64,
    /// Changes that stand in no row and are emitted nevertheless; none where this is missing.
    #[serde(default)]
    pub unclassified: Option<Unclassified>,
    /// Changes that happen by themselves: counted with their reason, not emitted.
    #[serde(default)]
    pub natural: Vec<Natural>,
    /// Transition priors of the [belief](crate::belief) inside function zones of the shoreline; elsewhere, and where this is
    /// missing, the classes' own. Of zones that overlap the row that stands first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zone_priors: Vec<ZonePrior>,
    /// Changes that raise a suspicion.
    pub transitions: Vec<Transition>,
}

/// How likely ground becomes something else from one pass to the next inside one kind of function zone (岸线功能区).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZonePrior {
    /// Kind of zone, a name of the rules' vocabulary ("protection").
    pub zone: String,
    /// Factors (0 to [`MOST_ZONE_FACTOR`]) on the prior probability that other ground becomes a class of the first head, by the
    /// class; 1 for those that do not stand here. What is not taken away or added that way stays what it is.
    pub becomes: BTreeMap<String, f64>,
}

/// A change that the pixels show and that stands in no row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unclassified {
    /// Score of change (0..1) that its pixels must reach.
    pub minimum_score: f64,
    /// Edge in pixels of the square that must fit into it, 1 to [`MOST_WIDTH_PX`].
    pub minimum_width_px: usize,
    /// Smaller ones in m² are not emitted.
    pub minimum_area_m2: f64,
}

/// A change between classes of the first head that happens by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Natural {
    /// What makes it ("water_level", "season"). Several rows may share one.
    pub reason: String,
    /// Most probable class before.
    pub from: Vec<String>,
    /// Most probable class after.
    pub to: Vec<String>,
}

/// Reason of a change that only the classes show.
pub const NOT_SEEN_REASON: &str = "not_seen_in_the_pixels";

/// Most different reasons of natural changes.
pub const MOST_REASONS: usize = 3;

impl ClassTable {
    /// The row with a label.
    #[must_use]
    pub fn transition(&self, id: u8) -> Option<&Transition> {
        self.transitions.iter().find(|transition| transition.id == id)
    }

    /// The largest width of all rows.
    #[must_use]
    pub fn widest_px(&self) -> usize {
        let rows = self.transitions.iter().map(|row| row.minimum_width_px);
        rows.chain(self.unclassified.iter().map(|row| row.minimum_width_px)).max().unwrap_or(1)
    }

    /// The different reasons of natural changes, in the order of their first rows.
    #[must_use]
    pub fn natural_reasons(&self) -> Vec<&str> {
        let mut reasons: Vec<&str> = Vec::new();
        for row in &self.natural {
            if !reasons.contains(&row.reason.as_str()) {
                reasons.push(&row.reason);
            }
        }
        reasons
    }

    /// All faults of the table against the model's classes, in words.
    #[must_use]
    pub fn faults(&self, model: &ModelClasses) -> Vec<String> {
        let mut faults = Vec::new();
        if self.schema_version != 1 {
            faults.push(format!("schema_version: expected 1, got {}", self.schema_version));
        }
        let least = self.unclassified.as_ref().map(|row| ("unclassified, minimum_score", row.minimum_score));
        for (name, score) in least.into_iter().chain([("minimum_change_score", self.minimum_change_score)]) {
            if !(0.0..=1.0).contains(&score) {
                faults.push(format!("{name} must be 0 to 1, got {score}"));
            }
        }
        if let Some(row) = self.unclassified.as_ref().filter(|row| !(1..=MOST_WIDTH_PX).contains(&row.minimum_width_px))
        {
            faults.push(format!(
                "unclassified: minimum_width_px must be 1 to {MOST_WIDTH_PX}, got {}",
                row.minimum_width_px
            ));
        }
        if let Some(row) =
            self.unclassified.as_ref().filter(|row| row.minimum_area_m2.is_nan() || row.minimum_area_m2 < 0.0)
        {
            faults.push(format!("unclassified: minimum_area_m2 must be at least 0, got {}", row.minimum_area_m2));
        }
        if self.natural_reasons().len() > MOST_REASONS {
            faults.push(format!(
                "natural: at most {MOST_REASONS} different reasons, got {}",
                self.natural_reasons().len()
            ));
        }
        for row in &self.natural {
            for class in row.from.iter().chain(&row.to).filter(|class| model.head(class) != Some(0)) {
                faults
                    .push(format!("natural change {:?}: {class:?} is no class of the model's first head", row.reason));
            }
        }
        faults.extend(self.zone_faults(model));
        for (i, row) in self.transitions.iter().enumerate() {
            if !(1..=250).contains(&row.id) {
                faults.push(format!("transition {:?}: id must be 1 to 250, got {}", row.name, row.id));
            }
            if let Some(twin) = self.transitions[..i].iter().find(|twin| twin.id == row.id || twin.name == row.name) {
                faults.push(format!(
                    "transition {:?}: id {} or its name is already used by {:?}",
                    row.name, row.id, twin.name
                ));
            }
            if row.from.is_empty() || row.to.is_empty() {
                faults.push(format!("transition {:?}: from and to must name at least one class", row.name));
            }
            if let Some(class) = row.from.iter().find(|class| row.to.iter().any(|outcome| outcome.class == **class)) {
                faults.push(format!("transition {:?}: class {class:?} stands in from and in to", row.name));
            }
            for class in row.classes().filter(|class| model.id(class).is_none()) {
                faults.push(format!(
                    "transition {:?}: the model has no class {class:?}; it has {}",
                    row.name,
                    model.names.join(", ")
                ));
            }
            let after: Vec<&String> = row.to.iter().map(|outcome| &outcome.class).collect();
            for (side, classes) in [("from", row.from.iter().collect()), ("to", after)] {
                let heads: BTreeSet<usize> = classes.iter().filter_map(|class| model.head(class)).collect();
                if heads.len() > 1 {
                    faults.push(format!(
                        "transition {:?}: the classes in {side} are of {} heads of the model, whose probabilities cannot be added; make a row for each",
                        row.name,
                        heads.len()
                    ));
                }
            }
            if !(0.0..=1.0).contains(&row.minimum_confidence) {
                faults.push(format!(
                    "transition {:?}: minimum_confidence must be 0 to 1, got {}",
                    row.name, row.minimum_confidence
                ));
            }
            if !(1..=MOST_WIDTH_PX).contains(&row.minimum_width_px) {
                faults.push(format!(
                    "transition {:?}: minimum_width_px must be 1 to {MOST_WIDTH_PX}, got {}",
                    row.name, row.minimum_width_px
                ));
            }
            if !(row.minimum_area_m2 >= 0.0 && row.minimum_area_m2.is_finite()) {
                faults.push(format!(
                    "transition {:?}: minimum_area_m2 must be at least 0, got {}",
                    row.name, row.minimum_area_m2
                ));
            }
        }
        faults
    }

    fn zone_faults(&self, model: &ModelClasses) -> Vec<String> {
        let mut faults = Vec::new();
        for (i, row) in self.zone_priors.iter().enumerate() {
            let named = |fault: String| format!("zone prior {:?}: {fault}", row.zone);
            if self.zone_priors[..i].iter().any(|twin| twin.zone == row.zone) {
                faults.push(named("the zone has a row already".to_owned()));
            }
            if row.becomes.is_empty() {
                faults.push(named("becomes must name at least one class".to_owned()));
            }
            for (class, factor) in &row.becomes {
                if model.head(class) != Some(0) {
                    faults.push(named(format!("{class:?} is no class of the model's first head")));
                }
                if !(0.0..=MOST_ZONE_FACTOR).contains(factor) {
                    faults
                        .push(named(format!("the factor of {class:?} must be 0 to {MOST_ZONE_FACTOR}, got {factor}")));
                }
            }
        }
        faults
    }
}
