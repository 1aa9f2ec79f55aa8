//! From regions of suspected change to patches: place, area, dates, confidence and provenance.

use std::collections::{BTreeMap, BTreeSet};

use geo::{InteriorPoint, MapCoordsInPlace};
use geo_types::{MultiPolygon, Polygon};

use shorewatch_domain::change::{NO_CHANGE, UNCLASSIFIED, suppressed};
use shorewatch_domain::classes::IssueClass;
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::{Digest, DigestBuilder};
use shorewatch_domain::evidence::probability;
use shorewatch_domain::extract::{Region, simplify};
use shorewatch_domain::grid::{Cell, Grid, Window};
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::{Patch, SuppressedPlace};
use shorewatch_domain::rasterise;
use shorewatch_domain::suspicion::{PatchEvidence, RING_PX, group_evidence};
use shorewatch_imagery::crs::Transform;

use super::context::RunContext;
use super::ground::Ground;
use super::mosaic::Mosaic;
use super::plan::PlannedPublication;
use crate::failure::Failure;
use crate::polygonize::polygonize_strips;

/// What a publication raises.
pub struct Raised {
    /// Patches that are large and sure enough, in order of review score, then of confidence.
    pub patches: Vec<Patch>,
    /// Places that were kept back with a reason.
    pub suppressed: Vec<SuppressedPlace>,
}

/// All that a publication raises. Only the squares in `changed` carry labels.
///
/// # Errors
/// A unit's result is missing, or a geometry can't be projected.
pub fn patches(
    context: &RunContext,
    ground: &Ground,
    publication: &PlannedPublication,
    changed: &BTreeSet<Cell>,
) -> Result<Raised, Failure> {
    let mut mosaic = Mosaic::new(&context.work_folder, &publication.units);
    let mut regions = Vec::new();
    let pixel_area_m2 = ground.grid.pixel_area_m2();
    for cluster in Mosaic::clusters(changed) {
        let mut of_cluster = Vec::new();
        polygonize_strips(mosaic.strips(&cluster), Some(NO_CHANGE), |region| {
            of_cluster.push(region);
            Ok::<_, Failure>(())
        })?;
        of_cluster.retain(|region: &Region| {
            let (least_area, least_confidence) = match (context.table.transition(region.label), region.label) {
                (Some(row), _) => (row.minimum_area_m2, row.minimum_confidence),
                (None, UNCLASSIFIED) => {
                    (context.table.unclassified.as_ref().map_or(0.0, |row| row.minimum_area_m2), 0.0)
                }
                (None, _) => (0.0, 0.0),
            };
            region.pixel_count as f64 * pixel_area_m2 >= least_area && region.value_mean() / 255.0 >= least_confidence
        });
        // simplified together, so that neighbours keep their common border
        let simplified = simplify(&of_cluster, context.simplify_tolerance_px)?;
        regions.extend(of_cluster.into_iter().zip(simplified));
    }
    let to_cgcs2000 = Transform::new(ground.grid.epsg, Epsg::CGCS2000)?;
    let mut raised = Raised { patches: Vec::new(), suppressed: Vec::new() };
    for (region, outline_px) in regions {
        let evidence = gathered(&mut mosaic, &region)?;
        let reason = suppressed(region.label, &context.table);
        let found = Found { region, outline_px, evidence };
        let patch = patch(context, ground, publication, &mut mosaic, &to_cgcs2000, found)?;
        match reason {
            Some(reason) => raised.suppressed.push(SuppressedPlace {
                reach_id: patch.reach_id,
                change_type: patch.change_type,
                reason: reason.to_owned(),
                geometry: patch.geometry,
                area_m2: patch.area_m2,
                confidence: patch.confidence,
                review_score: patch.review_score,
            }),
            None => raised.patches.push(patch),
        }
    }
    raised.patches.sort_by(|a, b| {
        let score = |patch: &Patch| patch.review_score.unwrap_or(0.0);
        score(b)
            .total_cmp(&score(a))
            .then_with(|| b.confidence.total_cmp(&a.confidence))
            .then_with(|| a.patch_id.cmp(&b.patch_id))
    });
    Ok(raised)
}

/// What a region shows: object, change and suspicion.
struct Shown {
    object_class: String,
    change_type: String,
    suspected_issue_class: IssueClass,
}

