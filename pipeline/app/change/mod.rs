//! `shorewatch change`: one fused score of change between two passes, on the grid of the later one. No store, no reaches: for
//! whoever wants to hold the score against a truth of their own.
//!
//! | module | holds |
//! |---|---|
//! | [`pair`] | two passes, admitted and read on the lattice of the later one |
//! | [`clouds`] | clouds of sensors without a quality band |
//! | [`fit`] | what is common to a pair (shift, radiometry), and what the pixels of a window show |
//! | [`scorer`] | the evidence of a window, models included |
//!
//! The score itself is [`shorewatch_domain::evidence`].

pub mod clouds;
pub mod fit;
pub mod pair;
pub mod scorer;

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis, s};
use rayon::prelude::*;
use serde::Serialize;

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::evidence::{WEIGHTS, Weights, probability};
use shorewatch_domain::grid::Window;
use shorewatch_domain::registration::Apart;
use shorewatch_domain::sensor::SensorProfile;
use shorewatch_domain::suspicion::blended;
use shorewatch_imagery::crs::SourceCrs;
use shorewatch_imagery::write::{Colour, GeoTiffOptions, write_geotiff};

use self::fit::PairFit;
use self::pair::{Delivered, Pair};
use self::scorer::{ChangeScorer, GATE_PX, Models};
use crate::configuration;
use crate::failure::Failure;

/// Edge of the windows that are scored at once, without their margin; a multiple of every model's alignment.
const WINDOW_PX: usize = 768;

/// Windows that the statistics of a pair come from, at most: spread evenly over the pass.
const FITTED_WINDOWS: usize = 16;

/// Value of unobserved pixels in the file.
pub const NODATA: f32 = -1.0;

/// Metres of a degree of latitude, about: good enough to know which models a pixel size suits.
const METRES_PER_DEGREE: f64 = 111_320.0;

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Request {
    /// Files of the earlier pass.
    pub before: Vec<PathBuf>,
    /// Still earlier passes of one file each, by the same sensor: what looks as on any of them is nothing new.
    pub earlier: Vec<PathBuf>,
    /// Files of the later pass.
    pub after: Vec<PathBuf>,
    /// Sensor of the later pass: the name of a profile, or a profile's file.
    pub sensor: String,
    /// Sensor of the earlier pass, where it is another one.
    pub before_sensor: Option<String>,
    /// A folder of profiles beside the built-in ones.
    pub sensors: Option<PathBuf>,
    /// Folder of the bundles.
    pub models: PathBuf,
    /// Name of the segmentation bundle.
    pub segmentation: String,
    /// Name of the bitemporal bundle.
    pub bitemporal: String,
}

/// The score of a pair.
pub struct Scored {
    /// Change, 0..1 (row, col); [`NODATA`] where either date is unobserved, or held.
    pub score: Array2<f32>,
    /// Geotransform of its pixels, GDAL's order.
    pub geotransform: [f64; 6],
    /// Reference system of its pixels.
    pub epsg: Epsg,
    /// What was found on the way.
    pub summary: Summary,
}

/// What was found on the way.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Pixels of the later pass.
    pub pixels: usize,
    /// Share of them that both dates observed and that were compared, 0..1.
    pub observed_share: f64,
    /// By how many pixels the content of the earlier pass lay to the right; absent where it can't be told.
    pub shift_x_px: Option<f32>,
    /// By how many pixels it lay below.
    pub shift_y_px: Option<f32>,
    /// What is left of it, root mean square.
    pub coreg_rmse_px: Option<f32>,
    /// Gain of each band of the earlier pass that brought its radiometry to the later one's.
    pub gains: Vec<f32>,
    /// Windows that were not compared, since the dates lie too far apart there.
    pub held_windows: usize,
    /// By how many pixels they do, in the farthest of them; absent where none was held.
    pub held_off_px: Option<f32>,
    /// What could not be used or read, and why.
    pub notes: Vec<String>,
}

/// Scores a pair.
///
/// # Errors
/// A pass is refused, the bands don't suffice, nothing was observed twice, or a model failed.
pub fn score(request: &Request) -> Result<Scored, Failure> {
    let after_profile = profile(&request.sensor, request.sensors.as_deref())?;
    let before_profile = match &request.before_sensor {
        Some(name) => profile(name, request.sensors.as_deref())?,
        None => after_profile.clone(),
    };
    let open = |files: &[PathBuf]| {
        let before = Delivered { name: "before", files, profile: &before_profile };
        let after = Delivered { name: "after", files: &request.after, profile: &after_profile };
        Pair::open(&before, &after)?.without_clouds(&before_profile, &after_profile)
    };
    let pair = open(&request.before)?;
    let models =
        Models { folder: &request.models, segmentation: &request.segmentation, bitemporal: &request.bitemporal };
    let scorer = ChangeScorer::open(&models, &pair.roles, ground_sampling_distance_m(&pair)?)?;
    let mut scored = odds(&pair, &scorer, &WEIGHTS)?;
    for file in &request.earlier {
        let older = odds(&open(std::slice::from_ref(file))?, &scorer, &WEIGHTS)?;
        // what looks as on any earlier date is nothing new
        scored.odds.zip_mut_with(&older.odds, |least, older| *least = least.min(*older));
        scored.held_px.extend(older.held_px);
        scored.notes.extend(older.notes);
    }
    Ok(scored.finished(&pair))
}

