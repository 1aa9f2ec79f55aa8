//! The figures by name: what `eval.json` holds, and which goals they meet.

use serde_json::{Map, Value, json};

use shorewatch_evaluation::confusion::share;
use shorewatch_evaluation::labels::{CLASSES, WATER};
use shorewatch_evaluation::objects::ObjectFigures;
use shorewatch_report::GoalBound;
use shorewatch_synth::plant::PlantKind;

use super::composites::ObjectTally;
use super::holdout::Split;
use super::land_cover::Tally;
use super::{Measured, SplitMeasured};

/// Objects and findings from this size on are what the goals speak of.
pub const OBJECT_FROM_PX: usize = 25;
/// Limits of the classes of size in pixels: from each to below the next.
pub const SIZES_PX: [usize; 5] = [4, 9, 25, 100, 401];

/// A goal with what was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    /// Key in `eval.json`.
    pub key: &'static str,
    /// In words.
    pub what: &'static str,
    /// What is wanted.
    pub wanted: GoalBound,
    /// What was reached; `None` where it could not be measured.
    pub reached: Option<f64>,
}

impl Goal {
    /// Whether what was reached is what is wanted. What was not measured is not met.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.reached.is_some_and(|reached| self.wanted.is_met_by(reached))
    }
}

impl Measured {
    /// The counts of a hold-out.
    #[must_use]
    pub fn split(&self, split: Split) -> Option<&SplitMeasured> {
        self.splits.iter().find(|measured| measured.split == split)
    }

    /// The goals of this kind of model, all for the hold-out by mask hash.
    #[must_use]
    pub fn goals(&self) -> Vec<Goal> {
        let tally = self.split(Split::ByMask).map(|split| &split.tally);
        let class = |name: &str| {
            let id = CLASSES.iter().position(|class| *class == name)?;
            tally?.confusion.class(id).iou
        };
        let objects = self.objects.as_ref().map(large_objects);
        let goal = |key, what, wanted, reached| Goal { key, what, wanted, reached };
        vec![
            goal(
                "water_iou",
                "water IoU against the hand-made masks as they stand, clear pixels",
                GoalBound::AtLeast(0.88),
                tally.and_then(|tally| tally.water.clear.network.iou()),
            ),
            goal(
                "water_iou_undisputed",
                "water IoU against the hand-made masks where no other witness contradicts them",
                GoalBound::AtLeast(0.88),
                tally.and_then(|tally| tally.water.undisputed.network.iou()),
            ),
            goal(
                "mean_iou",
                "mean IoU of the six classes",
                GoalBound::AtLeast(0.60),
                tally.and_then(|tally| tally.confusion.mean_iou()),
            ),
            goal("iou.built_up", "IoU of built-up ground", GoalBound::AtLeast(0.45), class("built_up")),
            goal("iou.bare", "IoU of bare ground", GoalBound::AtLeast(0.60), class("bare")),
            goal(
                "ece",
                "expected calibration error",
                GoalBound::AtMost(0.03),
                tally.and_then(|tally| tally.histograms.calibration_error()),
            ),
            goal(
                "object_recall",
                "recall of planted objects of 25 px and more",
                GoalBound::AtLeast(0.85),
                objects.and_then(|figures| figures.recall()),
            ),
            goal(
                "object_precision",
                "precision of findings of 25 px and more",
                GoalBound::AtLeast(0.80),
                objects.and_then(|figures| figures.precision()),
            ),
        ]
    }

    /// What `eval.json` holds. The figures on top are those of the hold-out by mask hash; a figure that could not be measured
    /// is `null`.
    #[must_use]
    pub fn json(&self) -> Value {
        let manifest = self.bundle.manifest();
        let mut json = Map::new();
        json.insert("bundle".into(), json!({
            "name": manifest.name, "version": manifest.version, "digest": self.bundle.digest(), "format": self.format.name(),
        }));
        json.insert("program_version".into(), json!(env!("CARGO_PKG_VERSION")));
        json.insert("started_at".into(), json!(self.started.to_string()));
        json.insert("seconds".into(), json!(self.seconds));
        for goal in self.goals().iter().filter(|goal| !goal.key.contains('.')) {
            json.insert(goal.key.into(), json!(goal.reached));
        }
        if let Some(by_mask) = self.split(Split::ByMask) {
            let classes = by_mask.tally.confusion.classes();
            json.insert("iou".into(), by_class(classes.iter().map(|class| json!(class.iou))));
            json.insert("baselines".into(), baselines(&by_mask.tally));
        }
        let goals: Vec<Value> = self
            .goals()
            .iter()
            .map(|goal| {
                let at_least = matches!(goal.wanted, GoalBound::AtLeast(_));
                json!({ "key": goal.key, "what": goal.what, if at_least { "at_least" } else { "at_most" }: goal.wanted.value(),
                        "reached": goal.reached, "met": goal.is_met() })
            })
            .collect();
        json.insert("goals".into(), json!(goals));
        let splits = self.splits.iter().map(|split| (split.split.key().to_owned(), split_json(split)));
        json.insert("holdouts".into(), Value::Object(splits.collect()));
        let sets = self.band_sets.iter().map(|(name, bands, figures)| {
            (
                name.clone(),
                json!({
                    "bands": bands,
                    "mean_iou": figures.confusion.mean_iou(),
                    "water_iou_of_labels": figures.confusion.class(usize::from(WATER)).iou,
                    "ece": figures.histograms.calibration_error(),
                }),
            )
        });
        json.insert("band_sets".into(), Value::Object(sets.collect()));
        json.insert("objects".into(), self.objects.as_ref().map_or(Value::Null, objects_json));
        Value::Object(json)
    }
}