/// By its row of the table; where it has none, by the classes that most of it was and became.
fn shown(context: &RunContext, region: &Region, comparison: &Comparison) -> Result<Shown, Failure> {
    let names = &context.classes.names;
    let Some(row) = context.table.transition(region.label) else {
        let name = |id: u8| names.get(usize::from(id)).map_or("unknown", String::as_str);
        let most = comparison.classes.iter().max_by_key(|(classes, px)| (**px, **classes)).map(|(classes, _)| *classes);
        let (before, after) = most.unwrap_or((u8::MAX, u8::MAX));
        return Ok(Shown {
            object_class: "unclassified".to_owned(),
            change_type: format!("{}_to_{}", name(before), name(after)),
            suspected_issue_class: IssueClass::Undetermined,
        });
    };
    let before = most_frequent(&row.from, |class| comparison.before_px(names, class))
        .ok_or_else(|| Failure::internal(format!("transition {} has no class before", row.name)))?;
    let outcome = most_frequent(&row.to, |outcome| comparison.after_px(names, &outcome.class))
        .ok_or_else(|| Failure::internal(format!("transition {} has no class after", row.name)))?;
    Ok(Shown {
        object_class: outcome.object_class.clone(),
        change_type: format!("{before}_to_{}", outcome.class),
        suspected_issue_class: outcome.suspected_issue_class,
    })
}

/// A region with its simplified outline in pixel-corner coordinates, and what its pixels say, with their mean score of change.
struct Found {
    region: Region,
    outline_px: Polygon<f64>,
    evidence: Option<(PatchEvidence, f64)>,
}

