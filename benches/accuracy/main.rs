//! Change on real passes with exact truth: things planted on one date of real pairs, beside change vector analysis, IR-MAD and
//! the plain difference of classes in the same run; and what each of them raises on pairs that nobody touched.
//!
//! | module | holds |
//! |---|---|
//! | `scenes` | the pairs, read on one lattice, and what is done to them (planting, shift, light, cloud, water) |
//! | `methods` | ours, term by term, and the baselines |
//! | `figures` | average precision, recall of things, false alarms |
//! | `growth` | things that grow over three passes |
//! | `program` | runs of the program itself on windows of passes |
//! | `runs` | what disturbed passes open in them |
//! | `series` | what they confirm over three passes |
//! | `alarms` | what is raised where nothing was planted, as an eye judged it (`judged.csv`) |
//! | `page` | `index.html` with its pictures |
//!
//! Run it by `scripts/accuracy`. Needs the sets `naip-prairie`, `landsat-ucayali` and `mining-gallery`.

#![expect(clippy::print_stdout, reason = "a bench that prints its table")]

mod alarms;
mod figures;
mod growth;
mod methods;
mod page;
mod program;
mod runs;
mod scenes;
mod series;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use ndarray::Array2;
use rayon::prelude::*;
use serde_json::{Value, json};

use figures::{Case, Pairs, Tally, Things};
use methods::{METHODS, OURS, PATCHES};
use scenes::{Disturbance, Kit, Scene};

/// Later passes over which a suspicion is confirmed.
const PASSES: usize = 3;

/// Times that things are planted on each pair.
const PLANTINGS: u64 = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let data = PathBuf::from(std::env::var_os("SHOREWATCH_DATA").unwrap_or_else(|| "../shared/data".into()));
    if !data.join("naip-prairie").is_dir() {
        println!("accuracy: skipped, there is no real imagery at {} (SHOREWATCH_DATA)", data.display());
        return Ok(());
    }
    let out = PathBuf::from("out/accuracy");
    fs::create_dir_all(&out)?;
    let kit = Kit::open(&data)?;
    let scenes = scenes::all(&data)?;
    let mut tally = Tally::default();
    let mut pictures = Vec::new();
    let done: Vec<(Vec<Case>, page::Picture)> = scenes
        .par_iter()
        .map(|scene| {
            let read = scene.read(&kit)?;
            let mut cases = vec![Case::untouched(scene, methods::scores(&kit, scene, &read)?)];
            let mut picture = None;
            for number in 0..PLANTINGS {
                let (planted, truth) = scenes::plant(&kit, &read, number)?;
                let scores = methods::scores(&kit, scene, &planted)?;
                if number == 0 {
                    picture = Some(page::Picture::of(scene, &planted, &truth, &scores));
                }
                cases.push(Case::planted(scene, truth, scores));
            }
            Ok((cases, picture.ok_or("nothing was planted")?))
        })
        .collect::<Result<_, Box<dyn Error + Send + Sync>>>()
        .map_err(|fault| fault.to_string())?;
    for (cases, picture) in done {
        tally.cases.extend(cases);
        pictures.push(picture);
    }
    if let Some(file) = std::env::var_os("ACCURACY_SAMPLES") {
        tally.write_samples(&PathBuf::from(file))?;
    }
    let judged = tally.judged();
    let threshold = judged.threshold(PATCHES);
    let robustness = disturbed(&kit, &scenes, threshold)?;
    let confirmation = confirmed(&kit, &scenes, threshold)?;
    let growth = growth::told(&kit, &scenes, threshold)?;
    let (raised, sampled) = untouched(&kit, &scenes, &tally, threshold)?;
    let by_eye = alarms::figures(&raised, &sampled)?;
    // a run that fails must not cost what was measured before it: the exit code tells of it in the end
    let runs = [runs::opened(&kit, &scenes), series::confirmed(&kit, &scenes)];
    let [of_runs, of_series] = runs
        .each_ref()
        .map(|runs| runs.as_ref().map_or_else(|fault| json!({ "fault": fault.to_string() }), Value::clone));
    println!("{growth:#}\n{by_eye:#}\n{of_runs:#}\n{of_series:#}");
    let mut result = report(&judged, &tally.all(), &robustness, &confirmation);
    result["growth"] = growth;
    result["disturbed_runs"] = of_runs;
    result["confirmed_in_runs"] = of_series;
    result["false_alarms_by_eye"] = by_eye;
    fs::write(out.join("accuracy.json"), format!("{result:#}\n"))?;
    page::write(&out, &result, &pictures, &sampled)?;
    println!("written to out/accuracy/accuracy.json and index.html");
    runs.into_iter().try_for_each(|runs| runs.map(|_| ()))
}

