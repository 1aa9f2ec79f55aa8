//! Precision over recall and reliability as drawings of lines: shares from 0 to 1 on both axes.

use super::colour;
use super::page::{BinView, CurveView, Measured, PrecisionRecallChart, ReliabilityChart, Tick};
use super::{ClassScore, HoldOut, PrecisionRecallCurve, ReliabilityBin};
use crate::report::format::{number, percent, words};

/// Where the axes lie in the drawing, in its own units; both charts share it, so that they line up.
const LEFT: f64 = 62.0;
const TOP: f64 = 12.0;
const WIDTH: f64 = 366.0;
const HEIGHT: f64 = 320.0;
/// The strip of bars under the reliability diagram.
const STRIP_TOP: f64 = 354.0;
const STRIP_HEIGHT: f64 = 66.0;
/// Space between two bars.
const BAR_GAP: f64 = 1.5;
/// Points nearer than this to the last one, in units of the drawing, are not drawn.
const NEAR: f64 = 0.4;
/// Dashes of the lines, one a class, so that nobody needs the colours.
const DASHES: [&str; 8] = ["", "9 4", "2.5 3", "12 3 2.5 3", "5 2.5", "20 5", "12 3 2.5 3 2.5 3", "1.5 6"];
/// Why a curve has no number beside it.
const NO_AVERAGE: &str = "no average precision was given";

fn x(share: f64) -> f64 {
    LEFT + share * WIDTH
}

fn y(share: f64) -> f64 {
    TOP + (1.0 - share) * HEIGHT
}

fn fine(position: f64) -> String {
    format!("{position:.1}")
}

fn ticks(position: impl Fn(f64) -> f64) -> Vec<Tick> {
    let tick = |fifth: i32| {
        let share = f64::from(fifth) / 5.0;
        Tick { position: fine(position(share)), label: format!("{share:.1}") }
    };
    (0..=5).map(tick).collect()
}

/// The points as an SVG path, without those that fall on their neighbour.
fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let points: Vec<(f64, f64)> = points.map(|(right, up)| (x(right), y(up))).collect();
    let mut path = String::new();
    let mut last: Option<(f64, f64)> = None;
    for (index, (right, down)) in points.iter().copied().enumerate() {
        let near = last.is_some_and(|last| (last.0 - right).abs() < NEAR && (last.1 - down).abs() < NEAR);
        if near && index + 1 < points.len() {
            continue;
        }
        path.push_str(if last.is_none() { "M" } else { "L" });
        path.push_str(&format!("{right:.1} {down:.1}"));
        last = Some((right, down));
    }
    path
}

/// The curves of a hold-out; `None` without any.
pub(super) fn precision_recall(id: &str, holdout: &HoldOut) -> Option<PrecisionRecallChart> {
    let mut curves: Vec<(&PrecisionRecallCurve, &ClassScore)> = holdout
        .curves
        .iter()
        .filter(|curve| !curve.points.is_empty())
        .filter_map(|curve| Some((curve, holdout.classes.get(curve.class)?)))
        .collect();
    if curves.is_empty() {
        return None;
    }
    let average = |curve: &PrecisionRecallCurve| curve.average_precision.unwrap_or(-1.0);
    curves.sort_by(|a, b| average(b.0).total_cmp(&average(a.0)).then(a.0.class.cmp(&b.0.class)));
    let spoken = curves.iter().map(|(curve, class)| match curve.average_precision {
        Some(average) => format!("{} {}", words(&class.name), number(average, 3)),
        None => format!("{} without a value", words(&class.name)),
    });
    Some(PrecisionRecallChart {
        id: format!("{id}-curves"),
        title: format!("Precision over recall of {} classes, {}", curves.len(), holdout.name),
        description: format!(
            "One line for each class, both axes from 0 to 1. Average precision, from the highest: {}.",
            spoken.collect::<Vec<_>>().join(", ")
        ),
        x_ticks: ticks(x),
        y_ticks: ticks(y),
        curves: curves
            .into_iter()
            .enumerate()
            .map(|(index, (curve, class))| curve_view(index + 1, curve, class))
            .collect(),
    })
}

fn curve_view(number: usize, curve: &PrecisionRecallCurve, class: &ClassScore) -> CurveView {
    CurveView {
        number,
        name: words(&class.name),
        path: path(curve.points.iter().copied()),
        colour: colour::css(colour::line(class.colour)),
        dash: DASHES[curve.class % DASHES.len()],
        average_precision: Measured::score(curve.average_precision, NO_AVERAGE),
        dot: class.recall.zip(class.precision).map(|(recall, precision)| (fine(x(recall)), fine(y(precision)))),
    }
}

/// The reliability diagram of a hold-out; `None` without bins.
pub(super) fn reliability(id: &str, holdout: &HoldOut) -> Option<ReliabilityChart> {
    let bins = &holdout.reliability;
    if bins.is_empty() {
        return None;
    }
    let largest = bins.iter().map(|bin| bin.share).fold(0.0, f64::max);
    let filled: Vec<(f64, f64)> = bins.iter().filter_map(seen).collect();
    let over = filled.iter().filter(|(confidence, accuracy)| confidence > accuracy).count();
    let error = match holdout.expected_calibration_error {
        Some(error) => format!("The expected calibration error is {}.", number(error, 3)),
        None => "The expected calibration error was not measured.".to_owned(),
    };
    Some(ReliabilityChart {
        id: format!("{id}-reliability"),
        title: format!("Reliability: accuracy over confidence, {}", holdout.name),
        description: format!(
            "One dot for each of {} bins that hold pixels; on the diagonal confidence and accuracy agree. {over} lie \
             below it: more confident than right. {error} Bars below show the share of pixels in each bin, at most {}.",
            filled.len(),
            percent(largest, 1.0),
        ),
        x_ticks: ticks(x),
        y_ticks: ticks(y),
        diagonal: path([(0.0, 0.0), (1.0, 1.0)].into_iter()),
        line: path(filled.iter().copied()),
        gaps: filled.iter().map(|&(right, up)| path([(right, right), (right, up)].into_iter())).collect(),
        dots: filled.iter().map(|&(right, up)| (fine(x(right)), fine(y(up)))).collect(),
        strip_label: percent(largest, 1.0),
        bins: bins.iter().map(|bin| bin_view(bin, largest)).collect(),
    })
}

/// (confidence, accuracy) of a bin that holds pixels.
fn seen(bin: &ReliabilityBin) -> Option<(f64, f64)> {
    bin.mean_confidence.zip(bin.accuracy).filter(|_| bin.share > 0.0)
}

fn bin_view(bin: &ReliabilityBin, largest: f64) -> BinView {
    const EMPTY: &str = "no pixel has this confidence";
    let height = if largest > 0.0 { bin.share / largest * STRIP_HEIGHT } else { 0.0 };
    let (left, right) = (x(bin.confidence_low), x(bin.confidence_high));
    let seen = seen(bin);
    BinView {
        left: fine(left + BAR_GAP / 2.0),
        top: fine(STRIP_TOP + STRIP_HEIGHT - height),
        width: fine((right - left - BAR_GAP).max(0.5)),
        height: fine(height),
        range: format!("{} to {}", number(bin.confidence_low, 3), number(bin.confidence_high, 3)),
        confidence: Measured::score(seen.map(|(confidence, _)| confidence), EMPTY),
        accuracy: Measured::score(seen.map(|(_, accuracy)| accuracy), EMPTY),
        share: percent(bin.share, 1.0),
    }
}
