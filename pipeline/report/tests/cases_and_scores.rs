//! What the page says of review scores, cases and what was kept back, beyond what it says once of everything.

#[path = "support/page.rs"]
mod support;

use shorewatch_report::{CaseEvent, CasePicture, CaseState, KeptBackRow, rank_patches, render_report};

use support::{case, full, judged_patch, kept_back, patch, text};

#[test]
fn patches_without_a_review_score_follow_by_confidence() {
    let mut report = full();
    report.patches = vec![patch("low", 0.5), patch("high", 0.99), judged_patch("judged", 0.02, 0.1)];
    rank_patches(&mut report.patches);
    let order: Vec<&str> = report.patches.iter().map(|patch| patch.patch_id.as_str()).collect();
    assert_eq!(order, ["judged", "high", "low"]);
    report.max_patches_with_chips = 1;
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("Those without one follow by confidence"), "{words}");
    assert!(words.contains("2 high bare soil water → bare soil occupation 乱占 1,234.57 m² not told 0.99"), "{words}");

    report.patches.retain(|patch| patch.review_score.is_none());
    rank_patches(&mut report.patches);
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("No patch has a review score"), "{words}");
    assert!(!words.contains("How to read scores and evidence"), "{words}");
}

#[test]
fn cases_beyond_the_cap_are_counted_and_none_is_said() {
    let mut report = full();
    let all = (0..130).map(|index| case(&format!("case-{index:03}"), CaseState::Suspected, "p"));
    report.cases = all.collect();
    report.cases.extend((0..30).map(|index| case(&format!("case-c{index:02}"), CaseState::Confirmed, "p")));
    report.cases[0].urgent = true;
    report.max_cases_listed = 100;
    let html = render_report(&report).expect("a page");
    let words = text(&html);
    assert_eq!(html.matches("<code>case-").count(), 100);
    assert!(words.contains("75 more open cases, 1 urgent"), "{words}");
    assert!(words.contains("And 60 more open cases; the layer “cases” of the store holds them all."), "{words}");
    assert!(words.contains("160 cases are open: 30 seen again"), "{words}");

    report.cases = vec![case("case-gone", CaseState::Cleared, "p")];
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("No case is open."), "{words}");

    report.cases.clear();
    report.kept_back.clear();
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("There is no case yet."), "{words}");
    assert!(words.contains("No place was kept back"), "{words}");
    assert!(!words.contains("cases are open"), "{words}");
}

#[test]
fn a_case_is_shown_date_by_date_with_what_each_date_told() {
    let mut report = full();
    let date = |date: &str, event, area_m2, review_score, jpeg: Option<&[u8]>| CasePicture {
        date: date.to_owned(),
        event,
        area_m2,
        review_score,
        jpeg: jpeg.map(<[u8]>::to_vec),
    };
    report.cases[1].pictures = vec![
        date("2021-03-15", None, None, None, Some(&[1, 2, 3])),
        date("2022-03-15", Some(CaseEvent::New), Some(1234.6), Some(0.61), Some(&[4, 5, 6])),
        date("2023-03-15", Some(CaseEvent::Unseen), None, None, None),
    ];
    let html = render_report(&report).expect("a page");
    assert_eq!(html.matches("class=\"strip\"").count(), 1, "the others have no pictures");
    assert!(html.contains("data:image/jpeg;base64,AQID") && html.contains("data:image/jpeg;base64,BAUG"));
    assert!(html.contains("on 2022-03-15\"/>"), "each picture is named");
    let words = text(&html);
    let told = "2021-03-15 before 2022-03-15 new 1,235 m² score 0.61 can’t be read any more 2023-03-15 unseen";
    assert!(words.contains(told), "{words}");
}

#[test]
fn dates_of_series_are_as_long_as_they_must_be() {
    let mut report = full();
    report.cases[1].series[1].date = "2024-03-15".to_owned();
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("case-c 2022-03 new · 2024-03 persisting · 2024-09 shrunk"), "{words}");
    report.cases[1].series[1].date = "2024-09-20".to_owned();
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("case-c 2022-03-15 new · 2024-09-20 persisting · 2024-09-01 shrunk"), "{words}");
}

#[test]
fn many_reaches_with_places_kept_back_are_cut_and_counted() {
    let mut report = full();
    let row = |index| KeptBackRow { reach_id: format!("lost-{index:02}"), ..kept_back("ice", 1, 10.0) };
    report.kept_back = (0..30).map(row).collect();
    let words = text(&render_report(&report).expect("a page"));
    assert!(words.contains("ice 30 300.00 m²") && words.contains("and 5 more reaches"), "{words}");
    assert!(words.contains("lost-24") && !words.contains("lost-25"), "{words}");
}
