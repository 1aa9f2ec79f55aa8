"""What simpler means reach on the same chips: a water index, and a random forest on the same bands."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from chips import CLASSES, IGNORE
from classes import ROLES
from data import Data
from metrics import iou, mask_iou

TRAINING_PIXELS = 60_000
TREES_GROWN = 60
TEST_STEP = 5
"""Every how many-eth known test pixel the forest is asked about."""


def mndwi(data: Data, chosen: np.ndarray) -> np.ndarray:
    """Modified normalised difference water index > 0: green brighter than short-wave infrared 1."""
    reflectance = data.reflectance[chosen]
    return (reflectance[:, ROLES.index("green")] > reflectance[:, ROLES.index("swir1")]).numpy()


def forest(data: Data, labels: np.ndarray, seed: int) -> RandomForestClassifier:
    """A forest on the six bands of a sample of training pixels; labels (chip, row, col) of all chips."""
    train = data.index("train")
    known = np.argwhere(labels[train] != IGNORE)
    drawn = known[np.random.default_rng(seed).choice(len(known), TRAINING_PIXELS, replace=False)]
    chip, row, col = train[drawn[:, 0]], drawn[:, 1], drawn[:, 2]
    grown = RandomForestClassifier(TREES_GROWN, min_samples_leaf=5, class_weight="balanced_subsample", random_state=seed, n_jobs=1)
    return grown.fit(data.reflectance.numpy()[chip, :, row, col], labels[chip, row, col])


def forest_scores(data: Data, chosen: np.ndarray, grown: RandomForestClassifier) -> dict:
    """IoU by class of the land-cover forest over every fifth known pixel."""
    labels = data.labels[chosen].numpy()
    chip, row, col = np.nonzero(labels != IGNORE)
    chip, row, col = chip[::TEST_STEP], row[::TEST_STEP], col[::TEST_STEP]
    predicted = grown.predict(data.reflectance.numpy()[chosen][chip, :, row, col])
    counts = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(counts, (labels[chip, row, col], predicted), 1)
    each = iou(counts)
    return {"mean_iou": float(np.nanmean(each)), "iou_by_class": dict(zip(CLASSES, map(float, each)))}


def hand_mask_forest(data: Data, seed: int) -> RandomForestClassifier:
    """A forest taught the hand-made masks as they are, on clear pixels: what the spectrum knows of them."""
    labels = np.where(data.clear.numpy(), data.hand_water.numpy(), IGNORE).astype(np.uint8)
    return forest(data, labels, seed)


def hand_mask_forest_score(data: Data, chosen: np.ndarray, grown: RandomForestClassifier) -> float:
    """Water IoU of that forest against the hand-made masks, every fifth clear pixel."""
    chip, row, col = np.nonzero(data.clear[chosen].numpy())
    chip, row, col = chip[::TEST_STEP], row[::TEST_STEP], col[::TEST_STEP]
    predicted = grown.predict(data.reflectance.numpy()[chosen][chip, :, row, col]) > 0
    true = data.hand_water[chosen].numpy()[chip, row, col]
    return mask_iou(predicted, true, np.ones_like(true))
