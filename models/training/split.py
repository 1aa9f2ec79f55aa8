"""Two hold-outs: by identical water mask, and by place.

**By mask**: chips with one and the same hand-made mask never straddle two parts. This leaks. The
masks follow the water of each date, and many chips overlap: by their elevation and land cover,
which do not change with the date, the 306 chips show 65 places only. Most test chips of this
hold-out show ground that training saw on another date, with the same land-cover labels.

**By place**: chips that show any common ground never straddle two parts. Two chips belong to one
place when they share runs of elevation and land cover, at whatever offset.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

import numpy as np

from chips import Chip

RUN_PX = 20
"""Length of a compared run along a row."""
MIN_CHANGES = 8
"""A run must change value this often, so that flat or uniform ground never matches."""
MIN_SHARED_RUNS = 3
PARTS = ("train", "validation", "test_mask", "test_place")


def places(chips: list[Chip]) -> list[int]:
    """Number of the place of each chip (the smallest chip index in its group)."""
    weights = np.random.default_rng(0).integers(1, 2**61, RUN_PX, dtype=np.uint64) | np.uint64(1)
    seen_in: dict[int, set[int]] = defaultdict(set)
    for index, chip in enumerate(chips):
        runs = np.lib.stride_tricks.sliding_window_view(chip.ground.astype(np.uint64), RUN_PX, axis=1)
        telling = (runs[..., 1:] != runs[..., :-1]).sum(2) >= MIN_CHANGES
        for digest in np.unique((runs * weights).sum(2, dtype=np.uint64)[telling]):
            seen_in[int(digest)].add(index)
    shared = Counter(
        (a, b) for owners in seen_in.values() for a in owners for b in owners if a < b
    )
    by_mask: dict[str, int] = {}
    for index, chip in enumerate(chips):
        if chip.hand_water.any() and not chip.hand_water.all():
            first = by_mask.setdefault(chip.mask_digest, index)
            if first != index:
                shared[first, index] = MIN_SHARED_RUNS
    parent = list(range(len(chips)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for (a, b), runs_shared in shared.items():
        if runs_shared >= MIN_SHARED_RUNS:
            low, high = sorted((root(a), root(b)))
            parent[high] = low
    return [root(i) for i in range(len(chips))]


def split(chips: list[Chip], salt: str = "shorewatch-4") -> list[str]:
    """Part of each chip, by hashes only.

    First whole places are held out (`test_place`, and some for `validation`); what is left is
    divided by mask digest. A mask that is all water or has none identifies nothing: there the
    place takes its stead. The four largest places (half of all chips) are never held out whole.
    """
    place = places(chips)
    sizes = Counter(place)
    large = {number for number, _ in sizes.most_common(4)}
    parts = []
    for index, chip in enumerate(chips):
        part = None
        if place[index] not in large:
            drawn = draw(f"{salt}:place:{chips[place[index]].name}")
            part = "test_place" if drawn < 0.36 else "validation" if drawn < 0.42 else None
        if part is None:
            telling = chip.hand_water.any() and not chip.hand_water.all()
            key = chip.mask_digest if telling else f"place {place[index]}"
            drawn = draw(f"{salt}:mask:{key}")
            part = "test_mask" if drawn < 0.20 else "validation" if drawn < 0.26 else "train"
        parts.append(part)
    return parts


def draw(text: str) -> float:
    """A number in [0, 1) from the text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32
