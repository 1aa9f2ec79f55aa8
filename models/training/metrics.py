"""Figures of merit: confusion, intersection over union, calibration error, objects found."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import label as connected
from torch import Tensor
from torch.nn import functional

from chips import IGNORE
from classes import NO_OBJECT

BINS = 15
"""Equal-width confidence bins of the expected calibration error."""
OBJECT_MIN_PX = 25
EIGHT_NEIGHBOURS = np.ones((3, 3), int)


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> np.ndarray:
    """Counts (true class, predicted class) over the known pixels."""
    known = labels != IGNORE
    joint = labels[known].long() * classes + predicted[known].long()
    return torch.bincount(joint, minlength=classes**2).view(classes, classes).numpy()


def iou(counts: np.ndarray) -> np.ndarray:
    """Intersection over union of each class of a confusion matrix; NaN for a class that never occurs."""
    both = np.diag(counts).astype(float)
    either = counts.sum(0) + counts.sum(1) - both
    return np.where(counts.sum(1) > 0, both / np.maximum(either, 1), np.nan)


def mask_iou(predicted: np.ndarray, true: np.ndarray, seen: np.ndarray) -> float:
    """Intersection over union of two masks over the seen pixels."""
    return float((predicted & true & seen).sum() / max(1, ((predicted | true) & seen).sum()))


def reliability(probabilities: Tensor, labels: Tensor) -> list[tuple[int, float, float]]:
    """Pixels, mean confidence and accuracy of the winning class in each confidence bin; class is axis 1."""
    known = labels != IGNORE
    confidence, winner = probabilities.max(1)
    confidence, right = confidence[known].double(), (winner == labels)[known].double()
    which = (confidence * BINS).long().clamp(max=BINS - 1)
    size = torch.bincount(which, minlength=BINS).double()
    sums = [torch.bincount(which, v, BINS) / size.clamp(min=1) for v in (confidence, right)]
    return [(int(n), float(c), float(a)) for n, c, a in zip(size, *sums)]


def calibration_error(probabilities: Tensor, labels: Tensor) -> float:
    """Expected calibration error: sum over the bins of their share x |accuracy - confidence|."""
    bins = reliability(probabilities, labels)
    total = max(1, sum(n for n, _, _ in bins))
    return sum(n / total * abs(a - c) for n, c, a in bins)


def probabilities_of(logits: Tensor, temperature: float, bias: Tensor) -> Tensor:
    """softmax(logits / temperature + bias) over axis 1."""
    return functional.softmax(logits / temperature + bias.view(1, -1, *(1,) * (logits.dim() - 2)), 1)


def objects_found(winner: np.ndarray, truth: np.ndarray, smallest: int = OBJECT_MIN_PX) -> dict[str, int]:
    """Counts over images (image, row, col) of object classes.

    An object is a connected patch of one kind; it is found if at least half of its pixels carry any
    object class, and named if most of these carry its own. A finding is a connected patch of any
    object class; it is right if at least half of its known pixels lie on objects. Both count
    from `smallest` px on; patches that lie on unknown pixels by more than half are left out.
    """
    counts = {"objects": 0, "found": 0, "named": 0, "findings": 0, "right": 0}
    for predicted, true in zip(winner, truth):
        is_object, known, called = (true != NO_OBJECT) & (true != IGNORE), true != IGNORE, predicted != NO_OBJECT
        for kind in np.unique(true[is_object]):
            size, hit, own = by_patch(true == kind, called, predicted == kind)
            found = (size >= smallest) & (hit >= 0.5 * size)
            counts["objects"] += int((size >= smallest).sum())
            counts["found"] += int(found.sum())
            counts["named"] += int((found & (own > 0.5 * hit)).sum())
        size, seen, right = by_patch(called, known, is_object)
        counted = (size >= smallest) & (seen > 0.5 * size)
        counts["findings"] += int(counted.sum())
        counts["right"] += int((counted & (right >= 0.5 * seen)).sum())
    return counts


def by_patch(mask: np.ndarray, *flags: np.ndarray) -> list[np.ndarray]:
    """Of each connected patch of the mask: its pixels, then those of them that carry each flag."""
    patches, number = connected(mask, EIGHT_NEIGHBOURS)
    flat = patches.ravel()
    return [np.bincount(flat, w, number + 1)[1:] for w in (None, *(f.ravel() for f in flags))]


def objects_of(probabilities: Tensor) -> Tensor:
    """Kind of each pixel (image, row, col): the likeliest one where any object is likelier than none, else 0."""
    kind = probabilities[:, 1:].argmax(1) + 1
    return torch.where(probabilities[:, NO_OBJECT] < 0.5, kind, torch.zeros_like(kind))


def recall_and_precision(counts: dict[str, int]) -> tuple[float, float]:
    """Found objects over objects, right findings over findings."""
    return counts["found"] / max(1, counts["objects"]), counts["right"] / max(1, counts["findings"])
