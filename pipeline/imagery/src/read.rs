//! A pass on the grid: reflectance of the bands that the model asks for, and why a pixel is unobserved.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ndarray::{Array2, Array3, ArrayViewMut2, ArrayViewMut3, s};

use shorewatch_domain::crs::Epsg;
use shorewatch_domain::grid::{Grid, Window};
use shorewatch_domain::observed::Causes;
use shorewatch_domain::pass::Pass;
use shorewatch_domain::raster::Raster;
use shorewatch_domain::sensor::{BandRole, Layout, NodataRule, QualityFlag, Radiometry, SensorProfile};

use crate::blocks::{BlockCache, BlockSource, SHARED_EDGE_PX, Samples};
use crate::crs::SourceCrs;
use crate::error::ImageryError;
use crate::open::{Assigned, Limits, open_raster};
use crate::positions::{Affine, ToSource};
use crate::resample::{SourcePositions, resample};

mod convert;

/// How far from whole pixels, in pixels, a file may lie off the grid and still be taken as lying on it. A hundredth is a
/// tenth of the best co-registration of passes.
pub const ON_GRID_TOLERANCE_PX: f64 = 0.01;

/// By how much, relatively, the edges of a pixel may differ and still be taken as equal: over the widest file that is accepted
/// (some 100,000 pixels) it adds up to a hundredth of a pixel.
const SQUARE_TOLERANCE: f64 = 1e-7;

/// Source pixels that one resampling step may hold in memory: few enough for the second-level cache.
const SOURCE_PIXELS_AT_ONCE: usize = 256 << 10;

/// What a band of a file is for.
enum Use {
    /// Reflectance = stored · scale + offset, to the given position among the asked-for bands.
    Reflectance {
        position: usize,
        scale: f32,
        offset: f32,
    },
    Alpha,
    Quality(Vec<QualityFlag>),
}

/// One file of a pass.
struct FileSource {
    blocks: BlockSource,
    crs: SourceCrs,
    affine: Affine,
    /// For each band that is read.
    uses: Vec<Use>,
    /// Positions of the reflectance bands among the asked-for ones.
    positions: Vec<usize>,
}

/// Reads a pass on any grid. Shared by all threads.
pub struct PassReader {
    files: Vec<FileSource>,
    roles: Vec<BandRole>,
    nodata: Option<f32>,
    nodata_rule: NodataRule,
    saturated_from: Option<f32>,
    cache: Arc<BlockCache>,
    /// Memory of windows that were given back: pages that are new to the process cost as much as filling them.
    spare: Mutex<Vec<Vec<f32>>>,
}

/// A window that was read, and what went wrong in it without stopping it.
pub struct ReadWindow {
    /// The pixels.
    pub raster: Raster,
    /// Blocks that could not be decoded; their pixels are [`Causes::UNREADABLE`].
    pub faults: Vec<String>,
}

