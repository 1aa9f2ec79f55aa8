//! One patch as a card or a row.

use std::collections::BTreeMap;

use super::evidence::strongest;
use super::format::{NOT_TOLD, coordinate, data_uri, issue_class, percent, score, square_metres, words};
use super::page::{ChipsView, PatchView};
use super::rows::reach_label;
use super::{PatchCard, Report};

/// In what order patches stand, in plain words.
pub(super) fn order(report: &Report) -> &'static str {
    let scored = report.patches.iter().filter(|patch| patch.review_score.is_some()).count();
    if scored == 0 {
        "No patch has a review score, so the highest confidence (the score of the model for this change) comes first."
    } else if scored == report.patches.len() {
        "Highest review score first: how likely a reviewer would confirm the patch, by all evidence together. \
         Confidence is the score of the model for this change alone."
    } else {
        "Highest review score first: how likely a reviewer would confirm the patch, by all evidence together. \
         Those without one follow by confidence, the score of the model for this change alone."
    }
}

/// With its pictures where `with_chips` says so.
pub(super) fn patch_view(
    report: &Report,
    patch: &PatchCard,
    truth: &BTreeMap<&str, (&'static str, String)>,
    with_chips: bool,
) -> PatchView {
    let (pre, post) = (&patch.pair.pre, &patch.pair.post);
    let alt = |role: &str, date: &str, sensor: &str| {
        format!("{role}, {date}, {sensor}: surroundings of patch {} with its outline", patch.patch_id)
    };
    PatchView {
        rank: patch.rank,
        patch_id: patch.patch_id.clone(),
        object_class: words(&patch.object_class),
        from_class: words(&patch.from_class),
        to_class: words(&patch.to_class),
        issue: issue_class(patch.issue_class.as_ref()),
        issue_told: patch.issue_class.is_some(),
        area: square_metres(patch.area_m2),
        review_score: score(patch.review_score),
        confidence: score(Some(patch.confidence)),
        change_score: score(patch.change_score),
        evidence: strongest(&patch.evidence),
        coreg: patch.coreg_rmse_px.map_or_else(|| NOT_TOLD.to_owned(), |shift_px| format!("{shift_px:.2} px")),
        valid: percent(patch.valid_fraction, 1.0),
        pre_date: pre.date.clone(),
        post_date: post.date.clone(),
        pre_sensor: pre.sensor.clone(),
        post_sensor: post.sensor.clone(),
        pre_digest: pre.digest.clone(),
        post_digest: post.digest.clone(),
        longitude: coordinate(patch.longitude_deg, 'E', 'W'),
        latitude: coordinate(patch.latitude_deg, 'N', 'S'),
        reach: reach_label(report, &patch.reach_id),
        said: patch.said.clone(),
        notes: patch.notes.clone(),
        truth: truth.get(patch.patch_id.as_str()).cloned(),
        chips: patch.chips.as_ref().filter(|_| with_chips).map(|chips| ChipsView {
            pre_uri: data_uri(&chips.pre_png),
            post_uri: data_uri(&chips.post_png),
            pre_alt: alt("Before", &pre.date, &pre.sensor),
            post_alt: alt("After", &post.date, &post.sensor),
            width_px: chips.width_px,
            height_px: chips.height_px,
        }),
    }
}
