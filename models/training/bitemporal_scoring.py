"""Every score of the bitemporal card: planted changes on places never seen, beside two methods that learn nothing of
change, and what each calls changed between real dates on which nothing was planted."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import label as connected
from sklearn.metrics import average_precision_score
from torch import Tensor

import calibration
import pairs
from bitemporal_fitting import SERIES, Grounds, make_pairs, normalise, seen_by_sensors
from calibration import Calibration
from chips import CLASSES as LAND_COVER, IGNORE
from classes import BAND_SETS, NO_OBJECT, ROLES
from data import Data
from metrics import EIGHT_NEIGHBOURS, OBJECT_MIN_PX, by_patch, calibration_error, confusion, iou, probabilities_of
from pairs import RealPair
from planting import COVER_KIND
from scoring import holdouts
from textures import Sources, sources

FALSE_SHARE = 0.01
"""Share of the unchanged area that a method may call changed when its recall of objects is counted."""
METHODS = ("network", "change_vector", "class_difference", "change_vector_x_network")
WINDOWS_PER_SERIES = 16
SIZE_LIMITS_PX = (4, 25, 100, 401, 2501)


@dataclass(frozen=True)
class Test:
    """Pairs with known changes. Reflectance before normalisation."""

    images: Tensor
    """(image, 2 x band, row, col)."""
    labels: np.ndarray
    kinds: np.ndarray
    roles: tuple[str, ...]
    """Bands that the sensor has."""


def grounds_of(data: Data, folder: Path, chosen: np.ndarray, painted: Sources) -> Grounds:
    """Chips of one part, each as likely as the next, and the pairs of dates among them."""
    dates = pairs.same_ground_within(pairs.same_ground(data, folder), chosen)
    return Grounds(data, chosen, torch.ones(len(chosen)), dates, [], painted)


def test_of(grounds: Grounds, drawn: list[RealPair], really: list[bool], seed: int, planted: float = 1.0) -> Test:
    """Plants on every pair; each date is seen by a sensor and sky of its own, but for dates that really differ: these do
    already."""
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    images, labels, kinds = make_pairs(grounds, drawn, really, planted, rng)
    if not any(really):
        images = seen_by_sensors(images, 0.8, 1.0, generator)
    return Test(images, labels, kinds, drawn[0].roles)


def planted_chips(grounds: Grounds, seed: int) -> Test:
    """One chip shown twice, with everything that makes dates differ."""
    drawn = [pairs.pair_of_chips(grounds.data, int(i), int(i)) for i in grounds.chosen]
    return test_of(grounds, drawn, [False] * len(drawn), seed)


def planted_dates(grounds: Grounds, seed: int, judged: bool) -> Test:
    """Two real dates of one ground; not `judged`: all of it but what was planted counts as unchanged."""
    drawn = [pairs.pair_of_chips(grounds.data, *both, judged) for both in grounds.dates]
    return test_of(grounds, drawn, [True] * len(drawn), seed)


def planted_series(grounds: Grounds, folder: Path, name: str, seed: int, judged: bool) -> Test:
    """Windows of the last two dates of a series; `judged` as above."""
    last = last_dates(grounds.data, folder, name, judged)
    rng = np.random.default_rng(seed)
    drawn = [pairs.cut(last, pairs.window(rng, *last.land.shape)) for _ in range(WINDOWS_PER_SERIES)]
    return test_of(grounds, drawn, [True] * len(drawn), seed)


def last_dates(data: Data, folder: Path, name: str, judged: bool = True) -> RealPair:
    """The last two dates of a series, that training never saw."""
    series = pairs.read_series(folder, name, data)
    return pairs.pair_of_series(series, len(series.dates) - 2, len(series.dates) - 1, judged)


def kept(normalised: Tensor, roles: tuple[str, ...]) -> Tensor:
    """Both dates (image, 2 x band, row, col) with 0 in the bands that are not named."""
    return normalised * torch.tensor([float(role in roles) for role in ROLES] * 2).view(1, -1, 1, 1)


@torch.no_grad()
def logits_of(network, bands: Tensor) -> Tensor:
    """Logits (image, class, row, col)."""
    return torch.cat([network(part) for part in bands.split(8)])


class ClassDifference:
    """One minus the chance that both dates carry one class, by the land-cover head of `shoreland`."""

    def __init__(self, bundle: Path):
        head = next(h for h in tomllib.loads((bundle / "manifest.toml").read_text())["output"]["heads"] if h["name"] == "land_cover")
        self.script = torch.jit.load(str(bundle / "weights.pt"))
        self.temperature, self.bias = head["temperature"], torch.tensor(head["bias"])

    def probabilities(self, bands: Tensor) -> Tensor:
        """Of each class (image, class, row, col)."""
        return probabilities_of(logits_of(self.script, bands)[:, : len(LAND_COVER)], self.temperature, self.bias)

    def __call__(self, bands: Tensor) -> np.ndarray:
        """Score (image, row, col) of normalised pairs."""
        before, after = (self.probabilities(part) for part in bands.split(len(ROLES), 1))
        return (1 - (before * after).sum(1)).numpy()


def change_vectors(bands: Tensor, roles: tuple[str, ...]) -> np.ndarray:
    """`pairs.change_vector` of each pair over the bands that are there."""
    present = [ROLES.index(r) for r in roles]
    out = []
    for pair in bands.numpy():
        earlier, later = pair[: len(ROLES)][present], pair[len(ROLES) :][present]
        out.append(pairs.change_vector(earlier, later, np.ones(earlier.shape[1:], bool)))
    return np.stack(out)


def scores_of(network, fitted: Calibration, classes: ClassDifference, bands: Tensor, roles: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The score of each method (image, row, col); bands are normalised, without those that are missing."""
    changed = fitted.probabilities(logits_of(network, bands))[:, 1].numpy()
    vectors = change_vectors(bands, roles)
    return dict(zip(METHODS, (changed, vectors, classes(bands), vectors * changed)))


