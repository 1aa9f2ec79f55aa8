//! What the program and the shared library agree on. This one file is compiled into both.
//!
//! Memory stays with the side that made it; texts and answers are shown through callbacks while a call lasts.

use std::ffi::{CStr, c_void};

/// Raised whenever anything in this file changes: a library of another version is not used.
pub const VERSION: u32 = 3;

/// The one symbol of the library: a function that takes nothing and returns a pointer to its [`Api`], which lives for ever.
pub const ENTRY: &CStr = c"shorewatch_torchscript_api";

/// Type of [`ENTRY`].
pub type Entry = unsafe extern "C" fn() -> *const Api;

/// What the library offers.
#[repr(C)]
#[derive(Debug)]
pub struct Api {
    /// [`VERSION`] of the library. Stays the first field for ever.
    pub version: u32,
    /// Whether libtorch finds a CUDA device; where not, the reason is told. Opens the part of libtorch for CUDA, which may take
    /// seconds.
    pub finds_cuda: unsafe extern "C" fn(Tell) -> bool,
    /// Loads weights; null where that failed, with the reason told. Arguments: the weights and their number of bytes; the heads
    /// of the answer and their number; on the first CUDA device or on the processor; in half precision or not; threads of one
    /// call.
    pub load: unsafe extern "C" fn(*const u8, usize, *const Head, usize, bool, bool, u32, Tell) -> *mut c_void,
    /// Runs a loaded network and shows the logits; false where that failed, with the reason told. Several threads may call it at
    /// once.
    pub forward: unsafe extern "C" fn(*const c_void, *const Input, Take, Tell) -> bool,
    /// Runs a loaded network, makes probabilities of the logits where it runs and shows a part of them: as scores
    /// (`probability × 255` rounded, half to even; 8-bit integers) or as they are (32-bit floats). False where that failed, with
    /// the reason told. Several threads may call it at once.
    pub answer: unsafe extern "C" fn(*const c_void, *const Input, *const Part, bool, TakeAnswer, Tell) -> bool,
    /// Frees a loaded network. It is not used any more.
    pub unload: unsafe extern "C" fn(*mut c_void),
    /// Lends memory for so many numbers of an [`Input`], which the network's device reads by itself while the processor goes on;
    /// tells where the first of them is, each of which is 0. Null where that failed, with the reason told.
    pub lend: unsafe extern "C" fn(*const c_void, usize, *mut *mut f32, Tell) -> *mut c_void,
    /// Takes lent memory back. It is not used any more.
    pub take_back: unsafe extern "C" fn(*mut c_void),
}

/// Consecutive channels of a network whose probabilities add up to 1: `softmax(logits · inverse_temperature + bias)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Multiplies the logits.
    pub inverse_temperature: f32,
    /// Added to what that gives, one number a channel.
    pub bias: *const f32,
    /// How many channels.
    pub channels: usize,
}

/// What a network is shown: normalised pixels, which it may write over.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// 32-bit floats, the caller's alone while the call lasts.
    pub pixels: *mut f32,
    /// Their number along (batch, channel, row, col).
    pub size: [i64; 4],
    /// Whether they lie in the order (batch, row, col, channel) instead.
    pub channels_last: bool,
}

/// A part of an answer, which is as large as the input but for its channels.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// First (channel, row, col).
    pub first: [i64; 3],
    /// How many of each.
    pub length: [i64; 3],
}

/// Where a reason is told: text in UTF-8, and its number of bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tell {
    /// Handed to `call`.
    pub context: *mut c_void,
    /// Called at most once, on the calling thread; never unwinds.
    pub call: unsafe extern "C" fn(*mut c_void, *const u8, usize),
}

/// Where logits are shown: contiguous 32-bit floats, their size along each axis, and the number of axes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// Handed to `call`.
    pub context: *mut c_void,
    /// Called once, on the calling thread; never unwinds.
    pub call: unsafe extern "C" fn(*mut c_void, *const f32, *const i64, usize),
}

/// Where a part of an answer is shown: numbers (batch, channel, row, col), how many they are; the sum of all logits that each
/// (batch, row) of the part was made of, 32-bit floats, no finite number where a logit was none; and how many sums.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TakeAnswer {
    /// Handed to `call`.
    pub context: *mut c_void,
    /// Called once, on the calling thread; never unwinds.
    pub call: unsafe extern "C" fn(*mut c_void, *const c_void, usize, *const f32, usize),
}
