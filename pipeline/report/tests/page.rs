//! What a reader may rely on in the page: it stands alone, it is well-formed, no text from data is
//! markup, and "found nothing", "saw nothing" and "compared nothing" are three different answers.

#[path = "support/page.rs"]
mod support;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use shorewatch_report::{Cause, Report, ReportError, ReportFault, rank_patches, render_report};

use support::{chips, coverage, full, parse, patch, text};

#[test]
fn the_page_says_everything_once_needed() {
    let html = render_report(&full()).expect("a page");
    let text = text(&html);
    for expected in [
        "Suspected, not verdicts: a human confirms.",
        "Synthetic imagery: painted, not real.",
        "2 suspected patches",
        "What was not looked at",
        "Overdue as of 2024-11-20",
        "2024-09-01, 80 days ago",
        "every 60 days",
        "East tributary (R-99) never every 7 days – 0.0 %",
        "occupation 乱占",
        "1,234.57 m²",
        "2,469.13 m² in all",
        "108.647800° E, 21.943700° N",
        "water → bare soil",
        "no geotransform",
        "not known",
        "East tributary (R-99)",
        "outside every pass",
        "cloud 20.00 ha, cause not recorded 5.00 ha, smoke 5.00 ha",
        "56.0 %",
        "1 of 2 events found; 1 false alarm.",
        "took 1 min 42 s",
        "EPSG:4544, 1 m per pixel",
        "R1 钦江 lower reach (R-07)",
        "Highest review score first",
        "Review score 0.82",
        "Evidence alteration +1.2, contrast +0.8, size +0.6, water −0.4 Change score 0.61 Confidence 0.70",
        "Residual shift 0.12 px",
        "Residual shift not told",
        "unclassified, issue not told 待定",
        "2 cases are open: 1 seen again by a later pass, 1 urgent.",
        "confirmed 1 a later pass shows it as well; 1 urgent",
        "confirmed urgent bare soil not told 待定 2022-03-15 → 2024-09-01 1,235 m² 0.77 shrunk 1: 1 钦江 lower reach (R-07)",
        "case-c 2022 new · 2023 persisting · 2024 shrunk",
        "5 places, 4,500.50 m² in all",
        "patches_suppressed",
        "water level 3 3,000.00 m²",
        "told by the classes, not seen in the pixels 2 1,500.50 m²",
        "钦江 lower reach (R-07) 5 4,500.50 m²",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in:\n{text}");
    }
    let first = text.find("450702-20240901-0002").expect("listed");
    let second = text.find("450702-20240901-0001").expect("listed");
    assert!(first < second, "highest review score first, whatever the confidence");
    assert!(text.find("case-c").expect("listed") < text.find("case-s").expect("listed"), "confirmed cases first");
    assert!(!text.contains("case-gone"), "closed cases are only counted");

    let mut real = full();
    real.synthetic = false;
    let html = render_report(&real).expect("a page");
    assert!(!html.contains("Synthetic imagery"));
}

