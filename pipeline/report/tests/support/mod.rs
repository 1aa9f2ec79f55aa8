//! An evaluation with everything in it once.

use image::{ImageFormat, Rgb, RgbImage};
use ndarray::array;
use shorewatch_report::{
    BandSetScore, Baseline, ClassScore, Evaluation, EvaluationPicture, EvaluationRun, FindingSizeScore, Goal,
    GoalBound, HoldOut, LegendEntry, ObjectKindScore, ObjectScores, ObjectSizeScore, PictureGroup, PictureLegend,
    PicturePanel, PrecisionRecallCurve, ReliabilityBin, WaterScore,
};

fn class(name: &str, iou: Option<f64>, precision: Option<f64>, recall: Option<f64>, labelled_px: u64) -> ClassScore {
    ClassScore { name: name.to_owned(), colour: [43, 108, 176], iou, precision, recall, f1: None, labelled_px }
}

fn bin(low: f64, high: f64, accuracy: Option<f64>, share: f64) -> ReliabilityBin {
    ReliabilityBin {
        confidence_low: low,
        confidence_high: high,
        mean_confidence: accuracy.map(|_| f64::midpoint(low, high)),
        accuracy,
        share,
    }
}

/// Three classes, one of which nobody labelled and nothing predicted.
fn holdout(name: &str) -> HoldOut {
    HoldOut {
        name: name.to_owned(),
        explanation: "Chips drawn by the hash of their mask.".to_owned(),
        images: 51,
        places: None,
        labelled_px: 12_000,
        classes: vec![
            class("water", Some(0.9), Some(0.9), Some(1.0), 9_000),
            class("low_vegetation", Some(2_000.0 / 3_000.0), Some(1.0), Some(2_000.0 / 3_000.0), 3_000),
            class("snow", None, None, None, 0),
        ],
        mean_iou: Some(0.7833),
        accuracy: Some(11_000.0 / 12_000.0),
        water: vec![WaterScore {
            name: "hand-made masks".to_owned(),
            explanation: "clear pixels".to_owned(),
            iou: Some(0.631),
        }],
        expected_calibration_error: Some(0.0196),
        expected_calibration_error_before: Some(0.038),
        confusion: array![[9_000, 0, 0], [1_000, 2_000, 0], [0, 0, 0]],
        curves: vec![PrecisionRecallCurve {
            class: 0,
            points: vec![(0.0, 1.0), (0.5, 0.99), (1.0, 0.9)],
            average_precision: Some(0.975),
        }],
        reliability: vec![bin(0.0, 0.5, None, 0.0), bin(0.5, 1.0, Some(0.7), 1.0)],
        baselines: vec![Baseline {
            name: "MNDWI > 0".to_owned(),
            explanation: "water only".to_owned(),
            class_iou: vec![Some(0.95), None, None],
            mean_iou: None,
            water_iou: Some(0.95),
        }],
    }
}

/// A PNG file of this size in pixels.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(width, height, Rgb([1, 2, 3]));
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a PNG file");
    bytes.into_inner()
}

fn picture(group: PictureGroup, title: &str) -> EvaluationPicture {
    let panel = |label: &str| PicturePanel { label: label.to_owned(), png: png(4, 3) };
    let panels = ["natural colour", "predicted", "label", "differences"].map(panel).to_vec();
    EvaluationPicture { group, title: title.to_owned(), caption: "Look at the edges.".to_owned(), panels }
}

/// An evaluation with everything in it once.
pub(crate) fn full() -> Evaluation {
    let goal = |what: &str, wanted, reached, met| Goal { what: what.to_owned(), wanted, reached, met };
    let entry = |name: &str, colour| LegendEntry { name: name.to_owned(), colour };
    Evaluation {
        title: "How good is shoreland?".to_owned(),
        notices: vec!["The split by mask hash leaks.".to_owned()],
        run: EvaluationRun {
            bundle_name: "shoreland".to_owned(),
            bundle_version: "0.2.0".to_owned(),
            bundle_digest: "c0ffee42".repeat(8),
            backend: "libtorch, CPU".to_owned(),
            weights_format: "torchscript".to_owned(),
            program_version: "0.1.0".to_owned(),
            data_title: "HLS chips".to_owned(),
            started_utc: "2024-09-05 09:12:44 UTC".to_owned(),
            duration_s: 102.4,
        },
        goals: vec![
            goal("mean IoU", GoalBound::AtLeast(0.6), Some(0.5743), false),
            goal("calibration error", GoalBound::AtMost(0.03), Some(0.0196), true),
            goal("IoU of snow", GoalBound::AtLeast(0.5), None, false),
        ],
        holdouts: vec![holdout("by mask hash"), holdout("places never seen")],
        band_sets: vec![BandSetScore {
            name: "red_green_blue".to_owned(),
            bands: vec!["red".to_owned(), "green".to_owned(), "blue".to_owned()],
            mean_iou: Some(0.387),
            water_iou: Some(0.662),
            expected_calibration_error: None,
        }],
        objects: Some(ObjectScores {
            explanation: "Painted from textures.".to_owned(),
            images: 122,
            recall: Some(0.863),
            precision: Some(0.864),
            named_share: Some(0.613),
            false_share_of_plain_ground: Some(0.0004),
            recall_by_size: vec![ObjectSizeScore {
                label: "25–99 px".to_owned(),
                objects: 1_200,
                found: 900,
                recall: Some(0.75),
            }],
            precision_by_size: vec![FindingSizeScore {
                label: "4–24 px".to_owned(),
                findings: 0,
                right: 0,
                precision: None,
            }],
            by_kind: vec![ObjectKindScore { name: "fish_cage".to_owned(), objects: 7, recall: Some(0.0), named: None }],
        }),
        pictures: vec![
            picture(PictureGroup::Object, "chip 3, a dump"),
            picture(PictureGroup::Worst, "chip 191, accuracy 41 %"),
            picture(PictureGroup::Best, "chip 17, accuracy 97 %"),
        ],
        legend: PictureLegend {
            classes: vec![entry("water", [43, 108, 176]), entry("no_object", [0, 0, 0])],
            others: vec![entry("wrong", [200, 60, 20])],
            not_labelled: [217, 217, 217],
            not_observed: [139, 130, 165],
        },
    }
}
