//! `index.html`: the table, and of every pair both dates, what was planted, and the score.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};
use ndarray::{Array2, s};
use serde_json::Value;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::BandRole;

use crate::alarms::{self, Alarm};
use crate::methods::{METHODS, OURS, Scores};
use crate::scenes::{DOUBT, Read, Scene};
use crate::{OTHER_HALF, RULES};

/// One pair in pictures: before, after, truth, score.
pub(crate) struct Picture {
    title: String,
    name: String,
    images: Vec<(&'static str, RgbImage)>,
}

impl Picture {
    pub(crate) fn of(scene: &Scene, read: &Read, truth: &Array2<u16>, scores: &Scores) -> Self {
        let margin = scores.margin_px;
        let stretch = Stretch::of(&read.after, margin);
        let score = scores.of(OURS);
        let grey = |value: f32| if value.is_nan() { Rgb([90, 60, 120]) } else { Rgb([(value * 255.0) as u8; 3]) };
        let map = painted(score.dim(), |row, col| grey(score[(row, col)]));
        let things = painted(score.dim(), |row, col| match truth[(row + margin, col + margin)] {
            0 => grey(0.1),
            DOUBT => Rgb([90, 90, 90]),
            _ => Rgb([255, 220, 60]),
        });
        let images = vec![
            ("before", stretch.paint(&read.before[0], margin)),
            ("after", stretch.paint(&read.after, margin)),
            ("planted", things),
            ("score", map),
        ];
        let judged = if scene.judged { "" } else { " (weights were fitted on it)" };
        let name = format!("{} {}", scene.set, scene.name).replace(" → ", "-").replace(' ', "-");
        Self { title: format!("{}, {}{judged}", scene.set, scene.name), name, images }
    }
}

fn painted((rows, cols): (usize, usize), colour: impl Fn(usize, usize) -> Rgb<u8>) -> RgbImage {
    RgbImage::from_fn(cols as u32, rows as u32, |x, y| colour(y as usize, x as usize))
}

/// Two percentiles of each of three bands of the later date, used for both.
pub(crate) struct Stretch {
    bands: [usize; 3],
    lines: [(f32, f32); 3],
}

impl Stretch {
    pub(crate) fn of(raster: &Raster, margin: usize) -> Self {
        let at = |role: BandRole| raster.roles.iter().position(|other| *other == role).unwrap_or(0);
        let bands = if raster.roles.contains(&BandRole::Blue) {
            [at(BandRole::Red), at(BandRole::Green), at(BandRole::Blue)]
        } else {
            [at(BandRole::Nir), at(BandRole::Red), at(BandRole::Green)]
        };
        let (rows, cols) = raster.causes.dim();
        let lines = bands.map(|band| {
            let inner = raster.pixels.slice(s![band, margin..rows - margin, margin..cols - margin]);
            let mut values: Vec<f32> = inner.iter().copied().filter(|value| *value != 0.0).collect();
            values.sort_by(f32::total_cmp);
            let of = |share: f64| values.get((share * values.len() as f64) as usize).copied().unwrap_or(0.0);
            (of(0.02), of(0.98))
        });
        Self { bands, lines }
    }

