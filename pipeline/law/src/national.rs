//! National patches (图斑) that come from above: matched with ours by space and time, and answered with outcome codes.

use std::collections::BTreeMap;

use geo::{BooleanOps, BoundingRect, Intersects};
use geo_types::{MultiPolygon, Polygon};
use jiff::civil::Date;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use serde::{Deserialize, Serialize};
use shorewatch_domain::decision::DecisionVerdict;

use crate::ellipsoid;

/// A national patch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NationalPatch {
    /// Its id, as it came.
    pub national_id: String,
    /// Its outline in CGCS2000.
    pub geometry: MultiPolygon<f64>,
    /// The day of its later image, where it is told.
    pub image_date: Option<Date>,
    /// The verdict that came with it, in its own words.
    pub verdict: Option<String>,
    /// All its fields, as they came: they go back unchanged.
    pub fields: BTreeMap<String, String>,
}

/// One of our patches.
#[derive(Clone, PartialEq, Debug)]
pub struct Ours {
    /// Its id.
    pub patch_id: String,
    /// Its outline in CGCS2000.
    pub outline: Polygon<f64>,
    /// The day of its later image.
    pub day: Date,
    /// What was decided.
    pub verdict: Option<DecisionVerdict>,
    /// Whether it lies inside a permit that holds.
    pub permitted: bool,
}

/// How near two patches must be to be the same.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Nearness {
    /// Least common share of the smaller one of both.
    pub share_min: f64,
    /// Most days between the later images; where one is not told, space alone counts.
    pub days_max: u32,
}

/// What is known of a national patch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A reviewer says that it is a problem.
    Problem,
    /// A reviewer says that it is none.
    NotAProblem,
    /// A problem from before, under watch (挂账监管).
    UnderWatch,
    /// From before, and harmless.
    HistoricalHarmless,
    /// Inside a permit that holds; nobody has decided.
    Permitted,
    /// We raised it, and nobody has decided, or nothing could be decided.
    Pending,
    /// None of our patches is the same.
    NotMatched,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Problem,
        Self::NotAProblem,
        Self::UnderWatch,
        Self::HistoricalHarmless,
        Self::Permitted,
        Self::Pending,
        Self::NotMatched,
    ];

    /// The name in configurations and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::NotAProblem => "not_a_problem",
            Self::UnderWatch => "under_watch",
            Self::HistoricalHarmless => "historical_harmless",
            Self::Permitted => "permitted",
            Self::Pending => "pending",
            Self::NotMatched => "not_matched",
        }
    }
}

/// The answer to a national patch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The national patch.
    pub national_id: String,
    /// Ours that is the same, where one is.
    pub patch_id: Option<String>,
    /// What they have in common, as a share of the smaller one (0..1).
    pub share: f64,
    /// Days from the national image to ours.
    pub days: Option<i32>,
    /// What is known of it.
    pub outcome: Outcome,
}

/// The answers to national patches, in their order. A decided patch goes before one that is not, then the larger common share, then
/// the nearer day.
#[must_use]
pub fn answers(national: &[NationalPatch], ours: &[Ours], nearness: &Nearness) -> Vec<Answer> {
    let boxes = ours.iter().enumerate().filter_map(|(number, one)| {
        let bounds = one.outline.bounding_rect()?;
        let corners = Rectangle::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]);
        Some(GeomWithData::new(corners, number))
    });
    let tree = RTree::bulk_load(boxes.collect());
    national.iter().map(|patch| answer(patch, ours, &tree, nearness)).collect()
}

fn answer(
    national: &NationalPatch,
    ours: &[Ours],
    tree: &RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
    nearness: &Nearness,
) -> Answer {
    let mut candidates: Vec<(&Ours, f64, Option<i32>)> = Vec::new();
    if let Some(bounds) = national.geometry.bounding_rect() {
        let envelope = AABB::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]);
        let whole = ellipsoid::area(&national.geometry);
        for entry in tree.locate_in_envelope_intersecting(&envelope) {
            let one = &ours[entry.data];
            let days = national.image_date.map(|date| (one.day - date).get_days());
            let is_near = days.is_none_or(|days| days.unsigned_abs() <= nearness.days_max);
            if !is_near || !national.geometry.intersects(&one.outline) {
                continue;
            }
            let common = ellipsoid::area(&national.geometry.intersection(&one.outline));
            let share = common / whole.min(ellipsoid::polygon_area(&one.outline));
            if share >= nearness.share_min {
                candidates.push((one, share.min(1.0), days));
            }
        }
    }
    let best = candidates.into_iter().min_by(|a, b| {
        a.0.verdict
            .is_none()
            .cmp(&b.0.verdict.is_none())
            .then_with(|| b.1.total_cmp(&a.1))
            .then_with(|| a.2.map(i32::abs).cmp(&b.2.map(i32::abs)))
            .then_with(|| a.0.patch_id.cmp(&b.0.patch_id))
    });
    let national_id = national.national_id.clone();
    match best {
        None => Answer { national_id, patch_id: None, share: 0.0, days: None, outcome: Outcome::NotMatched },
        Some((one, share, days)) => {
            Answer { national_id, patch_id: Some(one.patch_id.clone()), share, days, outcome: outcome(one) }
        }
    }
}