/// Recall of things under each disturbance of the later pairs, and what it raises on a date held against itself.
fn disturbed(kit: &Kit, scenes: &[Scene], threshold: f32) -> Result<Value, Box<dyn Error>> {
    let mut rows = serde_json::Map::new();
    for disturbance in Disturbance::ALL {
        let parts: Vec<(Things, usize, f64)> = scenes
            .par_iter()
            .filter(|scene| scene.judged)
            .map(|scene| {
                let read = scene.read(kit)?;
                let (planted, truth) = scenes::plant(kit, &read, 0)?;
                let scores = methods::ours(kit, scene, &disturbance.applied(planted))?;
                let things = figures::things(&truth, scores.view());
                let alone = methods::ours(kit, scene, &disturbance.applied(read.against_itself()))?;
                Ok((things, figures::alarms(alone.view(), threshold), figures::area_km2(scene, alone.view())))
            })
            .collect::<Result<_, Box<dyn Error + Send + Sync>>>()
            .map_err(|fault| fault.to_string())?;
        let things: Things = parts.iter().flat_map(|(things, ..)| things.iter().copied()).collect();
        let alarms: usize = parts.iter().map(|(_, alarms, _)| alarms).sum();
        let area: f64 = parts.iter().map(|(.., area)| area).sum();
        rows.insert(
            disturbance.name().to_owned(),
            json!({
                "recall_25px": figures::recall(&things, threshold),
                "patches_by_itself": alarms,
                "patches_by_itself_per_100km2": alarms as f64 * 100.0 / area,
            }),
        );
    }
    Ok(Value::Object(rows))
}

/// What is raised on the judged pairs that nobody touched: how many each, and the sample that is looked at.
fn untouched(
    kit: &Kit,
    scenes: &[Scene],
    tally: &Tally,
    threshold: f32,
) -> Result<(Vec<alarms::Raised>, Vec<alarms::Alarm>), Box<dyn Error>> {
    let (mut raised, mut all) = (Vec::new(), Vec::new());
    for (scene, scores) in scenes.iter().zip(tally.untouched()).filter(|(scene, _)| scene.judged) {
        let score = scores.of(PATCHES).view();
        raised.push(alarms::counted(scene, score, threshold));
        let read = scene.read(kit).map_err(|fault| fault.to_string())?;
        all.extend(alarms::of_pair(scene, &read, score, scores.margin_px, threshold));
    }
    Ok((raised, alarms::sample(all)))
}

/// Where the rules stand once more, for the half that does not count.
const OTHER_HALF: &str = "pairs_that_do_not_count";

/// What the evidence of all passes together might have to reach: `cases.confirm_review_score` was chosen among these, by what they
/// leave in runs (`series`). In the table of the benchmark itself none is below its threshold.
const LEVELS: [f32; 6] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5];

/// How suspicions of the first of three passes are confirmed.
const RULES: [&str; 4] = ["one_pass", "two_of_three_passes", "three_of_three_passes", "evidence_of_three_passes"];

/// What three passes of one place confirm.
struct Confirmed {
    judged: bool,
    /// Things and false alarms of each of [`RULES`].
    rules: [(Things, usize); RULES.len()],
    /// False alarms at each of [`LEVELS`].
    levels: [usize; LEVELS.len()],
}