    pub(crate) fn paint(&self, raster: &Raster, margin: usize) -> RgbImage {
        let (rows, cols) = raster.causes.dim();
        painted((rows - 2 * margin, cols - 2 * margin), |row, col| {
            let place = (row + margin, col + margin);
            if !raster.causes[place].is_observed() {
                return Rgb([90, 60, 120]);
            }
            let value = |i: usize| {
                let (low, high) = self.lines[i];
                let value = (raster.pixels[(self.bands[i], place.0, place.1)] - low) / (high - low).max(1e-6);
                (value.clamp(0.0, 1.0) * 255.0) as u8
            };
            Rgb([value(0), value(1), value(2)])
        })
    }
}

pub(crate) fn write(
    out: &Path,
    result: &Value,
    pictures: &[Picture],
    sampled: &[Alarm],
) -> Result<(), Box<dyn std::error::Error>> {
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Shorewatch: accuracy of change</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;\
         max-width:80rem;padding:0 1rem;color:#1c2730}table{border-collapse:collapse}td,th{padding:.25rem .8rem;text-align:right;\
         border-bottom:1px solid #d5dde3}td:first-child,th:first-child{text-align:left}figure{display:inline-block;margin:.3rem;\
         width:23%;min-width:14rem}img{width:100%;image-rendering:pixelated}figcaption{color:#5a6a76}.ours{font-weight:600}</style>\
         <h1>Accuracy of change</h1><p>Things of 4 to 400 px planted on real passes (a quarter of them stood on the earlier dates \
         only), the natural changes of the pairs counted against every method. False alarms: groups of 9 px and more on the same \
         pairs untouched, at the score that nine of ten things of 25 px and more reach with half of their pixels (or a quarter). <em>fused</em> is \
         ours by pixels, <em>patches</em> ours by patches, both held against up to three earlier passes; everything else against the latest one. Purple: not observed.</p><table><tr><th>method\
         <th>average precision<th>on all pairs<th>false alarms per 100 km²<th>where a quarter suffices</tr>",
    );
    for method in METHODS {
        let of = |key: &str| result["methods"][method][key].as_f64().unwrap_or(f64::NAN);
        let class = if method == OURS { " class=\"ours\"" } else { "" };
        write!(
            html,
            "<tr{class}><td>{method}<td>{:.3}<td>{:.3}<td>{:.1}<td>{:.1}</tr>",
            of("average_precision"),
            of("average_precision_all_pairs"),
            of("false_alarms_per_100km2"),
            of("false_alarms_per_100km2_found_by_a_quarter")
        )?;
    }
    html.push_str("</table><h2>Robustness</h2><table><tr><th>later date<th>recall, 25 px and more<th>patches by itself per 100 km²</tr>");
    for (name, row) in result["robustness"].as_object().into_iter().flatten() {
        let of = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        write!(html, "<tr><td>{name}<td>{:.3}<td>{:.1}</tr>", of("recall_25px"), of("patches_by_itself_per_100km2"))?;
    }
    html.push_str(
        "</table><h2>Disturbed passes in runs</h2><p>The last pass of each set beside a disturbed copy of itself, run by the program; \
         <em>planted</em> shows that such a run would open something.</p><table><tr><th>set<th>later date<th>patches<th>suppressed</tr>",
    );
    if let Some(fault) = result["disturbed_runs"]["fault"].as_str() {
        write!(html, "<tr><td colspan=\"4\">{}</tr>", fault.replace('<', "&lt;"))?;
    }
    for (set, rows) in result["disturbed_runs"].as_object().into_iter().flatten() {
        for (name, row) in rows.as_object().into_iter().flatten() {
            write!(html, "<tr><td>{set}<td>{name}<td>{}<td>{}</tr>", row["patches"], row["suppressed"])?;
        }
    }
    html.push_str(
        "</table><h2>Confirmation</h2><p>Three passes of the judged half; in the last columns the same of the other half.</p><table><tr>\
         <th><th>recall, 25 px and more<th>false alarms<th>recall, other half<th>false alarms, other half</tr>",
    );
    for name in RULES {
        let halves = [&result["confirmation"][name], &result["confirmation"][OTHER_HALF][name]];
        write!(html, "<tr><td>{}", name.replace('_', " "))?;
        for row in halves {
            write!(html, "<td>{:.3}<td>{}", row["recall_25px"].as_f64().unwrap_or(f64::NAN), row["false_alarms"])?;
        }
        html.push_str("</tr>");
    }
    html.push_str("</table>");
    html.push_str(&in_runs(&result["confirmed_in_runs"])?);
    html.push_str(&growth(&result["growth"])?);
    html.push_str(&alarms::write(out, &result["false_alarms_by_eye"], sampled)?);
    for picture in pictures {
        write!(html, "<h2>{}</h2>", picture.title)?;
        for (what, image) in &picture.images {
            let file = format!("{}-{what}.png", picture.name);
            image.save(out.join(&file))?;
            write!(html, "<figure><img src=\"{file}\" alt=\"{what}\"><figcaption>{what}</figcaption></figure>")?;
        }
    }
    fs::write(out.join("index.html"), html)?;
    Ok(())
}

/// The table of what runs confirm.
fn in_runs(confirmed: &Value) -> Result<String, std::fmt::Error> {
    let mut html = String::from(
        "<h2>Confirmation in runs</h2><p>Patches that runs of the program raise on the first of three passes, and how many of them \
         the other two confirm, by the evidence that all three must reach together; by count: without asking it. Others are \
         changes of the ground itself and false alarms.</p><table><tr><th>pairs<th>evidence<th>of planted things<th>confirmed<th>others\
         <th>confirmed</tr>",
    );
    if let Some(fault) = confirmed["fault"].as_str() {
        write!(html, "<tr><td colspan=\"6\">{}</tr>", fault.replace('<', "&lt;"))?;
    }
    for (half, rows) in confirmed.as_object().into_iter().flatten() {
        for (level, row) in rows.as_object().into_iter().flatten() {
            write!(html, "<tr><td>{}<td>{}", half.replace('_', " "), level.replace('_', " "))?;
            for of in ["planted", "planted_confirmed", "others", "others_confirmed"] {
                write!(html, "<td>{}", row[of])?;
            }
            html.push_str("</tr>");
        }
    }
    html.push_str("</table>");
    Ok(html)
}

/// The table of things that grow over the passes.
fn growth(told: &Value) -> Result<String, std::fmt::Error> {
    let mut html = String::from(
        "<h2>Slow growth</h2><p>Things that come to 25 px and more, with a third, two thirds and all of their area on three passes in \
         a row. A run holds each pass against the latest ones, which show what stood already; beside it the same against passes \
         before it began.</p><table><tr><th>held against<th>pass<th>half of what came told<th>half of what stands told\
         <th>told on this pass or before</tr>",
    );
    for (name, row) in told["held_against"].as_object().into_iter().flatten() {
        for (number, pass) in row["passes"].as_array().into_iter().flatten().enumerate() {
            let of = |key: &str| pass[key].as_f64().unwrap_or(f64::NAN);
            write!(
                html,
                "<tr><td>{}<td>{}<td>{:.3}<td>{:.3}<td>{:.3}</tr>",
                name.replace('_', " "),
                number + 1,
                of("half_of_what_came_told"),
                of("half_of_what_stands_told"),
                of("told_by_then")
            )?;
        }
    }
    html.push_str("</table>");
    Ok(html)
}
