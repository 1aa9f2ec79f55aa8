//! TorchScript on libtorch, in a shared library that is opened when the first bundle is loaded: whoever runs none does not pay
//! for opening libtorch.

#![expect(unsafe_code, reason = "the shared library is called through a C interface")]

use std::ffi::c_void;
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::input::Layout;
use crate::load::{Device, Options};
use crate::manifest::Format;
use crate::network::answer::{Calibrated, Part};
use crate::network::{Network, NetworkFault, Pixels};
use crate::softmax::Calibration;

#[path = "../torchscript/src/abi.rs"]
#[expect(unreachable_pub, reason = "the same file is a public module of the library")]
mod abi;

use abi::{Api, ENTRY, Entry, Head, Input, Take, TakeAnswer, Tell, VERSION};

const LIBRARY: &str = "libtorch";

/// File name of the shared library, which cargo builds with the program.
const LIBRARY_FILE: &str = "libshorewatch_torchscript.so";

/// Where it lies: beside the program, as an installation has it, or in the folder `deps` there, as cargo does.
const FOLDERS: [&str; 2] = [".", "deps"];

/// Names are looked up in the library and in what it needs before the rest of the program: GDAL brings a BLAS of its own, and
/// libtorch would multiply matrices with that, at half the speed.
const RTLD_DEEPBIND: i32 = libc::RTLD_DEEPBIND;

/// A TorchScript network.
pub(crate) struct TorchScript {
    api: &'static Api,
    network: *mut c_void,
    /// Whether logits become probabilities where the network runs, and pixels lie in memory that its device reads by itself. On
    /// the processor nothing would be saved, and the answer would be copied once more.
    calibrated: bool,
}

// SAFETY: the library runs a network on any thread, on several at once; it is freed once, when nobody borrows it any more.
unsafe impl Send for TorchScript {}
// SAFETY: as above.
unsafe impl Sync for TorchScript {}

impl Drop for TorchScript {
    fn drop(&mut self) {
        // SAFETY: from `load`, freed once, not used any more.
        unsafe { (self.api.unload)(self.network) }
    }
}

/// The device that is used: the one asked for, or the processor where that is allowed.
pub(crate) fn device(model: &str, options: &Options) -> Result<Device, ModelError> {
    if options.device == Device::Cpu {
        return Ok(Device::Cpu);
    }
    let (api, mut reason) = (api()?, String::new());
    // SAFETY: the place for a reason outlives the call.
    if unsafe { (api.finds_cuda)(told_to(&mut reason)) } {
        return Ok(Device::Cuda);
    }
    if options.allow_cpu {
        tracing::warn!(model, reason, "no CUDA device: the processor is used, as allow_cpu says");
        return Ok(Device::Cpu);
    }
    Err(ModelError::NoCuda { model: model.to_owned(), reason })
}

impl TorchScript {
    /// Loads the verified weights of a bundle to `device`.
    pub(crate) fn load(bundle: &Bundle, device: Device, options: &Options) -> Result<Self, ModelError> {
        let weights = bundle.weights(Format::TorchScript)?;
        let api = api()?;
        let threads = u32::try_from(options.threads).unwrap_or(u32::MAX);
        let (on_cuda, half_precision) = (device == Device::Cuda, options.half_precision);
        let calibrations: Vec<_> = bundle.manifest().output.heads.iter().map(Calibration::from).collect();
        let heads: Vec<_> = calibrations.iter().map(head).collect();
        let mut reason = String::new();
        let (weights, heads) = (weights.as_slice(), heads.as_slice());
        // SAFETY: weights, heads with the calibrations that they point to, and the place for a reason outlive the call.
        let network = unsafe {
            (api.load)(
                weights.as_ptr(),
                weights.len(),
                heads.as_ptr(),
                heads.len(),
                on_cuda,
                half_precision,
                threads,
                told_to(&mut reason),
            )
        };
        if network.is_null() {
            let (model, doing) = (bundle.manifest().name.clone(), "loading the weights".to_owned());
            let library = LIBRARY;
            return Err(match fault_of(&message(&reason)) {
                NetworkFault::OutOfMemory(message) => ModelError::OutOfMemory { model, library, doing, message },
                NetworkFault::DeviceLost(message) => ModelError::DeviceLost { model, doing, message },
                NetworkFault::Refused(message) => ModelError::Backend { model, library, doing, message },
            });
        }
        Ok(Self { api, network, calibrated: on_cuda })
    }

    fn input(&self, pixels: &mut [f32], size: [usize; 4]) -> Input {
        assert_eq!(size.iter().product::<usize>(), pixels.len(), "as many pixels as the size says");
        let channels_last = self.layout() == Layout::ChannelsLast;
        Input { pixels: pixels.as_mut_ptr(), size: size.map(|edge| edge as i64), channels_last }
    }
}

fn head(calibration: &Calibration) -> Head {
    let Calibration { inverse_temperature, bias } = calibration;
    Head { inverse_temperature: *inverse_temperature, bias: bias.as_ptr(), channels: bias.len() }
}

