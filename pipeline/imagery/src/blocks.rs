//! Decoded blocks of source files, shared by all threads: each block of a file is decoded once, however many units of
//! work overlap it.
//!
//! A GDAL dataset belongs to one thread at a time, and GDAL's own cache belongs to a dataset. Neighbouring units on two
//! threads would so decode the blocks between them twice; with a halo around every unit that alone costs half of the
//! throughput. Here datasets are pooled a file and decoded blocks are shared; of a block in which a window
//! takes a few rows at the top, those alone are read.

mod cache;
mod direct;
mod set_aside;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use gdal::raster::GdalDataType;
use ndarray::Array2;

pub use self::cache::BlockCache;
use self::direct::{DirectTiles, Stored, Target};
use crate::error::ImageryError;
use crate::open::{Limits, OpenedFile, open_raster};
use crate::runtime::collect_messages;

/// Pixels that a decoded block should have at least: smaller native blocks are read several at a time.
const BLOCK_PIXELS: usize = 512 * 512;

/// Rows of a block, as a share of its native blocks, that are read without the others: a unit looks so far into the blocks below it,
/// which the next row of units needs whole.
const HEAD_SHARE: usize = 8;

/// Source pixels along the lower and right edges of a window in which the next windows of a sweep, row by row, may begin, where
/// nothing is known of them: twice the largest margin and halo, and some for rotation. Blocks that end before are not needed
/// again.
pub(crate) const SHARED_EDGE_PX: usize = 128;

/// Samples of one block in the file's own data type, (band, row, col) in row-major order.
#[derive(Debug)]
pub enum Samples {
    /// 8-bit.
    U8(Vec<u8>),
    /// 16-bit unsigned.
    U16(Vec<u16>),
    /// 16-bit signed.
    I16(Vec<i16>),
    /// Everything else.
    F32(Vec<f32>),
}

impl Samples {
    /// Without the first `skip` of `rows` rows of `cols` pixels of each band.
    fn without_rows(&self, skip: usize, rows: usize, cols: usize) -> Self {
        fn kept<T: Copy>(samples: &[T], skip: usize, rows: usize, cols: usize) -> Vec<T> {
            samples.chunks_exact(rows * cols).flat_map(|plane| &plane[skip * cols..]).copied().collect()
        }
        match self {
            Self::U8(samples) => Self::U8(kept(samples, skip, rows, cols)),
            Self::U16(samples) => Self::U16(kept(samples, skip, rows, cols)),
            Self::I16(samples) => Self::I16(kept(samples, skip, rows, cols)),
            Self::F32(samples) => Self::F32(kept(samples, skip, rows, cols)),
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => 2 * samples.len(),
            Self::I16(samples) => 2 * samples.len(),
            Self::F32(samples) => 4 * samples.len(),
        }
    }
}

/// One decoded block.
#[derive(Debug)]
pub struct Block {
    /// Rows in this block (less at the lower edge of the file, and where its first rows alone were read), those included that are not
    /// kept any more.
    pub rows: usize,
    /// The first row that is kept: samples begin with it.
    pub first_row: usize,
    /// Columns in this block (less at the right edge).
    pub cols: usize,
    /// The bands that were asked for.
    pub samples: Samples,
    /// Pixels that could not be decoded (row, col), if any.
    pub unreadable: Option<Array2<bool>>,
    /// What the decoder said of them.
    pub faults: Vec<String>,
}

/// How a file is cut into blocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockShape {
    /// Rows of a whole block.
    pub rows: usize,
    /// Columns of a whole block.
    pub cols: usize,
    native_rows: usize,
    native_cols: usize,
}

impl BlockShape {
    /// Groups native blocks so that a block has about [`BLOCK_PIXELS`].
    fn of(file: &OpenedFile) -> Self {
        let (native_rows, native_cols) = file.bands.first().map_or((1, file.size.1), |band| band.block_size);
        let (native_rows, native_cols) = (native_rows.clamp(1, file.size.0), native_cols.clamp(1, file.size.1));
        let across = 512_usize.div_ceil(native_cols).min(file.size.1.div_ceil(native_cols));
        let cols = native_cols * across;
        let down = BLOCK_PIXELS.div_ceil(cols * native_rows).min(512_usize.div_ceil(native_rows));
        Self { rows: native_rows * down.max(1), cols, native_rows, native_cols }
    }
}

