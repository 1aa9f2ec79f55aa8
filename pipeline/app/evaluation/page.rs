//! From the figures to `eval.html`.

use image::{ImageEncoder, codecs::png::PngEncoder};
use ndarray::{Array2, Array3};

use shorewatch_evaluation::IGNORE;
use shorewatch_evaluation::confusion::share;
use shorewatch_evaluation::labels::{CLASSES, WATER};
use shorewatch_models::ClassDefinition;
use shorewatch_report as report;
use shorewatch_report::{EvaluationPicture, LegendEntry, PictureGroup, PicturePanel};
use shorewatch_synth::plant::PlantKind;

use super::chips::Chip;
use super::composites::{Example, ObjectTally};
use super::holdout::Split;
use super::land_cover::Answer;
use super::outcome::{Goal, OBJECT_FROM_PX, large_objects, size_classes};
use super::{Measured, SplitMeasured};
use crate::failure::Failure;

/// Pictures of the best chips, and of the worst.
const PICTURES: usize = 5;
/// A chip of fewer classes than this in its labels is easy, and no picture of it tells anything.
const TELLING_CLASSES: usize = 3;
/// Colours of what is no class.
const NOT_LABELLED: [u8; 3] = [0xff, 0xff, 0xff];
const NOT_OBSERVED: [u8; 3] = [0x22, 0x22, 0x22];
const RIGHT: [u8; 3] = [0xe6, 0xe6, 0xe6];
const WRONG: [u8; 3] = [0xd0, 0x10, 0x60];
const NO_OBJECT_COLOUR: [u8; 3] = [0xe6, 0xe6, 0xe6];
/// Reflectance that is painted white in natural colour.
const WHITE: f32 = 0.25;
/// Points of a curve that the page draws at most.
const CURVE_POINTS: usize = 64;

