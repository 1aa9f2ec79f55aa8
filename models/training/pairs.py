"""Two dates of one place: the ground that planted changes are set on, and real pairs in which little has changed.

Chips with the same elevation and land cover in every pixel show one place on several dates. The two series `naip-prairie` and
`landsat-ucayali` are read with one straight line a band for all dates; their last two dates are kept for evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from scipy.ndimage import binary_dilation, gaussian_filter, uniform_filter

from chips import BARE, LOW_VEGETATION, TREES, WATER, read_chips
from classes import ROLES
from data import Data, chips_folder

WINDOW_PX = 128
HELD_OUT_DATES = 2
STRONGEST_SHARE = 0.05
"""Share of the pixels of a pair of a series, those of the largest change vectors, that say nothing."""
WITNESS_LIMIT = 3.0
"""Robust standard deviations above its median from which a witness calls a pixel changed."""


@dataclass(frozen=True)
class Series:
    """Several dates on one grid."""

    name: str
    dates: list[str]
    roles: tuple[str, ...]
    reflectance: np.ndarray
    """float32 (date, band, row, col), bands as `ROLES`; bands that the sensor lacks hold their mean of the chips."""
    seen: np.ndarray
    """Observed on that date; bool (date, row, col)."""


STRETCHES = {
    "naip-prairie": {"red": (0, -0.03, 0.36), "green": (1, -0.04, 0.34), "blue": (2, -0.02, 0.26), "nir": (3, 0.01, 0.50)},
    "landsat-ucayali": {"swir1": (0, 0.0, 0.40), "nir": (1, 0.005, 0.40), "red": (2, 0.0, 0.38), "green": (3, 0.02, 0.36)},
}
"""Place of each band in the files, reflectance of DN 0 and of DN 255. Green, red and near infrared as in README.md; blue and
short-wave infrared of like width, so that lakes are dark and bars bright."""


def read_series(folder: Path, name: str, data: Data) -> Series:
    """All dates of one set, cut to the rows and columns that every date has."""
    paths = sorted((folder / name).glob("*.tif"))
    if not paths:
        raise FileNotFoundError(f"no dates (*.tif) in {folder / name}; give the folder above it with --data")
    raw = [np.moveaxis(tifffile.imread(p), -1, 0) for p in paths]
    rows, cols = min(r.shape[1] for r in raw), min(r.shape[2] for r in raw)
    raw = np.stack([r[:, :rows, :cols] for r in raw])
    lines = STRETCHES[name]
    bands = np.empty((len(raw), len(ROLES), rows, cols), np.float32)
    for index, role in enumerate(ROLES):
        if role in lines:
            number, low, high = lines[role]
            bands[:, index] = low + raw[:, number] / np.float32(255) * (high - low)
        else:
            bands[:, index] = float(data.mean[index])
    dates = [p.stem.split("_")[-1] for p in paths]
    return Series(name, dates, tuple(r for r in ROLES if r in lines), bands, (raw > 0).any(1))


def same_ground(data: Data, folder: Path) -> list[np.ndarray]:
    """Groups of chips (two and more) that show the very same pixels of ground on several dates."""
    groups = defaultdict(list)
    for index, chip in enumerate(read_chips(chips_folder(folder))):
        groups[chip.ground.tobytes()].append(index)
    return [np.array(g) for g in groups.values() if len(g) > 1]


def same_ground_within(groups: list[np.ndarray], allowed: np.ndarray) -> list[tuple[int, int]]:
    """All pairs of dates of one ground of which both chips are allowed."""
    kept = [g[np.isin(g, allowed)] for g in groups]
    return [(int(a), int(b)) for g in kept for n, a in enumerate(g) for b in g[n + 1 :]]


def matched(earlier: np.ndarray, later: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The later bands (band, row, col) with the mean and the deviation of the earlier ones over the seen pixels."""
    out = later.copy()
    for band in range(len(later)):
        a, b = earlier[band][seen], later[band][seen]
        out[band] = (later[band] - b.mean()) / max(float(b.std()), 1e-6) * a.std() + a.mean()
    return out


