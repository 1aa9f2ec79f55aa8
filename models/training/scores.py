"""Scores on held-out chips: confusion, IoU, calibration, stability, spectral baseline, curves."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

import augment
from chips import BANDS, CLASSES, IGNORE, WATER, Chip

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

BINS = 15
"""Equal-width confidence bins of the expected calibration error."""


@torch.no_grad()
def logits_of(network: torch.nn.Module, chips: list[Chip], bands: tuple[str, ...], samples, change=None) -> Tensor:
    """Logits (chip, class, row, col); obscured pixels are fed as the mean of their band.

    `change`, if given, alters the reflectance before normalisation.
    """
    network.eval()
    order = [BANDS[b] for b in bands]
    out = []
    for start in range(0, len(chips), 16):
        batch = chips[start : start + 16]
        reflectance = torch.from_numpy(np.stack([c.reflectance[order] for c in batch]))
        if change is not None:
            reflectance = change(reflectance)
        clear = torch.from_numpy(np.stack([c.clear for c in batch])).unsqueeze(1)
        out.append(network(torch.where(clear, samples.normalise(reflectance), torch.zeros(()))))
    return torch.cat(out)


def labels_of(chips: list[Chip]) -> Tensor:
    """Labels (chip, row, col)."""
    return torch.from_numpy(np.stack([c.label for c in chips]).astype(np.int64))


def confusion(predicted: Tensor, labels: Tensor) -> np.ndarray:
    """Counts (true class, predicted class) over labelled pixels."""
    known = labels != IGNORE
    joint = labels[known] * len(CLASSES) + predicted[known]
    return torch.bincount(joint, minlength=len(CLASSES) ** 2).view(len(CLASSES), -1).numpy()


def iou(counts: np.ndarray) -> np.ndarray:
    """Intersection over union of each class of a confusion matrix."""
    both = np.diag(counts)
    return both / np.maximum(counts.sum(0) + counts.sum(1) - both, 1)


def mask_iou(predicted: np.ndarray, true: np.ndarray, seen: np.ndarray) -> float:
    """Intersection over union of two masks over the seen pixels."""
    return float((predicted & true & seen).sum() / max(1, ((predicted | true) & seen).sum()))


def calibration_error(logits: Tensor, labels: Tensor, temperature: float) -> float:
    """Expected calibration error of the winning class: sum of bin share x |accuracy - confidence|."""
    known = labels != IGNORE
    confidence, winner = functional.softmax(logits / temperature, 1).max(1)
    confidence, right = confidence[known], (winner == labels)[known].double()
    which = (confidence * BINS).long().clamp(max=BINS - 1)
    size = torch.bincount(which, minlength=BINS).double()
    gap = torch.bincount(which, right, BINS) - torch.bincount(which, confidence.double(), BINS)
    return float((gap.abs() / size.sum()).sum())


def fit_temperature(network, chips: list[Chip], bands, samples) -> float:
    """Temperature with the least negative log-likelihood on the validation chips, by grid search.

    The chips count as they are and under each of `changes`: the model will meet other radiometry.
    """
    views = [None, *changes(bands).values()]
    logits = torch.cat([logits_of(network, chips, bands, samples, change) for change in views])
    labels = labels_of(chips).repeat(len(views), 1, 1)
    known = labels != IGNORE
    logits, labels = logits.permute(0, 2, 3, 1)[known][::7], labels[known][::7]
    candidates = np.geomspace(0.5, 3.0, 73)
    losses = [float(functional.cross_entropy(logits / t, labels)) for t in candidates]
    return round(float(candidates[int(np.argmin(losses))]), 3)


def quick(network, chips: list[Chip], bands, samples) -> dict[str, float]:
    """Mean IoU and water IoU, for the curves."""
    each = iou(confusion(logits_of(network, chips, bands, samples).argmax(1), labels_of(chips)))
    return {"validation_mean_iou": each.mean(), "validation_water_iou": each[WATER]}


def water_index(chips: list[Chip], first: str, second: str) -> np.ndarray:
    """Mask of a positive normalised difference (first - second) / (first + second)."""
    return np.stack([c.reflectance[BANDS[first]] > c.reflectance[BANDS[second]] for c in chips])


def changes(bands: tuple[str, ...]) -> dict:
    """Small disturbances that leave the ground as it is, as functions of reflectance."""
    airlight = torch.tensor([augment.AIRLIGHT[b] for b in bands]).view(1, -1, 1, 1)
    tilt = torch.linspace(0.95, 1.05, len(bands)).view(1, -1, 1, 1)

    def half_pixel(r: Tensor) -> Tensor:
        return functional.avg_pool2d(functional.pad(r, (0, 1, 0, 1), mode="replicate"), 2, 1)

    return {
        "gain_plus_15_percent": lambda r: r * 1.15,
        "gain_minus_15_percent": lambda r: r * 0.85,
        "offset_plus_0.01": lambda r: r + 0.01,
        "bands_tilted_5_percent": lambda r: r * tilt,
        "haze_15_percent": lambda r: r * 0.85 + 0.15 * airlight,
        "gamma_0.85": lambda r: 0.25 * (r.clamp(min=1e-4) / 0.25) ** 0.85,
        "shift_half_a_pixel": half_pixel,
    }


def full(network, chips: list[Chip], bands, samples, temperature: float) -> dict:
    """Every score of the model card, on the test chips."""
    logits, labels = logits_of(network, chips, bands, samples), labels_of(chips)
    winner = logits.argmax(1)
    counts = confusion(winner, labels)
    each = iou(counts)
    hand = np.stack([c.hand_water for c in chips])
    clear = np.stack([c.clear for c in chips])
    known = (labels != IGNORE).numpy()
    water = (winner == WATER).numpy()
    baselines = {"ndwi_green_nir": ("green", "nir"), "mndwi_green_swir1": ("green", "swir1")}
    before = functional.softmax(logits / temperature, 1)
    stability = {}
    for name, change in changes(bands).items():
        after = functional.softmax(logits_of(network, chips, bands, samples, change) / temperature, 1)
        stability[name] = {
            "class_changed": float((after.argmax(1) != winner)[torch.from_numpy(clear)].float().mean()),
            "mean_probability_moved": float(0.5 * (after - before).abs().sum(1)[torch.from_numpy(clear)].mean()),
        }
    return {
        "test_chips": len(chips),
        "test_pixels": int(known.sum()),
        "overall_accuracy": float(np.diag(counts).sum() / counts.sum()),
        "mean_iou": float(each.mean()),
        "iou_by_class": dict(zip(CLASSES, map(float, each))),
        "confusion_true_by_predicted": counts.tolist(),
        "water_iou": float(each[WATER]),
        "water_iou_hand_masks_all_clear_pixels": mask_iou(water, hand, clear),
        "baseline_water_iou": {k: mask_iou(water_index(chips, *v), hand, known) for k, v in baselines.items()},
        "baseline_water_iou_hand_masks_all_clear_pixels": {
            k: mask_iou(water_index(chips, *v), hand, clear) for k, v in baselines.items()
        },
        "temperature": temperature,
        "expected_calibration_error_before": calibration_error(logits, labels, 1.0),
        "expected_calibration_error": calibration_error(logits, labels, temperature),
        "stability": stability,
    }


def as_text(report: dict) -> str:
    """The report for a terminal."""
    lines = [f"test: {report['test_chips']} chips, {report['test_pixels']} labelled pixels"]
    lines += [f"accuracy {report['overall_accuracy']:.3f}  mean IoU {report['mean_iou']:.3f}"]
    lines += ["IoU " + "  ".join(f"{k} {v:.3f}" for k, v in report["iou_by_class"].items())]
    lines += [f"water IoU, hand masks, every clear pixel: {report['water_iou_hand_masks_all_clear_pixels']:.3f}"]
    lines += [f"baselines on labelled pixels {report['baseline_water_iou']}"]
    lines += [f"baselines on clear pixels {report['baseline_water_iou_hand_masks_all_clear_pixels']}"]
    lines += [
        f"calibration error {report['expected_calibration_error_before']:.4f} -> "
        f"{report['expected_calibration_error']:.4f} at temperature {report['temperature']}"
    ]
    lines += ["confusion (rows: true, columns: predicted)"]
    lines += ["  ".join(f"{n:8d}" for n in row) for row in report["confusion_true_by_predicted"]]
    for name, s in report["stability"].items():
        lines.append(f"{name:24s} class changed {s['class_changed']:.3%}, probability moved {s['mean_probability_moved']:.4f}")
    return "\n".join(lines)


def draw_curves(history: list[dict], path: Path) -> None:
    """Loss, divergence and validation IoU over the steps, as a PNG."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4))
    steps = [h["step"] for h in history]
    for axis, keys in ((left, ("loss", "divergence")), (right, ("validation_mean_iou", "validation_water_iou"))):
        for key in keys:
            axis.plot(steps, [h[key] for h in history], label=key.replace("_", " "))
        axis.set_xlabel("step")
        axis.legend()
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)
