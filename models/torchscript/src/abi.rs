//! What the program and the shared library agree on. This one file is compiled into both.
//!
//! Memory stays with the side that made it; texts and logits are shown through callbacks while a call lasts.

use std::ffi::{CStr, c_void};

/// Raised whenever anything in this file changes: a library of another version is not used.
pub const VERSION: u32 = 2;

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
    /// Loads weights; null where that failed, with the reason told. Arguments: the weights and their number of bytes; on the
    /// first CUDA device or on the processor; in half precision or not; threads of one call.
    pub load: unsafe extern "C" fn(*const u8, usize, bool, bool, u32, Tell) -> *mut c_void,
    /// Runs a loaded network on normalised pixels of size (batch, channel, row, col), which lie in the order (batch, row, col,
    /// channel) and which it may write over, and shows the logits; false where that failed, with the reason told. Several
    /// threads may call it at once.
    pub forward: unsafe extern "C" fn(*const c_void, *mut f32, *const [i64; 4], Take, Tell) -> bool,
    /// Frees a loaded network. It is not used any more.
    pub unload: unsafe extern "C" fn(*mut c_void),
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
