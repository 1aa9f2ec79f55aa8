"""All chips in memory as arrays, with their parts and the figures of the normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from chips import BANDS, BARE, BUILT_UP, IGNORE, WATER, Chip, read_chips
from classes import ROLES
from split import places, split


@dataclass(frozen=True)
class Data:
    """Chips as tensors; chip is the first axis everywhere."""

    names: list[str]
    parts: np.ndarray
    place: np.ndarray
    reflectance: Tensor
    """float32 (chip, band, row, col), bands as `ROLES`; not cleaned of clouds."""
    labels: Tensor
    """uint8 (chip, row, col), `IGNORE` where nothing is known."""
    hand_water: Tensor
    clear: Tensor
    mean: Tensor
    deviation: Tensor

    def index(self, *parts: str) -> np.ndarray:
        """Chips of the parts, in order."""
        return np.flatnonzero(np.isin(self.parts, parts))

    def visible(self, chosen) -> Tensor:
        """Reflectance of the chosen chips with the mean of the band wherever a pixel is not clear."""
        return torch.where(self.clear[chosen].unsqueeze(1), self.reflectance[chosen], self.mean.view(1, -1, 1, 1))

    def normalise(self, reflectance: Tensor) -> Tensor:
        """Subtracts the mean and divides by the deviation of each band."""
        return (reflectance - self.mean.view(1, -1, 1, 1)) / self.deviation.view(1, -1, 1, 1)


def chips_folder(data: Path) -> Path:
    """The folder of chips, given it or the folder above it."""
    return data / "worldcover-chips" if (data / "worldcover-chips").is_dir() else data


def load(data: Path) -> Data:
    """Reads every chip; mean and deviation come from the clear training pixels."""
    chips: list[Chip] = read_chips(chips_folder(data))
    order = [BANDS[role] for role in ROLES]
    parts, place = np.array(split(chips)), np.array(places(chips))
    reflectance = torch.from_numpy(np.stack([c.reflectance[order] for c in chips]))
    clear = torch.from_numpy(np.stack([c.clear for c in chips]))
    train = np.flatnonzero(parts == "train")
    pixels = reflectance[train].permute(1, 0, 2, 3)[:, clear[train]]
    return Data(
        names=[c.name for c in chips],
        parts=parts,
        place=place,
        reflectance=reflectance,
        labels=torch.from_numpy(np.stack([c.label for c in chips])),
        hand_water=torch.from_numpy(np.stack([c.hand_water for c in chips])),
        clear=clear,
        mean=pixels.mean(1),
        deviation=pixels.std(1),
    )


def chance_of_drawing(data: Data, chosen: np.ndarray) -> Tensor:
    """How often each training chip is drawn: chips of often-seen places less, with rare classes more."""
    times_seen = torch.tensor([float((data.place[chosen] == data.place[i]).sum()) for i in chosen])
    labels = data.labels[chosen]
    rare = sum(((labels == k).float().mean((1, 2)) / 0.1).clamp(max=1.0) for k in (WATER, BUILT_UP, BARE))
    known = (labels != IGNORE).float().mean((1, 2))
    return times_seen**-0.25 * (1 + 1.0 * rare) * known.clamp(min=0.2)
