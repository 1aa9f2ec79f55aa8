//! Samples of blocks, and their memory, which goes from block to block.
//!
//! A run decodes hundreds of blocks of the same few sizes while smaller things come and go between them. Were each block asked of
//! the allocator anew, its memory would fall to pieces: what a process holds then grows with the scene, though the blocks at any
//! one time do not.

use std::mem;
use std::sync::{Mutex, PoisonError};

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

impl Default for Samples {
    fn default() -> Self {
        Self::U8(Vec::new())
    }
}

/// A type that samples are kept in.
pub(super) trait Sample: Copy + Default {
    /// As samples of a block.
    fn wrap(samples: Vec<Self>) -> Samples;

    /// The memory of samples of this type.
    fn unwrap(samples: &mut Samples) -> Option<&mut Vec<Self>>;
}

macro_rules! sample {
    ($($type:ty => $variant:ident),*) => {$(
        impl Sample for $type {
            fn wrap(samples: Vec<Self>) -> Samples {
                Samples::$variant(samples)
            }

            fn unwrap(samples: &mut Samples) -> Option<&mut Vec<Self>> {
                match samples {
                    Samples::$variant(samples) => Some(samples),
                    _ => None,
                }
            }
        }
    )*};
}

sample!(u8 => U8, u16 => U16, i16 => I16, f32 => F32);

impl Samples {
    /// Without the first `skip` of `rows` rows of `cols` pixels of each band.
    pub(super) fn without_rows(&self, skip: usize, rows: usize, cols: usize, spare: &Spare) -> Self {
        fn kept<T: Sample>(samples: &[T], skip: usize, (rows, cols): (usize, usize), spare: &Spare) -> Samples {
            let plane = (rows - skip) * cols;
            let mut kept = spare.take::<T>(samples.len() / (rows * cols) * plane);
            for (to, from) in kept.chunks_exact_mut(plane).zip(samples.chunks_exact(rows * cols)) {
                to.copy_from_slice(&from[skip * cols..]);
            }
            T::wrap(kept)
        }
        match self {
            Self::U8(samples) => kept(samples, skip, (rows, cols), spare),
            Self::U16(samples) => kept(samples, skip, (rows, cols), spare),
            Self::I16(samples) => kept(samples, skip, (rows, cols), spare),
            Self::F32(samples) => kept(samples, skip, (rows, cols), spare),
        }
    }

    pub(super) const fn size_bytes(&self) -> usize {
        match self {
            Self::U8(samples) => samples.len(),
            Self::U16(samples) => 2 * samples.len(),
            Self::I16(samples) => 2 * samples.len(),
            Self::F32(samples) => 4 * samples.len(),
        }
    }
}

/// Most bytes that wait to be used again.
const MOST_SPARE_BYTES: usize = 4 << 20;

/// Memory of blocks that nobody holds any more.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<Samples>>);

impl Spare {
    /// Memory for so many samples. What stands in it is left over from another block: every sample has to be written.
    pub(super) fn take<T: Sample>(&self, count: usize) -> Vec<T> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found =
            waiting.iter_mut().position(|samples| T::unwrap(samples).is_some_and(|samples| samples.len() == count));
        let taken = found.map(|found| waiting.swap_remove(found));
        drop(waiting);
        taken
            .and_then(|mut samples| T::unwrap(&mut samples).map(mem::take))
            .unwrap_or_else(|| vec![T::default(); count])
    }

    /// Keeps memory for the next block, unless enough waits already.
    pub(super) fn put_back(&self, samples: Samples) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = waiting.iter().map(Samples::size_bytes).sum();
        if held + samples.size_bytes() <= MOST_SPARE_BYTES {
            waiting.push(samples);
        }
    }
}