/// The log-odds of change of a pair, and what was found on the way.
struct Odds {
    odds: Array2<f32>,
    fit: PairFit,
    /// How many pixels the dates lie apart in each window that was held.
    held_px: Vec<f32>,
    notes: Vec<String>,
}

/// Edge of a pixel in metres, about.
///
/// # Errors
/// The system is not in the registry.
pub fn ground_sampling_distance_m(pair: &Pair) -> Result<f64, Failure> {
    let crs = SourceCrs::from_epsg(pair.grid.epsg)?;
    Ok(pair.grid.pixel_size_m * crs.metres_per_unit()?.unwrap_or(METRES_PER_DEGREE))
}

fn odds(pair: &Pair, scorer: &ChangeScorer, weights: &Weights) -> Result<Odds, Failure> {
    let windows = windows_of(pair.window);
    let fit = fit(pair, &windows)?;
    let parts = windows
        .par_iter()
        .map(|window| {
            let read = pair.read(window.grown(scorer.margin_px()))?;
            let found = scorer.evidence(&read, &fit)?;
            Ok((*window, found.evidence.log_odds(weights).sum, found.apart, read.faults))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let told: Vec<Apart> = parts.iter().filter_map(|(_, _, apart, _)| *apart).collect();
    let is_held = |apart: &Apart| apart.px() > GATE_PX && apart.is_credible(&told, GATE_PX);
    let mut odds = Array2::from_elem(pair.window.shape(), f32::NAN);
    let mut notes = scorer.notes.clone();
    let mut held_px = Vec::new();
    for (window, part, apart, faults) in parts {
        notes.extend(faults);
        if let Some(apart) = apart.filter(is_held) {
            held_px.push(apart.px());
            continue;
        }
        let (rows, cols) = pair.window.ranges_of(&window);
        odds.slice_mut(s![rows, cols]).assign(&part);
    }
    Ok(Odds { odds, fit, held_px, notes })
}

impl Odds {
    fn finished(mut self, pair: &Pair) -> Scored {
        self.notes.sort();
        self.notes.dedup();
        // a group of changed pixels may cross the windows
        let score = blended(self.odds.view()).mapv_into(|odds| if odds.is_nan() { NODATA } else { probability(odds) });
        let observed = score.iter().filter(|value| **value >= 0.0).count();
        let shift = self.fit.registration.as_ref();
        let summary = Summary {
            pixels: score.len(),
            observed_share: observed as f64 / score.len().max(1) as f64,
            shift_x_px: shift.map(|shift| shift.dx_px),
            shift_y_px: shift.map(|shift| shift.dy_px),
            coreg_rmse_px: shift.map(|shift| shift.residual_rmse_px),
            gains: self.fit.normalisation.map(|normalisation| normalisation.gain).unwrap_or_default(),
            held_windows: self.held_px.len(),
            held_off_px: self.held_px.iter().copied().reduce(f32::max),
            notes: self.notes,
        };
        let grid = pair.grid;
        let geotransform = [grid.origin_x, grid.pixel_size_m, 0.0, grid.origin_y, 0.0, -grid.pixel_size_m];
        Scored { score, geotransform, epsg: grid.epsg, summary }
    }
}

/// What is common to the windows of a pair, from some of them.
fn fit(pair: &Pair, windows: &[Window]) -> Result<PairFit, Failure> {
    let step = windows.len().div_ceil(FITTED_WINDOWS).max(1);
    let chosen: Vec<_> =
        windows.iter().step_by(step).map(|window| pair.read(*window)).collect::<Result<_, Failure>>()?;
    PairFit::of(&chosen)
}

/// Windows that cover a pass, row by row.
fn windows_of(whole: Window) -> Vec<Window> {
    let starts = |length: usize| (0..length).step_by(WINDOW_PX);
    starts(whole.rows)
        .flat_map(|row| starts(whole.cols).map(move |col| (row, col)))
        .map(|(row, col)| Window {
            row: whole.row + row as i64,
            col: whole.col + col as i64,
            rows: WINDOW_PX.min(whole.rows - row),
            cols: WINDOW_PX.min(whole.cols - col),
        })
        .collect()
}

/// Writes a score as a GeoTIFF of 32-bit floats.
///
/// # Errors
/// The folder can't be written to, or the disk is full; nothing is left under `path` then.
pub fn write(path: &Path, scored: &Scored) -> Result<(), Failure> {
    let options = GeoTiffOptions {
        nodata: Some(f64::from(NODATA)),
        bands: vec![("change".to_owned(), Colour::Grey)],
        ..GeoTiffOptions::default()
    };
    let place = Some((scored.geotransform, scored.epsg));
    Ok(write_geotiff(path, scored.score.view().insert_axis(Axis(0)), place, &options)?)
}

/// A sensor profile by name, or from its file.
fn profile(name: &str, folder: Option<&Path>) -> Result<SensorProfile, Failure> {
    let refused = |faults: configuration::ConfigurationFaults| Failure::usage(faults.render(120, false));
    let file = Path::new(name);
    if file.extension().is_some_and(|extension| extension == "toml") {
        return Ok(configuration::sensor_of_file(file).map_err(refused)?.profile);
    }
    let mut sensors = configuration::sensors(folder).map_err(refused)?;
    if let Some(sensor) = sensors.remove(name) {
        return Ok(sensor.profile);
    }
    let names: Vec<_> = sensors.keys().map(String::as_str).collect();
    Err(Failure::usage(format!("no sensor profile {name:?}; there are {}", names.join(", "))))
}
