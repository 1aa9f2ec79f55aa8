"""Hold-out by place: chips that show any common ground never straddle two parts.

Grouping by identical water masks is not enough. The masks follow the water of each date, and
many chips overlap: by their elevation and land cover, which do not change with the date, the 306
chips show about 70 places only. Two chips belong to one place when they share runs of elevation
and land cover, at whatever offset.
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
PARTS = ("train", "validation", "test")


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


def split(chips: list[Chip], salt: str = "shorewatch-1") -> list[str]:
    """Part of each chip: about 65 % train, 10 % validation, 25 % test, by a hash of the place.

    The largest place (a fifth of all chips) is always trained on: held out, it would be most of
    the score.
    """
    place = places(chips)
    largest = Counter(place).most_common(1)[0][0]
    part_of = {}
    for number in sorted(set(place)):
        draw = hashlib.sha256(f"{salt}:{chips[number].name}".encode()).digest()[0] / 256
        part_of[number] = "test" if draw < 0.30 else "validation" if draw < 0.42 else "train"
    part_of[largest] = "train"
    return [part_of[number] for number in place]
