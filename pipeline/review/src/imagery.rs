//! Tiles of passes around a patch, on the grid of the patch. Both dates, and every earlier one, are drawn in one stretch: equal
//! values have equal colours. What was not observed is hatched.

pub mod first;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use shorewatch_domain::crs::Epsg;
use shorewatch_domain::digest::Digest;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::patch::Patch;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::{BandRole, SensorProfile};
use shorewatch_imagery::ImageryError;
use shorewatch_imagery::blocks::BlockCache;
use shorewatch_imagery::crs::Transform;
use shorewatch_imagery::open::Limits;
use shorewatch_imagery::read::PassReader;

use crate::problem::Problem;

/// Edge of a tile in pixels.
pub const TILE_PX: usize = 256;

/// Level at which a pixel of a tile is a pixel of the patch's grid; each one above halves it.
pub const NATIVE_LEVEL: u32 = 6;

/// Coarsest and finest level: 8 grid pixels a tile pixel, and 16 tile pixels a grid pixel.
pub const LEVELS: std::ops::RangeInclusive<u32> = 3..=10;

/// Ground around a patch in metres that can be looked at, at least.
const LEAST_VIEW_M: f64 = 4_000.0;

/// The same over the edge of the patch.
const VIEW: f64 = 12.0;

/// Bytes of decoded blocks that a server keeps.
pub const CACHE_BYTES: usize = 256 << 20;

/// Open passes and stretches that are kept.
const MOST_KEPT: usize = 256;

/// Three bands that are drawn as red, green and blue.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bands {
    /// Red, green, blue.
    Natural,
    /// Near infrared, red, green: growth is red.
    Infrared,
    /// Shortwave infrared, near infrared, red: water is black, bare ground pink.
    Shortwave,
}

impl Bands {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Natural, Self::Infrared, Self::Shortwave];

    /// The name in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Natural => "natural",
            Self::Infrared => "infrared",
            Self::Shortwave => "shortwave",
        }
    }

    /// The bands.
    #[must_use]
    pub const fn roles(self) -> [BandRole; 3] {
        match self {
            Self::Natural => [BandRole::Red, BandRole::Green, BandRole::Blue],
            Self::Infrared => [BandRole::Nir, BandRole::Red, BandRole::Green],
            Self::Shortwave => [BandRole::Swir1, BandRole::Nir, BandRole::Red],
        }
    }

    /// Those that a sensor has.
    #[must_use]
    pub fn of(profile: &SensorProfile) -> Vec<Self> {
        let has = |bands: &Self| bands.roles().iter().all(|role| profile.band(*role).is_some());
        Self::ALL.into_iter().filter(has).collect()
    }
}

/// Brightens what is dark (water, woods) without losing what is bright: the same on every date.
const GAMMA: f32 = 0.75;

/// A stretch: `low` is drawn as 0, `high` as 255.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stretch {
    /// Reflectance drawn as 0, by band.
    pub low: [f32; 3],
    /// Reflectance drawn as 255, by band.
    pub high: [f32; 3],
}

impl Stretch {
    /// From the 2nd to the 98th percentile of what was observed on all of the dates. In natural colour all bands share one gain,
    /// or leaves would turn blue where there is no other blue.
    fn joint(dates: &[Raster], bands: Bands) -> Self {
        let mut stretch = Self { low: [0.0; 3], high: [1.0; 3] };
        for band in 0..3 {
            let mut values: Vec<f32> = Vec::new();
            for date in dates {
                let plane = date.pixels.index_axis(ndarray::Axis(0), band);
                let seen =
                    plane.iter().zip(&date.causes).filter(|(value, cause)| cause.is_observed() && value.is_finite());
                values.extend(seen.map(|(value, _)| *value));
            }
            if values.is_empty() {
                continue;
            }
            values.sort_unstable_by(f32::total_cmp);
            let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
            (stretch.low[band], stretch.high[band]) = (at(0.02), at(0.98));
        }
        if bands == Bands::Natural {
            let span = (0..3).map(|band| stretch.high[band] - stretch.low[band]).fold(0.0, f32::max);
            stretch.high = stretch.low.map(|low| low + span);
        }
        stretch
    }

