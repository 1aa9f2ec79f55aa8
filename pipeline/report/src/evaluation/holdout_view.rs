//! A hold-out as the page shows it.

use super::page::{
    BaselineCell, BaselineView, ClassRow, ConfusionCell, ConfusionRow, Figure, HoldOutView, MeanRow, Measured, WaterRow,
};
use super::{ClassScore, HoldOut, chart, colour};
use crate::report::format::{bar, count, number, percent, words};

const NO_IOU: &str = "the class is neither labelled nor predicted here";
const NO_PRECISION: &str = "the class is never predicted here";
const NO_RECALL: &str = "no pixel carries this label here";
const NO_F1: &str = "it needs both precision and recall";
const UNKNOWN_CLASS: &str = "the baseline does not know the class, or was not scored on it";
const NO_BASELINE_MEAN: &str = "the baseline does not know all classes";
pub(super) const NOT_MEASURED: &str = "not measured";

pub(super) fn holdout_view(index: usize, holdout: &HoldOut) -> HoldOutView {
    let id = format!("holdout-{}", index + 1);
    let classes: Vec<ClassRow> = (0..holdout.classes.len()).map(|class| class_row(holdout, class)).collect();
    let mean = mean_row(holdout);
    let water = water_rows(holdout);
    HoldOutView {
        name: holdout.name.clone(),
        explanation: holdout.explanation.clone(),
        figures: figures(holdout),
        baselines: holdout
            .baselines
            .iter()
            .map(|baseline| BaselineView { name: baseline.name.clone(), explanation: baseline.explanation.clone() })
            .collect(),
        missing: missing(&classes, &mean),
        classes,
        mean,
        water_missing: reasons(water.iter().map(|row| &row.iou)),
        water,
        confusion_names: holdout.classes.iter().map(|class| words(&class.name)).collect(),
        confusion: (0..holdout.classes.len()).map(|class| confusion_row(holdout, class)).collect(),
        curves: chart::precision_recall(&id, holdout),
        reliability: chart::reliability(&id, holdout),
        id,
    }
}

fn figures(holdout: &HoldOut) -> Vec<Figure> {
    let figure = |value, label: &str, note| Figure { value, label: label.to_owned(), note };
    let scored = holdout.classes.iter().filter(|class| class.iou.is_some()).count();
    let best = holdout.baselines.iter().filter_map(|baseline| Some((baseline.mean_iou?, &baseline.name)));
    let best = best.max_by(|a, b| a.0.total_cmp(&b.0));
    let mut figures = vec![figure(
        Measured::score(holdout.mean_iou, NOT_MEASURED),
        "mean IoU",
        match best {
            Some((iou, name)) => format!("best baseline, {name}: {}", number(iou, 3)),
            None => format!("over {} of {}", scored, count(holdout.classes.len(), "class", "classes")),
        },
    )];
    if let Some(water) = holdout.water.first() {
        figures.push(figure(Measured::score(water.iou, NOT_MEASURED), "water IoU", water.name.clone()));
    }
    figures.push(figure(
        Measured::score(holdout.accuracy, NOT_MEASURED),
        "accuracy",
        "share of labelled pixels that are right".to_owned(),
    ));
    figures.push(figure(
        Measured::score(holdout.expected_calibration_error, NOT_MEASURED),
        "expected calibration error",
        match holdout.expected_calibration_error_before {
            Some(before) => format!("{} before calibration; 0 is best", number(before, 3)),
            None => "0 is best".to_owned(),
        },
    ));
    let places =
        holdout.places.map_or_else(|| "places not known".to_owned(), |places| count(places, "place", "places"));
    let note = format!("{}, {places}", count(holdout.images, "image", "images"));
    figures.push(figure(Measured::whole(holdout.labelled_px as f64), "labelled pixels", note));
    figures
}

fn baseline_cell(iou: Option<f64>, model: Option<f64>, why_missing: &'static str) -> BaselineCell {
    let better = iou.zip(model).is_some_and(|(baseline, model)| baseline > model);
    BaselineCell { iou: Measured::score(iou, why_missing), better }
}