impl Network for TorchScript {
    fn library(&self) -> &'static str {
        LIBRARY
    }

    fn layout(&self) -> Layout {
        // a device turns them faster than the processor does
        if self.calibrated { Layout::ChannelsFirst } else { Layout::ChannelsLast }
    }

    fn memory(&self, numbers: usize) -> Pixels {
        if self.calibrated {
            let (mut first, mut reason) = (std::ptr::null_mut(), String::new());
            // SAFETY: the network is loaded, and both places outlive the call.
            let lent = unsafe { (self.api.lend)(self.network, numbers, &raw mut first, told_to(&mut reason)) };
            if !lent.is_null() {
                return Box::new(Lent { api: self.api, lent, first, numbers });
            }
            tracing::debug!(numbers, reason, "no memory that the device reads by itself: copies are slower");
        }
        Box::new(vec![0.0; numbers])
    }

    fn forward(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        take: &mut dyn FnMut(&[f32], &[i64]),
    ) -> Result<(), NetworkFault> {
        let input = self.input(pixels, size);
        let (mut reason, mut taking) = (String::new(), Taking { take, panic: None });
        let shown_to = Take { context: (&raw mut taking).cast(), call: shown };
        // SAFETY: the network is loaded, there are as many pixels as the size says, and they are ours to give; all that is
        // handed over outlives the call.
        let ran = unsafe { (self.api.forward)(self.network, &raw const input, shown_to, told_to(&mut reason)) };
        finished(ran, taking.panic, &reason)
    }

    fn scores(&self) -> Option<&dyn Calibrated<u8>> {
        self.calibrated.then_some(self as _)
    }

    fn probabilities(&self) -> Option<&dyn Calibrated<f32>> {
        self.calibrated.then_some(self as _)
    }
}

/// Numbers in which the library tells probabilities.
trait Number {
    /// Whether they are scores.
    const SCORES: bool;
}

impl Number for u8 {
    const SCORES: bool = true;
}

impl Number for f32 {
    const SCORES: bool = false;
}

impl<T: Number> Calibrated<T> for TorchScript {
    fn answer(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        part: &Part,
        take: &mut dyn FnMut(&[T], &[f32]),
    ) -> Result<(), NetworkFault> {
        let input = self.input(pixels, size);
        let axes = [&part.classes, &part.rows, &part.cols];
        let (first, length) = (axes.map(|axis| axis.start as i64), axes.map(|axis| axis.len() as i64));
        let part = abi::Part { first, length };
        let mut taking = TakingAnswer { take, panic: None };
        let shown_to = TakeAnswer { context: (&raw mut taking).cast(), call: answer_shown::<T> };
        let mut reason = String::new();
        // SAFETY: the network is loaded, there are as many pixels as the size says, and they are ours to give; all that is
        // handed over outlives the call.
        let ran = unsafe {
            (self.api.answer)(
                self.network,
                &raw const input,
                &raw const part,
                T::SCORES,
                shown_to,
                told_to(&mut reason),
            )
        };
        finished(ran, taking.panic, &reason)
    }
}

/// How a call of the library went that showed something.
fn finished(ran: bool, panic: Option<Panic>, reason: &str) -> Result<(), NetworkFault> {
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
    if ran { Ok(()) } else { Err(fault_of(&message(reason))) }
}

/// Memory of the library.
struct Lent {
    api: &'static Api,
    lent: *mut c_void,
    first: *mut f32,
    numbers: usize,
}

// SAFETY: plain memory, which any thread may use and give back.
unsafe impl Send for Lent {}

impl Deref for Lent {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: so many numbers, ours alone until they are given back.
        unsafe { std::slice::from_raw_parts(self.first, self.numbers) }
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.first, self.numbers) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: from `lend`, given back once, not used any more.
        unsafe { (self.api.take_back)(self.lent) }
    }
}

type Panic = Box<dyn std::any::Any + Send>;

/// Who takes what is shown, and the panic of who took it: none may cross the C interface.
struct Taking<'a> {
    take: &'a mut dyn FnMut(&[f32], &[i64]),
    panic: Option<Panic>,
}

unsafe extern "C" fn shown(context: *mut c_void, logits: *const f32, size: *const i64, axes: usize) {
    // SAFETY: the context of `forward`, whose frame waits for this call.
    let taking = unsafe { &mut *context.cast::<Taking<'_>>() };
    // SAFETY: the library shows as many axes as it says while this call lasts.
    let size = unsafe { std::slice::from_raw_parts(size, axes) };
    let numbers = size.iter().product::<i64>() as usize;
    // SAFETY: the library shows contiguous numbers of that size while this call lasts.
    let logits = unsafe { std::slice::from_raw_parts(logits, numbers) };
    taking.panic = catch_unwind(AssertUnwindSafe(|| (taking.take)(logits, size))).err();
}

/// The same for an answer of numbers `T`.
struct TakingAnswer<'a, T> {
    take: &'a mut dyn FnMut(&[T], &[f32]),
    panic: Option<Panic>,
}