def objects(kinds: np.ndarray, flags: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each planted patch: its kind, its pixels, and how many of them carry the flag."""
    rows = []
    for kind_map, flag in zip(kinds, flags):
        for kind in np.unique(kind_map[(kind_map != NO_OBJECT) & (kind_map != IGNORE)]):
            size, hit = by_patch(kind_map == kind, flag)
            rows += [(kind, s, h) for s, h in zip(size, hit)]
    return tuple(np.array(rows).reshape(-1, 3).T)


def figures(score: np.ndarray, test: Test) -> dict:
    """Average precision over the known pixels; recall of planted patches where `FALSE_SHARE` of the unchanged area is above
    the threshold."""
    known, changed = test.labels != IGNORE, test.labels == 1
    threshold = float(np.quantile(score[known & ~changed], 1 - FALSE_SHARE))
    kind, size, hit = objects(test.kinds, score > threshold)
    found = hit >= 0.5 * size
    counted, cover = size >= OBJECT_MIN_PX, kind == COVER_KIND

    def share(which: np.ndarray) -> float:
        return float(found[which].mean()) if which.any() else float("nan")

    return {
        "average_precision": float(average_precision_score(changed[known], score[known])),
        "threshold": threshold,
        "recall": share(counted),
        "recall_objects": share(counted & ~cover),
        "recall_covers": share(counted & cover),
        "recall_by_size_px": {f"{a}-{b - 1}": share((size >= a) & (size < b)) for a, b in zip(SIZE_LIMITS_PX, SIZE_LIMITS_PX[1:])},
        "patches": int(counted.sum()), "objects": int((counted & ~cover).sum()), "covers": int((counted & cover).sum()),
    }


def table(network, fitted: Calibration, classes: ClassDifference, data: Data, test: Test) -> dict:
    """Figures of each method by set of bands, of the sets that the sensor has."""
    bands, out = normalise(data, test.images), {}
    for name, roles in BAND_SETS.items():
        if set(roles) <= set(test.roles):
            by_method = scores_of(network, fitted, classes, kept(bands, roles), roles)
            out[name] = {method: figures(score, test) for method, score in by_method.items()}
    return out


def calibrate(network, data: Data, test: Test) -> Calibration:
    """On planted validation chips under every set of bands."""
    bands = normalise(data, test.images)
    logits = torch.cat([logits_of(network, kept(bands, roles)) for roles in BAND_SETS.values()])
    labels = torch.from_numpy(test.labels).repeat(len(BAND_SETS), 1, 1)
    return calibration.fit(logits, labels, step=7, simplest=True)


def called(fitted: Calibration, network, data: Data, test: Test) -> dict:
    """Calibration and overlap at even odds, by set of bands."""
    bands, labels, out = normalise(data, test.images), torch.from_numpy(test.labels), {}
    for name, roles in BAND_SETS.items():
        logits = logits_of(network, kept(bands, roles))
        probabilities = fitted.probabilities(logits)
        by_class = iou(confusion(probabilities.argmax(1), labels, 2))
        out[name] = {
            "calibration_error_before": calibration_error(logits.softmax(1), labels),
            "calibration_error": calibration_error(probabilities, labels),
            "iou": by_class.tolist(), "mean_iou": float(by_class.mean()),
        }
    return out


def untouched(network, fitted: Calibration, classes: ClassDifference, data: Data, folder: Path, by_set: dict) -> dict:
    """Share of the area between the last two dates of each series that each method calls changed, with the threshold that it
    has on planted chips, and the network also at even odds; in all, and without the strongest change vectors."""
    out = {}
    for name in SERIES:
        pair = last_dates(data, folder, name)
        rows, cols = (n // 8 * 8 for n in pair.land.shape)
        image = torch.from_numpy(np.concatenate([pair.earlier, pair.later])[None, :, :rows, :cols].copy())
        bands, calm = normalise(data, image), ~pair.doubtful[:rows, :cols]
        for set_name, roles in BAND_SETS.items():
            if set(roles) <= set(pair.roles):
                by_method = scores_of(network, fitted, classes, kept(bands, roles), roles)
                row = {"calm_share_of_area": float(calm.mean())}
                for method, score in by_method.items():
                    above = score[0] > by_set[set_name][method]["threshold"]
                    row[method] = {"all": float(above.mean()), "calm": float(above[calm].mean())}
                even = by_method["network"][0] > 0.5
                patches, count = connected(even, EIGHT_NEIGHBOURS)
                sizes = np.bincount(patches.ravel())[1:]
                row["network_even_odds"] = {
                    "all": float(even.mean()), "calm": float(even[calm].mean()),
                    "patches": int((sizes >= OBJECT_MIN_PX).sum()) if count else 0,
                }
                out.setdefault(name, {})[set_name] = row
    return out


def quick(data: Data, folder: Path, seed: int) -> Callable[[torch.nn.Module], dict[str, float]]:
    """Average precision on planted validation chips for the curves: six bands, three visible ones."""
    painted = sources(folder, data, held_out=False)
    test = planted_chips(grounds_of(data, folder, data.index("validation"), painted), seed)
    bands, known = normalise(data, test.images), test.labels != IGNORE

    def validate(network: torch.nn.Module) -> dict[str, float]:
        network.eval()
        out = {}
        for name in ("six_bands", "red_green_blue"):
            changed = logits_of(network, kept(bands, BAND_SETS[name])).softmax(1)[:, 1].numpy()
            out[f"average_precision_{name}"] = average_precision_score((test.labels == 1)[known], changed[known])
        return out

    return validate


def full(network, data: Data, folder: Path, shoreland: Path, seed: int) -> tuple[dict, dict[str, Calibration], Test]:
    """Every score, the calibration, and the planted chips of places never seen."""
    painted, held = (sources(folder, data, held_out=side) for side in (False, True))
    fitted = calibrate(network, data, planted_chips(grounds_of(data, folder, data.index("validation"), painted), seed + 1))
    classes = ClassDifference(shoreland)
    unseen = grounds_of(data, folder, holdouts(data)["unseen_places"], held)
    chips = planted_chips(unseen, seed + 2)
    tests = {"planted_chips": chips}
    for judged, suffix in ((True, ""), (False, "_all")):
        tests["planted_dates" + suffix] = planted_dates(unseen, seed + 3, judged)
        tests |= {f"planted_{name}{suffix}": planted_series(unseen, folder, name, seed + 4, judged) for name in SERIES}
    report = {name: table(network, fitted, classes, data, test) for name, test in tests.items()}
    report["false_share"] = FALSE_SHARE
    report["pairs"] = {name: len(test.labels) for name, test in tests.items()}
    report["changed_share"] = {n: float((t.labels == 1).sum() / (t.labels != IGNORE).sum()) for n, t in tests.items()}
    report["called"] = called(fitted, network, data, chips)
    report["untouched"] = untouched(network, fitted, classes, data, folder, report["planted_chips"])
    return report, {"change": fitted}, chips
