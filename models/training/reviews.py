"""Reviewed patches as training chips, as `shorewatch labels export` writes them.

A folder with `labels.json`, a list of
`{"chip": "x.tif", "mask": "x.mask.tif", "head": "object", "weight": 1.0, "verdict": "confirmed",
"patch_id": "...", "bands": ["green", "red", "nir"]}`: the chip is float32 reflectance (band, row, col),
the mask uint8 (row, col) with class ids of the head counted from 0, and 255 where nothing is said. Ground that the pass
did not observe is NaN in every band, and says nothing whatever its mask holds. Further keys (where the chip came from)
are not read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
import torch
from torch import Tensor

from chips import IGNORE
from classes import HEADS, ROLES

HELD_BACK_SHARE = 0.2
"""Share of the patches, by a hash of their id, that fine-tuning only scores."""


@dataclass(frozen=True)
class Review:
    """One reviewed chip: reflectance (band of `ROLES`, row, col), NaN in bands it lacks and where unobserved; mask (row, col)."""

    patch_id: str
    head: str
    weight: float
    reflectance: np.ndarray
    mask: np.ndarray

    @property
    def held_back(self) -> bool:
        """Whether fine-tuning must not see it."""
        return hashlib.sha256(f"review:{self.patch_id}".encode()).digest()[0] / 256 < HELD_BACK_SHARE


def read(folder: Path) -> list[Review]:
    """Every review of the folder; all that is wrong with them is reported at once."""
    listing = folder / "labels.json"
    if not listing.exists():
        raise FileNotFoundError(f"{listing}: no such file; write the folder with `shorewatch labels export`")
    reviews, faults = [], []
    for number, entry in enumerate(json.loads(listing.read_text())):
        try:
            reviews.append(one(folder, entry))
        except (KeyError, ValueError, OSError) as fault:
            faults.append(f"entry {number}: {fault}")
    if faults:
        raise ValueError(f"{listing}: " + "; ".join(faults))
    if not reviews:
        raise ValueError(f"{listing}: no reviews in it; nothing to learn")
    return reviews


def one(folder: Path, entry: dict) -> Review:
    """Reads and checks one entry."""
    head, roles = entry["head"], entry["bands"]
    if head not in HEADS:
        raise ValueError(f"head {head!r}, expected one of {', '.join(HEADS)}")
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise ValueError(f"bands {unknown}, expected some of {', '.join(ROLES)}")
    chip, mask = tifffile.imread(folder / entry["chip"]), tifffile.imread(folder / entry["mask"])
    if chip.ndim == 2:
        chip = chip[None]
    if chip.shape[0] != len(roles) or chip.shape[1:] != mask.shape:
        raise ValueError(f"{entry['chip']}: expected shape ({len(roles)}, {mask.shape[0]}, {mask.shape[1]}), got {chip.shape}")
    wrong = set(np.unique(mask).tolist()) - set(range(len(HEADS[head]))) - {IGNORE}
    if wrong:
        raise ValueError(f"{entry['mask']}: class ids {sorted(wrong)}, the head {head} has 0 to {len(HEADS[head]) - 1}")
    if not entry["weight"] >= 0:
        raise ValueError(f"weight {entry['weight']}, expected 0 or more")
    reflectance = np.full((len(ROLES), *mask.shape), np.nan, np.float32)
    for role, band in zip(roles, chip):
        reflectance[ROLES.index(role)] = band
    if np.isinf(reflectance).any():
        raise ValueError(f"{entry['chip']}: infinite reflectance, expected numbers, and NaN where nothing was observed")
    unobserved = np.isnan(reflectance).all(0)
    labels = np.where(unobserved, IGNORE, mask).astype(np.uint8)
    return Review(entry["patch_id"], head, float(entry["weight"]), reflectance, labels)


def window(review: Review, side: int, row: int, col: int) -> tuple[Tensor, Tensor]:
    """`side` x `side` px from row, col on: reflectance and mask; NaN and `IGNORE` beyond the chip."""
    reflectance = torch.full((len(ROLES), side, side), float("nan"))
    mask = torch.full((side, side), IGNORE, dtype=torch.uint8)
    part = torch.from_numpy(review.reflectance[:, row : row + side, col : col + side])
    reflectance[:, : part.shape[1], : part.shape[2]] = part
    mask[: part.shape[1], : part.shape[2]] = torch.from_numpy(review.mask[row : row + side, col : col + side])
    return reflectance, mask
