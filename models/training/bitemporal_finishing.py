"""After training the bitemporal network: scores, stored forms, manifest, card, curves."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path


import bitemporal_scoring as scoring
import bundle
from bitemporal_card import change_card
from bitemporal_fitting import CLASSES, ChangePlan, normalise
from bitemporal_network import DATES, ChangeNetwork
from classes import BAND_SETS
from data import Data
from network import parameter_count

VERSION = "0.1.0"
MINIMUM_PROGRAM_VERSION = "0.1.0"
TITLE = "Change between two dates on shores"
DESCRIPTION = (
    "Whether the ground changed between two dates, whatever it was or became, from up to six bands of both; a Siamese network "
    "for many sensors. Learnt from planted changes only. See README.md for scores, and for where it fails."
)
TRAINING_DATA = """
[[training_data]]
name = "opengeos/data, naip-prairie"
licence = "MIT; USDA NAIP imagery is in the public domain"
source = "https://github.com/opengeos/data"
note = "consecutive dates of 2009 to 2018 as unchanged ground; the last two dates only for evaluation"

[[training_data]]
name = "opengeos/data, landsat-ucayali"
licence = "MIT; USGS Landsat imagery is in the public domain"
source = "https://github.com/opengeos/data"
note = "consecutive dates of 1985 to 2010 as unchanged ground; the last two dates only for evaluation"
"""


def narrow() -> ChangeNetwork:
    """The architecture with one band a date and few features."""
    return ChangeNetwork(1, 1, (2, 2, 2, 2))


DESIGN = bundle.Design(
    kind="bitemporal", heads={"change": CLASSES}, dates=DATES, narrow=narrow, minimum_program_version=MINIMUM_PROGRAM_VERSION,
    training_data=bundle.TRAINING_DATA.strip() + "\n" + TRAINING_DATA, with_int8=False,
)


def finish(
    name: str, network: ChangeNetwork, data: Data, folder_of_data: Path, plan: ChangePlan, steps: int, history: list[dict],
    folder: Path, bundles: Path,
) -> None:
    """Writes `bundles/NAME/` and what belongs to the run into `folder`; prints the scores."""
    parameters, network = parameter_count(network), bundle.fused(network)
    report, fitted, test = scoring.full(network, data, folder_of_data, bundles / "shoreland", plan.seed)
    target = bundles / name
    bands = normalise(data, test.images)
    checks = bundle.store(target, network, fitted, bands, bands, DESIGN)
    report |= {"checks": checks, "parameters": parameters, "steps": steps, "seed": plan.seed, "history": history}
    report["calibration"] = {"temperature": fitted["change"].temperature, "bias": list(fitted["change"].bias)}
    report["load"] = round(os.getloadavg()[0], 1)
    report["speed"] = bundle.measure_speed(target, threads=1, design=DESIGN)
    (target / "manifest.toml").write_text(manifest(target, name, data, fitted, report))
    (folder / "scores.json").write_text(json.dumps(without_nan(report), indent=1) + "\n")
    write_card(name, plan, folder, bundles)
    print(summary(report))


def without_nan(value):
    """The same with None for what could not be counted."""
    if isinstance(value, dict):
        return {k: without_nan(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_nan(v) for v in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def manifest(target: Path, name: str, data: Data, fitted: dict, report: dict) -> str:
    """The text of `manifest.toml`."""
    called, six = report["called"], report["planted_chips"]["six_bands"]
    text = bundle.description_of(
        target, name, VERSION, TITLE, DESCRIPTION, (data.mean.tolist(), data.deviation.tolist()), fitted, report["checks"],
        {set_name: called[set_name]["mean_iou"] for set_name in BAND_SETS}, DESIGN,
    )
    numbers = {
        "mean_iou": called["six_bands"]["mean_iou"],
        "expected_calibration_error": called["six_bands"]["calibration_error"],
        "average_precision": six["network"]["average_precision"],
        "average_precision_change_vector": six["change_vector"]["average_precision"],
        "object_recall": six["network"]["recall"],
        "object_recall_change_vector": six["change_vector"]["recall"],
    }
    note = "changes planted on chips of places never seen, six bands"
    return text + bundle.scores_of(numbers, dict(zip(CLASSES, called["six_bands"]["iou"])), note)


def write_card(name: str, plan: ChangePlan, folder: Path, bundles: Path) -> None:
    """The card, from the scores of the last run."""
    report = json.loads((folder / "scores.json").read_text())
    (bundles / name / "README.md").write_text(change_card(name, plan, report))


def summary(report: dict) -> str:
    """The scores in short, for the terminal."""
    lines = []
    for test in (k for k in report if k.startswith("planted_")):
        for set_name, methods in report[test].items():
            cells = "  ".join(
                f"{m} {f['average_precision']:.3f}/{f['recall']:.3f}" for m, f in methods.items()
            )
            lines.append(f"{test} {set_name}: {cells}")
    for series, sets in report["untouched"].items():
        for set_name, row in sets.items():
            cells = "  ".join(f"{m} {row[m]['all']:.2%}/{row[m]['calm']:.2%}" for m in (*scoring.METHODS, "network_even_odds"))
            lines.append(f"untouched {series} {set_name}: {cells}")
    for set_name, row in report["called"].items():
        lines.append(f"calibration {set_name}: {row['calibration_error_before']:.4f} -> {row['calibration_error']:.4f}, mean IoU {row['mean_iou']:.3f}")
    lines.append(f"checks {report['checks']}  speed {report['speed']}")
    return "\n".join(lines)
