//! TorchScript on libtorch, on the processor or on a CUDA device where this libtorch has one, behind a small C interface
//! ([`abi`]).
//!
//! It is a shared library of its own, since opening libtorch takes a sixth of a second of one core and a hundred megabytes: a
//! command that runs no TorchScript network never pays for that. The part for CUDA is opened later still.

#![expect(
    unsafe_code,
    reason = "the C interface between program and library, and memory that tch shows only as a pointer"
)]

pub mod abi;
mod cuda;

use std::ffi::c_void;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use abi::{Api, Take, Tell, VERSION};
use tch::{CModule, TchError, Tensor};

static API: Api = Api { version: VERSION, finds_cuda, load, forward, unload };

/// The entry of the library ([`abi::ENTRY`]).
// SAFETY: no other symbol of this name exists in the program.
#[unsafe(no_mangle)]
pub extern "C" fn shorewatch_torchscript_api() -> *const Api {
    &raw const API
}

/// A TorchScript network.
struct Network {
    module: CModule,
    device: tch::Device,
    half_precision: bool,
    threads: i32,
}

unsafe extern "C" fn finds_cuda(tell: Tell) -> bool {
    told(tell, cuda::device).is_some()
}

unsafe extern "C" fn load(
    weights: *const u8,
    bytes: usize,
    on_cuda: bool,
    half_precision: bool,
    threads: u32,
    tell: Tell,
) -> *mut c_void {
    // SAFETY: the caller shows so many bytes for the time of the call.
    let weights = unsafe { std::slice::from_raw_parts(weights, bytes) };
    let loaded = told(tell, || {
        let device = if on_cuda { cuda::device()? } else { tch::Device::Cpu };
        // frozen weights are constants of the graph, which `CModule::to` would leave where they are
        let mut module = CModule::load_data_on_device(&mut &weights[..], device).map_err(|fault| fault.to_string())?;
        module.f_set_eval().map_err(|fault| fault.to_string())?;
        let threads = i32::try_from(threads.max(1)).unwrap_or(i32::MAX);
        Ok::<_, String>(Network { module, device, half_precision: half_precision && on_cuda, threads })
    });
    loaded.map_or(std::ptr::null_mut(), |network| Box::into_raw(Box::new(network)).cast())
}

unsafe extern "C" fn forward(
    network: *const c_void,
    pixels: *mut f32,
    size: *const [i64; 4],
    take: Take,
    tell: Tell,
) -> bool {
    // SAFETY: the caller got `network` from `load` and has not freed it; it is only read, by any number of threads.
    let network = unsafe { &*network.cast::<Network>() };
    // SAFETY: the caller shows a size for the time of the call.
    let size = unsafe { *size };
    let ran = told(tell, || {
        if tch::get_num_threads() != network.threads {
            tch::set_num_threads(network.threads);
        }
        let logits = network.run(pixels, size)?;
        let (values, size) = (values(&logits), logits.size());
        // SAFETY: `values` and `size` outlive the call, and the caller promised that it does not unwind.
        unsafe { (take.call)(take.context, values.as_ptr(), size.as_ptr(), size.len()) };
        Ok::<_, TchError>(())
    });
    ran.is_some()
}

unsafe extern "C" fn unload(network: *mut c_void) {
    // SAFETY: the caller got it from `load`, gives it back once, and does not use it any more.
    let network = unsafe { Box::from_raw(network.cast::<Network>()) };
    // a panic of a destructor must not cross the C interface; the network is lost then, nothing else
    let _ = catch_unwind(AssertUnwindSafe(|| drop(network)));
}

/// Does `work`; tells why it failed or panicked.
fn told<T, E: Display>(tell: Tell, work: impl FnOnce() -> Result<T, E>) -> Option<T> {
    let reason = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(fault)) => fault.to_string(),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without words".to_owned())
        }
    };
    // SAFETY: the text outlives the call, and the caller promised that it does not unwind.
    unsafe { (tell.call)(tell.context, reason.as_ptr(), reason.len()) };
    None
}

impl Network {
    fn run(&self, pixels: *mut f32, size: [i64; 4]) -> Result<Tensor, TchError> {
        let input = shown(pixels, size)?.f_to_device(self.device)?;
        let forward = || tch::no_grad(|| self.module.forward_ts(&[input]));
        // convolutions in half precision; the weights of a frozen graph cannot be converted beforehand
        let logits = if self.half_precision { cuda::in_half_precision(forward) } else { forward() }?;
        logits.f_to_device(tch::Device::Cpu)?.f_to_kind(tch::Kind::Float)?.f_contiguous()
    }
}

/// A tensor (batch, band, row, col) over `pixels` (batch, row, col, band) where they lie: a copy would cost a hundredth of a
/// small network, and one into this order two.
fn shown(pixels: *mut f32, size: [i64; 4]) -> Result<Tensor, TchError> {
    let [_, bands, rows, cols] = size;
    let strides = [bands * rows * cols, 1, cols * bands, bands];
    // SAFETY: the caller of `forward` shows as many 32-bit floats as the size says, in the processor's memory, its own alone to
    // read and write while the call lasts; the tensor, and what a network may have made of its memory, ends before that.
    unsafe { Tensor::f_from_blob(pixels.cast::<u8>(), &size, &strides, tch::Kind::Float, tch::Device::Cpu) }
}

/// The numbers of a contiguous tensor of 32-bit floats in the processor's memory.
fn values(tensor: &Tensor) -> &[f32] {
    if tensor.numel() == 0 {
        return &[];
    }
    assert!(tensor.is_contiguous() && tensor.kind() == tch::Kind::Float && tensor.device() == tch::Device::Cpu);
    // SAFETY: such a tensor of so many values is one run of memory, which lives as long as the tensor does; nobody else holds
    // this one, so that nobody writes to it meanwhile.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}
