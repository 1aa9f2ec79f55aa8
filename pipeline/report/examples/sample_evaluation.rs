//! Writes a page about an imaginary model, with made-up scores and painted panels, to look at.
//!
//! `cargo run -p shorewatch-report --example sample_evaluation -- FILE`

use std::error::Error;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use ndarray::Array2;
use shorewatch_report::{
    BandSetScore, Baseline, ClassScore, Evaluation, EvaluationPicture, EvaluationRun, FindingSizeScore, Goal,
    GoalBound, HoldOut, LegendEntry, ObjectKindScore, ObjectScores, ObjectSizeScore, PictureGroup, PictureLegend,
    PicturePanel, PrecisionRecallCurve, ReliabilityBin, WaterScore, render_evaluation,
};

/// Side of a painted panel in pixels.
const PANEL: u32 = 96;
const NOT_LABELLED: [u8; 3] = [217, 217, 217];
const NOT_OBSERVED: [u8; 3] = [139, 130, 165];
const RIGHT: [u8; 3] = [150, 190, 214];
const WRONG: [u8; 3] = [200, 60, 20];
const CLASSES: [(&str, [u8; 3]); 7] = [
    ("water", [43, 108, 176]),
    ("trees", [39, 103, 73]),
    ("low_vegetation", [154, 196, 107]),
    ("crops", [226, 192, 68]),
    ("built_up", [197, 48, 48]),
    ("bare", [196, 164, 132]),
    ("snow", [240, 248, 255]),
];
/// Labelled and predicted pixels of an imaginary hold-out. Nobody labelled snow.
const CONFUSION: [[u64; 7]; 7] = [
    [139_241, 1_231, 347, 2_541, 229, 277, 0],
    [1_418, 120_111, 27_460, 15_134, 2_205, 134, 0],
    [316, 17_426, 67_036, 34_752, 3_815, 211, 0],
    [1_573, 9_004, 22_452, 230_143, 1_769, 9_813, 0],
    [125, 745, 2_312, 2_481, 5_869, 238, 0],
    [263, 50, 136, 3_607, 1_130, 18_298, 0],
    [0; 7],
];

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "evaluation.html".to_owned());
    std::fs::write(file, render_evaluation(&sample()?)?)?;
    Ok(())
}

fn sample() -> Result<Evaluation, Box<dyn Error>> {
    let goal = |what: &str, wanted: GoalBound, reached: Option<f64>| {
        let met = reached.is_some_and(|reached| wanted.is_met_by(reached));
        Goal { what: what.to_owned(), wanted, reached, met }
    };
    Ok(Evaluation {
        title: "How good is shoreland? (made-up figures)".to_owned(),
        notices: vec![
            "Every figure and picture on this page is made up, to show the page.".to_owned(),
            "The split by mask hash leaks: most of its chips show ground that training saw on another date.".to_owned(),
            "Contains modified Copernicus Sentinel data; land cover © ESA WorldCover project, CC BY 4.0.".to_owned(),
        ],
        run: EvaluationRun {
            bundle_name: "shoreland".to_owned(),
            bundle_version: "0.2.0".to_owned(),
            bundle_digest: "e69797cecb86e726ddaca1e265c285205198c9de6bb2768af02625bc4b6d9ec2".to_owned(),
            backend: "libtorch 2.4, CPU, 2 threads".to_owned(),
            weights_format: "torchscript".to_owned(),
            program_version: "0.1.0".to_owned(),
            data_title: "HLS water chips with WorldCover".to_owned(),
            started_utc: "2024-09-05 09:12:44 UTC".to_owned(),
            duration_s: 214.7,
        },
        goals: vec![
            goal("water IoU against hand masks, labelled pixels", GoalBound::AtLeast(0.88), Some(0.9437)),
            goal("mean IoU, by mask hash", GoalBound::AtLeast(0.6), Some(0.5743)),
            goal("IoU built up", GoalBound::AtLeast(0.45), Some(0.281)),
            goal("expected calibration error", GoalBound::AtMost(0.03), Some(0.0196)),
            goal("object recall, 25 px and more", GoalBound::AtLeast(0.85), Some(0.863)),
            goal("IoU snow", GoalBound::AtLeast(0.5), None),
        ],
        holdouts: vec![
            holdout(
                "by mask hash",
                51,
                Some(14),
                1,
                "Chips drawn by the hash of their water mask. Most places were seen in training on another date.",
            ),
            holdout("places never seen", 61, None, 3, "All chips of places that training never saw, on any date."),
        ],
        band_sets: vec![
            band_set("six_bands", &["blue", "green", "red", "nir", "swir1", "swir2"], 0.574, Some(0.020)),
            band_set("red_green_blue_nir", &["blue", "green", "red", "nir"], 0.558, Some(0.018)),
            band_set("red_green_blue", &["blue", "green", "red"], 0.387, None),
        ],
        objects: Some(objects()),
        pictures: vec![
            picture(PictureGroup::Best, 17, 0.97, "Wide water and trees: edges agree to the pixel.")?,
            picture(PictureGroup::Best, 203, 0.95, "Fields beside a river.")?,
            picture(PictureGroup::Worst, 191, 0.41, "A dry flood plain: the label calls it crops, the model bare.")?,
            picture(PictureGroup::Object, 88, 0.9, "A dredge pond and a stockpile of sand.")?,
        ],
        legend: PictureLegend {
            classes: CLASSES.iter().map(|(name, colour)| entry(name, *colour)).collect(),
            others: vec![entry("right", RIGHT), entry("wrong", WRONG)],
            not_labelled: NOT_LABELLED,
            not_observed: NOT_OBSERVED,
        },
    })
}