/// The page.
///
/// # Errors
/// A picture could not be encoded, or the figures contradict each other.
pub fn page(measured: &Measured) -> Result<String, Failure> {
    let manifest = measured.bundle.manifest();
    let classes: Vec<ClassColour> = CLASSES.iter().map(|name| class_colour(&manifest.classes, name)).collect();
    let mut pictures = land_cover_pictures(measured, &classes)?;
    let kinds: Vec<ClassColour> =
        PlantKind::OBJECTS.iter().map(|kind| class_colour(&manifest.classes, kind.name())).collect();
    if let Some(objects) = &measured.objects {
        for example in &objects.examples {
            pictures.push(object_picture(example, &kinds)?);
        }
    }
    let with_objects = if measured.objects.is_some() { kinds.as_slice() } else { &[] };
    let entry = |(name, colour): &ClassColour| LegendEntry { name: words(name), colour: *colour };
    let evaluation = report::Evaluation {
        title: format!("Evaluation of {} {}", manifest.name, manifest.version),
        notices: notices(measured),
        run: report::EvaluationRun {
            bundle_name: manifest.name.clone(),
            bundle_version: manifest.version.clone(),
            bundle_digest: measured.bundle.digest().to_string(),
            backend: backend(measured),
            weights_format: measured.format.name().to_owned(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            data_title: "worldcover-chips (land cover), planted objects with textures of mining-gallery".to_owned(),
            started_utc: measured.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            duration_s: measured.seconds,
        },
        goals: measured.goals().iter().map(goal).collect(),
        holdouts: measured.splits.iter().map(|split| holdout(split, &classes)).collect(),
        band_sets: measured
            .band_sets
            .iter()
            .map(|(name, bands, figures)| report::BandSetScore {
                name: name.clone(),
                bands: bands.clone(),
                mean_iou: figures.confusion.mean_iou(),
                water_iou: figures.confusion.class(usize::from(WATER)).iou,
                expected_calibration_error: figures.histograms.calibration_error(),
            })
            .collect(),
        objects: measured.objects.as_ref().map(objects),
        pictures,
        legend: report::PictureLegend {
            classes: classes.iter().chain(with_objects).map(entry).collect(),
            others: [("as labelled, or no object", RIGHT), ("another class than labelled", WRONG)]
                .map(|(name, colour)| LegendEntry { name: name.to_owned(), colour })
                .to_vec(),
            not_labelled: NOT_LABELLED,
            not_observed: NOT_OBSERVED,
        },
    };
    report::render_evaluation(&evaluation).map_err(|fault| Failure::internal(fault.to_string()))
}

/// Name and colour of a class.
type ClassColour = (String, [u8; 3]);

fn class_colour(classes: &[ClassDefinition], name: &str) -> ClassColour {
    let colour = classes.iter().find(|class| class.name == name).map_or([0x80; 3], |class| class.colour.0);
    (name.to_owned(), colour)
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn backend(measured: &Measured) -> String {
    let library = if measured.format.name() == "torchscript" { "libtorch" } else { "ONNX Runtime" };
    format!("{library}, processor")
}

fn notices(measured: &Measured) -> Vec<String> {
    let mut notices = vec![
        "Chips: shahed137003/Water-Segmentation-project; its README says MIT, there is no licence file, and the origin of the \
         imagery is not stated. Labels contain ESA WorldCover (CC BY 4.0, modified Copernicus Sentinel data)."
            .to_owned(),
        Split::ByMask.explanation().to_owned(),
    ];
    let water = measured.split(Split::ByMask).map(|split| split.tally.water);
    if let Some(disputed) = water.and_then(|water| share(water.disputed_px, water.hand_px)) {
        notices.push(format!(
            "{:.0} % of the clear hand-made water is called water by none of WorldCover, quality bits and MNDWI: pictures show \
             dry fields and flood plain there. Against the masks as they stand no method here comes near the goal; the second \
             water figure leaves these pixels out.",
            100.0 * disputed
        ));
    }
    if let Some(tally) = measured.split(Split::ByMask).map(|split| &split.tally) {
        let (all, kept) = (tally.as_mapped.labelled_px(), tally.confusion.labelled_px());
        if let (Some(mean), Some(left_out)) = (tally.as_mapped.mean_iou(), share(all - kept, all)) {
            notices.push(format!(
                "{:.1} % of the labels are left out because the image shows bare ground where the map says that something \
                 grows. With the map's word for these, mean IoU by mask hash is {mean:.3}.",
                100.0 * left_out
            ));
        }
    }
    if measured.objects.is_some() {
        notices.push(
            "Objects are planted, not real: recall and precision say how well the network finds what a painter plants. Real \
             ones are harder."
                .to_owned(),
        );
    }
    notices
}

fn goal(goal: &Goal) -> report::Goal {
    report::Goal { what: goal.what.to_owned(), wanted: goal.wanted, reached: goal.reached, met: goal.is_met() }
}

fn holdout(split: &SplitMeasured, classes: &[ClassColour]) -> report::HoldOut {
    let tally = &split.tally;
    let figures = tally.confusion.classes();
    let labelled_px = tally.confusion.labelled_px();
    let water = |name: &str, explanation: &str, iou| report::WaterScore {
        name: name.to_owned(),
        explanation: explanation.to_owned(),
        iou,
    };
    report::HoldOut {
        name: split.split.title().to_owned(),
        explanation: split.split.explanation().to_owned(),
        images: split.chips,
        places: Some(split.places),
        labelled_px,
        classes: figures
            .iter()
            .zip(classes)
            .map(|(figures, (name, colour))| report::ClassScore {
                name: name.clone(),
                colour: *colour,
                iou: figures.iou,
                precision: figures.precision,
                recall: figures.recall,
                f1: figures.f1,
                labelled_px: figures.labelled_px,
            })
            .collect(),
        mean_iou: tally.confusion.mean_iou(),
        accuracy: tally.confusion.accuracy(),
        water: vec![
            water("hand-made masks, clear pixels", "the masks as they stand", tally.water.clear.network.iou()),
            water("MNDWI > 0, clear pixels", "", tally.water.clear.mndwi.iou()),
            water(
                "hand-made masks, undisputed pixels",
                "clear pixels where no other witness contradicts the mask",
                tally.water.undisputed.network.iou(),
            ),
            water(
                "MNDWI > 0, undisputed pixels",
                "flattered: the index is one of the witnesses",
                tally.water.undisputed.mndwi.iou(),
            ),
        ],
        expected_calibration_error: tally.histograms.calibration_error(),
        expected_calibration_error_before: None,
        confusion: tally.confusion.counts().clone(),
        curves: (0..CLASSES.len()).filter_map(|class| curve(split, class)).collect(),
        reliability: tally
            .histograms
            .reliability()
            .iter()
            .map(|bin| report::ReliabilityBin {
                confidence_low: bin.low,
                confidence_high: bin.high,
                mean_confidence: Some(bin.confidence.clamp(bin.low, bin.high)),
                accuracy: Some(bin.accuracy),
                share: bin.pixels as f64 / labelled_px.max(1) as f64,
            })
            .collect(),
        baselines: vec![
            report::Baseline {
                name: "random forest".to_owned(),
                explanation: "60 trees on the six bands of single pixels of the training chips; every fifth test pixel"
                    .to_owned(),
                class_iou: tally.forest.classes().iter().map(|class| class.iou).collect(),
                mean_iou: tally.forest.mean_iou(),
                water_iou: tally.forest.class(usize::from(WATER)).iou,
            },
            report::Baseline {
                name: "MNDWI > 0".to_owned(),
                explanation:
                    "green brighter than short-wave infrared 1 (Xu 2006); water only, against the hand-made masks as \
                              they stand"
                        .to_owned(),
                class_iou: vec![None; CLASSES.len()],
                mean_iou: None,
                water_iou: tally.water.clear.mndwi.iou(),
            },
        ],
    }
}

fn curve(split: &SplitMeasured, class: usize) -> Option<report::PrecisionRecallCurve> {
    let points = split.tally.histograms.precision_recall(class);
    let step = points.len().div_ceil(CURVE_POINTS).max(1);
    let last = points.last()?;
    let mut drawn: Vec<(f64, f64)> = points.iter().step_by(step).map(|point| (point.recall, point.precision)).collect();
    drawn.push((last.recall, last.precision));
    let average_precision = split.tally.histograms.average_precision(class);
    Some(report::PrecisionRecallCurve { class, points: drawn, average_precision })
}

fn objects(tally: &ObjectTally) -> report::ObjectScores {
    let large = large_objects(tally);
    let by_size: Vec<_> =
        size_classes().map(|(label, from, to)| (label, tally.outcomes.figures(from, to, None))).collect();
    report::ObjectScores {
        explanation: format!(
            "Things of {OBJECT_FROM_PX} px and more, planted on chips of places never seen in textures never seen, by another \
             painter than the one that the network learnt from. Found: half of an object's pixels are called an object of any \
             kind. Named: most of these carry its kind. Right: half of a finding lies on objects."
        ),
        images: tally.images as usize,
        recall: large.recall(),
        precision: large.precision(),
        named_share: large.named_share(),
        false_share_of_plain_ground: share(tally.false_px, tally.plain_px),
        recall_by_size: by_size
            .iter()
            .map(|(label, figures)| report::ObjectSizeScore {
                label: label.clone(),
                objects: figures.objects as u64,
                found: figures.found as u64,
                recall: figures.recall(),
            })
            .collect(),
        precision_by_size: by_size
            .iter()
            .map(|(label, figures)| report::FindingSizeScore {
                label: label.clone(),
                findings: figures.findings as u64,
                right: figures.right as u64,
                precision: figures.precision(),
            })
            .collect(),
        by_kind: PlantKind::OBJECTS
            .iter()
            .zip(1..)
            .map(|(kind, id)| {
                let figures = tally.outcomes.figures(OBJECT_FROM_PX, usize::MAX, Some(id));
                report::ObjectKindScore {
                    name: kind.name().to_owned(),
                    objects: figures.objects as u64,
                    recall: figures.recall(),
                    named: figures.named_share(),
                }
            })
            .collect(),
    }
}

/// The best and the worst of the telling chips of places never seen.
fn land_cover_pictures(measured: &Measured, classes: &[ClassColour]) -> Result<Vec<EvaluationPicture>, Failure> {
    let Some(split) = measured.split(Split::UnseenPlaces) else { return Ok(Vec::new()) };
    let mut ranked: Vec<(f64, &(Chip, Answer))> = Vec::new();
    for (name, accuracy) in &split.tally.accuracy_by_chip {
        let of_chip = measured.answers.iter().find(|(chip, _)| chip.name == *name);
        ranked.extend(of_chip.filter(|(chip, _)| is_telling(chip)).map(|found| (*accuracy, found)));
    }
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.0.name.cmp(&other.1.0.name)));
    let best = ranked.iter().take(PICTURES).map(|chip| (PictureGroup::Best, chip));
    let left = ranked.len().saturating_sub(PICTURES);
    let worst = ranked.iter().rev().take(PICTURES.min(left)).map(|chip| (PictureGroup::Worst, chip));
    best.chain(worst)
        .map(|(group, (accuracy, of_chip))| land_cover_picture(group, *accuracy, of_chip, classes))
        .collect()
}

