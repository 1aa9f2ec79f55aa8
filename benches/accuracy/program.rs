//! Runs of the program itself on windows of passes, with the reaches, grid and models of the example configurations.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ndarray::Array3;
use serde_json::Value;
use shorewatch_domain::raster::Raster;
use shorewatch_imagery::write::{GeoTiffOptions, write_geotiff};

const PROGRAM: &str = env!("CARGO_BIN_EXE_shorewatch");

/// How reflectance is stored: as Sentinel-2 has it, with room for what a stretch brings below 0.
const SCALE: f64 = 1e-4;
const OFFSET: f64 = -0.1;

/// A set of passes, the file of its reaches, and the pixel size of its grid in metres.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) reaches: &'static str,
    pub(crate) pixel_m: f64,
}

pub(crate) const SETS: [Set; 2] = [
    Set { name: "naip-prairie", reaches: "prairie", pixel_m: 5.0 },
    Set { name: "landsat-ucayali", reaches: "ucayali", pixel_m: 90.0 },
];

/// What a run left, as long as this lives.
pub(crate) struct Made {
    folder: tempfile::TempDir,
    /// What the program said in the end.
    pub(crate) summary: Value,
}

impl Made {
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("out/store.gpkg")
    }
}

/// Runs the program on passes by date ("2024-06-01"), which is also their name.
pub(crate) fn run(passes: &[(&str, &Raster)], set: &Set) -> Result<Made, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let root = std::env::current_dir()?;
    let first = passes.first().ok_or("a run without passes")?.1;
    fs::create_dir(folder.path().join("sensors"))?;
    fs::write(folder.path().join("sensors/windows.toml"), profile(first, set.pixel_m))?;
    for (date, raster) in passes {
        write(&folder.path().join(format!("{date}.tif")), raster)?;
    }
    let at = |path: &str| root.join(path).display().to_string();
    let (pixel_m, passes) = (set.pixel_m, passes.iter().map(|(date, _)| pass(date)).collect::<String>());
    let configuration = format!(
        "schema_version = 1\n[store]\nfile = \"out/store.gpkg\"\n[work]\nfolder = \"out/work\"\n[output]\nfolder = \"out\"\n\
         [model]\nfolder = \"{}\"\nbundle = \"shoreland\"\n[change]\nbundle = \"shorechange\"\n[sensors]\nfolder = \"sensors\"\n\
         [classes]\nfile = \"{}\"\n[grid]\nzones = \"utm\"\nground_sampling_distance_m = {pixel_m:?}\n[limits]\nsettle_seconds = 0.0\n\
         [patches]\nchips = false\n{passes}[[reaches]]\nfile = \"{}\"\nid_field = \"reach_id\"\nname_field = \"name\"\n",
        at("models"),
        at("configs/classes.toml"),
        at(&format!("configs/reaches/{}.geojson", set.reaches)),
    );
    fs::write(folder.path().join("run.toml"), configuration)?;
    let output =
        Command::new(PROGRAM).args(["run", "--config", "run.toml", "--json"]).current_dir(folder.path()).output()?;
    if !output.status.success() {
        return Err(format!("a run failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let summary = serde_json::from_slice(&output.stdout)?;
    Ok(Made { folder, summary })
}

fn pass(date: &str) -> String {
    format!("[[passes]]\nfiles = [\"{date}.tif\"]\nsensor = \"windows\"\nname = \"{date}\"\ntime = \"{date}\"\n")
}

/// The profile of the files that [`write`] makes.
fn profile(raster: &Raster, pixel_m: f64) -> String {
    let mut text = format!(
        "schema_version = 1\nname = \"windows\"\ntitle = \"Windows of passes\"\nsource = \"benches/accuracy\"\n\
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
