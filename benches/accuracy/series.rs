//! What runs of the program confirm over three passes: of the patches that the first of them raises, those of planted things, which
//! stand on all three, and the others, which are false alarms or changes of the ground itself.

use std::collections::BTreeSet;
use std::error::Error;

use geo::MapCoordsInPlace;
use geo_types::MultiPolygon;
use ndarray::Array2;
use serde_json::{Value, json};
use shorewatch_domain::case::{CaseRules, CaseState};
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::rasterise;
use shorewatch_imagery::crs::Transform;
use shorewatch_store::{PatchFilter, Store};

use crate::program::{Made, SETS, Set, run};
use crate::scenes::{self, Kit, Scene};
use crate::{LEVELS, PASSES};

/// Share of a patch that must lie on planted things.
const SHARE_PLANTED: f64 = 0.25;

/// Dates of the passes: up to three earlier ones, and three later ones. The same season, so that all are comparable.
const EARLIER: [&str; 3] = ["2018-06-01", "2019-06-01", "2020-06-01"];
const LATER: [&str; PASSES] = ["2021-06-01", "2022-06-01", "2023-06-01"];

/// Patches of the first pass, and how many of them were confirmed: of planted things, and others.
#[derive(Clone, Copy, Default)]
struct Counts {
    raised: [usize; 2],
    confirmed: [usize; 2],
}

/// Patches of the first of three passes on both halves of the series, and how many the other two confirm, without asking their
/// evidence (`by_count`) and at each of [`LEVELS`] of it.
pub(crate) fn confirmed(kit: &Kit, all: &[Scene]) -> Result<Value, Box<dyn Error>> {
    let levels: Vec<f32> = std::iter::once(0.0).chain(LEVELS).collect();
    let mut of_halves = [vec![Counts::default(); levels.len()], vec![Counts::default(); levels.len()]];
    for scene in all.iter().filter(|scene| scene.later.len() + 1 == PASSES) {
        let set = SETS.iter().find(|set| set.name == scene.set).ok_or("no reaches of the set")?;
        let (made, truth, after) = series(kit, scene, set)?;
        let of_half = &mut of_halves[usize::from(!scene.judged)];
        for (level, counts) in levels.iter().zip(of_half) {
            add(&made, &truth, &after, f64::from(*level), counts)?;
        }
    }
    let rows = |half: &[Counts]| -> serde_json::Map<String, Value> {
        let name = |level: f32| if level == 0.0 { "by_count".to_owned() } else { level.to_string() };
        let row = |counts: &Counts| {
            json!({
                "planted": counts.raised[0], "planted_confirmed": counts.confirmed[0],
                "others": counts.raised[1], "others_confirmed": counts.confirmed[1],
            })
        };
        levels.iter().zip(half).map(|(level, counts)| (name(*level), row(counts))).collect()
    };
    Ok(json!({ "pairs_that_count": rows(&of_halves[0]), "pairs_that_do_not_count": rows(&of_halves[1]) }))
}

/// A run over all passes of a series with things planted on the last three; their truth, on the window of the first of these.
fn series(kit: &Kit, scene: &Scene, set: &Set) -> Result<(Made, Array2<u16>, Raster), Box<dyn Error>> {
    let text = |fault: scenes::Fault| fault.to_string();
    let read = scene.read(kit).map_err(text)?;
    let (first, truth) = scenes::plant(kit, &read, 0).map_err(text)?;
    let mut later = vec![first.after.clone()];
    for next in scene.read_later(kit).map_err(text)? {
        later.push(scenes::plant_again(kit, &next, &read, 0).map_err(text)?.after);
    }
    // the latest one first
    let earlier = first.before.iter().rev();
    let dates = EARLIER[EARLIER.len() - first.before.len()..].iter().chain(&LATER);
    let passes: Vec<(&str, &Raster)> = dates.copied().zip(earlier.chain(&later)).collect();
    Ok((run(&passes, set)?, truth, first.after))
}

fn add(
    made: &Made,
    truth: &Array2<u16>,
    after: &Raster,
    confirm_review_score: f64,
    counts: &mut Counts,
) -> Result<(), Box<dyn Error>> {
    let now = jiff::Timestamp::now();
    let mut store = Store::open_existing(made.store(), now)?;
    let rules = CaseRules { confirm_after_passes: PASSES as u32 - 1, confirm_review_score, ..CaseRules::default() };
    store.rebuild_cases(&rules, now)?;
    let mut confirmed = BTreeSet::new();
    for case in store.cases()? {
        if [CaseState::Confirmed, CaseState::Cleared].contains(&case.state) {
            confirmed.extend(store.case_events(&case.case_id)?.into_iter().filter_map(|point| point.patch_id));
        }
    }
    let first_pass: jiff::civil::Date = LATER[0].parse()?;
    for stored in store.patches(&PatchFilter::default())? {
        if stored.patch.post_date.to_zoned(jiff::tz::TimeZone::UTC).date() == first_pass {
            let kind = usize::from(!is_planted(&stored.patch, truth, after)?);
            counts.raised[kind] += 1;
            counts.confirmed[kind] += usize::from(confirmed.contains(&stored.patch.patch_id));
        }
    }
    Ok(())
}

/// Whether enough of a patch lies on planted things; `truth` covers the window of `raster`.
fn is_planted(patch: &Patch, truth: &Array2<u16>, raster: &Raster) -> Result<bool, Box<dyn Error>> {
    let to_grid = Transform::new(Epsg::CGCS2000, raster.grid.epsg)?;
    let mut outline = to_grid.multi_polygon(&MultiPolygon::from(patch.geometry.clone()), None)?;
    outline.map_coords_in_place(|point| raster.grid.to_pixel(point.x, point.y).into());
    let inside = rasterise::mask(&outline, raster.window);
    let thing_px = inside.iter().zip(truth).filter(|(inside, thing)| **inside && **thing != 0).count();
    let px = inside.iter().filter(|inside| **inside).count();
    Ok(thing_px as f64 >= SHARE_PLANTED * px.max(1) as f64)
}
