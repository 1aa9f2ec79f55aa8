"""Seeded augmentation of a batch: geometry, then what another sensor would have made of the ground.

Everything works on reflectance (batch, band, row, col) and draws from an explicit generator.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from chips import IGNORE
from classes import BAND_SET_SHARE, BAND_SETS, ROLES

AIRLIGHT = torch.tensor([0.16, 0.12, 0.10, 0.08, 0.03, 0.02])
"""Reflectance that thick haze adds to each band of `ROLES`; it falls with the wavelength."""
JPEG_BLOCK_PX = 8


def uniform(low: float, high: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Uniform draws in [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def normal(deviation: float, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Normal draws around zero."""
    return deviation * torch.randn(shape, generator=generator)


def which(probability: float, count: int, generator: Generator) -> Tensor:
    """Indices of the images to which something happens."""
    return torch.nonzero(torch.rand(count, generator=generator) < probability).view(-1)


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


def geometry(images: Tensor, labels: Tensor, share: float, generator: Generator) -> tuple[Tensor, Tensor]:
    """Flips and quarter turns for all; for 45 % x `share` of the images also `zoom`. Labels: uint8 in, int64 out."""
    count = len(images)
    zoomed = which(0.45 * share, count, generator)
    images, labels = images.clone(), labels.long()
    if len(zoomed):
        images[zoomed], labels[zoomed] = zoom(images[zoomed], labels[zoomed], generator)
    turns = torch.randint(0, 8, (count,), generator=generator).tolist()
    for index, turn in enumerate(turns):
        image, label = images[index], labels[index]
        if turn >= 4:
            image, label = image.flip(-1), label.flip(-1)
        images[index] = torch.rot90(image, turn % 4, (-2, -1))
        labels[index] = torch.rot90(label, turn % 4, (-2, -1))
    return images, labels


