"""Differences between two dates that are no change of the ground: plants, fields, water, registration, radiometry.

What needs land cover works on one image (band, row, col) in reflectance; what a sensor does works on a batch.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter, label as connected, shift
from torch import Generator, Tensor

import augment
from augment import normal, uniform, which
from chips import CROPS, IGNORE, LOW_VEGETATION, TREES, WATER
from classes import BAND_SETS, BAND_SET_SHARE, ROLES
from textures import Sources

LARGEST_SHIFT_PX = 1.5
LARGEST_MARGIN_PX = 3.0
FIELD_PX = (25, 3000)
FREE_SET_SHARE = 0.3
"""How often the bands are drawn one by one instead of as one of `BAND_SETS`."""
LEAST_BANDS = 3


def smooth_field(shape: tuple[int, int], grain: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random field (row, col) of mean 0 and deviation 1: coarse noise, interpolated."""
    cells = max(2, int(math.ceil(shape[0] / grain)))
    coarse = torch.from_numpy(rng.normal(size=(1, 1, cells, cells)).astype(np.float32))
    return torch.nn.functional.interpolate(coarse, size=shape, mode="bicubic", align_corners=False)[0, 0].numpy()


def phenology(image: np.ndarray, land: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Season: vegetated pixels of one class of cover move together; more leaves are a brighter near and a darker red
    and short-wave infrared."""
    red, nir = image[2], image[3]
    leaves = (nir - red) / np.maximum(nir + red, 1e-3)
    image = image.copy()
    strength = rng.uniform(0.3, 1.2)
    for class_id in (TREES, LOW_VEGETATION, CROPS):
        of_class = (land == class_id) | ((land == IGNORE) & (class_id == LOW_VEGETATION))
        if not of_class.any():
            continue
        green_up = strength * rng.normal() * (0.6 if class_id == TREES else 1.0)
        slope = np.array([-0.10, -0.07, -0.20, 0.20, -0.10, -0.15]) * green_up + 0.04 * rng.normal(size=6)
        weight = gaussian_filter(of_class.astype(np.float32), 0.7) * (1 / (1 + np.exp(-((leaves - 0.22) / 0.06).clip(-30, 30))))
        uneven = (1 + 0.3 * smooth_field(land.shape, 40, rng)).clip(0.2, 1.8)
        image *= np.exp(slope[:, None, None] * (weight * uneven)[None])
    return image


def harvest(image: np.ndarray, land: np.ndarray, sources: Sources, rng: np.random.Generator) -> np.ndarray:
    """Whole fields become brighter or darker, and part of the way to another crop; a field is a connected
    patch of crops or grass of like greenness."""
    growing = (land == CROPS) | (land == LOW_VEGETATION)
    if growing.sum() < 100:
        return image
    red, nir = gaussian_filter(image[2], 0.8), gaussian_filter(image[3], 0.8)
    leaves = (nir - red) / np.maximum(nir + red, 1e-3)
    levels = np.floor((leaves + rng.uniform(0, 0.1)) / 0.1).astype(int)
    image = image.copy()
    for level in np.unique(levels[growing]):
        fields, count = connected(growing & (levels == level))
        sizes = np.bincount(fields.ravel(), minlength=count + 1)
        for number in np.flatnonzero((sizes >= FIELD_PX[0]) & (sizes <= FIELD_PX[1]))[:40]:
            if number == 0 or rng.random() > 0.3:
                continue
            rows, cols = np.nonzero(fields == number)
            crop = sources.spectra[CROPS][rng.integers(len(sources.spectra[CROPS]))][:, None]
            share = rng.uniform(0, 0.5)
            inside = image[:, rows, cols]
            image[:, rows, cols] = (inside * (1 - share) + crop * share) * math.exp(rng.normal() * 0.15)
    return image


def water_colour(image: np.ndarray, land: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """All water of the image clearer, more turbid or under glint."""
    water = gaussian_filter((land == WATER).astype(np.float32), 0.6)
    if water.max() < 0.5:
        return image
    tint = np.exp(0.25 * rng.normal() + 0.2 * rng.normal(size=6))
    turbid = np.array([0.4, 0.8, 1.0, 0.5, 0.05, 0.02]) * max(0.0, rng.normal() * 0.03)
    glint = max(0.0, rng.normal() * 0.02) * (1 + 0.4 * smooth_field(land.shape, 24, rng)).clip(0)
    other = image * tint[:, None, None] + turbid[:, None, None] + glint[None]
    return (image * (1 - water) + other * water).astype(np.float32)


def water_margin(image: np.ndarray, land: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The water's edge rises or falls by up to `LARGEST_MARGIN_PX`: new water looks like the nearest water, bared ground like the
    nearest land."""
    water = land == WATER
    if water.sum() < 30 or (~water).sum() < 30:
        return image
    out_of, (to_row, to_col) = distance_transform_edt(~water, return_indices=True)
    into, (from_row, from_col) = distance_transform_edt(water, return_indices=True)
    reach = rng.uniform(-LARGEST_MARGIN_PX, LARGEST_MARGIN_PX) + 0.6 * smooth_field(land.shape, 30, rng)
    flooded = gaussian_filter(((out_of > 0) & (out_of <= reach)).astype(np.float32), 0.4)
    bared = gaussian_filter(((into > 0) & (into <= -reach)).astype(np.float32), 0.4)
    image = image * (1 - flooded) + image[:, to_row, to_col] * flooded
    return image * (1 - bared) + image[:, from_row, from_col] * bared


def misregister(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Moved by up to `LARGEST_SHIFT_PX` in any direction, resampled."""
    length, angle = rng.uniform(0, LARGEST_SHIFT_PX), rng.uniform(0, 2 * math.pi)
    by = (length * math.sin(angle), length * math.cos(angle))
    order = int(rng.choice([1, 3]))
    return np.stack([shift(b, by, order=order, mode="nearest") for b in image])


def another_date(image: np.ndarray, land: np.ndarray, sources: Sources, rng: np.random.Generator, mildly: bool = False) -> np.ndarray:
    """The same unchanged ground (band, row, col) on another date. `mildly`: the registration alone, for dates that
    really differ."""
    if not mildly:
        for chance, change in ((0.7, phenology), (0.6, water_colour), (0.4, water_margin)):
            if rng.random() < chance:
                image = change(image, land, rng)
        if rng.random() < 0.4:
            image = harvest(image, land, sources, rng)
    if rng.random() < (0.3 if mildly else 0.7):
        image = misregister(image, rng)
    return image.astype(np.float32)


def own_radiometry(images: Tensor, generator: Generator) -> Tensor:
    """Gain of up to 25 % and offset of each band by itself, a smooth unevenness of haze, and for a fifth a display
    gamma."""
    count, bands, rows, cols = images.shape
    images = images.clone()
    chosen = which(0.6, count, generator)
    if len(chosen):
        shape = (len(chosen), bands, 1, 1)
        strength = uniform(0.0, 1.0, (len(chosen), 1, 1, 1), generator)
        gain = 1 + strength * uniform(-0.25, 0.25, shape, generator)
        images[chosen] = images[chosen] * gain + strength * uniform(-0.02, 0.02, shape, generator)
    chosen = which(0.2, count, generator)
    if len(chosen):
        coarse = torch.rand((len(chosen), 1, 4, 4), generator=generator)
        veil = torch.nn.functional.interpolate(coarse, size=(rows, cols), mode="bicubic", align_corners=False).clamp(0, 1)
        veil = veil * uniform(0.05, 0.35, (len(chosen), 1, 1, 1), generator)
        images[chosen] = images[chosen] * (1 - veil) + augment.AIRLIGHT.view(1, -1, 1, 1) * veil
    chosen = which(0.2, count, generator)
    if len(chosen):
        gamma = torch.exp(normal(0.2, (len(chosen), 1, 1, 1), generator))
        top = images[chosen].flatten(2)[..., ::7].quantile(0.99, dim=2).clamp(min=0.05)[..., None, None]
        images[chosen] = top * (images[chosen].clamp(min=1e-4) / top) ** gamma
    return images


def drop_bands(normalised: Tensor, available: list[tuple[str, ...]], generator: Generator) -> Tensor:
    """Leaves a set of at least `LEAST_BANDS` of the available bands to each pair (batch, 2 x band, row, col); the others
    become 0 on both dates."""
    keep = torch.zeros(len(normalised), len(ROLES))
    for row, roles in zip(keep, available):
        if float(torch.rand((), generator=generator)) < FREE_SET_SHARE:
            count = int(torch.randint(LEAST_BANDS, len(roles) + 1, (), generator=generator))
            drawn = [roles[i] for i in torch.randperm(len(roles), generator=generator)[:count].tolist()]
        else:
            fitting = [(s, w) for s, w in zip(BAND_SETS.values(), BAND_SET_SHARE) if set(s) <= set(roles)]
            chosen = torch.multinomial(torch.tensor([w for _, w in fitting]), 1, generator=generator)
            drawn = fitting[int(chosen)][0]
        row.copy_(torch.tensor([float(role in drawn) for role in ROLES]))
    return normalised * keep.repeat(1, 2)[..., None, None]