/// One file, open in as many handles as threads read it at once.
pub struct BlockSource {
    key: u64,
    path: PathBuf,
    limits: Limits,
    /// Bands to read, as GDAL counts them (from 1).
    bands: Vec<usize>,
    /// Rows and columns of the file.
    pub size: (usize, usize),
    /// How it is cut.
    pub shape: BlockShape,
    /// The way past GDAL, where the file allows it.
    direct: Option<DirectTiles>,
    pool: Mutex<Vec<OpenedFile>>,
}

impl BlockSource {
    /// Wraps an opened file; `bands` count from 1. Every source has blocks of its own in a cache, since two readers of one
    /// file may ask for other bands.
    #[must_use]
    pub fn new(file: OpenedFile, limits: Limits, bands: Vec<usize>) -> Self {
        static NEXT_KEY: AtomicU64 = AtomicU64::new(0);
        Self {
            key: NEXT_KEY.fetch_add(1, Ordering::Relaxed),
            path: file.path.clone(),
            limits,
            bands,
            size: file.size,
            shape: BlockShape::of(&file),
            direct: DirectTiles::of(&file),
            pool: Mutex::new(vec![file]),
        }
    }

    fn decode(&self, (block_row, block_col): (usize, usize)) -> Result<Block, ImageryError> {
        let file = self.opened()?;
        let (row, col) = (block_row * self.shape.rows, block_col * self.shape.cols);
        let rows = self.shape.rows.min(self.size.0 - row);
        let cols = self.shape.cols.min(self.size.1 - col);
        let place = Place { row, col, rows, cols };
        // bands of one file share a type in every format that we open, but for quality bands: the widest decides
        let all = |wanted: GdalDataType| self.bands.iter().all(|&band| file.bands[band - 1].data_type == wanted);
        let block = self.decode_direct(&file, place).unwrap_or_else(|| {
            if all(GdalDataType::UInt8) {
                self.read::<u8>(&file, place, Samples::U8)
            } else if all(GdalDataType::UInt16) {
                self.read::<u16>(&file, place, Samples::U16)
            } else if all(GdalDataType::Int16) {
                self.read::<i16>(&file, place, Samples::I16)
            } else {
                self.read::<f32>(&file, place, Samples::F32)
            }
        });
        self.close(file);
        Ok(block)
    }

    /// A handle that no other thread uses meanwhile.
    fn opened(&self) -> Result<OpenedFile, ImageryError> {
        let pooled = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.map_or_else(|| open_raster(&self.path, &self.limits), Ok)
    }

