"""Chips of surface reflectance with land-cover labels: reading, label rules, hold-out split.

A chip is a GeoTIFF of 12 bands (band, row, col), 128 x 128 px, int16:
bands 1-7 are surface reflectance x 10^4 (coastal, blue, green, red, near infrared, short-wave
infrared 1 and 2), band 8 quality bits, 9-10 elevation in metres, band 11 the
ESA WorldCover code, band 12 water occurrence in per cent. `water_masks/N.png` is the water mask
of chip N, drawn by hand.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from scipy.ndimage import distance_transform_edt

CLASSES = ("water", "trees", "low_vegetation", "crops", "built_up", "bare")
WATER, TREES, LOW_VEGETATION, CROPS, BUILT_UP, BARE = range(6)
IGNORE = 255
"""Label of a pixel that says nothing: not clear, snow, or two sources that contradict each other."""

BANDS = {"coastal": 0, "blue": 1, "green": 2, "red": 3, "nir": 4, "swir1": 5, "swir2": 6}
"""Zero-based index of each reflectance band in a chip."""

REFLECTANCE_SCALE = 1e-4
NEAR_WATER_PX = 25
"""750 m at 30 m."""
MIN_WATER_BODY_PX = 50
QUALITY_BAND, ELEVATION_BAND, WORLDCOVER_BAND = 7, 8, 10
QUALITY_OBSCURED = 0b0000_1111
"""Quality bits 0-3: cirrus, cloud, beside a cloud, cloud shadow."""
QUALITY_SNOW = 0b0001_0000
"""Bit 4: snow or ice; turbid water sets it too."""
QUALITY_WATER = 0b0010_0000
"""Bit 5: water. (Bits 6-7 are the aerosol level.) Hence "clear" is not only the code 64: that
code is clear *land* under little aerosol, and keeping it alone drops 83 % of all
hand-made water."""

CLASS_OF_WORLDCOVER = {
    10: TREES, 95: TREES,  # trees, mangrove
    20: LOW_VEGETATION, 30: LOW_VEGETATION, 90: LOW_VEGETATION, 100: LOW_VEGETATION,  # shrub, grass, herbaceous wetland, moss
    40: CROPS,  # crops
    50: BUILT_UP,  # built-up
    60: BARE,  # bare, sand included
    80: WATER,
}  # 70 (snow and ice) has no class of its own: ignored


@dataclass(frozen=True)
class Chip:
    """One chip: `reflectance` float32 (7, row, col), `label` uint8 (row, col)."""

    name: str
    mask_digest: str
    """Digest of the hand-made mask (identical masks: one place on several dates)."""
    ground: np.ndarray
    """Elevation (m) and WorldCover code in one number: the same on every date; int64 (row, col)."""
    reflectance: np.ndarray
    label: np.ndarray
    hand_water: np.ndarray
    """Hand-made water mask, bool (row, col)."""
    clear: np.ndarray
    """Neither cloud, shadow nor snow on land, and a physical reflectance; bool (row, col)."""


def read_chip(path: Path) -> Chip:
    """Reads one chip and combines its label sources (see `combined_label`)."""
    raw = tifffile.imread(path)
    if raw.ndim != 3 or raw.shape[0] != 12:
        raise ValueError(f"{path}: expected shape (12, row, col), got {raw.shape}")
    mask_path = path.parent / "water_masks" / f"{int(path.stem)}.png"
    mask = np.asarray(Image.open(mask_path).convert("L")) > 0
    if mask.shape != raw.shape[1:]:
        raise ValueError(f"{mask_path}: expected {raw.shape[1:]}, got {mask.shape}")
    reflectance = raw[:7].astype(np.float32) * REFLECTANCE_SCALE
    quality = raw[QUALITY_BAND]
    water_bit = (quality & QUALITY_WATER) > 0
    clear = (quality & QUALITY_OBSCURED) == 0
    clear &= ((quality & QUALITY_SNOW) == 0) | water_bit | mask
    clear &= ((reflectance[1:6] > -0.02) & (reflectance[1:6] < 1.0)).all(0)
    return Chip(
        name=path.stem,
        mask_digest=hashlib.sha256(mask.tobytes()).hexdigest()[:12],
        ground=raw[ELEVATION_BAND].astype(np.int64) * 1000 + raw[WORLDCOVER_BAND],
        reflectance=reflectance,
        label=combined_label(raw[WORLDCOVER_BAND], mask, water_bit, reflectance, clear),
        hand_water=mask,
        clear=clear,
    )


def combined_label(
    worldcover: np.ndarray,
    hand_water: np.ndarray,
    water_bit: np.ndarray,
    reflectance: np.ndarray,
    clear: np.ndarray,
) -> np.ndarray:
    """Class of each pixel, from sources of different dates; a contradiction is `IGNORE`.

    WorldCover is a map of one later year, the chips show other dates, floods among them. So the
    hand-made mask of the very image decides on water, as long as one independent witness agrees:
    WorldCover, the quality band, or green brighter than short-wave infrared. Water that only
    WorldCover or only the quality band sees is ignored. Sand and soil that lie open on the date
    of the image are `bare`, whatever stands in WorldCover (`is_exposed_ground`). Ground that only looks
    so, far from water, is ignored where WorldCover says that something grows there: the image shows none of it,
    and a ploughed field cannot be told from a bar by what a pixel reflects.
    """
    label = np.full(worldcover.shape, IGNORE, np.uint8)
    for code, class_id in CLASS_OF_WORLDCOVER.items():
        label[worldcover == code] = class_id
    green, swir1 = reflectance[BANDS["green"]], reflectance[BANDS["swir1"]]
    witnessed = (worldcover == 80) | water_bit | (green > swir1)
    label[((worldcover == 80) | water_bit) & ~hand_water] = IGNORE
    exposed, looks_exposed = is_exposed_ground(reflectance, hand_water & witnessed & clear)
    grows = np.isin(label, [TREES, LOW_VEGETATION, CROPS])
    label[looks_exposed & grows] = IGNORE
    label[exposed & grows] = BARE
    label[hand_water] = np.where(witnessed, WATER, IGNORE)[hand_water]
    label[~clear] = IGNORE
    return label


def is_exposed_ground(reflectance: np.ndarray, water: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bright ground with few green leaves: deserts, and bars beside a river; and ground that looks like a
    bar wherever it lies. Both bool (row, col).

    WorldCover calls the sand bars of large rivers crops. Within 750 m of water the rule is
    therefore wider (red > 0.14, NDVI < 0.25); elsewhere, where such ground may be a ploughed
    field, it is strict (red > 0.17, NDVI < 0.12).
    """
    red, nir = reflectance[BANDS["red"]], reflectance[BANDS["nir"]]
    ndvi = (nir - red) / np.maximum(nir + red, 1e-3)
    strict = (red > 0.17) & (ndvi < 0.12)
    wide = (red > 0.14) & (ndvi < 0.25)
    if water.sum() < MIN_WATER_BODY_PX:
        return strict, wide
    near_water = distance_transform_edt(~water) < NEAR_WATER_PX
    return strict | (near_water & wide), wide


def read_chips(folder: Path) -> list[Chip]:
    """All chips of the folder, in order of their number."""
    paths = sorted(folder.glob("[0-9]*.tif"))
    if not paths:
        raise FileNotFoundError(f"no chips (*.tif) in {folder}; give the folder with --data")
    return [read_chip(path) for path in paths]
