//! TorchScript on libtorch: on the processor, or on a CUDA device where this libtorch has one.

#![expect(unsafe_code, reason = "tch shows a tensor's memory only as a pointer")]

use tch::{CModule, TchError, Tensor};

use crate::bundle::Bundle;
use crate::error::ModelError;
use crate::load::{Device, Options};
use crate::manifest::Format;
use crate::network::{Network, NetworkFault};

const LIBRARY: &str = "libtorch";

/// A TorchScript network.
pub(crate) struct TorchScript {
    module: CModule,
    device: tch::Device,
    half_precision: bool,
    threads: i32,
}

/// The device that is used: the one asked for, or the processor where that is allowed.
pub(crate) fn device(model: &str, options: &Options) -> Result<Device, ModelError> {
    if options.device == Device::Cpu || tch::Cuda::is_available() {
        return Ok(options.device);
    }
    let reason = "this libtorch finds no CUDA device (scripts/setup installs the part for the processor only)";
    if options.allow_cpu {
        tracing::warn!(model, reason, "no CUDA device: the processor is used, as allow_cpu says");
        return Ok(Device::Cpu);
    }
    Err(ModelError::NoCuda { model: model.to_owned(), reason })
}

impl TorchScript {
    /// Loads the verified weights of a bundle to `device`.
    pub(crate) fn load(bundle: &Bundle, device: Device, options: &Options) -> Result<Self, ModelError> {
        let device = match device {
            Device::Cpu => tch::Device::Cpu,
            Device::Cuda => tch::Device::Cuda(0),
        };
        let weights = bundle.weights(Format::TorchScript)?;
        // frozen weights are constants of the graph, which `CModule::to` would leave where they are
        let module = CModule::load_data_on_device(&mut weights.as_slice(), device).and_then(|mut module| {
            module.f_set_eval()?;
            Ok(module)
        });
        let module = module.map_err(|fault| ModelError::Backend {
            model: bundle.manifest().name.clone(),
            library: LIBRARY,
            doing: "loading the weights".to_owned(),
            message: message(&fault),
        })?;
        let half_precision = options.half_precision && device != tch::Device::Cpu;
        Ok(Self { module, device, half_precision, threads: options.threads.max(1) as i32 })
    }

    fn run(&self, pixels: &mut [f32], size: [i64; 4]) -> Result<Tensor, TchError> {
        let input = shown(pixels, size)?.f_to_device(self.device)?;
        let forward = || tch::no_grad(|| self.module.forward_ts(&[input]));
        // convolutions in half precision; the weights of a frozen graph cannot be converted beforehand
        let logits = if self.half_precision { tch::autocast(true, forward) } else { forward() }?;
        logits.f_to_device(tch::Device::Cpu)?.f_to_kind(tch::Kind::Float)?.f_contiguous()
    }
}

/// A tensor (batch, band, row, col) over `pixels` where they lie: a copy would cost a hundredth of a small network.
fn shown(pixels: &mut [f32], size: [i64; 4]) -> Result<Tensor, TchError> {
    assert_eq!(size.iter().product::<i64>(), pixels.len() as i64, "as many pixels as the size says");
    let strides = [size[1] * size[2] * size[3], size[2] * size[3], size[3], 1];
    let bytes = pixels.as_mut_ptr().cast::<u8>();
    // SAFETY: `bytes` points to as many numbers as size and strides reach, 32-bit floats in the processor's memory, ours alone
    // to read and write while `pixels` is borrowed; the only caller drops the tensor, and what a network may have made of its
    // memory, before that ends.
    unsafe { Tensor::f_from_blob(bytes, &size, &strides, tch::Kind::Float, tch::Device::Cpu) }
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

impl Network for TorchScript {
    fn library(&self) -> &'static str {
        LIBRARY
    }

    fn forward(
        &self,
        pixels: &mut [f32],
        size: [usize; 4],
        take: &mut dyn FnMut(&[f32], &[i64]),
    ) -> Result<(), NetworkFault> {
        if tch::get_num_threads() != self.threads {
            tch::set_num_threads(self.threads);
        }
        let logits = self.run(pixels, size.map(|edge| edge as i64)).map_err(|fault| fault_of(&message(&fault)))?;
        take(values(&logits), &logits.size());
        Ok(())
    }
}

/// What a message of libtorch means. It tells memory that is used up and a lost device in words only.
fn fault_of(message: &str) -> NetworkFault {
    let text = message.to_owned();
    if message.contains("out of memory") || message.contains("can't allocate memory") {
        NetworkFault::OutOfMemory(text)
    } else if message.contains("CUDA error") || message.contains("CUDNN_STATUS") {
        NetworkFault::DeviceLost(text)
    } else {
        NetworkFault::Refused(text)
    }
}

/// Libtorch's message without its stacks: the line of the error itself where it is told, else the first lines.
fn message(error: &TchError) -> String {
    let text = error.to_string();
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
mod tests {
    use super::*;

    #[test]
    fn words_of_libtorch_are_told_apart() {
        let text = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB";
        assert_eq!(fault_of(text), NetworkFault::OutOfMemory(text.to_owned()));
        let text =
            "[enforce fail at alloc_cpu.cpp:118] . DefaultCPUAllocator: can't allocate memory: you tried to allocate";
        assert_eq!(fault_of(text), NetworkFault::OutOfMemory(text.to_owned()));
        let text = "CUDA error: unspecified launch failure";
        assert_eq!(fault_of(text), NetworkFault::DeviceLost(text.to_owned()));
        let text = "expected input[1, 3, 16, 16] to have 4 channels, but got 3 channels instead";
        assert_eq!(fault_of(text), NetworkFault::Refused(text.to_owned()));
    }
}
