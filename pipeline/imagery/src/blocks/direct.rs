//! A short cut for the commonest delivery: tiles of a GeoTIFF, DEFLATE, all bands side by side.
//!
//! GDAL inflates such a tile into its own cache and takes each band out of it on its own; here the tile is inflated once
//! and only the bands that are asked for are taken out of it, in the same step that undoes the predictor (TIFF 6.0,
//! section 14: horizontal differencing). GDAL says where the tiles lie. Whatever is not exactly as expected (another
//! layout, a tile that is missing, short or corrupt) is left to GDAL, which then says what is wrong.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use flate2::{Decompress, FlushDecompress};
use gdal::Metadata;
use gdal::raster::GdalDataType;
use libdeflater::Decompressor;

use crate::open::OpenedFile;

/// First bytes of a little-endian TIFF and BigTIFF.
const LITTLE_ENDIAN: [[u8; 4]; 2] = [*b"II\x2a\0", *b"II\x2b\0"];

/// Domain in which GDAL tells where a block lies in the file.
const TIFF_DOMAIN: &str = "TIFF";

/// Compressed bytes that are taken at once where only the first rows of a tile are wanted.
const PIECE_BYTES: usize = 64 << 10;

/// Numbers that a tile may hold here, little-endian in the file.
pub(super) trait Stored: Copy + Default {
    /// Bytes of one number.
    const BYTES: usize;

    /// The number that begins with the first of `bytes`.
    fn at(bytes: &[u8]) -> Self;

    /// Sum that wraps around, as differences were taken.
    fn plus(self, other: Self) -> Self;
}

