"""Calibration of a head: a temperature and a bias for each class, fitted on validation chips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from chips import IGNORE
from metrics import calibration_error, confusion, iou, probabilities_of

BIAS_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much of the fitted bias is tried."""
LARGEST_ERROR = 0.02
"""Calibration error on validation that a share of the bias may have, if any share stays below it."""
NO_BETTER = 0.002
"""A calibration error that is smaller by less than this is no reason for more numbers."""


@dataclass(frozen=True)
class Calibration:
    """probabilities = softmax(logits / temperature + bias)."""

    temperature: float
    bias: tuple[float, ...]

    def probabilities(self, logits: Tensor) -> Tensor:
        """Probabilities over axis 1."""
        return probabilities_of(logits, self.temperature, torch.tensor(self.bias))


def fit_by_likelihood(logits: Tensor, labels: Tensor, bias: Tensor | None) -> tuple[float, Tensor]:
    """Temperature (and bias, unless given) with the least negative log-likelihood; logits (pixel, class)."""
    log_temperature = torch.zeros(1, requires_grad=True)
    free = torch.zeros(logits.shape[1], requires_grad=bias is None)
    parameters = [log_temperature] + ([free] if bias is None else [])
    optimiser = torch.optim.LBFGS(parameters, max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = functional.cross_entropy(logits / log_temperature.exp() + (free if bias is None else bias), labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    fitted = (free if bias is None else bias).detach()
    return float(log_temperature.exp().detach()), fitted - fitted.mean()


def fit(
    logits: Tensor, labels: Tensor, step: int = 11, shifts: tuple[float, ...] = (0.0,),
    simplest: bool = False,
) -> Calibration:
    """Calibration from logits (image, class, row, col) and labels (image, row, col).

    The likeliest bias favours frequent classes, and costs the rare ones their intersection over
    union. So parts of it are tried, and `shifts` of the first class, each with its own temperature; of those
    whose calibration error on these pixels is small, the one with the best mean IoU is kept.
    """
    known = labels != IGNORE
    flat, truth = logits.permute(0, 2, 3, 1)[known][::step], labels[known][::step].long()
    _, bias = fit_by_likelihood(flat, truth, None)
    tried = []
    first = torch.eye(logits.shape[1])[0]
    for part in (share * bias + shift * first for share in BIAS_SHARES for shift in shifts):
        temperature, _ = fit_by_likelihood(flat, truth, part)
        probabilities = probabilities_of(flat, temperature, part)
        error = calibration_error(probabilities, truth)
        mean_iou = float(np.nanmean(iou(confusion(probabilities.argmax(1), truth, logits.shape[1]))))
        tried.append((error, mean_iou, temperature, part))
    if simplest:
        least = min(t[0] for t in tried)
        _, _, temperature, bias = next(t for t in tried if t[0] <= least + NO_BETTER)
        return Calibration(round(temperature, 4), tuple(round(float(b), 4) for b in bias))
    good = [t for t in tried if t[0] <= LARGEST_ERROR] or [min(tried, key=lambda t: t[0])]
    _, _, temperature, bias = max(good, key=lambda t: t[1])
    return Calibration(round(temperature, 4), tuple(round(float(b), 4) for b in bias))