unsafe extern "C" fn answer_shown<T>(
    context: *mut c_void,
    shown: *const c_void,
    numbers: usize,
    sums: *const f32,
    rows: usize,
) {
    // SAFETY: the context of `answer`, whose frame waits for this call.
    let taking = unsafe { &mut *context.cast::<TakingAnswer<'_, T>>() };
    // SAFETY: the library shows so many contiguous numbers, of the type that it was asked for, while this call lasts.
    let shown = unsafe { std::slice::from_raw_parts(shown.cast::<T>(), numbers) };
    // SAFETY: and as many sums as there are rows of tiles.
    let sums = unsafe { std::slice::from_raw_parts(sums, rows) };
    taking.panic = catch_unwind(AssertUnwindSafe(|| (taking.take)(shown, sums))).err();
}

fn told_to(reason: &mut String) -> Tell {
    unsafe extern "C" fn call(context: *mut c_void, text: *const u8, bytes: usize) {
        // SAFETY: the text of the caller below, whose frame waits for this call.
        let reason = unsafe { &mut *context.cast::<String>() };
        // SAFETY: the library shows so many bytes while this call lasts.
        let text = unsafe { std::slice::from_raw_parts(text, bytes) };
        *reason = String::from_utf8_lossy(text).into_owned();
    }
    Tell { context: std::ptr::from_mut(reason).cast(), call }
}

/// The library, opened once for as long as the process lives.
fn api() -> Result<&'static Api, ModelError> {
    static API: OnceLock<Result<&'static Api, String>> = OnceLock::new();
    let opened = API.get_or_init(|| {
        let program = std::env::current_exe().map_err(|fault| fault.to_string())?;
        let file = library(&program)?;
        tracing::debug!(library = %file.display(), "libtorch is opened");
        open(&file)
    });
    opened.clone().map_err(|reason| ModelError::Torch { reason })
}

/// Where the library is, beside the program or as cargo leaves it.
fn library(program: &Path) -> Result<PathBuf, String> {
    let folder = program.parent().unwrap_or(Path::new("."));
    // an example lies one level below the program
    let folders = [Some(folder), folder.parent()].into_iter().flatten();
    let mut candidates = folders.flat_map(|folder| FOLDERS.map(|inner| folder.join(inner).join(LIBRARY_FILE)));
    candidates
        .find(|file| file.is_file())
        .ok_or_else(|| format!("{LIBRARY_FILE} lies neither in {} nor in its folder deps", folder.display()))
}

fn open(file: &Path) -> Result<&'static Api, String> {
    // SAFETY: our own library; what libtorch does while it is opened is what it does at the start of any program.
    let library = unsafe { Library::open(Some(file), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) }.map_err(|fault| {
        let cause = std::error::Error::source(&fault).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{}: {fault}{cause}", file.display())
    })?;
    // SAFETY: the symbol has this type in every version of the library.
    let entry = unsafe { library.get::<Entry>(ENTRY.to_bytes_with_nul()) };
    let api = entry.map(|entry| {
        // SAFETY: takes nothing, and returns a pointer to what lives as long as the library.
        unsafe { entry() }
    });
    let api = api.map_err(|fault| format!("{} is not ours: {fault}", file.display()))?;
    // SAFETY: not null, and its first field is the version in every version.
    let version = unsafe { (*api).version };
    if version != VERSION {
        let text =
            format!("{} has interface {version}, this program {VERSION}: they are of two builds", file.display());
        return Err(text);
    }
    // libtorch cannot be closed again: its threads and registrations stay
    std::mem::forget(library);
    // SAFETY: of our version, and the library is never closed.
    Ok(unsafe { &*api })
}

/// What a message of libtorch means. It tells memory that is used up and a lost device in words only.
fn fault_of(message: &str) -> NetworkFault {
    let text = message.to_owned();
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    // the libraries of CUDA have words of their own for memory that they need themselves
    if says(&["out of memory", "can't allocate memory", "STATUS_ALLOC_FAILED", "ALLOCATION_FAILED"]) {
        NetworkFault::OutOfMemory(text)
    } else if says(&["no kernel image is available", "driver version is insufficient", "STATUS_NOT_SUPPORTED"]) {
        // a device that this libtorch was not built for will not be another one later
        NetworkFault::Refused(text)
    } else if says(&["CUDA error", "CUDNN_STATUS"]) {
        NetworkFault::DeviceLost(text)
    } else {
        NetworkFault::Refused(text)
    }
}

/// Libtorch's message without its stacks: the line of the error itself where it is told, else the first lines.
fn message(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let cause = lines.iter().rev().find_map(|line| line.split_once("RuntimeError: ").map(|(_, cause)| cause));
    cause.map_or_else(
        || {
            let first = lines.iter().take_while(|line| !line.starts_with("Exception raised from"));
            first.take(4).copied().collect::<Vec<_>>().join("; ")
        },
        str::to_owned,
    )
}

#[cfg(test)]
mod tests;