macro_rules! stored {
    ($($type:ty),*) => {$(
        impl Stored for $type {
            const BYTES: usize = size_of::<$type>();

            #[inline(always)]
            fn at(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<$type>()];
                own.copy_from_slice(&bytes[..size_of::<$type>()]);
                Self::from_le_bytes(own)
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*};
}

stored!(u8, u16, i16);

/// A file whose tiles can be read past GDAL.
pub(super) struct DirectTiles {
    file: File,
    /// Rows and columns of a tile.
    tile: (usize, usize),
    /// Bands in the file.
    bands: usize,
    data_type: GdalDataType,
    /// Whether numbers are stored as differences from their left neighbours.
    differences: bool,
    scratch: Mutex<Vec<Scratch>>,
}

/// Memory of one thread.
struct Scratch {
    compressed: Vec<u8>,
    inflated: Vec<u8>,
    inflate: Decompressor,
}

/// Where the samples of a tile go: planes of `shape` (rows, cols), of which the tile fills the part that begins at `at`.
pub(super) struct Target<'a, T> {
    pub(super) samples: &'a mut [T],
    pub(super) shape: (usize, usize),
    pub(super) at: (usize, usize),
    /// Rows and columns of the tile that lie inside the file.
    pub(super) part: (usize, usize),
}

impl DirectTiles {
    /// `None` where the file is laid out in another way.
    pub(super) fn of(file: &OpenedFile) -> Option<Self> {
        let structure = |key: &str| file.dataset.metadata_item(key, "IMAGE_STRUCTURE");
        let differences = match structure("PREDICTOR").as_deref() {
            None | Some("1") => false,
            Some("2") => true,
            Some(_) => return None,
        };
        let first = file.bands.first()?;
        let (tile, data_type) = (first.block_size, first.data_type);
        let side_by_side = structure("INTERLEAVE").as_deref() == Some("PIXEL") || file.bands.len() == 1;
        let known = [GdalDataType::UInt8, GdalDataType::UInt16, GdalDataType::Int16].contains(&data_type);
        let whole_bytes = file.dataset.rasterband(1).ok()?.metadata_item("NBITS", "IMAGE_STRUCTURE").is_none();
        let as_expected = file.dataset.driver().short_name() == "GTiff"
            && structure("COMPRESSION").as_deref() == Some("DEFLATE")
            && side_by_side
            && known
            && whole_bytes
            // edges of tiles are multiples of 16, those of strips hardly ever
            && tile.0 % 16 == 0
            && tile.1 % 16 == 0
            && file.bands.iter().all(|band| band.block_size == tile && band.data_type == data_type);
        if !as_expected {
            return None;
        }
        let opened = File::open(&file.path).ok()?;
        let mut magic = [0; 4];
        opened.read_exact_at(&mut magic, 0).ok()?;
        LITTLE_ENDIAN.contains(&magic).then(|| Self {
            file: opened,
            tile,
            bands: file.bands.len(),
            data_type,
            differences,
            scratch: Mutex::default(),
        })
    }

    /// The type of all bands.
    pub(super) const fn data_type(&self) -> GdalDataType {
        self.data_type
    }

    /// Reads the tile at (row, col) of tiles; `bands` count from 1. `None` where GDAL has to look at it.
    pub(super) fn read<T: Stored>(
        &self,
        file: &OpenedFile,
        tile: (usize, usize),
        bands: &[usize],
        target: &mut Target<'_, T>,
    ) -> Option<()> {
        self.read_by(file, (tile, self.tile.0), bands, target, |(offset, size), scratch, inflated| {
            let compressed = room(&mut scratch.compressed, size as usize);
            self.file.read_exact_at(compressed, offset).ok()?;
            let made = scratch.inflate.zlib_decompress(compressed, inflated).ok()?;
            (made == inflated.len()).then_some(())
        })
    }

    /// Reads the rows of `target` from the first of the tile on, without looking at those below. `None` where they can't be
    /// read like that.
    pub(super) fn read_head<T: Stored>(
        &self,
        file: &OpenedFile,
        tile: (usize, usize),
        bands: &[usize],
        target: &mut Target<'_, T>,
    ) -> Option<()> {
        self.read_by(file, (tile, target.part.0), bands, target, |place, scratch, inflated| {
            self.inflate_head(place, room(&mut scratch.compressed, PIECE_BYTES), inflated)
        })
    }

    /// Reads the first rows of a tile by `inflate`, which gets where it lies (offset, bytes), and what to fill.
    fn read_by<T: Stored>(
        &self,
        file: &OpenedFile,
        (tile, rows): ((usize, usize), usize),
        bands: &[usize],
        target: &mut Target<'_, T>,
        inflate: impl FnOnce((u64, u64), &mut Scratch, &mut [u8]) -> Option<()>,
    ) -> Option<()> {
        let row_bytes = self.tile.1 * self.bands * T::BYTES;
        let place = place_of(file, tile, self.tile.0 * row_bytes)?;
        let mut scratch = self.take();
        let mut memory = std::mem::take(&mut scratch.inflated);
        let inflated = room(&mut memory, rows * row_bytes);
        let whole = inflate(place, &mut scratch, inflated);
        if whole.is_some() {
            self.take_out(inflated, bands, target);
        }
        scratch.inflated = memory;
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        whole
    }

    /// Fills `inflated` from the beginning of what is compressed at a place of the file.
    fn inflate_head(&self, (offset, size): (u64, u64), piece: &mut [u8], inflated: &mut [u8]) -> Option<()> {
        let mut stream = Decompress::new(true);
        loop {
            let (taken, made) = (stream.total_in(), stream.total_out() as usize);
            if made == inflated.len() {
                return Some(());
            }
            let length = piece.len().min((size - taken) as usize);
            self.file.read_exact_at(&mut piece[..length], offset + taken).ok()?;
            stream.decompress(&piece[..length], &mut inflated[made..], FlushDecompress::None).ok()?;
            if (stream.total_in(), stream.total_out() as usize) == (taken, made) {
                return None;
            }
        }
    }

    fn take(&self) -> Scratch {
        let kept = self.scratch.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Scratch { compressed: Vec::new(), inflated: Vec::new(), inflate: Decompressor::new() })
    }

    /// Bands out of pixels that hold all of them, row by row.
    fn take_out<T: Stored>(&self, inflated: &[u8], bands: &[usize], target: &mut Target<'_, T>) {
        let pixel = self.bands * T::BYTES;
        let (rows, cols) = target.part;
        let plane = target.shape.0 * target.shape.1;
        for (row, line) in inflated.chunks_exact(self.tile.1 * pixel).take(rows).enumerate() {
            for (i, &band) in bands.iter().enumerate() {
                let start = i * plane + (target.at.0 + row) * target.shape.1 + target.at.1;
                let out = &mut target.samples[start..start + cols];
                let stored = line[(band - 1) * T::BYTES..].chunks(pixel).map(T::at);
                if self.differences {
                    let mut value = T::default();
                    for (out, difference) in out.iter_mut().zip(stored) {
                        value = value.plus(difference);
                        *out = value;
                    }
                } else {
                    for (out, stored) in out.iter_mut().zip(stored) {
                        *out = stored;
                    }
                }
            }
        }
    }
}

/// So many bytes of memory that only grows; whatever stands in them.
fn room(memory: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if memory.len() < bytes {
        memory.resize(bytes, 0);
    }
    &mut memory[..bytes]
}

/// Where a tile lies in a file, and how many bytes it takes there. It holds `bytes` bytes: compressed data is hardly ever larger,
/// and a header that says so is not believed.
fn place_of(file: &OpenedFile, tile: (usize, usize), bytes: usize) -> Option<(u64, u64)> {
    let number = |what: &str| -> Option<u64> {
        let key = format!("BLOCK_{what}_{}_{}", tile.1, tile.0);
        file.dataset.rasterband(1).ok()?.metadata_item(&key, TIFF_DOMAIN)?.parse().ok()
    };
    let (offset, size) = (number("OFFSET")?, number("SIZE")?);
    (size > 0 && size <= 2 * bytes as u64 + 1024).then_some((offset, size))
}
