//! The part of libtorch for CUDA.
//!
//! It is opened when the first network is to run there, not linked: so one build serves machines with it and without, and who
//! runs on the processor alone does not pay for it (half a second, and 400 MB of memory). What it offers it registers with the
//! rest of libtorch by itself, which asks only once: at the latest when a network first runs, on whichever device.

use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// Looked for where the rest of libtorch lies, by the run path of this library.
const LIBRARY_FILE: &str = "libtorch_cuda.so";

unsafe extern "C-unwind" {
    /// `at::autocast::is_autocast_enabled(c10::DeviceType)`, of this thread. What tch offers is deprecated, and libtorch says so
    /// at every call.
    #[link_name = "_ZN2at8autocast19is_autocast_enabledEN3c1010DeviceTypeE"]
    fn is_autocast_enabled(device: i8) -> bool;
    /// `at::autocast::set_autocast_enabled(c10::DeviceType, bool)`.
    #[link_name = "_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb"]
    fn set_autocast_enabled(device: i8, enabled: bool);
    /// `at::autocast::clear_cache()`.
    #[link_name = "_ZN2at8autocast11clear_cacheEv"]
    fn clear_autocast_cache();
}

/// Whether the libraries of CUDA may multiply "single precision" with 10 bits (TF32), half precision in all but name. Asked for
/// in this way, since a traced network carries libtorch's own switch as a constant: on, as it was where the network was traced.
const SHORT_PRODUCTS: &str = "NVIDIA_TF32_OVERRIDE";

/// `c10::DeviceType::CUDA`.
const CUDA: i8 = 1;

/// Half precision on this thread, as long as it lives.
struct HalfPrecision {
    before: bool,
}

impl HalfPrecision {
    fn new() -> Self {
        // SAFETY: a switch of this thread; the number is one of libtorch's.
        let before = unsafe { is_autocast_enabled(CUDA) };
        // SAFETY: as above.
        unsafe { set_autocast_enabled(CUDA, true) };
        Self { before }
    }
}

impl Drop for HalfPrecision {
    fn drop(&mut self) {
        // SAFETY: as above; what the cache holds was made on this thread for the work that is done.
        unsafe { clear_autocast_cache() };
        // SAFETY: as above.
        unsafe { set_autocast_enabled(CUDA, self.before) };
    }
}

/// Does `work` with convolutions on the device in half precision.
pub(crate) fn in_half_precision<T>(work: impl FnOnce() -> T) -> T {
    let _guard = HalfPrecision::new();
    work()
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
    if std::env::var_os(SHORT_PRODUCTS).is_none() {
        // SAFETY: done once, before the first model is loaded; the workers, whose libraries might look something up meanwhile,
        // start after that.
        unsafe { std::env::set_var(SHORT_PRODUCTS, "0") };
    }
    // as this library itself is opened: its names go before those of the program
    let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_DEEPBIND;
    // SAFETY: what libtorch does while a part of it is opened is what it does at the start of any program.
    let part = unsafe { Library::open(Some(LIBRARY_FILE), flags) }.map_err(|fault| {
        let cause = std::error::Error::source(&fault).map_or_else(|| fault.to_string(), ToString::to_string);
        format!("libtorch's part for CUDA can't be opened ({cause}); scripts/setup --cuda installs it")
    })?;
    // registered for ever
    std::mem::forget(part);
    Ok(())
}
