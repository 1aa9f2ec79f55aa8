//! What a reader may rely on in the page about a model's quality: it stands alone, it is well-formed, no text from
//! data is markup, what was not measured is a dash and never 0, and scores that contradict their counts are refused.

mod support;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use ndarray::Array2;
use proptest::prelude::*;
use roxmltree::{Document, Node};
use shorewatch_report::{Evaluation, ReportError, ReportFault, render_evaluation};

use support::{full, png};

/// The page as a tree; fails when it is not well-formed.
fn parse(html: &str) -> Document<'_> {
    let body = html.strip_prefix("<!DOCTYPE html>").expect("a doctype");
    Document::parse(body).expect("well-formed")
}

/// All text below a node outside of the style sheet, with single spaces.
fn text_of(node: Node<'_, '_>) -> String {
    let words: Vec<&str> = node
        .descendants()
        .filter(|node| node.is_text() && !node.parent().is_some_and(|parent| parent.has_tag_name("style")))
        .filter_map(|node| node.text())
        .flat_map(str::split_whitespace)
        .collect();
    words.join(" ")
}

fn text(html: &str) -> String {
    text_of(parse(html).root())
}

fn faults(evaluation: &Evaluation) -> Vec<ReportFault> {
    match render_evaluation(evaluation) {
        Err(ReportError::Faults(faults)) => faults,
        other => panic!("expected faults, got {other:?}"),
    }
}