    fn level(&self, band: usize, value: f32) -> u8 {
        let span = self.high[band] - self.low[band];
        let share = if span > 0.0 { (value - self.low[band]) / span } else { 0.5 };
        (share.clamp(0.0, 1.0).powf(GAMMA) * 255.0).round() as u8
    }
}

/// Which tile of which pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TileAddress {
    /// Bands.
    pub bands: Bands,
    /// Level.
    pub level: u32,
    /// Column, eastwards from the grid's origin.
    pub column: i64,
    /// Row, southwards from the grid's origin.
    pub row: i64,
}

type Kept<K, V> = Mutex<HashMap<K, V>>;

/// Readers of passes and what was found about patches.
pub struct Imagery {
    sensors: Vec<SensorProfile>,
    limits: Limits,
    /// Of the store, with the first pictures in it.
    folder: PathBuf,
    cache: Arc<BlockCache>,
    readers: Kept<(Digest, Bands), Arc<PassReader>>,
    stretches: Kept<(String, Bands), Arc<Mutex<Option<Stretch>>>>,
}

impl Imagery {
    /// Without a pass open yet; `folder` is that of the store, `cache` holds decoded blocks.
    #[must_use]
    pub fn new(sensors: Vec<SensorProfile>, limits: Limits, folder: PathBuf, cache: Arc<BlockCache>) -> Self {
        Self { sensors, limits, folder, cache, readers: Kept::default(), stretches: Kept::default() }
    }

    /// The profile of a sensor, where it is known.
    #[must_use]
    pub fn profile(&self, sensor: &str) -> Option<&SensorProfile> {
        self.sensors.iter().find(|profile| profile.name == sensor)
    }

    /// Band combinations that all of the passes have.
    #[must_use]
    pub fn bands_of(&self, passes: &[&Pass]) -> Vec<Bands> {
        let sets: Option<Vec<Vec<Bands>>> =
            passes.iter().map(|pass| self.profile(&pass.sensor).map(Bands::of)).collect();
        let sets = sets.unwrap_or_default();
        let Some((first, rest)) = sets.split_first() else { return Vec::new() };
        first.iter().copied().filter(|bands| rest.iter().all(|set| set.contains(bands))).collect()
    }

    fn reader(&self, pass: &Pass, bands: Bands) -> Result<Arc<PassReader>, Problem> {
        let key = (pass.id, bands);
        if let Some(known) = lock(&self.readers).get(&key) {
            return Ok(Arc::clone(known));
        }
        let missing = || {
            let detail =
                format!("pass {} has no {} bands, or the server has no profile of its sensor", pass.name, bands.name());
            Problem::new(axum::http::StatusCode::GONE, "bands_missing", detail)
        };
        let profile =
            self.profile(&pass.sensor).filter(|profile| Bands::of(profile).contains(&bands)).ok_or_else(missing)?;
        let reader = PassReader::open(pass, profile, &bands.roles(), &self.limits, Arc::clone(&self.cache))?;
        let reader = Arc::new(reader);
        Ok(keep(&self.readers, key, reader))
    }

    /// The stretch of a patch: joint over its two dates.
    ///
    /// # Errors
    /// A pass can't be read.
    pub fn stretch(&self, patch: &Patch, dates: [&Pass; 2], bands: Bands) -> Result<Stretch, Problem> {
        // the page asks for many tiles at once: the first computes, the others wait for its result
        let shared = keep(&self.stretches, (patch.patch_id.clone(), bands), Arc::default());
        let mut known = lock(&shared);
        if let Some(known) = *known {
            return Ok(known);
        }
        let stretch = match self.left_stretch(patch, dates, bands)? {
            Some(left) => left,
            None => Stretch::joint(&self.around(patch, dates, bands)?, bands),
        };
        *known = Some(stretch);
        Ok(stretch)
    }

