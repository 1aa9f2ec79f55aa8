//! Scores on one hold-out.

use ndarray::Array2;

/// Scores on images that training did not use.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldOut {
    /// Name, for example `by mask hash`.
    pub name: String,
    /// How the images were chosen and what that means for the scores.
    pub explanation: String,
    /// Number of images.
    pub images: usize,
    /// Number of distinct places; `None` where nobody knows.
    pub places: Option<usize>,
    /// Labelled pixels that were scored: the sum over [`HoldOut::classes`].
    pub labelled_px: u64,
    /// One for each class, in the order of the model. Names are unique.
    pub classes: Vec<ClassScore>,
    /// Mean IoU over the classes that have one, 0 to 1.
    pub mean_iou: Option<f64>,
    /// Share of the labelled pixels that are right, 0 to 1.
    pub accuracy: Option<f64>,
    /// IoU of water under different references or masks, the main one first; may be empty.
    pub water: Vec<WaterScore>,
    /// Expected calibration error of the probabilities as the model gives them, 0 to 1; 0 is best.
    pub expected_calibration_error: Option<f64>,
    /// The same before calibration, 0 to 1.
    pub expected_calibration_error_before: Option<f64>,
    /// Labelled pixels: (row, column) = (label, predicted), both in the order of [`HoldOut::classes`].
    /// Each row adds up to the `labelled_px` of its class.
    pub confusion: Array2<u64>,
    /// At most one curve a class; may be empty.
    pub curves: Vec<PrecisionRecallCurve>,
    /// Bins of confidence from low to high, without overlap; may be empty. Their shares add up to 1.
    pub reliability: Vec<ReliabilityBin>,
    /// Simpler methods on the same pixels; may be empty. Names are unique.
    pub baselines: Vec<Baseline>,
}

/// Scores of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScore {
    /// Name, for example `low_vegetation`.
    pub name: String,
    /// Its colour: red, green, blue.
    pub colour: [u8; 3],
    /// Intersection over union, 0 to 1; `None` where the class is neither labelled nor predicted.
    pub iou: Option<f64>,
    /// Share of the pixels predicted as this class that are labelled so, 0 to 1; `None` where none is predicted.
    pub precision: Option<f64>,
    /// Share of the pixels labelled as this class that are predicted so, 0 to 1; `None` where none is labelled.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall, 0 to 1.
    pub f1: Option<f64>,
    /// Pixels labelled as this class.
    pub labelled_px: u64,
}

/// IoU of water against one reference.
#[derive(Debug, Clone, PartialEq)]
pub struct WaterScore {
    /// What was compared, for example `hand-made masks, clear pixels`.
    pub name: String,
    /// What that means; may be empty.
    pub explanation: String,
    /// IoU of water, 0 to 1.
    pub iou: Option<f64>,
}

/// Precision over recall of one class against all others, as the threshold on its probability falls.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    /// Index into [`HoldOut::classes`].
    pub class: usize,
    /// (recall, precision), each 0 to 1; recall never falls.
    pub points: Vec<(f64, f64)>,
    /// Area under the curve, 0 to 1.
    pub average_precision: Option<f64>,
}

/// Pixels of like confidence: how often they are right.
#[derive(Debug, Clone, PartialEq)]
pub struct ReliabilityBin {
    /// Lower end of the confidences (probability of the likeliest class), 0 to 1.
    pub confidence_low: f64,
    /// Upper end, above the lower one, at most 1.
    pub confidence_high: f64,
    /// Mean confidence of the pixels in the bin, within its ends; `None` for an empty bin.
    pub mean_confidence: Option<f64>,
    /// Share of these pixels that are right, 0 to 1; `None` for an empty bin.
    pub accuracy: Option<f64>,
    /// Share of all labelled pixels that lie in this bin, 0 to 1.
    pub share: f64,
}

/// A simpler method on the same pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// Name, for example `random forest`.
    pub name: String,
    /// What it is.
    pub explanation: String,
    /// IoU for each class in the order of [`HoldOut::classes`], 0 to 1; `None` where it does not know the class.
    pub class_iou: Vec<Option<f64>>,
    /// Mean IoU over the classes, 0 to 1; `None` where it does not know them all.
    pub mean_iou: Option<f64>,
    /// IoU of water, 0 to 1.
    pub water_iou: Option<f64>,
}
