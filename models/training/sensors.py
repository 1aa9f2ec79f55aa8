"""Simulations of other sensors on the test chips: the same ground, other bands, pixels and files."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from augment import AIRLIGHT, block_compression, smooth
from chips import IGNORE
from classes import BAND_SETS, ROLES

CHIP_GSD_M = 30
SEED = 3


def keep_bands(normalised: Tensor, roles: tuple[str, ...]) -> Tensor:
    """Normalised bands with 0 in those that the sensor lacks."""
    return normalised * torch.tensor([float(role in roles) for role in ROLES]).view(1, -1, 1, 1)


def eight_bit(r: Tensor) -> Tensor:
    """256 steps from 0 to the 99.5th percentile of each band over all images, clipped: one stretch for all."""
    sample = r.permute(1, 0, 2, 3).flatten(1)[:, ::17]
    top = (sample.quantile(0.995, dim=1) * 1.1).view(1, -1, 1, 1)
    return torch.round(r.clamp(min=0) / top * 255).clamp(max=255) / 255 * top


def coarser(r: Tensor, factor: int) -> Tensor:
    """Mean over `factor` x `factor` pixels."""
    return functional.avg_pool2d(r, factor)


def finer(r: Tensor, factor: int) -> Tensor:
    """Bicubic interpolation: more pixels, no more detail."""
    return functional.interpolate(r, scale_factor=float(factor), mode="bicubic", align_corners=False)


def labels_coarser(labels: Tensor, factor: int) -> Tensor:
    """The label of a coarse pixel if at least 60 % of it carries that one, else `IGNORE`."""
    count, rows, cols = labels.shape
    cells = labels.view(count, rows // factor, factor, cols // factor, factor).permute(0, 1, 3, 2, 4).flatten(3)
    winner = cells.mode(-1).values
    share = (cells == winner.unsqueeze(-1)).float().mean(-1)
    return torch.where(share >= 0.6, winner, torch.full_like(winner, IGNORE))


def labels_finer(labels: Tensor, factor: int) -> Tensor:
    """Each label repeated."""
    return labels.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def same(labels: Tensor) -> Tensor:
    """The labels as they are."""
    return labels


def noise(r: Tensor) -> Tensor:
    """Grain of 0.006."""
    return r + 0.006 * torch.randn(r.shape, generator=torch.Generator().manual_seed(SEED))


def compressed(r: Tensor) -> Tensor:
    """Block compression of an 8-bit stretch, about JPEG quality 75."""
    return block_compression(r, torch.Generator().manual_seed(SEED), coarseness=3.0)


SIMULATIONS = {
    "as it is (30 m)": (lambda r: r, same),
    "8 bit": (eight_bit, same),
    "blur, sigma 1 px": (lambda r: smooth(r, torch.full((len(r),), 1.0)), same),
    "noise 0.006": (noise, same),
    "haze 20 %": (lambda r: 0.8 * r + 0.2 * AIRLIGHT.view(1, -1, 1, 1), same),
    "gain +15 %": (lambda r: 1.15 * r, same),
    "JPEG-like": (compressed, same),
    "60 m": (lambda r: coarser(r, 2), lambda l: labels_coarser(l, 2)),
    "10 m, interpolated": (lambda r: finer(r, 3), lambda l: labels_finer(l, 3)),
}
"""Change of reflectance and of labels; both take a batch. Gaussian, haze and gain as in training, but fixed."""


def band_sets() -> dict[str, tuple[str, ...]]:
    """The sets of bands the table has a column for."""
    return dict(BAND_SETS)
