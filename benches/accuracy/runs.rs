//! What a disturbed copy of a pass opens in runs of the program itself: the last pass of each set beside a copy of itself, with the
//! reaches, grid and models of the example configurations. A pass with planted things shows that these runs would open something.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use ndarray::Array3;
use serde_json::{Value, json};
use shorewatch_domain::raster::Raster;
use shorewatch_imagery::write::{GeoTiffOptions, write_geotiff};

use crate::scenes::{self, Disturbance, Kit, Read, Scene};

const PROGRAM: &str = env!("CARGO_BIN_EXE_shorewatch");

/// A set, the file of its reaches, and the pixel size of its grid in metres.
const SETS: [(&str, &str, f64); 2] = [("naip-prairie", "prairie", 5.0), ("landsat-ucayali", "ucayali", 90.0)];

/// How reflectance is stored: as Sentinel-2 has it, with room for what a stretch brings below 0.
const SCALE: f64 = 1e-4;
const OFFSET: f64 = -0.1;

/// Patches and suppressed places by set, and by what was done to the later date.
pub(crate) fn opened(kit: &Kit, all: &[Scene]) -> Result<Value, Box<dyn Error>> {
    let mut rows = serde_json::Map::new();
    for (set, reaches, pixel_m) in SETS {
        let scene = all.iter().rev().find(|scene| scene.set == set).ok_or("no pair of the set")?;
        let read = scene.read(kit).map_err(|fault| fault.to_string())?;
        let (planted, _) = scenes::plant(kit, &read.against_itself(), 0).map_err(|fault| fault.to_string())?;
        let mut of_set = serde_json::Map::new();
        of_set.insert("planted".to_owned(), run(&planted, reaches, pixel_m)?);
        for disturbance in Disturbance::ALL {
            let disturbed = disturbance.applied(read.against_itself());
            of_set.insert(disturbance.name().to_owned(), run(&disturbed, reaches, pixel_m)?);
        }
        rows.insert(set.to_owned(), Value::Object(of_set));
    }
    Ok(Value::Object(rows))
}

fn run(read: &Read, reaches: &str, pixel_m: f64) -> Result<Value, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let root = std::env::current_dir()?;
    fs::create_dir(folder.path().join("sensors"))?;
    fs::write(folder.path().join("sensors/disturbed.toml"), profile(&read.after, pixel_m))?;
    for (name, raster) in [("before", &read.before[0]), ("after", &read.after)] {
        write(&folder.path().join(format!("{name}.tif")), raster)?;
    }
    let at = |path: &str| root.join(path).display().to_string();
    let configuration = format!(
        "schema_version = 1\n[store]\nfile = \"out/store.gpkg\"\n[work]\nfolder = \"out/work\"\n[output]\nfolder = \"out\"\n\
         [model]\nfolder = \"{}\"\nbundle = \"shoreland\"\n[change]\nbundle = \"shorechange\"\n[sensors]\nfolder = \"sensors\"\n\
         [classes]\nfile = \"{}\"\n[grid]\nzones = \"utm\"\nground_sampling_distance_m = {pixel_m:?}\n[limits]\nsettle_seconds = 0.0\n\
         [patches]\nchips = false\n{}{}[[reaches]]\nfile = \"{}\"\nid_field = \"reach_id\"\nname_field = \"name\"\n",
        at("models"),
        at("configs/classes.toml"),
        pass("before", "2024-06-01"),
        pass("after", "2024-06-11"),
        at(&format!("configs/reaches/{reaches}.geojson")),
    );
    fs::write(folder.path().join("run.toml"), configuration)?;
    let output =
        Command::new(PROGRAM).args(["run", "--config", "run.toml", "--json"]).current_dir(folder.path()).output()?;
    if !output.status.success() {
        return Err(format!("a run failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let summary: Value = serde_json::from_slice(&output.stdout)?;
    Ok(json!({ "patches": summary["patches_current"], "suppressed": summary["suppressed"] }))
}

fn pass(name: &str, time: &str) -> String {
    format!("[[passes]]\nfiles = [\"{name}.tif\"]\nsensor = \"disturbed\"\nname = \"{name}\"\ntime = \"{time}\"\n")
}

/// The profile of the files that [`write`] makes.
fn profile(raster: &Raster, pixel_m: f64) -> String {
    let mut text = format!(
        "schema_version = 1\nname = \"disturbed\"\ntitle = \"Real pixels, disturbed\"\nsource = \"benches/accuracy\"\n\
         ground_sampling_distance_m = {pixel_m:?}\nlayout = \"one_file\"\ndata_type = \"uint16\"\nnodata = 0.0\nnodata_rule = \"any_band\"\n"
    );
    for (index, role) in (1..).zip(&raster.roles) {
        let (name, wavelength) = (role.name(), if role.name() == "nir" { 0.84 } else { 0.5 });
        text += &format!(
            "[[bands]]\nrole = \"{name}\"\nname = \"{name}\"\nindex = {index}\nwavelength_um = {wavelength}\n\
             radiometry = {{ kind = \"linear\", scale = {SCALE:?}, offset = {OFFSET:?} }}\n"
        );
    }
    text
}

/// Writes a window with its mask as a file of 16 bits, 0 where unobserved.
fn write(path: &Path, raster: &Raster) -> Result<(), Box<dyn Error>> {
    let stored = Array3::from_shape_fn(raster.pixels.dim(), |(band, row, col)| {
        let value = (f64::from(raster.pixels[(band, row, col)]) - OFFSET) / SCALE;
        if raster.causes[(row, col)].is_observed() { value.round().clamp(1.0, 65_535.0) as u16 } else { 0 }
    });
    let (grid, window) = (raster.grid, raster.window);
    let (left, top) = grid.to_projected(window.col as f64, window.row as f64);
    let place = ([left, grid.pixel_size_m, 0.0, top, 0.0, -grid.pixel_size_m], grid.epsg);
    let options = GeoTiffOptions { nodata: Some(0.0), ..GeoTiffOptions::default() };
    Ok(write_geotiff(path, stored.view(), Some(place), &options)?)
}