fn is_telling(chip: &Chip) -> bool {
    let mut px = [0; CLASSES.len()];
    chip.labelled.label.iter().filter(|class| **class != IGNORE).for_each(|class| px[usize::from(*class)] += 1);
    px.iter().filter(|px| **px > 50).count() >= TELLING_CLASSES
}

fn land_cover_picture(
    group: PictureGroup,
    accuracy: f64,
    (chip, answer): &(Chip, Answer),
    classes: &[ClassColour],
) -> Result<EvaluationPicture, Failure> {
    let label = &chip.labelled.label;
    let colour_of = |class: u8| classes[usize::from(class)].1;
    let natural =
        painted(label.dim(), |place| [3, 2, 1].map(|band| shade(f32::from(chip.stored_band(band)[place]) * 1e-4)));
    let predicted = painted(label.dim(), |place| match answer.winner[place] {
        IGNORE => NOT_OBSERVED,
        class => colour_of(class),
    });
    let labels = painted(label.dim(), |place| match label[place] {
        IGNORE => NOT_LABELLED,
        class => colour_of(class),
    });
    let differences = painted(label.dim(), |place| match (label[place], answer.winner[place]) {
        (_, IGNORE) => NOT_OBSERVED,
        (IGNORE, _) => NOT_LABELLED,
        (one, other) if one == other => RIGHT,
        _ => WRONG,
    });
    Ok(EvaluationPicture {
        group,
        title: format!("Chip {}: {:.0} % of the labelled pixels right", chip.name, 100.0 * accuracy),
        caption: "Place never seen in training. Natural colour; clouds are shown, though the network is not."
            .to_owned(),
        panels: panels([
            ("natural colour", natural),
            ("predicted", predicted),
            ("labels", labels),
            ("differences", differences),
        ])?,
    })
}

