//! Renders a painted series for the eye: for each pass true colour, false colour and classes, with the
//! truth and the reaches drawn on top.
//!
//! `cargo run --release -p shorewatch-synth --example contact_sheet -- [demo|small] FOLDER [RAW]`
//!
//! With a third argument `raw` the arrays are written beside the pictures, little-endian, axes (band, row, column).

use image::{Rgb, RgbImage};
use shorewatch_synth::{Scenario, Series, SyntheticPass, paint};
use std::error::Error;
use std::path::Path;

const CLASS_COLOURS: [[u8; 3]; 6] =
    [[40, 90, 220], [20, 100, 30], [150, 200, 90], [240, 220, 110], [220, 50, 50], [190, 170, 140]];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let scenario = match arguments.first().map(String::as_str) {
        Some("small") => Scenario::small(),
        _ => Scenario::demo(),
    };
    let folder = Path::new(arguments.get(1).map_or("target/contact-sheet", String::as_str));
    std::fs::create_dir_all(folder)?;
    let series = paint(&scenario)?;
    for (index, pass) in series.passes.iter().enumerate() {
        let picture = |of: &dyn Fn(usize, usize) -> Rgb<u8>| {
            RgbImage::from_fn(scenario.cols as u32, scenario.rows as u32, |x, y| of(y as usize, x as usize))
        };
        let true_colour = picture(&|row, col| composite(pass, row, col, [(2, 2400.0), (1, 2400.0), (0, 2400.0)]));
        true_colour.save(folder.join(format!("{index}-true.png")))?;
        let mut marked = true_colour;
        mark(&mut marked, &series, index);
        marked.save(folder.join(format!("{index}-marked.png")))?;
        picture(&|row, col| composite(pass, row, col, [(3, 4500.0), (2, 2500.0), (1, 2500.0)]))
            .save(folder.join(format!("{index}-false.png")))?;
        picture(&|row, col| Rgb(CLASS_COLOURS[usize::from(pass.classes[(row, col)])]))
            .save(folder.join(format!("{index}-classes.png")))?;
        picture(&|row, col| Rgb([pass.quality[(row, col)] * 60; 3]))
            .save(folder.join(format!("{index}-quality.png")))?;
        if arguments.get(2).is_some_and(|word| word == "raw") {
            let bytes: Vec<u8> = pass.pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
            std::fs::write(folder.join(format!("{index}.u16")), bytes)?;
            let bytes: Vec<u8> = pass.classes.iter().chain(pass.quality.iter()).copied().collect();
            std::fs::write(folder.join(format!("{index}.u8")), bytes)?;
        }
    }
    let lines: Vec<String> = series
        .truth
        .iter()
        .map(|event| {
            let (x, y) = event.polygon.exterior().0.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.x, sum.1 + at.y));
            let corners = event.polygon.exterior().0.len() as f64;
            format!(
                "{:14} suspected={:5} first={} clear={:?} at ({:.0},{:.0}) {}",
                event.id,
                event.suspected,
                event.first_pass,
                event.clear_share.iter().map(|share| (share * 100.0).round() / 100.0).collect::<Vec<_>>(),
                x / corners,
                y / corners,
                event.description
            )
        })
        .collect();
    std::fs::write(folder.join("truth.txt"), lines.join("\n") + "\n")?;
    Ok(())
}

fn composite(pass: &SyntheticPass, row: usize, col: usize, bands: [(usize, f64); 3]) -> Rgb<u8> {
    Rgb(bands.map(|(band, white)| {
        let share = ((f64::from(pass.pixels[(band, row, col)]) - 100.0) / (white - 100.0)).clamp(0.0, 1.0);
        (share.powf(1.0 / 1.4) * 255.0) as u8
    }))
}

fn mark(picture: &mut RgbImage, series: &Series, pass: usize) {
    for reach in &series.reaches {
        outline(picture, &reach.polygon, Rgb([255, 255, 255]));
    }
    for event in series.truth.iter().filter(|event| event.first_pass <= pass) {
        outline(picture, &event.polygon, if event.suspected { Rgb([255, 40, 40]) } else { Rgb([60, 220, 255]) });
    }
}

fn outline(picture: &mut RgbImage, polygon: &geo_types::Polygon<f64>, colour: Rgb<u8>) {
    for line in polygon.exterior().lines() {
        let steps = (line.dx().abs().max(line.dy().abs()) * 2.0).ceil().max(1.0);
        for step in 0..=steps as usize {
            let share = step as f64 / steps;
            let (x, y) = (line.start.x + share * line.dx(), line.start.y + share * line.dy());
            if x >= 0.0 && y >= 0.0 && x < f64::from(picture.width()) && y < f64::from(picture.height()) {
                picture.put_pixel(x as u32, y as u32, colour);
            }
        }
    }
}