const fn outcome(ours: &Ours) -> Outcome {
    match ours.verdict {
        Some(DecisionVerdict::Problem) => Outcome::Problem,
        Some(DecisionVerdict::NotAProblem) => Outcome::NotAProblem,
        Some(DecisionVerdict::UnderWatch) => Outcome::UnderWatch,
        Some(DecisionVerdict::HistoricalHarmless) => Outcome::HistoricalHarmless,
        None if ours.permitted => Outcome::Permitted,
        None | Some(DecisionVerdict::Unsure | DecisionVerdict::BadImagery | DecisionVerdict::Duplicate) => {
            Outcome::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::{Rect, coord};
    use jiff::civil::date;

    fn square(x: f64, edge: f64) -> Polygon<f64> {
        Rect::new(coord! { x: x, y: 22.0 }, coord! { x: x + edge, y: 22.0 + edge }).to_polygon()
    }

    fn national(id: &str, x: f64, image_date: Option<Date>) -> NationalPatch {
        NationalPatch {
            national_id: id.to_owned(),
            geometry: MultiPolygon(vec![square(x, 0.001)]),
            image_date,
            verdict: None,
            fields: BTreeMap::new(),
        }
    }

    fn ours(id: &str, x: f64, verdict: Option<DecisionVerdict>) -> Ours {
        Ours { patch_id: id.to_owned(), outline: square(x, 0.000_8), day: date(2024, 3, 15), verdict, permitted: false }
    }

    const NEAR: Nearness = Nearness { share_min: 0.3, days_max: 120 };

    #[test]
    fn patches_match_by_space_and_time() {
        let of = |national: NationalPatch, ours: &[Ours]| answers(&[national], ours, &NEAR).remove(0);
        let day = Some(date(2024, 1, 1));
        let matched = of(national("N", 108.0, day), &[ours("far", 108.01, None), ours("near", 108.000_1, None)]);
        assert_eq!(
            (matched.patch_id.as_deref(), matched.outcome, matched.days),
            (Some("near"), Outcome::Pending, Some(74))
        );
        assert!((matched.share - 1.0).abs() < 1e-6, "of the smaller one");
        let long_ago = of(national("N", 108.0, Some(date(2020, 1, 1))), &[ours("near", 108.0, None)]);
        assert_eq!(long_ago.outcome, Outcome::NotMatched);
        assert_eq!(of(national("N", 108.0, None), &[ours("near", 108.0, None)]).days, None);
        let corner = of(national("N", 108.0, day), &[ours("corner", 108.000_9, None)]);
        assert_eq!(corner.outcome, Outcome::NotMatched, "an eighth is not the same");
    }

    #[test]
    fn what_was_decided_goes_back() {
        let verdicts = [
            (Some(DecisionVerdict::Problem), Outcome::Problem),
            (Some(DecisionVerdict::NotAProblem), Outcome::NotAProblem),
            (Some(DecisionVerdict::UnderWatch), Outcome::UnderWatch),
            (Some(DecisionVerdict::HistoricalHarmless), Outcome::HistoricalHarmless),
            (Some(DecisionVerdict::Unsure), Outcome::Pending),
            (None, Outcome::Pending),
        ];
        for (verdict, expected) in verdicts {
            let told = answers(&[national("N", 108.0, None)], &[ours("a", 108.0, verdict)], &NEAR);
            assert_eq!(told[0].outcome, expected);
        }
        let permitted = Ours { permitted: true, ..ours("a", 108.0, None) };
        assert_eq!(answers(&[national("N", 108.0, None)], &[permitted], &NEAR)[0].outcome, Outcome::Permitted);
        let two = [ours("larger", 108.0, None), ours("decided", 108.000_3, Some(DecisionVerdict::Problem))];
        assert_eq!(answers(&[national("N", 108.0, None)], &two, &NEAR)[0].patch_id.as_deref(), Some("decided"));
    }
}
