//! Problems that the ledger knows, and sites that were reviewed before: linked, and not shown again unless they grew.

use std::collections::BTreeSet;

use geo::{BooleanOps, BoundingRect, Intersects};
use geo_types::{Polygon, Rect};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use shorewatch_domain::decision::DecisionVerdict;
use shorewatch_domain::law::assessment::SuppressedReason;
use shorewatch_domain::law::explanation::{SiteRelation, SiteTrace};
use shorewatch_domain::law::layer::{Facts, LayerKind};
use shorewatch_domain::law::place::Place;

use crate::ellipsoid;
use crate::rules::Settings;

/// A site that was reviewed.
#[derive(Clone, PartialEq, Debug)]
pub struct ReviewedSite {
    /// The patch that was reviewed.
    pub patch_id: String,
    /// Its outline in CGCS2000.
    pub outline: Polygon<f64>,
    /// Its area in m².
    pub area_m2: f64,
    /// The verdict.
    pub verdict: DecisionVerdict,
}

/// Whether a verdict settles what a site is. Those of "unsure", of bad imagery and of duplicates settle nothing.
const fn settles(verdict: DecisionVerdict) -> bool {
    match verdict {
        DecisionVerdict::Problem
        | DecisionVerdict::NotAProblem
        | DecisionVerdict::UnderWatch
        | DecisionVerdict::HistoricalHarmless => true,
        DecisionVerdict::Unsure | DecisionVerdict::BadImagery | DecisionVerdict::Duplicate => false,
    }
}

/// Reviewed sites by where they lie.
#[derive(Debug, Default)]
pub struct Sites {
    sites: Vec<ReviewedSite>,
    patch_ids: BTreeSet<String>,
    tree: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

impl Sites {
    /// Makes sites ready for look-ups.
    #[must_use]
    pub fn new(sites: Vec<ReviewedSite>) -> Self {
        let bounds = sites.iter().enumerate().filter_map(|(number, site)| {
            let bounds: Rect<f64> = site.outline.bounding_rect()?;
            let corners = Rectangle::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]);
            Some(GeomWithData::new(corners, number))
        });
        let tree = RTree::bulk_load(bounds.collect());
        let patch_ids = sites.iter().map(|site| site.patch_id.clone()).collect();
        Self { sites, patch_ids, tree }
    }

    /// Whether a patch is among the sites.
    #[must_use]
    pub fn contains(&self, patch_id: &str) -> bool {
        self.patch_ids.contains(patch_id)
    }

    /// Sites that an outline meets, in the order in which they were given.
    pub(crate) fn met(&self, outline: &Polygon<f64>) -> Vec<&ReviewedSite> {
        let Some(bounds) = outline.bounding_rect() else { return Vec::new() };
        let envelope = AABB::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]);
        let mut numbers: Vec<usize> =
            self.tree.locate_in_envelope_intersecting(&envelope).map(|entry| entry.data).collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|number| &self.sites[number]).filter(|site| site.outline.intersects(outline)).collect()
    }
}

/// What earlier sites mean for a patch.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Link {
    /// The site that it belongs to.
    pub site: Option<String>,
    /// Why it is not shown, where it is not.
    pub suppressed: Option<SuppressedReason>,
    /// Every site that it meets.
    pub traces: Vec<SiteTrace>,
}

/// What the ledger and earlier reviews mean for a patch. Reviews of the patch itself do not count: they are not earlier.
///
/// Of several sites, one that it grew out of or that may relapse goes before one that it only repeats: such a patch is shown.
#[must_use]
pub fn link(
    patch_id: &str,
    outline: &Polygon<f64>,
    area_m2: f64,
    place: &Place,
    sites: &Sites,
    settings: &Settings,
) -> Link {
    let grown = |site_area: f64| area_m2 > site_area * (1.0 + settings.growth_share_min);
    let same = |share: f64, share_of_site: f64| share.max(share_of_site) >= settings.same_site_share_min;
    let mut traces = Vec::new();
    for hit in place.met(LayerKind::KnownProblem).unwrap_or_default() {
        let Facts::KnownProblem(problem) = &hit.facts else { continue };
        let relation = if !same(hit.share, hit.share_of_feature) {
            SiteRelation::Beside
        } else if settings.closed_statuses.contains(problem.status.trim()) {
            SiteRelation::Relapse
        } else if grown(problem.area_m2) {
            SiteRelation::Grown
        } else {
            SiteRelation::Same
        };
        traces.push(SiteTrace {
            site: format!("ledger:{}", hit.code),
            status: problem.status.clone(),
            share: hit.share,
            area_m2: problem.area_m2,
            relation,
        });
    }
    let whole = ellipsoid::polygon_area(outline);
    for site in sites.met(outline).into_iter().filter(|site| site.patch_id != patch_id) {
        let common = ellipsoid::area(&outline.intersection(&site.outline));
        let (share, of_site) = (common / whole, common / ellipsoid::polygon_area(&site.outline));
        if share.is_nan() || share <= 0.0 {
            continue;
        }
        let relation = if !same(share, of_site) {
            SiteRelation::Beside
        } else if !settles(site.verdict) {
            SiteRelation::Undecided
        } else if grown(site.area_m2) {
            SiteRelation::Grown
        } else {
            SiteRelation::Same
        };
        traces.push(SiteTrace {
            site: format!("patch:{}", site.patch_id),
            status: site.verdict.name().to_owned(),
            share,
            area_m2: site.area_m2,
            relation,
        });
    }
    let order = |trace: &SiteTrace| match trace.relation {
        SiteRelation::Relapse => 0,
        SiteRelation::Grown => 1,
        SiteRelation::Same => 2,
        SiteRelation::Undecided => 3,
        SiteRelation::Beside => 4,
    };
    traces.sort_by(|a, b| {
        order(a).cmp(&order(b)).then_with(|| b.share.total_cmp(&a.share)).then_with(|| a.site.cmp(&b.site))
    });
    let linked = traces.first().filter(|trace| trace.relation != SiteRelation::Beside);
    let suppressed = linked.filter(|trace| trace.relation == SiteRelation::Same).map(|trace| {
        if trace.site.starts_with("ledger:") {
            SuppressedReason::KnownProblem
        } else {
            SuppressedReason::ReviewedBefore
        }
    });
    Link { site: linked.map(|trace| trace.site.clone()), suppressed, traces }
}