    /// For the next who needs one.
    fn close(&self, file: OpenedFile) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }

    /// The block past GDAL; `None` where that is not possible for every tile in it.
    fn decode_direct(&self, file: &OpenedFile, place: Place) -> Option<Block> {
        match self.direct.as_ref()?.data_type() {
            GdalDataType::UInt8 => self.read_direct::<u8>(file, place, Samples::U8),
            GdalDataType::UInt16 => self.read_direct::<u16>(file, place, Samples::U16),
            GdalDataType::Int16 => self.read_direct::<i16>(file, place, Samples::I16),
            _ => None,
        }
    }

    /// Whether the first `rows` rows of a block are so few that they are read without the others, where that can be done.
    fn is_head(&self, rows: usize) -> bool {
        self.direct.is_some() && rows <= self.shape.native_rows / HEAD_SHARE
    }

    /// The first `rows` rows of a block past GDAL, without looking at those below; `None` where that can't be done.
    ///
    /// Damage further down is not seen: whether these rows are readable does not depend on what else of the block was read.
    fn decode_head(&self, (block_row, block_col): (usize, usize), rows: usize) -> Result<Option<Block>, ImageryError> {
        let (row, col) = (block_row * self.shape.rows, block_col * self.shape.cols);
        let file = self.opened()?;
        let place = Place { row, col, rows, cols: self.shape.cols.min(self.size.1 - col) };
        let head = self.decode_direct(&file, place);
        self.close(file);
        Ok(head)
    }

    fn read_direct<T: Stored>(&self, file: &OpenedFile, place: Place, wrap: fn(Vec<T>) -> Samples) -> Option<Block> {
        let tiles = self.direct.as_ref()?;
        let BlockShape { native_rows, native_cols, .. } = self.shape;
        let Place { row, col, rows, cols } = place;
        let mut samples = vec![T::default(); rows * cols * self.bands.len()];
        for top in (0..rows).step_by(native_rows) {
            for left in (0..cols).step_by(native_cols) {
                let mut target = Target {
                    samples: &mut samples,
                    shape: (rows, cols),
                    at: (top, left),
                    part: (native_rows.min(rows - top), native_cols.min(cols - left)),
                };
                let tile = ((row + top) / native_rows, (col + left) / native_cols);
                if target.part.0 < native_rows.min(self.size.0 - row - top) {
                    tiles.read_head(file, tile, &self.bands, &mut target)?;
                } else {
                    tiles.read(file, tile, &self.bands, &mut target)?;
                }
            }
        }
        Some(Block { rows, first_row: 0, cols, samples: wrap(samples), unreadable: None, faults: Vec::new() })
    }

    fn read<T>(&self, file: &OpenedFile, place: Place, wrap: fn(Vec<T>) -> Samples) -> Block
    where
        T: Copy + Default + gdal::raster::GdalType,
    {
        let plane = place.rows * place.cols;
        let mut samples = vec![T::default(); plane * self.bands.len()];
        let whole = self.bands.iter().zip(samples.chunks_exact_mut(plane)).try_for_each(|(&band, plane)| {
            read_band(file, band, (place.row, place.col), (place.rows, place.cols), plane)
        });
        let (mut unreadable, mut faults) = (None, Vec::new());
        if whole.is_err() {
            let mut mask = Array2::from_elem((place.rows, place.cols), false);
            self.salvage(file, place, &mut samples, &mut mask, &mut faults);
            unreadable = Some(mask);
        }
        Block { rows: place.rows, first_row: 0, cols: place.cols, samples: wrap(samples), unreadable, faults }
    }

    /// Reads native block by native block, and marks those that fail.
    fn salvage<T>(
        &self,
        file: &OpenedFile,
        place: Place,
        samples: &mut [T],
        mask: &mut Array2<bool>,
        faults: &mut Vec<String>,
    ) where
        T: Copy + Default + gdal::raster::GdalType,
    {
        let plane = place.rows * place.cols;
        for top in (0..place.rows).step_by(self.shape.native_rows) {
            let rows = self.shape.native_rows.min(place.rows - top);
            for left in (0..place.cols).step_by(self.shape.native_cols) {
                let cols = self.shape.native_cols.min(place.cols - left);
                let mut buffer = vec![T::default(); rows * cols];
                for (i, &band) in self.bands.iter().enumerate() {
                    let from = (place.row + top, place.col + left);
                    match read_band(file, band, from, (rows, cols), &mut buffer) {
                        Ok(()) => {
                            for (row, line) in buffer.chunks_exact(cols).enumerate() {
                                let start = i * plane + (top + row) * place.cols + left;
                                samples[start..start + cols].copy_from_slice(line);
                            }
                        }
                        Err(fault) => {
                            mask.slice_mut(ndarray::s![top..top + rows, left..left + cols]).fill(true);
                            faults.push(fault);
                        }
                    }
                }
            }
        }
    }
}

/// Reads a rectangle of one band (from 1) that starts at `from` (row, col) and has `shape` (rows, cols).
fn read_band<T>(
    file: &OpenedFile,
    band: usize,
    from: (usize, usize),
    shape: (usize, usize),
    buffer: &mut [T],
) -> Result<(), String>
where
    T: Copy + gdal::raster::GdalType,
{
    let size = (shape.1, shape.0);
    let (read, messages) = collect_messages(|| {
        file.dataset.rasterband(band)?.read_into_slice((from.1 as isize, from.0 as isize), size, size, buffer, None)
    });
    read.map_err(|fault| {
        let place = format!("rows {}..{}, columns {}..{}", from.0, from.0 + shape.0, from.1, from.1 + shape.1);
        let detail = if messages.is_empty() { fault.to_string() } else { messages.join("; ") };
        format!("{}: band {band}, {place}: {detail}", file.path.display())
    })
}

#[derive(Clone, Copy)]
struct Place {
    row: usize,
    col: usize,
    rows: usize,
    cols: usize,
}

#[cfg(test)]
mod tests;
