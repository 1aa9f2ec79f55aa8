//! Things that grow over three passes: on which of them they are told, and on which what came new is told.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, Zip};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::figures::{self, LARGE_PX, Thing};
use crate::methods;
use crate::scenes::{DOUBT, GROWTH, Kit, Read, Scene, plant_growing};

/// What a thing is held against on a later pass.
const REFERENCES: [&str; 2] = ["the_latest_three_passes", "passes_before_it_began"];

/// One thing on one pass.
#[derive(Clone, Copy)]
struct Seen {
    /// Whether half of what stands of it reaches the threshold.
    whole: bool,
    /// The same of what came since the pass before; `None` where too little came to ask.
    new: Option<bool>,
}

/// The things on one pass, by number.
type OnPass = BTreeMap<u16, Seen>;

/// The growing things of the judged scenes that two more passes follow, against both kinds of reference.
pub(crate) fn told(kit: &Kit, scenes: &[Scene], threshold: f32) -> Result<Value, Box<dyn std::error::Error>> {
    let parts: Vec<[Vec<OnPass>; 2]> = scenes
        .par_iter()
        .filter(|scene| scene.judged && scene.later.len() + 1 == GROWTH.len())
        .map(|scene| of_scene(kit, scene, threshold))
        .collect::<Result<_, _>>()
        .map_err(|fault| fault.to_string())?;
    let rows = REFERENCES.iter().enumerate().map(|(which, name)| {
        let series: Vec<&[OnPass]> = parts.iter().map(|part| part[which].as_slice()).collect();
        ((*name).to_owned(), figures_of(&series))
    });
    Ok(json!({ "share_of_area": GROWTH, "held_against": rows.collect::<serde_json::Map<_, _>>() }))
}

fn of_scene(kit: &Kit, scene: &Scene, threshold: f32) -> Result<[Vec<OnPass>; 2], crate::scenes::Fault> {
    let first = scene.read(kit)?;
    let mut dates = vec![first.clone()];
    dates.extend(scene.read_later(kit)?);
    let planted = |(read, share): (Read, f64)| plant_growing(kit, &read, &first, share);
    let grown: Vec<(Read, Array2<u16>)> = dates.into_iter().zip(GROWTH).map(planted).collect::<Result<_, _>>()?;
    // things that are large in the end
    let last = grown.last().map(|(_, truth)| truth).ok_or("no pass")?;
    let mut sizes: BTreeMap<u16, usize> = BTreeMap::new();
    last.iter()
        .filter(|thing| **thing != 0 && **thing != DOUBT)
        .for_each(|thing| *sizes.entry(*thing).or_default() += 1);
    let large: BTreeSet<u16> =
        sizes.into_iter().filter(|(_, size)| *size >= LARGE_PX).map(|(thing, _)| thing).collect();
    let mut series = [Vec::new(), Vec::new()];
    for (number, (read, truth)) in grown.iter().enumerate() {
        let passes_before = grown[..number].iter().rev().map(|(read, _)| read.after.clone());
        let mut latest = read.clone();
        latest.before = passes_before.chain(first.before.iter().cloned()).take(first.before.len()).collect();
        let new = number.checked_sub(1).map(|before| came(&grown[before].1, truth));
        for (which, read) in [&latest, read].into_iter().enumerate() {
            if number == 0 && which == 1 {
                // nothing stood there before: both are the same
                series[1] = series[0].clone();
                continue;
            }
            let score = methods::ours(kit, scene, read)?;
            let reached = |truth: &Array2<u16>| -> BTreeMap<u16, Thing> {
                figures::things(truth, score.view()).into_iter().map(|thing| (thing.number, thing)).collect()
            };
            let whole = reached(truth);
            let of_new = new.as_ref().map(&reached);
            let told = |thing: &Thing| thing.reached[0] >= threshold;
            let of_thing = |number: &u16| {
                let new = match &of_new {
                    Some(new) => new.get(number).filter(|thing| thing.size_px >= figures::ALARM_PX).map(told),
                    None => whole.get(number).map(told),
                };
                (*number, Seen { whole: whole.get(number).is_some_and(told), new })
            };
            series[which].push(large.iter().map(of_thing).collect());
        }
    }
    Ok(series)
}

/// The truth of what stands now and stood not before.
fn came(before: &Array2<u16>, now: &Array2<u16>) -> Array2<u16> {
    Zip::from(before).and(now).map_collect(|before, now| if before == now { 0 } else { *now })
}

/// Shares over all things of all scenes, pass by pass.
fn figures_of(series: &[&[OnPass]]) -> Value {
    let things = || series.iter().flat_map(|passes| passes[0].keys().map(move |thing| (*passes, *thing)));
    let count = things().count().max(1) as f64;
    let share = |holds: &dyn Fn(&[OnPass], u16) -> bool| {
        things().filter(|(passes, thing)| holds(passes, *thing)).count() as f64 / count
    };
    let passes: Vec<Value> = (0..GROWTH.len())
        .map(|pass| {
            let asked: Vec<bool> = things().filter_map(|(passes, thing)| passes[pass][&thing].new).collect();
            json!({
                "half_of_what_stands_told": share(&|passes, thing| passes[pass][&thing].whole),
                "half_of_what_came_told": asked.iter().filter(|told| **told).count() as f64 / asked.len().max(1) as f64,
                "told_by_then": share(&|passes, thing| {
                    passes[..=pass].iter().any(|pass| pass[&thing].whole || pass[&thing].new == Some(true))
                }),
            })
        })
        .collect();
    json!({ "things_25px": things().count(), "passes": passes })
}