def zoom(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Finer (up to 3.3 times) or coarser (up to 2 times, blurred first) ground sampling, free rotation
    of a third, reflected at the border. Labels take the nearest pixel."""
    count, bands, rows, cols = images.shape
    step = torch.exp(-uniform(-0.7, 1.2, (count,), generator))  # source pixels per output pixel
    turn = (torch.rand(count, generator=generator) < 0.33).float() * uniform(-0.8, 0.8, (count,), generator)
    shift = uniform(-1.0, 1.0, (count, 2), generator) * (1.0 - step).clamp(min=0.1).unsqueeze(1)
    cos, sin = torch.cos(turn) * step, torch.sin(turn) * step
    theta = torch.stack([torch.stack([cos, -sin, shift[:, 0]], 1), torch.stack([sin, cos, shift[:, 1]], 1)], 1)
    grid = functional.affine_grid(theta, [count, bands, rows, cols], align_corners=False)
    blurred = smooth(images, torch.where(step > 1.05, 0.45 * step, torch.full_like(step, 0.05)))
    moved = functional.grid_sample(blurred, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    chosen = functional.grid_sample(
        labels.unsqueeze(1).float(), grid, mode="nearest", padding_mode="reflection", align_corners=False
    )
    return moved, chosen.squeeze(1).round().long()


def sensor(images: Tensor, severity: float, share: float, generator: Generator) -> Tensor:
    """What another sensor, sky or file format would have made of the same ground.

    Gain and offset per image and band, gamma and haze for two thirds x `share` of the images; blur, coarser
    short-wave infrared, grain, 8-bit steps and block compression each for fewer. `severity` scales
    gain, offset, gamma and haze.
    """
    images = images.clone()
    changed = which(0.67 * share, len(images), generator)
    if len(changed):
        images[changed] = radiometry(images[changed], severity, generator)
    for probability, change in (
        (0.25, blur), (0.15, coarse_short_wave), (0.30, grain), (0.25, eight_bit), (0.12, block_compression)
    ):
        chosen = which(probability * share, len(images), generator)
        if len(chosen):
            images[chosen] = change(images[chosen], generator)
    return images


def radiometry(images: Tensor, severity: float, generator: Generator) -> Tensor:
    """Gamma, gain and offset per image and band, haze."""
    count, bands = images.shape[:2]
    strength = severity * uniform(0.0, 1.0, (count, 1, 1, 1), generator)
    pivot = 0.25
    gamma = torch.exp(normal(0.12, (count, 1, 1, 1), generator) * strength)
    gain = torch.exp(
        (normal(0.15, (count, 1, 1, 1), generator) + normal(0.07, (count, bands, 1, 1), generator)) * strength
    )
    offset = (normal(0.010, (count, 1, 1, 1), generator) + normal(0.007, (count, bands, 1, 1), generator)) * strength
    haze = severity * uniform(0.0, 0.4, (count, 1, 1, 1), generator) * (
        torch.rand((count, 1, 1, 1), generator=generator) < 0.35
    )
    images = pivot * (images.clamp(min=1e-4) / pivot) ** gamma * gain + offset
    return images * (1 - haze) + AIRLIGHT.view(1, -1, 1, 1) * haze


def blur(images: Tensor, generator: Generator) -> Tensor:
    """Gaussian blur with a sigma of up to 1 px."""
    return smooth(images, uniform(0.2, 1.0, (len(images),), generator))


def coarse_short_wave(images: Tensor, _: Generator) -> Tensor:
    """Short-wave infrared at half the resolution, as on many sensors."""
    short = functional.interpolate(functional.avg_pool2d(images[:, 4:], 2), scale_factor=2.0, mode="bilinear")
    return torch.cat([images[:, :4], short], 1)


def grain(images: Tensor, generator: Generator) -> Tensor:
    """Noise per pixel: additive up to 0.006, and in proportion up to 5 % in all bands alike."""
    count, _, rows, cols = images.shape
    images = images * (1 + normal(1.0, (count, 1, rows, cols), generator) * uniform(0.0, 0.05, (count, 1, 1, 1), generator))
    return images + normal(1.0, tuple(images.shape), generator) * uniform(0.0, 0.006, (count, 1, 1, 1), generator)


def display_top(images: Tensor, generator: Generator) -> Tensor:
    """Reflectance shown as DN 255, per image and band."""
    high = images.flatten(2).quantile(0.995, dim=2).clamp(min=0.05)[..., None, None]
    return torch.exp(uniform(-0.05, 0.5, (len(images), 1, 1, 1), generator)) * high


def eight_bit(images: Tensor, generator: Generator) -> Tensor:
    """Clipped and rounded to 256 steps of a display stretch."""
    top = display_top(images, generator)
    return torch.round(images.clamp(min=0.0) / top * 255).clamp(max=255) / 255 * top


def block_compression(images: Tensor, generator: Generator, coarseness: float | None = None) -> Tensor:
    """The loss of JPEG: cosine transform of 8 x 8 blocks, steps that widen with the frequency."""
    count, bands, rows, cols = images.shape
    size = JPEG_BLOCK_PX
    line = torch.arange(size, dtype=torch.float32)
    basis = torch.cos(math.pi * (line.view(1, -1) + 0.5) * line.view(-1, 1) / size) * math.sqrt(2 / size)
    basis[0] /= math.sqrt(2)
    level = uniform(1.0, 6.0, (count, 1, 1, 1, 1, 1), generator) if coarseness is None else torch.tensor(coarseness)
    step = (1 + line.view(-1, 1) + line.view(1, -1)).view(1, 1, 1, size, 1, size) * level
    top = display_top(images, generator)
    blocks = (images / top * 255).view(count, bands, rows // size, size, cols // size, size)
    spectrum = torch.einsum("ku,nbiujv,lv->nbikjl", basis, blocks, basis)
    spectrum = torch.round(spectrum / step) * step
    back = torch.einsum("ku,nbikjl,lv->nbiujv", basis, spectrum, basis)
    return back.reshape(count, bands, rows, cols).clamp(min=0, max=255) / 255 * top


def holes(normalised: Tensor, labels: list[Tensor], generator: Generator) -> None:
    """Unobserved rectangles in a sixth of the images: 0 in every band, `IGNORE` in the labels. In place."""
    count, _, rows, cols = normalised.shape
    for image in which(0.16, count, generator).tolist():
        for _ in range(int(torch.randint(1, 4, (), generator=generator))):
            height, width = (int(torch.randint(4, 56, (), generator=generator)) for _ in range(2))
            top = int(torch.randint(0, rows - height + 1, (), generator=generator))
            left = int(torch.randint(0, cols - width + 1, (), generator=generator))
            normalised[image, :, top : top + height, left : left + width] = 0.0
            for label in labels:
                label[image, top : top + height, left : left + width] = IGNORE


def edges(normalised: Tensor, labels: list[Tensor], generator: Generator) -> None:
    """In a quarter of the images nothing is observed beyond a line at one to four sides, up to 40 px from the border: the
    edge of a scene, as a run shows it to the network. 0 in every band, `IGNORE` in the labels. In place."""
    count, _, rows, cols = normalised.shape
    for image in which(0.25, count, generator).tolist():
        depth = torch.randint(1, 41, (4,), generator=generator) * (torch.rand(4, generator=generator) < 0.5)
        top, bottom, left, right = depth.tolist()
        for plane, empty in ((normalised[image], 0.0), *((label[image], IGNORE) for label in labels)):
            plane[..., :top, :] = empty
            plane[..., rows - bottom :, :] = empty
            plane[..., :left] = empty
            plane[..., cols - right :] = empty


def drop_bands(normalised: Tensor, generator: Generator) -> Tensor:
    """Leaves one of `BAND_SETS` to each image; the other bands become 0."""
    keep = torch.tensor([[float(role in roles) for role in ROLES] for roles in BAND_SETS.values()])
    drawn = torch.multinomial(torch.tensor(BAND_SET_SHARE), len(normalised), replacement=True, generator=generator)
    return normalised * keep[drawn][..., None, None]