#[test]
fn every_section_is_there() {
    let html = render_evaluation(&full()).expect("a page");
    let text = text(&html);
    for expected in [
        "How good is shoreland?",
        "1 of 3 goals missed, 1 not measured",
        "Missed: mean IoU. Not measured, and so not met: IoU of snow.",
        "The split by mask hash leaks.",
        "at least 0.600 0.574 missed",
        "at most 0.030 0.020 met",
        "Hold-out: by mask hash",
        "Hold-out: places never seen",
        "51 images, places not known",
        "12,000",
        "0.038 before calibration",
        "low vegetation",
        "0.950 better",
        "33.3 % 1,000",
        "AP 0.975",
        "hand-made masks",
        "0.500 to 1.000 0.750 0.700 100.0 %",
        "red, green, blue",
        "0.387",
        "25–99 px 1,200 900 0.750",
        "< 0.1 %",
        "fish cage",
        "not labelled",
        "not background",
        "torchscript",
        "libtorch, CPU",
        "took 1 min 42 s",
        "shorewatch 0.1.0",
        &"c0ffee42".repeat(8),
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
    let place = |words: &str| text.find(words).expect("shown");
    assert!(place("chip 17, accuracy 97 %") < place("chip 191, accuracy 41 %"), "best before worst");
    assert!(place("chip 191, accuracy 41 %") < place("chip 3, a dump"), "worst before objects");
    assert_eq!(html, render_evaluation(&full()).expect("a page"), "the same data, the same text");
}

#[test]
fn the_page_stands_alone() {
    let html = render_evaluation(&full()).expect("a page");
    assert!(html.contains("default-src 'none'"));
    for outside in ["http://", "https://", "<script", "<link", "<iframe", "@import", "url(", "onclick"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for node in parse(&html).descendants() {
        if let Some(source) = node.attribute("src") {
            assert!(source.starts_with("data:image/png;base64,"), "{source}");
        }
        if let Some(target) = node.attribute("href") {
            assert!(target.starts_with('#'), "{target}");
        }
    }
}

#[test]
fn links_lead_somewhere_and_pictures_have_words() {
    let html = render_evaluation(&full()).expect("a page");
    let document = parse(&html);
    let mut names = BTreeSet::new();
    for name in document.descendants().filter_map(|node| node.attribute("id")) {
        assert!(names.insert(name), "{name} twice");
    }
    let mut charts = 0;
    for node in document.descendants().filter(Node::is_element) {
        let references = [node.attribute("href"), node.attribute("aria-labelledby")];
        for target in references.into_iter().flatten().flat_map(str::split_whitespace) {
            assert!(names.contains(target.trim_start_matches('#')), "{target}");
        }
        if node.has_tag_name("img") {
            assert!(node.attribute("alt").is_some_and(|alt| alt.len() > 20));
            assert_eq!((node.attribute("width"), node.attribute("height")), (Some("4"), Some("3")));
        }
        if node.has_tag_name("th") {
            assert!(node.attribute("scope").is_some());
        }
        if node.has_tag_name("svg") && node.attribute("aria-hidden").is_none() {
            charts += 1;
            assert_eq!(node.attribute("role"), Some("img"));
            let child = |name: &str| node.children().find(|child| child.has_tag_name(name)).map(text_of);
            assert!(child("title").is_some_and(|words| words.len() > 20));
            assert!(child("desc").is_some_and(|words| words.len() > 40));
        }
    }
    assert_eq!(charts, 4, "two for each hold-out");
}

#[test]
fn what_was_not_measured_is_a_dash_and_never_nothing() {
    let html = render_evaluation(&full()).expect("a page");
    let document = parse(&html);
    let row = |region: &str, name: &str| {
        let region = document.descendants().find(|node| node.attribute("aria-label") == Some(region)).expect(region);
        let mut heads = region.descendants().filter(|node| node.has_tag_name("th") && text_of(*node) == name);
        heads.next_back().and_then(|head| head.parent()).map(text_of).expect(name)
    };
    let none = "(the class is neither labelled nor predicted here)";
    let snow = row("Scores by class, by mask hash", "snow");
    assert!(snow.starts_with(&format!("snow — {none} — (the baseline does not know the class")), "{snow}");
    assert!(!snow.contains("0.000"), "{snow}");
    let snow = row("Confusion, by mask hash", "snow");
    assert!(snow.starts_with("snow — (no pixel carries this label here) 0"), "{snow}");
    assert!(row("Goals", "IoU of snow").contains("— (not measured) not measured"));
    assert!(row("Bins of confidence, by mask hash", "0.000 to 0.500").contains("— (no pixel has this confidence)"));
    let cage = row("Objects by kind", "fish cage");
    assert_eq!(cage, "fish cage 7 0.000 — (none of this kind is found, so none can be named)", "0 found is a number");
    assert!(row("Precision by size of the finding", "4–24 px").contains("— (there is no finding of this size)"));
    let words = text(&html);
    assert!(words.contains("“—” stands for no score, which is not 0: "), "said without a pointer, too");
    let bars = document.descendants().filter(|node| node.attribute("class") == Some("bar")).count();
    assert_eq!(bars, 2 * (3 + 2) + 1 + 1 + 1, "a bar of length 0 only where 0 was measured");
}

#[test]
fn the_verdict_tells_four_answers_apart() {
    let heading = |goals: &[usize]| {
        let mut evaluation = full();
        let all = std::mem::take(&mut evaluation.goals);
        evaluation.goals = goals.iter().map(|index| all[*index].clone()).collect();
        text(&render_evaluation(&evaluation).expect("a page"))
    };
    assert!(heading(&[1]).contains("The goal is met"));
    assert!(heading(&[1, 1]).contains("All 2 goals met"));
    assert!(heading(&[0, 1]).contains("1 of 2 goals missed"));
    assert!(heading(&[1, 2]).contains("1 of 2 goals not measured"));
    assert!(heading(&[]).contains("No goals were set"));
}

#[test]
fn what_is_not_there_has_no_section() {
    let mut evaluation = full();
    evaluation.band_sets.clear();
    evaluation.objects = None;
    evaluation.pictures.clear();
    evaluation.holdouts[0].curves.clear();
    evaluation.holdouts[0].reliability.clear();
    evaluation.holdouts[0].baselines.clear();
    evaluation.holdouts[0].water.clear();
    let html = render_evaluation(&evaluation).expect("a page");
    let document = parse(&html);
    for id in ["band-sets", "objects", "pictures", "holdout-1-curves-title", "holdout-1-reliability-title"] {
        assert!(!document.descendants().any(|node| node.attribute("id") == Some(id)), "{id}");
    }
}

#[test]
fn text_from_data_is_never_markup() {
    let evil = "<script>alert('x')</script>\" onload=\"y\u{202E}gpj.exe\u{2066} & \u{7}";
    let mut evaluation = full();
    evaluation.title = evil.to_owned();
    evaluation.notices = vec![evil.to_owned()];
    evaluation.run.bundle_name = evil.to_owned();
    evaluation.run.bundle_digest = evil.to_owned();
    evaluation.goals[0].what = evil.to_owned();
    evaluation.holdouts[0].name = evil.to_owned();
    evaluation.holdouts[0].classes[0].name = evil.to_owned();
    evaluation.holdouts[0].baselines[0].name = evil.to_owned();
    evaluation.holdouts[0].water[0].name = evil.to_owned();
    evaluation.band_sets[0].bands[0] = evil.to_owned();
    evaluation.pictures[0].title = evil.to_owned();
    evaluation.pictures[0].panels[0].label = evil.to_owned();
    evaluation.legend.classes[0].name = evil.to_owned();
    let html = render_evaluation(&evaluation).expect("a page");
    assert!(!html.contains("<script"));
    assert!(!html.contains('\u{202E}') && !html.contains('\u{2066}') && !html.contains('\u{7}'));
    assert!(html.contains("⟨U+202E⟩gpj.exe⟨U+2066⟩"));
    assert!(!parse(&html).descendants().any(|node| node.attribute("onload").is_some()));
}

#[test]
fn contradictions_are_all_listed() {
    let mut evaluation = full();
    evaluation.run.duration_s = f64::NAN;
    evaluation.goals[0].met = true;
    evaluation.holdouts[1].name = "by mask hash".to_owned();
    let holdout = &mut evaluation.holdouts[0];
    holdout.confusion = Array2::zeros((2, 3));
    holdout.mean_iou = Some(1.2);
    holdout.labelled_px = 7;
    holdout.curves[0].class = 3;
    holdout.reliability[1].share = 0.4;
    holdout.baselines[0].class_iou.pop();
    let holdout = &mut evaluation.holdouts[1];
    holdout.classes[0].iou = Some(0.5);
    holdout.classes[2].precision = Some(0.0);
    holdout.curves[0].points.swap(1, 2);
    holdout.reliability[1].accuracy = None;
    let objects = evaluation.objects.as_mut().expect("objects");
    objects.recall_by_size[0].found = 1_300;
    objects.recall_by_size[0].recall = None;
    evaluation.pictures[0].panels[1].png = png(5, 3);
    evaluation.pictures[0].panels[2].png = b"GIF89a".to_vec();
    evaluation.pictures[1].panels.clear();
    evaluation.legend.not_observed = [0, 0, 0];
    let faults = faults(&evaluation);
    let message = ReportError::Faults(faults.clone()).to_string();
    for expected in [
        "run: duration_s is NaN; expected seconds, zero or more",
        "goal \"mean IoU\" is called met",
        "hold-out \"by mask hash\" appears more than once",
        "the confusion matrix has the size [2, 3] where [3, 3] was expected",
        "mean_iou is 1.2; expected 0 to 1",
        "labelled_px is 7 where the sum over the classes gives 12000",
        "a curve is of class 3, but there are 3 classes",
        "sum of bin shares is 0.4",
        "baseline \"MNDWI > 0\": class_iou has the size [2] where [3] was expected",
        "class \"water\": iou is 0.5 where the confusion matrix gives Some(0.9)",
        "class \"snow\": precision is 0 where the confusion matrix gives None",
        "curve of \"water\": recall falls from 1 to 0.5",
        "confidence 0.5 to 1: there is no accuracy",
        "objects of \"25–99 px\": found (1300) is more than objects (1200)",
        "panel \"predicted\" is (5, 3) px",
        "panel \"label\" is not a PNG file",
        "picture \"chip 191, accuracy 41 %\": there is no panel",
        "the legend gives \"not observed\" the colour [0, 0, 0] of \"no_object\"",
    ] {
        assert!(message.contains(expected), "{expected:?} is missing in:\n{message}");
    }
    assert_eq!(faults.len(), 18, "{message}");
}

#[test]
fn not_a_number_is_not_the_same_as_not_measured() {
    let mut evaluation = full();
    evaluation.holdouts[0].classes[2].iou = Some(f64::NAN);
    let faults = faults(&evaluation);
    assert!(matches!(&faults[..], [ReportFault::Number { field: "iou", .. }]), "{faults:?}");
    assert!(faults[0].to_string().contains("`None`"), "{}", faults[0]);
}

#[test]
fn an_evaluation_without_scores_is_refused() {
    let mut evaluation = full();
    evaluation.holdouts.clear();
    assert!(matches!(&faults(&evaluation)[..], [ReportFault::Absent { what: "hold-out", .. }]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_well_formed_page(words in any::<String>()) {
        static FULL: LazyLock<Evaluation> = LazyLock::new(full);
        let mut evaluation = FULL.clone();
        evaluation.title = words.clone();
        evaluation.holdouts[0].name = format!("x{words}");
        evaluation.holdouts[0].classes[0].name = format!("x{words}");
        evaluation.pictures[0].title = words.clone();
        evaluation.legend.others[0].name = words;
        let html = render_evaluation(&evaluation).expect("a page");
        parse(&html);
    }
}
