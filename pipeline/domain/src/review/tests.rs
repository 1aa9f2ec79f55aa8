use super::*;
use geo_types::polygon;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn review(verdict: Verdict, corrected: Option<&str>) -> Review {
    Review {
        patch_id: "20240315-0001".to_owned(),
        verdict,
        reason: "shadow of a cloud".to_owned(),
        corrected_class: corrected.map(str::to_owned),
        reviewer: "r-07".to_owned(),
        reviewed_at: at("2024-06-01T08:00:00Z"),
    }
}

/// Two heads: land cover 0..3, objects 3..6 with "nothing" first.
fn two_heads() -> ModelClasses {
    let names = ["water", "bare", "built_up", "no_object", "pit", "back_to_bare"].map(str::to_owned).to_vec();
    ModelClasses { names, heads: vec![0..3, 3..6] }
}

#[test]
fn every_fault_of_a_review_is_named() {
    let check = |change: &dyn Fn(&mut Review), expected: &[&str]| {
        let mut given = review(Verdict::Rejected, None);
        change(&mut given);
        let faults = given.faults();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        assert!(faults.iter().zip(expected).all(|(fault, start)| fault.starts_with(start)), "{faults:?}");
    };
    check(&|_| {}, &[]);
    check(&|review| review.reviewer = "王小明".to_owned(), &["reviewer"]);
    check(&|review| review.reviewer = "13800138000".to_owned(), &["reviewer"]);
    check(&|review| review.reviewer = String::new(), &["reviewer"]);
    check(&|review| review.reason = " ".to_owned(), &["reason"]);
    check(&|review| (review.verdict, review.reason) = (Verdict::Confirmed, String::new()), &[]);
    check(
        &|review| {
            (review.reviewer, review.reason, review.corrected_class) =
                ("a b".into(), String::new(), Some(String::new()));
        },
        &["reviewer", "reason", "corrected_class"],
    );
}

#[test]
fn the_latest_decision_counts_and_of_equals_the_last_recorded() {
    let decided = |patch_id: &str, verdict, time: &str| Review {
        patch_id: patch_id.to_owned(),
        reviewed_at: at(time),
        ..review(verdict, None)
    };
    let counted = latest([
        decided("b", Verdict::Confirmed, "2024-06-03T00:00:00Z"),
        decided("b", Verdict::Rejected, "2024-06-02T00:00:00Z"),
        decided("a", Verdict::Confirmed, "2024-06-01T00:00:00Z"),
        decided("a", Verdict::Unsure, "2024-06-01T00:00:00Z"),
    ]);
    let told: Vec<_> = counted.iter().map(|review| (review.patch_id.as_str(), review.verdict)).collect();
    assert_eq!(told, [("a", Verdict::Unsure), ("b", Verdict::Confirmed)]);
}

#[test]
fn verdicts_become_classes_of_heads() {
    let (two, nothing) = (two_heads(), [3]);
    let check = |verdict, corrected, change_type: &str, expected: (usize, usize, u8, f64)| {
        let Lesson { class, head, class_in_head, weight } =
            lesson(&review(verdict, corrected), change_type, &two, &nothing).expect("a lesson");
        assert_eq!((class, head, class_in_head, weight), expected, "{verdict:?} {corrected:?} {change_type}");
    };
    check(Verdict::Confirmed, None, "water_to_built_up", (2, 0, 2, WEIGHT_TOLD));
    check(Verdict::Confirmed, None, "bare_to_pit", (4, 1, 1, WEIGHT_TOLD));
    check(Verdict::Confirmed, Some("pit"), "water_to_built_up", (4, 1, 1, WEIGHT_TOLD));
    check(Verdict::Rejected, None, "water_to_built_up", (3, 1, 0, WEIGHT_NOTHING));
    check(Verdict::Rejected, None, "trees_to_felled", (3, 1, 0, WEIGHT_NOTHING));
    check(Verdict::Rejected, Some("bare"), "water_to_built_up", (1, 0, 1, WEIGHT_TOLD));
    // an older model's class before is no hindrance, and a name with "_to_" in it neither
    check(Verdict::Confirmed, None, "grass_to_bare", (1, 0, 1, WEIGHT_TOLD));
    check(Verdict::Confirmed, None, "water_to_back_to_bare", (5, 1, 2, WEIGHT_TOLD));
}

#[test]
fn what_can_not_be_mapped_is_told() {
    let two = two_heads();
    let refused = |verdict, corrected, change_type: &str, nothing: &[usize]| {
        lesson(&review(verdict, corrected), change_type, &two, nothing).expect_err("no lesson")
    };
    assert_eq!(refused(Verdict::Unsure, Some("pit"), "water_to_built_up", &[3]), NoLesson::Unsure);
    assert_eq!(refused(Verdict::Rejected, None, "water_to_built_up", &[]), NoLesson::NothingUnknown);
    let classes = two.names.clone();
    let change_type = "water_to_roof".to_owned();
    assert_eq!(
        refused(Verdict::Confirmed, None, &change_type, &[3]),
        NoLesson::UnknownChange { change_type: change_type.clone(), classes: classes.clone() }
    );
    let class = "roof".to_owned();
    assert_eq!(
        refused(Verdict::Rejected, Some("roof"), "water_to_built_up", &[3]),
        NoLesson::UnknownCorrection { class, classes }
    );
}

/// The labelled pixels of a rectangle with its corner at pixel (0, 0), in a window that holds it and one pixel around.
fn painted(rows: usize, cols: usize) -> Vec<String> {
    let (right, bottom) = (cols as f64, rows as f64);
    let ring = polygon![(x: 0., y: 0.), (x: right, y: 0.), (x: right, y: bottom), (x: 0., y: bottom)];
    let window = Window { row: 0, col: 0, rows, cols }.grown(1);
    let mask = labelled_pixels(&ring.into(), window);
    mask.rows().into_iter().map(|row| row.iter().map(|&said| if said { '#' } else { '.' }).collect()).collect()
}

#[test]
fn a_rim_is_left_out_where_the_patch_is_big_enough() {
    assert_eq!(painted(5, 6), ["........", "........", "..####..", "..####..", "..####..", "........", "........"]);
    assert_eq!(painted(3, 3), [".....", ".###.", ".###.", ".###.", "....."]);
}

#[test]
fn a_tight_window_gives_the_same_pixels() {
    let ring = polygon![(x: 2., y: 1.), (x: 9., y: 1.), (x: 9., y: 8.), (x: 2., y: 8.)];
    let tight = Window { row: 1, col: 2, rows: 7, cols: 7 };
    let mask = labelled_pixels(&ring.clone().into(), tight);
    let wide = labelled_pixels(&ring.into(), tight.grown(3));
    assert_eq!(wide.slice(s![3..10, 3..10]), mask);
    assert_eq!(mask.iter().filter(|said| **said).count(), 25);
}
