"""Every score of the card: land cover by hold-out, sensor simulations, objects, calibration, baselines."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import binary_dilation
from torch import Tensor

import baselines
import calibration
from calibration import Calibration
from chips import BUILT_UP, CLASSES, IGNORE, WATER
from classes import BAND_SETS, OBJECT, head_slice
from compose import compose
from data import Data
from metrics import calibration_error, confusion, iou, mask_iou, objects_found, objects_of, recall_and_precision, reliability
from sensors import SIMULATIONS, keep_bands
from textures import Sources

LAND, THINGS = head_slice("land_cover"), head_slice("object")
COMPOSITES_PER_CHIP = 2
GROUND_SHIFTS = (0.0, -0.4, -0.8, -1.2)
"""What may be added to the bias of `no_object`, which cross-entropy favours: most pixels are ground."""
SPARE = 4
"""Simulations with finer pixels are scored on every so many-eth chip: they have many pixels."""
SIZE_LIMITS_PX = (4, 9, 25, 100, 401)


@torch.no_grad()
def logits_of(network, bands: Tensor, head: slice) -> Tensor:
    """Logits (image, class, row, col) of one head."""
    return torch.cat([network(part)[:, head] for part in bands.split(16)])


def holdouts(data: Data) -> dict[str, np.ndarray]:
    """Chips of each hold-out: by mask hash, and its two halves by whether training saw the place."""
    by_mask, by_place = data.index("test_mask"), data.index("test_place")
    seen = np.isin(data.place, data.place[data.index("train")])
    return {
        "by_mask": by_mask,
        "by_mask_place_seen": by_mask[seen[by_mask]],
        "unseen_places": np.sort(np.concatenate([by_place, by_mask[~seen[by_mask]]])),
    }


def composites(data: Data, chosen: np.ndarray, sources: Sources, seed: int) -> tuple[Tensor, np.ndarray]:
    """Painted reflectance (image, band, row, col) and object labels (image, row, col)."""
    rng = np.random.default_rng(seed)
    made = []
    for index in np.repeat(chosen, COMPOSITES_PER_CHIP):
        other = data.visible([int(rng.choice(chosen))])[0].numpy()
        made.append(compose(data.visible([int(index)])[0].numpy(), data.labels[int(index)].numpy(), other, sources, rng))
    return torch.from_numpy(np.stack([m[0] for m in made])), np.stack([m[2] for m in made])


def calibrate(network, data: Data, painted: Sources) -> dict[str, Calibration]:
    """Both heads, on the validation chips under every set of bands, plain and with haze and gain."""
    chosen = data.index("validation")
    plain, labels = data.visible(chosen), data.labels[chosen]
    views = [(plain, roles) for roles in BAND_SETS.values()]
    views += [(SIMULATIONS[name][0](plain), BAND_SETS["six_bands"]) for name in ("haze 20 %", "gain +15 %")]
    logits = torch.cat([logits_of(network, keep_bands(data.normalise(r), roles), LAND)[:, :, ::2] for r, roles in views])
    # the temperature alone, unless a bias makes the probabilities truer: it moves the border between classes as well
    land = calibration.fit(logits, labels[:, ::2].repeat(len(views), 1, 1), simplest=True)
    images, truth = composites(data, chosen, painted, seed=6)
    logits = torch.cat([logits_of(network, keep_bands(data.normalise(images), roles), THINGS) for roles in BAND_SETS.values()])
    things = calibration.fit(logits, torch.from_numpy(truth).repeat(len(BAND_SETS), 1, 1), shifts=GROUND_SHIFTS)
    return {"land_cover": land, "object": things}


def land_cover(network, data: Data, chosen: np.ndarray, fitted: Calibration) -> dict:
    """Scores of the land-cover head with six bands on one hold-out."""
    logits, labels = logits_of(network, data.normalise(data.visible(chosen)), LAND), data.labels[chosen]
    probabilities = fitted.probabilities(logits)
    winner = probabilities.argmax(1)
    counts = confusion(winner, labels, len(CLASSES))
    each = iou(counts)
    hand, clear, known = data.hand_water[chosen].numpy(), data.clear[chosen].numpy(), (labels != IGNORE).numpy()
    water, index = (winner == WATER).numpy(), baselines.mndwi(data, chosen)
    everything = np.ones_like(clear)
    return {
        "chips": len(chosen),
        "places": len(set(data.place[chosen].tolist())),
        "pixels": int(known.sum()),
        "accuracy": float(np.diag(counts).sum() / counts.sum()),
        "mean_iou": float(np.nanmean(each)),
        "mean_iou_uncalibrated": float(np.nanmean(iou(confusion(logits.argmax(1), labels, len(CLASSES))))),
        "iou_by_class": dict(zip(CLASSES, map(float, each))),
        "precision_by_class": dict(zip(CLASSES, map(float, np.diag(counts) / np.maximum(counts.sum(0), 1)))),
        "recall_by_class": dict(zip(CLASSES, map(float, np.diag(counts) / np.maximum(counts.sum(1), 1)))),
        "confusion_true_by_predicted": counts.tolist(),
        "water_iou_labelled_pixels": mask_iou(water, hand, known),
        "water_iou_clear_pixels": mask_iou(water, hand, clear),
        "water_iou_all_pixels": mask_iou(water, hand, everything),
        "mndwi_labelled_pixels": mask_iou(index, hand, known),
        "mndwi_clear_pixels": mask_iou(index, hand, clear),
        "mndwi_all_pixels": mask_iou(index, hand, everything),
        "built_up_within_1_px": within_one_pixel(winner.numpy() == BUILT_UP, labels.numpy() == BUILT_UP, known),
        "disputed_share_of_hand_water": float((hand & clear & ~known).sum() / max(1, (hand & clear).sum())),
        "disputed_called_water": float((water & hand & clear & ~known).sum() / max(1, (hand & clear & ~known).sum())),
        "calibration_error_before": calibration_error(logits.softmax(1), labels),
        "calibration_error": calibration_error(probabilities, labels),
        "reliability": reliability(probabilities, labels),
    }


def within_one_pixel(called: np.ndarray, labelled: np.ndarray, known: np.ndarray) -> dict[str, float]:
    """Precision and recall of masks (image, row, col) that may be off by a pixel in any direction."""
    around = np.ones((1, 3, 3), bool)
    called = called & known
    return {
        "precision": float((binary_dilation(labelled, around) & called).sum() / max(1, called.sum())),
        "recall": float((binary_dilation(called, around) & labelled).sum() / max(1, labelled.sum())),
    }


def sensor_table(network, data: Data, chosen: np.ndarray, fitted: Calibration, names=tuple(SIMULATIONS)) -> dict:
    """Mean IoU, water IoU (labelled pixels) and calibration error by simulation and set of bands."""
    table = {}
    for name in names:
        change, relabel = SIMULATIONS[name]
        some = chosen[::SPARE] if name.startswith("10 m") else chosen
        bands, truth = data.normalise(change(data.visible(some))), relabel(data.labels[some])
        for set_name, roles in BAND_SETS.items():
            probabilities = fitted.probabilities(logits_of(network, keep_bands(bands, roles), LAND))
            each = iou(confusion(probabilities.argmax(1), truth, len(CLASSES)))
            table.setdefault(name, {})[set_name] = {
                "mean_iou": float(np.nanmean(each)), "water_iou": float(each[WATER]),
                "calibration_error": calibration_error(probabilities, truth),
            }
    return table


def objects(network, data: Data, chosen: np.ndarray, held: Sources, fitted: Calibration) -> dict:
    """Objects of held-out sources on held-out chips: recall and precision, by size, kind and set of bands."""
    images, truth = composites(data, chosen, held, seed=7)
    normalised = data.normalise(images)
    labels = torch.from_numpy(truth)
    report = {"images": len(images), "by_band_set": {}}
    for name, roles in BAND_SETS.items():
        logits = logits_of(network, keep_bands(normalised, roles), THINGS)
        probabilities = fitted.probabilities(logits)
        winner = objects_of(probabilities).numpy()
        counts = objects_found(winner, truth)
        recall, precision = recall_and_precision(counts)
        row = {**counts, "recall": recall, "precision": precision, "named": counts["named"] / max(1, counts["found"])}
        row["calibration_error_before"] = calibration_error(logits.softmax(1), labels)
        row["calibration_error"] = calibration_error(probabilities, labels)
        report["by_band_set"][name] = row
        if name != "six_bands":
            continue
        counts = confusion(torch.from_numpy(winner), labels, len(OBJECT))
        report["pixel_iou_by_kind"] = dict(zip(OBJECT, map(float, iou(counts))))
        report["confusion_true_by_predicted"] = counts.tolist()
        report["by_size_px"] = {}
        for low, high in zip(SIZE_LIMITS_PX, SIZE_LIMITS_PX[1:]):
            # Objects of one size alone: the others say nothing.
            part = objects_found(winner, truth, low)
            above = objects_found(winner, truth, high)
            n, found = part["objects"] - above["objects"], part["found"] - above["found"]
            report["by_size_px"][f"{low}-{high - 1}"] = {"objects": n, "recall": found / max(1, n)}
        report["recall_by_kind"] = {}
        for kind, kind_name in enumerate(OBJECT[1:], 1):
            only = np.where((truth == kind) | (truth == 0) | (truth == IGNORE), truth, IGNORE)
            part = objects_found(winner, only)
            report["recall_by_kind"][kind_name] = {"objects": part["objects"], "recall": part["found"] / max(1, part["objects"])}
    empty = data.normalise(data.visible(chosen))
    plain = objects_of(fitted.probabilities(logits_of(network, empty, THINGS)))
    ground = (data.labels[chosen] != 4) & (data.labels[chosen] != IGNORE)
    report["false_share_of_plain_ground"] = float(((plain != 0) & ground).sum() / ground.sum())
    return report


def full(network, data: Data, painted: Sources, held: Sources, seed: int) -> tuple[dict, dict[str, Calibration]]:
    """All scores, and the calibration they were made with."""
    fitted = calibrate(network, data, painted)
    parts = holdouts(data)
    report = {name: land_cover(network, data, chosen, fitted["land_cover"]) for name, chosen in parts.items()}
    report["sensors"] = sensor_table(network, data, parts["by_mask"], fitted["land_cover"])
    report["sensors_unseen_places"] = sensor_table(
        network, data, parts["unseen_places"], fitted["land_cover"], ("as it is (30 m)", "haze 20 %", "60 m")
    )
    report["objects"] = objects(network, data, parts["unseen_places"], held, fitted["object"])
    grown, taught = baselines.forest(data, data.labels.numpy(), seed), baselines.hand_mask_forest(data, seed)
    for name, chosen in parts.items():
        report[name]["forest"] = baselines.forest_scores(data, chosen, grown)
        report[name]["hand_mask_forest_water_iou"] = baselines.hand_mask_forest_score(data, chosen, taught)
    return report, fitted