impl PassReader {
    /// Opens the files of a pass for the bands `roles`.
    ///
    /// # Errors
    /// A band that the sensor lacks; a file that can't be opened any more.
    pub fn open(
        pass: &Pass,
        profile: &SensorProfile,
        roles: &[BandRole],
        limits: &Limits,
        cache: Arc<BlockCache>,
    ) -> Result<Self, ImageryError> {
        let mut wanted: Vec<(String, Vec<(usize, Use)>)> = Vec::new();
        let mut want = |path: String, index: usize, what: Use| match wanted.iter_mut().find(|(known, _)| *known == path)
        {
            Some((_, bands)) => bands.push((index, what)),
            None => wanted.push((path, vec![(index, what)])),
        };
        for (position, &role) in roles.iter().enumerate() {
            let band = profile.band(role).ok_or_else(|| {
                let has: Vec<_> = profile.bands.iter().map(|band| band.role.name()).collect();
                fault_of(profile, format!("pass {} is asked for band {role}, and has {}", pass.name, has.join(", ")))
            })?;
            let (scale, offset) = match (band.radiometry, pass.fitted.iter().find(|fitted| fitted.role == role)) {
                (Radiometry::Linear { scale, offset }, _) => (scale, offset),
                (Radiometry::DisplayStretch { .. }, Some(fitted)) => (fitted.scale, fitted.offset),
                (Radiometry::DisplayStretch { .. }, None) => {
                    let problem = format!(
                        "the display stretch of band {role} was not fitted to pass {}; add it again",
                        pass.name
                    );
                    return Err(fault_of(profile, problem));
                }
            };
            let path = file_for(pass, profile, band.file_pattern.as_deref())?;
            want(path, band.index, Use::Reflectance { position, scale: scale as f32, offset: offset as f32 });
        }
        if let Some(index) = profile.alpha_index {
            want(file_for(pass, profile, None)?, index, Use::Alpha);
        }
        if let Some(quality) = &profile.quality {
            let path = match &quality.file_pattern {
                Some(pattern) => file_matching(pass, pattern),
                None => Some(file_for(pass, profile, None)?),
            };
            if let Some(path) = path {
                want(path, quality.index, Use::Quality(quality.flags.clone()));
            }
        }
        let files = wanted
            .into_iter()
            .map(|(path, bands)| {
                let file = open_raster(Path::new(&path), limits)?;
                let place = file.georeference(&Assigned { epsg: pass.assigned_epsg, geotransform: None })?;
                let (crs, affine) = (place.crs, Affine(place.geotransform));
                let indices = bands.iter().map(|(index, _)| *index).collect();
                let uses: Vec<_> = bands.into_iter().map(|(_, what)| what).collect();
                let positions = uses
                    .iter()
                    .filter_map(
                        |what| if let Use::Reflectance { position, .. } = what { Some(*position) } else { None },
                    )
                    .collect();
                Ok(FileSource { blocks: BlockSource::new(file, *limits, indices), crs, affine, uses, positions })
            })
            .collect::<Result<_, ImageryError>>()?;
        Ok(Self {
            files,
            roles: roles.to_vec(),
            nodata: profile.nodata.map(|value| value as f32),
            nodata_rule: profile.nodata_rule,
            saturated_from: profile.saturated_from.map(|value| value as f32),
            cache,
            spare: Mutex::default(),
        })
    }

    /// Takes back a window that is needed no more: the next one is read into its memory.
    pub fn recycle(&self, raster: Raster) {
        self.give(raster.pixels);
    }

