"""Sources of composition: spectra of materials from the chips, textures from the mining gallery,
true sizes of fish cages. Sources are held out whole (`held_out=True`), never single pixels."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from chips import BARE, BUILT_UP, CROPS, LOW_VEGETATION, TREES, WATER
from data import Data

TILE_PX = 48
HELD_OUT_SHARE = 1 / 3
"""Share of the rows of a gallery, counted from its end, that training never sees. Neighbouring tiles
often show one and the same place, so whole rows are held out."""
STRETCH = {"blue": (-0.06, 0.23), "green": (-0.03, 0.26), "red": (-0.015, 0.275)}
"""Reflectance of DN 0 and DN 255 of the gallery's display stretch (not calibrated: see the README)."""
GALLERIES = {
    "spoil": ("dredge_mining", "alluvial_mining"),
    "works": ("industrial",),
    "bar": ("riverbank",),
    "ground": ("random",),
}
SPECTRA_PER_CLASS = 4000


@dataclass(frozen=True)
class Sources:
    """What one side of the hold-out may paint with. Bands as `ROLES`."""

    spectra: dict[int, np.ndarray]
    """Reflectance of pixels of each land-cover class, float32 (pixel, band)."""
    textures: dict[str, list[np.ndarray]]
    """Texture chips by use, float32 (band, row, col), 10 m per pixel."""
    cages: list[tuple[str, np.ndarray]]
    """Farms: form ("circle" or "square") and boxes (cage, x y width height) in metres."""


def spectra(data: Data, chosen: np.ndarray, generator: np.random.Generator) -> dict[int, np.ndarray]:
    """A sample of labelled pixels of each class."""
    reflectance, labels = data.reflectance[chosen].numpy(), data.labels[chosen].numpy()
    sample = {}
    for class_id in (WATER, TREES, LOW_VEGETATION, CROPS, BUILT_UP, BARE):
        chip, row, col = np.nonzero(labels == class_id)
        drawn = generator.choice(len(chip), min(SPECTRA_PER_CLASS, len(chip)), replace=False)
        sample[class_id] = reflectance[chip[drawn], :, row[drawn], col[drawn]]
    return sample


def gallery(path: Path, held_out: bool) -> list[np.ndarray]:
    """Tiles of one gallery picture, uint8 (row, col, 3), without the empty and the saturated ones."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    rows, cols = picture.shape[0] // TILE_PX, picture.shape[1] // TILE_PX
    border = round(rows * (1 - HELD_OUT_SHARE))
    wanted = range(border, rows) if held_out else range(border)
    tiles = (
        picture[r * TILE_PX : (r + 1) * TILE_PX, c * TILE_PX : (c + 1) * TILE_PX] for r in wanted for c in range(cols)
    )
    return [t for t in tiles if (t.max(2) == 0).mean() < 0.02 and (t.min(2) == 255).mean() < 0.2]


def with_six_bands(tiles: list[np.ndarray], known: dict[int, np.ndarray], generator: np.random.Generator) -> list[np.ndarray]:
    """Reflectance of gallery tiles. Their infrared is borrowed: each pixel takes the bands of one of the
    four labelled land or water pixels of the chips that are nearest to it in blue, green and red."""
    pool = np.concatenate(list(known.values()))
    tree = cKDTree(pool[:, :3])
    low = np.array([STRETCH[b][0] for b in ("blue", "green", "red")], np.float32)
    high = np.array([STRETCH[b][1] for b in ("blue", "green", "red")], np.float32)
    out = []
    for tile in tiles:
        visible = (low + tile[..., ::-1] / np.float32(255) * (high - low)).reshape(-1, 3).clip(0.005)
        _, near = tree.query(visible, k=4)
        one = near[np.arange(len(near)), generator.integers(0, 4)]
        # The brightest texture is brighter than any pixel of the chips: its infrared grows alike.
        brighter = (visible.mean(1) / pool[one, :3].mean(1).clip(0.01)).clip(0.6, 1.8)[:, None]
        infrared = (pool[one, 3:] * brighter).clip(0, 0.9)
        bands = np.concatenate([visible, infrared], 1).reshape(TILE_PX, TILE_PX, 6)
        out.append(np.ascontiguousarray(bands.transpose(2, 0, 1), dtype=np.float32))
    return out


def fish_farms(path: Path, held_out: bool) -> list[tuple[str, np.ndarray]]:
    """Farms with the true sizes and layout of their cages in metres; held out by region (0.1 degrees)."""
    farms = defaultdict(list)
    for feature in json.loads(path.read_text())["features"]:
        latitude, longitude = (float(v) for v in feature["properties"]["im_center"].split(","))
        region = f"{latitude:.1f} {longitude:.1f}"
        drawn = hashlib.sha256(f"cages:{region}".encode()).digest()[0] / 256
        if (drawn < HELD_OUT_SHARE) != held_out:
            continue
        ring = np.array(feature["geometry"]["coordinates"][0]) * math.cos(math.radians(latitude))
        low, high = ring.min(0), ring.max(0)
        key = (feature["properties"]["image"], feature["properties"]["type"].split("_")[0])
        farms[key].append([*((low + high) / 2), *(high - low)])
    return [(form, np.array(boxes)) for (_, form), boxes in sorted(farms.items()) if len(boxes) >= 2]


def sources(folder: Path, data: Data, held_out: bool) -> Sources:
    """Everything one side of the hold-out paints with; spectra of the held-out side come from its own chips."""
    generator = np.random.default_rng(20 + held_out)
    known = spectra(data, data.index("test_mask", "test_place") if held_out else data.index("train"), generator)
    return Sources(
        spectra=known,
        textures={
            use: with_six_bands(
                [tile for name in names for tile in gallery(folder / "mining-gallery" / f"{name}.png", held_out)],
                known, generator,
            )
            for use, names in GALLERIES.items()
        },
        cages=fish_farms(folder / "fish-cages" / "humanlabels.geojson", held_out),
    )
