"""The bitemporal network: one encoder for both dates, differences at each scale, a small U-shaped decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from network import POOLINGS, block

DATES = 2
WIDTHS = (12, 24, 40, 56)
"""Width of each level, from full resolution to an eighth of it."""


class ChangeNetwork(nn.Module):
    """Normalised bands of two dates (batch, 2 x band, row, col) to logits (batch, class, row, col).

    The first half of the channels is the earlier date. Both go through the same encoder; at each scale the decoder is given
    the size of the difference of the features and their sum, so that exchanging the dates changes nothing. There is no
    statistic of the whole image anywhere: what a pixel gets depends on its neighbourhood alone. Rows and columns
    must be multiples of `network.ALIGNMENT_PX`.
    """

    def __init__(self, bands: int, classes: int, widths: tuple[int, int, int, int]):
        super().__init__()
        self.bands = bands
        self.down, self.join, self.lift, self.up = (nn.ModuleList() for _ in range(4))
        inputs = bands
        for level in range(POOLINGS):
            width = widths[level]
            again = [block(width, width)] if level == 1 else []
            self.down.append(nn.Sequential(block(inputs, width), *again))
            self.join.append(block(2 * width, width, kernel=1))
            self.lift.append(nn.Conv2d(widths[level + 1], width, 1, bias=False))
            self.up.append(block(width, width))
            inputs = width
        self.down.append(block(inputs, widths[POOLINGS]))
        self.join.append(block(2 * widths[POOLINGS], widths[POOLINGS], kernel=1))
        self.bottom = block(widths[POOLINGS], widths[POOLINGS])
        self.heads = nn.Conv2d(widths[0], classes, 1)

    def forward(self, bands: Tensor) -> Tensor:
        # Both dates of an image lie beside each other in the batch: 0 earlier, 0 later, 1 earlier, ...
        each = bands.reshape(-1, self.bands, bands.shape[2], bands.shape[3])
        features = each.contiguous(memory_format=torch.channels_last)
        joined = []
        for level in range(POOLINGS + 1):
            if level > 0:
                features = functional.max_pool2d(features, 2)
            features = self.down[level](features)
            earlier, later = features[0::2], features[1::2]
            joined.append(self.join[level](torch.cat([(later - earlier).abs(), later + earlier], 1)))
        features = self.bottom(joined[POOLINGS])
        for level in range(POOLINGS - 1, -1, -1):
            coarse = functional.interpolate(
                self.lift[level](features), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            features = self.up[level](joined[level] + coarse)
        return self.heads(features).contiguous()
