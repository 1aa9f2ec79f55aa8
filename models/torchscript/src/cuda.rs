//! The part of libtorch for CUDA.
//!
//! It is opened when the first network is to run there, not linked: so one build serves machines with it and without, and who
//! runs on the processor alone does not pay for it (half a second, and 400 MB of memory). What it offers it registers with the
//! rest of libtorch by itself, which asks only once: at the latest when a network first runs, on whichever device.

use std::ffi::c_void;
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// Looked for where the rest of libtorch lies, by the run path of this library.
const LIBRARY_FILE: &str = "libtorch_cuda.so";

unsafe extern "C-unwind" {
    /// `at::globalContext()`: the settings of libtorch, which live for ever.
    #[link_name = "_ZN2at13globalContextEv"]
    fn global_context() -> *mut c_void;
    /// `at::Context::setAllowTF32CuDNN(bool)`; tch has no word for it.
    #[link_name = "_ZN2at7Context17setAllowTF32CuDNNEb"]
    fn set_allow_tf32(context: *mut c_void, allowed: bool);
}

/// The first CUDA device, or why there is none.
pub(crate) fn device() -> Result<tch::Device, String> {
    static OPENED: OnceLock<Result<(), String>> = OnceLock::new();
    OPENED.get_or_init(open).clone()?;
    if tch::Cuda::is_available() {
        return Ok(tch::Device::Cuda(0));
    }
    if !tch::utils::has_cudart() {
        let reason = "a network ran on the processor before libtorch's part for CUDA was opened; within one process, load the one \
                      for CUDA first";
        return Err(reason.to_owned());
    }
    let hidden = std::env::var("CUDA_VISIBLE_DEVICES").map(|devices| format!("; CUDA_VISIBLE_DEVICES is {devices:?}"));
    Err(format!(
        "libtorch finds no CUDA device: nvidia-smi tells whether there is one, and whether its driver is of CUDA 13 or later{}",
        hidden.unwrap_or_default()
    ))
}

fn open() -> Result<(), String> {
    // as this library itself is opened: its names go before those of the program
    let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_DEEPBIND;
    // SAFETY: what libtorch does while a part of it is opened is what it does at the start of any program.
    let part = unsafe { Library::open(Some(LIBRARY_FILE), flags) }.map_err(|fault| {
        let cause = std::error::Error::source(&fault).map_or_else(|| fault.to_string(), ToString::to_string);
        format!("libtorch's part for CUDA can't be opened ({cause}); scripts/setup --cuda installs it")
    })?;
    // registered for ever
    std::mem::forget(part);
    // SAFETY: neither takes more than the context; no network runs on the device yet, so that nobody reads the setting.
    // Without this, "single precision" would be products of 10 bits, half precision in all but name.
    unsafe { set_allow_tf32(global_context(), false) };
    Ok(())
}