    fn give(&self, pixels: Array3<f32>) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(pixels.into_raw_vec_and_offset().0);
    }

    /// An array with anything in it.
    fn take(&self, size: (usize, usize, usize)) -> Array3<f32> {
        let mut values = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        values.resize(size.0 * size.1 * size.2, 0.0);
        Array3::from_shape_vec(size, values).unwrap_or_else(|_| unreachable!("as many values as the size says"))
    }

    /// The bounding window of the pass on a grid, and whether every file lies on it pixel by pixel.
    ///
    /// # Errors
    /// There is no transformation between the file's system and the grid's.
    pub fn lies_on(&self, grid: &Grid) -> bool {
        self.files.iter().all(|file| file.offset_on(grid).is_some())
    }

    /// The lattice of the pass itself, and its pixels on it: that of its finest file. In a geographic system its "metres" are
    /// degrees.
    ///
    /// # Errors
    /// The pixels are not square or not north up, or the file's system has no code in the EPSG registry.
    pub fn own_lattice(&self) -> Result<(Grid, Window), ImageryError> {
        let edge = |file: &&FileSource| file.affine.0[1].abs();
        let finest = self
            .files
            .iter()
            .filter(|file| !file.positions.is_empty())
            .min_by(|one, other| edge(one).total_cmp(&edge(other)));
        let fault = |problem: String| ImageryError::Lattice { problem };
        let file = finest.ok_or_else(|| fault("no file holds a band that is read".to_owned()))?;
        let [x, across, row_x, y, col_y, down] = file.affine.0;
        if row_x != 0.0 || col_y != 0.0 || across <= 0.0 || ((across + down) / across).abs() > SQUARE_TOLERANCE {
            let problem = format!(
                "its geotransform is {:?}; warp it to square pixels, north up (gdalwarp -tr), and try again",
                file.affine.0
            );
            return Err(fault(problem));
        }
        let epsg = file.crs.epsg.ok_or_else(|| {
            fault(
                "its reference system has no EPSG code; assign one (gdal_edit.py -a_srs EPSG:…), and try again"
                    .to_owned(),
            )
        })?;
        let grid = Grid { epsg: Epsg(epsg), pixel_size_m: across, origin_x: x, origin_y: y };
        let (rows, cols) = file.blocks.size;
        Ok((grid, Window { row: 0, col: 0, rows, cols }))
    }

    /// Reads a window of the grid.
    ///
    /// # Errors
    /// A file can't be opened any more, or there is no transformation to the grid. Corrupt blocks are no error: their
    /// pixels are unobserved and named in [`ReadWindow::faults`].
    pub fn read(&self, grid: Grid, window: Window) -> Result<ReadWindow, ImageryError> {
        self.read_once(grid, window, Some(self.cache.shared_edge_px))
    }

    /// The same where the caller is about to read about that window again: decoded blocks are kept for it.
    ///
    /// # Errors
    /// As [`PassReader::read`].
    pub fn read_and_keep(&self, grid: Grid, window: Window) -> Result<ReadWindow, ImageryError> {
        self.read_once(grid, window, None)
    }

    /// The same in a sweep of windows of which neighbours have `shared_px` pixels of the grid in common, more than those that the
    /// cache was made for: decoded blocks in there are kept for them.
    ///
    /// # Errors
    /// As [`PassReader::read`].
    pub fn read_beside(&self, grid: Grid, window: Window, shared_px: usize) -> Result<ReadWindow, ImageryError> {
        self.read_once(grid, window, Some(shared_px))
    }

    /// `shared`: how many pixels along its edges the next windows may want, so that other blocks make room; `None` where they may
    /// want all.
    fn read_once(&self, grid: Grid, window: Window, shared: Option<usize>) -> Result<ReadWindow, ImageryError> {
        // whatever is in it: what is not written is unobserved, and set to 0 below
        let mut pixels = self.take((self.roles.len(), window.rows, window.cols));
        let mut causes = Array2::from_elem(window.shape(), Causes::OBSERVED);
        let mut faults = Vec::new();
        // votes for nodata: with `AllBands`, files must agree
        let mut all_nodata: Option<Array2<bool>> = None;
        if let [file] = self.files.as_slice() {
            self.read_file(file, grid, (window, shared), &mut pixels.view_mut(), &mut causes.view_mut(), &mut faults)?;
        }
        for file in self.files.iter().filter(|_| self.files.len() > 1) {
            let mut own = Array2::from_elem(window.shape(), Causes::OBSERVED);
            self.read_file(file, grid, (window, shared), &mut pixels.view_mut(), &mut own.view_mut(), &mut faults)?;
            let votes = !file.positions.is_empty() && self.nodata_rule == NodataRule::AllBands;
            if votes {
                let vote = own.mapv(|cause| cause.0 & Causes::NODATA.0 != 0);
                own.mapv_inplace(|cause| Causes(cause.0 & !Causes::NODATA.0));
                match &mut all_nodata {
                    Some(all) => all.zip_mut_with(&vote, |all, vote| *all &= vote),
                    None => all_nodata = Some(vote),
                }
            }
            causes.zip_mut_with(&own, |cause, own| *cause |= *own);
        }
        if let Some(all) = all_nodata {
            causes.zip_mut_with(&all, |cause, &nodata| {
                if nodata {
                    *cause |= Causes::NODATA;
                }
            });
        }
        for (row, line) in causes.outer_iter().enumerate() {
            if line.iter().any(|cause| !cause.is_observed()) {
                for mut band in pixels.outer_iter_mut() {
                    let mut values = band.row_mut(row);
                    values.zip_mut_with(&line, |value, cause| {
                        if !cause.is_observed() {
                            *value = 0.0;
                        }
                    });
                }
            }
        }
        faults.sort();
        faults.dedup();
        let raster = Raster { grid, window, roles: self.roles.clone(), pixels, causes };
        Ok(ReadWindow { raster, faults })
    }

    fn read_file(
        &self,
        file: &FileSource,
        grid: Grid,
        (window, shared): (Window, Option<usize>),
        pixels: &mut ArrayViewMut3<'_, f32>,
        causes: &mut ArrayViewMut2<'_, Causes>,
        faults: &mut Vec<String>,
    ) -> Result<(), ImageryError> {
        if let Some((row, col)) = file.offset_on(&grid) {
            let source = Window { row: window.row + row, col: window.col + col, ..window };
            let _reading = self.cache.reading(&file.blocks, source);
            return self.fill(file, (source, shared), &file.positions, pixels, causes, faults);
        }
        let to_source = ToSource::new(grid, &file.crs, file.affine)?;
        let mut parts = vec![window];
        while let Some(part) = parts.pop() {
            let mut at = to_source.positions(part);
            let Some(source) = source_window(&at, file.blocks.size) else {
                let (rows, cols) = window.ranges_of(&part);
                causes.slice_mut(s![rows, cols]).fill(Causes::OUTSIDE);
                continue;
            };
            if source.len() > SOURCE_PIXELS_AT_ONCE && part.len() > 1 {
                // the upper or left half is next, so that blocks are used in the order of a sweep
                let [first, second] = halves(part);
                parts.extend([second, first]);
                continue;
            }
            let count = file.positions.len();
            let mut source_pixels = self.take((count, source.rows, source.cols));
            let mut source_causes = Array2::from_elem(source.shape(), Causes::OBSERVED);
            let in_order: Vec<_> = (0..count).collect();
            self.fill(
                file,
                (source, shared.map(|shared| self.shared_in_source(shared))),
                &in_order,
                &mut source_pixels.view_mut(),
                &mut source_causes.view_mut(),
                faults,
            )?;
            at.x -= source.col as f64;
            at.y -= source.row as f64;
            let (rows, cols) = window.ranges_of(&part);
            resample(
                source_pixels.view(),
                source_causes.view(),
                &at,
                &file.positions,
                &mut pixels.slice_mut(s![.., rows.clone(), cols.clone()]),
                &mut causes.slice_mut(s![rows, cols]),
            );
            self.give(source_pixels);
        }
        Ok(())
    }

    /// What windows that do not lie on the grid share of the file.
    fn shared_in_source(&self, shared_px: usize) -> usize {
        if shared_px > self.cache.shared_edge_px { shared_px.max(SHARED_EDGE_PX) } else { SHARED_EDGE_PX }
    }

    /// Copies a window of the file's own pixels as reflectance; what lies beyond the file is [`Causes::OUTSIDE`]. `shared`: how
    /// many pixels along its edges the next windows may want; `None` where they may want all.
    fn fill(
        &self,
        file: &FileSource,
        (window, shared): (Window, Option<usize>),
        positions: &[usize],
        pixels: &mut ArrayViewMut3<'_, f32>,
        causes: &mut ArrayViewMut2<'_, Causes>,
        faults: &mut Vec<String>,
    ) -> Result<(), ImageryError> {
        let (rows, cols) = file.blocks.size;
        let whole = Window { row: 0, col: 0, rows, cols };
        let Some(inside) = window.intersection(&whole) else {
            causes.fill(Causes::OUTSIDE);
            return Ok(());
        };
        if inside != window {
            causes.fill(Causes::OUTSIDE);
        }
        let shape = file.blocks.shape;
        let first_row = inside.row as usize / shape.rows;
        let last_row = (inside.row_end() as usize - 1) / shape.rows;
        let first_col = inside.col as usize / shape.cols;
        let last_col = (inside.col_end() as usize - 1) / shape.cols;
        for block_row in first_row..=last_row {
            for block_col in first_col..=last_col {
                let place = Window {
                    row: (block_row * shape.rows) as i64,
                    col: (block_col * shape.cols) as i64,
                    rows: shape.rows.min(rows - block_row * shape.rows),
                    cols: shape.cols.min(cols - block_col * shape.cols),
                };
                let Some(part) = place.intersection(&inside) else { continue };
                let (from_rows, from_cols) = place.ranges_of(&part);
                let block = self.cache.get(&file.blocks, (block_row, block_col), from_rows.clone())?;
                faults.extend(block.faults.iter().cloned());
                let (to_rows, to_cols) = window.ranges_of(&part);
                let from = (from_rows.start, from_cols.start);
                let mut pixels = pixels.slice_mut(s![.., to_rows.clone(), to_cols.clone()]);
                let mut causes = causes.slice_mut(s![to_rows, to_cols]);
                match &block.samples {
                    Samples::U8(samples) => {
                        self.convert(file, &block, samples, from, positions, &mut pixels, &mut causes);
                    }
                    Samples::U16(samples) => {
                        self.convert(file, &block, samples, from, positions, &mut pixels, &mut causes);
                    }
                    Samples::I16(samples) => {
                        self.convert(file, &block, samples, from, positions, &mut pixels, &mut causes);
                    }
                    Samples::F32(samples) => {
                        self.convert(file, &block, samples, from, positions, &mut pixels, &mut causes);
                    }
                }
                let shared = shared.map(|pixels| pixels as i64);
                if let Some(shared) = shared.filter(|shared| place.col_end() + shared <= window.col_end()) {
                    // what the windows of the next row may still want
                    let wanted = (window.row_end() - shared - place.row).clamp(0, place.rows as i64);
                    self.cache.done_with(&file.blocks, (block_row, block_col), wanted as usize);
                }
            }
        }
        Ok(())
    }
}

