//! Labelled chips, read the way a run reads passes: each is given a place on a grid, admitted through its sensor profile,
//! and read with its halo, so that clouds, scale and the edge of the scene reach the network as in production.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ndarray::{Array2, Array3, ArrayView2, Axis, s};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::pass::{AcquisitionTime, PassState, TimePrecision, TimeSource};
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::{BandRole, SensorProfile};
use shorewatch_evaluation::labels::{Labelled, Witnesses, combine};
use shorewatch_imagery::admit::{AdmitOptions, admit};
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::read::PassReader;
use shorewatch_imagery::stored::read_stored;
use shorewatch_imagery::write::{Compression, GeoTiffOptions, write_geotiff};

use crate::failure::Failure;

/// The name of the sensor profile of the chips.
pub const SENSOR: &str = "worldcover-chips";
/// Stand-in for a place: chips carry none. Beside latitude 0, longitude 0 in the Gulf of Guinea.
const EPSG: Epsg = Epsg(32631);
/// Corner of every chip in pixels of the grid: a multiple of any alignment that a network may have.
const CORNER_PX: (i64, i64) = (-8192, 8192);
/// Bands of a chip.
const BANDS: usize = 12;
/// Positions of what is no reflectance, from 0.
const QUALITY: usize = 7;
const WORLDCOVER: usize = 10;
const SCALE: f32 = 1e-4;

/// One chip with what is known of it. Every map is (row, col).
#[derive(Debug)]
pub struct Chip {
    /// Stem of its file.
    pub name: String,
    /// As stored: (band, row, col).
    stored: Array3<i16>,
    /// The hand-made water mask.
    pub hand_water: Array2<bool>,
    /// Labels and clear pixels.
    pub labelled: Labelled,
}

impl Chip {
    /// Reads chip and mask from the folder of the set.
    ///
    /// # Errors
    /// A file is missing, damaged, or no chip.
    pub fn read(folder: &Path, name: &str) -> Result<Self, Failure> {
        let limits = Limits::default();
        let path = folder.join(format!("{name}.tif"));
        let stored = read_stored::<i16>(&path, &limits)?;
        let number: u32 = name
            .parse()
            .map_err(|_| Failure::input(format!("{}: expected a number as the chip's name", path.display())))?;
        let mask_path = folder.join("water_masks").join(format!("{number}.png"));
        let mask = read_stored::<u8>(&mask_path, &limits)?;
        let (bands, rows, cols) = stored.dim();
        if bands != BANDS || (mask.dim().1, mask.dim().2) != (rows, cols) {
            return Err(Failure::input(format!(
                "{}: expected {BANDS} bands and a mask of the same size in {}, got {bands} bands, {rows} x {cols} px and a mask \
                 of {:?}",
                path.display(),
                mask_path.display(),
                (mask.dim().1, mask.dim().2)
            )));
        }
        let hand_water = mask.index_axis(Axis(0), 0).mapv(|value| value > 0);
        let reflectance: Vec<Array2<f32>> =
            (1..=5).map(|band| stored.index_axis(Axis(0), band).mapv(|value| f32::from(value) * SCALE)).collect();
        let labelled = combine(&Witnesses {
            worldcover: stored.index_axis(Axis(0), WORLDCOVER),
            hand_water: hand_water.view(),
            quality: stored.index_axis(Axis(0), QUALITY),
            reflectance: std::array::from_fn(|band| reflectance[band].view()),
        });
        Ok(Self { name: name.to_owned(), stored, hand_water, labelled })
    }

    /// A stored reflectance band (row, col) by its position from 0: coastal, blue, green, red, near infrared, short-wave
    /// infrared 1 and 2.
    #[must_use]
    pub fn stored_band(&self, band: usize) -> ArrayView2<'_, i16> {
        self.stored.index_axis(Axis(0), band)
    }

    /// Whether green is brighter than short-wave infrared 1: MNDWI > 0 (Xu 2006).
    #[must_use]
    pub fn mndwi_is_positive(&self) -> Array2<bool> {
        ndarray::Zip::from(self.stored_band(2)).and(self.stored_band(5)).map_collect(|green, swir1| green > swir1)
    }

    /// Natural colour and class maps need (rows, cols).
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.hand_water.dim()
    }
}

/// Puts chips on a grid and reads them as passes.
pub struct ChipReader<'a> {
    profile: &'a SensorProfile,
    /// Where the placed copies lie.
    scratch: PathBuf,
    cache: Arc<BlockCache>,
    halo_px: usize,
}

impl<'a> ChipReader<'a> {
    /// Reads through `profile` with a halo of so many pixels; placed copies are written to `scratch`.
    #[must_use]
    pub fn new(profile: &'a SensorProfile, scratch: &Path, halo_px: usize) -> Self {
        Self { profile, scratch: scratch.to_owned(), cache: Arc::new(BlockCache::new(8 << 20)), halo_px }
    }

    /// The chip's reflectance and mask with its halo, for the bands `roles`.
    ///
    /// # Errors
    /// The chip is not admitted as a pass, or can't be read.
    pub fn read(&self, chip: &Chip, roles: &[BandRole]) -> Result<Raster, Failure> {
        let size_m = self.profile.ground_sampling_distance_m;
        let grid = Grid::new(EPSG, size_m);
        let (x, y) = grid.to_projected(CORNER_PX.1 as f64, CORNER_PX.0 as f64);
        let path = self.scratch.join(format!("{}.tif", chip.name));
        if !path.exists() {
            let options = GeoTiffOptions {
                compression: Compression::None,
                predictor: false,
                tile_px: None,
                ..Default::default()
            };
            let place = Some(([x, size_m, 0.0, y, 0.0, -size_m], EPSG));
            write_geotiff(&path, chip.stored.view(), place, &options)?;
        }
        // the chips don't say when they were taken, and nothing here depends on it
        let time =
            AcquisitionTime { at: Timestamp::UNIX_EPOCH, precision: TimePrecision::Year, source: TimeSource::Operator };
        let options = AdmitOptions { time: Some(time), settle: Duration::ZERO, ..AdmitOptions::default() };
        let pass = admit(&[path], self.profile, &options)?;
        if pass.state != PassState::Ready {
            let reason = pass.state.reason().unwrap_or("no reason given");
            return Err(Failure::input(format!("chip {}: not admitted as a pass: {reason}", chip.name)));
        }
        let reader = PassReader::open(&pass, self.profile, roles, &Limits::default(), Arc::clone(&self.cache))?;
        let (rows, cols) = chip.size();
        let window = Window { row: CORNER_PX.0, col: CORNER_PX.1, rows, cols };
        let read = reader.read(grid, window.grown(self.halo_px))?;
        if let Some(fault) = read.faults.first() {
            return Err(Failure::input(format!("chip {}: {fault}", chip.name)));
        }
        Ok(read.raster)
    }

    /// Observed pixels (row, col) of the chip itself in a raster with the halo.
    #[must_use]
    pub fn observed(&self, raster: &Raster) -> Array2<bool> {
        let (rows, cols) = raster.causes.dim();
        let halo = self.halo_px;
        raster.causes.slice(s![halo..rows - halo, halo..cols - halo]).mapv(Causes::is_observed)
    }
}
