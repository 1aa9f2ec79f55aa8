//! Polygons of a 10980 × 10980 class mask against GDAL and rasterio, in one run.
//!
//! Timed on every side: from the mask in memory to all polygons in memory. Ours ends with `f64` rings
//! (`geo_types::Polygon`); GDAL's with the features of a layer of its Memory driver (`gdal.Polygonize`);
//! rasterio's with the shapes iterated over once. `gdal_polygonize.py` (file to FlatGeobuf) is timed once
//! beside them; GDAL's figure is the quicker of the two. Repeats are interleaved, medians reported.
//! The results are compared region by region: label, area, number of holes, bounding box; and total perimeter.
//!
//! Run it by `scripts/bench-polygonize`, which makes what the peers need. Without peers (`POLYGONIZE_PEERS`
//! unset) only our own part runs and is checked.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use geo_types::Polygon;
use ndarray::Array2;
use rayon::prelude::*;
use serde_json::{Value, json};
use shorewatch::polygonize::{DEFAULT_STRIP_ROWS, polygonize};
use shorewatch_domain::extract::Region;

/// Rows and columns of a Sentinel-2 tile at 10 m.
const SIZE: usize = 10_980;
/// Mean distance of the seeds of patches, pixels: gives 20,000 to 25,000 regions.
const PATCH_PIXELS: usize = 64;
const CLASSES: u64 = 7;
const SEED: u64 = 20_260_301;
const REPEATS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from("out/bench");
    fs::create_dir_all(&out)?;
    let mask = class_mask();
    let mask_file = out.join("polygonize-mask.img");
    write_envi(&mask, &mask_file)?;

    let peers = std::env::var_os("POLYGONIZE_PEERS").map(PathBuf::from);
    let (mut ours, mut gdal, mut rasterio) = (Vec::new(), Vec::new(), Vec::new());
    let mut gdal_command = f64::INFINITY;
    let mut regions = Vec::new();
    for repeat in 0..REPEATS {
        // three of ours for one of theirs: ours are short, and the machine is noisy
        for _ in 0..3 {
            let start = Instant::now();
            regions = polygonize(mask.view(), None, None, DEFAULT_STRIP_ROWS)?;
            let polygons: Vec<Polygon<f64>> = regions.par_iter().map(Region::to_polygon).collect();
            ours.push(start.elapsed().as_secs_f64());
            assert_eq!(polygons.len(), regions.len());
        }
        if let Some(python) = &peers {
            let report = run_peers(python, &mask_file, &out, repeat == 0)?;
            gdal.push(seconds(&report, "gdal_memory_s")?);
            rasterio.push(seconds(&report, "rasterio_s")?);
            if repeat == 0 {
                gdal_command = seconds(&report, "gdal_polygonize_py_s")?;
                let perimeter: u64 = regions.iter().map(Region::perimeter).sum();
                for peer in ["gdal", "rasterio"] {
                    assert_eq!(report[peer]["perimeter"].as_u64(), Some(perimeter), "perimeter against {peer}");
                    let file = out.join(format!("polygonize-{peer}.txt"));
                    let theirs = fs::read_to_string(&file)?;
                    assert!(
                        theirs == signature(&regions),
                        "regions differ from those of {peer}: see {}",
                        file.display()
                    );
                }
            }
        }
    }

    let pixels: u64 = regions.iter().map(|region| region.pixel_count).sum();
    assert_eq!(pixels, (SIZE * SIZE) as u64, "every pixel lies in one region");
    assert!((20_000..=25_000).contains(&regions.len()), "{} regions", regions.len());

    let ours = median(&mut ours);
    let mut result = json!({
        "size": SIZE,
        "regions": regions.len(),
        "corners": regions.iter().flat_map(|region| region.holes.iter().chain([&region.exterior]))
            .map(|ring| ring.corners().len() - 1).sum::<usize>(),
        "threads": rayon::current_num_threads(),
        "shorewatch_s": ours,
        "megapixels_per_s": (SIZE * SIZE) as f64 / 1e6 / ours,
    });
    if peers.is_some() {
        let (gdal, rasterio) = (median(&mut gdal), median(&mut rasterio));
        result["gdal_memory_s"] = json!(gdal);
        result["gdal_polygonize_py_s"] = json!(gdal_command);
        result["rasterio_s"] = json!(rasterio);
        result["polygonize_over_gdal"] = json!(gdal.min(gdal_command) / ours);
        result["polygonize_over_rasterio"] = json!(rasterio / ours);
    }
    fs::write(out.join("polygonize.json"), serde_json::to_string_pretty(&result)?)?;
    writeln!(std::io::stdout(), "{result:#}")?;
    Ok(())
}

