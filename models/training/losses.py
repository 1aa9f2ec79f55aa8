"""Loss of both heads: weighted cross-entropy with smoothed labels, and the overlap it leaves out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from chips import CLASSES, IGNORE
from classes import NO_OBJECT, OBJECT, head_slice

LABEL_SMOOTHING = 0.04
"""Share of each label that is given to all classes alike: the labels are noisy."""
OBJECT_WEIGHT = 3.0
"""Weight of an object pixel in cross-entropy; ground has 1."""


def class_weights(labels: Tensor, balance: float) -> Tensor:
    """Weight of each land-cover class, frequency ** -balance, one on average over the pixels; about one if absent."""
    counts = torch.bincount(labels[labels != IGNORE].long().view(-1), minlength=len(CLASSES)).float()
    weights = (counts.clamp(min=1) / counts.sum()) ** -balance
    weights[counts == 0] = 1.0
    return weights * counts.sum() / (weights * counts).sum()


def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor, sample_weights: Tensor, smoothing: float) -> Tensor:
    """Mean over the known pixels, weighted by class and by image."""
    known = (labels != IGNORE).float()
    each = functional.cross_entropy(
        logits, labels, weight=weights, ignore_index=IGNORE, label_smoothing=smoothing, reduction="none"
    )
    share = known * sample_weights.view(-1, 1, 1)
    return (each * share).sum() / (share * weights[labels.clamp(max=len(weights) - 1)]).sum().clamp(min=1)


def overlap_loss(probabilities: Tensor, labels: Tensor) -> Tensor:
    """One minus the soft intersection over union of each class of the batch, mean over the classes present."""
    known = (labels != IGNORE).unsqueeze(1)
    true = functional.one_hot(labels.where(labels != IGNORE, 0), probabilities.shape[1]).permute(0, 3, 1, 2) * known
    probabilities = probabilities * known
    both = (probabilities * true).sum((0, 2, 3))
    either = (probabilities + true).sum((0, 2, 3)) - both
    present = true.sum((0, 2, 3)) > 0
    return (1 - both / either.clamp(min=1))[present].mean()


def distance(logits: Tensor, taught: Tensor, labels: Tensor, head: slice) -> Tensor:
    """Cross-entropy of one head to what a teacher says (Hinton et al. 2015, at temperature 1), mean over the labelled pixels."""
    known = (labels != IGNORE).float()
    each = -(functional.softmax(taught[:, head], 1) * functional.log_softmax(logits[:, head], 1)).sum(1)
    return (each * known).sum() / known.sum().clamp(min=1)


def loss_of(
    logits: Tensor, land: Tensor, objects: Tensor, weights: Tensor, sample_weights: Tensor, object_smoothing: float
) -> tuple[Tensor, Tensor]:
    """Losses of the land-cover head and of the object head."""
    cover, things = logits[:, head_slice("land_cover")], logits[:, head_slice("object")]
    land_loss = cross_entropy(cover, land, weights, sample_weights, LABEL_SMOOTHING) + 0.5 * overlap_loss(functional.softmax(cover, 1), land)
    object_weights = torch.full((len(OBJECT),), OBJECT_WEIGHT, device=logits.device)
    object_weights[NO_OBJECT] = 1.0
    any_object = 1 - functional.softmax(things, 1)[:, :1]
    is_object = torch.where(objects == IGNORE, IGNORE, (objects != NO_OBJECT).long())
    found = overlap_loss(torch.cat([1 - any_object, any_object], 1), is_object)
    return land_loss, cross_entropy(things, objects, object_weights, sample_weights, object_smoothing) + 0.5 * found
