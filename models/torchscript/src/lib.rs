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
mod answer;
mod cuda;

use std::ffi::c_void;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

use abi::{Api, Head, Input, Part, Take, TakeAnswer, Tell, VERSION};
use answer::Calibration;
use tch::{CModule, Kind, TchError, Tensor};

static API: Api = Api { version: VERSION, finds_cuda, load, forward, answer, unload, lend, take_back };

/// The entry of the library ([`abi::ENTRY`]).
// SAFETY: no other symbol of this name exists in the program.
#[unsafe(no_mangle)]
pub extern "C" fn shorewatch_torchscript_api() -> *const Api {
    &raw const API
}

/// A TorchScript network.
struct Network {
    module: CModule,
    calibration: Calibration,
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
    heads: *const Head,
    number_of_heads: usize,
    on_cuda: bool,
    half_precision: bool,
    threads: u32,
    tell: Tell,
) -> *mut c_void {
    // SAFETY: the caller shows so many bytes for the time of the call.
    let weights = unsafe { std::slice::from_raw_parts(weights, bytes) };
    // SAFETY: as above.
    let heads = unsafe { std::slice::from_raw_parts(heads, number_of_heads) };
    let loaded = told(tell, || {
        let device = if on_cuda { cuda::device()? } else { tch::Device::Cpu };
        // frozen weights are constants of the graph, which `CModule::to` would leave where they are
        let mut module = CModule::load_data_on_device(&mut &weights[..], device).map_err(|fault| fault.to_string())?;
        module.f_set_eval().map_err(|fault| fault.to_string())?;
        let calibration = Calibration::new(heads, device).map_err(|fault| fault.to_string())?;
        let threads = i32::try_from(threads.max(1)).unwrap_or(i32::MAX);
        Ok::<_, String>(Network { module, calibration, device, half_precision: half_precision && on_cuda, threads })
    });
    loaded.map_or(std::ptr::null_mut(), |network| Box::into_raw(Box::new(network)).cast())
}

unsafe extern "C" fn forward(network: *const c_void, input: *const Input, take: Take, tell: Tell) -> bool {
    // SAFETY: the caller got `network` from `load` and has not freed it; it is only read, by any number of threads.
    let network = unsafe { &*network.cast::<Network>() };
    // SAFETY: the caller shows it for the time of the call.
    let input = unsafe { &*input };
    let ran = told(tell, || {
        let logits = network.run(input)?;
        let logits = logits.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        let (values, size) = (values::<f32>(&logits), logits.size());
        // SAFETY: `values` and `size` outlive the call, and the caller promised that it does not unwind.
        unsafe { (take.call)(take.context, values.as_ptr(), size.as_ptr(), size.len()) };
        Ok::<_, TchError>(())
    });
    ran.is_some()
}

unsafe extern "C" fn answer(
    network: *const c_void,
    input: *const Input,
    part: *const Part,
    scores: bool,
    take: TakeAnswer,
    tell: Tell,
) -> bool {
    // SAFETY: as in `forward`.
    let network = unsafe { &*network.cast::<Network>() };
    // SAFETY: the caller shows both for the time of the call.
    let (input, part) = unsafe { (&*input, &*part) };
    let ran = told(tell, || {
        let logits = network.run(input)?;
        network.calibration.fits(&logits, input)?;
        let (shown, sums) = network.calibration.answer(&logits, part, scores)?;
        let shown = answer::to_processor(&shown)?;
        // this copy is waited for, and with it the one before
        let sums = sums.f_to_device(tch::Device::Cpu)?;
        let (sums, numbers) = (values::<f32>(&sums), shown.numel());
        let shown = if scores { values::<u8>(&shown).as_ptr().cast() } else { values::<f32>(&shown).as_ptr().cast() };
        // SAFETY: both outlive the call, and the caller promised that it does not unwind.
        unsafe { (take.call)(take.context, shown, numbers, sums.as_ptr(), sums.len()) };
        Ok::<_, TchError>(())
    });
    ran.is_some()
}

unsafe extern "C" fn lend(network: *const c_void, numbers: usize, first: *mut *mut f32, tell: Tell) -> *mut c_void {
    // SAFETY: as in `forward`.
    let network = unsafe { &*network.cast::<Network>() };
    let lent = told(tell, || answer::memory(numbers, network.device));
    lent.map_or(std::ptr::null_mut(), |memory| {
        // SAFETY: the caller shows a place for it.
        unsafe { *first = memory.data_ptr().cast() };
        Box::into_raw(Box::new(memory)).cast()
    })
}

unsafe extern "C" fn take_back(lent: *mut c_void) {
    // SAFETY: the caller got it from `lend`, gives it back once, and does not use it any more.
    let memory = unsafe { Box::from_raw(lent.cast::<Tensor>()) };
    // as below
    let _ = catch_unwind(AssertUnwindSafe(|| drop(memory)));
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
    /// Logits, where the network runs.
    fn run(&self, input: &Input) -> Result<Tensor, TchError> {
        if tch::get_num_threads() != self.threads {
            tch::set_num_threads(self.threads);
        }
        // a switch of this thread; on a device kernels would be fused and compiled anew for sizes of tiles that come late
        tch::jit::f_set_graph_executor_optimize(self.device == tch::Device::Cpu)?;
        // lent memory is read while the processor goes on; whoever asks for the answer waits
        let pixels = shown(input)?.f_to_device_(self.device, Kind::Float, true, false)?;
        let forward = || tch::no_grad(|| self.module.forward_ts(&[pixels]));
        // convolutions in half precision; the weights of a frozen graph cannot be converted beforehand
        if self.half_precision { cuda::in_half_precision(forward) } else { forward() }
    }
}

/// A tensor (batch, band, row, col) over the pixels where they lie: a copy would cost a hundredth of a small network, and one
/// into another order two.
fn shown(input: &Input) -> Result<Tensor, TchError> {
    let [_, bands, rows, cols] = input.size;
    let area = rows * cols;
    let strides =
        if input.channels_last { [bands * area, 1, cols * bands, bands] } else { [bands * area, area, cols, 1] };
    // SAFETY: the caller of the library shows as many 32-bit floats as the size says, in the processor's memory, its own alone
    // to read and write while the call lasts; the tensor, and what a network may have made of its memory, ends before that.
    // Where a call fails, a device may still read lent memory: what it makes of that is not looked at any more.
    unsafe { Tensor::f_from_blob(input.pixels.cast(), &input.size, &strides, Kind::Float, tch::Device::Cpu) }
}

/// The numbers of a contiguous tensor in the processor's memory.
fn values<T: tch::kind::Element>(tensor: &Tensor) -> &[T] {
    if tensor.numel() == 0 {
        return &[];
    }
    assert!(tensor.is_contiguous() && tensor.kind() == T::KIND && tensor.device() == tch::Device::Cpu);
    // SAFETY: such a tensor of so many values is one run of memory, which lives as long as the tensor does; nobody else holds
    // this one, so that nobody writes to it meanwhile.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast::<T>(), tensor.numel()) }
}