/// One later pass alone against what two of three later passes confirm, what all of them do, and what their evidence together
/// does; on the half that counts, and on the other.
fn confirmed(kit: &Kit, scenes: &[Scene], threshold: f32) -> Result<Value, Box<dyn Error>> {
    let parts: Vec<Confirmed> = scenes
        .par_iter()
        .filter(|scene| scene.later.len() + 1 == PASSES)
        .map(|scene| {
            let read = scene.read(kit)?;
            let later = scene.read_later(kit)?;
            let series = |planted: bool| -> Result<_, Box<dyn Error + Send + Sync>> {
                let (first, truth) = if planted { scenes::plant(kit, &read, 0)? } else { scenes::bare(&read) };
                let mut odds = vec![methods::odds(kit, scene, &first)?];
                for next in &later {
                    let next = if planted { scenes::plant_again(kit, next, &read, 0)? } else { next.clone() };
                    odds.push(methods::odds(kit, scene, &next)?);
                }
                let mut scores: Vec<Array2<f32>> = odds.iter().map(|odds| methods::patches(odds.view())).collect();
                let [twice, always] = [PASSES - 1, PASSES].map(|passes| figures::shown_on(&scores, passes));
                let together = methods::pooled_patches(&odds, threshold);
                Ok(([scores.swap_remove(0), twice, always, together], truth))
            };
            let ((planted, truth), (bare, _)) = (series(true)?, series(false)?);
            let of_rule = |rule: usize| {
                (figures::things(&truth, planted[rule].view()), figures::alarms(bare[rule].view(), threshold))
            };
            let [.., together] = &bare;
            let levels = LEVELS.map(|level| figures::alarms(together.view(), level.max(threshold)));
            Ok(Confirmed { judged: scene.judged, rules: std::array::from_fn(of_rule), levels })
        })
        .collect::<Result<_, Box<dyn Error + Send + Sync>>>()
        .map_err(|fault| fault.to_string())?;
    let of_half = |half| -> serde_json::Map<String, Value> {
        let parts = || parts.iter().filter(|part| part.judged == half);
        let things = |rule: usize| -> Things { parts().flat_map(|part| part.rules[rule].0.iter().copied()).collect() };
        let row = |things: &Things, level: f32, alarms: usize| json!({ "recall_25px": figures::recall(things, level), "false_alarms": alarms });
        let of_rule = |(rule, name): (usize, &&str)| {
            let alarms = parts().map(|part| part.rules[rule].1).sum();
            ((*name).to_owned(), row(&things(rule), threshold, alarms))
        };
        let together = things(RULES.len() - 1);
        let of_level = |(number, level): (usize, &f32)| {
            let alarms = parts().map(|part| part.levels[number]).sum();
            (format!("{level}"), row(&together, level.max(threshold), alarms))
        };
        let levels: serde_json::Map<String, Value> = LEVELS.iter().enumerate().map(of_level).collect();
        let mut rules: serde_json::Map<String, Value> = RULES.iter().enumerate().map(of_rule).collect();
        rules.insert("evidence_levels".to_owned(), Value::Object(levels));
        rules
    };
    let mut rules = of_half(true);
    rules.insert(OTHER_HALF.to_owned(), Value::Object(of_half(false)));
    Ok(Value::Object(rules))
}

fn report(judged: &Pairs<'_>, all: &Pairs<'_>, robustness: &Value, confirmation: &Value) -> Value {
    let mut methods = serde_json::Map::new();
    println!(
        "{:<22} {:>10} {:>10} {:>14} {:>16} {:>16}",
        "method", "AP judged", "AP all", "threshold", "alarms/100 km²", "by a quarter"
    );
    for method in METHODS {
        let (precision, everywhere) = (judged.average_precision(method), all.average_precision(method));
        let threshold = judged.threshold(method);
        let alarms = judged.false_alarms_per_100km2(method, threshold);
        let quarter = judged.false_alarms_per_100km2(method, judged.threshold_quarter(method));
        println!("{method:<22} {precision:>10.3} {everywhere:>10.3} {threshold:>14.4} {alarms:>16.1} {quarter:>16.1}");
        methods.insert(
            method.to_owned(),
            json!({
                "average_precision": precision,
                "average_precision_all_pairs": everywhere,
                "threshold_at_recall_90": threshold,
                "false_alarms_per_100km2": alarms,
                "false_alarms_per_100km2_found_by_a_quarter": quarter,
                "by_set": judged.by_set(method),
            }),
        );
    }
    println!("{robustness:#}\n{confirmation:#}");
    let of = |method: &str, key: &str| methods[method][key].clone();
    json!({
        "average_precision": of(OURS, "average_precision"),
        "baselines": {
            "cva": of("cva", "average_precision"),
            "irmad": of("irmad", "average_precision"),
            "class_diff": of("class_diff", "average_precision"),
        },
        "recall_25px": judged.recall(PATCHES, judged.threshold(PATCHES)),
        "recall_25px_of_things_that_came": judged.recall_removed(PATCHES, judged.threshold(PATCHES), false),
        "recall_25px_of_things_removed": judged.recall_removed(PATCHES, judged.threshold(PATCHES), true),
        "false_alarms_per_100km2": of(PATCHES, "false_alarms_per_100km2"),
        "baseline_false_alarms_per_100km2": {
            "cva": of("cva", "false_alarms_per_100km2"),
            "irmad": of("irmad", "false_alarms_per_100km2"),
            "class_diff": of("class_diff", "false_alarms_per_100km2"),
        },
        "robustness": robustness,
        "confirmation": confirmation,
        "methods": methods,
        "pairs_judged": judged.pairs(),
        "pairs_all": all.pairs(),
        "things_25px_judged": judged.things_25px(),
    })
}