def change_vector(earlier: np.ndarray, later: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Change vector analysis: each band of each date standardised over the scene, length of the difference (root of the
    mean square over the bands), mean over 3 x 3 pixels; (row, col)."""
    total = np.zeros(seen.shape)
    for a, b in zip(earlier, later):
        a, b = ((v - v[seen].mean()) / max(float(v[seen].std()), 1e-6) for v in (a, b))
        total += (b - a) ** 2
    return uniform_filter(np.where(seen, np.sqrt(total / len(earlier)), 0.0), 3).astype(np.float32)


def spectral_angle(earlier: np.ndarray, later: np.ndarray) -> np.ndarray:
    """Angle (radians) between the spectra of both dates, mean over 3 x 3 pixels: blind to brightness."""
    product = (earlier * later).sum(0)
    lengths = np.sqrt((earlier**2).sum(0) * (later**2).sum(0))
    return uniform_filter(np.arccos((product / np.maximum(lengths, 1e-6)).clip(-1, 1)), 3)


def outlying(score: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Pixels whose score lies `WITNESS_LIMIT` robust deviations above the median."""
    middle = np.median(score[seen])
    spread = 1.4826 * np.median(np.abs(score[seen] - middle))
    return score > middle + WITNESS_LIMIT * max(float(spread), 1e-6)


def really_changed(earlier: np.ndarray, later: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Where two witnesses, length and direction of the change of the spectrum, both see an outlier; widened by 1 px."""
    length = change_vector(earlier, later, seen)
    angle = spectral_angle(earlier, matched(earlier, later, seen))
    return binary_dilation(outlying(length, seen) & outlying(angle, seen), np.ones((3, 3)))


def strongest(earlier: np.ndarray, later: np.ndarray, seen: np.ndarray, share: float = STRONGEST_SHARE) -> np.ndarray:
    """The share of the pixels with the largest change vectors."""
    score = change_vector(earlier, later, seen)
    return score > np.quantile(score[seen], 1 - share)


def rough_land(image: np.ndarray) -> np.ndarray:
    """Land cover (row, col) of an image (band, row, col) without labels, by thresholds: only to decide what is planted where."""
    blue, green, red, nir = (gaussian_filter(b, 1.0) for b in image[:4])
    leaves = (nir - red) / np.maximum(nir + red, 1e-3)
    land = np.where(leaves < 0.2, BARE, np.where(leaves > 0.62, TREES, LOW_VEGETATION)).astype(np.uint8)
    land[(green > nir) & (nir < 0.14)] = WATER
    return land


def window(rng: np.random.Generator, rows: int, cols: int) -> tuple[slice, slice]:
    """A window of `WINDOW_PX` anywhere."""
    row, col = int(rng.integers(rows - WINDOW_PX + 1)), int(rng.integers(cols - WINDOW_PX + 1))
    return slice(row, row + WINDOW_PX), slice(col, col + WINDOW_PX)


@dataclass(frozen=True)
class RealPair:
    """Two dates of one window; bands as `ROLES`."""

    earlier: np.ndarray
    later: np.ndarray
    land: np.ndarray
    """Land cover, to decide what is planted where; uint8 (row, col)."""
    doubtful: np.ndarray
    """Says nothing unless something is planted there: not seen, or perhaps really changed; bool (row, col)."""
    roles: tuple[str, ...]


def pair_of_chips(data: Data, one: int, other: int, judged: bool = True) -> RealPair:
    """Two chips of the same ground; one chip with itself gives the same image twice. Not `judged`: what may really
    have changed is not doubtful."""
    seen = (data.clear[one] & data.clear[other]).numpy()
    earlier, later = (data.visible([i])[0].numpy() for i in (one, other))
    doubtful = ~seen
    if judged and one != other and seen.sum() > 100:
        doubtful = doubtful | really_changed(earlier, later, seen) | (data.hand_water[one] != data.hand_water[other]).numpy()
    return RealPair(earlier, later, data.labels[one].numpy(), doubtful, ROLES)


def pair_of_series(series: Series, one: int, other: int, judged: bool = True) -> RealPair:
    """Two dates of a series, whole; `judged` as above."""
    seen = series.seen[one] & series.seen[other]
    present = [ROLES.index(r) for r in series.roles]
    earlier, later = series.reflectance[one], series.reflectance[other]
    views = earlier[present], later[present], seen
    doubtful = (~seen | really_changed(*views) | strongest(*views)) if judged else ~seen
    return RealPair(earlier, later, rough_land(earlier), doubtful, series.roles)


def cut(pair: RealPair, where: tuple[slice, slice]) -> RealPair:
    """The pair in a window."""
    every = (slice(None), *where)
    return RealPair(pair.earlier[every], pair.later[every], pair.land[where], pair.doubtful[where], pair.roles)


def training_pairs(series: Series) -> list[RealPair]:
    """Consecutive dates without the last two."""
    return [pair_of_series(series, n, n + 1) for n in range(len(series.dates) - HELD_OUT_DATES - 1)]
