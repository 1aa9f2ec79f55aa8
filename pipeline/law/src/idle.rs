//! Approved but idle (占而不用): an alarm for *no* change. Only where the ground was observed: nothing seen is not nothing there.

use std::collections::BTreeMap;

use geo::{BooleanOps, BoundingRect, Intersects};
use geo_types::{MultiPolygon, Polygon, Rect};
use jiff::civil::Date;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::law::layer::{Facts, Feature, ProjectStage};
use shorewatch_domain::law::place::Versions;

use crate::assess::inputs::{Shared, of_outline};
use crate::ellipsoid;
use crate::rules::Rules;

/// What was looked at: a square of one pass.
#[derive(Clone, PartialEq, Debug)]
pub struct Look {
    /// The unit of work that looked.
    pub unit: Digest,
    /// The day of the pass.
    pub day: Date,
    /// The square in CGCS2000.
    pub square: Polygon<f64>,
    /// Share of the managed ground in it that was observed (0..1); `None` where none of it is managed.
    pub observed_share: Option<f64>,
}

/// A change that somebody could have seen there: a patch, or a place that was kept back.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The day of the pass that showed it.
    pub day: Date,
    /// Its outline in CGCS2000.
    pub outline: Polygon<f64>,
}

/// Digest of what [`idle`] and the addresses of what it finds are a function of: layers in force (projects among them), rules, looks
/// with whether their pixels are at hand, changes and scopes.
#[must_use]
pub fn inputs(
    versions: &Versions,
    rules: &Rules,
    looks: &[(Look, bool)],
    changes: &[Change],
    managed: &[MultiPolygon<f64>],
) -> Digest {
    let shared = Shared::of(versions, rules).0;
    let mut builder = DigestBuilder::new("idle projects").digest("shared", &shared);
    for (look, has_pixels) in looks {
        builder = builder.digest("look", &look.unit).field("day", look.day.to_string());
        builder = look.observed_share.iter().fold(builder, |builder, share| builder.number("observed", *share));
        builder = of_outline(builder.field("pixels", [u8::from(*has_pixels)]), &look.square);
    }
    for change in changes {
        builder = of_outline(builder.field("change", change.day.to_string()), &change.outline);
    }
    for scope in managed {
        builder = scope.iter().fold(builder.field("scope", []), of_outline);
    }
    builder.finish()
}

/// The projects on whose ground nothing changed by the day by which something should have, though it was observed on that day or
/// later. `managed` are the scopes that passes look at: ground outside of them was never asked about.
///
/// `seen` tells which share (0..1) of a piece of ground a look observed, pixel by pixel; `None` where that is not known any more.
/// Then the share of the whole square stands in.
#[must_use]
pub fn idle<'a>(
    features: impl IntoIterator<Item = &'a Feature>,
    looks: &[Look],
    changes: &[Change],
    managed: &[MultiPolygon<f64>],
    seen: &dyn Fn(&Look, &MultiPolygon<f64>) -> Option<f64>,
    observed_share_min: f64,
) -> Vec<IdleProject> {
    let changes = Located::new(changes, |change| change.outline.bounding_rect());
    let looks = Located::new(looks, |look| look.square.bounding_rect());
    let scopes = Located::new(managed, BoundingRect::bounding_rect);
    let mut found: Vec<IdleProject> = features
        .into_iter()
        .filter_map(|feature| {
            let Facts::Project(project) = &feature.facts else { return None };
            let expected_by = project.change_expected_by?;
            let is_due = matches!(project.stage, ProjectStage::Approved | ProjectStage::UnderConstruction);
            let area = ellipsoid::area(&feature.geometry);
            if !is_due || area <= 0.0 {
                return None;
            }
            let from = project.valid.from;
            let has_changed = changes.near(&feature.geometry).any(|change| {
                from.is_none_or(|from| change.day >= from)
                    && ellipsoid::area(&feature.geometry.intersection(&change.outline)) > 0.0
            });
            if has_changed {
                return None;
            }
            let in_scope = scopes.near(&feature.geometry);
            let in_scope: f64 =
                in_scope.map(|scope| ellipsoid::area(&feature.geometry.intersection(scope))).sum::<f64>() / area;
            if in_scope < observed_share_min {
                return None;
            }
            let (observed_on, observed_share) =
                observed(&feature.geometry, expected_by, &looks, seen, observed_share_min)?;
            Some(IdleProject {
                code: feature.code.clone(),
                name: feature.name.clone(),
                expected_by,
                observed_on,
                observed_share,
                adcd: None,
                river_code: None,
                reach_code: None,
                chiefs: Vec::new(),
            })
        })
        .collect();
    found.sort_by(|a, b| a.code.cmp(&b.code));
    found
}

/// Things by where they lie.
struct Located<'a, T>(RTree<GeomWithData<Rectangle<[f64; 2]>, &'a T>>);

impl<'a, T> Located<'a, T> {
    fn new(things: &'a [T], bounds: impl Fn(&T) -> Option<Rect<f64>>) -> Self {
        let placed = things.iter().filter_map(|thing| {
            let (min, max) = bounds(thing).map(|bounds| (bounds.min(), bounds.max()))?;
            Some(GeomWithData::new(Rectangle::from_corners([min.x, min.y], [max.x, max.y]), thing))
        });
        Self(RTree::bulk_load(placed.collect()))
    }

    /// Those whose bounds meet those of some ground.
    fn near(&self, ground: &MultiPolygon<f64>) -> impl Iterator<Item = &'a T> {
        let envelope = ground.bounding_rect().map(|bounds| {
            let (min, max) = (bounds.min(), bounds.max());
            AABB::from_corners([min.x, min.y], [max.x, max.y])
        });
        envelope.into_iter().flat_map(|envelope| self.0.locate_in_envelope_intersecting(&envelope).map(|one| one.data))
    }
}

/// The last day from `since` on that observed enough of the ground, and how much that was.
fn observed(
    ground: &MultiPolygon<f64>,
    since: Date,
    looks: &Located<'_, Look>,
    seen: &dyn Fn(&Look, &MultiPolygon<f64>) -> Option<f64>,
    least_share: f64,
) -> Option<(Date, f64)> {
    let area = ellipsoid::area(ground);
    let bounds = ground.bounding_rect()?;
    let mut by_day: BTreeMap<Date, Vec<&Look>> = BTreeMap::new();
    for look in looks.near(ground).filter(|look| look.day >= since && look.square.intersects(&bounds)) {
        by_day.entry(look.day).or_default().push(look);
    }
    // a sum of shares is the same to the bit in whatever order the squares were found
    by_day.values_mut().for_each(|looks| looks.sort_by_key(|look| look.unit));
    by_day.into_iter().rev().find_map(|(day, looks)| {
        let shares = looks.into_iter().filter_map(|look| {
            let of_square = look.observed_share?;
            let part = ground.intersection(&look.square);
            let share = ellipsoid::area(&part) / area;
            (share > 0.0).then(|| share * seen(look, &part).unwrap_or(of_square))
        });
        let share = shares.sum::<f64>().min(1.0);
        (share >= least_share).then_some((day, share))
    })
}
