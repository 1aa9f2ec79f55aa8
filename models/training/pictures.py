"""Pictures of the run and of the card. None of them contains imagery."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

from chips import CLASSES, IGNORE

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402
from PIL import Image  # noqa: E402

from bundle import APPEARANCE  # noqa: E402


def curves(history: list[dict], path: Path) -> None:
    """Losses and validation figures over the steps, as a PNG."""
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 3.6))
    groups = (
        ("land_cover_loss", "object_loss"),
        ("mean_iou_six_bands", "mean_iou_red_green_blue"),
        ("object_recall", "object_precision"),
    )
    for axis, keys in zip(axes, groups):
        for key in keys:
            known = [h for h in history if key in h]  # fine-tuning looks at no validation chips meanwhile
            axis.plot([h["step"] for h in known], [h[key] for h in known], label=key.replace("_", " "))
        axis.set_xlabel("step")
        axis.legend()
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def reliability(bins: list[tuple[int, float, float]], path: Path) -> None:
    """Accuracy over confidence, and how many pixels lie in each bin, as a PNG."""
    figure, (upper, lower) = pyplot.subplots(2, 1, figsize=(4, 5), sharex=True, height_ratios=(3, 1))
    used = [b for b in bins if b[0] > 0]
    upper.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    upper.plot([b[1] for b in used], [b[2] for b in used], marker="o")
    upper.set_ylabel("accuracy")
    lower.bar([b[1] for b in used], [b[0] for b in used], width=0.05)
    lower.set_xlabel("confidence")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def palette() -> np.ndarray:
    """Colour of each land-cover class, black where nothing is known; uint8 (256, 3)."""
    colours = np.zeros((256, 3), np.uint8)
    for number, name in enumerate(CLASSES):
        colours[number] = [int(APPEARANCE[name][1][i : i + 2], 16) for i in (1, 3, 5)]
    return colours


def class_maps(predicted: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Rows of predicted classes, labels, and where they differ (white); a PNG of few colours."""
    colours = palette()
    wrong = np.where((predicted != labels) & (labels != IGNORE), 255, 40).astype(np.uint8)
    gap = 4
    rows = []
    for strip in (colours[predicted], colours[labels], np.repeat(wrong[..., None], 3, -1)):
        rows.append(np.concatenate([np.pad(t, ((0, gap), (0, gap), (0, 0)), constant_values=255) for t in strip], 1))
    Image.fromarray(np.concatenate(rows)).quantize(16).save(path, optimize=True)


def disputed_masks(hand: np.ndarray, disputed: np.ndarray, predicted_water: np.ndarray, path: Path) -> None:
    """Hand-made water that the network shares (blue), that it does not (red where no witness speaks for water,
    orange elsewhere), and water of the network alone (cyan); a PNG of few colours."""
    colours = np.array([(235, 235, 235), (43, 108, 176), (237, 137, 54), (197, 48, 48), (118, 228, 247)], np.uint8)
    code = np.zeros(hand.shape, np.uint8)
    code[hand & predicted_water] = 1
    code[hand & ~predicted_water] = 2
    code[hand & ~predicted_water & disputed] = 3
    code[~hand & predicted_water] = 4
    tiles = [np.pad(colours[t], ((0, 4), (0, 4), (0, 0)), constant_values=255) for t in code]
    half = (len(tiles) + 1) // 2
    rows = [np.concatenate(tiles[:half], 1), np.concatenate(tiles[half : 2 * half], 1)]
    Image.fromarray(np.concatenate(rows)).quantize(8).save(path, optimize=True)


def agreement(called: np.ndarray, labelled: np.ndarray, known: np.ndarray, path: Path) -> None:
    """Where one class is both called and labelled (green), labelled only (red), called only (blue); unknown pixels are white.
    Masks (image, row, col) side by side, as a PNG."""
    tiles = np.full((*called.shape, 3), 225, np.uint8)
    tiles[called & labelled] = (20, 120, 40)
    tiles[labelled & ~called] = (200, 30, 30)
    tiles[called & ~labelled] = (40, 60, 210)
    tiles[~known] = 255
    gap = np.full((tiles.shape[1], 4, 3), 255, np.uint8)
    row = np.hstack([part for tile in tiles for part in (tile, gap)][:-1])
    Image.fromarray(row.repeat(2, 0).repeat(2, 1)).save(path)