/// Recall and precision that the goals speak of.
#[must_use]
pub fn large_objects(tally: &ObjectTally) -> ObjectFigures {
    tally.outcomes.figures(OBJECT_FROM_PX, usize::MAX, None)
}

/// Labels of [`SIZES_PX`] with their limits: from, to below.
pub fn size_classes() -> impl Iterator<Item = (String, usize, usize)> {
    SIZES_PX.windows(2).map(|limits| (format!("{}–{} px", limits[0], limits[1] - 1), limits[0], limits[1]))
}

fn by_class(values: impl Iterator<Item = Value>) -> Value {
    Value::Object(CLASSES.iter().map(ToString::to_string).zip(values).collect())
}

fn baselines(tally: &Tally) -> Value {
    json!({
        "mndwi": {
            "water_iou": tally.water.clear.mndwi.iou(),
            "water_iou_undisputed": tally.water.undisputed.mndwi.iou(),
        },
        "random_forest": {
            "mean_iou": tally.forest.mean_iou(),
            "iou": by_class(tally.forest.classes().iter().map(|class| json!(class.iou))),
        },
    })
}

fn split_json(split: &SplitMeasured) -> Value {
    let tally = &split.tally;
    let classes = tally.confusion.classes();
    let of_class = |of: &dyn Fn(usize) -> Value| by_class((0..CLASSES.len()).map(of));
    json!({
        "explanation": split.split.explanation(),
        "chips": split.chips,
        "places": split.places,
        "pixels": tally.pixels,
        "observed_px": tally.observed_px,
        "labelled_px": tally.confusion.labelled_px(),
        "accuracy": tally.confusion.accuracy(),
        "mean_iou": tally.confusion.mean_iou(),
        "iou": of_class(&|class| json!(classes[class].iou)),
        "mean_iou_as_mapped": tally.as_mapped.mean_iou(),
        "iou_as_mapped": of_class(&|class| json!(tally.as_mapped.class(class).iou)),
        "labelled_px_as_mapped": tally.as_mapped.labelled_px(),
        "precision": of_class(&|class| json!(classes[class].precision)),
        "recall": of_class(&|class| json!(classes[class].recall)),
        "f1": of_class(&|class| json!(classes[class].f1)),
        "average_precision": of_class(&|class| json!(tally.histograms.average_precision(class))),
        "confusion_true_by_predicted": tally.confusion.counts().outer_iter().map(|row| row.to_vec()).collect::<Vec<_>>(),
        "ece": tally.histograms.calibration_error(),
        "water_iou": tally.water.clear.network.iou(),
        "water_iou_undisputed": tally.water.undisputed.network.iou(),
        "disputed_share_of_hand_made_water": share(tally.water.disputed_px, tally.water.hand_px),
        "baselines": baselines(tally),
    })
}

fn objects_json(tally: &ObjectTally) -> Value {
    let large = large_objects(tally);
    let sizes = size_classes().map(|(label, from, to)| {
        let figures = tally.outcomes.figures(from, to, None);
        (label, json!({
            "objects": figures.objects, "recall": figures.recall(), "findings": figures.findings, "precision": figures.precision(),
        }))
    });
    let kinds = PlantKind::OBJECTS.iter().zip(1..).map(|(kind, id)| {
        let figures = tally.outcomes.figures(OBJECT_FROM_PX, usize::MAX, Some(id));
        (
            kind.name().to_owned(),
            json!({
                "objects": figures.objects, "recall": figures.recall(), "named_share": figures.named_share(),
            }),
        )
    });
    json!({
        "images": tally.images,
        "from_px": OBJECT_FROM_PX,
        "objects": large.objects,
        "recall": large.recall(),
        "findings": large.findings,
        "precision": large.precision(),
        "named_share": large.named_share(),
        "false_share_of_plain_ground": share(tally.false_px, tally.plain_px),
        "by_size": Value::Object(sizes.collect()),
        "by_kind": Value::Object(kinds.collect()),
    })
}