    /// A tile of a pass as PNG.
    ///
    /// # Errors
    /// It lies too far from the patch or on no level; the pass can't be read.
    pub fn tile(
        &self,
        patch: &Patch,
        dates: [&Pass; 2],
        pass: &Pass,
        address: TileAddress,
    ) -> Result<Vec<u8>, Problem> {
        if !LEVELS.contains(&address.level) {
            return Err(Problem::bad(format!("level: expected {LEVELS:?}, got {}", address.level)));
        }
        let scale = f64::from(NATIVE_LEVEL as i32 - address.level as i32).exp2();
        let grid = Grid::new(patch.grid_epsg, patch.ground_sampling_distance_m * scale);
        let edge = TILE_PX as i64;
        let (Some(row), Some(col)) = (address.row.checked_mul(edge), address.column.checked_mul(edge)) else {
            return Err(Problem::bad("row and column: out of range"));
        };
        let window = Window { row, col, rows: TILE_PX, cols: TILE_PX };
        check_near(patch, &grid, window)?;
        let stretch = self.stretch(patch, dates, address.bands)?;
        let raster = self.reader(pass, address.bands)?.read(grid, window)?.raster;
        png(&raster, &stretch)
    }
}

fn lock<T>(kept: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is kept under a key, else `value` from now on; where there are many, all others go first.
fn keep<K: Eq + std::hash::Hash, V>(kept: &Kept<K, Arc<V>>, key: K, value: Arc<V>) -> Arc<V> {
    let mut kept = lock(kept);
    if kept.len() >= MOST_KEPT && !kept.contains_key(&key) {
        kept.clear();
    }
    Arc::clone(kept.entry(key).or_insert(value))
}

/// Bounds of the patch in the system of its grid: [min x, min y, max x, max y].
///
/// # Errors
/// It can't be projected.
pub fn projected_bounds(patch: &Patch) -> Result<[f64; 4], ImageryError> {
    let outline = Transform::new(Epsg::CGCS2000, patch.grid_epsg)?.polygon(&patch.geometry, None)?;
    let bounds = outline.exterior().coords().fold(
        [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY],
        |[west, south, east, north], corner| {
            [west.min(corner.x), south.min(corner.y), east.max(corner.x), north.max(corner.y)]
        },
    );
    Ok(bounds)
}

/// Pixels of an edge of the ground around a patch, beyond which it is read coarser.
const MOST_AROUND_PX: f64 = 400.0;

/// The patch with as much ground around it as a reviewer looks at first, on a lattice that is quickly read.
fn surroundings(patch: &Patch) -> Result<(Grid, Window), ImageryError> {
    let [west, south, east, north] = projected_bounds(patch)?;
    let base = Grid::new(patch.grid_epsg, patch.ground_sampling_distance_m);
    let room = (east - west).max(north - south).max(64.0 * base.pixel_size_m);
    let factor = (3.0 * room / base.pixel_size_m / MOST_AROUND_PX).ceil().max(1.0);
    let grid = Grid { pixel_size_m: base.pixel_size_m * factor, ..base };
    let (left, top) = grid.to_pixel(west - room, north + room);
    let (right, bottom) = grid.to_pixel(east + room, south - room);
    Ok((grid, Window::covering(left, top, right, bottom)))
}

fn check_near(patch: &Patch, grid: &Grid, window: Window) -> Result<(), Problem> {
    let [west, south, east, north] = projected_bounds(patch)?;
    let view = LEAST_VIEW_M.max(VIEW * (east - west).max(north - south)).max(400.0 * patch.ground_sampling_distance_m);
    let (left, top) = grid.to_projected(window.col as f64, window.row as f64);
    let (right, bottom) = grid.to_projected(window.col_end() as f64, window.row_end() as f64);
    let near = left <= east + view && right >= west - view && bottom <= north + view && top >= south - view;
    if near { Ok(()) } else { Err(Problem::bad("this tile lies too far from the patch")) }
}

/// Hatch of what was not observed: ground, lines.
const HATCH: [[u8; 3]; 2] = [[224, 220, 234], [139, 130, 165]];

fn png(raster: &Raster, stretch: &Stretch) -> Result<Vec<u8>, Problem> {
    let (rows, cols) = raster.window.shape();
    let observed: Array2<bool> = raster.causes.mapv(Causes::is_observed);
    let mut bytes = Vec::with_capacity(rows * cols * 3);
    for row in 0..rows {
        for col in 0..cols {
            if observed[(row, col)] {
                bytes.extend((0..3).map(|band| stretch.level(band, raster.pixels[(band, row, col)])));
            } else {
                bytes.extend(HATCH[usize::from((row + col) % 8 < 2)]);
            }
        }
    }
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Sub)
        .write_image(&bytes, cols as u32, rows as u32, ExtendedColorType::Rgb8)
        .map_err(|fault| Problem::internal(&fault))?;
    Ok(out)
}