fn object_picture(example: &Example, kinds: &[ClassColour]) -> Result<EvaluationPicture, Failure> {
    let colour_of = |kind: u8| match kind {
        0 => NO_OBJECT_COLOUR,
        kind => kinds[usize::from(kind) - 1].1,
    };
    let bands = example.reflectance.dim().0;
    let natural = painted(example.truth.dim(), |place| {
        // blue, green, red come first in every set that has them
        [2, 1, 0].map(|band| shade(example.reflectance[(band.min(bands - 1), place.0, place.1)]))
    });
    let of = |map: &Array2<u8>, nothing: [u8; 3]| {
        painted(map.dim(), |place| if map[place] == IGNORE { nothing } else { colour_of(map[place]) })
    };
    Ok(EvaluationPicture {
        group: PictureGroup::Object,
        title: format!("Planted on chip {}", example.chip),
        caption:
            "What was planted and what was found; edges and shadows of planted things, towns and unknown ground count \
                  as neither."
                .to_owned(),
        panels: panels([
            ("natural colour", natural),
            ("found", of(&example.called, NOT_OBSERVED)),
            ("planted", of(&example.truth, NOT_LABELLED)),
        ])?,
    })
}

fn shade(reflectance: f32) -> u8 {
    // a square root lightens the dark ground that water and woods are
    ((reflectance.clamp(0.0, WHITE) / WHITE).sqrt() * 255.0) as u8
}

/// A picture (row, col, channel).
fn painted(size: (usize, usize), colour: impl Fn((usize, usize)) -> [u8; 3]) -> Array3<u8> {
    Array3::from_shape_fn((size.0, size.1, 3), |(row, col, channel)| colour((row, col))[channel])
}

fn panels<const COUNT: usize>(pictures: [(&str, Array3<u8>); COUNT]) -> Result<Vec<PicturePanel>, Failure> {
    pictures
        .into_iter()
        .map(|(label, pixels)| Ok(PicturePanel { label: label.to_owned(), png: png(pixels)? }))
        .collect()
}

fn png(pixels: Array3<u8>) -> Result<Vec<u8>, Failure> {
    let (rows, cols, _) = pixels.dim();
    let mut file = Vec::new();
    let (bytes, _) = pixels.into_raw_vec_and_offset();
    PngEncoder::new(&mut file)
        .write_image(&bytes, cols as u32, rows as u32, image::ExtendedColorType::Rgb8)
        .map_err(|fault| Failure::internal(fault.to_string()))?;
    Ok(file)
}
