"""The network: a small U-Net with three poolings, one trunk, and two heads on its last features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

POOLINGS = 3
ALIGNMENT_PX = 2**POOLINGS

SIZES = {
    "small": (10, 18, 36, 64),
    "middle": (16, 32, 64, 112),
    "large": (26, 52, 104, 180),
}
"""Width of each level, from full resolution to an eighth of it."""


def block(inputs: int, outputs: int, kernel: int = 3) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU; zero padding keeps the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class ShoreNetwork(nn.Module):
    """Normalised bands (batch, band, row, col) to logits (batch, class, row, col).

    The classes of all heads lie one after another in the channels; each head is a 1 x 1
    convolution of the same features, and all of them are kept in one weight. Rows and columns must
    be multiples of `ALIGNMENT_PX`. Skips are added rather than concatenated, and the finest level
    has one 3 x 3 convolution each way: both keep it quick.
    """

    def __init__(self, bands: int, classes: int, widths: tuple[int, int, int, int]):
        super().__init__()
        self.down = nn.ModuleList()
        self.lift = nn.ModuleList()
        self.up = nn.ModuleList()
        inputs = bands
        for level in range(POOLINGS):
            width = widths[level]
            again = [block(width, width)] if level > 0 else []
            self.down.append(nn.Sequential(block(inputs, width), *again))
            self.lift.append(nn.Conv2d(widths[level + 1], width, 1, bias=False))
            self.up.append(block(width, width))
            inputs = width
        self.bottom = nn.Sequential(block(widths[2], widths[3]), block(widths[3], widths[3]))
        self.heads = nn.Conv2d(widths[0], classes, 1)

    def forward(self, bands: Tensor) -> Tensor:
        features = bands.contiguous(memory_format=torch.channels_last)
        skips = []
        for down in self.down:
            features = down(features)
            skips.append(features)
            features = functional.max_pool2d(features, 2)
        features = self.bottom(features)
        for level in reversed(range(POOLINGS)):
            coarse = functional.interpolate(
                self.lift[level](features), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            features = self.up[level](skips[level] + coarse)
        return self.heads(features).contiguous()


def parameter_count(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(p.numel() for p in network.parameters())