fn patch(
    context: &RunContext,
    ground: &Ground,
    publication: &PlannedPublication,
    mosaic: &mut Mosaic<'_>,
    to_cgcs2000: &Transform,
    found: Found,
) -> Result<Patch, Failure> {
    let Found { region, outline_px, evidence } = found;
    let region = &region;
    let grid = ground.grid;
    let post = context.pass(&publication.pass_id)?;
    let comparison = compared(mosaic, region)?;
    let pre = context.pass(&comparison.pass_id)?;
    let Shown { object_class, change_type, suspected_issue_class } = shown(context, region, &comparison)?;
    let pair = context.pairs.of(context, grid, &post.id, &pre.id)?;
    let registration = pair.as_ref().and_then(|pair| pair.fit.registration.as_ref());
    let reach = leading_reach(ground, region);
    let geometry = to_geographic(outline_px, &grid, to_cgcs2000)?;
    let centre = geometry.interior_point().map_or((f64::NAN, f64::NAN), |point| (point.x(), point.y()));
    let post_date = acquired(post)?;
    Ok(Patch {
        patch_id: patch_id(context, post, &grid, region)?,
        reach_id: reach.map_or_else(String::new, |reach| reach.id.clone()),
        reach_name: reach.map_or_else(String::new, |reach| reach.name.clone()),
        object_class,
        change_type,
        suspected_issue_class,
        geometry,
        area_m2: region.pixel_count as f64 * grid.pixel_area_m2(),
        perimeter_m: region.perimeter() as f64 * grid.pixel_size_m,
        centre,
        confidence: region.value_mean() / 255.0,
        confidence_max: f64::from(region.value_max) / 255.0,
        valid_fraction: comparison.valid_fraction,
        review_score: evidence.as_ref().map(|(evidence, _)| evidence.review_score()),
        change_score: evidence.as_ref().map(|(_, score)| *score),
        evidence: evidence.map(|(evidence, _)| evidence.contributions()).unwrap_or_default(),
        coreg_rmse_px: registration.map(|found| f64::from(found.residual_rmse_px)),
        pre_date: acquired(pre)?,
        post_date,
        pre_pass_id: pre.id,
        post_pass_id: post.id,
        pre_sensor: pre.sensor.clone(),
        post_sensor: post.sensor.clone(),
        grid_epsg: grid.epsg,
        ground_sampling_distance_m: grid.pixel_size_m,
        pixel_count: region.pixel_count,
        model_name: context.model.description().name.clone(),
        model_version: context.model.description().version.clone(),
        model_digest: context.unit_context.model,
        configuration_digest: context.unit_context.configuration,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn acquired(pass: &Pass) -> Result<jiff::Timestamp, Failure> {
    pass.acquired.map(|time| time.at).ok_or_else(|| Failure::internal(format!("pass {pass} is ready without a time")))
}

/// Date of the later pass and a digest of what the patch is: the same on every run that finds it.
fn patch_id(context: &RunContext, post: &Pass, grid: &Grid, region: &Region) -> Result<String, Failure> {
    let place = format!(
        "{} {} {} {} {} {}",
        region.label, region.rows.start, region.rows.end, region.cols.start, region.cols.end, region.pixel_count
    );
    let digest = grid
        .add_to(DigestBuilder::new("patch"))
        .digest("pass", &post.id)
        .digest("model", &context.unit_context.model)
        .digest("configuration", &context.unit_context.configuration)
        .field("place", place)
        .finish();
    Ok(format!("{}-{}", acquired(post)?.strftime("%Y%m%d"), digest.short()))
}

/// What the pixels of a region say, and their mean score of change; `None` where they were not compared.
fn gathered(mosaic: &mut Mosaic<'_>, region: &Region) -> Result<Option<(PatchEvidence, f64)>, Failure> {
    let around = window_of(region).grown(RING_PX.1);
    let known = mosaic.known(around)?;
    let inside = rasterise::mask(&MultiPolygon::from(region.to_polygon()), around);
    let group: Vec<(usize, usize)> = inside
        .indexed_iter()
        .filter(|(place, inside)| **inside && !known.odds[*place].is_nan())
        .map(|(place, _)| place)
        .collect();
    if group.is_empty() {
        return Ok(None);
    }
    let evidence = group_evidence(known.odds.view(), Some(known.terms.view()), &group);
    let score: f64 = group.iter().map(|place| f64::from(probability(known.odds[*place]))).sum();
    Ok(Some((evidence, score / group.len() as f64)))
}

struct Comparison {
    pass_id: Digest,
    valid_fraction: f64,
    /// Pixels of the region by class (before, after).
    classes: BTreeMap<(u8, u8), u64>,
}

impl Comparison {
    fn before_px(&self, names: &[String], class: &str) -> u64 {
        self.count(|(before, _)| names.get(usize::from(before)).is_some_and(|name| name == class))
    }

    fn after_px(&self, names: &[String], class: &str) -> u64 {
        self.count(|(_, after)| names.get(usize::from(after)).is_some_and(|name| name == class))
    }

    fn count(&self, counts: impl Fn((u8, u8)) -> bool) -> u64 {
        self.classes.iter().filter(|(classes, _)| counts(**classes)).map(|(_, px)| px).sum()
    }
}

/// The candidate that covers most pixels; the first of equals.
fn most_frequent<T>(candidates: &[T], pixels: impl Fn(&T) -> u64) -> Option<&T> {
    candidates.iter().rev().max_by_key(|candidate| pixels(candidate))
}

/// The earlier pass that most of the region was compared with, and the share of its surroundings that both saw.
fn compared(mosaic: &mut Mosaic<'_>, region: &Region) -> Result<Comparison, Failure> {
    let window = window_of(region);
    let around = window.grown(window.rows.max(window.cols).div_ceil(2));
    let known = mosaic.known(around)?;
    let inside = rasterise::mask(&MultiPolygon::from(region.to_polygon()), around);
    let mut counts: BTreeMap<Digest, u64> = BTreeMap::new();
    for (compared_with, _) in known.compared_with.iter().zip(&inside).filter(|(_, inside)| **inside) {
        if let Some(pass_id) = compared_with {
            *counts.entry(*pass_id).or_default() += 1;
        }
    }
    let earlier = counts.into_iter().max_by_key(|(pass_id, count)| (*count, *pass_id)).map(|(pass_id, _)| pass_id);
    let mut classes = BTreeMap::new();
    for (pair, _) in known.classes.iter().zip(&inside).filter(|(_, inside)| **inside) {
        if let Some(pair) = pair {
            *classes.entry(*pair).or_default() += 1;
        }
    }
    let looked_at = known.looked_at.iter().filter(|seen| **seen).count();
    let valid = known.compared_with.iter().filter(|index| index.is_some()).count();
    Ok(Comparison {
        pass_id: earlier.ok_or_else(|| Failure::internal("a region of change was compared with no earlier pass"))?,
        valid_fraction: valid as f64 / looked_at.max(1) as f64,
        classes,
    })
}

/// The pixels that a region touches.
fn window_of(region: &Region) -> Window {
    Window {
        row: region.rows.start,
        col: region.cols.start,
        rows: (region.rows.end - region.rows.start) as usize,
        cols: (region.cols.end - region.cols.start) as usize,
    }
}

/// The reach with the largest share of the region; the first by id among equals.
fn leading_reach<'a>(ground: &'a Ground, region: &Region) -> Option<&'a shorewatch_domain::reach::Reach> {
    let window = window_of(region);
    let inside = rasterise::mask(&MultiPolygon::from(region.to_polygon()), window);
    let mut best: Option<(usize, &shorewatch_domain::reach::Reach)> = None;
    for placed in ground.reaches_near(window) {
        let scope = rasterise::mask(&placed.scope_px, window);
        let shared = inside.iter().zip(&scope).filter(|(inside, scope)| **inside && **scope).count();
        if shared > best.map_or(0, |(most, _)| most) {
            best = Some((shared, &placed.reach));
        }
    }
    best.map(|(_, reach)| reach)
}

/// Pixel-corner coordinates to (longitude, latitude), exterior counter-clockwise.
fn to_geographic(mut outline: Polygon<f64>, grid: &Grid, transform: &Transform) -> Result<Polygon<f64>, Failure> {
    use geo::orient::{Direction, Orient};
    outline.map_coords_in_place(|point| grid.to_projected(point.x, point.y).into());
    let outline = transform.multi_polygon(&MultiPolygon::from(outline), None)?;
    let outline = outline.into_iter().next().ok_or_else(|| Failure::internal("an outline vanished in projection"))?;
    Ok(outline.orient(Direction::Default))
}