fn entry(name: &str, colour: [u8; 3]) -> LegendEntry {
    LegendEntry { name: name.to_owned(), colour }
}

fn band_set(name: &str, bands: &[&str], mean_iou: f64, expected_calibration_error: Option<f64>) -> BandSetScore {
    BandSetScore {
        name: name.to_owned(),
        bands: bands.iter().map(|band| (*band).to_owned()).collect(),
        mean_iou: Some(mean_iou),
        water_iou: Some(mean_iou * 0.7 + 0.5),
        expected_calibration_error,
    }
}

fn over(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn holdout(name: &str, images: usize, places: Option<usize>, errors: u64, explanation: &str) -> HoldOut {
    let confusion = Array2::from_shape_fn((7, 7), |(label, predicted)| {
        CONFUSION[label][predicted] * if label == predicted { 1 } else { errors }
    });
    let class = |index: usize| {
        let right = confusion[(index, index)];
        let (labelled, predicted) = (confusion.row(index).sum(), confusion.column(index).sum());
        ClassScore {
            name: CLASSES[index].0.to_owned(),
            colour: CLASSES[index].1,
            iou: over(right, labelled + predicted - right),
            precision: over(right, predicted),
            recall: over(right, labelled),
            f1: over(2 * right, labelled + predicted),
            labelled_px: labelled,
        }
    };
    let classes: Vec<ClassScore> = (0..7).map(class).collect();
    let ious: Vec<f64> = classes.iter().filter_map(|class| class.iou).collect();
    let mean_iou = ious.iter().sum::<f64>() / ious.len() as f64;
    let forest = |class: &ClassScore| class.iou.map(|iou| (iou - 0.12 + 0.2 * (iou - 0.5).abs()).clamp(0.0, 1.0));
    let error = 0.0196 * errors as f64;
    HoldOut {
        name: name.to_owned(),
        explanation: explanation.to_owned(),
        images,
        places,
        labelled_px: confusion.sum(),
        mean_iou: Some(mean_iou),
        accuracy: over(confusion.diag().sum(), confusion.sum()),
        water: vec![
            water("hand-made masks, labelled pixels", "without the pixels that no second witness calls water", 0.944),
            water("hand-made masks, clear pixels", "with them: 34 % of the masks lies on dry ground", 0.631),
        ],
        expected_calibration_error: Some(error),
        expected_calibration_error_before: Some(error * 1.9),
        curves: classes.iter().enumerate().filter_map(|(index, class)| curve(index, class)).collect(),
        reliability: reliability(error),
        baselines: vec![
            Baseline {
                name: "random forest".to_owned(),
                explanation: "200 trees on the same bands, pixel by pixel".to_owned(),
                class_iou: classes.iter().map(forest).collect(),
                mean_iou: Some(mean_iou - 0.09),
                water_iou: Some(0.934),
            },
            Baseline {
                name: "MNDWI > 0".to_owned(),
                explanation: "water where green is brighter than short-wave infrared; knows no other class".to_owned(),
                class_iou: (0..7).map(|class| (class == 0).then_some(0.904)).collect(),
                mean_iou: None,
                water_iou: Some(0.904),
            },
        ],
        classes,
        confusion,
    }
}

fn water(name: &str, explanation: &str, iou: f64) -> WaterScore {
    WaterScore { name: name.to_owned(), explanation: explanation.to_owned(), iou: Some(iou) }
}

/// A curve through the point where the class stands.
fn curve(class: usize, scores: &ClassScore) -> Option<PrecisionRecallCurve> {
    let (recall, precision) = scores.recall.zip(scores.precision)?;
    let bend = (1.0 - precision).max(0.004) / recall.powi(6).max(1e-6);
    let precision_at = |recall: f64| (1.0 - bend * recall.powi(6)).max(0.02);
    let points: Vec<(f64, f64)> =
        (0..=200).map(|step| f64::from(step) / 200.0).map(|recall| (recall, precision_at(recall))).collect();
    let average = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
    Some(PrecisionRecallCurve { class, points, average_precision: Some(average) })
}

fn reliability(error: f64) -> Vec<ReliabilityBin> {
    let weights: Vec<f64> = (0..15).map(|bin| if bin < 3 { 0.0 } else { f64::from(bin * bin * bin) }).collect();
    let sum: f64 = weights.iter().sum();
    let bin = |(index, weight): (usize, &f64)| {
        let (low, high) = (index as f64 / 15.0, (index as f64 + 1.0) / 15.0);
        let mean = f64::midpoint(low, high);
        let accuracy = (mean - error * 2.0 * (mean * 7.0).sin() - error).clamp(0.0, 1.0);
        ReliabilityBin {
            confidence_low: low,
            confidence_high: high,
            mean_confidence: (*weight > 0.0).then_some(mean),
            accuracy: (*weight > 0.0).then_some(accuracy),
            share: weight / sum,
        }
    };
    weights.iter().enumerate().map(bin).collect()
}

fn objects() -> ObjectScores {
    let size = |label: &str, objects: u64, found: u64| ObjectSizeScore {
        label: label.to_owned(),
        objects,
        found,
        recall: over(found, objects),
    };
    let finding = |label: &str, findings: u64, right: u64| FindingSizeScore {
        label: label.to_owned(),
        findings,
        right,
        precision: over(right, findings),
    };
    let kind = |name: &str, objects: u64, recall: f64, named: f64| ObjectKindScore {
        name: name.to_owned(),
        objects,
        recall: (objects > 0).then_some(recall),
        named: (objects > 0).then_some(named),
    };
    ObjectScores {
        explanation: "Painted from textures that training never saw, on places that it never saw. An object is found \
                      if half of its pixels carry any kind, named if most of these carry its own; a finding is right \
                      if half of it lies on objects."
            .to_owned(),
        images: 122,
        recall: Some(0.863),
        precision: Some(0.864),
        named_share: Some(0.613),
        false_share_of_plain_ground: Some(0.0004),
        recall_by_size: vec![
            size("4–24 px", 210, 96),
            size("25–99 px", 318, 265),
            size("100–400 px", 144, 133),
            size("over 400 px", 0, 0),
        ],
        precision_by_size: vec![
            finding("4–24 px", 160, 71),
            finding("25–99 px", 290, 247),
            finding("100–400 px", 1_151, 1_104),
        ],
        by_kind: vec![
            kind("pit", 96, 0.91, 0.72),
            kind("stockpile", 88, 0.85, 0.58),
            kind("greenhouse", 70, 0.79, 0.66),
            kind("fish_cage", 0, 0.0, 0.0),
        ],
    }
}

fn picture(group: PictureGroup, chip: u32, accuracy: f64, caption: &str) -> Result<EvaluationPicture, Box<dyn Error>> {
    let label = |x: u32, y: u32| {
        let bend = ((f64::from(y + chip) / 17.0).sin() * 14.0 + 48.0) as u32;
        match x.abs_diff(bend) {
            0..9 => 0,
            9..14 => 5,
            14..30 => 1,
            _ if (x / 14 + y / 11 + chip).is_multiple_of(7) => 4,
            _ if x < bend => 2,
            _ => 3,
        }
    };
    let wrong = |x: u32, y: u32| f64::from((x / 3 * 7_919 + y / 3 * 104_729 + chip * 31) % 97) / 97.0 > accuracy;
    let predicted = |x, y| if wrong(x, y) { (label(x, y) + 3) % 6 } else { label(x, y) };
    let cloud = |x: u32, y: u32| x.abs_diff(78).pow(2) + y.abs_diff(18).pow(2) < 160;
    let unlabelled = |x: u32, y: u32| x < 12 && y > 70;
    let noise = |x: u32, y: u32| (x * 13 + y * 29 + x * y) % 23;
    let panel = |name: &str, colour: &dyn Fn(u32, u32) -> [u8; 3]| -> Result<PicturePanel, image::ImageError> {
        let mut png = Cursor::new(Vec::new());
        RgbImage::from_fn(PANEL, PANEL, |x, y| Rgb(colour(x, y))).write_to(&mut png, ImageFormat::Png)?;
        Ok(PicturePanel { label: name.to_owned(), png: png.into_inner() })
    };
    let classes = |class: usize| CLASSES[class].1;
    let panels = vec![
        panel("natural colour", &|x, y| {
            let shade = noise(x, y) as u8;
            if cloud(x, y) {
                [235 + shade / 2; 3]
            } else {
                classes(label(x, y)).map(|channel| channel / 2 + 20 + shade)
            }
        })?,
        panel("predicted", &|x, y| if cloud(x, y) { NOT_OBSERVED } else { classes(predicted(x, y)) })?,
        panel("label", &|x, y| match (cloud(x, y), unlabelled(x, y)) {
            (true, _) => NOT_OBSERVED,
            (_, true) => NOT_LABELLED,
            _ => classes(label(x, y)),
        })?,
        panel("differences", &|x, y| match (cloud(x, y), unlabelled(x, y)) {
            (true, _) => NOT_OBSERVED,
            (_, true) => NOT_LABELLED,
            _ if wrong(x, y) => WRONG,
            _ => RIGHT,
        })?,
    ];
    let title = format!("chip {chip}, accuracy {:.0} %", accuracy * 100.0);
    Ok(EvaluationPicture { group, title, caption: caption.to_owned(), panels })
}
