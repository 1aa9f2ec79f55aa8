//! From the evaluation's data to the page.

use askama::Template;

use super::check::{self, png_size};
use super::holdout_view::{NOT_MEASURED, holdout_view, reasons};
use super::objects_view::objects_view;
use super::page::{
    BandSetView, GoalView, LegendView, Measured, Page, PanelView, PictureGroupView, PictureView, RunView, Verdict,
};
use super::{
    BandSetScore, Evaluation, EvaluationPicture, EvaluationRun, Goal, GoalBound, PictureGroup, PictureLegend, colour,
};
use crate::error::ReportError;
use crate::report::format::{bar, count, data_uri, duration, number, short_digest, show_hidden_characters, words};

/// Writes the one self-contained page: no script, no network, nothing outside the text returned.
///
/// The same evaluation always gives the same text.
///
/// # Errors
/// Data that contradict themselves (every fault is listed), or a template that could not be filled.
pub fn render_evaluation(evaluation: &Evaluation) -> Result<String, ReportError> {
    let faults = check::faults(evaluation);
    if !faults.is_empty() {
        return Err(ReportError::Faults(faults));
    }
    Ok(show_hidden_characters(&page(evaluation).render()?))
}

fn page(evaluation: &Evaluation) -> Page {
    let band_sets: Vec<BandSetView> = evaluation.band_sets.iter().map(band_set_view).collect();
    let band_scores = band_sets.iter().flat_map(|set| [&set.mean_iou, &set.water_iou, &set.error]);
    Page {
        title: evaluation.title.clone(),
        notices: evaluation.notices.clone(),
        run: run_view(&evaluation.run),
        verdict: verdict(&evaluation.goals),
        goals: evaluation.goals.iter().map(goal_view).collect(),
        holdouts: evaluation.holdouts.iter().enumerate().map(|(index, holdout)| holdout_view(index, holdout)).collect(),
        band_sets_missing: reasons(band_scores),
        band_sets,
        objects: evaluation.objects.as_ref().map(objects_view),
        groups: groups(&evaluation.pictures),
        legend: legend(&evaluation.legend),
    }
}

fn run_view(run: &EvaluationRun) -> RunView {
    RunView {
        bundle: format!("{} {}", run.bundle_name, run.bundle_version),
        digest: run.bundle_digest.clone(),
        short_digest: short_digest(&run.bundle_digest),
        backend: run.backend.clone(),
        weights_format: run.weights_format.clone(),
        program_version: run.program_version.clone(),
        data_title: run.data_title.clone(),
        started_utc: run.started_utc.clone(),
        duration: duration(run.duration_s),
    }
}

/// All met, some missed, some not measured, or no goals at all: four answers that must not be confused.
fn verdict(goals: &[Goal]) -> Verdict {
    if goals.is_empty() {
        return Verdict {
            kind: "nothing",
            heading: "No goals were set".to_owned(),
            text: "The scores below stand without a judgement: nobody said what is good enough.".to_owned(),
        };
    }
    let names = |wanted: &dyn Fn(&&Goal) -> bool| -> Vec<&str> {
        goals.iter().filter(|goal| wanted(goal)).map(|goal| goal.what.as_str()).collect()
    };
    let missed = names(&|goal| !goal.met && goal.reached.is_some());
    let unmeasured = names(&|goal| goal.reached.is_none());
    let all = count(goals.len(), "goal", "goals");
    let mut text = Vec::new();
    if !missed.is_empty() {
        text.push(format!("Missed: {}.", missed.join("; ")));
    }
    if !unmeasured.is_empty() {
        text.push(format!("Not measured, and so not met: {}.", unmeasured.join("; ")));
    }
    let (kind, heading) = match (missed.len(), unmeasured.len()) {
        (0, 0) if goals.len() == 1 => ("none", "The goal is met".to_owned()),
        (0, 0) => ("none", format!("All {all} met")),
        (0, some) => ("nothing", format!("{} of {all} not measured", number(some as f64, 0))),
        (some, 0) => ("missed", format!("{} of {all} missed", number(some as f64, 0))),
        (some, more) => {
            ("missed", format!("{} of {all} missed, {} not measured", number(some as f64, 0), number(more as f64, 0)))
        }
    };
    if text.is_empty() {
        text.push("On these data; the hold-outs below say how far that carries.".to_owned());
    }
    Verdict { kind, heading, text: text.join(" ") }
}

fn goal_view(goal: &Goal) -> GoalView {
    let (style, outcome) = match (goal.met, goal.reached) {
        (_, None) => ("quiet", NOT_MEASURED),
        (true, _) => ("good", "met"),
        (false, _) => ("bad", "missed"),
    };
    GoalView {
        what: goal.what.clone(),
        wanted: match goal.wanted {
            GoalBound::AtLeast(bound) => format!("at least {}", number(bound, 3)),
            GoalBound::AtMost(bound) => format!("at most {}", number(bound, 3)),
        },
        reached: Measured::score(goal.reached, NOT_MEASURED),
        style,
        outcome,
    }
}

fn band_set_view(set: &BandSetScore) -> BandSetView {
    let score = |value| Measured::score(value, NOT_MEASURED);
    BandSetView {
        name: words(&set.name),
        bands: set.bands.iter().map(|band| words(band)).collect::<Vec<_>>().join(", "),
        mean_iou: score(set.mean_iou),
        bar_percent: bar(set.mean_iou.unwrap_or(0.0), 1.0),
        water_iou: score(set.water_iou),
        error: score(set.expected_calibration_error),
    }
}

fn groups(pictures: &[EvaluationPicture]) -> Vec<PictureGroupView> {
    let groups = [
        (PictureGroup::Best, "pictures-best", "Best"),
        (PictureGroup::Worst, "pictures-worst", "Worst"),
        (PictureGroup::Object, "pictures-objects", "Objects"),
    ];
    let view = |(group, id, heading)| {
        let members = pictures.iter().filter(|picture| picture.group == group);
        PictureGroupView { id, heading, pictures: members.map(picture_view).collect() }
    };
    groups.into_iter().map(view).filter(|group| !group.pictures.is_empty()).collect()
}

fn picture_view(picture: &EvaluationPicture) -> PictureView {
    let panels = picture.panels.iter().map(|panel| {
        let (width_px, height_px) = png_size(&panel.png).unwrap_or_default();
        PanelView {
            label: panel.label.clone(),
            uri: data_uri(&panel.png),
            alt: format!("Panel “{}” of the picture “{}”", panel.label, picture.title),
            width_px,
            height_px,
        }
    });
    PictureView { title: picture.title.clone(), caption: picture.caption.clone(), panels: panels.collect() }
}

fn legend(legend: &PictureLegend) -> Vec<LegendView> {
    let view = |name: &str, colour, note| LegendView { name: words(name), colour: colour::css(colour), note };
    let entries = legend.classes.iter().chain(&legend.others).map(|entry| view(&entry.name, entry.colour, ""));
    let unknown = [
        view("not labelled", legend.not_labelled, "nobody says what it is; not scored"),
        view("not observed", legend.not_observed, "cloud, shadow or no data; not background"),
    ];
    entries.chain(unknown).collect()
}
