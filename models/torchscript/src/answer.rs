//! Logits to probabilities where the network runs: of a device's answer, one byte a class and pixel is copied in place of four.

use tch::{Device, Kind, TchError, Tensor};

use crate::abi::{Head, Input, Part};

/// How the logits of all heads become probabilities, on one device.
pub(crate) struct Calibration {
    /// Multiplies the logits: (1, channel, 1, 1).
    scale: Tensor,
    /// Added to what that gives: (1, channel, 1, 1).
    bias: Tensor,
    /// Channels of each head.
    heads: Vec<i64>,
}

impl Calibration {
    /// For heads that the caller of the library shows.
    pub(crate) fn new(heads: &[Head], device: Device) -> Result<Self, TchError> {
        let (mut scale, mut bias) = (Vec::new(), Vec::new());
        for head in heads {
            scale.resize(scale.len() + head.channels, head.inverse_temperature);
            // SAFETY: the caller shows as many numbers as there are channels for the time of the call.
            bias.extend_from_slice(unsafe { std::slice::from_raw_parts(head.bias, head.channels) });
        }
        let of_channels = |numbers: &[f32]| Tensor::f_from_slice(numbers)?.f_view([1, -1, 1, 1])?.f_to_device(device);
        let channels = heads.iter().map(|head| head.channels as i64).collect();
        Ok(Self { scale: of_channels(&scale)?, bias: of_channels(&bias)?, heads: channels })
    }

    /// Refuses logits (batch, channel, row, col) of which the heads and the input do not tell the size.
    pub(crate) fn fits(&self, logits: &Tensor, input: &Input) -> Result<(), TchError> {
        let [tiles, _, rows, cols] = input.size;
        let expected = [tiles, self.heads.iter().sum(), rows, cols];
        let got = logits.size();
        if got == expected {
            return Ok(());
        }
        Err(TchError::Shape(format!("the network answers {got:?} (batch, class, row, col) instead of {expected:?}")))
    }

    /// A part of the answer (batch, channel, row, col) to logits, as scores or as probabilities, and the sums (batch, row) of
    /// the logits that it was made of.
    pub(crate) fn answer(&self, logits: &Tensor, part: &Part, scores: bool) -> Result<(Tensor, Tensor), TchError> {
        let ([channel, row, col], [channels, rows, cols]) = (part.first, part.length);
        // nothing beyond the part is worked on
        let logits = logits.f_narrow(2, row, rows)?.f_narrow(3, col, cols)?.f_to_kind(Kind::Float)?;
        let sums = logits.f_sum_dim_intlist([1, 3].as_slice(), false, Kind::Float)?.f_contiguous()?;
        let scaled = self.bias.f_addcmul(&logits, &self.scale)?;
        let mut first = 0;
        let heads = self.heads.iter().map(|channels| {
            let head = scaled.f_narrow(1, first, *channels)?.f_softmax(1, Kind::Float);
            first += channels;
            head
        });
        let heads = heads.collect::<Result<Vec<_>, _>>()?;
        let probabilities = Tensor::f_cat(&heads, 1)?.f_narrow(1, channel, channels)?;
        let shown =
            if scores { probabilities.f_mul_scalar(255.0)?.f_round()?.f_to_kind(Kind::Uint8)? } else { probabilities };
        Ok((shown.f_contiguous()?, sums))
    }
}

/// A copy in the processor's memory. From a device it is not waited for: whoever reads it asks for another one first, and
/// waits for that.
pub(crate) fn to_processor(tensor: &Tensor) -> Result<Tensor, TchError> {
    // libtorch pins the memory to which it copies without waiting, and keeps it for the next one
    tensor.f_to_device_(Device::Cpu, tensor.f_kind()?, true, false)
}

/// So many zeros in the processor's memory, pinned where `device` is another one.
pub(crate) fn memory(numbers: usize, device: Device) -> Result<Tensor, TchError> {
    let zeros = Tensor::f_zeros([numbers as i64], (Kind::Float, device))?;
    let memory = to_processor(&zeros)?;
    if let Device::Cuda(device) = device {
        tch::Cuda::synchronize(device as i64);
    }
    Ok(memory)
}
