"""Changes planted on one of two dates, with exact labels: objects, covers swapped in from elsewhere, removals."""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

import shapes
from chips import BARE, BUILT_UP, CROPS, IGNORE, LOW_VEGETATION, TREES, WATER
from classes import NO_OBJECT
from compose import (
    CONTRAST, LAND_KINDS, PAINTERS, Painted, draw_area, fish_cages, paste, rough, spectrum, square_for, texture,
)
from textures import Sources

UNCHANGED, CHANGED = 0, 1
COVER_KIND = 100
"""Kind of a swapped cover, beside the kinds of objects."""
SWAPS = (
    ((TREES, LOW_VEGETATION, CROPS), BARE),
    ((WATER,), BARE),
    ((CROPS, LOW_VEGETATION), BUILT_UP),
    ((BARE, CROPS, LOW_VEGETATION), WATER),
    ((TREES,), CROPS),
)
"""What the ground was, and what it becomes."""
SWAP_SHARE = (0.32, 0.2, 0.2, 0.2, 0.08)
FAR_FROM_WATER_PX = 10
"""New water lies at least this far from any water: nearer it could be the margin."""
LEAST_DIFFERENCE = 0.02
"""Mean difference of reflectance over the bands below which a planted pixel says nothing: nobody could see it."""
COVER_AREA_PX = (20.0, 2500.0)


