"""Seeded augmentation of a batch: geometry shared by two views, radiometry drawn for each.

Everything works on reflectance (batch, band, row, col) and draws from an explicit generator.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from chips import IGNORE

AIRLIGHT = {"blue": 0.16, "green": 0.12, "red": 0.10, "nir": 0.08}
"""Reflectance that thick haze adds; it falls with the wavelength."""


def uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Uniform draws in [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def normal(deviation: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Normal draws around zero."""
    return deviation * torch.randn(shape, generator=generator)


def happens(probability: float, count: int, generator: Generator) -> Tensor:
    """One draw per image, shaped (count, 1, 1, 1), 1.0 where it happens."""
    return (torch.rand((count, 1, 1, 1), generator=generator) < probability).float()


def smooth(images: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur with one sigma (px) per image, 7 taps, reflected at the border."""
    count, bands, rows, cols = images.shape
    offsets = torch.arange(-3, 4, dtype=torch.float32)
    taps = torch.exp(-0.5 * (offsets / sigma.view(-1, 1).clamp(min=0.05)) ** 2)
    taps = (taps / taps.sum(1, keepdim=True)).repeat_interleave(bands, 0)
    flat = functional.pad(images.reshape(1, count * bands, rows, cols), (3, 3, 3, 3), mode="reflect")
    flat = functional.conv2d(flat, taps.view(-1, 1, 7, 1), groups=count * bands)
    flat = functional.conv2d(flat, taps.view(-1, 1, 1, 7), groups=count * bands)
    return flat.view(count, bands, rows, cols)


def geometry(images: Tensor, labels: Tensor, size: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """A random window of `size` px under flips, quarter turns or free rotation, and zoom: 1-3.3x in
    (finer ground sampling) or up to 3x out (coarser, blurred first), reflected at the border.
    Labels take the nearest pixel."""
    count, bands, rows, _ = images.shape
    log_zoom = uniform(-1.1, 1.2, (count,), generator)
    log_zoom = torch.where(torch.rand(count, generator=generator) < 0.35, torch.zeros(count), log_zoom)
    step = torch.exp(-log_zoom)  # source pixels per output pixel
    turn = torch.randint(0, 4, (count,), generator=generator) * (math.pi / 2)
    free = (torch.rand(count, generator=generator) < 0.3).float()
    turn = turn + free * uniform(-math.pi / 4, math.pi / 4, (count,), generator)
    flip = torch.where(torch.rand(count, generator=generator) < 0.5, 1.0, -1.0)
    extent = step * size / rows  # half of the window, in halves of the image
    shift = uniform(-1.0, 1.0, (count, 2), generator) * (1.0 - extent).clamp(min=0.1).unsqueeze(1)
    cos, sin = torch.cos(turn) * extent, torch.sin(turn) * extent
    theta = torch.stack(
        [torch.stack([cos * flip, -sin, shift[:, 0]], 1), torch.stack([sin * flip, cos, shift[:, 1]], 1)], 1
    )
    grid = functional.affine_grid(theta, [count, bands, size, size], align_corners=False)
    blurred = smooth(images, (0.45 * step).where(step > 1.05, torch.full_like(step, 0.05)))
    moved = functional.grid_sample(blurred, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    chosen = functional.grid_sample(
        labels.unsqueeze(1).float(), grid, mode="nearest", padding_mode="reflection", align_corners=False
    )
    return moved, chosen.squeeze(1).round().long()


def radiometry(images: Tensor, airlight: Tensor, severity: float, generator: Generator) -> Tensor:
    """What another sensor, sky or display stretch would have made of the same ground.

    Gain and offset per image and band, gamma, haze, shading across the image, a shift below one
    pixel, blur, grain, texture, clipping and 8-bit steps. `severity` scales gain, offset, gamma and
    haze.
    """
    count, bands, rows, cols = images.shape
    strength = severity * uniform(0.0, 1.0, (count, 1, 1, 1), generator) ** 0.7
    view = shift_below_one_pixel(images, generator)
    view = smooth(view, uniform(0.05, 0.9, (count,), generator) * happens(0.4, count, generator).view(-1))
    pivot = 0.25
    gamma = torch.exp(normal(0.18, (count, 1, 1, 1), generator) * strength)
    view = pivot * (view.clamp(min=1e-4) / pivot) ** gamma
    gain = torch.exp(
        (normal(0.22, (count, 1, 1, 1), generator) + normal(0.12, (count, bands, 1, 1), generator)) * strength
    )
    offset = (
        normal(0.012, (count, 1, 1, 1), generator) + normal(0.010, (count, bands, 1, 1), generator)
    ) * strength
    view = view * gain + offset
    haze = severity * uniform(0.0, 0.45, (count, 1, 1, 1), generator) * happens(0.4, count, generator)
    haze = haze * (1 + 0.3 * low_frequency(count, 1, rows, cols, 2, generator))
    view = view * (1 - haze) + airlight.view(1, -1, 1, 1) * haze
    view = view * (1 + 0.08 * strength * low_frequency(count, 1, rows, cols, 3, generator))
    texture = normal(1.0, (count, 1, rows, cols), generator)
    view = view * (1 + texture * uniform(0.0, 0.10, (count, 1, 1, 1), generator) * happens(0.5, count, generator))
    grain = normal(1.0, tuple(view.shape), generator)
    view = view + grain * uniform(0.0, 0.008, (count, 1, 1, 1), generator)
    stretched = happens(0.4, count, generator)
    top = torch.exp(normal(0.15, (count, bands, 1, 1), generator)) * view.amax((2, 3), keepdim=True).clamp(min=0.1)
    eight_bit = torch.round(view.clamp(min=0.0) / top * 255).clamp(max=255) / 255 * top
    return view * (1 - stretched) + eight_bit * stretched


def shift_below_one_pixel(images: Tensor, generator: Generator) -> Tensor:
    """Bilinear shift by less than half a pixel in each direction, for half of the images."""
    count = images.shape[0]
    for axis in (2, 3):
        amount = uniform(0.0, 0.5, (count, 1, 1, 1), generator) * happens(0.5, count, generator)
        step = 1 if torch.rand((), generator=generator) < 0.5 else -1
        images = images * (1 - amount) + torch.roll(images, step, dims=axis) * amount
    return images


def low_frequency(count: int, bands: int, rows: int, cols: int, nodes: int, generator: Generator) -> Tensor:
    """Smooth random field of about unit deviation."""
    field = normal(1.0, (count, bands, nodes + 1, nodes + 1), generator)
    return functional.interpolate(field, size=(rows, cols), mode="bicubic", align_corners=True)


def holes(normalised: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Unobserved rectangles: bands set to their mean (0 after normalisation), labels ignored."""
    count, _, rows, cols = normalised.shape
    normalised, labels = normalised.clone(), labels.clone()
    for image in range(count):
        if torch.rand((), generator=generator) > 0.25:
            continue
        for _ in range(int(torch.randint(1, 4, (), generator=generator))):
            height, width = (int(torch.randint(4, 64, (), generator=generator)) for _ in range(2))
            top = int(torch.randint(0, rows - height + 1, (), generator=generator))
            left = int(torch.randint(0, cols - width + 1, (), generator=generator))
            normalised[image, :, top : top + height, left : left + width] = 0.0
            labels[image, top : top + height, left : left + width] = IGNORE
    return normalised, labels