fn class_row(holdout: &HoldOut, index: usize) -> ClassRow {
    let class: &ClassScore = &holdout.classes[index];
    let baselines = holdout.baselines.iter().map(|baseline| {
        let iou = baseline.class_iou.get(index).copied().flatten();
        baseline_cell(iou, class.iou, UNKNOWN_CLASS)
    });
    ClassRow {
        name: words(&class.name),
        colour: colour::css(class.colour),
        iou: Measured::score(class.iou, NO_IOU),
        bar_percent: bar(class.iou.unwrap_or(0.0), 1.0),
        baselines: baselines.collect(),
        precision: Measured::score(class.precision, NO_PRECISION),
        recall: Measured::score(class.recall, NO_RECALL),
        f1: Measured::score(class.f1, NO_F1),
        labelled: number(class.labelled_px as f64, 0),
        labelled_share: percent(class.labelled_px as f64, holdout.labelled_px as f64),
    }
}

fn mean_row(holdout: &HoldOut) -> MeanRow {
    let cell = |mean| baseline_cell(mean, holdout.mean_iou, NO_BASELINE_MEAN);
    MeanRow {
        iou: Measured::score(holdout.mean_iou, NOT_MEASURED),
        bar_percent: bar(holdout.mean_iou.unwrap_or(0.0), 1.0),
        baselines: holdout.baselines.iter().map(|baseline| cell(baseline.mean_iou)).collect(),
        labelled: number(holdout.labelled_px as f64, 0),
    }
}

/// Every reason for a dash in the table of classes, once.
fn missing(classes: &[ClassRow], mean: &MeanRow) -> Vec<&'static str> {
    let rows = classes.iter().flat_map(|row| {
        let own = [&row.iou, &row.precision, &row.recall, &row.f1];
        own.into_iter().chain(row.baselines.iter().map(|cell| &cell.iou))
    });
    reasons(rows.chain([&mean.iou]).chain(mean.baselines.iter().map(|cell| &cell.iou)))
}

/// Every reason for a dash, once, in order of appearance.
pub(super) fn reasons<'a>(numbers: impl Iterator<Item = &'a Measured>) -> Vec<&'static str> {
    let mut reasons = Vec::new();
    for number in numbers {
        if !number.why_missing.is_empty() && !reasons.contains(&number.why_missing) {
            reasons.push(number.why_missing);
        }
    }
    reasons
}

fn water_rows(holdout: &HoldOut) -> Vec<WaterRow> {
    let row = |name: &str, explanation: &str, baseline, iou: Option<f64>| WaterRow {
        name: name.to_owned(),
        explanation: explanation.to_owned(),
        baseline,
        iou: Measured::score(iou, NOT_MEASURED),
        bar_percent: bar(iou.unwrap_or(0.0), 1.0),
    };
    let model = holdout.water.iter().map(|water| row(&water.name, &water.explanation, false, water.iou));
    let known = holdout.baselines.iter().filter(|baseline| baseline.water_iou.is_some());
    let baselines = known.map(|baseline| row(&baseline.name, &baseline.explanation, true, baseline.water_iou));
    model.chain(baselines).collect()
}

fn confusion_row(holdout: &HoldOut, label: usize) -> ConfusionRow {
    let counts = holdout.confusion.row(label);
    let labelled = counts.sum();
    let names: Vec<String> = holdout.classes.iter().map(|class| words(&class.name)).collect();
    let cell = |(predicted, pixels): (usize, &u64)| {
        let share = (labelled > 0).then(|| *pixels as f64 / labelled as f64);
        let right = predicted == label;
        let (ground, ink) = colour::heat(share.unwrap_or(0.0), right);
        let count = number(*pixels as f64, 0);
        let title = format!("{count} px labelled {} and predicted {}", names[label], names[predicted]);
        ConfusionCell { right, ground, ink, share: Measured::percent(share, NO_RECALL), count, title }
    };
    ConfusionRow {
        name: names[label].clone(),
        cells: counts.iter().enumerate().map(cell).collect(),
        labelled: number(labelled as f64, 0),
    }
}