def cover_patch(sources: Sources, other: np.ndarray, other_land: np.ndarray, into: int, rng: np.random.Generator) -> Painted:
    """A patch of the land cover with a soft irregular outline: a window of another chip that shows it, else a texture or
    a mixture of spectra."""
    area = math.exp(rng.uniform(*np.log(COVER_AREA_PX)))
    size = min(square_for(2.4 * math.sqrt(area)), other.shape[1])
    line = np.arange(size) + 0.5 - size / 2
    outline = shapes.blob(*np.meshgrid(line, line), area, rng)
    cover = gaussian_filter((0.5 - outline).clip(0, 1).astype(np.float32), rng.uniform(0.4, 1.4))
    here = np.argwhere(other_land == into)
    for _ in range(6 if len(here) > 30 else 0):
        row, col = (int(np.clip(v - size // 2, 0, other.shape[1] - size)) for v in here[rng.integers(len(here))])
        inner = other_land[row : row + size, col : col + size][cover > 0.5]
        if inner.size and (inner == into).mean() > 0.75:
            return Painted(COVER_KIND, cover, other[:, row : row + size, col : col + size])
    if into == BUILT_UP and rng.random() < 0.6:
        return Painted(COVER_KIND, cover, texture(sources.textures["works"], size, rng, True))
    mixture = gaussian_filter(rng.random((size, size)), 3.0)
    mixture = (mixture - mixture.min()) / max(float(np.ptp(mixture)), 1e-6)
    colour = spectrum(sources, into, rng) * mixture + spectrum(sources, into, rng) * (1 - mixture)
    grain = (0.25, 0.7) if into == BUILT_UP else (0.02, 1.0) if into == WATER else (0.08, 1.5)
    return Painted(COVER_KIND, cover, colour * rough(size, *grain, rng))


def plant_covers(image, land, kinds, taken, other, other_land, sources: Sources, rng: np.random.Generator, count: int) -> None:
    """Swaps patches of land cover. In place."""
    to_water = distance_transform_edt(land != WATER) if (land == WATER).any() else np.full(land.shape, np.inf)
    for _ in range(count):
        was, into = SWAPS[int(rng.choice(len(SWAPS), p=SWAP_SHARE))]
        allowed = np.isin(land, was) & ((to_water > FAR_FROM_WATER_PX) | (into != WATER))
        places = np.argwhere(allowed)
        if len(places) < 20:
            continue
        row, col = places[rng.integers(len(places))]
        patch = cover_patch(sources, other, other_land, into, rng)
        # A patch keeps to the cover that it replaces, or else water would be planted on water beside it.
        size = patch.cover.shape[0]
        rows, cols = (np.arange(size) + v - size // 2 for v in (row, col))
        inside = allowed[rows.clip(0, land.shape[0] - 1)][:, cols.clip(0, land.shape[1] - 1)]
        kept = gaussian_filter((inside & (patch.cover > 0.5)).astype(np.float32), 0.6) if not inside.all() else 1.0
        cover = np.minimum(patch.cover, kept)
        if (cover > 0.5).sum() > 12:
            paste(image, land.copy(), kinds, taken, Painted(COVER_KIND, cover, patch.colour), row, col)


def plant_objects(image, land, kinds, taken, sources: Sources, rng: np.random.Generator, count: int, sun: float) -> None:
    """Paints objects on land and, where there is open water, now and then a fish farm. In place."""
    water = land == WATER
    dry = np.argwhere(~water & (land != IGNORE))
    near = np.argwhere((distance_transform_edt(~water) < 14) & ~water) if water.sum() > 50 else dry
    deep, feather, scratch = distance_transform_edt(water), rng.uniform(0.3, 0.6), land.copy()
    if (deep > 6).sum() > 60 and rng.random() < 0.35:
        places = np.argwhere(deep > 6)
        row, col = places[rng.integers(len(places))]
        r, c = max(row - 5, 0), max(col - 5, 0)
        for down, right, cage in fish_cages(sources, image[:, r : r + 10, c : c + 10], rng):
            at_row, at_col = round(row + down), round(col + right)
            if 0 <= at_row < land.shape[0] and 0 <= at_col < land.shape[1] and deep[at_row, at_col] > 2:
                paste(image, scratch, kinds, taken, cage, at_row, at_col)
    for _ in range(count if len(dry) else 0):
        kind, area = int(rng.choice(LAND_KINDS)), draw_area(rng)
        for _ in range(3):
            places = near if len(near) and rng.random() < 0.5 else dry
            row, col = places[rng.integers(len(places))]
            if paste(image, scratch, kinds, taken, PAINTERS[kind](sources, area, feather, sun, rng), row, col, CONTRAST):
                break


def planted_kinds(
    image: np.ndarray, land: np.ndarray, other: np.ndarray, other_land: np.ndarray, sources: Sources,
    rng: np.random.Generator, taken: np.ndarray, objects: int, covers: int,
) -> tuple[np.ndarray, np.ndarray]:
    """A copy of the image (band, row, col) with things on it, and what they are (row, col): 0 nothing, the kind of
    an object, `COVER_KIND`, or `IGNORE` at soft edges and in shadows. `taken` is kept free, and then holds them too."""
    image, kinds = image.copy(), np.full(land.shape, NO_OBJECT, np.uint8)
    plant_objects(image, land, kinds, taken, sources, rng, objects, rng.uniform(0, 2 * math.pi))
    plant_covers(image, land, kinds, taken, other, other_land, sources, rng, covers)
    return image, kinds


def plant(
    earlier: np.ndarray, later: np.ndarray, land: np.ndarray, other: np.ndarray, other_land: np.ndarray,
    sources: Sources, rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both dates (band, row, col) with things on one of them, and the kind of what was planted (row, col).

    What stands on the later date only was built, what stands on the earlier one only was removed. The inputs
    are not changed.
    """
    taken = np.zeros(land.shape, bool)
    new_later, arrived = planted_kinds(
        later, land, other, other_land, sources, rng, taken, int(rng.integers(1, 6)), int(rng.integers(0, 4))
    )
    new_earlier, gone = planted_kinds(
        earlier, land, other, other_land, sources, rng, taken, int(rng.integers(0, 4)), int(rng.integers(0, 2))
    )
    kinds = np.where(arrived != NO_OBJECT, arrived, gone)
    difference = np.maximum(np.abs(new_later - later), np.abs(new_earlier - earlier)).mean(0)
    kinds[(kinds != NO_OBJECT) & (difference < LEAST_DIFFERENCE)] = IGNORE
    return new_earlier, new_later, kinds


def change_label(kinds: np.ndarray, doubtful: np.ndarray) -> np.ndarray:
    """`CHANGED` where something was planted, `IGNORE` at its edges and where the pair itself is doubtful, else `UNCHANGED`;
    uint8 (row, col)."""
    label = np.where((kinds == NO_OBJECT) & doubtful | (kinds == IGNORE), IGNORE, kinds != NO_OBJECT)
    return label.astype(np.uint8)