impl FileSource {
    fn offset_on(&self, grid: &Grid) -> Option<(i64, i64)> {
        (self.crs.epsg == Some(grid.epsg.0)).then(|| self.affine.offset_on(grid, ON_GRID_TOLERANCE_PX)).flatten()
    }
}

fn fault_of(profile: &SensorProfile, problem: String) -> ImageryError {
    ImageryError::Profile { profile: profile.name.clone(), problem }
}

fn file_for(pass: &Pass, profile: &SensorProfile, pattern: Option<&str>) -> Result<String, ImageryError> {
    let found = match (profile.layout, pattern) {
        (Layout::FilePerBand, Some(pattern)) => file_matching(pass, pattern),
        _ => pass.files.first().map(|file| file.path.clone()),
    };
    found.ok_or_else(|| fault_of(profile, format!("pass {} has no file {:?}", pass.name, pattern.unwrap_or("*"))))
}

fn file_matching(pass: &Pass, pattern: &str) -> Option<String> {
    let name = |path: &str| Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    pass.files
        .iter()
        .find(|file| name(&file.path).is_some_and(|name| crate::admit::name_matches(pattern, &name)))
        .map(|file| file.path.clone())
}

/// The source pixels that a set of positions needs, with a pixel of room for interpolation; `None` where all lie outside.
fn source_window(at: &SourcePositions, size: (usize, usize)) -> Option<Window> {
    let [left, top, right, bottom] = at.bounds()?;
    let (room_x, room_y) = (at.half_x + 1.0, at.half_y + 1.0);
    let whole = Window { row: 0, col: 0, rows: size.0, cols: size.1 };
    Window::covering(left - room_x, top - room_y, right + room_x, bottom + room_y).intersection(&whole)
}

fn halves(window: Window) -> [Window; 2] {
    if window.rows >= window.cols {
        let rows = window.rows / 2;
        [Window { rows, ..window }, Window { row: window.row + rows as i64, rows: window.rows - rows, ..window }]
    } else {
        let cols = window.cols / 2;
        [Window { cols, ..window }, Window { col: window.col + cols as i64, cols: window.cols - cols, ..window }]
    }
}

#[cfg(test)]
mod tests;