/// A class mask like a land-cover map: patches of a jittered Voronoi diagram with ragged borders, with small
/// islands in them. Every pixel carries a class 0 to 6.
fn class_mask() -> Array2<u8> {
    let mut mask = Array2::zeros((SIZE, SIZE));
    let rows: Vec<_> = mask.outer_iter_mut().collect();
    rows.into_par_iter().enumerate().for_each(|(row, mut pixels)| {
        for (col, pixel) in pixels.iter_mut().enumerate() {
            *pixel = class_at(row, col);
        }
    });
    mask
}

fn class_at(row: usize, col: usize) -> u8 {
    // ragged borders: the place is shifted by smooth noise of two wavelengths
    let shift = |salt| 18.0 * smooth_noise(row, col, 40, salt) + 5.0 * smooth_noise(row, col, 9, salt + 1);
    let (y, x) = (row as f64 + shift(10), col as f64 + shift(20));
    let cell = PATCH_PIXELS as f64;
    let (cell_row, cell_col) = ((y / cell).floor() as i64, (x / cell).floor() as i64);
    let mut nearest = (f64::INFINITY, 0);
    for seed_row in cell_row - 1..=cell_row + 1 {
        for seed_col in cell_col - 1..=cell_col + 1 {
            let hash = hash(seed_row, seed_col, 0);
            let seed_y = (seed_row as f64 + unit(hash)) * cell;
            let seed_x = (seed_col as f64 + unit(hash >> 20)) * cell;
            let distance = (y - seed_y).powi(2) + (x - seed_x).powi(2);
            if distance < nearest.0 {
                nearest = (distance, hash >> 40);
            }
        }
    }
    (nearest.1 % CLASSES) as u8
}

/// Bilinear noise between −1 and 1 with the wavelength given in pixels.
fn smooth_noise(row: usize, col: usize, wavelength: usize, salt: u64) -> f64 {
    let (r, c) = ((row / wavelength) as i64, (col / wavelength) as i64);
    let (v, u) = ((row % wavelength) as f64 / wavelength as f64, (col % wavelength) as f64 / wavelength as f64);
    let at = |r, c| 2.0 * unit(hash(r, c, salt)) - 1.0;
    let upper = at(r, c) * (1.0 - u) + at(r, c + 1) * u;
    let lower = at(r + 1, c) * (1.0 - u) + at(r + 1, c + 1) * u;
    upper * (1.0 - v) + lower * v
}

/// Between 0 and 1 from the lowest 20 bits.
fn unit(hash: u64) -> f64 {
    (hash & 0xf_ffff) as f64 / f64::from(0x10_0000)
}

/// splitmix64 over the place.
fn hash(row: i64, col: i64, salt: u64) -> u64 {
    let place = (row as u64).wrapping_mul(0x1_0000_0001).wrapping_add(col as u64);
    let mut state = (SEED ^ (salt << 56)).wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Writes the mask as raw bytes with an ENVI header, which GDAL and rasterio open.
fn write_envi(mask: &Array2<u8>, file: &Path) -> Result<(), Box<dyn Error>> {
    let pixels = mask.as_slice().ok_or("the mask is contiguous")?;
    fs::write(file, pixels)?;
    fs::write(
        file.with_extension("hdr"),
        format!(
            "ENVI\nsamples = {SIZE}\nlines = {SIZE}\nbands = 1\nheader offset = 0\n\
             file type = ENVI Standard\ndata type = 1\ninterleave = bsq\nbyte order = 0\n"
        ),
    )?;
    Ok(())
}

/// One line a region, sorted: label, area in pixels, number of holes, first and end column, first and end row.
fn signature(regions: &[Region]) -> String {
    let mut lines: Vec<String> = regions
        .iter()
        .map(|region| {
            format!(
                "{} {} {} {} {} {} {}\n",
                region.label,
                region.pixel_count,
                region.holes.len(),
                region.cols.start,
                region.cols.end,
                region.rows.start,
                region.rows.end
            )
        })
        .collect();
    lines.sort_unstable();
    lines.concat()
}

fn run_peers(python: &Path, mask: &Path, out: &Path, thorough: bool) -> Result<Value, Box<dyn Error>> {
    let report = out.join("polygonize-peers.json");
    let mut command = Command::new(python);
    command.arg("scripts/peers/polygonize_peers.py").arg("--mask").arg(mask).arg("--json").arg(&report);
    if thorough {
        command.arg("--signatures").arg(out).arg("--command");
    }
    let status = command.status()?;
    if !status.success() {
        return Err(
            format!("scripts/peers/polygonize_peers.py ended with {status}; run scripts/bench-polygonize").into()
        );
    }
    Ok(serde_json::from_str(&fs::read_to_string(report)?)?)
}

fn seconds(report: &Value, key: &str) -> Result<f64, Box<dyn Error>> {
    report[key].as_f64().ok_or_else(|| format!("the peers' report has no {key}").into())
}

fn median(timings: &mut [f64]) -> f64 {
    timings.sort_unstable_by(f64::total_cmp);
    timings[timings.len() / 2]
}
