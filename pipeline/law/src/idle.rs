//! Approved but idle (占而不用): an alarm for *no* change. Only where the ground was observed: nothing seen is not nothing there.

use geo::BooleanOps;
use geo_types::{MultiPolygon, Polygon};
use jiff::civil::Date;
use shorewatch_domain::law::assessment::IdleProject;
use shorewatch_domain::law::layer::{Facts, Feature, ProjectStage};

use crate::ellipsoid;

/// What was looked at: a square of one pass.
#[derive(Clone, PartialEq, Debug)]
pub struct Look {
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

/// The projects on whose ground nothing changed by the day by which something should have, though it was observed on that day or
/// later. `managed` are the scopes that passes look at: ground outside of them was never asked about.
///
/// Squares tell what was observed only as a whole: the share of a project is that of the squares that it lies in, by area.
#[must_use]
pub fn idle<'a>(
    features: impl IntoIterator<Item = &'a Feature>,
    looks: &[Look],
    changes: &[Change],
    managed: &[MultiPolygon<f64>],
    observed_share_min: f64,
) -> Vec<IdleProject> {
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
            let has_changed = changes.iter().any(|change| {
                from.is_none_or(|from| change.day >= from)
                    && ellipsoid::area(&feature.geometry.intersection(&change.outline)) > 0.0
            });
            let in_scope: f64 =
                managed.iter().map(|scope| ellipsoid::area(&feature.geometry.intersection(scope))).sum::<f64>() / area;
            if has_changed || in_scope < observed_share_min {
                return None;
            }
            let (observed_on, observed_share) =
                observed(&feature.geometry, area, expected_by, looks, observed_share_min)?;
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

/// The last day from `since` on that observed enough of the ground, and how much that was.
fn observed(
    ground: &MultiPolygon<f64>,
    area: f64,
    since: Date,
    looks: &[Look],
    least_share: f64,
) -> Option<(Date, f64)> {
    let mut by_day: std::collections::BTreeMap<Date, f64> = std::collections::BTreeMap::new();
    for look in looks.iter().filter(|look| look.day >= since) {
        let Some(share) = look.observed_share else { continue };
        let part = ellipsoid::area(&ground.intersection(&look.square)) / area;
        if part > 0.0 {
            *by_day.entry(look.day).or_default() += part * share;
        }
    }
    by_day.into_iter().rev().find(|(_, share)| *share >= least_share).map(|(day, share)| (day, share.min(1.0)))
}