#[test]
fn the_page_stands_alone() {
    let html = render_report(&full()).expect("a page");
    assert!(html.contains("default-src &#39;none&#39;") || html.contains("default-src 'none'"));
    for outside in ["http://", "https://", "<script", "<link", "<iframe", "@import", "url(", "onclick"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let document = parse(&html);
    for node in document.descendants() {
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
    let html = render_report(&full()).expect("a page");
    let document = parse(&html);
    let mut names = BTreeSet::new();
    for node in document.descendants() {
        if let Some(name) = node.attribute("id") {
            assert!(names.insert(name), "{name} twice");
        }
    }
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        for reference in ["href", "aria-labelledby"] {
            if let Some(target) = node.attribute(reference) {
                assert!(names.contains(target.trim_start_matches('#')), "{target}");
            }
        }
        if node.has_tag_name("img") {
            assert!(node.attribute("alt").is_some_and(|alt| alt.len() > 20));
            assert!(node.attribute("width").is_some() && node.attribute("height").is_some());
        }
        if node.has_tag_name("th") {
            assert!(node.attribute("scope").is_some());
        }
    }
    assert!(names.contains("patch-1") && names.contains("patch-2"));
}

#[test]
fn text_from_data_is_never_markup() {
    let evil = "<script>alert('x')</script>\" onload=\"y\u{202E}gpj.exe\u{2066} & \u{7}";
    let mut report = full();
    report.title = evil.to_owned();
    report.notices = vec![evil.to_owned()];
    report.run.run_id = evil.to_owned();
    report.passes[0].name = evil.to_owned();
    report.passes[0].digest = evil.to_owned();
    report.reaches[0].name = evil.to_owned();
    report.coverage[0].unobserved_m2 = vec![(Cause::Other(evil.to_owned()), 1.0)];
    report.patches[0].object_class = evil.to_owned();
    report.patches[0].pair.pre.sensor = evil.to_owned();
    report.patches[0].notes = vec![evil.to_owned()];
    report.patches[0].evidence.insert(evil.to_owned(), 9.0);
    report.cases[0].case_id = evil.to_owned();
    report.cases[0].object_class = evil.to_owned();
    report.cases[0].series[0].date = evil.to_owned();
    report.cases[1].reach_id = evil.to_owned();
    report.kept_back[0].reason = evil.to_owned();
    report.kept_back[1].reach_id = evil.to_owned();
    report.maps[0].title = evil.to_owned();
    let html = render_report(&report).expect("a page");
    assert!(!html.contains("<script"));
    assert!(!html.contains('\u{202E}') && !html.contains('\u{2066}') && !html.contains('\u{7}'));
    assert!(html.contains("⟨U+202E⟩gpj.exe⟨U+2066⟩"));
    let document = parse(&html);
    assert!(!document.descendants().any(|node| node.attribute("onload").is_some()));
}

#[test]
fn three_kinds_of_nothing_are_kept_apart() {
    let mut none = full();
    none.patches.clear();
    none.maps.clear();
    none.truth = None;
    let words = text(&render_report(&none).expect("a page"));
    assert!(words.contains("No suspected patch"), "{words}");
    assert!(words.contains("Nothing is said about the other 55.00 ha"), "{words}");

    let mut unobserved = none.clone();
    unobserved.coverage = vec![coverage(0.0, vec![(Cause::Cloud, 1_000_000.0)])];
    let words = text(&render_report(&unobserved).expect("a page"));
    assert!(words.contains("Nothing was observed") && !words.contains("No suspected patch"));
    assert!(words.contains("not a finding of no change"), "{words}");
    assert!(words.contains("suspected patches – nothing was seen"), "no count of 0: {words}");

    let mut uncompared = none.clone();
    uncompared.coverage.clear();
    uncompared.reaches[0].passes_meeting = 1;
    let words = text(&render_report(&uncompared).expect("a page"));
    assert!(words.contains("Nothing was compared") && !words.contains("No suspected patch"));
    assert!(words.contains("met by one pass only"), "{words}");

    let mut all = none;
    all.reaches.truncate(1);
    all.coverage = vec![coverage(1_000_000.0, Vec::new())];
    if let Some(overdue) = &mut all.overdue {
        overdue.rows.clear();
    }
    let words = text(&render_report(&all).expect("a page"));
    assert!(words.contains("By the schedule no reach is overdue as of 2024-11-20."), "{words}");
    assert!(words.contains("Nothing is missing"), "{words}");
    assert!(words.contains("All of it was looked at."), "{words}");
}

#[test]
fn caps_are_counted_and_said() {
    let mut report = full();
    report.truth = None;
    report.patches = (0..7).map(|index| patch(&format!("p{index}"), 0.9 - 0.1 * f64::from(index))).collect();
    for patch in &mut report.patches {
        patch.chips = Some(chips());
    }
    rank_patches(&mut report.patches);
    report.max_patches_with_chips = 2;
    report.max_patches_listed = 5;
    let html = render_report(&report).expect("a page");
    let text = text(&html);
    assert_eq!(html.matches("<article").count(), 2);
    assert!(text.contains("for the 2 patches of highest score"), "{text}");
    assert!(text.contains("the next 3 patches are listed"), "{text}");
    assert!(text.contains("2 patches of lower score are not on this page"), "{text}");
    assert!(html.contains("id=\"patch-5\"") && !html.contains("id=\"patch-6\""));
    assert!(text.contains("7 suspected patches"), "the summary counts all");
}

#[test]
fn contradictions_are_all_listed() {
    let mut report = full();
    report.patches[0].rank = 5;
    report.patches[1].valid_fraction = f64::NAN;
    report.patches[1].reach_id = "R-00".to_owned();
    report.coverage[0].observed_both_m2 = 900_000.0;
    report.reaches[1].reach_id = "R-07".to_owned();
    report.patches[1].review_score = Some(1.5);
    report.patches[1].evidence.insert("size".to_owned(), f64::INFINITY);
    report.patches[1].coreg_rmse_px = Some(-1.0);
    report.cases[1].case_id = report.cases[0].case_id.clone();
    report.cases[2].area_m2 = f64::NAN;
    report.kept_back[0].area_m2 = -1.0;
    let Err(ReportError::Faults(faults)) = render_report(&report) else {
        panic!("accepted");
    };
    // the lost reach is overdue too
    assert_eq!(faults.len(), 13, "{faults:#?}");
    assert!(faults.iter().any(|fault| matches!(fault, ReportFault::CoverageExceedsScope { .. })));
    let message = ReportError::Faults(faults).to_string();
    assert!(message.contains("rank_patches"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gives_a_well_formed_page(words in any::<String>()) {
        static FULL: LazyLock<Report> = LazyLock::new(full);
        let mut report = FULL.clone();
        report.maps.clear();
        report.title = words.clone();
        report.patches[0].patch_id = format!("x{words}");
        report.patches[0].chips = None;
        report.passes[0].digest = words.clone();
        report.cases[0].case_id = format!("y{words}");
        report.cases[0].series[1].date = words.clone();
        report.kept_back[0].reason = words.clone();
        report.patches[1].evidence.insert(words.clone(), 2.0);
        report.reaches[0].name = words;
        let html = render_report(&report).expect("a page");
        parse(&html);
    }
}
